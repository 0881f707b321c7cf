//! The random sample: that it is the one which its seed gives. Written apart from what draws it.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::FORMATS;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Verdict;
use super::contents::{Contents, Source};
use super::passage::Spot;
use crate::digest::hex;
use crate::evidence::{DRAWS, REACH, WANTED};

/// A draw: its number, and the byte of its source.
pub(super) struct Draw {
    number: u64,
    byte: u64,
}

impl Draw {
    /// Where to look, so that the beginning of the line is in sight.
    pub(super) fn place(&self) -> u64 {
        self.byte.saturating_sub(REACH)
    }
}

fn is_sampled(source: &Source) -> bool {
    source.format != "unknown" && source.duplicate_of.is_none() && source.superseded_by.is_none()
}

/// The draws of every source, by its index; none where the seed cannot be read.
pub(super) fn draws(contents: &Contents) -> BTreeMap<usize, Vec<Draw>> {
    let mut drawn: BTreeMap<usize, Vec<Draw>> = BTreeMap::new();
    let seed = contents.run["sample"]["seed"].as_str().filter(|seed| seed.is_ascii());
    let seed: Option<Vec<u8>> = seed.and_then(|seed| {
        (0..seed.len() / 2).map(|i| u8::from_str_radix(&seed[2 * i..2 * i + 2], 16).ok()).collect()
    });
    let sampled = || contents.sources.iter().enumerate().filter(|(_, s)| is_sampled(s));
    let sum: u64 = sampled().map(|(_, source)| source.bytes).sum();
    let (Some(seed), true) = (seed, sum > 0) else { return drawn };
    for number in 0..DRAWS {
        let digest = Sha256::digest([&seed[..], &number.to_be_bytes()].concat());
        let mut at = digest[..8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte)) % sum;
        for (i, source) in sampled() {
            if at < source.bytes {
                drawn.entry(i).or_default().push(Draw { number, byte: at });
                break;
            }
            at -= source.bytes;
        }
    }
    for draws in drawn.values_mut() {
        draws.sort_by_key(|draw| (draw.byte, draw.number));
    }
    drawn
}

/// What can be said without the logs: every row was drawn, in this order.
pub(super) fn check(contents: &Contents, verdict: &mut Verdict) {
    let stated = &contents.run["sample"];
    let (wanted, draws_made, reach) = (json!(WANTED), json!(DRAWS), json!(REACH));
    if stated["wanted"] != wanted || stated["draws"] != draws_made || stated["reach"] != reach {
        verdict.refuse(format!(
            "data/run.json: `sample` was not drawn by the rules of docs/evidence.md ({WANTED} rows of \
             {DRAWS} draws within {REACH} bytes)"
        ));
        return;
    }
    let index: BTreeMap<&str, usize> =
        contents.sources.iter().enumerate().map(|(i, s)| (s.path.as_str(), i)).collect();
    let drawn = draws(contents);
    let mut last: Option<u64> = None;
    for row in &contents.sample {
        let hits: Vec<&Draw> =
            index.get(row.path.as_str()).and_then(|i| drawn.get(i)).into_iter().flatten().collect();
        let within = |length: u64| {
            let end = row.byte.saturating_add(length.min(REACH));
            hits.iter().filter(move |d| (row.byte..end).contains(&d.byte)).map(|d| d.number)
        };
        // A line ends with two bytes at most; the second may be of the next line already. How long a
        // row is that is only committed to is not known.
        let most = if row.is_quoted() { row.length.saturating_add(2) } else { REACH };
        let first = within(most).filter(|n| Some(*n) > last).min();
        let surely = within(row.length).min();
        match first {
            Some(number) if surely.is_none_or(|surely| number <= surely) => last = Some(number),
            _ => {
                let drawn = within(most).next().is_some();
                let why = if drawn { "is not in its place" } else { "was not drawn" };
                verdict.refuse(format!(
                    "data/witness-rows/sample.jsonl: the row at byte {} of {} {why} by the seed of data/run.json",
                    row.byte, row.path
                ));
                return;
            }
        }
    }
}

/// The sample drawn again from the logs.
#[derive(Default)]
pub(super) struct Again {
    /// Number of the draw to source and byte.
    accepted: BTreeMap<u64, (usize, u64)>,
}

impl Again {
    /// Takes a draw, whose place is in sight, where it hits the beginning of a line.
    pub(super) fn take(&mut self, source: usize, format: &str, draw: &Draw, spot: &Spot<'_>) {
        let Some(at) =
            usize::try_from(draw.byte - draw.place()).ok().filter(|at| *at < spot.text.len())
        else {
            return;
        };
        let behind_end = spot.text[..at].iter().rposition(|byte| *byte == spot.eol);
        let at_edge = spot.before.last().is_none_or(|byte| *byte == spot.eol);
        let Some(start) = behind_end.map(|end| end + 1).or(at_edge.then_some(0)) else { return };
        let format = FORMATS.iter().find(|known| known.name() == format);
        let begins = format.is_some_and(|format| {
            !format.spans_lines() || format.boundary(spot.text, start, spot.eol) == start
        });
        if begins && ((at - start) as u64) < REACH {
            self.accepted.insert(draw.number, (source, draw.place() + start as u64));
        }
    }

    /// Whether the bundle's sample is this one.
    pub(super) fn compare(&self, contents: &Contents, verdict: &mut Verdict) {
        let mut rows = BTreeSet::new();
        let expected: Vec<(&str, u64)> = self
            .accepted
            .values()
            .filter(|row| rows.insert(**row))
            .take(WANTED)
            .map(|(source, byte)| (contents.sources[*source].path.as_str(), *byte))
            .collect();
        let found: Vec<(&str, u64)> =
            contents.sample.iter().map(|row| (row.path.as_str(), row.byte)).collect();
        if found == expected {
            verdict
                .note(format!("{} rows of the sample are those that its seed draws", found.len()));
            return;
        }
        let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
        let at = differs.unwrap_or_else(|| expected.len().min(found.len()));
        let told = |row: Option<&(&str, u64)>| {
            row.map_or("none".to_owned(), |(path, byte)| {
                format!("the one at byte {byte} of {path}")
            })
        };
        verdict.refuse(format!(
            "data/witness-rows/sample.jsonl:{}: the seed {} draws another row from the logs: {}, found {}",
            at + 1,
            contents.run["sample"]["seed"].as_str().map_or_else(|| hex(b""), str::to_owned),
            told(expected.get(at)),
            told(found.get(at))
        ));
    }
}
