//! The distinguished encoding rules (ITU-T X.690 section 10), as far as time stamps need them.
//!
//! A reader over borrowed bytes: every value is taken with the tag that must stand there. Tags of
//! more than one byte, indefinite lengths and lengths that could be written shorter are refused.

/// Tag of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Tag of INTEGER.
pub const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of NULL.
pub const NULL: u8 = 0x05;
/// Tag of OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// Tag of SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// Tag of SET and SET OF.
pub const SET: u8 = 0x31;
/// Tag of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Tag of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;

/// The constructed context tag `[n]`.
pub const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// Values one behind the other.
///
/// ```
/// use calproof::evidence::der::{Der, INTEGER, SEQUENCE};
///
/// let mut der = Der(&[0x30, 0x03, 0x02, 0x01, 0x05]);
/// let mut inner = Der(der.take(SEQUENCE).ok_or("no sequence")?);
/// assert_eq!(inner.take(INTEGER), Some(&[5][..]));
/// assert!(inner.is_empty() && der.is_empty());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Der<'a>(pub &'a [u8]);

/// One value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Value<'a> {
    /// Its tag, one byte.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// Tag, length and content.
    pub whole: &'a [u8],
}

impl<'a> Der<'a> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value, whatever it is; `None` where there is none or its length is wrong.
    pub fn value(&mut self) -> Option<Value<'a>> {
        let all = self.0;
        let (tag, rest) = all.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let length = if *first < 0x80 {
            usize::from(*first)
        } else {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            let length = digits.iter().take(5).fold(0_u64, |n, b| n << 8 | u64::from(*b));
            let shortest = digits.first().is_some_and(|b| *b != 0) && length >= 0x80;
            if digits.len() > 4 || !shortest {
                return None;
            }
            usize::try_from(length).ok()?
        };
        let (content, after) = rest.split_at_checked(length)?;
        // Tags of several bytes do not occur in time stamps.
        if tag & 0x1f == 0x1f {
            return None;
        }
        self.0 = after;
        Some(Value { tag: *tag, content, whole: &all[..all.len() - after.len()] })
    }

    /// The content of the next value, which must have this tag.
    pub fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let value = ahead.value().filter(|value| value.tag == tag)?;
        *self = ahead;
        Some(value.content)
    }

    /// All values that are left; `None` where one of them is wrong.
    pub fn all(mut self) -> Option<Vec<Value<'a>>> {
        let mut values = Vec::new();
        while !self.is_empty() {
            values.push(self.value()?);
        }
        Some(values)
    }
}

/// Writes one value.
pub fn put(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let digits = &length[length.iter().take_while(|b| **b == 0).count()..];
            // A length has eight digits at most.
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend_from_slice(digits);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// An object identifier in dotted form.
pub fn dotted(oid: &[u8]) -> Option<String> {
    let mut arcs = Vec::new();
    let mut arc = 0_u64;
    for (i, byte) in oid.iter().enumerate() {
        if arc == 0 && *byte == 0x80 {
            return None;
        }
        arc = arc.checked_mul(128)? | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arc -= 40 * first;
            }
            arcs.push(arc);
            arc = 0;
        } else if i + 1 == oid.len() {
            return None;
        }
    }
    let text: Vec<String> = arcs.iter().map(u64::to_string).collect();
    (!text.is_empty()).then(|| text.join("."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_the_shortest() {
        assert!(Der(&[0x04, 0x81, 0x01, 0x00]).value().is_none(), "one byte would do");
        assert!(Der(&[0x04, 0x80, 0x00, 0x00]).value().is_none(), "indefinite");
        assert!(Der(&[0x04, 0x02, 0x00]).value().is_none(), "cut");
        assert!(Der(&[0x1f, 0x00]).value().is_none(), "a long tag");
        assert!(Der(&[]).value().is_none());
    }

    #[test]
    fn identifiers_are_dotted() {
        // id-ct-TSTInfo, RFC 3161 section 2.4.2; and an arc above 2.39.
        let tst = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
        assert_eq!(dotted(&tst).unwrap(), "1.2.840.113549.1.9.16.1.4");
        assert_eq!(dotted(&[0x88, 0x37]).unwrap(), "2.999");
        assert!(dotted(&[]).is_none() && dotted(&[0x2a, 0x86]).is_none());
    }

    proptest! {
        #[test]
        fn what_is_put_is_taken(content in prop::collection::vec(any::<u8>(), 0..600)) {
            let bytes = put(OCTET_STRING, &content);
            let mut der = Der(&bytes);
            let value = der.value().unwrap();
            prop_assert_eq!((value.content, value.whole), (&content[..], &bytes[..]));
            prop_assert!(der.is_empty());
        }

        #[test]
        fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            _ = Der(&bytes).all();
            _ = dotted(&bytes);
        }
    }
}
