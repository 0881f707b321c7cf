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
#[derive(Clone, Debug)]
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

/// The tables, and the bytes of the row at hand.
///
/// Copies are kept, close together, and not slices of the text: a look-up would else touch rows far
/// back that have left the cache. Nothing is allocated for a row that says what an earlier one did.
pub(super) struct Memo {
    facts: Vec<Option<(Box<[u8]>, FactId)>>,
    pairs: Vec<Option<Box<[u8]>>>,
    key: Vec<u8>,
}

impl Memo {
    pub(super) fn new() -> Memo {
        Memo { facts: Vec::new(), pairs: Vec::new(), key: Vec::new() }
    }

    /// Forgets every fact: the columns or the software changed.
    pub(super) fn forget(&mut self) {
        self.facts.clear();
    }

    /// The fact of a row of the same day that said the same; else the slot for it.
    #[inline]
    pub(super) fn fact(&mut self, day: i64, seen: &Seen<'_>) -> Result<FactId, Slot> {
        self.key.clear();
        self.key.extend_from_slice(&day.to_le_bytes());
        self.key.extend_from_slice(&[seen.service as u8, seen.outcome as u8]);
        self.key.extend_from_slice(&seen.marks.bits().to_le_bytes());
        let parts: [&[u8]; 7] = [
            &seen.principal,
            &seen.acted_for,
            &seen.device,
            &seen.agent,
            seen.client,
            seen.server,
            seen.address,
        ];
        for part in parts {
            push(&mut self.key, part);
        }
        let slot = slot(&self.key);
        match self.facts.get(slot) {
            Some(Some((known, fact))) if **known == *self.key => Ok(*fact),
            _ => Err(Slot(slot)),
        }
    }

    /// Keeps the fact of the row that was looked up last.
    pub(super) fn remember(&mut self, slot: Slot, fact: FactId) {
        if self.facts.is_empty() {
            self.facts.resize(SLOTS, None);
        }
        self.facts[slot.0] = Some((Box::from(&*self.key), fact));
    }

    /// Whether two names were not told to be one lately; remembers them.
    pub(super) fn is_new_pair(&mut self, one: &[u8], other: &[u8]) -> bool {
        if self.pairs.is_empty() {
            self.pairs.resize(SLOTS, None);
        }
        self.key.clear();
        push(&mut self.key, one);
        push(&mut self.key, other);
        let known = &mut self.pairs[slot(&self.key)];
        let new = known.as_deref() != Some(&*self.key);
        if new {
            *known = Some(Box::from(&*self.key));
        }
        new
    }
}

/// Where a fact belongs that was not found.
pub(super) struct Slot(usize);

/// One part of a key, its length first, so that no two lists of parts give the same bytes.
#[inline]
fn push(key: &mut Vec<u8>, part: &[u8]) {
    key.extend_from_slice(&(part.len() as u64).to_le_bytes());
    key.extend_from_slice(part);
}

#[inline]
fn slot(key: &[u8]) -> usize {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = key.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(K);
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = mix(hash, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    (hash >> 40) as usize & (SLOTS - 1)
}
