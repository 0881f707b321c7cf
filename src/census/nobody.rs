//! Facts that name nobody, and what else stands beside the counted people: what it may hide, whom
//! the user left out, which computers are devices of their own.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::{Marks, Service};
use hashbrown::{HashMap, HashSet};

use super::device::{DeviceId, Devices, Known};
use super::fate::{Fate, rule};
use super::ledger::Ledger;
use super::requirement::Upper;
use super::seen::{ByPerson, Seen};
use super::standing::{Standing, is_use, standing};
use crate::facts::days::Days;
use crate::facts::names::Name;
use crate::facts::usage::{Usage, Used};
use crate::facts::{DeviceKind, Witness};
use crate::identity::{People, PersonId, decode};
use crate::rules::Product;

/// What nobody did, and what that may hide.
pub(super) fn nobody(
    seen: &[Seen<'_>],
    usage: &Usage,
    people: &People,
    counted: &[bool],
    ledger: &mut Ledger<'_>,
    upper: &mut Upper,
) {
    let of_counted = |s: &&Seen<'_>| {
        s.used.key.device.kind == DeviceKind::Address
            && s.person.is_some_and(|p| counted[p as usize])
            && s.fate == Fate::Person
            && is_use(s.used.key.outcome)
    };
    // By product: Windows has those of all.
    let addresses: LazyCell<HashSet<(Product, Name)>, _> = LazyCell::new(|| {
        let counted = seen.iter().filter(of_counted);
        let of = |s: &Seen<'_>| [s.product, Product::Windows].map(|p| (p, s.used.key.device.id));
        counted.flat_map(of).collect()
    });
    let front_ends: LazyCell<BTreeSet<Service>, _> = LazyCell::new(|| {
        let used = seen.iter().map(|s| &s.used.key).filter(|key| is_use(key.outcome));
        used.filter(|key| !key.marks.has(Marks::BACK_END)).map(|key| key.service).collect()
    });
    for s in seen {
        let key = &s.used.key;
        let id = s.person.map(|p| people.ids[p as usize].as_str());
        match s.fate {
            Fate::Person | Fate::Machine | Fate::Excluded(_) | Fate::Declared(_) => {}
            Fate::Unresolved(reason) => {
                let text = |name| decode(usage.names.get(name), None);
                let (what, adds) = match (reason, id) {
                    ("back-end-anonymous", _) => {
                        (text(key.acted_for), !front_ends.contains(&key.service))
                    }
                    ("guest", Some(id)) => (id.to_owned(), true),
                    _ => (text(key.device.id), true),
                };
                let adds = adds && !what.is_empty();
                let what = if what.is_empty() { "-".to_owned() } else { what };
                ledger.leave_open(&what, reason, s.place, &s.used.seen);
                for product in [s.product, Product::Windows] {
                    let taken = reason != "guest" && addresses.contains(&(product, key.device.id));
                    if adds && !taken {
                        // Each address, mailbox or guest once, whatever the doubts about it.
                        upper.add_unknown(product, &what, reason);
                    }
                }
            }
        }
    }
}

/// People whom the user left out, with the products that would count them.
pub(super) fn declared_people(
    seen: &[Seen<'_>],
    people: &People,
    vouched: &impl Fn(&Used) -> bool,
    upper: &mut Upper,
) -> BTreeSet<(PersonId, Product)> {
    let mut declared = BTreeSet::new();
    let by_person = ByPerson::new(seen, people, |s| matches!(s.fate, Fate::Declared(_)));
    for (person, product, facts) in by_person.iter() {
        let stands = standing(facts.map(|s| s.used), false, vouched);
        if matches!(stands, Standing::Served | Standing::Asserted) {
            declared.insert((person, product));
        }
        if !matches!(stands, Standing::FailedOnly | Standing::Nothing) {
            upper.add(product, person, rule::DECLARED);
        }
    }
    declared
}

/// A computer that is no listed server and that nobody was seen to sit at.
pub(super) struct Machine {
    /// Products that it reached, and Windows.
    pub(super) products: BTreeSet<Product>,
    /// Servers that it reached.
    pub(super) places: BTreeSet<usize>,
    /// The least row.
    pub(super) witness: Witness,
}

/// The device that each computer is that is no listed server, by its account.
pub(super) fn computers(
    seen: &[Seen<'_>],
    people: &People,
    devices: &mut Devices,
) -> BTreeMap<PersonId, DeviceId> {
    let machines = seen.iter().filter(|s| s.fate == Fate::Machine).filter_map(|s| s.person);
    let named = |person: PersonId| {
        let label = format!("machine:{}", people.ids[person as usize]);
        (person, devices.named(Known { label, identified: true }))
    };
    machines.collect::<BTreeSet<_>>().into_iter().map(named).collect()
}

/// Computers that are no listed server, except where a counted person was served at the same address
/// on each of their days: devices of their own.
pub(super) fn machines(
    seen: &[Seen<'_>],
    device_of: &BTreeMap<PersonId, DeviceId>,
    counted: &[bool],
) -> BTreeMap<DeviceId, Machine> {
    let from_address = |s: &&Seen<'_>| s.used.key.device.kind == DeviceKind::Address;
    // The days on which counted people were served at the addresses of machines.
    let mut occupied: HashMap<Name, Days> = seen
        .iter()
        .filter(|s| s.fate == Fate::Machine && from_address(s))
        .map(|s| (s.used.key.device.id, Days::default()))
        .collect();
    let by_somebody = seen.iter().filter(|s| {
        s.fate == Fate::Person
            && is_use(s.used.key.outcome)
            && s.person.is_some_and(|p| counted[p as usize])
            && from_address(s)
    });
    for s in by_somebody.filter(|_| !device_of.is_empty()) {
        if let Some(days) = occupied.get_mut(&s.used.key.device.id) {
            days.merge(&s.used.days);
        }
    }
    let mut machines: BTreeMap<DeviceId, Machine> = BTreeMap::new();
    for s in seen.iter().filter(|s| s.fate == Fate::Machine) {
        let Some(person) = s.person else { continue };
        let theirs = from_address(&s)
            && occupied.get(&s.used.key.device.id).is_some_and(|days| s.used.days.within(days));
        if theirs {
            continue;
        }
        let machine = machines.entry(device_of[&person]).or_insert_with(|| Machine {
            products: BTreeSet::from([Product::Windows]),
            places: BTreeSet::new(),
            witness: s.used.seen.first,
        });
        machine.products.insert(s.product);
        machine.places.insert(s.place);
        machine.witness = machine.witness.min(s.used.seen.first);
    }
    machines
}
