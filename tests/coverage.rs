//! Which days the logs cover: the map in the report, the keys in JSON, the file in the bundle.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::calproof::{folder, run};

const FIELDS: &str = "#Software: Microsoft Internet Information Services 7.5\r\n\
                      #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\r\n";
const CONFIG: &str = "[[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\n\
                      [[server]]\nname = 'EX02'\naddresses = ['10.0.0.12']\n";

/// Rows of a day at the given hours, each by another of nine people.
fn rows(day: &str, server: u8, hours: impl Iterator<Item = u32>) -> String {
    hours
        .map(|hour| {
            format!(
                "{day} {hour:02}:10:00 10.0.0.1{server} GET /owa/ - 443 CONTOSO\\u{} 10.1.1.5 200\r\n",
                hour % 9
            )
        })
        .collect()
}

/// Two servers in March 2010: EX01 with a quiet day, a copy that was cut and a copy of the same bytes; EX02
/// without the 3rd, with a clock that goes back on the 5th.
fn march() -> tempfile::TempDir {
    let mut files: Vec<(String, String)> = vec![("calproof.toml".into(), CONFIG.into())];
    for date in 1..=6 {
        let day = format!("2010-03-{date:02}");
        let hours = if date == 2 { 8..18 } else { 0..24 };
        let log = format!("{FIELDS}{}", rows(&day, 1, hours));
        files.push((format!("logs/EX01/W3SVC1/u_ex10030{date}.log"), log.clone()));
        match date {
            4 => {
                let cut = format!("{FIELDS}{}", rows(&day, 1, 5..24));
                files.push(("logs/kept/W3SVC1/u_ex100304.log".into(), cut));
            }
            6 => files.push(("logs/kept/W3SVC1/u_ex100306.log".into(), log)),
            _ => {}
        }
        if date != 3 {
            let back = if date == 5 { 0..20 } else { 0..0 };
            let log = format!("{FIELDS}{}{}", rows(&day, 2, 0..24), rows(&day, 2, back));
            files.push((format!("logs/EX02/W3SVC1/u_ex10030{date}.log"), log));
        }
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    folder(&files)
}

fn report(here: &Path) -> Value {
    let ran = run(here, &["scan", "--format", "json", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn the_map_has_a_row_for_each_series_and_names_what_is_doubled() {
    let here = march();
    let ran = run(here.path(), &["scan", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        "COVERAGE  a character a day, UTC",
        "  2010-03       1",
        "  EX01 iis-w3c  #+#=##",
        "  EX02 iis-w3c  ##.###",
    ] {
        let found = ran.out.lines().any(|l| l.trim_end() == line || l.starts_with(line));
        assert!(found, "`{line}` is not in:\n{}", ran.out);
    }
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "logs/EX01/W3SVC1/u_ex100304.log and logs/kept/W3SVC1/u_ex100304.log (2010-03-04)",
        "counted once 1 input repeats another and adds nothing",
        "logs/EX02/W3SVC1/u_ex100305.log from 2010-03-05 23h to 2010-03-05 00h",
        "Not counted: whoever came only in the gaps. 2 days of series are not complete",
    ] {
        assert!(flat.contains(words), "`{words}` is not in:\n{}", ran.out);
    }
}

#[test]
fn a_long_time_is_folded_to_weeks() {
    let mut files: Vec<(String, String)> = vec![("calproof.toml".into(), CONFIG.into())];
    for year in 2008..2012 {
        for month in 1..=12 {
            let log: String = (1..=28)
                .map(|date| rows(&format!("{year}-{month:02}-{date:02}"), 1, 0..24))
                .collect();
            files
                .push((format!("logs/u_ex{}{month:02}.log", year % 100), format!("{FIELDS}{log}")));
        }
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let here = folder(&files);
    let ran = run(here.path(), &["scan", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("COVERAGE  a character a week"), "{}", ran.out);
    // January 1 to 28 are four whole weeks; the last three days of the month fall into the fifth.
    let row = ran.out.lines().find(|l| l.starts_with("  EX01 iis-w3c  ####-")).unwrap();
    assert_eq!(row.len(), "  EX01 iis-w3c  ".len() + 53, "{row}");
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn json_and_bundle_tell_overlaps_repeats_and_jumps() {
    let here = march();
    let coverage = report(here.path())["coverage"].clone();
    let overlap = json!({
        "inputs": ["logs/EX01/W3SVC1/u_ex100304.log", "logs/kept/W3SVC1/u_ex100304.log"],
        "from": "2010-03-04", "to": "2010-03-04"
    });
    assert_eq!(coverage[0]["overlaps"], json!([overlap]));
    assert_eq!(coverage[0]["repeats"], json!(["logs/kept/W3SVC1/u_ex100306.log"]));
    assert_eq!(coverage[0]["clock_set_back"], json!([]));
    let back = json!({
        "path": "logs/EX02/W3SVC1/u_ex100305.log",
        "from_hour": "2010-03-05T23:00:00Z", "to_hour": "2010-03-05T00:00:00Z"
    });
    assert_eq!(coverage[1]["clock_set_back"], json!([back]));
    let ran = run(here.path(), &["scan", "-o", "r.txt", "--evidence", "b", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let table = fs::read_to_string(here.path().join("b/data/coverage.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "server,format,day,state,overlaps");
    assert_eq!(rows[4], "EX01,iis-w3c,2010-03-04,complete,1");
    assert_eq!(rows[9], "EX02,iis-w3c,2010-03-03,absent,0");
    assert_eq!(rows.len(), 13);
}

/// The order of the files, the cut and the number of threads do not show.
#[test]
fn coverage_is_the_same_for_any_number_of_threads() {
    let here = march();
    let text = |args: &[&str]| run(here.path(), &[&["scan"], args].concat(), b"").out;
    let one = text(&["-j", "1", "logs"]);
    assert_eq!(one, text(&["-j", "8", "--mmap", "never", "logs"]));
}
