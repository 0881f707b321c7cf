//! The least price: one minimum cut.
//!
//! # The network
//!
//! Buying is cutting. Of every user, each CAL that its accesses need is a node, and so is each
//! suite on sale that grants one of them; likewise of every device:
//!
//! ```text
//!            suite price     suite price      CAL price                                 CAL price
//! source ──► outer suite ──► inner suite ──► user's CAL ──► device's CAL ──► (suites) ──► sink
//!                                            (base)  │ unbounded   ▲ (base)
//!                                                    ▼             │ unbounded
//!                                       user's additive CAL ──► device's additive CAL
//! ```
//!
//! - The arc into a suite or CAL costs its price: cutting it is buying it. The suites that grant a
//!   CAL lie on its way in, the larger before the smaller, so that buying any of them cuts it off.
//!   This is a tree because suites are nested or disjoint. What is not sold has an unbounded arc.
//! - An access is an unbounded arc from its user's CAL to its device's: one of the two must be cut
//!   off, the user's from the source or the device's from the sink.
//! - A base has an unbounded arc to the user's additive CAL: the source must reach neither, so who
//!   is covered by the additive CAL holds the base as well. At devices the arc runs the other way.
//! - A node of an end that cannot hold a CAL hangs on source or sink by an unbounded arc.
//!
//! A cut of least capacity is a plan of least price. A flow of the same value proves it: what flows
//! over an access, traced to the CAL price that it passes on either side, is a [`Charge`].

use std::ops::Range;

use super::flow::{Network, UNBOUNDED};
use super::price::{Access, Charge, Demand, Holder, Item, Plan, Purchase};
use super::terms::{Branch, Terms};

/// Finds the plan of least price that covers every access, and the proof.
///
/// Covers additive CALs and suites as [`Demand`] has them. Of all plans of least price it returns
/// the minimum cut nearest the source: a user holds every needed CAL that it holds in at least one
/// of them, and devices buy only what this leaves; where a suite costs a user as much as its parts
/// together the user takes the suite, a device the parts. The order and numbering of users, devices
/// and accesses change nothing in it (those of CALs and suites are the catalogue's). Cannot fail:
/// [`Demand::new`] refused what has no answer.
///
/// ```
/// use calproof::cover::{check, least_price, Access, Catalogue, Demand, Tariff};
///
/// // CAL 1 (Enterprise) is additive to CAL 0 (Standard). Two people use Standard features at one
/// // kiosk, and the first uses Enterprise features there.
/// let catalogue = Catalogue::new(vec![None, Some(0)], vec![])?;
/// let tariff = Tariff { cals: vec![Some(6700), Some(3500)], suites: vec![] };
/// let access = |user, cal| Access { user, device: 0, cal };
/// let accesses = vec![access(0, 0), access(1, 0), access(0, 1)];
/// let demand = Demand::new(catalogue, vec![tariff], vec![Some(0); 2], vec![Some(0)], accesses)?;
///
/// // One device CAL of each kind; a user CAL for Enterprise would need a second Standard one.
/// let plan = least_price(&demand);
/// assert_eq!(plan.price, 10_200);
/// assert_eq!(check::price(&demand, &plan), Ok(10_200));
/// # Ok::<(), calproof::cover::CoverError>(())
/// ```
pub fn least_price(demand: &Demand) -> Plan {
    let terms = Terms::new(demand);
    let mut plan = Plan::default();
    let mut live = Vec::new();
    for (index, access) in (0..).zip(demand.accesses()) {
        let coverable = terms.usable(demand.users()[access.user as usize])
            | terms.usable(demand.devices()[access.device as usize]);
        if coverable & (1 << access.cal) == 0 {
            plan.uncoverable.push(index);
        } else {
            live.push(index);
        }
    }
    let mut network = Network::default();
    let mut local = vec![u32::MAX; demand.devices().len()];
    for component in components(demand, &mut live) {
        solve(demand, &terms, component, &mut network, &mut local, &mut plan);
    }
    plan.purchases.sort_unstable();
    plan.charges.sort_unstable();
    plan
}

/// Groups the live accesses by connected component of users and devices.
///
/// Components come in the order of their smallest user; inside one, accesses ascend.
fn components<'a>(demand: &Demand, live: &'a mut Vec<u32>) -> impl Iterator<Item = &'a [u32]> {
    let users = demand.users().len() as u32;
    let accesses = demand.accesses();
    let mut parent: Vec<u32> = (0..users + demand.devices().len() as u32).collect();
    for &index in live.iter() {
        let access = accesses[index as usize];
        let user = root(&mut parent, access.user);
        let device = root(&mut parent, users + access.device);
        // The smallest node, a user, stays the root.
        parent[user.max(device) as usize] = user.min(device);
    }
    // Number the components by their roots, and count their accesses.
    let mut number = vec![u32::MAX; users as usize];
    let mut sizes: Vec<usize> = Vec::new();
    for &index in live.iter() {
        let root = root(&mut parent, accesses[index as usize].user) as usize;
        if number[root] == u32::MAX {
            number[root] = sizes.len() as u32;
            sizes.push(0);
        }
        sizes[number[root] as usize] += 1;
    }
    let mut places: Vec<usize> = Vec::with_capacity(sizes.len());
    let mut place = 0;
    for size in &sizes {
        places.push(place);
        place += size;
    }
    let mut grouped = vec![0; live.len()];
    for &index in live.iter() {
        let root = root(&mut parent, accesses[index as usize].user) as usize;
        let place = &mut places[number[root] as usize];
        grouped[*place] = index;
        *place += 1;
    }
    *live = grouped;
    let mut rest = live.as_slice();
    sizes.into_iter().map(move |size| {
        let (component, after) = rest.split_at(size);
        rest = after;
        component
    })
}

/// The root of a node's set, halving the way there.
fn root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        let above = parent[parent[node as usize] as usize];
        parent[node as usize] = above;
        node = above;
    }
    node
}

/// One user or device in the network of its component.
struct Placed {
    holder: Holder,
    tariff: Option<u32>,
    /// The CALs, as bits, that have a node; nodes are numbered from `node` in this order.
    need: u64,
    node: u32,
    /// The first of its arcs, in the order in which [`Placed::arcs`] goes.
    arc: u32,
    /// Where its accesses stand in the component's order by user or by device.
    accesses: Range<usize>,
}

impl Placed {
    /// The node of a CAL that is needed.
    fn cal(&self, cal: u32) -> u32 {
        self.node + (self.need & ((1 << cal) - 1)).count_ones()
    }

    /// The CALs that have a node, ascending.
    fn cals(&self) -> impl Iterator<Item = u32> + use<> {
        let need = self.need;
        (0..64).filter(move |cal| need & (1 << cal) != 0)
    }

    /// Adds an arc between the side of the source or sink (`outer`) and that of the accesses.
    fn link(&self, network: &mut Network, outer: u32, inner: u32, capacity: u64) -> u32 {
        match self.holder {
            Holder::User(_) => network.arc(outer, inner, capacity),
            Holder::Device(_) => network.arc(inner, outer, capacity),
        }
    }

    /// Adds the holder's nodes, prices and bases; notes every arc that stands for a purchase.
    fn place(
        &mut self,
        terms: &Terms,
        outer: u32,
        network: &mut Network,
        offers: &mut Vec<(u32, u32, Purchase)>,
    ) {
        self.node = network.nodes(self.need.count_ones());
        let tree = terms.tree(self.tariff);
        let branches = tree.map_or_else(Vec::new, |tree| tree.binding(self.need));
        let first = network.nodes(branches.len() as u32);
        // Branches run from the outer to the inner, so the last that grants a CAL is its parent.
        let parent = |branches: &[&Branch], set: u64| {
            let place = branches.iter().rposition(|branch| branch.grants & set != 0);
            place.map_or(outer, |place| first + place as u32)
        };
        for (number, cal) in self.cals().enumerate() {
            let price = tree.map_or(UNBOUNDED, |tree| tree.cals[cal as usize]);
            let above = parent(&branches, 1 << cal);
            let arc = self.link(network, above, self.cal(cal), price);
            if number == 0 {
                self.arc = arc;
            }
            if price != UNBOUNDED {
                let purchase = Purchase { holder: self.holder, item: Item::Cal(cal) };
                offers.push((above, self.cal(cal), purchase));
            }
            if let Some(base) = self.base(terms, cal) {
                self.link(network, self.cal(base), self.cal(cal), UNBOUNDED);
            }
        }
        for (place, branch) in branches.iter().enumerate() {
            let above = parent(&branches[..place], branch.grants);
            let node = first + place as u32;
            self.link(network, above, node, branch.price);
            let purchase = Purchase { holder: self.holder, item: Item::Suite(branch.suite) };
            offers.push((above, node, purchase));
        }
    }

    /// The base of a CAL, where it has a node.
    fn base(&self, terms: &Terms, cal: u32) -> Option<u32> {
        terms.bases[cal as usize].filter(|base| self.need & (1 << base) != 0)
    }

    /// Traces the flow over the holder's accesses to the prices that it passes.
    ///
    /// `taken` has each access with its CAL and flow. A CAL's own price feeds it first, in
    /// the order of the catalogue's bases; what an additive CAL draws from its base stays marked
    /// with the CAL whose price it passed.
    fn trace(
        &self,
        terms: &Terms,
        network: &Network,
        taken: &[(u32, u32, u64)],
        traced: &mut Vec<Part>,
    ) {
        // Most holders have a single CAL, and all their flow passes its price.
        if self.need.count_ones() == 1 {
            let parts = taken.iter().filter(|(_, _, flow)| *flow > 0);
            traced.extend(parts.map(|&(access, cal, amount)| Part { access, cal, amount }));
            return;
        }
        let mut own = [0_u64; 64];
        let mut drawn = [0_u64; 64];
        let mut arc = self.arc;
        for cal in self.cals() {
            own[cal as usize] = network.flow(arc);
            arc += 2;
            if self.base(terms, cal).is_some() {
                drawn[cal as usize] = network.flow(arc);
                arc += 2;
            }
        }
        let mut pools: Vec<Vec<(u32, u64)>> = vec![Vec::new(); terms.bases.len()];
        for &cal in terms.order.iter().filter(|&&cal| self.need & (1 << cal) != 0) {
            if own[cal as usize] > 0 {
                pools[cal as usize].push((cal, own[cal as usize]));
            }
            if let Some(base) = self.base(terms, cal) {
                let mut from_base = std::mem::take(&mut pools[base as usize]);
                let pool = &mut pools[cal as usize];
                draw(&mut from_base, drawn[cal as usize], |cal, amount| pool.push((cal, amount)));
                pools[base as usize] = from_base;
            }
        }
        for &(access, cal, flow) in taken {
            draw(&mut pools[cal as usize], flow, |cal, amount| {
                traced.push(Part { access, cal, amount });
            });
        }
    }
}

/// The part of an access's flow that passes the price of one CAL of one end.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Part {
    access: u32,
    cal: u32,
    amount: u64,
}

/// Takes `amount` out of a pool, piece by piece from its end.
fn draw(pool: &mut Vec<(u32, u64)>, mut amount: u64, mut take: impl FnMut(u32, u64)) {
    while amount > 0 {
        let Some((cal, left)) = pool.pop() else { return };
        let piece = left.min(amount);
        take(cal, piece);
        amount -= piece;
        if left > piece {
            pool.push((cal, left - piece));
        }
    }
}

/// Solves one component and adds its purchases and charges to the plan.
///
/// `local` is working memory, one entry per device.
fn solve(
    demand: &Demand,
    terms: &Terms,
    component: &[u32],
    network: &mut Network,
    local: &mut [u32],
    plan: &mut Plan,
) {
    let accesses: Vec<Access> =
        component.iter().map(|&index| demand.accesses()[index as usize]).collect();
    network.clear();
    let (source, sink) = (network.nodes(1), network.nodes(1));
    let mut offers = Vec::new();

    let by_user: Vec<u32> = (0..accesses.len() as u32).collect();
    let mut users = placed(demand, terms, &accesses, &by_user, |a| Holder::User(a.user));
    for user in &mut users {
        user.place(terms, source, network, &mut offers);
    }
    let by_device = group_devices(&accesses, local);
    let mut devices = placed(demand, terms, &accesses, &by_device, |a| Holder::Device(a.device));
    for device in &mut devices {
        device.place(terms, sink, network, &mut offers);
    }

    let mut arcs = Vec::with_capacity(accesses.len());
    for user in &users {
        for &Access { device, cal, .. } in &accesses[user.accesses.clone()] {
            let device = &devices[local[device as usize] as usize];
            arcs.push(network.arc(user.cal(cal), device.cal(cal), UNBOUNDED));
        }
    }

    plan.price += network.maximise(source, sink);
    let bought = offers.into_iter().filter(|&(outer, inner, purchase)| match purchase.holder {
        Holder::User(_) => network.reached(outer) && !network.reached(inner),
        Holder::Device(_) => network.reached(inner) && !network.reached(outer),
    });
    plan.purchases.extend(bought.map(|(_, _, purchase)| purchase));

    let traced = |holders: &[Placed], order: &[u32]| {
        let (mut traced, mut taken) = (Vec::new(), Vec::new());
        for holder in holders {
            taken.clear();
            taken.extend(order[holder.accesses.clone()].iter().map(|&place| {
                let place = place as usize;
                (component[place], accesses[place].cal, network.flow(arcs[place]))
            }));
            holder.trace(terms, network, &taken, &mut traced);
        }
        traced
    };
    join(traced(&users, &by_user), traced(&devices, &by_device), &mut plan.charges);
}

/// The places of a component's accesses, grouped by device, and ascending in each group.
///
/// Numbers the devices in `local` in the order of the groups, which is that of first appearance.
fn group_devices(accesses: &[Access], local: &mut [u32]) -> Vec<u32> {
    let mut starts: Vec<u32> = Vec::new();
    for access in accesses {
        let number = &mut local[access.device as usize];
        if *number == u32::MAX {
            *number = starts.len() as u32;
            starts.push(0);
        }
        starts[*number as usize] += 1;
    }
    let mut start = 0;
    for count in &mut starts {
        start += std::mem::replace(count, start);
    }
    let mut grouped = vec![0; accesses.len()];
    for (place, access) in (0..).zip(accesses) {
        let start = &mut starts[local[access.device as usize] as usize];
        grouped[*start as usize] = place;
        *start += 1;
    }
    grouped
}

/// Groups accesses, ordered by holder, into holders that have no nodes yet.
fn placed(
    demand: &Demand,
    terms: &Terms,
    accesses: &[Access],
    order: &[u32],
    holder: impl Fn(Access) -> Holder,
) -> Vec<Placed> {
    let access = |place: u32| accesses[place as usize];
    let mut start = 0;
    order
        .chunk_by(|&a, &b| holder(access(a)) == holder(access(b)))
        .map(|group| {
            let holder = holder(access(group[0]));
            let tariff = match holder {
                Holder::User(user) => demand.users()[user as usize],
                Holder::Device(device) => demand.devices()[device as usize],
            };
            let need = group.iter().fold(0, |need, &place| {
                let cal = access(place).cal;
                // Who cannot hold a CAL needs no base for it either.
                need | tariff.map_or(1 << cal, |_| terms.closures[cal as usize])
            });
            let accesses = start..start + group.len();
            start = accesses.end;
            Placed { holder, tariff, need, node: 0, arc: 0, accesses }
        })
        .collect()
}

/// Joins the parts of each access at its user with those at its device, amount by amount.
fn join(mut at_users: Vec<Part>, mut at_devices: Vec<Part>, charges: &mut Vec<Charge>) {
    at_users.sort_unstable();
    at_devices.sort_unstable();
    let mut at_devices = at_devices.into_iter();
    let mut at_device = at_devices.next();
    for mut at_user in at_users {
        // Both sides hold the same amount per access, so they run out of an access together.
        while let Some(part) = at_device.as_mut().filter(|_| at_user.amount > 0) {
            let amount = at_user.amount.min(part.amount);
            charges.push(Charge {
                access: at_user.access,
                user_cal: at_user.cal,
                device_cal: part.cal,
                amount,
            });
            at_user.amount -= amount;
            part.amount -= amount;
            if part.amount == 0 {
                at_device = at_devices.next();
            }
        }
    }
}
