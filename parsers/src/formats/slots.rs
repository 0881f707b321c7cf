//! Where what was seen before is kept: a table from hashes to places in a list.

use crate::event::{FactId, Place, Repeats, Sink};
use crate::time::DAY_MS;

/// How many slots behind its own a place may stand, so that texts that were made to fall together
/// cost no more than this.
const REACH: usize = 16;
/// Slots to begin with; a power of two.
const FIRST: usize = 1024;

/// Hash and place, from 1; (0, 0) where nothing stands. Whoever asks compares in full what stands at a
/// place: the hash only says where to look.
#[derive(Default)]
pub(super) struct Slots(Vec<(u32, u32)>);

impl Slots {
    /// The places, from 0, of what has this hash.
    #[inline]
    pub(super) fn likely(&self, hash: u32) -> impl Iterator<Item = usize> {
        let slots = self.0.get(self.home(hash)..).unwrap_or_default();
        let slots = slots.iter().take(REACH).take_while(|slot| slot.1 != 0);
        slots.filter(move |slot| slot.0 == hash).map(|slot| slot.1 as usize - 1)
    }

    /// Where [`Slots::likely`] begins to look.
    #[inline]
    pub(super) fn first(&self, hash: u32) -> *const (u32, u32) {
        self.0.as_ptr().wrapping_add(self.home(hash))
    }

    /// Puts the place `at`, from 0, behind a hash, in a table that is at most half full. `false` where
    /// there is no room near its own slot.
    pub(super) fn put(&mut self, hash: u32, at: usize) -> bool {
        if at * 2 >= self.0.len() {
            self.grow();
        }
        self.place(hash, at as u32 + 1)
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & self.0.len().wrapping_sub(1)
    }

    fn place(&mut self, hash: u32, at: u32) -> bool {
        let home = self.home(hash);
        let free = self.0.iter_mut().skip(home).take(REACH).find(|slot| slot.1 == 0);
        free.map(|slot| *slot = (hash, at)).is_some()
    }

    #[cold]
    fn grow(&mut self) {
        let places = (self.0.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.0, vec![(0, 0); places]);
        for (hash, at) in before.into_iter().filter(|slot| slot.1 != 0) {
            // What finds no room is told of anew when it is seen again.
            self.place(hash, at);
        }
    }
}

/// What the sink has not been told yet of a fact: rows of one UTC day.
pub(super) struct Untold {
    /// When that day began; [`NEVER`] where there is nothing to tell: so it fits into the same room as the
    /// rows alone with the word that an `Option` needs.
    since: i64,
    rows: Repeats,
}

/// An instant that no row has.
const NEVER: i64 = i64::MIN;

impl Default for Untold {
    fn default() -> Self {
        let nowhere = Place { byte: 0, line: 0, instant: 0 };
        Untold { since: NEVER, rows: Repeats::once(nowhere) }
    }
}

impl Untold {
    /// One more row. The sink is told of the rows of another day. `true` where there was none.
    #[inline]
    pub(super) fn add(&mut self, fact: FactId, place: Place, sink: &mut dyn Sink) -> bool {
        if (0..DAY_MS).contains(&place.instant.wrapping_sub(self.since)) {
            self.rows.add(place);
            return false;
        }
        let first = self.since == NEVER;
        self.tell(fact, sink);
        self.since = place.instant.div_euclid(DAY_MS) * DAY_MS;
        self.rows = Repeats::once(place);
        first
    }

    /// Tells the sink what it has not been told.
    pub(super) fn tell(&mut self, fact: FactId, sink: &mut dyn Sink) {
        if self.since != NEVER {
            sink.repeated(fact, &self.rows);
            self.since = NEVER;
        }
    }
}
