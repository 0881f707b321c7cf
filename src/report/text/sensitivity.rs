//! The sensitivity table for a terminal, where it is asked for.

use std::io;

use super::page::{Column, Page};
use super::words::{self, number};
use super::{NAMES, some};
use crate::census::{Census, SensitivityNumbers, SensitivityRow};

/// The numbers under every disputed reading that changes any.
pub(super) fn sensitivity(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let Some((configured, others)) = census.sensitivity.split_first() else { return Ok(()) };
    page.heading("SENSITIVITY", "the numbers under other readings of the rules")?;
    let changed = || others.iter().filter(|row| row.differs);
    let mut rows = Vec::new();
    for row in std::iter::once(configured).chain(changed()) {
        let same = |n: &&SensitivityNumbers| row.differs && configured.requirements.contains(n);
        for (i, n) in row.requirements.iter().filter(|n| !same(n)).enumerate() {
            let dash = || "-".to_owned();
            rows.push(vec![
                if i == 0 { row.title.to_owned() } else { String::new() },
                format!("{} {}", words::product(n.product), words::cal(n.cal)),
                format!("{} - {} - {}", n.users.lower, n.users.demand, n.users.upper),
                number(n.users_only),
                n.devices_only.map_or_else(dash, number),
                n.mix.map_or_else(dash, number),
            ]);
        }
    }
    let columns = [
        Column::Left("reading"),
        Column::Left("CAL"),
        Column::Left("people"),
        Column::Right("users only"),
        Column::Right("devices only"),
        Column::Right("mix"),
    ];
    page.table(2, &columns, &rows)?;
    let idle: Vec<String> = others
        .iter()
        .filter(|row| !row.differs)
        .map(|row: &SensitivityRow| row.title.to_owned())
        .collect();
    if !idle.is_empty() {
        page.paragraph(2, &format!("No difference: {}.", some(&idle, 2 * NAMES)))?;
    }
    page.paragraph(
        2,
        "\"users only\": a user CAL for every person, with device CALs for shared and machine accounts. A dash: not \
         determinable.",
    )
}
