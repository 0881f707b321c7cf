//! Zstandard files: several frames, skippable frames, checksums, and what can be had of a torn one.

use std::{
    error::Error as _,
    io::{self, BufRead, Read},
};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// All frames of a zstd file (RFC 8878), one after the other.
///
/// The decoder keeps back a window of its output until the frame ends. Where a frame is torn, that window is let out
/// before the error is told, so that the readable part of a truncated file is whole.
pub(crate) struct ZstdReader<R> {
    raw: R,
    frame: FrameDecoder,
    at: At,
}

enum At {
    Between,
    Inside,
    Torn(Option<io::Error>),
}

/// An empty last block and room for a checksum: closes a torn frame, so that the decoder lets its window out.
const CLOSING: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

impl<R: BufRead> ZstdReader<R> {
    pub(crate) fn new(raw: R) -> Self {
        Self { raw, frame: FrameDecoder::new(), at: At::Between }
    }

    /// Begins the next frame, or skips one; `false` at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        if self.raw.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.frame.reset(&mut self.raw) {
            Ok(()) => self.at = At::Inside,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let skipped =
                    io::copy(&mut self.raw.by_ref().take(u64::from(length)), &mut io::sink())?;
                if skipped < u64::from(length) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(read_error(error)),
        }
        Ok(true)
    }

    fn check(&self) -> io::Result<()> {
        match (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum()) {
            (Some(stated), Some(found)) if stated != found => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the checksum {found:08x} where the frame states {stated:08x}"),
            )),
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            if !matches!(self.at, At::Between) && self.frame.can_collect() > 0 {
                return self.frame.read(buf);
            }
            match &mut self.at {
                At::Torn(error) => return error.take().map_or(Ok(0), Err),
                At::Between => {
                    if !self.begin()? {
                        return Ok(0);
                    }
                }
                At::Inside if self.frame.is_finished() => {
                    self.at = At::Between;
                    self.check()?;
                }
                At::Inside => {
                    let one = BlockDecodingStrategy::UptoBlocks(1);
                    if let Err(error) = self.frame.decode_blocks(&mut self.raw, one) {
                        self.at = At::Torn(Some(read_error(error)));
                        // If even this fails, the window is lost and the error of the file is told all the same.
                        drop(
                            self.frame.decode_blocks(CLOSING, BlockDecodingStrategy::UptoBlocks(1)),
                        );
                    }
                }
            }
        }
    }
}

/// The error with its kind, which may lie some causes deep.
fn read_error(error: FrameDecoderError) -> io::Error {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(io) = next.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), error);
        }
        cause = next.source();
    }
    io::Error::new(io::ErrorKind::InvalidData, error)
}
