//! Evidence that the other side can check: a bundle of the count with everything it rests on.
//!
//! A bundle is a BagIt bag (RFC 8493) in which `sha256sum -c manifest-sha256.txt` works without this
//! program. `docs/evidence.md` describes every file of it. The payload (`data/`) depends on the
//! inputs and the configuration alone; when and where they were read stands in tag files.

pub mod bag;
pub mod der;
mod method;
mod payload;
pub mod reread;
pub(crate) mod rows;
mod sample;
mod selftest;
pub mod sshsig;
pub mod timestamp;

pub use sample::{DRAWS, REACH, WANTED};
pub use selftest::worked_example;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::census::Census;
use crate::config::Config;
use crate::digest::DigestChoice;
use crate::discover::{Input, Origin};
use crate::facts::collector::Directive;
use crate::ingest::input::InputReport;
use crate::pseudonym::{Clash, Pseudonyms};
use crate::report;
use crate::rules::RulePack;
use crate::shown;
use crate::source::ReadOptions;
use bag::{Bag, REQUEST, SIGNATURE, TAG_MANIFEST};
use sshsig::PrivateKey;

/// Why no bundle was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Something stands at the place.
    #[error(
        "{path}: found something there but expected no such directory; a bundle is never overwritten, name a new one"
    )]
    Exists {
        /// Path as given.
        path: String,
    },
    /// The path has no last component.
    #[error("{path}: found no name of a directory; name one that does not exist yet")]
    Name {
        /// Path as given.
        path: String,
    },
    /// The system refuses.
    #[error(
        "{path}: cannot be written ({source}); check the place, its permissions and the space left"
    )]
    Write {
        /// Path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file that must be copied or referred to cannot be read.
    #[error("{path}: cannot be read ({source})")]
    Read {
        /// Path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// Standard input.
    #[error(
        "-: standard input cannot be read a second time, so its rows cannot be quoted; save it to a file and name that"
    )]
    StandardInput,
    /// Another digest was asked for.
    #[error(
        "--digest {found}: found another digest than sha256, by which evidence names every file; leave the flag out"
    )]
    Digest {
        /// What was asked for.
        found: &'static str,
    },
    /// A cited row is not there any more.
    #[error(
        "{path}: cannot be quoted, {reason}; the file changed since it was read: copy the logs and read the copy"
    )]
    Again {
        /// Path of the input.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An input changed between the reading and the quoting.
    #[error("{path}: was changed after it was read; copy the logs and read the copy")]
    Changed {
        /// Path.
        path: String,
    },
    /// The program does not count what it should.
    #[error("the self-test failed: {0}; this build must not be used")]
    SelfTest(String),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] sshsig::KeyError),
    /// The previous bundle is none.
    #[error("--previous {path}: {reason}; name the directory of a finished bundle")]
    Previous {
        /// Path as given.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Two names have one pseudonym.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// A quoted row could not be written.
    #[error("witness-rows: {0}")]
    Row(io::Error),
}

impl EvidenceError {
    pub(crate) fn write(path: &Path, source: io::Error) -> EvidenceError {
        EvidenceError::Write { path: shown::path(path), source }
    }
}

/// What the user asks of a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where it shall stand.
    pub place: &'a Path,
    /// The bundle before this one, for a chain.
    pub previous: Option<&'a Path>,
    /// An OpenSSH private key (ed25519, without passphrase) to sign with.
    pub key: Option<&'a Path>,
    /// An auditor's list of accounts that the count was compared with.
    pub accounts: Option<&'a Path>,
    /// Whether a request for a time stamp is written beside the tag manifest.
    pub timestamp_request: bool,
    /// The configuration file, where there is one.
    pub config: Option<&'a Path>,
}

/// A bundle whose place is taken and whose inputs are known, before anything is counted.
#[derive(Debug)]
pub struct Prepared {
    bag: Bag,
    previous: Option<String>,
    key: Option<PrivateKey>,
    timestamp_request: bool,
    configuration: Vec<Stated>,
    stamps: BTreeMap<Origin, Option<Stamp>>,
}

/// A file that the user states something with.
#[derive(Clone, Debug)]
struct Stated {
    /// Its role: `configuration`, `devices.inventory`, …
    role: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Length and modification time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// What a bundle is made of.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The census, with [`Detail::Full`](crate::census::Detail::Full); without names where they are
    /// pseudonyms.
    pub census: &'a Census,
    /// The rule packs there are.
    pub packs: &'a [RulePack],
    /// The inputs, as the census numbers them.
    pub inputs: &'a [Input],
    /// How inputs are read.
    pub options: &'a ReadOptions,
}

/// What hides names.
pub struct Hidden<'a, 'k> {
    /// The pseudonyms, with their key.
    pub names: &'a mut Pseudonyms<'k>,
    /// The directives of each input as they were read.
    pub directives: &'a [Vec<Directive>],
}

/// Takes the place of a bundle and notes how the inputs are before they are read.
///
/// # Errors
///
/// A place that cannot be written to, a key or previous bundle that cannot be used, standard input
/// among the inputs, another digest than SHA-256 asked for (`digest` is what the user said, if anything).
pub fn prepare(
    asked: &Asked<'_>,
    config: &Config,
    inputs: &[Input],
    digest: Option<DigestChoice>,
) -> Result<Prepared, EvidenceError> {
    match digest {
        None | Some(DigestChoice::Sha256) => {}
        Some(DigestChoice::Blake3) => return Err(EvidenceError::Digest { found: "blake3" }),
        Some(DigestChoice::None) => return Err(EvidenceError::Digest { found: "none" }),
    }
    if inputs.iter().any(|input| input.origin == Origin::Stdin) {
        return Err(EvidenceError::StandardInput);
    }
    let previous = asked.previous.map(previous_digest).transpose()?;
    let key = asked.key.map(PrivateKey::load).transpose()?;
    let lists = [
        ("identity.directory", &config.identity.directory),
        ("devices.inventory", &config.devices.inventory),
        ("owned", &config.owned.files),
        ("configuration", &config.configuration.files),
    ];
    let mut configuration = Vec::new();
    if let Some(path) = asked.config {
        configuration.push(stated("calproof.toml", path)?);
    }
    for (role, files) in lists {
        for path in files {
            configuration.push(stated(role, path)?);
        }
    }
    if let Some(path) = asked.accounts {
        configuration.push(stated("compare", path)?);
    }
    let stamps = inputs.iter().map(|input| (input.origin.clone(), stamp(input))).collect();
    let timestamp_request = asked.timestamp_request;
    let bag = Bag::create(asked.place)?;
    Ok(Prepared { bag, previous, key, timestamp_request, configuration, stamps })
}

/// Writes the bundle; it stands at its place when this returns, or nothing does.
///
/// With `hidden` the census of the subject is one that has [no names](crate::pseudonym::census): rows
/// are committed instead of quoted, and what the user states is copied without names.
///
/// # Errors
///
/// A failed self-test, a place that takes no more bytes, an input that changed since it was read.
pub fn write(
    prepared: Prepared,
    subject: &Subject<'_>,
    hidden: Option<Hidden<'_, '_>>,
) -> Result<(), EvidenceError> {
    let Prepared { mut bag, previous, key, timestamp_request, configuration, stamps } = prepared;
    // By the program's own packs, whatever the user adds.
    let packs = RulePack::builtin().map_err(|error| EvidenceError::SelfTest(error.to_string()))?;
    worked_example(&packs).map_err(EvidenceError::SelfTest)?;
    for known in &configuration {
        if stated(known.role, &known.path)?.bytes != known.bytes {
            return Err(EvidenceError::Changed { path: shown::path(&known.path) });
        }
    }
    let is_hidden = hidden.is_some();
    payload::write(&mut bag, subject, &configuration, hidden)?;
    let now: Vec<Option<Stamp>> = subject.inputs.iter().map(stamp).collect();
    for (after, input) in now.iter().zip(subject.inputs) {
        let before = stamps.get(&input.origin).unwrap_or(&None);
        // A log that grew meanwhile still has the rows that were read.
        let grew = matches!((before, after), (Some(b), Some(a)) if a.bytes > b.bytes);
        if before != after && !grew {
            return Err(EvidenceError::Changed { path: input.display.clone() });
        }
    }
    let octets: u64 = bag.payload().iter().map(|file| file.bytes).sum();
    let files = bag.payload().len();
    bag.tag_file("bagit.txt", |out| {
        out.write_all(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    })?;
    bag.tag_file("bag-info.txt", |out| info(octets, files, previous.as_deref(), out))?;
    bag.tag_file("acquisition.jsonl", |out| acquisition(subject, &now, is_hidden, out))?;
    let manifest = bag.manifest()?;
    bag.tag_file("CERTIFICATION.txt", |out| method::certification(subject, &manifest, files, out))?;
    bag.finish(|tags| {
        let signature = key.map(|key| (SIGNATURE, key.sign(tags).into_bytes()));
        let request = timestamp_request.then(|| (REQUEST, timestamp::request(tags)));
        signature.into_iter().chain(request).collect()
    })
}

/// The digits of an input's SHA-256; empty where it could not be read.
fn sha256_of(input: &InputReport) -> &str {
    input.digest.as_deref().and_then(|d| d.strip_prefix("sha256:")).unwrap_or_default()
}

fn stated(role: &'static str, path: &Path) -> Result<Stated, EvidenceError> {
    let bytes = std::fs::read(path)
        .map_err(|source| EvidenceError::Read { path: shown::path(path), source })?;
    Ok(Stated { role, path: path.to_owned(), bytes })
}

/// The digest of a finished bundle's tag manifest.
fn previous_digest(bundle: &Path) -> Result<String, EvidenceError> {
    let wrong = |reason: String| EvidenceError::Previous { path: shown::path(bundle), reason };
    let verdict = crate::verify::verify(bundle, &crate::verify::Asked::default())
        .map_err(|error| wrong(error.to_string()))?;
    if let Some(refusal) = verdict.refusals.first() {
        return Err(wrong(format!("it does not verify ({refusal})")));
    }
    let bytes = std::fs::read(bundle.join(TAG_MANIFEST)).map_err(|e| wrong(e.to_string()))?;
    Ok(bag::sha256(&bytes))
}

fn file_of(input: &Input) -> Option<&Path> {
    match &input.origin {
        Origin::File(path) => Some(path),
        Origin::Member(member) => Some(&member.archive),
        Origin::Stdin => None,
    }
}

fn stamp(input: &Input) -> Option<Stamp> {
    let found = std::fs::metadata(file_of(input)?).ok()?;
    Some(Stamp { bytes: found.len(), modified: found.modified().ok() })
}

/// Milliseconds since 1970.
fn milliseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// `bag-info.txt` (RFC 8493 section 2.2.2).
fn info(octets: u64, files: usize, previous: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let today = report::instant(milliseconds(SystemTime::now()));
    writeln!(out, "Bag-Software-Agent: calproof {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "Bagging-Date: {}", &today[..10.min(today.len())])?;
    writeln!(out, "External-Description: What observed usage requires, with the rows it rests on")?;
    writeln!(out, "Payload-Oxum: {octets}.{files}")?;
    if let Some(digest) = previous {
        writeln!(out, "Previous-Tagmanifest-SHA256: {digest}")?;
    }
    Ok(())
}

/// `acquisition.jsonl`: where the inputs lay (not where names are hidden), and when they were last
/// written.
fn acquisition(
    subject: &Subject<'_>,
    stamps: &[Option<Stamp>],
    hidden: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Acquired<'a> {
        path: &'a str,
        absolute: Option<String>,
        file_bytes: Option<u64>,
        modified: Option<String>,
    }
    for (input, stamp) in subject.inputs.iter().zip(stamps) {
        let shown = file_of(input).filter(|_| !hidden);
        let absolute = shown.and_then(|path| std::path::absolute(path).ok());
        let acquired = Acquired {
            path: &input.display,
            absolute: absolute.map(|path| shown::path(&path)),
            file_bytes: stamp.map(|s| s.bytes),
            modified: stamp
                .and_then(|s| s.modified)
                .map(|time| report::instant(milliseconds(time))),
        };
        report::line(&acquired, out)?;
    }
    Ok(())
}
