//! Raw rows, quoted with their place and without their secrets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::ops::Range;

use calproof_parsers::LogFormat;
use serde::Serialize;

use super::reread::{self, Spot, row, visit};
use super::sample;
use super::{EvidenceError, Hidden, Subject};
use crate::blank::{Layout, blanked, secrets};
use crate::census::Census;
use crate::digest::{hex, unhex};
use crate::facts::Witness;
use crate::ingest::input::InputReport;
use crate::pseudonym::{self, Key};
use crate::report;

/// A quoted row.
#[derive(Serialize)]
pub(crate) struct Quoted {
    pub(crate) path: String,
    pub(crate) sha256: String,
    /// From 1; `None` for a row of the sample, whose line was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    pub(crate) byte: u64,
    length: u64,
    /// Whether the row is longer than what is quoted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blanked: Vec<Blank>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
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

impl Quoted {
    /// The row as it is shown; of bytes that are no text, what can be read of them.
    pub(crate) fn shown(&self) -> String {
        let bytes = || unhex(self.hex.as_deref()?.as_bytes());
        match &self.text {
            Some(text) => text.clone(),
            None => String::from_utf8_lossy(&bytes().unwrap_or_default()).into_owned(),
        }
    }

    /// What binds to the row and hides it.
    pub(crate) fn commitment(&self, salt: &[u8; 32]) -> String {
        // Hexadecimal digits are what stands there for bytes that are no text.
        let content = self.text.as_deref().or(self.hex.as_deref()).unwrap_or_default();
        pseudonym::commitment(salt, &format!("{} {}", self.sha256, self.byte), content.as_bytes())
    }
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
pub(super) fn witnesses(
    subject: &Subject<'_>,
    hidden: Option<&Hidden<'_, '_>>,
    out: &mut dyn Write,
) -> Result<(), EvidenceError> {
    for (input, places) in cited(subject.census) {
        let known = &*as_read(subject, input, hidden);
        let key = hidden.map(|hidden| hidden.names.key());
        let lines: Vec<u64> = places.values().copied().collect();
        let places: Vec<u64> = places.into_keys().collect();
        let mut failure = None;
        let mut take = |i: usize, spot: Option<Spot<'_>>| {
            let taken = match (spot, reread::format(known.format)) {
                (Some(spot), Some(format)) => {
                    write(known, format, (places[i], Some(lines[i])), &spot, key, out)
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
    hidden: Option<&Hidden<'_, '_>>,
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
        let known = &*as_read(subject, input, hidden);
        let key = hidden.map(|hidden| hidden.names.key());
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
                let place = (places[i] + start as u64, None);
                match write(known, format, place, &from, key, &mut line) {
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

/// What is known of an input, with its directives as they were read: by them secrets are found.
fn as_read<'a>(
    subject: &'a Subject<'_>,
    input: u32,
    hidden: Option<&Hidden<'_, '_>>,
) -> Cow<'a, InputReport> {
    let known = &subject.census.inputs[input as usize];
    match hidden.and_then(|hidden| hidden.directives.get(input as usize)) {
        Some(read) => Cow::Owned(InputReport { directives: read.clone(), ..known.clone() }),
        None => Cow::Borrowed(known),
    }
}

/// Writes the row at a byte, with its line where that is known: quoted, or under a key committed.
fn write(
    known: &InputReport,
    format: &dyn LogFormat,
    (byte, line): (u64, Option<u64>),
    spot: &Spot<'_>,
    key: Option<&Key>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let row = quote(known, format, (byte, line), spot);
    let Some(key) = key else {
        return report::line(&row, out);
    };
    #[derive(Serialize)]
    struct Committed<'a> {
        path: &'a str,
        sha256: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
        byte: u64,
        commitment: String,
    }
    let commitment = row.commitment(&key.salt_of_row(&row.sha256, byte));
    let Quoted { path, sha256, .. } = &row;
    report::line(&Committed { path, sha256, line, byte, commitment }, out)
}

/// The row at a byte without its secrets.
pub(crate) fn quote(
    known: &InputReport,
    format: &dyn LogFormat,
    (byte, line): (u64, Option<u64>),
    spot: &Spot<'_>,
) -> Quoted {
    let (row, whole) = row(format, spot.text, spot.eol);
    let ranges = secrets(row, &Layout::of(known, line));
    let blank = |r: &Range<usize>| Blank { at: r.start as u64, length: r.len() as u64 };
    let (text, hex) = match String::from_utf8(blanked(row, &ranges)) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(hex(error.as_bytes()))),
    };
    Quoted {
        path: known.path.clone(),
        sha256: super::sha256_of(known).to_owned(),
        line,
        byte,
        length: row.len() as u64,
        cut: !whole,
        blanked: ranges.iter().map(blank).collect(),
        text,
        hex,
    }
}
