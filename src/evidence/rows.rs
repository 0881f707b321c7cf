//! Raw rows, quoted with their place and without their secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use calproof_parsers::LogFormat;
use serde::Serialize;

use super::reread::{self, Spot, row, visit};
use super::sample;
use super::{EvidenceError, Subject};
use crate::blank::{Layout, blanked, secrets};
use crate::census::Census;
use crate::facts::Witness;
use crate::ingest::input::InputReport;
use crate::report;

/// A quoted row.
#[derive(Serialize)]
struct Quoted<'a> {
    path: &'a str,
    sha256: &'a str,
    /// From 1; `None` for a row of the sample, whose line was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    byte: u64,
    length: u64,
    /// Whether the row is longer than what is quoted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blanked: Vec<Blank>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// The text in hexadecimal, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// Bytes of a row that are not quoted.
#[derive(Serialize)]
struct Blank {
    /// Offset in the row, from 0.
    at: u64,
    length: u64,
}

/// Every row that something in the bundle rests on: (input, byte) to its line.
fn cited(census: &Census) -> BTreeMap<u32, BTreeMap<u64, u64>> {
    let people = census.people.iter().map(|p| p.witness);
    let excluded = census.excluded.iter().map(|e| e.witness);
    let unresolved = census.unresolved.iter().map(|u| u.witness);
    let suspected = census.suspected_shared.iter().map(|s| s.witness);
    let pairs = census.requirements.iter().flat_map(|r| r.mix.pairs.iter().map(|p| p.witness));
    let mut cited: BTreeMap<u32, BTreeMap<u64, u64>> = BTreeMap::new();
    let named = people.chain(excluded).chain(unresolved).chain(suspected);
    for Witness { input, byte, line, .. } in named.chain(pairs) {
        cited.entry(input).or_default().insert(byte, line);
    }
    cited
}

/// Writes the rows that are cited, in the order of (input, byte).
///
/// # Errors
///
/// An input that cannot be read again, or is shorter than it was; an output that takes no bytes.
pub(super) fn witnesses(subject: &Subject<'_>, out: &mut dyn Write) -> Result<(), EvidenceError> {
    for (input, places) in cited(subject.census) {
        let known = &subject.census.inputs[input as usize];
        let lines: Vec<u64> = places.values().copied().collect();
        let places: Vec<u64> = places.into_keys().collect();
        let mut failure = None;
        let mut take = |i: usize, spot: Option<Spot<'_>>| {
            let taken = match (spot, reread::format(known.format)) {
                (Some(spot), Some(format)) => {
                    quote(known, format, places[i], Some(lines[i]), &spot, out)
                        .map_err(EvidenceError::Row)
                }
                _ => Err(EvidenceError::Again {
                    path: known.path.clone(),
                    reason: format!("it no longer has the row at byte {}", places[i]),
                }),
            };
            failure = failure.take().or(taken.err());
        };
        visit(&subject.inputs[input as usize], &places, subject.options, &mut take)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    Ok(())
}

/// Writes a random sample of rows, in the order in which they were drawn, and gives their number.
///
/// # Errors
///
/// As [`witnesses`].
pub(super) fn sample(
    subject: &Subject<'_>,
    plan: &sample::Plan,
    out: &mut dyn Write,
) -> Result<u64, EvidenceError> {
    let mut drawn: BTreeMap<u32, Vec<(u64, usize)>> = BTreeMap::new();
    for (number, (input, byte)) in plan.draws(subject.census).enumerate() {
        drawn.entry(input).or_default().push((byte, number));
    }
    let mut accepted: BTreeMap<usize, (u32, u64, Vec<u8>)> = BTreeMap::new();
    for (input, mut draws) in drawn {
        draws.sort_unstable();
        let known = &subject.census.inputs[input as usize];
        let Some(format) = reread::format(known.format) else { continue };
        // Some bytes earlier, so that the beginning of the line is in sight.
        let places: Vec<u64> =
            draws.iter().map(|(byte, _)| byte.saturating_sub(sample::REACH)).collect();
        let mut failure = None;
        let mut take = |i: usize, spot: Option<Spot<'_>>| {
            let Some(spot) = spot else { return };
            let (byte, number) = draws[i];
            if let Some(start) = sample::start(&spot, places[i], byte, format) {
                let from = Spot { text: &spot.text[start..], ..spot };
                let mut line = Vec::new();
                match quote(known, format, places[i] + start as u64, None, &from, &mut line) {
                    Ok(()) => {
                        accepted.insert(number, (input, places[i] + start as u64, line));
                    }
                    Err(error) => failure = Some(EvidenceError::Row(error)),
                }
            }
        };
        visit(&subject.inputs[input as usize], &places, subject.options, &mut take)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    let mut rows = BTreeSet::new();
    for (input, byte, line) in accepted.into_values() {
        if rows.len() < sample::WANTED && rows.insert((input, byte)) {
            out.write_all(&line).map_err(EvidenceError::Row)?;
        }
    }
    Ok(rows.len() as u64)
}

/// Writes one row.
fn quote(
    known: &InputReport,
    format: &dyn LogFormat,
    byte: u64,
    line: Option<u64>,
    spot: &Spot<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (row, whole) = row(format, spot.text, spot.eol);
    let ranges = secrets(row, &Layout::of(known, line));
    let shown = blanked(row, &ranges);
    let text = std::str::from_utf8(&shown).ok();
    let quoted = Quoted {
        path: &known.path,
        sha256: super::sha256_of(known),
        line,
        byte,
        length: row.len() as u64,
        cut: !whole,
        blanked: ranges
            .iter()
            .map(|r| Blank { at: r.start as u64, length: r.len() as u64 })
            .collect(),
        text,
        hex: text.is_none().then(|| shown.iter().map(|b| format!("{b:02x}")).collect()),
    };
    report::line(&quoted, out)
}
