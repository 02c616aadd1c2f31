//! The two ways in which directories write instants.

use sterna_core::time::Timestamp;

/// Reads a generalized time, `YYYYMMDDHH[MM[SS]][.f](Z|±hh[mm])` (RFC 4517 3.3.13).
pub fn generalized_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at = text.find(|char: char| !char.is_ascii_digit())?;
    let (digits, rest) = text.split_at(at);
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i32>().ok();
    if !matches!(digits.len(), 10 | 12 | 14) {
        return None;
    }
    let (minute, second) = (number(10, 12).unwrap_or(0), number(12, 14).unwrap_or(0));
    let short = |value: i32| i8::try_from(value).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(number(0, 4)?).ok()?,
        short(number(4, 6)?)?,
        short(number(6, 8)?)?,
        short(number(8, 10)?)?,
        short(minute)?,
        short(second.min(59))?, // a leap second
        0,
    )
    .ok()?;
    let whole = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    let (fraction, zone) = fraction(rest)?;
    let unit = match digits.len() {
        10 => 3_600_000,
        12 => 60_000,
        _ => 1_000,
    };
    Some(Timestamp(whole + fraction * unit / 1_000_000 - offset(zone)?))
}

/// Millionths of the last unit, and what stands behind them.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(rest) = rest.strip_prefix(['.', ',']) else { return Some((0, rest)) };
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let digits = &rest[..end.min(6)];
    let scale = u32::try_from(6 - digits.len()).ok()?;
    Some((digits.parse::<i64>().ok()? * 10_i64.pow(scale), &rest[end..]))
}

/// Milliseconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = &zone[1..];
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let minutes = digits.get(2..4).map_or(Some(0), |text| text.parse::<i64>().ok())?;
    Some(sign * (digits[..2].parse::<i64>().ok()? * 60 + minutes) * 60_000)
}

/// Milliseconds from 1601 to 1970.
const EPOCH_1601: i64 = 11_644_473_600_000;

/// Reads FILETIME, 100 ns since 1601 UTC; 0 and 0x7FFFFFFFFFFFFFFF mean never.
pub fn file_time(text: &str) -> Option<Timestamp> {
    match text.trim().parse::<i64>() {
        Ok(0 | i64::MAX) | Err(_) => None,
        Ok(ticks) if ticks < 0 => None,
        Ok(ticks) => Some(Timestamp(ticks / 10_000 - EPOCH_1601)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_read_and_never_is_no_instant() {
        let day = 1_554_112_800_000; // 2019-04-01T10:00:00Z
        for (text, expected) in [
            ("20190401100000Z", Some(day)),
            ("20190401100000.0Z", Some(day)),
            ("20190401100000.25Z", Some(day + 250)),
            ("20190401120000+0200", Some(day)),
            ("201904011000Z", Some(day)),
            ("2019040110.5Z", Some(day + 1_800_000)),
            ("20190401100000", None),
            ("20191301100000Z", None),
            ("soon", None),
            ("20190401100000+x2", None),
        ] {
            assert_eq!(generalized_time(text), expected.map(Timestamp), "{text}");
        }
        assert_eq!(file_time("131985864000000000"), Some(Timestamp(1_554_112_800_000)));
        assert_eq!((file_time("0"), file_time("9223372036854775807"), file_time("-1")), (None, None, None));
    }
}
