//! Whom to license: the least number, or the least price, of CALs that covers every access, proved.
//!
//! A CAL licenses one user or one device, so each access needs its user or its device licensed.
//! Users and devices are the two sides of a bipartite graph, each distinct access is an edge, and
//! a set of CALs that suffices is a vertex cover.
//!
//! - [`least_count`] finds the least number of CALs of one kind (Hopcroft–Karp and König);
//! - [`least_price`] finds the least price over several kinds of CAL, additive CALs and suites
//!   included (one minimum cut, Dinic);
//! - [`connectors`] chooses between an External Connector and CALs, server by server;
//! - [`check`] verifies what they return, and shares no code with them.
//!
//! Everything here is indices: users, devices, CALs and edges are counted from 0, and the caller
//! keeps the names and the witness rows. "Users only" and "devices only" need no solver.
//!
//! # Ends that cannot hold a CAL
//!
//! A declared shared account cannot hold a user CAL and an unidentified device cannot hold a
//! device CAL. Such an end is *not licensable*: it counts as one copy per edge, so that each of its
//! accesses forces the other end, and it may stand in the proof as often as it likes. An edge
//! between two of them has no cover; it is returned apart as `uncoverable`, never dropped.
//!
//! # The same answer for the same accesses
//!
//! Among the covers of least size there can be many. Returned is the minimum cut nearest the user
//! side (source at the users): the set that the source reaches in the residual graph, which is the
//! same for every maximum flow. In words: it takes **every user who stands in at least one minimum
//! cover, and only those devices that stand in every minimum cover.** Neither the order of edges nor
//! the numbering of users and devices has a say in it. Which edges prove it does depend on the
//! numbering; the same input always gives the same proof.

mod connector;
mod error;
mod flow;
mod matching;
mod plan;
mod price;
mod terms;
#[cfg(test)]
mod tests;
mod unit;

pub mod check;

pub use connector::{Connectors, break_even, connectors};
pub use error::CoverError;
pub use plan::least_price;
pub use price::{Access, Catalogue, Charge, Demand, Holder, Item, Plan, Purchase, Tariff};
pub use unit::least_count;

/// The most edges, users or devices that one graph may have.
const LARGEST: usize = 1 << 30;

/// One access: a user reached the product from a device.
///
/// Ordered by user, then device.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Edge {
    /// The user's index, from 0.
    pub user: u32,
    /// The device's index, from 0.
    pub device: u32,
}

/// The accesses of one product: who reached it, from what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Graph {
    users: Vec<bool>,
    devices: Vec<bool>,
    edges: Vec<Edge>,
}

impl Graph {
    /// Makes the canonical graph: edges sorted by user, then device, each once.
    ///
    /// `users[i]` says whether user `i` can hold a user CAL, `devices[i]` whether device `i` can
    /// hold a device CAL. Ends without an edge are allowed and never licensed. If `edges` is already
    /// sorted and free of repetitions, edge indices stay what the caller has.
    ///
    /// Fails when an edge names a user or device that does not exist, or when there are more than
    /// 2^30 edges, users or devices.
    pub fn new(
        users: Vec<bool>,
        devices: Vec<bool>,
        mut edges: Vec<Edge>,
    ) -> Result<Graph, CoverError> {
        error::within_size(users.len(), devices.len(), edges.len())?;
        for (access, edge) in edges.iter().enumerate() {
            error::within_range(access, edge.user, users.len(), edge.device, devices.len())?;
        }
        edges.sort_unstable();
        edges.dedup();
        Ok(Graph { users, devices, edges })
    }

    /// Per user: whether it can hold a user CAL.
    pub fn users(&self) -> &[bool] {
        &self.users
    }

    /// Per device: whether it can hold a device CAL.
    pub fn devices(&self) -> &[bool] {
        &self.devices
    }

    /// The edges, sorted and distinct; an edge index points into this slice.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}

/// A least mix of user and device CALs, and the proof that fewer cannot do.
///
/// All lists ascend. The cover (`users` and `devices`) shows that its size suffices. The
/// `matching` has as many edges, and no licensable user and no licensable device occurs in it
/// twice: each of those accesses needs a CAL of its own, so fewer cannot suffice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mix {
    /// The users who take a user CAL.
    pub users: Vec<u32>,
    /// The devices that take a device CAL.
    pub devices: Vec<u32>,
    /// The proof: indices into [`Graph::edges`].
    pub matching: Vec<u32>,
    /// Edges between two ends that cannot hold a CAL, as indices into [`Graph::edges`].
    pub uncoverable: Vec<u32>,
}

impl Mix {
    /// The number of CALs, user and device together.
    pub fn size(&self) -> usize {
        self.users.len() + self.devices.len()
    }
}
