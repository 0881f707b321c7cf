//! The worked example of the rules, written out as a log by hand.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use calproof_twin::{Config, Server, Tally, count};
use std::collections::BTreeMap;

const HEADER: &str = "#Software: Microsoft Internet Information Services 7.5\r\n\
#Version: 1.0\r\n\
#Date: 2010-03-01 06:00:00\r\n\
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";

/// Three days of server EX01.
fn log() -> String {
    let firefox = "Mozilla/5.0+(X11;+Linux)+Firefox/3.6";
    let winrm = "Microsoft+WinRM+Client";
    let eas = "User=anna&DeviceId=ApplC39&DeviceType=iPhone&Cmd=Sync";
    let mut rows: Vec<String> = Vec::new();
    let mut row = |day: u32,
                   stem: &str,
                   query: &str,
                   user: &str,
                   ip: &str,
                   agent: &str,
                   status: u32| {
        let second = rows.len();
        rows.push(format!(
            "2010-03-0{day} 07:00:{second:02} 10.0.0.11 GET {stem} {query} 443 {user} {ip} {agent} {status} 0 0 15\r\n"
        ));
    };
    for day in [1, 2, 3] {
        row(
            day,
            "/owa/",
            "-",
            "CONTOSO\\HealthMailbox1234567",
            "127.0.0.1",
            "AMProbe/Local/ClientAccess",
            200,
        );
        if day < 3 {
            row(
                day,
                "/Microsoft-Server-ActiveSync/default.eas",
                eas,
                "CONTOSO\\anna",
                "192.0.2.7",
                "Apple-iPhone/1",
                200,
            );
        }
        let at_kiosk = ["ben", "cem", "dora"][day as usize - 1];
        row(day, "/owa/", "-", &format!("CONTOSO\\{at_kiosk}"), "10.1.9.1", firefox, 200);
        if day == 1 {
            let bad = "&LogoffReason=NoCookiesGetOrE14AuthPost";
            row(1, "/owa/auth.owa", bad, "CONTOSO\\mallory", "203.0.113.9", firefox, 302);
            for (admin, events) in [("adm1", 9), ("adm2", 5), ("adm3", 2)] {
                for _ in 0..events {
                    row(
                        1,
                        "/PowerShell/",
                        "-",
                        &format!("CONTOSO\\{admin}"),
                        "10.1.0.2",
                        winrm,
                        200,
                    );
                }
            }
            row(1, "/owa/", "-", "-", "198.51.100.7", firefox, 200);
        }
        if day == 3 {
            row(3, "/owa/", "-", "anna@contoso.com", "10.1.1.5", firefox, 200);
        }
    }
    HEADER.to_string() + &rows.concat()
}

fn tally(realms: BTreeMap<String, String>) -> Tally {
    let config = Config {
        realms,
        servers: vec![Server {
            name: "EX01".into(),
            addresses: vec!["10.0.0.11".into()],
            product: "exchange".into(),
            version: "2010".into(),
            external_connector: false,
        }],
        inventory: [("10.1.9.1".to_string(), "KIOSK1".to_string())].into(),
        ..Default::default()
    };
    count(&[("logs/EX01/u_ex1003.log".to_string(), log().into_bytes())], &config)
}

#[test]
fn with_the_realm() {
    let tally = tally([("CONTOSO".to_string(), "contoso.com".to_string())].into());
    let exchange = &tally.products["exchange"];
    assert_eq!((exchange.lower, exchange.demand), (5, 5));
    assert_eq!((exchange.mix_users, exchange.mix_devices, exchange.mix_total), (2, 1, 3));
    assert_eq!((exchange.peak, exchange.floor), (5, 3));
    assert_eq!(exchange.window, Some(("2010-03-01".to_string(), "2010-05-29".to_string())));
    assert_eq!((exchange.identified, exchange.unidentified), (2, 2));
    let ids: Vec<&str> = tally.people.keys().map(|id| id.as_str()).collect();
    let expected =
        ["contoso\\adm3", "contoso\\anna", "contoso\\ben", "contoso\\cem", "contoso\\dora"];
    assert_eq!(ids, expected);
    let anna = &tally.people["contoso\\anna"];
    let names: Vec<&str> = anna.names.iter().map(|n| n.as_str()).collect();
    assert_eq!(names, ["CONTOSO\\anna", "anna@contoso.com"]);
    assert_eq!((anna.events, anna.devices), (3, 2));
    assert_eq!(left_out(&tally), ledger());
    assert!(tally.unresolved.is_empty());
    assert_eq!(tally.servers["EX01"].users, 5);
    assert_eq!(tally.products["windows"].demand, 5);
    let lines = tally.inputs["logs/EX01/u_ex1003.log"].lines;
    assert_eq!((lines.total, lines.events, lines.directives), (31, 27, 4));
}

#[test]
fn without_the_realm() {
    let tally = tally(BTreeMap::new());
    let exchange = &tally.products["exchange"];
    assert_eq!((exchange.lower, exchange.demand), (5, 6));
    assert_eq!(left_out(&tally), ledger());
}

fn left_out(tally: &Tally) -> Vec<(String, String, u64)> {
    tally.excluded.iter().map(|((who, rule), n)| (who.clone(), rule.clone(), *n)).collect()
}

fn ledger() -> Vec<(String, String, u64)> {
    [
        ("-", "anonymous-internet", 1),
        ("contoso\\adm1", "administration", 9),
        ("contoso\\adm2", "administration", 5),
        ("contoso\\healthmailbox1234567", "monitoring-probe", 3),
        ("contoso\\mallory", "failed-logon", 1),
    ]
    .map(|(who, rule, n)| (who.to_string(), rule.to_string(), n))
    .to_vec()
}
