//! SIP URIs, name-addr values and their parameters (RFC 3261, sections 19.1 and 20.10).

use crate::bytes::same;
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
        let [tag, epid] = first_named(name.parameters, b';', [b"tag", b"epid"]);
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
    let mut start = 0;
    std::iter::from_fn(move || {
        let begin = start;
        if begin >= text.len() {
            return None;
        }
        let rest = &text[begin..];
        let named = rest.iter().position(|b| *b == b'=' || *b == separator || *b == b'"');
        let named = begin + named.unwrap_or(rest.len());
        let (equals, end) = match text.get(named) {
            Some(b'=') => (Some(named), value_end(text, named + 1, separator)),
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

/// Tells `seen` of the parameters of `text` that have one of `names`, in order: which name, and the value.
/// Names are in lower case and found in any; none begins with another one.
#[inline]
pub(super) fn each_named<'a, const N: usize>(
    text: &'a [u8],
    separator: u8,
    names: [&[u8]; N],
    mut seen: impl FnMut(usize, &'a [u8]),
) {
    let number_of = |name: &[u8]| names.iter().position(|n| name.eq_ignore_ascii_case(n));
    if text.len() < simd::BLOCK && memchr::memchr(b'"', text).is_none() {
        for part in text.split(|b| *b == separator) {
            let equals = part.iter().position(|b| *b == b'=').unwrap_or(part.len());
            let (name, value) = part.split_at(equals);
            if let Some(number) = number_of(name.trim_ascii()) {
                seen(number, value.get(1..).unwrap_or_default().trim_ascii());
            }
        }
        return;
    }
    let mut found = Found {
        text,
        names,
        open: None,
        values: [(0, 0, 0); MOST],
        count: 0,
        inside: 0,
        odd: false,
    };
    found.begin(0);
    simd::each_block(text, [separator, b'"', b'\\'], &mut found);
    found.end(text.len());
    if found.odd {
        for (name, value) in parameters(text, separator) {
            if let Some(number) = number_of(name) {
                seen(number, value);
            }
        }
        return;
    }
    for (number, start, end) in found.values.iter().take(found.count) {
        seen(*number, unquoted(text[*start..*end].trim_ascii()));
    }
}

/// The first value of each of `names`, as [`each_named`] finds them.
#[inline]
pub(super) fn first_named<'a, const N: usize>(
    text: &'a [u8],
    separator: u8,
    names: [&[u8]; N],
) -> [Option<&'a [u8]>; N] {
    let mut first = [None; N];
    each_named(text, separator, names, |number, value| {
        first[number] = first[number].or(Some(value));
    });
    first
}

/// Values that are noted.
const MOST: usize = 6;

/// The parameters that are looked for in a text, as far as it was looked at.
struct Found<'a, 'n, const N: usize> {
    text: &'a [u8],
    names: [&'n [u8]; N],
    /// The parameter at hand, where it is one of them: the number of its name, and where its value begins.
    open: Option<(usize, usize)>,
    /// Numbers of names, and where their values begin and end.
    values: [(usize, usize, usize); MOST],
    count: usize,
    /// All bits set where a quoted string is open.
    inside: u64,
    /// There is something that is better read byte by byte.
    odd: bool,
}

impl<const N: usize> Found<'_, '_, N> {
    /// A parameter begins at `at`.
    #[inline(always)]
    fn begin(&mut self, mut at: usize) {
        while self.text.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else { return };
        for (number, name) in self.names.iter().enumerate() {
            if name.first() != Some(&(first | 0x20)) {
                continue;
            }
            let Some((head, behind)) = rest.split_at_checked(name.len()) else { continue };
            if !same(head, name) && !head.eq_ignore_ascii_case(name) {
                continue;
            }
            // Blanks, or a longer name.
            self.odd |= behind.first() != Some(&b'=');
            self.open = Some((number, at + name.len() + 1));
        }
    }

    /// The parameter ends at `at`.
    #[inline(always)]
    fn end(&mut self, at: usize) {
        let Some((number, start)) = self.open.take() else { return };
        match self.values.get_mut(self.count) {
            Some(value) => *value = (number, start, at),
            None => self.odd = true,
        }
        self.count += 1;
    }
}

impl<const N: usize> simd::Blocks<3> for Found<'_, '_, N> {
    #[inline(always)]
    fn block(
        &mut self,
        at: usize,
        [separators, quotes, backslashes]: [u64; 3],
        _: impl simd::Note,
    ) {
        let inside = parity(quotes) ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        self.odd |= backslashes != 0;
        for end in simd::bits(separators & !inside) {
            self.end(at + end);
            self.begin(at + end + 1);
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
    let scheme = uri[..at].iter().position(|b| *b == b':').map_or(0, |i| i + 1);
    let host = &uri[at + 1..];
    let host = match host.strip_prefix(b"[") {
        Some(v6) => memchr::memchr(b']', v6).map_or(host.len(), |i| i + 2),
        None => memchr::memchr3(b';', b'?', b':', host).unwrap_or(host.len()),
    };
    if scheme == at || host == 0 { b"" } else { uri[..at + 1 + host].trim_ascii() }
}

/// Whether a URI is a telephone number, `tel:` or `;user=phone`, and its `opaque` parameter; empty where
/// there is none.
pub(super) fn telephone_and_opaque(uri: &[u8]) -> (bool, &[u8]) {
    if memchr::memchr(b';', uri).is_none() {
        return (starts_with_ignore_case(uri, b"tel:"), b"");
    }
    let [user, opaque] = first_named(uri_parameters(uri), b';', [b"user", b"opaque"]);
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
        fn named_parameters_are_among_all(short in "[ab;=\"\\\\ ]{0,40}", long in "( ?(ab|AB|b|Bb|bb)( ?=(\"[ab;=]{0,30}\"|[ab]{0,9})[\"\\\\]?)?; ?){0,30}", quoted in "( ?(ab|AB|b|Bb|bb|c)[\"=]{0,2}[ab;=]{0,3}\"?; ?){20,24}") {
          for text in [short.as_bytes(), long.as_bytes(), quoted.as_bytes()] {
            let names = [&b"ab"[..], b"bb"];
            let number = |name: &[u8]| names.iter().position(|n| n.eq_ignore_ascii_case(name));
            let plain: Vec<_> =
                parameters(text, b';').filter_map(|(n, value)| Some((number(n)?, value))).collect();
            let mut named = Vec::new();
            each_named(text, b';', names, |number, value| named.push((number, value)));
            proptest::prop_assert_eq!(named, plain);
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
