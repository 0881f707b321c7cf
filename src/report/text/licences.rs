//! What licences cost, for a terminal.

use std::io;

use super::page::{Column, Page};
use super::words::{self, counted, number};
use super::{NAME, NAMES, SERVER, SERVERS, more, some};
use crate::census::{Census, ConnectorChoice, PurchasePlan};
use crate::report::escape::shortened;

/// The purchase plan, where prices are stated.
pub(super) fn purchase(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let Some(plan) = &census.purchase else { return Ok(()) };
    page.heading("PURCHASE PLAN", "the least price that covers every access seen, proved")?;
    let mut rows: Vec<Vec<String>> = plan
        .lines
        .iter()
        .map(|line| {
            let name = item(&line.item);
            vec![
                number(line.quantity),
                format!("{name}, {} CAL", line.side),
                money(line.price),
                money(line.amount),
            ]
        })
        .collect();
    rows.push(vec![String::new(), "together".to_owned(), String::new(), money(plan.total)]);
    let columns =
        [Column::Right(""), Column::Left(""), Column::Right("each"), Column::Right("amount")];
    page.table(2, &columns, &rows)?;
    if let Some(price) = plan.users_only {
        let text =
            format!("Without suites and with a user CAL for every person: {}.", money(price));
        page.paragraph(2, &text)?;
    }
    short(plan, page)?;
    page.paragraph(
        2,
        "Prices are those of calproof.toml. A plan for a purchase, not proof of how it was; `--format json` lists who \
         gets what, and the rows that prove that it cannot be cheaper.",
    )
}

/// Required against owned CALs, where a list of them is stated.
pub(super) fn owned(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.owned.is_empty() {
        return Ok(());
    }
    page.heading("OWNED CALS", "against the mix that suits them best; user + device CALs")?;
    let two = |users: u64, devices: u64| format!("{} + {}", number(users), number(devices));
    let rows: Vec<Vec<String>> = census
        .owned
        .iter()
        .map(|o| {
            vec![
                format!("{} {}", words::product(o.product), words::cal(o.cal)),
                two(o.owned_users, o.owned_devices),
                two(o.required_users, o.required_devices),
                two(o.shortage_users, o.shortage_devices),
                two(o.surplus_users, o.surplus_devices),
                number(o.uncovered_accesses),
            ]
        })
        .collect();
    let columns = [
        Column::Left(""),
        Column::Right("owned"),
        Column::Right("required"),
        Column::Right("short of"),
        Column::Right("left over"),
        Column::Right("uncovered"),
    ];
    page.table(2, &columns, &rows)?;
    for o in census.owned.iter().filter(|o| o.shortage_users + o.shortage_devices > 0) {
        let name = format!("{} {}", words::product(o.product), words::cal(o.cal));
        let (missing, required) =
            (o.shortage_users + o.shortage_devices, o.required_users + o.required_devices);
        let line = match o.over_five_percent {
            true => "more than 5 % of the requirement",
            false => "at most 5 % of the requirement",
        };
        let names: Vec<String> = o.without.iter().map(|name| shortened(name, NAME)).collect();
        page.alert(
            2,
            &format!(
                "{name}: {} of {} CALs are missing, {line}; at least {} in any case. Without one: {}.",
                number(missing),
                number(required),
                number(o.least_shortage),
                some(&names, NAMES)
            ),
        )?;
    }
    page.paragraph(
        2,
        "\"uncovered\" counts accesses (person and device) that the owned CALs leave open. A CAL for a newer version \
         covers older servers, so CALs that are too old are left over. Audit clauses commonly draw a line at 5 % (our \
         reading; the agreement that was signed governs).",
    )
}

/// External Connectors or CALs, where external users are declared.
pub(super) fn connectors(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.connectors.is_empty() {
        return Ok(());
    }
    page.heading(
        "EXTERNAL USERS",
        "an External Connector for a server, or a CAL for each of them",
    )?;
    let rows: Vec<Vec<String>> = census
        .connectors
        .iter()
        .flat_map(|plan| plan.servers.iter().map(move |server| (plan, server)))
        .take(SERVERS)
        .map(|(plan, server)| {
            let choice = match server.choice {
                ConnectorChoice::Held => "holds a connector",
                ConnectorChoice::Connector => "connector",
                ConnectorChoice::Cals => "user CALs",
                ConnectorChoice::Unknown => "not known: state both prices",
            };
            vec![
                words::product(plan.product).to_owned(),
                shortened(&server.server, SERVER),
                number(server.external_users),
                plan.break_even.map_or("-".to_owned(), number),
                choice.to_owned(),
            ]
        })
        .collect();
    let columns = [
        Column::Left("product"),
        Column::Left("server"),
        Column::Right("external users"),
        Column::Right("break-even"),
        Column::Left("cheapest"),
    ];
    page.table(2, &columns, &rows)?;
    let all = census.connectors.iter().map(|plan| plan.servers.len()).sum();
    more(all, SERVERS, "server", "servers", page)?;
    for plan in &census.connectors {
        let connectors =
            plan.servers.iter().filter(|s| s.choice == ConnectorChoice::Connector).count() as u64;
        let product = words::product(plan.product);
        let cost = plan.total.map(|total| format!(", {} together", money(total)));
        if plan.break_even.is_some() {
            let text = format!(
                "{product}: {} and {}{}.",
                counted(connectors, "connector", "connectors"),
                counted(plan.user_cals.len() as u64, "user CAL", "user CALs"),
                cost.unwrap_or_default()
            );
            page.paragraph(2, &text)?;
        }
    }
    page.paragraph(
        2,
        "A CAL is good for all servers, so a server beyond the break-even may still do with CALs. Without prices the \
         break-even of Windows is 69. This choice stands apart: in the numbers above external users count as everybody.",
    )
}

/// What the plan is short of.
fn short(plan: &PurchasePlan, page: &mut Page<'_>) -> io::Result<()> {
    if !plan.unpriced.is_empty() {
        let cals: Vec<String> = plan
            .unpriced
            .iter()
            .map(|(product, cal)| format!("{} {}", words::product(*product), words::cal(*cal)))
            .collect();
        page.alert(2, &format!("Not in the plan, for want of a price: {}.", some(&cals, NAMES)))?;
    }
    if !plan.uncovered.is_empty() {
        let accesses: Vec<String> = plan
            .uncovered
            .iter()
            .map(|(person, device, item)| {
                format!("{} from {} ({item})", shortened(person, NAME), shortened(device, NAME))
            })
            .collect();
        let text = format!(
            "Covered by nothing that has a price, so not in the plan: {}.",
            some(&accesses, NAMES)
        );
        page.alert(2, &text)?;
    }
    Ok(())
}

/// `exchange.standard` as price lists write it.
fn item(key: &str) -> String {
    use crate::rules::{Cal, Product};
    match key.split_once('.') {
        Some(("suite", name)) => format!("suite `{}`", shortened(name, NAME)),
        Some((product, cal)) => match (Product::parse(product), Cal::parse(cal)) {
            (Some(product), Some(cal)) => {
                format!("{} {}", words::product(product), words::cal(cal))
            }
            _ => shortened(key, NAME),
        },
        None => shortened(key, NAME),
    }
}

/// Hundredths as an amount: `1,234.50`.
pub(super) fn money(hundredths: u64) -> String {
    format!("{}.{:02}", number(hundredths / 100), hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_well() {
        assert_eq!(money(0), "0.00");
        assert_eq!(money(123_456_705), "1,234,567.05");
        assert_eq!(item("exchange.enterprise"), "Exchange Enterprise");
        assert_eq!(item("suite.core"), "suite `core`");
    }
}
