//! What is known of an input, without names.

use super::names::{Kind, Pseudonyms};
use crate::facts::collector::Directive;
use crate::ingest::input::InputReport;

/// Maps what is known of an input.
pub(super) fn report(report: InputReport, names: &mut Pseudonyms<'_>) -> InputReport {
    let InputReport {
        path,
        folder,
        bytes,
        digest,
        format,
        looks_like_log,
        carries_no_access,
        duplicate_of,
        superseded_by,
        span,
        lines,
        rejected,
        notices,
        directives,
        changed,
        encoding,
        trouble,
        clock,
    } = report;
    let directive = |d: Directive, names: &mut Pseudonyms<'_>| {
        // `Fields` or `Software`; no other is kept.
        let Directive { line, name, value } = d;
        let value = names.unless_named(&String::from_utf8_lossy(&value));
        Directive { line, name, value: value.into_bytes().into() }
    };
    InputReport {
        trouble: trouble.map(|text| after_path(&path, &text, names)),
        path: names.path(&path),
        folder: names.path(&folder),
        bytes,
        digest,
        format,
        looks_like_log,
        carries_no_access,
        duplicate_of: duplicate_of.map(|path| names.path(&path)),
        superseded_by: superseded_by.map(|path| names.path(&path)),
        span,
        lines,
        rejected,
        notices,
        directives: directives.into_iter().map(|d| directive(d, names)).collect(),
        changed,
        encoding,
        clock,
    }
}

/// A message that begins with a path; withheld where it does not, or mentions somebody.
pub(super) fn after_path(path: &str, text: &str, names: &mut Pseudonyms<'_>) -> String {
    match text.strip_prefix(path) {
        Some(rest) if !rest.contains(['/', '\\']) && !names.mentions(rest) => {
            format!("{}{rest}", names.path(path))
        }
        _ => names.give(Kind::Text, text),
    }
}
