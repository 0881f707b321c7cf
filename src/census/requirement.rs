//! What must be licensed: one row per (product, CAL), as an interval, a mix and a peak.
//!
//! `counting.md` sections 4 (probable aliases), 5 and 6.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::device::{ByLabel, DeviceId, Devices};
use super::namesakes::Namesakes;
use super::nobody::Machine;
use super::packs::Cals;
use super::{Interval, Mix, Pair, Reassignment, Requirement, suspected};
use crate::cover::{Edge, Graph, least_count};
use crate::facts::Witness;
use crate::facts::days::Days;
use crate::facts::names::Name;
use crate::facts::usage::Used;
use crate::identity::{FormId, Identities, People, PersonId};
use crate::rules::{Cal, Product, Version};

/// A counted use: a person reached a server's service, on some days, perhaps from a device.
pub(super) struct Row<'a> {
    pub(super) person: PersonId,
    /// Under which name.
    pub(super) form: FormId,
    pub(super) place: usize,
    pub(super) product: Product,
    /// Whether it counts for the product itself, or only for the Windows base CAL.
    pub(super) own: bool,
    /// The server's version of the product.
    pub(super) version: Option<Version>,
    /// The server's version of Windows.
    pub(super) windows: Option<Version>,
    pub(super) device: Option<DeviceId>,
    pub(super) used: &'a Used,
    /// The account that acted for the person, where it was not the person's own.
    pub(super) through: Option<PersonId>,
    /// CALs that the use requires under its rule pack.
    pub(super) cals: Cals,
}

/// What is in the upper end only, by product; each unit once, however often it was seen. With the reason
/// that was found first.
#[derive(Default)]
pub(super) struct Upper {
    people: BTreeMap<(Product, PersonId), &'static str>,
    /// Addresses, mailboxes, guests, …
    unknown: BTreeMap<Product, BTreeMap<String, &'static str>>,
}

impl Upper {
    /// Adds a person to a product and to Windows, whose CAL is needed as well.
    pub(super) fn add(&mut self, product: Product, person: PersonId, reason: &'static str) {
        for product in [product, Product::Windows] {
            self.people.entry((product, person)).or_insert(reason);
        }
    }

    /// Adds to one product what may be a person.
    pub(super) fn add_unknown(&mut self, product: Product, what: &str, reason: &'static str) {
        let units = self.unknown.entry(product).or_default();
        if !units.contains_key(what) {
            units.insert(what.to_owned(), reason);
        }
    }

    fn products(&self) -> impl Iterator<Item = Product> {
        self.people.keys().map(|(product, _)| *product).chain(self.unknown.keys().copied())
    }

    /// The units of a product, as (name, reason), without people who count anyway.
    fn units<'a>(
        &'a self,
        product: Product,
        people: &'a People,
        counts: impl Fn(PersonId) -> bool,
    ) -> impl Iterator<Item = (&'a str, &'static str)> {
        let of_product = self.people.range((product, 0)..=(product, PersonId::MAX));
        let of_product = of_product.filter(move |((_, person), _)| !counts(*person));
        let names = of_product.map(|((_, p), reason)| (people.ids[*p as usize].as_str(), *reason));
        let unknown = self.unknown.get(&product).into_iter().flatten();
        names.chain(unknown.map(|(what, reason)| (what.as_str(), *reason)))
    }
}

/// Everything that requirements are made from.
pub(super) struct Basis<'a> {
    /// Person by person.
    pub(super) rows: &'a [Row<'a>],
    /// Declared shared accounts.
    pub(super) shared: &'a BTreeSet<PersonId>,
    /// Stated service accounts.
    pub(super) service: &'a BTreeSet<PersonId>,
    /// Machine accounts that are devices of their own.
    pub(super) machines: &'a BTreeMap<DeviceId, Machine>,
    /// People who count only because a listed server vouches for them.
    pub(super) asserted: &'a BTreeSet<(PersonId, Product)>,
    /// People whom the user left out, by the product that would count them.
    pub(super) declared: &'a BTreeSet<(PersonId, Product)>,
    pub(super) upper: &'a Upper,
    pub(super) people: &'a People,
    /// Names of one local part.
    pub(super) identities: &'a Identities,
    pub(super) namesakes: &'a Namesakes,
    pub(super) devices: &'a Devices,
    /// Whether the accesses that a mix covers are kept.
    pub(super) keep_pairs: bool,
}

/// The rows of the report: Standard of every product that was used, additive CALs where the use
/// requires them, and always Windows.
pub(super) fn requirements(basis: &Basis<'_>) -> Vec<Requirement> {
    let mut wanted: BTreeSet<(Product, Cal)> = BTreeSet::from([(Product::Windows, Cal::Standard)]);
    for row in basis.rows.iter().filter(|r| r.own) {
        wanted.extend(row.cals.iter().map(|cal| (row.product, cal)));
    }
    wanted.extend(basis.upper.products().map(|product| (product, Cal::Standard)));
    wanted.extend(basis.machines.values().flat_map(|m| &m.products).map(|p| (*p, Cal::Standard)));
    let wanted: Vec<(Product, Cal)> = wanted.into_iter().collect();
    wanted.into_par_iter().map(|(product, cal)| requirement(basis, product, cal)).collect()
}

/// The rows that need a CAL: those of its product that require it; for Windows, all.
pub(super) fn rows_of<'a>(basis: &Basis<'a>, product: Product, cal: Cal) -> Vec<&'a Row<'a>> {
    let needs = |r: &&Row<'_>| match product {
        Product::Windows => true,
        _ => r.own && r.product == product && r.cals.has(cal),
    };
    basis.rows.iter().filter(needs).collect()
}

/// The machine accounts that need a CAL as devices, each with its least row.
pub(super) fn machines_of(
    basis: &Basis<'_>,
    product: Product,
    cal: Cal,
) -> BTreeMap<DeviceId, Witness> {
    basis
        .machines
        .iter()
        .filter(|(_, m)| cal == Cal::Standard && m.products.contains(&product))
        .map(|(device, m)| (*device, m.witness))
        .collect()
}

fn requirement(basis: &Basis<'_>, product: Product, cal: Cal) -> Requirement {
    let windows = product == Product::Windows;
    let rows = rows_of(basis, product, cal);
    let users: Vec<PersonId> = by_person(&rows).map(|rows| rows[0].person).collect();
    let shared: BTreeSet<PersonId> =
        users.iter().filter(|p| basis.shared.contains(p)).copied().collect();
    let machines = machines_of(basis, product, cal);

    let edges = edges(&rows);
    // By label, so that the numbering does not hang on the order of reading.
    let devices = edges.iter().filter_map(|e| e.end.device()).chain(machines.keys().copied());
    let devices = basis.devices.by_label(devices);
    let identified = devices.list.iter().filter(|d| basis.devices.get(**d).identified);
    let identified = identified.count() as u64;
    let from_unidentified = edges
        .chunk_by(|a, b| a.person == b.person)
        .filter(|edges| edges.iter().any(|e| !e.end.licensable(basis.devices)))
        .count() as u64;
    let shared_devices: BTreeSet<DeviceId> = edges
        .iter()
        .filter(|e| shared.contains(&e.person) && e.end.licensable(basis.devices))
        .filter_map(|e| e.end.device())
        .collect();

    let (interval, lower_without, upper_with) = interval(basis, &rows, &users, product, cal);
    let declared: BTreeSet<PersonId> = basis
        .declared
        .iter()
        .filter(|(p, of)| (windows || *of == product) && users.binary_search(p).is_err())
        .map(|(p, _)| *p)
        .collect();
    let mut by_version: BTreeMap<Option<Version>, u64> = BTreeMap::new();
    for rows in by_person(&rows) {
        let highest = rows.iter().map(|r| if windows { r.windows } else { r.version }).max();
        *by_version.entry(highest.flatten()).or_default() += 1;
    }
    let word = |version: &Option<Version>| version.map_or("unknown", |v| v.as_str()).to_owned();
    Requirement {
        product,
        cal,
        version: by_version.keys().flatten().max().map(|v| v.as_str().to_owned()),
        by_version: by_version.iter().map(|(version, people)| (word(version), *people)).collect(),
        users: interval,
        demand_without_declared: (!declared.is_empty())
            .then(|| (users.len() + declared.len()) as u64),
        shared_accounts: shared.len() as u64,
        shared_devices: shared_devices.len() as u64,
        machine_devices: machines.len() as u64,
        devices_identified: identified,
        devices_unidentified: devices.list.len() as u64 - identified,
        device_cals_suffice: from_unidentified == 0,
        people_from_unidentified: from_unidentified,
        mix: mix(&edges, &machines, &devices, &shared, basis),
        reassignment: reassignment(&rows),
        lower_without,
        upper_with,
    }
}

/// The rows of each person; rows stand person by person.
pub(super) fn by_person<'r, 'a>(
    rows: &'r [&'a Row<'a>],
) -> impl Iterator<Item = &'r [&'a Row<'a>]> {
    rows.chunk_by(|a, b| a.person == b.person)
}

/// The days of all of some rows.
pub(super) fn days_of<'a>(rows: impl Iterator<Item = &'a Row<'a>>) -> Days {
    let mut days = Days::default();
    rows.for_each(|row| days.merge(&row.used.days));
    days
}

/// The other end of an access.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum End {
    /// A device.
    Device(DeviceId),
    /// No device evidence on a day without any other: an end of the person's own.
    Nothing,
}

impl End {
    pub(super) fn device(self) -> Option<DeviceId> {
        match self {
            End::Device(device) => Some(device),
            End::Nothing => None,
        }
    }

    pub(super) fn licensable(self, devices: &Devices) -> bool {
        self.device().is_some_and(|d| devices.get(d).identified)
    }
}

/// An access, by its least row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Reached {
    pub(super) person: PersonId,
    pub(super) end: End,
    pub(super) witness: Witness,
}

/// The accesses as edges, each once, sorted.
pub(super) fn edges(rows: &[&Row<'_>]) -> Vec<Reached> {
    let mut edges = Vec::with_capacity(rows.len());
    for rows in by_person(rows) {
        let first = edges.len();
        // Looked at where a row shows none.
        let with_device =
            LazyCell::new(|| days_of(rows.iter().copied().filter(|r| r.device.is_some())));
        edges.extend(rows.iter().filter_map(|row| {
            let end = match row.device {
                Some(device) => End::Device(device),
                None if row.used.days.within(&with_device) => return None,
                None => End::Nothing,
            };
            Some(Reached { person: row.person, end, witness: row.used.seen.first })
        }));
        edges[first..].sort_unstable();
    }
    // The least row of each stays.
    edges.dedup_by_key(|e| (e.person, e.end));
    edges
}

/// The least mix of user and device CALs; `ends` are the devices of the accesses.
fn mix(
    edges: &[Reached],
    machines: &BTreeMap<DeviceId, Witness>,
    ends: &ByLabel,
    shared: &BTreeSet<PersonId>,
    basis: &Basis<'_>,
) -> Mix {
    let people: Vec<PersonId> =
        edges.chunk_by(|a, b| a.person == b.person).map(|edges| edges[0].person).collect();
    let nothing = ends.list.len() as u32;
    let mut users: Vec<bool> = people.iter().map(|p| !shared.contains(p)).collect();
    users.resize(people.len() + machines.len(), false);
    let mut devices: Vec<bool> =
        ends.list.iter().map(|d| basis.devices.get(*d).identified).collect();
    devices.push(false);
    let mut accesses: Vec<(Edge, Witness)> = Vec::with_capacity(edges.len() + machines.len());
    for (user, edges) in (0..).zip(edges.chunk_by(|a, b| a.person == b.person)) {
        let first = accesses.len();
        accesses.extend(edges.iter().map(|e| {
            let device = e.end.device().map_or(nothing, |d| ends.place(d));
            (Edge { user, device }, e.witness)
        }));
        accesses[first..].sort_unstable();
    }
    for (user, (device, witness)) in (people.len() as u32..).zip(machines) {
        accesses.push((Edge { user, device: ends.place(*device) }, *witness));
    }
    let graph = Graph::new(users, devices, accesses.iter().map(|(edge, _)| *edge).collect())
        .expect("every index above is taken from the lists it points into");
    let least = least_count(&graph);
    let person_name = |user: u32| match people.get(user as usize) {
        Some(person) => basis.people.ids[*person as usize].clone(),
        None => "-".to_owned(),
    };
    let device_name = |device: u32| match ends.list.get(device as usize) {
        Some(device) => basis.devices.get(*device).label.clone(),
        None => "-".to_owned(),
    };
    let mut covered_users: Vec<String> = least.users.iter().map(|u| person_name(*u)).collect();
    let mut covered_devices: Vec<String> = least.devices.iter().map(|d| device_name(*d)).collect();
    // A shared account that came from nowhere identified still needs one CAL.
    let mut open: BTreeSet<u32> =
        least.uncoverable.iter().map(|e| graph.edges()[*e as usize].user).collect();
    if !open.is_empty() {
        let reached =
            graph.edges().iter().filter(|e| least.devices.binary_search(&e.device).is_ok());
        reached.for_each(|e| _ = open.remove(&e.user));
    }
    let mut without_device: Vec<String> = open.iter().map(|u| person_name(*u)).collect();
    without_device.sort();
    covered_devices.extend(without_device.iter().map(|person| format!("a device of {person}")));
    covered_users.sort();
    covered_devices.sort();
    let proof = least.matching.iter().chain(&least.uncoverable).map(|e| {
        let (edge, witness) = accesses[*e as usize];
        (person_name(edge.user), device_name(edge.device), witness)
    });
    let mut pairs: Vec<Pair> = Vec::new();
    if basis.keep_pairs {
        let proves: BTreeSet<u32> = least.matching.iter().copied().collect();
        pairs.extend((0..).zip(&accesses).map(|(i, (edge, witness))| Pair {
            person: person_name(edge.user),
            person_licensable: graph.users()[edge.user as usize],
            device: device_name(edge.device),
            device_licensable: graph.devices()[edge.device as usize],
            witness: *witness,
            proves: proves.contains(&i),
        }));
        pairs.sort();
    }
    Mix {
        user_cals: covered_users.len() as u64,
        device_cals: covered_devices.len() as u64,
        users: covered_users,
        devices: covered_devices,
        proof: proof.collect(),
        without_device,
        pairs,
    }
}

type Named = (String, String);

/// The interval and the names behind its ends; `users` are those of the rows, ascending.
fn interval(
    basis: &Basis<'_>,
    rows: &[&Row<'_>],
    users: &[PersonId],
    product: Product,
    cal: Cal,
) -> (Interval, Vec<Named>, Vec<(String, String, u64)>) {
    let id = |p: PersonId| basis.people.ids[p as usize].clone();
    let counts = |p: PersonId| users.binary_search(&p).is_ok();
    // Lower: without those whom only another server vouches for, and probable aliases as one.
    let proved = |row: &&Row<'_>| !basis.asserted.contains(&(row.person, row.product));
    let by_asserted: BTreeSet<PersonId> = by_person(rows)
        .filter(|rows| !rows.iter().any(proved))
        .map(|rows| rows[0].person)
        .collect();
    let mut lower = (users.len() - by_asserted.len()) as u64;
    let mut without: Vec<Named> =
        by_asserted.iter().map(|p| (id(*p), "asserted".to_owned())).collect();
    let sure = |p: PersonId| counts(p) && !by_asserted.contains(&p);
    for same in basis.namesakes.among((basis.people, basis.identities), sure) {
        lower -= same.people.len() as u64 - same.at_least;
        let reason = || format!("probable alias: {}", same.local_part);
        without.extend(same.people.iter().map(|p| (id(*p), reason())));
    }
    // Upper: configured unions undone, and everything that is unresolved.
    let mut with: Vec<(String, String, u64)> = Vec::new();
    for rows in by_person(rows) {
        let person = rows[0].person;
        if basis.shared.contains(&person) {
            // Every distinct unidentified address may be another person.
            let unidentified =
                rows.iter().filter(|r| r.device.is_some_and(|d| !basis.devices.get(d).identified));
            let addresses: BTreeSet<Name> = unidentified.map(|r| r.used.key.device.id).collect();
            if addresses.len() > 1 {
                let reason = "shared account, one per address".to_owned();
                with.push((id(person), reason, addresses.len() as u64 - 1));
            }
            continue;
        }
        let strict = |row: &Row<'_>| basis.people.strict_of[row.form as usize];
        if rows.iter().any(|r| strict(r) != strict(rows[0])) {
            let forms: BTreeSet<FormId> = rows.iter().map(|r| strict(r)).collect();
            let reason = "its names counted apart".to_owned();
            with.push((id(person), reason, forms.len() as u64 - 1));
        }
    }
    let more = suspected::more_people(basis, rows);
    with.extend(more.into_iter().map(|(p, n)| (id(p), suspected::REASON.to_owned(), n)));
    if cal == Cal::Standard {
        let units = basis.upper.units(product, basis.people, counts);
        with.extend(units.map(|(name, reason)| (name.to_owned(), reason.to_owned(), 1)));
    }
    with.sort();
    without.sort();
    let demand = users.len() as u64;
    let upper = demand + with.iter().map(|(_, _, n)| n).sum::<u64>();
    (Interval { lower, demand, upper }, without, with)
}

/// Most distinct people in any 90 consecutive days, and the earliest such window that begins no
/// earlier than the first day of use.
fn reassignment(rows: &[&Row<'_>]) -> Reassignment {
    const WINDOW: i32 = 90;
    let first = rows.iter().filter_map(|row| row.used.days.iter().next()).min();
    let Some(first) = first else { return Reassignment::default() };
    // A person with a use on day d is in every window that starts on d-89..=d.
    let mut changes: BTreeMap<i32, i64> = BTreeMap::new();
    let mut distinct = 0;
    for rows in by_person(rows) {
        distinct += 1;
        let mut open: Option<(i32, i32)> = None;
        for day in days_of(rows.iter().copied()).iter() {
            let (start, end) = ((day - WINDOW + 1).max(first), day);
            open = match open {
                Some((s, e)) if start <= e + 1 => Some((s, end)),
                Some((s, e)) => {
                    *changes.entry(s).or_default() += 1;
                    *changes.entry(e + 1).or_default() -= 1;
                    Some((start, end))
                }
                None => Some((start, end)),
            };
        }
        if let Some((s, e)) = open {
            *changes.entry(s).or_default() += 1;
            *changes.entry(e + 1).or_default() -= 1;
        }
    }
    let mut now = 0;
    let mut peak = (0, first);
    for (day, change) in changes {
        now += change;
        if now > peak.0 {
            peak = (now, day);
        }
    }
    Reassignment {
        distinct,
        peak_90_days: peak.0 as u64,
        window: Some((peak.1, peak.1 + WINDOW - 1)),
        floor: (peak.0 as u64).div_ceil(2),
    }
}
