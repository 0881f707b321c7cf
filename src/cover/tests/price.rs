//! The least price: additive CALs, suites, connectors.

use proptest::prelude::*;

use super::permutation;
use crate::cover::check::{self, Refusal};
use crate::cover::{
    Access, Catalogue, Charge, CoverError, Demand, Edge, Graph, Holder, Item, Plan, Purchase,
    Tariff, break_even, connectors, least_count, least_price,
};

/// Catalogues of up to four CALs with bases in either direction and nested or disjoint suites.
fn catalogues() -> impl Strategy<Value = Catalogue> {
    (1..=4_u32, any::<bool>()).prop_flat_map(|(cals, reversed)| {
        let bases = prop::collection::vec(prop::option::of(0..cals), cals as usize);
        let suites = prop::collection::vec(1..1_u32 << cals, 0..=4);
        (bases, suites).prop_map(move |(bases, sets)| {
            let name = |cal: u32| if reversed { cals - 1 - cal } else { cal };
            let mut named = vec![None; cals as usize];
            for (cal, base) in (0..).zip(bases) {
                named[name(cal) as usize] = base.filter(|&base| base < cal).map(name);
            }
            let mut laminar: Vec<u32> = Vec::new();
            for set in sets {
                if laminar.iter().all(|l| [0, set, *l].contains(&(l & set))) {
                    laminar.push(set);
                }
            }
            let suites = laminar
                .into_iter()
                .map(|set| (0..cals).filter(|cal| set & (1 << cal) != 0).collect())
                .collect();
            Catalogue::new(named, suites).unwrap()
        })
    })
}

fn tariffs(catalogue: &Catalogue) -> impl Strategy<Value = Vec<Tariff>> + use<> {
    let price = || prop::option::weighted(0.85, 1..=9_u64);
    let tariff = (
        prop::collection::vec(price(), catalogue.bases().len()),
        prop::collection::vec(price(), catalogue.suites().len()),
    )
        .prop_map(|(cals, suites)| Tariff { cals, suites });
    prop::collection::vec(tariff, 2)
}

fn demands(most: usize, accesses: usize) -> impl Strategy<Value = Demand> {
    catalogues().prop_flat_map(move |catalogue| {
        let tariffs = tariffs(&catalogue);
        let holders = || prop::collection::vec(prop::option::weighted(0.85, 0..2_u32), 1..=most);
        (Just(catalogue), tariffs, holders(), holders()).prop_flat_map(
            move |(catalogue, tariffs, users, devices)| {
                let cals = catalogue.bases().len() as u32;
                let one = (0..users.len() as u32, 0..devices.len() as u32, 0..cals)
                    .prop_map(|(user, device, cal)| Access { user, device, cal });
                prop::collection::vec(one, 0..=accesses).prop_map(move |accesses| {
                    let (users, devices) = (users.clone(), devices.clone());
                    Demand::new(catalogue.clone(), tariffs.clone(), users, devices, accesses)
                        .unwrap()
                })
            },
        )
    })
}

/// What brute force finds.
struct Truth {
    price: u64,
    uncoverable: Vec<u32>,
    /// Per user: the needed CALs that it holds in at least one plan of least price.
    users: Vec<u32>,
}

/// Prices of every set of CALs on one tariff, by trying every combination of items; sets without
/// their bases cannot be had.
fn price_list(demand: &Demand, tariff: Option<u32>) -> Vec<Option<u64>> {
    let catalogue = demand.catalogue();
    let cals = catalogue.bases().len();
    let mut items: Vec<(u32, u64)> = Vec::new();
    if let Some(tariff) = tariff.map(|t| &demand.tariffs()[t as usize]) {
        for (cal, price) in tariff.cals.iter().enumerate() {
            items.extend(price.map(|price| (1 << cal, price)));
        }
        for (suite, price) in catalogue.suites().iter().zip(&tariff.suites) {
            items.extend(price.map(|p| (suite.iter().fold(0, |b, cal| b | 1 << cal), p)));
        }
    }
    let mut list: Vec<Option<u64>> = vec![None; 1 << cals];
    for choice in 0..1_u32 << items.len() {
        let chosen = items.iter().enumerate().filter(|(i, _)| choice & (1 << i) != 0);
        let (granted, price) = chosen.fold((0, 0), |(g, p), (_, item)| (g | item.0, p + item.1));
        for (set, best) in (0..).zip(&mut list) {
            let closed = (0..cals).all(|cal| {
                set & (1 << cal) == 0
                    || catalogue.bases()[cal].is_none_or(|base| set & (1 << base) != 0)
            });
            if closed && set & !granted == 0 {
                *best = Some(best.map_or(price, |b: u64| b.min(price)));
            }
        }
    }
    list
}

fn closure(demand: &Demand, cal: u32) -> u32 {
    let base = demand.catalogue().bases()[cal as usize];
    1 << cal | base.map_or(0, |base| closure(demand, base))
}

fn truth(demand: &Demand) -> Truth {
    let lists = |holders: &[Option<u32>]| -> Vec<Vec<Option<u64>>> {
        holders.iter().map(|&tariff| price_list(demand, tariff)).collect()
    };
    let (users, devices) = (lists(demand.users()), lists(demand.devices()));
    let mut uncoverable = Vec::new();
    let mut accesses = Vec::new();
    for (index, a) in (0..).zip(demand.accesses()) {
        let need = closure(demand, a.cal) as usize;
        let either = [&users[a.user as usize], &devices[a.device as usize]];
        if either.iter().all(|list| list[need].is_none()) {
            uncoverable.push(index);
        } else {
            accesses.push((a, need));
        }
    }
    // Every choice of what each user holds, as one number; devices hold what is left.
    let sets = 1_usize << demand.catalogue().bases().len();
    let mut wanted = vec![0_usize; users.len()];
    for (a, need) in &accesses {
        wanted[a.user as usize] |= need;
    }
    let mut best = Truth { price: u64::MAX, uncoverable, users: Vec::new() };
    for choice in 0..sets.pow(users.len() as u32) {
        let held: Vec<usize> =
            (0..users.len()).map(|u| choice / sets.pow(u as u32) % sets).collect();
        if (0..users.len()).any(|u| held[u] & !wanted[u] != 0) {
            continue;
        }
        let mut left = vec![0_usize; devices.len()];
        for (a, need) in &accesses {
            if held[a.user as usize] & need != *need {
                left[a.device as usize] |= need;
            }
        }
        let prices = (users.iter().zip(&held)).chain(devices.iter().zip(&left));
        let Some(price) = prices.map(|(list, &set)| list[set]).sum::<Option<u64>>() else {
            continue;
        };
        if price < best.price {
            (best.price, best.users) = (price, vec![0; users.len()]);
        }
        if price == best.price {
            for (any, set) in best.users.iter_mut().zip(held) {
                *any |= set as u32;
            }
        }
    }
    best
}

/// The CALs, as bits, that a user can use after the purchases, its bases being there.
fn usable(demand: &Demand, plan: &Plan, user: u32) -> u32 {
    let mut granted = 0_u32;
    for purchase in plan.purchases.iter().filter(|p| p.holder == Holder::User(user)) {
        granted |= match purchase.item {
            Item::Cal(cal) => 1 << cal,
            Item::Suite(suite) => {
                (demand.catalogue().suites()[suite as usize].iter()).fold(0, |b, cal| b | 1 << cal)
            }
        };
    }
    (0..demand.catalogue().bases().len() as u32)
        .filter(|&cal| closure(demand, cal) & !granted == 0)
        .fold(0, |bits, cal| bits | 1 << cal)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn equals_brute_force(demand in demands(3, 9)) {
        let plan = least_price(&demand);
        let truth = truth(&demand);
        prop_assert_eq!(plan.price, truth.price);
        prop_assert_eq!(check::price(&demand, &plan), Ok(truth.price));
        prop_assert_eq!(&plan.uncoverable, &truth.uncoverable);
        let mut wanted = vec![0; demand.users().len()];
        for (index, a) in (0..).zip(demand.accesses()) {
            if !truth.uncoverable.contains(&index) {
                wanted[a.user as usize] |= closure(&demand, a.cal);
            }
        }
        for (user, (any, wanted)) in (0..).zip(truth.users.iter().zip(wanted)) {
            prop_assert_eq!(usable(&demand, &plan, user) & wanted, *any);
        }
    }

    #[test]
    fn numbering_and_order_change_no_purchase(
        demand in demands(8, 30),
        keys in prop::collection::vec(any::<u32>(), 8),
        device_keys in prop::collection::vec(any::<u32>(), 8),
        access_keys in prop::collection::vec(any::<u32>(), 30),
    ) {
        let to_user = permutation(&keys, demand.users().len());
        let to_device = permutation(&device_keys, demand.devices().len());
        let mut users = demand.users().to_vec();
        let mut devices = demand.devices().to_vec();
        for (old, &new) in to_user.iter().enumerate() {
            users[new as usize] = demand.users()[old];
        }
        for (old, &new) in to_device.iter().enumerate() {
            devices[new as usize] = demand.devices()[old];
        }
        let mut accesses: Vec<(u32, Access)> = access_keys.into_iter()
            .zip(demand.accesses().iter().map(|a| Access {
                user: to_user[a.user as usize],
                device: to_device[a.device as usize],
                cal: a.cal,
            })).collect();
        accesses.sort_by_key(|&(key, _)| key);
        let accesses = accesses.into_iter().map(|(_, access)| access).collect();
        let other = Demand::new(
            demand.catalogue().clone(), demand.tariffs().to_vec(), users, devices, accesses,
        ).unwrap();

        let (plan, moved) = (least_price(&demand), least_price(&other));
        prop_assert_eq!(check::price(&demand, &plan), Ok(moved.price));
        let mut purchases: Vec<Purchase> = plan.purchases.iter().map(|p| Purchase {
            holder: match p.holder {
                Holder::User(user) => Holder::User(to_user[user as usize]),
                Holder::Device(device) => Holder::Device(to_device[device as usize]),
            },
            item: p.item,
        }).collect();
        purchases.sort_unstable();
        prop_assert_eq!(purchases, moved.purchases);
    }

    #[test]
    fn equal_prices_give_the_least_number(
        users in prop::collection::vec(any::<bool>(), 1..12),
        devices in prop::collection::vec(any::<bool>(), 1..12),
        edges in prop::collection::vec((0..12_u32, 0..12_u32), 0..40),
    ) {
        let edges: Vec<Edge> = edges.into_iter()
            .filter(|&(u, d)| (u as usize) < users.len() && (d as usize) < devices.len())
            .map(|(user, device)| Edge { user, device }).collect();
        let accesses =
            edges.iter().map(|&Edge { user, device }| Access { user, device, cal: 0 }).collect();
        let tariff = Tariff { cals: vec![Some(1)], suites: vec![] };
        let of = |flags: &[bool]| flags.iter().map(|&l| l.then_some(0)).collect();
        let catalogue = Catalogue::new(vec![None], vec![]).unwrap();
        let demand =
            Demand::new(catalogue, vec![tariff], of(&users), of(&devices), accesses).unwrap();
        let plan = least_price(&demand);
        let mix = least_count(&Graph::new(users, devices, edges).unwrap());
        let cal = Item::Cal(0);
        let purchases: Vec<Purchase> = (mix.users.iter().map(|&user| Holder::User(user)))
            .chain(mix.devices.iter().map(|&device| Holder::Device(device)))
            .map(|holder| Purchase { holder, item: cal })
            .collect();
        prop_assert_eq!(plan.purchases, purchases);
        prop_assert_eq!(plan.uncoverable, mix.uncoverable);
    }

    #[test]
    fn the_checker_accepts_nothing_that_is_not_least(
        demand in demands(3, 7),
        edits in prop::collection::vec((0..6_usize, any::<usize>(), 0..6_u32), 1..4),
    ) {
        let mut plan = least_price(&demand);
        for (edit, place, value) in edits {
            let at = |len: usize| place.checked_rem(len);
            let (purchases, charges) = (plan.purchases.len(), plan.charges.len());
            match (edit, at(purchases), at(charges)) {
                (0, Some(i), _) => { plan.purchases.remove(i); }
                (1, _, _) => plan.purchases.push(Purchase {
                    holder: Holder::User(value), item: Item::Suite(place as u32 % 3),
                }),
                (2, Some(i), _) => plan.purchases[i].item = Item::Cal(value),
                (3, _, Some(i)) => { plan.charges.remove(i); }
                (4, _, Some(i)) => plan.charges[i].user_cal = value,
                (5, _, Some(i)) => plan.charges[i].amount = u64::from(value),
                _ => {}
            }
        }
        if let Ok(price) = check::price(&demand, &plan) {
            prop_assert_eq!(price, truth(&demand).price);
        }
    }

    #[test]
    fn the_checker_refuses_every_single_change(demand in demands(4, 12)) {
        let plan = least_price(&demand);
        let refuses = |change: &dyn Fn(&mut Plan)| {
            let mut changed = plan.clone();
            change(&mut changed);
            check::price(&demand, &changed).is_err()
        };
        assert!(refuses(&|p| p.price += 1));
        for i in 0..plan.purchases.len() {
            assert!(refuses(&|p| { p.purchases.remove(i); }));
            assert!(refuses(&|p| p.purchases.push(p.purchases[i])));
        }
        for i in 0..plan.charges.len() {
            assert!(refuses(&|p| { p.charges.remove(i); }));
            assert!(refuses(&|p| p.charges[i].amount += 1));
            assert!(refuses(&|p| p.charges[i].amount -= 1));
            assert!(refuses(&|p| p.charges.push(p.charges[i])));
            assert!(refuses(&|p| p.charges[i].device_cal = 64));
            assert!(refuses(&|p| p.charges[i].access = u32::MAX));
        }
        for access in 0..demand.accesses().len() as u32 {
            assert!(refuses(&|p| match p.uncoverable.iter().position(|&u| u == access) {
                Some(place) => { p.uncoverable.remove(place); }
                None => p.uncoverable.push(access),
            }));
            let extra = Charge { access, user_cal: 0, device_cal: 0, amount: 1 };
            assert!(refuses(&|p| p.charges.push(extra)));
        }
    }

    #[test]
    fn connectors_equal_brute_force(
        cal in 1..9_u64,
        users in prop::collection::vec(prop::bool::weighted(0.85), 1..7),
        prices in prop::collection::vec(prop::option::weighted(0.85, 1..30_u64), 1..5),
        pairs in prop::collection::vec((0..7_u32, 0..5_u32), 0..16),
    ) {
        let accesses: Vec<Edge> = pairs.into_iter()
            .filter(|&(u, s)| (u as usize) < users.len() && (s as usize) < prices.len())
            .map(|(user, device)| Edge { user, device }).collect();
        let coverable: Vec<Edge> = accesses.iter().copied()
            .filter(|e| users[e.user as usize] || prices[e.device as usize].is_some()).collect();
        let mut least = u64::MAX;
        for servers in 0..1_u32 << prices.len() {
            let takes = |server: u32| servers & (1 << server) != 0;
            let price: Option<u64> =
                (0..).zip(&prices).filter(|&(s, _)| takes(s)).map(|(_, price)| *price).sum();
            let mut holders: Vec<u32> =
                coverable.iter().filter(|e| !takes(e.device)).map(|e| e.user).collect();
            holders.sort_unstable();
            holders.dedup();
            if let Some(price) = price.filter(|_| holders.iter().all(|&u| users[u as usize])) {
                least = least.min(price + cal * holders.len() as u64);
            }
        }
        let choice = connectors(cal, &users, &prices, &accesses).unwrap();
        prop_assert_eq!(choice.plan.price, least);
        prop_assert_eq!(check::price(&choice.demand, &choice.plan), Ok(least));
        let servers: u64 = choice.servers.iter().filter_map(|&s| prices[s as usize]).sum();
        prop_assert_eq!(servers + cal * choice.users.len() as u64, least);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn larger_demands_are_proved(demand in demands(60, 250)) {
        let plan = least_price(&demand);
        prop_assert_eq!(check::price(&demand, &plan), Ok(plan.price));
    }
}

fn demand(
    bases: &[Option<u32>],
    suites: &[&[u32]],
    tariff: Tariff,
    users: usize,
    devices: usize,
    accesses: &[(u32, u32, u32)],
) -> Result<Demand, CoverError> {
    let suites = suites.iter().map(|suite| suite.to_vec()).collect();
    let accesses =
        accesses.iter().map(|&(user, device, cal)| Access { user, device, cal }).collect();
    let catalogue = Catalogue::new(bases.to_vec(), suites)?;
    Demand::new(catalogue, vec![tariff], vec![Some(0); users], vec![Some(0); devices], accesses)
}

/// Exchange and Lync, Standard and Enterprise; the Core suite inside the Enterprise suite.
#[test]
fn the_larger_suite_pays_once_enough_is_used() {
    let bases = [None, Some(0), None, Some(2)];
    let suites: [&[u32]; 2] = [&[0, 2], &[0, 1, 2, 3]];
    let tariff = || Tariff {
        cals: vec![Some(60), Some(40), Some(30), Some(90)],
        suites: vec![Some(80), Some(170)],
    };
    let all = [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 3)];
    let bought = |used: &[(u32, u32, u32)]| {
        let demand = demand(&bases, &suites, tariff(), 1, 4, used).unwrap();
        let plan = least_price(&demand);
        assert_eq!(check::price(&demand, &plan), Ok(plan.price));
        (plan.price, plan.purchases.iter().map(|p| (p.holder, p.item)).collect::<Vec<_>>())
    };
    let user = Holder::User(0);
    assert_eq!(bought(&all[..1]), (60, vec![(user, Item::Cal(0))]));
    assert_eq!(bought(&all[..2]), (100, vec![(user, Item::Cal(0)), (user, Item::Cal(1))]));
    assert_eq!(bought(&all[..3]), (120, vec![(user, Item::Cal(1)), (user, Item::Suite(0))]));
    assert_eq!(bought(&all), (170, vec![(user, Item::Suite(1))]));
}

/// A device that already needs the base takes the additive CAL more cheaply than the user.
#[test]
fn an_additive_cal_has_the_type_of_its_base() {
    let tariff = Tariff { cals: vec![Some(10), Some(9)], suites: vec![] };
    let accesses = [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 0, 1)];
    let demand = demand(&[None, Some(0)], &[], tariff, 3, 1, &accesses).unwrap();
    let plan = least_price(&demand);
    let device = Holder::Device(0);
    let purchase = |cal| Purchase { holder: device, item: Item::Cal(cal) };
    assert_eq!((plan.price, plan.purchases), (19, vec![purchase(0), purchase(1)]));
}

#[test]
fn a_longer_chain_of_bases_is_held_whole() {
    let tariff = Tariff { cals: vec![Some(3), Some(5), Some(7)], suites: vec![] };
    let demand = demand(&[Some(1), Some(2), None], &[], tariff, 1, 1, &[(0, 0, 0)]).unwrap();
    let plan = least_price(&demand);
    assert_eq!((plan.price, plan.purchases.len()), (15, 3));
    assert_eq!(check::price(&demand, &plan), Ok(15));
}

#[test]
fn a_catalogue_may_have_64_cals() {
    let mut bases = vec![None; 64];
    bases[63] = Some(0);
    let tariff = Tariff { cals: vec![Some(5); 64], suites: vec![Some(9)] };
    let all = [(0, 0, 62), (0, 0, 63), (1, 0, 0)];
    let demand = demand(&bases, &[&[0, 62, 63]], tariff, 2, 1, &all).unwrap();
    let plan = least_price(&demand);
    let suite = Purchase { holder: Holder::Device(0), item: Item::Suite(0) };
    assert_eq!((plan.price, plan.purchases.as_slice()), (9, &[suite][..]));
    assert_eq!(check::price(&demand, &plan), Ok(9));
}

#[test]
fn long_chains_need_no_stack() {
    let n = 20_000;
    let accesses: Vec<(u32, u32, u32)> = (0..n).flat_map(|i| [(i, i, 0), (i, i + 1, 0)]).collect();
    let tariff = Tariff { cals: vec![Some(7)], suites: vec![] };
    let demand = demand(&[None], &[], tariff, n as usize, n as usize + 1, &accesses).unwrap();
    let plan = least_price(&demand);
    assert_eq!(check::price(&demand, &plan), Ok(7 * u64::from(n)));
}

#[test]
fn overlapping_suites_are_refused_with_the_reason() {
    let tariff = Tariff { cals: vec![Some(1); 3], suites: vec![Some(2), Some(2)] };
    let found = demand(&[None; 3], &[&[0, 1], &[1, 2]], tariff, 1, 1, &[]).unwrap_err();
    let expected = CoverError::OverlappingSuites {
        tariff: 0,
        first: 0,
        second: 1,
        both: 1,
        only_first: 0,
        only_second: 2,
    };
    assert_eq!(found, expected);
    assert!(found.to_string().contains("not submodular"));
    // Suites that no tariff sells together do not matter.
    let tariff = Tariff { cals: vec![Some(1); 3], suites: vec![Some(2), None] };
    assert!(demand(&[None; 3], &[&[0, 1], &[1, 2]], tariff, 1, 1, &[]).is_ok());
}

#[test]
fn bad_catalogues_and_prices_are_named() {
    let tariff =
        |cals: &[u64]| Tariff { cals: cals.iter().map(|&p| Some(p)).collect(), suites: vec![] };
    let of = |bases: &[Option<u32>], prices: &[u64], accesses: &[(u32, u32, u32)]| {
        demand(bases, &[], tariff(prices), 2, 1, accesses).unwrap_err()
    };
    assert_eq!(of(&[Some(1), Some(0)], &[1, 1], &[]), CoverError::CircularBase { cal: 0 });
    assert_eq!(of(&[Some(0)], &[1], &[]), CoverError::CircularBase { cal: 0 });
    assert_eq!(of(&[Some(4)], &[1], &[]), CoverError::UnknownBase { cal: 0, base: 4, cals: 1 });
    assert_eq!(of(&[None], &[1], &[(0, 0, 1)]), CoverError::Cal { access: 0, found: 1, cals: 1 });
    assert_eq!(of(&[None], &[0], &[]), CoverError::FreeItem { tariff: 0, item: Item::Cal(0) });
    assert_eq!(
        of(&[None], &[u64::MAX], &[]),
        CoverError::PriceSum { sum: 3 * u128::from(u64::MAX) }
    );
    assert!(matches!(of(&[None], &[1, 1], &[]), CoverError::TariffLength { cals: 2, .. }));
    assert_eq!(of(&[None; 65], &[1; 65], &[]), CoverError::TooManyCals { found: 65 });
    let empty = Catalogue::new(vec![None], vec![vec![]]);
    assert_eq!(empty, Err(CoverError::EmptySuite { suite: 0 }));
    let catalogue = Catalogue::new(vec![None], vec![]).unwrap();
    let unknown = Demand::new(catalogue, vec![], vec![], vec![None, Some(0)], vec![]);
    let expected = CoverError::UnknownTariff { side: "device", index: 1, found: 0, tariffs: 0 };
    assert_eq!(unknown, Err(expected));
}

/// The largest prices that are allowed still add up.
#[test]
fn prices_may_reach_their_bound() {
    let price = 1 << 61;
    let tariff = Tariff { cals: vec![Some(price)], suites: vec![] };
    let demand = demand(&[None], &[], tariff, 1, 1, &[(0, 0, 0)]).unwrap();
    let plan = least_price(&demand);
    assert_eq!(check::price(&demand, &plan), Ok(price));
}

#[test]
fn overcharging_a_suite_is_refused() {
    let tariff = Tariff { cals: vec![Some(9), Some(9)], suites: vec![Some(10)] };
    let accesses = [(0, 0, 0), (0, 1, 1)];
    let demand = demand(&[None; 2], &[&[0, 1]], tariff, 1, 2, &accesses).unwrap();
    let charge = |access| Charge { access, user_cal: access, device_cal: access, amount: 9 };
    let user = |cal| Purchase { holder: Holder::User(0), item: Item::Cal(cal) };
    let forged = Plan {
        purchases: vec![user(0), user(1)],
        price: 18,
        charges: vec![charge(0), charge(1)],
        uncoverable: vec![],
    };
    let (holder, item) = (Holder::User(0), Item::Suite(0));
    let expected = Refusal::Overcharged { holder, item, charged: 18, price: 10 };
    assert_eq!(check::price(&demand, &forged), Err(expected));
}

#[test]
fn from_the_break_even_on_a_connector_costs_no_more() {
    for (connector, cal) in [(80, 30), (90, 30), (1, 30), (199_900, 2_900)] {
        let even = break_even(connector, cal).unwrap();
        assert!(even * cal >= connector && (even - 1) * cal < connector);
    }
    assert_eq!(break_even(5, 0), None);
}
