//! The same access seen in several logs of a server is one person and one device.

use std::path::Path;

use serde_json::Value;

use crate::calproof::run;

/// The four logs of `samples/across-logs`; HttpProxy is the only one that Ben stands in, and with
/// the front-end IIS log the only one that shows devices.
const LOGS: [&str; 4] = ["W3SVC1", "HttpProxy", "W3SVC2", "Ews"];

fn scan(logs: &[&str]) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/across-logs");
    let paths: Vec<String> = logs.iter().map(|log| format!("logs/EX01/{log}")).collect();
    let mut args = vec!["scan", "--format", "json"];
    args.extend(paths.iter().map(String::as_str));
    let ran = run(&folder, &args, b"");
    assert_eq!(ran.code, 0, "{logs:?}: {}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn ids(report: &Value) -> Vec<&str> {
    report["people"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect()
}

#[test]
fn four_logs_of_one_server_show_two_people_and_each_device_once() {
    let report = scan(&LOGS);
    assert_eq!(ids(&report), ["contoso\\anna", "contoso\\ben"]);
    assert_eq!(
        report["people"][0]["names"],
        serde_json::json!(["CONTOSO\\anna", "anna@contoso.com"])
    );
    assert_eq!(report["people"][0]["services"], serde_json::json!(["eas", "ews", "owa"]));
    assert_eq!(report["people"][0]["devices"], 3, "phone, browser, Mac");
    assert_eq!(report["people"][1]["devices"], 1);
    let servers = report["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 1, "{servers:?}");
    assert_eq!(servers[0]["devices"], serde_json::json!({ "identified": 1, "unidentified": 3 }));
    let exchange = &report["requirements"][0];
    assert_eq!((&exchange["product"], &exchange["version"]), (&"exchange".into(), &"2016".into()));
    assert_eq!(exchange["users"]["lower"], 2);
    assert_eq!(exchange["users"]["demand"], 2);
    assert_eq!(exchange["mix"]["total"], 2);
    for nobody in ["excluded", "unresolved", "warnings", "probable_aliases"] {
        assert_eq!(report[nobody], serde_json::json!([]), "{nobody}");
    }
}

#[test]
fn any_of_the_logs_in_any_order_show_the_same_people() {
    for set in 1..1_u32 << LOGS.len() {
        let mut logs: Vec<&str> =
            (0..LOGS.len()).filter(|i| set >> i & 1 == 1).map(|i| LOGS[i]).collect();
        let report = scan(&logs);
        let mut people = vec!["contoso\\anna"];
        people.extend(logs.contains(&"HttpProxy").then_some("contoso\\ben"));
        assert_eq!(ids(&report), people, "{logs:?}");
        let front = logs.contains(&"W3SVC1") || logs.contains(&"HttpProxy");
        assert_eq!(report["people"][0]["devices"], if front { 3 } else { 0 }, "{logs:?}");
        logs.reverse();
        assert_eq!(scan(&logs), report, "{logs:?}");
    }
}
