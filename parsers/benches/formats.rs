//! Bytes a second of every format over 16 MB of its samples' rows, one thread, beside IIS W3C text.
//!
//! The rows of a sample are repeated behind its directives, so few names and sessions come again and
//! again: a comparison of formats and a guard against the day one becomes slow, no forecast. The bench
//! `mail` has rows of many people.
//!
//! `cargo bench -p calproof-parsers --bench formats`

#![allow(clippy::print_stdout, reason = "a bench prints its numbers")]

mod measure;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use calproof_parsers::recorder::Recorder;
use calproof_parsers::{FORMATS, LineKind, LogFormat, Memory, Scope, Segment, State, detect};
use measure::Count;

/// Bytes of text a format, all its samples together.
const SIZE: usize = 16 << 20;
/// What the others are compared with.
const YARDSTICK: &str = "iis-w3c";

fn main() -> io::Result<()> {
    let mut measured = Vec::new();
    for format in FORMATS {
        let logs = logs(*format)?;
        let (mut bytes, mut seconds, mut sum) = (0, 0.0, Count::default());
        for (state, log) in &logs {
            let (count, best) = measure::read(*format, state, log);
            bytes += log.len();
            seconds += best;
            sum.lines += count.lines;
            sum.accesses += count.accesses;
            sum.rejected += count.rejected;
        }
        measured.push((format.name(), logs.len(), bytes as f64 / seconds, sum));
    }
    let yardstick = measured.iter().find(|m| m.0 == YARDSTICK).map_or(f64::NAN, |m| m.2);
    println!(
        "{:22} {:>7} {:>8} {:>9} {:>10} {:>10} {:>9}",
        "format", "samples", "MB/s", YARDSTICK, "lines", "accesses", "rejected"
    );
    for (name, samples, speed, count) in measured {
        println!(
            "{name:22} {samples:>7} {:>8.0} {:>7.2} x {:>10} {:>10} {:>9}",
            speed / 1e6,
            speed / yardstick,
            count.lines,
            count.accesses,
            count.rejected
        );
    }
    Ok(())
}

/// One log for each of the format's samples, with the state of its first row.
fn logs(format: &dyn LogFormat) -> io::Result<Vec<(State, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format.name());
    let mut cases: Vec<PathBuf> = Vec::new();
    for case in fs::read_dir(folder)? {
        cases.push(case?.path().join("input.log"));
    }
    cases.sort();
    let mut logs = Vec::new();
    for case in &cases {
        let text = fs::read(case)?;
        let (_, state) = detect(&text);
        let log = repeated(format, &state, &text, SIZE / cases.len());
        logs.push((state, log));
    }
    Ok(logs)
}

/// What stands before the first row, then the rows up to the next directive over and over; the whole
/// text where it has none.
fn repeated(format: &dyn LogFormat, state: &State, text: &[u8], size: usize) -> Vec<u8> {
    let scope = Scope::default();
    let mut recorder = Recorder::default();
    let segment = Segment { text, base: 0, eol: b'\n', scope: &scope };
    format.parse(&segment, &mut state.clone(), &mut Memory::default(), &mut recorder);
    let before = recorder.runs.iter().skip_while(|run| run.0 != LineKind::Event);
    let events = before
        .take_while(|run| run.0 != LineKind::Directive)
        .filter(|run| run.0 == LineKind::Event);
    let mut rows: Vec<u8> = Vec::new();
    for (_, _, bytes) in events.clone() {
        rows.extend_from_slice(&text[bytes.start as usize..bytes.end as usize]);
        if !rows.ends_with(b"\n") {
            rows.push(b'\n');
        }
    }
    let mut log = match events.clone().next() {
        Some((_, _, first)) => text[..first.start as usize].to_vec(),
        None => {
            rows = text.to_vec();
            Vec::new()
        }
    };
    while log.len() < size && !rows.is_empty() {
        log.extend_from_slice(&rows);
    }
    log
}
