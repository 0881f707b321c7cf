//! An auditor's list beside the count, where one was given.

use serde::Serialize;

use super::instant;
use crate::census;

#[derive(Serialize)]
pub(super) struct Replay<'c> {
    path: &'c str,
    accounts: u64,
    nameless: u64,
    people: u64,
    accounts_of_counted: u64,
    covered_days: u64,
    not_counted: Vec<NotCounted<'c>>,
    not_listed: Vec<NotListed<'c>>,
}

#[derive(Serialize)]
struct NotCounted<'c> {
    account: &'c str,
    person: Option<&'c str>,
    reasons: &'c [String],
    last: Option<String>,
}

#[derive(Serialize)]
struct NotListed<'c> {
    person: &'c str,
    last: String,
}

pub(super) fn replay(replay: &census::Replay) -> Replay<'_> {
    let not_counted = replay.not_counted.iter().map(|n| NotCounted {
        account: &n.account,
        person: n.person.as_deref(),
        reasons: &n.reasons,
        last: n.last.map(instant),
    });
    let not_listed =
        replay.not_listed.iter().map(|(person, last)| NotListed { person, last: instant(*last) });
    Replay {
        path: &replay.path,
        accounts: replay.accounts,
        nameless: replay.nameless,
        people: replay.people,
        accounts_of_counted: replay.accounts_of_counted,
        covered_days: replay.covered_days,
        not_counted: not_counted.collect(),
        not_listed: not_listed.collect(),
    }
}
