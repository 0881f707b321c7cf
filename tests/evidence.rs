//! Evidence bundles: what is in them, that they are the same for the same logs, and that nothing in
//! them can be changed unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;

use ::calproof::census::{Detail, Question, take};
use ::calproof::cli::{Cli, Command};
use ::calproof::commands::scan::scan;
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
use clap::Parser as _;
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
            accounts: None,
            timestamp_request: false,
            config: None,
        };
        let prepared = evidence::prepare(&asked, &config, &found.inputs, Some(digest)).unwrap();
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
        evidence::write(prepared, &subject, None).unwrap();
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

/// Folders under `samples/` that hold logs, of one case or of all cases of a format, and all of them.
fn sample_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let folders = |of: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut all = vec![root.clone()];
    for format in folders(&root) {
        all.extend(folders(&format));
        all.push(format);
    }
    all.sort();
    all
}

/// Writes a bundle of a folder into `here`, with the configuration that stands in it.
fn bundle_of(folder: &Path, here: &Path) -> PathBuf {
    let place = here.join("bundle");
    let text = |path: &Path| path.display().to_string();
    let mut words = vec!["calproof".to_owned(), "scan".into(), "--output".into()];
    words.extend([text(&here.join("report.txt")), "--evidence".into(), text(&place)]);
    let config = folder.join("calproof.toml");
    if config.is_file() {
        words.extend(["--config".into(), text(&config)]);
    }
    words.push(text(folder));
    let Command::Scan(args) = Cli::try_parse_from(words).unwrap().command else { unreachable!() };
    scan(&args).unwrap();
    place
}

#[test]
fn a_bundle_of_every_sample_is_verified_with_the_second_count() {
    let folders = sample_folders();
    assert!(folders.len() > 80, "{}", folders.len());
    let todo = Mutex::new(folders.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(folder) = { todo.lock().unwrap().next() } {
                    verified_twice(folder);
                }
            });
        }
    });
}

/// Writes a bundle of a folder, and verifies it with the second count.
fn verified_twice(folder: &Path) {
    let here = tempfile::tempdir().unwrap();
    let bundle = bundle_of(folder, here.path());
    let full = Asked { logs: Some(folder), full: true, ..Asked::default() };
    if folder.ends_with("samples/directory") {
        // Directory files are in no bundle: the second count cannot know who is who by them.
        let told = verify(&bundle, &full).unwrap_err().to_string();
        assert!(told.contains("does not know `identity.directory`"), "{told}");
        let verdict = verify(&bundle, &Asked { full: false, ..full }).unwrap();
        assert_eq!(verdict.refusals, Vec::<String>::new());
        return;
    }
    let verdict = verify(&bundle, &full).unwrap();
    assert_eq!(verdict.refusals, Vec::<String>::new(), "{}", folder.display());
    let doubts: Vec<&String> =
        verdict.notes.iter().filter(|note| note.contains("the interval is")).collect();
    assert!(doubts.is_empty(), "{}: {doubts:?}", folder.display());
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
    for digest in ["none", "blake3"] {
        let args = ["scan", "--evidence", "b", "--digest", digest, "logs"];
        refused(&args, &[&format!("--digest {digest}"), "sha256"]);
    }
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
fn what_the_count_was_compared_with_is_copied_or_named_by_its_digest() {
    let here = worked_example();
    let here = here.path();
    let owned = "product,cal,version,type,quantity\nexchange,standard,2010,user,4\n";
    let accounts = "sAMAccountName\nanna\nnobody\n";
    fs::write(here.join("owned.csv"), owned).unwrap();
    fs::write(here.join("accounts.csv"), accounts).unwrap();
    let config = fs::read_to_string(here.join("calproof.toml")).unwrap();
    let stated = "\n[owned]\nfiles = ['owned.csv']\n[prices]\n'exchange.standard.user' = 85.0\n";
    fs::write(here.join("calproof.toml"), format!("{config}{stated}")).unwrap();
    bundle(here, &["b", "--digest", "sha256", "--compare", "accounts.csv", "logs"]);
    let place = here.join("b");
    let read = |name: &str| fs::read_to_string(place.join("data").join(name)).unwrap();
    assert_eq!(read("configuration/owned-1.csv"), owned);
    assert!(read("configuration/calproof.toml").contains("= 85.0"));
    let run: Value = serde_json::from_str(&read("run.json")).unwrap();
    let files = run["configuration"].as_array().unwrap();
    let compared = files.iter().find(|file| file["role"] == "compare").unwrap();
    assert_eq!(compared["file"], Value::Null);
    assert_eq!(compared["sha256"], evidence::bag::sha256(accounts.as_bytes()));
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    assert!(report["compare"].is_object() && report["owned"].is_array());
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
    fs::write(place.join("data/configuration/owned-1.csv"), owned.replace(",4", ",9")).unwrap();
    let refusals = verdict(&place).refusals.join("\n");
    assert!(refusals.contains("data/configuration/owned-1.csv"), "{refusals}");
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
        let ran = process::Command::new("sha256sum")
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
        let mut child = process::Command::new("ssh-keygen")
            .args(["-Y", "verify", "-n", "calproof", "-I", "auditor", "-f", "signers"])
            .args(["-s", "bundle/tagmanifest-sha256.txt.sig"])
            .current_dir(here.path())
            .stdin(process::Stdio::piped())
            .stdout(process::Stdio::null())
            .stderr(process::Stdio::null())
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
    let ran = process::Command::new("ssh-keygen")
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
