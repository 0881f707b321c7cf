//! What must hold of every format on any bytes.
//!
//! The first byte of an input chooses the format, by its place in [`FORMATS`]; any greater one lets
//! the content decide, as a scan does. The rest is the log.

use calproof_parsers::recorder::{Recorder, check_tiled, line_end};
use calproof_parsers::{FORMATS, LogFormat, Memory, Scope, Segment, State, detect};

/// The byte that lets the content decide.
pub const BY_CONTENT: u8 = u8::MAX;

/// Reads `input` whole, and in two pieces where its format allows a cut.
///
/// # Panics
///
/// Where lines are lost or told twice, a rejected line has no reason, or the pieces tell other rows
/// than the whole.
pub fn check(input: &[u8]) {
    let Some((choice, log)) = input.split_first() else { return };
    let (format, state) = match FORMATS.get(usize::from(*choice)) {
        Some(format) => (*format, format.detect(log).unwrap_or_default()),
        None => detect(log),
    };
    let eol = line_end(log);
    let (whole, _) = read(format, state.clone(), log, 0);
    verify(format, log, 0, &whole);

    let cut = format.boundary(log, log.len() / 2, eol);
    let (first, between) = read(format, state, &log[..cut], 0);
    let (second, _) = read(format, between, &log[cut..], cut);
    verify(format, &log[..cut], 0, &first);
    verify(format, &log[cut..], cut, &second);
    // A piece without a line end may have another than the whole.
    if line_end(&log[..cut]) == eol && line_end(&log[cut..]) == eol {
        let pieces: Vec<&str> = rows(&first).chain(rows(&second)).collect();
        let whole: Vec<&str> = rows(&whole).collect();
        assert_eq!(pieces, whole, "{}: cut at {cut}", format.name());
    }
}

fn read(format: &dyn LogFormat, mut state: State, text: &[u8], base: usize) -> (Recorder, State) {
    let scope = Scope::default();
    let mut recorder = Recorder::default();
    let segment = Segment { text, base: base as u64, eol: line_end(text), scope: &scope };
    format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
    (recorder, state)
}

fn verify(format: &dyn LogFormat, text: &[u8], base: usize, recorder: &Recorder) {
    if let Err(fault) = check_tiled(text, base as u64, recorder) {
        panic!("{}: {fault}", format.name());
    }
}

/// What was told of rows, without line numbers, which count within a segment, and without the proofs
/// that names are one, which may be told again in each.
fn rows(recorder: &Recorder) -> impl Iterator<Item = &str> {
    let told = recorder.text.lines().filter_map(|line| line.split_once("\"byte\":"));
    told.map(|(_, row)| row).filter(|row| !row.contains(",\"same\":["))
}
