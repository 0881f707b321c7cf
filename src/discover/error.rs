//! Why a place leads to no input.

use std::io;

use zip::result::ZipError;

/// A path, or a member of an archive, that leads to no input.
///
/// Every message says where, what was found and what was expected, and what to do. `path` is the display name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// There is nothing of this name.
    #[error("{path}: found nothing of this name but expected a file or a directory; {hint}")]
    Missing {
        /// Display name.
        path: String,
        /// What to do.
        hint: &'static str,
    },
    /// No name matches a pattern.
    #[error(
        "{path}: found no file or directory that matches but expected at least one; check the pattern and the folder before it"
    )]
    NoMatch {
        /// The pattern.
        path: String,
    },
    /// A pattern that cannot be understood.
    #[error(
        "{path}: found a pattern that cannot be read ({reason}) but expected `*`, `?` or `**`; name the files or their directory"
    )]
    Pattern {
        /// The pattern.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A place that cannot be examined or listed.
    #[error(
        "{path}: found a place that cannot be listed ({source}) but expected a readable file or directory; check its permissions, or run as a user who may read it"
    )]
    Unreadable {
        /// Display name.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A link that leads nowhere.
    #[error(
        "{path}: found a link that leads nowhere ({source}) but expected one to a file or a directory; restore what it points to, or remove it"
    )]
    DeadLink {
        /// Display name.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A directory without any file.
    #[error(
        "{path}: found an empty directory but expected log files in it; check that it is the right one"
    )]
    Empty {
        /// Display name.
        path: String,
    },
    /// Not a file: a pipe, a socket, a device.
    #[error(
        "{path}: found {found} but expected a file or a directory; to read a pipe, name `-` and redirect it to standard input"
    )]
    Special {
        /// Display name.
        path: String,
        /// What it is.
        found: &'static str,
    },
    /// A zip archive that cannot be listed.
    #[error(
        "{path}: found a zip archive that cannot be listed ({source}) but expected an intact central directory; fetch it again, or repair it (`zip -FF`) and name the unpacked files"
    )]
    Archive {
        /// Display name.
        path: String,
        /// What is wrong with it.
        source: ZipError,
    },
    /// A zip archive without any file.
    #[error(
        "{path}: found a zip archive without files but expected logs in it; check that it is the right one"
    )]
    EmptyArchive {
        /// Display name.
        path: String,
    },
    /// A zip archive that names two members alike, of which only the last can be read.
    #[error(
        "{path}: found several members of one name but expected each name once; the last of them is read: unpack the others and name the unpacked files"
    )]
    SameNames {
        /// Display name.
        path: String,
    },
    /// A zip archive whose members share bytes, as those of zip bombs do.
    #[error(
        "{path}: found members that share their bytes but expected each to have its own, as zip bombs do not; unpack what you trust and name the unpacked files"
    )]
    Overlap {
        /// Display name.
        path: String,
    },
    /// A member of a zip archive that is not where the central directory says.
    #[error(
        "{path}: found a damaged member ({source}) but expected its header where the archive's directory says; fetch the archive again"
    )]
    DamagedMember {
        /// Display name.
        path: String,
        /// What is wrong with it.
        source: ZipError,
    },
    /// A member of a zip archive that is encrypted.
    #[error(
        "{path}: found an encrypted member but expected one that can be read; unpack the archive with its password and name the unpacked files"
    )]
    Encrypted {
        /// Display name.
        path: String,
    },
    /// A member of a zip archive that is compressed in a way that is not read.
    #[error(
        "{path}: found compression method {found} but expected stored, deflate, bzip2, zstd or xz; unpack the archive and name the unpacked files"
    )]
    Method {
        /// Display name.
        path: String,
        /// The method's name or number (PKWARE APPNOTE.TXT 4.4.5).
        found: String,
    },
}
