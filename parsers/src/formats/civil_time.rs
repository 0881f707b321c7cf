//! Dates and times as consoles, spreadsheets and databases write them.

use crate::event::LineErrorKind;
use crate::time::{self, DAY_MS};

const MINUTE_MS: i64 = 60_000;

/// The day number of a date in one of these forms: `2012-08-17`, `2012/8/17`, `8/17/2012`,
/// `08/17/12`, `17.08.2012`.
///
/// With slashes the month stands first, as Microsoft's own examples have it; where that cannot be, the
/// order is unclear and nothing is guessed. Years of two digits: 70 to 99 are 19xx, the rest 20xx.
///
/// # Errors
///
/// [`LineErrorKind::DateOrder`] where day and month cannot be told apart, else
/// [`LineErrorKind::Timestamp`], both with the name `field`.
pub(super) fn day(text: &[u8], field: &'static str) -> Result<i32, LineErrorKind> {
    let invalid = LineErrorKind::Timestamp { field };
    if let Some(day) = time::iso_date(text) {
        return Ok(day);
    }
    let separator = *text.iter().find(|b| !b.is_ascii_digit()).ok_or(invalid)?;
    let mut parts = text.split(|b| *b == separator);
    let mut next = || {
        let digits = parts.next().ok_or(invalid)?;
        let n = time::number(digits).filter(|_| digits.len() <= 4).ok_or(invalid)?;
        Ok((n, digits.len()))
    };
    let (first, second, third) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return Err(invalid);
    }
    let (year, month, date) = match separator {
        b'/' | b'-' if first.1 == 4 => (first, second, third),
        b'/' if first.0 > 12 => return Err(LineErrorKind::DateOrder { field }),
        b'/' => (third, first, second),
        b'.' => (third, second, first),
        b'-' => return Err(LineErrorKind::DateOrder { field }),
        _ => return Err(invalid),
    };
    let year = match year {
        (y, 4) => y,
        (y @ 70..=99, 2) => 1900 + y,
        (y, 2) => 2000 + y,
        _ => return Err(invalid),
    };
    time::day_number(year, month.0, date.0).ok_or(invalid)
}

/// `H:MM:SS`, with an optional fraction and `AM` or `PM`, to milliseconds of the day.
pub(super) fn clock(text: &[u8]) -> Option<u32> {
    if let Some(ms) = time::clock(text) {
        return Some(ms);
    }
    let half = |mark: &[u8]| {
        let (head, tail) = text.split_at_checked(text.len().checked_sub(2)?)?;
        // Newer culture data put a narrow no-break space before the mark.
        let end = head.iter().rposition(|b| b.is_ascii_digit())? + 1;
        tail.eq_ignore_ascii_case(mark).then_some(&head[..end])
    };
    let (digits, noon) = match (half(b"AM"), half(b"PM")) {
        (Some(t), _) => (t, Some(0)),
        (_, Some(t)) => (t, Some(12)),
        _ => (text, None),
    };
    let colon = memchr::memchr(b':', digits).filter(|at| matches!(at, 1 | 2))?;
    let hour = time::number(&digits[..colon])?;
    let hour = match noon {
        Some(shift) if (1..=12).contains(&hour) => hour % 12 + shift,
        Some(_) => return None,
        None => hour,
    };
    // The rest is `:MM:SS…`; one clock with the hour 00 reads it.
    let mut rest = [b'0'; 24];
    let length = 2 + digits.len() - colon;
    rest.get_mut(2..length)?.copy_from_slice(&digits[colon..]);
    Some(hour.checked_mul(3_600_000).filter(|_| hour < 24)? + time::clock(&rest[..length])?)
}

/// A date and time to milliseconds since 1970, where the date has one of the forms of [`day`]; a date
/// alone is its first instant. A trailing `Z` or offset (`+02:00`) is heeded, else the time is UTC.
///
/// # Errors
///
/// As [`day`].
pub(super) fn instant(text: &[u8], field: &'static str) -> Result<i64, LineErrorKind> {
    if let Some(instant) = time::iso_instant(text) {
        return Ok(instant);
    }
    let invalid = LineErrorKind::Timestamp { field };
    let end = text.iter().position(|b| matches!(b, b' ' | b'T')).unwrap_or(text.len());
    let midnight = i64::from(day(&text[..end], field)?) * DAY_MS;
    let rest = text[end..].get(1..).unwrap_or_default().trim_ascii();
    if rest.is_empty() {
        return Ok(midnight);
    }
    let (digits, shift) = offset(rest).ok_or(invalid)?;
    Ok(midnight + i64::from(clock(digits).ok_or(invalid)?) - shift)
}

/// A time without its `Z` or `+HH:MM`, and that offset in milliseconds east.
fn offset(text: &[u8]) -> Option<(&[u8], i64)> {
    if let Some(head) = text.strip_suffix(b"Z") {
        return Some((head, 0));
    }
    let Some(at) = text.iter().rposition(|b| matches!(b, b'+' | b'-')) else {
        return Some((text, 0));
    };
    let minutes = minutes_east(&text[at..])?;
    Some((text[..at].trim_ascii_end(), i64::from(minutes) * MINUTE_MS))
}

/// `+HHMM` or `-HH:MM` in minutes east of UTC.
pub(super) fn minutes_east(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text.split_first()? {
        (b'+', digits) => (1, digits),
        (b'-', digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        4 => (&digits[..2], &digits[2..]),
        5 if digits[2] == b':' => (&digits[..2], &digits[3..]),
        _ => return None,
    };
    let (hours, minutes) = (time::number(hours)?, time::number(minutes)?);
    (hours <= 14 && minutes < 60).then(|| sign * (hours * 60 + minutes) as i32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot parse its own text has failed")]
    use super::*;

    #[test]
    fn the_forms_of_one_day() {
        let wanted = time::iso_date(b"2012-08-17").unwrap();
        for text in ["2012-08-17", "2012/8/17", "8/17/2012", "08/17/12", "17.08.2012", "17.8.12"] {
            assert_eq!(day(text.as_bytes(), "d"), Ok(wanted), "{text}");
        }
        for text in ["17/08/2012", "17-08-2012", "08-17-2012"] {
            let error = Err(LineErrorKind::DateOrder { field: "d" });
            assert_eq!(day(text.as_bytes(), "d"), error, "{text}");
        }
        for text in ["", "8/17", "2/30/2012", "8/17/2012/1", "8/17/212", "a/b/c", "8 17 2012"] {
            let error = Err(LineErrorKind::Timestamp { field: "d" });
            assert_eq!(day(text.as_bytes(), "d"), error, "{text}");
        }
    }

    #[test]
    fn years_of_two_digits_turn_at_seventy() {
        assert_eq!(day(b"01/01/70", "d"), Ok(0));
        assert_eq!(day(b"12/31/99", "d").ok(), time::iso_date(b"1999-12-31"));
        assert_eq!(day(b"01/01/69", "d").ok(), time::iso_date(b"2069-01-01"));
    }

    #[test]
    fn clocks_with_one_digit_and_with_halves() {
        for (text, wanted) in [
            ("7:55:20", Some(28_520_000)),
            ("07:55:20", Some(28_520_000)),
            ("7:55:20 AM", Some(28_520_000)),
            ("7:55:20\u{202f}PM", Some(71_720_000)),
            ("12:00:00 AM", Some(0)),
            ("12:00:00 pm", Some(43_200_000)),
            ("7:55:20.5", Some(28_520_500)),
            ("13:00:00 PM", None),
            ("24:00:00", None),
            ("7:5:20", None),
            ("PM", None),
            ("", None),
        ] {
            assert_eq!(clock(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn instants_of_databases_and_spreadsheets() {
        let wanted = time::iso_instant(b"2012-08-17T10:11:12.120Z").unwrap();
        for text in [
            "2012-08-17 10:11:12.120",
            "2012-08-17T10:11:12.1200000Z",
            "8/17/2012 10:11:12.12 AM",
            "17.08.2012 10:11:12.12",
            "2012-08-17 12:11:12.120 +02:00",
            "2012-08-17T02:41:12.12-0730",
        ] {
            assert_eq!(instant(text.as_bytes(), "t"), Ok(wanted), "{text}");
        }
        assert_eq!(instant(b"8/17/2012", "t").unwrap() % DAY_MS, 0);
        for text in ["", "8/17/2012 x", "2012-08-17 10:11:12 +99:00"] {
            assert!(instant(text.as_bytes(), "t").is_err(), "{text}");
        }
    }
}
