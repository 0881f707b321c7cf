//! Evidence bundles: what is in them, that they are the same for the same logs, and that nothing in
//! them can be changed unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::calproof::census::{Detail, Question, take};
use ::calproof::config::Config;
use ::calproof::digest::DigestChoice;
use ::calproof::discover::discover;
use ::calproof::evidence::{self, Subject};
use ::calproof::facts::usage::Period;
use ::calproof::ingest::{Quiet, Reading, ingest};
use ::calproof::rules::RulePack;
use ::calproof::source::{MmapChoice, ReadOptions};
use ::calproof::verify::{Asked, Verdict, verify};
use calproof_twin::generate::{Size, fleet};
use serde_json::Value;

use crate::calproof::{Ran, folder, owa, run};

/// A copy of the worked example.
pub(crate) fn worked_example() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/worked-example");
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    let names = [
        "calproof.toml",
        "devices.csv",
        "logs/EX01/u_ex100301.log",
        "logs/EX01/u_ex100302.log",
        "logs/EX01/u_ex100303.log",
    ];
    let contents: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, read(name))).collect();
    let files: Vec<(&str, &[u8])> = contents.iter().map(|(n, c)| (*n, c.as_slice())).collect();
    folder(&files)
}

#[track_caller]
pub(crate) fn bundle(here: &Path, args: &[&str]) -> Ran {
    let all: Vec<&str> = ["scan", "--output", "report.txt", "--evidence"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let ran = run(here, &all, b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Every file under `folder`, by its path in it.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read(path).unwrap())
        })
        .collect()
}

pub(crate) fn lines(bundle: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(bundle.join("data").join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn verdict(bundle: &Path) -> Verdict {
    verify(bundle, &Asked::default()).unwrap()
}

/// Gives the files of a changed bundle manifests that fit: what a forger would do.
pub(crate) fn seal(bundle: &Path) {
    let digest = |bytes: &[u8]| evidence::bag::sha256(bytes);
    let list = |payload: bool| -> String {
        contents(bundle)
            .iter()
            .filter(|(name, _)| name.starts_with("data/") == payload)
            .filter(|(name, _)| !name.starts_with("tagmanifest"))
            .map(|(name, bytes)| format!("{}  {name}\n", digest(bytes)))
            .collect()
    };
    let payload = contents(&bundle.join("data"));
    let octets: usize = payload.values().map(Vec::len).sum();
    let info = fs::read_to_string(bundle.join("bag-info.txt")).unwrap();
    let info: String = info
        .lines()
        .map(|line| match line.starts_with("Payload-Oxum") {
            true => format!("Payload-Oxum: {octets}.{}\n", payload.len()),
            false => format!("{line}\n"),
        })
        .collect();
    fs::write(bundle.join("bag-info.txt"), info).unwrap();
    fs::write(bundle.join("manifest-sha256.txt"), list(true)).unwrap();
    fs::write(bundle.join("tagmanifest-sha256.txt"), list(false)).unwrap();
}

pub(crate) fn replace(bundle: &Path, name: &str, from: &str, to: &str) {
    let path = bundle.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {name}:\n{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_worked_example_is_verified_with_logs_and_second_count() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "logs"]);
    let ran = run(here.path(), &["verify", "bundle", "--logs", "logs", "--full"], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for line in [
        "bundle: verified",
        "3 sources have a file with their digest",
        "--full: 5 people were counted again",
        "2 certificates",
    ] {
        assert!(ran.out.contains(line), "{line} is not in:\n{}", ran.out);
    }
    let place = here.path().join("bundle");
    let requirements = fs::read_to_string(place.join("data/requirements.json")).unwrap();
    let requirements: Value = serde_json::from_str(&requirements).unwrap();
    let certificate = &requirements[0]["certificate"];
    assert_eq!(certificate["people"], serde_json::json!(["contoso\\adm3", "contoso\\anna"]));
    assert_eq!(certificate["devices"], serde_json::json!(["inventory:kiosk1"]));
    assert_eq!(certificate["proof"].as_array().unwrap().len(), 3);
    let people: BTreeSet<String> = lines(&place, "people.jsonl")
        .iter()
        .map(|p| p["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(people.len(), 5);
    let merge = &lines(&place, "merges.jsonl")[0];
    assert_eq!(merge["person"], "contoso\\anna");
    let method = fs::read_to_string(place.join("data/METHOD.txt")).unwrap();
    assert!(method.contains("Missing logs are not missing use"), "{method}");
}

#[test]
fn one_flipped_byte_anywhere_is_refused_and_named() {
    let here = worked_example();
    let key = key(here.path());
    let mut args = vec!["bundle", "logs"];
    args.extend(key.then_some(["--sign", "key"]).into_iter().flatten());
    bundle(here.path(), &args);
    let place = here.path().join("bundle");
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
    for (name, bytes) in contents(&place) {
        let path = place.join(&name);
        // The first byte, the last and some between.
        let step = (bytes.len() / 3).max(1);
        let places = (0..bytes.len()).step_by(step).chain(bytes.len().checked_sub(1));
        for at in places {
            // The second turns the case of a letter, also of a hexadecimal digit.
            let bit = if at % 2 == 0 { 1 } else { 0x20 };
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            fs::write(&path, &changed).unwrap();
            let refusals = verdict(&place).refusals.join("\n");
            assert!(refusals.contains(&name), "{name} byte {at} bit {bit:#x}: {refusals:?}");
        }
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
}

#[test]
fn a_missing_an_extra_and_an_unfinished_one_are_refused() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "logs"]);
    let place = here.path().join("bundle");
    let whole = contents(&place);
    for (name, bytes) in &whole {
        fs::remove_file(place.join(name)).unwrap();
        let refusals = verdict(&place).refusals.join("\n");
        assert!(refusals.contains(name.as_str()), "{name}: {refusals}");
        fs::write(place.join(name), bytes).unwrap();
    }
    fs::write(place.join("data/extra.txt"), "").unwrap();
    assert_eq!(verdict(&place).refusals, ["data/extra.txt: is in no manifest"]);
    fs::remove_file(place.join("data/extra.txt")).unwrap();
    let partial = here.path().join("bundle.partial-17");
    fs::rename(&place, &partial).unwrap();
    assert!(verdict(&partial).refusals[0].contains("never finished"));
    let gone = run(here.path(), &["verify", "bundle"], b"");
    assert_eq!(gone.code, 2, "{}", gone.err);
    assert!(gone.err.contains("found no directory"), "{}", gone.err);
}

#[test]
fn a_forger_who_seals_again_is_still_refused() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "logs"]);
    let place = here.path().join("bundle");
    let whole = contents(&place);
    let logs = here.path().join("logs");
    let forged = |change: &dyn Fn()| {
        change();
        seal(&place);
        let asked = Asked { logs: Some(&logs), full: true, ..Asked::default() };
        let refusals = verify(&place, &asked).unwrap().refusals.join("\n");
        for (name, bytes) in &whole {
            fs::write(place.join(name), bytes).unwrap();
        }
        refusals
    };
    let change = |name: &'static str, from: &'static str, to: &'static str| {
        let place = place.clone();
        move || replace(&place, name, from, to)
    };
    type Change = Box<dyn Fn()>;
    let cases: [(&str, Change); 8] = [
        ("do not add up", Box::new(change("data/sources.jsonl", "\"total\":26", "\"total\":27"))),
        (
            "people.jsonl: differs",
            Box::new(change("data/people.jsonl", "contoso\\\\ben", "contoso\\\\bob")),
        ),
        (
            "is not covered",
            Box::new(change("data/pairs.jsonl", "inventory:kiosk1", "inventory:kiosk2")),
        ),
        ("", Box::new(change("data/witness-rows/rows.jsonl", "CONTOSO\\\\ben", "CONTOSO\\\\bon"))),
        ("sample", Box::new(change("data/run.json", "\"seed\": \"", "\"seed\": \"0"))),
        (
            "rule-packs",
            Box::new(change("data/rule-packs/exchange-2010.toml", "standard", "enterprise")),
        ),
        ("quote", Box::new(change("data/excluded.jsonl", "\"line\":", "\"line\":9"))),
        (
            "configuration",
            Box::new(change("data/configuration/inventory-1.csv", "KIOSK1", "KIOSK9")),
        ),
    ];
    assert_eq!(forged(&|| {}), "", "sealing again changes nothing by itself");
    for (words, change) in cases {
        let refusals = forged(&*change);
        assert!(!refusals.is_empty() && refusals.contains(words), "{words}: {refusals:?}");
    }
    // A person taken out everywhere: only the second count sees it.
    let refusals = forged(&|| {
        for name in ["data/people.jsonl", "data/merges.jsonl", "data/people.csv"] {
            let text = fs::read_to_string(place.join(name)).unwrap();
            let kept: String =
                text.split_inclusive('\n').filter(|line| !line.contains("cem")).collect();
            fs::write(place.join(name), kept).unwrap();
        }
        let path = place.join("data/report.json");
        let mut report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        report["people"].as_array_mut().unwrap().retain(|p| p["id"] != "contoso\\cem");
        fs::write(path, report.to_string()).unwrap();
    });
    assert!(refusals.contains("contoso\\cem was counted by --full"), "{refusals}");
}

#[test]
fn changed_and_missing_logs_are_named() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "logs"]);
    let log = here.path().join("logs/EX01/u_ex100302.log");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replace("cem", "tom")).unwrap();
    let ran = run(here.path(), &["verify", "bundle", "--logs", "logs"], b"");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("refused: logs/EX01/u_ex100302.log: no file under"), "{}", ran.out);
    assert!(ran.out.contains("u_ex100302.log: is there, but is no source"), "{}", ran.out);
    assert!(ran.out.ends_with("bundle: REFUSED\n"), "{}", ran.out);
    let ran = run(here.path(), &["verify", "bundle", "--logs", "nowhere"], b"");
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
}

#[test]
fn the_payload_depends_on_the_inputs_alone() {
    let here = worked_example();
    let payload = |args: &[&str]| {
        bundle(here.path(), args);
        contents(&here.path().join(args[0]).join("data"))
    };
    let one = payload(&["one", "-j", "1", "logs"]);
    assert!(one.len() > 15, "{:?}", one.keys());
    assert!(one == payload(&["two", "-j", "8", "--mmap", "never", "--quiet", "logs"]));
    assert!(one == payload(&["three", "--mmap", "always", "--color", "always", "logs"]));
}

#[test]
fn the_payload_does_not_depend_on_the_cut() {
    let fleet = fleet(3, Size::Small);
    let logs = tempfile::tempdir().unwrap();
    for (path, bytes) in &fleet.files {
        let file = logs.path().join("logs").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let packs = RulePack::builtin().unwrap();
    let (config, period) = (Config::default(), Period::default());
    let write = |name: &str, segment_len: usize, mmap: MmapChoice| {
        let digest = DigestChoice::Sha256;
        let options = ReadOptions { mmap, digest, block_len: segment_len, ..Default::default() };
        let reading = Reading { options, segment_len, ..Reading::default() };
        let found = discover(&[logs.path().join("logs")]);
        let place = logs.path().join(name);
        let asked = evidence::Asked {
            place: &place,
            previous: None,
            key: None,
            timestamp_request: false,
            config: None,
        };
        let prepared = evidence::prepare(&asked, &config, &found.inputs, digest).unwrap();
        let read = ingest(&found.inputs, &reading, &Quiet);
        let question = Question {
            config: &config,
            packs: &packs,
            period: &period,
            scope: &reading.scope,
            directory: None,
            detail: Detail::Full,
        };
        let census = take(read.usage, read.inputs, &question).unwrap();
        let inputs = &found.inputs[..];
        let subject = Subject { census: &census, packs: &packs, inputs, options: &reading.options };
        evidence::write(prepared, &subject).unwrap();
        place
    };
    let whole = write("whole", 8 << 20, MmapChoice::Always);
    let asked = Asked { logs: Some(logs.path()), ..Asked::default() };
    assert_eq!(verify(&whole, &asked).unwrap().refusals, Vec::<String>::new());
    assert!(lines(&whole, "people.jsonl").len() > 10);
    assert_eq!(lines(&whole, "witness-rows/sample.jsonl").len(), 200);
    let data = contents(&whole.join("data"));
    for (name, len, mmap) in [("a", 777, MmapChoice::Never), ("b", 4096, MmapChoice::Always)] {
        let place = write(name, len, mmap);
        for (name, bytes) in contents(&place.join("data")) {
            let (one, other) =
                (String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&data[&name]));
            let differs = one.lines().zip(other.lines()).find(|(a, b)| a != b);
            assert_eq!(differs, None, "{name}: segments of {len} bytes, {mmap:?}");
            assert!(bytes == data[&name], "{name}");
        }
    }
}

#[test]
fn generated_fleets_are_verified_with_the_second_count() {
    for seed in 0..3 {
        let fleet = fleet(seed, Size::Small);
        let here = tempfile::tempdir().unwrap();
        for (path, bytes) in &fleet.files {
            let file = here.path().join("logs").join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        fs::write(here.path().join("calproof.toml"), "[organization]\nname = 'Contoso'\n").unwrap();
        let args = ["scan", "--output", "r.txt", "--evidence", "bundle", "logs"];
        let ran = run(here.path(), &args, b"");
        assert!(ran.code <= 1, "{}", ran.err);
        let ran = run(here.path(), &["verify", "bundle", "--logs", "logs", "--full"], b"");
        assert_eq!(ran.code, 0, "seed {seed}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("people were counted again"), "{}", ran.out);
    }
}

#[test]
fn the_rows_of_every_sample_are_found_again() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").display().to_string();
    let here = tempfile::tempdir().unwrap();
    let ran = run(here.path(), &["scan", "--output", "r.txt", "--evidence", "b", &samples], b"");
    assert!(ran.code <= 1, "{}", ran.err);
    let formats: BTreeSet<String> = lines(&here.path().join("b"), "sources.jsonl")
        .iter()
        .map(|source| source["format"].as_str().unwrap().to_owned())
        .collect();
    assert!(formats.len() > 15, "{formats:?}");
    let ran = run(here.path(), &["verify", "b", "--logs", &samples], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn compressed_and_utf16_logs_are_quoted_and_found_again() {
    let plain = owa(&["CONTOSO\\anna", "CONTOSO\\ben"]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(plain.as_bytes()).unwrap();
    let wide: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(owa(&["CONTOSO\\cem"]).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let here = folder(&[("logs/a.log.gz", &gz.finish().unwrap()), ("logs/b.log", &wide)]);
    bundle(here.path(), &["bundle", "logs"]);
    let rows = lines(&here.path().join("bundle"), "witness-rows/rows.jsonl");
    let text: Vec<&str> = rows.iter().map(|row| row["text"].as_str().unwrap()).collect();
    for name in ["anna", "ben", "cem"] {
        assert!(text.iter().any(|t| t.contains(name) && t.ends_with(" 31")), "{name}: {text:?}");
    }
    let ran = run(here.path(), &["verify", "bundle", "--logs", "logs", "--full"], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn no_secret_stands_anywhere_in_the_bundle() {
    let secrets = ["c00kieSecret", "canarySecret", "tokenSecret", "gssSecret", "bodySecret"];
    let iis = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
               cs(User-Agent) cs(Cookie) cs(Referer) sc-status\r\n\
               2010-03-01 06:00:00 10.0.0.11 GET /owa/ canary=canarySecret&ns=x 443 CONTOSO\\anna \
               10.1.1.5 Mozilla/5.0 sessionid=c00kieSecret;+x=y https://a/?token=tokenSecret 200\r\n";
    let trace = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/ocs-trace/register-ntlm/input.log"),
    )
    .unwrap();
    assert!(trace.contains("gssapi-data=\"TlRMTVNTUAAD"), "the sample has an NTLM message");
    let trace =
        trace.replace("Message-Body: -", "Content-Type: text/plain\nMessage-Body: bodySecret");
    let here = folder(&[("logs/iis.log", iis.as_bytes()), ("logs/trace.txt", trace.as_bytes())]);
    let ran = run(here.path(), &["scan", "--evidence", "b", "--output", "r.txt", "logs"], b"");
    assert!(ran.code <= 1, "{}", ran.err);
    for (name, bytes) in contents(&here.path().join("b")) {
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets.iter().chain(&["TlRMTVNTUAAD"]) {
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
    let rows = lines(&here.path().join("b"), "witness-rows/rows.jsonl");
    let anna = rows.iter().find(|r| r["path"] == "logs/iis.log").unwrap();
    assert_eq!(anna["blanked"].as_array().unwrap().len(), 3, "{anna}");
    assert!(anna["text"].as_str().unwrap().contains("canary=[blanked 12 bytes]&ns=x"), "{anna}");
    let ran = run(here.path(), &["verify", "b", "--logs", "logs"], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_read() {
    let here = worked_example();
    let refused = |args: &[&str], words: &[&str]| {
        let ran = run(here.path(), args, b"x");
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert_eq!(ran.out, "");
        for word in words {
            assert!(ran.err.contains(word), "`{word}` is not in:\n{}", ran.err);
        }
    };
    refused(&["scan", "--evidence", "logs", "logs"], &["logs", "never overwritten"]);
    refused(&["scan", "--evidence", "no/b", "logs"], &["no/b", "cannot be written"]);
    refused(&["scan", "--evidence", "b", "-"], &["standard input", "second time"]);
    refused(&["scan", "--evidence", "b", "--digest", "none", "logs"], &["SHA-256"]);
    refused(&["scan", "--sign", "key", "logs"], &["--evidence"]);
    refused(
        &["scan", "--evidence", "b", "--sign", "devices.csv", "logs"],
        &["devices.csv", "OpenSSH"],
    );
    refused(&["scan", "--evidence", "b", "--previous", "logs", "logs"], &["--previous logs"]);
    refused(&["verify", "logs", "--full"], &["--logs"]);
    let names: Vec<PathBuf> = files(here.path());
    assert_eq!(names.len(), 5, "nothing is left behind: {names:?}");
}

#[test]
fn a_bundle_names_the_one_before() {
    let here = worked_example();
    bundle(here.path(), &["one", "logs"]);
    bundle(here.path(), &["two", "--previous", "one", "logs"]);
    let verify = |args: &[&str]| run(here.path(), &[&["verify"], args].concat(), b"");
    assert_eq!(verify(&["two"]).code, 0);
    let ran = verify(&["two", "--previous", "one"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("follows one"), "{}", ran.out);
    let ran = verify(&["two", "--previous", "two"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert_eq!(verify(&["one", "--previous", "two"]).code, 1);
}

#[test]
fn sha256sum_accepts_the_manifests() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "logs"]);
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let ran = Command::new("sha256sum")
            .args(["--check", "--strict", manifest])
            .current_dir(here.path().join("bundle"))
            .output();
        match ran {
            Ok(ran) => assert!(ran.status.success(), "{ran:?}"),
            Err(error) => skip("sha256sum", &error),
        }
    }
}

#[test]
fn ssh_keygen_accepts_the_signature() {
    let here = worked_example();
    if !key(here.path()) {
        return;
    }
    bundle(here.path(), &["bundle", "--sign", "key", "logs"]);
    let public = fs::read_to_string(here.path().join("key.pub")).unwrap();
    fs::write(here.path().join("signers"), format!("auditor {public}")).unwrap();
    let check = |tags: &[u8]| {
        let mut child = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-n", "calproof", "-I", "auditor", "-f", "signers"])
            .args(["-s", "bundle/tagmanifest-sha256.txt.sig"])
            .current_dir(here.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(tags).unwrap();
        child.wait().unwrap().success()
    };
    let tags = fs::read(here.path().join("bundle/tagmanifest-sha256.txt")).unwrap();
    assert!(check(&tags));
    assert!(!check(b"something else"));

    let verify = |args: &[&str]| run(here.path(), &[&["verify", "bundle"], args].concat(), b"");
    let ran = verify(&["--signer", "key.pub"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    fs::rename(here.path().join("key.pub"), here.path().join("first.pub")).unwrap();
    fs::remove_file(here.path().join("key")).unwrap();
    assert!(key(here.path()));
    let ran = verify(&["--signer", "key.pub"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("tagmanifest-sha256.txt.sig: signed by SHA256:"), "{}", ran.out);
}

/// Makes an ed25519 key `key`; `false`, with the reason printed, where there is no ssh-keygen.
pub(crate) fn key(here: &Path) -> bool {
    let ran = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "auditor", "-f", "key"])
        .current_dir(here)
        .output();
    match ran {
        Ok(ran) => {
            assert!(ran.status.success(), "{ran:?}");
            true
        }
        Err(error) => {
            skip("ssh-keygen", &error);
            false
        }
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a check that was not made is told to whoever runs the tests"
)]
pub(crate) fn skip(program: &str, error: &std::io::Error) {
    eprintln!("not checked against {program}, which cannot be run here ({error})");
}
