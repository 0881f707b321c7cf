//! Facts of rows before: a client that polls its mailbox says the same all day.

use crate::bytes::mix;
use crate::event::{FactId, Outcome};
use crate::service::Service;

/// Slots; a power of two.
const SLOTS: usize = 1024;

/// What a row said that decides its fact, within one day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seen<'a> {
    /// As it stands in the row.
    pub(super) user: &'a [u8],
    /// The client's address; empty on a back end that does not name it.
    pub(super) client: &'a [u8],
    pub(super) server: &'a [u8],
    pub(super) back_end: bool,
    pub(super) service: Service,
    pub(super) outcome: Outcome,
}

/// A table that holds slices of the segment's text, never copies. Everything is compared in full.
#[derive(Default)]
pub(super) struct Memo<'a> {
    facts: Vec<Option<(Seen<'a>, FactId)>>,
}

impl<'a> Memo<'a> {
    pub(super) fn forget(&mut self) {
        self.facts.clear();
    }

    pub(super) fn fact(&self, seen: &Seen<'a>) -> Option<FactId> {
        let (known, fact) = self.facts.get(slot(seen))?.as_ref()?;
        (known == seen).then_some(*fact)
    }

    pub(super) fn remember(&mut self, seen: Seen<'a>, fact: FactId) {
        if self.facts.is_empty() {
            self.facts.resize(SLOTS, None);
        }
        self.facts[slot(&seen)] = Some((seen, fact));
    }
}

fn slot(seen: &Seen<'_>) -> usize {
    hash(&[seen.user, seen.client])
}

fn hash(parts: &[&[u8]]) -> usize {
    let hash = parts.iter().fold(0, |hash, part| mix(hash, part));
    (hash >> 40) as usize & (SLOTS - 1)
}

/// A pair of names and the instant at which it was told.
type Told<'a> = (&'a [u8], &'a [u8], i64);

/// Aliases told before, so that the sink hears of each pair once a day rather than on every row.
#[derive(Default)]
pub(super) struct Aliases<'a> {
    told: Vec<Option<Told<'a>>>,
}

impl<'a> Aliases<'a> {
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// Whether the pair has not been told at an earlier instant; it counts as told from now on.
    pub(super) fn is_news(&mut self, one: &'a [u8], other: &'a [u8], instant: i64) -> bool {
        if self.told.is_empty() {
            self.told.resize(SLOTS, None);
        }
        let place = &mut self.told[hash(&[one, other])];
        if place.is_some_and(|(a, b, at)| (a, b) == (one, other) && at <= instant) {
            return false;
        }
        *place = Some((one, other, instant));
        true
    }
}
