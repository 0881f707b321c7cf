//! The count of generated logs against the truth that was planted in them.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use calproof_twin::count;
use calproof_twin::generate::{Fleet, Size, fleet};
use std::collections::{BTreeMap, BTreeSet};

fn check(seed: u64, fleet: &Fleet) {
    let tally = count(&fleet.files, &fleet.config);
    let truth = &fleet.truth;

    for (path, input) in &tally.inputs {
        assert_eq!(input.format, truth.formats[path], "seed {seed}: {path}");
        if let Some(rejected) = truth.rejected.get(path) {
            assert_eq!(input.lines.rejected, *rejected, "seed {seed}: {path}");
        }
        let l = input.lines;
        assert_eq!(l.total, l.events + l.directives + l.blank + l.unrelated + l.rejected);
    }
    let excluded: BTreeSet<_> = tally.excluded.keys().cloned().collect();
    same(seed, "excluded", &excluded, &truth.excluded);
    let unresolved: BTreeSet<_> = tally.unresolved.keys().cloned().collect();
    same(seed, "unresolved", &unresolved, &truth.unresolved);
    same(seed, "people", &tally.people.keys().cloned().collect(), &truth.people);

    let mut events: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (id, person) in &tally.people {
        for (service, count) in &person.services {
            events.insert((id.clone(), service.clone()), *count);
        }
        let devices: BTreeSet<&String> =
            truth.devices.iter().filter(|((_, who), _)| who == id).flat_map(|(_, d)| d).collect();
        assert_eq!(person.devices, devices.len(), "seed {seed}: {id}: {devices:?}");
    }
    for (id, span) in &truth.spans {
        let person = &tally.people[id];
        assert_eq!((person.first, person.last), *span, "seed {seed}: {id}");
    }
    let events: BTreeSet<_> = events.into_iter().collect();
    let planted: BTreeSet<_> = truth.events.clone().into_iter().collect();
    same(seed, "events", &events, &planted);

    for (name, product) in &tally.products {
        let planted = truth.products.get(name).cloned().unwrap_or_default();
        assert_eq!(product.demand, planted.len(), "seed {seed}: {name}");
        let devices = (product.identified, product.unidentified);
        assert_eq!(devices, truth.device_counts(name), "seed {seed}: {name}");
        assert!(
            product.lower <= product.demand && product.demand <= product.upper,
            "seed {seed}: {name}"
        );
        assert!(
            product.mix_total <= product.demand + product.machine_devices,
            "seed {seed}: {name}"
        );
    }
    for (id, person) in &tally.people {
        for product in &person.products {
            assert!(truth.products[product].contains(id), "seed {seed}: {id} {product}");
        }
    }
}

fn same<T: Ord + std::fmt::Debug>(
    seed: u64,
    what: &str,
    found: &BTreeSet<T>,
    planted: &BTreeSet<T>,
) {
    let more: Vec<_> = found.difference(planted).collect();
    let less: Vec<_> = planted.difference(found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "seed {seed}: {what}: not planted {more:?}, not found {less:?}"
    );
}

#[test]
fn small_fleets() {
    for seed in 0..60 {
        check(seed, &fleet(seed, Size::Small));
    }
}

#[test]
fn medium_fleets() {
    for seed in 1000..1004 {
        check(seed, &fleet(seed, Size::Medium));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (a, b) = (fleet(5, Size::Small), fleet(5, Size::Small));
    assert_eq!(a.files, b.files);
    assert_eq!(a.truth, b.truth);
    assert_ne!(a.files, fleet(6, Size::Small).files);
}

#[test]
fn the_order_of_inputs_changes_nothing() {
    let fleet = fleet(11, Size::Small);
    let mut reversed = fleet.files.clone();
    reversed.reverse();
    assert_eq!(count(&fleet.files, &fleet.config), count(&reversed, &fleet.config));
}
