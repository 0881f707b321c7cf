//! The count made again by the twin, which shares no code with this program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::contents::Contents;
use super::logs::{Found, options};
use super::{Verdict, VerifyError};
use crate::config::{Admins, Config};
use crate::discover::Input;
use crate::shown;
use crate::source::Opened;

/// The formats that the twin reads, and those in which it knows that nobody stands.
const READ: [&str; 9] = [
    "iis-w3c",
    "smtpsvc",
    "exchange-pop3",
    "exchange-imap4",
    "exchange-smtp-receive",
    "exchange-smtp-send",
    "ocs-trace",
    "httperr",
    "unknown",
];

/// Counts again and compares the people, and the numbers where every format could be read.
pub(super) fn check(
    bundle: &Path,
    found: &Found,
    contents: &Contents,
    verdict: &mut Verdict,
) -> Result<(), VerifyError> {
    if !verdict.refusals.is_empty() {
        // What is counted again must be what was counted.
        return Ok(());
    }
    let config = config(bundle, contents).map_err(VerifyError::Recount)?;
    let mut logs = Vec::new();
    let mut unread: BTreeMap<&str, u64> = BTreeMap::new();
    for source in &contents.sources {
        if !READ.contains(&source.format.as_str()) {
            *unread.entry(&source.format).or_default() += source.lines.events;
            continue;
        }
        let Some(input) = source.sha256.as_deref().and_then(|digest| found.get(digest)) else {
            continue;
        };
        logs.push((source.path.clone(), text(input).map_err(VerifyError::Recount)?));
    }
    let tally = calproof_twin::count(&logs, &config);
    let complete = unread.values().all(|events| *events == 0);
    people(contents, &tally, complete, verdict);
    if complete {
        numbers(contents, &tally, verdict);
    }
    for (format, events) in unread {
        verdict.note(format!(
            "--full: {events} event lines of the format {format} were not counted again"
        ));
    }
    Ok(())
}

/// Who was counted, by id or by any name.
fn people(
    contents: &Contents,
    tally: &calproof_twin::Tally,
    complete: bool,
    verdict: &mut Verdict,
) {
    let ids: BTreeSet<&str> = contents.people.iter().filter_map(|p| p["id"].as_str()).collect();
    let names: BTreeSet<String> = contents
        .people
        .iter()
        .filter_map(|p| p["names"].as_array())
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_lowercase))
        .collect();
    let known = |id: &str| ids.contains(id) || (!complete && names.contains(id));
    let mut wrong: Vec<String> = tally
        .people
        .keys()
        .filter(|id| !known(id))
        .map(|id| format!("data/people.jsonl: {id} was counted by --full and is not there"))
        .collect();
    let only: Vec<&&str> = ids.iter().filter(|id| !tally.people.contains_key(**id)).collect();
    if complete {
        wrong.extend(
            only.iter().map(|id| format!("data/people.jsonl: {id} was not counted by --full")),
        );
    } else if !only.is_empty() {
        verdict.note(format!(
            "--full: {} people were not found again, in the formats that were read",
            only.len()
        ));
    }
    if wrong.is_empty() {
        verdict.note(format!("--full: {} people were counted again", tally.people.len()));
    }
    verdict.refuse_all(wrong);
}

/// The demand and the mix of every product's base CAL, and every person's events; the ends of the
/// interval are compared and told, not refused.
fn numbers(contents: &Contents, tally: &calproof_twin::Tally, verdict: &mut Verdict) {
    let mut wrong = Vec::new();
    for requirement in contents.requirements.iter().filter(|r| r.cal == "standard") {
        let Some(product) = tally.products.get(&requirement.product) else {
            wrong.push(format!(
                "data/requirements.json: {} was not counted by --full",
                requirement.product
            ));
            continue;
        };
        let users = &requirement.users;
        let same =
            users["demand"] == product.demand && requirement.mix.total == product.mix_total as u64;
        if !same {
            wrong.push(format!(
                "data/requirements.json: {}: --full counts {} people and a mix of {}",
                requirement.product, product.demand, product.mix_total
            ));
        }
        // The ends of the interval hang on readings in which the two programs may differ.
        if users["lower"] != product.lower || users["upper"] != product.upper {
            verdict.note(format!(
                "--full: {}: the interval is {} to {} by the second count and {} to {} in the bundle: \
                 a doubt that is settled otherwise, not a person who is counted",
                requirement.product, product.lower, product.upper, users["lower"], users["upper"]
            ));
        }
    }
    for person in &contents.people {
        let id = person["id"].as_str().unwrap_or_default();
        if tally.people.get(id).is_some_and(|p| person["events"] != p.events) {
            wrong.push(format!("data/people.jsonl: {id} has another number of events by --full"));
        }
    }
    verdict.refuse_all(wrong);
}

/// The text of an input, decompressed, UTF-16 as UTF-8.
fn text(input: &Input) -> Result<Vec<u8>, String> {
    match input.open(&options()).map_err(|error| error.to_string())? {
        Opened::Mapped(log) => Ok(log.bytes().to_vec()),
        Opened::Stream(mut stream) => {
            let (mut text, mut block) = (Vec::new(), Vec::new());
            while matches!(stream.next_block(&mut block), Ok(true)) {
                text.append(&mut block);
            }
            Ok(text)
        }
    }
}

/// The bundle's configuration in the twin's terms.
fn config(bundle: &Path, contents: &Contents) -> Result<calproof_twin::Config, String> {
    if contents.hidden() {
        return Err(
            "the names of the bundle are pseudonyms, and what the organisation states is not in it"
                .to_owned(),
        );
    }
    let mut twin = calproof_twin::Config::default();
    let own = contents.run["rule_packs"].as_array().into_iter().flatten();
    if let Some(pack) = own.into_iter().find(|pack| pack["own"] == true) {
        let id = pack["id"].as_str().unwrap_or_default().escape_debug();
        return Err(format!("the second count knows the program's rule packs only, not `{id}`"));
    }
    let period = |key: &str| contents.run["period"][key].as_str().map(str::to_owned);
    (twin.from, twin.to) = (period("from"), period("to"));
    let folder = bundle.join("data/configuration");
    let path = folder.join("calproof.toml");
    if !path.is_file() {
        return Ok(twin);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let config = Config::parse(&text, "data/configuration/calproof.toml")
        .map_err(|error| error.to_string())?;
    let unknown = [
        ("identity.directory", !config.identity.directory.is_empty()),
        ("rules.admins", config.rules.admins != Admins::TwoPerProduct),
        ("server.time_zone", config.servers.iter().any(|s| s.time_zone.is_some())),
        ("server.encoding", config.servers.iter().any(|s| s.encoding.is_some())),
        ("server.default_domain", config.servers.iter().any(|s| s.default_domain.is_some())),
        ("identity.join_employee_id", config.identity.join_employee_id),
    ];
    if let Some((key, _)) = unknown.iter().find(|(_, stated)| *stated) {
        return Err(format!("calproof.toml: the second count does not know `{key}`"));
    }
    twin.sip_domains = config.organization.sip_domains.unwrap_or_default();
    twin.internal_networks = config.organization.internal_networks.unwrap_or_default();
    twin.reverse_proxies = config.organization.reverse_proxies;
    twin.realms = config.organization.realms;
    twin.default_domain = config.organization.default_domain;
    twin.shared = config.identity.shared;
    twin.external = config.identity.external;
    twin.excludes = config
        .excludes
        .into_iter()
        .map(|e| calproof_twin::Exclude { principal: e.principal, reason: e.reason })
        .collect();
    twin.servers = config
        .servers
        .into_iter()
        .map(|s| calproof_twin::Server {
            name: s.name,
            addresses: s.addresses,
            product: s.product.unwrap_or_default(),
            version: s.version.unwrap_or_default(),
            external_connector: s.external_connector,
        })
        .collect();
    for number in 1..=config.devices.inventory.len() {
        let file = folder.join(format!("inventory-{number}.csv"));
        inventory(&file, &mut twin.inventory)
            .map_err(|error| format!("{}: {error}", shown::path(&file)))?;
    }
    Ok(twin)
}

/// Reads an inventory: the columns `address` and `device`.
fn inventory(file: &Path, into: &mut BTreeMap<String, String>) -> Result<(), csv::Error> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_path(file)?;
    let header = rows.headers()?.clone();
    let column = |name: &str| {
        header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
    };
    let (Some(address), Some(device)) = (column("address"), column("device")) else {
        return Ok(());
    };
    for row in rows.records() {
        let row = row?;
        into.insert(row[address].to_owned(), row[device].to_owned());
    }
    Ok(())
}
