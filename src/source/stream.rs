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
        while carry.len() < n && matches!(self.end, End::NotYet) {
            let missing = n - carry.len();
            self.read_piece(&mut carry, missing);
        }
        self.carry = carry;
        &self.carry[..self.carry.len().min(n)]
    }

    /// Replaces the content of `buf` with the next block of text: whole lines of about
    /// [`block_len`](ReadOptions::block_len) bytes, a single line where it is longer, and at the end of the content
    /// whatever follows the last line end. `false`: there is no more.
    ///
    /// # Errors
    ///
    /// What was readable comes first (of a torn file all but the last unit of its compression, see [`Codec`]), then
    /// the error, once; `buf` is empty then, and every later call gives `false`.
    pub fn next_block(&mut self, buf: &mut Vec<u8>) -> Result<bool, SourceError> {
        buf.clear();
        buf.append(&mut self.carry);
        let mut target = self.block_len;
        let mut searched = 0;
        loop {
            while buf.len() < target && matches!(self.end, End::NotYet) {
                let missing = target - buf.len();
                self.read_piece(buf, missing);
            }
            match &mut self.end {
                End::NotYet => {}
                End::Reached(_) if !buf.is_empty() && buf.len() <= self.max_line => {
                    self.text += buf.len() as u64;
                    return Ok(true);
                }
                End::Reached(error) if buf.is_empty() => {
                    return match error.take() {
                        Some(error) => {
                            self.end = End::Failed;
                            Err(error)
                        }
                        None => Ok(false),
                    };
                }
                End::Reached(_) => {}
                End::Failed => {
                    buf.clear();
                    return Ok(false);
                }
            }
            let whole = matches!(self.end, End::Reached(_));
            if self.terminator.is_none() {
                self.terminator = settled_terminator(buf, whole);
            }
            if let Some(cut) = self
                .terminator
                .and_then(|byte| memrchr(byte, &buf[searched..]))
                .map(|at| searched + at + 1)
            {
                self.carry.extend_from_slice(&buf[cut..]);
                buf.truncate(cut);
                self.text += cut as u64;
                return Ok(true);
            }
            if buf.len() > self.max_line {
                buf.clear();
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
                searched = buf.len();
                self.block_len
            } else {
                self.block_len.max(buf.len())
            };
            target = buf.len().saturating_add(more).min(self.max_line.saturating_add(1));
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

    /// Reads, hashes and decodes at most `most` bytes (or one piece) of content to the end of `text`.
    fn read_piece(&mut self, text: &mut Vec<u8>, most: usize) {
        let most = most.min(PIECE);
        let target = if self.decoder.is_some() {
            self.piece.clear();
            &mut self.piece
        } else {
            &mut *text
        };
        let before = target.len();
        let result = fill(&mut self.content, target, most);
        let content = &target[before..];
        self.hasher.update(content);
        self.bytes += content.len() as u64;
        let ended = content.len() < most;
        if let Err(error) = result {
            self.end = End::Reached(Some(self.reading(&error)));
        } else if ended {
            self.end = End::Reached(None);
        }
        if let Some(decoder) = &mut self.decoder {
            let last = !matches!(self.end, End::NotYet);
            self.replaced |= transcode(decoder, &self.piece, last, text);
        }
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

/// Appends the next `most` bytes, fewer at the end of the content or where an error stands.
fn fill(content: &mut impl Read, target: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let mut at = target.len();
    target.resize(at + most, 0);
    let result = loop {
        if at == target.len() {
            break Ok(());
        }
        match content.read(&mut target[at..]) {
            Ok(0) => break Ok(()),
            Ok(n) => at += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    target.truncate(at);
    result
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
