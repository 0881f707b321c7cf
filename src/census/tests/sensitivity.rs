//! Each switch moves the numbers of a planted organisation as the table says.

use std::collections::BTreeMap;

use super::licences::planted;
use super::*;
use crate::census::SensitivityRow;

struct Access<'a> {
    day: &'a str,
    server: &'a str,
    target: &'a str,
    name: &'a str,
    from: &'a str,
    status: u32,
}

fn log(accesses: &[Access<'_>]) -> String {
    let head = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
                cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus \
                sc-win32-status time-taken\r\n";
    let mut sorted: Vec<&Access<'_>> = accesses.iter().collect();
    sorted.sort_by_key(|a| a.day);
    let row = |a: &&Access<'_>| {
        let Access { day, server, target, name, from, status } = a;
        format!("{day} 08:00:00 {server} POST {target} 443 {name} {from} Agent {status} 0 0 31\r\n")
    };
    head.to_owned() + &sorted.iter().map(row).collect::<String>()
}

const CONFIG: &str = "
    [[server]]\nname='EX01'\naddresses=['10.0.0.11']\nproduct='exchange'\nversion='2010'
    [[server]]\nname='EX02'\naddresses=['10.0.0.12']\nproduct='exchange'\nversion='2010'
    [[server]]\nname='OCS01'\naddresses=['10.0.0.13']\nproduct='ocs'\nversion='2007'
    [identity]\nshared=['CONTOSO\\desk']
    [devices]\ninventory=['devices.csv']
    [[exclude]]\nprincipal='CONTOSO\\svc'\nreason='a backup agent'
    ";

fn organisation() -> Vec<SensitivityRow> {
    let at = |day, server, target, name, from, status| Access {
        day,
        server,
        target,
        name,
        from,
        status,
    };
    let (one, two, ocs) = ("10.0.0.11", "10.0.0.12", "10.0.0.13");
    let (owa, shell) = ("/owa/ -", "/powershell -");
    let end = "2010-03-01";
    let mut accesses = vec![
        at(end, one, owa, "CONTOSO\\anna", "10.1.1.1", 200),
        at("2010-01-10", one, owa, "CONTOSO\\winter", "10.1.1.2", 200),
        at("2009-06-01", one, owa, "CONTOSO\\summer", "10.1.1.3", 200),
        at("2008-06-01", one, owa, "CONTOSO\\before", "10.1.1.4", 200),
        at(end, one, owa, "CONTOSO\\refused", "10.1.1.5", 403),
        at(end, one, owa, "CONTOSO\\lost", "10.1.1.9", 404),
        at(end, one, "/autodiscover/autodiscover.xml -", "CONTOSO\\thin", "10.1.1.6", 200),
        at(
            end,
            one,
            "/Microsoft-Server-ActiveSync/default.eas User=emil&DeviceId=APPLC39&DeviceType=iPhone&Cmd=Sync",
            "CONTOSO\\emil",
            "203.0.113.9",
            200,
        ),
        at(end, one, owa, "CONTOSO\\desk", "10.1.9.1", 200),
        at(end, one, "/EWS/Exchange.asmx -", "CONTOSO\\PC7$", "10.1.1.7", 200),
        at(end, one, owa, "CONTOSO\\svc", "10.1.1.8", 200),
        at(end, one, shell, "CONTOSO\\adm3", "10.1.2.3", 200),
        at(end, two, shell, "CONTOSO\\adm4", "10.1.2.4", 200),
        at(end, ocs, "/cscp/ -", "CONTOSO\\adm5", "10.1.2.5", 200),
    ];
    let phones: Vec<String> = (1..=6)
        .map(|n| format!("/Microsoft-Server-ActiveSync/default.eas DeviceId=TEAM{n}&Cmd=Sync"))
        .collect();
    accesses.extend(phones.iter().map(|p| at(end, one, p, "CONTOSO\\team", "203.0.113.9", 200)));
    for _ in 0..3 {
        accesses.push(at(end, one, shell, "CONTOSO\\adm1", "10.1.2.1", 200));
        accesses.push(at(end, one, shell, "CONTOSO\\adm2", "10.1.2.2", 200));
    }
    let files = [("devices.csv", "address,device\n10.1.9.1,KIOSK\n")];
    planted(&log(&accesses), CONFIG, &files).compared().sensitivity
}

type Numbers = (u64, u64);

/// People and all CALs, by reading, of one kind of CAL.
fn by_reading(
    table: &[SensitivityRow],
    product: Product,
    cal: Cal,
) -> BTreeMap<&'static str, Numbers> {
    let of = |row: &SensitivityRow| {
        let n = row.requirements.iter().find(|n| (n.product, n.cal) == (product, cal)).unwrap();
        (n.users.demand, n.users_only)
    };
    table.iter().map(|row| (row.reading, of(row))).collect()
}

#[test]
fn each_switch_moves_the_numbers_that_it_is_about_and_no_other() {
    let table = organisation();
    let found = by_reading(&table, Product::Exchange, Cal::Standard);
    // anna, lost, winter, summer, before, emil, team, desk, adm3, adm4; a device CAL for desk, one for PC7.
    let base = (10, 12);
    assert_eq!(found["as-configured"], base);
    let moved = BTreeMap::from([
        ("admins-two-per-server", (9, 11)),
        ("never-served-counted", (11, 13)),
        ("thin-use-counted", (11, 13)),
        ("client-errors-refused", (9, 11)),
        ("shared-as-people", (10, 11)),
        ("machine-accounts-none", (10, 11)),
        ("declared-counted", (11, 13)),
        // The team has six phones on one day.
        ("suspected-shared-counted", (15, 17)),
        ("last-30-days", (7, 9)),
        ("last-90-days", (8, 10)),
        ("last-365-days", (9, 11)),
    ]);
    for (reading, numbers) in &found {
        assert_eq!(*numbers, moved.get(reading).copied().unwrap_or(base), "{reading}");
    }
    assert_eq!(found.len(), 20);
    let enterprise = by_reading(&table, Product::Exchange, Cal::Enterprise);
    for (reading, numbers) in enterprise {
        let expected = if reading == "activesync-enterprise" { (2, 2) } else { (0, 0) };
        assert_eq!(numbers, expected, "{reading}");
    }
    // adm5 is one of two on OCS, and not one of the two in all.
    for (reading, numbers) in by_reading(&table, Product::Ocs, Cal::Standard) {
        let expected = if reading == "admins-two" { (1, 1) } else { (0, 0) };
        assert_eq!(numbers, expected, "{reading}");
    }
    let differs: Vec<&str> = table.iter().filter(|r| r.differs).map(|r| r.reading).collect();
    assert_eq!(differs.len(), moved.len() + 2, "{differs:?}");
}

#[test]
fn attendees_and_guests_of_conferences_have_a_switch_each() {
    let table = compared(&[sample("ocs-cdr/conferences")], &Config::default()).sensitivity;
    let found = by_reading(&table, Product::Ocs, Cal::Standard);
    // anna organised a conference, ben attended it; jane and 0f3a9c were guests.
    assert_eq!(found["as-configured"], (2, 2));
    assert_eq!(found["conference-attendees-none"], (1, 1));
    assert_eq!(found["guests-counted"], (4, 4));
    assert_eq!(found["guests-excluded"], (2, 2));
    let counted = table.iter().find(|r| r.reading == "guests-counted").unwrap();
    let mut standard = counted.requirements.iter().filter(|n| n.cal == Cal::Standard);
    assert!(standard.all(|n| n.mix.is_none() && n.devices_only.is_none()));
}

#[test]
fn who_is_counted_by_a_switch_is_no_longer_in_the_upper_number_alone() {
    let table = organisation();
    let users = |reading: &str| {
        let row = table.iter().find(|r| r.reading == reading).unwrap();
        row.requirements.iter().find(|n| n.product == Product::Exchange).unwrap().users
    };
    let base = users("as-configured");
    for reading in ["never-served-counted", "thin-use-counted", "declared-counted"] {
        assert_eq!(users(reading).upper, base.upper, "{reading}");
    }
}

#[test]
fn nobody_asks_for_the_table_unasked() {
    let config = Config::load(&sample("worked-example/calproof.toml")).unwrap();
    assert!(census(&[sample("worked-example/logs")], &config).sensitivity.is_empty());
}

#[test]
fn whoever_stands_behind_an_account_has_a_switch_each_way() {
    let mut config = Config::default();
    config.identity.service = vec!["CONTOSO\\svc-archive".to_owned()];
    let csv = "sAMAccountName,mail\nanna,anna@contoso.com\n";
    let options = crate::identity::directory::DirectoryOptions::default();
    let directory =
        crate::identity::directory::Directory::parse("ad.csv", csv.as_bytes(), &options).unwrap();
    let paths = [sample("exchange-ews/impersonation-92")];
    let read = ingest(&discover(&paths).inputs, &Reading::default(), &Quiet);
    let packs = RulePack::builtin().unwrap();
    let (period, scope) = (Period::default(), Reading::default().scope);
    let question = Question {
        config: &config,
        packs: &packs,
        period: &period,
        scope: &scope,
        directory: Some(&directory),
        detail: Detail::Report,
    };
    let wanted = Comparisons { sensitivity: true, ..Comparisons::default() };
    let census = take_and_compare(read.usage, read.inputs, &question, &wanted).unwrap();
    let found = by_reading(&census.sensitivity, Product::Exchange, Cal::Standard);
    // Two accounts and, by the directory, anna behind one of them; ben, dora and fred are in upper.
    assert_eq!(found["as-configured"], (3, 3));
    assert_eq!(found["multiplexers-accounts-only"], (2, 2));
    assert_eq!(found["multiplexers-everybody"], (6, 6));
}
