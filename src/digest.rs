//! The digest that names an input: BLAKE3, SHA-256, or none.

pub(crate) mod abreast;

use sha2::{Digest as _, Sha256};

/// Which digest is taken of an input's content.
///
/// BLAKE3 is nearly free beside the parsing; SHA-256 is what evidence and other programs expect; without a digest
/// duplicates cannot be named.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum DigestChoice {
    /// BLAKE3, 256 bits: `blake3:<hex>`.
    #[default]
    Blake3,
    /// SHA-256 (FIPS 180-4): `sha256:<hex>`.
    Sha256,
    /// No digest.
    None,
}

/// A digest of content that arrives in pieces, in order.
///
/// The result depends on the bytes alone, not on where they were cut:
///
/// ```
/// use calproof::digest::{ContentHasher, DigestChoice};
///
/// let mut pieces = ContentHasher::new(DigestChoice::Sha256);
/// pieces.update(b"a");
/// pieces.update(b"bc");
/// assert_eq!(
///     pieces.finish().as_deref(),
///     Some("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
/// );
/// assert_eq!(ContentHasher::new(DigestChoice::None).finish(), None);
/// ```
#[derive(Clone, Debug)]
pub enum ContentHasher {
    /// Takes a BLAKE3 digest; boxed, for its state is some 2 KiB.
    Blake3(Box<blake3::Hasher>),
    /// Takes a SHA-256 digest.
    Sha256(Sha256),
    /// Takes none.
    None,
}

impl ContentHasher {
    /// Starts a digest of nothing yet.
    pub fn new(choice: DigestChoice) -> Self {
        match choice {
            DigestChoice::Blake3 => Self::Blake3(Box::default()),
            DigestChoice::Sha256 => Self::Sha256(Sha256::new()),
            DigestChoice::None => Self::None,
        }
    }

    /// Whether there is a digest to take.
    pub(crate) fn is_hashing(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Takes in the next bytes of the content; large pieces are hashed quicker than small ones.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::None => {}
        }
    }

    /// Ends the digest: the algorithm's name, a colon, and 64 lower-case hexadecimal digits.
    pub fn finish(self) -> Option<String> {
        match self {
            Self::Blake3(hasher) => Some(format!("blake3:{}", hasher.finalize().to_hex())),
            Self::Sha256(hasher) => Some(sha256_text(&hasher.finalize())),
            Self::None => None,
        }
    }
}

/// A SHA-256 digest as it is written.
pub(crate) fn sha256_text(digest: &[u8]) -> String {
    format!("sha256:{}", hex(digest))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Hexadecimal digits as bytes; `None` where they are none, or an odd number.
pub(crate) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |b: &u8| char::from(*b).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[a, b]| Some(nibble(a)? << 4 | nibble(b)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn blake3_of_nothing_is_the_published_vector() {
        let hash = ContentHasher::new(DigestChoice::Blake3).finish().unwrap();
        assert_eq!(hash, "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }
}
