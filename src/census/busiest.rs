//! Per-server licensing, which is history: how many sessions a server can have held at once.
//!
//! "Per Server" counted simultaneous connections (S-BL, S-SRV); it went with Windows Server 2012. Web
//! logs show no sessions, but a session is of one person on one device: there were never more at once
//! than pairs of both on the busiest day.

use std::collections::BTreeMap;

use super::BusiestDay;
use super::requirement::{Row, by_person, days_of};

/// The earliest UTC day with the most pairs of a counted person and a device among the rows of one
/// server, which stand person by person. Rows that show no device make a pair only on days on which
/// the person shows none at that server.
pub(super) fn busiest(rows: &[&Row<'_>]) -> Option<BusiestDay> {
    // What an account did for somebody was no session of theirs.
    let mut rows: Vec<&Row<'_>> = rows.iter().copied().filter(|r| r.through.is_none()).collect();
    rows.sort_by_key(|row| (row.person, row.device));
    let mut by_day: BTreeMap<i32, u64> = BTreeMap::new();
    for rows in by_person(&rows) {
        let (without, with) = rows.split_at(rows.partition_point(|row| row.device.is_none()));
        for rows in with.chunk_by(|a, b| a.device == b.device) {
            for day in days_of(rows.iter().copied()).iter() {
                *by_day.entry(day).or_default() += 1;
            }
        }
        if !without.is_empty() {
            let shown = days_of(with.iter().copied());
            for day in days_of(without.iter().copied()).iter().filter(|day| !shown.has(*day)) {
                *by_day.entry(day).or_default() += 1;
            }
        }
    }
    let (day, pairs) = by_day.into_iter().rev().max_by_key(|(_, pairs)| *pairs)?;
    Some(BusiestDay { day, pairs })
}
