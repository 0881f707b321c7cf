//! A maximum matching of users with devices: degree-one nodes peeled, then Hopcroft–Karp.

use super::{Edge, Graph};

/// No edge, or not reached.
pub(super) const NONE: u32 = u32::MAX;

/// Where the edges of each user and of each device stand.
pub(super) struct Incidence {
    user_starts: Vec<u32>,
    device_starts: Vec<u32>,
    by_device: Vec<u32>,
}

impl Incidence {
    pub(super) fn new(graph: &Graph) -> Incidence {
        let edges = graph.edges();
        let user_starts = starts(graph.users().len(), edges.iter().map(|e| e.user));
        let device_starts = starts(graph.devices().len(), edges.iter().map(|e| e.device));
        let mut next = device_starts.clone();
        let mut by_device = vec![0; edges.len()];
        for (index, edge) in (0..).zip(edges) {
            let place = &mut next[edge.device as usize];
            by_device[*place as usize] = index;
            *place += 1;
        }
        Incidence { user_starts, device_starts, by_device }
    }

    /// The edges of a user; they are neighbours, because edges are sorted by user.
    pub(super) fn of_user(&self, user: u32) -> std::ops::Range<u32> {
        self.user_starts[user as usize]..self.user_starts[user as usize + 1]
    }

    /// The edges of a device, ascending.
    pub(super) fn of_device(&self, device: u32) -> &[u32] {
        let device = device as usize;
        let range = self.device_starts[device] as usize..self.device_starts[device + 1] as usize;
        &self.by_device[range]
    }
}

/// Counts the keys: the keys below `k` end where `starts[k]` says.
fn starts(len: usize, keys: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0; len + 1];
    for key in keys {
        starts[key as usize + 1] += 1;
    }
    for i in 0..len {
        starts[i + 1] += starts[i];
    }
    starts
}

/// The users and devices that still take part.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) users: Vec<bool>,
    pub(super) devices: Vec<bool>,
}

/// The matched edge of each user and each device, or [`NONE`].
pub(super) struct Matching {
    pub(super) users: Vec<u32>,
    pub(super) devices: Vec<u32>,
}

impl Matching {
    fn join(&mut self, index: u32, edge: Edge) {
        self.users[edge.user as usize] = index;
        self.devices[edge.device as usize] = index;
    }
}

/// Matches nodes of degree one with their only neighbour until none is left, and closes both.
///
/// A node of degree one can always be matched with its neighbour without loss, so a maximum
/// matching of what stays open completes a maximum matching of the whole.
pub(super) fn peel(graph: &Graph, incidence: &Incidence, open: &mut Open, matching: &mut Matching) {
    let (edges, users) = (graph.edges(), graph.users().len());
    // Of each node (users first): its open edges, and the exclusive or of their indices, which is
    // the index itself once a single edge is left.
    let mut degree = vec![0_u32; users + graph.devices().len()];
    let mut only = vec![0_u32; degree.len()];
    for (index, edge) in (0..).zip(edges) {
        let (user, device) = (edge.user as usize, edge.device as usize);
        if open.users[user] && open.devices[device] {
            for node in [user, users + device] {
                degree[node] += 1;
                only[node] ^= index;
            }
        }
    }
    let mut leaves: Vec<usize> = (0..degree.len()).filter(|&node| degree[node] == 1).collect();
    let mut next = 0;
    while let Some(&leaf) = leaves.get(next) {
        next += 1;
        if degree[leaf] != 1 {
            continue;
        }
        let Edge { user, device } = edges[only[leaf] as usize];
        matching.join(only[leaf], Edge { user, device });
        open.users[user as usize] = false;
        open.devices[device as usize] = false;
        degree[user as usize] = 0;
        degree[users + device as usize] = 0;
        let mut lose = |node: usize, index: u32| {
            degree[node] -= 1;
            only[node] ^= index;
            if degree[node] == 1 {
                leaves.push(node);
            }
        };
        for index in incidence.of_user(user) {
            let device = edges[index as usize].device as usize;
            if open.devices[device] {
                lose(users + device, index);
            }
        }
        for &index in incidence.of_device(device) {
            let user = edges[index as usize].user as usize;
            if open.users[user] {
                lose(user, index);
            }
        }
    }
}

/// Completes the matching among the open nodes to a maximum one, component by component.
pub(super) fn hopcroft_karp(
    graph: &Graph,
    incidence: &Incidence,
    open: &Open,
    matching: &mut Matching,
) {
    let mut search = Search {
        edges: graph.edges(),
        incidence,
        open,
        layer: vec![NONE; graph.users().len()],
        cursor: vec![0; graph.users().len()],
        queue: Vec::new(),
        path: Vec::new(),
    };
    let mut seen =
        Open { users: vec![false; open.users.len()], devices: vec![false; open.devices.len()] };
    let mut members = Vec::new();
    for (first, &is_open) in (0..).zip(&open.users) {
        if is_open && !seen.users[first as usize] {
            search.component(first, &mut seen, &mut members);
            while search.layers(&members, matching) {
                search.augment(&members, matching);
            }
        }
    }
}

/// The working memory of Hopcroft–Karp.
struct Search<'a> {
    edges: &'a [Edge],
    incidence: &'a Incidence,
    open: &'a Open,
    /// The layer of each user in the breadth-first search, or [`NONE`].
    layer: Vec<u32>,
    /// The next edge that the depth-first search tries at each user.
    cursor: Vec<u32>,
    queue: Vec<u32>,
    path: Vec<u32>,
}

impl Search<'_> {
    /// Collects the users of the component of `first` into `members`.
    fn component(&self, first: u32, seen: &mut Open, members: &mut Vec<u32>) {
        members.clear();
        members.push(first);
        seen.users[first as usize] = true;
        let mut next = 0;
        while let Some(&user) = members.get(next) {
            next += 1;
            for index in self.incidence.of_user(user) {
                let device = self.edges[index as usize].device;
                if !self.open.devices[device as usize] || seen.devices[device as usize] {
                    continue;
                }
                seen.devices[device as usize] = true;
                for &index in self.incidence.of_device(device) {
                    let user = self.edges[index as usize].user;
                    if self.open.users[user as usize] && !seen.users[user as usize] {
                        seen.users[user as usize] = true;
                        members.push(user);
                    }
                }
            }
        }
    }

    /// Layers the users by their distance from a free one; tells whether a free device is in reach.
    fn layers(&mut self, members: &[u32], matching: &Matching) -> bool {
        self.queue.clear();
        for &user in members {
            self.cursor[user as usize] = self.incidence.of_user(user).start;
            self.layer[user as usize] = NONE;
            if matching.users[user as usize] == NONE {
                self.layer[user as usize] = 0;
                self.queue.push(user);
            }
        }
        let (mut next, mut last) = (0, NONE);
        while let Some(&user) = self.queue.get(next) {
            next += 1;
            let layer = self.layer[user as usize];
            if layer > last {
                break;
            }
            for index in self.incidence.of_user(user) {
                let device = self.edges[index as usize].device as usize;
                if !self.open.devices[device] {
                    continue;
                }
                match matching.devices[device] {
                    NONE => last = layer,
                    matched => {
                        let mate = self.edges[matched as usize].user;
                        if self.layer[mate as usize] == NONE {
                            self.layer[mate as usize] = layer + 1;
                            self.queue.push(mate);
                        }
                    }
                }
            }
        }
        last != NONE
    }

    /// Turns over a maximal set of disjoint augmenting paths along the layers.
    fn augment(&mut self, members: &[u32], matching: &mut Matching) {
        for &free in members {
            if matching.users[free as usize] != NONE {
                continue;
            }
            self.path.clear();
            self.path.push(free);
            while let Some(&user) = self.path.last() {
                match self.step(user, matching) {
                    Step::Free => {
                        for &user in &self.path {
                            let index = self.cursor[user as usize];
                            matching.join(index, self.edges[index as usize]);
                            self.layer[user as usize] = NONE;
                        }
                        break;
                    }
                    Step::To(mate) => self.path.push(mate),
                    Step::Dead => {
                        self.layer[user as usize] = NONE;
                        self.path.pop();
                    }
                }
            }
        }
    }

    /// Moves the user's cursor to the next edge that leads on.
    fn step(&mut self, user: u32, matching: &Matching) -> Step {
        let layer = self.layer[user as usize];
        let end = self.incidence.of_user(user).end;
        while self.cursor[user as usize] < end {
            let device = self.edges[self.cursor[user as usize] as usize].device as usize;
            if self.open.devices[device] {
                match matching.devices[device] {
                    NONE => return Step::Free,
                    matched => {
                        let mate = self.edges[matched as usize].user;
                        if self.layer[mate as usize] == layer + 1 {
                            return Step::To(mate);
                        }
                    }
                }
            }
            self.cursor[user as usize] += 1;
        }
        Step::Dead
    }
}

/// Where an edge of the depth-first search leads.
enum Step {
    /// To a free device: the path is complete.
    Free,
    /// Over a matched device to the user it is matched with.
    To(u32),
    /// Nowhere: the user has no edge left.
    Dead,
}
