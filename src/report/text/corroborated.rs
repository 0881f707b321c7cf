//! Mailboxes that sent mail, beside the people.

use std::collections::BTreeMap;
use std::io;

use super::page::{Column, Page};
use super::words::{counted, number};
use super::{NAME, SERVER, more};
use crate::census::Census;
use crate::report::escape::shortened;

/// How many mailboxes are listed.
const MAILBOXES: usize = 10;

/// Mailboxes that submitted mail: those of nobody who is counted one by one, the others in a line.
pub(super) fn corroborated(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.corroborated.is_empty() {
        return Ok(());
    }
    page.heading("SENT MAIL", "by message tracking: beside the people, never counted by itself")?;
    // By mailbox: the person, and the servers with their submissions.
    let mut mailboxes: BTreeMap<&str, (Option<&str>, Vec<&str>, u64)> = BTreeMap::new();
    for entry in &census.corroborated {
        let (person, servers, events) = mailboxes.entry(&entry.mailbox).or_default();
        *person = person.or(entry.person.as_deref());
        servers.push(&entry.server);
        *events += entry.events;
    }
    let of_counted = mailboxes.values().filter(|(person, ..)| person.is_some()).count();
    let rows: Vec<Vec<String>> = mailboxes
        .iter()
        .filter(|(_, (person, ..))| person.is_none())
        .take(MAILBOXES)
        .map(|(mailbox, (_, servers, events))| {
            let servers: Vec<String> = servers.iter().map(|s| shortened(s, SERVER)).collect();
            vec![shortened(mailbox, NAME), number(*events), servers.join(", ")]
        })
        .collect();
    if !rows.is_empty() {
        page.paragraph(
            2,
            "Of no counted person; a shared mailbox, a name that is joined with none, or somebody whose logs \
             are missing:",
        )?;
        let columns =
            [Column::Left("mailbox"), Column::Right("submissions"), Column::Left("servers")];
        page.table(4, &columns, &rows)?;
        more(mailboxes.len() - of_counted, MAILBOXES, "mailbox", "mailboxes", page)?;
    }
    let text = match of_counted as u64 {
        0 => "No mailbox that submitted mail is known to be that of a counted person.".to_owned(),
        n => format!("{} of counted people submitted mail.", counted(n, "mailbox", "mailboxes")),
    };
    page.paragraph(2, &text)
}
