//! From inputs to merged facts: open, detect, cut, parse, merge, and see what was read twice.
//!
//! One large file uses every core as well as thousands of small ones do: workers take files from
//! one list, and a large file is cut into segments that idle workers help with.

pub(crate) mod account;
mod course;
mod digests;
pub mod input;
mod repeats;
mod shares;

use std::borrow::Cow;

use calproof_parsers::formats::ocs_cdr::{OcsCdr, detect_mapped};
use calproof_parsers::{LogFormat, Scope, State, detect};
use rayon::prelude::*;

use crate::digest::{ContentHasher, DigestChoice};
use crate::discover::Input;
use crate::facts::usage::{Period, Usage};
use crate::source::{LogStream, MappedLog, Opened, ReadOptions, SourceError, line_terminator};
use account::{Account, Held, Tallies};
use course::Text;
use digests::Digests;
use input::InputReport;
use shares::Shares;

/// Bytes of text by which a format is recognised.
pub const HEAD: usize = 64 * 1024;

/// What decides how inputs are read and which facts count as inside the period.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How bytes are read.
    pub options: ReadOptions,
    /// What parsers are told.
    pub scope: Scope,
    /// The period that is asked about.
    pub period: Period,
    /// Offsets from UTC in minutes east, by server: the first label of its name in lower case. Logs in
    /// local time that lie in a folder of that name are read with it instead of the scope's.
    pub offsets: Vec<(String, i32)>,
    /// The least bytes that a worker takes at a time, about; it takes up to eight times as many of a
    /// large file. The result does not depend on it.
    pub segment_len: usize,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            options: ReadOptions::default(),
            scope: Scope::default(),
            period: Period::default(),
            offsets: Vec::new(),
            segment_len: 4 << 20,
        }
    }
}

impl Reading {
    /// How an input that lies in `folders` is read: with the offset of the server that the innermost
    /// of them is named after.
    fn of(&self, folders: &[&str]) -> Cow<'_, Reading> {
        if self.offsets.is_empty() {
            return Cow::Borrowed(self);
        }
        let offset = folders.iter().rev().find_map(|folder| {
            let label = folder.split('.').next()?.to_lowercase();
            self.offsets.iter().find(|(server, _)| *server == label).map(|(_, offset)| *offset)
        });
        match offset {
            Some(offset) if self.scope.local_offset != Some(offset) => {
                let scope = Scope { local_offset: Some(offset), ..self.scope.clone() };
                Cow::Owned(Reading { scope, ..self.clone() })
            }
            _ => Cow::Borrowed(self),
        }
    }
}

/// The format of a log that begins with `head`, and the state of its first row. An export of the CDR
/// whose columns the configuration names is known by those.
fn recognised(head: &[u8], scope: &Scope) -> (&'static dyn LogFormat, State) {
    let named = if scope.cdr_columns.is_empty() { None } else { detect_mapped(head, scope) };
    match named {
        Some(state) => (&OcsCdr, state),
        None => detect(head),
    }
}

/// Hears how far the reading has come; called from several threads.
pub trait Progress: Sync {
    /// A file is begun.
    fn begin(&self, _path: &str) {}
    /// So many more bytes are read.
    fn advance(&self, _bytes: u64) {}
}

/// Nobody listens.
pub struct Quiet;

impl Progress for Quiet {}

/// Everything that was read.
#[derive(Default)]
pub struct Ingested {
    /// One report per input, in the order of the inputs.
    pub inputs: Vec<InputReport>,
    /// What the rows of all inputs say.
    pub usage: Usage,
}

/// Reads every input. The result is the same for any number of threads and any segment size.
pub fn ingest(inputs: &[Input], reading: &Reading, progress: &dyn Progress) -> Ingested {
    let contested = match reading.options.digest {
        DigestChoice::None => vec![false; inputs.len()],
        _ => repeats::contested(inputs),
    };
    let workers = rayon::current_num_threads();
    let tallies = Tallies::new(workers, reading.period);
    let shares = Shares::new(inputs, workers);
    let worker = |number| {
        let mut done = Vec::new();
        let mut digests = Digests::new(inputs.len() / workers, &reading.options);
        while let Some(i) = shares.next(number) {
            progress.begin(&inputs[i].display);
            let account = Account::new(&tallies, i as u32, contested[i]);
            match read(&inputs[i], reading, progress, account, &digests) {
                (read, None) => done.push((i, read)),
                (read, Some(log)) => done.extend(digests.add(i, read, log)),
            }
        }
        done.extend(digests.settle());
        done
    };
    let mut done: Vec<(usize, Read)> =
        (0..workers).into_par_iter().with_max_len(1).map(worker).flatten_iter().collect();
    done.sort_by_key(|(i, _)| *i);
    let (mut reports, mut held) = (Vec::with_capacity(done.len()), Vec::new());
    for (i, (report, kept)) in done {
        reports.push(report);
        held.extend(kept.map(|kept| (i, kept)));
    }
    repeats::settle(inputs, &mut reports, &held, reading);
    for (i, held) in held {
        let report = &reports[i];
        if report.duplicate_of.is_none() && report.superseded_by.is_none() {
            tallies.settle(held, report, i as u32);
        }
    }
    Ingested { inputs: reports, usage: tallies.into_usage() }
}

/// What was read of one input: the report, and its facts where they are held back.
type Read = (InputReport, Option<Held>);

/// Reads one input. The log comes back where its digest is still to be taken.
fn read(
    input: &Input,
    reading: &Reading,
    progress: &dyn Progress,
    mut account: Account<'_>,
    digests: &Digests,
) -> (Read, Option<MappedLog>) {
    let reading = &*reading.of(&input.components());
    let mut report = InputReport::new(input);
    let folder = report.folder.clone();
    let mut later = None;
    match input.open(&reading.options) {
        Err(error) => report.trouble(&error),
        Ok(Opened::Mapped(log)) => {
            let waits = digests.takes(log.bytes().len());
            let choice = if waits { DigestChoice::None } else { reading.options.digest };
            let hasher = ContentHasher::new(choice);
            mapped(&log, &folder, &mut report, reading, progress, &mut account, hasher);
            match waits {
                true => later = Some(log),
                false => report.acquired(log.finish()),
            }
        }
        Ok(Opened::Stream(mut stream)) => {
            let error =
                streamed(&mut stream, &folder, &mut report, reading, progress, &mut account);
            report.acquired(stream.finish());
            if let Some(error) = error {
                report.trouble(&error);
            }
        }
    }
    let held = account.close(&mut report);
    ((report, held), later)
}

/// A mapped log: parsed and hashed by all workers that are free.
fn mapped(
    log: &MappedLog,
    folder: &str,
    report: &mut InputReport,
    reading: &Reading,
    progress: &dyn Progress,
    account: &mut Account<'_>,
    mut hasher: ContentHasher,
) {
    let bytes = log.bytes();
    let (format, mut state) = recognised(&bytes[..bytes.len().min(HEAD)], &reading.scope);
    report.detected(format, bytes);
    let text = Text {
        bytes,
        base: 0,
        format,
        eol: line_terminator(bytes),
        folder,
        scope: &reading.scope,
        least: reading.segment_len,
        map: Some(log),
        progress,
    };
    text.parse(&mut state, account, &mut hasher);
    report.digest = hasher.finish();
}

/// The least bytes of a block that a worker takes.
const LEAST: usize = 1 << 20;

/// A log read block by block; the next block is fetched while one is parsed.
fn streamed(
    stream: &mut LogStream,
    folder: &str,
    report: &mut InputReport,
    reading: &Reading,
    progress: &dyn Progress,
    account: &mut Account<'_>,
) -> Option<SourceError> {
    let head = stream.peek_head(HEAD).to_vec();
    let (format, mut state) = recognised(&head, &reading.scope);
    report.detected(format, &head);
    let (mut block, mut ahead) = (Vec::new(), Vec::new());
    let mut more = stream.next_block(&mut block);
    let eol = line_terminator(&block);
    let mut base = 0;
    let mut parse = |bytes: &[u8], base: u64| {
        let least = bytes.len().div_ceil(rayon::current_num_threads()).max(LEAST);
        let scope = &reading.scope;
        let text = Text { bytes, base, format, eol, folder, scope, least, map: None, progress };
        text.parse(&mut state, account, &mut ContentHasher::None);
    };
    while let Ok(true) = more {
        // A record of several lines may go on in the next block: keep the last one back.
        let cut = last_boundary(format, &block, eol);
        more = rayon::join(|| stream.next_block(&mut ahead), || parse(&block[..cut], base)).0;
        base += cut as u64;
        if cut == block.len() && matches!(more, Ok(true)) {
            // The block goes back with its bytes, which the stream writes over.
            std::mem::swap(&mut block, &mut ahead);
        } else {
            block.drain(..cut);
            if matches!(more, Ok(true)) {
                block.append(&mut ahead);
            }
        }
    }
    parse(&block, base);
    more.err()
}

/// How much of a block that ends at a line end may be parsed before the next is known.
fn last_boundary(format: &dyn LogFormat, block: &[u8], eol: u8) -> usize {
    if !format.spans_lines() {
        return block.len();
    }
    let mut back = 64 * 1024;
    loop {
        let mut at = block.len().saturating_sub(back);
        let mut last = None;
        while at < block.len() {
            let boundary = format.boundary(block, at, eol);
            if boundary >= block.len() {
                break;
            }
            last = Some(boundary);
            at = boundary + 1;
        }
        match last {
            Some(boundary) if boundary > 0 => return boundary,
            _ if back >= block.len() => return 0,
            _ => back *= 4,
        }
    }
}
