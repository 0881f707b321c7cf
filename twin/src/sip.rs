//! SIP exchanges: what the messages of all traces of a server say together.

use crate::config::Config;
use crate::event::{Device, Event, Join, Outcome, Outsider};
use crate::iis_w3c::address_device;
use crate::network;
use crate::ocs_trace::{Record, domain_of, outside_uri, parameter, uri};
use crate::text;
use std::collections::{BTreeMap, BTreeSet};

/// The requests and responses of one transaction, all their copies.
#[derive(Default)]
struct Exchange<'a> {
    requests: Vec<&'a Record>,
    responses: Vec<&'a Record>,
}

/// Settles what the messages of all files of all servers say: an exchange is one, however many servers
/// logged it, at the server that logged its answer first.
pub(crate) fn unite(
    records: Vec<Record>,
    config: &Config,
    events: &mut Vec<Event>,
    joins: &mut Vec<Join>,
) {
    // Exchanges by Call-ID, From-tag, CSeq number and method.
    type Key = (String, String, u64, String);
    let mut exchanges: BTreeMap<Key, Exchange<'_>> = BTreeMap::new();
    for record in &records {
        let call = record.header("call-id").to_string();
        let tag = parameter(outside_uri(record.header("from")), "tag").unwrap_or_default();
        let mut words = record.header("cseq").split_whitespace();
        let number = words.next().and_then(|n| n.parse::<u64>().ok());
        let (Some(number), Some(method)) = (number, words.next()) else { continue };
        if call.is_empty() {
            continue;
        }
        let key = (call, tag, number, method.to_uppercase());
        let exchange = exchanges.entry(key).or_default();
        if record.is_request() {
            exchange.requests.push(record);
        } else {
            exchange.responses.push(record);
        }
    }

    // Own domains: configured, else those that registered.
    let accepted = |exchange: &Exchange<'_>| {
        exchange
            .responses
            .iter()
            .filter(|r| (200..300).contains(&r.status()) && r.is_authenticated())
            .count()
            > 0
    };
    let mut own: BTreeSet<String> = config.sip_domains.iter().map(|d| d.to_lowercase()).collect();
    if own.is_empty() {
        for ((_, _, _, method), exchange) in &exchanges {
            if method == "REGISTER" && accepted(exchange) {
                let from = uri(from_of(exchange));
                if !is_guest(&from) {
                    own.insert(domain_of(&from));
                }
            }
        }
    }

    // An endpoint that registers with both identifiers is one device.
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for ((_, _, _, method), exchange) in &exchanges {
        if method == "REGISTER"
            && accepted(exchange)
            && let (Some(instance), Some(epid)) = (instance_of(exchange), epid_of(exchange))
        {
            let mut group: BTreeSet<String> = [instance, epid].into();
            let (with, without): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|other| !other.is_disjoint(&group));
            groups = without;
            group.extend(with.into_iter().flatten());
            groups.push(group);
        }
    }
    let mut same: BTreeMap<String, String> = BTreeMap::new();
    for group in groups {
        let Some(first) = group.iter().find(|id| id.starts_with("sip:")).cloned() else { continue };
        same.extend(group.into_iter().map(|id| (id, first.clone())));
    }

    for ((call, tag, number, method), exchange) in &exchanges {
        if method == "REGISTER" {
            let last_round = !exchanges.iter().any(|((c, t, n, m), later)| {
                (c, t, m) == (call, tag, method)
                    && n > number
                    && later.responses.iter().any(|r| r.status() >= 200)
            });
            register(exchange, last_round, &same, config, events, joins);
        } else {
            other_method(method, exchange, &own, &same, config, events);
        }
    }
}

fn is_guest(from: &str) -> bool {
    domain_of(from) == "anonymous.invalid"
}

fn from_of<'a>(exchange: &Exchange<'a>) -> &'a str {
    let all = exchange.requests.iter().chain(&exchange.responses);
    all.map(|record| record.header("from")).find(|from| !from.is_empty()).unwrap_or("")
}

fn epid_of(exchange: &Exchange<'_>) -> Option<String> {
    let all = exchange.requests.iter().chain(&exchange.responses);
    all.filter_map(|record| parameter(outside_uri(record.header("from")), "epid"))
        .find(|epid| !epid.is_empty())
        .map(|epid| format!("epid:{}", epid.to_lowercase()))
}

/// The `+sip.instance` of the request's contact, else of the only contact that the response lists.
fn instance_of(exchange: &Exchange<'_>) -> Option<String> {
    let of = |records: &[&Record]| {
        let mut found = BTreeSet::new();
        for contact in records.iter().flat_map(|r| r.all("contact")) {
            for piece in contact.to_lowercase().split("+sip.instance=").skip(1) {
                let id = piece.trim_start_matches(['"', '<']);
                let id: String =
                    id.chars().take_while(|c| !matches!(c, '"' | '>' | ';' | ',')).collect();
                found.insert(format!("sip:{id}"));
            }
        }
        found
    };
    let asked = of(&exchange.requests);
    if let Some(instance) = asked.into_iter().next() {
        return Some(instance);
    }
    let answered = of(&exchange.responses);
    if answered.len() == 1 { answered.into_iter().next() } else { None }
}

/// Whether a request or its answer signs out.
fn is_sign_out(exchange: &Exchange<'_>) -> bool {
    exchange.requests.iter().any(|request| {
        let contact_zero = !request.header("contact").is_empty()
            && request
                .all("contact")
                .iter()
                .all(|c| parameter(c, "expires").as_deref() == Some("0"));
        request.header("expires").trim() == "0" || contact_zero
    }) || (exchange.requests.is_empty()
        && exchange.responses.iter().any(|response| response.header("expires").trim() == "0"))
}

/// The first of the responses that fit.
fn first<'a>(exchange: &Exchange<'a>, fits: &dyn Fn(&Record) -> bool) -> Option<&'a Record> {
    exchange.responses.iter().copied().filter(|r| fits(r)).min_by_key(|r| r.time)
}

/// An event by the exchange's From, with its device.
fn event(
    answer: &Record,
    service: &str,
    exchange: &Exchange<'_>,
    same: &BTreeMap<String, String>,
    config: &Config,
) -> Event {
    let mut event = Event::new(answer.time, &answer.server, service);
    event.shown = exchange.responses.iter().filter_map(|r| shown_version(r)).max();
    event.product = "ocs".to_string();
    event.who = Some(uri(from_of(exchange))).filter(|who| !who.is_empty());
    let clients: Vec<&&Record> = exchange
        .requests
        .iter()
        .filter(|r| r.incoming && client_address(r, config).is_some())
        .collect();
    let first = clients.iter().min_by_key(|r| (r.time, r.peer.clone()));
    event.address = first.and_then(|r| client_address(r, config));
    event.class = network::class(event.address.as_deref(), None, &config.internal_networks);
    let agent = first.map_or("", |r| r.header("user-agent"));
    let id = instance_of(exchange).or(epid_of(exchange));
    event.device = match (id, &event.address) {
        (Some(id), _) => Some(Device::Identified(same.get(&id).cloned().unwrap_or(id))),
        (None, Some(address)) => Some(address_device(address, agent, config)),
        (None, None) => None,
    };
    event
}

/// The peer's address where the peer is a client: an address that is no listed server's.
fn client_address(record: &Record, config: &Config) -> Option<String> {
    let address = network::without_port(&record.peer);
    let is_address = address.parse::<std::net::IpAddr>().is_ok();
    (is_address && config.server_by_address(&address).is_none()).then_some(address)
}

/// The version that the server says of itself: `RTC/3.5`.
fn shown_version(answer: &Record) -> Option<(u32, u32)> {
    let rest = answer.header("server").trim().strip_prefix("RTC/")?;
    let mut numbers = rest.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

/// What a REGISTER exchange shows.
fn register(
    exchange: &Exchange<'_>,
    last_round: bool,
    same: &BTreeMap<String, String>,
    config: &Config,
    events: &mut Vec<Event>,
    joins: &mut Vec<Join>,
) {
    let is_2xx = |r: &Record| (200..300).contains(&r.status());
    if let Some(answer) = first(exchange, &is_2xx) {
        if is_sign_out(exchange) {
            return;
        }
        let mut event = event(answer, "sip", exchange, same, config);
        let from = event.who.clone().unwrap_or_default();
        let digest = exchange.responses.iter().chain(&exchange.requests).any(|r| r.is_digest());
        let accepted = exchange.responses.iter().any(|r| is_2xx(r) && r.is_authenticated());
        if is_guest(&from) || (digest && !accepted) {
            event.outcome = Outcome::Served;
            event.outsider = Some(Outsider::Guest);
            events.push(event);
        } else if accepted {
            event.outcome = Outcome::Served;
            for blob in exchange.requests.iter().filter_map(|r| ntlm_name(r)) {
                joins.push(Join { time: answer.time, a: from.clone(), b: blob });
            }
            events.push(event);
        } else {
            vouch(event, exchange, config, events);
        }
        return;
    }
    let refused = first(exchange, &|r| matches!(r.status(), 403 | 404));
    let challenged = first(exchange, &|r| matches!(r.status(), 401 | 407));
    let failed = match (refused, challenged) {
        (Some(answer), _) => Some(answer),
        (None, Some(answer)) if last_round => Some(answer),
        _ => None,
    };
    if let Some(answer) = failed {
        let mut event = event(answer, "sip", exchange, same, config);
        event.outcome = Outcome::Failed;
        if is_guest(event.who.as_deref().unwrap_or("")) {
            event.outsider = Some(Outsider::Guest);
        }
        events.push(event);
    }
}

/// What an exchange of another method shows.
fn other_method(
    method: &str,
    exchange: &Exchange<'_>,
    own: &BTreeSet<String>,
    same: &BTreeMap<String, String>,
    config: &Config,
    events: &mut Vec<Event>,
) {
    let Some(answer) = first(exchange, &|r| (200..300).contains(&r.status())) else { return };
    if exchange.requests.is_empty() {
        return;
    }
    let service = exchange.requests.iter().map(|r| service_of(method, r)).find(|s| *s != "sip");
    let mut event = event(answer, service.unwrap_or("sip"), exchange, same, config);
    let from = event.who.clone().unwrap_or_default();
    event.outcome = Outcome::Served;
    let authenticated = exchange.requests.iter().any(|r| r.is_authenticated());
    let digest = exchange.requests.iter().any(|r| r.is_digest());
    if is_guest(&from) || (digest && !authenticated) {
        event.outsider = Some(Outsider::Guest);
        events.push(event);
        return;
    }
    // What a client writes itself, with credentials that are accepted, no edge has said.
    let own_words = |r: &Record| r.is_authenticated() && client_address(r, config).is_some();
    let marked = exchange.requests.iter().any(|r| is_marked_federated(r) && !own_words(r));
    let local = from.strip_prefix("sip:").unwrap_or(&from).split('@').next().unwrap_or("");
    let telephone = local.starts_with('+') && local[1..].chars().all(|c| c.is_ascii_digit());
    let acted_for = !authenticated && exchange.requests.iter().any(|r| acting(r).is_some());
    if marked || telephone || (!acted_for && !own.contains(&domain_of(&from))) {
        event.outsider = Some(Outsider::Federated);
        events.push(event);
    } else if authenticated {
        events.push(event);
    } else {
        vouch(event, exchange, config, events);
    }
}

/// The service for which a server acts for people, by the agent of its request.
fn acting(request: &Record) -> Option<&'static str> {
    let agent = request.header("user-agent").to_uppercase();
    if agent.contains("UCWA") || agent.contains("MCX") || agent.contains("MOBILITY") {
        Some("mobility")
    } else if agent.contains("CWA") {
        Some("cwa")
    } else {
        None
    }
}

/// An exchange without credentials: somebody's access if a server that acts for people says so, or,
/// with nobody to vouch for it, if a client at an address was answered.
fn vouch(mut event: Event, exchange: &Exchange<'_>, config: &Config, events: &mut Vec<Event>) {
    for request in exchange.requests.iter().filter(|r| r.incoming) {
        let Some(acting) = acting(request) else {
            if client_address(request, config).is_some() {
                event.outcome = Outcome::AssertedUnlisted;
                events.push(event);
                return;
            }
            continue;
        };
        let peer = network::without_port(&request.peer);
        let listed =
            config.server_by_address(&peer).is_some() || config.server_by_name(&peer).is_some();
        if event.service == "sip" {
            event.service = acting.to_string();
        }
        event.outcome = if listed { Outcome::Asserted } else { Outcome::AssertedUnlisted };
        event.device = None;
        event.address = None;
        events.push(event);
        return;
    }
}

/// Whether the edge says that the party is of another organisation or a public network.
fn is_marked_federated(record: &Record) -> bool {
    let mark = record.header("ms-edge-proxy-message-trust");
    let is = |name: &str, values: &[&str]| {
        parameter(mark, name).is_some_and(|v| values.contains(&v.to_lowercase().as_str()))
    };
    !is("ms-source-type", &["internetuser"])
        && (is("ms-source-network", &["federation", "publiccloud"])
            || is("ms-source-type", &["authorizedserver", "autofederation", "directpartner"]))
}

/// What a request asks for.
fn service_of(method: &str, request: &Record) -> &'static str {
    let target = request.start.split_whitespace().nth(1).unwrap_or("").to_lowercase();
    let body = request.body.to_lowercase();
    let media = |kind: &str| body.lines().any(|line| line.trim().starts_with(&format!("m={kind}")));
    match method {
        "SERVICE"
            if target.contains("app:conf:focusfactory") && body.contains("addconference>") =>
        {
            "conference-create"
        }
        "INVITE" if target.contains("app:conf:") => "conference-join",
        "INVITE" if target.contains(";user=phone") || target.starts_with("tel:") => "voice",
        "INVITE" if media("message") || media("x-ms-message") => "im",
        "MESSAGE" => "im",
        _ => "sip",
    }
}

/// `DOMAIN\user` of an NTLM type 3 message in the request's credentials.
fn ntlm_name(request: &Record) -> Option<String> {
    for (scheme, value) in request.authentication() {
        if scheme != "ntlm" {
            continue;
        }
        let Some(blob) = parameter_whole(&value, "gssapi-data").and_then(|b| text::base64(&b))
        else {
            continue;
        };
        if !blob.starts_with(b"NTLMSSP\0\x03\0\0\0") {
            continue;
        }
        let unicode = blob.get(60).is_some_and(|flags| flags & 1 == 1);
        let part = |offset: usize| {
            let number = |at: usize, n: usize| {
                (0..n)
                    .rev()
                    .try_fold(0usize, |sum, i| Some(sum * 256 + usize::from(*blob.get(at + i)?)))
            };
            let (length, start) = (number(offset, 2)?, number(offset + 4, 4)?);
            let bytes = blob.get(start..start.checked_add(length)?)?;
            if unicode {
                let units: Vec<u16> = bytes
                    .chunks(2)
                    .map(|c| u16::from_le_bytes([c[0], *c.get(1).unwrap_or(&0)]))
                    .collect();
                Some(String::from_utf16_lossy(&units))
            } else {
                Some(bytes.iter().map(|b| char::from(*b)).collect())
            }
        };
        let (domain, user) = (part(28)?, part(36)?);
        if user.is_empty() {
            continue;
        }
        return Some(if domain.is_empty() { user } else { format!("{domain}\\{user}") });
    }
    None
}

/// A quoted parameter whose value may itself contain `=`.
fn parameter_whole(value: &str, name: &str) -> Option<String> {
    let start = value.to_lowercase().find(&format!("{name}=\""))? + name.len() + 2;
    value.get(start..)?.split('"').next().map(|content| content.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocs_trace::message;

    #[test]
    fn the_name_in_an_ntlm_answer() {
        let mut blob = b"NTLMSSP\0\x03\0\0\0".to_vec();
        blob.resize(64, 0);
        blob[60] = 1;
        for (offset, length, start) in [(28usize, 4u8, 64u8), (36, 6, 68)] {
            blob[offset] = length;
            blob[offset + 4] = start;
        }
        blob.extend("AB".encode_utf16().flat_map(u16::to_le_bytes));
        blob.extend("ann".encode_utf16().flat_map(u16::to_le_bytes));
        let data = crate::generate::to_base64(&blob);
        let line = format!("Authorization: NTLM qop=\"auth\", gssapi-data=\"{data}\", x=\"1\"");
        let record = message(0, &["Start-Line: REGISTER sip:contoso.com SIP/2.0", &line]);
        assert_eq!(ntlm_name(&record).as_deref(), Some("AB\\ann"));
    }
}
