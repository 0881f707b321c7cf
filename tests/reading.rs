//! What calproof.toml says about reading, and what the exit code says where it is in doubt.

use serde_json::Value;

use crate::calproof::{Ran, folder, owa, run};

const NATIVE: &str = "10.1.1.5, CONTOSO\\anna, 03/20/01, 7:55:20, W3SVC1, EX01, 10.0.0.11, 31, 163, \
                      3223, 200, 0, GET, /exchange/anna/Inbox, -,\r\n";

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
}

/// First instant of each input, by path.
fn firsts(report: &Value) -> Vec<(&str, Option<&str>)> {
    let inputs = report["inputs"].as_array().unwrap();
    inputs.iter().map(|i| (i["path"].as_str().unwrap(), i["first"].as_str())).collect()
}

#[test]
fn local_time_is_that_of_the_server_whose_folder_it_is() {
    let west = NATIVE.replace("EX01", "EX02").replace("anna", "ben");
    let config = b"[[server]]\nname = 'EX01'\ntime_zone = '+01:00'\n\
                   [[server]]\nname = 'ex02.contoso.com'\ntime_zone = '-08:00'\n";
    let here = folder(&[
        ("calproof.toml", config),
        ("logs/EX01/W3SVC1/in010320.log", NATIVE.as_bytes()),
        ("logs/ex01.contoso.com/in010320.log", NATIVE.replace("anna", "emil").as_bytes()),
        ("logs/EX01/EX02/in010320.log", west.as_bytes()),
        ("logs/in010320.log", NATIVE.replace("anna", "cem").as_bytes()),
        ("logs/EX0/in010320.log", NATIVE.replace("anna", "dora").as_bytes()),
    ]);
    for mmap in ["always", "never"] {
        let ran = run(here.path(), &["scan", "--format", "json", "--mmap", mmap, "logs"], b"");
        assert_eq!(ran.code, 1, "two logs have no zone: {}", ran.err);
        let report = json(&ran);
        let expected = [
            ("logs/EX0/in010320.log", Some("2001-03-20T07:55:20Z")),
            ("logs/EX01/EX02/in010320.log", Some("2001-03-20T15:55:20Z")),
            ("logs/EX01/W3SVC1/in010320.log", Some("2001-03-20T06:55:20Z")),
            ("logs/ex01.contoso.com/in010320.log", Some("2001-03-20T06:55:20Z")),
            ("logs/in010320.log", Some("2001-03-20T07:55:20Z")),
        ];
        assert_eq!(firsts(&report), expected, "{mmap}");
        let warned: Vec<(&str, &str)> = report["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| (w["code"].as_str().unwrap(), w["path"].as_str().unwrap()))
            .collect();
        let unknown = |path| ("unknown-time-base", path);
        assert!(warned.contains(&unknown("logs/in010320.log")), "{warned:?}");
        assert!(warned.contains(&("time-zones-differ", "")), "{warned:?}");
        assert!(!warned.contains(&unknown("logs/EX01/W3SVC1/in010320.log")), "{warned:?}");
    }
    let placed = run(here.path(), &["scan", "logs/EX01"], b"");
    assert_eq!(placed.code, 0, "every log has a zone: {}", placed.out);
}

#[test]
fn one_zone_of_all_servers_holds_in_every_folder() {
    let config = b"[[server]]\nname = 'EX01'\ntime_zone = '+01:00'\n";
    let here = folder(&[("calproof.toml", config), ("logs/a.log", NATIVE.as_bytes())]);
    let ran = run(here.path(), &["scan", "--format", "json", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(firsts(&json(&ran)), [("logs/a.log", Some("2001-03-20T06:55:20Z"))]);
}

#[test]
fn call_records_are_known_by_the_column_names_of_the_configuration() {
    let config = b"[formats.ocs-cdr.columns]\nRegisterTime = 'wann'\nUserUri = 'wer'\n\
                   ResponseCode = 'antwort'\nEndpointId = 'geraet'\n";
    let export = b"wann;wer;antwort;geraet\r\n2013-06-03 07:01:02;anna@contoso.com;200;\
                   8F2C6A31-5D6B-5A0E-9B1C-2D3E4F506172\r\n";
    let here = folder(&[
        ("calproof.toml", config),
        ("none.toml", b""),
        ("cdr.csv", export),
        ("owa.log", owa(&["CONTOSO\\ben"]).as_bytes()),
    ]);
    let formats = |args: &[&str], input: &[u8]| {
        let ran = run(here.path(), &[&["scan", "--format", "json"], args].concat(), input);
        let report = json(&ran);
        let inputs = report["inputs"].as_array().unwrap();
        let formats = inputs.iter().map(|i| i["format"].as_str().unwrap().to_owned()).collect();
        let people = report["people"].as_array().unwrap();
        let ids = people.iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
        (formats, ids)
    };
    let known: (Vec<String>, Vec<String>) =
        (vec!["ocs-cdr".to_owned()], vec!["anna@contoso.com".to_owned()]);
    for mmap in ["always", "never"] {
        assert_eq!(formats(&["--mmap", mmap, "cdr.csv"], b""), known);
    }
    assert_eq!(formats(&["-"], export), known);
    assert_eq!(formats(&["owa.log"], b"").0, ["iis-w3c"], "other logs stay what they are");
    assert_eq!(formats(&["--config", "none.toml", "cdr.csv"], b"").0, ["unknown"]);
}

#[test]
fn exit_codes_in_doubt() {
    let log = owa(&["CONTOSO\\anna"]);
    let row = log.lines().last().unwrap();
    let bare =
        format!("{row}\r\n{}\r\n", row.replace("anna", "ben").replace("00:00:00", "00:01:00"));
    let rejected = format!("{log}2010-03-01 07:00:00 too short\r\n");
    let blind = "#Software: Microsoft Internet Information Services 7.5\r\n\
                 #Fields: date time s-ip cs-method cs-uri-stem c-ip sc-status\r\n\
                 2010-03-01 06:12:44 10.0.0.11 GET /owa/ 10.1.1.5 200\r\n";
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let doubts: [(&str, Files<'_>, i32, &str); 10] = [
        ("a log and its copy", &[("a.log", log.as_bytes()), ("b.log", log.as_bytes())], 0, ""),
        ("a log", &[("a.log", log.as_bytes())], 0, ""),
        (
            "directives of an unknown log",
            &[("x.log", b"#Fields: a b\r\n1 2\r\n")],
            1,
            "unknown-log",
        ),
        (
            "an unknown trace",
            &[("x.log", b"TL_INFO(TF_SOMETHING) what is this\r\n")],
            1,
            "unknown-log",
        ),
        (
            "dated rows",
            &[("x.log", b"2010-03-01 something\r\n2010-03-02 else\r\n")],
            1,
            "unknown-log",
        ),
        ("prose", &[("readme.txt", b"Where the logs are kept.\r\n")], 0, ""),
        ("a picture", &[("photo.jpg", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x02\0\0")], 0, ""),
        ("a log without directives", &[("a.log", bare.as_bytes())], 1, "assumed-fields"),
        ("a rejected row", &[("a.log", rejected.as_bytes())], 1, "rejected-lines"),
        ("a blind log", &[("a.log", blind.as_bytes())], 1, "blind-log"),
    ];
    for (what, files, code, warning) in doubts {
        let here = folder(files);
        let ran = run(here.path(), &["scan", "--format", "json", "."], b"");
        assert_eq!(ran.code, code, "{what}: {}{}", ran.out, ran.err);
        let report = json(&ran);
        assert_eq!(report["inputs"].as_array().unwrap().len(), files.len(), "{what}");
        let warnings = report["warnings"].as_array().unwrap();
        let codes: Vec<&str> = warnings.iter().map(|w| w["code"].as_str().unwrap()).collect();
        assert!(warning.is_empty() || codes.contains(&warning), "{what}: {codes:?}");
    }
}
