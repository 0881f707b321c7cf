//! External users: an External Connector for a server, or a CAL for each of them.
//!
//! `counting.md` section 5. Who is external is declared, never guessed. S-CAL: an External Connector
//! "assigned to a server permits access by any number of external users".

use std::collections::{BTreeMap, BTreeSet};

use super::packs::Packs;
use super::place::Places;
use super::prices::Prices;
use super::purchase::PurchaseError;
use super::requirement::{Basis, Row};
use crate::config::Config;
use crate::cover::{Edge, break_even, check, connectors};
use crate::identity::PersonId;
use crate::rules::{Product, Version};

/// The break-even of S-CAL for Windows, where no prices are stated: with 69 external users a
/// connector costs no more than CALs.
const WINDOWS_BREAK_EVEN: u64 = 69;

/// External Connectors or CALs for the external users of one product.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectorPlan {
    /// Product.
    pub product: Product,
    /// External users of a server from which a connector costs no more than CALs for them;
    /// `None` where it is not known, for want of prices.
    pub break_even: Option<u64>,
    /// Price of a connector and of a user CAL, in hundredths; `None` where one of them is not stated.
    pub prices: Option<(u64, u64)>,
    /// The servers that external users reached, sorted by name.
    pub servers: Vec<ConnectorServer>,
    /// External users who take a user CAL in the least plan, sorted ids; empty where there is none.
    pub user_cals: Vec<String>,
    /// Price of the least plan, in hundredths; `None` without prices.
    pub total: Option<u64>,
}

/// One server that external users reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectorServer {
    /// Name.
    pub server: String,
    /// External users.
    pub external_users: u64,
    /// What is cheapest for it.
    pub choice: ConnectorChoice,
}

/// What covers the external users of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConnectorChoice {
    /// It is stated to hold a connector.
    Held,
    /// A connector.
    Connector,
    /// A user CAL for each of them, good for all servers.
    Cals,
    /// Not known, for want of prices.
    Unknown,
}

impl ConnectorChoice {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectorChoice::Held => "held",
            ConnectorChoice::Connector => "connector",
            ConnectorChoice::Cals => "cals",
            ConnectorChoice::Unknown => "unknown",
        }
    }
}

/// What connectors are chosen from, beside the counted rows.
pub(super) struct External<'a> {
    /// Declared external people.
    pub(super) people: &'a BTreeSet<PersonId>,
    /// What external people did on servers that hold a connector of the product.
    pub(super) held: BTreeSet<(Product, usize, PersonId)>,
    /// The servers.
    pub(super) places: &'a Places,
    /// The configuration.
    pub(super) config: &'a Config,
}

/// The choice for every product that has connectors, where external users are declared.
pub(super) fn choose(
    basis: &Basis<'_>,
    external: &External<'_>,
    packs: &Packs<'_>,
    prices: &Prices,
) -> Result<Vec<ConnectorPlan>, PurchaseError> {
    let mut plans = Vec::new();
    for product in Product::ALL {
        let has_connector =
            |version: Option<Version>| packs.of(*product, version).external_connector;
        let needs = |row: &&Row<'_>| {
            external.people.contains(&row.person)
                && match product {
                    Product::Windows => has_connector(row.windows),
                    _ => row.own && row.product == *product && has_connector(row.version),
                }
        };
        let mut reached: BTreeMap<usize, BTreeSet<PersonId>> = BTreeMap::new();
        for row in basis.rows.iter().filter(needs) {
            reached.entry(row.place).or_default().insert(row.person);
        }
        let mut held: BTreeMap<usize, BTreeSet<PersonId>> = BTreeMap::new();
        for (_, place, person) in external.held.iter().filter(|(p, _, _)| p == product) {
            held.entry(*place).or_default().insert(*person);
        }
        // A server of Windows itself that holds one covers the Windows CAL of whoever comes there.
        if *product == Product::Windows {
            let holds = |place: &usize| {
                let place = &external.places.list[*place];
                place.product == Some(Product::Windows)
                    && place.listed.is_some_and(|i| external.config.servers[i].external_connector)
            };
            let covered: Vec<usize> = reached.keys().copied().filter(holds).collect();
            for place in covered {
                held.entry(place).or_default().extend(reached.remove(&place).unwrap_or_default());
            }
        }
        if !(reached.is_empty() && held.is_empty()) {
            plans.push(plan(*product, &reached, &held, basis, external.places, prices)?);
        }
    }
    Ok(plans)
}

fn plan(
    product: Product,
    reached: &BTreeMap<usize, BTreeSet<PersonId>>,
    held: &BTreeMap<usize, BTreeSet<PersonId>>,
    basis: &Basis<'_>,
    places: &Places,
    prices: &Prices,
) -> Result<ConnectorPlan, PurchaseError> {
    let cal = prices.cals.get(&(product, crate::rules::Cal::Standard)).and_then(|pair| pair.user);
    let stated = prices.connectors.get(&product).copied().zip(cal);
    // Without prices for Windows: a connector for the price of 69 CALs.
    let ratio = stated.or((product == Product::Windows).then_some((WINDOWS_BREAK_EVEN, 1)));
    let people: BTreeSet<PersonId> = reached.values().flatten().copied().collect();
    let people: Vec<PersonId> = people.into_iter().collect();
    let mut servers: BTreeMap<usize, (u64, ConnectorChoice)> = held
        .iter()
        .map(|(place, people)| (*place, (people.len() as u64, ConnectorChoice::Held)))
        .collect();
    let (mut user_cals, mut total) = (Vec::new(), None);
    let mut bought = BTreeSet::new();
    if let Some((connector, cal)) = ratio {
        let accesses: Vec<Edge> = (0..)
            .zip(reached.values())
            .flat_map(|(device, of_server)| {
                let people = &people;
                of_server.iter().map(move |person| Edge {
                    user: people.partition_point(|p| p < person) as u32,
                    device,
                })
            })
            .collect();
        let can_hold: Vec<bool> = people.iter().map(|p| !basis.shared.contains(p)).collect();
        let found = connectors(cal, &can_hold, &vec![Some(connector); reached.len()], &accesses)
            .map_err(|source| PurchaseError::Cover {
                cals: format!("0 {product}.standard"),
                suites: "none".to_owned(),
                source: Box::new(source),
            })?;
        check::price(&found.demand, &found.plan).map_err(PurchaseError::Check)?;
        bought.extend(found.servers);
        user_cals = found
            .users
            .iter()
            .map(|u| basis.people.ids[people[*u as usize] as usize].clone())
            .collect();
        total = stated.map(|_| found.plan.price);
    }
    for (i, (place, people)) in (0..).zip(reached) {
        let choice = match (ratio, bought.contains(&i)) {
            (None, _) => ConnectorChoice::Unknown,
            (_, true) => ConnectorChoice::Connector,
            (_, false) => ConnectorChoice::Cals,
        };
        servers.insert(*place, (people.len() as u64, choice));
    }
    let servers = servers.into_iter().map(|(place, (external_users, choice))| ConnectorServer {
        server: places.list[place].name.clone(),
        external_users,
        choice,
    });
    Ok(ConnectorPlan {
        product,
        break_even: ratio.and_then(|(connector, cal)| break_even(connector, cal)),
        prices: stated,
        servers: servers.collect(),
        user_cals,
        total,
    })
}
