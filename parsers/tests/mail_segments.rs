//! A mail log may be cut at any line: read in pieces, with the state handed on, it tells the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use calproof_parsers::line::lines;
use calproof_parsers::recorder::Recorder;
use calproof_parsers::sip::SipMessage;
use calproof_parsers::{
    Access, FactId, LineErrorKind, LineKind, Memory, Notice, Place, Proof, Repeats, Scope, Segment,
    ServerEvidence, ServerId, Sink, detect,
};

const FORMATS: [&str; 5] =
    ["exchange-pop3", "exchange-imap4", "exchange-smtp-receive", "exchange-smtp-send", "smtpsvc"];

/// What was told, without line numbers (they count within a segment) and totals.
fn told(text: &[u8], cuts: &[usize]) -> Vec<String> {
    let (format, mut state) = detect(text);
    let scope = Scope::default();
    let mut told: Vec<String> = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([text.len()]) {
        let mut recorder = Recorder::default();
        let segment =
            Segment { text: &text[start..end], base: start as u64, eol: b'\n', scope: &scope };
        format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
        for line in recorder.text.lines() {
            let Some((_, row)) = line.split_once("\"byte\":") else { continue };
            // Every segment may prove an alias anew.
            let proof = row.find("\"same\"").map(|at| &row[at..]);
            if proof.is_none_or(|proof| !told.iter().any(|earlier| earlier.ends_with(proof))) {
                told.push(row.to_owned());
            }
        }
        start = end;
    }
    told
}

#[test]
fn a_log_read_in_pieces_tells_the_same() {
    let mut seen = 0;
    for format in FORMATS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format);
        for case in fs::read_dir(folder).unwrap() {
            let text = fs::read(case.unwrap().path().join("input.log")).unwrap();
            let ends: Vec<usize> = lines(&text, b'\n').map(|range| range.end).collect();
            let whole = told(&text, &[]);
            assert_eq!(told(&text, &ends), whole, "{format}, a line a segment");
            for end in ends {
                assert_eq!(told(&text, &[end]), whole, "{format}, cut at {end}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} samples");
}

/// Rows told in sums are the rows told each by itself: what a memory knows changes nothing.
#[test]
fn what_is_remembered_changes_no_event() {
    let scope = Scope::default();
    let mut seen = 0;
    for format in ["exchange-pop3", "exchange-imap4", "exchange-httpproxy", "exchange-ews"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format);
        for case in fs::read_dir(folder).unwrap() {
            let text = fs::read(case.unwrap().path().join("input.log")).unwrap();
            let (format, state) = detect(&text);
            let events = |memory: &mut Memory, sink: &mut Summed| {
                sink.events.clear();
                let segment = Segment { text: &text, base: 0, eol: b'\n', scope: &scope };
                format.parse(&segment, &mut state.clone(), memory, sink);
                sink.events.clone()
            };
            let mut memory = Memory::default();
            let mut each = Summed { each: true, ..Summed::default() };
            let mut sums = Summed::default();
            let fresh = events(&mut Memory::default(), &mut each);
            for _ in 0..2 {
                assert_eq!(events(&mut memory, &mut sums), fresh, "{}", format.name());
            }
            seen += fresh.len();
        }
    }
    assert!(seen > 50, "{seen} facts");
}

/// Number of rows, and instant and byte of the first and of the last.
type Sum = (u64, (i64, u64), (i64, u64));

/// Counts the events of each fact on each day, with the first and the last of them.
#[derive(Default)]
struct Summed {
    each: bool,
    facts: Vec<String>,
    servers: Vec<String>,
    events: BTreeMap<(String, i64), Sum>,
}

impl Summed {
    fn add(&mut self, fact: FactId, repeats: &Repeats) {
        let at = |place: Place| (place.instant, place.byte);
        let key = (self.facts[fact.0 as usize].clone(), repeats.day());
        let (first, last) = (at(repeats.first), at(repeats.last));
        let (events, least, greatest) = self.events.entry(key).or_insert((0, first, last));
        *events += repeats.events;
        (*least, *greatest) = (first.min(*least), last.max(*greatest));
    }

    fn number(all: &mut Vec<String>, text: String) -> u32 {
        let known = all.iter().position(|known| *known == text);
        known.unwrap_or_else(|| {
            all.push(text);
            all.len() - 1
        }) as u32
    }
}

impl Sink for Summed {
    fn lines(&mut self, _: LineKind, _: u64, _: Range<u64>) {}
    fn rejected(&mut self, _: u64, _: u64, _: LineErrorKind) {}

    fn server(&mut self, server: &ServerEvidence<'_>) -> ServerId {
        ServerId(Self::number(&mut self.servers, format!("{server:?}")))
    }

    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId {
        let fact = FactId(Self::number(&mut self.facts, format!("{access:?}")));
        self.add(fact, &Repeats::once(place));
        fact
    }

    fn again(&mut self, fact: FactId, place: Place) {
        assert!(self.each);
        self.add(fact, &Repeats::once(place));
    }

    fn repeated(&mut self, fact: FactId, repeats: &Repeats) {
        assert!(!self.each);
        self.add(fact, repeats);
    }

    fn wants_each(&self) -> bool {
        self.each
    }

    fn alias(&mut self, _: Place, _: &[u8], _: &[u8], _: Proof) {}
    fn corroborate(&mut self, _: Place, _: &ServerEvidence<'_>, _: &[u8], _: &[u8]) {}
    fn sip(&mut self, _: Place, _: &SipMessage<'_>) {}
    fn active(&mut self, _: &ServerEvidence<'_>, _: i64) {}
    fn span(&mut self, _: i64, _: i64) {}
    fn notice(&mut self, _: Notice) {}
    fn directive(&mut self, _: u64, _: u64, _: &[u8], _: &[u8]) {}
}
