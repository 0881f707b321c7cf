//! Reading one header into a message.

use super::uri::parameter;
use super::{GssapiData, Method, NameAddr, Schemes, SipMessage, StartLine, uri};
use crate::service::starts_with_ignore_case;
use crate::time;

impl<'a> SipMessage<'a> {
    /// Takes the request or status line; leaves [`StartLine::None`] where it is neither.
    pub fn read_start_line(&mut self, line: &'a [u8]) {
        let mut words = line.split(|b| *b == b' ').filter(|w| !w.is_empty());
        let (Some(first), Some(second)) = (words.next(), words.next()) else { return };
        if starts_with_ignore_case(first, b"SIP/") {
            if let Some(status @ 100..=699) = time::number(second) {
                self.start = StartLine::Response(status);
            }
        } else if words.next().is_some_and(|w| starts_with_ignore_case(w, b"SIP/")) {
            self.start = StartLine::Request(second);
        }
    }

    /// Takes the way the message went: `incoming;source="internal edge";destination="…"`.
    pub fn read_direction(&mut self, value: &[u8]) {
        if starts_with_ignore_case(value, b"incoming") {
            self.direction = super::Direction::Incoming;
        } else if starts_with_ignore_case(value, b"outgoing") {
            self.direction = super::Direction::Outgoing;
        }
        let source = parameter(value, b';', b"source").unwrap_or_default();
        self.local = source.eq_ignore_ascii_case(b"local");
        self.external = source.eq_ignore_ascii_case(b"external edge");
    }

    /// Takes one SIP header. Names are compared without case; the start line comes first.
    #[inline]
    pub fn read_header(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            1 => self.compact_header(name[0], value),
            2 if is(b"To") && self.to.uri.is_empty() => self.to = NameAddr::parse(value),
            4 if is(b"From") && self.from.uri.is_empty() => self.from = NameAddr::parse(value),
            4 if is(b"CSeq") && self.cseq.is_none() => self.cseq = cseq(value),
            6 if is(b"Server") && self.rtc.is_none() => self.rtc = rtc(value),
            7 if is(b"Call-ID") && self.call_id.is_empty() => self.call_id = value,
            7 if is(b"Contact") => self.contact(value),
            7 if is(b"Expires") && time::number(value) == Some(0) => self.expires_zero = true,
            9 if is(b"UserAgent") && self.user_agent.is_empty() => self.user_agent = value,
            10 if is(b"User-Agent") && self.user_agent.is_empty() => self.user_agent = value,
            13 if is(b"Authorization") => self.credentials(value),
            16 if is(b"WWW-Authenticate") => self.challenge(value),
            18 if is(b"Proxy-Authenticate") => self.challenge(value),
            19 if is(b"Proxy-Authorization") => self.credentials(value),
            19 if is(b"Authentication-Info") => self.authenticated(value),
            19 if is(b"P-Asserted-Identity") => self.asserted(value),
            25 if is(b"Proxy-Authentication-Info") => self.authenticated(value),
            27 if is(b"ms-edge-proxy-message-trust") => self.edge_trust(value),
            _ => {}
        }
    }

    /// The one-letter forms of RFC 3261, section 7.3.3.
    fn compact_header(&mut self, name: u8, value: &'a [u8]) {
        match name.to_ascii_lowercase() {
            b'f' => self.read_header(b"From", value),
            b't' => self.read_header(b"To", value),
            b'i' => self.read_header(b"Call-ID", value),
            b'm' => self.read_header(b"Contact", value),
            _ => {}
        }
    }

    /// A response may list contacts of other endpoints too; several tell nothing about this one.
    fn contact(&mut self, value: &'a [u8]) {
        const INSTANCE: &[u8] = b"+sip.instance";
        let contact = NameAddr::parse(value);
        if self.is_request() && contact.parameter(b"expires") == Some(b"0") {
            self.expires_zero = true;
        }
        let Some(instance) = contact.parameter(INSTANCE) else { return };
        let several = memchr::memmem::find_iter(value, INSTANCE).nth(1).is_some();
        if several || (!self.instance.is_empty() && self.instance != bare_instance(instance)) {
            // A value that is no instance, so that a third contact does not count either.
            self.instance = AMBIGUOUS;
        } else {
            self.instance = bare_instance(instance);
        }
    }

    fn credentials(&mut self, value: &'a [u8]) {
        let (scheme, rest) = scheme(value);
        self.authorization |= scheme;
        let gssapi = parameter(rest, b',', b"gssapi-data").unwrap_or_default();
        let signed = parameter(rest, b',', b"response").is_some_and(|r| !r.is_empty());
        let last_leg = match scheme {
            Schemes::NTLM => gssapi.starts_with(NTLM_TYPE_3),
            _ => !gssapi.is_empty(),
        };
        self.proof |= Schemes::OF_ACCOUNTS.has_any(scheme) && (signed || last_leg);
        if !gssapi.is_empty() {
            self.gssapi = GssapiData(gssapi);
        }
        if self.claimed_target.is_empty() {
            self.claimed_target = target(rest);
        }
    }

    fn challenge(&mut self, value: &'a [u8]) {
        if self.target.is_empty() {
            self.target = target(scheme(value).1);
        }
    }

    fn authenticated(&mut self, value: &'a [u8]) {
        self.authentication_info |= scheme(value).0;
        self.challenge(value);
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
        use super::Modalities;
        let StartLine::Request(request) = self.start else { return };
        for address in [request, self.to.uri] {
            if uri::is_telephone(address) {
                self.modalities |= Modalities::TELEPHONE;
            }
            let opaque = uri::opaque(address);
            if starts_with_ignore_case(opaque, b"app:conf:")
                && !starts_with_ignore_case(opaque, b"app:conf:focusfactory")
            {
                self.modalities |= Modalities::CONFERENCE_JOIN;
            }
        }
    }
}

/// The first bytes of an NTLM type-3 message (`NTLMSSP\0`, 3) in base64.
const NTLM_TYPE_3: &[u8] = b"TlRMTVNTUAAD";

/// No UUID looks like this.
const AMBIGUOUS: &[u8] = b"?";

/// `<urn:uuid:X>` without what surrounds the X.
fn bare_instance(value: &[u8]) -> &[u8] {
    let value = value.strip_prefix(b"<").map_or(value, |v| v.strip_suffix(b">").unwrap_or(v));
    if starts_with_ignore_case(value, b"urn:uuid:") { &value[9..] } else { value }
}

/// The scheme of an authentication header, and what follows it.
fn scheme(value: &[u8]) -> (Schemes, &[u8]) {
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (name, rest) = value.split_at(end);
    let known: [(&[u8], Schemes); 4] = [
        (b"NTLM", Schemes::NTLM),
        (b"Kerberos", Schemes::KERBEROS),
        (b"TLS-DSK", Schemes::TLS_DSK),
        (b"Digest", Schemes::DIGEST),
    ];
    let found = known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    (found.map_or(Schemes::OTHER, |s| s.1), rest)
}

/// The host of `targetname="sip/fe01.contoso.com"` or `targetname="FE01.contoso.com"`.
fn target(parameters: &[u8]) -> &[u8] {
    let name = parameter(parameters, b',', b"targetname").unwrap_or_default();
    if starts_with_ignore_case(name, b"sip/") { &name[4..] } else { name }
}

/// `1 REGISTER`.
fn cseq(value: &[u8]) -> Option<(u32, Method)> {
    let end = value.iter().position(u8::is_ascii_whitespace)?;
    let number = std::str::from_utf8(&value[..end]).ok()?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((number.parse().ok()?, Method::of(value[end..].trim_ascii())))
}

/// The version in `RTC/3.5`.
fn rtc(value: &[u8]) -> Option<(u8, u8)> {
    let version = value.strip_prefix(b"RTC/")?;
    let version = version.split(u8::is_ascii_whitespace).next()?;
    let mut parts = version.split(|b| *b == b'.');
    let mut part = || parts.next().and_then(time::number).and_then(|n| u8::try_from(n).ok());
    Some((part()?, part()?))
}
