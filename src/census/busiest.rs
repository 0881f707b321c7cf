//! Per-server licensing, which is history: how many sessions a server can have held at once.
//!
//! "Per Server" counted simultaneous connections (S-BL, S-SRV); it went with Windows Server 2012. Web
//! logs show no sessions, but a session is of one person on one device: there were never more at once
//! than pairs of both on the busiest day.

use std::collections::BTreeMap;

use super::BusiestDay;
use super::device::DeviceId;
use super::requirement::Row;
use crate::facts::days::Days;
use crate::identity::PersonId;

/// The earliest UTC day with the most pairs of a counted person and a device, by place. Rows that show
/// no device make a pair only on days on which the person shows none at that server.
pub(super) fn busiest(rows: &[Row<'_>]) -> BTreeMap<usize, BusiestDay> {
    let mut pairs: BTreeMap<(usize, PersonId), BTreeMap<Option<DeviceId>, Days>> = BTreeMap::new();
    // What an account did for somebody was no session of theirs.
    for row in rows.iter().filter(|row| row.through.is_none()) {
        let devices = pairs.entry((row.place, row.person)).or_default();
        devices.entry(row.device).or_default().merge(&row.used.days);
    }
    let mut by_day: BTreeMap<usize, BTreeMap<i32, u64>> = BTreeMap::new();
    for ((place, _), devices) in &pairs {
        let days = by_day.entry(*place).or_default();
        for (device, seen) in devices {
            let shown = |day: &i32| devices.iter().any(|(d, days)| d.is_some() && days.has(*day));
            for day in seen.iter().filter(|day| device.is_some() || !shown(day)) {
                *days.entry(day).or_default() += 1;
            }
        }
    }
    by_day
        .into_iter()
        .filter_map(|(place, days)| {
            let (day, pairs) = days.into_iter().rev().max_by_key(|(_, pairs)| *pairs)?;
            Some((place, BusiestDay { day, pairs }))
        })
        .collect()
}
