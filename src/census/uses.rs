//! The merged facts in words: what evidence and explanations are made of.

use std::collections::BTreeMap;

use super::device::Devices;
use super::packs::{Packs, cals, rules};
use super::place::Places;
use super::seen::Seen;
use super::settle::Settled;
use super::{Corroborated, Person, Use};
use crate::facts::DeviceKind;
use crate::facts::usage::Usage;
use crate::identity::{Identities, People, decode};

/// Every fact with what became of it.
pub(super) fn uses(
    seen: &[Seen<'_>],
    settled: &[Settled],
    usage: &Usage,
    places: &Places,
    people: &People,
    devices: &Devices,
    packs: &Packs<'_>,
) -> Vec<Use> {
    let text = |name| decode(usage.names.get(name), None);
    let mut uses: Vec<Use> = seen
        .iter()
        .zip(settled)
        .map(|(s, settled)| {
            let key = &s.used.key;
            let place = &places.list[s.place];
            let counted = *settled == Settled::Counted;
            let pack = packs.of(s.product, place.version(s.product));
            let device = s.device.map(|d| devices.get(d));
            Use {
                principal: s
                    .person
                    .map_or_else(|| "-".to_owned(), |p| people.ids[p as usize].clone()),
                name: text(key.principal),
                product: s.product,
                server: place.name.clone(),
                service: key.service.as_str(),
                outcome: key.outcome.as_str(),
                device: device.map(|d| d.label.clone()),
                identified: device.is_some_and(|d| d.identified),
                acted_for: text(key.acted_for),
                marks: key.marks.names().collect(),
                fate: match settled {
                    Settled::Counted => "counted".to_owned(),
                    Settled::Machine => "device of its own".to_owned(),
                    Settled::Excluded(rule) => format!("excluded: {rule}"),
                    Settled::Declared(_) => "excluded: declared".to_owned(),
                    Settled::Unresolved(reason) => format!("unresolved: {reason}"),
                    Settled::Failed => "failed logon of a counted person".to_owned(),
                    Settled::Nothing => "adds nothing".to_owned(),
                },
                cals: if counted { cals(s, pack) } else { Vec::new() },
                rules: if counted { rules(s, pack) } else { Vec::new() },
                address: (key.device.kind == DeviceKind::Address).then(|| text(key.device.id)),
                events: s.used.seen.events,
                first: s.used.seen.first,
                last: s.used.seen.last,
                days: s.used.days.iter().collect(),
            }
        })
        .collect();
    uses.sort_by(|a, b| {
        (&a.principal, a.product, a.first, &a.device).cmp(&(
            &b.principal,
            b.product,
            b.first,
            &b.device,
        ))
    });
    uses
}

/// Why names are one, by canonical id.
pub(super) fn joins(
    people: &People,
    identities: &Identities,
) -> BTreeMap<String, Vec<(String, String, String)>> {
    let mut joins: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    for join in identities.joins() {
        let text = |f| identities.get(f).text.clone();
        let id = people.ids[people.of(join.one) as usize].clone();
        joins.entry(id).or_default().push((text(join.one), text(join.other), join.reason.clone()));
    }
    for list in joins.values_mut() {
        list.sort();
        list.dedup();
    }
    joins
}

/// Mailboxes that submitted something, each beside the person of that name.
pub(super) fn corroborated(
    usage: &Usage,
    places: &Places,
    identities: &Identities,
    people: &People,
    counted: &[Person],
) -> Vec<Corroborated> {
    let mut found: BTreeMap<(String, String), Corroborated> = BTreeMap::new();
    for ((server, mailbox), seen) in &usage.corroborated {
        let mailbox = decode(usage.names.get(*mailbox), None).to_lowercase();
        let server = places.list[places.of[*server as usize]].name.clone();
        let person = identities
            .find(&mailbox)
            .map(|form| &people.ids[people.of(form) as usize])
            .filter(|id| counted.binary_search_by(|p| p.id.cmp(id)).is_ok());
        let entry =
            found.entry((mailbox.clone(), server.clone())).or_insert_with(|| Corroborated {
                mailbox,
                server,
                person: person.cloned(),
                events: 0,
                witness: seen.first,
            });
        entry.events += seen.events;
        entry.witness = entry.witness.min(seen.first);
    }
    found.into_values().collect()
}
