//! One input of the report: its bytes, its lines, what could not be read.

use serde::Serialize;

use crate::facts::collector::REJECTED_KEPT;
use crate::ingest::input::InputReport;
use crate::report::instant;
use crate::source::TextEncoding;

#[derive(Serialize)]
pub(super) struct Input<'c> {
    path: &'c str,
    bytes: u64,
    digest: Option<&'c str>,
    format: &'static str,
    duplicate_of: Option<&'c str>,
    superseded_by: Option<&'c str>,
    first: Option<String>,
    last: Option<String>,
    lines: Lines,
    rejected: Vec<Rejected>,
    encoding: &'static str,
    trouble: Option<&'c str>,
    changed: Option<String>,
    looks_like_log: bool,
}

/// Lines of an input by kind.
#[derive(Serialize)]
pub(crate) struct Lines {
    total: u64,
    events: u64,
    directives: u64,
    blank: u64,
    unrelated: u64,
    rejected: u64,
}

impl From<&crate::facts::collector::Lines> for Lines {
    fn from(lines: &crate::facts::collector::Lines) -> Lines {
        Lines {
            total: lines.total(),
            events: lines.events,
            directives: lines.directives,
            blank: lines.blank,
            unrelated: lines.unrelated,
            rejected: lines.rejected,
        }
    }
}

#[derive(Serialize)]
struct Rejected {
    line: u64,
    byte: u64,
    reason: String,
}

pub(super) fn input(i: &InputReport) -> Input<'_> {
    Input {
        path: &i.path,
        bytes: i.bytes,
        digest: i.digest.as_deref(),
        format: i.format,
        duplicate_of: i.duplicate_of.as_deref(),
        superseded_by: i.superseded_by.as_deref(),
        first: i.span.map(|(first, _)| instant(first)),
        last: i.span.map(|(_, last)| instant(last)),
        lines: (&i.lines).into(),
        rejected: i
            .rejected
            .iter()
            .take(REJECTED_KEPT)
            .map(|r| Rejected { line: r.line, byte: r.byte, reason: r.kind.to_string() })
            .collect(),
        encoding: encoding(&i.encoding),
        trouble: i.trouble.as_deref(),
        changed: i.changed.as_ref().map(ToString::to_string),
        looks_like_log: i.looks_like_log,
    }
}

/// The word for an encoding.
pub(crate) fn encoding(encoding: &TextEncoding) -> &'static str {
    match encoding {
        TextEncoding::AsIs => "as-is",
        TextEncoding::Utf16Le => "utf-16le",
        TextEncoding::Utf16Be => "utf-16be",
    }
}
