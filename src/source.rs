//! Reading one input: mapped or streamed, decompressed, hashed, and examined again afterwards.
//!
//! A closed, local, plain file is mapped at the length that was first seen, and a small one is read at once
//! ([`MappedLog`]). Everything else is read in blocks of whole lines ([`LogStream`]): standard input, compressed and
//! UTF-16 files, empty ones, files that the server may still be writing, and files on other machines, where a map could
//! end the process or disturb the server.

mod codec;
mod encoding;
mod error;
mod map;
mod place;
mod stream;
mod watch;
mod zstd;

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

pub(crate) use codec::is_zip;
pub use codec::{Codec, Expansion};
pub use encoding::{TERMINATOR_WINDOW, TextEncoding, line_terminator};
pub use error::SourceError;
pub use map::MappedLog;
pub use stream::LogStream;
pub use watch::Change;

use crate::{
    digest::DigestChoice,
    discover::{Input, Member, Origin},
};
use codec::{HEAD_LEN, closed_archive};
use watch::Watch;

/// Up to this length a plain file is read at once: for fewer bytes a map costs more than it saves.
const AT_ONCE: u64 = 64 << 10;

/// Whether files are mapped into memory.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum MmapChoice {
    /// Closed local files of more than 64 KiB are mapped; live, remote, compressed, UTF-16 and empty ones are read.
    /// Live is what was written within the last hour, and on Windows what somebody holds open to write.
    #[default]
    Auto,
    /// Live and remote files are mapped too. If one is truncated meanwhile, the process may end (SIGBUS on Unix).
    Always,
    /// Nothing is mapped.
    Never,
}

/// How inputs are read; the result is the same bytes for any choice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadOptions {
    /// Whether files are mapped.
    pub mmap: MmapChoice,
    /// Which digest a stream takes of its content.
    pub digest: DigestChoice,
    /// How far compressed content may expand.
    pub max_expansion: Expansion,
    /// About how many bytes of text a block of a stream holds: 4 MiB by default.
    pub block_len: usize,
    /// How many bytes a single line of a stream may have without its end, if that is more than a block: 256 MiB by
    /// default.
    pub max_line: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            mmap: MmapChoice::default(),
            digest: DigestChoice::default(),
            max_expansion: Expansion::default(),
            block_len: 4 << 20,
            max_line: 256 << 20,
        }
    }
}

/// An input, ready to be read.
#[derive(Debug)]
pub enum Opened {
    /// One slice of memory: a map, or a small file that was read at once.
    Mapped(MappedLog),
    /// Block after block.
    Stream(Box<LogStream>),
}

/// What was read of an input, for the report and for evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Acquisition {
    /// Length of the content that was read, in bytes: decompressed, before transcoding.
    pub bytes: u64,
    /// Digest of these bytes, as `blake3:<hex>` or `sha256:<hex>`; of mapped content the caller takes it.
    pub digest: Option<String>,
    /// How the file changed while it was read.
    pub changed: Option<Change>,
    /// Whether the content was read to its end.
    pub complete: bool,
    /// How the text was encoded. Byte offsets into UTF-16 content count in the UTF-8 that was handed out.
    pub encoding: TextEncoding,
    /// Whether something that is not valid UTF-16 was replaced by U+FFFD.
    pub replaced: bool,
}

impl Input {
    /// Opens the input for reading.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, an archive inside another or of a kind that is not read, and, with
    /// [`MmapChoice::Always`], a file that cannot be mapped. Damage further inside is told by
    /// [`LogStream::next_block`] after the content before it.
    pub fn open(&self, options: &ReadOptions) -> Result<Opened, SourceError> {
        match &self.origin {
            Origin::Stdin => {
                let stream = LogStream::from_reader("standard input", std::io::stdin(), options)?;
                Ok(Opened::Stream(Box::new(stream)))
            }
            Origin::File(path) => open_file(&self.display, path, options),
            Origin::Member(member) => {
                let stream = open_member(&self.display, member, options)?;
                Ok(Opened::Stream(Box::new(stream)))
            }
        }
    }
}

/// The first `n` bytes of an input's text, decompressed and decoded, by which its format is recognised; all of the text
/// if it is shorter.
///
/// # Errors
///
/// As [`Input::open`]; and where nothing is readable, the reason. Standard input can be opened but once: use
/// [`LogStream::peek_head`].
pub fn head(input: &Input, n: usize) -> Result<Vec<u8>, SourceError> {
    if input.origin == Origin::Stdin {
        return Err(SourceError::HeadOfStdin);
    }
    let options = ReadOptions {
        mmap: MmapChoice::Never,
        digest: DigestChoice::None,
        block_len: n.max(1),
        ..ReadOptions::default()
    };
    let mut stream = match &input.origin {
        Origin::File(path) => match head_of_file(&input.display, path, n, &options)? {
            Head::Plain(head) => return Ok(head),
            Head::Coded(stream) => stream,
        },
        _ => match input.open(&options)? {
            Opened::Mapped(log) => return Ok(log.bytes()[..log.bytes().len().min(n)].to_vec()),
            Opened::Stream(stream) => stream,
        },
    };
    let head = stream.peek_head(n).to_vec();
    if head.is_empty() && n > 0 {
        // Empty, or unreadable from the first byte on.
        stream.next_block(&mut Vec::new())?;
    }
    Ok(head)
}

/// What a file begins with.
enum Head {
    /// The bytes themselves.
    Plain(Vec<u8>),
    /// Something that must be decoded, or cannot be read on.
    Coded(Box<LogStream>),
}

/// Looks at the beginning of a file: in one read, where it is plain.
fn head_of_file(
    name: &str,
    path: &Path,
    n: usize,
    options: &ReadOptions,
) -> Result<Head, SourceError> {
    let file =
        File::open(path).map_err(|source| SourceError::Open { path: name.to_owned(), source })?;
    let most = n.max(HEAD_LEN);
    let mut head = Vec::with_capacity(most);
    let read = (&file).take(most as u64).read_to_end(&mut head);
    if read.is_ok() && is_plain(&head) {
        head.truncate(n);
        return Ok(Head::Plain(head));
    }
    let raw = Cursor::new(head).chain(Fails(read.err())).chain(file);
    Ok(Head::Coded(Box::new(LogStream::of_file(name, raw, None, options)?)))
}

/// Whether a file that begins with `head` is handed out as it is.
fn is_plain(head: &[u8]) -> bool {
    let head = &head[..head.len().min(HEAD_LEN)];
    Codec::sniff(head).is_none()
        && closed_archive(head).is_none()
        && TextEncoding::sniff(head) == TextEncoding::AsIs
}

fn open_file(name: &str, path: &Path, options: &ReadOptions) -> Result<Opened, SourceError> {
    let fails = |source| SourceError::Open { path: name.to_owned(), source };
    let watch = Watch::start(File::open(path).map_err(fails)?).map_err(fails)?;
    let mappable = watch.len > 0
        && match options.mmap {
            MmapChoice::Always => true,
            MmapChoice::Never => false,
            MmapChoice::Auto if watch.len <= AT_ONCE => return read_at_once(name, watch, options),
            MmapChoice::Auto => {
                !place::is_live(watch.modified, SystemTime::now())
                    && !place::is_remote(path, watch.device)
                    && !place::is_held(path)
            }
        };
    if !mappable {
        return streamed(name, watch, options);
    }
    let mut head = Vec::with_capacity(HEAD_LEN);
    let looked = (&*watch.file).take(watch.len.min(HEAD_LEN as u64)).read_to_end(&mut head);
    // What cannot be read is told by the stream, behind what is before it.
    if looked.is_ok() && is_plain(&head) {
        match MappedLog::new(watch.clone()) {
            Ok(log) => return Ok(Opened::Mapped(log)),
            Err(source) if options.mmap == MmapChoice::Always => {
                return Err(SourceError::Map { path: name.to_owned(), source });
            }
            // A file system without maps: it can be read all the same.
            Err(_) => {}
        }
    }
    (&*watch.file).seek(SeekFrom::Start(0)).map_err(fails)?;
    streamed(name, watch, options)
}

/// Reads a small file, up to the length first seen; one that is not plain is decoded from memory.
fn read_at_once(name: &str, watch: Watch, options: &ReadOptions) -> Result<Opened, SourceError> {
    let mut bytes = Vec::with_capacity(AT_ONCE.min(watch.len) as usize);
    let read = (&*watch.file).take(watch.len).read_to_end(&mut bytes);
    if read.is_ok() && !bytes.is_empty() && is_plain(&bytes) {
        return Ok(Opened::Mapped(MappedLog::of_bytes(bytes, &watch)));
    }
    let rest = Fails(read.err());
    of_file(name, Cursor::new(bytes).chain(rest), watch, options)
}

/// An error that stands behind what was readable.
struct Fails(Option<io::Error>);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn streamed(name: &str, watch: Watch, options: &ReadOptions) -> Result<Opened, SourceError> {
    of_file(name, Arc::clone(&watch.file).take(watch.len), watch, options)
}

fn of_file(
    name: &str,
    raw: impl Read + Send + 'static,
    watch: Watch,
    options: &ReadOptions,
) -> Result<Opened, SourceError> {
    Ok(Opened::Stream(Box::new(LogStream::of_file(name, raw, Some(watch), options)?)))
}

fn open_member(
    name: &str,
    member: &Member,
    options: &ReadOptions,
) -> Result<LogStream, SourceError> {
    let fails = |source| SourceError::Open { path: name.to_owned(), source };
    let watch = Watch::start(File::open(&member.archive).map_err(fails)?).map_err(fails)?;
    let mut file = Arc::clone(&watch.file);
    file.seek(SeekFrom::Start(member.start)).map_err(fails)?;
    LogStream::of_member(name, member, file, watch, options)
}
