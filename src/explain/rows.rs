//! The raw rows, read again from their files.

use std::collections::BTreeMap;

use super::story::choose;
use super::{Explanation, RawRow};
use crate::blank::{Layout, blanked, secrets};
use crate::census::Census;
use crate::digest::DigestChoice;
use crate::discover::{Input, Origin};
use crate::facts::Witness;
use crate::identity::decode;
use crate::ingest::input::InputReport;
use crate::source::{Opened, ReadOptions};

/// How many bytes of a row are shown.
const LONGEST: usize = 8 << 10;
/// How many lines of a trace record are shown.
const LINES: usize = 40;

/// Reads the rows that the subjects rest on, `most` of each, without their secrets.
///
/// A row that cannot be read again is named with the reason: standard input is gone, a file may be.
pub fn read_rows(told: &mut Explanation, census: &Census, inputs: &[Input], most: usize) {
    let mut wanted: BTreeMap<u32, Vec<Witness>> = BTreeMap::new();
    let mut chosen = Vec::new();
    for subject in &mut told.subjects {
        let (rows, more) = choose(&subject.witnesses, most);
        subject.more_rows = more;
        for (witness, _) in &rows {
            wanted.entry(witness.input).or_default().push(*witness);
        }
        chosen.push(rows);
    }
    let mut texts: BTreeMap<(u32, u64), Result<String, String>> = BTreeMap::new();
    for (input, mut witnesses) in wanted {
        witnesses.sort_by_key(|w| w.byte);
        witnesses.dedup_by_key(|w| w.byte);
        let Some(report) = census.inputs.get(input as usize) else { continue };
        let found = inputs.iter().find(|i| i.display == report.path);
        let read = found.ok_or_else(|| "the input is not there any more".to_owned());
        let read = read.and_then(|found| raw(found, report, &witnesses));
        for (i, witness) in witnesses.iter().enumerate() {
            let text = match &read {
                Ok(rows) => rows[i].clone(),
                Err(error) => Err(error.clone()),
            };
            texts.insert((input, witness.byte), text);
        }
    }
    for (subject, rows) in told.subjects.iter_mut().zip(chosen) {
        let row = |(witness, fate): (Witness, String)| {
            let read = texts.get(&(witness.input, witness.byte)).cloned();
            let (text, trouble) = match read {
                Some(Ok(text)) => (Some(text), None),
                Some(Err(trouble)) => (None, Some(trouble)),
                None => (None, Some("the input is not known".to_owned())),
            };
            let path = census.inputs.get(witness.input as usize).map_or("", |i| &i.path).to_owned();
            RawRow { path, line: witness.line, byte: witness.byte, fate, text, trouble }
        };
        subject.rows = rows.into_iter().map(row).collect();
    }
}

type Rows = Vec<Result<String, String>>;

/// The rows at the witnesses, which ascend; the file is read once, no further than needed.
fn raw(input: &Input, report: &InputReport, witnesses: &[Witness]) -> Result<Rows, String> {
    if input.origin == Origin::Stdin {
        return Err("standard input cannot be read again".to_owned());
    }
    let options = ReadOptions { digest: DigestChoice::None, ..ReadOptions::default() };
    let mut rows: Rows = Vec::new();
    let mut take = |bytes: &[u8], base: u64, last: bool| {
        while let Some(witness) = witnesses.get(rows.len()) {
            let at = witness.byte.saturating_sub(base) as usize;
            if witness.byte < base || at >= bytes.len() {
                break;
            }
            let rest = &bytes[at..];
            // A record may run on into the next block.
            let need = LONGEST * 2;
            if !last && rest.len() < need && record_end(rest, report.format).is_none() {
                return Some(at);
            }
            rows.push(Ok(shown(rest, report, witness.line)));
        }
        None
    };
    match input.open(&options).map_err(|e| e.to_string())? {
        Opened::Mapped(log) => {
            take(log.bytes(), 0, true);
        }
        Opened::Stream(mut stream) => {
            let (mut block, mut held, mut base) = (Vec::new(), Vec::new(), 0u64);
            loop {
                let more = stream.next_block(&mut block).map_err(|e| e.to_string())?;
                if !more {
                    take(&held, base, true);
                    break;
                }
                held.extend_from_slice(&block);
                let keep = take(&held, base, false).unwrap_or(held.len());
                base += keep as u64;
                held.drain(..keep);
            }
        }
    }
    let gone = || Err("the file is shorter than it was".to_owned());
    rows.resize_with(witnesses.len(), gone);
    Ok(rows)
}

/// Where the record at the beginning of `bytes` ends, if it is in sight.
fn record_end(bytes: &[u8], format: &str) -> Option<usize> {
    let mut at = 0;
    let multiline = matches!(format, "ocs-trace" | "iis-etw");
    let mut lines = 0;
    loop {
        let line = memchr::memchr2(b'\n', b'\r', &bytes[at..])?;
        let text = &bytes[at..at + line];
        lines += 1;
        if !multiline || lines >= LINES || at + line > LONGEST {
            return Some(at + line);
        }
        let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        // What was said in a message is nobody's business here.
        let body = lines > 1 && (text.is_empty() || text.starts_with(b"Message-Body:"));
        let next = lines > 1 && has(b"TL_") && has(b"(TF_");
        match format {
            "ocs-trace" if body || next || has(b"$$end_record") => return Some(at),
            "iis-etw" if has(b"</Event>") => return Some(at + line),
            _ => {}
        }
        at += line + 1;
        if bytes.get(at - 1) == Some(&b'\r') && bytes.get(at) == Some(&b'\n') {
            at += 1;
        }
    }
}

/// A record as text without its secrets, cut where it is very long.
fn shown(bytes: &[u8], report: &InputReport, line: u64) -> String {
    let end = record_end(bytes, report.format).unwrap_or(bytes.len());
    // Secrets are blanked in the whole record first, so that a cut cannot lay one open.
    let record = bytes[..end].trim_ascii_end();
    let ranges = secrets(record, &Layout::of(report, Some(line)));
    let text = decode(&blanked(record, &ranges), None);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} [{} more bytes]", &text[..at], text.len() - at),
        None => text.to_owned(),
    }
}
