//! Rows of comma-separated logs, RFC 4180 quoting.

mod index;

use std::borrow::Cow;

use crate::simd;

pub(crate) use index::{Fields, Index, Lines, parity};

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
    let mut cut = Cut { row, fields, count: 0, from: 0, quote: Quote::of(row, 0) };
    simd::each_block(row, [b',', b'"'], &mut cut);
    if let Quote::Open(_) = cut.quote {
        return None;
    }
    cut.field(row.len());
    Some(cut.count)
}

/// How far a row has been cut.
struct Cut<'a, 'f> {
    row: &'a [u8],
    fields: &'f mut [&'a [u8]],
    /// Fields behind.
    count: usize,
    /// Where the field at hand begins.
    from: usize,
    quote: Quote,
}

impl Cut<'_, '_> {
    /// The field at hand ends at `to`; the next one begins behind the comma there.
    #[inline(always)]
    fn field(&mut self, to: usize) {
        if let Some(field) = self.fields.get_mut(self.count) {
            *field = &self.row[self.from..to];
        }
        (self.count, self.from) = (self.count + 1, to + 1);
    }
}

impl simd::Blocks<2> for Cut<'_, '_> {
    #[inline(always)]
    fn block(&mut self, base: usize, [commas, quotes]: [u64; 2], _: impl simd::Note) {
        if quotes == 0
            && let Quote::None = self.quote
        {
            // Most of most rows.
            for at in simd::bits(commas).map(|i| base + i) {
                self.field(at);
            }
            if commas != 0 {
                self.quote = Quote::of(self.row, self.from);
            }
            return;
        }
        let row = self.row;
        for at in simd::bits(commas | quotes).map(|i| base + i) {
            match self.quote {
                Quote::Open(from) if at < from => {}
                // A quote that is doubled stands for itself.
                Quote::Open(_) if row[at] == b'"' && row.get(at + 1) == Some(&b'"') => {
                    self.quote = Quote::Open(at + 2);
                }
                Quote::Open(_) if row[at] == b'"' => self.quote = Quote::None,
                Quote::None if row[at] == b',' => {
                    self.field(at);
                    self.quote = Quote::of(row, self.from);
                }
                Quote::Open(_) | Quote::None => {}
            }
        }
    }
}

/// Whether commas are text.
#[derive(Clone, Copy)]
enum Quote {
    /// No: the field has no quote in front, or it was closed.
    None,
    /// Yes, up to the first quote that stands at this offset or behind and is not doubled.
    Open(usize),
}

impl Quote {
    fn of(row: &[u8], field: usize) -> Quote {
        if row.get(field) == Some(&b'"') { Quote::Open(field + 1) } else { Quote::None }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain way: field by field, each to its comma or closing quote.
    fn split_plainly(row: &[u8]) -> Option<Vec<&[u8]>> {
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let mut end = at;
            if row.get(at) == Some(&b'"') {
                end += 1;
                while row.get(end)? != &b'"' || row.get(end + 1) == Some(&b'"') {
                    end += if row[end] == b'"' { 2 } else { 1 };
                }
            }
            end += row[end..].iter().position(|b| *b == b',').unwrap_or(row.len() - end);
            fields.push(&row[at..end]);
            if end == row.len() {
                return Some(fields);
            }
            at = end + 1;
        }
    }

    proptest::proptest! {
        #[test]
        fn rows_are_split_as_the_plain_way_does(row in "[a,\"\u{1}+-]{0,60}", wide in "[a-d]{0,70}(,\"[a,]{0,70}\"\"b\"){0,3},{0,2}") {
            for row in [row, wide] {
                let mut fields = [&b""[..]; 200];
                let found = split(row.as_bytes(), &mut fields);
                let plain = split_plainly(row.as_bytes());
                proptest::prop_assert_eq!(found, plain.as_ref().map(Vec::len));
                if let Some(plain) = plain {
                    proptest::prop_assert_eq!(&fields[..plain.len()], &plain[..]);
                }
            }
        }
    }
}
