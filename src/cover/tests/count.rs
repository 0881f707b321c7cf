//! The least number.

use proptest::prelude::*;

use super::{permutation, renamed};
use crate::cover::check::{self, Refusal};
use crate::cover::unit::{Peeling, solve};
use crate::cover::{CoverError, Edge, Graph, Holder, Mix, least_count};

fn edge(user: u32, device: u32) -> Edge {
    Edge { user, device }
}

fn graph(users: &[bool], devices: &[bool], edges: &[(u32, u32)]) -> Graph {
    let edges = edges.iter().map(|&(user, device)| edge(user, device)).collect();
    Graph::new(users.to_vec(), devices.to_vec(), edges).unwrap()
}

/// Up to `most` users and as many devices, one end in six not licensable.
fn graphs(most: usize, edges: usize) -> impl Strategy<Value = Graph> {
    let flags = || prop::collection::vec(prop::bool::weighted(5.0 / 6.0), 1..=most);
    (flags(), flags())
        .prop_flat_map(move |(users, devices)| {
            let one = (0..users.len() as u32, 0..devices.len() as u32);
            (Just(users), Just(devices), prop::collection::vec(one, 0..=edges))
        })
        .prop_map(|(users, devices, edges)| graph(&users, &devices, &edges))
}

/// All minimum covers, as bits: users first, then devices.
fn minimum_covers(graph: &Graph) -> Vec<u32> {
    let (users, devices) = (graph.users(), graph.devices());
    let licensable: u32 = (users.iter().chain(devices).enumerate())
        .map(|(node, &licensable)| u32::from(licensable) << node)
        .sum();
    let ends = |e: &Edge| (1_u32 << e.user) | (1 << (users.len() as u32 + e.device));
    let edges: Vec<u32> =
        graph.edges().iter().map(ends).filter(|ends| ends & licensable != 0).collect();
    let covers: Vec<u32> = (0..1_u32 << (users.len() + devices.len()))
        .filter(|set| set & !licensable == 0 && edges.iter().all(|ends| set & ends != 0))
        .collect();
    let least = covers.iter().map(|set| set.count_ones()).min().unwrap();
    covers.into_iter().filter(|set| set.count_ones() == least).collect()
}

/// The canonical cover by its definition: users of any, devices of all minimum covers.
fn canonical(graph: &Graph) -> (Vec<u32>, Vec<u32>) {
    let covers = minimum_covers(graph);
    let any = covers.iter().fold(0, |bits, set| bits | set);
    let all = covers.iter().fold(u32::MAX, |bits, set| bits & set);
    let users = graph.users().len() as u32;
    let devices = graph.devices().len() as u32;
    (
        (0..users).filter(|u| any & (1 << u) != 0).collect(),
        (0..devices).filter(|d| all & (1 << (users + d)) != 0).collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn equals_brute_force(graph in graphs(6, 14)) {
        let mix = least_count(&graph);
        let (users, devices) = canonical(&graph);
        prop_assert_eq!(&mix.users, &users);
        prop_assert_eq!(&mix.devices, &devices);
        prop_assert_eq!(check::count(&graph, &mix), Ok(users.len() + devices.len()));
    }

    #[test]
    fn peeling_changes_no_cover(graph in graphs(12, 30)) {
        let (with, without) = (solve(&graph, Peeling::On), solve(&graph, Peeling::Off));
        prop_assert_eq!(check::count(&graph, &without), Ok(with.size()));
        prop_assert_eq!((with.users, with.devices), (without.users, without.devices));
    }

    #[test]
    fn numbering_and_order_change_no_cover(
        graph in graphs(40, 110),
        keys in prop::collection::vec(any::<u32>(), 40),
        device_keys in prop::collection::vec(any::<u32>(), 40),
        edge_keys in prop::collection::vec(any::<u32>(), 110),
    ) {
        let to_user = permutation(&keys, graph.users().len());
        let to_device = permutation(&device_keys, graph.devices().len());
        let mut users = graph.users().to_vec();
        let mut devices = graph.devices().to_vec();
        for (old, &new) in to_user.iter().enumerate() {
            users[new as usize] = graph.users()[old];
        }
        for (old, &new) in to_device.iter().enumerate() {
            devices[new as usize] = graph.devices()[old];
        }
        let mut edges: Vec<(u32, Edge)> = edge_keys.into_iter().zip(graph.edges().iter()
            .map(|e| edge(to_user[e.user as usize], to_device[e.device as usize]))).collect();
        edges.sort_by_key(|&(key, _)| key);
        let mut edges: Vec<Edge> = edges.into_iter().map(|(_, edge)| edge).collect();
        edges.extend_from_within(..edges.len() / 2);
        let other = Graph::new(users, devices, edges).unwrap();

        let (mix, moved) = (least_count(&graph), least_count(&other));
        prop_assert_eq!(renamed(&mix.users, &to_user), moved.users);
        prop_assert_eq!(renamed(&mix.devices, &to_device), moved.devices);
        prop_assert_eq!(mix.uncoverable.len(), moved.uncoverable.len());
    }

    #[test]
    fn the_checker_accepts_nothing_that_is_not_least(
        graph in graphs(5, 10),
        edits in prop::collection::vec((0..4_usize, any::<bool>(), 0..10_u32), 1..4),
    ) {
        let mut mix = least_count(&graph);
        for (list, add, value) in edits {
            let list = match list {
                0 => &mut mix.users,
                1 => &mut mix.devices,
                2 => &mut mix.matching,
                _ => &mut mix.uncoverable,
            };
            if add {
                list.push(value);
            } else if !list.is_empty() {
                list.remove(value as usize % list.len());
            }
        }
        if let Ok(size) = check::count(&graph, &mix) {
            let users = graph.users().len() as u32;
            let set = mix.users.iter().fold(0, |bits, u| bits | 1 << u)
                | mix.devices.iter().fold(0, |bits, d| bits | 1 << (users + d));
            prop_assert!(minimum_covers(&graph).contains(&set));
            prop_assert_eq!(size, mix.size());
        }
    }

    #[test]
    fn the_checker_refuses_every_single_change(graph in graphs(6, 14)) {
        let mix = least_count(&graph);
        let refuses = |change: &dyn Fn(&mut Mix)| {
            let mut changed = mix.clone();
            change(&mut changed);
            check::count(&graph, &changed).is_err()
        };
        for place in 0..mix.users.len() {
            assert!(refuses(&|m| { m.users.remove(place); }));
            assert!(refuses(&|m| m.users.push(m.users[place])));
        }
        for place in 0..mix.devices.len() {
            assert!(refuses(&|m| { m.devices.remove(place); }));
        }
        for place in 0..mix.matching.len() {
            assert!(refuses(&|m| { m.matching.remove(place); }));
        }
        for index in 0..graph.edges().len() as u32 {
            assert!(refuses(&|m| m.matching.push(index)));
            assert!(refuses(&|m| match m.uncoverable.iter().position(|&u| u == index) {
                Some(place) => { m.uncoverable.remove(place); }
                None => m.uncoverable.push(index),
            }));
        }
        for user in 0..graph.users().len() as u32 {
            assert!(refuses(&|m| m.users.push(user)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn larger_graphs_are_proved(graph in graphs(300, 900)) {
        let (mix, unpeeled) = (least_count(&graph), solve(&graph, Peeling::Off));
        prop_assert_eq!(check::count(&graph, &mix), Ok(mix.size()));
        prop_assert_eq!((mix.users, mix.devices), (unpeeled.users, unpeeled.devices));
    }
}

#[test]
fn nothing_needs_nothing() {
    let mix = least_count(&graph(&[true], &[false, true], &[]));
    assert_eq!(mix, Mix::default());
    let none = graph(&[], &[], &[]);
    assert_eq!(check::count(&none, &least_count(&none)), Ok(0));
}

/// Section 9 of the counting rules: anna, ben, cem, dora, adm3; ActiveSync phone, kiosk, and two
/// unidentified devices.
#[test]
fn the_worked_example_needs_two_users_and_one_device() {
    let edges = [(0, 0), (0, 2), (1, 1), (2, 1), (3, 1), (4, 3)];
    let graph = graph(&[true; 5], &[true, true, false, false], &edges);
    let mix = least_count(&graph);
    assert_eq!((mix.users.as_slice(), mix.devices.as_slice()), (&[0, 4][..], &[1][..]));
    assert_eq!(check::count(&graph, &mix), Ok(3));
    let proof: Vec<Edge> = mix.matching.iter().map(|&i| graph.edges()[i as usize]).collect();
    assert_eq!(proof, [edge(0, 2), edge(1, 1), edge(4, 3)]);
}

#[test]
fn a_tie_goes_to_the_user() {
    let mix = least_count(&graph(&[true], &[true], &[(0, 0)]));
    assert_eq!((mix.users, mix.devices), (vec![0], vec![]));
}

#[test]
fn a_shared_account_may_prove_several_devices() {
    let graph = graph(&[false, true], &[true, true, false], &[(0, 0), (0, 1), (0, 2), (1, 1)]);
    let mix = least_count(&graph);
    assert_eq!((mix.users.as_slice(), mix.devices.as_slice()), (&[][..], &[0, 1][..]));
    assert_eq!((mix.matching.as_slice(), mix.uncoverable.as_slice()), (&[0, 1][..], &[2][..]));
    assert_eq!(check::count(&graph, &mix), Ok(2));
}

/// A path of 200,001 nodes: one long alternating chain, which recursion would not survive.
#[test]
fn long_chains_need_no_stack() {
    let edges: Vec<(u32, u32)> = (0..100_000).flat_map(|i| [(i, i), (i, i + 1)]).collect();
    let graph = graph(&vec![true; 100_000], &vec![true; 100_001], &edges);
    for peeling in [Peeling::On, Peeling::Off] {
        let mix = solve(&graph, peeling);
        assert_eq!((mix.users.len(), mix.devices.len()), (100_000, 0));
        assert_eq!(check::count(&graph, &mix), Ok(100_000));
    }
}

#[test]
fn a_proof_of_the_uncoverable_is_refused() {
    let graph = graph(&[false, true], &[false, true], &[(0, 0), (1, 1)]);
    let forged =
        Mix { users: vec![1], devices: vec![1], matching: vec![0, 1], uncoverable: vec![0] };
    assert_eq!(check::count(&graph, &forged), Err(Refusal::ProvesNothing { access: 0 }));
    let forged = Mix { users: vec![0], matching: vec![1], uncoverable: vec![0], ..Mix::default() };
    let holder = Holder::User(0);
    assert_eq!(check::count(&graph, &forged), Err(Refusal::NotLicensable { holder }));
}

#[test]
fn accesses_of_nobody_are_named() {
    let found = Graph::new(vec![true], vec![true], vec![edge(0, 0), edge(1, 0)]).unwrap_err();
    assert_eq!(found, CoverError::User { access: 1, found: 1, users: 1 });
    assert_eq!(found.to_string(), "access 1: found user 1, but there are 1 users, counted from 0");
    let found = Graph::new(vec![true], vec![true], vec![edge(0, 7)]).unwrap_err();
    assert_eq!(found, CoverError::Device { access: 0, found: 7, devices: 1 });
}
