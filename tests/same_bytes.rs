//! The report depends on the inputs and the configuration, on nothing else.

use std::path::PathBuf;

use ::calproof::census;
use ::calproof::config::Config;
use ::calproof::discover::discover;
use ::calproof::facts::usage::Period;
use ::calproof::ingest::{Quiet, Reading, ingest};
use ::calproof::report;
use ::calproof::rules::RulePack;
use ::calproof::source::{MmapChoice, ReadOptions};

use crate::calproof::{folder, owa, run};

fn logs() -> tempfile::TempDir {
    let people: Vec<String> = (0..90).map(|n| format!("CONTOSO\\user{:02}", n % 31)).collect();
    let names: Vec<&str> = people.iter().map(String::as_str).collect();
    let (one, two) = (owa(&names[..60]), owa(&names[30..]));
    let torn = format!("{}2010-03-01 07:00:00 too short\n", owa(&names[..7]));
    folder(&[
        ("a/EX01/u_ex100301.log", one.as_bytes()),
        ("a/EX02/u_ex100301.log", two.as_bytes()),
        ("b/torn.log", torn.as_bytes()),
        ("b/copy.log", one.as_bytes()),
    ])
}

#[test]
fn for_any_number_of_threads_and_order_of_arguments() {
    let logs = logs();
    for form in ["json", "csv", "table"] {
        let reports: Vec<String> = [
            ["-j", "1", "a", "b"],
            ["-j", "2", "b", "a"],
            ["-j", "8", "a", "b"],
            ["--mmap", "never", "b", "a"],
            ["--mmap", "always", "a", "b"],
        ]
        .into_iter()
        .map(|args| {
            let args: Vec<&str> = ["scan", "--format", form].into_iter().chain(args).collect();
            let ran = run(logs.path(), &args, b"");
            assert_eq!(ran.code, 1, "{}", ran.err);
            ran.out
        })
        .collect();
        assert!(reports[0].len() > 500, "{}", reports[0]);
        for report in &reports {
            assert_eq!(*report, reports[0]);
        }
    }
}

#[test]
fn for_any_cut_into_segments_and_blocks() {
    let logs = logs();
    let paths: Vec<PathBuf> = vec![logs.path().to_owned()];
    let packs = RulePack::builtin().unwrap();
    let report = |segment_len: usize, mmap: MmapChoice| {
        let options = ReadOptions { mmap, block_len: segment_len, ..ReadOptions::default() };
        let reading = Reading { options, segment_len, ..Reading::default() };
        let read = ingest(&discover(&paths).inputs, &reading, &Quiet);
        let (config, period) = (Config::default(), Period::default());
        let census = census::take(
            read.usage,
            read.inputs,
            &census::Question {
                config: &config,
                packs: &packs,
                period: &period,
                scope: &reading.scope,
                directory: None,
                detail: census::Detail::Full,
            },
        )
        .unwrap();
        let mut out = Vec::new();
        report::json(&census, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let whole = report(1 << 20, MmapChoice::Always);
    assert!(whole.contains("contoso\\\\user07"), "{whole}");
    for segment_len in [1, 100, 257, 4096] {
        for mmap in [MmapChoice::Always, MmapChoice::Never] {
            assert_eq!(report(segment_len, mmap), whole, "{segment_len} {mmap:?}");
        }
    }
}

/// Maps wait for their SHA-256 until there are many, where the processor can take them together; what
/// comes as a stream takes its own.
#[test]
fn for_digests_of_many_logs_at_a_time() {
    use sha2::{Digest as _, Sha256};

    let people: Vec<String> = (0..300).map(|n| format!("CONTOSO\\user{n:03}")).collect();
    let names: Vec<&str> = people.iter().map(String::as_str).collect();
    // Each longer than the one before, which it begins with; some of them there twice.
    let contents: Vec<String> = (0..40).map(|n| owa(&names[n / 3 * 2..n * 7 + 1])).collect();
    let paths: Vec<String> = (0..40).map(|n| format!("EX{}/u_{n:02}.log", n % 3)).collect();
    let mut files: Vec<(&str, &[u8])> =
        paths.iter().zip(&contents).map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
    files.extend([("copy/a.log", contents[7].as_bytes()), ("copy/b.log", contents[39].as_bytes())]);
    let logs = folder(&files);
    let reports: Vec<String> = ["always", "never"]
        .into_iter()
        .flat_map(|mmap| [(mmap, "1"), (mmap, "4")])
        .map(|(mmap, threads)| {
            let args = ["scan", "--format", "json", "--digest", "sha256", "--mmap", mmap];
            let ran = run(logs.path(), &[&args[..], &["-j", threads, "."]].concat(), b"");
            assert_eq!(ran.code, 0, "{}", ran.err);
            ran.out
        })
        .collect();
    for text in &contents {
        let digest: String = Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect();
        assert!(reports[0].contains(&format!("\"sha256:{digest}\"")), "{digest}");
    }
    for report in &reports {
        assert_eq!(*report, reports[0]);
    }
}
