//! SIP URIs, name-addr values and their parameters (RFC 3261, sections 19.1 and 20.10).

use crate::csv::parity;
use crate::service::{ends_with_ignore_case, starts_with_ignore_case};
use crate::simd;

/// A `From`, `To` or `Contact` value taken apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NameAddr<'a> {
    /// The URI with its own parameters.
    pub uri: &'a [u8],
    /// The parameters of the header, behind the URI: `;tag=…;epid=…`.
    pub parameters: &'a [u8],
}

impl<'a> NameAddr<'a> {
    /// Takes a header value apart: `"Name" <uri>;parameters` or `uri;parameters`.
    ///
    /// Cannot fail: what has no URI gives an empty one.
    ///
    /// ```
    /// use calproof_parsers::sip::NameAddr;
    /// let from = NameAddr::parse(b"\"a <sip:x@y>;tag=0\" <sip:anna@contoso.com>;tag=1;epid=2");
    /// assert_eq!(from.address_of_record(), b"sip:anna@contoso.com");
    /// assert_eq!(from.parameter(b"tag"), Some(&b"1"[..]));
    /// ```
    pub fn parse(value: &'a [u8]) -> NameAddr<'a> {
        let value = value.trim_ascii();
        let mut at = 0;
        if let Some(bracketed) = bracketed(value) {
            return bracketed;
        }
        while let Some(i) = memchr::memchr3(b'"', b'<', b';', &value[at..]) {
            match value[at + i] {
                b'"' => at = quoted_end(value, at + i + 1),
                b'<' => return bracketed(&value[at + i..]).unwrap_or_default(),
                _ => {
                    let (uri, parameters) = value.split_at(at + i);
                    return NameAddr { uri: uri.trim_ascii(), parameters };
                }
            }
        }
        NameAddr { uri: value, parameters: b"" }
    }

    /// A parameter of the header, without quotes.
    pub fn parameter(&self, name: &[u8]) -> Option<&'a [u8]> {
        parameter(self.parameters, b';', name)
    }

    /// Scheme, user and host of the URI: `sip:anna@contoso.com`; empty where it names no user.
    pub fn address_of_record(&self) -> &'a [u8] {
        address_of_record(self.uri)
    }

    /// A parameter of the URI, without quotes.
    pub fn uri_parameter(&self, name: &[u8]) -> Option<&'a [u8]> {
        parameter(uri_parameters(self.uri), b';', name)
    }

    /// Whether the URI is a telephone number.
    pub fn is_telephone(&self) -> bool {
        is_telephone(self.uri)
    }
}

/// What a `From` value says of the sender.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sender<'a> {
    /// The URI with its own parameters.
    pub uri: &'a [u8],
    /// Scheme, user and host of the URI; empty where it names no user.
    pub address: &'a [u8],
    /// `tag`; empty where there is none.
    pub tag: &'a [u8],
    /// `epid`; empty where there is none.
    pub epid: &'a [u8],
    /// The URI is a telephone number.
    pub is_telephone: bool,
    /// The URI's `opaque` is that of an application, a conference or a server.
    pub is_application: bool,
    /// The address is one of `anonymous.invalid`.
    pub is_anonymous: bool,
}

impl<'a> Sender<'a> {
    /// Takes a header value apart.
    ///
    /// ```
    /// use calproof_parsers::sip::Sender;
    /// let from = Sender::parse(b"<sip:anna@contoso.com>;tag=1;epid=2");
    /// assert_eq!((from.address, from.tag), (&b"sip:anna@contoso.com"[..], &b"1"[..]));
    /// ```
    pub fn parse(value: &'a [u8]) -> Sender<'a> {
        let name = NameAddr::parse(value);
        let address = name.address_of_record();
        let (is_telephone, opaque) = telephone_and_opaque(name.uri);
        let (mut tag, mut epid) = (None, None);
        each_likely(name.parameters, b';', [b't', b'e'], |name, value| {
            if name.eq_ignore_ascii_case(b"tag") {
                tag = tag.or(Some(value));
            } else if name.eq_ignore_ascii_case(b"epid") {
                epid = epid.or(Some(value));
            }
        });
        Sender {
            uri: name.uri,
            address,
            tag: tag.unwrap_or_default(),
            epid: epid.unwrap_or_default(),
            is_telephone,
            is_application: starts_with_ignore_case(opaque, b"app:")
                || starts_with_ignore_case(opaque, b"srvr:"),
            is_anonymous: ends_with_ignore_case(address, b"@anonymous.invalid"),
        }
    }
}

/// Takes `<uri>;parameters` apart; `None` where the text begins otherwise.
#[inline]
fn bracketed(text: &[u8]) -> Option<NameAddr<'_>> {
    let inner = text.strip_prefix(b"<")?;
    let close = memchr::memchr(b'>', inner).unwrap_or(inner.len());
    let rest = inner.get(close + 1..).unwrap_or_default();
    Some(NameAddr { uri: inner[..close].trim_ascii(), parameters: rest })
}

/// Behind the quote that closes a quoted string whose inside begins at `at`.
fn quoted_end(text: &[u8], mut at: usize) -> usize {
    while let Some(i) = memchr::memchr2(b'"', b'\\', &text[at.min(text.len())..]) {
        if text[at + i] == b'"' {
            return at + i + 1;
        }
        at += i + 2;
    }
    text.len()
}

/// The parameters of `text`, which stand apart by `separator` outside of quotes: names and values,
/// the latter without their own quotes, and empty where a parameter has none.
pub(super) fn parameters(text: &[u8], separator: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
    let ends = Ends::of(text, separator);
    let (mut start, mut number) = (0, 0);
    std::iter::from_fn(move || {
        let begin = start;
        if begin >= text.len() {
            return None;
        }
        let known = ends.as_ref().map(|ends| ends.end(number, text));
        number += 1;
        let rest = &text[begin..];
        let named = rest.iter().position(|b| *b == b'=' || *b == separator || *b == b'"');
        let named = begin + named.unwrap_or(rest.len());
        let (equals, end) = match text.get(named) {
            Some(b'=') => {
                let end = known.unwrap_or_else(|| value_end(text, named + 1, separator));
                (Some(named), end)
            }
            Some(b'"') => after_quote(text, named, separator),
            _ => (None, named),
        };
        start = end + 1;
        Some(match equals {
            Some(at) => (text[begin..at].trim_ascii(), unquoted(text[at + 1..end].trim_ascii())),
            None => (text[begin..end].trim_ascii(), &b""[..]),
        })
    })
}

/// Tells `seen` of the parameters of `text`, in order, of which it may leave out those whose names begin
/// with none of the `letters`: in lower case, which stand for either.
#[inline]
pub(super) fn each_likely<'a, const N: usize>(
    text: &'a [u8],
    separator: u8,
    letters: [u8; N],
    mut seen: impl FnMut(&'a [u8], &'a [u8]),
) {
    let Some(ends) = Ends::of(text, separator) else {
        return parameters(text, separator).for_each(|(name, value)| seen(name, value));
    };
    let mut rest = text;
    let mut begin = 0;
    for number in 0..=ends.count {
        let end = ends.end(number, text);
        let (part, behind) = rest.split_at(rest.len().min(end - begin));
        (rest, begin) = (behind.get(1..).unwrap_or_default(), end + 1);
        let part = part.trim_ascii_start();
        let Some(first) = part.first() else { continue };
        if letters.contains(&(first | 0x20)) {
            let (name, value) = taken_apart(part, separator);
            seen(name, value);
        }
    }
}

/// Name and value of the one parameter in `part`.
#[inline]
fn taken_apart(part: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let equals = match part.iter().position(|b| matches!(b, b'=' | b'"')) {
        Some(at) if part[at] == b'"' => after_quote(part, at, separator).0,
        equals => equals,
    };
    match equals {
        Some(at) => (part[..at].trim_ascii(), unquoted(part[at + 1..].trim_ascii())),
        None => (part.trim_ascii(), b""),
    }
}

/// Where the parameters of a long text end, found at one go.
struct Ends {
    /// Offsets of the separators outside of quotes.
    at: [u16; MOST_PARAMETERS],
    count: usize,
    /// All bits set where a quoted string is open.
    inside: u64,
    /// A backslash stands somewhere, or there are too many separators.
    odd: bool,
}

/// The least length of a long text.
const LONG: usize = 20;
/// Separators that are noted; credentials have seven or eight.
const MOST_PARAMETERS: usize = 24;

impl Ends {
    /// `None` where `text` is short, or is better read byte by byte.
    fn of(text: &[u8], separator: u8) -> Option<Ends> {
        if !(LONG..=usize::from(u16::MAX)).contains(&text.len()) {
            return None;
        }
        let mut ends = Ends { at: [0; MOST_PARAMETERS], count: 0, inside: 0, odd: false };
        simd::each_block(text, [separator, b'"', b'\\'], &mut ends);
        (!ends.odd).then_some(ends)
    }

    /// Where the parameter of this number ends, from 0.
    fn end(&self, number: usize, text: &[u8]) -> usize {
        match self.at[..self.count].get(number) {
            Some(end) => usize::from(*end),
            None => text.len(),
        }
    }
}

impl simd::Blocks<3> for Ends {
    #[inline(always)]
    fn block(&mut self, at: usize, [separators, quotes, backslashes]: [u64; 3]) {
        let inside = parity(quotes) ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        self.odd |= backslashes != 0;
        for end in simd::bits(separators & !inside) {
            match self.at.get_mut(self.count) {
                Some(place) => *place = (at + end) as u16,
                None => return self.odd = true,
            }
            self.count += 1;
        }
    }
}

/// Where the value that begins at `at` ends.
fn value_end(text: &[u8], mut at: usize, separator: u8) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(stop) = rest.iter().position(|b| *b == separator || *b == b'"') else {
            return text.len();
        };
        at += stop;
        if text[at] == separator {
            return at;
        }
        at = quoted_end(text, at + 1);
    }
}

/// Where the `=` of a parameter is and where it ends; from `at` on, before which there is no `=`.
fn after_quote(text: &[u8], at: usize, separator: u8) -> (Option<usize>, usize) {
    let (mut equals, mut end) = (None, at);
    while let Some(byte) = text.get(end) {
        if *byte == separator {
            break;
        }
        if *byte == b'=' && equals.is_none() {
            equals = Some(end);
        }
        end = if *byte == b'"' { quoted_end(text, end + 1) } else { end + 1 };
    }
    (equals, end)
}

/// The value of the first parameter of that name, compared without case.
pub(super) fn parameter<'a>(text: &'a [u8], separator: u8, name: &[u8]) -> Option<&'a [u8]> {
    parameters(text, separator).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").map_or(value, |v| v.strip_suffix(b"\"").unwrap_or(v))
}

/// Where the user of a URI ends: the offset of its `@`, of which there is one. A `;` may stand in
/// the user part.
fn user_end(uri: &[u8]) -> Option<usize> {
    memchr::memchr(b'@', uri)
}

fn uri_parameters(uri: &[u8]) -> &[u8] {
    let host = user_end(uri).map_or(0, |i| i + 1);
    let rest = &uri[host..];
    memchr::memchr(b';', rest).map_or(b"", |i| &rest[i + 1..])
}

/// Scheme, user and host, without port, parameters and headers.
pub(super) fn address_of_record(uri: &[u8]) -> &[u8] {
    if starts_with_ignore_case(uri, b"tel:") {
        return &uri[..memchr::memchr(b';', uri).unwrap_or(uri.len())];
    }
    let Some(at) = user_end(uri) else { return b"" };
    let scheme = memchr::memchr(b':', &uri[..at]).map_or(0, |i| i + 1);
    let host = &uri[at + 1..];
    let host = match host.strip_prefix(b"[") {
        Some(v6) => memchr::memchr(b']', v6).map_or(host.len(), |i| i + 2),
        None => memchr::memchr3(b';', b'?', b':', host).unwrap_or(host.len()),
    };
    if scheme == at || host == 0 { b"" } else { uri[..at + 1 + host].trim_ascii() }
}

/// Whether a URI is a telephone number: `tel:` or `;user=phone`.
pub(super) fn is_telephone(uri: &[u8]) -> bool {
    telephone_and_opaque(uri).0
}

/// Whether a URI is a telephone number, and its `opaque` parameter; empty where there is none.
pub(super) fn telephone_and_opaque(uri: &[u8]) -> (bool, &[u8]) {
    if memchr::memchr(b';', uri).is_none() {
        return (starts_with_ignore_case(uri, b"tel:"), b"");
    }
    let (mut user, mut opaque) = (None, None);
    for (name, value) in parameters(uri_parameters(uri), b';') {
        if name.eq_ignore_ascii_case(b"user") {
            user = user.or(Some(value));
        } else if name.eq_ignore_ascii_case(b"opaque") {
            opaque = opaque.or(Some(value));
        }
    }
    let phone = user.is_some_and(|user| user.eq_ignore_ascii_case(b"phone"));
    (phone || starts_with_ignore_case(uri, b"tel:"), opaque.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]
    use super::*;

    #[test]
    fn addresses_of_record() {
        let cases: &[(&str, &str)] = &[
            ("sip:anna@contoso.com", "sip:anna@contoso.com"),
            ("sip:anna@contoso.com:5061;transport=tls", "sip:anna@contoso.com"),
            ("sip:anna@contoso.com;opaque=user:epid:x@y;gruu", "sip:anna@contoso.com"),
            ("sip:+493012@contoso.com;user=phone", "sip:+493012@contoso.com"),
            ("sip:12;phone-context=x@contoso.com;user=phone", "sip:12;phone-context=x@contoso.com"),
            ("sip:anna@[2001:db8::1]:5061", "sip:anna@[2001:db8::1]"),
            ("tel:+493012;ext=3", "tel:+493012"),
            ("sip:contoso.com", ""),
            ("sip:@contoso.com", ""),
            ("sip:anna@", ""),
            ("", ""),
        ];
        for (uri, expected) in cases {
            assert_eq!(address_of_record(uri.as_bytes()), expected.as_bytes(), "{uri}");
        }
    }

    #[test]
    fn a_display_name_cannot_pose_as_an_address() {
        let from = NameAddr::parse(br#""x\" <sip:evil@x>" <sip:anna@contoso.com;user=ip>;tag=a;b"#);
        assert_eq!(from.address_of_record(), b"sip:anna@contoso.com");
        assert_eq!(from.parameter(b"tag"), Some(&b"a"[..]));
        assert_eq!(from.parameter(b"b"), Some(&b""[..]));
        assert_eq!(from.parameter(b"ta"), None);
        assert_eq!(from.uri_parameter(b"user"), Some(&b"ip"[..]));
        let bare = NameAddr::parse(b"sip:anna@contoso.com;tag=7");
        assert_eq!(
            (bare.uri, bare.parameter(b"TAG").unwrap()),
            (&b"sip:anna@contoso.com"[..], &b"7"[..])
        );
    }

    #[test]
    fn separators_inside_quotes_do_not_separate() {
        let text = br#"NTLM realm="a, response=b", response="c", opaque="#;
        assert_eq!(parameter(&text[5..], b',', b"response"), Some(&b"c"[..]));
        assert_eq!(parameter(&text[5..], b',', b"opaque"), Some(&b""[..]));
        assert_eq!(parameter(b"a=\"never closed; b=1", b';', b"b"), None);
    }

    proptest::proptest! {
        #[test]
        fn parameters_are_those_of_the_plain_way(short in "[ab;=\"\\\\ ]{0,40}", long in "([ab]{0,9}=(\"[ab;=]{0,30}\"|[ab]{0,9})[\"\\\\]?; ?){0,30}") {
          for text in [short.as_bytes(), long.as_bytes()] {
            let mut plain = Vec::new();
            let mut begin = 0;
            while begin < text.len() {
                let (equals, end) = after_quote(text, begin, b';');
                plain.push(match equals {
                    Some(at) => {
                        (text[begin..at].trim_ascii(), unquoted(text[at + 1..end].trim_ascii()))
                    }
                    None => (text[begin..end].trim_ascii(), &b""[..]),
                });
                begin = end + 1;
            }
            proptest::prop_assert_eq!(parameters(text, b';').collect::<Vec<_>>(), plain);
          }
        }

        #[test]
        fn likely_parameters_are_among_all(short in "[ab;=\"\\\\ ]{0,40}", long in "( ?[abAB]{0,9}=(\"[ab;=]{0,30}\"|[ab]{0,9})[\"\\\\]?; ?){0,30}", quoted in "( ?[abAB]{0,3}[\"=]{0,2}[ab;=]{0,3}\"?; ?){20,24}") {
          for text in [short.as_bytes(), long.as_bytes(), quoted.as_bytes()] {
            let begins = |name: &[u8]| name.first().is_some_and(|b| b | 0x20 == b'b');
            let plain: Vec<_> = parameters(text, b';').filter(|(name, _)| begins(name)).collect();
            let mut likely = Vec::new();
            each_likely(text, b';', [b'b'], |name, value| {
                if begins(name) {
                    likely.push((name, value));
                }
            });
            proptest::prop_assert_eq!(likely, plain);
          }
        }

        #[test]
        fn one_pass_finds_what_two_do(uri in "(tel:)?[a@]{0,2}(;(user|USER|opaque|x)=(phone|\"?Phone\"?|app)){0,4}") {
            let uri = uri.as_bytes();
            let of = |name: &[u8]| parameter(uri_parameters(uri), b';', name).unwrap_or_default();
            let phone = uri.starts_with(b"tel:") || of(b"user").eq_ignore_ascii_case(b"phone");
            proptest::prop_assert_eq!(telephone_and_opaque(uri), (phone, of(b"opaque")));
        }
    }
}
