//! What has been worked out before: the same person, device and service stand in thousands of rows.
//!
//! A slot holds what a row said, byte for byte, and the fact that came of it. Everything is compared
//! in full; the hash only says where to look.

use std::borrow::Cow;

use crate::event::{FactId, Marks, Outcome};
use crate::http::Agent;
use crate::service::Service;

/// Slots of each table; a power of two. 8,192 people and devices are current at a time.
const SLOTS: usize = 8192;

/// Slots for user agents; a power of two.
const AGENTS: usize = 256;

/// What a row said that decides its fact, within one server and day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen<'a> {
    pub(super) user: &'a [u8],
    pub(super) client: &'a [u8],
    pub(super) agent: &'a [u8],
    pub(super) device: Cow<'a, [u8]>,
    pub(super) mailbox: &'a [u8],
    pub(super) service: Service,
    pub(super) outcome: Outcome,
    pub(super) marks: Marks,
}

/// The tables. They hold slices of the segment's text, never copies.
pub(in crate::formats) struct Memo<'a> {
    facts: Vec<Option<(Seen<'a>, FactId, u64)>>,
    /// How often everything was forgotten: a fact holds only in the age it was kept in. So that a log
    /// whose rows alternate between two addresses of a server does not clear the table row by row.
    age: u64,
    agents: Vec<Option<(&'a [u8], Agent)>>,
}

impl<'a> Memo<'a> {
    pub(in crate::formats) fn new() -> Memo<'a> {
        Memo { facts: Vec::new(), age: 0, agents: vec![None; AGENTS] }
    }

    /// Forgets every fact: the day, the server or the columns changed.
    pub(in crate::formats) fn forget(&mut self) {
        self.age += 1;
    }

    /// What a user agent is.
    #[inline]
    pub(super) fn agent(&mut self, raw: &'a [u8]) -> Agent {
        let slot = &mut self.agents[(mix(0, raw) >> 40) as usize & (AGENTS - 1)];
        match slot {
            Some((known, agent)) if *known == raw => *agent,
            _ => slot.insert((raw, Agent::of(raw))).1,
        }
    }

    /// The fact of a row that said the same.
    #[inline]
    pub(super) fn fact(&self, seen: &Seen<'a>) -> Option<FactId> {
        let (known, fact, age) = self.facts.get(slot(seen))?.as_ref()?;
        (*age == self.age && known == seen).then_some(*fact)
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(&mut self, seen: Seen<'a>, fact: FactId) {
        if self.facts.is_empty() {
            self.facts.resize(SLOTS, None);
        }
        let at = slot(&seen);
        self.facts[at] = Some((seen, fact, self.age));
    }
}

fn slot(seen: &Seen<'_>) -> usize {
    let mut hash = seen.service as u64 | (seen.outcome as u64) << 8;
    for part in [seen.user, &seen.device, seen.client, seen.agent] {
        hash = mix(hash, part);
    }
    (hash >> 40) as usize & (SLOTS - 1)
}

/// Folds the length and both ends of `bytes` into a hash. Names that differ only in the middle
/// share a slot, which costs time and nothing else.
#[inline]
fn mix(hash: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |b: &[u8]| b.iter().rev().fold(0u64, |w, b| w << 8 | u64::from(*b));
    let (head, tail) = match bytes.len() {
        0..=8 => (word(bytes), 0),
        n => (word(&bytes[..8]), word(&bytes[n - 8..])),
    };
    let mixed =
        (hash.rotate_left(23) ^ head).wrapping_mul(K) ^ tail.wrapping_mul(K.rotate_left(32));
    (mixed ^ (bytes.len() as u64) << 56).wrapping_mul(K)
}
