//! The counted people and the use of each server, as the report lists them.

use std::collections::{BTreeMap, BTreeSet};

use super::device::{DeviceId, Devices};
use super::nobody::Machine;
use super::place::Places;
use super::requirement::{self, Row};
use super::{Person, ProbableAliases, ServerUse, ServiceUse, busiest};
use crate::facts::Witness;
use crate::identity::directory::Recognised;
use crate::identity::principal::Kind;
use crate::identity::{FormId, Identities, People, PersonId};
use crate::rules::{Cal, Product};

/// Use per server; never CAL demand.
pub(super) fn servers(
    rows: &[Row<'_>],
    machines: &BTreeMap<DeviceId, Machine>,
    places: &Places,
    devices: &Devices,
) -> Vec<ServerUse> {
    #[derive(Default)]
    struct Tally {
        people: BTreeSet<PersonId>,
        devices: BTreeSet<DeviceId>,
        services: BTreeMap<&'static str, (BTreeSet<PersonId>, u64)>,
    }
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    for row in rows {
        let tally = tallies.entry(row.place).or_default();
        tally.people.insert(row.person);
        tally.devices.extend(row.device);
        let service = tally.services.entry(row.used.key.service.as_str()).or_default();
        service.0.insert(row.person);
        // What an account did for somebody is its own event.
        service.1 += if row.through.is_none() { row.used.seen.events } else { 0 };
    }
    for (device, machine) in machines {
        for place in &machine.places {
            tallies.entry(*place).or_default().devices.insert(*device);
        }
    }
    let busiest = busiest::busiest(rows);
    let empty = Tally::default();
    places
        .list
        .iter()
        .enumerate()
        .map(|(i, place)| {
            let tally = tallies.get(&i).unwrap_or(&empty);
            let identified =
                tally.devices.iter().filter(|d| devices.get(**d).identified).count() as u64;
            ServerUse {
                server: place.name.clone(),
                listed: place.listed.is_some(),
                product: place.product,
                version: place
                    .product
                    .and_then(|p| place.version(p))
                    .map(|v| v.as_str().to_owned()),
                users: tally.people.len() as u64,
                devices_identified: identified,
                devices_unidentified: tally.devices.len() as u64 - identified,
                services: tally
                    .services
                    .iter()
                    .map(|(service, (people, events))| ServiceUse {
                        service,
                        users: people.len() as u64,
                        events: *events,
                    })
                    .collect(),
                busiest: busiest.get(&i).copied(),
            }
        })
        .collect()
}

/// The counted people, with the names that any fact shows them under.
pub(super) fn persons(
    rows: &[Row<'_>],
    failed_of: &BTreeMap<PersonId, u64>,
    people: &People,
    identities: &Identities,
    places: &Places,
    known: Option<&Recognised>,
) -> Vec<Person> {
    let mut by_person: BTreeMap<PersonId, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        by_person.entry(row.person).or_default().push(row);
    }
    let mut joins: BTreeMap<PersonId, Vec<(String, String, String)>> = BTreeMap::new();
    for join in identities.joins() {
        let text = |f| identities.get(f).text.clone();
        joins.entry(people.of(join.one)).or_default().push((
            text(join.one),
            text(join.other),
            join.reason.clone(),
        ));
    }
    by_person
        .into_iter()
        .filter(|(_, rows)| rows.iter().any(|r| r.own || r.product != Product::Windows))
        .map(|(person, rows)| {
            let mut products: BTreeSet<Product> =
                rows.iter().filter(|r| r.own).map(|r| r.product).collect();
            products.insert(Product::Windows);
            let forms = &people.forms[person as usize];
            // A SID or a distinguished name joins names; it is none itself where there is another.
            let is_name = |f: &&FormId| identities.get(**f).kind != Kind::Other;
            let named = forms.iter().any(|f| is_name(&f));
            let names: BTreeSet<String> = forms
                .iter()
                .filter(|f| !named || is_name(f))
                .flat_map(|f| identities.get(*f).spelled.iter().cloned())
                .collect();
            let devices: BTreeSet<DeviceId> = rows.iter().filter_map(|r| r.device).collect();
            let mut cals: BTreeSet<(Product, Cal)> = rows
                .iter()
                .filter(|r| r.own)
                .flat_map(|r| r.cals.iter().map(|c| (r.product, *c)))
                .collect();
            cals.insert((Product::Windows, Cal::Standard));
            let mut joins = joins.remove(&person).unwrap_or_default();
            joins.sort();
            joins.dedup();
            let witness = rows.iter().map(|r| r.used.seen.first).min();
            let last = rows.iter().map(|r| r.used.seen.last.instant).max();
            let witness = witness.unwrap_or(Witness { instant: 0, input: 0, byte: 0, line: 0 });
            Person {
                id: people.ids[person as usize].clone(),
                names: names.into_iter().collect(),
                joins,
                products: products.into_iter().collect(),
                servers: sorted(rows.iter().map(|r| places.list[r.place].name.clone())),
                services: sorted(rows.iter().map(|r| r.used.key.service.as_str())),
                devices: devices.len() as u64,
                events: rows.iter().map(|r| r.used.seen.events).sum(),
                failed_events: failed_of.get(&person).copied().unwrap_or(0),
                first: witness.instant,
                last: last.unwrap_or(witness.instant),
                witness,
                cals: cals.into_iter().collect(),
                known_to_directory: known
                    .map(|known| forms.iter().any(|f| known.known_to_directory(*f))),
                through: sorted(
                    rows.iter().filter_map(|r| r.through).map(|p| people.ids[p as usize].clone()),
                ),
            }
        })
        .collect()
}

pub(super) fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let set: BTreeSet<T> = items.collect();
    set.into_iter().collect()
}

/// People who share a local part in a bare, a NetBIOS and a UPN form: perhaps one.
pub(super) fn probable_aliases(
    people: &People,
    identities: &Identities,
    counted: BTreeSet<PersonId>,
) -> Vec<ProbableAliases> {
    requirement::local_parts(people, identities, &counted)
        .into_iter()
        .filter(|(_, group)| (group.at_least as usize) < group.people.len())
        .map(|(local_part, group)| ProbableAliases {
            local_part,
            ids: group.people.iter().map(|p| people.ids[*p as usize].clone()).collect(),
            at_least: group.at_least,
        })
        .collect()
}
