//! What stands beside the counted people: accounts that act for others or seem to be shared, and
//! mailboxes that sent mail.

use serde::Serialize;

use super::{Row, row};
use crate::census::Census;
use crate::report::day_text;

#[derive(Serialize)]
pub(super) struct Multiplexer<'c> {
    account: &'c str,
    stated: bool,
    people: &'c [String],
    unresolved: &'c [String],
    excluded: &'c [String],
    events: u64,
    witness: Row<'c>,
}

#[derive(Serialize)]
pub(super) struct SuspectedShared<'c> {
    account: &'c str,
    devices: u64,
    kind: &'static str,
    day: String,
    witness: Row<'c>,
}

#[derive(Serialize)]
pub(super) struct Corroborated<'c> {
    mailbox: &'c str,
    server: &'c str,
    person: Option<&'c str>,
    events: u64,
    witness: Row<'c>,
}

pub(super) fn multiplexers(census: &Census) -> Vec<Multiplexer<'_>> {
    census
        .multiplexers
        .iter()
        .map(|m| Multiplexer {
            account: &m.account,
            stated: m.stated,
            people: &m.people,
            unresolved: &m.unresolved,
            excluded: &m.excluded,
            events: m.events,
            witness: row(census, &m.witness),
        })
        .collect()
}

pub(super) fn suspected_shared(census: &Census) -> Vec<SuspectedShared<'_>> {
    census
        .suspected_shared
        .iter()
        .map(|s| SuspectedShared {
            account: &s.account,
            devices: s.devices,
            kind: s.kind,
            day: day_text(s.day),
            witness: row(census, &s.witness),
        })
        .collect()
}

pub(super) fn corroborated(census: &Census) -> Vec<Corroborated<'_>> {
    census
        .corroborated
        .iter()
        .map(|c| Corroborated {
            mailbox: &c.mailbox,
            server: &c.server,
            person: c.person.as_deref(),
            events: c.events,
            witness: row(census, &c.witness),
        })
        .collect()
}
