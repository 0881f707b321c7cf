//! Hand-made censuses, and what every form must hold for each of them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use calproof_parsers::{LineErrorKind, Notice};

use super::*;
use crate::census::{
    BusiestDay, Corroborated, Coverage, DayState, Excluded, Interval, Mix, Overlap, PackCited,
    Person, ProbableAliases, Reassignment, Requirement, ServerUse, ServiceUse, Unresolved, Warning,
};
use crate::discover::{Input, Origin};
use crate::facts::collector::RejectedLine;
use crate::ingest::input::InputReport;
use crate::rules::{Cal, Product, RulePack};

fn input(path: &str) -> InputReport {
    let origin = Origin::File(path.into());
    let mut report = InputReport::new(&Input { display: path.to_owned(), origin, size: None });
    report.format = "iis-w3c";
    report.bytes = 81_234;
    report.digest = Some(format!("blake3:{}", "0a".repeat(32)));
    report.lines.events = 290;
    report.lines.directives = 4;
    report.span = Some((1_267_423_964_000, 1_267_513_964_500));
    report
}

fn witness(input: u32) -> Witness {
    Witness { instant: 1_267_423_964_000, input, byte: 3021, line: 17 }
}

fn person(id: &str, product: Product) -> Person {
    Person {
        id: id.to_owned(),
        names: vec![id.to_uppercase(), format!("{id}@contoso.com")],
        joins: vec![(id.to_uppercase(), id.to_owned(), "case".to_owned())],
        products: vec![product],
        servers: vec!["EX01".to_owned()],
        services: vec!["eas", "owa"],
        devices: 2,
        events: 31,
        failed_events: 1,
        first: 1_267_423_964_000,
        last: 1_267_423_964_250,
        witness: witness(0),
        cals: vec![(product, Cal::Standard)],
        known_to_directory: None,
        through: Vec::new(),
    }
}

fn requirement(product: Product, cal: Cal, demand: u64) -> Requirement {
    Requirement {
        product,
        cal,
        version: Some("2010".to_owned()),
        by_version: BTreeMap::from([("2010".to_owned(), demand)]),
        users: Interval { lower: demand, demand, upper: demand },
        demand_without_declared: None,
        shared_accounts: 0,
        shared_devices: 0,
        machine_devices: 0,
        devices_identified: 2,
        devices_unidentified: 1,
        device_cals_suffice: false,
        people_from_unidentified: 1,
        mix: Mix { user_cals: 2, device_cals: 1, ..Mix::default() },
        reassignment: Reassignment {
            distinct: demand,
            peak_90_days: demand,
            window: Some((14_669, 14_758)),
            floor: demand.div_ceil(2),
        },
        lower_without: Vec::new(),
        upper_with: Vec::new(),
    }
}

fn excluded(principal: &str, rule: &'static str, events: u64) -> Excluded {
    Excluded {
        principal: principal.to_owned(),
        rule,
        reason: String::new(),
        servers: vec!["EX01".to_owned()],
        products: vec![Product::Exchange],
        events,
        witness: witness(0),
    }
}

fn submitted(mailbox: &str, person: Option<&str>) -> Corroborated {
    Corroborated {
        mailbox: mailbox.to_owned(),
        server: "EX01".to_owned(),
        person: person.map(str::to_owned),
        events: 3,
        witness: witness(0),
    }
}

fn pack(id: &str) -> PackCited {
    PackCited {
        id: id.to_owned(),
        version: "2026-11-22".to_owned(),
        sha256: "0123456789abcdef".repeat(4),
    }
}

fn server(name: &str, product: Product) -> ServerUse {
    ServerUse {
        server: name.to_owned(),
        listed: true,
        product: Some(product),
        version: Some("2010".to_owned()),
        users: 5,
        devices_identified: 2,
        devices_unidentified: 1,
        services: vec![
            ServiceUse { service: "eas", users: 1, events: 31 },
            ServiceUse { service: "owa", users: 4, events: 12_000 },
        ],
        busiest: Some(BusiestDay { day: 14_669, pairs: 4 }),
    }
}

/// A directory without any access.
fn nothing() -> Census {
    let mut other = input("logs/readme.txt");
    other.format = "unknown";
    other.span = None;
    other.lines = Default::default();
    other.lines.unrelated = 12;
    Census { inputs: vec![other], ..Census::default() }
}

/// One product, nothing odd.
fn one() -> Census {
    Census {
        organization: Some("Contoso".to_owned()),
        rule_packs: vec![pack("exchange-2010")],
        events: Some((1_267_423_964_000, 1_267_513_964_500)),
        requirements: vec![requirement(Product::Exchange, Cal::Standard, 5)],
        servers: vec![server("EX01", Product::Exchange)],
        people: vec![person("contoso\\anna", Product::Exchange)],
        excluded: vec![
            excluded("contoso\\adm1", "administration", 9),
            excluded("contoso\\adm2", "administration", 5),
            excluded("-", "anonymous-internet", 1),
            excluded("contoso\\mallory", "failed-logon", 1),
        ],
        coverage: vec![Coverage {
            server: "EX01".to_owned(),
            format: "iis-w3c",
            days: vec![(14_669, DayState::Complete), (14_670, DayState::Complete)],
            overlaps: Vec::new(),
            repeats: Vec::new(),
            set_back: Vec::new(),
        }],
        inputs: vec![input("logs/EX01/u_ex100301.log")],
        ..Census::default()
    }
}

/// Several products, and everything that can weaken a count.
fn several() -> Census {
    let mut census = one();
    census.from = Some("2010-01-01".to_owned());
    census.to = Some("2010-12-31".to_owned());
    census.rule_packs = vec![pack("exchange-2010"), pack("ocs-2007"), pack("windows-server-2008")];
    let exchange = &mut census.requirements[0];
    exchange.users = Interval { lower: 4, demand: 5, upper: 8 };
    exchange.by_version = BTreeMap::from([("2007".to_owned(), 2), ("2010".to_owned(), 3)]);
    exchange.demand_without_declared = Some(6);
    exchange.shared_devices = 2;
    exchange.machine_devices = 1;
    exchange.lower_without =
        vec![("anna@contoso.com".to_owned(), "probable alias of contoso\\anna".to_owned())];
    exchange.upper_with = vec![
        ("contoso\\backup".to_owned(), "declared".to_owned(), 1),
        ("203.0.113.9".to_owned(), "anonymous-internal".to_owned(), 2),
    ];
    let mut ocs = requirement(Product::Ocs, Cal::Standard, 1200);
    ocs.device_cals_suffice = true;
    ocs.devices_identified = 1;
    ocs.version = None;
    census.requirements.push(ocs);
    census.requirements.push(requirement(Product::Ocs, Cal::Enterprise, 1));
    census.requirements.push(requirement(Product::Windows, Cal::Standard, 1203));
    census.servers.push(ServerUse { product: None, ..server("10.0.0.12", Product::Ocs) });
    let declared = Excluded {
        reason: "backup agent, reads no mailbox (change 4711)".to_owned(),
        ..excluded("contoso\\svc_backup", "declared", 123_456)
    };
    census.excluded.push(declared);
    census.unresolved = vec![Unresolved {
        what: "contoso\\zoe".to_owned(),
        reason: "thin-use",
        servers: vec!["EX01".to_owned()],
        events: 3,
        witness: witness(0),
    }];
    census.probable_aliases = vec![ProbableAliases {
        local_part: "anna".to_owned(),
        ids: vec!["anna@contoso.com".to_owned(), "contoso\\anna".to_owned()],
        at_least: 1,
    }];
    census.corroborated = vec![
        submitted("anna@contoso.com", Some("contoso\\anna")),
        submitted("office@contoso.com", None),
    ];
    census.coverage[0].days = (14_669..14_700)
        .map(|day| {
            let state = match day {
                14_673..=14_675 => DayState::Absent,
                14_680 => DayState::Partial,
                14_699 => DayState::Blind,
                _ => DayState::Complete,
            };
            (day, state)
        })
        .collect();
    let mut rejected = input("logs/EX01/u_ex100302.log");
    rejected.lines.rejected = 25;
    rejected.rejected = (0..20)
        .map(|n| RejectedLine {
            line: 77 + n,
            byte: 18_000 + n,
            kind: LineErrorKind::FieldCount { found: 13, declared: 14 },
        })
        .collect();
    let mut blind = input("logs/EX01/u_ex100303.log");
    blind.notices = vec![Notice::Blind { missing: "cs-username" }];
    let mut torn = input("logs/EX01/u_ex100304.log.gz");
    torn.trouble = Some("logs/EX01/u_ex100304.log.gz: found the end too early".to_owned());
    let mut copy = input("logs/copy/u_ex100301.log");
    copy.duplicate_of = Some("logs/EX01/u_ex100301.log".to_owned());
    census.inputs.extend([rejected, blind, torn, copy]);
    census.inputs.extend(nothing().inputs);
    let warning = |code, path: &str, text: &str| Warning {
        code,
        path: path.to_owned(),
        text: text.to_owned(),
    };
    census.warnings = vec![
        warning("bare-names", "", "3 names were logged without a domain"),
        warning("blind-log", "logs/EX01/u_ex100303.log", "`#Fields` has no `cs-username`"),
        warning("rejected-lines", "logs/EX01/u_ex100302.log", "25 lines could not be read"),
        warning(
            "unreadable",
            "logs/EX01/u_ex100304.log.gz",
            "logs/EX01/u_ex100304.log.gz: found the end too early",
        ),
    ];
    census
}

/// What an attacker writes: escapes, overrides, formulas, and names without an end.
fn hostile() -> Census {
    let mut census = several();
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}=cmd|'/c calc'!A1\u{202e}nimda\u{200b}\r\n";
    let long = format!("contoso\\{}{evil}", "ü".repeat(300));
    census.organization = Some(long.clone());
    for (i, evil) in [evil, &long, "日本\u{9b}31m", "@SUM(1)"].into_iter().enumerate() {
        let mut person = person(evil, Product::Exchange);
        person.servers = vec![evil.to_owned()];
        census.people.push(person);
        census.servers.push(server(evil, Product::Exchange));
        census.excluded.push(excluded(evil, "failed-logon", 1));
        census
            .excluded
            .push(Excluded { reason: evil.to_owned(), ..excluded(evil, "declared", i as u64) });
        census
            .unresolved
            .push(Unresolved { what: evil.to_owned(), ..census.unresolved[0].clone() });
        census.probable_aliases.push(ProbableAliases {
            local_part: evil.to_owned(),
            ids: vec![evil.to_owned(), long.clone()],
            at_least: 1,
        });
        census.corroborated.push(submitted(evil, None));
        let mut input = input(evil);
        input.lines.rejected = 1;
        input.rejected = vec![RejectedLine { line: 1, byte: 0, kind: LineErrorKind::Quote }];
        input.trouble = Some(format!("{evil}: torn"));
        input.duplicate_of = Some(evil.to_owned());
        census.inputs.push(input);
        census.warnings.push(Warning { code: "unreadable", path: evil.into(), text: evil.into() });
        census.coverage.push(Coverage {
            server: evil.to_owned(),
            format: "iis-w3c",
            days: vec![(14_669, DayState::Absent)],
            overlaps: vec![Overlap { inputs: (0, 0), days: (14_669, 14_669) }],
            repeats: vec![0],
            set_back: vec![(0, 352_060, 352_050)],
        });
        census.requirements[0].upper_with.push((evil.to_owned(), evil.to_owned(), 1));
        census.requirements[0].version = Some(evil.to_owned());
    }
    census
}

fn shown(census: &Census, style: Style) -> String {
    let packs = RulePack::builtin().unwrap();
    let mut out = Vec::new();
    text(census, &packs, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn all() -> [Census; 4] {
    [nothing(), one(), several(), hostile()]
}

#[test]
fn years_without_logs_are_one_line_of_the_map() {
    let of = |server: &str, day| Coverage {
        server: server.to_owned(),
        format: "iis-w3c",
        days: vec![(day, DayState::Complete)],
        overlaps: Vec::new(),
        repeats: Vec::new(),
        set_back: vec![(0, 352_060, 352_050)],
    };
    // 2003-11-18, and 2010-10-31.
    let coverage = vec![of("EX01", 12_374), of("EX02", 14_913)];
    let shown = shown(&Census { coverage, ..several() }, Style { width: 100, color: false });
    let map = shown.split_once("COVERAGE").unwrap().1;
    let lines: Vec<&str> = map.lines().map(str::trim).skip(1).take(5).collect();
    assert!(lines[0].starts_with("2003 ") && lines[1].starts_with("EX01 "), "{lines:?}");
    assert_eq!(lines[2], "2004-01-01 to 2009-12-31: no rows");
    assert!(lines[3].starts_with("2010 ") && lines[4].starts_with("EX02 "), "{lines:?}");
    let back = map.split_once("clock set back").unwrap().1;
    // One log, in whichever series it is.
    assert_eq!(back.matches("2010-02-28 18h").count(), 1, "{back}");
}

#[test]
fn mailboxes_of_nobody_who_is_counted_come_first() {
    let text = |corroborated| {
        let census = Census { corroborated, ..several() };
        let text = shown(&census, Style { width: 100, color: false });
        text.split_once("SENT MAIL").map(|(_, after)| after.to_owned())
    };
    let both = text(several().corroborated).unwrap();
    let (office, anna) =
        (both.find("office@contoso.com"), both.find("1 mailbox of counted people"));
    assert!(office.is_some() && office < anna, "{both}");
    assert!(!both.contains("anna@contoso.com"), "{both}");
    let known = text(vec![submitted("anna@contoso.com", Some("contoso\\anna"))]).unwrap();
    assert_eq!(known.lines().nth(1), Some("  1 mailbox of counted people submitted mail."));
    assert_eq!(text(Vec::new()), None);
    let many = text((0..12).map(|n| submitted(&format!("m{n:02}@contoso.com"), None)).collect());
    let many = many.unwrap();
    assert!(many.contains("m09@") && !many.contains("m10@"), "{many}");
    assert!(many.contains("... and 2 mailboxes more"), "{many}");
}

#[test]
fn text_is_harmless_within_its_width_and_claims_nothing() {
    for census in all() {
        for width in [80, 100, 120] {
            let text = shown(&census, Style { width, color: false });
            for line in text.lines() {
                assert!(!line.contains(escape::is_unsafe), "{line:?}");
                let words = line.split_whitespace().map(escape::width).max().unwrap_or(0);
                assert!(escape::width(line) <= width || words > width / 2, "{width}: {line}");
            }
            let lower = text.to_lowercase();
            assert!(!lower.contains("complian") && !lower.contains("proof of absence"));
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(words.join(" ").contains("Missing logs are not missing use"));
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for census in all() {
        let plain = shown(&census, Style { width: 90, color: false });
        let coloured = shown(&census, Style { width: 90, color: true });
        assert_ne!(plain, coloured);
        let stripped =
            coloured.replace("\u{1b}[1m", "").replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
        assert_eq!(plain, stripped);
    }
}

#[test]
fn the_answer_comes_first_and_is_a_floor_where_something_is_missing() {
    let text = shown(&one(), Style::default());
    let answer = text.lines().position(|l| l.contains("5  Exchange Standard user CALs")).unwrap();
    assert!(answer < 8, "{text}");
    assert!(text.contains("under rule pack") && text.contains("exchange-2010"));
    assert!(!text.contains("FLOOR"));
    let text = shown(&several(), Style::default());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("1 place could not be read, 25 lines could not be read"), "{text}");
    assert!(text.contains("not determinable: 1 person came from unidentified devices"));
    assert!(text.contains("logs/EX01/u_ex100302.log:77: found 13 fields, but #Fields declares 14"));
    assert!(text.contains("2010-03-05 to 2010-03-07 absent, 2010-03-12 partial, 2010-03-31 blind"));
    assert!(shown(&nothing(), Style::default()).contains("No CAL: no access that counts was seen"));
}

#[test]
fn json_parses_and_shows_no_unsafe_character() {
    for census in all() {
        let mut out = Vec::new();
        json(&census, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !escape::is_unsafe(c)));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<&str> = census.people.iter().map(|p| p.id.as_str()).collect();
        let read: Vec<&str> =
            value["people"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
        assert_eq!(names, read, "escaping must not change what is said");
    }
}

#[test]
fn json_keys_stand_in_the_order_of_the_contract() {
    let mut out = Vec::new();
    json(&several(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let keys = |indent: usize, from: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|l| !l.contains(from)).skip(1);
        let start = format!("{:indent$}\"", "");
        let end = format!("{:width$}}}", "", width = indent - 2);
        lines
            .take_while(|l| !l.starts_with(&end))
            .filter_map(|l| l.strip_prefix(&start)?.split('"').next().map(str::to_owned))
            .collect()
    };
    let contract = "schema tool rule_packs period requirements servers people excluded unresolved \
                    coverage inputs warnings organization probable_aliases \
                    multiplexers corroborated suspected_shared";
    let first: Vec<&str> = contract.split_whitespace().skip(1).collect();
    assert_eq!(keys(2, "\"schema\""), first);
    let requirement = "product cal version users devices mix reassignment by_version shared_devices \
                       machine_devices demand_without_declared people_from_unidentified \
                       lower_without upper_with";
    let first: Vec<&str> = requirement.split_whitespace().collect();
    assert_eq!(keys(6, "\"requirements\"")[..], first);
    let lines = [
        r#"      "mix": { "user_cals": 2, "device_cals": 1, "total": 3 },"#,
        r#"      "by_version": { "2007": 2, "2010": 3 },"#,
        r#""window": { "from": "2010-03-01", "to": "2010-05-29" }, "floor": 3 },"#,
        r#"        { "day": "2010-03-05", "state": "absent" },"#,
    ];
    for line in lines {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("\"last\": \"2010-03-01T06:12:44.250Z\""));
    assert!(!text.contains("\"proof\""));
}

#[test]
fn csv_reads_back_and_starts_no_formula() {
    let census = hostile();
    let mut out = Vec::new();
    super::csv(&census, &mut out).unwrap();
    assert!(out.ends_with(b"\r\n"));
    let mut rows = ::csv::Reader::from_reader(out.as_slice());
    let rows: Vec<::csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), census.people.len());
    for row in &rows {
        assert_eq!(row.len(), 12);
        for item in row.iter().flat_map(|cell| cell.split("; ")) {
            assert!(!item.starts_with(['=', '+', '-', '@']), "{item}");
            assert!(!item.contains(escape::is_unsafe), "{item:?}");
        }
    }
    assert_eq!(&rows[0][0], "contoso\\anna");
    assert_eq!(&rows[0][9], "logs/EX01/u_ex100301.log");
    assert_eq!(&rows[4][0], "'@SUM(1)");
}
