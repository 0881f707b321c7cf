//! `calproof formats`: what can be read, told by the formats themselves.

use std::io::{self, Write};

use calproof_parsers::{FORMATS, LogFormat};

use super::output::{self, OutputError};
use crate::cli::FormatsArgs;

/// Why a format cannot be told about.
#[derive(Debug, thiserror::Error)]
pub enum FormatsError {
    /// No format has this name.
    #[error("formats: found `{found}` but expected one of {known}")]
    Unknown {
        /// The name asked for.
        found: String,
        /// The names there are.
        known: String,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Columns of a line of prose.
const COLUMNS: usize = 80;
/// Columns before what a label says.
const LABEL: usize = 11;

/// Lists the formats, or tells all about the one that is asked for.
///
/// # Errors
///
/// An unknown name; standard output that takes no text.
pub fn formats(args: &FormatsArgs) -> Result<(), FormatsError> {
    let Some(name) = &args.name else {
        return Ok(output::write(None, list)?);
    };
    let Some(format) = FORMATS.iter().find(|f| f.name().eq_ignore_ascii_case(name)) else {
        let known: Vec<String> = FORMATS.iter().map(|f| format!("`{}`", f.name())).collect();
        return Err(FormatsError::Unknown { found: name.clone(), known: known.join(", ") });
    };
    Ok(output::write(None, |out| show(*format, out))?)
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let wide = FORMATS.iter().map(|f| f.name().len()).max().unwrap_or(0);
    for format in FORMATS {
        labelled(out, format.name(), wide + 2, format.describe().title)?;
    }
    writeln!(out)?;
    writeln!(out, "A format is recognised by its content, never by its name.")?;
    writeln!(out, "`calproof formats NAME` tells which columns are read and what counts.")
}

fn show(format: &dyn LogFormat, out: &mut dyn Write) -> io::Result<()> {
    let about = format.describe();
    labelled(out, &format!("{}:", format.name()), format.name().len() + 2, about.title)?;
    writeln!(out)?;
    labelled(out, "written", LABEL, about.written)?;
    let columns = match about.columns {
        [] => "none".to_owned(),
        columns => columns.join(", "),
    };
    labelled(out, "columns", LABEL, &columns)?;
    labelled(out, "counts", LABEL, about.access)?;
    labelled(out, "limits", LABEL, about.limits)?;
    labelled(out, "time", LABEL, about.time)?;
    labelled(out, "reference", LABEL, about.reference)?;
    writeln!(out, "\nexample")?;
    for line in about.example.lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// The reference of all formats as Markdown, `docs/formats.md`.
///
/// The same formats give the same text.
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    for format in FORMATS {
        let (name, title) = (format.name(), cell(format.describe().title));
        text.push_str(&format!("| [`{name}`](#{name}) | {title} |\n"));
    }
    for format in FORMATS {
        let about = format.describe();
        text.push_str(&format!("\n## {}\n\n{}.\n\n", format.name(), about.title));
        let columns: Vec<String> = about.columns.iter().map(|c| format!("`{c}`")).collect();
        let columns = if columns.is_empty() { "none".to_owned() } else { columns.join(", ") };
        let rows = [
            ("written", cell(about.written)),
            ("columns that are read", columns),
            ("what counts as an access", cell(about.access)),
            ("limits", cell(about.limits)),
            ("time", cell(about.time)),
            ("vendor reference", cell(about.reference)),
        ];
        text.push_str("| | |\n| --- | --- |\n");
        for (label, says) in rows {
            text.push_str(&format!("| {label} | {says} |\n"));
        }
        text.push_str(&format!("\n```text\n{}\n```\n", about.example.trim_end()));
    }
    text
}

/// A text as it may stand in a table cell of Markdown: what it marks up there stands as written.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '<' | '>' | '[' | ']' | '\\') {
            cell.push('\\');
        }
        cell.push(c);
    }
    cell
}

const INTRODUCTION: &str = "\
# Log formats

This page is generated from what the formats say about themselves in `parsers/src/formats/`; edit that.
`calproof formats NAME` prints the same.

A format is recognised by its content, never by the name of a file. Formats are asked in the order of this
table, and the first that knows a log reads it. A file that no format knows is `unknown` and named in the
report.

Columns are found by name wherever a log declares them; their order and further columns do not matter. A log
that lacks a column that the count needs is *blind*: its rows are accounted for, and the report says that the
count is a floor.

| format | what it is |
| --- | --- |
";

/// A label and what it says, broken at blanks under itself.
fn labelled(out: &mut dyn Write, label: &str, column: usize, text: &str) -> io::Result<()> {
    let mut line = format!("{label:<column$}");
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            writeln!(out, "{line}")?;
            line = " ".repeat(column);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    /// `CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference` writes the file anew.
    #[test]
    fn the_reference_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
        let text = reference();
        if std::env::var_os("CALPROOF_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == text,
            "docs/formats.md is out of date: CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference"
        );
    }

    #[test]
    fn what_a_format_says_is_one_line_and_fits_eighty_columns() {
        for format in FORMATS {
            let about = format.describe();
            for text in [
                about.title,
                about.written,
                about.access,
                about.limits,
                about.time,
                about.reference,
            ] {
                let stray = ["\n", "  ", "\\ "].iter().find(|s| text.contains(**s));
                assert_eq!(stray, None, "{}: {text}", format.name());
            }
            let mut out = Vec::new();
            show(*format, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            // A log line stands whole, so that it can be copied; so does a word such as a path.
            let prose = text.split("\nexample\n").next().unwrap();
            for line in prose.lines() {
                let fits = line.chars().count() <= COLUMNS;
                assert!(fits || !line[LABEL..].contains(' '), "{}: {line}", format.name());
            }
        }
    }

    #[test]
    fn every_format_tells_all_about_itself() {
        for format in FORMATS {
            let mut out = Vec::new();
            show(*format, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let about = format.describe();
            let words: Vec<&str> = text.split_whitespace().collect();
            let words = words.join(" ");
            for column in about.columns {
                assert!(words.contains(column), "{}: {column}", format.name());
            }
            for line in about.example.lines() {
                assert!(text.contains(line), "{}: {line}", format.name());
            }
            for label in ["written", "counts", "limits", "time", "reference"] {
                let line = text.lines().find(|l| l.starts_with(label)).unwrap();
                assert!(line.len() > LABEL, "{}: nothing about {label}", format.name());
            }
        }
    }
}
