//! Who is left out: the rules in their order, first match wins.

use crate::config::Config;
use crate::event::{Device, Event, Outcome, Outsider};
use crate::identity::{Identity, Name};
use crate::iis_w3c::is_loopback;
use crate::network::{self, Class};
use crate::text;
use std::collections::{BTreeMap, BTreeSet};

/// An event of somebody that no row rule took out.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) event: Event,
    pub(crate) person: String,
    /// The person's id if no configuration joined names.
    pub(crate) apart: String,
    /// The product that the event is demand of (`windows` where only that is left).
    pub(crate) product: String,
    pub(crate) machine: bool,
}

impl Row {
    pub(crate) fn is_use(&self) -> bool {
        matches!(self.event.outcome, Outcome::Served | Outcome::Asserted)
    }

    fn is_refused(&self) -> bool {
        matches!(self.event.outcome, Outcome::Refused | Outcome::LogonOnly)
    }
}

/// What the rules leave and what they take.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// (principal, rule) to events.
    pub(crate) excluded: BTreeMap<(String, String), u64>,
    /// (what, reason) to events.
    pub(crate) unresolved: BTreeMap<(String, String), u64>,
    /// Rows of named principals that are left.
    pub(crate) rows: Vec<Row>,
    /// Rows that only the upper end counts.
    pub(crate) upper_rows: Vec<Row>,
    /// Product to what the upper end counts of nobody: addresses.
    pub(crate) upper_addresses: BTreeMap<String, BTreeSet<String>>,
    /// Product to what the upper end counts of nobody: guests and mailboxes.
    pub(crate) upper_others: BTreeMap<String, BTreeSet<String>>,
    /// Product to the persons in demand.
    pub(crate) counted: BTreeMap<String, BTreeSet<String>>,
    /// Product to the exempt administrators.
    pub(crate) exempt: BTreeMap<String, BTreeSet<String>>,
}

impl Ledger {
    fn exclude(&mut self, principal: &str, rule: &str) {
        *self.excluded.entry((principal.to_string(), rule.to_string())).or_default() += 1;
    }

    fn doubt(&mut self, what: &str, reason: &str) {
        *self.unresolved.entry((what.to_string(), reason.to_string())).or_default() += 1;
    }
}

/// Whether an event is outside the period asked for.
pub(crate) fn outside_period(time: i64, config: &Config) -> bool {
    let day = text::day_of(time);
    let from = config.from.as_deref().and_then(text::day);
    let to = config.to.as_deref().and_then(text::day);
    from.is_some_and(|from| day < from) || to.is_some_and(|to| day > to)
}

/// Applies every rule to every event.
pub(crate) fn settle(events: Vec<Event>, identity: &Identity, config: &Config) -> Ledger {
    let mut ledger = Ledger::default();
    let front_end: BTreeSet<String> =
        events.iter().filter(|e| !e.back_end).map(|e| e.service.clone()).collect();
    let newest = newest_ocs(&events, config);
    for event in events {
        if event.outcome == Outcome::PreLogon {
            continue;
        }
        match event.who.clone() {
            Some(who) => named(event, &who, newest, identity, config, &mut ledger),
            None => nobody(event, &front_end, config, &mut ledger),
        }
    }
    principals(&mut ledger);
    ledger
}

/// The row rules for an event with a name.
fn named(
    event: Event,
    who: &str,
    newest: Option<usize>,
    identity: &Identity,
    config: &Config,
    ledger: &mut Ledger,
) {
    let person = identity.person(who);
    if outside_period(event.time, config) {
        return ledger.exclude(&person, "outside-period");
    }
    let local = Name::read(who).local().to_string();
    let machine = local.ends_with('$');
    let host = local.trim_end_matches('$');
    if is_of_the_system(&person, &local)
        || (machine && (event.proxied_from || config.server_by_name(host).is_some()))
    {
        return ledger.exclude(&person, "licensed-server");
    }
    if is_health_mailbox(&local) || local.starts_with("extest_") || (machine && event.probe) {
        return ledger.exclude(&person, "monitoring-probe");
    }
    let system = ["systemmailbox{", "migration.", "federatedemail.", "discoverysearchmailbox{"];
    if system.iter().any(|start| local.starts_with(start)) {
        return ledger.exclude(&person, "system-mailbox");
    }
    match event.outsider {
        Some(Outsider::Federated) => return ledger.exclude(&person, "federated"),
        Some(Outsider::Guest) if guests_need_a_cal(&event, newest, config) => {
            let product = event.product.clone();
            ledger.upper_others.entry(product).or_default().insert(format!("guest {person}"));
            return ledger.doubt(&person, "guest");
        }
        Some(Outsider::Guest) => return ledger.exclude(&person, "guest"),
        None => {}
    }
    let mut product = event.product.clone();
    if config.external.iter().any(|pattern| identity.matches(pattern, who)) {
        let server = config.server_by_name(&event.server);
        let connector = server.is_some_and(|s| s.external_connector && s.product == product);
        let included = server
            .is_some_and(|s| s.product == product && includes_external(&s.product, &s.version));
        if connector || included {
            ledger.exclude(
                &person,
                if connector { "external-connector" } else { "external-licensed-with-server" },
            );
            if product == "windows" {
                return;
            }
            product = "windows".to_string();
        }
    }
    let declared = config.excludes.iter().any(|e| identity.matches(&e.principal, who));
    let apart = identity.apart(who);
    let row = Row { event, person, apart, product, machine };
    if declared {
        ledger.exclude(&row.person, "declared");
        ledger.upper_rows.push(row);
    } else if row.event.outcome == Outcome::AssertedUnlisted {
        ledger.doubt(&row.person, "asserted-by-unlisted-server");
        ledger.upper_rows.push(row);
    } else {
        ledger.rows.push(row);
    }
}

/// The rules for an event without a name.
fn nobody(event: Event, front_end: &BTreeSet<String>, config: &Config, ledger: &mut Ledger) {
    if event.outcome != Outcome::Anonymous {
        return;
    }
    if outside_period(event.time, config) {
        return ledger.exclude("-", "outside-period");
    }
    if is_loopback(&event) {
        return ledger.exclude("-", "licensed-server");
    }
    if event.probe {
        return ledger.exclude("-", "monitoring-probe");
    }
    if event.back_end {
        let mailbox = event.mailbox.clone().unwrap_or("-".to_string());
        if mailbox != "-" && !front_end.contains(&event.service) {
            let others = ledger.upper_others.entry(event.product.clone()).or_default();
            others.insert(format!("mailbox {mailbox}"));
        }
        return ledger.doubt(&mailbox, "back-end-anonymous");
    }
    let reason = match event.class {
        _ if event.session_service && !event.through_proxy => "anonymous-session",
        _ if event.through_proxy => "anonymous-proxy",
        Class::Unknown => "anonymous-unknown",
        Class::Outside if matches!(event.device, Some(Device::Identified(_))) => "anonymous-device",
        Class::Outside => return ledger.exclude("-", "anonymous-internet"),
        _ => "anonymous-internal",
    };
    let address = event.address.as_deref().map_or("-".to_string(), network::plain);
    if address != "-" {
        ledger.upper_addresses.entry(event.product.clone()).or_default().insert(address.clone());
    }
    ledger.doubt(&address, reason);
}

/// The principal rules, over what the row rules left.
fn principals(ledger: &mut Ledger) {
    let rows = std::mem::take(&mut ledger.rows);
    let mut of: BTreeMap<(String, String), Vec<&Row>> = BTreeMap::new();
    let mut of_person: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        of.entry((row.product.clone(), row.person.clone())).or_default().push(row);
        of_person.entry(row.person.clone()).or_default().push(row);
    }

    // A person seen only as the probes are seen may be a probe.
    let mut probe_like = BTreeSet::new();
    for (person, rows) in &of_person {
        let used: Vec<_> = rows.iter().filter(|r| r.is_use()).collect();
        if !rows[0].machine
            && !used.is_empty()
            && used.iter().all(|r| {
                // Behind a front end on the same computer, everybody comes from there.
                r.event.probe || (is_loopback(&r.event) && !r.event.back_end)
            })
        {
            probe_like.insert(person.clone());
            let doubts = (person.clone(), "probe-like".to_string());
            ledger.unresolved.insert(doubts, used.len() as u64);
        }
    }

    // Demand, and what is no demand though it was served.
    let mut admins: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for ((product, person), rows) in &of {
        let used: Vec<_> = rows.iter().filter(|r| r.is_use()).collect();
        let count = used.len() as u64;
        if used.is_empty() || rows[0].machine || probe_like.contains(person) {
            continue;
        }
        if product == "exchange" && used.iter().all(|r| r.event.service == "autodiscover") {
            ledger.unresolved.insert((person.clone(), "thin-use".to_string()), count);
            continue;
        }
        if used.iter().all(|r| r.event.admin) {
            admins.entry(product.clone()).or_default().push((count, person.clone()));
            continue;
        }
        ledger.counted.entry(product.clone()).or_default().insert(person.clone());
    }
    for (product, mut list) in admins {
        list.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (place, (count, person)) in list.into_iter().enumerate() {
            if place < 2 {
                *ledger
                    .excluded
                    .entry((person.clone(), "administration".to_string()))
                    .or_default() += count;
                ledger.exempt.entry(product.clone()).or_default().insert(person);
            } else {
                ledger.counted.entry(product.clone()).or_default().insert(person);
            }
        }
    }

    // Everybody who is counted somewhere needs Windows.
    let everybody: BTreeSet<String> = ledger.counted.values().flatten().cloned().collect();
    ledger.counted.insert("windows".to_string(), everybody.clone());

    // Those who never got in.
    for ((product, person), rows) in &of {
        let counted = ledger.counted.get(product).is_some_and(|persons| persons.contains(person));
        if counted || rows.iter().any(|r| r.is_use()) {
            continue;
        }
        let used_anywhere = of_person[person].iter().any(|r| r.is_use());
        let refused: Vec<_> = rows
            .iter()
            .filter(|r| r.is_refused() && !(used_anywhere && r.event.outcome == Outcome::LogonOnly))
            .collect();
        let failed = rows.iter().filter(|r| r.event.outcome == Outcome::Failed).count();
        if !refused.is_empty() {
            *ledger.excluded.entry((person.clone(), "never-served".to_string())).or_default() +=
                refused.len() as u64;
        } else if failed > 0 && !everybody.contains(person) {
            *ledger.excluded.entry((person.clone(), "failed-logon".to_string())).or_default() +=
                failed as u64;
        }
    }
    ledger.rows = rows;
}

/// Whether an account is the operating system's own (docs/readings.md R71).
fn is_of_the_system(person: &str, local: &str) -> bool {
    let person = person.replace('+', " ");
    let domains = ["nt authority", "nt-autorität", "autorite nt", "autorité nt", "iis apppool"];
    person.split_once('\\').is_some_and(|(domain, _)| domains.contains(&domain))
        || local == "iusr"
        || local.starts_with("iusr_")
        || local.starts_with("iwam_")
}

/// `HealthMailbox` and 7 or 32 hexadecimal digits.
fn is_health_mailbox(local: &str) -> bool {
    local.strip_prefix("healthmailbox").is_some_and(|rest| {
        (rest.len() == 7 || rest.len() == 32) && rest.chars().all(|c| c.is_ascii_hexdigit())
    })
}

/// Versions of OCS and Lync, the oldest first.
const OCS_VERSIONS: [&str; 8] =
    ["lcs-2005", "2007", "2007-r2", "2010", "2013", "2015", "2019", "se"];

/// Place of the version that the configuration states for a server, else of the one that the server says
/// (docs/readings.md R52).
fn ocs_version(server: &str, shown: Option<(u32, u32)>, config: &Config) -> Option<usize> {
    let listed = config.server_by_name(server).map(|s| s.version.to_lowercase());
    let said = shown.map(|(major, minor)| match (major, minor) {
        (..=2, _) => 0,
        (3, ..5) => 1,
        (3, _) => 2,
        (4, _) => 3,
        (5, _) => 4,
        (6, _) => 5,
        _ => 6,
    });
    listed.and_then(|word| OCS_VERSIONS.iter().position(|v| *v == word)).or(said)
}

/// The newest OCS that is known of, by which servers of unknown version are judged.
fn newest_ocs(events: &[Event], config: &Config) -> Option<usize> {
    let listed = config.servers.iter().filter(|s| s.product == "ocs");
    let listed = listed.filter_map(|s| ocs_version(&s.name, None, config));
    let ocs = events.iter().filter(|e| e.product == "ocs");
    listed.chain(ocs.filter_map(|e| ocs_version(&e.server, e.shown, config))).max()
}

/// Whether guests are an open question on that server: up to Lync 2010.
fn guests_need_a_cal(event: &Event, newest: Option<usize>, config: &Config) -> bool {
    ocs_version(&event.server, event.shown, config).or(newest).is_some_and(|version| version <= 3)
}

/// Whether the product's server licence covers external users.
fn includes_external(product: &str, version: &str) -> bool {
    let versions = ["2013", "2015", "2016", "2019", "se"];
    ["exchange", "ocs", "sharepoint"].contains(&product)
        && versions.contains(&version.to_lowercase().as_str())
}
