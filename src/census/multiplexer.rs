//! Accounts that act for people, and whom they act for.
//!
//! "Multiplexing does not reduce the number of Microsoft licenses required" (VL 2014): behind a
//! stated service account demand counts whoever is provably a person; everybody else, and whoever
//! stands behind an account that nobody states, is in the upper end. See `counting.md` section 3.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::Marks;

use super::Multiplexer;
use super::fate::{Bench, Fate, rule};
use super::ledger::Ledger;
use super::requirement::Upper;
use super::seen::Seen;
use super::standing::is_use;
use crate::facts::Key;
use crate::facts::names::Name;
use crate::identity::{FormId, PersonId};
use crate::rules::Product;

/// Why an identity behind an account is not settled.
const REASON: &str = "behind-multiplexer";

/// Whom the principal of a fact acted for; nobody where it acted for itself, or was not let.
pub(super) fn acted_for(key: &Key) -> Name {
    let acts = key.marks.has(Marks::IMPERSONATION) && is_use(key.outcome);
    if acts { key.acted_for } else { Name::NONE }
}

/// What is known of those who may stand behind an account.
pub(super) struct Judge<'a> {
    pub(super) bench: &'a Bench<'a>,
    /// Stated service accounts.
    pub(super) service: &'a BTreeSet<PersonId>,
    /// People who count for themselves.
    pub(super) counted: &'a [bool],
    /// Whether the directory knows an identity, and as a person.
    pub(super) is_person: &'a dyn Fn(FormId, PersonId) -> bool,
}

/// A counted use that an account made for somebody.
pub(super) struct Acted {
    /// Index of the fact.
    pub(super) seen: usize,
    /// Whom the account acted for.
    pub(super) person: PersonId,
    /// Under which name.
    pub(super) form: FormId,
    /// Whether it counts for the product itself, or only for the Windows base CAL.
    pub(super) own: bool,
}

/// Everybody behind an account.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) rows: Vec<Acted>,
    pub(super) multiplexers: Vec<Multiplexer>,
}

#[derive(Default)]
struct Tally {
    people: BTreeSet<String>,
    unresolved: BTreeSet<String>,
    excluded: BTreeSet<String>,
    facts: Vec<usize>,
}

/// Finds whoever stands behind an account; what does not count goes to the ledger and to upper.
///
/// An account that a row rule takes out as a server's own repeats what a front end has seen: it is
/// no multiplexer. One that the user left out still hides people: they are in the upper end.
pub(super) fn behind(
    seen: &[Seen<'_>],
    judge: &Judge<'_>,
    ledger: &mut Ledger<'_>,
    upper: &mut Upper,
) -> Behind {
    let Bench { people, config, .. } = judge.bench;
    let mut behind = Behind::default();
    let mut tallies: BTreeMap<PersonId, Tally> = BTreeMap::new();
    for (i, s) in seen.iter().enumerate() {
        let (Some(account), Some(form)) = (s.person, s.acted_for) else { continue };
        let person = people.of(form);
        if !matches!(s.fate, Fate::Person | Fate::Declared(_)) || person == account {
            continue;
        }
        let firm = s.fate == Fate::Person && judge.service.contains(&account);
        let id = people.ids[person as usize].as_str();
        // The marks are about the account.
        let key = Key { marks: Marks::NONE, ..s.used.key };
        let fate = judge.bench.somebody(&key, (form, person), s.product, s.place);
        let counts = judge.counted[person as usize];
        let provable = firm && (counts || (judge.is_person)(form, person));
        let by = || format!("behind {}", people.ids[account as usize]);
        let tally = tallies.entry(account).or_default();
        tally.facts.push(i);
        let mut exclude = |rule, reason| {
            tally.excluded.insert(id.to_owned());
            ledger.exclude(id, rule, reason, s.place, s.product, &s.used.seen);
        };
        match fate {
            Fate::Excluded(left_out) => {
                exclude(left_out, by());
                // An external user whom the product does not count still needs the Windows base CAL.
                let external =
                    matches!(left_out, rule::EXTERNAL_CONNECTOR | rule::EXTERNAL_LICENSED);
                if external && provable && s.product != Product::Windows {
                    behind.rows.push(Acted { seen: i, person, form, own: false });
                }
            }
            Fate::Declared(n) => {
                exclude(rule::DECLARED, config.excludes[n].reason.clone());
                upper.add(s.product, person, rule::DECLARED);
            }
            Fate::Person if provable => {
                tally.people.insert(id.to_owned());
                behind.rows.push(Acted { seen: i, person, form, own: true });
            }
            Fate::Person if counts => {
                // Perhaps a mailbox that somebody else opened: its owner needs a CAL all the same.
                tally.people.insert(id.to_owned());
            }
            Fate::Person | Fate::Machine | Fate::Unresolved(_) => {
                tally.unresolved.insert(id.to_owned());
                ledger.leave_open(id, REASON, s.place, &s.used.seen);
                upper.add(s.product, person, REASON);
            }
        }
    }
    for (account, tally) in tallies {
        let facts = || tally.facts.iter().map(|i| seen[*i].used.seen);
        let Some(witness) = facts().map(|seen| seen.first).min() else { continue };
        behind.multiplexers.push(Multiplexer {
            account: people.ids[account as usize].clone(),
            stated: judge.service.contains(&account),
            events: facts().map(|seen| seen.events).sum(),
            witness,
            people: tally.people.into_iter().collect(),
            unresolved: tally.unresolved.into_iter().collect(),
            excluded: tally.excluded.into_iter().collect(),
        });
    }
    behind
}
