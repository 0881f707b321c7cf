//! What one HTTP row tells: the decision that every HTTP-shaped log shares.
//!
//! `counting.md` section 2, and the format reference sections 2 to 7. The row is judged by what
//! the server wrote, never by what a client claims.

mod agent;
mod path;
mod query;

pub use agent::Agent;
pub use path::Path;

use std::borrow::Cow;

use crate::activesync;
use crate::event::{Client, DeviceEvidence, Marks, Outcome};
use crate::format::Scope;
use crate::network;
use crate::service::{Service, contains_ignore_case, ends_with_ignore_case};

/// The fields of one HTTP row; empty where the log has no such column or `-` stands in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// `cs-username`.
    pub user: &'a [u8],
    /// `cs-method`.
    pub method: &'a [u8],
    /// `cs-uri-stem`.
    pub stem: &'a [u8],
    /// `cs-uri-query`.
    pub query: &'a [u8],
    /// `s-port`.
    pub port: &'a [u8],
    /// `c-ip`, or the address that a believed proxy forwarded.
    pub client: &'a [u8],
    /// `cs(User-Agent)`.
    pub agent: &'a [u8],
    /// `sc-status`.
    pub status: u32,
    /// `sc-substatus`, 0 where the log has none.
    pub substatus: u32,
}

/// What the row tells, without the device.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The service behind the stem.
    pub service: Service,
    /// What happened; `None` for the way to a logon, which counts nowhere.
    pub outcome: Option<Outcome>,
    /// What later rules need.
    pub marks: Marks,
    /// ActiveSync device id.
    pub device_id: Option<Cow<'a, [u8]>>,
}

/// Whether a value in the user column names nobody: empty, `-`, or the literal `Anonymous` that
/// Exchange back ends write.
#[inline]
pub fn is_nobody(user: &[u8]) -> bool {
    user.is_empty() || user == b"-" || user.eq_ignore_ascii_case(b"anonymous")
}

/// Judges one row.
pub fn judge<'a>(row: &Request<'a>) -> Verdict<'a> {
    judge_known(row, &Path::of(row.stem), Agent::of(row.agent))
}

/// Judges one row whose stem and user agent have been looked at before.
pub fn judge_known<'a>(row: &Request<'a>, path: &Path, agent: Agent) -> Verdict<'a> {
    let service = match path.service {
        // The terminal services gateway shares the path of Outlook Anywhere.
        Service::OutlookAnywhere if row.query.ends_with(b":3388") => Service::Web,
        service => service,
    };
    let somebody = !is_nobody(row.user);
    let mut marks = Marks::NONE;
    if path.administrative {
        marks |= Marks::ADMINISTRATIVE;
    }
    if path.session_service && !somebody {
        marks |= Marks::SESSION_SERVICE;
    }
    if !somebody && (path.way_in || !matches!(row.status, 100..=299)) {
        // Only the way to a logon: nobody asks for more.
        return Verdict { service, outcome: None, marks, device_id: None };
    }
    if agent.is_probe(row.query) {
        marks |= Marks::PROBE_AGENT;
    }
    let back_end = row.port == b"444" || row.port == b"81" || path.eas_proxy;
    let (query, eas) = match service {
        Service::Eas => query::of_device(row.query),
        _ => (query::marks(row.query), activesync::Query::default()),
    };
    if back_end || query.handed_on {
        marks |= Marks::BACK_END;
    }
    let outcome = if somebody {
        if row.user.ends_with(b"$") && contains_ignore_case(row.query, b"PrxFrom:") {
            marks |= Marks::PROXYING_SERVER;
        }
        let outcome = outcome_of_somebody(row, path, query.no_cookies, eas.blocked);
        if outcome == Some(Outcome::Refused) {
            if eas.blocked {
                marks |= Marks::BLOCKED;
            } else if path.owa_logon && row.status < 400 {
                marks |= Marks::LOGON_ONLY;
            }
        } else if outcome == Some(Outcome::Served) && row.status >= 400 {
            marks |= Marks::CLIENT_ERROR;
        }
        outcome
    } else {
        Some(Outcome::Anonymous)
    };
    Verdict { service, outcome, marks, device_id: eas.device_id }
}

/// A row with a name, in the order of `counting.md` section 2.
fn outcome_of_somebody(
    row: &Request<'_>,
    path: &Path,
    no_cookies: bool,
    blocked: bool,
) -> Option<Outcome> {
    let outcome = match row.status {
        440 => Outcome::Failed,
        _ if no_cookies => Outcome::Failed,
        401 if matches!(row.substatus, 3 | 4 | 5 | 7) => Outcome::Refused,
        401 | 407 => Outcome::Failed,
        530 if is_ftp_logon(row.method) => Outcome::Failed,
        403 | 449 | 500..=599 => Outcome::Refused,
        100..=499 if blocked || path.owa_logon => Outcome::Refused,
        100..=499 => Outcome::Served,
        _ => return None,
    };
    Some(outcome)
}

fn is_ftp_logon(method: &[u8]) -> bool {
    let verb = memchr::memrchr(b']', method).map_or(method, |i| &method[i + 1..]);
    verb.eq_ignore_ascii_case(b"PASS") || verb.eq_ignore_ascii_case(b"USER")
}

/// What a row shows of the device, and the mark that goes with it.
///
/// Back-end rows show none. Where nobody is named, the address alone is kept, and only where a later
/// rule has to tell addresses apart: inside, behind a ticket service, or beside a device id that the
/// exemption for anonymous internet users does not cover.
pub fn device_of<'r>(
    row: &Request<'r>,
    device_id: &'r [u8],
    client: Client,
    marks: Marks,
) -> (DeviceEvidence<'r>, Marks) {
    let address = || network::host(row.client);
    if marks.has(Marks::BACK_END) {
        (DeviceEvidence::None, marks)
    } else if !is_nobody(row.user) {
        let device = match (device_id, client) {
            (b"", Client::Unknown) => DeviceEvidence::None,
            (b"", _) => DeviceEvidence::Address { address: address(), agent: row.agent },
            (id, _) => DeviceEvidence::ActiveSync(id),
        };
        (device, marks)
    } else {
        let marks = if device_id.is_empty() { marks } else { marks | Marks::DEVICE_ID };
        let told_apart = !matches!(client, Client::Outside | Client::Unknown)
            || marks.has(Marks::SESSION_SERVICE)
            || marks.has(Marks::DEVICE_ID);
        let device = match told_apart && client != Client::Unknown {
            true => DeviceEvidence::Address { address: address(), agent: b"" },
            false => DeviceEvidence::None,
        };
        (device, marks)
    }
}

/// `MailboxId=<guid>@<domain>` of a back-end row that says `Anonymous`: it names the mailbox where
/// the user column names nobody. Empty for every other row.
pub fn hidden_mailbox<'a>(row: &Request<'a>, outcome: Outcome, marks: Marks) -> &'a [u8] {
    const KEY: &[u8] = b"MailboxId=";
    if outcome != Outcome::Anonymous || !marks.has(Marks::BACK_END) {
        return b"";
    }
    row.query
        .split(|b| matches!(b, b'&' | b'?'))
        .find_map(|pair| {
            let (key, value) = pair.split_at_checked(KEY.len())?;
            key.eq_ignore_ascii_case(KEY).then_some(value)
        })
        .unwrap_or_default()
}

/// Where a client stands, seen from the server that wrote the row.
pub fn client_of(address: &[u8], server_address: &[u8], scope: &Scope) -> Client {
    let address = network::host(address);
    if address.starts_with(b"127.")
        || (!address.is_empty() && address == network::host(server_address))
    {
        return Client::Loopback;
    }
    match network::ip(address) {
        None => Client::Unknown,
        Some(ip) if network::is_loopback_ip(ip) => Client::Loopback,
        Some(ip) if scope.reverse_proxies.contains_ip(ip) => Client::Proxy,
        Some(ip) if scope.internal.contains_ip(ip) => Client::Inside,
        Some(_) => Client::Outside,
    }
}

/// The client's address: `c-ip`, or where that is a believed proxy the right-most forwarded
/// address that is not one itself.
pub fn client_address<'a>(peer: &'a [u8], forwarded: &'a [u8], scope: &Scope) -> &'a [u8] {
    if forwarded.is_empty() || !scope.reverse_proxies.contains(peer) {
        return peer;
    }
    let listed = |a: &&[u8]| scope.reverse_proxies.contains(a);
    let addresses = forwarded.rsplit(|b| *b == b',').map(|a| a.trim_ascii().trim_ascii_start());
    let addresses = addresses.map(|a| a.strip_prefix(b"+").unwrap_or(a));
    addresses.filter(|a| network::ip(a).is_some()).find(|a| !listed(a)).unwrap_or(peer)
}

/// Whether the method is an SMTP verb that no HTTP or FTP client sends.
pub fn is_smtp_verb(method: &[u8]) -> bool {
    const VERBS: [&[u8]; 7] = [b"HELO", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"BDAT", b"RSET"];
    VERBS.iter().any(|v| method.eq_ignore_ascii_case(v)) || ends_with_ignore_case(method, b"xxxx")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(user: &'a str, status: u32, stem: &'a str, query: &'a str) -> Request<'a> {
        Request {
            user: user.as_bytes(),
            status,
            stem: stem.as_bytes(),
            query: query.as_bytes(),
            ..Request::default()
        }
    }

    fn outcome(row: &Request<'_>) -> Option<Outcome> {
        judge(row).outcome
    }

    #[test]
    fn a_name_on_a_401_row_is_a_failure() {
        let mut r = row("C\\u", 401, "/owa/", "");
        assert_eq!(outcome(&r), Some(Outcome::Failed));
        for sub in [3, 4, 5, 7] {
            r.substatus = sub;
            assert_eq!(outcome(&r), Some(Outcome::Refused), "401.{sub}");
        }
        for sub in [1, 2, 111] {
            r.substatus = sub;
            assert_eq!(outcome(&r), Some(Outcome::Failed), "401.{sub}");
        }
    }

    #[test]
    fn a_forms_logon_without_cookies_is_a_failure_whatever_the_status_says() {
        for mark in ["LogoffReason=NoCookiesGetOrE14AuthPost", "logoffreason=nocookiespost"] {
            let query = format!("&ClientId=kK1&CorrelationID=<empty>;&{mark}&encoding=;");
            assert_eq!(
                outcome(&row("a@b.net", 302, "/owa/auth.owa", &query)),
                Some(Outcome::Failed)
            );
            assert_eq!(outcome(&row("-", 302, "/owa/auth.owa", &query)), None);
        }
        assert_eq!(outcome(&row("a@b.net", 440, "/owa/", "")), Some(Outcome::Failed));
        let other = "&LogoffReason=LoginTimeoutPost";
        assert_eq!(outcome(&row("a@b.net", 302, "/owa/", other)), Some(Outcome::Served));
    }

    #[test]
    fn a_bare_logon_post_is_a_logon_and_not_yet_a_use() {
        let v = judge(&row("joergs", 302, "/owa/auth.owa", "&encoding=;"));
        assert_eq!((v.outcome, v.marks.has(Marks::LOGON_ONLY)), (Some(Outcome::Refused), true));
    }

    #[test]
    fn a_block_mark_refuses_at_any_status() {
        let v = judge(&row(
            "C\\u",
            200,
            "/Microsoft-Server-ActiveSync/default.eas",
            "DeviceId=x&Log=V1_As:BlockedP",
        ));
        assert_eq!((v.outcome, v.marks.has(Marks::BLOCKED)), (Some(Outcome::Refused), true));
    }

    #[test]
    fn the_statuses_of_somebody_and_of_nobody() {
        for (status, somebody, nobody) in [
            (100, Some(Outcome::Served), Some(Outcome::Anonymous)),
            (200, Some(Outcome::Served), Some(Outcome::Anonymous)),
            (304, Some(Outcome::Served), None),
            (403, Some(Outcome::Refused), None),
            (404, Some(Outcome::Served), None),
            (407, Some(Outcome::Failed), None),
            (449, Some(Outcome::Refused), None),
            (503, Some(Outcome::Refused), None),
            (0, None, None),
            (600, None, None),
        ] {
            assert_eq!(outcome(&row("C\\u", status, "/ews/x.asmx", "")), somebody, "{status}");
            for name in ["-", "", "Anonymous", "ANONYMOUS"] {
                assert_eq!(
                    outcome(&row(name, status, "/ews/x.asmx", "")),
                    nobody,
                    "{status} {name}"
                );
            }
        }
    }

    #[test]
    fn an_answer_4xx_is_served_and_marked() {
        for (status, marked) in
            [(200, false), (302, false), (404, true), (449, false), (403, false)]
        {
            let marks = judge(&row("C\\u", status, "/ews/x.asmx", "")).marks;
            assert_eq!(marks.has(Marks::CLIENT_ERROR), marked, "{status}");
        }
    }

    #[test]
    fn back_ends_are_told_by_port_path_and_marks() {
        let mut r = row("C\\u", 200, "/mapi/emsmdb/", "");
        assert!(!judge(&r).marks.has(Marks::BACK_END));
        r.port = b"444";
        assert!(judge(&r).marks.has(Marks::BACK_END));
        let proxy = row("C\\u", 200, "/Microsoft-Server-ActiveSync/Proxy/default.eas", "");
        assert!(judge(&proxy).marks.has(Marks::BACK_END));
        let marked = row("C\\u", 200, "/mapi/emsmdb/", "&FrontEnd=EX03.CONTOSO.COM&RequestId=1");
        assert!(judge(&marked).marks.has(Marks::BACK_END));
    }

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_listed_proxy() {
        let scope = Scope {
            reverse_proxies: Networks::parse(["10.0.0.1", "10.0.0.2"]).unwrap(),
            ..Scope::default()
        };
        let forwarded = b"6.6.6.6,203.0.113.9,+10.0.0.2";
        assert_eq!(client_address(b"10.0.0.1", forwarded, &scope), b"203.0.113.9");
        assert_eq!(client_address(b"10.0.0.7", forwarded, &scope), b"10.0.0.7");
        assert_eq!(client_address(b"10.0.0.1", b"unknown", &scope), b"10.0.0.1");
    }
    use crate::network::Networks;

    #[test]
    fn probe_agents() {
        for agent in [
            "AMProbe/Local/ClientAccess",
            "Ews_AM_Probe/Local+(x)",
            "MapiHttpClient",
            "x;MSEXCHMON;+y",
        ] {
            assert!(Agent::of(agent.as_bytes()).is_probe(b""), "{agent}");
        }
        assert!(
            Agent::of(b"Microsoft+WinRM+Client")
                .is_probe(b"?clientApplication=ActiveMonitor;PSVersion=5")
        );
        assert!(!Agent::of(b"Microsoft+WinRM+Client").is_probe(b"?clientApplication=EMC"));
        assert!(!Agent::of(b"Outlook-iOS-Android/1.0").is_probe(b""));
    }
}
