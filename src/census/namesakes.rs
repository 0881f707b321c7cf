//! People with the same local part: perhaps one.
//!
//! `counting.md` section 4, probable aliases.

use std::collections::BTreeSet;

use super::ProbableAliases;
use crate::identity::{Identities, People, PersonId};

/// People by the local part of their canonical id, where several have the same.
pub(super) struct Namesakes {
    /// Sorted.
    groups: Vec<(String, Vec<PersonId>)>,
}

/// People who share a local part and may be fewer than their names.
pub(super) struct Same<'a> {
    pub(super) local_part: &'a str,
    /// Ascending.
    pub(super) people: Vec<PersonId>,
    /// How many people they are at least; less than there are names.
    pub(super) at_least: u64,
}

impl Namesakes {
    pub(super) fn new(people: &People, identities: &Identities) -> Namesakes {
        let local_part = |person: &PersonId| {
            let forms = people.forms[*person as usize].iter().map(|f| identities.get(*f));
            forms.min_by_key(|f| f.rank()).map(|form| form.local.as_str())
        };
        let mut all: Vec<(&str, PersonId)> =
            (0..people.len() as PersonId).filter_map(|p| Some((local_part(&p)?, p))).collect();
        all.sort_unstable();
        let groups = all.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
        let people = |group: &[(&str, PersonId)]| group.iter().map(|(_, p)| *p).collect();
        Namesakes { groups: groups.map(|g| (g[0].0.to_owned(), people(g))).collect() }
    }

    /// Those who may be fewer among the people that `counts` tells, by local part.
    pub(super) fn among(
        &self,
        (people, identities): (&People, &Identities),
        counts: impl Fn(PersonId) -> bool,
    ) -> impl Iterator<Item = Same<'_>> {
        self.groups.iter().filter_map(move |(local_part, all)| {
            let same: Vec<PersonId> = all.iter().copied().filter(|p| counts(*p)).collect();
            if same.len() < 2 {
                return None;
            }
            let at_least = at_least(local_part, &same, people, identities);
            (at_least < same.len() as u64).then_some(Same { local_part, people: same, at_least })
        })
    }

    /// Those who may be fewer among the people that are counted, by id.
    pub(super) fn probable_aliases(
        &self,
        (people, identities): (&People, &Identities),
        counts: impl Fn(PersonId) -> bool,
    ) -> Vec<ProbableAliases> {
        let told = |same: Same<'_>| ProbableAliases {
            local_part: same.local_part.to_owned(),
            ids: same.people.iter().map(|p| people.ids[*p as usize].clone()).collect(),
            at_least: same.at_least,
        };
        self.among((people, identities), counts).map(told).collect()
    }
}

/// People of one local part are at least as many as there are distinct NetBIOS domains, distinct
/// realms, or people of the directory among them, and at least one.
fn at_least(local_part: &str, same: &[PersonId], people: &People, identities: &Identities) -> u64 {
    let mut domains: BTreeSet<String> = BTreeSet::new();
    let mut realms: BTreeSet<String> = BTreeSet::new();
    let mut directory: BTreeSet<u32> = BTreeSet::new();
    for person in same {
        let forms = people.forms[*person as usize].iter().map(|f| identities.get(*f));
        // Whom the directory tells apart are no aliases of each other.
        directory.extend(forms.clone().filter_map(|f| f.directory));
        for form in forms.filter(|f| f.local == local_part) {
            let (domain, realm) = identities.domain_and_realm(form);
            domains.extend(domain);
            realms.extend(realm);
        }
    }
    domains.len().max(realms.len()).max(directory.len()).max(1) as u64
}
