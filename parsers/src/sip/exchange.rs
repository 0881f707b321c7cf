//! The union of all messages of one exchange: a request, its answers, and every copy of them.

use std::cmp::Ordering;

use super::{Direction, Method, Modalities, Peer, Schemes, SipMessage};
use crate::bytes::same;
use crate::event::Place;
use crate::service::contains_ignore_case;

/// What tells one exchange from another.
///
/// Compared byte for byte: Call-ID and tags are case-sensitive (RFC 3261, 20.8 and 19.3). The
/// method keeps ACK and CANCEL apart from the INVITE whose number they share.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ExchangeKey {
    /// `Call-ID`.
    pub call_id: Box<[u8]>,
    /// Number in `CSeq`.
    pub cseq: u32,
    /// Method in `CSeq`.
    pub method: Method,
    /// `tag` of `From`; empty where there is none.
    pub from_tag: Box<[u8]>,
}

/// By Call-ID, CSeq and tag.
impl Ord for ExchangeKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Nearly always the first bytes tell.
        let head = |key: &Self| key.call_id.first_chunk().map(|head| u64::from_be_bytes(*head));
        if let (Some(one), Some(two)) = (head(self), head(other))
            && one != two
        {
            return one.cmp(&two);
        }
        let key = |key: &Self| (key.cseq, key.method);
        self.call_id
            .cmp(&other.call_id)
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| self.from_tag.cmp(&other.from_tag))
    }
}

impl PartialOrd for ExchangeKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ExchangeKey {
    /// The key of a message's exchange.
    pub fn of(message: &SipMessage<'_>) -> ExchangeKey {
        let (cseq, method) = message.cseq.unwrap_or_default();
        ExchangeKey {
            call_id: message.call_id.into(),
            cseq,
            method,
            from_tag: message.from.tag.into(),
        }
    }
}

/// Where a record stands. Ordered by (instant, input, byte): the least is the one that is cited.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Row {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub instant: i64,
    /// The input, as [`Exchange::place_in`] says; 0 before.
    pub input: u32,
    /// Offset of the record's first byte in the decoded text, from 0.
    pub byte: u64,
    /// Number of the record's first line, from 1.
    pub line: u64,
}

bit_set! {
    /// What at least one message of the exchange shows.
    pub(super) Shown:
    /// The request came in from the peer.
    INCOMING = 1, "incoming";
    /// The request carries NTLM, Kerberos or TLS-DSK credentials.
    CREDENTIALS = 1 << 1, "credentials";
    /// … and a signature or a last leg among them.
    PROOF = 1 << 2, "proof";
    /// The request carries Digest credentials.
    DIGEST = 1 << 3, "digest";
    /// A REGISTER that ends its registration.
    SIGN_OUT = 1 << 4, "sign-out";
    /// An edge marks the sender as federated or from a public network.
    FEDERATED = 1 << 5, "federated";
    /// An edge marks the sender as the organisation's own remote user.
    OWN_REMOTE = 1 << 6, "own-remote";
    /// The sender is `@anonymous.invalid`.
    ANONYMOUS = 1 << 7, "anonymous";
    /// The sender is a telephone number.
    TELEPHONE = 1 << 8, "telephone";
    /// The sender is an application or a conference.
    APPLICATION = 1 << 9, "application";
    /// An answer is signed for an account (`Authentication-Info`).
    SIGNED = 1 << 10, "signed";
}

/// A value, and how near its message is to the proof: the least is kept.
type Ranked = (u8, Box<[u8]>);

/// The record of an answer, and the machine that wrote it (CLS).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Answer {
    pub(super) row: Row,
    pub(super) machine: Box<[u8]>,
}

/// One exchange, as far as its messages have been seen. Owned, without bodies and credentials.
///
/// Every part is a least value or a set, so that uniting is commutative, associative and idempotent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Exchange {
    pub(super) shown: Shown,
    pub(super) modalities: Modalities,
    /// Address of record of `From`.
    pub(super) from: Option<Ranked>,
    /// `P-Asserted-Identity` of a server.
    pub(super) identity: Option<Box<[u8]>>,
    /// Account in an NTLM type-3 message.
    pub(super) account: Option<Box<[u8]>>,
    /// `epid`, in lower case.
    pub(super) epid: Option<Ranked>,
    /// `+sip.instance`, in lower case.
    pub(super) instance: Option<Ranked>,
    /// Address of the client.
    pub(super) client: Option<Box<[u8]>>,
    /// `User-Agent` of the request.
    pub(super) agent: Option<Ranked>,
    /// The server that the request came from.
    pub(super) vouched_by: Option<Box<[u8]>>,
    /// First label of `targetname`.
    pub(super) target: Option<Ranked>,
    /// Greatest `RTC/n.n` of an answer to a REGISTER.
    pub(super) software: Option<(u8, u8)>,
    /// Least 2xx.
    pub(super) accepted: Option<Answer>,
    /// Least 2xx that is signed for an account.
    pub(super) signed: Option<Answer>,
    /// Least 401 or 407.
    pub(super) challenged: Option<Answer>,
    /// Least 403 or 404.
    pub(super) turned_away: Option<Answer>,
}

impl Exchange {
    /// An exchange of one message, and its key.
    ///
    /// `place` is where the record stands; what does not belong to the decision is not kept. A
    /// message without `CSeq` is its own kind of exchange, number 0 and [`Method::Other`].
    pub fn from_message(place: Place, message: &SipMessage<'_>) -> (ExchangeKey, Exchange) {
        let mut exchange = Exchange::default();
        exchange.note(place, message);
        (ExchangeKey::of(message), exchange)
    }

    /// Adds one message of the exchange, as [`Exchange::merge`] of [`Exchange::from_message`] does; what
    /// changes nothing costs little.
    pub fn note(&mut self, place: Place, message: &SipMessage<'_>) {
        let (_, method) = message.cseq.unwrap_or_default();
        let peer = message.peer();
        self.note_sender(message, method, peer);
        if message.is_request() {
            self.note_request(message, peer);
        } else if let Some(status) = message.status() {
            let row = Row { instant: place.instant, input: 0, byte: place.byte, line: place.line };
            self.note_answer(message, status, method, row);
        }
    }

    /// Unites two parts of one exchange.
    pub fn merge(&mut self, other: Exchange) {
        self.shown |= other.shown;
        self.modalities |= other.modalities;
        least(&mut self.from, other.from);
        least(&mut self.identity, other.identity);
        least(&mut self.account, other.account);
        least(&mut self.epid, other.epid);
        least(&mut self.instance, other.instance);
        least(&mut self.client, other.client);
        least(&mut self.agent, other.agent);
        least(&mut self.vouched_by, other.vouched_by);
        least(&mut self.target, other.target);
        self.software = self.software.max(other.software);
        least(&mut self.accepted, other.accepted);
        least(&mut self.signed, other.signed);
        least(&mut self.challenged, other.challenged);
        least(&mut self.turned_away, other.turned_away);
    }

    /// Moves every row by `lines`: the lines of the input before the segment.
    pub fn shift_lines(&mut self, lines: u64) {
        self.answers().for_each(|a| a.row.line += lines);
    }

    /// Says which input the rows are in.
    pub fn place_in(&mut self, input: u32) {
        self.answers().for_each(|a| a.row.input = input);
    }

    fn answers(&mut self) -> impl Iterator<Item = &mut Answer> {
        [&mut self.accepted, &mut self.signed, &mut self.challenged, &mut self.turned_away]
            .into_iter()
            .flatten()
    }

    /// What requests and answers both say about the sender of the request.
    fn note_sender(&mut self, message: &SipMessage<'_>, method: Method, peer: Peer<'_>) {
        let from = &message.from;
        let rank = rank(message);
        if !from.address.is_empty() {
            least_ranked(&mut self.from, rank, from.address);
        }
        if from.is_anonymous {
            self.shown |= Shown::ANONYMOUS;
        }
        if from.is_telephone {
            self.shown |= Shown::TELEPHONE;
        }
        if from.is_application {
            self.shown |= Shown::APPLICATION;
        }
        if method == Method::Register && message.expires_zero {
            self.shown |= Shown::SIGN_OUT;
        }
        if !from.epid.is_empty() {
            least_in_lower_case(&mut self.epid, rank, from.epid);
        }
        if message.has_instance() {
            // An answer may speak of other endpoints of the user: the request knows better.
            let rank = if message.is_request() { rank } else { rank + 4 };
            least_in_lower_case(&mut self.instance, rank, message.instance);
        }
        let toward_client = message.is_request() == (message.direction == Direction::Incoming);
        if message.direction != Direction::Unknown
            && toward_client
            && let Peer::Address(address) = peer
        {
            least_text(&mut self.client, address);
        }
        if let Some(target) = first_label(message.target) {
            least_ranked(&mut self.target, 0, target);
        } else if let Some(target) = first_label(message.claimed_target) {
            least_ranked(&mut self.target, 1, target);
        }
    }

    fn note_request(&mut self, message: &SipMessage<'_>, peer: Peer<'_>) {
        self.modalities |= message.modalities;
        if message.authorization.has_any(Schemes::OF_ACCOUNTS) {
            self.shown |= Shown::CREDENTIALS;
        }
        if message.proof {
            self.shown |= Shown::PROOF;
        }
        if message.authorization.has(Schemes::DIGEST) {
            self.shown |= Shown::DIGEST;
        }
        if !message.user_agent.is_empty() {
            least_ranked(&mut self.agent, rank(message), message.user_agent);
        }
        least(&mut self.account, message.ntlm().map(|i| i.account().into_bytes().into()));
        let came_in = message.direction == Direction::Incoming;
        if came_in {
            self.shown |= Shown::INCOMING;
            if let Peer::Server(name) = peer {
                least(&mut self.vouched_by, Some(name.to_ascii_lowercase().into()));
                if !message.asserted_identity.is_empty() {
                    least_text(&mut self.identity, message.asserted_identity);
                }
            }
        }
        // The mark is the edge's own: a client, or the internet side, has no say in it.
        if !(came_in && (message.external || matches!(peer, Peer::Address(_)))) {
            self.shown |= trust(message);
        }
    }

    fn note_answer(&mut self, message: &SipMessage<'_>, status: u32, method: Method, row: Row) {
        self.modalities |= message.modalities;
        let answer = |into: &mut Option<Answer>| {
            let held = into.as_ref().map(|held| (held.row, &*held.machine));
            if held.is_none_or(|held| (row, message.machine) < held) {
                *into = Some(Answer { row, machine: message.machine.into() });
            }
        };
        let signed = message.authentication_info.has_any(Schemes::OF_ACCOUNTS);
        match status {
            200..=299 => {
                answer(&mut self.accepted);
                if signed {
                    self.shown |= Shown::SIGNED;
                    answer(&mut self.signed);
                }
                if message.authentication_info.has(Schemes::DIGEST) {
                    self.shown |= Shown::DIGEST;
                }
            }
            401 | 407 => answer(&mut self.challenged),
            403 | 404 => answer(&mut self.turned_away),
            _ => {}
        }
        if method == Method::Register {
            self.software = self.software.max(message.rtc);
        }
    }
}

/// How near a message is to the proof: what it says goes before what others say.
fn rank(message: &SipMessage<'_>) -> u8 {
    let signed = message.authentication_info.has_any(Schemes::OF_ACCOUNTS);
    match message.status() {
        Some(200..=299) if signed => 0,
        None if message.proof => 0,
        None if message.direction == Direction::Incoming => 1,
        _ => 2,
    }
}

/// What an edge says of the sender (\[MS-SIPRE\] 2.2.15).
fn trust(message: &SipMessage<'_>) -> Shown {
    let network = message.trust_network;
    if message.trust_source.eq_ignore_ascii_case(b"InternetUser") {
        Shown::OWN_REMOTE
    } else if !message.trust_source.is_empty()
        || contains_ignore_case(network, b"federation")
        || contains_ignore_case(network, b"publiccloud")
    {
        Shown::FEDERATED
    } else {
        Shown::NONE
    }
}

fn first_label(host: &[u8]) -> Option<&[u8]> {
    host.split(|b| *b == b'.').next().filter(|label| !label.is_empty())
}

fn least<T: Ord>(into: &mut Option<T>, other: Option<T>) {
    if let Some(value) = other
        && into.as_ref().is_none_or(|held| value < *held)
    {
        *into = Some(value);
    }
}

/// [`least`] of a text, which is copied only where it is the lesser one.
fn least_text(into: &mut Option<Box<[u8]>>, text: &[u8]) {
    if into.as_deref().is_none_or(|held| text < held) {
        *into = Some(text.into());
    }
}

/// The same of a ranked one.
fn least_ranked(into: &mut Option<Ranked>, rank: u8, text: &[u8]) {
    // A part of an exchange mostly says what the part before it said.
    if into.as_ref().is_some_and(|(held, value)| *held <= rank && same(value, text)) {
        return;
    }
    if into.as_ref().is_none_or(|(held, value)| (rank, text) < (*held, value)) {
        *into = Some((rank, text.into()));
    }
}

/// The same of a text that is kept in lower case.
fn least_in_lower_case(into: &mut Option<Ranked>, rank: u8, text: &[u8]) {
    let is_same = |value: &[u8]| same(value, text) || value.eq_ignore_ascii_case(text);
    let changes_nothing = |(held, value): &Ranked| *held < rank || *held == rank && is_same(value);
    if !into.as_ref().is_some_and(changes_nothing) {
        least(into, Some((rank, text.to_ascii_lowercase().into())));
    }
}
