//! When to come back: `Retry-After` in all its forms, and waits where the service does not say. Pure.

use std::time::Duration;

use sterna_core::time::Timestamp;

/// The longest that one wait between two tries of a read may take, whatever the service asks for.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// The first wait between two tries of a read where the service does not say; doubled each time, with jitter.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Reads a `Retry-After` value: decimal seconds (entra.md 5 has seen `0.249`), or an HTTP date. Rounded up to whole
/// milliseconds, so that coming back is never too early.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let usable = seconds.is_finite() && (0.0..=86_400.0).contains(&seconds);
        return usable.then(|| Duration::from_secs_f64((seconds * 1_000.0).ceil() / 1_000.0));
    }
    let at = http_date(value)?;
    // a date has no fraction: the instant may be up to a second later than it reads
    let millis = u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0);
    Some(Duration::from_millis(millis + 1_000).min(Duration::from_hours(24)))
}

/// Reads an HTTP date (RFC 9110 5.6.7; the obsolete forms are not read).
pub(crate) fn http_date(value: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Timestamp(parsed.as_millisecond()))
}

/// How long to wait before try number `attempt` (from 1) of a read.
///
/// `asked` is what the service asks for and wins, up to [`LONGEST_WAIT`]; without it the wait doubles from
/// [`FIRST_WAIT`]. `noise` (0 to 255) spreads the latter over half of its length, so that many do not come at once.
pub(crate) fn wait_before(attempt: u32, asked: Option<Duration>, noise: u8) -> Duration {
    if let Some(asked) = asked {
        return asked.min(LONGEST_WAIT);
    }
    let doubled = FIRST_WAIT.saturating_mul(1_u32 << attempt.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    let half = doubled / 2;
    half + half * u32::from(noise) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_789_380_123_000); // 2026-09-14T10:02:03Z

    fn check(value: &str, expected_millis: Option<u64>) {
        assert_eq!(retry_after(value, NOW), expected_millis.map(Duration::from_millis), "{value}");
    }

    #[test]
    fn retry_after_is_decimal_seconds_or_a_date_and_never_too_early() {
        check("2", Some(2_000));
        check("2.128", Some(2_128));
        check(" 0.249 ", Some(249));
        check("0.2491", Some(250));
        check("0", Some(0));
        check("Mon, 14 Sep 2026 10:02:13 GMT", Some(11_000));
        check("Mon, 14 Sep 2026 10:02:00 GMT", Some(1_000));
        for nonsense in ["", "-1", "soon", "NaN", "inf", "1e300", "Mon, 99 Sep 2026 10:02:13 GMT"] {
            check(nonsense, None);
        }
    }

    #[test]
    fn what_the_service_asks_for_wins_up_to_a_bound() {
        assert_eq!(wait_before(1, Some(Duration::from_secs(7)), 0), Duration::from_secs(7));
        assert_eq!(wait_before(1, Some(Duration::from_secs(9_999)), 0), LONGEST_WAIT);
    }

    #[test]
    fn waits_double_with_jitter_and_have_a_bound() {
        assert_eq!(wait_before(1, None, 0), Duration::from_millis(250));
        assert_eq!(wait_before(1, None, 255), Duration::from_millis(500));
        assert_eq!(wait_before(3, None, 255), Duration::from_secs(2));
        assert!((1..40).all(|attempt| wait_before(attempt, None, 255) <= LONGEST_WAIT));
    }
}
