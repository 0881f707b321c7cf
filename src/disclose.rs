//! Opening single names and rows of a bundle whose names are pseudonyms.
//!
//! What is opened is made from the key, the bundle and the logs: nothing is taken from the run that
//! wrote the bundle, and a row that does not give the commitment in it is refused.

mod found;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::digest::hex;
use crate::discover::Input;
use crate::evidence::EvidenceError;
use crate::evidence::bag::{self, TAG_MANIFEST};
use crate::evidence::reread::{self, Spot};
use crate::evidence::rows::{Quoted, quote};
use crate::ingest::{Ingested, Quiet, Reading, ingest};
use crate::pseudonym::{DISCLOSED, Key, KeyFileError, commitment};
use crate::report;
use crate::shown;
use crate::verify::contents::{self, Contents};
use crate::verify::{self, Verdict, VerifyError, logs};
use found::Bundle;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The bundle.
    pub bundle: &'a Path,
    /// The key of its pseudonyms.
    pub key: &'a Path,
    /// A directory with the logs that were read; needed for rows.
    pub logs: Option<&'a Path>,
    /// Names in clear, pseudonyms, pairs of them with a `+`, beginnings of commitments.
    pub what: &'a [String],
    /// Files of the configuration to open.
    pub files: &'a [PathBuf],
}

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscloseError {
    /// The bundle or the logs cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A row cannot be read again.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The bundle is not what it says.
    #[error("{path}: does not verify ({refusal}); nothing is opened of a bundle that was changed")]
    Refused {
        /// The bundle.
        path: String,
        /// The first refusal.
        refusal: String,
    },
    /// There is nothing to open.
    #[error(
        "{path}: its names are no pseudonyms, so there is nothing to open; `scan --evidence --pseudonymise` writes \
         bundles that can be opened name by name"
    )]
    NotHidden {
        /// The bundle.
        path: String,
    },
    /// Another key.
    #[error(
        "{path}: found the key {found} but expected {expected}, under which the bundle was written"
    )]
    OtherKey {
        /// The key file.
        path: String,
        /// What tells it from others.
        found: String,
        /// What the bundle says.
        expected: String,
    },
    /// Nothing has the name.
    #[error(
        "`{what}`: found no pseudonym of it in the bundle, and no commitment that begins so; expected a name as \
         logged or stated, a canonical id, a device's label or id, an address, a pseudonym, two of these with a `+` \
         between them, or at least 8 digits of a row's commitment"
    )]
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// Rows without logs.
    #[error("--logs: expected the directory of the logs, for {rows} rows are to be opened")]
    NoLogs {
        /// How many.
        rows: usize,
    },
    /// A log is not there.
    #[error(
        "{path}: no file under {folder} has its SHA-256 {sha256}; name the directory of the logs"
    )]
    NoLog {
        /// Path of the source in the bundle.
        path: String,
        /// Where it was looked for.
        folder: String,
        /// Its digest.
        sha256: String,
    },
    /// A row does not give its commitment.
    #[error(
        "{path}: the row at byte {byte} does not give the commitment of the bundle: found another row, or it was \
         committed by another version of calproof; nothing was opened"
    )]
    Differs {
        /// Path of the source in the bundle.
        path: String,
        /// Byte.
        byte: u64,
    },
    /// A file that the bundle does not commit to.
    #[error("{path}: {reason}")]
    File {
        /// Path as given.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// What was opened, in the order in which it is written.
#[derive(Default)]
pub struct Disclosed {
    bundle: String,
    key: String,
    names: Vec<Name>,
    rows: Vec<Row>,
    files: Vec<File>,
    /// What could not be opened beside it.
    pub remarks: Vec<String>,
}

#[derive(Serialize)]
struct Name {
    kind: &'static str,
    name: String,
    salt: String,
    pseudonyms: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    salt: String,
    commitment: String,
    #[serde(flatten)]
    row: Quoted,
}

#[derive(Serialize)]
struct File {
    kind: &'static str,
    role: String,
    salt: String,
    commitment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// Opens what is asked for.
///
/// # Errors
///
/// Nothing is opened where the bundle does not verify, the key is another, something that is asked
/// for is not in the bundle, a log is missing, or a row does not give its commitment.
pub fn disclose(asked: &Asked<'_>) -> Result<Disclosed, DiscloseError> {
    let path = shown::path(asked.bundle);
    let verdict = verify::verify(asked.bundle, &verify::Asked::default())?;
    if let Some(refusal) = verdict.refusals.first() {
        return Err(DiscloseError::Refused { path, refusal: refusal.clone() });
    }
    let contents = contents::read(asked.bundle, &mut Verdict::default())?;
    if !contents.hidden() {
        return Err(DiscloseError::NotHidden { path });
    }
    let key = Key::load(asked.key)?;
    let expected = contents.run["pseudonyms"]["key"].as_str().unwrap_or_default();
    if key.id() != expected {
        let path = shown::path(asked.key);
        return Err(DiscloseError::OtherKey {
            path,
            found: key.id(),
            expected: expected.to_owned(),
        });
    }
    let tags = std::fs::read(asked.bundle.join(TAG_MANIFEST))
        .map_err(|source| VerifyError::Read { path: path.clone(), source })?;
    let mut disclosed =
        Disclosed { bundle: bag::sha256(&tags), key: key.id(), ..Disclosed::default() };
    for file in asked.files {
        disclosed.files.push(open_file(file, &contents, &key)?);
    }
    let bundle = Bundle::new(asked.bundle, &contents)?;
    let mut places = BTreeSet::new();
    let mut names = BTreeMap::new();
    let mut behind = BTreeSet::new();
    for what in asked.what {
        let found =
            bundle.find(what, &key).ok_or_else(|| DiscloseError::Unknown { what: what.clone() })?;
        places.extend(found.places);
        names.extend(found.names);
        behind.extend(found.pseudonyms);
    }
    if !places.is_empty() {
        let folder = asked.logs.ok_or(DiscloseError::NoLogs { rows: places.len() })?;
        disclosed.rows = rows(&places, folder, &contents, &key)?;
    }
    // The names behind pseudonyms that were asked for, where the rows spell them.
    for row in &disclosed.rows {
        for name in bundle.spellings(&row.row) {
            let digits = crate::pseudonym::opened(&key.salt_of_name(&name), &name);
            if behind.contains(&digits) {
                names.insert(digits, name);
            }
        }
    }
    for digits in behind.iter().filter(|digits| !names.contains_key(*digits)) {
        disclosed.remarks.push(format!(
            "{}: its rows do not spell the name behind it; give that in clear to open it",
            bundle.pseudonyms(digits).join(", ")
        ));
    }
    disclosed.names = names
        .into_iter()
        .map(|(digits, name)| Name {
            kind: "name",
            salt: hex(&key.salt_of_name(&name)),
            pseudonyms: bundle.pseudonyms(&digits),
            name,
        })
        .collect();
    Ok(disclosed)
}

/// Writes what was opened as JSON Lines, a line that names the bundle first.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn write(disclosed: &Disclosed, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Header<'a> {
        schema: &'static str,
        bundle: &'a str,
        key: &'a str,
    }
    let Disclosed { bundle, key, names, rows, files, remarks: _ } = disclosed;
    report::line(&Header { schema: DISCLOSED, bundle, key }, out)?;
    names.iter().try_for_each(|name| report::line(name, out))?;
    rows.iter().try_for_each(|row| report::line(row, out))?;
    files.iter().try_for_each(|file| report::line(file, out))
}

/// Reads the rows at the places (path in the bundle, byte) again and checks them.
fn rows(
    places: &BTreeSet<(String, u64)>,
    folder: &Path,
    contents: &Contents,
    key: &Key,
) -> Result<Vec<Row>, DiscloseError> {
    let found = logs::find(folder, contents, &mut Verdict::default())?;
    let mut by_path: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (path, byte) in places {
        by_path.entry(path).or_default().push(*byte);
    }
    let mut rows = Vec::new();
    for (path, bytes) in by_path {
        let source = contents.sources.iter().find(|source| source.path == path);
        let sha256 = source.and_then(|source| source.sha256.clone()).unwrap_or_default();
        let Some((source, input)) = source.zip(found.get(&sha256)) else {
            let (path, folder) = (path.to_owned(), shown::path(folder));
            return Err(DiscloseError::NoLog { path, folder, sha256 });
        };
        rows.extend(of_source(source, input, &bytes, contents, key)?);
    }
    Ok(rows)
}

/// The rows of one source.
fn of_source(
    source: &contents::Source,
    input: &Input,
    bytes: &[u64],
    contents: &Contents,
    key: &Key,
) -> Result<Vec<Row>, DiscloseError> {
    let sha256 = source.sha256.as_deref().unwrap_or_default();
    // Its directives tell which columns hold secrets.
    let reading = Reading { options: logs::options(), ..Reading::default() };
    let Ingested { mut inputs, .. } = ingest(std::slice::from_ref(input), &reading, &Quiet);
    let (Some(mut known), Some(format)) = (inputs.pop(), reread::format(&source.format)) else {
        return Ok(Vec::new());
    };
    known.path.clone_from(&source.path);
    known.format = format.name();
    let mut rows = Vec::new();
    let mut differs = None;
    let mut take = |i: usize, spot: Option<Spot<'_>>| {
        let byte = bytes[i];
        let salt = key.salt_of_row(sha256, byte);
        // The same row can be cited and drawn, and blanked by its header or by all headers.
        let mut bound = BTreeSet::new();
        let all = contents.rows.iter().chain(&contents.sample);
        for row in all.filter(|row| row.sha256 == sha256 && row.byte == byte) {
            let quoted = spot.as_ref().map(|spot| quote(&known, format, (byte, row.line), spot));
            let commitment = quoted.as_ref().map(|quoted| quoted.commitment(&salt));
            match (quoted, commitment) {
                (Some(quoted), Some(commitment))
                    if row.commitment.as_ref() == Some(&commitment) =>
                {
                    if bound.insert(commitment.clone()) {
                        rows.push(Row { kind: "row", salt: hex(&salt), commitment, row: quoted });
                    }
                }
                _ => differs = differs.or(Some(byte)),
            }
        }
    };
    reread::visit(input, bytes, &logs::options(), &mut take)?;
    match differs {
        Some(byte) => Err(DiscloseError::Differs { path: source.path.clone(), byte }),
        None => Ok(rows),
    }
}

/// A file of the configuration, where the bundle commits to it.
fn open_file(path: &Path, contents: &Contents, key: &Key) -> Result<File, DiscloseError> {
    let shown = shown::path(path);
    let wrong = |reason: String| DiscloseError::File { path: shown.clone(), reason };
    let bytes = std::fs::read(path).map_err(|e| wrong(format!("cannot be read ({e})")))?;
    let salt = key.salt_of_file(&bytes);
    let stated = contents.run["configuration"].as_array().into_iter().flatten();
    let role = stated
        .filter_map(|file| Some((file["role"].as_str()?, file["commitment"].as_str()?)))
        .find(|(role, bound)| commitment(&salt, role, &bytes) == *bound);
    let Some((role, bound)) = role else {
        let reason = "found a file that the bundle does not commit to but expected one of the configuration as it \
                      was read";
        return Err(wrong(reason.to_owned()));
    };
    let (text, digits) = match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(hex(error.as_bytes()))),
    };
    let (role, commitment) = (role.to_owned(), bound.to_owned());
    Ok(File { kind: "file", role, salt: hex(&salt), commitment, text, hex: digits })
}
