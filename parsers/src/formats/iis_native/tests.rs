#![allow(clippy::unwrap_used, reason = "a test that cannot read its own text has failed")]

use super::*;
use crate::format::Scope;
use crate::formats::{iis_advanced::IisAdvanced, iis_etw::IisEtw, iis_w3c::IisW3c, ncsa::Ncsa};
use crate::recorder::Recorder;

fn read(format: &dyn LogFormat, text: &str, scope: &Scope) -> String {
    let state = format.detect(text.as_bytes()).unwrap();
    let mut recorder = Recorder::default();
    let segment = Segment { text: text.as_bytes(), base: 0, eol: b'\n', scope };
    format.parse(&segment, &mut state.clone(), &mut Memory::default(), &mut recorder);
    recorder.text
}

const ROW: &str = "10.1.1.5, C\\anna, 03/20/01, 23:55:20, W3SVC1, EX01, 10.0.0.11, 1, 1, 1, 200, 0, GET, /owa/, -,\n";

#[test]
fn a_stated_offset_moves_the_rows_and_silences_the_notice() {
    let scope = Scope { local_offset: Some(-480), ..Scope::default() };
    let seen = read(&IisNative, ROW, &scope);
    assert!(seen.contains("2001-03-21T07:55:20Z"), "{seen}");
    assert!(!seen.contains("UnknownTimeBase"), "{seen}");
    let seen = read(&IisNative, ROW, &Scope::default());
    assert!(seen.contains("2001-03-20T23:55:20Z") && seen.contains("UnknownTimeBase"), "{seen}");
}

#[test]
fn rows_of_other_formats_are_not_ours() {
    for head in [
        "",
        "a, b\n",
        "198.51.100.2, mail.x, 03/20/01, 7:55:30, SMTPSVC1, EX01, 10.0.0.11, 0, 16, 44, 250, 0, HELO, -, +x,\n",
        "x, -, 03/20/01, 7:55:30, W3SVC1, EX01, 10.0.0.11, 0, 16, 44, 250, 0, GET, /, -,\n",
        "10.1.1.5, -, 03/20, 7:55:30, W3SVC1, EX01, 10.0.0.11, 0, 16, 44, 250, 0, GET, /, -,\n",
    ] {
        assert!(IisNative.detect(head.as_bytes()).is_none(), "{head}");
    }
    assert!(IisNative.detect(format!("cut, row,\n{ROW}").as_bytes()).is_some());
}

/// The fields of an access that every form of the row shows: outcome, service, name and marks.
fn shown(text: &str) -> Vec<String> {
    let fact = |line: &str| -> Option<String> {
        let from = line.find("\"service\"")?;
        // Not every form has an agent or a port.
        let fact = line[from..].replace("\"agent\":\"M\"", "\"agent\":\"\"");
        Some(fact)
    };
    text.lines().filter_map(fact).collect()
}

/// One request, written by the five writers, is one decision.
#[test]
fn the_same_request_is_judged_alike_in_every_form() {
    let scope = Scope::default();
    let mut compared = 0;
    for user in ["-", "C\\anna", "anonymous", "mallory"] {
        for status in [200, 302, 304, 401, 403, 404, 440, 449, 503] {
            for (stem, query) in [
                ("/owa/", "-"),
                ("/owa/auth.owa", "&LogoffReason=NoCookiesPost"),
                ("/owa/auth.owa", "&encoding=;"),
                ("/Microsoft-Server-ActiveSync/default.eas", "DeviceId=X1&DeviceType=SP"),
                ("/Microsoft-Server-ActiveSync/default.eas", "DeviceId=X1&Log=V1_As:BlockedP"),
                ("/mapi/emsmdb/", "MailboxId=1-2@contoso.com&FrontEnd=EX02"),
                ("/robots.txt", "-"),
                ("/sites/hr/_layouts/x.aspx", "-"),
            ] {
                for client in ["10.1.1.5", "203.0.113.9", "10.0.0.11"] {
                    let w3c = format!(
                        "#Software: Microsoft Internet Information Services 8.5\n#Fields: date time s-ip cs-method cs-uri-stem \
                         cs-uri-query cs-username c-ip sc-status\n2015-01-13 07:01:02 10.0.0.11 GET {stem} {query} {user} {client} {status}\n"
                    );
                    let wanted = shown(&read(&IisW3c, &w3c, &scope));
                    let native = format!(
                        "{client}, {user}, 01/13/15, 7:01:02, W3SVC1, EX01, 10.0.0.11, 1, 1, 1, {status}, 0, GET, {stem}, {query},\n"
                    );
                    assert_eq!(shown(&read(&IisNative, &native, &scope)), wanted, "{native}");
                    let advanced = format!(
                        "#Software: IIS Advanced Logging Module\n#Fields: date-utc time-utc s-ip cs-method cs-uri-stem cs-uri-query \
                         cs-username c-ip sc-status\n2015-01-13 07:01:02.5 10.0.0.11 GET \"{stem}\" {query} \"{user}\" {client} {status}\n"
                    );
                    assert_eq!(shown(&read(&IisAdvanced, &advanced, &scope)), wanted, "{advanced}");
                    let escaped = query.replace('&', "&amp;");
                    let etw = format!(
                        "<Event><System><Provider Name='Microsoft-Windows-IIS-Logging'/><EventID>6200</EventID></System><EventData>\
                         <Data Name='date'>2015-01-13</Data><Data Name='time'>07:01:02</Data><Data Name='c-ip'>{client}</Data>\
                         <Data Name='cs-username'>{user}</Data><Data Name='s-ip'>10.0.0.11</Data><Data Name='cs-uri-stem'>{stem}</Data>\
                         <Data Name='cs-uri-query'>{escaped}</Data><Data Name='sc-status'>{status}</Data></EventData></Event>\n"
                    );
                    assert_eq!(shown(&read(&IisEtw, &etw, &scope)), wanted, "{etw}");
                    // The common log has no server address, which tells loopback from inside.
                    if client != "10.0.0.11" {
                        let query = if query == "-" { String::new() } else { format!("?{query}") };
                        let ncsa = format!(
                            "{client} - {user} [13/Jan/2015:07:01:02 +0000] \"GET {stem}{query} HTTP/1.1\" {status} 1\n"
                        );
                        assert_eq!(shown(&read(&Ncsa, &ncsa, &scope)), wanted, "{ncsa}");
                    }
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 4 * 9 * 8 * 3);
}
