//! Bundles that were changed: one byte, one line, one file; and by a forger who seals them again.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Mutex;

use ::calproof::evidence;
use ::calproof::verify::{Asked, verify};
use serde_json::Value;

use crate::calproof::{folder, owa, run};
use crate::evidence::{bundle, contents, key, verdict, worked_example};

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

fn replace(bundle: &Path, name: &str, from: &str, to: &str) {
    let path = bundle.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {name}:\n{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// A bundle of one log with one row.
fn small() -> tempfile::TempDir {
    let config = "[[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\nproduct = 'exchange'\nversion = '2010'\n";
    let here = folder(&[
        ("calproof.toml", config.as_bytes()),
        ("logs/a.log", owa(&["CONTOSO\\anna"]).as_bytes()),
    ]);
    bundle(here.path(), &["bundle", "--timestamp-request", "logs"]);
    here
}

/// A copy of a bundle in a folder of its own.
fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for (name, bytes) in contents(from) {
        let path = to.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    to
}

#[test]
fn each_flipped_byte_of_each_file_is_refused_and_named() {
    let here = small();
    let place = here.path().join("bundle");
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
    let whole = contents(&place);
    let bytes: usize = whole.values().map(Vec::len).sum();
    assert!(whole.len() > 20 && bytes > 20_000, "{bytes} bytes in {} files", whole.len());
    let todo = Mutex::new(whole.iter());
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let own = copied(&place);
                loop {
                    let next = todo.lock().unwrap().next();
                    let Some((name, bytes)) = next else { break };
                    let path = own.path().join(name);
                    // In place: a file that is made anew each time is flushed to the disk each time.
                    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                    let mut put = |at: usize, byte: u8| {
                        file.seek(SeekFrom::Start(at as u64)).unwrap();
                        file.write_all(&[byte]).unwrap();
                    };
                    for (at, byte) in bytes.iter().enumerate() {
                        // The second turns the case of a letter, also of a hexadecimal digit.
                        let bit = if at % 2 == 0 { 1 } else { 0x20 };
                        put(at, byte ^ bit);
                        let refusals = verdict(own.path()).refusals;
                        let named = refusals.iter().any(|why| why.contains(name));
                        assert!(named, "{name} byte {at} bit {bit:#x}: {refusals:?}");
                        put(at, *byte);
                    }
                }
                assert_eq!(verdict(own.path()).refusals, Vec::<String>::new());
            });
        }
    });
}

#[test]
fn each_flipped_byte_of_the_signature_is_refused_and_named() {
    let here = worked_example();
    if !key(here.path()) {
        return;
    }
    bundle(here.path(), &["bundle", "--sign", "key", "logs"]);
    let place = here.path().join("bundle");
    let path = place.join("tagmanifest-sha256.txt.sig");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= if at % 2 == 0 { 1 } else { 0x20 };
        fs::write(&path, &changed).unwrap();
        let refusals = verdict(&place).refusals;
        assert!(refusals[0].starts_with("tagmanifest-sha256.txt.sig: "), "byte {at}: {refusals:?}");
    }
}

#[test]
fn a_line_or_a_piece_that_is_gone_is_refused_and_named() {
    let here = small();
    let place = here.path().join("bundle");
    for (name, bytes) in contents(&place) {
        let path = place.join(&name);
        let check = |changed: &[u8], what: &str| {
            fs::write(&path, changed).unwrap();
            let refusals = verdict(&place).refusals;
            assert!(refusals.iter().any(|why| why.contains(&name)), "{name} {what}: {refusals:?}");
        };
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        for gone in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(gone);
            check(&rest.concat(), &format!("without line {}", gone + 1));
            let cut: usize = lines[..gone].iter().map(|line| line.len()).sum();
            check(&bytes[..cut], &format!("cut before line {}", gone + 1));
            check(&bytes[..cut + lines[gone].len() / 2], &format!("cut in line {}", gone + 1));
            if gone > 0 && lines[gone] != lines[gone - 1] {
                let mut turned = lines.clone();
                turned.swap(gone, gone - 1);
                check(&turned.concat(), &format!("lines {gone} and {} turned", gone + 1));
            }
        }
        check(&[&bytes[..], b"\n"].concat(), "with a line more");
        check(&[b"\xef\xbb\xbf", &bytes[..]].concat(), "with a mark before it");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
}

#[test]
fn a_file_that_is_gone_new_renamed_or_exchanged_is_refused_and_named() {
    let here = small();
    let place = here.path().join("bundle");
    let whole = contents(&place);
    // What need not be there: the bundle is as good without it.
    let request = "tagmanifest-sha256.txt.tsq";
    for (name, bytes) in &whole {
        let path = place.join(name);
        if name != request {
            fs::remove_file(&path).unwrap();
            let refusals = verdict(&place).refusals.join("\n");
            assert!(refusals.contains(name.as_str()), "{name}: {refusals}");
            fs::write(&path, bytes).unwrap();
        }
        let renamed = format!("{name}.txt");
        fs::rename(&path, place.join(&renamed)).unwrap();
        let refusals = verdict(&place).refusals.join("\n");
        let told = refusals.contains(&format!("{renamed}: is in no manifest"));
        assert!(told || name == "tagmanifest-sha256.txt", "{refusals}");
        let missing = refusals.lines().any(|l| l.contains(name) && l.contains("missing"));
        assert!(missing || name == request, "{name}: {refusals}");
        fs::rename(place.join(&renamed), &path).unwrap();
    }
    for new in
        ["x", "data/x", "data/witness-rows/.x", "data/new/folder/x", "tagmanifest-md5.txt", ".x"]
    {
        let path = place.join(new);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        assert_eq!(verdict(&place).refusals, [format!("{new}: is in no manifest")]);
        fs::remove_file(path).unwrap();
    }
    for (one, own) in &whole {
        for (other, others) in whole.range::<String, _>(one..).filter(|(_, b)| *b != own) {
            fs::write(place.join(one), others).unwrap();
            fs::write(place.join(other), own).unwrap();
            let refusals = verdict(&place).refusals.join("\n");
            // Where a manifest is not understood, it is what is named.
            let manifest =
                [one, other].into_iter().find(|name| name.contains("manifest-sha256.txt"));
            for name in manifest.map_or(vec![one, other], |manifest| vec![manifest]) {
                assert!(refusals.contains(name.as_str()), "{one} and {other}: {refusals}");
            }
            fs::write(place.join(one), own).unwrap();
            fs::write(place.join(other), others).unwrap();
        }
    }
    assert_eq!(verdict(&place).refusals, Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_link_is_no_file_even_where_it_leads_to_the_same_bytes() {
    let here = small();
    let place = here.path().join("bundle");
    let outside = here.path().join("people.jsonl");
    fs::rename(place.join("data/people.jsonl"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, place.join("data/people.jsonl")).unwrap();
    let refusals = verdict(&place).refusals.join("\n");
    assert!(
        refusals.contains("data/people.jsonl: is neither a file nor a directory"),
        "{refusals}"
    );
}

#[test]
fn an_unfinished_one_is_refused_by_its_name() {
    let here = small();
    let partial = here.path().join("bundle.partial-17");
    fs::rename(here.path().join("bundle"), &partial).unwrap();
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
    let sample = "data/witness-rows/sample.jsonl";
    let turned = place.clone();
    let turn = move || {
        let text = fs::read_to_string(turned.join(sample)).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        fs::write(turned.join(sample), format!("{rest}{first}\n")).unwrap();
    };
    let cases: [(&str, Change); 15] = [
        ("the row at byte", Box::new(turn)),
        (
            "was not drawn by the rules",
            Box::new(change("data/run.json", "\"draws\": 8000", "\"draws\": 9")),
        ),
        (
            "but not by its `cals`",
            Box::new(change("data/people.jsonl", "\"cal\":\"standard\"", "\"cal\":\"enterprise\"")),
        ),
        (
            "inventory:kiosk1 is not as its accesses",
            Box::new(change("data/devices.jsonl", "\"people\":3", "\"people\":4")),
        ),
        ("merges.jsonl: differs", Box::new(change("data/merges.jsonl", "realms", "directory"))),
        (
            "server EX01 has 6 users",
            Box::new(change("data/report.json", "\"users\": 5,", "\"users\": 6,")),
        ),
        (
            "`devices.identified` is 3",
            Box::new(change("data/report.json", "\"identified\": 2", "\"identified\": 3")),
        ),
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
    // The same in every list: only the logs tell.
    let everywhere = |from: &str, to: &str| {
        for (name, bytes) in contents(&place) {
            let text = String::from_utf8(bytes).unwrap();
            fs::write(place.join(name), text.replace(from, to)).unwrap();
        }
    };
    let refusals = forged(&|| {
        everywhere("\"line\":11,\"byte\":1141", "\"line\":12,\"byte\":1141");
        everywhere("\"line\": 11, \"byte\": 1141", "\"line\": 12, \"byte\": 1141");
    });
    assert!(refusals.contains("u_ex100301.log stands on line 11, not 12"), "{refusals}");
    let refusals = forged(&|| {
        let path = place.join("data/witness-rows/sample.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let (first, _) = text.trim_end().rsplit_once('\n').unwrap();
        fs::write(path, format!("{first}\n")).unwrap();
        let rows = text.lines().count();
        let stated = format!("\"rows\": {rows}");
        replace(&place, "data/run.json", &stated, &format!("\"rows\": {}", rows - 1));
    });
    assert!(refusals.contains("draws another row from the logs"), "{refusals}");
    // A person taken out of every list and number: only the second count sees it.
    let refusals = forged(&|| {
        for name in ["people.jsonl", "merges.jsonl", "people.csv", "pairs.jsonl"] {
            let path = place.join("data").join(name);
            let text = fs::read_to_string(&path).unwrap();
            let kept: String =
                text.split_inclusive('\n').filter(|line| !line.contains("cem")).collect();
            fs::write(path, kept).unwrap();
        }
        replace(&place, "data/devices.jsonl", "\"people\":3", "\"people\":2");
        let less = |value: &mut Value| *value = (value.as_u64().unwrap() - 1).into();
        let fewer = |requirement: &mut Value| {
            for end in ["lower", "demand", "upper"] {
                less(&mut requirement["users"][end]);
            }
        };
        let changed = |name: &str, change: &dyn Fn(&mut Value)| {
            let path = place.join("data").join(name);
            let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            change(&mut value);
            fs::write(path, value.to_string()).unwrap();
        };
        changed("requirements.json", &|all| all.as_array_mut().unwrap().iter_mut().for_each(fewer));
        changed("report.json", &|report| {
            report["people"].as_array_mut().unwrap().retain(|p| p["id"] != "contoso\\cem");
            less(&mut report["servers"][0]["users"]);
            for requirement in report["requirements"].as_array_mut().unwrap() {
                fewer(requirement);
                let versions = requirement["by_version"].as_object_mut().unwrap();
                versions.values_mut().for_each(less);
            }
        });
    });
    assert!(
        refusals.starts_with("data/people.jsonl: contoso\\cem was counted by --full"),
        "{refusals}"
    );
}
