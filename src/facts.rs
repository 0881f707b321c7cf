//! What the rows say, as they say it: facts and the merge at the heart.
//!
//! A fact is a key (server, service, outcome, principal and device as logged, …), a UTC day, and what
//! was seen of it (how many events, the first and the last row). Facts of segments are added to the
//! [`Tally`](tally::Tally) of their worker, those of all workers to [`Usage`](usage::Usage). Every merge is commutative and
//! associative, so that no cut, order or number of threads shows in the result. Names stand as
//! logged; identity, exclusions and rules come later.

pub mod clock;
pub mod collector;
pub mod days;
pub mod names;
pub mod tally;
pub mod usage;

use std::collections::BTreeMap;

use calproof_parsers::sip::{Exchange, ExchangeKey};
use calproof_parsers::{Client, DeviceEvidence, Marks, Outcome, Proof, Service, Software};
use names::{Name, Names};

/// A row that shows a fact. Ordered by (instant, input, byte): the least is the one that is cited.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Witness {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub instant: i64,
    /// Place of the input in the sorted list of inputs, from 0.
    pub input: u32,
    /// Offset of the row in the decoded text, from 0.
    pub byte: u64,
    /// Line of the row, from 1.
    pub line: u64,
}

/// What was seen of one fact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sightings {
    /// Number of rows or exchanges.
    pub events: u64,
    /// The least witness.
    pub first: Witness,
    /// The greatest witness.
    pub last: Witness,
}

impl Sightings {
    /// One sighting.
    pub fn once(witness: Witness) -> Sightings {
        Sightings { events: 1, first: witness, last: witness }
    }

    /// These sightings and others.
    pub fn merge(&mut self, other: &Sightings) {
        self.events += other.events;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Kind of device evidence.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DeviceKind {
    /// The row shows no device.
    None,
    /// ActiveSync `DeviceId`.
    ActiveSync,
    /// SIP `+sip.instance`.
    SipInstance,
    /// SIP `epid`.
    Epid,
    /// CDR endpoint id.
    CdrEndpoint,
    /// Address and user agent: unidentified.
    Address,
}

impl DeviceKind {
    /// The word used in reports and fact files.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceKind::None => "none",
            DeviceKind::ActiveSync => "eas",
            DeviceKind::SipInstance => "sip-instance",
            DeviceKind::Epid => "epid",
            DeviceKind::CdrEndpoint => "cdr-endpoint",
            DeviceKind::Address => "address",
        }
    }
}

/// Device evidence: its kind and its one or two values.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Device {
    /// What kind of evidence.
    pub kind: DeviceKind,
    /// Identifier, or the address.
    pub id: Name,
    /// User agent beside an address.
    pub agent: Name,
}

impl Device {
    /// The evidence of a row, its values kept among `names`.
    pub(crate) fn of(evidence: &DeviceEvidence<'_>, names: &mut Names) -> Device {
        let (kind, id, agent): (_, &[u8], &[u8]) = match evidence {
            DeviceEvidence::None => (DeviceKind::None, b"", b""),
            DeviceEvidence::ActiveSync(id) => (DeviceKind::ActiveSync, id, b""),
            DeviceEvidence::SipInstance(id) => (DeviceKind::SipInstance, id, b""),
            DeviceEvidence::Epid(id) => (DeviceKind::Epid, id, b""),
            DeviceEvidence::CdrEndpoint(id) => (DeviceKind::CdrEndpoint, id, b""),
            DeviceEvidence::Address { address, agent } => (DeviceKind::Address, address, agent),
        };
        Device { kind, id: names.intern(id), agent: names.intern(agent) }
    }
}

/// What a row says of the server, and where the file lay.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Server {
    /// The log's own name for it.
    pub name: Name,
    /// Its address.
    pub address: Name,
    /// First label of a SIP target name.
    pub target: Name,
    /// Folder of the input, as given, with `/`.
    pub folder: Name,
    /// The software that wrote the log.
    pub software: Software,
}

/// What is the same in all rows of one fact, but for their days.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Index of the server.
    pub server: u32,
    /// Service that was reached.
    pub service: Service,
    /// What happened.
    pub outcome: Outcome,
    /// Principal as logged; [`Name::NONE`] for nobody.
    pub principal: Name,
    /// Identity or mailbox that was acted for.
    pub acted_for: Name,
    /// What the access came from.
    pub device: Device,
    /// Where the client stands.
    pub client: Client,
    /// What later rules need.
    pub marks: Marks,
}

/// Two names that a log proves to be one person's, as logged; the smaller first.
pub type Alias = (Name, Name, Proof);

/// Hours of a day in which a server wrote rows, one bit each from 00:00 UTC.
pub type Hours = u32;

/// What one or more segments of an input told, in terms of the [`Tally`](tally::Tally) that their
/// worker keeps.
#[derive(Default)]
pub struct Facts {
    /// The number of that tally.
    pub tally: u32,
    /// What was seen of a key on a UTC day; more than one entry of a key and day mean their sum.
    seen: Vec<(u32, i32, Sightings)>,
    /// Names that belong together, each with the least row that proves it.
    aliases: BTreeMap<Alias, Witness>,
    /// SIP exchanges, whole or in part.
    exchanges: BTreeMap<ExchangeKey, Exchange>,
    /// Mailboxes that something was submitted from, by server: no access, but a corroboration.
    corroborated: BTreeMap<(u32, Name), Sightings>,
}

/// Entries of [`Facts`] that are not worth summing up.
const FEW: usize = 1 << 16;

impl Facts {
    /// Moves every row by the number of lines before the segment.
    pub fn shift(&mut self, lines: u64) {
        let rows = self.seen.iter_mut().map(|(_, _, seen)| seen);
        for seen in rows.chain(self.corroborated.values_mut()) {
            seen.first.line += lines;
            seen.last.line += lines;
        }
        self.aliases.values_mut().for_each(|witness| witness.line += lines);
        self.exchanges.values_mut().for_each(|exchange| exchange.shift_lines(lines));
    }

    /// Adds what another segment of the same input told, in terms of the same tally.
    pub fn append(&mut self, other: Facts) {
        let full = self.seen.len() + other.seen.len() > self.seen.capacity().max(FEW);
        if full {
            self.sum_up();
        }
        self.seen.extend(other.seen);
        for (alias, witness) in other.aliases {
            note_alias(&mut self.aliases, alias, witness);
        }
        for (key, exchange) in other.exchanges {
            merge_exchange(&mut self.exchanges, key, exchange);
        }
        for (key, seen) in other.corroborated {
            corroborate(&mut self.corroborated, key, seen);
        }
    }

    /// One entry for each key and day.
    fn sum_up(&mut self) {
        self.seen.sort_unstable_by_key(|(key, day, _)| (*key, *day));
        self.seen.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2.merge(&next.2);
            }
            same
        });
    }
}

/// Records that two names belong together.
pub(crate) fn note_alias(into: &mut BTreeMap<Alias, Witness>, alias: Alias, witness: Witness) {
    let least = into.entry(alias).or_insert(witness);
    *least = witness.min(*least);
}

/// Adds sightings of a submission.
pub(crate) fn corroborate(
    into: &mut BTreeMap<(u32, Name), Sightings>,
    key: (u32, Name),
    seen: Sightings,
) {
    into.entry(key).and_modify(|known| known.merge(&seen)).or_insert(seen);
}

/// Unites two parts of one exchange.
pub fn merge_exchange(
    into: &mut BTreeMap<ExchangeKey, Exchange>,
    key: ExchangeKey,
    part: Exchange,
) {
    match into.entry(key) {
        std::collections::btree_map::Entry::Vacant(slot) => {
            slot.insert(part);
        }
        std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(part),
    }
}

fn renamed(server: &Server, names: &[Name]) -> Server {
    Server {
        name: server.name.in_terms_of(names),
        address: server.address.in_terms_of(names),
        target: server.target.in_terms_of(names),
        folder: server.folder.in_terms_of(names),
        software: server.software,
    }
}

fn rekeyed(key: &Key, names: &[Name], servers: &[u32]) -> Key {
    Key {
        server: servers[key.server as usize],
        principal: key.principal.in_terms_of(names),
        acted_for: key.acted_for.in_terms_of(names),
        device: Device {
            kind: key.device.kind,
            id: key.device.id.in_terms_of(names),
            agent: key.device.agent.in_terms_of(names),
        },
        ..*key
    }
}

fn realiased((one, other, proof): &Alias, names: &[Name]) -> Alias {
    (one.in_terms_of(names), other.in_terms_of(names), *proof)
}
