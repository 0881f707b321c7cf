//! Rows of comma-separated logs, RFC 4180 quoting.

use std::borrow::Cow;

/// Splits one row into `fields`, quotes left on. Returns the number of fields on the row, which may
/// be larger than `fields`; `None` where a quoted field does not end on the row.
///
/// ```
/// use calproof_parsers::csv::{split, unquote};
/// let mut fields = [&b""[..]; 4];
/// assert_eq!(split(b"a,\"b,\"\"c\"\"\",", &mut fields), Some(3));
/// assert_eq!(&*unquote(fields[1]), b"b,\"c\"");
/// assert_eq!(split(b"a,\"b", &mut fields), None);
/// ```
pub fn split<'a>(row: &'a [u8], fields: &mut [&'a [u8]]) -> Option<usize> {
    let mut count = 0;
    let mut at = 0;
    loop {
        let end = if row.get(at) == Some(&b'"') {
            let close = closing_quote(row, at + 1)?;
            close + 1 + memchr::memchr(b',', &row[close + 1..]).unwrap_or(row.len() - close - 1)
        } else {
            at + memchr::memchr(b',', &row[at..]).unwrap_or(row.len() - at)
        };
        if let Some(field) = fields.get_mut(count) {
            *field = &row[at..end];
        }
        count += 1;
        if end == row.len() {
            return Some(count);
        }
        at = end + 1;
    }
}

fn closing_quote(row: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(b'"', &row[at..])?;
        if row.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// A field without its quotes, doubled quotes made single.
pub fn unquote(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"").map(|f| f.strip_suffix(b"\"").unwrap_or(f)) else {
        return Cow::Borrowed(field);
    };
    if memchr::memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(b) = bytes.next() {
        out.push(*b);
        if *b == b'"' && bytes.as_slice().first() == Some(&b'"') {
            bytes.next();
        }
    }
    Cow::Owned(out)
}
