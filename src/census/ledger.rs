//! The exclusion ledger: everybody who is left out, by rule, and what no rule settles.

use std::collections::BTreeMap;

use super::place::Places;
use super::{Excluded, Unresolved};
use crate::facts::Sightings;
use crate::rules::Product;

/// The exclusion ledger and what it leaves open.
pub(super) struct Ledger<'a> {
    places: &'a Places,
    excluded: BTreeMap<(String, &'static str), Excluded>,
    unresolved: BTreeMap<(String, &'static str), Unresolved>,
}

impl<'a> Ledger<'a> {
    /// Nobody is left out yet.
    pub(super) fn new(places: &'a Places) -> Ledger<'a> {
        Ledger { places, excluded: BTreeMap::new(), unresolved: BTreeMap::new() }
    }

    pub(super) fn exclude(
        &mut self,
        principal: &str,
        rule: &'static str,
        reason: String,
        place: usize,
        product: Product,
        seen: &Sightings,
    ) {
        let server = &self.places.list[place].name;
        let entry = self.excluded.entry((principal.to_owned(), rule)).or_insert_with(|| Excluded {
            principal: principal.to_owned(),
            rule,
            reason,
            servers: Vec::new(),
            products: Vec::new(),
            events: 0,
            witness: seen.first,
        });
        insert(&mut entry.servers, server);
        insert(&mut entry.products, &product);
        entry.events += seen.events;
        entry.witness = entry.witness.min(seen.first);
    }

    pub(super) fn leave_open(
        &mut self,
        what: &str,
        reason: &'static str,
        place: usize,
        seen: &Sightings,
    ) {
        let server = &self.places.list[place].name;
        let entry =
            self.unresolved.entry((what.to_owned(), reason)).or_insert_with(|| Unresolved {
                what: what.to_owned(),
                reason,
                servers: Vec::new(),
                events: 0,
                witness: seen.first,
            });
        insert(&mut entry.servers, server);
        entry.events += seen.events;
        entry.witness = entry.witness.min(seen.first);
    }

    pub(super) fn entries(self) -> (Vec<Excluded>, Vec<Unresolved>) {
        (self.excluded.into_values().collect(), self.unresolved.into_values().collect())
    }
}

/// Inserts into a sorted list what is not in it.
fn insert<T: Clone + Ord>(list: &mut Vec<T>, item: &T) {
    if let Err(at) = list.binary_search(item) {
        list.insert(at, item.clone());
    }
}
