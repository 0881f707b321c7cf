//! The worked example of the rules, through the command: its numbers, and how each switch of the
//! configuration moves them, as the sensitivity table says it would.

use std::path::Path;

use serde_json::{Value, json};

use crate::calproof::{Ran, run};

const REALMS: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n";
const DEVICES: &str = "[devices]\ninventory = ['devices.csv']\n";
const EX01: &str = "[[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\nproduct = 'exchange'\nversion = '2010'\n";
const EX02: &str = "[[server]]\nname = 'EX02'\naddresses = ['10.0.0.12']\nproduct = 'exchange'\nversion = '2010'\n";
const OCS01: &str =
    "[[server]]\nname = 'OCS01'\naddresses = ['10.0.0.13']\nproduct = 'ocs'\nversion = '2007'\n";

/// The example's logs, with further logs (server, rows) beside them.
fn example(more: &[(&str, String)]) -> tempfile::TempDir {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/worked-example");
    let folder = tempfile::tempdir().unwrap();
    let to = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(to("logs/EX01")).unwrap();
    for name in [
        "devices.csv",
        "logs/EX01/u_ex100301.log",
        "logs/EX01/u_ex100302.log",
        "logs/EX01/u_ex100303.log",
    ] {
        std::fs::copy(sample.join(name), to(name)).unwrap();
    }
    for (server, rows) in more {
        std::fs::create_dir_all(to(&format!("logs/{server}"))).unwrap();
        std::fs::write(to(&format!("logs/{server}/more.log")), rows).unwrap();
    }
    folder
}

/// Rows of (server's address, target, name, how often).
fn rows(list: &[(&str, &str, &str, usize)]) -> String {
    let head = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
        cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";
    let mut log = head.to_owned();
    for (server, target, name, times) in list {
        for second in 0..*times {
            log.push_str(&format!(
                "2010-03-02 09:00:{second:02} {server} POST {target} - 443 {name} 10.1.0.3 Agent 200 0 0 31\r\n"
            ));
        }
    }
    log
}

fn try_scan(folder: &Path, config: &str) -> Ran {
    std::fs::write(folder.join("calproof.toml"), config).unwrap();
    run(folder, &["scan", "-q", "--sensitivity", "--format", "json", "logs"], b"")
}

fn scan(folder: &Path, config: &str) -> Value {
    let ran = try_scan(folder, config);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn standard<'r>(report: &'r Value, product: &str) -> &'r Value {
    let rows = report["requirements"].as_array().unwrap();
    rows.iter().find(|r| r["product"] == product && r["cal"] == "standard").unwrap()
}

fn demand(report: &Value, product: &str) -> u64 {
    standard(report, product)["users"]["demand"].as_u64().unwrap()
}

fn mix(report: &Value, product: &str) -> [u64; 3] {
    let mix = &standard(report, product)["mix"];
    ["user_cals", "device_cals", "total"].map(|key| mix[key].as_u64().unwrap())
}

/// (principal, rule, events) of the exclusion ledger.
fn left_out(report: &Value) -> Vec<(&str, &str, u64)> {
    let entries = report["excluded"].as_array().unwrap().iter();
    let entry = |e: &'_ Value| e["events"].as_u64().unwrap();
    entries
        .map(|e| (e["principal"].as_str().unwrap(), e["rule"].as_str().unwrap(), entry(e)))
        .collect()
}

fn reading<'r>(report: &'r Value, reading: &str) -> &'r Value {
    let table = report["sensitivity"].as_array().unwrap();
    &table.iter().find(|row| row["reading"] == reading).unwrap()["requirements"]
}

/// A run with a switch thrown gives what the table of the run without it says of that switch.
fn told_beforehand(before: &Value, switch: &str, after: &Value) {
    assert_eq!(reading(before, switch), reading(after, "as-configured"), "{switch}");
    assert_ne!(reading(before, "as-configured"), reading(after, "as-configured"), "{switch}");
}

/// Per-server licensing: the pairs of person and device of each day, by hand.
#[test]
fn a_server_never_held_more_sessions_than_pairs_on_its_busiest_day() {
    let busiest = |more: &[(&str, String)]| {
        let folder = example(more);
        let report = scan(folder.path(), &format!("{REALMS}{EX01}{EX02}{DEVICES}"));
        let servers = report["servers"].as_array().unwrap();
        servers.iter().map(|s| s["per_server"].clone()).collect::<Vec<_>>()
    };
    // Day 1: anna's phone, ben at the kiosk, adm3; days 2 and 3: two each. Who is left out is no session.
    let first = json!({ "sessions_at_most": 3, "day": "2010-03-01" });
    assert_eq!(busiest(&[]), [first]);
    // Two more people on day 2, one of them twice: four pairs on that day. EX02 sees one person.
    let more = rows(&[
        ("10.0.0.11", "/owa/", "CONTOSO\\emil", 2),
        ("10.0.0.11", "/owa/", "CONTOSO\\frida", 1),
        ("10.0.0.12", "/owa/", "CONTOSO\\emil", 1),
    ]);
    let second = |n| json!({ "sessions_at_most": n, "day": "2010-03-02" });
    assert_eq!(busiest(&[("more", more)]), [second(4), second(1)]);
}

#[test]
fn the_numbers_are_those_of_the_rules() {
    let folder = example(&[]);
    let report = scan(folder.path(), &format!("{REALMS}{EX01}{DEVICES}"));
    let exchange = standard(&report, "exchange");
    assert_eq!(exchange["users"], json!({ "lower": 5, "demand": 5, "upper": 6 }));
    assert_eq!(exchange["version"], "2010");
    assert_eq!(exchange["mix"], json!({ "user_cals": 2, "device_cals": 1, "total": 3 }));
    assert_eq!(
        exchange["devices"],
        json!({ "identified": 2, "unidentified": 2, "device_cals_suffice": false })
    );
    assert_eq!(
        exchange["upper_with"],
        json!([{ "name": "contoso\\anna", "reason": "its names counted apart", "cals": 1 }])
    );
    let ids: Vec<&str> =
        report["people"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        ["contoso\\adm3", "contoso\\anna", "contoso\\ben", "contoso\\cem", "contoso\\dora"]
    );
    assert_eq!(
        left_out(&report),
        [
            ("-", "anonymous-internet", 1),
            ("contoso\\adm1", "administration", 9),
            ("contoso\\adm2", "administration", 5),
            ("contoso\\healthmailbox1234567", "monitoring-probe", 3),
            ("contoso\\mallory", "failed-logon", 1),
        ]
    );
    assert_eq!((&report["unresolved"], &report["suspected_shared"]), (&json!([]), &json!([])));
    assert_eq!((demand(&report, "windows"), mix(&report, "windows")), (5, [2, 1, 3]));
}

#[test]
fn without_realms_anna_may_be_two() {
    let folder = example(&[]);
    let report = scan(folder.path(), &format!("{EX01}{DEVICES}"));
    assert_eq!(
        standard(&report, "exchange")["users"],
        json!({ "lower": 5, "demand": 6, "upper": 6 })
    );
    assert_eq!(report["probable_aliases"][0]["ids"], json!(["anna@contoso.com", "contoso\\anna"]));
}

#[test]
fn each_reading_of_administrators_gives_what_the_table_says() {
    // Beside the example one who administers EX02 alone, and two who administer OCS alone.
    let folder = example(&[
        ("EX02", rows(&[("10.0.0.12", "/powershell", "CONTOSO\\adm4", 2)])),
        (
            "OCS01",
            rows(&[
                ("10.0.0.13", "/cscp/", "CONTOSO\\adm5", 7),
                ("10.0.0.13", "/cscp/", "CONTOSO\\adm6", 1),
            ]),
        ),
    ]);
    let config = |admins: &str| {
        format!("{REALMS}{EX01}{EX02}{OCS01}{DEVICES}[rules]\nadmins = '{admins}'\n")
    };
    let per_product = scan(folder.path(), &config("two-per-product"));
    let in_all = scan(folder.path(), &config("two"));
    let per_server = scan(folder.path(), &config("two-per-server"));
    // adm1 and adm2 of Exchange, adm5 and adm6 of OCS are exempt; adm3 and adm4 count.
    assert_eq!((demand(&per_product, "exchange"), demand(&per_product, "windows")), (6, 6));
    // adm1 (9 events) and adm5 (7) are the two in all.
    assert_eq!((demand(&in_all, "exchange"), demand(&in_all, "ocs")), (7, 1));
    // adm4 is one of two on EX02.
    assert_eq!((demand(&per_server, "exchange"), demand(&per_server, "windows")), (5, 5));
    told_beforehand(&per_product, "admins-two", &in_all);
    told_beforehand(&per_product, "admins-two-per-server", &per_server);
    told_beforehand(&in_all, "admins-two-per-product", &per_product);
    told_beforehand(&per_server, "admins-two", &in_all);
}

#[test]
fn an_exclusion_takes_one_out_and_says_so() {
    let folder = example(&[]);
    let config = format!("{REALMS}{EX01}{DEVICES}");
    let whole = scan(folder.path(), &config);
    let exclude = "[[exclude]]\nprincipal = 'CONTOSO\\dora'\nreason = 'a test account'\n";
    let without = scan(folder.path(), &format!("{config}{exclude}"));
    let exchange = standard(&without, "exchange");
    assert_eq!(exchange["users"], json!({ "lower": 4, "demand": 4, "upper": 6 }));
    assert_eq!(exchange["demand_without_declared"], 5);
    assert!(left_out(&without).contains(&("contoso\\dora", "declared", 1)));
    told_beforehand(&without, "declared-counted", &whole);
}

#[test]
fn a_shared_account_holds_no_user_cal_and_lowers_nothing() {
    let folder = example(&[]);
    let config = format!("{REALMS}{EX01}{DEVICES}");
    let people = scan(folder.path(), &config);
    let shared = scan(folder.path(), &format!("{config}[identity]\nshared = ['CONTOSO\\anna']\n"));
    assert_eq!((demand(&shared, "exchange"), mix(&shared, "exchange")), (5, [1, 2, 3]));
    assert_eq!(standard(&shared, "exchange")["shared_devices"], 1);
    told_beforehand(&shared, "shared-as-people", &people);
}

#[test]
fn an_external_connector_covers_external_users_of_its_server() {
    let folder = example(&[("EX01", rows(&[("10.0.0.11", "/owa/", "partner@fabrikam.com", 1)]))]);
    let server = |held: bool| EX01.to_owned() + &format!("external_connector = {held}\n");
    let external = "[identity]\nexternal = ['partner@fabrikam.com']\n";
    let config = |held| format!("{REALMS}{}{DEVICES}{external}", server(held));
    let without = scan(folder.path(), &config(false));
    let with = scan(folder.path(), &config(true));
    assert_eq!((demand(&without, "exchange"), demand(&without, "windows")), (6, 6));
    assert_eq!((demand(&with, "exchange"), demand(&with, "windows")), (5, 6));
    assert!(left_out(&with).contains(&("partner@fabrikam.com", "external-connector", 1)));
    assert!(!left_out(&without).iter().any(|(_, rule, _)| *rule == "external-connector"));
    // Who is not declared external is covered by no connector.
    let undeclared = scan(folder.path(), &format!("{REALMS}{}{DEVICES}", server(true)));
    assert_eq!(demand(&undeclared, "exchange"), 6);
}

#[test]
fn a_programme_that_counts_rights_is_refused() {
    let folder = example(&[]);
    let ran = try_scan(folder.path(), &format!("{EX01}[rules]\nprogramme = 'spla'\n"));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("SPLA counts who may access a server, not who did"), "{}", ran.err);
}
