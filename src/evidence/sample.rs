//! A random sample of rows for a check by hand.
//!
//! The draws follow from the digests of the inputs, so that nobody can choose them: seed = SHA-256
//! over the digests of the sources that were sampled, in the order of their paths, each as 64
//! hexadecimal digits and a line feed. Draw n (from 0): the first eight bytes of SHA-256(seed as 32
//! bytes, n as eight bytes), both big-endian, modulo the sum of the sources' lengths, is a byte of
//! the sources laid end to end. A draw is accepted where that byte is among the first [`REACH`] of a
//! line (line end included), so that every line of at least that length has the same chance. Of a
//! format whose records take several lines, only the first line of a record is accepted.

use calproof_parsers::LogFormat;
use sha2::{Digest as _, Sha256};

use super::reread::Spot;
use crate::census::Census;
use crate::digest::hex;
use crate::ingest::input::InputReport;

/// Rows in a sample, at most.
pub const WANTED: usize = 200;
/// How many draws are made.
pub const DRAWS: u64 = 8000;
/// How many bytes of a line a draw may hit.
pub const REACH: u64 = 32;

/// Which sources are sampled, and how.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The seed.
    pub seed: [u8; 32],
    /// Sum of the lengths of the sources.
    pub bytes: u64,
}

/// Whether rows of an input are sampled: it is of a known format and adds to the count.
pub(super) fn is_sampled(input: &InputReport) -> bool {
    input.format != "unknown" && input.duplicate_of.is_none() && input.superseded_by.is_none()
}

impl Plan {
    /// The plan for the inputs of a census.
    pub(super) fn new(census: &Census) -> Plan {
        let mut seed = Sha256::new();
        let mut bytes = 0;
        for input in census.inputs.iter().filter(|i| is_sampled(i)) {
            seed.update(super::sha256_of(input).as_bytes());
            seed.update(b"\n");
            bytes += input.bytes;
        }
        Plan { seed: seed.finalize().into(), bytes }
    }

    /// The seed in hexadecimal.
    pub(super) fn seed_hex(&self) -> String {
        hex(&self.seed)
    }

    /// The places that are drawn: input and byte.
    pub(super) fn draws(&self, census: &Census) -> impl Iterator<Item = (u32, u64)> {
        let sources: Vec<(u32, u64)> = (0..)
            .zip(&census.inputs)
            .filter(|(_, input)| is_sampled(input))
            .map(|(i, input)| (i, input.bytes))
            .collect();
        let ends: Vec<u64> = sources
            .iter()
            .scan(0, |end, (_, bytes)| {
                *end += bytes;
                Some(*end)
            })
            .collect();
        let draws = if self.bytes == 0 { 0 } else { DRAWS };
        (0..draws).map(move |n| {
            let block =
                Sha256::new().chain_update(self.seed).chain_update(n.to_be_bytes()).finalize();
            let number = block.iter().take(8).fold(0_u64, |n, b| n << 8 | u64::from(*b));
            let at = number % self.bytes;
            let source = ends.partition_point(|end| *end <= at);
            let (input, bytes) = sources[source];
            (input, at - (ends[source] - bytes))
        })
    }
}

/// Where the line of an accepted draw begins in `spot`, whose text begins at `place`.
pub(super) fn start(
    spot: &Spot<'_>,
    place: u64,
    byte: u64,
    format: &dyn LogFormat,
) -> Option<usize> {
    let at = usize::try_from(byte - place).ok()?;
    if at >= spot.text.len() {
        return None;
    }
    let start = match memchr::memrchr(spot.eol, &spot.text[..at]) {
        Some(end) => end + 1,
        None if spot.before.is_empty() || spot.before.ends_with(&[spot.eol]) => 0,
        None => return None,
    };
    let near = ((at - start) as u64) < REACH;
    let whole = !format.spans_lines() || format.boundary(spot.text, start, spot.eol) == start;
    (near && whole).then_some(start)
}
