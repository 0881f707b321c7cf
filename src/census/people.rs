//! The counted people and the use of each server, as the report lists them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::busiest::busiest;
use super::device::{DeviceId, Devices};
use super::nobody::Machine;
use super::place::{Place, Places};
use super::requirement::{Row, by_person};
use super::{Person, ServerUse, ServiceUse};
use crate::facts::Witness;
use crate::identity::directory::Recognised;
use crate::identity::principal::Kind;
use crate::identity::{FormId, Identities, People, PersonId};
use crate::rules::{Cal, Product};

/// Use per server; never CAL demand. Rows stand person by person.
pub(super) fn servers(
    rows: &[Row<'_>],
    machines: &BTreeMap<DeviceId, Machine>,
    places: &Places,
    devices: &Devices,
) -> Vec<ServerUse> {
    let mut by_place: Vec<Vec<&Row<'_>>> = places.list.iter().map(|_| Vec::new()).collect();
    rows.iter().for_each(|row| by_place[row.place].push(row));
    let server = |(i, (place, rows)): (usize, (&Place, Vec<&Row<'_>>))| {
        let of_machines = machines.iter().filter(|(_, machine)| machine.places.contains(&i));
        let of_machines = of_machines.map(|(device, _)| *device);
        let from = sorted(rows.iter().filter_map(|row| row.device).chain(of_machines));
        let identified = from.iter().filter(|d| devices.get(**d).identified).count() as u64;
        ServerUse {
            server: place.name.clone(),
            listed: place.listed.is_some(),
            product: place.product,
            version: place.product.and_then(|p| place.version(p)).map(|v| v.as_str().to_owned()),
            users: by_person(&rows).count() as u64,
            devices_identified: identified,
            devices_unidentified: from.len() as u64 - identified,
            services: services(&rows),
            busiest: busiest(&rows),
        }
    };
    places.list.iter().zip(by_place).enumerate().map(server).collect()
}

/// The use of each service by rows that stand person by person.
fn services(rows: &[&Row<'_>]) -> Vec<ServiceUse> {
    let mut found: Vec<(ServiceUse, PersonId)> = Vec::new();
    for row in rows {
        let service = row.used.key.service.as_str();
        let at = found.iter().position(|(known, _)| known.service == service);
        let at = at.unwrap_or_else(|| {
            found.push((ServiceUse { service, users: 1, events: 0 }, row.person));
            found.len() - 1
        });
        let (known, last) = &mut found[at];
        known.users += u64::from(*last != row.person);
        *last = row.person;
        // What an account did for somebody is its own event.
        known.events += if row.through.is_none() { row.used.seen.events } else { 0 };
    }
    found.sort_by_key(|(known, _)| known.service);
    found.into_iter().map(|(known, _)| known).collect()
}

/// The counted people, with the names that any fact shows them under. Rows stand person by person.
pub(super) fn persons(
    rows: &[Row<'_>],
    failed_of: &BTreeMap<PersonId, u64>,
    people: &People,
    identities: &Identities,
    places: &Places,
    known: Option<&Recognised>,
) -> Vec<Person> {
    let mut joins: BTreeMap<PersonId, Vec<(String, String, String)>> = BTreeMap::new();
    for join in identities.joins() {
        let text = |f| identities.get(f).text.clone();
        joins.entry(people.of(join.one)).or_default().push((
            text(join.one),
            text(join.other),
            join.reason.clone(),
        ));
    }
    let of_each: Vec<&[Row<'_>]> = rows.chunk_by(|a, b| a.person == b.person).collect();
    of_each
        .into_par_iter()
        .filter(|rows| rows.iter().any(|r| r.own || r.product != Product::Windows))
        .map(|rows| {
            let person = rows[0].person;
            let own = || rows.iter().filter(|r| r.own);
            let forms = &people.forms[person as usize];
            // A SID or a distinguished name joins names; it is none itself where there is another.
            let is_name = |f: &&FormId| identities.get(**f).kind != Kind::Other;
            let named = forms.iter().any(|f| is_name(&f));
            let names = forms.iter().filter(|f| !named || is_name(f));
            let names = sorted(names.flat_map(|f| &identities.get(*f).spelled));
            let cals = own().flat_map(|r| r.cals.iter().map(|c| (r.product, c)));
            let mut joins = joins.get(&person).cloned().unwrap_or_default();
            joins.sort();
            joins.dedup();
            let witness = rows.iter().map(|r| r.used.seen.first).min();
            let last = rows.iter().map(|r| r.used.seen.last.instant).max();
            let witness = witness.unwrap_or(Witness { instant: 0, input: 0, byte: 0, line: 0 });
            Person {
                id: people.ids[person as usize].clone(),
                names: names.into_iter().cloned().collect(),
                joins,
                products: sorted(own().map(|r| r.product).chain([Product::Windows])),
                servers: sorted(rows.iter().map(|r| r.place))
                    .iter()
                    .map(|place| places.list[*place].name.clone())
                    .collect(),
                services: sorted(
                    sorted(rows.iter().map(|r| r.used.key.service)).iter().map(|s| s.as_str()),
                ),
                devices: sorted(rows.iter().filter_map(|r| r.device)).len() as u64,
                events: rows.iter().map(|r| r.used.seen.events).sum(),
                failed_events: failed_of.get(&person).copied().unwrap_or(0),
                first: witness.instant,
                last: last.unwrap_or(witness.instant),
                witness,
                cals: sorted(cals.chain([(Product::Windows, Cal::Standard)])),
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
    let mut list: Vec<T> = items.collect();
    list.sort_unstable();
    list.dedup();
    list
}
