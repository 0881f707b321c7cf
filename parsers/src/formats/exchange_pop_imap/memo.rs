//! What rows before have said in other words: contexts, and names that are one person.

use super::context::Context;
use crate::bytes::{mix, same};

/// Slots; a power of two.
const SLOTS: usize = 1024;

#[inline]
fn slot(parts: &[&[u8]]) -> usize {
    let hash = parts.iter().fold(0, |hash, part| mix(hash, part));
    (hash >> 40) as usize & (SLOTS - 1)
}

/// Contexts that were read before: most answers are alike. Slices of the segment's text, never copies;
/// everything is compared in full.
#[derive(Default)]
pub(super) struct Contexts<'a> {
    read: Vec<Option<(&'a [u8], Context<'a>)>>,
}

impl<'a> Contexts<'a> {
    /// What a context says, as it stands in the row.
    #[inline]
    pub(super) fn of(&mut self, field: &'a [u8]) -> Context<'a> {
        // Many are alike at both ends.
        let middle = &field[field.len() / 2..];
        let slot = slot(&[field, middle.first_chunk::<8>().map_or(middle, |word| word)]);
        if let Some(Some((known, context))) = self.read.get(slot)
            && same(known, field)
        {
            return *context;
        }
        let context = Context::of(field);
        if self.read.is_empty() {
            self.read.resize(SLOTS, None);
        }
        self.read[slot] = Some((field, context));
        context
    }
}

/// Commands that were looked at before, and what they are to the count.
pub(super) struct Commands<'a, T> {
    known: [Option<(&'a [u8], T)>; COMMANDS],
}

/// Slots for commands; a power of two.
const COMMANDS: usize = 64;

impl<'a, T: Copy> Commands<'a, T> {
    pub(super) fn new() -> Self {
        Commands { known: [None; COMMANDS] }
    }

    /// What a command is; `look` where it was not seen lately.
    #[inline]
    pub(super) fn of(&mut self, command: &'a [u8], look: impl FnOnce() -> T) -> T {
        let place = &mut self.known[slot(&[command]) & (COMMANDS - 1)];
        match place {
            Some((known, what)) if same(known, command) => *what,
            _ => {
                let what = look();
                *place = Some((command, what));
                what
            }
        }
    }
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
        let place = &mut self.told[slot(&[one, other])];
        if place.is_some_and(|(a, b, at)| same(a, one) && same(b, other) && at <= instant) {
            return false;
        }
        *place = Some((one, other, instant));
        true
    }
}
