//! Which days the logs cover: server × format × day.
//!
//! A day is complete when no run of more than [`LONGEST_GAP`] hours passes without a row, midnight
//! to midnight. A quiet small server may fall short of that without a row being lost; the state says
//! what the logs show, not why.

use std::collections::BTreeMap;

use super::place::Places;
use super::{Coverage, DayState};
use crate::facts::Hours;
use crate::facts::usage::{Period, Usage};

/// Hours without a row that a complete day may have at a stretch.
pub const LONGEST_GAP: u32 = 6;

/// The coverage of every server by every format, from the first day to the last that any of its logs
/// has.
pub(super) fn coverage(usage: &Usage, places: &Places, period: &Period) -> Vec<Coverage> {
    // Hours with rows that show who was there; none where every row of the day is blind.
    let mut hours: BTreeMap<(usize, &'static str), BTreeMap<i32, Hours>> = BTreeMap::new();
    for (active, seen) in &usage.active {
        if period.has(active.day) {
            let days = hours.entry((places.of[active.server as usize], active.format)).or_default();
            *days.entry(active.day).or_default() |= if active.blind { 0 } else { *seen };
        }
    }
    // Of each server from its first day to its last in any format.
    let mut spans: BTreeMap<usize, (i32, i32)> = BTreeMap::new();
    for ((server, _), days) in &hours {
        for day in days.keys() {
            let span = spans.entry(*server).or_insert((*day, *day));
            *span = (span.0.min(*day), span.1.max(*day));
        }
    }
    hours
        .into_iter()
        .map(|((server, format), days)| Coverage {
            server: places.list[server].name.clone(),
            format,
            days: (spans[&server].0..=spans[&server].1)
                .map(|day| match days.get(&day) {
                    None => (day, DayState::Absent),
                    Some(0) => (day, DayState::Blind),
                    Some(seen) if longest_gap(*seen) <= LONGEST_GAP => (day, DayState::Complete),
                    Some(_) => (day, DayState::Partial),
                })
                .collect(),
        })
        .collect()
}

fn longest_gap(hours: Hours) -> u32 {
    let mut longest = 0;
    let mut run = 0;
    for hour in 0..24 {
        run = if hours >> hour & 1 == 1 { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_from_midnight_to_midnight() {
        assert_eq!(longest_gap(0xFF_FFFF), 0);
        assert_eq!(longest_gap(0), 24);
        assert_eq!(longest_gap(1 << 12), 12);
        assert_eq!(longest_gap(1 | 1 << 7 | 1 << 14 | 1 << 23), 8);
    }
}
