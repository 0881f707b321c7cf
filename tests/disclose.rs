//! Opening single names and rows of a bundle whose names are pseudonyms, and checking them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ::calproof::verify::{Asked, verify};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::calproof::{Ran, folder, owa, run};
use crate::pseudonym::{KEY, copy};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The worked example as a bundle of pseudonyms.
fn bundle() -> tempfile::TempDir {
    let here = copy("worked-example");
    let args = ["scan", "--output", "r", "--evidence", "b", "--pseudonymise", "key", "logs"];
    let ran = run(here.path(), &args, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    here
}

fn disclose(here: &Path, what: &[&str]) -> Ran {
    let args = [&["disclose", "b", "--key", "key", "--logs", "logs"], what].concat();
    run(here, &args, b"")
}

/// What was opened, line by line.
#[track_caller]
fn opened(here: &Path, what: &[&str]) -> Vec<Value> {
    let ran = disclose(here, what);
    assert_eq!(ran.code, 0, "{}", ran.err);
    fs::write(here.join("opened.jsonl"), &ran.out).unwrap();
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'v>(lines: &'v [Value], kind: &str) -> Vec<&'v Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// Why the opened file is refused.
fn refusals(here: &Path) -> String {
    let (logs, file) = (here.join("logs"), here.join("opened.jsonl"));
    let asked = Asked { logs: Some(&logs), disclosed: Some(&file), ..Asked::default() };
    verify(&here.join("b"), &asked).unwrap().refusals.join("\n")
}

#[test]
fn one_person_is_opened_and_nobody_else() {
    let here = bundle();
    let lines = opened(here.path(), &["CONTOSO\\anna"]);
    let names = of_kind(&lines, "name");
    assert!(names.iter().any(|name| name["name"] == "contoso\\anna"), "{names:?}");
    let rows = of_kind(&lines, "row");
    assert!(rows.len() >= 2, "{rows:?}");
    assert!(rows.iter().all(|row| row["text"].as_str().unwrap().contains("anna")), "{rows:?}");
    let text = fs::read_to_string(here.path().join("opened.jsonl")).unwrap().to_lowercase();
    for other in ["contoso\\\\ben", "cem", "dora", "mallory", KEY.trim()] {
        assert!(!text.contains(other), "{other}: {text}");
    }
    let ran =
        run(here.path(), &["verify", "b", "--disclosed", "opened.jsonl", "--logs", "logs"], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(names.len(), 1);
    let told = format!(
        "opened.jsonl opens fits its pseudonyms and commitments: 1 name, {} rows, 0 files",
        rows.len()
    );
    assert!(ran.out.contains(&told), "{told}: {}", ran.out);
    assert!(ran.out.contains(" = contoso\\anna"), "{}", ran.out);
    assert!(ran.out.contains(" quoted rows stand in the logs"), "{}", ran.out);
}

#[test]
fn what_is_opened_can_be_checked_by_hand() {
    let here = bundle();
    let lines = opened(here.path(), &["anna@contoso.com"]);
    assert_eq!(lines[0]["schema"], "calproof.disclosed/1");
    let tags = fs::read(here.path().join("b/tagmanifest-sha256.txt")).unwrap();
    assert_eq!(lines[0]["bundle"], hex(&Sha256::digest(tags)));
    let bytes = |digits: &Value| -> Vec<u8> {
        let digits = digits.as_str().unwrap();
        (0..32).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    for name in of_kind(&lines, "name") {
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes(&name["salt"])).unwrap();
        mac.update(name["name"].as_str().unwrap().as_bytes());
        let digits = hex(&mac.finalize().into_bytes())[..26].to_owned();
        for pseudonym in name["pseudonyms"].as_array().unwrap() {
            assert!(pseudonym.as_str().unwrap().ends_with(&digits), "{name}");
        }
    }
    let committed = fs::read_to_string(here.path().join("b/data/witness-rows/rows.jsonl")).unwrap();
    for row in of_kind(&lines, "row") {
        let text = |key: &str| row[key].as_str().unwrap();
        let over =
            format!("{}\n{} {}\n{}", text("salt"), text("sha256"), row["byte"], text("text"));
        assert_eq!(row["commitment"], hex(&Sha256::digest(over)));
        assert!(committed.contains(text("commitment")));
    }
}

#[test]
fn a_pseudonym_a_pair_and_a_commitment_name_rows() {
    let here = bundle();
    let report = fs::read_to_string(here.path().join("b/data/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    // By its pseudonym, without its name.
    for person in report["people"].as_array().unwrap() {
        let id = person["id"].as_str().unwrap();
        let lines = opened(here.path(), &[id]);
        let witness = &person["witness"];
        assert!(of_kind(&lines, "row").iter().any(|row| row["byte"] == witness["byte"]));
        // The row spells the name, so that it is opened as well.
        assert_eq!(of_kind(&lines, "name").len(), 1, "{lines:?}");
        assert_eq!(refusals(here.path()), "");
    }
    let both = opened(here.path(), &["CONTOSO\\anna+ApplC39"]);
    let names: BTreeSet<&str> =
        of_kind(&both, "name").iter().map(|name| name["name"].as_str().unwrap()).collect();
    assert!(names.contains("contoso\\anna") && names.contains("eas:applc39"), "{names:?}");
    let rows = of_kind(&both, "row");
    assert!(rows.iter().all(|row| row["text"].as_str().unwrap().contains("ApplC39")), "{rows:?}");
    let commitment = rows[0]["commitment"].as_str().unwrap();
    let one = opened(here.path(), &[&commitment[..12]]);
    assert_eq!(of_kind(&one, "row"), [rows[0]]);
    assert_eq!(refusals(here.path()), "");
}

#[test]
fn what_was_changed_after_it_was_opened_is_refused() {
    let here = bundle();
    let lines = opened(here.path(), &["CONTOSO\\ben", "CONTOSO\\anna", "--file", "calproof.toml"]);
    assert_eq!(refusals(here.path()), "");
    let whole = fs::read_to_string(here.path().join("opened.jsonl")).unwrap();
    let forged = |kind: &str, change: &dyn Fn(&mut Value)| {
        let mut lines = lines.clone();
        let at = lines.iter().position(|line| line["kind"] == kind).unwrap();
        change(&mut lines[at]);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(here.path().join("opened.jsonl"), text).unwrap();
        refusals(here.path())
    };
    let salt = json!("00".repeat(32));
    let others = of_kind(&lines, "row");
    let (first, other) = (others[0].clone(), others[1].clone());
    type Change<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let cases: [(&str, &str, Change<'_>); 11] = [
        ("name", "is not the pseudonym", Box::new(|name| name["name"] = json!("contoso\\zoe"))),
        ("name", "is not the pseudonym", Box::new(|name| name["salt"] = salt.clone())),
        ("name", "names no pseudonym", Box::new(|name| name["pseudonyms"] = json!([]))),
        ("name", "64 hexadecimal digits", Box::new(|name| name["salt"] = json!("abc"))),
        ("row", "not the one that the bundle commits to", Box::new(|row| row["text"] = json!("x"))),
        ("row", "not the one", Box::new(|row| row["salt"] = salt.clone())),
        ("row", "not the one", Box::new(|row| row["text"] = other["text"].clone())),
        ("row", "commits to no row", Box::new(|row| row["byte"] = json!(1))),
        ("row", "not as long as it says", Box::new(|row| row["length"] = json!(3))),
        ("row", "either `text` or `hex`", Box::new(|row| row["hex"] = json!("00"))),
        ("file", "no such file", Box::new(|file| file["text"] = json!("[organization]\n"))),
    ];
    assert_ne!(first["text"], other["text"]);
    for (kind, words, change) in cases {
        let told = forged(kind, &*change);
        assert!(told.contains(words), "{words}: {told}");
    }
    // Of another bundle.
    let args = [
        "scan",
        "--output",
        "r",
        "--evidence",
        "c",
        "--pseudonymise",
        "key",
        "--from",
        "2010-03-02",
        "logs",
    ];
    assert_eq!(run(here.path(), &args, b"").code, 0);
    fs::write(here.path().join("opened.jsonl"), whole).unwrap();
    let file = here.path().join("opened.jsonl");
    let asked = Asked { disclosed: Some(&file), ..Asked::default() };
    let told = verify(&here.path().join("c"), &asked).unwrap().refusals.join("\n");
    assert!(told.contains("is about the bundle whose"), "{told}");
    fs::write(&file, "{}\n").unwrap();
    assert!(refusals(here.path()).contains("expected the first line"));
    let gone = run(here.path(), &["verify", "b", "--disclosed", "none"], b"");
    assert_eq!(gone.code, 2, "{}", gone.err);
}

#[test]
fn rows_follow_their_files_into_another_order() {
    let people = ["aldous", "berthe", "clovis", "dagmar", "egbert", "fulvia", "gudrun", "hasso"];
    let logs: Vec<(String, String)> = people
        .iter()
        .map(|name| (format!("logs/of-{name}/x.log"), owa(&[&format!("CONTOSO\\{name}")])))
        .collect();
    let mut files: Vec<(&str, &[u8])> =
        logs.iter().map(|(path, log)| (path.as_str(), log.as_bytes())).collect();
    files.push(("key", KEY.as_bytes()));
    let here = folder(&files);
    let args = ["scan", "--output", "r", "--evidence", "b", "--pseudonymise", "key", "logs"];
    assert_eq!(run(here.path(), &args, b"").code, 0);
    let sources = fs::read_to_string(here.path().join("b/data/sources.jsonl")).unwrap();
    let digest = |line: &str| serde_json::from_str::<Value>(line).unwrap()["sha256"].clone();
    let order: Vec<Value> = sources.lines().map(digest).collect();
    let before: Vec<Value> =
        logs.iter().map(|(_, log)| json!(hex(&Sha256::digest(log.as_bytes())))).collect();
    assert_ne!(order, before, "this key sorts the files as their names do; take another");
    for name in people {
        let lines = opened(here.path(), &[&format!("CONTOSO\\{name}")]);
        let rows = of_kind(&lines, "row");
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0]["text"].as_str().unwrap().contains(name), "{rows:?}");
        assert_eq!(refusals(here.path()), "");
    }
}

#[test]
fn what_cannot_be_opened_is_said() {
    let here = bundle();
    fs::write(here.path().join("other"), [b'y'; 40]).unwrap();
    let refused = |args: &[&str], words: &str| {
        let ran = run(here.path(), &[&["disclose"], args].concat(), b"");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    };
    let key = ["--key", "key"];
    let logs = ["--logs", "logs"];
    refused(
        &[&["b", "--key", "other", "x"], &logs[..]].concat(),
        "under which the bundle was written",
    );
    refused(&[&["b", "CONTOSO\\nobody"], &key[..], &logs].concat(), "found no pseudonym of it");
    refused(&[&["b", "6d8f"], &key[..], &logs].concat(), "found no pseudonym of it");
    refused(&[&["b", "CONTOSO\\anna"], &key[..]].concat(), "rows are to be opened");
    refused(&[&["b", "--file", "devices.txt"], &key[..]].concat(), "devices.txt: cannot be read");
    fs::write(here.path().join("changed.toml"), "# changed\n").unwrap();
    refused(&[&["b", "--file", "changed.toml"], &key[..]].concat(), "does not commit to");
    refused(&[&["b"], &key[..]].concat(), "WHAT");
    fs::create_dir(here.path().join("empty")).unwrap();
    fs::write(here.path().join("empty/x.log"), "x\n").unwrap();
    refused(&["b", "CONTOSO\\anna", "--key", "key", "--logs", "empty"], "has its SHA-256");
    assert_eq!(
        run(here.path(), &["scan", "--output", "r", "--evidence", "p", "logs"], b"").code,
        0
    );
    refused(&[&["p", "CONTOSO\\anna"], &key[..], &logs].concat(), "are no pseudonyms");
    fs::write(here.path().join("b/data/METHOD.txt"), "changed").unwrap();
    refused(&[&["b", "CONTOSO\\anna"], &key[..], &logs].concat(), "does not verify");
}

#[test]
fn every_row_of_every_format_can_be_opened() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").display().to_string();
    let here = folder(&[("key", KEY.as_bytes())]);
    let args = ["scan", "--output", "r", "--evidence", "b", "--pseudonymise", "key", &samples];
    let ran = run(here.path(), &args, b"");
    assert!(ran.code <= 1, "{}", ran.err);
    let mut all: BTreeSet<String> = BTreeSet::new();
    for file in ["rows", "sample"] {
        let path = here.path().join(format!("b/data/witness-rows/{file}.jsonl"));
        let text = fs::read_to_string(path).unwrap();
        all.extend(text.lines().map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            row["commitment"].as_str().unwrap().to_owned()
        }));
    }
    assert!(all.len() > 200, "{}", all.len());
    let what: Vec<&str> = all.iter().map(String::as_str).collect();
    let args = [&["disclose", "b", "--key", "key", "--logs", &samples, "-o", "o"], &what[..]];
    let ran = run(here.path(), &args.concat(), b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = fs::read_to_string(here.path().join("o")).unwrap();
    assert_eq!(lines.lines().count(), 1 + all.len());
    let ran = run(here.path(), &["verify", "b", "--disclosed", "o", "--logs", &samples], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn secrets_stay_blanked_and_other_encodings_are_opened() {
    let fields = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                  cs(User-Agent) cs(Cookie) sc-status";
    let iis = format!(
        "#Fields: {fields}\r\n2010-03-01 06:00:00 10.0.0.11 GET /owa/ canary=s3cret1 443 CONTOSO\\anna \
         10.1.1.5 Mozilla/5.0 sessionid=s3cret2 200\r\n"
    );
    let wide: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(owa(&["CONTOSO\\jörg"]).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut latin = owa(&["CONTOSO\\mXller"]).into_bytes();
    let at = latin.iter().position(|b| *b == b'X').unwrap();
    latin[at] = 0xfc;
    let here = folder(&[
        ("logs/iis.log", iis.as_bytes()),
        ("logs/wide.log", &wide),
        ("logs/latin.log", &latin),
        ("key", KEY.as_bytes()),
    ]);
    let args = ["scan", "--output", "r", "--evidence", "b", "--pseudonymise", "key", "logs"];
    assert!(run(here.path(), &args, b"").code <= 1);
    for name in ["CONTOSO\\anna", "contoso\\jörg", "contoso\\müller"] {
        let lines = opened(here.path(), &[name]);
        assert!(!of_kind(&lines, "row").is_empty(), "{name}");
        assert_eq!(refusals(here.path()), "", "{name}");
        let text = fs::read_to_string(here.path().join("opened.jsonl")).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_header_that_is_withheld_still_tells_where_secrets_stand() {
    let log = "#Fields: date time s-ip cs-method cs-uri-stem cs-username c-ip cs(X-Wilhelmina) cs(Cookie) sc-status\r\n\
               2010-03-01 06:00:00 10.0.0.11 GET /owa/ CONTOSO\\wilhelmina 10.1.1.5 - s3cret 200\r\n";
    let here = folder(&[("logs/EX01/a.log", log.as_bytes()), ("key", KEY.as_bytes())]);
    let args = ["scan", "--output", "r", "--evidence", "b", "--pseudonymise", "key", "logs"];
    assert!(run(here.path(), &args, b"").code <= 1);
    let sources = fs::read_to_string(here.path().join("b/data/sources.jsonl")).unwrap();
    assert!(sources.contains("\"value\":\"text-"), "{sources}");
    let lines = opened(here.path(), &["CONTOSO\\wilhelmina"]);
    let text = of_kind(&lines, "row")[0]["text"].as_str().unwrap();
    assert!(text.ends_with(" - [blanked 6 bytes] 200"), "{text}");
    assert_eq!(refusals(here.path()), "");
}
