//! Exchange SMTP protocol logs, receive and send.

use crate::config::Config;
use crate::event::{Event, Line, Outcome, Reading, Relay};
use crate::iis_w3c::address_device;
use crate::network;
use crate::text;

/// The columns that every version writes.
const KNOWN: &str = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context";

/// Reads an SMTP protocol log; of a send log nobody is read.
pub(crate) fn read(lines: &[String], path: &str, receive: bool, config: &Config) -> Reading {
    let format = if receive { "exchange-smtp-receive" } else { "exchange-smtp-send" };
    let mut reading = Reading { format: format.to_string(), ..Default::default() };
    let mut columns: Option<Vec<String>> = None;
    for line in lines {
        let line = text::clean(line);
        if text::is_blank(line) {
            reading.lines.push(Line::Blank);
            continue;
        }
        if line.starts_with('#') {
            if let Some(value) = text::directive(line, "Fields") {
                let names: Vec<String> =
                    value.split(',').map(|n| n.trim().to_lowercase()).collect();
                columns = if value.is_empty() { None } else { Some(names) };
            }
            reading.lines.push(Line::Directive);
            continue;
        }
        let Some(cells) = text::commas(line) else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        if cells[0].eq_ignore_ascii_case("date-time") {
            columns = Some(cells.iter().map(|name| name.trim().to_lowercase()).collect());
            reading.lines.push(Line::Directive);
            continue;
        }
        let names = columns.clone().unwrap_or_else(|| {
            reading.warnings.insert("assumed-fields".to_string());
            KNOWN.split(',').map(|n| n.to_string()).collect()
        });
        let cell =
            |name: &str| names.iter().position(|n| n == name).map_or("", |i| cells[i].as_str());
        let time = if cells.len() == names.len() { text::instant(cell("date-time")) } else { None };
        let Some(time) = time else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        reading.lines.push(Line::Event);

        let local = network::without_port(cell("local-endpoint"));
        let name = cell("connector-id")
            .split_once('\\')
            .map(|(server, _)| server)
            .filter(|s| !s.is_empty());
        let server =
            config.server_name(name, Some(local.as_str()).filter(|a| !a.is_empty()), None, path);
        reading.server.get_or_insert(server.clone());
        if !receive {
            continue;
        }
        let session = format!("{} {}", cell("session-id"), cell("remote-endpoint"));
        let (kind, data, note) = (cell("event"), cell("data"), cell("context"));
        if kind == "<" && data.to_uppercase().starts_with("XPROXY ") {
            for word in data.split_whitespace() {
                if let Some(("IP", address)) = word.split_once('=') {
                    let (server, session) = (server.clone(), session.clone());
                    let address = Some(network::plain(address));
                    reading.relays.push(Relay { time, server, session, address });
                }
            }
        }
        if kind == "-" {
            let (server, session) = (server.clone(), session.clone());
            reading.relays.push(Relay { time, server, session, address: None });
        }
        if kind != "*" {
            continue;
        }
        let rejected = note.strip_prefix("User Name: ").or(data.strip_prefix("User Name: "));
        let (who, outcome) = match rejected {
            Some(who) => (who.trim(), Outcome::Failed),
            None if note == "authenticated" => (data.trim(), Outcome::Served),
            None => continue,
        };
        if who.is_empty() {
            continue;
        }
        let mut event = Event::new(time, &server, "smtp");
        event.product = "exchange".to_string();
        event.who = Some(who.to_string());
        event.outcome = outcome;
        event.session = Some(session);
        let remote = network::without_port(cell("remote-endpoint"));
        come_from(&mut event, &remote, Some(&local), config);
        reading.events.push(event);
    }
    reading
}

/// States where a submission came from.
pub(crate) fn come_from(event: &mut Event, address: &str, server: Option<&str>, config: &Config) {
    event.address = Some(address.to_string()).filter(|a| !a.is_empty());
    event.back_end = config.server_by_address(address).is_some();
    event.class = network::class(event.address.as_deref(), server, &config.internal_networks);
    event.device = match &event.address {
        Some(address) if !event.back_end => Some(address_device(address, "", config)),
        _ => None,
    };
}
