//! External users: an External Connector for a server, or a CAL for each of them.

use super::plan::least_price;
use super::price::{Access, Catalogue, Demand, Holder, Plan, Tariff};
use super::{CoverError, Edge};

/// The least price for external users, server by server, with its proof.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connectors {
    /// The servers that take an External Connector, ascending.
    pub servers: Vec<u32>,
    /// The external users who take a CAL, ascending.
    pub users: Vec<u32>,
    /// The question as [`check::price`](super::check::price) takes it; devices are servers.
    pub demand: Demand,
    /// The answer, with price, proof and accesses that neither can cover.
    pub plan: Plan,
}

/// Chooses for each server an External Connector, or a CAL for each external user who reaches it.
///
/// A CAL covers its user on all servers, a connector covers all external users on its server. It is
/// the same minimum cut as users and devices, with servers in place of devices; where both cost the
/// same the users take CALs. `cal` is the price of a user CAL, `users[i]` whether external user
/// `i` can hold one, `connectors[i]` the price of a connector for server `i` (`None` where there is
/// none to be had), all in minor units; the `device` of an access is the server's index.
///
/// Fails as [`Demand::new`] does, above all on a price of 0. In an error, tariff 0 is that of the
/// users, and the tariffs from 1 are the distinct connector prices, ascending.
///
/// ```
/// use calproof::cover::{connectors, Edge};
///
/// // Three users reach server 0, one of them also server 1. A CAL costs 30, a connector 80.
/// let edge = |user, device| Edge { user, device };
/// let accesses = vec![edge(0, 0), edge(1, 0), edge(2, 0), edge(0, 1)];
/// let choice = connectors(30, &[true; 3], &[Some(80), Some(80)], &accesses)?;
/// assert_eq!((choice.users.len(), choice.servers.len(), choice.plan.price), (3, 0, 90));
/// # Ok::<(), calproof::cover::CoverError>(())
/// ```
pub fn connectors(
    cal: u64,
    users: &[bool],
    connectors: &[Option<u64>],
    accesses: &[Edge],
) -> Result<Connectors, CoverError> {
    let mut prices: Vec<u64> = connectors.iter().copied().flatten().collect();
    prices.sort_unstable();
    prices.dedup();
    let tariff = |price| Tariff { cals: vec![Some(price)], suites: Vec::new() };
    let tariffs = std::iter::once(cal).chain(prices.iter().copied()).map(tariff).collect();
    let of_server = |price: &Option<u64>| {
        price.map(|price| 1 + prices.partition_point(|&other| other < price) as u32)
    };
    let demand = Demand::new(
        Catalogue::new(vec![None], Vec::new())?,
        tariffs,
        users.iter().map(|&licensable| licensable.then_some(0)).collect(),
        connectors.iter().map(of_server).collect(),
        accesses.iter().map(|&Edge { user, device }| Access { user, device, cal: 0 }).collect(),
    )?;
    let plan = least_price(&demand);
    let (mut servers, mut holders) = (Vec::new(), Vec::new());
    for purchase in &plan.purchases {
        match purchase.holder {
            Holder::User(user) => holders.push(user),
            Holder::Device(server) => servers.push(server),
        }
    }
    Ok(Connectors { servers, users: holders, demand, plan })
}

/// The number of external users of one server from which a connector costs no more than CALs.
///
/// `ceil(connector / cal)`, both prices in minor units; `None` where the CAL price is 0. It is exact
/// for one server by itself; a user of several servers shares one CAL among them, which
/// [`connectors`] takes into account.
///
/// ```
/// use calproof::cover::break_even;
///
/// assert_eq!(break_even(80_00, 30_00), Some(3));
/// assert_eq!(break_even(90_00, 30_00), Some(3));
/// ```
pub fn break_even(connector: u64, cal: u64) -> Option<u64> {
    (cal > 0).then(|| connector.div_ceil(cal))
}
