//! The directive lines that begin a W3C or Exchange log.

use nom::bytes::complete::{tag, take_till, take_till1};
use nom::character::complete::space0;
use nom::combinator::{all_consuming, rest};
use nom::multi::separated_list1;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// A directive line: its name and its value without blanks around it.
///
/// ```
/// use calproof_parsers::directive::directive;
/// assert_eq!(directive(b"#Date: 2010-03-01 00:00:00 "), Some((&b"Date"[..], &b"2010-03-01 00:00:00"[..])));
/// assert_eq!(directive(b"# just a remark"), None);
/// ```
pub fn directive(line: &[u8]) -> Option<(&[u8], &[u8])> {
    fn grammar(line: &[u8]) -> IResult<&[u8], (&[u8], &[u8])> {
        let name = take_till1(|b: u8| b == b':' || b == b' ');
        let name = preceded(tag("#"), terminated(name, tag(":")));
        (name, preceded(space0, rest)).parse(line)
    }
    grammar(line).ok().map(|(_, (name, value))| (name, value.trim_ascii_end()))
}

/// The field names of a `#Fields:` value that separates them by blanks; `None` where there is none.
///
/// ```
/// use calproof_parsers::directive::blank_separated;
/// assert_eq!(blank_separated(b"date  time\tc-ip ").unwrap().len(), 3);
/// assert_eq!(blank_separated(b"  "), None);
/// ```
pub fn blank_separated(value: &[u8]) -> Option<Vec<&[u8]>> {
    // Every file has such a line: room for the names of a usual one is made at once.
    let mut names = Vec::with_capacity(24);
    let mut at = 0;
    for end in memchr::memchr2_iter(b' ', b'\t', value).chain([value.len()]) {
        if at < end {
            names.push(&value[at..end]);
        }
        at = end + 1;
    }
    (!names.is_empty()).then_some(names)
}

/// The field names of a `#Fields:` value that separates them by commas; `None` where there is none.
pub fn comma_separated(value: &[u8]) -> Option<Vec<&[u8]>> {
    fn grammar(input: &[u8]) -> IResult<&[u8], Vec<&[u8]>> {
        all_consuming(separated_list1(tag(","), take_till(|b: u8| b == b','))).parse(input)
    }
    let (_, names) = grammar(value.trim_ascii()).ok()?;
    let names: Vec<&[u8]> = names.into_iter().map(<[u8]>::trim_ascii).collect();
    (!names.iter().all(|n| n.is_empty())).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nom::sequence::delimited;
    use proptest::prelude::*;

    /// The grammar of a `#Fields:` value, rule by rule.
    fn by_grammar(value: &[u8]) -> Option<Vec<&[u8]>> {
        fn blank(input: &[u8]) -> IResult<&[u8], &[u8]> {
            take_till1(|b: u8| b != b' ' && b != b'\t').parse(input)
        }
        fn grammar(input: &[u8]) -> IResult<&[u8], Vec<&[u8]>> {
            let name = take_till1(|b: u8| b == b' ' || b == b'\t');
            let names = delimited(space0, separated_list1(blank, name), space0);
            all_consuming(names).parse(input)
        }
        grammar(value).ok().map(|(_, names)| names)
    }

    proptest! {
        #[test]
        fn names_are_what_stands_between_blanks(value in "[ \ta-c\\n\\r\0,]{0,40}") {
            prop_assert_eq!(blank_separated(value.as_bytes()), by_grammar(value.as_bytes()));
        }
    }
}
