//! What the rows say, as they say it: facts and the merge at the heart.
//!
//! A fact is a key (UTC day, server, service, outcome, principal and device as logged, …) and what
//! was seen of it (how many events, the first and the last row). Facts of segments merge into facts
//! of an input, facts of inputs into [`Usage`](usage::Usage). Every merge is commutative and
//! associative, so that no cut, order or number of threads shows in the result. Names stand as
//! logged; identity, exclusions and rules come later.

pub mod clock;
pub mod collector;
pub mod days;
pub mod names;
pub mod usage;

use std::collections::BTreeMap;

use calproof_parsers::sip::{Exchange, ExchangeKey};
use calproof_parsers::{Client, DeviceEvidence, Marks, Outcome, Proof, Service, Software};
use hashbrown::HashTable;
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

/// What is the same in all rows of one fact. Names are those of the [`Facts`] that hold it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Days since 1970-01-01 (UTC); 0 in [`usage::Usage`], which keeps days apart.
    pub day: i32,
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

/// The facts of a segment, or of an input.
#[derive(Default)]
pub struct Facts {
    /// The strings that keys refer to.
    pub names: Names,
    /// The servers that keys refer to.
    pub servers: Vec<Server>,
    /// Keys and sightings, in the order in which they were first seen.
    pub entries: Vec<(Key, Sightings)>,
    index: HashTable<u32>,
    /// Names that belong together, each with the least row that proves it.
    pub aliases: BTreeMap<Alias, Witness>,
    /// SIP exchanges, whole or in part.
    pub exchanges: BTreeMap<ExchangeKey, Exchange>,
    /// Mailboxes that something was submitted from, by server: no access, but a corroboration.
    pub corroborated: BTreeMap<(u32, Name), Sightings>,
    /// Hours with rows, by server and day.
    pub active: BTreeMap<(u32, i32), Hours>,
}

impl Facts {
    /// The index of a server, new or known.
    pub fn server(&mut self, server: Server) -> u32 {
        place_of(&mut self.servers, server)
    }

    /// Adds sightings to the fact `key` and gives its place in `entries`.
    pub fn add(&mut self, key: Key, sightings: Sightings) -> u32 {
        let hash = self.names.hash(&key);
        let entries = &self.entries;
        if let Some(at) = self.index.find(hash, |i| entries[*i as usize].0 == key) {
            let at = *at;
            self.entries[at as usize].1.merge(&sightings);
            return at;
        }
        let at = self.entries.len() as u32;
        self.entries.push((key, sightings));
        let (entries, names) = (&self.entries, &self.names);
        self.index.insert_unique(hash, at, |i| names.hash(&entries[*i as usize].0));
        at
    }

    /// Adds the facts of another segment of the same input, whose first line is `lines` behind the
    /// first of this one.
    pub fn append(&mut self, other: &Facts, lines: u64) {
        let names = self.names.adopt(&other.names);
        let servers: Vec<u32> =
            other.servers.iter().map(|s| self.server(renamed(s, &names))).collect();
        let moved = |w: Witness| Witness { line: w.line + lines, ..w };
        for (key, seen) in &other.entries {
            let seen = Sightings { first: moved(seen.first), last: moved(seen.last), ..*seen };
            self.add(rekeyed(key, &names, &servers), seen);
        }
        for (alias, witness) in &other.aliases {
            self.alias(realiased(alias, &names), moved(*witness));
        }
        for (key, exchange) in &other.exchanges {
            let mut exchange = exchange.clone();
            exchange.shift_lines(lines);
            merge_exchange(&mut self.exchanges, key.clone(), exchange);
        }
        for ((server, mailbox), seen) in &other.corroborated {
            let seen = Sightings { first: moved(seen.first), last: moved(seen.last), ..*seen };
            let key = (servers[*server as usize], mailbox.in_terms_of(&names));
            corroborate(&mut self.corroborated, key, seen);
        }
        for ((server, day), hours) in &other.active {
            *self.active.entry((servers[*server as usize], *day)).or_default() |= hours;
        }
    }

    /// Records that two names belong together.
    pub fn alias(&mut self, alias: Alias, witness: Witness) {
        let least = self.aliases.entry(alias).or_insert(witness);
        *least = witness.min(*least);
    }
}

/// The place of a server in a list, new or known. The last one is looked at first: it is the likeliest.
pub(crate) fn place_of(servers: &mut Vec<Server>, server: Server) -> u32 {
    let known = servers.iter().rposition(|s| *s == server);
    known.unwrap_or_else(|| {
        servers.push(server);
        servers.len() - 1
    }) as u32
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
