//! From persons and devices to the licences that they need.

use crate::config::Config;
use crate::count::Product;
use crate::event::Device;
use crate::identity::Identity;
use crate::ledger::{Ledger, Row};
use crate::network;
use crate::text;
use std::collections::{BTreeMap, BTreeSet};

/// The rows that count for a product: everything counted, for windows.
pub(crate) fn counted_rows<'a>(product: &str, ledger: &'a Ledger) -> Vec<&'a Row> {
    let in_demand = |product: &str, row: &Row| {
        ledger.counted.get(product).is_some_and(|persons| persons.contains(&row.person))
    };
    ledger
        .rows
        .iter()
        .filter(|row| row.is_use() && !row.machine)
        .filter(|row| in_demand(&row.product, row))
        .filter(|row| product == "windows" || row.product == product)
        .collect()
}

/// Machine accounts that nobody sat at: person id of the machine to the rows that say so.
pub(crate) fn machines<'a>(product: &str, ledger: &'a Ledger) -> BTreeMap<String, Vec<&'a Row>> {
    let place = |row: &Row| row.event.address.as_deref().map(network::plain);
    let mut occupied = BTreeSet::new();
    for row in counted_rows("windows", ledger) {
        if let (Some(address), false) = (place(row), row.event.back_end) {
            occupied.insert((address, text::day_of(row.event.time)));
        }
    }
    let mut found: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in ledger.rows.iter().filter(|row| row.machine && row.is_use()) {
        if product != "windows" && row.product != product {
            continue;
        }
        let taken = match place(row) {
            Some(address) if !row.event.back_end => {
                occupied.contains(&(address, text::day_of(row.event.time)))
            }
            _ => false,
        };
        if !taken {
            found.entry(row.person.clone()).or_default().push(row);
        }
    }
    found
}

/// What one product requires.
pub(crate) fn product(
    product: &str,
    ledger: &Ledger,
    identity: &Identity,
    config: &Config,
) -> Product {
    let rows = counted_rows(product, ledger);
    let shared = |row: &Row| {
        let who = row.event.who.as_deref().unwrap_or("");
        config.shared.iter().any(|pattern| identity.matches(pattern, who))
    };
    let mut answer = Product::default();

    // The interval.
    let persons: BTreeSet<String> = rows.iter().map(|row| row.person.clone()).collect();
    let served: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.event.outcome == crate::event::Outcome::Served)
        .map(|row| row.person.clone())
        .collect();
    answer.lower = identity.fewest(&served);
    answer.demand = persons.len();
    answer.upper = upper(product, ledger, &rows, &shared) + suspects(&rows, &shared);

    // Devices and edges.
    let mut devices: BTreeSet<Device> = BTreeSet::new();
    let mut evidenced = BTreeSet::new();
    for row in &rows {
        if let Some(device) = &row.event.device {
            devices.insert(device.clone());
            evidenced.insert((row.person.clone(), text::day_of(row.event.time)));
        }
    }
    let machines = machines(product, ledger);
    answer.machine_devices = machines.len();
    answer.identified =
        devices.iter().filter(|d| matches!(d, Device::Identified(_))).count() + machines.len();
    answer.unidentified = devices.iter().filter(|d| matches!(d, Device::Unidentified(..))).count();

    // Who must have a licence of which kind, and what is left to choose.
    let mut user_cals: BTreeSet<String> = BTreeSet::new();
    let mut device_cals: BTreeSet<Device> = BTreeSet::new();
    let mut free: BTreeSet<(String, Device)> = BTreeSet::new();
    let mut homeless: BTreeSet<String> = BTreeSet::new();
    for row in &rows {
        match (&row.event.device, shared(row)) {
            (Some(device @ Device::Identified(_)), true) => {
                device_cals.insert(device.clone());
            }
            (Some(device @ Device::Identified(_)), false) => {
                free.insert((row.person.clone(), device.clone()));
            }
            (_, true) => {
                homeless.insert(row.person.clone());
            }
            (Some(Device::Unidentified(..)), false) => {
                user_cals.insert(row.person.clone());
            }
            (None, false) => {
                if !evidenced.contains(&(row.person.clone(), text::day_of(row.event.time))) {
                    user_cals.insert(row.person.clone());
                }
            }
        }
    }
    answer.shared_devices = device_cals.len();
    let at_known_devices: BTreeSet<String> = rows
        .iter()
        .filter(|row| shared(row) && matches!(row.event.device, Some(Device::Identified(_))))
        .map(|row| row.person.clone())
        .collect();
    let homeless = homeless.difference(&at_known_devices).count();
    free.retain(|(person, device)| !user_cals.contains(person) && !device_cals.contains(device));
    let (more_users, more_devices) = least_cover(&free);
    answer.mix_users = user_cals.len() + more_users;
    answer.mix_devices = device_cals.len() + more_devices + machines.len() + homeless;
    answer.mix_total = answer.mix_users + answer.mix_devices;

    // The busiest 90 days.
    let mut days: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        days.entry(text::day_of(row.event.time)).or_default().insert(&row.person);
    }
    let first = days.keys().next().copied().unwrap_or(0);
    let last = days.keys().last().copied().unwrap_or(-1);
    for start in first..=last {
        let seen: BTreeSet<&&str> =
            days.range(start..start + 90).flat_map(|(_, people)| people).collect();
        if seen.len() > answer.peak {
            answer.peak = seen.len();
            answer.window = Some((text::date_of(start), text::date_of(start + 89)));
        }
    }
    answer.floor = answer.peak.div_ceil(2);
    answer
}

/// The upper end: every name on its own, and every doubt a person.
fn upper(product: &str, ledger: &Ledger, counted: &[&Row], shared: &dyn Fn(&Row) -> bool) -> usize {
    let here = |row: &Row| product == "windows" || row.product == product;
    let exempt =
        |row: &Row| ledger.exempt.get(&row.product).is_some_and(|e| e.contains(&row.person));
    let got_in = |row: &Row| {
        use crate::event::Outcome::{Asserted, AssertedUnlisted, LogonOnly, Refused, Served};
        matches!(row.event.outcome, Served | Asserted | AssertedUnlisted | Refused | LogonOnly)
    };
    let mut names = BTreeSet::new();
    let mut shared_at: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let left = ledger.rows.iter().filter(|row| !exempt(row));
    for row in left.chain(&ledger.upper_rows) {
        if row.machine || !here(row) || !got_in(row) {
            continue;
        }
        if shared(row) {
            let places = shared_at.entry(row.person.clone()).or_default();
            if let Some(Device::Unidentified(address, _)) = &row.event.device {
                places.insert(address.clone());
            }
        } else {
            names.insert(row.apart.clone());
        }
    }
    let shared: usize = shared_at.values().map(|places| places.len().max(1)).sum();

    // A row that names its device by an identifier keeps no address.
    let by_identifier = |row: &&&Row| matches!(&row.event.device, Some(Device::Identified(d)) if !d.starts_with("inventory:"));
    let taken: BTreeSet<String> = counted
        .iter()
        .filter(|row| !by_identifier(row))
        .filter_map(|row| row.event.address.as_deref().map(network::plain))
        .collect();
    let in_product = |map: &BTreeMap<String, BTreeSet<String>>| -> BTreeSet<String> {
        map.iter()
            .filter(|(p, _)| product == "windows" || *p == product)
            .flat_map(|(_, set)| set.iter().cloned())
            .collect()
    };
    let addresses = in_product(&ledger.upper_addresses).difference(&taken).count();
    names.len() + shared + addresses + in_product(&ledger.upper_others).len()
}

/// How many more people the accounts may be that came from five or more devices of one kind on one
/// day: as many as devices, beside the names that are counted apart anyway.
fn suspects(counted: &[&Row], shared: &dyn Fn(&Row) -> bool) -> usize {
    let mut by_person: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in counted.iter().filter(|row| row.event.device.is_some() && !shared(row)) {
        by_person.entry(&row.person).or_default().push(row);
    }
    let mut more = 0;
    for rows in by_person.values() {
        let mut by_name: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            by_name.entry(&row.apart).or_default().push(row);
        }
        let apart: usize = by_name.values().map(|rows| at_once(rows).max(1)).sum();
        more += apart.max(at_once(rows)) - by_name.len();
    }
    more
}

/// The most devices of one kind on one day; 0 where they are fewer than five.
fn at_once(rows: &[&Row]) -> usize {
    let mut days: BTreeMap<(i64, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        let (kind, device) = match &row.event.device {
            Some(Device::Identified(id)) => {
                let kind = id.split(':').next().unwrap_or("");
                (if kind == "epid" { "sip" } else { kind }, id.as_str())
            }
            Some(Device::Unidentified(address, _)) if row.event.class == network::Class::Inside => {
                ("address", address.as_str())
            }
            _ => continue,
        };
        days.entry((text::day_of(row.event.time), kind)).or_default().insert(device);
    }
    days.values().map(BTreeSet::len).filter(|devices| *devices >= 5).max().unwrap_or(0)
}

/// The least number of users and devices that touch every edge, as many of them users as can be.
///
/// A matching is grown by augmenting paths until none is left; what an unmatched user reaches on
/// alternating paths decides the cover (König).
fn least_cover(edges: &BTreeSet<(String, Device)>) -> (usize, usize) {
    let mut neighbours: BTreeMap<&str, Vec<&Device>> = BTreeMap::new();
    for (person, device) in edges {
        neighbours.entry(person).or_default().push(device);
    }
    let mut holder: BTreeMap<&Device, &str> = BTreeMap::new();
    for person in neighbours.keys() {
        augment(person, &neighbours, &mut holder, &mut BTreeSet::new());
    }
    let matched: BTreeSet<&str> = holder.values().copied().collect();
    let mut reached: BTreeSet<&str> =
        neighbours.keys().copied().filter(|p| !matched.contains(p)).collect();
    let mut reached_devices: BTreeSet<&Device> = BTreeSet::new();
    let mut queue: Vec<&str> = reached.iter().copied().collect();
    while let Some(person) = queue.pop() {
        for device in &neighbours[person] {
            if reached_devices.insert(device)
                && let Some(next) = holder.get(device)
                && reached.insert(next)
            {
                queue.push(next);
            }
        }
    }
    (neighbours.len() - reached.len(), reached_devices.len())
}

fn augment<'a>(
    person: &'a str,
    neighbours: &BTreeMap<&'a str, Vec<&'a Device>>,
    holder: &mut BTreeMap<&'a Device, &'a str>,
    tried: &mut BTreeSet<&'a Device>,
) -> bool {
    for device in &neighbours[person] {
        if !tried.insert(device) {
            continue;
        }
        let free = match holder.get(device).copied() {
            None => true,
            Some(other) => augment(other, neighbours, holder, tried),
        };
        if free {
            holder.insert(device, person);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(&str, &str)]) -> BTreeSet<(String, Device)> {
        pairs.iter().map(|(p, d)| (p.to_string(), Device::Identified(d.to_string()))).collect()
    }

    #[test]
    fn covers() {
        assert_eq!(least_cover(&edges(&[])), (0, 0));
        assert_eq!(least_cover(&edges(&[("a", "1")])), (1, 0));
        assert_eq!(least_cover(&edges(&[("a", "1"), ("b", "1"), ("c", "1")])), (0, 1));
        assert_eq!(least_cover(&edges(&[("a", "1"), ("a", "2"), ("b", "2"), ("c", "2")])), (1, 1));
    }

    #[test]
    fn a_cover_is_as_small_as_any() {
        // Every graph of four people and three devices.
        for bits in 0u32..1 << 12 {
            let pairs: Vec<(usize, usize)> =
                (0..12).filter(|i| bits >> i & 1 == 1).map(|i| (i / 3, i % 3)).collect();
            let least = (0u32..1 << 7)
                .filter(|chosen| {
                    pairs.iter().all(|(p, d)| chosen >> p & 1 == 1 || chosen >> (4 + d) & 1 == 1)
                })
                .map(u32::count_ones)
                .min();
            let names: Vec<(String, String)> =
                pairs.iter().map(|(p, d)| (format!("p{p}"), format!("d{d}"))).collect();
            let named: Vec<(&str, &str)> =
                names.iter().map(|(p, d)| (p.as_str(), d.as_str())).collect();
            let (users, devices) = least_cover(&edges(&named));
            assert_eq!(Some((users + devices) as u32), least, "{pairs:?}");
        }
    }
}
