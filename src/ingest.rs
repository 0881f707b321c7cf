//! From inputs to merged facts: open, detect, cut, parse, merge, and see what was read twice.
//!
//! One large file uses every core as well as thousands of small ones do: workers take files from
//! one list, and a large file is cut into segments that idle workers help with. A segment assumes
//! the columns that were in force before its wave; where they changed, it is parsed again.

pub mod input;
mod repeats;

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use calproof_parsers::formats::ocs_cdr::{OcsCdr, detect_mapped};
use calproof_parsers::{LogFormat, Scope, Segment, State, detect};
use rayon::prelude::*;

use crate::digest::{ContentHasher, DigestChoice};
use crate::discover::Input;
use crate::facts::Facts;
use crate::facts::collector::{Collector, Told};
use crate::facts::usage::{Period, Usage};
use crate::source::{LogStream, MappedLog, Opened, ReadOptions, SourceError, line_terminator};
use input::InputReport;

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
            segment_len: 8 << 20,
        }
    }
}

impl Reading {
    /// How an input that lies in `folders` is read: with the offset of the server that the innermost
    /// of them is named after.
    fn of(&self, folders: &[&str]) -> Cow<'_, Reading> {
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
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(inputs[*i].size), *i));
    let next = AtomicUsize::new(0);
    let worker = |_| {
        let mut taken = Taken::default();
        while let Some(i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.begin(&inputs[*i].display);
            let (report, facts) = read(&inputs[*i], reading, progress);
            if contested[*i] {
                taken.contested.push((*i, facts));
            } else {
                taken.usage.add_input(&facts, &report, *i as u32, &reading.period);
            }
            taken.reports.push((*i, report));
        }
        taken
    };
    let workers = rayon::current_num_threads();
    let Taken { mut reports, mut usage, mut contested } = (0..workers)
        .into_par_iter()
        .with_max_len(1)
        .map(worker)
        .reduce(Taken::default, Taken::merge);
    reports.sort_by_key(|(i, _)| *i);
    contested.sort_by_key(|(i, _)| *i);
    let mut reports: Vec<InputReport> = reports.into_iter().map(|(_, report)| report).collect();
    repeats::settle(inputs, &mut reports, &contested, reading);
    for (i, facts) in &contested {
        let report = &reports[*i];
        if report.duplicate_of.is_none() && report.superseded_by.is_none() {
            usage.add_input(facts, report, *i as u32, &reading.period);
        }
    }
    Ingested { inputs: reports, usage }
}

/// What one worker has read.
#[derive(Default)]
struct Taken {
    reports: Vec<(usize, InputReport)>,
    usage: Usage,
    contested: Vec<(usize, Facts)>,
}

impl Taken {
    fn merge(mut self, other: Taken) -> Taken {
        if self.usage.facts.len() < other.usage.facts.len() {
            return other.merge(self);
        }
        self.reports.extend(other.reports);
        self.contested.extend(other.contested);
        self.usage.merge(other.usage);
        self
    }
}

/// The most segments' worth of bytes that one worker takes at a time.
const SHARES: usize = 8;

/// Reads one input.
fn read(input: &Input, reading: &Reading, progress: &dyn Progress) -> (InputReport, Facts) {
    let reading = &*reading.of(&input.components());
    let mut report = InputReport::new(input);
    let folder = report.folder.clone();
    let told = match input.open(&reading.options) {
        Err(error) => {
            report.trouble(&error);
            return (report, Facts::default());
        }
        Ok(Opened::Mapped(log)) => {
            let told = mapped(&log, &folder, &mut report, reading, progress);
            let acquisition = log.finish();
            report.acquired(acquisition);
            told
        }
        Ok(Opened::Stream(mut stream)) => {
            let (told, error) = streamed(&mut stream, &folder, &mut report, reading, progress);
            report.acquired(stream.finish());
            if let Some(error) = error {
                report.trouble(&error);
            }
            told
        }
    };
    report.told(&told);
    (report, told.facts)
}

/// A mapped log, a wave of segments at a time: parsed, hashed, and given back.
fn mapped(
    log: &MappedLog,
    folder: &str,
    report: &mut InputReport,
    reading: &Reading,
    progress: &dyn Progress,
) -> Told {
    let workers = rayon::current_num_threads();
    let text = log.bytes();
    let (format, mut state) = recognised(&text[..text.len().min(HEAD)], &reading.scope);
    report.detected(format, text);
    let eol = line_terminator(text);
    let mut hasher = ContentHasher::new(reading.options.digest);
    let mut told = Told::default();
    let mut at = 0;
    while at < text.len() {
        // What one segment has worked out the next one works out again, so a file is cut no smaller
        // than the workers need.
        let share = (text.len() - at).div_ceil(workers);
        let len = share.clamp(reading.segment_len, SHARES * reading.segment_len);
        let cuts = cuts(format, text, at, len, workers, eol);
        let end = cuts[cuts.len() - 1];
        let parse = |start: usize, end: usize, state: &mut State| {
            let segment =
                Segment { text: &text[start..end], base: start as u64, eol, scope: &reading.scope };
            parse(format, &segment, folder, state)
        };
        let mut wave = || wave(format, &cuts, &mut state, &parse);
        let segments = if cuts.len() == 2 {
            let segments = wave();
            hasher.update(&text[at..end]);
            segments
        } else {
            rayon::join(wave, || hasher.update(&text[at..end])).0
        };
        for segment in segments {
            told.append(segment);
        }
        log.release(at..end);
        progress.advance((end - at) as u64);
        at = end;
    }
    report.digest = hasher.finish();
    told
}

/// Offsets that cut the text from `at` into at most `most` segments, both ends included.
fn cuts(
    format: &dyn LogFormat,
    text: &[u8],
    at: usize,
    len: usize,
    most: usize,
    eol: u8,
) -> Vec<usize> {
    let mut cuts = vec![at];
    let mut last = at;
    while last < text.len() && cuts.len() <= most {
        last = match last.checked_add(len.max(1)) {
            Some(next) if next < text.len() => format.boundary(text, next, eol),
            _ => text.len(),
        };
        cuts.push(last);
    }
    cuts
}

/// Parses the segments between `cuts` in parallel. Each assumes the state before the wave; from the
/// first one that was wrong to do so, all are parsed again with the state they really follow.
fn wave(
    format: &dyn LogFormat,
    cuts: &[usize],
    state: &mut State,
    parse: &(dyn Fn(usize, usize, &mut State) -> Told + Sync),
) -> Vec<Told> {
    let mut done: Vec<Told> = Vec::with_capacity(cuts.len() - 1);
    while done.len() + 1 < cuts.len() {
        let from = done.len();
        let to = if format.divisible(state) { cuts.len() - 1 } else { from + 1 };
        let assumed = state.clone();
        let parsed: Vec<(Told, State)> = (from..to)
            .into_par_iter()
            .with_max_len(1)
            .map(|i| {
                let mut state = assumed.clone();
                (parse(cuts[i], cuts[i + 1], &mut state), state)
            })
            .collect();
        for (told, after) in parsed {
            done.push(told);
            let right = after == assumed;
            *state = after;
            if !right {
                break;
            }
        }
    }
    done
}

/// A log read block by block; the next block is fetched while one is parsed.
fn streamed(
    stream: &mut LogStream,
    folder: &str,
    report: &mut InputReport,
    reading: &Reading,
    progress: &dyn Progress,
) -> (Told, Option<SourceError>) {
    let head = stream.peek_head(HEAD).to_vec();
    let (format, mut state) = recognised(&head, &reading.scope);
    report.detected(format, &head);
    let mut told = Told::default();
    let (mut block, mut ahead) = (Vec::new(), Vec::new());
    let mut more = stream.next_block(&mut block);
    let eol = line_terminator(&block);
    let mut base = 0;
    while let Ok(true) = more {
        let fetch = || stream.next_block(&mut ahead);
        // A record of several lines may go on in the next block: keep the last one back.
        let cut = last_boundary(format, &block, eol);
        let segment = Segment { text: &block[..cut], base, eol, scope: &reading.scope };
        let (next, part) = rayon::join(fetch, || parse(format, &segment, folder, &mut state));
        told.append(part);
        progress.advance(cut as u64);
        base += cut as u64;
        more = next;
        block.drain(..cut);
        if matches!(more, Ok(true)) {
            block.append(&mut ahead);
        }
    }
    if !block.is_empty() {
        let segment = Segment { text: &block, base, eol, scope: &reading.scope };
        told.append(parse(format, &segment, folder, &mut state));
        progress.advance(block.len() as u64);
    }
    (told, more.err())
}

fn parse(format: &dyn LogFormat, segment: &Segment<'_>, folder: &str, state: &mut State) -> Told {
    let mut collector = Collector::new(folder);
    format.parse(segment, state, &mut collector);
    collector.finish()
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
