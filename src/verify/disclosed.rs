//! Names and rows that were opened, against the pseudonyms and commitments of the bundle.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::contents::{Blank, Contents, Row, is_as_long_as_it_says};
use super::{Verdict, VerifyError, bag};
use crate::digest::unhex;
use crate::evidence::bag::TAG_MANIFEST;
use crate::pseudonym::{DISCLOSED, Kind, commitment, opened};
use crate::report::text::words::counted;
use crate::shown;

/// The first line.
#[derive(Deserialize)]
struct Header {
    schema: String,
    /// SHA-256 of the bundle's tag manifest.
    bundle: String,
}

/// One thing that was opened.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Entry {
    Name {
        name: String,
        salt: String,
        pseudonyms: Vec<String>,
    },
    Row {
        sha256: String,
        byte: u64,
        salt: String,
        length: u64,
        #[serde(default)]
        cut: bool,
        #[serde(default)]
        blanked: Vec<Blank>,
        text: Option<String>,
        hex: Option<String>,
    },
    File {
        role: String,
        salt: String,
        text: Option<String>,
        hex: Option<String>,
    },
}

/// Checks what was opened, and puts the rows into `contents`, so that they can be compared with the
/// logs.
pub(super) fn open(
    bundle: &Path,
    file: &Path,
    contents: &mut Contents,
    verdict: &mut Verdict,
) -> Result<(), VerifyError> {
    let shown = shown::path(file);
    let bytes = bag::read(file)?;
    let mut lines = (1..).zip(bytes.split(|b| *b == b'\n')).filter(|(_, line)| !line.is_empty());
    let header = lines.next().map(|(_, line)| serde_json::from_slice::<Header>(line));
    match header {
        Some(Ok(header)) if header.schema == DISCLOSED => {
            let own = bag::sha256(&bundle.join(TAG_MANIFEST))?;
            if header.bundle != own {
                verdict.refuse(format!(
                    "{shown}: is about the bundle whose {TAG_MANIFEST} has SHA-256 {}, but that of this one has {own}",
                    header.bundle
                ));
                return Ok(());
            }
        }
        _ => {
            verdict.refuse(format!(
                "{shown}:1: found something else but expected the first line of what `calproof disclose` wrote \
                 ({DISCLOSED})"
            ));
            return Ok(());
        }
    }
    if !contents.hidden() {
        verdict.refuse(format!("{shown}: opens names, but those of the bundle are no pseudonyms"));
        return Ok(());
    }
    let known = pseudonyms(contents);
    let mut wrong = Vec::new();
    let (mut names, mut rows, mut files) = (0, 0, 0);
    for (number, line) in lines {
        let place = format!("{shown}:{number}");
        let done = match serde_json::from_slice(line) {
            Err(error) => Err(format!("cannot be understood ({error})")),
            Ok(entry @ Entry::Name { .. }) => name(&entry, &known).map(|told| {
                names += 1;
                verdict.note(told);
            }),
            Ok(entry @ Entry::Row { .. }) => row(entry, contents).map(|()| rows += 1),
            Ok(entry @ Entry::File { .. }) => config(&entry, contents).map(|()| files += 1),
        };
        wrong.extend(done.err().map(|why| format!("{place}: {why}")));
    }
    verdict.refuse_all(wrong);
    verdict.note(format!(
        "what {shown} opens fits its pseudonyms and commitments: {}, {}, {}",
        counted(names, "name", "names"),
        counted(rows, "row", "rows"),
        counted(files, "file", "files"),
    ));
    Ok(())
}

/// Every pseudonym that stands in the report, or in the list of accesses.
fn pseudonyms(contents: &Contents) -> BTreeSet<String> {
    fn strings(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(into.insert(text.clone())),
            Value::Array(list) => list.iter().for_each(|v| strings(v, into)),
            Value::Object(map) => map.values().for_each(|v| strings(v, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut known = BTreeSet::new();
    strings(&contents.report, &mut known);
    known.extend(contents.pairs.iter().flat_map(|p| [p.person.clone(), p.device.clone()]));
    known
}

fn salt(digits: &str) -> Result<[u8; 32], String> {
    let bytes = unhex(digits.as_bytes()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| "found a salt that is not 64 hexadecimal digits".to_owned())
}

/// The content that a commitment is made over: a text, or the digits of bytes that are none.
fn content<'a>(text: Option<&'a str>, hex: Option<&'a str>) -> Result<&'a str, String> {
    match (text, hex) {
        (Some(text), None) => Ok(text),
        (None, Some(hex)) => Ok(hex),
        _ => Err("expected either `text` or `hex`".to_owned()),
    }
}

fn name(entry: &Entry, known: &BTreeSet<String>) -> Result<String, String> {
    let Entry::Name { name, salt: digits, pseudonyms } = entry else { return Ok(String::new()) };
    let expected = opened(&salt(digits)?, name);
    if pseudonyms.is_empty() {
        return Err("names no pseudonym".to_owned());
    }
    for pseudonym in pseudonyms {
        if Kind::of(pseudonym).is_none_or(|(_, digits)| digits != expected) {
            return Err(format!("{pseudonym} is not the pseudonym of `{name}` under its salt"));
        }
        if !known.contains(pseudonym) {
            return Err(format!("{pseudonym} stands nowhere in the report or its accesses"));
        }
    }
    Ok(format!("{} = {name}", pseudonyms.join(", ")))
}

fn row(entry: Entry, contents: &mut Contents) -> Result<(), String> {
    let Entry::Row { sha256, byte, salt: digits, length, cut, blanked, text, hex } = entry else {
        return Ok(());
    };
    let bound = commitment(
        &salt(&digits)?,
        &format!("{sha256} {byte}"),
        content(text.as_deref(), hex.as_deref())?.as_bytes(),
    );
    let here = |row: &&mut Row| row.sha256 == sha256 && row.byte == byte;
    let mut committed =
        contents.rows.iter_mut().chain(&mut contents.sample).filter(here).peekable();
    if committed.peek().is_none() {
        return Err(format!("the bundle commits to no row at byte {byte} of {sha256}"));
    }
    // A row of the sample can be blanked further than the same row where it is cited.
    let mut bound_to = committed.filter(|row| row.commitment.as_deref() == Some(&bound)).peekable();
    if bound_to.peek().is_none() {
        return Err(format!(
            "the row at byte {byte} of {sha256} is not the one that the bundle commits to"
        ));
    }
    for row in bound_to {
        let opened = Row {
            length,
            cut,
            blanked: blanked.clone(),
            text: text.clone(),
            hex: hex.clone(),
            ..row.clone()
        };
        if !is_as_long_as_it_says(&opened) {
            return Err(format!(
                "the row at byte {byte} of {} is not as long as it says",
                row.path
            ));
        }
        *row = opened;
    }
    Ok(())
}

fn config(entry: &Entry, contents: &Contents) -> Result<(), String> {
    let Entry::File { role, salt: digits, text, hex } = entry else { return Ok(()) };
    let content = match (text, hex.as_deref().map(|hex| unhex(hex.as_bytes()))) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(Some(bytes))) => bytes,
        _ => return Err("expected either `text` or `hex`".to_owned()),
    };
    let bound = commitment(&salt(digits)?, role, &content);
    let stated = contents.run["configuration"].as_array();
    let fits = |file: &Value| file["role"] == role.as_str() && file["commitment"] == bound.as_str();
    match stated.is_some_and(|files| files.iter().any(fits)) {
        true => Ok(()),
        false => Err(format!("the bundle commits to no such file in the role {role}")),
    }
}
