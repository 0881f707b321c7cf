//! What a parser tells: the kind of every line, and the accesses the rows show.

use std::fmt;
use std::ops::{BitOr, BitOrAssign, Range};

use crate::service::Service;
use crate::sip::SipMessage;
use crate::time::DAY_MS;

/// Where a row stands, and when it happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// Offset of the row's first byte in the decoded text of the input, from 0.
    pub byte: u64,
    /// Number of the row's first line within its segment, from 1.
    pub line: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub instant: i64,
}

/// What one physical line is. The five kinds add up to the lines of the input.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LineKind {
    /// Part of a parsed row or record, whatever its outcome.
    Event,
    /// A directive, a header row or a comment.
    Directive,
    /// Nothing but blanks or NUL padding.
    Blank,
    /// Belongs to no known format.
    Unrelated,
    /// Belongs to the format and could not be read.
    Rejected,
}

/// Why one line could not become an event. Small, `Copy`, never allocates.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// A row stands before any usable `#Fields` directive.
    #[error("no usable #Fields directive before this row")]
    NoFields,
    /// The row has another number of fields than its header declares.
    #[error("found {found} fields, but #Fields declares {declared}")]
    FieldCount {
        /// Fields on the row.
        found: u32,
        /// Fields the header declares.
        declared: u32,
    },
    /// The row has another number of fields than its format or header row has columns.
    #[error("found {found} fields, but expected {expected}")]
    RowWidth {
        /// Fields on the row.
        found: u32,
        /// Columns of the format or of the header row.
        expected: u32,
    },
    /// A date could be day before month or month before day.
    #[error("`{field}` is no month/day date: whether day or month stands first is unclear")]
    DateOrder {
        /// Name of the field.
        field: &'static str,
    },
    /// A date or time is not one.
    #[error("`{field}` is not a valid date or time")]
    Timestamp {
        /// Name of the field.
        field: &'static str,
    },
    /// The row has a time but no date, and no directive gives one.
    #[error("no date: neither a date column nor a #Date directive")]
    NoDate,
    /// A field holds something else than its kind of value.
    #[error("`{field}` is not a {expected}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// A quoted field does not end on the row.
    #[error("a quoted field does not end on this row")]
    Quote,
    /// A record of several lines lacks its beginning or its end.
    #[error("record without its {missing}")]
    Record {
        /// `beginning` or `end`.
        missing: &'static str,
    },
    /// The row's layout is none that is known for the format.
    #[error("not a row of this format")]
    Shape,
}

/// What happened to a request, as far as one row or exchange tells.
///
/// `counting.md` section 2; rows that are only the way to a logon never leave the parser.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// Authenticated, and the service answered.
    Served,
    /// The identity is vouched for by another server, without credentials in this log.
    Asserted,
    /// Authenticated, then turned away.
    Refused,
    /// Credentials not accepted.
    Failed,
    /// No principal, and the service itself answered.
    Anonymous,
    /// Served only if the log of the logon itself is missing (POP3/IMAP4 command rows).
    Continued,
}

impl Outcome {
    /// The word used in reports and fact files.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Served => "served",
            Outcome::Asserted => "asserted",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Anonymous => "anonymous",
            Outcome::Continued => "continued",
        }
    }
}

/// Where the client stands, seen from the server.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Client {
    /// The log does not say.
    #[default]
    Unknown,
    /// The server itself: a loopback address or the server's own.
    Loopback,
    /// A known proxy that forwarded nobody's address: anybody may stand behind it.
    Proxy,
    /// An internal network.
    Inside,
    /// The internet.
    Outside,
}

/// Things a row says beside its outcome that a later rule needs.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Marks(u32);

impl Marks {
    /// Nothing special.
    pub const NONE: Marks = Marks(0);
    /// The user agent is one of the server's own probes.
    pub const PROBE_AGENT: Marks = Marks(1);
    /// A back-end row that repeats a front-end row.
    pub const BACK_END: Marks = Marks(1 << 1);
    /// An OWA logon form was posted: a logon, not yet a use.
    pub const LOGON_ONLY: Marks = Marks(1 << 2);
    /// The device was blocked or quarantined.
    pub const BLOCKED: Marks = Marks(1 << 3);
    /// An administrative service or page.
    pub const ADMINISTRATIVE: Marks = Marks(1 << 4);
    /// A session or ticket service, whose rows hide the user.
    pub const SESSION_SERVICE: Marks = Marks(1 << 5);
    /// One server acting for another (`PrxFrom:`).
    pub const PROXYING_SERVER: Marks = Marks(1 << 6);
    /// The row marks the party as federated or from a public network.
    pub const FEDERATED: Marks = Marks(1 << 7);
    /// An anonymous conference participant.
    pub const GUEST: Marks = Marks(1 << 8);
    /// The row marks the party as the organisation's own remote user.
    pub const OWN_REMOTE: Marks = Marks(1 << 9);
    /// An accepted REGISTER at this registrar.
    pub const REGISTERED: Marks = Marks(1 << 10);
    /// A server-to-server session that names no user.
    pub const SERVER_TO_SERVER: Marks = Marks(1 << 11);
    /// The principal acted for the identity in `acted_for` (impersonation).
    pub const IMPERSONATION: Marks = Marks(1 << 12);
    /// A role of the operating system (file server, DHCP, directory): evidence for Windows, whatever
    /// else the server is listed as.
    pub const WINDOWS_ROLE: Marks = Marks(1 << 13);
    /// Nobody is named, but the row carries a device id.
    pub const DEVICE_ID: Marks = Marks(1 << 14);
    /// A conference with more than chat: audio, video, web content or sharing.
    pub const CONFERENCE_MEDIA: Marks = Marks(1 << 15);
    /// Authenticated, and answered with a status 4xx that is not counted as refused: what was asked for
    /// was not there, or could not be.
    pub const CLIENT_ERROR: Marks = Marks(1 << 16);
    /// The names of the marks, in bit order.
    pub const NAMES: [&'static str; 17] = [
        "probe-agent",
        "back-end",
        "logon-only",
        "blocked",
        "administrative",
        "session-service",
        "proxying-server",
        "federated",
        "guest",
        "own-remote",
        "registered",
        "server-to-server",
        "impersonation",
        "windows-role",
        "device-id",
        "conference-media",
        "client-error",
    ];

    /// Whether every mark of `other` is set.
    pub fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// The marks as bits, for keys.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// These marks without those of `other`.
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }

    /// The names of the marks that are set, in bit order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().enumerate().filter(move |(i, _)| self.0 >> i & 1 == 1).map(|(_, n)| *n)
    }
}

impl BitOr for Marks {
    type Output = Marks;
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What the access came from, as far as the row says. Every value is claimed by the client.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum DeviceEvidence<'a> {
    /// The row shows no device.
    #[default]
    None,
    /// ActiveSync `DeviceId`.
    ActiveSync(&'a [u8]),
    /// SIP `+sip.instance`, without `<urn:uuid:` and `>`.
    SipInstance(&'a [u8]),
    /// SIP `epid`.
    Epid(&'a [u8]),
    /// Endpoint id of a CDR row.
    CdrEndpoint(&'a [u8]),
    /// An address and the user agent behind it (empty where the log has none): unidentified.
    Address {
        /// Client address without a port.
        address: &'a [u8],
        /// User agent as logged.
        agent: &'a [u8],
    },
}

/// Which server software wrote the log, as far as a header tells.
///
/// Evidence for the version only where the header is reliable: IIS versions map to Windows
/// versions, `15.01.2375.007` to Exchange 2016. SMTP logs say 15.0.0.0 up to 2019 and give none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Software {
    /// The header does not tell.
    #[default]
    Unknown,
    /// IIS, major and minor version times ten plus minor: 60, 70, 75, 80, 85, 100.
    Iis(u16),
    /// Exchange, major and minor version: (14, 0), (15, 1).
    Exchange(u8, u8),
    /// OCS/Lync by the `RTC/n.n` of its `Server` header: (3, 5).
    Rtc(u8, u8),
}

/// What the row says about the server that was reached.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ServerEvidence<'a> {
    /// `s-computername`, connector prefix, `ServerHostName`, CLS machine; empty where none.
    pub name: &'a [u8],
    /// `s-ip`, `sIp`, local endpoint, without port and scope id; empty where none.
    pub address: &'a [u8],
    /// First label of a SIP `targetname`; empty where none.
    pub target: &'a [u8],
    /// The software that wrote the log.
    pub software: Software,
}

/// One access event, borrowed from the log text.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The server that was reached.
    pub server: ServerEvidence<'a>,
    /// The service that was reached.
    pub service: Service,
    /// What happened.
    pub outcome: Outcome,
    /// The name as logged; empty where nobody is named.
    pub principal: &'a [u8],
    /// Mailbox or identity that was acted for or opened; empty where none.
    pub acted_for: &'a [u8],
    /// What the access came from.
    pub device: DeviceEvidence<'a>,
    /// Where the client stands.
    pub client: Client,
    /// Things that later rules need.
    pub marks: Marks,
}

/// How a log proves that two names are one person.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Proof {
    /// One IMAP4 `login` row shows the typed and the resolved name.
    ImapLogin,
    /// A `Budget="Owner:Sid~…` beside the user column.
    BudgetOwnerSid,
    /// An NTLM type-3 message inside an accepted REGISTER.
    NtlmMessage,
    /// One row with the account and its e-mail address or UPN in two columns.
    SameRow,
}

impl Proof {
    /// The word used in reports and fact files.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::ImapLogin => "imap-login",
            Proof::BudgetOwnerSid => "budget-owner-sid",
            Proof::NtlmMessage => "ntlm-message",
            Proof::SameRow => "same-row",
        }
    }
}

/// Something about the whole input that weakens what its rows can tell.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Notice {
    /// The columns lack what the count needs.
    Blind {
        /// The missing column.
        missing: &'static str,
    },
    /// No header: a known layout was assumed.
    AssumedFields,
    /// Times are local and nothing says which zone.
    UnknownTimeBase,
}

/// What a sink calls a fact that it holds: the same access whenever and in whatever input it stands,
/// for that sink and those that say they go on with its names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FactId(pub u32);

/// What a sink calls a server, as logged; see [`FactId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerId(pub u32);

/// Rows of one fact on one UTC day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Repeats {
    /// How many.
    pub events: u64,
    /// The least of them by instant and byte.
    pub first: Place,
    /// The greatest.
    pub last: Place,
}

impl Repeats {
    /// One row.
    pub fn once(place: Place) -> Repeats {
        Repeats { events: 1, first: place, last: place }
    }

    /// Their day, since 1970-01-01.
    pub fn day(&self) -> i64 {
        self.first.instant.div_euclid(DAY_MS)
    }

    /// Adds a row that stands behind all of them.
    #[inline]
    pub fn add(&mut self, place: Place) {
        self.events += 1;
        if place.instant < self.first.instant {
            self.first = place;
        }
        if place.instant >= self.last.instant {
            self.last = place;
        }
    }
}

/// Where a parser puts what it finds.
///
/// Line numbers are relative to the segment; the sink knows where the segment begins.
pub trait Sink {
    /// A run of `count` lines of one kind that fills `bytes` (offsets in the decoded text).
    ///
    /// Runs come in order and tile the segment without gap or overlap.
    fn lines(&mut self, kind: LineKind, count: u64, bytes: Range<u64>);

    /// Why the line at `line` (from 1 in the segment) and `byte` was rejected. The line itself is
    /// reported by [`Sink::lines`] as well.
    fn rejected(&mut self, line: u64, byte: u64, kind: LineErrorKind);

    /// What the sink calls a server.
    fn server(&mut self, server: &ServerEvidence<'_>) -> ServerId;

    /// An access event, and what the sink calls its fact: the access without its place.
    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId;

    /// One more event of a fact that [`Sink::access`] returned earlier.
    fn again(&mut self, fact: FactId, place: Place);

    /// More events of a fact that [`Sink::access`] returned earlier.
    fn repeated(&mut self, fact: FactId, repeats: &Repeats);

    /// Whether the sink wants to hear of each row by itself, by [`Sink::again`] and in order, rather
    /// than of many by [`Sink::repeated`].
    fn wants_each(&self) -> bool {
        false
    }

    /// The log proves that two names belong to one person.
    fn alias(&mut self, place: Place, one: &[u8], other: &[u8], proof: Proof);

    /// A mailbox submitted a message: shown beside the people, never an access. `client` is the
    /// address it came from, empty where the log does not say.
    fn corroborate(
        &mut self,
        place: Place,
        server: &ServerEvidence<'_>,
        mailbox: &[u8],
        client: &[u8],
    );

    /// One SIP message of an exchange.
    fn sip(&mut self, place: Place, message: &SipMessage<'_>);

    /// The server wrote at least one row in this hour (hours since 1970-01-01T00:00Z).
    fn active(&mut self, server: &ServerEvidence<'_>, hour: i64);

    /// The first and last instant (milliseconds) among rows of the segment that carry one.
    fn span(&mut self, first: i64, last: i64);

    /// Something weakens the whole input.
    fn notice(&mut self, notice: Notice);

    /// A directive line, for the record of what the header said (name without `#` and `:`).
    fn directive(&mut self, line: u64, byte: u64, name: &[u8], value: &[u8]);
}
