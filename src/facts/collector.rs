//! Takes what a parser tells of one segment and makes facts of it.

use std::ops::Range;

use calproof_parsers::sip::{Exchange, SipMessage};
use calproof_parsers::time::DAY_MS;
use calproof_parsers::{
    Access, FactId, LineErrorKind, LineKind, Notice, Place, Proof, ServerEvidence, Sink,
};

use super::clock::Clock;
use super::names::Name;
use super::{Device, Facts, Key, Server, Sightings, Witness, corroborate, merge_exchange};

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
    /// Adds what the next segment of the same input told.
    pub fn append(&mut self, next: Told) {
        if self.lines.total() == 0 {
            // Without a line nothing was told.
            *self = next;
            return;
        }
        let lines = self.lines.total();
        self.facts.append(&next.facts, lines);
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
pub struct Collector {
    told: Told,
    folder: Name,
    /// The server of the access before, and its index.
    server: Option<(Server, u32)>,
}

impl Collector {
    /// A sink for a segment of an input that lies in `folder`.
    pub fn new(folder: &str) -> Collector {
        let mut told = Told::default();
        let folder = told.facts.names.intern(folder.as_bytes());
        Collector { told, folder, server: None }
    }

    /// What was told.
    pub fn finish(self) -> Told {
        self.told
    }

    fn server(&mut self, evidence: &ServerEvidence<'_>) -> u32 {
        let names = &mut self.told.facts.names;
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
        let index = self.told.facts.server(server);
        self.server = Some((server, index));
        index
    }
}

fn witness(place: Place) -> Witness {
    Witness { instant: place.instant, input: 0, byte: place.byte, line: place.line }
}

fn day_of(instant: i64) -> i32 {
    instant.div_euclid(DAY_MS) as i32
}

impl Sink for Collector {
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

    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId {
        let server = self.server(&access.server);
        let names = &mut self.told.facts.names;
        let device = Device::of(&access.device, names);
        let key = Key {
            day: day_of(place.instant),
            server,
            service: access.service,
            outcome: access.outcome,
            principal: names.intern(access.principal),
            acted_for: names.intern(access.acted_for),
            device,
            client: access.client,
            marks: access.marks,
        };
        FactId(self.told.facts.add(key, Sightings::once(witness(place))))
    }

    #[inline]
    fn again(&mut self, fact: FactId, place: Place) {
        self.told.facts.entries[fact.0 as usize].1.merge(&Sightings::once(witness(place)));
    }

    fn alias(&mut self, place: Place, one: &[u8], other: &[u8], proof: Proof) {
        let (one, other) = (one.min(other), one.max(other));
        let facts = &mut self.told.facts;
        let alias = (facts.names.intern(one), facts.names.intern(other), proof);
        facts.alias(alias, witness(place));
    }

    fn sip(&mut self, place: Place, message: &SipMessage<'_>) {
        let (key, exchange) = Exchange::from_message(place, message);
        merge_exchange(&mut self.told.facts.exchanges, key, exchange);
    }

    fn corroborate(
        &mut self,
        place: Place,
        server: &ServerEvidence<'_>,
        mailbox: &[u8],
        _client: &[u8],
    ) {
        let server = self.server(server);
        let facts = &mut self.told.facts;
        let mailbox = facts.names.intern(mailbox);
        corroborate(&mut facts.corroborated, (server, mailbox), Sightings::once(witness(place)));
    }

    fn active(&mut self, server: &ServerEvidence<'_>, hour: i64) {
        let server = self.server(server);
        self.told.clock.tick(hour);
        let day = hour.div_euclid(24) as i32;
        *self.told.facts.active.entry((server, day)).or_default() |= 1 << hour.rem_euclid(24);
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
