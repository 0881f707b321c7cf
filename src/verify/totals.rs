//! Totals: that people, accesses, devices, merges and requirements are about the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::contents::{Contents, Pair, Place, Requirement};
use super::{Verdict, VerifyError, contents};

/// Checks the lists of people, devices and merges against the accesses and the requirements.
pub(super) fn check(
    bundle: &Path,
    known: &Contents,
    verdict: &mut Verdict,
) -> Result<(), VerifyError> {
    let folder = bundle.join("data");
    let listed: Vec<Value> = contents::lines(&folder, "devices.jsonl", verdict)?;
    let merges: Vec<Value> = contents::lines(&folder, "merges.jsonl", verdict)?;
    let mut wrong = Vec::new();
    let none = Vec::new();
    let reported = known.report["requirements"].as_array().unwrap_or(&none);
    for (requirement, reported) in known.requirements.iter().zip(reported) {
        let of = |pair: &&Pair| pair.product == requirement.product && pair.cal == requirement.cal;
        let pairs: Vec<&Pair> = known.pairs.iter().filter(of).collect();
        let name = format!("{} {}", requirement.product, requirement.cal);
        people(known, requirement, &pairs, &name, &mut wrong);
        reported_totals(requirement, reported, &pairs, &name, &mut wrong);
    }
    devices(known, &listed, &mut wrong);
    joins(known, &merges, &mut wrong);
    servers(known, &mut wrong);
    verdict.refuse_all(wrong);
    Ok(())
}

/// Who has an access that needs the CAL, and who needs it by the list of people.
fn people(
    known: &Contents,
    requirement: &Requirement,
    pairs: &[&Pair],
    name: &str,
    wrong: &mut Vec<String>,
) {
    let needs = |person: &&Value| {
        person["cals"].as_array().into_iter().flatten().any(|cal| {
            cal["product"] == requirement.product.as_str() && cal["cal"] == requirement.cal.as_str()
        })
    };
    let listed: BTreeSet<&str> =
        known.people.iter().filter(needs).filter_map(|person| person["id"].as_str()).collect();
    let seen: BTreeSet<&str> =
        pairs.iter().map(|pair| pair.person.as_str()).filter(|person| *person != "-").collect();
    for person in seen.difference(&listed) {
        wrong.push(format!(
            "data/people.jsonl: {person} has an access in data/pairs.jsonl that needs {name}, but not by its `cals`"
        ));
    }
    for person in listed.difference(&seen) {
        wrong.push(format!(
            "data/people.jsonl: {person} needs {name} by its `cals`, but has no access in data/pairs.jsonl"
        ));
    }
}

/// The numbers of a requirement in the report that follow from its accesses.
fn reported_totals(
    requirement: &Requirement,
    reported: &Value,
    pairs: &[&Pair],
    name: &str,
    wrong: &mut Vec<String>,
) {
    let mut seen: [BTreeSet<&str>; 2] = Default::default();
    for pair in pairs.iter().filter(|pair| pair.device != "-") {
        seen[usize::from(pair.device_licensable)].insert(&pair.device);
    }
    let open: BTreeSet<&str> = pairs
        .iter()
        .filter(|pair| !pair.device_licensable && pair.person != "-")
        .map(|pair| pair.person.as_str())
        .collect();
    let devices = &reported["devices"];
    let number = |value: &Value| value.as_u64();
    let versions = reported["by_version"].as_object();
    let versions = versions.map(|of| of.values().filter_map(number).sum::<u64>());
    let users = &requirement.users;
    let sum = |list: &str, what: &str| -> Option<u64> {
        Some(reported[list].as_array()?.iter().map(|e| e[what].as_u64().unwrap_or(1)).sum())
    };
    let (lower, demand, upper) =
        (number(&users["lower"]), number(&users["demand"]), number(&users["upper"]));
    let checks = [
        ("devices.identified", number(&devices["identified"]), Some(seen[1].len() as u64)),
        ("devices.unidentified", number(&devices["unidentified"]), Some(seen[0].len() as u64)),
        (
            "people_from_unidentified",
            number(&reported["people_from_unidentified"]),
            Some(open.len() as u64),
        ),
        ("by_version", versions, demand),
        (
            "upper_with",
            sum("upper_with", "cals"),
            upper.zip(demand).map(|(u, d)| u.saturating_sub(d)),
        ),
    ];
    for (key, stated, counted) in checks {
        if stated != counted {
            let shown = |n: Option<u64>| n.map_or("nothing".to_owned(), |n| n.to_string());
            wrong.push(format!(
                "data/report.json: {name}: `{key}` is {}, but the accesses and the interval give {}",
                shown(stated),
                shown(counted)
            ));
        }
    }
    if reported["devices"]["device_cals_suffice"] != open.is_empty() {
        wrong.push(format!(
            "data/report.json: {name}: `device_cals_suffice` is not what data/pairs.jsonl shows"
        ));
    }
    if !(lower <= demand && demand <= upper) {
        wrong.push(format!("data/requirements.json: {name}: the interval does not rise"));
    }
}

/// The list of devices is that of the accesses, with the first row of each.
fn devices(known: &Contents, listed: &[Value], wrong: &mut Vec<String>) {
    #[derive(Default)]
    struct Seen<'a> {
        products: BTreeSet<&'a str>,
        people: BTreeSet<&'a str>,
        rows: BTreeSet<&'a Place>,
    }
    let mut seen: BTreeMap<(&str, bool), Seen<'_>> = BTreeMap::new();
    for pair in known.pairs.iter().filter(|pair| pair.device != "-") {
        let device = seen.entry((&pair.device, pair.device_licensable)).or_default();
        device.products.insert(&pair.product);
        device.people.extend(Some(pair.person.as_str()).filter(|person| *person != "-"));
        device.rows.insert(&pair.witness);
    }
    let mut named = BTreeSet::new();
    for device in listed {
        let id = device["id"].as_str().unwrap_or_default();
        let key = (id, device["identified"] == true);
        named.insert(key);
        let same = seen.get(&key).is_some_and(|seen| {
            let products = device["products"].as_array().into_iter().flatten();
            let witness = &device["witness"];
            products.filter_map(Value::as_str).eq(seen.products.iter().copied())
                && device["people"] == seen.people.len()
                && seen.rows.iter().any(|row| {
                    witness["path"] == row.path.as_str()
                        && witness["line"] == row.line
                        && witness["byte"] == row.byte
                })
        });
        if !same {
            wrong.push(format!(
                "data/devices.jsonl: {id} is not as its accesses in data/pairs.jsonl have it"
            ));
        }
    }
    for (id, _) in seen.keys().filter(|key| !named.contains(*key)) {
        wrong.push(format!("data/devices.jsonl: {id} is missing, but stands in data/pairs.jsonl"));
    }
}

/// Every merge is told with its person too.
fn joins(known: &Contents, merges: &[Value], wrong: &mut Vec<String>) {
    let told = known.people.iter().flat_map(|person| {
        let joins = person["joins"].as_array().into_iter().flatten();
        joins.map(move |join| (&person["id"], &join["one"], &join["other"], &join["reason"]))
    });
    let listed = merges.iter().map(|m| (&m["person"], &m["one"], &m["other"], &m["reason"]));
    if !told.eq(listed) {
        wrong.push("data/merges.jsonl: differs from the `joins` of data/people.jsonl".to_owned());
    }
}

/// Every server has as many people as name it.
fn servers(known: &Contents, wrong: &mut Vec<String>) {
    let mut people: BTreeMap<&str, u64> = BTreeMap::new();
    for person in &known.people {
        for server in person["servers"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            *people.entry(server).or_default() += 1;
        }
    }
    for server in known.report["servers"].as_array().into_iter().flatten() {
        let name = server["server"].as_str().unwrap_or_default();
        let counted = people.remove(name).unwrap_or(0);
        if server["users"] != counted {
            wrong.push(format!(
                "data/report.json: server {name} has {} users, but {counted} people name it",
                server["users"]
            ));
        }
    }
    for name in people.into_keys() {
        wrong.push(format!("data/report.json: server {name} is missing, but people name it"));
    }
}
