//! People with the same local part: perhaps one.
//!
//! `counting.md` section 4, probable aliases.

use std::collections::BTreeSet;

use super::ProbableAliases;
use crate::identity::{Identities, People, PersonId};

/// People by the local part of their canonical id, where several have the same.
pub(super) struct Namesakes<'a> {
    people: &'a People,
    identities: &'a Identities,
    /// Sorted.
    groups: Vec<(&'a str, Vec<PersonId>)>,
}

/// People who share a local part and may be fewer than their names.
pub(super) struct Same<'a> {
    pub(super) local_part: &'a str,
    /// Ascending.
    pub(super) people: Vec<PersonId>,
    /// How many people they are at least; less than there are names.
    pub(super) at_least: u64,
}

impl<'a> Namesakes<'a> {
    pub(super) fn new(people: &'a People, identities: &'a Identities) -> Namesakes<'a> {
        let local_part = |person: &PersonId| {
            let forms = people.forms[*person as usize].iter().map(|f| identities.get(*f));
            forms.min_by_key(|f| f.rank()).map(|form| form.local.as_str())
        };
        let mut all: Vec<(&str, PersonId)> =
            (0..people.len() as PersonId).filter_map(|p| Some((local_part(&p)?, p))).collect();
        all.sort_unstable();
        let groups = all.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
        let groups = groups.map(|group| (group[0].0, group.iter().map(|(_, p)| *p).collect()));
        Namesakes { people, identities, groups: groups.collect() }
    }

    /// Those who may be fewer among the people that `counts` tells, by local part.
    pub(super) fn among(
        &self,
        counts: impl Fn(PersonId) -> bool,
    ) -> impl Iterator<Item = Same<'_>> {
        self.groups.iter().filter_map(move |(local_part, all)| {
            let people: Vec<PersonId> = all.iter().copied().filter(|p| counts(*p)).collect();
            if people.len() < 2 {
                return None;
            }
            let at_least = self.at_least(local_part, &people);
            (at_least < people.len() as u64).then_some(Same { local_part, people, at_least })
        })
    }

    /// People of one local part are at least as many as there are distinct NetBIOS domains, distinct
    /// realms, or people of the directory among them, and at least one.
    fn at_least(&self, local_part: &str, people: &[PersonId]) -> u64 {
        let mut domains: BTreeSet<String> = BTreeSet::new();
        let mut realms: BTreeSet<String> = BTreeSet::new();
        let mut directory: BTreeSet<u32> = BTreeSet::new();
        for person in people {
            let forms = self.people.forms[*person as usize].iter().map(|f| self.identities.get(*f));
            // Whom the directory tells apart are no aliases of each other.
            directory.extend(forms.clone().filter_map(|f| f.directory));
            for form in forms.filter(|f| f.local == local_part) {
                let (domain, realm) = self.identities.domain_and_realm(form);
                domains.extend(domain);
                realms.extend(realm);
            }
        }
        domains.len().max(realms.len()).max(directory.len()).max(1) as u64
    }

    /// Those who may be fewer among the people that are counted, by id.
    pub(super) fn probable_aliases(
        &self,
        counts: impl Fn(PersonId) -> bool,
    ) -> Vec<ProbableAliases> {
        let told = |same: Same<'_>| ProbableAliases {
            local_part: same.local_part.to_owned(),
            ids: same.people.iter().map(|p| self.people.ids[*p as usize].clone()).collect(),
            at_least: same.at_least,
        };
        self.among(counts).map(told).collect()
    }
}
