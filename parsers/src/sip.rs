//! SIP as a server's trace shows it: messages, and the exchanges that they make up.
//!
//! One message says too little. A sign-in is a REGISTER and its `200 OK`, two records that may stand
//! in two rolled files; and one message is logged once per hop, coming in and going out. So a
//! parser hands out every [`SipMessage`] as it stands, and nothing is decided until all of them are
//! united.
//!
//! # Contract
//!
//! 1. For each message, [`Exchange::from_message`] gives a key and an owned part of an exchange.
//! 2. Collect them into a `BTreeMap<ExchangeKey, Exchange>` over *all inputs of one server* (and of
//!    all segments of each), uniting parts of one key with [`Exchange::merge`]. The union is
//!    commutative, associative and idempotent: order, cut and repetition change nothing. Two inputs
//!    of one server are united because a file is rolled in the middle of an exchange; two servers
//!    are not, because each of them was reached.
//! 3. Before parts of different segments or inputs are united, [`Exchange::shift_lines`] makes line
//!    numbers those of the input, and [`Exchange::place_in`] says which input the rows are in.
//! 4. [`Exchange::decide`] then tells what the whole exchange shows: at most one access, and the
//!    names and device identifiers that it proves to belong together.
//!
//! Left to the counting of all exchanges, because no exchange knows it: which domains are the
//! organisation's own, which vouching peer is one of its servers, and whether a principal whose
//! logon failed was served elsewhere.
//!
//! Sources: \[MS-SIPAE\] (authentication), \[MS-SIPRE\] 2.2.15 (edge trust), \[MS-CONFPRO\]
//! (conferences), \[MS-OCER\] (diagnostics), \[MS-NLMP\] 2.2.1.3 (NTLM), RFC 3261.

/// A set of things, united by `|`.
macro_rules! bit_set {
    ($(#[$doc:meta])* $vis:vis $name:ident: $($(#[$of:meta])* $bit:ident = $value:expr, $word:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        $vis struct $name(u32);

        impl $name {
            /// None of them.
            $vis const NONE: $name = $name(0);
            $($(#[$of])* $vis const $bit: $name = $name($value);)*
            const WORDS: &'static [(u32, &'static str)] = &[$(($value, $word)),*];

            /// Whether every one of `other` is among them.
            $vis fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether at least one of `other` is among them.
            $vis fn has_any(self, other: $name) -> bool {
                self.0 & other.0 != 0
            }

            /// The words for those that are there, in the order of declaration.
            $vis fn words(self) -> impl Iterator<Item = &'static str> {
                Self::WORDS.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, word)| *word)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: $name) {
                self.0 |= other.0;
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_set().entries(self.words()).finish()
            }
        }
    };
}

mod agent;
mod body;
mod decide;
mod exchange;
mod header;
mod ntlm;
mod uri;

#[cfg(test)]
mod tests;

use std::fmt;

pub use decide::Decided;
pub use exchange::{Exchange, ExchangeKey, Row};
pub use header::HeaderName;
pub use ntlm::NtlmIdentity;
pub use uri::{NameAddr, Sender};

/// Which way a message went, seen from the server that wrote the trace.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// The trace does not say.
    #[default]
    Unknown,
    /// From the peer.
    Incoming,
    /// To the peer.
    Outgoing,
}

/// What stands at the other end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer<'a> {
    /// The trace does not say.
    Unknown,
    /// An address, without its port: a client.
    Address(&'a [u8]),
    /// A host name, without its port: a server that showed a certificate.
    Server(&'a [u8]),
}

impl<'a> Peer<'a> {
    /// What stands at an endpoint: an address or a host name, and a port.
    pub(crate) fn of(endpoint: &'a [u8]) -> Peer<'a> {
        let host = crate::network::host(endpoint);
        if host.is_empty() {
            Peer::Unknown
        } else if crate::network::ip(host).is_some() {
            Peer::Address(host)
        } else {
            Peer::Server(host)
        }
    }
}

/// The method of a request, and of the request that a response answers (`CSeq`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "the names are those of the protocol")]
pub enum Method {
    #[default]
    Other,
    Ack,
    Benotify,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Negotiate,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Service,
    Subscribe,
    Update,
}

/// Methods as they are written; compared without case, though RFC 3261 has them in capitals.
static METHODS: &[(&[u8], Method)] = &[
    (b"ACK", Method::Ack),
    (b"BENOTIFY", Method::Benotify),
    (b"BYE", Method::Bye),
    (b"CANCEL", Method::Cancel),
    (b"INFO", Method::Info),
    (b"INVITE", Method::Invite),
    (b"MESSAGE", Method::Message),
    (b"NEGOTIATE", Method::Negotiate),
    (b"NOTIFY", Method::Notify),
    (b"OPTIONS", Method::Options),
    (b"PRACK", Method::Prack),
    (b"PUBLISH", Method::Publish),
    (b"REFER", Method::Refer),
    (b"REGISTER", Method::Register),
    (b"SERVICE", Method::Service),
    (b"SUBSCRIBE", Method::Subscribe),
    (b"UPDATE", Method::Update),
];

impl Method {
    /// The method of that name; [`Method::Other`] where it is none of them.
    pub fn of(name: &[u8]) -> Method {
        // Nearly all messages are of these.
        match name {
            b"REGISTER" => return Method::Register,
            b"SUBSCRIBE" => return Method::Subscribe,
            b"SERVICE" => return Method::Service,
            b"INVITE" => return Method::Invite,
            b"MESSAGE" => return Method::Message,
            b"BENOTIFY" => return Method::Benotify,
            b"ACK" => return Method::Ack,
            b"BYE" => return Method::Bye,
            _ => {}
        }
        let first = name.first().map(u8::to_ascii_uppercase);
        let likely = |n: &[u8]| n.first() == first.as_ref() && n.len() == name.len();
        let of_name = |n: &[u8]| likely(n) && n.eq_ignore_ascii_case(name);
        METHODS.iter().find(|(n, _)| of_name(n)).map_or(Method::Other, |m| m.1)
    }

    /// The name in the protocol; `OTHER` for [`Method::Other`].
    pub fn as_str(self) -> &'static str {
        METHODS
            .iter()
            .find(|(_, m)| *m == self)
            .and_then(|(n, _)| std::str::from_utf8(n).ok())
            .unwrap_or("OTHER")
    }
}

/// The first line of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StartLine<'a> {
    /// There is none, or it is neither a request line nor a status line.
    #[default]
    None,
    /// A request, and the URI that it asks for.
    Request(&'a [u8]),
    /// A response, and its status code.
    Response(u32),
}

bit_set! {
    /// Authentication schemes.
    pub Schemes:
    /// NTLM.
    NTLM = 1, "ntlm";
    /// Kerberos.
    KERBEROS = 1 << 1, "kerberos";
    /// TLS-DSK: a client certificate that the server itself issued.
    TLS_DSK = 1 << 2, "tls-dsk";
    /// Digest: what an anonymous conference participant uses.
    DIGEST = 1 << 3, "digest";
    /// Any other.
    OTHER = 1 << 4, "other";
}

impl Schemes {
    /// The schemes that prove an account of the organisation.
    pub const OF_ACCOUNTS: Schemes = Schemes(1 | 1 << 1 | 1 << 2);
}

bit_set! {
    /// What a request is about, as far as its URIs and its body show.
    pub Modalities:
    /// Instant messages: SDP `m=message`, `m=x-ms-message`.
    IM = 1, "im";
    /// SDP `m=audio`.
    AUDIO = 1 << 1, "audio";
    /// SDP `m=video`.
    VIDEO = 1 << 2, "video";
    /// SDP `m=applicationsharing`.
    APPLICATION_SHARING = 1 << 3, "application-sharing";
    /// SDP `m=data`: file transfer.
    FILE_TRANSFER = 1 << 4, "file-transfer";
    /// The URI is a telephone number: `;user=phone` or `tel:`.
    TELEPHONE = 1 << 5, "telephone";
    /// `addConference` at a conference focus factory.
    CONFERENCE_CREATE = 1 << 6, "conference-create";
    /// The conference is created with an entity other than `chat`.
    BEYOND_CHAT = 1 << 7, "beyond-chat";
    /// The URI is the focus or a media server of a conference.
    CONFERENCE_JOIN = 1 << 8, "conference-join";
    /// The answer to a conference command says that it failed.
    COMMAND_FAILED = 1 << 9, "command-failed";
}

/// NTLM, Kerberos or TLS-DSK `gssapi-data`, base64 as logged: a credential.
///
/// Never printed; [`NtlmIdentity::decode`] takes the names out of an NTLM type-3 message.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct GssapiData<'a>(pub &'a [u8]);

impl fmt::Debug for GssapiData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GssapiData({} bytes)", self.0.len())
    }
}

/// What one SIP message of a trace says. Borrowed from the log text, nothing is normalised.
///
/// Values that the trace lacks are empty. Of a header that stands twice, the first counts, except
/// where several are usual (credentials). A folded value keeps its line ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct SipMessage<'a> {
    /// The machine that wrote the record, where the trace names it (CLS).
    pub machine: &'a [u8],
    /// Which way the message went.
    pub direction: Direction,
    /// The server itself made it: `Direction: …;source="local"`.
    pub local: bool,
    /// It came in from the internet side of an edge: `…;source="external edge"`.
    pub external: bool,
    /// The other end, with its port.
    pub peer: &'a [u8],
    /// What stands there, where it was looked at already.
    pub(crate) known_peer: Option<Peer<'a>>,
    /// Request or status line.
    pub start: StartLine<'a>,
    /// `Call-ID`.
    pub call_id: &'a [u8],
    /// Number and method of `CSeq`; `None` where there is no valid one.
    pub cseq: Option<(u32, Method)>,
    /// `From`.
    pub from: Sender<'a>,
    /// `To`.
    pub to: NameAddr<'a>,
    /// `+sip.instance` of the only `Contact`, without `<urn:uuid:` and `>`.
    pub instance: &'a [u8],
    /// Schemes of `Authorization` and `Proxy-Authorization`.
    pub authorization: Schemes,
    /// The credentials carry a proof: a signature (`response`) or a last NTLM or Kerberos message.
    pub proof: bool,
    /// The last `gssapi-data` of the credentials.
    pub gssapi: GssapiData<'a>,
    /// Schemes of `Authentication-Info` and `Proxy-Authentication-Info`.
    pub authentication_info: Schemes,
    /// `targetname` as the server wrote it (challenge, `Authentication-Info`).
    pub target: &'a [u8],
    /// `targetname` as the client repeats it.
    pub claimed_target: &'a [u8],
    /// `Expires: 0`, or a `Contact` of a request that expires at once.
    pub expires_zero: bool,
    /// `User-Agent`.
    pub user_agent: &'a [u8],
    /// Version of `Server: RTC/n.n`.
    pub rtc: Option<(u8, u8)>,
    /// `ms-source-type` of `ms-edge-proxy-message-trust`.
    pub trust_source: &'a [u8],
    /// `ms-source-network` of `ms-edge-proxy-message-trust`.
    pub trust_network: &'a [u8],
    /// Address of record of `P-Asserted-Identity`, a SIP one where there are several.
    pub asserted_identity: &'a [u8],
    /// What a request is about.
    pub modalities: Modalities,
}

impl<'a> SipMessage<'a> {
    /// What stands at the other end.
    pub fn peer(&self) -> Peer<'a> {
        self.known_peer.unwrap_or_else(|| Peer::of(self.peer))
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request(_))
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u32> {
        match self.start {
            StartLine::Response(status) => Some(status),
            _ => None,
        }
    }

    /// The names in an NTLM type-3 message among the credentials of a request.
    pub fn ntlm(&self) -> Option<NtlmIdentity> {
        if self.is_request() { NtlmIdentity::decode(self.gssapi) } else { None }
    }
}
