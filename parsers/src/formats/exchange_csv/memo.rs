//! What has been told before: the same person, client and service stand in thousands of rows.
//!
//! A slot holds what a row said, byte for byte, and the fact that came of it. Everything is compared
//! in full; the hash only says where to look.

use std::borrow::Cow;

use crate::event::{Access, Client, DeviceEvidence, FactId, Marks, Outcome, Software};
use crate::format::Scope;
use crate::service::Service;

/// Slots of each table; a power of two.
const SLOTS: usize = 4096;

/// What a row said that decides its fact, within one day.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct Seen<'a> {
    /// Name of the server.
    pub(in crate::formats) server: &'a [u8],
    /// Address of the server.
    pub(in crate::formats) address: &'a [u8],
    pub(in crate::formats) service: Service,
    pub(in crate::formats) outcome: Outcome,
    pub(in crate::formats) marks: Marks,
    pub(in crate::formats) principal: Cow<'a, [u8]>,
    pub(in crate::formats) acted_for: Cow<'a, [u8]>,
    /// Address of the client.
    pub(in crate::formats) client: &'a [u8],
    pub(in crate::formats) agent: Cow<'a, [u8]>,
    /// ActiveSync device id.
    pub(in crate::formats) device: Cow<'a, [u8]>,
}

/// What a new fact says of its device, and where the client stands.
pub(in crate::formats) type Evidence<'a> =
    for<'x> fn(&'x Seen<'a>, &Scope) -> (DeviceEvidence<'x>, Client);

impl Seen<'_> {
    /// The access that is told of a new fact.
    pub(super) fn access<'x>(
        &'x self,
        software: Software,
        device: DeviceEvidence<'x>,
        client: Client,
    ) -> Access<'x> {
        Access {
            server: super::server(self.server, self.address, software),
            service: self.service,
            outcome: self.outcome,
            principal: &self.principal,
            acted_for: &self.acted_for,
            device,
            client,
            marks: self.marks,
        }
    }
}

/// Two names that are one person.
pub(super) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The tables. They hold slices of the segment's text; copies only of fields with doubled quotes.
pub(super) struct Memo<'a> {
    facts: Vec<Option<(i64, Seen<'a>, FactId)>>,
    pairs: Vec<Option<Pair<'a>>>,
}

impl<'a> Memo<'a> {
    pub(super) fn new() -> Memo<'a> {
        Memo { facts: Vec::new(), pairs: Vec::new() }
    }

    /// Forgets every fact: the columns or the software changed.
    pub(super) fn forget(&mut self) {
        self.facts.clear();
    }

    /// The fact of a row of the same day that said the same.
    #[inline]
    pub(super) fn fact(&self, day: i64, seen: &Seen<'a>) -> Option<FactId> {
        let (on, known, fact) = self.facts.get(slot(seen))?.as_ref()?;
        (*on == day && known == seen).then_some(*fact)
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(&mut self, day: i64, seen: Seen<'a>, fact: FactId) {
        if self.facts.is_empty() {
            self.facts.resize(SLOTS, None);
        }
        let at = slot(&seen);
        self.facts[at] = Some((day, seen, fact));
    }

    /// Whether two names were not told to be one lately; remembers them.
    pub(super) fn is_new_pair(&mut self, pair: &Pair<'a>) -> bool {
        if self.pairs.is_empty() {
            self.pairs.resize(SLOTS, None);
        }
        let at = index(mix(mix(0, &pair.0), &pair.1));
        let known = self.pairs[at].as_ref().is_some_and(|k| k == pair);
        if !known {
            self.pairs[at] = Some(pair.clone());
        }
        !known
    }
}

fn slot(seen: &Seen<'_>) -> usize {
    let start = seen.service as u64 | (seen.outcome as u64) << 8;
    let parts: [&[u8]; 5] =
        [&seen.principal, &seen.device, seen.client, &seen.agent, &seen.acted_for];
    index(parts.into_iter().fold(start, mix))
}

fn index(hash: u64) -> usize {
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
