//! The comma-separated logs of Exchange tell the same, however they are cut.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use calproof_parsers::recorder::Recorder;
use calproof_parsers::{Memory, Scope, Segment, State, detect, line};

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

/// Every sample of the formats of this folder: format name, path, text.
fn samples() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let named =
        |p: &PathBuf, name: &str| p.file_name().unwrap().to_str().unwrap().starts_with(name);
    let formats = folders(&root).into_iter().filter(|p| named(p, "exchange-"));
    let csv = |p: &PathBuf| {
        ["httpproxy", "ews", "rca", "mapihttp", "tracking"]
            .iter()
            .any(|f| p.ends_with(format!("exchange-{f}")))
    };
    let cases: Vec<PathBuf> = formats.filter(csv).flat_map(|f| folders(&f)).collect();
    assert!(cases.len() > 10);
    cases.into_iter().map(|c| (c.clone(), fs::read(c.join("input.log")).unwrap())).collect()
}

/// What was told, without what depends on the segment: line numbers, spans, runs.
fn told(text: &[u8], pieces: &[std::ops::Range<usize>]) -> BTreeSet<String> {
    let scope = Scope::default();
    let (format, mut state) = detect(text);
    let mut all = BTreeSet::new();
    for piece in pieces {
        let mut recorder = Recorder::default();
        let segment = Segment {
            text: &text[piece.clone()],
            base: piece.start as u64,
            eol: b'\n',
            scope: &scope,
        };
        format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
        let rows = recorder.text.lines().filter(|l| l.contains("\"byte\":"));
        all.extend(rows.map(|l| l[l.find("\"byte\":").unwrap()..].to_owned()));
    }
    all
}

#[test]
fn one_line_at_a_time_tells_what_the_whole_file_does() {
    for (path, text) in samples() {
        let whole = told(&text, std::slice::from_ref(&(0..text.len())));
        let mut lines: Vec<_> = line::lines(&text, b'\n').collect();
        let by_line: BTreeSet<_> = told(&text, &lines);
        // A pair of names is told once in a segment, so that the pieces may tell more of them.
        let names = |l: &String| l.contains("\"same\":");
        let without = |all: &BTreeSet<String>| -> Vec<String> {
            all.iter().filter(|l| !names(l)).cloned().collect()
        };
        assert_eq!(without(&whole), without(&by_line), "{}", path.display());
        assert!(whole.iter().filter(|l| names(l)).all(|l| by_line.contains(l)));
        // The state that a line leaves is what the next one needs, and all of it.
        lines.truncate(lines.len() / 2);
        let cut = lines.last().map_or(0, |l| l.end);
        let halves = told(&text, &[0..cut, cut..text.len()]);
        assert_eq!(without(&whole), without(&halves), "{}", path.display());
    }
}

#[test]
fn no_secret_of_a_row_is_told() {
    for (path, text) in samples() {
        let (format, state) = detect(&text);
        let scope = Scope::default();
        let mut recorder = Recorder::default();
        let segment = Segment { text: &text, base: 0, eol: b'\n', scope: &scope };
        format.parse(&segment, &mut state.clone(), &mut Memory::default(), &mut recorder);
        for secret in ["secret", "MAPIContext", "0123456789abcdef0123456789abcdef\""] {
            assert!(!recorder.text.contains(secret), "{}: {secret}", path.display());
        }
    }
}

/// Where the header stands before any row, its columns are known before the first line is read, and so
/// are they behind the last one.
#[test]
fn the_first_state_is_that_behind_the_header() {
    let scope = Scope::default();
    let (mut known, mut all) = (0, 0);
    for (path, text) in samples() {
        let (format, first) = detect(&text);
        let read = |mut state: State| {
            let mut recorder = Recorder::default();
            let segment = Segment { text: &text, base: 0, eol: b'\n', scope: &scope };
            format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
            (recorder.text, recorder.runs, state)
        };
        let told = read(first.clone());
        assert_eq!(told, read(State::default()), "{}", path.display());
        known += usize::from(told.2 == first);
        all += 1;
    }
    assert!(known * 2 > all, "{known} of {all}");
}
