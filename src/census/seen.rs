//! Facts with everything that is known of each by itself.

use std::collections::BTreeSet;

use calproof_parsers::{Client, Outcome};
use rayon::prelude::*;

use super::device::{DeviceId, Origin};
use super::fate::{Fate, product_of};
use super::place::Places;
use crate::facts::DeviceKind;
use crate::facts::usage::Used;
use crate::identity::{FormId, People, PersonId};
use crate::rules::Product;

/// A fact with everything that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) used: &'a Used,
    pub(super) place: usize,
    pub(super) product: Product,
    pub(super) form: Option<FormId>,
    pub(super) person: Option<PersonId>,
    pub(super) device: Option<DeviceId>,
    /// Whether it came from the address of a listed server.
    pub(super) from_server: bool,
    /// Whom the principal acted for.
    pub(super) acted_for: Option<FormId>,
    pub(super) fate: Fate,
}

/// Finds out what is known of each fact but its fate: `forms` and `others` are the names of its
/// principal and of whom that acted for, `origins` what it came from.
pub(super) fn see<'a>(
    facts: &'a [Used],
    (forms, others): (&[Option<FormId>], &[Option<FormId>]),
    origins: &[Origin],
    places: &Places,
    people: &People,
) -> Vec<Seen<'a>> {
    let one = |used: &'a Used, form: Option<FormId>, acted_for, from: &Origin| {
        let place = places.of[used.key.server as usize];
        let own =
            used.key.device.kind == DeviceKind::Address && used.key.client == Client::Loopback;
        Seen {
            used,
            place,
            product: product_of(&used.key, places.list[place].product),
            form,
            person: form.map(|f| people.of(f)),
            device: from.device.filter(|_| !own),
            from_server: from.server,
            acted_for,
            fate: Fate::Person,
        }
    };
    let known = facts.par_iter().zip(forms).zip(others).zip(origins);
    let known = known.map(|(((used, form), other), from)| one(used, *form, *other, from));
    let mut seen: Vec<Seen<'a>> = known.collect();
    drop_answered(&mut seen);
    seen
}

/// Command rows of POP3 and IMAP4 prove a use only where the logon they follow is not in the logs.
fn drop_answered(seen: &mut Vec<Seen<'_>>) {
    let session = |s: &Seen<'_>| (s.person, s.device, s.place, s.used.key.service);
    let continued = |s: &Seen<'_>| s.used.key.outcome == Outcome::Continued;
    let sessions: BTreeSet<_> = seen.iter().filter(|s| continued(s)).map(session).collect();
    if sessions.is_empty() {
        return;
    }
    let logons: BTreeSet<_> = seen
        .iter()
        .filter(|s| s.used.key.outcome == Outcome::Served)
        .map(session)
        .filter(|logon| sessions.contains(logon))
        .collect();
    seen.retain(|s| !(continued(s) && logons.contains(&session(s))));
}

/// A value for every person and product.
pub(super) struct Table<T>(Vec<T>);

impl<T: Clone> Table<T> {
    /// The same value everywhere.
    pub(super) fn new(people: usize, value: T) -> Table<T> {
        Table(vec![value; people * Product::ALL.len()])
    }

    /// The value of a person and product.
    pub(super) fn get(&self, person: PersonId, product: Product) -> &T {
        &self.0[slot(person, product)]
    }

    /// Changes the value of a person and product.
    pub(super) fn set(&mut self, person: PersonId, product: Product, value: T) {
        self.0[slot(person, product)] = value;
    }
}

fn slot(person: PersonId, product: Product) -> usize {
    person as usize * Product::ALL.len() + product as usize
}

/// Facts by person and product, those of each in their old order.
pub(super) struct ByPerson<'s, 'a>(Vec<(PersonId, &'s Seen<'a>)>);

impl<'s, 'a> ByPerson<'s, 'a> {
    /// The facts that belong and name a person.
    pub(super) fn new(
        seen: &'s [Seen<'a>],
        people: &People,
        belongs: impl Fn(&Seen<'a>) -> bool,
    ) -> ByPerson<'s, 'a> {
        // Counted first, so that each finds its place at once.
        let of_person = |s: &'s Seen<'a>| s.person.filter(|_| belongs(s)).map(|p| (p, s));
        let mut starts = vec![0_usize; people.len() * Product::ALL.len() + 1];
        let mut any = None;
        for (person, s) in seen.iter().filter_map(of_person) {
            starts[slot(person, s.product) + 1] += 1;
            any = Some((person, s));
        }
        let Some(any) = any else { return ByPerson(Vec::new()) };
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut sorted = vec![any; starts[starts.len() - 1]];
        for (person, s) in seen.iter().filter_map(of_person) {
            let place = &mut starts[slot(person, s.product)];
            sorted[*place] = (person, s);
            *place += 1;
        }
        ByPerson(sorted)
    }

    /// The facts of each person and product, in the order of both.
    pub(super) fn iter(
        &self,
    ) -> impl Iterator<Item = (PersonId, Product, impl Iterator<Item = &'s Seen<'a>> + Clone)> {
        let groups = self.0.chunk_by(|a, b| (a.0, a.1.product) == (b.0, b.1.product));
        groups.map(|group| (group[0].0, group[0].1.product, group.iter().map(|(_, s)| *s)))
    }
}
