//! Bytes to lines, lines to cells, cells to instants.

/// What 0x80 to 0x9F mean in Windows-1252; 0xFFFD where nothing is assigned.
const WESTERN: [u32; 32] = [
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
    0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
];

/// The physical lines of a file, without their line feeds.
///
/// A byte order mark is dropped and UTF-16 with a mark decoded. Lines end at 0x0A, or at 0x0D in a file
/// that has no 0x0A; an unterminated last line is a line. A line that is not UTF-8 is Windows-1252.
pub(crate) fn lines(bytes: &[u8]) -> Vec<String> {
    let owned;
    let mut bytes = bytes;
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let little = bytes[0] == 0xFF;
        let units: Vec<u16> = bytes[2..]
            .chunks(2)
            .filter(|c| c.len() == 2)
            .map(|c| {
                if little {
                    u16::from_le_bytes([c[0], c[1]])
                } else {
                    u16::from_be_bytes([c[0], c[1]])
                }
            })
            .collect();
        owned = String::from_utf16_lossy(&units).into_bytes();
        bytes = &owned;
    } else if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes = &bytes[3..];
    }
    if bytes.is_empty() {
        return Vec::new();
    }
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut pieces: Vec<&[u8]> = bytes.split(|b| *b == end).collect();
    if pieces.last().is_some_and(|last| last.is_empty()) {
        pieces.pop();
    }
    pieces.into_iter().map(decode).collect()
}

fn decode(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_string(),
        Err(_) => line
            .iter()
            .map(|b| match b {
                0x80..=0x9F => {
                    char::from_u32(WESTERN[usize::from(*b) - 0x80]).unwrap_or('\u{FFFD}')
                }
                _ => char::from(*b),
            })
            .collect(),
    }
}

/// The line without carriage returns at its end and NUL padding at either end.
pub(crate) fn clean(line: &str) -> &str {
    line.trim_end_matches(['\r', '\0']).trim_start_matches('\0')
}

/// A line of nothing but blanks.
pub(crate) fn is_blank(line: &str) -> bool {
    line.chars().all(|c| matches!(c, ' ' | '\t' | '\0' | '\r'))
}

/// The cells of a line separated by runs of blanks.
pub(crate) fn blanks(line: &str) -> Vec<&str> {
    line.split([' ', '\t']).filter(|cell| !cell.is_empty()).collect()
}

/// The cells of a comma separated row; `None` where a quote is not closed.
pub(crate) fn commas(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    if quoted { None } else { Some(cells) }
}

/// The value of a `#Name:` directive, the name without case.
pub(crate) fn directive<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix('#')?;
    let (found, value) = rest.split_once(':')?;
    found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

const DAY: i64 = 86_400_000;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn day(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    if parts.len() != 3 || parts[0].len() != 4 || parts[1].len() != 2 || parts[2].len() != 2 {
        return None;
    }
    civil(digits(parts[0])?, digits(parts[1])?, digits(parts[2])?)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, counted one year and month at a time.
pub(crate) fn civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let length = |y: i64, m: i64| match m {
        2 if leap(y) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > length(year, month) {
        return None;
    }
    let years: i64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(|m| length(year, m)).sum();
    Some(years + months + day - 1)
}

/// `YYYY-MM-DD` of a number of days since 1970-01-01.
pub(crate) fn date_of(days: i64) -> String {
    let mut year = 1970;
    while civil(year + 1, 1, 1).is_some_and(|first| first <= days) {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && civil(year, month + 1, 1).is_some_and(|first| first <= days) {
        month += 1;
    }
    let first = civil(year, month, 1).unwrap_or(0);
    format!("{year:04}-{month:02}-{:02}", days - first + 1)
}

/// Milliseconds since midnight of `HH:MM:SS` with an optional fraction.
pub(crate) fn clock(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts: Vec<&str> = whole.split(':').collect();
    if parts.len() != 3 || parts.iter().any(|p| p.len() != 2) {
        return None;
    }
    let (hour, minute, second) = (digits(parts[0])?, digits(parts[1])?, digits(parts[2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut milliseconds = 0;
    if text.contains('.') {
        digits(fraction)?;
        milliseconds = digits(&format!("{fraction:0<3}")[..3])?;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + milliseconds)
}

/// Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS.fffZ`.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    Some(day(date)? * DAY + clock(time)?)
}

/// The day of an instant.
pub(crate) fn day_of(time: i64) -> i64 {
    time.div_euclid(DAY)
}

/// The instant of a day and a time of day.
pub(crate) fn at(day: i64, clock: i64) -> i64 {
    day * DAY + clock
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `%5C` is `\`; what is no escape stays.
pub(crate) fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if bytes[i] == b'%' && hex.is_some_and(|h| !h.starts_with('+')) => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The bytes of a base64 text (standard alphabet, padding optional).
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body = text.trim_end_matches('=');
    if body.is_empty() || text.len() - body.len() > 2 || body.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::new();
    let mut bits = 0u32;
    let mut held = 0;
    for c in body.chars() {
        bits = (bits << 6) | u32::try_from(alphabet.find(c)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xFF) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

/// Whether `text` matches `pattern`, in which `*` stands for anything. Both are lower case already.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else { return false };
            (0..=rest.len()).any(|i| rest.is_char_boundary(i) && glob(tail, &rest[i..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_the_end_that_the_file_has() {
        assert_eq!(lines(b"a\r\nb\n\nc"), ["a\r", "b", "", "c"]);
        assert_eq!(lines(b"a\rb\r"), ["a", "b"]);
        assert_eq!(lines(b"\xEF\xBB\xBFa"), ["a"]);
        assert_eq!(lines(b"\xFF\xFEa\0\n\0b\0"), ["a", "b"]);
        assert_eq!(lines(b"J\xF6rg \x80"), ["J\u{f6}rg \u{20ac}"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn dates() {
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(day("2010-03-01"), Some(14669));
        assert_eq!(day("2011-02-29"), None);
        assert_eq!(date_of(14669), "2010-03-01");
        assert_eq!(date_of(14668), "2010-02-28");
        assert_eq!(clock("24:00:00"), None);
        assert_eq!(instant("1970-01-01T00:00:01.5Z"), Some(1500));
    }

    #[test]
    fn cells_and_codes() {
        let row = commas(r#"a,"x ""y"", z",,"#).unwrap_or_default();
        assert_eq!(row, ["a", r#"x "y", z"#, "", ""]);
        assert_eq!(commas("a,\"b"), None);
        assert_eq!(percent("domain%5Cuser%2"), "domain\\user%2");
        assert_eq!(base64("U21hcnRQaG9uZQ==").unwrap_or_default(), b"SmartPhone");
        assert!(glob("contoso\\svc_*", "contoso\\svc_backup"));
        assert!(!glob("*svc", "svc_a"));
    }
}
