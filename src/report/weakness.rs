//! What weakens a count, and in which words it is told.

use crate::census::Census;
use crate::ingest::input::InputReport;

/// One kind of weakness with all its places.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Weakness {
    /// Short code: `blind-log`.
    pub code: &'static str,
    /// What it means for the count, in words.
    pub title: &'static str,
    /// How many lines or places there are, the ones that are not listed included.
    pub count: u64,
    /// The places: path (may be empty) and what was found there.
    pub places: Vec<(String, String)>,
}

/// The codes of single inputs in the order of their weight, with what they mean after a number.
/// Others follow in the order of the warnings and speak for themselves.
const CODES: [(&str, &str); 7] = [
    ("unreadable", "not read, or not to the end: whoever is only in there is missing"),
    (REJECTED, "lines that could not be read: whoever is only on them is missing"),
    ("blind-log", "logs without the columns that show who was there"),
    ("unknown-log", "like logs, but of no known format: whoever is only in there is missing"),
    ("changed-while-read", "files that changed while they were read"),
    ("assumed-fields", "logs without a header, so that a known layout was assumed"),
    ("unknown-time-base", "logs in local time of an unknown zone: days may be shifted"),
];

/// Lines that could not be read; told line by line instead of file by file.
const REJECTED: &str = "rejected-lines";

/// What weakens the count, the heaviest first: the warnings by code, and the rejected lines.
pub fn weaknesses(census: &Census) -> Vec<Weakness> {
    let mut found = Vec::new();
    let mut codes: Vec<(&str, &str)> = CODES.to_vec();
    for warning in &census.warnings {
        if codes.iter().all(|(code, _)| *code != warning.code) {
            codes.push((warning.code, ""));
        }
    }
    for (code, title) in codes {
        if code == REJECTED {
            found.extend(rejected(census, title));
            continue;
        }
        let places: Vec<(String, String)> = census
            .warnings
            .iter()
            .filter(|w| w.code == code)
            .map(|w| (w.path.clone(), beside_path(&w.path, &w.text)))
            .collect();
        if !places.is_empty() {
            found.push(Weakness { code, title, count: places.len() as u64, places });
        }
    }
    found
}

/// The text of a warning without the path that it may begin with.
fn beside_path(path: &str, text: &str) -> String {
    let rest = text.strip_prefix(path).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(text).to_owned()
}

/// Whether the count is a floor because of what was found in the inputs, or where none was found.
pub fn is_floor(census: &Census) -> bool {
    census.inputs.iter().any(InputReport::weakens)
        || census.warnings.iter().any(|w| w.code == "unreadable")
}

fn rejected(census: &Census, title: &'static str) -> Option<Weakness> {
    let count = census.inputs.iter().map(|i| i.lines.rejected).sum();
    // The first of every input before the second of any, so that no input hides another.
    let most = census.inputs.iter().map(|i| i.rejected.len()).max().unwrap_or(0);
    let places = (0..most)
        .flat_map(|n| census.inputs.iter().filter_map(move |i| Some((i, i.rejected.get(n)?))))
        .map(|(i, r)| (format!("{}:{}", i.path, r.line), format!("{} (byte {})", r.kind, r.byte)))
        .collect();
    (count > 0).then_some(Weakness { code: REJECTED, title, count, places })
}
