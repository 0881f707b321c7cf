//! Values that were looked at lately: most rows of a log repeat one not far before them.

use crate::bytes::{mix, same};

/// What was found out about values of a text, `N` of them at most, which is a power of two: slices of
/// the text, never copies. Everything is compared in full; a hash only says where to look.
pub(crate) struct Recent<'a, V, const N: usize> {
    slots: Vec<Option<(&'a [u8], V)>>,
}

impl<V, const N: usize> Default for Recent<'_, V, N> {
    fn default() -> Self {
        Recent { slots: Vec::new() }
    }
}

impl<'a, V: Copy, const N: usize> Recent<'a, V, N> {
    /// What `look` makes of `value`, which is the same for the same bytes.
    #[inline]
    pub(crate) fn of(&mut self, value: &'a [u8], look: impl FnOnce(&'a [u8]) -> V) -> V {
        // Many are alike at both ends.
        let middle = &value[value.len() / 2..];
        let hash = mix(mix(0, value), middle.first_chunk::<8>().map_or(middle, |word| word));
        let at = (hash >> 32) as usize & (N - 1);
        if let Some(Some((known, found))) = self.slots.get(at)
            && same(known, value)
        {
            return *found;
        }
        let found = look(value);
        if self.slots.is_empty() {
            self.slots.resize(N, None);
        }
        self.slots[at] = Some((value, found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_kept_is_what_is_read(values in proptest::collection::vec("[ab]{0,12}", 0..400)) {
            let mut recent = Recent::<usize, 128>::default();
            let mut spelt = Recent::<Option<u8>, 16>::default();
            for value in &values {
                proptest::prop_assert_eq!(recent.of(value.as_bytes(), <[u8]>::len), value.len());
                let first = |value: &[u8]| value.first().copied();
                proptest::prop_assert_eq!(spelt.of(value.as_bytes(), first), first(value.as_bytes()));
            }
        }
    }
}
