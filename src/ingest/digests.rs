//! Digests that are taken several at a time, behind the reading.
//!
//! SHA-256 of sixteen logs abreast takes about half as long as of one after the other, where the
//! processor has the means. So a worker keeps the maps of logs that it has parsed, their memory given
//! back, until there are enough. Content that changes in between is reported as for any log: the file is
//! examined when its digest is taken.

use super::Read;
use crate::digest::{DigestChoice, abreast, sha256_text};
use crate::source::{MappedLog, ReadOptions};

/// The most bytes of a log that waits: what was parsed is then likely still in the memory of the system.
const LARGEST: usize = 128 << 20;

/// Logs of one worker that are parsed and wait for their digest.
pub(super) struct Digests {
    /// Several at a time are quicker, and there will be as many.
    abreast: bool,
    waiting: Vec<(usize, Read, MappedLog)>,
}

impl Digests {
    /// For a worker that is to read about so many inputs.
    pub(super) fn new(inputs: usize, options: &ReadOptions) -> Digests {
        let many = inputs >= abreast::FEWEST;
        let abreast = many && options.digest == DigestChoice::Sha256 && abreast::pays();
        Digests { abreast, waiting: Vec::new() }
    }

    /// Whether a log of so many bytes is parsed without a digest, to wait for it here.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        self.abreast && bytes <= LARGEST
    }

    /// Adds a log, by the place of its input. Returns those that have their digest now.
    pub(super) fn add(&mut self, input: usize, read: Read, log: MappedLog) -> Vec<(usize, Read)> {
        self.waiting.push((input, read, log));
        if self.waiting.len() < abreast::LANES { Vec::new() } else { self.settle() }
    }

    /// Takes the digests of all that wait.
    pub(super) fn settle(&mut self) -> Vec<(usize, Read)> {
        let texts: Vec<&[u8]> = self.waiting.iter().map(|(_, _, log)| log.bytes()).collect();
        let digests = abreast::sha256(&texts, |i, bytes| self.waiting[i].2.release(bytes));
        let settled = self.waiting.drain(..).zip(digests);
        let settled = settled.map(|((input, (mut report, held), log), digest)| {
            report.digest = Some(sha256_text(&digest));
            report.acquired(log.finish());
            (input, (report, held))
        });
        settled.collect()
    }
}
