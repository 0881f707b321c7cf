//! Accounts that several people seem to share: more devices on one day than one person has.
//!
//! `counting.md` section 3: a suspected shared account is one person in demand, and in the upper end
//! one per device seen at once. Facts know days, not sessions, so "at once" is the same UTC day.
//! See R87 in `docs/readings.md`.

use std::collections::BTreeMap;

use calproof_parsers::Client;

use super::SuspectedShared;
use super::device::{DeviceId, Devices};
use super::requirement::{Basis, Row, by_person, days_of};
use crate::facts::DeviceKind;
use crate::facts::names::Name;
use crate::identity::{FormId, PersonId};

/// As many devices of one kind on one UTC day make an account suspected. One person may well have a
/// desktop, a laptop in two networks, and a second workplace.
pub const SUSPECTED_FROM: u64 = 5;

/// Why an account adds to the upper end.
pub(super) const REASON: &str = "suspected shared account, one per device at once";

/// What an account came from on its busiest day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct AtOnce {
    /// Devices of one kind.
    devices: u64,
    /// Day since 1970.
    day: i32,
    kind: Kind,
}

/// The devices of some accesses on the busiest day, if they are so many that nobody has them alone.
fn at_once(rows: &[&Row<'_>], devices: &Devices) -> Option<AtOnce> {
    let seen = rows.iter().filter_map(|row| Some((evidence(row, devices)?, *row)));
    let mut seen: Vec<((Kind, Evidence), &Row<'_>)> = seen.collect();
    seen.sort_by_key(|(evidence, _)| *evidence);
    let mut most: Option<AtOnce> = None;
    for of_kind in seen.chunk_by(|((a, _), _), ((b, _), _)| a == b) {
        let by_device = || of_kind.chunk_by(|(a, _), (b, _)| a == b);
        if (by_device().count() as u64) < SUSPECTED_FROM {
            continue;
        }
        // Each day once for every device.
        let mut days: Vec<i32> = Vec::new();
        for of_device in by_device() {
            match of_device {
                [(_, row)] => days.extend(row.used.days.iter()),
                rows => days.extend(days_of(rows.iter().map(|(_, row)| *row)).iter()),
            }
        }
        days.sort_unstable();
        for of_day in days.chunk_by(|a, b| a == b) {
            let devices = of_day.len() as u64;
            if devices >= SUSPECTED_FROM && most.is_none_or(|m| devices > m.devices) {
                most = Some(AtOnce { devices, day: of_day[0], kind: of_kind[0].0.0 });
            }
        }
    }
    most
}

/// A kind of device, by its word.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    ActiveSync,
    SipEndpoint,
    OwnAddress,
    CallEndpoint,
    Inventoried,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::ActiveSync => "ActiveSync ids",
            Kind::SipEndpoint => "SIP endpoints",
            Kind::OwnAddress => "addresses of the own network",
            Kind::CallEndpoint => "call endpoints",
            Kind::Inventoried => "inventoried devices",
        }
    }
}

/// What tells one device from another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Evidence {
    Device(DeviceId),
    Address(Name),
}

/// The device that a row shows, by kind: ids of one kind are one device each, and an address of the
/// own network is one workplace. Addresses elsewhere change with the way that a device takes.
fn evidence(row: &Row<'_>, devices: &Devices) -> Option<(Kind, Evidence)> {
    let device = Evidence::Device(row.device?);
    let key = &row.used.key;
    match key.device.kind {
        DeviceKind::None => None,
        DeviceKind::ActiveSync => Some((Kind::ActiveSync, device)),
        // An endpoint id whose instance is known is that instance already.
        DeviceKind::SipInstance | DeviceKind::Epid => Some((Kind::SipEndpoint, device)),
        DeviceKind::CdrEndpoint => Some((Kind::CallEndpoint, device)),
        DeviceKind::Address if devices.get(row.device?).identified => {
            Some((Kind::Inventoried, device))
        }
        // Whatever the agent.
        DeviceKind::Address if key.client == Client::Inside => {
            Some((Kind::OwnAddress, Evidence::Address(key.device.id)))
        }
        DeviceKind::Address => None,
    }
}

/// The suspected accounts among all counted accesses, sorted by id.
pub(super) fn suspected(basis: &Basis<'_>) -> Vec<SuspectedShared> {
    let rows: Vec<&Row<'_>> = basis.rows.iter().collect();
    let mut found: Vec<SuspectedShared> = perhaps_several(basis, &rows)
        .filter_map(|(person, rows)| {
            let most = at_once(&rows, basis.devices)?;
            let of_day = rows.iter().filter(|r| r.used.days.has(most.day));
            let witness = of_day.map(|r| r.used.seen.first).min()?;
            let (devices, kind, day) = (most.devices, most.kind.as_str(), most.day);
            let account = basis.people.ids[person as usize].clone();
            Some(SuspectedShared { account, devices, kind, day, witness })
        })
        .collect();
    found.sort();
    found
}

/// How many people each account may be in the upper end beyond the names that it is counted by there.
pub(super) fn more_people(basis: &Basis<'_>, rows: &[&Row<'_>]) -> BTreeMap<PersonId, u64> {
    let mut more = BTreeMap::new();
    for (person, rows) in perhaps_several(basis, rows) {
        let Some(whole) = at_once(&rows, basis.devices) else { continue };
        let mut by_name: BTreeMap<FormId, Vec<&Row<'_>>> = BTreeMap::new();
        for row in rows {
            by_name.entry(basis.people.strict_of[row.form as usize]).or_default().push(row);
        }
        let apart: u64 = by_name
            .values()
            .map(|rows| at_once(rows, basis.devices).map_or(1, |most| most.devices))
            .sum();
        let names = by_name.len() as u64;
        let people = apart.max(whole.devices);
        if people > names {
            more.insert(person, people - names);
        }
    }
    more
}

/// The accesses of everybody who may be several: not of declared shared accounts, which have their own
/// rule, and not of programs; nor of those who have few devices in all, for they need no look at days.
fn perhaps_several<'r, 'a>(
    basis: &'r Basis<'_>,
    rows: &'r [&'a Row<'a>],
) -> impl Iterator<Item = (PersonId, Vec<&'a Row<'a>>)> {
    let apart =
        move |person: PersonId| basis.shared.contains(&person) || basis.service.contains(&person);
    let many = |rows: &&[&Row<'_>]| {
        let mut few: [Option<DeviceId>; SUSPECTED_FROM as usize - 1] = Default::default();
        let is_one_of_few = |row: &&Row<'_>| {
            let place = few.iter_mut().find(|d| d.is_none() || **d == row.device);
            place.map(|place| *place = row.device).is_some()
        };
        !rows.iter().filter(|row| row.device.is_some()).all(is_one_of_few)
    };
    by_person(rows)
        .filter(many)
        .filter(move |rows| !apart(rows[0].person))
        .map(|rows| (rows[0].person, rows.iter().copied().filter(|r| r.device.is_some()).collect()))
}
