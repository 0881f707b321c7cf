//! Accounts that several people seem to share: listed with a reason, in upper only.

use serde_json::{Value, json};

use crate::calproof::{folder, run};
use crate::schema::faults;

const IIS: &str = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
    cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";

/// A row of OWA: (day of March 2010, name, client, agent).
fn owa((day, name, client, agent): (u32, &str, &str, &str)) -> String {
    format!(
        "2010-03-{day:02} 09:00:00 10.0.0.11 GET /owa/ - 443 {name} {client} {agent} 200 0 0 31\r\n"
    )
}

/// A row of ActiveSync: (day of March 2010, name, device).
fn phone((day, name, device): (u32, &str, &str)) -> String {
    format!(
        "2010-03-{day:02} 09:00:00 10.0.0.11 POST /Microsoft-Server-ActiveSync/default.eas DeviceId={device}&Cmd=Sync 443 \
         {name} 203.0.113.7 Phone/1 200 0 0 31\r\n"
    )
}

fn scan(rows: &str, config: &str, more: &[&str]) -> Value {
    let log = format!("{IIS}{rows}");
    let folder = folder(&[
        ("calproof.toml", config.as_bytes()),
        ("logs/EX01/u_ex100301.log", log.as_bytes()),
    ]);
    let args = [&["scan", "-q", "--format", "json"], more, &["logs"]].concat();
    let ran = run(folder.path(), &args, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn users(report: &Value) -> (u64, u64, u64) {
    let rows = report["requirements"].as_array().unwrap();
    let row = rows.iter().find(|r| r["product"] == "exchange" && r["cal"] == "standard").unwrap();
    let end = |end: &str| row["users"][end].as_u64().unwrap();
    (end("lower"), end("demand"), end("upper"))
}

fn many(n: u32, row: impl Fn(u32) -> String) -> String {
    (1..=n).map(row).collect()
}

#[test]
fn five_devices_on_a_day_widen_upper_and_nothing_else() {
    let phones = |n| many(n, |i| phone((1, "CONTOSO\\desk", &format!("Dev{i}"))));
    let four = scan(&phones(4), "", &[]);
    assert_eq!(users(&four), (1, 1, 1));
    assert_eq!(four["suspected_shared"], json!([]));
    let six = scan(&phones(6), "", &[]);
    assert_eq!(users(&six), (1, 1, 6));
    assert_eq!(faults(&six), Vec::<String>::new());
    let entry = &six["suspected_shared"][0];
    assert_eq!(
        (&entry["account"], &entry["devices"], &entry["kind"], &entry["day"]),
        (&json!("contoso\\desk"), &json!(6), &json!("ActiveSync ids"), &json!("2010-03-01"))
    );
    assert_eq!(
        six["requirements"][0]["upper_with"],
        json!([{ "name": "contoso\\desk", "reason": "suspected shared account, one per device at once", "cals": 5 }])
    );
    // What is stated to be shared, or a program, is not suspected.
    let stated = scan(&phones(6), "[identity]\nservice = ['CONTOSO\\desk']\n", &[]);
    assert_eq!(users(&stated), (1, 1, 1));
    let shared = scan(&phones(6), "[identity]\nshared = ['CONTOSO\\desk']\n", &[]);
    assert_eq!((users(&shared).1, &shared["suspected_shared"]), (1, &json!([])));
    assert_eq!(shared["requirements"][0]["shared_devices"], 6);
}

#[test]
fn devices_of_different_days_or_kinds_are_not_added_up() {
    let apart = many(9, |i| phone((i, "CONTOSO\\anna", &format!("Dev{i}"))));
    assert_eq!(users(&scan(&apart, "", &[])), (1, 1, 1));
    let kinds = many(4, |i| phone((1, "CONTOSO\\anna", &format!("Dev{i}"))))
        + &many(4, |i| owa((1, "CONTOSO\\anna", &format!("10.1.1.{i}"), "Mozilla/5.0")));
    assert_eq!(users(&scan(&kinds, "", &[])), (1, 1, 1));
}

#[test]
fn only_addresses_of_the_own_network_are_workplaces() {
    let inside = many(7, |i| owa((2, "CONTOSO\\desk", &format!("10.1.1.{i}"), "Mozilla/5.0")));
    let report = scan(&inside, "", &[]);
    assert_eq!(users(&report), (1, 1, 7));
    assert_eq!(report["suspected_shared"][0]["kind"], "addresses of the own network");
    // One address with many agents, a phone that roams, the organisation's own proxy.
    let agents = many(7, |i| owa((2, "CONTOSO\\desk", "10.1.1.1", &format!("Agent/{i}"))));
    assert_eq!(users(&scan(&agents, "", &[])), (1, 1, 1));
    let roams = many(7, |i| owa((2, "CONTOSO\\desk", &format!("198.51.100.{i}"), "Mozilla/5.0")));
    assert_eq!(users(&scan(&roams, "", &[])), (1, 1, 1));
    let networks = "[organization]\ninternal_networks = ['198.51.100.0/24']\n";
    assert_eq!(users(&scan(&roams, networks, &[])), (1, 1, 7));
}

#[test]
fn names_counted_apart_are_not_counted_twice() {
    // Two names that only the configuration joins, of six devices together: four and two.
    let rows = many(4, |i| phone((1, "CONTOSO\\desk", &format!("Dev{i}"))))
        + &many(2, |i| phone((1, "desk@contoso.com", &format!("Other{i}"))));
    let realms = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n";
    let report = scan(&rows, realms, &[]);
    assert_eq!(users(&report), (1, 1, 6));
    // Six and two: six people and one more.
    let rows = many(6, |i| phone((1, "CONTOSO\\desk", &format!("Dev{i}"))))
        + &phone((1, "desk@contoso.com", "Dev1"));
    let report = scan(&rows, realms, &[]);
    assert_eq!(users(&report), (1, 1, 7));
}

#[test]
fn the_sensitivity_table_and_explain_tell_it() {
    let rows = many(6, |i| phone((1, "CONTOSO\\desk", &format!("Dev{i}"))))
        + &owa((1, "CONTOSO\\ben", "10.1.1.9", "Mozilla/5.0"));
    let report = scan(&rows, "", &["--sensitivity"]);
    let table = report["sensitivity"].as_array().unwrap();
    let row = table.iter().find(|r| r["reading"] == "suspected-shared-counted").unwrap();
    assert_eq!(row["differs"], true);
    assert_eq!(row["requirements"][0]["users"], json!({ "lower": 7, "demand": 7, "upper": 7 }));
    let log = format!("{IIS}{rows}");
    let folder = folder(&[("logs/EX01/u_ex100301.log", log.as_bytes())]);
    let told = run(folder.path(), &["explain", "CONTOSO\\desk", "logs"], b"");
    let flat = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("Suspected to be shared by several people: 6 ActiveSync ids on 2010-03-01."),
        "{flat}"
    );
    let text = run(folder.path(), &["scan", "-q", "logs"], b"");
    assert!(text.out.contains("SUSPECTED SHARED ACCOUNTS"), "{}", text.out);
    let evidence = run(folder.path(), &["scan", "-q", "--evidence", "bundle", "logs"], b"");
    assert_eq!(evidence.code, 0, "{}", evidence.err);
    let full = run(folder.path(), &["verify", "bundle", "--logs", "logs", "--full"], b"");
    assert_eq!(full.code, 0, "{}{}", full.out, full.err);
    // The second count reads it alike: it would tell an interval of its own.
    assert!(!full.out.contains("interval"), "{}", full.out);
}
