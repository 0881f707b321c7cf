//! The directory decides who is one person, who is external, shared, or a service account, and who
//! stands behind that.

use std::path::Path;

use serde_json::Value;

use crate::calproof::{folder, owa, run};

fn sample(config: &str) -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/directory");
    let ran = run(&here, &["scan", "-q", "--config", config, "--format", "json", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

fn users(report: &Value, product: &str) -> (u64, u64, u64) {
    let rows = report["requirements"].as_array().unwrap();
    let row = rows.iter().find(|r| r["product"] == product && r["cal"] == "standard").unwrap();
    let end = |end: &str| row["users"][end].as_u64().unwrap();
    (end("lower"), end("demand"), end("upper"))
}

fn person<'r>(report: &'r Value, id: &str) -> &'r Value {
    report["people"].as_array().unwrap().iter().find(|p| p["id"] == id).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

#[test]
fn the_sample_gives_the_numbers_of_its_note() {
    for config in ["calproof.toml", "ldif.toml"] {
        let report = sample(config);
        assert_eq!(users(&report, "exchange"), (9, 9, 15), "{config}");
        assert_eq!(users(&report, "windows"), (10, 10, 16), "{config}");
        let ids: Vec<&str> = report["people"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["id"].as_str().unwrap())
            .collect();
        let expected = ["aarndt", "bberg", "ccan", "ddahl", "ghost", "jasmith", "jsmith"];
        let expected: Vec<String> = expected
            .iter()
            .chain(&["reception", "svc_gateway", "x_partner"])
            .map(|name| format!("contoso\\{name}"))
            .collect();
        assert_eq!(ids, expected, "{config}");
        for id in &ids {
            let known = person(&report, id)["known_to_directory"].as_bool().unwrap();
            assert_eq!(known, *id != "contoso\\ghost", "{id}");
        }
        assert!(report["probable_aliases"].as_array().unwrap().is_empty());
        assert_eq!(
            codes(&report),
            ["multiplexer", "not-in-directory"],
            "{config}: {}",
            report["warnings"]
        );
        let excluded = &report["excluded"][0];
        assert_eq!(excluded["principal"], "contoso\\x_partner");
        assert_eq!(excluded["rule"], "external-licensed-with-server");
    }
}

#[test]
fn without_the_directory_the_same_logs_have_more_names() {
    let report = sample("none.toml");
    assert!(users(&report, "exchange").1 > 9);
    assert!(!report["people"][0].as_object().unwrap().contains_key("known_to_directory"));
}

#[test]
fn a_multiplexer_is_named_with_whoever_stands_behind_it() {
    let report = sample("calproof.toml");
    let gateway = &report["multiplexers"][1];
    assert_eq!(gateway["account"], "contoso\\svc_gateway");
    assert_eq!(gateway["stated"], true);
    assert_eq!(
        strings(&gateway["people"]),
        ["contoso\\aarndt", "contoso\\ddahl", "contoso\\reception"]
    );
    assert_eq!(strings(&gateway["unresolved"]), ["room-12@contoso.com"]);
    assert_eq!(gateway["events"], 5, "the denied one is nobody's");
    let open = &report["unresolved"][0];
    assert_eq!(report["unresolved"].as_array().unwrap().len(), 1);
    assert_eq!(open["what"], "room-12@contoso.com");
    assert_eq!(open["reason"], "behind-multiplexer");
    assert_eq!(open["events"], 2);
    let dora = person(&report, "contoso\\ddahl");
    assert_eq!(strings(&dora["through"]), ["contoso\\svc_gateway"]);
    assert_eq!((&dora["devices"], &dora["events"]), (&0.into(), &1.into()));
    // Cem opened the mailbox of Ben, who counts for himself.
    let cem = &report["multiplexers"][0];
    assert_eq!((&cem["account"], &cem["stated"]), (&"contoso\\ccan".into(), &false.into()));
    assert!(strings(&person(&report, "contoso\\bberg")["through"]).is_empty());
    // The account's own events stay with the server once.
    let ews = &report["servers"][0]["services"][1];
    assert_eq!((&ews["service"], &ews["events"]), (&"ews".into(), &8.into()));
}

const EWS: &str = "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2375.007\r\n#Log-type: EWS Logs\r\n\
    #Date: 2011-05-02T12:00:00.000Z\r\n\
    #Fields: DateTime,RequestId,AuthenticationType,IsAuthenticated,AuthenticatedUser,ClientIpAddress,\
    ServerHostName,FrontEndServer,SoapAction,HttpStatus,ErrorCode,ImpersonatedUser\r\n";

/// An EWS log in which `account` acts for each of `others`.
fn acting(account: &str, others: &[&str]) -> String {
    let row = |(i, other): (usize, &&str)| {
        format!(
            "2011-05-02T12:{i:02}:00.000Z,{i},Negotiate,true,{account},10.0.2.9,EX01,FE01,GetItem,200,,{other}\r\n"
        )
    };
    EWS.to_owned() + &others.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn who_stands_behind_a_service_account_counts_only_where_proved() {
    let log = acting("X\\gw", &["X\\anna", "X\\ben", "x\\ANNA", "X\\backup", "X\\gw"]);
    let own = owa(&["X\\anna"]);
    let here = folder(&[
        ("ews.log", log.as_bytes()),
        ("owa.log", own.as_bytes()),
        ("none.toml", b""),
        (
            "service.toml",
            b"[identity]\nservice = ['X\\gw']\n[[exclude]]\nprincipal='X\\backup'\nreason='job'\n",
        ),
        (
            "out.toml",
            b"[identity]\nservice = ['X\\gw']\n[[exclude]]\nprincipal='X\\gw'\nreason='job'\n",
        ),
    ]);
    let scan = |config: &str| -> Value {
        let args = ["scan", "-q", "--config", config, "--format", "json", "ews.log", "owa.log"];
        serde_json::from_str(&run(here.path(), &args, b"").out).unwrap()
    };
    // Not stated: anna for herself, the account; ben and backup only in upper.
    let report = scan("none.toml");
    assert_eq!(users(&report, "exchange"), (2, 2, 4));
    assert!(codes(&report).contains(&"multiplexer-not-stated"));
    // Stated: anna is provably a person and counts once; ben is not; backup is declared out, and in upper.
    let report = scan("service.toml");
    assert_eq!(users(&report, "exchange"), (2, 2, 4));
    assert_eq!(strings(&report["multiplexers"][0]["people"]), ["x\\anna"]);
    assert_eq!(strings(&report["multiplexers"][0]["excluded"]), ["x\\backup"]);
    assert_eq!(strings(&person(&report, "x\\anna")["through"]), ["x\\gw"]);
    // Leaving the account out does not hide whom it acts for.
    let report = scan("out.toml");
    assert_eq!(users(&report, "exchange"), (1, 1, 4), "{}", report["requirements"]);
}

#[test]
fn names_of_one_local_part_that_the_directory_tells_apart_are_no_aliases() {
    let directory = "sAMAccountName,mail\njsmith,john@contoso.com\njasmith,jsmith@fabrikam.com\n";
    let log = owa(&["jsmith", "jsmith@fabrikam.com"]);
    let here = folder(&[
        ("a.log", log.as_bytes()),
        ("ad.csv", directory.as_bytes()),
        ("with.toml", b"[identity]\ndirectory = ['ad.csv']\n"),
        ("without.toml", b""),
    ]);
    let scan = |config: &str| -> Value {
        let args = ["scan", "-q", "--config", config, "--format", "json", "a.log"];
        serde_json::from_str(&run(here.path(), &args, b"").out).unwrap()
    };
    assert_eq!(users(&scan("without.toml"), "exchange"), (1, 2, 2));
    let with = scan("with.toml");
    assert_eq!(users(&with, "exchange"), (2, 2, 2));
    assert!(with["probable_aliases"].as_array().unwrap().is_empty());
}

#[test]
fn one_employee_id_is_one_person_where_the_user_says_so() {
    let directory = "msDS-PrincipalName,employeeID\nX\\anna,4711\nX\\adm-anna,4711\n";
    let log = owa(&["X\\anna", "X\\adm-anna"]);
    let here = folder(&[
        ("a.log", log.as_bytes()),
        ("ad.csv", directory.as_bytes()),
        ("one.toml", b"[identity]\ndirectory = ['ad.csv']\njoin_employee_id = true\n"),
        ("two.toml", b"[identity]\ndirectory = ['ad.csv']\n"),
    ]);
    let scan = |config: &str| -> Value {
        let args = ["scan", "-q", "--config", config, "--format", "json", "a.log"];
        serde_json::from_str(&run(here.path(), &args, b"").out).unwrap()
    };
    assert_eq!(users(&scan("two.toml"), "exchange"), (2, 2, 2));
    // The upper number undoes what the user states.
    assert_eq!(users(&scan("one.toml"), "exchange"), (1, 1, 2));
}

#[test]
fn a_bad_row_is_named_and_a_bad_file_is_refused() {
    let log = owa(&["X\\anna"]);
    let here = folder(&[
        ("a.log", log.as_bytes()),
        ("ad.csv", b"msDS-PrincipalName,mail\nX\\anna,\nX\\ben,oops\n"),
        ("row.toml", b"[identity]\ndirectory = ['ad.csv']\n"),
        ("names.csv", b"colour,size\nred,3\n"),
        ("names.toml", b"[identity]\ndirectory = ['names.csv']\n"),
        ("none.toml", b"[identity]\ndirectory = ['none.csv']\n"),
    ]);
    let scan = |config: &str| run(here.path(), &["scan", "--config", config, "a.log"], b"");
    let row = scan("row.toml");
    assert_eq!(row.code, 1, "{}{}", row.out, row.err);
    assert!(row.out.contains("ad.csv:3: mail: found `oops`, expected an address"), "{}", row.out);
    assert!(!row.out.contains("not acted upon"), "{}", row.out);
    for (config, words) in [("names.toml", "names.csv:1: found"), ("none.toml", "none.csv")] {
        let ran = scan(config);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
