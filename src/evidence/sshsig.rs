//! Detached signatures as OpenSSH makes them: `ssh-keygen -Y verify -n calproof` accepts them.
//!
//! Format: OpenSSH `PROTOCOL.sshsig` (the signature) and `PROTOCOL.key` (the private key file).
//! Only ed25519 (RFC 8709), and only private keys without a passphrase.

use std::fmt;
use std::path::Path;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

use crate::shown;

/// What the signatures are for; `ssh-keygen -Y verify -n` must name the same.
pub const NAMESPACE: &str = "calproof";
const MAGIC: &[u8] = b"SSHSIG";
const KIND: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const KEY_BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const KEY_END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// Why a key or a signature cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{path}: cannot be read ({source})")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{path}: found {found} but expected {expected}")]
    Found {
        /// Path as given.
        path: String,
        /// What is there.
        found: &'static str,
        /// What is wanted, and how to get it.
        expected: &'static str,
    },
}

/// A key that signs. Its secret is in no message.
pub struct PrivateKey(SigningKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", PublicKey(self.0.verifying_key()).fingerprint())
    }
}

/// A key that verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey(VerifyingKey);

impl PrivateKey {
    /// Reads an OpenSSH private key file: ed25519, without passphrase.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is another kind of key, or is protected by a passphrase.
    pub fn load(path: &Path) -> Result<PrivateKey, KeyError> {
        let text = read(path)?;
        Self::parse(&text).map_err(|found| KeyError::Found {
            path: shown::path(path),
            found,
            expected: "an OpenSSH private key of the kind ed25519 without passphrase; `ssh-keygen -t ed25519 -N '' -f FILE` makes one",
        })
    }

    fn parse(text: &str) -> Result<PrivateKey, &'static str> {
        const TORN: &str = "a private key that is damaged";
        let bytes = unarmored(text, KEY_BEGIN, KEY_END).ok_or("no OpenSSH private key")?;
        let mut rest = bytes.strip_prefix(b"openssh-key-v1\0").ok_or("no OpenSSH private key")?;
        let (cipher, kdf) = (string(&mut rest).ok_or(TORN)?, string(&mut rest).ok_or(TORN)?);
        string(&mut rest).ok_or(TORN)?;
        if cipher != b"none" || kdf != b"none" {
            return Err("a private key that is protected by a passphrase");
        }
        if number(&mut rest) != Some(1) {
            return Err("a file with more than one key");
        }
        let public = string(&mut rest).ok_or(TORN)?;
        let public = PublicKey::of_blob(public).ok_or("a private key of another kind")?;
        let mut secret = string(&mut rest).ok_or(TORN)?;
        let checks = (number(&mut secret), number(&mut secret));
        if checks.0.is_none() || checks.0 != checks.1 || string(&mut secret) != Some(KIND) {
            return Err(TORN);
        }
        string(&mut secret).ok_or(TORN)?;
        let seed = string(&mut secret).and_then(|pair| pair.first_chunk::<32>()).ok_or(TORN)?;
        let key = SigningKey::from_bytes(seed);
        if key.verifying_key() == public.0 { Ok(PrivateKey(key)) } else { Err(TORN) }
    }

    /// Signs a message: the armored signature, ready to be a file.
    pub fn sign(&self, message: &[u8]) -> String {
        let public = PublicKey(self.0.verifying_key());
        let signature = self.0.sign(&signed(message));
        let mut inner = Vec::new();
        put(&mut inner, KIND);
        put(&mut inner, &signature.to_bytes());
        let mut blob = MAGIC.to_vec();
        blob.extend(1_u32.to_be_bytes());
        put(&mut blob, &public.blob());
        put(&mut blob, NAMESPACE.as_bytes());
        put(&mut blob, b"");
        put(&mut blob, HASH);
        put(&mut blob, &inner);
        armored(&blob)
    }
}

impl PublicKey {
    /// Reads a public key file: one line, `ssh-ed25519 AAAA… comment`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or holds another kind of key.
    pub fn load(path: &Path) -> Result<PublicKey, KeyError> {
        let text = read(path)?;
        let mut words = text.split_whitespace().skip_while(|word| *word != "ssh-ed25519").skip(1);
        let key = words.next().and_then(decode).and_then(|blob| PublicKey::of_blob(&blob));
        key.ok_or_else(|| KeyError::Found {
            path: shown::path(path),
            found: "no ed25519 public key",
            expected: "a line `ssh-ed25519 AAAA…`, such as the .pub file that ssh-keygen writes",
        })
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.blob());
        format!("SHA256:{}", encode(&digest).trim_end_matches('='))
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, KIND);
        put(&mut blob, self.0.as_bytes());
        blob
    }

    fn of_blob(mut blob: &[u8]) -> Option<PublicKey> {
        let kind = string(&mut blob)?;
        let key = string(&mut blob)?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        (kind == KIND && blob.is_empty()).then_some(PublicKey(key))
    }
}

/// Reads a certificate (X.509), in PEM or DER, as its DER bytes; of several in PEM the first.
///
/// # Errors
///
/// A file that cannot be read or is no certificate.
pub(crate) fn certificate(path: &Path) -> Result<Vec<u8>, KeyError> {
    let bytes =
        std::fs::read(path).map_err(|source| KeyError::Read { path: shown::path(path), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let pem = unarmored(&text, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let der = pem.unwrap_or(bytes);
    let mut value = super::der::Der(&der);
    if value.take(super::der::SEQUENCE).is_some() && value.is_empty() {
        return Ok(der);
    }
    Err(KeyError::Found {
        path: shown::path(path),
        found: "no certificate",
        expected: "the certificate of the time stamping authority, PEM or DER",
    })
}

/// Checks an armored signature and gives the key that made it.
///
/// # Errors
///
/// What is wrong with it, in words.
///
/// ```
/// use calproof::evidence::sshsig::verify;
/// assert_eq!(verify(b"message", "no signature"), Err("no SSH signature"));
/// ```
pub fn verify(message: &[u8], armor: &str) -> Result<PublicKey, &'static str> {
    const TORN: &str = "a damaged SSH signature";
    let bytes = unarmored(armor, BEGIN, END).ok_or("no SSH signature")?;
    // One way to write it, so that no byte of the file can be changed unseen.
    if armored(&bytes) != armor {
        return Err(TORN);
    }
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(TORN)?;
    if number(&mut rest) != Some(1) {
        return Err("an SSH signature of another version");
    }
    let key = string(&mut rest).and_then(PublicKey::of_blob);
    let key = key.ok_or("an SSH signature by a key of another kind than ed25519")?;
    if string(&mut rest) != Some(NAMESPACE.as_bytes()) {
        return Err("an SSH signature for another purpose than `calproof`");
    }
    if string(&mut rest) != Some(b"") || string(&mut rest) != Some(HASH) {
        return Err("an SSH signature with another hash than sha512");
    }
    let mut inner = string(&mut rest).ok_or(TORN)?;
    let kind = string(&mut inner);
    let signature = string(&mut inner).and_then(|s| Signature::from_slice(s).ok()).ok_or(TORN)?;
    if kind != Some(KIND) || !inner.is_empty() || !rest.is_empty() {
        return Err(TORN);
    }
    match key.0.verify_strict(&signed(message), &signature) {
        Ok(()) => Ok(key),
        Err(_) => Err("a signature of something else"),
    }
}

/// The bytes that are signed for a message.
fn signed(message: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, NAMESPACE.as_bytes());
    put(&mut bytes, b"");
    put(&mut bytes, HASH);
    put(&mut bytes, &Sha512::digest(message));
    bytes
}

fn read(path: &Path) -> Result<String, KeyError> {
    std::fs::read_to_string(path)
        .map_err(|source| KeyError::Read { path: shown::path(path), source })
}

fn put(bytes: &mut Vec<u8>, string: &[u8]) {
    // Everything that is put here is some hundred bytes at most.
    bytes.extend((string.len() as u32).to_be_bytes());
    bytes.extend_from_slice(string);
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*bytes))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(rest)? as usize;
    let (string, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(string)
}

fn armored(blob: &[u8]) -> String {
    let text = encode(blob);
    let mut armor = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(70));
        armor.push_str(line);
        armor.push('\n');
        rest = after;
    }
    armor.push_str(END);
    armor.push('\n');
    armor
}

fn unarmored(text: &str, begin: &str, end: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(begin)?;
    let (body, _) = rest.split_once(end)?;
    decode(&body.split_whitespace().collect::<String>())
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648 section 4).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for piece in bytes.chunks(3) {
        let word = piece.iter().fold(0_u32, |word, b| word << 8 | u32::from(*b))
            << (8 * (3 - piece.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= piece.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut word, mut bits) = (0_u32, 0);
    for digit in digits {
        let value = DIGITS.iter().position(|d| d == digit)? as u32;
        word = word << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xff) as u8);
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648 section 10.
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
        }
        assert!(decode("Zh==").is_none() && decode("Zg=").is_none() && decode("Z*==").is_none());
    }

    #[test]
    fn a_signature_holds_for_its_message_and_for_nothing_else() {
        let key = PrivateKey(SigningKey::from_bytes(&[7; 32]));
        let armor = key.sign(b"message");
        let public = verify(b"message", &armor).unwrap();
        assert_eq!(public.0, key.0.verifying_key());
        assert!(verify(b"massage", &armor).is_err());
        for i in 0..armor.len() {
            let mut bytes = armor.clone().into_bytes();
            bytes[i] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(verify(b"message", &changed).is_err(), "byte {i}");
        }
        assert!(!format!("{key:?}").contains("7, 7"));
    }
}
