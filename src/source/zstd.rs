//! Zstandard files: several frames, skippable frames, checksums, and what can be had of a torn one.

use std::io::{self, BufRead, Read};

use ::zstd::zstd_safe::{
    DCtx, DParameter, InBuffer, OutBuffer, get_error_name, zstd_sys::ZSTD_ErrorCode,
};

use super::codec::Beyond;

/// The largest window that is held in memory, as a power of two: 128 MiB, which is what `zstd` itself allows a file
/// that was not packed with `--long`.
const WINDOW_LOG: u32 = 27;

/// Bytes by which a frame tells how long its header is (RFC 8878, 3.1.1.1: a magic number and the descriptor).
const DESCRIBED: usize = 5;

/// Bytes of a block header (RFC 8878, 3.1.1.2).
const BLOCK_HEADER: usize = 3;

/// All frames of a zstd file (RFC 8878), one after the other, skippable ones left out.
///
/// The decoder loses what it has unpacked in a call that ends in an error. So it is given no more than the rest of one
/// block, or one header, at a time: all blocks before damage are handed out.
pub(crate) struct ZstdReader<R> {
    raw: R,
    context: DCtx<'static>,
    /// How many bytes the frame goes on for at least, up to the end of the next block header; 0 between frames.
    wanted: usize,
    /// Whether the decoder may hold unpacked bytes for which there was no room.
    full: bool,
}

impl<R: BufRead> ZstdReader<R> {
    pub(crate) fn new(raw: R) -> Self {
        let mut context = DCtx::create();
        // Refused only for a number that is out of range.
        let set = context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG));
        debug_assert!(set.is_ok());
        Self { raw, context, wanted: 0, full: false }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let mut packed: &[u8] = &[];
            if !self.full {
                packed = self.raw.fill_buf()?;
                if packed.is_empty() {
                    let torn = || io::ErrorKind::UnexpectedEof.into();
                    return if self.wanted == 0 { Ok(0) } else { Err(torn()) };
                }
            }
            let step = match self.wanted {
                0 => DESCRIBED,
                few @ 1..=BLOCK_HEADER => few,
                more => more - BLOCK_HEADER,
            };
            let mut from = InBuffer::around(&packed[..packed.len().min(step)]);
            let mut to = OutBuffer::around(buf);
            let result = self.context.decompress_stream(&mut to, &mut from);
            let (taken, given) = (from.pos(), to.pos());
            self.raw.consume(taken);
            self.wanted = result.map_err(read_error)?;
            self.full = given == buf.len() && self.wanted > 0;
            if given > 0 {
                return Ok(given);
            }
        }
    }
}

/// What the decoder's code says: the negative of a number of `ZSTD_ErrorCode`.
fn read_error(code: usize) -> io::Error {
    let is = |error: ZSTD_ErrorCode| code == (error as usize).wrapping_neg();
    if is(ZSTD_ErrorCode::ZSTD_error_dictionary_wrong) {
        return io::Error::other(Beyond("a frame that was packed with a dictionary"));
    }
    if is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) {
        return io::Error::other(Beyond("a frame with a window of more than 128 MiB"));
    }
    io::Error::new(io::ErrorKind::InvalidData, get_error_name(code))
}
