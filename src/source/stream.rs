//! A log as a stream of blocks of whole lines.

use std::{
    io::{self, Read},
    sync::Arc,
};

use memchr::memrchr;

use super::{
    Acquisition, Codec, ReadOptions, SourceError, TextEncoding,
    codec::{
        Beyond, Bounded, Checked, Counted, Expanded, Expansion, Intake, Prefixed, closed_archive,
    },
    encoding::settled_terminator,
    watch::Watch,
};
use crate::{digest::ContentHasher, discover::Member};

/// Bytes that are read, and hashed while they are in the cache, at a time.
const PIECE: usize = 256 << 10;

/// A log that is read in blocks: standard input, a live or remote file, a compressed or UTF-16 one, a zip member.
///
/// ```
/// use calproof::source::{LogStream, ReadOptions};
///
/// let log = std::io::Cursor::new(b"#Version: 1.0\r\n#Fields: date time\r\n2010-03-01 06:12");
/// let mut stream = LogStream::from_reader("-", log, &ReadOptions { block_len: 20, ..ReadOptions::default() })?;
/// let mut block = Vec::new();
/// let mut blocks = Vec::new();
/// while stream.next_block(&mut block)? {
///     blocks.push(String::from_utf8_lossy(&block).into_owned());
/// }
/// assert_eq!(blocks, ["#Version: 1.0\r\n", "#Fields: date time\r\n", "2010-03-01 06:12"]);
/// assert_eq!(stream.finish().bytes, 51);
/// # Ok::<(), calproof::source::SourceError>(())
/// ```
pub struct LogStream {
    path: String,
    content: Box<dyn Read + Send>,
    codec: Option<Codec>,
    intake: Arc<Intake>,
    bound: Expansion,
    watch: Option<Watch>,
    /// Whether the whole file is read up to its first length, so that fewer bytes mean that it shrank.
    plain: bool,
    hasher: ContentHasher,
    encoding: TextEncoding,
    decoder: Option<encoding_rs::Decoder>,
    replaced: bool,
    block_len: usize,
    max_line: usize,
    terminator: Option<u8>,
    /// Bytes of content read: decompressed, before transcoding.
    bytes: u64,
    /// Bytes of text handed out.
    text: u64,
    /// Text that is read but not handed out.
    carry: Vec<u8>,
    piece: Vec<u8>,
    end: End,
}

/// Whether more can be read.
enum End {
    NotYet,
    /// The end of the content, or an error before it that is still to be told.
    Reached(Option<SourceError>),
    /// A failure was told: nothing more is handed out.
    Failed,
}

impl std::fmt::Debug for LogStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogStream")
            .field("path", &self.path)
            .field("codec", &self.codec)
            .field("encoding", &self.encoding)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl LogStream {
    /// Begins to read any stream of bytes; `path` is the name for messages. Compression and UTF-16 are recognised.
    ///
    /// # Errors
    ///
    /// [`SourceError::Archive`] for an archive that is not read through. An error of the reader itself stands in the
    /// stream, where [`next_block`](Self::next_block) finds it.
    pub fn from_reader(
        path: &str,
        raw: impl Read + Send + 'static,
        options: &ReadOptions,
    ) -> Result<Self, SourceError> {
        Self::of_file(path, raw, None, options)
    }

    /// Begins to read a file that is perhaps compressed.
    pub(super) fn of_file(
        path: &str,
        raw: impl Read + Send + 'static,
        watch: Option<Watch>,
        options: &ReadOptions,
    ) -> Result<Self, SourceError> {
        let intake = Arc::new(Intake::default());
        let raw = Prefixed::new(Counted { raw, intake: Arc::clone(&intake) });
        let Some(codec) = Codec::sniff(raw.head()) else {
            let content = log_content(path, "", raw)?;
            return Ok(Self::new(path, content, None, intake, watch, options));
        };
        let content = Bounded {
            content: codec.decoder(raw),
            intake: Arc::clone(&intake),
            bound: options.max_expansion,
            expanded: 0,
        };
        let content = log_content(path, " inside a compressed file", Prefixed::new(content))?;
        Ok(Self::new(path, content, Some(codec), intake, watch, options))
    }

    /// Begins to read a member of a zip archive; `raw` begins at its compressed bytes.
    pub(super) fn of_member(
        path: &str,
        member: &Member,
        raw: impl Read + Send + 'static,
        watch: Watch,
        options: &ReadOptions,
    ) -> Result<Self, SourceError> {
        let intake = Arc::new(Intake::default());
        let raw = Counted { raw: raw.take(member.compressed), intake: Arc::clone(&intake) };
        let content = Bounded {
            content: Checked {
                content: flate2::CrcReader::new(member.codec.decoder(raw)),
                len: member.size,
                crc32: member.crc32,
                seen: 0,
            },
            intake: Arc::clone(&intake),
            bound: options.max_expansion,
            expanded: 0,
        };
        let content = log_content(path, " inside a zip archive", Prefixed::new(content))?;
        Ok(Self::new(path, content, Some(member.codec), intake, Some(watch), options))
    }

    fn new(
        path: &str,
        content: Prefixed<impl Read + Send + 'static>,
        codec: Option<Codec>,
        intake: Arc<Intake>,
        watch: Option<Watch>,
        options: &ReadOptions,
    ) -> Self {
        let encoding = TextEncoding::sniff(content.head());
        Self {
            path: path.to_owned(),
            plain: codec.is_none(),
            codec,
            intake,
            bound: options.max_expansion,
            watch,
            hasher: ContentHasher::new(options.digest),
            encoding,
            decoder: encoding.decoder(),
            replaced: false,
            block_len: options.block_len.max(1),
            max_line: options.max_line.max(1),
            terminator: None,
            bytes: 0,
            text: 0,
            carry: Vec::new(),
            piece: Vec::new(),
            end: End::NotYet,
            content: Box::new(content),
        }
    }

    /// How the text is encoded; UTF-16 is handed out as UTF-8.
    pub fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// The first `n` bytes of text that is not handed out yet, or all of it if it is shorter; nothing is lost.
    ///
    /// An error on the way stays in the stream: [`next_block`](Self::next_block) tells it after the text before it.
    pub fn peek_head(&mut self, n: usize) -> &[u8] {
        let mut carry = std::mem::take(&mut self.carry);
        let mut len = carry.len();
        self.read_on(&mut carry, &mut len, n);
        carry.truncate(len);
        self.carry = carry;
        &self.carry[..self.carry.len().min(n)]
    }

    /// Replaces the content of `buf` with the next block of text: whole lines of about
    /// [`block_len`](ReadOptions::block_len) bytes, a single line where it is longer, and at the end of the content
    /// whatever follows the last line end. `false`: there is no more.
    ///
    /// Give a block that was read back as it is: its bytes are written over, which costs less than to make room for as
    /// many in an empty one.
    ///
    /// # Errors
    ///
    /// What was readable comes first (of a torn file all but the last unit of its compression, see [`Codec`]), then
    /// the error, once; `buf` is empty then, and every later call gives `false`.
    pub fn next_block(&mut self, buf: &mut Vec<u8>) -> Result<bool, SourceError> {
        let more = self.fill_block(buf);
        if !matches!(more, Ok(true)) {
            buf.clear();
        }
        more
    }

    fn fill_block(&mut self, buf: &mut Vec<u8>) -> Result<bool, SourceError> {
        let mut len = self.carry.len();
        buf.resize(buf.len().max(len), 0);
        buf[..len].copy_from_slice(&self.carry);
        self.carry.clear();
        let mut target = self.block_len;
        let mut searched = 0;
        loop {
            self.read_on(buf, &mut len, target);
            let text = &buf[..len];
            match &mut self.end {
                End::NotYet => {}
                End::Reached(_) if !text.is_empty() && text.len() <= self.max_line => {
                    self.text += text.len() as u64;
                    buf.truncate(len);
                    return Ok(true);
                }
                End::Reached(error) if text.is_empty() => {
                    return match error.take() {
                        Some(error) => {
                            self.end = End::Failed;
                            Err(error)
                        }
                        None => Ok(false),
                    };
                }
                End::Reached(_) => {}
                End::Failed => return Ok(false),
            }
            let whole = matches!(self.end, End::Reached(_));
            if self.terminator.is_none() {
                self.terminator = settled_terminator(text, whole);
            }
            if let Some(cut) = self
                .terminator
                .and_then(|byte| memrchr(byte, &text[searched..]))
                .map(|at| searched + at + 1)
            {
                self.carry.extend_from_slice(&text[cut..]);
                buf.truncate(cut);
                self.text += cut as u64;
                return Ok(true);
            }
            if len > self.max_line {
                self.end = End::Failed;
                return Err(SourceError::LineTooLong {
                    path: self.path.clone(),
                    byte: self.text,
                    bound: self.max_line,
                });
            }
            // No line ends in sight: read on, and look at what comes next only, once it is known which byte ends lines.
            // Until then the whole is looked at again, each time when it has doubled.
            let more = if self.terminator.is_some() {
                searched = len;
                self.block_len
            } else {
                self.block_len.max(len)
            };
            target = len.saturating_add(more).min(self.max_line.saturating_add(1));
        }
    }

    /// Ends the reading: what was read, and whether the file stayed the same.
    ///
    /// Where the content was not read to its end, by error or by choice, the digest is that of the first
    /// [`bytes`](Acquisition::bytes) bytes.
    pub fn finish(self) -> Acquisition {
        let complete = match &self.end {
            End::NotYet => self.at_end_of_nothing(),
            End::Reached(error) => error.is_none(),
            End::Failed => false,
        };
        let read = (self.plain && complete).then_some(self.bytes);
        Acquisition {
            bytes: self.bytes,
            digest: self.hasher.finish(),
            changed: self.watch.and_then(|watch| watch.end(read)),
            complete: complete && self.carry.is_empty(),
            encoding: self.encoding,
            replaced: self.replaced,
        }
    }

    /// Nothing was asked for, but there was nothing either.
    fn at_end_of_nothing(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.len == self.bytes && self.plain)
    }

    /// Reads, hashes and decodes until the first `len` bytes of `text` are `target` or more, or the content ends.
    ///
    /// What is behind `len` may be written over. Where another thread has nothing to do, it takes the digest of a piece
    /// while the next one is read.
    fn read_on(&mut self, text: &mut Vec<u8>, len: &mut usize, target: usize) {
        while *len < target && matches!(self.end, End::NotYet) {
            let most = target - *len;
            if self.decoder.is_some() {
                let mut piece = std::mem::take(&mut self.piece);
                let read = self.read_content(&mut piece, 0, most.min(PIECE));
                text.truncate(*len);
                let last = !matches!(self.end, End::NotYet);
                if let Some(decoder) = &mut self.decoder {
                    self.replaced |= transcode(decoder, &piece[..read], last, text);
                }
                self.piece = piece;
                *len = text.len();
            } else {
                *len += self.read_content(text, *len, most);
            }
        }
    }

    /// Reads and hashes the next `most` bytes of the content into `target` from `start` on; fewer at its end, or where
    /// an error stands.
    fn read_content(&mut self, target: &mut Vec<u8>, start: usize, most: usize) -> usize {
        let end = start + most;
        let shared = self.hasher.is_hashing() && rayon::current_thread_index().is_some();
        let (mut hashed, mut at) = (start, start);
        while at < end && matches!(self.end, End::NotYet) {
            let next = end.min(at + PIECE);
            if target.len() < next {
                target.resize(next, 0);
            }
            let (before, room) = target[hashed..next].split_at_mut(at - hashed);
            let (content, hasher) = (&mut self.content, &mut self.hasher);
            let (read, result) = if shared && !before.is_empty() {
                rayon::join(|| fill(content, room), || hasher.update(before)).0
            } else {
                hasher.update(before);
                fill(content, room)
            };
            hashed = at;
            at += read;
            self.bytes += read as u64;
            if let Err(error) = result {
                self.end = End::Reached(Some(self.reading(&error)));
            } else if at < next {
                self.end = End::Reached(None);
            }
        }
        self.hasher.update(&target[hashed..at]);
        at - start
    }

    fn reading(&self, error: &io::Error) -> SourceError {
        let path = self.path.clone();
        let byte = self.bytes;
        if let Some(&Expanded { compressed, expanded }) =
            error.get_ref().and_then(|inner| inner.downcast_ref())
        {
            let Expansion { free, ratio, cap } = self.bound;
            let bound = match cap {
                Some(cap) if expanded > cap => format!("{cap}"),
                _ => format!("{ratio} for each compressed one beyond the first {free}"),
            };
            return SourceError::Expansion { path, compressed, expanded, bound };
        }
        match self.codec {
            Some(codec) if !self.intake.failed() => {
                if let Some(&Beyond(found)) = error.get_ref().and_then(|inner| inner.downcast_ref())
                {
                    SourceError::Beyond { path, codec, byte, found }
                } else if error.kind() == io::ErrorKind::UnexpectedEof {
                    SourceError::Truncated { path, codec, byte }
                } else {
                    SourceError::Corrupt { path, codec, byte, reason: error.to_string() }
                }
            }
            _ => SourceError::Read {
                path,
                byte,
                source: io::Error::new(error.kind(), error.to_string()),
            },
        }
    }
}

/// The content, if it is not an archive or compressed once more.
fn log_content<R: Read>(
    path: &str,
    place: &str,
    content: Prefixed<R>,
) -> Result<Prefixed<R>, SourceError> {
    let found = match Codec::sniff(content.head()) {
        Some(codec) => Some(format!("a {codec} stream{place}")),
        None => closed_archive(content.head()).map(|kind| format!("{kind}{place}")),
    };
    match found {
        Some(found) => Err(SourceError::Archive { path: path.to_owned(), found }),
        None => Ok(content),
    }
}

/// Reads until `room` is full, the content ends or an error stands; how many bytes were read until then.
fn fill(content: &mut impl Read, room: &mut [u8]) -> (usize, io::Result<()>) {
    let mut at = 0;
    while at < room.len() {
        match content.read(&mut room[at..]) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (at, Err(error)),
        }
    }
    (at, Ok(()))
}

/// Appends `content` to `text` as UTF-8; `true` if something that is not UTF-16 was replaced by U+FFFD.
fn transcode(
    decoder: &mut encoding_rs::Decoder,
    content: &[u8],
    last: bool,
    text: &mut Vec<u8>,
) -> bool {
    let mut replaced = false;
    let mut rest = content;
    loop {
        let start = text.len();
        // At most three bytes of UTF-8 for two of UTF-16, and some for what the decoder holds.
        text.resize(start + rest.len() / 2 * 3 + 16, 0);
        let (result, read, written, errors) =
            decoder.decode_to_utf8(rest, &mut text[start..], last);
        text.truncate(start + written);
        replaced |= errors;
        rest = &rest[read..];
        if result == encoding_rs::CoderResult::InputEmpty {
            return replaced;
        }
    }
}
