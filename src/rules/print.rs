//! `calproof rules list`, `show` and `check`: rule packs as text for a terminal of 80 columns.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{
    check::in_words,
    error::{RuleError, RuleErrorKind},
    pack::{Example, RulePack, SourceNote, When},
    vocabulary::Cal,
};
use crate::shown;

/// The width that output keeps to, in characters; only a longer word goes over it.
const COLUMNS: usize = 80;

/// Writes one line per pack: id, product, server versions, number of rules, version of the pack.
///
/// # Errors
///
/// When `out` does not take the text.
pub fn list(packs: &[RulePack], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<21}{:<12}{:<21}{:>5}  version", "pack", "product", "servers", "rules")?;
    for pack in packs {
        writeln!(
            out,
            "{:<21}{:<12}{:<21}{:>5}  {}",
            pack.id,
            pack.product,
            span(pack),
            pack.rules.len(),
            pack.version
        )?;
    }
    Ok(())
}

/// Writes the pack `id` in full: its rules with sources, quotations and examples.
///
/// # Errors
///
/// An id that no pack has; when `out` does not take the text.
pub fn show(packs: &[RulePack], id: &str, out: &mut dyn Write) -> Result<(), RuleError> {
    let wrong = |kind| RuleError { file: "rules show".to_owned(), line: None, kind };
    let Some(pack) = packs.iter().find(|pack| pack.id == id) else {
        let known = packs.iter().map(|pack| pack.id.clone()).collect();
        return Err(wrong(RuleErrorKind::UnknownPack { found: id.to_owned(), known }));
    };
    whole(pack, out).map_err(|error| wrong(RuleErrorKind::Unwritable(error)))
}

/// Loads each file as a pack and writes one verdict for each; `true` when all of them load.
///
/// # Errors
///
/// When `out` does not take the text. A file that is no good pack is a verdict, not an error.
pub fn check(files: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut good = true;
    for path in files {
        let name = shown::path(path);
        match RulePack::load(path) {
            Ok(pack) => {
                let examples: usize = pack.rules.iter().map(|rule| rule.examples.len()).sum();
                let rules = pack.rules.len();
                paragraph(out, 0, &format!("ok: {name}"))?;
                let text = format!(
                    "{} version {}, {rules} rules, {examples} examples run",
                    pack.id, pack.version
                );
                paragraph(out, 4, &text)?;
                paragraph(out, 4, &format!("sha256 {}", pack.sha256()))?;
            }
            Err(error) => {
                good = false;
                paragraph(out, 0, &format!("refused: {error}"))?;
            }
        }
    }
    Ok(good)
}

fn whole(pack: &RulePack, out: &mut dyn Write) -> io::Result<()> {
    paragraph(out, 0, &format!("{} - {}", pack.id, pack.title))?;
    writeln!(out)?;
    field(out, "version", &pack.version)?;
    field(out, "sha256", pack.sha256())?;
    field(out, "product", pack.product.as_str())?;
    let versions: Vec<&str> = pack.versions.iter().map(|version| version.as_str()).collect();
    field(out, "servers", &versions.join(", "))?;
    field(out, "windows", windows_base(pack))?;
    field(out, "connector", external_connector(pack))?;
    field(out, "note", &pack.note)?;
    for rule in &pack.rules {
        let disputed = if rule.disputed { " (disputed)" } else { "" };
        writeln!(out)?;
        paragraph(out, 0, &format!("rule {}: requires {}{disputed}", rule.id, rule.requires))?;
        field(out, "when", &when(&rule.when))?;
        field(out, "evidence", rule.evidence.as_str())?;
        sources(out, &rule.sources)?;
        field(out, "note", &rule.note)?;
        for shown in &rule.examples {
            field(out, "example", &example(shown))?;
        }
    }
    for (exclusion, exemption) in &pack.exemptions {
        let disputed = if exemption.disputed { " (disputed)" } else { "" };
        let limit = exemption.limit.map(|limit| format!(", at most {limit}")).unwrap_or_default();
        writeln!(out)?;
        paragraph(
            out,
            0,
            &format!("exemption {exclusion}: {}{limit}{disputed}", exemption.effect),
        )?;
        sources(out, &exemption.sources)?;
        field(out, "note", &exemption.note)?;
    }
    for suite in &pack.suites {
        writeln!(out)?;
        paragraph(out, 0, &format!("suite {}", suite.name))?;
        let covers: Vec<String> =
            suite.covers.iter().map(|cover| format!("{} {}", cover.product, cover.cal)).collect();
        field(out, "covers", &covers.join(", "))?;
        sources(out, &suite.sources)?;
        field(out, "note", &suite.note)?;
    }
    if let Some(mode) = &pack.per_server_mode {
        writeln!(out)?;
        paragraph(out, 0, &format!("per-server mode: historic, up to {}", mode.until))?;
        sources(out, &mode.sources)?;
        field(out, "note", &mode.note)?;
    }
    Ok(())
}

/// The range of server versions of a pack in few characters.
pub(super) fn span(pack: &RulePack) -> String {
    let (oldest, newest) = (pack.oldest(), pack.newest());
    if oldest == newest { oldest.to_string() } else { format!("{oldest} to {newest}") }
}

/// What the pack says about the Windows Server CAL.
pub(super) fn windows_base(pack: &RulePack) -> &'static str {
    if pack.windows_base {
        "users need a Windows Server CAL as well (VL 2020)"
    } else {
        "no further Windows Server CAL"
    }
}

/// What the pack says about the External Connector.
pub(super) fn external_connector(pack: &RulePack) -> &'static str {
    if pack.external_connector { "an External Connector is known" } else { "none known" }
}

/// The use that a rule is about, in words.
pub(super) fn when(when: &When) -> String {
    let mut parts = Vec::new();
    if !when.services.is_empty() {
        parts.push(format!("service {}", when.services.join(", ")));
    }
    if !when.features.is_empty() {
        let features: Vec<&str> = when.features.iter().map(|feature| feature.as_str()).collect();
        parts.push(format!("feature {}", features.join(", ")));
    }
    match when.administrative {
        Some(true) => parts.push("administrative".to_owned()),
        Some(false) => parts.push("not administrative".to_owned()),
        None => {}
    }
    if parts.is_empty() { "any access".to_owned() } else { parts.join("; ") }
}

/// An example in words.
pub(super) fn example(example: &Example) -> String {
    let requires = if example.requires.is_empty() {
        "no CAL".to_owned()
    } else {
        example.requires.iter().map(|cal: &Cal| cal.as_str()).collect::<Vec<_>>().join(" + ")
    };
    let usage = in_words(&example.usage());
    format!("{}: {usage}, {} -> {requires}", example.expect, example.outcome)
}

/// A source with what it says, quotations between quotation marks.
pub(super) fn citation(source: &SourceNote) -> String {
    if source.text.is_quoted() {
        format!("{}: \"{}\"", source.text, source.says)
    } else {
        format!("{}: {}", source.text, source.says)
    }
}

fn sources(out: &mut dyn Write, sources: &[SourceNote]) -> io::Result<()> {
    sources.iter().try_for_each(|source| field(out, "source", &citation(source)))
}

/// A labelled text, wrapped with a hanging indent; nothing where the text is empty.
fn field(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { wrap(out, &format!("    {label:<11}"), 15, text) }
}

/// A text, wrapped; further lines are indented by four more than the first.
fn paragraph(out: &mut dyn Write, indent: usize, text: &str) -> io::Result<()> {
    wrap(out, &" ".repeat(indent), indent + 4, text)
}

/// Writes `text` after `first`, and further lines after `hang` spaces; control characters are shown
/// as escapes.
fn wrap(out: &mut dyn Write, first: &str, hang: usize, text: &str) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let mut shown = String::new();
        for c in word.chars() {
            if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        let width = line.chars().count() + usize::from(!empty) + shown.chars().count();
        if !empty && width > COLUMNS {
            writeln!(out, "{line}")?;
            line = " ".repeat(hang);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&shown);
        empty = false;
    }
    writeln!(out, "{line}")
}
