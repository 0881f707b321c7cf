//! Names that rows before have shown to be one person's.

use crate::bytes::{mix, same};

/// Slots; a power of two.
const SLOTS: usize = 1024;

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
        let place = &mut self.told[(mix(mix(0, one), other) >> 40) as usize & (SLOTS - 1)];
        if place.is_some_and(|(a, b, at)| same(a, one) && same(b, other) && at <= instant) {
            return false;
        }
        *place = Some((one, other, instant));
        true
    }
}
