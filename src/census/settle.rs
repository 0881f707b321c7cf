//! What becomes of each fact in the end: by its own fate, or by the standing of its person.

use calproof_parsers::Outcome;

use super::fate::{Fate, rule};
use super::seen::{Seen, Table};
use super::sensitivity::Reading;
use super::standing::{Standing, is_use};
use crate::facts::usage::Used;
use crate::identity::PersonId;
use crate::rules::Product;

/// What becomes of a fact in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Settled {
    /// A use that counts.
    Counted,
    /// A computer's own.
    Machine,
    /// Left out by a rule.
    Excluded(&'static str),
    /// Left out by the user's n-th statement.
    Declared(usize),
    /// Settled by no rule.
    Unresolved(&'static str),
    /// A failed logon of somebody who counts: a number under that person.
    Failed,
    /// Adds nothing: another fact of the same person says more.
    Nothing,
}

/// Settles a fact by its own fate, or by the standing of its person.
pub(super) fn settle(
    s: &Seen<'_>,
    standings: &Table<Standing>,
    counts: &impl Fn(PersonId, Product) -> bool,
    counted: &[bool],
    vouched: &impl Fn(&Used) -> bool,
    reading: &Reading,
) -> Settled {
    let person = match (s.fate, s.person) {
        (Fate::Person, Some(person)) => person,
        (Fate::Excluded(rule), _) => return Settled::Excluded(rule),
        (Fate::Declared(n), _) => return Settled::Declared(n),
        (Fate::Unresolved(reason), _) => return Settled::Unresolved(reason),
        (Fate::Machine | Fate::Person, _) => return Settled::Machine,
    };
    let outcome = s.used.key.outcome;
    if outcome == Outcome::Failed && counted[person as usize] {
        return Settled::Failed;
    }
    match *standings.get(person, s.product) {
        Standing::FailedOnly => Settled::Excluded(rule::FAILED_LOGON),
        Standing::NeverServed if outcome == Outcome::Refused => match reading.never_served_counts {
            true => Settled::Counted,
            false => Settled::Excluded(rule::NEVER_SERVED),
        },
        _ if !is_use(outcome) => Settled::Nothing,
        Standing::ThinUse if !reading.thin_use_counts => Settled::Unresolved("thin-use"),
        Standing::ProbeLike => Settled::Unresolved("probe-like"),
        Standing::Vouched => Settled::Unresolved("asserted-by-unlisted-server"),
        // Whoever counts by other rows: this use is open all the same.
        _ if outcome == Outcome::Asserted && !vouched(s.used) => {
            Settled::Unresolved("asserted-by-unlisted-server")
        }
        _ if counts(person, s.product) => Settled::Counted,
        Standing::Served => Settled::Excluded(rule::ADMINISTRATION),
        _ => Settled::Nothing,
    }
}
