//! Facts with everything that is known of each by itself.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::{Client, Outcome};

use super::device::{DeviceId, Devices};
use super::fate::{Bench, Fate, product_of};
use super::packs::Packs;
use crate::facts::DeviceKind;
use crate::facts::usage::{Usage, Used};
use crate::identity::{FormId, PersonId};
use crate::rules::Product;

/// A fact with everything that is known of it.
pub(super) struct Seen<'a> {
    pub(super) used: &'a Used,
    pub(super) place: usize,
    pub(super) product: Product,
    pub(super) form: Option<FormId>,
    pub(super) person: Option<PersonId>,
    pub(super) device: Option<DeviceId>,
    /// Whom the principal acted for.
    pub(super) acted_for: Option<FormId>,
    pub(super) fate: Fate,
}

/// Finds out what is known of each fact; `forms` and `others` are the names of its principal and of
/// whom that acted for.
pub(super) fn see<'a>(
    facts: &'a [Used],
    forms: &[Option<FormId>],
    others: &[Option<FormId>],
    usage: &Usage,
    bench: &Bench<'_>,
    packs: &Packs<'_>,
    devices: &mut Devices,
) -> Vec<Seen<'a>> {
    let Bench { places, people, identities, .. } = *bench;
    let one = |((used, form), acted_for): ((&'a Used, &Option<FormId>), &Option<FormId>)| {
        let place = places.of[used.key.server as usize];
        let product = product_of(&used.key, places.list[place].product);
        let person = form.map(|f| people.of(f));
        let pack = packs.of(product, places.list[place].version(product));
        let fate = match (form, person) {
            (Some(form), Some(person)) => {
                bench.somebody(&used.key, identities.get(*form), person, product, pack)
            }
            _ => bench.nobody(&used.key, pack),
        };
        let by_address = used.key.device.kind == DeviceKind::Address;
        let by_server = by_address && places.is_own_address(usage.names.get(used.key.device.id));
        let own = by_server || (by_address && used.key.client == Client::Loopback);
        // A listed server's address as client makes a back-end row: it repeats a front-end row.
        let fate = match fate {
            Fate::Unresolved(reason)
                if form.is_none() && by_server && reason.starts_with("anonymous") =>
            {
                Fate::Unresolved("back-end-anonymous")
            }
            fate => fate,
        };
        let device = if own { None } else { devices.of(used.key.device, &usage.names) };
        Seen { used, place, product, form: *form, person, device, acted_for: *acted_for, fate }
    };
    let mut seen: Vec<Seen<'a>> = facts.iter().zip(forms).zip(others).map(one).collect();
    drop_answered(&mut seen);
    seen
}

/// Command rows of POP3 and IMAP4 prove a use only where the logon they follow is not in the logs.
fn drop_answered(seen: &mut Vec<Seen<'_>>) {
    let logons: BTreeSet<_> = seen
        .iter()
        .filter(|s| s.used.key.outcome == Outcome::Served)
        .map(|s| (s.person, s.device, s.place, s.used.key.service))
        .collect();
    seen.retain(|s| {
        s.used.key.outcome != Outcome::Continued
            || !logons.contains(&(s.person, s.device, s.place, s.used.key.service))
    });
}

pub(super) type ByPerson = BTreeMap<(PersonId, Product), Vec<usize>>;

pub(super) fn group(seen: &[Seen<'_>], belongs: impl Fn(&Seen<'_>) -> bool) -> ByPerson {
    let mut groups = ByPerson::new();
    for (i, s) in seen.iter().enumerate() {
        if let (true, Some(person)) = (belongs(s), s.person) {
            groups.entry((person, s.product)).or_default().push(i);
        }
    }
    groups
}
