//! The hours of an input in the order of its rows: where the clock went back.

/// How many times of one input are kept.
pub const KEPT: usize = 8;
/// One hour back may be a few rows out of order at the full hour, or the end of summer time.
const MARGIN: i64 = 1;

/// Where the clock of a log went back, by hours since 1970-01-01T00:00Z.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Clock {
    first: Option<i64>,
    last: Option<i64>,
    /// The first times: from which hour to which.
    pub back: Vec<(i64, i64)>,
    /// How many there are.
    pub count: u64,
}

impl Clock {
    /// The next row was written in this hour.
    pub fn tick(&mut self, hour: i64) {
        self.first = self.first.or(Some(hour));
        if let Some(last) = self.last.filter(|last| hour < *last - MARGIN) {
            self.count += 1;
            if self.back.len() < KEPT {
                self.back.push((last, hour));
            }
        }
        self.last = Some(hour);
    }

    /// Adds the clock of the next segment of the same input.
    pub fn append(&mut self, next: &Clock) {
        let Some(first) = next.first else { return };
        self.tick(first);
        self.last = next.last;
        self.count += next.count;
        let room = KEPT.saturating_sub(self.back.len());
        self.back.extend(next.back.iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(hours: &[i64]) -> Clock {
        let mut clock = Clock::default();
        hours.iter().for_each(|hour| clock.tick(*hour));
        clock
    }

    #[test]
    fn an_hour_back_is_no_jump_and_two_are() {
        assert_eq!(of(&[5, 6, 5, 6, 9]).count, 0);
        assert_eq!(of(&[5, 6, 4]).back, [(6, 4)]);
    }

    proptest! {
        #[test]
        fn the_cut_does_not_show(
            hours in prop::collection::vec(0_i64..9, 0..60),
            cut in 0_usize..60,
        ) {
            let (one, other) = hours.split_at(cut.min(hours.len()));
            let mut joined = of(one);
            joined.append(&of(other));
            prop_assert_eq!(joined, of(&hours));
        }
    }
}
