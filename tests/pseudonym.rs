//! Pseudonymised reports and bundles: no name of anybody is left in them, and the numbers are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use ::calproof::pseudonym::{Key, Kind, Pseudonyms};
use ::calproof::verify::{Asked, verify};
use serde_json::Value;

use crate::calproof::{Ran, folder, owa, run};

/// A key file's content.
pub(crate) const KEY: &str = "5d2a9c0e41b7f36884d1ce9b70a2f51357e8069cbd43fa217e90c6d5b8a4130f\n";

/// Copies a folder of samples, with the key and a baseline beside it.
pub(crate) fn copy(name: &str) -> tempfile::TempDir {
    fn walk(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let place = to.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => walk(&entry.path(), &place),
                false => drop(fs::copy(entry.path(), place).unwrap()),
            }
        }
    }
    let here = tempfile::tempdir().unwrap();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name), here.path());
    fs::write(here.path().join("key"), KEY).unwrap();
    here
}

/// Runs `scan` into a bundle with a report of the form; `key` stands beside the logs.
fn scan(here: &Path, form: &str, more: &[&str]) -> Ran {
    let all = [&["scan", "--format", form], more].concat();
    let ran = run(here, &all, b"");
    assert!(ran.code <= 1, "{}", ran.err);
    ran
}

fn hidden(here: &Path, form: &str, bundle: &str, more: &[&str]) -> Ran {
    scan(here, form, &[&["--pseudonymise", "key", "--evidence", bundle], more].concat())
}

/// Every file under a folder, by its path in it.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Every string in the value under one of the keys, however deep.
fn strings(value: &Value, keys: &[&str], into: &mut BTreeSet<String>) {
    fn all(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(into.insert(text.clone())),
            Value::Array(list) => list.iter().for_each(|v| all(v, into)),
            _ => {}
        }
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if keys.contains(&key.as_str()) {
                    all(value, into);
                }
                strings(value, keys, into);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| strings(v, keys, into)),
        _ => {}
    }
}

/// What names somebody or something in a report and bundle with names: whole, and its own part.
fn needles(report: &Value, bundle: &Path) -> BTreeSet<String> {
    const KEYS: [&str; 22] = [
        "id",
        "names",
        "one",
        "other",
        "principal",
        "what",
        "local_part",
        "ids",
        "account",
        "mailbox",
        "person",
        "holder",
        "device",
        "without",
        "user_cals",
        "name",
        "through",
        "unresolved",
        "excluded",
        "people",
        "devices",
        "shared_without_device",
    ];
    let mut found = BTreeSet::new();
    for key in [
        "people",
        "excluded",
        "unresolved",
        "probable_aliases",
        "multiplexers",
        "corroborated",
        "purchase",
        "owned",
        "connectors",
        "compare",
    ] {
        strings(&report[key], &KEYS, &mut found);
    }
    for requirement in report["requirements"].as_array().unwrap() {
        strings(&requirement["lower_without"], &KEYS, &mut found);
        strings(&requirement["upper_with"], &KEYS, &mut found);
    }
    let pairs = fs::read_to_string(bundle.join("data/pairs.jsonl")).unwrap();
    for line in pairs.lines() {
        strings(&serde_json::from_str(line).unwrap(), &KEYS, &mut found);
    }
    let mut needles = BTreeSet::new();
    for name in found {
        let name = name.to_lowercase();
        let name = name.strip_prefix("a device of ").unwrap_or(&name).to_owned();
        // An address with its agent: each of the two.
        let (first, agent) = name.split_once(' ').unwrap_or((&name, ""));
        let own = first.rsplit(['\\', ':']).next().unwrap_or(first);
        let local = own.split('@').next().unwrap_or(own).trim_end_matches('$');
        needles.extend([&name, first, agent, local].map(str::to_owned));
    }
    needles.retain(|needle| needle.chars().count() >= 3);
    needles
}

/// Bytes as texts in lower case: as UTF-8, without the escapes of JSON, and as UTF-16 of either kind
/// from either byte.
struct Text(Vec<String>);

impl Text {
    fn of(bytes: &[u8]) -> Text {
        let wide = |from: usize, unit: fn([u8; 2]) -> u16| -> String {
            let (pairs, _) = bytes[from.min(bytes.len())..].as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
            String::from_utf16_lossy(&units).to_lowercase()
        };
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let mut all = vec![text.replace("\\\"", "\"").replace("\\\\", "\\"), text];
        for from in 0..2 {
            all.push(wide(from, u16::from_le_bytes));
            all.push(wide(from, u16::from_be_bytes));
        }
        Text(all)
    }

    /// Whether the needle stands there; one that digests could hold by chance, or that is a number or
    /// an address, only by itself.
    fn holds(&self, needle: &str) -> bool {
        let distinct = needle.bytes().any(|b| matches!(b, b'g'..=b'z') || !b.is_ascii());
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.');
        self.0.iter().any(|text| {
            text.match_indices(needle).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + needle.len()..].chars().next();
                distinct || !(word(before) || word(after))
            })
        })
    }
}

/// What the program writes of a log with nobody's name.
fn own_words() -> &'static [Text] {
    static WORDS: OnceLock<Vec<Text>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let config = b"[organization]\nname = 'Contoso'\nrealms = { CONTOSO = 'contoso.com' }\n";
        let here = folder(&[
            ("logs/EX01/u_ex100301.log", owa(&["9001"]).as_bytes()),
            ("key", KEY.as_bytes()),
            ("calproof.toml", config),
        ]);
        let ran = hidden(here.path(), "table", "b", &["--sensitivity", "logs"]);
        let files = contents(&here.path().join("b"));
        let mut all: Vec<Text> = files.values().map(|bytes| Text::of(bytes)).collect();
        all.push(Text::of(ran.out.as_bytes()));
        all
    })
}

/// Scans twice, with names and without, and looks for every name everywhere; the names looked for.
#[track_caller]
fn leaks(here: &Path, planted: &[&str], args: &[&str]) -> BTreeSet<String> {
    let plain = scan(here, "json", &[&["--evidence", "plain"], args].concat());
    let report: Value = serde_json::from_str(&plain.out).unwrap();
    let mut needles = needles(&report, &here.join("plain"));
    let found = needles.len();
    // Servers are nobody, and their addresses theirs.
    for server in report["servers"].as_array().unwrap() {
        let server = server["server"].as_str().unwrap().to_lowercase();
        needles.retain(|needle| *needle != server);
    }
    let is_own = |needle: &str| own_words().iter().any(|text| text.holds(needle));
    needles.retain(|needle| !is_own(needle));
    assert!(needles.len() * 4 >= found * 3, "{} of {found}: {needles:?}", needles.len());
    needles.extend(planted.iter().map(|name| (*name).to_owned()));
    // The search finds what is there.
    let mut with_names = contents(&here.join("plain"));
    with_names.retain(|name, _| name.starts_with("data"));
    let with_names: Vec<Text> = with_names.values().map(|bytes| Text::of(bytes)).collect();
    for name in planted {
        assert!(!is_own(name), "{name} is a word of the program's own");
        assert!(with_names.iter().any(|text| text.holds(name)), "{name} is in no plain file");
    }
    for form in ["table", "json", "csv"] {
        // The bundle has every form of the report as well.
        let bundle: &[&str] = if form == "json" { &["--evidence", "hidden"] } else { &[] };
        let ran = scan(here, form, &[&["--pseudonymise", "key"], bundle, args].concat());
        let mut all = if form == "json" { contents(&here.join("hidden")) } else { BTreeMap::new() };
        all.insert("standard output".to_owned(), ran.out.into_bytes());
        all.insert("standard error".to_owned(), ran.err.into_bytes());
        for (file, bytes) in &all {
            let (text, name) = (Text::of(bytes), Text::of(file.as_bytes()));
            assert!(!text.holds(KEY.trim()), "the key is in {file}");
            for needle in &needles {
                assert!(!name.holds(needle), "{needle} is the name of {file}");
                assert!(
                    !text.holds(needle),
                    "{needle} is in {file}:\n{}",
                    String::from_utf8_lossy(bytes)
                        .lines()
                        .filter(|line| Text::of(line.as_bytes()).holds(needle))
                        .collect::<Vec<_>>()
                        .join("\n")
                );
            }
        }
    }
    let asked = Asked { logs: Some(here), ..Asked::default() };
    let refusals = verify(&here.join("hidden"), &asked).unwrap().refusals;
    assert_eq!(refusals, Vec::<String>::new());
    let path = here.join("hidden/data/report.json");
    let mapped: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    same_numbers(&report, &mapped);
    sorted(&mapped);
    needles
}

/// Every number and every list has the size that it has with names.
#[track_caller]
fn same_numbers(plain: &Value, hidden: &Value) {
    for (one, other) in plain["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .zip(hidden["requirements"].as_array().unwrap())
    {
        for key in ["product", "cal", "users", "devices", "mix", "reassignment", "by_version"] {
            assert_eq!(one[key], other[key]);
        }
    }
    for key in ["people", "excluded", "unresolved", "coverage", "inputs", "servers", "multiplexers"]
    {
        let len = |report: &Value| report[key].as_array().map(Vec::len);
        assert_eq!(len(plain), len(hidden), "{key}");
    }
    let events = |report: &Value| -> u64 {
        let people = report["people"].as_array().unwrap().iter();
        people.map(|p| p["events"].as_u64().unwrap()).sum()
    };
    assert_eq!(events(plain), events(hidden));
}

/// Lists stand in the order of the pseudonyms, so that the order of the names does not show.
#[track_caller]
fn sorted(report: &Value) {
    let list = |key: &str, name: &str| {
        let entries = report[key].as_array().unwrap().iter();
        let names: Vec<&str> = entries.map(|e| e[name].as_str().unwrap()).collect();
        assert!(names.is_sorted(), "{key}: {names:?}");
    };
    list("people", "id");
    list("excluded", "principal");
    list("unresolved", "what");
    list("inputs", "path");
    list("coverage", "server");
}

#[test]
fn no_name_is_left_of_the_worked_example() {
    let here = copy("worked-example");
    let planted = [
        "anna",
        "cem",
        "dora",
        "mallory",
        "adm1",
        "adm3",
        "healthmailbox1234567",
        "applc39",
        "kiosk1",
        "203.0.113.9",
    ];
    let needles = leaks(here.path(), &planted, &["--sensitivity", "logs"]);
    assert!(needles.contains("contoso\\anna") && needles.contains("10.1.1.5"), "{needles:?}");
    // Listed servers, domains and what servers call their logs stand.
    let sources = fs::read_to_string(here.path().join("hidden/data/sources.jsonl")).unwrap();
    assert!(sources.contains("logs/EX01/u_ex100301.log"), "{sources}");
    let config = here.path().join("hidden/data/configuration");
    let toml = fs::read_to_string(config.join("calproof.toml")).unwrap();
    assert!(toml.contains("contoso.com") && toml.contains("10.0.0.11"), "{toml}");
    let inventory = fs::read_to_string(config.join("inventory-1.csv")).unwrap();
    let pairs = fs::read_to_string(here.path().join("hidden/data/pairs.jsonl")).unwrap();
    let kiosk = inventory.split([',', '\r']).find(|cell| cell.starts_with("device-")).unwrap();
    assert!(pairs.contains(kiosk), "{inventory}");
}

#[test]
fn no_name_is_left_where_a_directory_knows_them() {
    let here = copy("directory");
    for (config, file) in [("calproof.toml", "users.csv"), ("ldif.toml", "users.ldf")] {
        let planted = ["aarndt", "bberg", "ccan", "svc_gateway", "room-12", file];
        leaks(here.path(), &planted, &["--config", config, "logs"]);
        for bundle in ["plain", "hidden"] {
            fs::remove_dir_all(here.path().join(bundle)).unwrap();
        }
    }
}

#[test]
fn no_name_is_left_of_any_format() {
    for folder in [
        "across-logs",
        "exchange-imap4",
        "exchange-pop3",
        "exchange-smtp-receive",
        "exchange-tracking",
        "exchange-httpproxy",
        "exchange-ews",
        "exchange-rca",
        "iis-w3c",
        "iis-native",
        "ncsa",
        "iis-etw",
        "ocs-trace",
        "ocs-cdr",
        "ual",
    ] {
        let here = copy(folder);
        let mut args: Vec<&str> = vec!["."];
        // Notes and golden files are no logs.
        for (name, _) in contents(here.path()) {
            if name.ends_with(".md") || name.ends_with(".jsonl") {
                fs::remove_file(here.path().join(name)).unwrap();
            }
        }
        fs::create_dir(here.path().join("in")).unwrap();
        for entry in fs::read_dir(here.path()).unwrap() {
            let entry = entry.unwrap();
            if !["key", "in", "calproof.toml"].contains(&entry.file_name().to_str().unwrap()) {
                fs::rename(entry.path(), here.path().join("in").join(entry.file_name())).unwrap();
            }
        }
        args[0] = "in";
        leaks(here.path(), &[], &args);
    }
}

/// Everything that a configuration can name, and names in paths, headers and comments.
#[test]
fn no_name_is_left_of_what_the_organisation_states() {
    let names = [
        "CONTOSO\\wilhelmina",
        "wilhelmina@contoso.com",
        "CONTOSO\\Jörg.Müßig",
        "quirke",
        "CONTOSO\\quirke",
        "CONTOSO\\lobby7",
        "partnerx@fabrikam.com",
        "CONTOSO\\svc_hoover",
        "CONTOSO\\leftout",
        "CONTOSO\\oncall1",
    ];
    let log = owa(&names).replacen("Services 7.5", "Services 7.5 of wilhelmina", 1);
    let wide: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(owa(&["CONTOSO\\widemann", "CONTOSO\\quirke"]).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let config = "# asked for by leftout\n\
        [organization]\nname = 'Contoso'\ninternal_networks = ['10.0.0.0/8', '198.51.100.44/32']\n\
        [[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\nproduct = 'exchange'\nversion = '2010'\nexternal_connector = false\n\
        [identity]\nshared = ['CONTOSO\\lobby7', 'CONTOSO\\oncall*']\nexternal = ['partnerx@fabrikam.com']\nservice = ['CONTOSO\\svc_hoover']\n\
        [devices]\ninventory = ['desks-of-wilhelmina.csv']\n\
        [[exclude]]\nprincipal = 'CONTOSO\\leftout'\nreason = 'Hildebrandt signed for it'\n\
        [owned]\nfiles = ['bought-by-hildebrandt.csv']\n\
        [configuration]\nfiles = ['enabled-by-hildebrandt.csv']\n\
        [prices]\n'exchange.standard.user' = 80.0\n'exchange.standard.device' = 80.0\n'windows.standard.user' = 30.0\n'windows.external-connector' = 2000.0\n";
    let enabled = "SamAccountName,RecipientTypeDetails,UMEnabled,ArchiveState\r\nwilhelmina,UserMailbox,True,Local\r\n\
                   unwin9,UserMailbox,True,None\r\nroomful,RoomMailbox,False,None\r\n";
    let owned = "product,cal,version,type,quantity\nexchange,standard,2010,user,1\nwindows,standard,2008-r2,user,1\n";
    let here = folder(&[
        ("logs/wilhelmina/EX01/u_ex100301.log", log.as_bytes()),
        ("logs/Quirke PC/u_ex100302.log", owa(&["CONTOSO\\quirke", "CONTOSO\\lobby7"]).as_bytes()),
        ("logs/EX01/wide.log", &wide),
        (
            "logs/EX01/broken-of-widemann.log",
            b"#Fields: date time cs-username c-ip sc-status\r\n2010-03-01 quirke\r\n",
        ),
        ("calproof.toml", config.as_bytes()),
        ("desks-of-wilhelmina.csv", b"owner,address,device\nquirke,10.1.1.5,DESK-HILDEBRANDT\n"),
        ("bought-by-hildebrandt.csv", owned.as_bytes()),
        (
            "mailboxes-of-quirke.csv",
            "SamAccountName,Name\nwilhelmina,W. W.\nneverseen,N. N.\nzweibel,Z. Z.\n".as_bytes(),
        ),
        ("enabled-by-hildebrandt.csv", enabled.as_bytes()),
        ("key", KEY.as_bytes()),
    ]);
    let planted = [
        "wilhelmina",
        "jörg",
        "müßig",
        "quirke",
        "lobby7",
        "partnerx",
        "svc_hoover",
        "leftout",
        "oncall",
        "widemann",
        "hildebrandt",
        "neverseen",
        "zweibel",
        "unwin9",
        "roomful",
        "198.51.100.44",
        "10.1.1.5",
        "10.1.1.0",
    ];
    let compare = ["--sensitivity", "--compare", "mailboxes-of-quirke.csv", "logs"];
    let needles = leaks(here.path(), &planted, &compare);
    assert!(needles.contains("contoso\\jörg.müßig"), "{needles:?}");
    let report = fs::read_to_string(here.path().join("hidden/data/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    for key in ["purchase", "owned", "connectors", "compare", "sensitivity", "configuration"] {
        assert!(!report[key].is_null(), "{key} is part of the test");
    }
    assert!(report["inputs"].as_array().unwrap().len() >= 4);
}

#[test]
fn what_a_fleet_writes_is_hidden_and_verified() {
    let fleet = calproof_twin::generate::fleet(1, calproof_twin::generate::Size::Small);
    let here = folder(&[("key", KEY.as_bytes())]);
    for (path, bytes) in &fleet.files {
        let file = here.path().join("logs").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    leaks(here.path(), &[], &["logs"]);
    let payload = |name: &str, threads: &str| {
        hidden(here.path(), "csv", name, &["-j", threads, "logs"]);
        contents(&here.path().join(name).join("data"))
    };
    assert!(payload("one", "1") == payload("eight", "8"));
}

#[test]
fn the_same_key_gives_the_same_pseudonyms_in_the_next_bundle() {
    let here = folder(&[
        ("a/EX01/u_ex100301.log", owa(&["CONTOSO\\anna", "CONTOSO\\ben"]).as_bytes()),
        ("b/EX01/u_ex100401.log", owa(&["CONTOSO\\anna", "CONTOSO\\cem"]).as_bytes()),
        ("key", KEY.as_bytes()),
        ("other", &[b'x'; 32]),
    ]);
    let people = |bundle: &str, args: &[&str]| -> BTreeSet<String> {
        scan(here.path(), "json", &[&["--evidence", bundle], args].concat());
        let text = fs::read_to_string(here.path().join(bundle).join("data/people.jsonl")).unwrap();
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
        text.lines().map(|line| id(line).as_str().unwrap().to_owned()).collect()
    };
    let first = people("one", &["--pseudonymise", "key", "a"]);
    let second = people("two", &["--pseudonymise", "key", "--previous", "one", "b"]);
    let third = people("three", &["--pseudonymise", "other", "a"]);
    let key = Key::parse(KEY.as_bytes()).unwrap();
    let anna = Pseudonyms::new(&key).give(Kind::Person, "contoso\\anna");
    let both: Vec<_> = first.intersection(&second).collect();
    assert_eq!(both, [&anna]);
    assert!(first.is_disjoint(&third));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_before_anything_is_read() {
    let here = folder(&[
        ("logs/a.log", owa(&["CONTOSO\\anna"]).as_bytes()),
        ("logs/key", KEY.as_bytes()),
        ("short", b"too short!"),
    ]);
    for (key, words) in [
        ("short", "found a key of 10 bytes"),
        ("none", "none: cannot be read"),
        ("logs/key", "keep the key outside of the logs"),
    ] {
        let ran =
            run(here.path(), &["scan", "--pseudonymise", key, "--evidence", "b", "logs"], b"");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
        assert!(!here.path().join("b").exists());
    }
}

#[test]
fn a_name_that_stands_in_a_list_is_refused() {
    let here = copy("worked-example");
    hidden(here.path(), "table", "b", &["logs"]);
    let place = here.path().join("b");
    let ran = run(here.path(), &["verify", "b", "--logs", "logs", "--full"], b"");
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("names of the bundle are pseudonyms"), "{}", ran.err);
    let report = fs::read_to_string(place.join("data/report.json")).unwrap();
    let id = report.split('"').find(|text| text.starts_with("person-")).unwrap().to_owned();
    for name in [
        "report.json",
        "report.txt",
        "people.jsonl",
        "pairs.jsonl",
        "requirements.json",
        "excluded.jsonl",
    ] {
        let path = place.join("data").join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace(&id, "contoso\\\\anna")).unwrap();
    }
    crate::tampering::seal(&place);
    let refusals = verify(&place, &Asked::default()).unwrap().refusals.join("\n");
    assert!(refusals.contains("something else than a pseudonym"), "{refusals}");
}
