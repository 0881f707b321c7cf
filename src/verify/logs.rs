//! The logs themselves: every source by its digest, every quoted row at its byte.

use std::collections::BTreeMap;
use std::path::Path;

use super::contents::{Contents, Row};
use super::passage::{self, Spot};
use super::sample::{self, Again, Draw};
use super::{Verdict, VerifyError};
use crate::digest::{ContentHasher, DigestChoice};
use crate::discover::{Input, discover};
use crate::shown;
use crate::source::{Opened, ReadOptions};

/// The inputs that are there, by the digits of their SHA-256.
pub(crate) struct Found(BTreeMap<String, Input>);

impl Found {
    /// The input with a digest.
    pub(crate) fn get(&self, sha256: &str) -> Option<&Input> {
        self.0.get(sha256)
    }
}

/// How inputs are read here: nothing is mapped, so that a file that is cut cannot end the process.
pub(crate) fn options() -> ReadOptions {
    ReadOptions {
        mmap: crate::source::MmapChoice::Never,
        digest: DigestChoice::Sha256,
        ..ReadOptions::default()
    }
}

/// Hashes every file under `folder` and matches the sources to them.
pub(crate) fn find(
    folder: &Path,
    contents: &Contents,
    verdict: &mut Verdict,
) -> Result<Found, VerifyError> {
    if let Err(source) = std::fs::metadata(folder) {
        return Err(VerifyError::read(folder, source));
    }
    let discovery = discover(&[folder.to_owned()]);
    for (path, error) in &discovery.failures {
        verdict.note(format!("{path}: {error}"));
    }
    let wanted: BTreeMap<&str, &str> = contents
        .sources
        .iter()
        .filter_map(|s| Some((s.sha256.as_deref()?, s.path.as_str())))
        .collect();
    let mut found = BTreeMap::new();
    let mut extra = Vec::new();
    for input in discovery.inputs {
        match sha256(&input) {
            Ok(digest) if wanted.contains_key(digest.as_str()) => {
                found.entry(digest).or_insert(input);
            }
            Ok(_) => {
                extra.push(format!("{}: is there, but is no source of the bundle", input.display))
            }
            Err(reason) => verdict.note(format!("{}: {reason}", input.display)),
        }
    }
    let missing = contents.sources.iter().filter_map(|source| match &source.sha256 {
        Some(digest) if found.contains_key(digest) => None,
        Some(digest) => Some(format!(
            "{}: no file under {} has its SHA-256 {digest}",
            source.path,
            shown::path(folder)
        )),
        None => None,
    });
    let missing: Vec<String> = missing.collect();
    if missing.is_empty() {
        verdict.note(format!("{} sources have a file with their digest", contents.sources.len()));
    }
    verdict.refuse_all(missing);
    for source in contents.sources.iter().filter(|s| s.sha256.is_none()) {
        verdict.note(format!("{}: could not be read by the run either", source.path));
    }
    verdict.notes.append(&mut extra);
    Ok(Found(found))
}

/// SHA-256 of an input's content, decompressed, as far as it can be read.
fn sha256(input: &Input) -> Result<String, String> {
    let digest = match input.open(&options()).map_err(|error| error.to_string())? {
        Opened::Mapped(log) => {
            let mut hasher = ContentHasher::new(DigestChoice::Sha256);
            hasher.update(log.bytes());
            hasher.finish()
        }
        Opened::Stream(mut stream) => {
            let mut block = Vec::new();
            // A torn archive has the digest of what can be read of it, as in the run.
            while matches!(stream.next_block(&mut block), Ok(true)) {}
            stream.finish().digest
        }
    };
    let digest = digest.unwrap_or_default();
    Ok(digest.trim_start_matches("sha256:").to_owned())
}

/// What is looked for at a place.
enum Sought<'a> {
    /// A quoted row, of `rows` or of `sample`.
    Row(&'a Row, &'static str),
    /// A draw of the sample.
    Draw(&'a Draw),
}

impl Sought<'_> {
    fn place(&self) -> u64 {
        match self {
            Sought::Row(row, _) => row.byte,
            Sought::Draw(draw) => draw.place(),
        }
    }
}

/// Compares every quoted row with the bytes at its place and the number of its line, and draws the sample
/// again. Each source is read once.
pub(super) fn rows(found: &Found, contents: &Contents, verdict: &mut Verdict) {
    let mut by_source: BTreeMap<&str, Vec<Sought<'_>>> = BTreeMap::new();
    for (file, rows) in [("rows", &contents.rows), ("sample", &contents.sample)] {
        for row in rows {
            by_source.entry(&row.sha256).or_default().push(Sought::Row(row, file));
        }
    }
    let drawn = sample::draws(contents);
    let mut unseen = Vec::new();
    // Of sources with one digest only the first is drawn from: the others are its duplicates.
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, draws) in &drawn {
        match contents.sources[*i].sha256.as_deref().filter(|digest| found.get(digest).is_some()) {
            Some(digest) => {
                index.insert(digest, *i);
                by_source.entry(digest).or_default().extend(draws.iter().map(Sought::Draw));
            }
            None => unseen.push(contents.sources[*i].path.as_str()),
        }
    }
    let formats: BTreeMap<&str, &str> = contents
        .sources
        .iter()
        .filter_map(|source| Some((source.sha256.as_deref()?, source.format.as_str())))
        .collect();
    let mut again = Again::default();
    let (mut wrong, mut lines, mut same, mut blanked) = (Vec::new(), Vec::new(), 0_u64, 0_u64);
    for (digest, mut sought) in by_source {
        // A source without a file was refused already.
        let Some(input) = found.get(digest) else { continue };
        let format = formats.get(digest).copied().unwrap_or_default();
        sought.sort_by_key(Sought::place);
        let places: Vec<u64> = sought.iter().map(Sought::place).collect();
        let visited = passage::visit(input, &places, |i, spot| match (&sought[i], spot) {
            (Sought::Draw(draw), Some(spot)) => {
                if let Some(source) = index.get(digest) {
                    again.take(*source, format, draw, &spot);
                }
            }
            (Sought::Draw(_), None) => {}
            (Sought::Row(row, file), spot) if !row.is_quoted() => {
                // What is only committed to still begins a line, of the number that is stated.
                if row.line.is_some() && row.line != spot.map(|spot| spot.line) {
                    lines.push(format!(
                        "data/witness-rows/{file}.jsonl: byte {} of {} stands on another line than is stated",
                        row.byte, row.path
                    ));
                }
            }
            (Sought::Row(row, file), spot) => {
                let fits = spot.as_ref().and_then(|spot| is_same(row, format == "iis-etw", spot));
                if fits != Some(true) {
                    wrong.push(format!(
                        "data/witness-rows/{file}.jsonl: the row at byte {} of {} is not what stands there in {}",
                        row.byte, row.path, input.display
                    ));
                    return;
                }
                same += 1;
                blanked += row.blanked.iter().map(|b| b.length).sum::<u64>();
                if let (Some(stated), Some(spot)) = (row.line, spot)
                    && stated != spot.line
                {
                    lines.push(format!(
                        "data/witness-rows/{file}.jsonl: byte {} of {} stands on line {}, not {stated}",
                        row.byte, row.path, spot.line
                    ));
                }
            }
        });
        if let Err(error) = visited {
            verdict.refuse(format!("{}: cannot be read ({error})", input.display));
        }
    }
    verdict.refuse_all(wrong);
    verdict.refuse_all(lines);
    verdict.note(format!(
        "{same} quoted rows stand in the logs, at their byte and line ({blanked} of their bytes are blanked)"
    ));
    match unseen.first() {
        None => again.compare(contents, verdict),
        Some(path) => verdict.note(format!("the sample was not drawn again: {path} is not there")),
    }
}

/// Whether a row is a whole line or record, and what is quoted.
fn is_same(row: &Row, xml: bool, spot: &Spot<'_>) -> Option<bool> {
    // An XML record begins behind the one before it, or behind its indentation.
    let before = spot.before.iter().rev().find(|b| !xml || !matches!(b, b' ' | b'\t'));
    let begins = before.is_none_or(|b| *b == spot.eol || (xml && *b == b'>'));
    let length = usize::try_from(row.length).ok()?;
    let raw = spot.text.get(..length)?;
    let ends = row.cut || spot.text.get(length).is_none_or(|b| matches!(b, b'\r' | b'\n'));
    let mut shown = Vec::with_capacity(raw.len());
    let mut at = 0;
    for blank in &row.blanked {
        let start = usize::try_from(blank.at).ok()?;
        let end = start.checked_add(usize::try_from(blank.length).ok()?)?;
        shown.extend_from_slice(raw.get(at..start)?);
        shown.extend_from_slice(format!("[blanked {} bytes]", blank.length).as_bytes());
        at = end;
    }
    shown.extend_from_slice(raw.get(at..)?);
    Some(begins && ends && row.shown().as_ref() == Some(&shown))
}
