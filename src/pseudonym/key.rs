//! The key of pseudonyms, and what is derived from it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::digest::{hex, unhex};
use crate::shown;

/// How many hexadecimal digits a pseudonym has.
pub(super) const DIGITS: usize = 26;
/// Fewer bytes can be guessed.
const LEAST: usize = 32;
/// More bytes are no key but another file.
const MOST: usize = 4096;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("{path}: cannot be read ({source}); name the file with the key of the pseudonyms")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is too short, or too long.
    #[error(
        "{path}: found a key of {found} bytes but expected 32 to 4096, or 64 hexadecimal digits and more; \
         make one by `openssl rand -hex 32 > FILE`"
    )]
    Length {
        /// Path as given.
        path: String,
        /// Bytes of the key; for hexadecimal digits, half their number.
        found: String,
    },
    /// It is to be read as a log.
    #[error(
        "{path}: found the key among the files to be read but expected it elsewhere; a report names what was read, \
         so keep the key outside of the logs"
    )]
    IsInput {
        /// Path as given.
        path: String,
    },
}

/// A secret key: whoever has it can find the pseudonym of any name, and open any row.
#[derive(Clone, Eq, PartialEq)]
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// Reads a key file: at least 64 hexadecimal digits (blanks and line ends around them are left
    /// out), else the bytes of the file as they are.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a key of fewer than 32 bytes or more than 4096.
    pub fn load(path: &Path) -> Result<Key, KeyFileError> {
        let shown = shown::path(path);
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(4 * MOST as u64).read_to_end(&mut bytes))
            .map_err(|source| KeyFileError::Read { path: shown.clone(), source })?;
        Key::parse(&bytes).map_err(|found| KeyFileError::Length { path: shown, found })
    }

    /// Makes a key of the content of a key file; else the number of bytes that were found.
    ///
    /// ```
    /// use calproof::pseudonym::Key;
    /// assert_eq!(Key::parse(&[7; 32]), Key::parse(format!("{}\n", "07".repeat(32)).as_bytes()));
    /// assert_eq!(Key::parse(b"too short"), Err("9".to_owned()));
    /// ```
    ///
    /// # Errors
    ///
    /// Fewer than 32 bytes or more than 4096.
    pub fn parse(bytes: &[u8]) -> Result<Key, String> {
        let digits = bytes.trim_ascii();
        let is_hex = !digits.is_empty()
            && digits.len().is_multiple_of(2)
            && digits.iter().all(u8::is_ascii_hexdigit);
        let key = if is_hex { unhex(digits).unwrap_or_default() } else { bytes.to_vec() };
        match key.len() {
            LEAST..=MOST => Ok(Key(key)),
            n if n > MOST => Err(format!("more than {MOST}")),
            n => Err(n.to_string()),
        }
    }

    /// What tells that two bundles have the same key: 16 hexadecimal digits, from which nothing else
    /// follows.
    pub fn id(&self) -> String {
        hex(&self.derive("calproof/1 key", b"")[..8])
    }

    /// The salt of a name, in the spelling that its pseudonym is made of.
    pub fn salt_of_name(&self, name: &str) -> [u8; 32] {
        self.derive("calproof/1 name", name.as_bytes())
    }

    /// The salt of a row, by the digits of its source's SHA-256 and its byte.
    pub fn salt_of_row(&self, sha256: &str, byte: u64) -> [u8; 32] {
        self.derive("calproof/1 row", format!("{sha256} {byte}").as_bytes())
    }

    /// The salt of a file of the configuration, by its content.
    pub fn salt_of_file(&self, content: &[u8]) -> [u8; 32] {
        self.derive("calproof/1 file", content)
    }

    fn derive(&self, purpose: &str, what: &[u8]) -> [u8; 32] {
        hmac(&self.0, &[purpose.as_bytes(), b"\0", what])
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104)");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The digits of a name's pseudonym under its salt: what whoever has both can check.
///
/// `printf %s NAME | openssl dgst -sha256 -mac HMAC -macopt hexkey:SALT` gives the same, and more
/// digits.
///
/// ```
/// assert_eq!(calproof::pseudonym::opened(&[0; 32], "contoso\\anna").len(), 26);
/// ```
pub fn opened(salt: &[u8; 32], name: &str) -> String {
    hex(&hmac(salt, &[name.as_bytes()])[..DIGITS / 2])
}

/// What binds to some content and hides it until its salt is told: SHA-256 over the salt in
/// hexadecimal digits, a line feed, `place`, a line feed, and the content.
pub fn commitment(salt: &[u8; 32], place: &str, content: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(hex(salt))
        .chain_update(b"\n")
        .chain_update(place)
        .chain_update(b"\n")
        .chain_update(content)
        .finalize();
    hex(&digest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // Test case 2.
        assert_eq!(
            hex(&hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_short_key_is_refused_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let message = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            Key::load(&path).unwrap_err().to_string()
        };
        assert!(message(b"").contains("found a key of 0 bytes"));
        assert!(message(&[b'x'; 31]).contains("found a key of 31 bytes but expected 32"));
        // 32 bytes of text, but a key of 16 bytes in digits.
        assert!(message(&[b'a'; 32]).contains("found a key of 16 bytes"));
        assert!(message(&[b'x'; 20_000]).contains("more than 4096"));
        std::fs::write(&path, [b'x'; 32]).unwrap();
        assert!(Key::load(&path).is_ok());
        let message = Key::load(&folder.path().join("none")).unwrap_err().to_string();
        assert!(message.contains("none: cannot be read"), "{message}");
    }

    #[test]
    fn a_key_never_shows_itself() {
        let key = Key::parse(&[0xab; 32]).unwrap();
        let shown = format!("{key:?}{key:#?}{}", key.id());
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }

    #[test]
    fn salts_of_names_rows_and_files_are_apart() {
        let key = Key::parse(&[1; 40]).unwrap();
        let all = [
            key.salt_of_name("a 1"),
            key.salt_of_row("a", 1),
            key.salt_of_file(b"a 1"),
            Key::parse(&[2; 40]).unwrap().salt_of_name("a 1"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
