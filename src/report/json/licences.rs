//! What licences cost: the keys that stand in the report where prices are stated.

use serde::Serialize;

use super::{Row, row};
use crate::census::{Census, ConnectorPlan, OwnedRow, PurchasePlan};

/// Money is in hundredths of the currency of the prices.
#[derive(Serialize)]
pub(super) struct Purchase<'c> {
    total: u64,
    users_only: Option<u64>,
    lines: Vec<Line<'c>>,
    unpriced: Vec<Cal>,
    uncovered: Vec<Uncovered<'c>>,
    assignments: Vec<Assignment<'c>>,
    proof: Vec<Charge<'c>>,
}

#[derive(Serialize)]
struct Line<'c> {
    item: &'c str,
    side: &'static str,
    quantity: u64,
    price: u64,
    amount: u64,
}

#[derive(Serialize)]
struct Cal {
    product: &'static str,
    cal: &'static str,
}

#[derive(Serialize)]
struct Uncovered<'c> {
    person: &'c str,
    device: &'c str,
    item: &'c str,
}

#[derive(Serialize)]
struct Assignment<'c> {
    item: &'c str,
    side: &'static str,
    holder: &'c str,
}

#[derive(Serialize)]
struct Charge<'c> {
    person: &'c str,
    device: &'c str,
    user_cal: &'c str,
    device_cal: &'c str,
    amount: u64,
    witness: Row<'c>,
}

pub(super) fn purchase<'c>(census: &'c Census, plan: &'c PurchasePlan) -> Purchase<'c> {
    Purchase {
        total: plan.total,
        users_only: plan.users_only,
        lines: plan
            .lines
            .iter()
            .map(|l| Line {
                item: &l.item,
                side: l.side,
                quantity: l.quantity,
                price: l.price,
                amount: l.amount,
            })
            .collect(),
        unpriced: plan
            .unpriced
            .iter()
            .map(|(product, cal)| Cal { product: product.as_str(), cal: cal.as_str() })
            .collect(),
        uncovered: plan
            .uncovered
            .iter()
            .map(|(person, device, item)| Uncovered { person, device, item })
            .collect(),
        assignments: plan
            .assignments
            .iter()
            .map(|a| Assignment { item: &a.item, side: a.side, holder: &a.holder })
            .collect(),
        proof: plan
            .proof
            .iter()
            .map(|c| Charge {
                person: &c.person,
                device: &c.device,
                user_cal: &c.user_cal,
                device_cal: &c.device_cal,
                amount: c.amount,
                witness: row(census, &c.witness),
            })
            .collect(),
    }
}

/// Required against owned, of one kind of CAL.
#[derive(Serialize)]
pub(super) struct Owned<'c> {
    product: &'static str,
    cal: &'static str,
    owned: Sides,
    required: Sides,
    shortage: Sides,
    least_shortage: u64,
    surplus: Sides,
    uncovered_accesses: u64,
    over_five_percent: bool,
    without: &'c [String],
}

#[derive(Serialize)]
struct Sides {
    user_cals: u64,
    device_cals: u64,
}

pub(super) fn owned(row: &OwnedRow) -> Owned<'_> {
    let sides = |user_cals, device_cals| Sides { user_cals, device_cals };
    Owned {
        product: row.product.as_str(),
        cal: row.cal.as_str(),
        owned: sides(row.owned_users, row.owned_devices),
        required: sides(row.required_users, row.required_devices),
        shortage: sides(row.shortage_users, row.shortage_devices),
        least_shortage: row.least_shortage,
        surplus: sides(row.surplus_users, row.surplus_devices),
        uncovered_accesses: row.uncovered_accesses,
        over_five_percent: row.over_five_percent,
        without: &row.without,
    }
}

/// External Connectors or CALs for the external users of one product.
#[derive(Serialize)]
pub(super) struct Connectors<'c> {
    product: &'static str,
    break_even: Option<u64>,
    connector_price: Option<u64>,
    cal_price: Option<u64>,
    servers: Vec<ConnectorServer<'c>>,
    user_cals: &'c [String],
    total: Option<u64>,
}

#[derive(Serialize)]
struct ConnectorServer<'c> {
    server: &'c str,
    external_users: u64,
    choice: &'static str,
}

pub(super) fn connectors(plan: &ConnectorPlan) -> Connectors<'_> {
    let servers = plan.servers.iter().map(|s| ConnectorServer {
        server: &s.server,
        external_users: s.external_users,
        choice: s.choice.as_str(),
    });
    Connectors {
        product: plan.product.as_str(),
        break_even: plan.break_even,
        connector_price: plan.prices.map(|(connector, _)| connector),
        cal_price: plan.prices.map(|(_, cal)| cal),
        servers: servers.collect(),
        user_cals: &plan.user_cals,
        total: plan.total,
    }
}
