//! An auditor's list beside the worked example.

use super::*;
use crate::census::{Accounts, Replay};

fn replay(csv: &str, config: &Config) -> Replay {
    let accounts = Accounts::parse("all.csv", csv.as_bytes()).unwrap();
    let wanted = Comparisons { accounts: Some(&accounts), ..Comparisons::default() };
    taken(&[sample("worked-example/logs")], config, &wanted).unwrap().replay.unwrap()
}

fn config() -> Config {
    Config::load(&sample("worked-example/calproof.toml")).unwrap()
}

fn not_counted(replay: &Replay) -> Vec<(&str, String, bool)> {
    let of = |n: &'_ crate::census::NotCounted| (n.reasons.join(","), n.last.is_some());
    replay.not_counted.iter().map(|n| (n.account.as_str(), of(n).0, of(n).1)).collect()
}

#[test]
fn every_name_that_differs_is_named_with_its_reason() {
    let csv = "Name,SamAccountName,UserPrincipalName\n\
               Anna,anna,anna@contoso.com\nBen,ben,\nMallory,mallory,\nRoot,adm1,\nZoe,zoe,zoe@contoso.com\n,,\n";
    let replay = replay(csv, &config());
    assert_eq!((replay.accounts, replay.nameless, replay.people), (5, 1, 5));
    assert_eq!((replay.accounts_of_counted, replay.covered_days), (2, 3));
    assert_eq!(
        not_counted(&replay),
        [
            ("adm1", "administration".to_owned(), true),
            ("mallory", "failed-logon".to_owned(), true),
            ("zoe", "never-seen".to_owned(), false),
        ]
    );
    let ours: Vec<&str> = replay.not_listed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ours, ["contoso\\adm3", "contoso\\cem", "contoso\\dora"]);
}

#[test]
fn two_accounts_of_one_person_are_two_accounts() {
    let replay = replay("mail;name\r\nanna@contoso.com;x\r\nCONTOSO\\Anna;y\r\n", &config());
    assert_eq!((replay.accounts, replay.accounts_of_counted, replay.people), (2, 2, 5));
    assert_eq!(replay.not_listed.len(), 4);
}

#[test]
fn a_bare_name_that_several_people_have_is_taken_for_none_of_them() {
    let mut config = config();
    config.organization.realms.clear();
    let replay = replay("SamAccountName\nanna\nben\n", &config);
    assert_eq!(not_counted(&replay), [("anna", "ambiguous".to_owned(), false)]);
    assert_eq!(replay.accounts_of_counted, 1);
}

#[test]
fn the_last_sight_may_lie_outside_the_period() {
    let accounts = Accounts::parse("all.csv", b"SamAccountName\nben\n").unwrap();
    let found = discover(&[sample("worked-example/logs")]);
    let period = Period { from: calproof_parsers::time::iso_date(b"2010-03-02"), to: None };
    let reading = Reading { period, ..Reading::default() };
    let read = ingest(&found.inputs, &reading, &Quiet);
    let packs = RulePack::builtin().unwrap();
    let config = config();
    let question = Question {
        config: &config,
        packs: &packs,
        period: &period,
        scope: &reading.scope,
        directory: None,
        detail: Detail::Report,
    };
    let wanted = Comparisons { accounts: Some(&accounts), ..Comparisons::default() };
    let census = take_and_compare(read.usage, read.inputs, &question, &wanted).unwrap();
    let replay = census.replay.unwrap();
    assert_eq!(not_counted(&replay), [("ben", "outside-period".to_owned(), true)]);
}

#[test]
fn lists_come_in_several_encodings() {
    let utf16: Vec<u8> =
        "\u{feff}#TYPE y\r\n\"SamAccountName\"\t\"mail\"\r\n\"m\u{fc}ller\"\t\"\"\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
    assert_eq!(Accounts::parse("a", &utf16).unwrap().len(), 1);
    assert_eq!(Accounts::parse("a", b"\xEF\xBB\xBFmail\na@contoso.com\n").unwrap().len(), 1);
    assert_eq!(Accounts::parse("a", b"alias\nm\xFCller\n").unwrap().len(), 1);
    let error = Accounts::parse("a.csv", b"#TYPE z\nid,city\n1,x\n").unwrap_err().to_string();
    assert!(error.starts_with("a.csv:2: found the columns id, city"), "{error}");
    let error = Accounts::parse("a.csv", b"mail,name\nx\n").unwrap_err().to_string();
    assert!(error.contains("as many fields as the header"), "{error}");
}
