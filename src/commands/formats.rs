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
    writeln!(out, "{}: {}\n", format.name(), about.title)?;
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
