//! `calproof explain` tells why, agrees with the report, and shows no secret.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::calproof::{Ran, folder, owa, run};

fn sample(args: &[&str]) -> Ran {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/directory");
    run(&here, &[&["explain"], args, &["logs"]].concat(), b"")
}

fn json(name: &str) -> Value {
    let ran = sample(&[name, "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["schema"], "calproof.explain/1");
    told["subjects"][0].clone()
}

#[test]
fn any_of_its_names_tells_the_story_of_a_person() {
    let names =
        ["contoso\\aarndt", "CONTOSO\\AARNDT", "anna@contoso.com", "sip:Anna.Arndt@contoso.com"];
    for name in names {
        let anna = json(name);
        assert_eq!((&anna["kind"], &anna["id"]), (&"person".into(), &"contoso\\aarndt".into()));
        assert_eq!(anna["names"].as_array().unwrap().len(), 3);
    }
    let text = sample(&["anna@contoso.com"]).out;
    for words in [
        "Counted once, for exchange, windows.",
        "contoso\\aarndt = anna@contoso.com: directory: userPrincipalName (users.csv:2)",
        "eas:applc39; 2011-05-02; counted",
        "by contoso\\svc_gateway for this person",
        "rule client-access of exchange-2013, for ews, owa",
        "S-BL (exchange-2013): \"This includes POP3, IMAP4, and OWA connections",
        "logs/EX01/u_ex110502.log:5 (byte 259)  counted",
    ] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
}

#[test]
fn no_form_shows_a_secret() {
    for form in ["table", "json"] {
        let ran = sample(&["anna@contoso.com", "--format", form]);
        for secret in ["8f1c22d0", "3b9aca00", "77e0aa51", "7dd1e5aa"] {
            assert!(!ran.out.contains(secret), "{secret} in {form}:\n{}", ran.out);
        }
        assert!(ran.out.contains("canary=[blanked "), "{}", ran.out);
    }
}

#[test]
fn rows_are_the_bytes_of_the_file() {
    let cem = json("CONTOSO\\ccan");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/directory");
    let rows = cem["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let file = std::fs::read(root.join(row["path"].as_str().unwrap())).unwrap();
        let byte = row["byte"].as_u64().unwrap() as usize;
        let line = file[..byte].iter().filter(|b| **b == b'\n').count() + 1;
        assert_eq!(row["line"], line);
        let end = byte + file[byte..].iter().position(|b| *b == b'\r').unwrap();
        let raw = std::str::from_utf8(&file[byte..end]).unwrap();
        let shown = row["text"].as_str().unwrap();
        assert_eq!(
            shown.split("[blanked ").next(),
            raw.get(..shown.find("[blanked ").unwrap_or(raw.len()))
        );
    }
}

#[test]
fn devices_addresses_and_identities_have_a_story() {
    let phone = json("ApplC39");
    assert_eq!((&phone["kind"], &phone["names"][0]), (&"device".into(), &"eas:applc39".into()));
    assert_eq!(phone["accesses"][0]["principal"], "contoso\\aarndt");
    assert_eq!(json("eas:applc39")["accesses"], phone["accesses"]);
    let desk = json("10.1.9.1");
    assert_eq!(desk["kind"], "device");
    assert_eq!(desk["accesses"][0]["principal"], "contoso\\reception");
    let room = json("room-12@contoso.com");
    assert_eq!((&room["kind"], &room["unresolved"][0]["events"]), (&"identity".into(), &2.into()));
    assert_eq!(room["accesses"][0]["fate"], "of contoso\\svc_gateway: counted");
    // What Cem did in Ben's mailbox is no access of Ben's.
    let ben = json("CONTOSO\\bberg");
    let fates: Vec<&str> =
        ben["accesses"].as_array().unwrap().iter().map(|a| a["fate"].as_str().unwrap()).collect();
    assert!(fates.contains(&"of contoso\\ccan: counted"), "{fates:?}");
    assert!(fates.contains(&"failed logon of a counted person"), "{fates:?}");
}

#[test]
fn whoever_is_left_out_learns_by_which_rule() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/worked-example");
    let explain = |name: &str| run(&here, &["explain", name, "logs"], b"").out;
    let admin = explain("contoso\\adm1");
    assert!(admin.contains("administration: only administer"), "{admin}");
    assert!(admin.contains("S-CAL (exchange-2010): \"Up to two devices or users"), "{admin}");
    let mallory = explain("CONTOSO\\mallory");
    assert!(mallory.contains("excluded: failed-logon"), "{mallory}");
    assert!(mallory.contains("LogoffReason=NoCookies"), "{mallory}");
    // By inventory the kiosk is one device, under its name and its address.
    let told = |name: &str| explain(name).replace("10.1.9.1", "X").replace("kiosk1", "X");
    assert_eq!(told("kiosk1"), told("10.1.9.1"));
    assert!(explain("kiosk1").contains("the inventory states it"), "{}", explain("kiosk1"));
}

#[test]
fn an_unknown_name_gives_the_nearest() {
    let ran = sample(&["CONTOSO\\aarndtt"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nearest known: `contoso\\aarndt`"), "{}", ran.err);
    let far = sample(&["xyzzyxyzzyxyzzy"]);
    assert_eq!(far.code, 1);
    assert!(far.err.contains("no known name comes near"), "{}", far.err);
    let csv = sample(&["anna@contoso.com", "--format", "csv"]);
    assert_eq!(csv.code, 2);
    assert!(csv.err.contains("expected table or json"), "{}", csv.err);
}

#[test]
fn compressed_utf_16_and_gone_rows() {
    let log = owa(&["CONTOSO\\anna", "CONTOSO\\ben"]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(log.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let mut wide = b"\xFF\xFE".to_vec();
    wide.extend(log.encode_utf16().flat_map(u16::to_le_bytes));
    let here =
        folder(&[("gz/a.log.gz", &gz), ("wide/a.log", &wide), ("plain/a.log", log.as_bytes())]);
    let row = "GET /owa/ - 443 CONTOSO\\ben 10.1.1.1 Mozilla/5.0 200 0 0 31";
    for place in ["gz", "wide", "plain"] {
        for mmap in ["always", "never"] {
            let ran = run(here.path(), &["explain", "CONTOSO\\ben", "--mmap", mmap, place], b"");
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert!(ran.out.contains(row), "{place} {}", ran.out);
        }
    }
    let stdin = run(here.path(), &["explain", "CONTOSO\\ben", "-"], log.as_bytes());
    assert!(stdin.out.contains("not shown: standard input cannot be read again"), "{}", stdin.out);
}

#[test]
fn the_number_of_rows_and_hostile_text_are_bounded() {
    let names: Vec<String> = (0..30).map(|_| "CONTOSO\\eve\u{1b}[2J\u{202e}".to_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let here = folder(&[("a.log", owa(&names).as_bytes())]);
    let name = "CONTOSO\\eve\u{1b}[2J\u{202e}";
    for form in ["table", "json"] {
        let ran =
            run(here.path(), &["explain", name, "--rows", "2", "--format", form, "a.log"], b"");
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{}", ran.out);
        let rows = ran.out.matches("(byte ").count() + ran.out.matches("\"byte\":").count();
        assert_eq!(rows, 2, "{}", ran.out);
    }
    let unknown = run(here.path(), &["explain", "eve\u{1b}[2J", "a.log"], b"");
    assert!(!unknown.err.contains('\u{1b}'), "{}", unknown.err);
}
