//! How one person stands with one product: the rules that look at everything a person did there.
//!
//! `counting.md` section 3, from `failed-logon` to `administration`, and what stays unresolved.

use calproof_parsers::{Client, Marks, Outcome, Service};

use crate::config::Admins;
use crate::facts::usage::Used;

/// How a person stands with a product.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Was served: counts.
    Served,
    /// Only other listed servers vouch for it: counts in demand, not in lower.
    Asserted,
    /// Only a server that is not listed vouches for it: unresolved.
    Vouched,
    /// Only Autodiscover: unresolved.
    ThinUse,
    /// Only by probe agents or from the server itself: unresolved.
    ProbeLike,
    /// Authenticated and always turned away.
    NeverServed,
    /// No credentials were ever accepted.
    FailedOnly,
    /// Nothing that counts either way.
    Nothing,
}

/// The standing of a person from the facts that the row rules left of it, all of one product.
///
/// `served_anywhere` says whether the person was served by any product in the period: a mere logon
/// adds nothing then. `vouched` says whether a listed server vouches for an asserted fact.
pub(super) fn standing<'a>(
    facts: impl Iterator<Item = &'a Used> + Clone,
    served_anywhere: bool,
    vouched: &impl Fn(&Used) -> bool,
) -> Standing {
    let used = |f: &&Used| is_use(f.key.outcome);
    let served = facts.clone().filter(used);
    if served.clone().next().is_none() {
        let refused = facts.clone().any(|f| {
            f.key.outcome == Outcome::Refused
                && !(served_anywhere && f.key.marks.has(Marks::LOGON_ONLY))
        });
        let failed = facts.clone().any(|f| f.key.outcome == Outcome::Failed);
        return match (refused, failed) {
            (true, _) => Standing::NeverServed,
            (false, true) => Standing::FailedOnly,
            (false, false) => Standing::Nothing,
        };
    }
    // The client of a back end is the front end, on a server of both roles the server itself.
    let from_itself =
        |f: &Used| f.key.client == Client::Loopback && !f.key.marks.has(Marks::BACK_END);
    let probe_like = |f: &Used| f.key.marks.has(Marks::PROBE_AGENT) || from_itself(f);
    if served.clone().all(probe_like) {
        return Standing::ProbeLike;
    }
    if served.clone().all(|f| f.key.service == Service::Autodiscover) {
        return Standing::ThinUse;
    }
    if served.clone().any(|f| f.key.outcome != Outcome::Asserted) {
        return Standing::Served;
    }
    if served.clone().any(vouched) { Standing::Asserted } else { Standing::Vouched }
}

/// Whether an outcome is a use of the service.
pub(super) fn is_use(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Served | Outcome::Asserted | Outcome::Continued)
}

/// Somebody whose every use of a product administers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Administrator<P> {
    /// Who.
    pub(super) person: P,
    /// The product or server that is administered.
    pub(super) scope: usize,
    /// Administrative events there.
    pub(super) events: u64,
}

/// Which administrators are exempt: the two with the most events of each scope, ties in the order of
/// the persons. S-CAL: "Up to two devices or users to access your instances of the server software
/// only to administer those instances".
///
/// With [`Admins::TwoPerServer`] the scope is a server, and somebody is exempt who is so on every
/// server that he or she administers.
pub(super) fn exempt<P: Clone + Ord>(
    mut candidates: Vec<Administrator<P>>,
    reading: Admins,
) -> Vec<P> {
    candidates.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.person.cmp(&b.person)));
    let mut taken: Vec<(usize, u32)> = Vec::new();
    let mut granted = Vec::new();
    let mut denied = Vec::new();
    for candidate in candidates {
        let scope = if reading == Admins::Two { 0 } else { candidate.scope };
        let at = taken.iter().position(|(s, _)| *s == scope).unwrap_or_else(|| {
            taken.push((scope, 0));
            taken.len() - 1
        });
        let known = reading != Admins::TwoPerProduct && granted.contains(&candidate.person);
        if reading == Admins::Two && known {
            continue;
        }
        if taken[at].1 < 2 {
            taken[at].1 += 1;
            granted.push(candidate.person);
        } else {
            denied.push(candidate.person);
        }
    }
    if reading == Admins::TwoPerServer {
        granted.retain(|p| !denied.contains(p));
    }
    granted.sort();
    granted.dedup();
    granted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Administrator<&'static str>> {
        [("c", 0, 2), ("a", 0, 9), ("b", 0, 2), ("d", 1, 1)]
            .map(|(person, scope, events)| Administrator { person, scope, events })
            .to_vec()
    }

    #[test]
    fn the_two_with_the_most_events_are_exempt_and_ties_go_by_name() {
        assert_eq!(exempt(candidates(), Admins::TwoPerProduct), ["a", "b", "d"]);
        assert_eq!(exempt(candidates(), Admins::Two), ["a", "b"]);
        let mut two_servers = candidates();
        two_servers.push(Administrator { person: "c", scope: 1, events: 50 });
        assert_eq!(exempt(two_servers, Admins::TwoPerServer), ["a", "b", "d"]);
    }
}
