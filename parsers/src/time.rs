//! Dates and times as the logs write them, to UTC days and milliseconds.

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// Days from 1970-01-01 to a civil date of the proleptic Gregorian calendar; `None` where the date
/// does not exist or the year is not within 1970..=9999.
///
/// ```
/// use calproof_parsers::time::day_number;
/// assert_eq!(day_number(1970, 1, 1), Some(0));
/// assert_eq!(day_number(2012, 2, 29), Some(15_399));
/// assert_eq!(day_number(2011, 2, 29), None);
/// ```
pub fn day_number(year: u32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = LENGTHS[month as usize - 1] + u32::from(leap && month == 2);
    if day == 0 || day > length {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (y / 400, y % 400);
    let of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i32::try_from(i64::from(days) - 719_468).ok()
}

/// Year, month and day of a day number.
///
/// ```
/// assert_eq!(calproof_parsers::time::civil(15_399), (2012, 2, 29));
/// ```
pub fn civil(day: i32) -> (i32, u32, u32) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * m + 2) / 5 + 1) as u32;
    let month = if m < 10 { m + 3 } else { m - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

fn digits(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    let mut n = 0u32;
    for b in bytes {
        let d = b.wrapping_sub(b'0');
        if d > 9 {
            return None;
        }
        n = n * 10 + u32::from(d);
    }
    Some(n)
}

/// A decimal number of at most nine digits and nothing else.
#[inline]
pub fn number(bytes: &[u8]) -> Option<u32> {
    // A status.
    if let [a, b, c] = bytes {
        let [a, b, c] = [a, b, c].map(|digit| u32::from(digit.wrapping_sub(b'0')));
        return (a <= 9 && b <= 9 && c <= 9).then_some(a * 100 + b * 10 + c);
    }
    digits(bytes)
}

/// `YYYY-MM-DD` to a day number.
pub fn iso_date(bytes: &[u8]) -> Option<i32> {
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    day_number(digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?)
}

/// `HH:MM:SS`, with an optional fraction `.f…`, to milliseconds of the day.
///
/// ```
/// use calproof_parsers::time::clock;
/// assert_eq!(clock(b"23:59:59"), Some(86_399_000));
/// assert_eq!(clock(b"00:00:01.25"), Some(1_250));
/// assert_eq!(clock(b"24:00:00"), None);
/// ```
#[inline]
pub fn clock(bytes: &[u8]) -> Option<u32> {
    let (whole, fraction) = bytes.split_first_chunk::<8>()?;
    let fraction = if fraction.is_empty() { 0 } else { milliseconds(fraction)? };
    Some(whole_clock(whole)? + fraction)
}

/// `HH:MM:SS` to milliseconds of the day.
#[inline]
pub fn whole_clock(bytes: &[u8; 8]) -> Option<u32> {
    const SHAPE: u64 = u64::from_le_bytes(*b"00:00:00");
    // What must be added to a byte of the difference to reach 128 where it is not allowed: 10 and
    // more for a digit, anything but 0 for a colon.
    const LIMIT: u64 = 0x7676_7F76_767F_7676;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let digits = u64::from_le_bytes(*bytes) ^ SHAPE;
    if (digits.wrapping_add(LIMIT) | digits) & HIGH != 0 {
        return None;
    }
    let pairs = digits * 10 + (digits >> 8);
    let pair = |i: u32| (pairs >> (8 * i)) as u32 & 0xFF;
    let (h, m, s) = (pair(0), pair(3), pair(6));
    (h <= 23 && m <= 59 && s <= 59).then_some(((h * 60 + m) * 60 + s) * 1000)
}

fn milliseconds(fraction: &[u8]) -> Option<u32> {
    let digits = fraction.strip_prefix(b".")?;
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((0..3).fold(0, |ms, i| ms * 10 + digits.get(i).map_or(0, |d| u32::from(d - b'0'))))
}

/// `YYYY-MM-DDTHH:MM:SS[.fff]Z` to milliseconds since 1970.
///
/// A blank may stand for the `T`, and the `Z` may be missing: `#Date` of IIS has both.
///
/// ```
/// use calproof_parsers::time::iso_instant;
/// assert_eq!(iso_instant(b"1970-01-02T00:00:00.001Z"), Some(86_400_001));
/// assert_eq!(iso_instant(b"1970-01-02 00:00:00"), Some(86_400_000));
/// assert_eq!(iso_instant(b"2010-13-01T00:00:00Z"), None);
/// ```
pub fn iso_instant(bytes: &[u8]) -> Option<i64> {
    let (date, rest) = bytes.split_at_checked(10)?;
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" "))?;
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    Some(i64::from(iso_date(date)?) * DAY_MS + i64::from(clock(rest)?))
}

/// Reads instants; the minute of most rows is that of the row before.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// `YYYY-MM-DDTHH:MM`, and what it is in milliseconds since 1970.
    minute: ([u8; 16], i64),
}

impl Clock {
    /// Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS.fffZ`.
    #[inline]
    pub(crate) fn instant(&mut self, field: &[u8]) -> Option<i64> {
        let Some((stamp, b"Z")) = field.split_first_chunk::<23>() else {
            return iso_instant(field);
        };
        let ([minute @ .., _, _, _, _, _, _, _], [.., b':', a, b, b'.', c, d, e]) = (stamp, stamp)
        else {
            return iso_instant(field);
        };
        let [a, b, c, d, e] = [a, b, c, d, e].map(|digit| i64::from(digit.wrapping_sub(b'0')));
        let plain = a < 6 && b.max(c).max(d).max(e) <= 9;
        if plain && u128::from_ne_bytes(*minute) == u128::from_ne_bytes(self.minute.0) {
            return Some(self.minute.1 + a * 10_000 + b * 1000 + c * 100 + d * 10 + e);
        }
        let instant = iso_instant(field)?;
        self.minute = (*minute, instant.div_euclid(60_000) * 60_000);
        Some(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_survives_the_round_trip() {
        let mut day = 0;
        for year in 1970..2400 {
            for month in 1..=12 {
                for date in 1..=31 {
                    if let Some(n) = day_number(year, month, date) {
                        assert_eq!(n, day, "{year}-{month}-{date}");
                        assert_eq!(civil(n), (year as i32, month, date));
                        day += 1;
                    }
                }
            }
        }
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused() {
        for bad in
            ["2010-02-30", "2010-00-10", "2010-1-010", "10-01-2010", "2010/01/01", "１010-01-1"]
        {
            assert_eq!(iso_date(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["7:55:20", "07:60:20", "07:55:60", "07-55-20", "07:55:20.", "07:55:20,5", ""] {
            assert_eq!(clock(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_bad_date_does_not_stay_in_the_clock() {
        let mut clock = Clock::default();
        assert_eq!(clock.instant(b"1970-01-02T00:00:00.001Z"), Some(86_400_001));
        assert_eq!(clock.instant(b"1970-02-30T00:00:00.000Z"), None);
        assert_eq!(clock.instant(b"1970-02-30T00:00:00.000Z"), None);
        assert_eq!(clock.instant(b"1970-01-02T00:00:00.001+01:00"), None);
        assert_eq!(clock.instant(b"1970-01-02T00:00:02Z"), Some(86_402_000));
    }

    proptest::proptest! {
        #[test]
        fn instants_are_those_of_the_plain_way(stamps in proptest::collection::vec(
            "2024-0[12]-(29|30|3/)[T ](23|24):5[89:]:[0-6][0-9:][.,][0-9]{2}[0-9/]{1,2}[Z9]?",
            0..40,
        )) {
            let mut clock = Clock::default();
            for stamp in stamps {
                let stamp = stamp.as_bytes();
                proptest::prop_assert_eq!(clock.instant(stamp), iso_instant(stamp));
            }
        }
    }
}
