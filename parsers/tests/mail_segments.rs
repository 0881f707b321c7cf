//! A mail log may be cut at any line: read in pieces, with the state handed on, it tells the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::fs;
use std::path::Path;

use calproof_parsers::line::lines;
use calproof_parsers::recorder::{Recorder, Sums};
use calproof_parsers::{Memory, Scope, Segment, detect};

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
            let events = |memory: &mut Memory, sink: &mut Sums| {
                sink.seen.clear();
                let segment = Segment { text: &text, base: 0, eol: b'\n', scope: &scope };
                format.parse(&segment, &mut state.clone(), memory, sink);
                sink.seen.clone()
            };
            let mut memory = Memory::default();
            let mut each = Sums::new(true);
            let mut sums = Sums::new(false);
            let fresh = events(&mut Memory::default(), &mut each);
            for _ in 0..2 {
                assert_eq!(events(&mut memory, &mut sums), fresh, "{}", format.name());
            }
            // Each as it wanted to hear of them.
            assert_eq!((each.told.1, sums.told.0), (0, 0), "{}", format.name());
            seen += fresh.len();
        }
    }
    assert!(seen > 50, "{seen} facts");
}
