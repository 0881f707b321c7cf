//! `calproof verify`: whether a bundle is what it says, without trusting the run that wrote it.
//!
//! Nothing here counts, and nothing is shared with what counts: digests, sums, lists against lists, a
//! checker of its own for the certificate, and, with the logs, the raw bytes of every quoted row. A
//! second count (`--full`) is made by the twin, which shares no code with this program.

pub(crate) mod bag;
mod certificate;
mod chain;
pub(crate) mod contents;
mod disclosed;
pub(crate) mod logs;
mod passage;
mod recount;
mod sample;
mod timestamp;
mod totals;

use std::io;
use std::path::Path;

use crate::shown;

/// What is asked beside the bundle itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// A directory with the logs that were read.
    pub logs: Option<&'a Path>,
    /// Whether the people are counted again from the logs.
    pub full: bool,
    /// The bundle that this one must follow.
    pub previous: Option<&'a Path>,
    /// The public key that must have signed the bundle.
    pub signer: Option<&'a Path>,
    /// What was opened of its names and rows.
    pub disclosed: Option<&'a Path>,
    /// The certificate of the authority that must have made the time stamp.
    pub authority: Option<&'a Path>,
}

/// What was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    /// Why the bundle is refused; empty where it is not. Each names the file.
    pub refusals: Vec<String>,
    /// What was checked and what was not.
    pub notes: Vec<String>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no such directory.
    #[error(
        "{path}: found no directory but expected a bundle; name the directory that `scan --evidence` wrote"
    )]
    NoDirectory {
        /// Path as given.
        path: String,
    },
    /// A file or directory cannot be read.
    #[error("{path}: cannot be read ({source})")]
    Read {
        /// Path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] crate::evidence::sshsig::KeyError),
    /// A count cannot be repeated.
    #[error("--full: the count cannot be repeated: {0}")]
    Recount(String),
}

impl VerifyError {
    fn read(path: &Path, source: io::Error) -> VerifyError {
        VerifyError::Read { path: shown::path(path), source }
    }
}

/// How many refusals of one kind are told.
const TOLD: usize = 20;

impl Verdict {
    fn refuse(&mut self, why: impl Into<String>) {
        self.refusals.push(why.into());
    }

    fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    /// Refuses for every item of a list, the first of them by name.
    fn refuse_all(&mut self, mut all: Vec<String>) {
        let more = all.len().saturating_sub(TOLD);
        all.truncate(TOLD);
        self.refusals.append(&mut all);
        if more > 0 {
            self.refuse(format!("… and {more} more of this kind"));
        }
    }
}

/// Verifies a bundle.
///
/// Where its files are not those that its manifests list, nothing in them is looked at any further.
///
/// # Errors
///
/// Where nothing can be said: no such directory, files that cannot be read, keys that cannot be used.
pub fn verify(bundle: &Path, asked: &Asked<'_>) -> Result<Verdict, VerifyError> {
    if !bundle.is_dir() {
        return Err(VerifyError::NoDirectory { path: shown::path(bundle) });
    }
    let mut verdict = Verdict::default();
    bag::check(bundle, &mut verdict)?;
    chain::check(bundle, asked, &mut verdict)?;
    timestamp::check(bundle, asked, &mut verdict)?;
    if !verdict.refusals.is_empty() {
        return Ok(verdict);
    }
    let mut contents = contents::read(bundle, &mut verdict)?;
    contents::check(&contents, &mut verdict);
    totals::check(bundle, &contents, &mut verdict)?;
    sample::check(&contents, &mut verdict);
    certificate::check(&contents, &mut verdict);
    if let Some(file) = asked.disclosed {
        disclosed::open(bundle, file, &mut contents, &mut verdict)?;
    }
    if let Some(folder) = asked.logs {
        let found = logs::find(folder, &contents, &mut verdict)?;
        logs::rows(&found, &contents, &mut verdict);
        if asked.full {
            recount::check(bundle, &found, &contents, &mut verdict)?;
        }
    } else {
        verdict.note("the logs were not read: `--logs DIR` compares every quoted row with them");
    }
    Ok(verdict)
}
