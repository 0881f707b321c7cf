//! Takes what a parser tells of one segment and makes facts of it.

use std::collections::BTreeMap;
use std::ops::Range;

use calproof_parsers::sip::{ExchangeKey, SipMessage};
use calproof_parsers::time::DAY_MS;
use calproof_parsers::{
    Access, FactId, LineErrorKind, LineKind, Notice, Place, Proof, Repeats, ServerEvidence,
    ServerId, Sink,
};

use super::clock::Clock;
use super::names::Name;
use super::tally::Tally;
use super::{Device, Facts, Hours, Key, Server, Sightings, Witness, corroborate, note_alias};

/// How many rejected lines of an input are kept with their place.
pub const REJECTED_KEPT: usize = 20;

/// Lines by kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the kinds are those of `LineKind`")]
pub struct Lines {
    pub events: u64,
    pub directives: u64,
    pub blank: u64,
    pub unrelated: u64,
    pub rejected: u64,
}

impl Lines {
    /// All lines.
    pub fn total(&self) -> u64 {
        self.events + self.directives + self.blank + self.unrelated + self.rejected
    }

    /// Adds the lines of another run or segment.
    pub fn merge(&mut self, other: &Lines) {
        self.events += other.events;
        self.directives += other.directives;
        self.blank += other.blank;
        self.unrelated += other.unrelated;
        self.rejected += other.rejected;
    }
}

/// A refused line and where it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RejectedLine {
    /// From 1.
    pub line: u64,
    /// From 0.
    pub byte: u64,
    /// Why.
    pub kind: LineErrorKind,
}

/// A directive line and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directive {
    /// From 1.
    pub line: u64,
    /// Name without `#` and `:`.
    pub name: Box<[u8]>,
    /// Value.
    pub value: Box<[u8]>,
}

/// Everything one segment told.
#[derive(Default)]
pub struct Told {
    /// What the rows say.
    pub facts: Facts,
    /// Hours with rows, by tally, server and day.
    pub active: BTreeMap<(u32, u32, i32), Hours>,
    /// The log itself says which server wrote it.
    pub names_server: bool,
    /// Lines by kind.
    pub lines: Lines,
    /// The first rejected lines.
    pub rejected: Vec<RejectedLine>,
    /// First and last instant, milliseconds.
    pub span: Option<(i64, i64)>,
    /// What weakens the input, sorted.
    pub notices: Vec<Notice>,
    /// `#Fields` and `#Software` lines where they differ from the one before.
    pub directives: Vec<Directive>,
    /// Where its clock went back.
    pub clock: Clock,
}

impl Told {
    /// Adds what the next segment of the same input told, but for its facts, which are taken apart.
    pub fn append(&mut self, next: Told) {
        let lines = self.lines.total();
        for (place, hours) in next.active {
            *self.active.entry(place).or_default() |= hours;
        }
        self.names_server |= next.names_server;
        let room = REJECTED_KEPT.saturating_sub(self.rejected.len());
        self.rejected.extend(
            next.rejected.iter().take(room).map(|r| RejectedLine { line: r.line + lines, ..*r }),
        );
        for directive in next.directives {
            self.directive(Directive { line: directive.line + lines, ..directive });
        }
        self.lines.merge(&next.lines);
        self.clock.append(&next.clock);
        self.span = match (self.span, next.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        for notice in next.notices {
            self.note(notice);
        }
    }

    /// Records something that weakens the input, once.
    pub fn note(&mut self, notice: Notice) {
        if let Err(at) = self.notices.binary_search(&notice) {
            self.notices.insert(at, notice);
        }
    }

    fn directive(&mut self, directive: Directive) {
        let known = self.directives.iter().rfind(|d| d.name == directive.name);
        if known.is_none_or(|d| d.value != directive.value) {
            self.directives.push(directive);
        }
    }
}

/// The sink of one segment.
pub struct Collector<'t> {
    tally: &'t mut Tally,
    told: Told,
    folder: Name,
    /// The server of the access before, its evidence, and its index.
    server: Option<(Server, u32)>,
    /// The UTC day of the row before.
    day: i32,
}

impl<'t> Collector<'t> {
    /// A sink for a segment of an input that lies in `folder`; `number` is the number of the tally.
    pub fn new(tally: &'t mut Tally, number: u32, folder: &str) -> Collector<'t> {
        let seen = tally.begin_segment();
        let folder = tally.names().intern(folder.as_bytes());
        let facts = Facts { tally: number, seen, ..Facts::default() };
        Collector { tally, told: Told { facts, ..Told::default() }, folder, server: None, day: 0 }
    }

    /// What was told.
    pub fn finish(mut self) -> Told {
        self.tally.end_segment(&mut self.told.facts.seen);
        self.told
    }

    fn server_of(&mut self, evidence: &ServerEvidence<'_>) -> u32 {
        let names = self.tally.names();
        if let Some((known, index)) = self.server
            && known.software == evidence.software
            && names.get(known.name) == evidence.name
            && names.get(known.address) == evidence.address
            && names.get(known.target) == evidence.target
        {
            return index;
        }
        let server = Server {
            name: names.intern(evidence.name),
            address: names.intern(evidence.address),
            target: names.intern(evidence.target),
            folder: self.folder,
            software: evidence.software,
        };
        self.told.names_server |= server.name != server.target || server.address != server.target;
        let index = self.tally.server(server);
        self.server = Some((server, index));
        index
    }

    /// Sightings of a key, all on one UTC day.
    #[inline]
    fn sight(&mut self, key: u32, seen: Sightings) {
        let since = seen.first.instant - i64::from(self.day) * DAY_MS;
        if !(0..DAY_MS).contains(&since) {
            self.day = day_of(seen.first.instant);
        }
        let list = &mut self.told.facts.seen;
        let current = self.tally.current(key);
        if let Some((_, day, known)) = current.and_then(|at| list.get_mut(at))
            && *day == self.day
        {
            known.merge(&seen);
            return;
        }
        self.tally.set_current(key, list.len());
        list.push((key, self.day, seen));
    }
}

fn witness(place: Place) -> Witness {
    Witness { instant: place.instant, input: 0, byte: place.byte, line: place.line }
}

fn day_of(instant: i64) -> i32 {
    instant.div_euclid(DAY_MS) as i32
}

impl Sink for Collector<'_> {
    fn lines(&mut self, kind: LineKind, count: u64, _bytes: Range<u64>) {
        let lines = &mut self.told.lines;
        *match kind {
            LineKind::Event => &mut lines.events,
            LineKind::Directive => &mut lines.directives,
            LineKind::Blank => &mut lines.blank,
            LineKind::Unrelated => &mut lines.unrelated,
            LineKind::Rejected => &mut lines.rejected,
        } += count;
    }

    fn rejected(&mut self, line: u64, byte: u64, kind: LineErrorKind) {
        if self.told.rejected.len() < REJECTED_KEPT {
            self.told.rejected.push(RejectedLine { line, byte, kind });
        }
    }

    fn server(&mut self, server: &ServerEvidence<'_>) -> ServerId {
        ServerId(self.server_of(server))
    }

    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId {
        let server = self.server_of(&access.server);
        let names = self.tally.names();
        let device = Device::of(&access.device, names);
        let key = Key {
            server,
            service: access.service,
            outcome: access.outcome,
            principal: names.intern(access.principal),
            acted_for: names.intern(access.acted_for),
            device,
            client: access.client,
            marks: access.marks,
        };
        let key = self.tally.key(key);
        self.sight(key, Sightings::once(witness(place)));
        FactId(key)
    }

    #[inline]
    fn again(&mut self, fact: FactId, place: Place) {
        self.sight(fact.0, Sightings::once(witness(place)));
    }

    fn repeated(&mut self, fact: FactId, repeats: &Repeats) {
        let Repeats { events, first, last } = *repeats;
        self.sight(fact.0, Sightings { events, first: witness(first), last: witness(last) });
    }

    fn alias(&mut self, place: Place, one: &[u8], other: &[u8], proof: Proof) {
        let (one, other) = (one.min(other), one.max(other));
        let names = self.tally.names();
        let alias = (names.intern(one), names.intern(other), proof);
        note_alias(&mut self.told.facts.aliases, alias, witness(place));
    }

    fn sip(&mut self, place: Place, message: &SipMessage<'_>) {
        let exchange = self.told.facts.exchanges.entry(ExchangeKey::of(message)).or_default();
        exchange.note(place, message);
    }

    fn corroborate(
        &mut self,
        place: Place,
        server: &ServerEvidence<'_>,
        mailbox: &[u8],
        _client: &[u8],
    ) {
        let server = self.server_of(server);
        let mailbox = self.tally.names().intern(mailbox);
        let seen = Sightings::once(witness(place));
        corroborate(&mut self.told.facts.corroborated, (server, mailbox), seen);
    }

    fn active(&mut self, server: &ServerEvidence<'_>, hour: i64) {
        let server = self.server_of(server);
        self.told.clock.tick(hour);
        let place = (self.told.facts.tally, server, hour.div_euclid(24) as i32);
        *self.told.active.entry(place).or_default() |= 1 << hour.rem_euclid(24);
    }

    fn span(&mut self, first: i64, last: i64) {
        let (a, b) = self.told.span.unwrap_or((first, last));
        self.told.span = Some((a.min(first), b.max(last)));
    }

    fn notice(&mut self, notice: Notice) {
        self.told.note(notice);
    }

    fn directive(&mut self, line: u64, _byte: u64, name: &[u8], value: &[u8]) {
        let kept = name.eq_ignore_ascii_case(b"Fields") || name.eq_ignore_ascii_case(b"Software");
        if kept {
            self.told.directive(Directive { line, name: name.into(), value: value.into() });
        }
    }
}
