//! What must be licensed: one row per (product, CAL), as an interval, a mix and a peak.
//!
//! `counting.md` sections 4 (probable aliases), 5 and 6.

use std::collections::{BTreeMap, BTreeSet};

use super::device::{DeviceId, Devices};
use super::nobody::Machine;
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
    pub(super) cals: Vec<Cal>,
}

/// What is in the upper end only, by product; each unit once, however often it was seen.
#[derive(Default)]
pub(super) struct Upper {
    units: BTreeMap<Product, BTreeMap<String, (String, &'static str, u64)>>,
}

impl Upper {
    /// Adds a unit under its key, to its product and to Windows, whose CAL it needs as well.
    pub(super) fn add(&mut self, product: Product, key: String, name: &str, reason: &'static str) {
        for product in [product, Product::Windows] {
            self.add_one(product, key.clone(), name, reason);
        }
    }

    /// Adds a unit under its key to one product.
    pub(super) fn add_one(
        &mut self,
        product: Product,
        key: String,
        name: &str,
        reason: &'static str,
    ) {
        self.units
            .entry(product)
            .or_default()
            .entry(key)
            .or_insert_with(|| (name.to_owned(), reason, 1));
    }
}

/// Everything that requirements are made from.
pub(super) struct Basis<'a> {
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
    pub(super) identities: &'a Identities,
    pub(super) devices: &'a Devices,
    /// Whether the accesses that a mix covers are kept.
    pub(super) keep_pairs: bool,
}

/// The rows of the report: Standard of every product that was used, additive CALs where the use
/// requires them, and always Windows.
pub(super) fn requirements(basis: &Basis<'_>) -> Vec<Requirement> {
    let mut wanted: BTreeSet<(Product, Cal)> = BTreeSet::from([(Product::Windows, Cal::Standard)]);
    for row in basis.rows.iter().filter(|r| r.own) {
        wanted.extend(row.cals.iter().map(|cal| (row.product, *cal)));
    }
    wanted.extend(basis.upper.units.keys().map(|product| (*product, Cal::Standard)));
    wanted.extend(basis.machines.values().flat_map(|m| &m.products).map(|p| (*p, Cal::Standard)));
    wanted.into_iter().map(|(product, cal)| requirement(basis, product, cal)).collect()
}

/// The rows that need a CAL: those of its product that require it; for Windows, all.
pub(super) fn rows_of<'a>(basis: &Basis<'a>, product: Product, cal: Cal) -> Vec<&'a Row<'a>> {
    let needs = |r: &&Row<'_>| match product {
        Product::Windows => true,
        _ => r.own && r.product == product && r.cals.contains(&cal),
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
    let counted: BTreeSet<PersonId> = rows.iter().map(|r| r.person).collect();
    let shared: BTreeSet<PersonId> = counted.intersection(basis.shared).copied().collect();
    let users = counted.clone();
    let machines = machines_of(basis, product, cal);

    let devices: BTreeSet<DeviceId> =
        rows.iter().filter_map(|r| r.device).chain(machines.keys().copied()).collect();
    let identified = devices.iter().filter(|d| basis.devices.get(**d).identified).count() as u64;
    let edges = edges(&rows);
    let from_unidentified: BTreeSet<PersonId> =
        edges.keys().filter(|(_, end)| !end.licensable(basis.devices)).map(|(p, _)| *p).collect();
    let shared_devices: BTreeSet<DeviceId> = edges
        .keys()
        .filter(|(p, end)| shared.contains(p) && end.licensable(basis.devices))
        .filter_map(|(_, end)| end.device())
        .collect();

    let (interval, lower_without, upper_with) = interval(basis, &rows, &users, product, cal);
    let declared: BTreeSet<PersonId> = basis
        .declared
        .iter()
        .filter(|(p, of)| (windows || *of == product) && !counted.contains(p))
        .map(|(p, _)| *p)
        .collect();
    let mut by_person: BTreeMap<PersonId, Option<Version>> = BTreeMap::new();
    for row in &rows {
        let version = if windows { row.windows } else { row.version };
        let highest = by_person.entry(row.person).or_default();
        *highest = version.max(*highest);
    }
    let mut by_version: BTreeMap<String, u64> = BTreeMap::new();
    for (person, version) in &by_person {
        if users.contains(person) {
            let word = version.map_or("unknown", |v| v.as_str());
            *by_version.entry(word.to_owned()).or_default() += 1;
        }
    }
    Requirement {
        product,
        cal,
        version: by_person.values().flatten().max().map(|v| v.as_str().to_owned()),
        by_version,
        users: interval,
        demand_without_declared: (!declared.is_empty())
            .then(|| (users.len() + declared.len()) as u64),
        shared_accounts: shared.len() as u64,
        shared_devices: shared_devices.len() as u64,
        machine_devices: machines.len() as u64,
        devices_identified: identified,
        devices_unidentified: devices.len() as u64 - identified,
        device_cals_suffice: from_unidentified.is_empty(),
        people_from_unidentified: from_unidentified.len() as u64,
        mix: mix(&edges, &machines, &shared, basis),
        reassignment: reassignment(&rows, &users),
        lower_without,
        upper_with,
    }
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

/// The accesses as edges, each with its least row.
pub(super) fn edges(rows: &[&Row<'_>]) -> BTreeMap<(PersonId, End), Witness> {
    let mut with_device: BTreeMap<PersonId, Days> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.device.is_some()) {
        with_device.entry(row.person).or_default().merge(&row.used.days);
    }
    let mut edges: BTreeMap<(PersonId, End), Witness> = BTreeMap::new();
    for row in rows {
        let end = match row.device {
            Some(device) => End::Device(device),
            None if with_device.get(&row.person).is_some_and(|days| row.used.days.within(days)) => {
                continue;
            }
            None => End::Nothing,
        };
        let least = edges.entry((row.person, end)).or_insert(row.used.seen.first);
        *least = row.used.seen.first.min(*least);
    }
    edges
}

/// The least mix of user and device CALs.
fn mix(
    edges: &BTreeMap<(PersonId, End), Witness>,
    machines: &BTreeMap<DeviceId, Witness>,
    shared: &BTreeSet<PersonId>,
    basis: &Basis<'_>,
) -> Mix {
    let people: Vec<PersonId> =
        edges.keys().map(|(p, _)| *p).collect::<BTreeSet<_>>().into_iter().collect();
    let mut ends: Vec<DeviceId> =
        edges.keys().filter_map(|(_, e)| e.device()).chain(machines.keys().copied()).collect();
    // By label, so that the numbering does not hang on the order of reading.
    ends.sort_by_key(|d| &basis.devices.get(*d).label);
    ends.dedup();
    let place: BTreeMap<DeviceId, u32> =
        ends.iter().enumerate().map(|(i, d)| (*d, i as u32)).collect();
    let nothing = ends.len() as u32;
    let machine_users = people.len() as u32;
    let mut users: Vec<bool> = people.iter().map(|p| !shared.contains(p)).collect();
    users.resize(people.len() + machines.len(), false);
    let mut devices: Vec<bool> = ends.iter().map(|d| basis.devices.get(*d).identified).collect();
    devices.push(false);
    let mut witnesses: BTreeMap<Edge, Witness> = BTreeMap::new();
    for ((person, end), witness) in edges {
        let user = people.partition_point(|p| p < person) as u32;
        let device = end.device().map_or(nothing, |d| place[&d]);
        witnesses.insert(Edge { user, device }, *witness);
    }
    for (i, (device, witness)) in machines.iter().enumerate() {
        witnesses.insert(Edge { user: machine_users + i as u32, device: place[device] }, *witness);
    }
    let graph = Graph::new(users, devices, witnesses.keys().copied().collect())
        .expect("every index above is taken from the lists it points into");
    let least = least_count(&graph);
    let person_name = |user: u32| match people.get(user as usize) {
        Some(person) => basis.people.ids[*person as usize].clone(),
        None => "-".to_owned(),
    };
    let device_name = |device: u32| match ends.get(device as usize) {
        Some(device) => basis.devices.get(*device).label.clone(),
        None => "-".to_owned(),
    };
    let mut covered_users: Vec<String> = least.users.iter().map(|u| person_name(*u)).collect();
    let mut covered_devices: Vec<String> = least.devices.iter().map(|d| device_name(*d)).collect();
    // A shared account that came from nowhere identified still needs one CAL.
    let open: BTreeSet<u32> =
        least.uncoverable.iter().map(|e| graph.edges()[*e as usize].user).collect();
    let reached: BTreeSet<u32> = graph
        .edges()
        .iter()
        .filter(|e| least.devices.binary_search(&e.device).is_ok())
        .map(|e| e.user)
        .collect();
    let unassigned: Vec<u32> = open.difference(&reached).copied().collect();
    let mut without_device: Vec<String> = unassigned.iter().map(|u| person_name(*u)).collect();
    without_device.sort();
    covered_devices.extend(without_device.iter().map(|person| format!("a device of {person}")));
    covered_users.sort();
    covered_devices.sort();
    let proof = least.matching.iter().chain(&least.uncoverable).map(|e| {
        let edge = graph.edges()[*e as usize];
        (person_name(edge.user), device_name(edge.device), witnesses[&edge])
    });
    let mut pairs: Vec<Pair> = Vec::new();
    if basis.keep_pairs {
        let proves: BTreeSet<u32> = least.matching.iter().copied().collect();
        pairs.extend((0..).zip(graph.edges()).map(|(i, edge)| Pair {
            person: person_name(edge.user),
            person_licensable: graph.users()[edge.user as usize],
            device: device_name(edge.device),
            device_licensable: graph.devices()[edge.device as usize],
            witness: witnesses[edge],
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

/// The interval and the names behind its ends.
fn interval(
    basis: &Basis<'_>,
    rows: &[&Row<'_>],
    users: &BTreeSet<PersonId>,
    product: Product,
    cal: Cal,
) -> (Interval, Vec<Named>, Vec<(String, String, u64)>) {
    let id = |p: PersonId| basis.people.ids[p as usize].clone();
    // Lower: without those whom only another server vouches for, and probable aliases as one.
    let vouched_only = |r: &&&Row<'_>| basis.asserted.contains(&(r.person, r.product));
    let proved: BTreeSet<PersonId> =
        rows.iter().filter(|r| !vouched_only(r)).map(|r| r.person).collect();
    let by_asserted: BTreeSet<PersonId> = users.difference(&proved).copied().collect();
    let sure: BTreeSet<PersonId> = users.difference(&by_asserted).copied().collect();
    let mut lower = 0;
    let mut without: Vec<Named> =
        by_asserted.iter().map(|p| (id(*p), "asserted".to_owned())).collect();
    for (local_part, group) in local_parts(basis.people, basis.identities, &sure) {
        lower += group.at_least;
        if (group.at_least as usize) < group.people.len() {
            without.extend(
                group.people.iter().map(|p| (id(*p), format!("probable alias: {local_part}"))),
            );
        }
    }
    // Upper: configured unions undone, and everything that is unresolved.
    let mut strict: BTreeMap<PersonId, BTreeSet<FormId>> = BTreeMap::new();
    // Of a shared account, every distinct unidentified address may be another person.
    let mut addresses: BTreeMap<PersonId, BTreeSet<Name>> = BTreeMap::new();
    for row in rows {
        if basis.shared.contains(&row.person) {
            let unidentified = row.device.is_some_and(|d| !basis.devices.get(d).identified);
            let seen = addresses.entry(row.person).or_default();
            seen.extend(unidentified.then_some(row.used.key.device.id));
            continue;
        }
        strict.entry(row.person).or_default().insert(basis.people.strict_of[row.form as usize]);
    }
    let mut with: Vec<(String, String, u64)> = strict
        .iter()
        .filter(|(_, forms)| forms.len() > 1)
        .map(|(p, forms)| (id(*p), "its names counted apart".to_owned(), forms.len() as u64 - 1))
        .collect();
    with.extend(addresses.iter().filter(|(_, at)| at.len() > 1).map(|(p, at)| {
        (id(*p), "shared account, one per address".to_owned(), at.len() as u64 - 1)
    }));
    let more = suspected::more_people(basis, rows);
    with.extend(more.into_iter().map(|(p, n)| (id(p), suspected::REASON.to_owned(), n)));
    if cal == Cal::Standard {
        let counted: BTreeSet<String> =
            users.iter().map(|p| format!("person:{}", id(*p))).collect();
        let units = basis.upper.units.get(&product).into_iter().flatten();
        with.extend(
            units
                .filter(|(key, _)| !counted.contains(*key))
                .map(|(_, (name, reason, cals))| (name.clone(), (*reason).to_owned(), *cals)),
        );
    }
    with.sort();
    without.sort();
    let demand = users.len() as u64;
    let upper = demand + with.iter().map(|(_, _, n)| n).sum::<u64>();
    (Interval { lower, demand, upper }, without, with)
}

/// People who share a local part.
pub(super) struct SameLocalPart {
    /// Ascending.
    pub(super) people: BTreeSet<PersonId>,
    /// How many people they are at least.
    pub(super) at_least: u64,
}

/// The people by the local part of their canonical id. Those of one local part are at least as many
/// as there are distinct NetBIOS domains, distinct realms, or people of the directory among them, and
/// at least one.
pub(super) fn local_parts(
    people: &People,
    identities: &Identities,
    counted: &BTreeSet<PersonId>,
) -> BTreeMap<String, SameLocalPart> {
    #[derive(Default)]
    struct Group {
        people: BTreeSet<PersonId>,
        domains: BTreeSet<String>,
        realms: BTreeSet<String>,
        directory: BTreeSet<u32>,
    }
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for person in counted {
        let forms = &people.forms[*person as usize];
        let first = forms.iter().map(|f| identities.get(*f)).min_by_key(|f| f.rank());
        let Some(first) = first else { continue };
        let group = groups.entry(first.local.clone()).or_default();
        group.people.insert(*person);
        // Whom the directory tells apart are no aliases of each other.
        group.directory.extend(forms.iter().filter_map(|f| identities.get(*f).directory));
        for form in forms.iter().map(|f| identities.get(*f)).filter(|f| f.local == first.local) {
            let (domain, realm) = identities.domain_and_realm(form);
            group.domains.extend(domain);
            group.realms.extend(realm);
        }
    }
    groups
        .into_iter()
        .map(|(local, g)| {
            let apart = g.domains.len().max(g.realms.len()).max(g.directory.len());
            let at_least = apart.max(1).min(g.people.len());
            (local, SameLocalPart { people: g.people, at_least: at_least as u64 })
        })
        .collect()
}

/// Most distinct people in any 90 consecutive days, and the earliest such window that begins no
/// earlier than the first day of use.
fn reassignment(rows: &[&Row<'_>], users: &BTreeSet<PersonId>) -> Reassignment {
    const WINDOW: i32 = 90;
    let mut days: BTreeMap<PersonId, Days> = BTreeMap::new();
    for row in rows.iter().filter(|r| users.contains(&r.person)) {
        days.entry(row.person).or_default().merge(&row.used.days);
    }
    let first = days.values().filter_map(|d| d.iter().next()).min();
    let Some(first) = first else { return Reassignment::default() };
    // A person with a use on day d is in every window that starts on d-89..=d.
    let mut changes: BTreeMap<i32, i64> = BTreeMap::new();
    for person in days.values() {
        let mut open: Option<(i32, i32)> = None;
        for day in person.iter() {
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
        distinct: users.len() as u64,
        peak_90_days: peak.0 as u64,
        window: Some((peak.1, peak.1 + WINDOW - 1)),
        floor: (peak.0 as u64).div_ceil(2),
    }
}
