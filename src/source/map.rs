//! A log file as one slice of memory.

use std::{fmt, fs::File, io, ops::Range};

use memmap2::{Mmap, MmapOptions};

use super::{Acquisition, Change, TextEncoding, watch::Watch};

/// A log file in memory: a closed one, mapped at the length that was first seen, or a small one, read at once.
///
/// Drop it, or [`finish`](Self::finish) it, as soon as it is read: on Windows a held map makes the server's own
/// truncation of the file fail (error 1224).
pub struct MappedLog(Held);

enum Held {
    Mapped { map: Mmap, watch: Watch },
    Read { bytes: Vec<u8>, changed: Option<Change> },
}

impl fmt::Debug for MappedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = matches!(self.0, Held::Mapped { .. });
        f.debug_struct("MappedLog")
            .field("bytes", &self.bytes().len())
            .field("mapped", &mapped)
            .finish_non_exhaustive()
    }
}

impl MappedLog {
    /// Maps the bytes that the file had when `watch` began.
    pub(super) fn new(watch: Watch) -> io::Result<Self> {
        let len = usize::try_from(watch.len).map_err(|_| {
            io::Error::new(io::ErrorKind::FileTooLarge, "larger than memory can address")
        })?;
        Ok(Self(Held::Mapped { map: map(&watch.file, len)?, watch }))
    }

    /// The bytes that were read of the file, from the first on; `watch` sees it for the last time.
    pub(super) fn of_bytes(bytes: Vec<u8>, watch: &Watch) -> Self {
        let changed = watch.end(Some(bytes.len() as u64));
        Self(Held::Read { bytes, changed })
    }

    /// The content: the bytes of the file, as they are (UTF-8 or an ANSI code page; a UTF-8 byte order mark is left).
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Held::Mapped { map, .. } => map,
            Held::Read { bytes, .. } => bytes,
        }
    }

    /// Gives the memory of consumed bytes back to the system, so that the resident set stays small.
    ///
    /// `range` is in bytes, within [`bytes`](Self::bytes); what lies outside is ignored. The bytes may be read again
    /// at the price of a page fault. It is a hint and cannot fail; on Windows it does nothing.
    pub fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Held::Mapped { map, .. } = &self.0 {
            // Whole pages of any size in use. Down at both ends: the next range begins where this one is cut.
            const PAGE: usize = 64 << 10;
            let start = range.start / PAGE * PAGE;
            let end = range.end.min(map.len()) / PAGE * PAGE;
            if start < end {
                give_back(map, start..end);
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// Examines the file again and drops the map.
    ///
    /// `digest` is `None`: the caller parses the bytes and takes the digest of the very same pieces with a
    /// [`ContentHasher`](crate::digest::ContentHasher).
    pub fn finish(self) -> Acquisition {
        let (bytes, changed) = match self.0 {
            Held::Mapped { watch, .. } => (watch.len, watch.end(None)),
            Held::Read { bytes, changed } => (bytes.len() as u64, changed),
        };
        Acquisition {
            bytes,
            digest: None,
            changed,
            complete: true,
            encoding: TextEncoding::AsIs,
            replaced: false,
        }
    }
}

#[allow(unsafe_code, reason = "a map is a slice only as long as nobody else writes the file")]
fn map(file: &File, len: usize) -> io::Result<Mmap> {
    // SAFETY: The type system cannot promise that the file keeps its bytes. What can happen, and why it is accepted:
    // - It is truncated beyond a page: touching that page ends the process (SIGBUS on Linux, an in-page error on
    //   Windows). Only closed, local files are mapped, unless the user asks for `--mmap always`.
    // - It is truncated within its last page: the rest of that page reads as zeros. The length is fixed here, and the
    //   examination afterwards reports it.
    // - It is rewritten in place: bytes change under the parser. No code of this project is unsafe on the ground that
    //   two reads of a byte agree: the parsers index with bounds checks and take any byte. The examination reports it.
    // - It grows, is renamed or deleted: harmless, the map stands at the length first seen.
    // The map is read-only, and `len` is not above the length that the file had.
    unsafe { MmapOptions::new().len(len).map(file) }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "only the advice that keeps the content is given")]
fn give_back(map: &Mmap, range: Range<usize>) {
    // SAFETY: `map` is a shared, read-only map of a file: after MADV_DONTNEED its pages are filled from that file again
    // when they are next read, so slices of them stay valid and see the same bytes (or the file's new ones, see `map`).
    // The range lies within the map.
    let advised = unsafe {
        map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len())
    };
    // The advice saves memory and changes no content: without it the work goes on.
    drop(advised);
}
