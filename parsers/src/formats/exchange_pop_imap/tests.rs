#![allow(clippy::unwrap_used, reason = "a test that cannot read its own log has failed")]

use super::*;
use crate::recorder::Recorder;
use proptest::prelude::*;

const HEADER_2007: &str = "#Software: Microsoft Exchange Server\n#Version: 8.0.0.0\n#Log-type: POP3 Log\n\
    #Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n";

fn read(text: &str) -> Recorder {
    let (format, mut state) = crate::format::detect(text.as_bytes());
    let mut recorder = Recorder::default();
    let scope = Scope::default();
    let segment = Segment { text: text.as_bytes(), base: 0, eol: b'\n', scope: &scope };
    format.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
    recorder
}

/// One session of 2007: the lines it writes, and the outcome planted in it.
fn session(number: usize, kind: usize) -> (Vec<String>, Option<(&'static str, String)>) {
    let name = format!("user{number}");
    let lines: Vec<(&str, String)> = match kind {
        // Sends USER, sees +OK, and leaves.
        0 => vec![("<", format!("USER {name}")), (">", "+OK".into())],
        1 => vec![
            ("<", "CAPA".into()),
            (">", "+OK".into()),
            ("<", format!("USER {name}")),
            (">", "+OK".into()),
            ("<", "PASS *****".into()),
            (">", "+OK User successfully logged on.".into()),
            ("<", "RETR 1".into()),
            (">", "-ERR no such message".into()),
        ],
        2 => vec![
            ("<", "USER another".into()),
            (">", "+OK".into()),
            ("<", format!("USER {name}")),
            (">", "+OK".into()),
            ("<", "PASS *****".into()),
            (">", "-ERR Logon failure".into()),
        ],
        // All at once: the answers come later.
        _ => vec![
            ("<", "CAPA".into()),
            ("<", format!("USER {name}")),
            ("<", "PASS *****".into()),
            ("<", "STAT".into()),
            (">", "+OK".into()),
            (">", "+OK".into()),
            (">", "+OK User successfully logged on.".into()),
            (">", "+OK 0 0".into()),
        ],
    };
    let row = |event: &str, data: &str| {
        format!(
            "2009-03-02T08:00:00.000Z,,{:016X},0,10.0.0.21:110,10.1.1.5:{},{event},{data},",
            number / 2,
            4000 + number
        )
    };
    let mut rows = vec![row("+", ""), row(">", "+OK The service is ready")];
    rows.extend(lines.iter().map(|(event, data)| row(event, data)));
    let planted = [None, Some("served"), Some("failed"), Some("served")][kind];
    (rows, planted.map(|outcome| (outcome, name)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However sessions are interleaved, and whatever session numbers they share, each shows what
    /// was planted in it and nothing else.
    #[test]
    fn interleaved_conversations_show_what_was_planted(
        kinds in prop::collection::vec(0usize..4, 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 100),
    ) {
        let sessions: Vec<_> = kinds.iter().enumerate().map(|(n, kind)| session(n, *kind)).collect();
        let mut rest: Vec<_> = sessions.iter().map(|(rows, _)| rows.iter()).collect();
        let mut text = HEADER_2007.to_owned();
        for index in order.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let which = index.index(rest.len());
            match rest[which].next() {
                Some(row) => text.push_str(&format!("{row}\n")),
                None => { drop(rest.swap_remove(which)); }
            }
        }
        let mut planted: Vec<String> = sessions
            .iter()
            .filter_map(|(_, planted)| planted.as_ref())
            .map(|(outcome, name)| format!("{outcome} {name}"))
            .collect();
        let found = read(&text);
        let between = |line: &str, key: &str| {
            let (_, rest) = line.split_once(&format!("\"{key}\":\"")).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let mut seen: Vec<String> = found
            .text
            .lines()
            .filter(|line| line.contains("\"outcome\""))
            .map(|line| format!("{} {}", between(line, "outcome"), between(line, "principal")))
            .collect();
        planted.sort();
        seen.sort();
        prop_assert_eq!(seen, planted);
    }

    /// The table shows somebody where the rule says so; compared with the rule written out anew.
    #[test]
    fn the_table_follows_the_rule(
        command in prop::sample::select(vec!["pass", "AUTH", "user", "stat", "login", "OpenSession", "quit"]),
        user in prop::sample::select(vec!["", "anna", "CONTOSO/anna"]),
        answer in prop::sample::select(vec!["", "R=OK", "R=ok", "R=Okay", "R=-ERR"]),
        proxy in prop::sample::select(vec!["", "Msg=Proxy:x:1995:SSL", "Msg=Proxy:x:1995:SSL;ProxySuccess", "Msg=other"]),
        error in prop::sample::select(vec!["", "ErrMsg=ProxyFailed"]),
    ) {
        let context: Vec<&str> = [answer, proxy, error].into_iter().filter(|c| !c.is_empty()).collect();
        let row = format!(
            "2024-01-24T15:31:51.267Z,0A,2,10.0.0.11:110,10.1.1.5:50123,{user},1,10,34,{command},,{},",
            context.join(";")
        );
        let header = "#Log-type: POP3 Log\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n";
        let found = read(&format!("{header}{row}\n"));
        let ok = answer.eq_ignore_ascii_case("r=ok");
        let logon = matches!(command, "pass" | "AUTH");
        let served = ok && error.is_empty() && (!proxy.contains("Proxy:") || proxy.contains("ProxySuccess"));
        let expected = match (user, logon, command) {
            ("", ..) => None,
            (_, true, _) => Some(if served { "served" } else { "failed" }),
            (_, _, "stat") if ok => Some("continued"),
            _ => None,
        };
        match expected {
            Some(outcome) => prop_assert!(found.text.contains(&format!("\"outcome\":\"{outcome}\"")), "{}", found.text),
            None => prop_assert!(!found.text.contains("outcome"), "{}", found.text),
        }
    }
}

#[test]
fn only_conversations_must_stay_whole() {
    let state = |text: &str| crate::format::detect(text.as_bytes()).1;
    assert!(!ExchangePop3.divisible(&state(HEADER_2007)));
    assert!(ExchangePop3.divisible(&state(ExchangePop3.describe().example)));
    assert!(ExchangePop3.divisible(&State::default()));
}

#[test]
fn other_exchange_logs_are_not_ours() {
    let columns = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context";
    for (log_type, columns) in [
        (
            "Agent Log",
            "Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,MessageId,Agent,Event,Action",
        ),
        ("ECP Activity Context Log", "TimeStamp,ServerName,EventId,EventData"),
        ("Rps Cmdlet Logs", "DateTime,StartTime,RequestId,ClientRequestId,MajorVersion"),
        ("audit", "Timestamp,Server,TenantId,RecordType,Data,UserKey"),
        (
            "HttpProxy Logs",
            "DateTime,RequestId,MajorVersion,Protocol,UrlHost,UrlStem,AuthenticatedUser",
        ),
        ("EWS Logs", "DateTime,RequestId,MajorVersion,AuthenticatedUser"),
        (
            "Message Tracking Log",
            "date-time,client-ip,client-hostname,server-ip,event-id,session-id,data",
        ),
        ("RPC Client Access Log", "date-time,session-id,seq-number,client-name,operation"),
        ("Something new", columns),
    ] {
        let text = format!(
            "#Software: Microsoft Exchange Server\n#Version: 15.01.2375.007\n#Log-type: {log_type}\n#Date: 2023-01-11T15:56:33.189Z\n#Fields: {columns}\n2023-01-11T15:56:33.189Z,0A,1,10.0.0.1:110,10.0.0.2:1,x,1,1,1,pass,,R=OK\n"
        );
        for protocol in [Protocol::Pop3, Protocol::Imap4, Protocol::SmtpReceive, Protocol::SmtpSend]
        {
            assert_eq!(protocol::detect(text.as_bytes(), protocol), None, "{log_type}");
        }
    }
}

#[test]
fn a_header_without_a_log_type_is_told_by_its_rows() {
    let header = "#Software: Microsoft Exchange Server\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\n";
    let row = |port: u16, command: &str, context: &str| {
        format!(
            "{header}2024-01-24T15:31:51.267Z,0A,2,10.0.0.11:{port},10.1.1.5:50123,,1,10,34,{command},,{context}\n"
        )
    };
    for (text, name) in [
        (row(9, "uidl", ""), "exchange-pop3"),
        (row(9, "uid", ""), "exchange-imap4"),
        (row(9, "noop", "R=+OK"), "exchange-pop3"),
        (row(9, "noop", "\"R=\"\"2 NO x\"\"\""), "exchange-imap4"),
        (row(110, "OpenSession", ""), "exchange-pop3"),
        (row(1993, "OpenSession", ""), "exchange-imap4"),
        (row(9, "OpenSession", ""), "unknown"),
    ] {
        assert_eq!(crate::format::detect(text.as_bytes()).0.name(), name, "{text}");
    }
}
