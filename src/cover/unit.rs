//! The least number of CALs: a minimum vertex cover by a maximum matching (König).

use super::matching::{Incidence, Matching, NONE, Open, hopcroft_karp, peel};
use super::{Graph, Mix};

/// Finds the least number of CALs that covers every access, who takes them, and the proof.
///
/// Of all minimum covers it returns the one nearest the user side: every user who stands in at
/// least one minimum cover, and the devices that stand in every minimum cover (see the
/// [module](super) for why no order changes it). Takes O(E √V) time and O(V + E) memory, and
/// cannot fail.
///
/// ```
/// use calproof::cover::{check, least_count, Edge, Graph};
///
/// // Three people at one kiosk; the first also came from an unidentified device.
/// let edge = |user, device| Edge { user, device };
/// let edges = vec![edge(0, 0), edge(1, 0), edge(2, 0), edge(0, 1)];
/// let graph = Graph::new(vec![true; 3], vec![true, false], edges)?;
///
/// let mix = least_count(&graph);
/// assert_eq!((mix.users.as_slice(), mix.devices.as_slice()), (&[0][..], &[0][..]));
/// assert_eq!(check::count(&graph, &mix), Ok(2));
/// # Ok::<(), calproof::cover::CoverError>(())
/// ```
pub fn least_count(graph: &Graph) -> Mix {
    solve(graph, Peeling::On)
}

/// Whether degree-one nodes are matched first. The cover is the same either way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peeling {
    On,
    #[cfg(test)]
    Off,
}

pub(super) fn solve(graph: &Graph, peeling: Peeling) -> Mix {
    let edges = graph.edges();
    let incidence = Incidence::new(graph);
    let mut forced = force(graph);
    let mut core = forced.open.clone();
    match peeling {
        Peeling::On => peel(graph, &incidence, &mut core, &mut forced.matching),
        #[cfg(test)]
        Peeling::Off => {}
    }
    hopcroft_karp(graph, &incidence, &core, &mut forced.matching);
    let Forced { open, matching, uncoverable } = forced;

    // The source's side of the cut: free users, and what alternating paths reach from them. A
    // forced device is on it through the end that forces it, and leads nowhere else.
    let mut reached_users = vec![false; graph.users().len()];
    let mut reached_devices: Vec<bool> = (matching.devices.iter())
        .map(|&index| index != NONE && !graph.users()[edges[index as usize].user as usize])
        .collect();
    let mut queue: Vec<u32> = (0..)
        .zip(&open.users)
        .filter(|&(user, &is_open)| is_open && matching.users[user as usize] == NONE)
        .map(|(user, _)| user)
        .collect();
    for &user in &queue {
        reached_users[user as usize] = true;
    }
    while let Some(user) = queue.pop() {
        for index in incidence.of_user(user) {
            let device = edges[index as usize].device as usize;
            if !open.devices[device] || reached_devices[device] {
                continue;
            }
            reached_devices[device] = true;
            // A free device here would end an augmenting path, and the matching is a maximum.
            if let Some(edge) = edges.get(matching.devices[device] as usize)
                && !reached_users[edge.user as usize]
            {
                reached_users[edge.user as usize] = true;
                queue.push(edge.user);
            }
        }
    }

    let users = (0..)
        .zip(&matching.users)
        .filter(|&(user, &index)| index != NONE && !reached_users[user as usize])
        .map(|(user, _)| user)
        .collect();
    let devices = (0..)
        .zip(&reached_devices)
        .filter(|&(_, &reached)| reached)
        .map(|(device, _)| device)
        .collect();
    let mut matching: Vec<u32> = (matching.users.iter().chain(&matching.devices))
        .copied()
        .filter(|&index| index != NONE)
        .collect();
    matching.sort_unstable();
    matching.dedup();
    Mix { users, devices, matching, uncoverable }
}

/// What the ends that cannot hold a CAL decide.
struct Forced {
    /// Licensable ends that nothing forces.
    open: Open,
    /// Each forced end with the first edge that forces it.
    matching: Matching,
    uncoverable: Vec<u32>,
}

/// Licenses the other end of every edge that has one end without a CAL.
///
/// A forced end takes a CAL in every cover, and the copy of the end that forces it has no other
/// edge: the two are matched without loss, and all other edges of the forced end are covered.
fn force(graph: &Graph) -> Forced {
    let (users, devices) = (graph.users(), graph.devices());
    let mut forced = Forced {
        open: Open { users: users.to_vec(), devices: devices.to_vec() },
        matching: Matching { users: vec![NONE; users.len()], devices: vec![NONE; devices.len()] },
        uncoverable: Vec::new(),
    };
    for (index, edge) in (0..).zip(graph.edges()) {
        let (user, device) = (edge.user as usize, edge.device as usize);
        match (users[user], devices[device]) {
            (true, true) => {}
            (false, false) => forced.uncoverable.push(index),
            (true, false) if forced.open.users[user] => {
                forced.open.users[user] = false;
                forced.matching.users[user] = index;
            }
            (false, true) if forced.open.devices[device] => {
                forced.open.devices[device] = false;
                forced.matching.devices[device] = index;
            }
            (true, false) | (false, true) => {}
        }
    }
    forced
}
