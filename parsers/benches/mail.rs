//! Bytes a second of each mail format over 64 MB of generated rows, one thread.
//!
//! `cargo bench -p calproof-parsers --bench mail`

#![allow(clippy::print_stdout, reason = "a bench prints its numbers")]

mod measure;

use calproof_parsers::detect;

const SIZE: usize = 64 << 20;

fn log(header: &str, row: impl Fn(usize) -> String) -> Vec<u8> {
    let mut text = header.as_bytes().to_vec();
    let mut number = 0;
    while text.len() < SIZE {
        text.extend_from_slice(row(number).as_bytes());
        number += 1;
    }
    text
}

/// `08:00:00.000` on, a tenth of a second a row.
fn clock(number: usize) -> String {
    let s = number / 10 % 86_400;
    format!("{:02}:{:02}:{:02}.{}00", s / 3600, s / 60 % 60, s % 60, number % 10)
}

fn table(kind: &str, rows: [&'static str; 4], port: u16) -> Vec<u8> {
    let header = format!(
        "#Software: Microsoft Exchange Server\n#Version: 15.01.2375.007\n#Log-type: {kind} Log\n#Fields: \
         dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n"
    );
    log(&header, |n| {
        let (who, step) = (n / 4 * 7 % 900, n % 4);
        let user = if step == 0 { String::new() } else { format!("user{who}") };
        format!(
            "2024-01-24T{}Z,{:016X},{step},10.0.0.11:{port},10.1.{}.{}:{},{user},118,31,34,{},\n",
            clock(n),
            n / 4,
            who / 250,
            who % 250,
            1024 + n % 60_000,
            rows[step],
        )
    })
}

fn conversation(kind: &str, rows: [&'static str; 6], port: u16) -> Vec<u8> {
    let header = format!(
        "#Software: Microsoft Exchange Server\n#Version: 14.0.0.0\n#Log-type: {kind}\n#Fields: \
         date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n"
    );
    log(&header, |n| {
        let (who, step) = (n / 6 * 7 % 900, n % 6);
        format!(
            "2024-01-24T{}Z,EX01\\Client Frontend EX01,{:016X},{step},10.0.0.11:{port},10.1.{}.{}:{},{}\n",
            clock(n),
            n / 6,
            who / 250,
            who % 250,
            1024 + n / 6 % 60_000,
            rows[step].replace("WHO", &who.to_string()),
        )
    })
}

fn main() {
    let smtp = [
        "+,,",
        ">,\"220 mail.contoso.com Microsoft ESMTP MAIL Service ready at Thu, 2 Apr 2020 09:57:37 +0200\",",
        "<,EHLO app01,",
        ">,250  mail.contoso.com Hello [10.1.1.5] SIZE 37748736 PIPELINING DSN STARTTLS AUTH LOGIN,",
        "*,userWHO@contoso.com,authenticated",
        "-,,Local",
    ];
    let logs = [
        (
            "exchange-pop3, front end",
            table(
                "POP3",
                [
                    "OpenSession,,",
                    "user,x,R=OK",
                    "pass,*****,\"R=OK;Msg=\"\"Proxy:EX01.contoso.com:1995:SSL;ProxySuccess\"\"\"",
                    "quit,,R=ok",
                ],
                110,
            ),
        ),
        (
            "exchange-imap4, front end",
            table(
                "IMAP4",
                [
                    "capability,,R=ok",
                    "login,x@contoso.com *****,\"R=OK;Msg=\"\"Proxy:EX01.contoso.com:1993:SSL;ProxySuccess\"\"\"",
                    "proxy,EX01.contoso.com,",
                    "CloseSession,,",
                ],
                143,
            ),
        ),
        (
            "exchange-imap4, back end",
            table(
                "IMAP4",
                [
                    "capability,,R=ok",
                    "authenticate,PLAIN,R=OK;LiveIdAR=AuthenticatedAsCafe",
                    "examine,INBOX,\"R=OK;Rows=0;Recent=0;Budget=\"\"Owner:Sid~S-1-5-21-111-222-333-1104~Imap~false,Conn:1,MaxConn:20\"\"\"",
                    "uid,FETCH,\"R=OK;Rows=2;Budget=\"\"Owner:Sid~S-1-5-21-111-222-333-1104~Imap~false,Conn:1,MaxConn:20\"\"\"",
                ],
                1993,
            ),
        ),
        (
            "exchange-pop3, 2007",
            conversation(
                "POP3 Log",
                [
                    "+,,",
                    "<,USER userWHO,",
                    ">,+OK,",
                    "<,PASS *****,",
                    ">,+OK User successfully logged on.,",
                    "-,,",
                ],
                110,
            ),
        ),
        ("exchange-smtp-receive", conversation("SMTP Receive Protocol Log", smtp, 587)),
        ("exchange-smtp-send", conversation("SMTP Send Protocol Log", smtp, 587)),
        (
            "smtpsvc, W3C",
            log(
                "#Software: Microsoft Internet Information Services 6.0\n#Fields: date time c-ip cs-username s-sitename s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status sc-bytes cs-bytes time-taken cs-version\n",
                |n| {
                    format!(
                        "2006-10-09 {} 203.0.113.{} mx{n}.fabrikam.com SMTPSVC1 MAIL01 10.0.0.25 0 HELO - +mx{n}.fabrikam.com 250 0 47 21 0 SMTP\n",
                        &clock(n)[..8],
                        n % 250
                    )
                },
            ),
        ),
        (
            "smtpsvc, NCSA",
            log("", |n| {
                format!(
                    "203.0.113.{} - mx{n}.fabrikam.com [11/Oct/2006:{} -0600] \"HELO -?+mx{n}.fabrikam.com SMTP\" 250 46\n",
                    n % 250,
                    &clock(n)[..8],
                )
            }),
        ),
        (
            "smtpsvc, IIS",
            log("", |n| {
                format!(
                    "10.1.1.{}, app{n}.contoso.com, 8/18/06, {}, SMTPSVC1, MAIL01, 10.0.0.25, 90, 42, 0, 250, 0, HELO, -, +app{n}.contoso.com,\n",
                    n % 250,
                    &clock(n)[..8],
                )
            }),
        ),
    ];
    println!("{:28} {:>8} {:>10} {:>10} {:>9}", "log", "MB/s", "rows", "accesses", "rejected");
    for (name, text) in &logs {
        let (format, state) = detect(&text[..64 * 1024]);
        assert!(name.starts_with(format.name()), "{name} is read as {}", format.name());
        let (count, best) = measure::read(format, &state, text);
        let speed = text.len() as f64 / 1e6 / best;
        println!(
            "{name:28} {speed:>8.0} {:>10} {:>10} {:>9}",
            count.lines, count.accesses, count.rejected
        );
    }
}
