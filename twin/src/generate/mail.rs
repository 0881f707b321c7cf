//! POP3, IMAP4 and SMTP.

use super::cast::Person;
use super::file::{Encoding, encode, finish};
use super::web_file::clock;
use super::world::World;
use crate::text;
use std::collections::BTreeMap;

const EX01: &str = "10.0.0.11";

/// One session: rows that share a kind of file, a server and a number.
struct Session<'a> {
    world: &'a mut World,
    kind: &'a str,
    local: String,
    remote: String,
    time: i64,
    id: String,
    sequence: u32,
}

impl<'a> Session<'a> {
    fn new(world: &'a mut World, kind: &'a str, port: u32, client: &str) -> Session<'a> {
        let time = world.some_time() + 7;
        let id = format!("{:016X}", world.serial());
        let remote = format!("{client}:{}", 1024 + world.random.below(60_000));
        Session { world, kind, local: format!("{EX01}:{port}"), remote, time, id, sequence: 0 }
    }

    fn push(&mut self, rest: String) {
        self.time += 40;
        let stamp = stamp(self.time);
        let key = (self.kind.to_string(), EX01.to_string(), text::day_of(self.time));
        self.world.mail.entry(key).or_default().push((self.time, format!("{stamp},{rest}")));
        self.sequence += 1;
    }

    /// A row of the POP3 or IMAP4 schema of 2013 and later, without the last column.
    fn row(&mut self, user: &str, command: &str, parameters: &str, context: &str) {
        let (id, sequence, local, remote) = (&self.id, self.sequence, &self.local, &self.remote);
        let context = quoted(context);
        self.push(format!(
            "{id},{sequence},{local},{remote},{user},5,10,34,{command},{parameters},{context}"
        ));
    }

    /// A row of the schema that SMTP has, and POP3 and IMAP4 had up to 2010.
    fn said(&mut self, event: &str, data: &str, context: &str) {
        let connector =
            if self.kind.starts_with("recv") { "EX01\\Client Frontend EX01" } else { "" };
        let connector = if self.kind == "hub" { "EX01\\Client Proxy EX01" } else { connector };
        let connector = if self.kind == "send" { "To Internet" } else { connector };
        let (id, sequence, local, remote) = (&self.id, self.sequence, &self.local, &self.remote);
        let data = quoted(data);
        self.push(format!("{connector},{id},{sequence},{local},{remote},{event},{data},{context}"));
    }
}

fn stamp(time: i64) -> String {
    format!("{}T{}.{:03}Z", text::date_of(text::day_of(time)), clock(time), time.rem_euclid(1000))
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

fn at(address: &str) -> Option<String> {
    Some(format!("at:{address} "))
}

/// A name as the mail servers log it, and its id.
fn logged(world: &mut World, person: &Person) -> (String, String) {
    match world.random.below(5) {
        0 if person.domain == "CONTOSO" => (person.sam.clone(), person.bare_id(world)),
        1 => (person.upn(world), person.upn_id()),
        2 => (format!("{}\\{}\\info", person.domain, person.sam), person.id()),
        3 => (format!("{}/{}/info@contoso.com", person.domain, person.sam), person.id()),
        _ => (format!("{}/{}", person.domain, person.sam), person.id()),
    }
}

/// What a served logon says: on a front end, that the proxy session stands.
fn fine(world: &mut World, port: u32) -> String {
    match (world.back_end, world.random.chance(50)) {
        (true, _) => {
            format!("R=OK;Msg=\"Proxy:EX01.contoso.com:{port}:SSL;ProxySuccess\";LiveIdAR=OK")
        }
        (false, true) => "R=ok".to_string(),
        (false, false) => "R=OK".to_string(),
    }
}

/// Two IMAP sessions whose typed names the server resolves to the account.
pub(super) fn imap_proof(world: &mut World, person: &Person) {
    let account = format!("{}/{}", person.domain, person.sam);
    let id = person.id();
    for typed in [person.upn(world), person.sam.clone()] {
        let good = fine(world, 1993);
        let mut session = Session::new(world, "imap4", 993, &person.pc);
        session.row("", "OpenSession", "", "");
        session.row(&account, "login", &format!("{typed} *****"), &good);
        session.world.truth.used("exchange", &id, "imap4", at(&person.pc));
    }
}

/// A POP3 session, perhaps after a wrong password, perhaps by the older schema.
pub(super) fn pop3(world: &mut World, person: &Person) {
    let (name, id) = logged(world, person);
    let good = fine(world, 1995);
    let back_end = world.back_end;
    let client_known = world.random.chance(50);
    if !back_end && world.random.chance(40) {
        let mut session = Session::new(world, "pop3old", 110, &person.pc);
        for (event, data) in [
            ("+", ""),
            (">", "+OK Microsoft Exchange POP3 server ready"),
            ("<", &format!("USER {name}")),
            (">", "+OK"),
            ("<", "PASS *****"),
            (">", "+OK User successfully logged on."),
            ("<", "STAT"),
            (">", "+OK 1 200"),
            ("-", ""),
        ] {
            session.said(event, data, "");
        }
        session.world.truth.used("exchange", &id, "pop3", at(&person.pc));
        return;
    }
    let bad = "R=\"-ERR Authentication failure: unknown user name or bad password.\";\
               Msg=\"AuthFailed:LogonDenied,User: x\";ErrMsg=AuthFailed:LogonDenied";
    let stumbles = world.random.chance(30);
    let mut session = Session::new(world, "pop3", 110, &person.pc);
    session.row("", "OpenSession", "", "");
    session.row(&name, "user", &name, "R=OK");
    if stumbles {
        session.row(&name, "pass", "*****", bad);
        session.row(&name, "user", &name, "R=OK");
    }
    session.row(&name, "pass", "*****", &good);
    session.world.truth.used("exchange", &id, "pop3", at(&person.pc));
    session.row(&name, "stat", "", "R=ok;Rows=3");
    session.row(&name, "quit", "", "R=OK");
    session.row(&name, "CloseSession", "", "");
    if back_end {
        let mut session = Session::new(session.world, "pop3be", 1995, EX01);
        let client = if client_known { format!(";ClientIp={}", person.pc) } else { String::new() };
        let context = format!("R=ok;LiveIdAR=AuthenticatedAsCafe{client}");
        session.row(&format!("{}/{}", person.domain, person.sam), "auth", " PLAIN", &context);
        let device = if client_known { at(&person.pc) } else { None };
        session.world.truth.used("exchange", &person.id(), "pop3", device);
    }
}

/// An IMAP4 session; sometimes only its middle stands in the log.
pub(super) fn imap4(world: &mut World, person: &Person) {
    let (name, id) = logged(world, person);
    let good = fine(world, 1993);
    let back_end = world.back_end;
    match world.random.below(4) {
        0 => {
            let address = format!("10.2.0.{}", world.random.below(250));
            let mut session = Session::new(world, "imap4", 143, &address);
            // An address of its own for each session, so that no logon covers the commands.
            session.remote = format!("10.3.{}.{}:99", session.sequence, 1);
            let serial = session.world.serial();
            let address = format!("10.3.{}.{}", serial / 250, serial % 250);
            session.remote = format!("{address}:4711");
            for command in ["select", "idle"] {
                session.row(&name, command, "INBOX", "R=ok;Rows=0");
                session.world.truth.used("exchange", &id, "imap4", at(&address));
            }
            session.row(&name, "capability", "", "R=ok");
        }
        1 if !back_end => {
            let mut session = Session::new(world, "imap4old", 143, &person.pc);
            for (event, data) in [
                (">", "* OK The Microsoft Exchange IMAP4 service is ready."),
                ("<", &format!("a1 LOGIN {name} *****")),
                (">", "* CAPABILITY IMAP4"),
                (">", "a1 OK LOGIN completed."),
            ] {
                session.said(event, data, "");
            }
            session.world.truth.used("exchange", &id, "imap4", at(&person.pc));
        }
        2 => {
            let mut session = Session::new(world, "imap4", 993, &person.pc);
            session.row(&name, "login", &format!("{name} *****"), &good);
            session.world.truth.used("exchange", &id, "imap4", at(&person.pc));
            session.row(&name, "select", "INBOX", "R=ok;Rows=0");
        }
        _ => {
            let mut session = Session::new(world, "imap4", 993, &person.pc);
            session.row("", "capability", "", "R=ok");
            session.row(&name, "authenticate", "PLAIN", &good);
            session.world.truth.used("exchange", &id, "imap4", at(&person.pc));
            session.row(&name, "proxy", "EX01:1993", "R=ok");
        }
    }
    if back_end {
        let digits: String = person.phone.bytes().map(|b| char::from(b'0' + b % 10)).collect();
        let sid = format!("S-1-5-21-1-2-3-{digits}");
        let mut session = Session::new(world, "imap4be", 1993, EX01);
        let account = format!("{}/{}", person.domain, person.sam);
        let budget = format!("R=OK;Rows=0;Budget=\"Owner:Sid~{sid}~Imap~false,Conn:1\"");
        session.row(&account, "authenticate", "PLAIN", "R=ok;LiveIdAR=AuthenticatedAsCafe");
        session.world.truth.used("exchange", &person.id(), "imap4", None);
        session.row(&account, "examine", "INBOX", &budget);
    }
}

/// A message handed in; in the hub's log the client stands behind the front end.
pub(super) fn submission(world: &mut World, person: &Person) {
    let (name, id) = match world.random.chance(50) {
        true => (person.upn(world), person.upn_id()),
        false => (format!("{}\\{}", person.domain, person.sam), person.id()),
    };
    let hub = world.back_end && world.random.chance(40);
    let kind = if hub { "hub" } else { "recv" };
    let client = if hub { EX01.to_string() } else { person.pc.clone() };
    let mut session = Session::new(world, kind, 587, &client);
    session.said("+", "", "");
    session.said(
        ">",
        "250  ex01 Hello [10.0.0.1] SIZE X-ANONYMOUSTLS AUTH NTLM LOGIN X-EXPS GSSAPI NTLM",
        "",
    );
    if hub {
        let proxied = format!("XPROXY SID=08D5 IP={} PORT=4711 DOMAIN=x CAPABILITIES=0", person.pc);
        session.said("<", &proxied, "");
    }
    session.said("<", "AUTH LOGIN", "");
    session.said(">", "334 <authentication response>", "");
    session.said(
        "*",
        "SMTPSubmit SMTPAcceptAnyRecipient BypassAntiSpam",
        "Set Session Permissions",
    );
    session.said("*", &name, "authenticated");
    session.world.truth.used("exchange", &id, "smtp", at(&person.pc));
    session.said(">", "235 2.7.0 Authentication successful", "");
    session.said("<", "MAIL FROM:<ghost.sender@contoso.com>", "");
    session.said("-", "", "Local");
}

/// Failures, servers and the Internet.
pub(super) fn strangers(world: &mut World) {
    let mut session = Session::new(world, "pop3", 110, "203.0.113.50");
    session.row("", "OpenSession", "", "");
    session.row("CONTOSO/popspray", "user", "popspray", "R=OK");
    session.row(
        "CONTOSO/popspray",
        "pass",
        "*****",
        "R=\"-ERR no.\";Msg=\"AuthFailed:LogonDenied,User: x\"",
    );
    session.row("", "pass", "*****", "R=\"-ERR Command is not valid in this state.\"");
    session.row("CONTOSO/popspray", "CloseSession", "", "");
    session.row("CONTOSO/popuser", "user", "popuser", "R=OK");
    session.row("CONTOSO/popnoanswer", "pass", "*****", "");
    session.row("CONTOSO/popproxy", "pass", "*****", "R=OK;Msg=Proxy:EX01.contoso.com:1995:SSL");
    for name in ["popspray", "popnoanswer", "popproxy"] {
        session.world.truth.left_out(&format!("contoso\\{name}"), "failed-logon");
    }
    let mut session = Session::new(world, "imap4", 143, "203.0.113.51");
    let denied = "R=\"2 NO AUTHENTICATE failed.\";Msg=\"AuthFailed:LogonDenied,User: x\";ErrMsg=AuthFailed:LogonDenied";
    session.row("CONTOSO\\imapspray\\info", "authenticate", "PLAIN", denied);
    session.row("", "login", " *****", "R=\"a2 NO LOGIN failed.\"");
    session.row("CONTOSO/imapbad", "login", "imapbad *****", "R=\"a2 BAD what?\"");
    session.row(
        "CONTOSO/imapproxy",
        "login",
        "imapproxy *****",
        "R=ok;ErrMsg=ProxyNotAuthenticated",
    );
    for name in ["imapspray", "imapbad", "imapproxy"] {
        session.world.truth.left_out(&format!("contoso\\{name}"), "failed-logon");
    }
    session.row("CONTOSO/HealthMailbox0123abc", "login", "HealthMailbox0123abc *****", "R=ok");
    session.world.truth.left_out("contoso\\healthmailbox0123abc", "monitoring-probe");
    session.local = "10.0.0.11:143".to_string();
    session.remote = "127.0.0.1:9".to_string();
    session.row("CONTOSO/localonly", "authenticate", "PLAIN", "R=ok");
    session.world.truth.in_doubt("contoso\\localonly", "probe-like");

    let mut session = Session::new(world, "recv", 25, "203.0.113.52");
    session.said("*", "SMTPSubmit SMTPAcceptAnySender", "Set Session Permissions");
    session.said("<", "EHLO ghost.helo@contoso.com", "");
    session.said("<", "MAIL FROM:<ghost.sender@contoso.com>", "");
    session.said("<", "AUTH login", "");
    session.said("*", "", "Inbound AUTH LOGIN failed because of LogonDenied");
    session.said("*", "", "User Name: smtpspray@contoso.com");
    session.said("*", "Tarpit for '0.00:00:05' due to '535 5.7.3 Authentication unsuccessful'", "");
    session.world.truth.left_out("contoso\\smtpspray", "failed-logon");
    session.said("*", "ghost.authenticated@contoso.com", "authenticated by somebody");
    session.said("*", "NT AUTHORITY\\SYSTEM", "authenticated");
    session.said("*", "CONTOSO\\EX02$", "authenticated");
    session.world.truth.left_out("nt authority\\system", "licensed-server");
    session.world.truth.left_out("contoso\\ex02$", "licensed-server");
    let mut session = Session::new(world, "send", 25, "203.0.113.53");
    session.said(">", "EHLO ex01.contoso.com", "");
    session.said("*", "ghost.send@contoso.com", "authenticated");
}

const NEW: &str =
    "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context";
const OLD: &str = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context";

/// Writes one file for each kind and day.
pub(super) fn write(world: &mut World, files: &mut BTreeMap<String, Vec<u8>>) {
    let days: Vec<_> = std::mem::take(&mut world.mail).into_iter().collect();
    for ((kind, _, day), mut rows) in days {
        rows.sort();
        let date = text::date_of(day).replace('-', "");
        let (folder, prefix, log_type, format) = match kind.as_str() {
            "pop3" => ("Pop3", "POP3", "POP3 Log", "exchange-pop3"),
            "pop3be" => ("Pop3", "POP3BE", "POP3 Log", "exchange-pop3"),
            "pop3old" => ("PopOld", "POP3", "POP3 Log", "exchange-pop3"),
            "imap4" => ("Imap4", "IMAP4", "IMAP4 Log", "exchange-imap4"),
            "imap4be" => ("Imap4", "IMAP4BE", "IMAP4 Log", "exchange-imap4"),
            "imap4old" => ("ImapOld", "IMAP4", "IMAP4 Log", "exchange-imap4"),
            "send" => ("SmtpSend", "SEND", "SMTP Send Protocol Log", "exchange-smtp-send"),
            "hub" => ("Hub", "RECV", "SMTP Receive Protocol Log", "exchange-smtp-receive"),
            _ => ("SmtpReceive", "RECV", "SMTP Receive Protocol Log", "exchange-smtp-receive"),
        };
        let path = format!("logs/EX01/{folder}/{prefix}{date}-1.LOG");
        let newer = matches!(kind.as_str(), "pop3" | "pop3be" | "imap4" | "imap4be");
        let puid = newer && world.random.chance(50);
        let headerless = newer && world.random.chance(15);
        let fields = match (newer, puid) {
            (true, true) => format!("{NEW},puid"),
            (true, false) => NEW.to_string(),
            _ => OLD.to_string(),
        };
        let header = format!(
            "#Software: Microsoft Exchange Server\n#Version: 15.0.0.0\n#Log-type: {log_type}\n\
             #Date: {}\n#Fields: {fields}\n",
            stamp(rows[0].0)
        );
        let (mut out, mut rejected) = (String::new(), 0);
        for (n, (_, row)) in rows.iter().enumerate() {
            if !headerless && (n == 0 || world.random.chance(3)) {
                out.push_str(&header);
            }
            out.push_str(row);
            out.push_str(if puid { ",\n" } else { "\n" });
        }
        if world.random.chance(25) {
            let (_, row) = &rows[0];
            out.push_str(&row[..row.len().min(28)]);
            rejected = 1;
        }
        let encoding = if world.random.chance(30) { Encoding::Mark } else { Encoding::Utf8 };
        let text = finish(out, world);
        world.truth.formats.insert(path.clone(), format.to_string());
        world.truth.rejected.insert(path.clone(), rejected);
        files.insert(path, encode(&text, encoding));
    }
}
