#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{fs, io::Write as _, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

/// A directory with the given files, each holding its own name.
fn tree(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    dir
}

/// The display names below `root`, and the failures likewise.
fn found(root: &Path, paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
    let found = discover(&paths);
    let prefix = format!("{}/", shown::path(root));
    let below = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
    (
        found.inputs.iter().map(|input| below(&input.display)).collect(),
        found.failures.iter().map(|(name, _)| below(name)).collect(),
    )
}

fn zip(path: &Path, members: &[(&str, &[u8])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, content) in members {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
    }
    zip.finish().unwrap();
}

#[test]
fn directories_are_walked_whole_and_sorted() {
    let dir = tree(&["b/u_ex2.log", "b/u_ex10.log", "a.log", "b/.hidden", "b/c/empty/deep.log"]);
    fs::create_dir(dir.path().join("b/nothing")).unwrap();
    let (names, failures) = found(dir.path(), &["b", "a.log"]);
    assert_eq!(names, ["a.log", "b/.hidden", "b/c/empty/deep.log", "b/u_ex10.log", "b/u_ex2.log"]);
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn overlapping_arguments_list_a_file_once_in_any_order() {
    let dir = tree(&["logs/EX01/a.log", "logs/b.log"]);
    let once = ["logs/EX01/a.log", "logs/b.log"];
    for paths in [
        ["logs", "logs/EX01", "logs/EX01/a.log"],
        ["logs/EX01/a.log", "logs/EX01", "logs"],
        ["logs", "logs", "logs/b.log"],
    ] {
        assert_eq!(
            found(dir.path(), &paths),
            (once.map(String::from).to_vec(), vec![]),
            "{paths:?}"
        );
    }
}

#[test]
fn places_that_lead_nowhere_are_named() {
    let dir = tree(&["a.log"]);
    fs::create_dir_all(dir.path().join("empty/inner")).unwrap();
    let paths = ["a.log", "missing", "empty", "*.txt"].map(|path| dir.path().join(path));
    let found = discover(&paths);
    assert_eq!(found.inputs.len(), 1);
    let messages: Vec<String> = found.failures.iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(messages.len(), 3);
    if cfg!(windows) {
        assert!(
            messages[0].contains("*.txt: found no file or directory that matches"),
            "{messages:?}"
        );
        assert!(matches!(found.failures[0].1, DiscoverError::NoMatch { .. }));
    } else {
        assert!(messages[0].contains("*.txt: found nothing of this name"), "{messages:?}");
        assert!(messages[0].contains("unquoted"), "a pattern gets a hint: {messages:?}");
        assert!(matches!(found.failures[0].1, DiscoverError::Missing { .. }));
    }
    assert!(messages[1].contains("empty: found an empty directory"), "{messages:?}");
    assert!(messages[2].contains("missing: found nothing of this name"), "{messages:?}");
}

#[test]
fn standard_input_is_listed_once() {
    let found = discover(&["-".into(), "-".into()]);
    assert_eq!(found.inputs, [Input { display: "-".into(), origin: Origin::Stdin, size: None }]);
    assert!(found.inputs[0].components().is_empty());
}

#[cfg(unix)]
mod links {
    use std::os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _, fs::symlink};

    use super::*;

    #[test]
    fn are_followed_but_not_in_loops() {
        let dir = tree(&["logs/a.log", "elsewhere/b.log", "elsewhere/c.log"]);
        let at = |path: &str| dir.path().join(path);
        symlink(at("logs"), at("logs/loop")).unwrap();
        symlink(at("elsewhere"), at("logs/other")).unwrap();
        symlink(at("logs"), at("elsewhere/back")).unwrap();
        symlink(at("logs/a.log"), at("logs/0-same.log")).unwrap();
        symlink("self", at("logs/self")).unwrap();
        symlink("gone", at("logs/dead")).unwrap();
        let (names, failures) = found(dir.path(), &["logs"]);
        assert_eq!(names, ["logs/a.log", "logs/other/b.log", "logs/other/c.log"]);
        assert_eq!(failures, ["logs/dead", "logs/self"]);
    }

    #[test]
    fn stay_linear_when_they_cross() {
        let dir = tree(&["d0/x.log"]);
        for i in 0..30 {
            let from = dir.path().join(format!("d{i}"));
            let to = dir.path().join(format!("d{}", i + 1));
            fs::create_dir_all(&from).unwrap();
            fs::create_dir_all(&to).unwrap();
            symlink(&to, from.join("l")).unwrap();
            symlink(&to, from.join("r")).unwrap();
        }
        fs::write(dir.path().join("d30/last.log"), "x").unwrap();
        let (names, failures) = found(dir.path(), &["d0"]);
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(failures.is_empty());
    }

    #[test]
    fn named_by_the_user_are_followed() {
        let dir = tree(&["real/a.log"]);
        fs::create_dir(dir.path().join("void")).unwrap();
        symlink(dir.path().join("real"), dir.path().join("link")).unwrap();
        symlink(dir.path().join("void"), dir.path().join("to-void")).unwrap();
        assert_eq!(found(dir.path(), &["link"]).0, ["link/a.log"]);
        assert_eq!(found(dir.path(), &["link", "real"]).0, ["real/a.log"]);
        assert_eq!(found(dir.path(), &["to-void"]).1, ["to-void"]);
    }

    #[test]
    fn hard_links_are_files_of_their_own() {
        let dir = tree(&["a.log"]);
        fs::hard_link(dir.path().join("a.log"), dir.path().join("b.log")).unwrap();
        let found = discover(&[dir.path().to_path_buf()]);
        assert_eq!(found.inputs.len(), 2);
    }

    #[test]
    fn names_that_are_not_utf8_stay_apart() {
        let dir = tempfile::tempdir().unwrap();
        for name in [&b"a\xff.log"[..], b"a\xfe.log"] {
            fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        let root = dir.path().to_path_buf();
        let (names, _) = found(&root.clone(), &[""]);
        let names: Vec<_> = names.iter().map(|name| name.trim_start_matches('/')).collect();
        assert_eq!(names, ["a\\xfe.log", "a\\xff.log"]);
        assert!(discover(&[root]).inputs.iter().all(|input| match &input.origin {
            Origin::File(path) => path.exists(),
            _ => false,
        }));
    }

    #[test]
    fn sockets_and_closed_directories_are_failures() {
        let dir = tree(&["open/a.log", "closed/b.log"]);
        let _socket =
            std::os::unix::net::UnixListener::bind(dir.path().join("open/socket")).unwrap();
        let closed = dir.path().join("closed");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        let readable = fs::read_dir(&closed).is_ok();
        let (names, failures) = found(dir.path(), &["open", "closed"]);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        if readable {
            // The superuser may list everything.
            assert_eq!(names, ["closed/b.log", "open/a.log"]);
            assert_eq!(failures, ["open/socket"]);
        } else {
            assert_eq!(names, ["open/a.log"]);
            assert_eq!(failures, ["closed", "open/socket"]);
        }
    }
}

#[test]
fn zip_archives_are_listed_by_member() {
    let dir = tree(&["logs/EX01/plain.log"]);
    zip(
        &dir.path().join("logs/EX01/old.dat"),
        &[
            ("W3SVC2/", b""),
            ("W3SVC2/u_ex.log", b"two"),
            ("W3SVC1\\u_ex.log", b"one"),
            ("top.log", b"top"),
        ],
    );
    let found = discover(&[dir.path().join("logs")]);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    let below = |input: &Input| input.display.rsplit_once("/logs/").unwrap().1.to_owned();
    let names: Vec<String> = found.inputs.iter().map(below).collect();
    assert_eq!(
        names,
        [
            "EX01/old.dat!W3SVC1/u_ex.log",
            "EX01/old.dat!W3SVC2/u_ex.log",
            "EX01/old.dat!top.log",
            "EX01/plain.log"
        ]
    );
    let tail =
        |i: usize| found.inputs[i].components().split_off(found.inputs[3].components().len() - 2);
    assert_eq!(tail(0), ["logs", "EX01", "W3SVC1"]);
    assert_eq!(tail(2), ["logs", "EX01"]);
    assert_eq!(tail(3), ["logs", "EX01"]);
    assert_eq!(found.inputs[1].size, Some(3));
}

#[test]
fn what_is_wrong_with_a_zip_archive_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    zip(&at("good.zip"), &[("a.log", b"text of a"), ("b.log", b"text of b")]);
    let good = fs::read(at("good.zip")).unwrap();
    let central = good.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();

    fs::write(at("cut.zip"), &good[..central]).unwrap();
    zip(&at("empty.zip"), &[]);
    let mut encrypted = good.clone();
    encrypted[central + 8] |= 1;
    fs::write(at("encrypted.zip"), &encrypted).unwrap();
    let mut method = good.clone();
    method[central + 10] = 9;
    fs::write(at("method.zip"), &method).unwrap();
    let second =
        central + 4 + good[central + 4..].windows(4).position(|b| b == b"PK\x01\x02").unwrap();
    let mut overlap = good.clone();
    overlap.copy_within(central + 42..central + 46, second + 42);
    fs::write(at("overlap.zip"), &overlap).unwrap();
    let mut same = good.clone();
    same[second + 46] = b'a';
    fs::write(at("same.zip"), &same).unwrap();
    let mut astray = good.clone();
    astray[second + 42] ^= 1;
    fs::write(at("astray.zip"), &astray).unwrap();

    let kinds: Vec<(String, String)> = discover(&[dir.path().to_path_buf()])
        .failures
        .into_iter()
        .map(|(name, error)| {
            assert!(error.to_string().starts_with(&name), "{error}");
            let kind = format!("{error:?}").split(' ').next().unwrap().to_owned();
            (name.rsplit('/').next().unwrap().to_owned(), kind)
        })
        .collect();
    let expected = [
        ("astray.zip!b.log", "DamagedMember"),
        ("cut.zip", "Archive"),
        ("empty.zip", "EmptyArchive"),
        ("encrypted.zip!a.log", "Encrypted"),
        ("method.zip!a.log", "Method"),
        ("overlap.zip", "Overlap"),
        ("same.zip", "SameNames"),
    ];
    assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
}

#[test]
fn patterns_expand_within_their_components() {
    let dir = tree(&[
        "EX01/u_ex1.log",
        "EX01/U_EX2.LOG",
        "EX02/u_ex1.log",
        "EX02/sub/u_ex1.log",
        "a[1].log",
    ]);
    let expanded = |tail: &str| -> Vec<String> {
        let root = shown::path(dir.path());
        glob::expand(&format!("{root}/{tail}")).map_or_else(
            |error| vec![error.to_string()],
            |found| {
                found
                    .iter()
                    .map(|path| shown::path(path.strip_prefix(dir.path()).unwrap()))
                    .collect()
            },
        )
    };
    assert_eq!(expanded("EX01/*.log"), ["EX01/U_EX2.LOG", "EX01/u_ex1.log"]);
    assert_eq!(expanded("EX0?"), ["EX01", "EX02"]);
    assert_eq!(expanded("*/u_ex?.log").len(), 3);
    assert_eq!(expanded("**/u_ex1.log").len(), 3);
    assert_eq!(expanded("*[1].log"), ["a[1].log"]);
    assert!(expanded("*.txt")[0].contains("found no file or directory that matches"));
    assert!(expanded("nowhere/*.txt")[0].contains("found no file or directory that matches"));
    assert!(glob::is_pattern("logs/*.log"));
    assert!(!glob::is_pattern("//?/C:/logs/u_ex.log"));
}

#[test]
fn components_leave_out_what_names_no_folder() {
    let of = |display: &str| Input {
        display: display.into(),
        origin: Origin::File(display.into()),
        size: None,
    };
    assert_eq!(of("C:/inetpub/logs/u_ex.log").components(), ["inetpub", "logs"]);
    assert_eq!(of("//FILER/share/EX01/u_ex.log").components(), ["FILER", "share", "EX01"]);
    assert_eq!(of("../u_ex.log").components(), Vec::<&str>::new());
}

proptest! {
    /// Whatever subset of places is named, in any order: the files under them, sorted, each once.
    #[test]
    fn the_union_of_arguments_is_listed(picked in proptest::collection::vec(0..6_usize, 1..6)) {
        let places = ["x", "x/y", "x/y/1.log", "x/2.log", "z", "z/3.log"];
        let files = ["x/2.log", "x/y/1.log", "z/3.log"];
        let dir = tree(&files);
        let picked: Vec<&str> = picked.into_iter().map(|i| places[i]).collect();
        let expected: Vec<&str> = files
            .into_iter()
            .filter(|file| picked.iter().any(|place| Path::new(file).starts_with(place)))
            .collect();
        prop_assert_eq!(found(dir.path(), &picked).0, expected);
    }
}
