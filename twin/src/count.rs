//! From logs in memory to the count.

use crate::config::Config;
use crate::event::{Event, Join, Line, Outcome, Reading, Relay};
use crate::identity::{Identity, Name};
use crate::ledger::{self, Row};
use crate::{iis_w3c, network, ocs_trace, pop_imap, require, sip, smtp, text};
use std::collections::{BTreeMap, BTreeSet};

/// What was counted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Path to what stands in the file.
    pub inputs: BTreeMap<String, Input>,
    /// Person's id to the person: everybody in the demand of a product.
    pub people: BTreeMap<String, Person>,
    /// (principal or `-`, rule) to events.
    pub excluded: BTreeMap<(String, String), u64>,
    /// (what, reason) to events.
    pub unresolved: BTreeMap<(String, String), u64>,
    /// Server's name to its use.
    pub servers: BTreeMap<String, ServerTally>,
    /// Product to what it requires; `windows` is always there.
    pub products: BTreeMap<String, Product>,
}

/// One file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Input {
    /// The name of its format; `unknown` where none is.
    pub format: String,
    /// Its physical lines by kind.
    pub lines: Lines,
    /// The input whose bytes these are.
    pub duplicate_of: Option<String>,
    /// The input that begins with these bytes.
    pub superseded_by: Option<String>,
    /// Warning codes.
    pub warnings: BTreeSet<String>,
}

/// Physical lines by kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lines {
    /// All lines, an unterminated last one included.
    pub total: u64,
    /// Lines of parsed rows or records.
    pub events: u64,
    /// Lines that begin with `#`.
    pub directives: u64,
    /// Lines of nothing but blanks or NUL.
    pub blank: u64,
    /// Lines of no known format.
    pub unrelated: u64,
    /// Lines of a known format that cannot be read.
    pub rejected: u64,
}

/// One person in demand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// All names, as logged.
    pub names: BTreeSet<String>,
    /// Products in whose demand the person is, without the windows that all need.
    pub products: BTreeSet<String>,
    /// Servers used.
    pub servers: BTreeSet<String>,
    /// Service to served events.
    pub services: BTreeMap<String, u64>,
    /// All served events.
    pub events: u64,
    /// First served event, milliseconds since 1970, UTC.
    pub first: i64,
    /// Last served event, milliseconds since 1970, UTC.
    pub last: i64,
    /// Distinct devices, identified or not.
    pub devices: usize,
}

/// One server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServerTally {
    /// Persons in demand who used it.
    pub users: usize,
    /// Identified devices they came from, and machine accounts that nobody sat at.
    pub identified: usize,
    /// Unidentified devices they came from.
    pub unidentified: usize,
    /// Its services.
    pub services: BTreeMap<String, ServiceTally>,
}

/// One service of a server.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ServiceTally {
    /// Persons in demand who used it.
    pub users: usize,
    /// Their served events.
    pub events: u64,
}

/// What one product requires.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Product {
    /// Persons, every doubt resolved downwards.
    pub lower: usize,
    /// Persons by the rules.
    pub demand: usize,
    /// Persons, every doubt resolved upwards.
    pub upper: usize,
    /// Identified devices.
    pub identified: usize,
    /// Unidentified devices.
    pub unidentified: usize,
    /// Devices of shared accounts, each of which needs its licence.
    pub shared_devices: usize,
    /// Machine accounts that nobody sat at.
    pub machine_devices: usize,
    /// User licences of the least mix.
    pub mix_users: usize,
    /// Device licences of the least mix.
    pub mix_devices: usize,
    /// The least mix.
    pub mix_total: usize,
    /// Most persons in 90 days.
    pub peak: usize,
    /// First and last day of the first such window.
    pub window: Option<(String, String)>,
    /// Half of the peak, rounded up.
    pub floor: usize,
}

/// Counts logs that are in memory, each with its path.
///
/// ```
/// let log = "#Fields: date time s-ip cs-uri-stem cs-username c-ip sc-status\r\n\
///            2010-03-01 06:12:44 10.0.0.11 /owa/ CONTOSO\\anna 10.1.1.5 200\r\n";
/// let inputs = vec![("ex100301.log".to_string(), log.as_bytes().to_vec())];
/// let tally = calproof_twin::count(&inputs, &calproof_twin::Config::default());
/// assert_eq!(tally.products["exchange"].demand, 1);
/// assert!(tally.people.contains_key("contoso\\anna"));
/// ```
pub fn count(inputs: &[(String, Vec<u8>)], config: &Config) -> Tally {
    let mut sorted: Vec<&(String, Vec<u8>)> = inputs.iter().collect();
    sorted.sort();

    // Read every file on its own.
    let mut tally = Tally::default();
    let mut readings: Vec<(&str, &[u8], Reading)> = Vec::new();
    let mut originals: BTreeMap<&[u8], &str> = BTreeMap::new();
    for (path, bytes) in sorted {
        let reading = read(path, bytes, config);
        let mut input = Input {
            format: reading.format.clone(),
            lines: lines_by_kind(&reading.lines),
            warnings: reading.warnings.clone(),
            ..Default::default()
        };
        match originals.get(bytes.as_slice()) {
            Some(original) if !bytes.is_empty() => input.duplicate_of = Some(original.to_string()),
            _ => {
                originals.insert(bytes, path);
                readings.push((path, bytes, reading));
            }
        }
        tally.inputs.insert(path.clone(), input);
    }

    // A file that another one of the same server begins with adds nothing.
    let mut kept: Vec<&Reading> = Vec::new();
    for (path, bytes, reading) in &readings {
        let longer = readings.iter().find(|(_, other, whole)| {
            !bytes.is_empty()
                && other.len() > bytes.len()
                && other.starts_with(bytes)
                && reading.server == whole.server
        });
        match (longer, tally.inputs.get_mut(*path)) {
            (Some((other, _, _)), Some(input)) => input.superseded_by = Some(other.to_string()),
            _ => kept.push(reading),
        }
    }

    // What only all files together can settle.
    let mut events: Vec<Event> = kept.iter().flat_map(|r| r.events.clone()).collect();
    let mut joins: Vec<Join> = kept.iter().flat_map(|r| r.joins.clone()).collect();
    say_where_proxied_mail_came_from(&mut events, &kept, config);
    let records = kept.iter().flat_map(|r| r.records.clone()).collect();
    sip::unite(records, config, &mut events, &mut joins);
    let events = settle_continued(events, config);
    joins.retain(|join| !ledger::outside_period(join.time, config));

    // People, exclusions, requirements.
    let logged = events.iter().filter_map(|e| e.who.clone()).collect();
    let identity = Identity::new(&logged, &joins, config);
    let ledger = ledger::settle(events, &identity, config);
    for name in ["exchange", "ocs", "sharepoint", "windows"] {
        let product = require::product(name, &ledger, &identity, config);
        if name == "windows" || product.upper > 0 || product.identified > 0 {
            tally.products.insert(name.to_string(), product);
        }
    }
    let rows = require::counted_rows("windows", &ledger);
    tally.people = people(&rows, &ledger.rows, &joins, &identity);
    let machines: Vec<&Row> =
        require::machines("windows", &ledger).into_values().flatten().collect();
    tally.servers = servers(&rows, &machines);
    tally.excluded = ledger.excluded;
    tally.unresolved = ledger.unresolved;
    tally
}

/// Reads one file by what stands in it.
fn read(path: &str, bytes: &[u8], config: &Config) -> Reading {
    let lines = text::lines(bytes);
    match detect(&lines, path) {
        "iis-w3c" => iis_w3c::read(&lines, path, config),
        "smtpsvc" => iis_w3c::read_smtpsvc(&lines, path, config),
        "exchange-pop3" => pop_imap::read(&lines, path, "pop3", config),
        "exchange-imap4" => pop_imap::read(&lines, path, "imap4", config),
        "exchange-smtp-receive" => smtp::read(&lines, path, true, config),
        "exchange-smtp-send" => smtp::read(&lines, path, false, config),
        "ocs-trace" => ocs_trace::read(&lines, path, config),
        other => Reading {
            format: other.to_string(),
            lines: lines
                .iter()
                .map(|line| if text::is_blank(line) { Line::Blank } else { Line::Unrelated })
                .collect(),
            ..Default::default()
        },
    }
}

/// The format of a file: the first line that settles it.
fn detect(lines: &[String], path: &str) -> &'static str {
    let mut microsoft = false;
    let mut stranger = false;
    for line in lines {
        let line = text::clean(line);
        if let Some(software) = text::directive(line, "Software") {
            if software.starts_with("IIS Advanced Logging") {
                return "iis-advanced";
            }
            microsoft |= software.starts_with("Microsoft");
            stranger |= !software.starts_with("Microsoft");
        }
        if let Some(kind) = text::directive(line, "Log-type") {
            let kind = kind.to_uppercase();
            return match kind.as_str() {
                _ if kind.starts_with("POP3") => "exchange-pop3",
                _ if kind.starts_with("IMAP4") => "exchange-imap4",
                "SMTP RECEIVE PROTOCOL LOG" => "exchange-smtp-receive",
                "SMTP SEND PROTOCOL LOG" => "exchange-smtp-send",
                _ => "unknown",
            };
        }
        let fields = text::directive(line, "Fields").map(|value| value.to_lowercase());
        if let Some(fields) = fields.filter(|value| !value.is_empty()) {
            // A Log-type may still follow, or the rows have to tell.
            if fields.contains(',') {
                return with_commas(&fields, lines);
            }
            let names = text::blanks(&fields);
            if names.contains(&"s-reason") || names.contains(&"s-queuename") {
                return "httperr";
            }
            let web = ["cs-username", "cs-method", "cs-uri-stem", "c-ip", "sc-status", "s-ip"];
            if !names.iter().any(|n| web.contains(n))
                || (stranger && !names.contains(&"cs-username"))
            {
                return "unknown";
            }
            return if iis_w3c::is_smtpsvc(lines, path) { "smtpsvc" } else { "iis-w3c" };
        }
        if ocs_trace::is_header(line) {
            return "ocs-trace";
        }
        if !line.starts_with('#') && is_pop_imap_row(line) {
            return pop_or_imap(lines);
        }
        if !line.starts_with('#') && is_protocol_row(line) {
            return with_commas("session-id,sequence-number,data", lines);
        }
    }
    if microsoft { "iis-w3c" } else { "unknown" }
}

/// A comma separated `#Fields`: what its columns and the rows say.
fn with_commas(fields: &str, lines: &[String]) -> &'static str {
    for line in lines {
        if text::directive(line, "Log-type").is_some() {
            let rest: Vec<String> = vec![line.clone()];
            return detect(&rest, "");
        }
    }
    let has = |name: &str| fields.split(',').any(|f| f.trim() == name);
    if has("sessionid") && has("seqnumber") && has("command") {
        return pop_or_imap(lines);
    }
    if has("session-id") && has("sequence-number") && has("data") {
        let rows: Vec<Vec<String>> =
            lines.iter().filter_map(|l| text::commas(text::clean(l))).collect();
        let says = |kind: &str, start: &str| {
            rows.iter().any(|row| {
                row.len() == 9 && row[6] == kind && row[7].to_uppercase().starts_with(start)
            })
        };
        if says(">", "+OK") {
            return "exchange-pop3";
        }
        if says(">", "* OK") {
            return "exchange-imap4";
        }
        return if says(">", "EHLO") || says(">", "HELO") {
            "exchange-smtp-send"
        } else {
            "exchange-smtp-receive"
        };
    }
    "unknown"
}

/// Whether a line has the known layout of a POP3 or IMAP4 row.
fn is_pop_imap_row(line: &str) -> bool {
    let Some(cells) = text::commas(line) else { return false };
    (cells.len() == 12 || cells.len() == 13)
        && text::instant(&cells[0]).is_some()
        && cells[1].len() == 16
        && cells[1].chars().all(|c| c.is_ascii_hexdigit())
        && cells[2].parse::<u64>().is_ok()
}

/// Whether a line has the known layout of a row of the SMTP logs, or of POP3 and IMAP4 up to 2010.
fn is_protocol_row(line: &str) -> bool {
    text::commas(line).is_some_and(|cells| {
        cells.len() == 9
            && text::instant(&cells[0]).is_some()
            && cells[3].parse::<u64>().is_ok()
            && ["+", "-", ">", "<", "*"].contains(&cells[6].as_str())
    })
}

/// POP3 or IMAP4, by the first command or reply that only one of them has.
fn pop_or_imap(lines: &[String]) -> &'static str {
    for line in lines {
        let Some(cells) = text::commas(text::clean(line)) else { continue };
        if cells.len() != 12 && cells.len() != 13 {
            continue;
        }
        let command = cells[9].trim().to_lowercase();
        if ["pass", "user", "auth", "stat", "uidl", "retr", "dele", "top", "capa"]
            .contains(&command.as_str())
        {
            return "exchange-pop3";
        }
        let imap =
            ["login", "authenticate", "capability", "select", "examine", "fetch", "uid", "idle"];
        if imap.contains(&command.as_str()) {
            return "exchange-imap4";
        }
        let context = pop_imap::context(&cells[11]);
        let reply = context.get("r").map_or("", |r| r.as_str());
        if reply.starts_with("+OK") || reply.starts_with("-ERR") {
            return "exchange-pop3";
        }
        if ["NO", "BAD"].contains(&reply.split_whitespace().nth(1).unwrap_or("")) {
            return "exchange-imap4";
        }
    }
    "exchange-pop3"
}

fn lines_by_kind(kinds: &[Line]) -> Lines {
    let mut lines = Lines { total: kinds.len() as u64, ..Default::default() };
    for kind in kinds {
        match kind {
            Line::Event => lines.events += 1,
            Line::Directive => lines.directives += 1,
            Line::Blank => lines.blank += 1,
            Line::Unrelated => lines.unrelated += 1,
            Line::Rejected => lines.rejected += 1,
        }
    }
    lines
}

/// A proxied SMTP session states its client: that is where the user sat. A number that is used again after
/// its session ended is another session.
fn say_where_proxied_mail_came_from(events: &mut [Event], readings: &[&Reading], config: &Config) {
    let relays: Vec<&Relay> = readings.iter().flat_map(|r| &r.relays).collect();
    let same = |relay: &Relay, server: &str, session: &str| {
        relay.server == server && relay.session == session
    };
    let ended_before = |server: &str, session: &str, time: i64| {
        let ends = relays.iter().filter(|r| r.address.is_none() && same(r, server, session));
        ends.filter(|end| end.time < time).count()
    };
    for event in events.iter_mut() {
        let (Some(session), server) = (event.session.clone(), event.server.clone()) else {
            continue;
        };
        let turn = ended_before(&server, &session, event.time);
        let stated = relays
            .iter()
            .filter(|r| same(r, &server, &session))
            .find(|r| r.address.is_some() && ended_before(&server, &session, r.time) == turn);
        if let Some(address) = stated.and_then(|relay| relay.address.as_deref()) {
            smtp::come_from(event, address, None, config);
        }
    }
}

/// A mailbox command is a use of its own only where the logon before it was not seen.
fn settle_continued(events: Vec<Event>, config: &Config) -> Vec<Event> {
    let key = |event: &Event| {
        let who = event.who.as_deref().map(Name::read);
        (who, event.device.clone(), event.server.clone(), event.service.clone())
    };
    let logons: BTreeSet<_> = events
        .iter()
        .filter(|e| e.outcome == Outcome::Served && !ledger::outside_period(e.time, config))
        .map(key)
        .collect();
    let mut settled = Vec::new();
    for mut event in events {
        if event.outcome == Outcome::Continued {
            if logons.contains(&key(&event)) && !ledger::outside_period(event.time, config) {
                continue;
            }
            event.outcome = Outcome::Served;
        }
        settled.push(event);
    }
    settled
}

/// Everybody in demand.
fn people(
    counted: &[&Row],
    all: &[Row],
    joins: &[Join],
    identity: &Identity,
) -> BTreeMap<String, Person> {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let mut devices: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for row in counted {
        let event = &row.event;
        let person = people.entry(row.person.clone()).or_insert(Person {
            first: event.time,
            last: event.time,
            ..Default::default()
        });
        person.products.insert(row.product.clone());
        person.servers.insert(event.server.clone());
        *person.services.entry(event.service.clone()).or_default() += 1;
        person.events += 1;
        person.first = person.first.min(event.time);
        person.last = person.last.max(event.time);
        if let Some(device) = &event.device {
            devices.entry(row.person.clone()).or_default().insert(device.clone());
        }
    }
    for (id, person) in &mut people {
        person.devices = devices.get(id).map_or(0, |d| d.len());
    }
    let logged = all.iter().filter_map(|row| row.event.who.clone());
    let proved = joins.iter().flat_map(|join| [join.a.clone(), join.b.clone()]);
    for name in logged.chain(proved.filter(|name| !name.to_uppercase().starts_with("S-1-"))) {
        if let Some(person) = people.get_mut(&identity.person(&name)) {
            person.names.insert(name);
        }
    }
    people
}

/// Every server that somebody in demand used, or a machine that nobody sat at.
fn servers(counted: &[&Row], machines: &[&Row]) -> BTreeMap<String, ServerTally> {
    let mut servers: BTreeMap<String, ServerTally> = BTreeMap::new();
    let mut users: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut users_of_service: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut devices = BTreeSet::new();
    for row in counted {
        let (name, service) = (row.event.server.as_str(), row.event.service.as_str());
        let server = servers.entry(name.to_string()).or_default();
        server.users += usize::from(users.insert((name, &row.person)));
        let tally = server.services.entry(service.to_string()).or_default();
        tally.events += 1;
        tally.users += usize::from(users_of_service.insert((name, service, &row.person)));
        if let Some(device) = &row.event.device
            && devices.insert((name, device.clone()))
        {
            match device {
                crate::event::Device::Identified(_) => server.identified += 1,
                crate::event::Device::Unidentified(..) => server.unidentified += 1,
            }
        }
    }
    let mut seen = BTreeSet::new();
    for row in machines {
        let server = servers.entry(row.event.server.clone()).or_default();
        server.identified +=
            usize::from(seen.insert((&row.event.server, network::plain(&row.person))));
    }
    servers
}
