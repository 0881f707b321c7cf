//! Who is exempt for only administering: `counting.md` section 3, rule `administration`.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::Marks;

use super::seen::{ByPerson, Table};
use super::standing::{Administrator, Standing, exempt, is_use};
use crate::config::Admins;
use crate::identity::{People, PersonId};
use crate::rules::Product;

/// Who is exempt as an administrator, by product.
pub(super) fn administrators(
    by_person: &ByPerson<'_, '_>,
    standings: &Table<Standing>,
    people: &People,
    reading: Admins,
) -> BTreeSet<(PersonId, Product)> {
    let mut candidates: BTreeMap<Product, Vec<Administrator<(&str, PersonId)>>> = BTreeMap::new();
    for (person, product, facts) in by_person.iter() {
        let used = facts.filter(|s| is_use(s.used.key.outcome));
        let only = used.clone().all(|s| s.used.key.marks.has(Marks::ADMINISTRATIVE));
        if *standings.get(person, product) != Standing::Served || !only {
            continue;
        }
        let mut events: BTreeMap<usize, u64> = BTreeMap::new();
        for s in used {
            let scope = if reading == Admins::TwoPerServer { s.place } else { 0 };
            *events.entry(scope).or_default() += s.used.seen.events;
        }
        let who = (people.ids[person as usize].as_str(), person);
        let list = candidates.entry(product).or_default();
        list.extend(events.into_iter().map(|(scope, events)| Administrator {
            person: who,
            scope,
            events,
        }));
    }
    if reading == Admins::Two {
        let all: Vec<_> = candidates.values().flatten().cloned().collect();
        let granted: BTreeSet<_> = exempt(all, reading).into_iter().collect();
        let of = |(product, list): (&Product, &Vec<Administrator<(&str, PersonId)>>)| {
            let product = *product;
            list.iter()
                .map(|a| a.person)
                .filter(|p| granted.contains(p))
                .map(move |p| (p.1, product))
                .collect::<Vec<_>>()
        };
        return candidates.iter().flat_map(of).collect();
    }
    candidates
        .into_iter()
        .flat_map(|(product, list)| exempt(list, reading).into_iter().map(move |p| (p.1, product)))
        .collect()
}
