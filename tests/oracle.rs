//! The program agrees with the slow twin, which shares no code with it, on logs with planted truth.
//!
//! Both are made into lines of text, `what = number`, and the lines that differ are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use calproof::census::{Census, Detail, Question, take};
use calproof::config::{Config, Exclude, ListedServer};
use calproof::discover::discover;
use calproof::facts::usage::Period;
use calproof::ingest::{Quiet, Reading, ingest};
use calproof::rules::RulePack;
use calproof_parsers::Networks;
use calproof_parsers::time::iso_date;
use calproof_twin::generate::{Size, fleet};
use calproof_twin::{Tally, count};

type Lines = BTreeMap<String, String>;

/// The twin's configuration in the program's terms; devices go through an inventory file.
fn config(twin: &calproof_twin::Config, folder: &Path) -> Config {
    let mut config = Config::default();
    let organization = &mut config.organization;
    organization.sip_domains = (!twin.sip_domains.is_empty()).then(|| twin.sip_domains.clone());
    organization.internal_networks =
        (!twin.internal_networks.is_empty()).then(|| twin.internal_networks.clone());
    organization.reverse_proxies = twin.reverse_proxies.clone();
    organization.realms = twin.realms.clone();
    organization.default_domain = twin.default_domain.clone();
    config.identity.shared = twin.shared.clone();
    config.identity.external = twin.external.clone();
    config.excludes = twin
        .excludes
        .iter()
        .map(|e| Exclude { principal: e.principal.clone(), reason: e.reason.clone() })
        .collect();
    config.servers = twin
        .servers
        .iter()
        .map(|s| ListedServer {
            name: s.name.clone(),
            addresses: s.addresses.clone(),
            product: (!s.product.is_empty()).then(|| s.product.clone()),
            version: (!s.version.is_empty()).then(|| s.version.clone()),
            external_connector: s.external_connector,
            ..ListedServer::default()
        })
        .collect();
    if !twin.inventory.is_empty() {
        let file = folder.join("inventory.csv");
        let rows: String = twin.inventory.iter().map(|(a, d)| format!("{a},{d}\n")).collect();
        fs::write(&file, format!("address,device\n{rows}")).unwrap();
        config.devices.inventory = vec![file];
    }
    config
}

fn reading(twin: &calproof_twin::Config, segment_len: usize) -> Reading {
    let mut reading = Reading { segment_len, ..Reading::default() };
    if !twin.internal_networks.is_empty() {
        reading.scope.internal = Networks::parse(&twin.internal_networks).unwrap();
    }
    reading.scope.reverse_proxies = Networks::parse(&twin.reverse_proxies).unwrap();
    let day = |d: &Option<String>| d.as_ref().map(|d| iso_date(d.as_bytes()).unwrap());
    reading.period = Period { from: day(&twin.from), to: day(&twin.to) };
    reading
}

fn of_program(census: &Census, root: &str) -> Lines {
    let mut lines = Lines::new();
    let mut say = |what: String, value: String| lines.insert(what, value);
    for input in &census.inputs {
        let path = input.path.strip_prefix(root).unwrap_or(&input.path).trim_start_matches('/');
        let l = &input.lines;
        let counts = (l.total(), l.events, l.directives, l.blank, l.unrelated, l.rejected);
        say(format!("input {path}"), format!("{} {counts:?}", input.format));
    }
    for p in &census.people {
        say(format!("person {} events", p.id), p.events.to_string());
        say(format!("person {} services", p.id), p.services.join(" "));
        say(format!("person {} servers", p.id), p.servers.join(" "));
        say(format!("person {} devices", p.id), p.devices.to_string());
        say(format!("person {} names", p.id), p.names.join(" "));
        say(format!("person {} seen", p.id), format!("{}..{}", p.first, p.last));
    }
    for e in &census.excluded {
        say(format!("excluded {} {}", e.principal, e.rule), e.events.to_string());
    }
    for u in &census.unresolved {
        say(format!("unresolved {} {}", u.what, u.reason), u.events.to_string());
    }
    for s in census.servers.iter().filter(|s| s.users > 0) {
        let devices = (s.devices_identified, s.devices_unidentified);
        say(format!("server {}", s.server), format!("{} users, devices {devices:?}", s.users));
        for v in &s.services {
            say(
                format!("server {} {}", s.server, v.service),
                format!("{} users, {} events", v.users, v.events),
            );
        }
    }
    for r in census.requirements.iter().filter(|r| r.cal.as_str() == "standard") {
        let of = r.product.as_str();
        say(
            format!("{of} interval"),
            format!("{} {} {}", r.users.lower, r.users.demand, r.users.upper),
        );
        say(
            format!("{of} devices"),
            format!("{} {}", r.devices_identified, r.devices_unidentified),
        );
        say(format!("{of} beside"), format!("{} {}", r.shared_devices, r.machine_devices));
        say(format!("{of} mix"), (r.mix.user_cals + r.mix.device_cals).to_string());
        say(
            format!("{of} peak"),
            format!("{} {}", r.reassignment.peak_90_days, r.reassignment.floor),
        );
    }
    lines
}

fn of_twin(tally: &Tally) -> Lines {
    let mut lines = Lines::new();
    let mut say = |what: String, value: String| lines.insert(what, value);
    for (path, input) in &tally.inputs {
        let l = &input.lines;
        let counts = (l.total, l.events, l.directives, l.blank, l.unrelated, l.rejected);
        say(format!("input {path}"), format!("{} {counts:?}", input.format));
    }
    let joined = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
    for (id, p) in &tally.people {
        say(format!("person {id} events"), p.events.to_string());
        say(
            format!("person {id} services"),
            p.services.keys().cloned().collect::<Vec<_>>().join(" "),
        );
        say(format!("person {id} servers"), joined(&p.servers));
        say(format!("person {id} devices"), p.devices.to_string());
        say(format!("person {id} names"), joined(&p.names));
        say(format!("person {id} seen"), format!("{}..{}", p.first, p.last));
    }
    for ((principal, rule), events) in &tally.excluded {
        say(format!("excluded {principal} {rule}"), events.to_string());
    }
    for ((what, reason), events) in &tally.unresolved {
        say(format!("unresolved {what} {reason}"), events.to_string());
    }
    for (server, s) in tally.servers.iter().filter(|(_, s)| s.users > 0) {
        let devices = (s.identified, s.unidentified);
        say(format!("server {server}"), format!("{} users, devices {devices:?}", s.users));
        for (service, v) in &s.services {
            say(
                format!("server {server} {service}"),
                format!("{} users, {} events", v.users, v.events),
            );
        }
    }
    for (of, p) in &tally.products {
        say(format!("{of} interval"), format!("{} {} {}", p.lower, p.demand, p.upper));
        say(format!("{of} devices"), format!("{} {}", p.identified, p.unidentified));
        say(format!("{of} beside"), format!("{} {}", p.shared_devices, p.machine_devices));
        say(format!("{of} mix"), p.mix_total.to_string());
        say(format!("{of} peak"), format!("{} {}", p.peak, p.floor));
    }
    lines
}

fn difference(program: &Lines, twin: &Lines) -> String {
    let keys: BTreeSet<&String> = program.keys().chain(twin.keys()).collect();
    let none = "(nothing)".to_owned();
    let mut text = String::new();
    for key in keys {
        let (a, b) = (program.get(key).unwrap_or(&none), twin.get(key).unwrap_or(&none));
        if a != b {
            text.push_str(&format!("{key}\n    program: {a}\n    twin:    {b}\n"));
        }
    }
    text
}

fn agrees(seed: u64, size: Size, segment_len: usize) {
    let fleet = fleet(seed, size);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("logs");
    for (path, bytes) in &fleet.files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let config = config(&fleet.config, folder.path());
    let reading = reading(&fleet.config, segment_len);
    let found = discover(&[PathBuf::from(&root)]);
    let read = ingest(&found.inputs, &reading, &Quiet);
    let packs = RulePack::builtin().unwrap();
    let question = Question {
        config: &config,
        packs: &packs,
        period: &reading.period,
        scope: &reading.scope,
        directory: None,
        detail: Detail::Report,
    };
    let census = take(read.usage, read.inputs, &question).unwrap();
    let shown = root.display().to_string().replace('\\', "/");
    let program = of_program(&census, &shown);
    let twin = of_twin(&count(&fleet.files, &fleet.config));
    let difference = difference(&program, &twin);
    assert!(difference.is_empty(), "seed {seed}, segments of {segment_len} bytes:\n{difference}");
}

#[test]
fn the_program_agrees_with_the_twin() {
    for seed in 0..40 {
        agrees(seed, Size::Small, 8 << 20);
    }
}

#[test]
fn the_cut_does_not_show() {
    for (seed, segment_len) in [(1, 1), (2, 777), (3, 40_000)] {
        agrees(seed, Size::Small, segment_len);
    }
}
