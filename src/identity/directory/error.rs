//! What can be wrong with a directory file.

use std::fmt;

/// Why a directory file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// No column, or no attribute, holds a name that a log could show.
    #[error(
        "{path}:{line}: found {found}, expected at least one of sAMAccountName, userPrincipalName, mail, \
         proxyAddresses, msRTCSIP-PrimaryUserAddress, objectSid, legacyExchangeDN; export it with \
         `Get-ADUser -Filter * -Properties * | Export-Csv -Encoding UTF8`, or with `ldifde`"
    )]
    NoNames {
        /// Path as given.
        path: String,
        /// Line, from 1.
        line: u64,
        /// What stands there instead.
        found: String,
    },
}

/// A row or value that was left out, or the rows of one file that share a fault.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// Path as given.
    pub path: String,
    /// Line of the entry, from 1; the first where several share the fault.
    pub line: u64,
    /// What was found, what was expected, what to do; harmless on a terminal.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}
