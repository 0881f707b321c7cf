//! Exchange POP3 and IMAP4 protocol logs: the schema of 2013 and later, and that of 2007 and 2010.

use crate::config::Config;
use crate::event::{Event, Join, Line, Outcome, Reading};
use crate::iis_w3c::address_device;
use crate::network;
use crate::text;
use std::collections::BTreeMap;

/// The columns of 2016 and later; 2013 has all but the last.
const KNOWN: &str = "datetime,sessionid,seqnumber,sip,cip,user,duration,rqsize,rpsize,command,parameters,context,puid";
/// The columns of 2007 and 2010.
const KNOWN_OLD: &str = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context";

/// Reads a POP3 (`pop3`) or IMAP4 (`imap4`) log; of another log in the same file nothing can be read.
pub(crate) fn read(lines: &[String], path: &str, service: &str, config: &Config) -> Reading {
    let mut reading = Reading { format: format!("exchange-{service}"), ..Default::default() };
    let mut service = service;
    let mut header = Header::Missing;
    let mut sessions: BTreeMap<(String, String), Session> = BTreeMap::new();
    for line in lines {
        let line = text::clean(line);
        if text::is_blank(line) {
            reading.lines.push(Line::Blank);
            continue;
        }
        if line.starts_with('#') {
            if let Some(kind) = text::directive(line, "Log-type") {
                let kind = kind.to_uppercase();
                service = match () {
                    () if kind.starts_with("POP3") => "pop3",
                    () if kind.starts_with("IMAP4") => "imap4",
                    () => "another",
                };
            }
            if let Some(value) = text::directive(line, "Fields") {
                header = columns_of(value.split(',')).map_or(Header::Empty, Header::Columns);
            }
            reading.lines.push(Line::Directive);
            continue;
        }
        let Some(cells) = text::commas(line).filter(|_| service != "another") else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        if ["datetime", "date-time"].contains(&cells[0].to_lowercase().as_str()) {
            let names = columns_of(cells.iter().map(|cell| cell.as_str()));
            header = names.map_or(Header::Empty, Header::Columns);
            reading.lines.push(Line::Directive);
            continue;
        }
        let names = match &header {
            Header::Columns(names) => names.clone(),
            Header::Empty => {
                reading.lines.push(Line::Rejected);
                continue;
            }
            Header::Missing => {
                reading.warnings.insert("assumed-fields".to_string());
                let all = if cells.len() == 9 { KNOWN_OLD } else { KNOWN };
                let all: Vec<String> = all.split(',').map(|n| n.to_string()).collect();
                if cells.len() == 12 { all[..12].to_vec() } else { all }
            }
        };
        let extra_empty =
            cells.len() == names.len() + 1 && cells.last().is_some_and(|c| c.is_empty());
        let cell =
            |name: &str| names.iter().position(|n| n == name).map_or("", |i| cells[i].as_str());
        let fits = cells.len() == names.len() || extra_empty;
        let time = if fits {
            text::instant(if names[0] == "date-time" {
                cell("date-time")
            } else {
                cell("datetime")
            })
        } else {
            None
        };
        let Some(time) = time else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        reading.lines.push(Line::Event);
        let old = names.iter().any(|n| n == "local-endpoint");
        let (local, remote) =
            if old { ("local-endpoint", "remote-endpoint") } else { ("sip", "cip") };
        let row = RowOf { time, local: cell(local), remote: cell(remote), path, service, config };
        let server = row.server();
        reading.server.get_or_insert(server);
        if old {
            // A number is another session with another client.
            let key = (cell("session-id").to_string(), cell(remote).to_string());
            if matches!(cell("event"), "+" | "-") {
                sessions.remove(&key);
                continue;
            }
            let session = sessions.entry(key).or_default();
            if let Some((who, outcome)) = session.say(cell("event"), cell("data"), service) {
                reading.events.extend(row.event(&who, outcome, None));
            }
            continue;
        }
        if !names.iter().any(|name| name == "user") {
            reading.warnings.insert("blind-log".to_string());
            continue;
        }
        let context = context(cell("context"));
        let user = person_of(cell("user"));
        let command = cell("command").trim().to_lowercase();
        // A bare `auth` asks which ways of logging on there are.
        let asks = command == "auth" && service == "pop3" && cell("parameters").trim().is_empty();
        let outcome = outcome(&command, service, &context).filter(|_| !asks);
        if let Some(outcome) = outcome {
            let client = context.get("clientip").map(|a| network::without_port(a));
            reading.events.extend(row.event(&user, outcome, client));
        }
        if outcome == Some(Outcome::Served) && command == "login" && !user.is_empty() {
            let typed = person_of(&first_word(cell("parameters")));
            if !typed.is_empty() && typed != user {
                reading.joins.push(Join { time, a: typed, b: user.clone() });
            }
        }
        let sid = context.get("budget").and_then(|b| b.split("Owner:Sid~").nth(1)).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>()
        });
        if let Some(sid) = sid.filter(|s| s.to_lowercase().starts_with("s-1-"))
            && !user.is_empty()
            && is_ok(&context)
        {
            reading.joins.push(Join { time, a: sid, b: user });
        }
    }
    reading
}

/// What is known of the columns.
enum Header {
    /// Nothing was said of them: the known layouts are tried.
    Missing,
    /// `#Fields` without names: rows cannot be read until the next one.
    Empty,
    Columns(Vec<String>),
}

fn columns_of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let names: Vec<String> = names.map(|n| n.trim().to_lowercase()).collect();
    if names.iter().all(|n| n.is_empty()) { None } else { Some(names) }
}

/// One row's place and ends.
struct RowOf<'a> {
    time: i64,
    local: &'a str,
    remote: &'a str,
    path: &'a str,
    service: &'a str,
    config: &'a Config,
}

impl RowOf<'_> {
    fn server(&self) -> String {
        let address = network::without_port(self.local);
        self.config.server_name(
            None,
            Some(address.as_str()).filter(|a| !a.is_empty()),
            None,
            self.path,
        )
    }

    /// The event of a logon. Whoever was served without a name is somebody whom the log hides.
    fn event(&self, who: &str, outcome: Outcome, client: Option<String>) -> Option<Event> {
        let hidden = who.is_empty() && outcome == Outcome::Served;
        if who.is_empty() && !hidden {
            return None;
        }
        let file = self.path.rsplit(['/', '\\']).next().unwrap_or("").to_uppercase();
        let mut event = Event::new(self.time, &self.server(), self.service);
        event.product = "exchange".to_string();
        event.who = Some(who.to_string()).filter(|_| !hidden);
        event.outcome = if hidden { Outcome::Anonymous } else { outcome };
        event.session_service = hidden;
        event.back_end = matches!(network::port(self.local), Some(1993 | 1995))
            || file.starts_with("POP3BE")
            || file.starts_with("IMAP4BE");
        let remote = network::without_port(self.remote);
        let address = if event.back_end { client } else { Some(remote).filter(|a| !a.is_empty()) };
        if let Some(address) = &address {
            let listed = self.config.server_by_address(address).is_some();
            event.back_end |= listed;
            if !listed {
                event.device = Some(address_device(address, "", self.config));
            }
        }
        let local = network::without_port(self.local);
        event.class =
            network::class(address.as_deref(), Some(&local), &self.config.internal_networks);
        event.address = address;
        Some(event)
    }
}

/// What a row of the newer schema shows, if it shows anybody.
fn outcome(command: &str, service: &str, context: &BTreeMap<String, String>) -> Option<Outcome> {
    let logons: [&str; 2] =
        if service == "pop3" { ["pass", "auth"] } else { ["login", "authenticate"] };
    if !logons.contains(&command) {
        return (is_store_command(command, service) && is_ok(context))
            .then_some(Outcome::Continued);
    }
    if context.contains_key("errmsg") {
        return Some(Outcome::Failed);
    }
    let Some(reply) = context.get("r") else { return Some(Outcome::Failed) };
    if reply.eq_ignore_ascii_case("ok") {
        let message = context.get("msg").map_or("", |m| m.as_str());
        let half = message.contains("Proxy:") && !message.contains("ProxySuccess");
        return Some(if half { Outcome::Failed } else { Outcome::Served });
    }
    let second = reply.split_whitespace().nth(1).unwrap_or("");
    let word: String = second.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if reply.starts_with("-ERR") || word == "NO" || word == "BAD" {
        Some(Outcome::Failed)
    } else {
        None
    }
}

fn is_ok(context: &BTreeMap<String, String>) -> bool {
    context.get("r").is_some_and(|r| r.eq_ignore_ascii_case("ok"))
        && !context.contains_key("errmsg")
}

fn is_store_command(command: &str, service: &str) -> bool {
    let pop = "stat list uidl retr dele top noop last rset";
    let imap = "select examine fetch uid status list lsub search store copy append idle expunge close noop \
                namespace check create delete rename subscribe unsubscribe move id enable xlist getquota \
                getquotaroot";
    (if service == "pop3" { pop } else { imap }).split(' ').any(|c| c == command)
}

/// The keys (lower case) and values of a context cell.
///
/// What the client typed stands between quotes that are not doubled, so a value ends only where proper
/// pairs follow, or at the last quote. Of equal keys the first stands, for the server's `R` comes before
/// anything that was typed; of budgets the last, which comes behind it.
pub(crate) fn context(cell: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for (key, value) in split_pairs(cell).unwrap_or_default() {
        if key == "budget" {
            pairs.insert(key, value);
        } else {
            pairs.entry(key).or_insert(value);
        }
    }
    pairs
}

/// Key and value of each pair; `None` where the text is no sequence of pairs. A value without quotes has
/// no blank, quote, comma or semicolon: the server would have put it between quotes.
fn split_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let key = key.trim().to_lowercase();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        let Some(quoted) = after.strip_prefix('"') else {
            let (value, next) = after.split_once(';').unwrap_or((after, ""));
            if value.contains([' ', '"', ',']) {
                return None;
            }
            pairs.push((key, value.to_string()));
            rest = next;
            continue;
        };
        for (end, _) in quoted.match_indices("\";") {
            if let Some(more) = split_pairs(&quoted[end + 2..]) {
                pairs.push((key, quoted[..end].to_string()));
                pairs.extend(more);
                return Some(pairs);
            }
        }
        pairs.push((key, quoted.strip_suffix('"').unwrap_or(quoted).to_string()));
        return Some(pairs);
    }
    Some(pairs)
}

/// `domain\user\mailbox` is `domain\user`, `user@realm/mailbox` is `user@realm`.
pub(crate) fn person_of(user: &str) -> String {
    let parts: Vec<&str> = user.trim().split(['\\', '/']).collect();
    match parts.as_slice() {
        [one] => one.to_string(),
        [first, ..] if first.contains('@') => first.to_string(),
        [domain, user, ..] => format!("{domain}\\{user}"),
        [] => String::new(),
    }
}

/// The first word of masked parameters, without its quotes; empty where the name is.
fn first_word(parameters: &str) -> String {
    match parameters.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or("").to_string(),
        None => parameters.split(' ').next().unwrap_or("").trim_matches('*').to_string(),
    }
}

/// What one session of the older schema said so far.
#[derive(Default)]
struct Session {
    /// The name of the last `USER` that was accepted.
    name: String,
    /// Commands that wait for their answer, in order.
    waiting: Vec<Command>,
    /// The server asked for more: the next line of the client is no command.
    more: bool,
}

/// A command of the client, of which the answer tells.
struct Command {
    /// Its tag; empty in POP3, and where the log does not have it.
    tag: String,
    kind: Kind,
}

enum Kind {
    /// The name comes before the password.
    User(String),
    /// The password for the name before.
    Pass,
    /// A logon by this name; empty where the log hides it.
    Logon(String),
    Other,
}

impl Session {
    /// Takes one row; answers who logged on, and how it went, when this row settles it.
    fn say(&mut self, event: &str, data: &str, service: &str) -> Option<(String, Outcome)> {
        let words: Vec<&str> = data.split_whitespace().collect();
        let word = |n: usize| words.get(n).copied().unwrap_or("");
        match (event, service) {
            ("<", _) if self.more => self.more = false,
            ("<", "pop3") => self.waiting.push(pop_command(&words)),
            ("<", _) => self.waiting.push(imap_command(&words)),
            (">", _) if word(0) == "+" => self.more = true,
            (">", "pop3") if matches!(word(0), "+OK" | "-ERR") && !self.waiting.is_empty() => {
                let command = self.waiting.remove(0);
                return self.answered(command.kind, word(0) == "+OK");
            }
            (">", "imap4") => {
                let accepted = match word(1).to_uppercase().as_str() {
                    "OK" => true,
                    "NO" | "BAD" => false,
                    _ => return None,
                };
                if word(0) == "*" {
                    return None;
                }
                let by_tag = self.waiting.iter().position(|c| c.tag == word(0));
                let hidden = || self.waiting.iter().position(|c| c.tag.is_empty());
                let command = self.waiting.remove(by_tag.or_else(hidden)?);
                return self.answered(command.kind, accepted);
            }
            _ => {}
        }
        None
    }

    fn answered(&mut self, kind: Kind, accepted: bool) -> Option<(String, Outcome)> {
        let who = match kind {
            Kind::Other => return None,
            Kind::User(name) => {
                self.name = if accepted { name } else { String::new() };
                return None;
            }
            Kind::Pass => self.name.clone(),
            Kind::Logon(name) => name,
        };
        Some((who, if accepted { Outcome::Served } else { Outcome::Failed }))
    }
}

fn pop_command(words: &[&str]) -> Command {
    let kind = match (words.first().map(|w| w.to_uppercase()).as_deref(), words.get(1)) {
        (Some("USER"), name) => Kind::User(person_of(name.map_or("", |n| n.trim_matches('"')))),
        (Some("PASS"), _) => Kind::Pass,
        (Some("AUTH"), Some(_)) => Kind::Logon(String::new()),
        _ => Kind::Other,
    };
    Command { tag: String::new(), kind }
}

fn imap_command(words: &[&str]) -> Command {
    let is = |n: usize, verb: &str| words.get(n).is_some_and(|w| w.eq_ignore_ascii_case(verb));
    let tag = words.first().map_or(String::new(), |w| w.to_string());
    let name = |n: usize| {
        let name = words.get(n).map_or("", |w| w.trim_matches('"'));
        // A literal: the name comes apart, and is not in the log.
        if name.starts_with('{') { String::new() } else { person_of(name) }
    };
    let (tag, kind) = match () {
        () if is(1, "login") => (tag, Kind::Logon(name(2))),
        () if is(1, "authenticate") => (tag, Kind::Logon(String::new())),
        () if is(0, "login") => (String::new(), Kind::Logon(name(1))),
        () => (tag, Kind::Other),
    };
    Command { tag, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts() {
        let cell = r#"R="2 NO AUTHENTICATE failed.";Msg="AuthFailed:LogonDenied,User: a\b;R=ok";ErrMsg=AuthFailed:LogonDenied"#;
        let pairs = context(cell);
        assert_eq!(pairs.get("r").map(|r| r.as_str()), Some("2 NO AUTHENTICATE failed."));
        assert_eq!(pairs.get("errmsg").map(|r| r.as_str()), Some("AuthFailed:LogonDenied"));
        let last = context(r#"R=ok;Budget="Owner:Sid~S-1-5-21-1~Imap~false,Conn:1""#);
        assert_eq!(
            last.get("budget").map(|b| b.as_str()),
            Some("Owner:Sid~S-1-5-21-1~Imap~false,Conn:1")
        );
        assert!(context("").is_empty());
        for forged in [r#"R="ok"; NO LOGIN failed.""#, r#"R="ok"; x=y NO LOGIN failed.""#] {
            assert!(!is_ok(&context(forged)), "{forged}");
        }
        let budget = r#"R=OK;Search="x";Budget="Owner:Sid~S-1-5-1";Budget="Owner:Sid~S-1-5-2""#;
        assert_eq!(context(budget)["budget"], "Owner:Sid~S-1-5-2");
    }

    #[test]
    fn persons() {
        assert_eq!(person_of(r"d\u\m"), r"d\u");
        assert_eq!(person_of("D/u/m"), r"D\u");
        assert_eq!(person_of("D/u"), r"D\u");
        assert_eq!(person_of("u@d/m@d"), "u@d");
        assert_eq!(person_of("u"), "u");
    }

    #[test]
    fn logons() {
        let of =
            |command: &str, service: &str, cell: &str| outcome(command, service, &context(cell));
        assert_eq!(of("user", "pop3", "R=OK"), None);
        assert_eq!(of("pass", "pop3", "R=OK"), Some(Outcome::Served));
        assert_eq!(of("pass", "pop3", "R=OK;Msg=Proxy:x:1995:SSL"), Some(Outcome::Failed));
        assert_eq!(
            of("pass", "pop3", "R=OK;Msg=\"Proxy:x:1995:SSL;ProxySuccess\""),
            Some(Outcome::Served)
        );
        assert_eq!(of("login", "imap4", "R=\"aXSV NO LOGIN failed.\""), Some(Outcome::Failed));
        assert_eq!(of("login", "imap4", "R=ok;ErrMsg=ProxyFailed"), Some(Outcome::Failed));
        assert_eq!(of("login", "imap4", ""), Some(Outcome::Failed));
        assert_eq!(of("select", "imap4", "R=ok"), Some(Outcome::Continued));
        assert_eq!(of("capability", "imap4", "R=ok"), None);
    }

    #[test]
    fn older_sessions() {
        let mut session = Session::default();
        assert_eq!(session.say("<", "USER anna", "pop3"), None);
        assert_eq!(session.say(">", "+OK", "pop3"), None);
        assert_eq!(session.say("<", "PASS *****", "pop3"), None);
        assert_eq!(
            session.say(">", "+OK logged on", "pop3"),
            Some(("anna".into(), Outcome::Served))
        );
        let mut session = Session::default();
        assert_eq!(session.say("<", "a1 LOGIN contoso/anna *****", "imap4"), None);
        assert_eq!(session.say(">", "* CAPABILITY", "imap4"), None);
        assert_eq!(
            session.say(">", "a1 NO x", "imap4"),
            Some(("contoso\\anna".into(), Outcome::Failed))
        );
    }
}
