//! Values that files write in many ways: instants, yes and no.

use sterna_core::time::Timestamp;

/// Words that mean yes, unless `true_words` says otherwise.
pub(crate) const YES: &[&str] = &["true", "yes", "y", "t", "on", "1", "active", "enabled"];

/// Words that mean no, unless `false_words` says otherwise.
pub(crate) const NO: &[&str] = &["false", "no", "n", "f", "off", "0", "inactive", "disabled"];

/// Reads an instant: RFC 3339; a date, with or without a time, which counts as UTC; or a whole number, seconds since
/// 1970 up to eleven digits and milliseconds above.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(at) = Timestamp::parse(text) {
        return Some(at);
    }
    if let Ok(number) = text.parse::<i64>() {
        return if number.unsigned_abs() < 100_000_000_000 {
            Some(Timestamp(number * 1_000))
        } else {
            (number.unsigned_abs() < 100_000_000_000_000).then_some(Timestamp(number))
        };
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// Reads yes or no by the words for them, without case.
pub(crate) fn flag(text: &str, yes: &[String], no: &[String]) -> Option<bool> {
    let text = text.trim();
    let among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if among(yes) { Some(true) } else { among(no).then_some(false) }
}

#[cfg(test)]
mod tests {
    use sterna_core::settings::Need;

    use super::*;

    #[test]
    fn the_words_for_yes_and_no_are_those_of_the_settings() {
        for (name, words) in [("true_words", YES), ("false_words", NO)] {
            let rule = crate::text::COLUMN_RULES.iter().find(|setting| setting.name == name).unwrap();
            let Need::Default(text) = rule.need else { panic!("{name} has a default") };
            assert_eq!(serde_json::from_str::<Vec<String>>(text).unwrap(), words);
        }
    }

    #[test]
    fn instants_are_read_in_the_usual_ways_and_others_are_not_guessed() {
        let day = 1_704_153_600_000;
        for (text, expected) in [
            ("2024-01-02T00:00:00Z", Some(day)),
            ("2024-01-02T01:00:00+01:00", Some(day)),
            ("2024-01-02", Some(day)),
            ("2024-01-02 00:00:00", Some(day)),
            ("1704153600", Some(day)),
            ("1704153600000", Some(day)),
            ("02.01.2024", None),
            ("9999999999999999", None),
            ("soon", None),
        ] {
            assert_eq!(instant(text), expected.map(Timestamp), "{text}");
        }
    }
}
