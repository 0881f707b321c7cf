//! Packs as text: lists, verdicts, the reference.

use std::path::PathBuf;

use super::super::{read::one_line, *};
use super::{SMALL, packs};
use crate::shown;

#[test]
fn output_fits_eighty_columns() {
    let packs = packs();
    let mut out = Vec::new();
    list(&packs, &mut out).unwrap();
    let listed = String::from_utf8(out).unwrap();
    assert_eq!(listed.lines().count(), 1 + packs.len());
    assert!(listed.contains("\nwindows-server-2008  windows     2008 to 2012-r2"), "{listed}");
    let mut text = listed;
    for pack in &packs {
        let mut out = Vec::new();
        show(&packs, &pack.id, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        for rule in &pack.rules {
            let heading = format!("\nrule {}: requires {}", rule.id, rule.requires);
            assert!(shown.contains(&heading), "{heading}");
        }
        assert!(shown.contains(pack.sha256()));
        text.push_str(&shown);
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
    }
    let error = show(&packs, "exchange-1999", &mut Vec::new()).unwrap_err().to_string();
    assert!(error.starts_with("rules show: found rule pack `exchange-1999`, but expected one of"));
}

#[test]
fn check_gives_a_verdict_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let good = write("good.toml", SMALL.as_bytes());
    let bad = write("bad.toml", SMALL.replace("\"owa\"]", "\"owl\"]").as_bytes());
    let latin = write("latin.toml", b"id = \"x\"\ntitle = \"Z\xfcrich\"\n");
    let missing = folder.path().join("missing.toml");
    let verdict = |files: &[PathBuf]| {
        let mut out = Vec::new();
        let good = check(files, &mut out).unwrap();
        (good, one_line(&String::from_utf8(out).unwrap()))
    };
    let (all, text) = verdict(std::slice::from_ref(&good));
    assert!(all && text.contains("small version 2026-01-31, 1 rules, 2 examples run"), "{text}");
    let (all, text) = verdict(&[bad, good.clone(), latin, missing]);
    assert!(!all);
    assert!(text.contains("bad.toml:16: found unknown variant `owl`"), "{text}");
    assert!(text.contains(&one_line(&format!("ok: {}", shown::path(&good)))), "{text}");
    assert!(text.contains("latin.toml:2: found a byte that is not UTF-8 (byte 19)"), "{text}");
    assert!(text.contains("missing.toml: cannot be read:"), "{text}");
}

/// `CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference` writes the file anew.
#[test]
fn the_reference_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = reference(&packs());
    if std::env::var_os("CALPROOF_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file == text,
        "docs/rules.md is out of date: CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference"
    );
}
