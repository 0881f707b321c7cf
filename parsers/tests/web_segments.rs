//! Web, UAL and CDR logs may be cut wherever their format allows it: read in pieces, with the state
//! handed on, they tell the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::fs;
use std::path::Path;

use calproof_parsers::recorder::Recorder;
use calproof_parsers::{Memory, Scope, Segment, detect};

const FORMATS: [&str; 7] =
    ["httperr", "iis-advanced", "iis-native", "ncsa", "iis-etw", "ual", "ocs-cdr"];

/// What was told of rows, without line numbers, which count within a segment.
fn told(text: &[u8], cuts: &[usize]) -> Vec<String> {
    let (_, mut state) = detect(text);
    let (format, scope) = (detect(text).0, Scope::default());
    let (mut told, mut start) = (Vec::new(), 0);
    for end in cuts.iter().copied().chain([text.len()]) {
        let mut recorder = Recorder::default();
        let segment =
            Segment { text: &text[start..end], base: start as u64, eol: b'\n', scope: &scope };
        format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
        let rows = recorder.text.lines().filter_map(|l| l.split_once("\"byte\":"));
        told.extend(rows.map(|(_, row)| row.to_owned()));
        start = end;
    }
    told
}

#[test]
fn a_log_read_in_pieces_tells_the_same() {
    let mut seen = 0;
    for name in FORMATS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
        for case in fs::read_dir(folder).unwrap() {
            let text = fs::read(case.unwrap().path().join("input.log")).unwrap();
            let format = detect(&text).0;
            let mut cuts = Vec::new();
            let mut at = 0;
            while at < text.len() {
                at = format.boundary(&text, at, b'\n');
                cuts.push(at);
            }
            let whole = told(&text, &[]);
            assert!(!whole.is_empty() || name == "httperr");
            assert_eq!(told(&text, &cuts), whole, "{name}, every piece by itself");
            for cut in cuts {
                assert_eq!(told(&text, &[cut]), whole, "{name}, cut at {cut}");
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} samples");
}
