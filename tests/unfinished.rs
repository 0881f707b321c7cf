//! Runs that end too early: killed, out of space, at a place that takes nothing. Nothing half-written
//! passes for whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ::calproof::verify::{Asked, verify};

use crate::calproof::run;
use crate::evidence::{bundle, contents, verdict, worked_example};

const ARGS: [&str; 7] =
    ["scan", "--output", "report.txt", "--evidence", "bundle", "--timestamp-request", "logs"];

/// What stands in a folder beside the worked example.
fn left(here: &Path) -> Vec<PathBuf> {
    let known = ["calproof.toml", "devices.csv", "logs"];
    let mut left: Vec<PathBuf> = fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !known.iter().any(|name| path.ends_with(name)))
        .collect();
    left.sort();
    left
}

#[test]
fn a_run_killed_at_any_moment_leaves_nothing_that_passes_for_whole() {
    const MOMENTS: u32 = 40;
    let here = worked_example();
    let here = here.path();
    let begun = Instant::now();
    let ran = run(here, &ARGS, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let whole_run = begun.elapsed();
    let whole = contents(&here.join("bundle/data"));
    let report = fs::read(here.join("report.txt")).unwrap();
    let clear = || {
        for path in left(here) {
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
    };
    let (mut early, mut between) = (0, 0);
    for moment in 0..MOMENTS {
        clear();
        let mut child = Command::new(env!("CARGO_BIN_EXE_calproof"))
            .args(ARGS)
            .current_dir(here)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole_run * moment / MOMENTS + Duration::from_micros(100));
        // It may have ended by itself.
        _ = child.kill();
        child.wait().unwrap();
        let place = here.join("bundle");
        if place.exists() {
            assert_eq!(verdict(&place).refusals, Vec::<String>::new(), "moment {moment}");
            assert!(contents(&place.join("data")) == whole, "moment {moment}");
        } else {
            early += 1;
        }
        if let Ok(found) = fs::read(here.join("report.txt")) {
            assert!(found == report, "moment {moment}: the report is cut");
        }
        for partial in left(here).iter().filter(|path| path.is_dir() && **path != place) {
            between += 1;
            let refusals = verify(partial, &Asked::default()).unwrap().refusals;
            assert!(refusals[0].contains("never finished"), "{refusals:?}");
            // Not even under a name that is given to it afterwards, unless nothing but the name is missing.
            let renamed = here.join("renamed");
            fs::rename(partial, &renamed).unwrap();
            if verdict(&renamed).refusals.is_empty() {
                assert!(contents(&renamed.join("data")) == whole, "moment {moment}");
            }
            fs::remove_dir_all(renamed).unwrap();
        }
    }
    assert!(early > 0 && between > 0, "{early} without a bundle, {between} in the making");
    clear();
    assert_eq!(run(here, &ARGS, b"").code, 0, "what killed runs leave is in nobody's way");
}

#[test]
fn a_bundle_whose_last_file_is_cut_anywhere_is_refused() {
    let here = worked_example();
    bundle(here.path(), &["bundle", "--timestamp-request", "logs"]);
    let place = here.path().join("bundle");
    let last = place.join("tagmanifest-sha256.txt");
    let bytes = fs::read(&last).unwrap();
    for length in 0..bytes.len() {
        fs::write(&last, &bytes[..length]).unwrap();
        assert!(!verdict(&place).refusals.is_empty(), "{length} of {} bytes", bytes.len());
    }
    fs::remove_file(&last).unwrap();
    let refusals = verdict(&place).refusals.join("\n");
    assert!(refusals.contains("tagmanifest-sha256.txt: is missing"), "{refusals}");
}

#[test]
fn what_an_earlier_run_left_is_in_nobodys_way() {
    let here = worked_example();
    let place = here.path().join("bundle");
    let first = ::calproof::evidence::bag::Bag::create(&place).unwrap();
    let second = ::calproof::evidence::bag::Bag::create(&place).unwrap();
    assert_eq!(left(here.path()).len(), 2);
    drop((first, second));
    assert_eq!(left(here.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_place_that_is_taken_keeps_what_it_has() {
    let here = worked_example();
    let here = here.path();
    fs::create_dir(here.join("bundle")).unwrap();
    let ran = run(here, &ARGS, b"");
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("bundle: found something there"), "{}", ran.err);
    assert_eq!(left(here), [here.join("bundle")]);
    assert_eq!(fs::read_dir(here.join("bundle")).unwrap().count(), 0);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::calproof::Ran;
    use crate::evidence::skip;

    /// Runs the command behind words of the shell.
    fn shell(here: &Path, words: &str, args: &[&str]) -> Ran {
        let output = Command::new("sh")
            .args(["-c", &format!("{words} exec \"$@\""), "sh", env!("CARGO_BIN_EXE_calproof")])
            .args(args)
            .current_dir(here)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[test]
    fn files_that_may_not_grow_are_told_and_nothing_is_left() {
        let here = worked_example();
        let here = here.path();
        let mut refused = 0;
        for blocks in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55] {
            // Ignored, the signal becomes an error: a full disk as far as the program sees.
            let ran = shell(here, &format!("trap '' XFSZ; ulimit -f {blocks};"), &ARGS);
            if ran.code == 0 {
                assert_eq!(verdict(&here.join("bundle")).refusals, Vec::<String>::new());
                fs::remove_dir_all(here.join("bundle")).unwrap();
                fs::remove_file(here.join("report.txt")).unwrap();
                continue;
            }
            refused += 1;
            assert_eq!(ran.code, 2, "{blocks} blocks: {}{}", ran.out, ran.err);
            assert!(ran.err.contains("cannot be written"), "{blocks} blocks: {}", ran.err);
            assert!(ran.err.contains("the space left"), "{blocks} blocks: {}", ran.err);
            // A bundle that stands there is one that was finished before the report failed.
            for path in left(here) {
                assert!(path.ends_with("bundle"), "{blocks} blocks left {}", path.display());
                assert_eq!(verdict(&path).refusals, Vec::<String>::new());
                fs::remove_dir_all(path).unwrap();
            }
            // Not ignored, it ends the process on the spot.
            let ran = shell(here, &format!("ulimit -f {blocks};"), &ARGS);
            assert_eq!(ran.code, -1, "{blocks} blocks: {}{}", ran.out, ran.err);
            for path in left(here) {
                let whole = path.ends_with("bundle");
                let partial = path.to_string_lossy().contains("partial");
                assert!(whole || partial, "{blocks} blocks left {}", path.display());
                if path.is_dir() {
                    assert_eq!(verdict(&path).refusals.is_empty(), whole, "{}", path.display());
                    fs::remove_dir_all(path).unwrap();
                } else {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        assert!(refused > 2, "{refused} limits were too small");
    }

    #[test]
    fn a_full_device_is_told() {
        if !Path::new("/dev/full").exists() {
            skip("/dev/full", &std::io::ErrorKind::NotFound.into());
            return;
        }
        let here = worked_example();
        for args in [&["scan", "--output", "/dev/full", "logs"][..], &["scan", "logs"]] {
            let ran = shell(here.path(), "exec >/dev/full;", args);
            assert_eq!(ran.code, 2, "{}", ran.err);
            assert!(ran.err.contains("cannot be written"), "{}", ran.err);
        }
        assert!(Path::new("/dev/full").exists(), "a device is not replaced by a file");
    }

    #[test]
    fn a_folder_that_takes_nothing_is_told_before_anything_is_read() {
        let here = worked_example();
        let here = here.path();
        let closed = here.join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        let mut folders = vec!["closed"];
        if fs::write(closed.join("try"), "").is_ok() {
            // The superuser writes everywhere, but not there.
            folders = vec!["/proc"];
        }
        for folder in folders.into_iter().filter(|folder| here.join(folder).exists()) {
            let (report, bundle) = (format!("{folder}/r.txt"), format!("{folder}/bundle"));
            for flags in [["--output", &report], ["--evidence", &bundle]] {
                let ran = run(here, &["scan", flags[0], flags[1], "logs"], b"");
                assert_eq!(ran.code, 2, "{flags:?} {}{}", ran.out, ran.err);
                assert!(
                    ran.err.contains(&format!("{}: cannot be written", flags[1])),
                    "{}",
                    ran.err
                );
            }
        }
    }
}
