//! UTC days: as text, and in sets, a bit each.

use calproof_parsers::time::civil;

/// A day (days since 1970) as `YYYY-MM-DD`.
pub fn day_text(day: i32) -> String {
    let (year, month, date) = civil(day);
    format!("{year:04}-{month:02}-{date:02}")
}

/// A set of days since 1970-01-01. Days of one key are mostly few or close together, so the first
/// sixty-four days from a multiple of sixty-four stand in place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Days {
    word: i32,
    bits: u64,
    /// Further words in ascending order, none of them empty; all behind `word`.
    more: Vec<(i32, u64)>,
}

impl Days {
    /// The set of one day.
    pub fn one(day: i32) -> Days {
        Days { word: day.div_euclid(64), bits: 1 << day.rem_euclid(64), more: Vec::new() }
    }

    /// Adds the days of another set.
    ///
    /// ```
    /// use calproof::facts::days::Days;
    /// let mut days = Days::one(100);
    /// days.merge(&Days::one(15_000));
    /// days.merge(&Days::one(3));
    /// assert_eq!(days.iter().collect::<Vec<_>>(), [3, 100, 15_000]);
    /// ```
    pub fn merge(&mut self, other: &Days) {
        other.words().for_each(|(word, bits)| self.add(word, bits));
    }

    /// Adds the days of one word.
    fn add(&mut self, word: i32, bits: u64) {
        if self.bits == 0 || word == self.word {
            (self.word, self.bits) = (word, self.bits | bits);
        } else if word < self.word {
            self.more.insert(0, (self.word, self.bits));
            (self.word, self.bits) = (word, bits);
        } else {
            match self.more.binary_search_by_key(&word, |(word, _)| *word) {
                Ok(at) => self.more[at].1 |= bits,
                Err(at) => self.more.insert(at, (word, bits)),
            }
        }
    }

    fn words(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        std::iter::once((self.word, self.bits))
            .filter(|w| w.1 != 0)
            .chain(self.more.iter().copied())
    }

    /// The days in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.words().flat_map(|(word, mut bits)| {
            std::iter::from_fn(move || {
                (bits != 0).then(|| {
                    let day = word * 64 + bits.trailing_zeros() as i32;
                    bits &= bits - 1;
                    day
                })
            })
        })
    }

    /// Whether the two sets share a day.
    pub fn meets(&self, other: &Days) -> bool {
        self.words().any(|(word, bits)| other.words().any(|(w, b)| w == word && b & bits != 0))
    }

    /// Whether every day of this set is in the other.
    pub fn within(&self, other: &Days) -> bool {
        self.words().all(|(word, bits)| {
            bits & !other.words().find(|(w, _)| *w == word).map_or(0, |(_, b)| b) == 0
        })
    }

    /// Whether the day is in the set.
    pub fn has(&self, day: i32) -> bool {
        self.meets(&Days::one(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_of_days_is_a_set(one in prop::collection::btree_set(-200i32..20_000, 0..40), other in prop::collection::btree_set(0i32..300, 0..40)) {
            let of = |days: &BTreeSet<i32>| days.iter().rev().fold(Days::default(), |mut set, day| { set.merge(&Days::one(*day)); set });
            let mut both = of(&one);
            both.merge(&of(&other));
            prop_assert!(both.iter().eq(one.union(&other).copied()));
            prop_assert_eq!(of(&one).meets(&of(&other)), one.intersection(&other).next().is_some());
            prop_assert_eq!(of(&one).within(&of(&other)), one.is_subset(&other));
        }
    }
}
