//! Why an input cannot be read, or only in part.

use std::io;

use super::Codec;

/// An input that cannot be read, or not to its end.
///
/// Every message says where, what was found and what was expected, and what to do. `path` is the input's display name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be opened or examined.
    #[error(
        "{path}: found a file that cannot be opened ({source}) but expected a readable one; check its permissions, or name another"
    )]
    Open {
        /// Display name.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed while the file was read.
    #[error(
        "{path}: found an error while reading ({source}) after {byte} bytes of content but expected the rest of the file; copy the file to a local disk and read the copy"
    )]
    Read {
        /// Display name.
        path: String,
        /// Bytes of content (decompressed, as stored) read before it.
        byte: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be mapped although `--mmap always` asks for it.
    #[error(
        "{path}: found a file that cannot be mapped ({source}) but expected a map, as `--mmap always` asks; use `--mmap auto`"
    )]
    Map {
        /// Display name.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Compressed content ends too early.
    #[error(
        "{path}: found the end of the file after {byte} readable bytes of content but expected the rest of its {codec} stream; fetch the file again (what was readable has been read)"
    )]
    Truncated {
        /// Display name.
        path: String,
        /// How it is compressed.
        codec: Codec,
        /// Bytes of decompressed content read before it.
        byte: u64,
    },
    /// Compressed content is damaged.
    #[error(
        "{path}: found {reason} after {byte} readable bytes of content but expected an intact {codec} stream; fetch the file again (what was readable has been read)"
    )]
    Corrupt {
        /// Display name.
        path: String,
        /// How it is compressed.
        codec: Codec,
        /// Bytes of decompressed content read before it.
        byte: u64,
        /// What the decoder says is wrong.
        reason: String,
    },
    /// Compressed content is intact, but cannot be read with what there is.
    #[error(
        "{path}: found {found} after {byte} readable bytes of content but expected a {codec} stream without a dictionary and with a window of at most 128 MiB; unpack it (`zstd -d` with `-D DICTIONARY` or `--long=31`) and name the unpacked file"
    )]
    Beyond {
        /// Display name.
        path: String,
        /// How it is compressed.
        codec: Codec,
        /// Bytes of decompressed content read before it.
        byte: u64,
        /// What it needs.
        found: &'static str,
    },
    /// Compressed content expands beyond the bound.
    #[error(
        "{path}: found {expanded} bytes and more in {compressed} compressed ones but expected at most {bound}; if it is a log after all, unpack it and name the unpacked file"
    )]
    Expansion {
        /// Display name.
        path: String,
        /// Compressed bytes taken in until then.
        compressed: u64,
        /// Bytes of content they gave.
        expanded: u64,
        /// The bound, in words.
        bound: String,
    },
    /// A single line is longer than the bound.
    #[error(
        "{path}: found a line of more than {bound} bytes at byte {byte} but expected the lines of a log; look at the place with a hex viewer, and leave the file out if it is no log"
    )]
    LineTooLong {
        /// Display name.
        path: String,
        /// Where the line begins, in bytes of decoded text from 0.
        byte: u64,
        /// The bound, in bytes.
        bound: usize,
    },
    /// An archive of a kind that is not read, or one inside another.
    #[error(
        "{path}: found {found} but expected a log, or one compressed by gzip, zstd, bzip2, xz or zip once; unpack it and name what was inside"
    )]
    Archive {
        /// Display name.
        path: String,
        /// What it is.
        found: String,
    },
    /// Standard input was asked for its first bytes, which would be lost.
    #[error(
        "standard input: found a request for its first bytes but expected it to be opened once; open it and look at the stream's head"
    )]
    HeadOfStdin,
}
