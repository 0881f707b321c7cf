//! Values that were taken apart lately.

use crate::bytes::{mix, same};

/// How many are kept: more than there are exchanges at a time.
const SLOTS: usize = 128;

/// What was read from values lately. A request's `From` stands in its answers too, and a client's
/// `Contact` in all that it asks for.
pub(crate) struct Recent<'a, V> {
    slots: Vec<(&'a [u8], V)>,
}

impl<'a, V: Copy> Recent<'a, V> {
    /// Nothing is known but what `read` makes of an empty value.
    pub(crate) fn new(read: impl FnOnce(&'a [u8]) -> V) -> Self {
        Recent { slots: vec![(b"", read(b"")); SLOTS] }
    }

    /// What `read` makes of `value`, which is the same for the same bytes.
    #[inline]
    pub(crate) fn of(&mut self, value: &'a [u8], read: impl FnOnce(&'a [u8]) -> V) -> V {
        let at = (mix(0, value) >> 57) as usize;
        match self.slots.get_mut(at) {
            Some((known, made)) if same(known, value) => *made,
            Some(slot) => {
                *slot = (value, read(value));
                slot.1
            }
            None => read(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_kept_is_what_is_read(values in proptest::collection::vec("[ab]{0,12}", 0..400)) {
            let mut recent = Recent::new(<[u8]>::len);
            let mut spelt = Recent::new(|value: &[u8]| value.first().copied());
            for value in &values {
                proptest::prop_assert_eq!(recent.of(value.as_bytes(), <[u8]>::len), value.len());
                let first = |value: &[u8]| value.first().copied();
                proptest::prop_assert_eq!(spelt.of(value.as_bytes(), first), first(value.as_bytes()));
            }
        }
    }
}
