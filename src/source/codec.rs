//! Compressed content: recognised by its first bytes, read through with a bound on its expansion.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::zstd::ZstdReader;

/// How many of the first bytes tell what a file is: a tar header names itself at byte 257.
pub(crate) const HEAD_LEN: usize = 512;

/// The most that one block of zstd takes, its header included: a block that lies in the buffer whole is not copied.
const ZSTD_BLOCK: usize = (128 << 10) + 3;

/// How the content of a file, or of a member of a zip archive, is compressed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Codec {
    /// Not at all: a stored member of a zip archive.
    Stored,
    /// DEFLATE (RFC 1951) without a frame: a member of a zip archive.
    Deflate,
    /// gzip (RFC 1952), of one or several members.
    Gzip,
    /// Zstandard (RFC 8878), of one or several frames; a torn file is readable to the last whole block (128 KiB).
    Zstd,
    /// bzip2, of one or several streams; a torn file is readable to the last whole block (100 to 900 kB).
    Bzip2,
    /// xz, of one or several streams; a torn file is readable to the last whole chunk (64 KiB compressed, at most 2 MiB
    /// of content).
    Xz,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stored => "stored",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        })
    }
}

impl Codec {
    /// Tells a compressed file by its first bytes, if it is one that is read through.
    pub(crate) fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // The level, then the magic number of a block or of the end: "BZh1" alone could begin a text.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Self::Bzip2)
            }
            _ => None,
        }
    }

    /// Reads through the compression; at most 512 MiB of dictionary are allowed (xz), or a window of 128 MiB (zstd).
    pub(crate) fn decoder(self, raw: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        let at_once = if self == Self::Zstd { ZSTD_BLOCK } else { 32 << 10 };
        let raw = BufReader::with_capacity(at_once, raw);
        match self {
            Self::Stored => Box::new(raw),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(raw)),
            Self::Gzip => {
                Box::new(GzipMembers { member: Some(flate2::bufread::GzDecoder::new(raw)) })
            }
            Self::Zstd => Box::new(ZstdReader::new(raw)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(raw)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(raw, true, 512 << 10)),
        }
    }
}

/// Names an archive that is not read through, by its first bytes.
pub(crate) fn closed_archive(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => {
            Some("a zip archive")
        }
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some("a 7-Zip archive"),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Some("a RAR archive"),
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => Some("a cabinet archive"),
        [0x1f, 0x9d, ..] => Some("a file compressed by `compress`"),
        [4, 0x22, 0x4d, 0x18, ..] => Some("an lz4 file"),
        [b'L', b'Z', b'I', b'P', 1, ..] => Some("an lzip file"),
        _ if head.get(257..262) == Some(b"ustar") => Some("a tar archive"),
        _ => None,
    }
}

/// Whether a file is a zip archive, by its first four bytes.
pub(crate) fn is_zip(head: &[u8]) -> bool {
    closed_archive(head) == Some("a zip archive")
}

/// All members of a gzip file, one after the other; zeros behind the last are padding, as gzip itself holds.
struct GzipMembers<R> {
    member: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let Some(mut raw) = self.member.take().map(flate2::bufread::GzDecoder::into_inner)
            else {
                break;
            };
            let next = raw.fill_buf()?;
            match next.first() {
                None => break,
                Some(0) => zeros_to_the_end(&mut raw)?,
                Some(_) => self.member = Some(flate2::bufread::GzDecoder::new(raw)),
            }
        }
        Ok(0)
    }
}

fn zeros_to_the_end(raw: &mut impl BufRead) -> io::Result<()> {
    loop {
        let rest = raw.fill_buf()?;
        if rest.is_empty() {
            return Ok(());
        }
        if rest.iter().any(|&byte| byte != 0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "bytes behind the last member that are not gzip",
            ));
        }
        let n = rest.len();
        raw.consume(n);
    }
}

/// How far compressed content may expand before it is taken for a bomb.
///
/// Reading is in blocks, so that an expansion costs time and not memory; the bound keeps that time in proportion to
/// the input. DEFLATE cannot exceed 1032 to 1; real logs stay below 100 to 1, whatever the codec.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expansion {
    /// Bytes that any input may expand to: 256 MiB by default.
    pub free: u64,
    /// Beyond `free`, how many bytes may come out of one that went in: 1000 by default.
    pub ratio: u64,
    /// Bytes that no compressed input may expand beyond: no such bound by default.
    pub cap: Option<u64>,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { free: 256 << 20, ratio: 1000, cap: None }
    }
}

impl Expansion {
    fn allows(&self, compressed: u64, expanded: u64) -> bool {
        self.cap.is_none_or(|cap| expanded <= cap)
            && (expanded <= self.free || expanded <= compressed.saturating_mul(self.ratio))
    }
}

/// What went into a decoder, seen from outside it.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    bytes: AtomicU64,
    failed: AtomicBool,
}

impl Intake {
    /// Bytes taken in so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the input itself could not be read, as opposed to understood.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Counts what a decoder takes in.
pub(crate) struct Counted<R> {
    pub(crate) raw: R,
    pub(crate) intake: Arc<Intake>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.raw.read(buf) {
            Ok(n) => {
                self.intake.bytes.fetch_add(n as u64, Ordering::Relaxed);
                Ok(n)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.intake.failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}

/// Says that content expanded beyond its bound.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{compressed} compressed bytes expanded to more than {expanded}")]
pub(crate) struct Expanded {
    pub(crate) compressed: u64,
    pub(crate) expanded: u64,
}

/// Says that intact content needs more than a decoder has.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Beyond(pub(crate) &'static str);

/// Stops a decoder that hands out more than the bound allows.
pub(crate) struct Bounded<R> {
    pub(crate) content: R,
    pub(crate) intake: Arc<Intake>,
    pub(crate) bound: Expansion,
    pub(crate) expanded: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buf)?;
        self.expanded += n as u64;
        let compressed = self.intake.bytes();
        if !self.bound.allows(compressed, self.expanded) {
            return Err(io::Error::other(Expanded { compressed, expanded: self.expanded }));
        }
        Ok(n)
    }
}

/// Holds the content of a zip member to the length and the checksum that the archive's directory states.
pub(crate) struct Checked<R> {
    pub(crate) content: flate2::CrcReader<R>,
    pub(crate) len: u64,
    pub(crate) crc32: u32,
    pub(crate) seen: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buf)?;
        self.seen += n as u64;
        if n > 0 || buf.is_empty() {
            return Ok(n);
        }
        let invalid = |text: String| Err(io::Error::new(io::ErrorKind::InvalidData, text));
        let sum = self.content.crc().sum();
        if self.seen != self.len {
            invalid(format!("{} bytes where the directory states {}", self.seen, self.len))
        } else if sum != self.crc32 {
            invalid(format!("the checksum {sum:08x} where the directory states {:08x}", self.crc32))
        } else {
            Ok(0)
        }
    }
}

/// Content whose first bytes were looked at already.
pub(crate) struct Prefixed<R> {
    head: Cursor<Vec<u8>>,
    error: Option<io::Error>,
    rest: R,
}

impl<R: Read> Prefixed<R> {
    /// Looks at the first [`HEAD_LEN`] bytes; an error on the way stands behind them, where reading finds it.
    pub(crate) fn new(mut rest: R) -> Self {
        let mut head = Vec::with_capacity(HEAD_LEN);
        let error = rest.by_ref().take(HEAD_LEN as u64).read_to_end(&mut head).err();
        Self { head: Cursor::new(head), error, rest }
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        self.head.get_ref()
    }
}

impl<R: Read> Read for Prefixed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.head.read(buf)?;
        if n > 0 || buf.is_empty() {
            return Ok(n);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.read(buf),
        }
    }
}
