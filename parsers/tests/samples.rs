//! Every sample is read as its golden file says, every format knows its own and no other's, and
//! the lines of any bytes add up.
//!
//! `samples/<format>/<case>/` holds `input.log`, `events.jsonl` and `NOTE.md`. Run with
//! `UPDATE_GOLDEN=1` to write the golden files anew, and review the difference.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use calproof_parsers::recorder::{Recorder, check_tiled, line_end};
use calproof_parsers::{FORMATS, LogFormat, Memory, Scope, Segment, State, detect};
use proptest::prelude::*;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

/// Folder name of the format, and the case's folder.
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for format in folders(&samples()) {
        let name = format.file_name().unwrap().to_str().unwrap().to_owned();
        if FORMATS.iter().any(|f| f.name() == name) {
            cases.extend(folders(&format).into_iter().map(|case| (name.clone(), case)));
        }
    }
    assert!(!cases.is_empty(), "no samples found");
    cases
}

/// Parses `text` whole.
fn record(format: &dyn LogFormat, state: &State, text: &[u8]) -> Recorder {
    let scope = Scope::default();
    let mut recorder = Recorder::default();
    let segment = Segment { text, base: 0, eol: line_end(text), scope: &scope };
    format.parse(&segment, &mut state.clone(), &mut Memory::default(), &mut recorder);
    recorder
}

fn golden_text(recorder: &Recorder) -> String {
    let mut text = recorder.text.clone();
    for (kind, count, bytes) in &recorder.runs {
        text.push_str(&format!(
            "{{\"lines\":\"{kind:?}\",\"count\":{count},\"bytes\":\"{bytes:?}\"}}\n"
        ));
    }
    text
}

#[test]
fn samples_are_read_as_their_golden_files_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let input = fs::read(case.join("input.log")).unwrap();
        let (format, state) = detect(&input[..input.len().min(64 * 1024)]);
        assert_eq!(format.name(), name, "{}", case.display());
        assert!(case.join("NOTE.md").exists(), "{} lacks a NOTE.md", case.display());
        let text = golden_text(&record(format, &state, &input));
        let golden = case.join("events.jsonl");
        if update {
            fs::write(&golden, &text).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n") != text {
            wrong.push(format!("{}:\n{text}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "other than the golden file says:\n{}", wrong.join("\n"));
}

#[test]
fn every_format_has_a_sample_and_reads_its_own_example() {
    let cases = cases();
    for format in FORMATS {
        assert!(cases.iter().any(|(name, _)| name == format.name()), "{}", format.name());
        let example = format.describe().example.as_bytes();
        let (found, state) = detect(example);
        assert_eq!(found.name(), format.name());
        let recorder = record(*format, &state, example);
        assert!(!recorder.text.contains("rejected"), "{}: {}", format.name(), recorder.text);
    }
}

fn assert_tiled(text: &[u8], recorder: &Recorder) {
    assert_eq!(check_tiled(text, 0, recorder), Ok(()));
}

/// Text that looks enough like a log to reach every corner: real samples, cut, joined and damaged.
fn any_log() -> impl Strategy<Value = Vec<u8>> {
    let inputs: Vec<Vec<u8>> =
        cases().into_iter().map(|(_, case)| fs::read(case.join("input.log")).unwrap()).collect();
    let piece =
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(move |(which, a, b)| {
                let input = which.get(&inputs);
                let (a, b) = (a.index(input.len() + 1), b.index(input.len() + 1));
                input[a.min(b)..a.max(b)].to_vec()
            });
    let noise = prop::collection::vec(
        prop_oneof![
            Just(b' '),
            Just(b'\n'),
            Just(b'\r'),
            Just(0),
            Just(b'"'),
            Just(b','),
            any::<u8>()
        ],
        0..40,
    );
    prop::collection::vec(prop_oneof![3 => piece, 1 => noise], 0..5).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_byte_is_accounted_for(log in any_log()) {
        let (format, state) = detect(&log);
        assert_tiled(&log, &record(format, &state, &log));
    }

    #[test]
    fn no_format_minds_any_bytes(log in any_log()) {
        for format in FORMATS {
            assert_tiled(&log, &record(*format, &State::default(), &log));
        }
    }
}
