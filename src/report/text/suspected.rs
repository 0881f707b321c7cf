//! Accounts that several people seem to share, for a terminal.

use std::io;

use super::page::{Column, Page};
use super::words::number;
use super::{NAME, more};
use crate::census::{Census, SUSPECTED_FROM};
use crate::report::day_text;
use crate::report::escape::shortened;

/// How many accounts are listed.
const ACCOUNTS: usize = 20;

/// Who came from more devices on one day than one person has.
pub(super) fn suspected(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.suspected_shared.is_empty() {
        return Ok(());
    }
    page.heading(
        "SUSPECTED SHARED ACCOUNTS",
        "one person each in demand, in the upper number one per device at once",
    )?;
    let rows: Vec<Vec<String>> = census
        .suspected_shared
        .iter()
        .take(ACCOUNTS)
        .map(|s| {
            let why = format!("{} on {} (UTC)", s.kind, day_text(s.day));
            vec![shortened(&s.account, NAME), number(s.devices), why]
        })
        .collect();
    let columns =
        [Column::Left("account"), Column::Right("devices"), Column::Left("most on a day")];
    page.table(2, &columns, &rows)?;
    more(census.suspected_shared.len(), ACCOUNTS, "account", "accounts", page)?;
    page.paragraph(
        2,
        &format!(
            "From {SUSPECTED_FROM} devices of one kind on one day on. If several people use an account, list it under \
             `shared` in calproof.toml; if one does, nothing is to be done."
        ),
    )
}
