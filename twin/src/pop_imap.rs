//! Exchange POP3 and IMAP4 protocol logs: the schema of 2013 and later, and that of 2007 and 2010.

use crate::config::Config;
use crate::event::{Event, Join, Line, Outcome, Reading};
use crate::iis_w3c::address_device;
use crate::network;
use crate::text;
use std::collections::BTreeMap;

/// The columns of 2016 and later; 2013 has all but the last.
const KNOWN: &str = "datetime,sessionid,seqnumber,sip,cip,user,duration,rqsize,rpsize,command,parameters,context,puid";

/// Reads a POP3 (`pop3`) or IMAP4 (`imap4`) log.
pub(crate) fn read(lines: &[String], path: &str, service: &str, config: &Config) -> Reading {
    let mut reading = Reading { format: format!("exchange-{service}"), ..Default::default() };
    let mut columns: Option<Vec<String>> = None;
    let mut typed: BTreeMap<String, Typed> = BTreeMap::new();
    for line in lines {
        let line = text::clean(line);
        if text::is_blank(line) {
            reading.lines.push(Line::Blank);
            continue;
        }
        if line.starts_with('#') {
            if let Some(value) = text::directive(line, "Fields") {
                columns = columns_of(value);
            }
            reading.lines.push(Line::Directive);
            continue;
        }
        let Some(cells) = text::commas(line) else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        if ["datetime", "date-time"].contains(&cells[0].to_lowercase().as_str()) {
            columns = columns_of(line);
            reading.lines.push(Line::Directive);
            continue;
        }
        let names = match &columns {
            Some(names) => names.clone(),
            None => {
                reading.warnings.insert("assumed-fields".to_string());
                let all: Vec<String> = KNOWN.split(',').map(|n| n.to_string()).collect();
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
            let session = typed.entry(cell("session-id").to_string()).or_default();
            if let Some((who, outcome)) = session.say(cell("event"), cell("data"), service) {
                reading.events.extend(row.event(&who, outcome, None));
            }
            continue;
        }
        let context = context(cell("context"));
        let user = person_of(cell("user"));
        let command = cell("command").trim().to_lowercase();
        let outcome = outcome(&command, service, &context);
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

fn columns_of(value: &str) -> Option<Vec<String>> {
    let names: Vec<String> = value.split(',').map(|n| n.trim().to_lowercase()).collect();
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

    fn event(&self, who: &str, outcome: Outcome, client: Option<String>) -> Option<Event> {
        if who.is_empty() {
            return None;
        }
        let file = self.path.rsplit(['/', '\\']).next().unwrap_or("").to_uppercase();
        let mut event = Event::new(self.time, &self.server(), self.service);
        event.product = "exchange".to_string();
        event.who = Some(who.to_string());
        event.outcome = outcome;
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

/// The keys (lower case) and values of a context cell; the first of equal keys stands.
pub(crate) fn context(cell: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = cell;
    while let Some((key, after)) = rest.split_once('=') {
        let value;
        if let Some(quoted) = after.strip_prefix('"') {
            let end = quoted.find("\";").or(quoted.rfind('"')).unwrap_or(quoted.len());
            value = &quoted[..end];
            rest = quoted[end..].trim_start_matches('"').trim_start_matches(';');
        } else {
            let end = after.find(';').unwrap_or(after.len());
            value = &after[..end];
            rest = after[end..].trim_start_matches(';');
        }
        pairs.entry(key.trim().to_lowercase()).or_insert(value.to_string());
    }
    pairs
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
struct Typed {
    name: String,
    /// The tag of a logon command that waits for its answer; POP3 has none.
    waiting: Option<String>,
}

impl Typed {
    /// Takes one row; answers who logged on, and how it went, when this row settles it.
    fn say(&mut self, event: &str, data: &str, service: &str) -> Option<(String, Outcome)> {
        let words: Vec<&str> = data.split_whitespace().collect();
        let word = |n: usize| words.get(n).copied().unwrap_or("");
        let name = |n: usize| person_of(word(n).trim_matches('"'));
        match (event, service) {
            ("<", "pop3") => match word(0).to_uppercase().as_str() {
                "USER" => self.name = name(1),
                "PASS" | "AUTH" => self.waiting = Some(String::new()),
                _ => {}
            },
            ("<", _) => {
                if word(1).eq_ignore_ascii_case("login") {
                    self.name = name(2);
                    self.waiting = Some(word(0).to_string());
                } else if word(0).eq_ignore_ascii_case("login") {
                    self.name = name(1);
                    self.waiting = Some(String::new());
                } else if word(1).eq_ignore_ascii_case("authenticate") {
                    self.waiting = Some(word(0).to_string());
                }
            }
            (">", "pop3") if self.waiting.is_some() => {
                let outcome = match word(0) {
                    "+OK" => Outcome::Served,
                    "-ERR" => Outcome::Failed,
                    _ => return None,
                };
                self.waiting = None;
                return Some((self.name.clone(), outcome));
            }
            (">", _) => {
                let tag = self.waiting.clone()?;
                if word(0) == "*" || word(0) == "+" || (!tag.is_empty() && word(0) != tag) {
                    return None;
                }
                let outcome = match word(1).to_uppercase().as_str() {
                    "OK" => Outcome::Served,
                    "NO" | "BAD" => Outcome::Failed,
                    _ => return None,
                };
                self.waiting = None;
                return Some((self.name.clone(), outcome));
            }
            _ => {}
        }
        None
    }
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
        let mut session = Typed::default();
        assert_eq!(session.say("<", "USER anna", "pop3"), None);
        assert_eq!(session.say(">", "+OK", "pop3"), None);
        assert_eq!(session.say("<", "PASS *****", "pop3"), None);
        assert_eq!(
            session.say(">", "+OK logged on", "pop3"),
            Some(("anna".into(), Outcome::Served))
        );
        let mut session = Typed::default();
        assert_eq!(session.say("<", "a1 LOGIN contoso/anna *****", "imap4"), None);
        assert_eq!(session.say(">", "* CAPABILITY", "imap4"), None);
        assert_eq!(
            session.say(">", "a1 NO x", "imap4"),
            Some(("contoso\\anna".into(), Outcome::Failed))
        );
    }
}
