//! Arguments, messages, exit codes and outputs.

use std::fs;
use std::io::Write as _;

use crate::calproof::{Ran, folder, owa, run};

fn gz(content: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

fn log() -> Vec<u8> {
    owa(&["CONTOSO\\anna", "CONTOSO\\ben"]).into_bytes()
}

#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "", "a run that is not done prints no report");
    for word in words {
        assert!(ran.err.contains(word), "`{word}` is not in:\n{}", ran.err);
    }
}

#[test]
fn help_and_version_are_no_failure() {
    let here = folder(&[]);
    for args in [
        &["--help"][..],
        &["scan", "--help"],
        &["-V"],
        &["formats", "--help"],
        &["rules", "--help"],
    ] {
        let ran = run(here.path(), args, b"");
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("calproof"));
        assert_eq!(ran.err, "");
    }
    let help = run(here.path(), &["scan", "--help"], b"").out;
    for later in ["--html", "--xlsx", "--ledger", "--facts"] {
        assert!(!help.contains(later), "{later} is offered but does nothing yet");
    }
    assert!(help.contains("Examples:"));
}

#[test]
fn arguments_that_cannot_be_are_refused() {
    let here = folder(&[("a.log", &log())]);
    let run = |args: &[&str]| run(here.path(), args, b"");
    refused(&run(&["scan"]), &["PATH"]);
    refused(&run(&[]), &["Usage"]);
    refused(&run(&["scan", "-j", "0", "a.log"]), &["0", "from 1 to 1024"]);
    refused(&run(&["scan", "--from", "2010-02-30", "a.log"]), &["2010-02-30", "YYYY-MM-DD"]);
    refused(
        &run(&["scan", "--from", "2010-03-02", "--to", "2010-03-01", "a.log"]),
        &["ends before it begins"],
    );
    refused(&run(&["scan", "--format", "xml", "a.log"]), &["xml", "table", "json", "csv"]);
    refused(&run(&["scan", "--output", ".", "a.log"]), &["found a directory"]);
    refused(&run(&["scan", "--output", "no/where.json", "a.log"]), &["no directory around it"]);
    refused(&run(&["scan", "--output", "a.log", "a.log"]), &["one of the files to be read"]);
    assert_eq!(fs::read(here.path().join("a.log")).unwrap(), log());
    refused(&run(&["formats", "iis"]), &["`iis`", "`iis-w3c`"]);
    refused(&run(&["rules", "show", "exchange-2011"]), &["exchange-2011", "exchange-2010"]);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let here =
        folder(&[("a.log", &log()), ("torn.gz", &gz(&owa(&["X\\y"; 9000]).into_bytes())[..900])]);
    fs::create_dir(here.path().join("empty")).unwrap();
    let run = |args: &[&str]| run(here.path(), args, b"");
    let missing = run(&["scan", "a.log", "missing.log"]);
    assert_eq!(missing.code, 1, "{}", missing.err);
    assert!(missing.out.contains("missing.log: found nothing of this name"), "{}", missing.out);
    assert!(missing.out.contains("FLOOR"));
    let torn = run(&["scan", "a.log", "torn.gz"]);
    assert_eq!(torn.code, 1);
    assert!(torn.out.contains("torn.gz: found"), "{}", torn.out);
    refused(&run(&["scan", "missing.log"]), &["nothing was read", "missing.log"]);
    refused(&run(&["scan", "empty"]), &["empty directory"]);
    let json = run(&["scan", "--format", "json", "a.log", "missing.log"]);
    assert_eq!(json.code, 1);
    assert!(json.err.contains("unreadable: missing.log"), "{}", json.err);
    assert!(json.out.contains("\"code\": \"unreadable\""));
    let quiet = run(&["scan", "-q", "--format", "json", "a.log", "missing.log"]);
    assert_eq!((quiet.err.as_str(), quiet.out), ("", json.out));
}

#[test]
fn a_file_of_which_nothing_can_be_read_is_no_report_of_zero() {
    let here = folder(&[("bad.gz", b"\x1f\x8b\x08\x00garbage that is no deflate stream")]);
    refused(&run(here.path(), &["scan", "bad.gz"], b""), &["bad.gz", "expected an intact gzip"]);
}

#[test]
fn standard_input_and_compressed_logs_are_read() {
    let here = folder(&[("a.log.gz", &gz(&log()))]);
    let people = |ran: Ran| {
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran.out.lines().skip(1).map(|l| l.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let expected = ["\"contoso\\anna\"", "\"contoso\\ben\""];
    assert_eq!(people(run(here.path(), &["scan", "--format", "csv", "-"], &log())), expected);
    assert_eq!(people(run(here.path(), &["scan", "--format", "csv", "a.log.gz"], b"")), expected);
}

#[test]
fn a_binary_file_is_named_and_harms_nothing() {
    let binary: Vec<u8> = (0..40_000u32).map(|n| ((n * 7919) >> 3) as u8).collect();
    let here = folder(&[("photo.jpg", &binary)]);
    let ran = run(here.path(), &["scan", "."], b"");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("no access log     1: ./photo.jpg"), "{}", ran.out);
    assert!(ran.out.contains("No CAL: no access that counts was seen"));
}

#[test]
fn a_very_long_line_is_rejected_and_the_next_is_read() {
    let mut long = owa(&["CONTOSO\\anna"]).into_bytes();
    long.extend(std::iter::repeat_n(b'x', 9 << 20));
    long.extend(b"\r\n");
    long.extend(owa(&["CONTOSO\\ben"]).into_bytes());
    let here = folder(&[("long.log", &long)]);
    for mmap in ["always", "never"] {
        let ran = run(here.path(), &["scan", "--format", "csv", "--mmap", mmap, "long.log"], b"");
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.out.contains("contoso\\ben"), "{}", ran.out);
        assert!(ran.err.contains("1 rejected-lines: long.log:4"), "{}", ran.err);
    }
}

#[test]
fn the_configuration_is_read_where_it_stands() {
    let realms = b"[organization]\nname = 'Contoso'\nrealms = { CONTOSO = 'contoso.com' }\n";
    let log = owa(&["CONTOSO\\anna", "anna@contoso.com"]).into_bytes();
    let here = folder(&[
        ("a.log", &log),
        ("calproof.toml", realms),
        ("typo.toml", b"[organization]\nrealm = {}\n"),
        ("version.toml", b"[[server]]\nname = 'EX01'\nproduct = 'exchange'\nversion = '2011'\n"),
        ("pack.toml", b"[rules]\npacks = ['exchange-2011']\n"),
        ("price.toml", b"[prices]\n'exchange.standard.user' = 85.0\n"),
        ("wrong-price.toml", b"[prices]\n'exchange.standart.user' = 85.0\n"),
        ("elsewhere/a.log", &log),
    ]);
    let run = |args: &[&str]| run(here.path(), args, b"");
    let one = run(&["scan", "--format", "csv", "a.log"]);
    assert_eq!(one.out.lines().count(), 2, "{}", one.out);
    let typo = run(&["scan", "--config", "typo.toml", "a.log"]);
    refused(&typo, &["typo.toml:2: unknown key `realm`; did you mean `realms`?"]);
    refused(&run(&["scan", "--config", "none.toml", "a.log"]), &["none.toml: cannot be read"]);
    refused(&run(&["scan", "--config", "version.toml", "a.log"]), &["EX01", "2011", "2010, 2013"]);
    refused(&run(&["scan", "--config", "pack.toml", "a.log"]), &["exchange-2011"]);
    let price = run(&["scan", "--config", "price.toml", "a.log"]);
    assert!(price.out.contains("PURCHASE PLAN"), "{}", price.out);
    assert!(price.out.contains("2  Exchange Standard, user CAL  85.00  170.00"), "{}", price.out);
    let wrong = run(&["scan", "--config", "wrong-price.toml", "a.log"]);
    refused(&wrong, &["exchange.standart.user", "expected one of standard, enterprise, plus"]);
}

#[test]
fn a_list_of_accounts_stands_beside_the_count() {
    let here = folder(&[
        ("a.log", &log()),
        ("all.csv", b"SamAccountName\nanna\nzoe\n"),
        ("wrong.csv", b"id\n1\n"),
    ]);
    let run = |args: &[&str]| run(here.path(), args, b"");
    let ran = run(&["scan", "--compare", "all.csv", "--sensitivity", "a.log"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("2 accounts, 1 of counted people"), "{}", ran.out);
    assert!(ran.out.contains("1 account never seen in 1 covered day: zoe"), "{}", ran.out);
    assert!(ran.out.contains("1 person: contoso\\ben (last 2010-03-01)"), "{}", ran.out);
    assert!(ran.out.contains("SENSITIVITY"), "{}", ran.out);
    refused(
        &run(&["scan", "--compare", "wrong.csv", "a.log"]),
        &["wrong.csv:1", "found the columns id"],
    );
    refused(&run(&["scan", "--compare", "none.csv", "a.log"]), &["none.csv: cannot be read"]);
    let over = run(&["scan", "--compare", "all.csv", "--output", "all.csv", "a.log"]);
    refused(&over, &["all.csv"]);
    assert_eq!(fs::read(here.path().join("all.csv")).unwrap(), b"SamAccountName\nanna\nzoe\n");
}

#[test]
fn log_text_cannot_drive_a_terminal_or_a_spreadsheet() {
    let names = ["eve\u{1b}[2J\u{1b}]0;owned\u{7}", "=HYPERLINK(1)", "@SUM", "\u{202e}nimda"];
    let here = folder(&[("a.log", owa(&names).as_bytes())]);
    for form in ["table", "json", "csv"] {
        let ran = run(here.path(), &["scan", "--color", "never", "--format", form, "a.log"], b"");
        assert!(!ran.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{}", ran.out);
        assert!(ran.out.contains("eve"), "{}", ran.out);
    }
    let csv = run(here.path(), &["scan", "--format", "csv", "a.log"], b"").out;
    assert!(csv.contains("\"'=hyperlink(1)\""), "{csv}");
    for line in csv.lines() {
        assert!(!line.split(',').any(|c| c.trim_matches('"').starts_with(['=', '@'])), "{line}");
    }
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let here = folder(&[("a.log", &log())]);
    let scan = |color: &str| run(here.path(), &["scan", "--color", color, "a.log"], b"").out;
    assert!(scan("always").contains("\u{1b}[1m"));
    assert!(!scan("auto").contains('\u{1b}'), "standard output is no terminal here");
    assert!(!scan("never").contains('\u{1b}'));
}

#[test]
fn an_output_file_is_the_report_and_nothing_stays_beside_it() {
    let here = folder(&[("a.log", &log())]);
    let args = ["scan", "--format", "json", "a.log"];
    let printed = run(here.path(), &args, b"");
    assert_eq!((printed.code, printed.err.as_str()), (0, ""), "{}", printed.err);
    let written = run(here.path(), &[&args[..], &["--output", "report.json"]].concat(), b"");
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{}", written.err);
    assert_eq!(fs::read_to_string(here.path().join("report.json")).unwrap(), printed.out);
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
}

#[test]
fn the_period_takes_whole_days() {
    let here = folder(&[("a.log", &log())]);
    let rows = |from: &str, to: &str| {
        let args = ["scan", "--format", "csv", "--from", from, "--to", to, "a.log"];
        run(here.path(), &args, b"").out.lines().count() - 1
    };
    assert_eq!(rows("2010-03-01", "2010-03-01"), 2);
    assert_eq!(rows("2010-03-02", "2010-03-02"), 0);
}

#[test]
fn init_writes_a_configuration_that_scan_takes() {
    let here = folder(&[("a.log", &log())]);
    assert_eq!(run(here.path(), &["init"], b"").code, 0);
    assert_eq!(run(here.path(), &["scan", "a.log"], b"").code, 0);
    refused(&run(here.path(), &["init"], b""), &["calproof.toml", "--force"]);
    assert_eq!(run(here.path(), &["init", "--force"], b"").code, 0);
    let shown = run(here.path(), &["init", "--output", "-"], b"").out;
    assert_eq!(fs::read_to_string(here.path().join("calproof.toml")).unwrap(), shown);
}

#[test]
fn formats_and_rules_tell_about_themselves() {
    let here = folder(&[("mine.toml", b"id = 'x'\n")]);
    let run = |args: &[&str]| run(here.path(), args, b"");
    assert!(run(&["formats"]).out.contains("iis-w3c"));
    assert!(run(&["formats", "IIS-W3C"]).out.contains("cs-username"));
    assert!(run(&["rules", "list"]).out.contains("exchange-2010"));
    assert!(run(&["rules", "show", "exchange-2010"]).out.contains("S-EX"));
    let checked = run(&["rules", "check", "mine.toml"]);
    assert_eq!(checked.code, 1);
    assert!(checked.out.contains("refused: mine.toml"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::{Command, Stdio};
    let names: Vec<String> = (0..5000).map(|n| format!("CONTOSO\\user{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let here = folder(&[("a.log", owa(&names).as_bytes())]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_calproof"))
        .args(["scan", "--format", "json", "a.log"])
        .current_dir(here.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_cause_is_told_once() {
    let here = folder(&[("u.log", &log())]);
    let ran = run(here.path(), &["scan", "-q", "--compare", "nowhere.csv", "u.log"], b"");
    refused(&ran, &["nowhere.csv"]);
    let cause = "os error";
    assert_eq!(ran.err.matches(cause).count(), 1, "{}", ran.err);
}
