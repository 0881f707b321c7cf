//! Whether a file stayed the same while it was read.

use std::{fmt, fs::File, io, sync::Arc, time::SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

/// How a file changed between the moment it was opened and the moment its last byte was read.
///
/// The comparison is of length and modification time, through the handle that was read: a file that is renamed or
/// replaced by another under its name is not a change of what was read. A rewrite within the file system's clock tick
/// (some milliseconds) that keeps the length cannot be seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Bytes were added; only the first `from` were read.
    Grew {
        /// Length in bytes when it was opened.
        from: u64,
        /// Length in bytes afterwards.
        to: u64,
    },
    /// Bytes were taken away; the missing ones may have been read as zeros, or not at all.
    Shrank {
        /// Length in bytes when it was opened.
        from: u64,
        /// Length in bytes afterwards.
        to: u64,
    },
    /// The length is the same, but something was written: old and new bytes may be mixed.
    Rewritten {
        /// Modification time when it was opened.
        from: SystemTime,
        /// Modification time afterwards.
        to: SystemTime,
    },
    /// The file could not be examined again.
    Unknown {
        /// What the system said.
        reason: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grew { from, to } => {
                write!(
                    f,
                    "grew from {from} to {to} bytes while it was read; the first {from} were used"
                )
            }
            Self::Shrank { from, to } => {
                write!(
                    f,
                    "shrank from {from} to {to} bytes while it was read; copy it and read the copy"
                )
            }
            Self::Rewritten { from, to } => write!(
                f,
                "was rewritten while it was read (modified {}, then {}); copy it and read the copy",
                utc(*from),
                utc(*to)
            ),
            Self::Unknown { reason } => {
                write!(f, "could not be examined again after reading: {reason}")
            }
        }
    }
}

fn utc(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A file as it was when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// The handle that is read.
    pub(crate) file: Arc<File>,
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    /// The number of the file system that holds it, where the system tells.
    pub(crate) device: Option<u64>,
}

impl Watch {
    pub(crate) fn start(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        #[cfg(unix)]
        let device = Some(std::os::unix::fs::MetadataExt::dev(&metadata));
        #[cfg(not(unix))]
        let device = None;
        let (len, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Self { file: Arc::new(file), len, modified, device })
    }

    /// Examines the file again; `read` is how many of its bytes were found, where that is known.
    pub(crate) fn end(&self, read: Option<u64>) -> Option<Change> {
        let metadata = match self.file.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Some(Change::Unknown { reason: error.to_string() }),
        };
        let from = self.len;
        let to = metadata.len();
        if to < from {
            return Some(Change::Shrank { from, to });
        }
        if let Some(read) = read.filter(|&read| read < from) {
            return Some(Change::Shrank { from, to: read });
        }
        if to > from {
            return Some(Change::Grew { from, to });
        }
        match (self.modified, metadata.modified().ok()) {
            (Some(from), Some(to)) if from != to => Some(Change::Rewritten { from, to }),
            _ => None,
        }
    }
}
