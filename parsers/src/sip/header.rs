//! Reading one header into a message.

use super::uri::{each_named, first_named, parameter};
use super::{
    GssapiData, Method, Modalities, NameAddr, Schemes, Sender, SipMessage, StartLine, uri,
};
use crate::bytes::same;
use crate::service::starts_with_ignore_case;
use crate::time;

/// The headers that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the protocol")]
pub enum HeaderName {
    AssertedIdentity,
    AuthenticationInfo,
    CallId,
    /// `WWW-Authenticate` and `Proxy-Authenticate`.
    Challenge,
    Contact,
    /// `Authorization` and `Proxy-Authorization`.
    Credentials,
    CSeq,
    EdgeTrust,
    Expires,
    From,
    /// Not of the protocol: what the trace writes before the body.
    MessageBody,
    Server,
    To,
    UserAgent,
}

impl HeaderName {
    /// The name that a header line begins with, and the offset of what follows its colon; `None`
    /// where the header is none that is read. Names are compared without case.
    ///
    /// `UserAgent` stands so in vendor documentation; the one-letter names are those of RFC 3261,
    /// section 7.3.3.
    #[inline]
    pub fn of_line(line: &[u8]) -> Option<(HeaderName, usize)> {
        use HeaderName as Name;
        // Four letters tell nearly always that it is none of them, or which one it can be.
        match &lower_case(line) {
            b"auth" => named(line, b"Authorization", Name::Credentials)
                .or_else(|| named(line, b"Authentication-Info", Name::AuthenticationInfo)),
            b"call" => named(line, b"Call-ID", Name::CallId),
            b"cont" => named(line, b"Contact", Name::Contact),
            b"cseq" => named(line, b"CSeq", Name::CSeq),
            b"expi" => named(line, b"Expires", Name::Expires),
            b"from" => named(line, b"From", Name::From),
            b"mess" => named(line, b"Message-Body", Name::MessageBody),
            b"ms-e" => named(line, b"ms-edge-proxy-message-trust", Name::EdgeTrust),
            b"p-as" => named(line, b"P-Asserted-Identity", Name::AssertedIdentity),
            b"prox" => named(line, b"Proxy-Authorization", Name::Credentials)
                .or_else(|| named(line, b"Proxy-Authentication-Info", Name::AuthenticationInfo))
                .or_else(|| named(line, b"Proxy-Authenticate", Name::Challenge)),
            b"serv" => named(line, b"Server", Name::Server),
            b"user" => named(line, b"User-Agent", Name::UserAgent)
                .or_else(|| named(line, b"UserAgent", Name::UserAgent)),
            b"www-" => named(line, b"WWW-Authenticate", Name::Challenge),
            [b't', b'o', ..] => named(line, b"To", Name::To),
            [b'f', ..] => named(line, b"f", Name::From),
            [b'i', ..] => named(line, b"i", Name::CallId),
            [b'm', ..] => named(line, b"m", Name::Contact),
            [b't', ..] => named(line, b"t", Name::To),
            _ => None,
        }
    }
}

/// `name`, and where its value begins, if the line begins with `known` and a colon.
#[inline(always)]
fn named<const N: usize>(
    line: &[u8],
    known: &[u8; N],
    name: HeaderName,
) -> Option<(HeaderName, usize)> {
    let (head, [next, ..]) = line.split_first_chunk::<N>()? else { return None };
    match next {
        b':' if head == known => Some((name, N + 1)),
        b':' | b' ' | b'\t' => oddly_named(line, known, name),
        _ => None,
    }
}

/// The same where the name is in another case, or blanks stand before the colon.
#[cold]
fn oddly_named(line: &[u8], known: &[u8], name: HeaderName) -> Option<(HeaderName, usize)> {
    let rest = line.get(known.len()..)?;
    let blanks = rest.iter().position(|b| !matches!(b, b' ' | b'\t'))?;
    let is_known = starts_with_ignore_case(line, known) && rest[blanks] == b':';
    is_known.then_some((name, known.len() + blanks + 1))
}

impl<'a> SipMessage<'a> {
    /// Takes the request or status line; leaves [`StartLine::None`] where it is neither.
    pub fn read_start_line(&mut self, line: &'a [u8]) {
        if let [b'S', b'I', b'P', b'/', b'2', b'.', b'0', b' ', a, b, c, b' ', ..] = line {
            if let Some(status @ 100..=699) = time::number(&[*a, *b, *c]) {
                self.start = StartLine::Response(status);
            }
            return;
        }
        if let Some(asked) = line.strip_suffix(b" SIP/2.0")
            && let Some(at @ 1..) = asked.iter().position(|b| *b == b' ')
            && !starts_with_ignore_case(asked, b"SIP/")
            && let uri = &asked[at + 1..]
            && !uri.is_empty()
            && memchr::memchr(b' ', uri).is_none()
        {
            self.start = StartLine::Request(uri);
            return;
        }
        let mut rest = line;
        let mut word = || {
            let begin = rest.iter().position(|b| *b != b' ')?;
            let (word, behind) = word_of(&rest[begin..]);
            rest = behind;
            Some(word)
        };
        let (Some(first), Some(second)) = (word(), word()) else { return };
        if starts_with_ignore_case(first, b"SIP/") {
            if let Some(status @ 100..=699) = time::number(second) {
                self.start = StartLine::Response(status);
            }
        } else if word().is_some_and(|w| starts_with_ignore_case(w, b"SIP/")) {
            self.start = StartLine::Request(second);
        }
    }

    /// Takes the way the message went: `incoming;source="internal edge";destination="…"`.
    pub fn read_direction(&mut self, value: &[u8]) {
        use super::Direction::{Incoming, Outgoing};
        (self.local, self.external) = (false, false);
        match value {
            b"incoming" => return self.direction = Incoming,
            b"outgoing" => return self.direction = Outgoing,
            b"outgoing;source=\"local\"" => {
                (self.direction, self.local) = (Outgoing, true);
                return;
            }
            _ if starts_with_ignore_case(value, b"incoming") => self.direction = Incoming,
            _ if starts_with_ignore_case(value, b"outgoing") => self.direction = Outgoing,
            _ => {}
        }
        let source = match memchr::memchr(b';', value) {
            Some(_) => parameter(value, b';', b"source").unwrap_or_default(),
            None => b"",
        };
        self.local = source.eq_ignore_ascii_case(b"local");
        self.external = source.eq_ignore_ascii_case(b"external edge");
    }

    /// Takes the value of one SIP header, without blanks around it; the start line comes first.
    pub fn read_header(&mut self, name: HeaderName, value: &'a [u8]) {
        match name {
            HeaderName::To if self.to.uri.is_empty() => self.to = NameAddr::parse(value),
            HeaderName::From if self.from.uri.is_empty() => self.from = Sender::parse(value),
            HeaderName::CSeq if self.cseq.is_none() => self.cseq = cseq(value),
            HeaderName::Server if self.rtc.is_none() => self.rtc = rtc(value),
            HeaderName::CallId if self.call_id.is_empty() => self.call_id = value,
            HeaderName::UserAgent if self.user_agent.is_empty() => self.user_agent = value,
            HeaderName::Expires => self.expires_zero |= time::number(value) == Some(0),
            HeaderName::Contact => self.contact(value),
            HeaderName::Credentials => self.credentials(value),
            HeaderName::Challenge => self.challenge(value),
            HeaderName::AuthenticationInfo => self.authenticated(value),
            HeaderName::AssertedIdentity => self.asserted(value),
            HeaderName::EdgeTrust => self.edge_trust(value),
            _ => {}
        }
    }

    /// A response may list contacts of other endpoints too; several tell nothing about this one.
    fn contact(&mut self, value: &'a [u8]) {
        let contact = NameAddr::parse(value);
        let [expires, instance] = first_named(contact.parameters, b';', [b"expires", INSTANCE]);
        if self.is_request() && expires == Some(b"0") {
            self.expires_zero = true;
        }
        let Some(instance) = instance else { return };
        let several = memchr::memchr_iter(INSTANCE[0], value)
            .filter(|at| value[*at..].starts_with(INSTANCE))
            .nth(1)
            .is_some();
        if several || (!self.instance.is_empty() && self.instance != bare_instance(instance)) {
            // A value that is no instance, so that a third contact does not count either.
            self.instance = AMBIGUOUS;
        } else {
            self.instance = bare_instance(instance);
        }
    }

    fn credentials(&mut self, value: &'a [u8]) {
        let (scheme, rest) = scheme(value);
        let (mut gssapi, mut signed) = (&b""[..], false);
        let names = [&b"gssapi-data"[..], b"response", b"targetname"];
        each_named(rest, b',', names, |number, value| match number {
            0 => gssapi = value,
            1 => signed = !value.is_empty(),
            _ if self.claimed_target.is_empty() => self.claimed_target = host_of(value),
            _ => {}
        });
        let last_leg = match scheme {
            Schemes::NTLM => gssapi.starts_with(NTLM_TYPE_3),
            _ => !gssapi.is_empty(),
        };
        self.authorization |= scheme;
        self.proof |= Schemes::OF_ACCOUNTS.has_any(scheme) && (signed || last_leg);
        if !gssapi.is_empty() {
            self.gssapi = GssapiData(gssapi);
        }
    }

    fn challenge(&mut self, value: &'a [u8]) {
        self.read_target(scheme(value).1);
    }

    fn authenticated(&mut self, value: &'a [u8]) {
        let (scheme, rest) = scheme(value);
        self.authentication_info |= scheme;
        self.read_target(rest);
    }

    fn read_target(&mut self, parameters: &'a [u8]) {
        if self.target.is_empty() {
            let [target] = first_named(parameters, b',', [b"targetname"]);
            self.target = host_of(target.unwrap_or_default());
        }
    }

    fn asserted(&mut self, value: &'a [u8]) {
        let identity = NameAddr::parse(value).address_of_record();
        let telephone = |i: &[u8]| starts_with_ignore_case(i, b"tel:");
        if self.asserted_identity.is_empty() || telephone(self.asserted_identity) {
            self.asserted_identity = identity;
        }
    }

    fn edge_trust(&mut self, value: &'a [u8]) {
        let part = |name: &[u8]| parameter(value, b';', name).unwrap_or_default();
        self.trust_source = part(b"ms-source-type");
        self.trust_network = part(b"ms-source-network");
    }

    /// Whether the message's `+sip.instance` tells one endpoint.
    pub fn has_instance(&self) -> bool {
        !self.instance.is_empty() && self.instance != AMBIGUOUS
    }

    /// What the URIs of a request are about; call after the headers.
    pub fn read_uris(&mut self) {
        self.read_uris_by(Modalities::of_uri);
    }

    /// The same, where `about` says what a URI is about.
    pub(crate) fn read_uris_by(&mut self, mut about: impl FnMut(&'a [u8]) -> Modalities) {
        let StartLine::Request(request) = self.start else { return };
        self.modalities |= about(request);
        if !same(request, self.to.uri) {
            self.modalities |= about(self.to.uri);
        }
    }
}

impl Modalities {
    /// What a request to the URI is about.
    pub(crate) fn of_uri(uri: &[u8]) -> Modalities {
        let mut about = Modalities::NONE;
        let (telephone, opaque) = uri::telephone_and_opaque(uri);
        if telephone {
            about |= Modalities::TELEPHONE;
        }
        if starts_with_ignore_case(opaque, b"app:conf:")
            && !starts_with_ignore_case(opaque, b"app:conf:focusfactory")
        {
            about |= Modalities::CONFERENCE_JOIN;
        }
        about
    }
}

/// The first four bytes: letters in lower case, others as they are or changed; blanks behind the end.
#[inline]
fn lower_case(line: &[u8]) -> [u8; 4] {
    let bytes = line
        .first_chunk()
        .copied()
        .unwrap_or_else(|| std::array::from_fn(|at| line.get(at).copied().unwrap_or_default()));
    (u32::from_ne_bytes(bytes) | 0x2020_2020).to_ne_bytes()
}

/// The parameter of a contact that tells the endpoint.
const INSTANCE: &[u8] = b"+sip.instance";

/// The first bytes of an NTLM type-3 message (`NTLMSSP\0`, 3) in base64.
const NTLM_TYPE_3: &[u8] = b"TlRMTVNTUAAD";

/// No UUID looks like this.
const AMBIGUOUS: &[u8] = b"?";

/// `<urn:uuid:X>` without what surrounds the X.
fn bare_instance(value: &[u8]) -> &[u8] {
    let value = value.strip_prefix(b"<").map_or(value, |v| v.strip_suffix(b">").unwrap_or(v));
    match value.strip_prefix(b"urn:uuid:") {
        Some(uuid) => uuid,
        None if starts_with_ignore_case(value, b"urn:uuid:") => &value[9..],
        None => value,
    }
}

/// What stands before the first blank, and the rest.
fn word_of(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(memchr::memchr(b' ', text).unwrap_or(text.len()))
}

/// The scheme of an authentication header, and what follows it.
fn scheme(value: &[u8]) -> (Schemes, &[u8]) {
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (name, rest) = value.split_at(end);
    match name {
        b"NTLM" => return (Schemes::NTLM, rest),
        b"Kerberos" => return (Schemes::KERBEROS, rest),
        b"TLS-DSK" => return (Schemes::TLS_DSK, rest),
        _ => {}
    }
    let known: [(&[u8], Schemes); 4] = [
        (b"NTLM", Schemes::NTLM),
        (b"Kerberos", Schemes::KERBEROS),
        (b"TLS-DSK", Schemes::TLS_DSK),
        (b"Digest", Schemes::DIGEST),
    ];
    let found = known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    (found.map_or(Schemes::OTHER, |s| s.1), rest)
}

/// The host in `sip/fe01.contoso.com` (Kerberos) or `FE01.contoso.com`.
fn host_of(target: &[u8]) -> &[u8] {
    if starts_with_ignore_case(target, b"sip/") { &target[4..] } else { target }
}

/// `1 REGISTER`.
fn cseq(value: &[u8]) -> Option<(u32, Method)> {
    let end = value.iter().position(u8::is_ascii_whitespace)?;
    let number = &value[..end];
    if !number.iter().all(u8::is_ascii_digit) || number.is_empty() {
        return None;
    }
    let more = |n: u32, digit: &u8| n.checked_mul(10)?.checked_add(u32::from(digit - b'0'));
    let number = number.iter().try_fold(0, more)?;
    Some((number, Method::of(value[end..].trim_ascii())))
}

/// The version in `RTC/3.5`.
fn rtc(value: &[u8]) -> Option<(u8, u8)> {
    let version = value.strip_prefix(b"RTC/")?;
    if let [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] = version {
        return Some((major - b'0', minor - b'0'));
    }
    let version = version.split(u8::is_ascii_whitespace).next()?;
    let mut parts = version.split(|b| *b == b'.');
    let mut part = || parts.next().and_then(time::number).and_then(|n| u8::try_from(n).ok());
    Some((part()?, part()?))
}
