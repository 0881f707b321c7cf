//! Exchange SMTP protocol logs: receive, which names who authenticated, and send, which names nobody.
//!
//! A session is many rows. Only the row that the server writes when it has accepted credentials
//! says who came: event `*`, context `authenticated`. Everything else is claimed (`MAIL FROM`,
//! `EHLO`) or says nothing about persons (`Set Session Permissions` stands in anonymous sessions
//! too).

use std::borrow::Cow;

use hashbrown::HashMap;

use super::exchange_protocol::{
    self as protocol, Activity, Layout, Open, Protocol, Row, Rows, Schema, Spot, bare,
};
use crate::csv::{self, Fields};
use crate::event::{
    Access, Client, DeviceEvidence, LineErrorKind, Marks, Notice, Outcome, Place, ServerEvidence,
    Sink, Software,
};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::memory::Memory;
use crate::service::{Service, starts_with_ignore_case};
use crate::time::Clock;
use crate::{http, network};

/// Exchange SMTP receive protocol log.
pub struct ExchangeSmtpReceive;

/// Exchange SMTP send protocol log.
pub struct ExchangeSmtpSend;

const REFERENCE: &str = "Microsoft: Protocol logging (Exchange 2007 to 2019)";

impl LogFormat for ExchangeSmtpReceive {
    fn name(&self) -> &'static str {
        "exchange-smtp-receive"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange SMTP receive protocol log, front end, hub and edge, 2007 to 2019",
            written: r"TransportRoles\Logs\…\ProtocolLog\SmtpReceive\RECVyyyymmdd-n.LOG, only for connectors set to Verbose",
            columns: &[
                "date-time",
                "connector-id",
                "session-id",
                "local-endpoint",
                "remote-endpoint",
                "event",
                "data",
                "context",
            ],
            access: "event * with the context authenticated; a name behind `User Name:` is one that failed",
            limits: "an anonymous session names nobody, and MAIL FROM is a claim; devices are addresses, taken from \
                     XPROXY where a front end relays the session and the log holds that row; the version in the \
                     header does not tell the version of Exchange",
            time: "UTC",
            reference: REFERENCE,
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.0.0.0\n\
                      #Log-type: SMTP Receive Protocol Log\n\
                      #Date: 2020-04-02T07:00:14.501Z\n\
                      #Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n\
                      2020-04-02T07:57:37.405Z,EX01\\Client Frontend EX01,08D7D4D2EFBC4CC6,0,10.0.0.11:587,10.1.1.5:50767,+,,\n\
                      2020-04-02T07:57:37.647Z,EX01\\Client Frontend EX01,08D7D4D2EFBC4CC6,15,10.0.0.11:587,10.1.1.5:50767,*,anna@contoso.com,authenticated\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        protocol::detect(head, Protocol::SmtpReceive)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut rows = Reader::new(Protocol::SmtpReceive, segment.scope, &state.open);
        protocol::read(segment, state, Protocol::SmtpReceive, &mut memory.commas, &mut rows, sink);
        state.open = rows.open();
    }
}

impl LogFormat for ExchangeSmtpSend {
    fn name(&self) -> &'static str {
        "exchange-smtp-send"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange SMTP send protocol log: mail that the server sent on",
            written: r"TransportRoles\Logs\…\ProtocolLog\SmtpSend\SENDyyyymmdd-n.LOG, only for connectors set to Verbose",
            columns: &["date-time", "local-endpoint"],
            access: "nothing: the server is the client here",
            limits: "names nobody who reached a server of the organisation",
            time: "UTC",
            reference: REFERENCE,
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.0.0.0\n\
                      #Log-type: SMTP Send Protocol Log\n\
                      #Date: 2020-04-02T07:00:14.501Z\n\
                      #Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n\
                      2020-04-02T07:57:40.105Z,To the internet,08D7D4D2EFBC4CD0,0,,203.0.113.25:25,*,,attempting to connect\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        protocol::detect(head, Protocol::SmtpSend)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut rows = Reader::new(Protocol::SmtpSend, segment.scope, &[]);
        protocol::read(segment, state, Protocol::SmtpSend, &mut memory.commas, &mut rows, sink);
    }
}

struct Reader<'a> {
    own: Protocol,
    /// `None` while `#Log-type` names another log.
    protocol: Option<Protocol>,
    scope: &'a Scope,
    layout: Layout,
    clock: Clock,
    activity: Activity<'a>,
    /// The client's address of sessions that a front end relays, from its `XPROXY` command.
    relayed: HashMap<Box<[u8]>, Box<[u8]>>,
    blind: bool,
}

impl<'a> Reader<'a> {
    fn new(own: Protocol, scope: &'a Scope, open: &[Open]) -> Self {
        Reader {
            own,
            protocol: Some(own),
            scope,
            layout: Layout::default(),
            clock: Clock::default(),
            activity: Activity::new(),
            relayed: open.iter().cloned().collect(),
            blind: false,
        }
    }

    fn open(self) -> Vec<Open> {
        let mut open: Vec<_> = self.relayed.into_iter().collect();
        open.sort_unstable();
        open
    }

    /// A row of a receive log whose columns and instant are good.
    fn received(&mut self, values: &Fields<'a, '_>, place: Place, sink: &mut dyn Sink) {
        let data = values.get(self.layout.data);
        match bare(values.get(self.layout.event)) {
            b"*" => {
                let context = values.get(self.layout.context);
                if bare(context) == b"authenticated" {
                    self.tell(Outcome::Served, csv::unquote(data), values, place, sink);
                } else if let Some(name) = user_name(context).or_else(|| user_name(data)) {
                    self.tell(Outcome::Failed, name, values, place, sink);
                }
            }
            b"<" => {
                if let Some(client) = relayed_client(bare(data)) {
                    self.relayed.insert(self.session(values).into(), client.into());
                }
            }
            // The only session number that anonymised copies leave may be used again.
            b"+" | b"-" if !self.relayed.is_empty() => {
                self.relayed.remove(&*self.session(values));
            }
            _ => {}
        }
    }

    /// What tells a session from others: numbers begin anew with the service, and anonymised copies
    /// have only zeros.
    fn session(&self, values: &Fields<'a, '_>) -> Vec<u8> {
        let session = bare(values.get(self.layout.session));
        [session, bare(values.get(self.layout.remote))].join(&b' ')
    }

    fn tell(
        &self,
        outcome: Outcome,
        name: Cow<'_, [u8]>,
        values: &Fields<'a, '_>,
        place: Place,
        sink: &mut dyn Sink,
    ) {
        let name = name.trim_ascii();
        let mut outcome = outcome;
        let mut marks = Marks::NONE;
        if name.is_empty() {
            if outcome == Outcome::Failed {
                return;
            }
            // Somebody authenticated, and the row hides who.
            outcome = Outcome::Anonymous;
            marks |= Marks::SESSION_SERVICE;
        } else if is_system_account(name) {
            marks |= Marks::SERVER_TO_SERVER;
        }
        let server = self.server(values);
        let relayed = match self.relayed.is_empty() {
            true => None,
            false => self.relayed.get(&*self.session(values)),
        };
        let address = match relayed {
            Some(client) => client,
            None => network::host(bare(values.get(self.layout.remote))),
        };
        let client = http::client_of(address, server.address, self.scope);
        let device = match client {
            Client::Unknown => DeviceEvidence::None,
            _ => DeviceEvidence::Address { address, agent: b"" },
        };
        let access = Access {
            server,
            service: Service::Smtp,
            outcome,
            principal: name,
            acted_for: b"",
            device,
            client,
            marks,
        };
        sink.access(place, &access);
    }

    /// The server by the connector, `SERVER\Connector name`, and by its end of the connection.
    fn server(&self, values: &Fields<'a, '_>) -> ServerEvidence<'a> {
        let local = bare(values.get(self.layout.local));
        ServerEvidence {
            name: self.server_name(values),
            address: network::host(local),
            target: b"",
            software: Software::Unknown,
        }
    }

    /// Connectors of a send log belong to the organisation, not to a server.
    fn server_name(&self, values: &Fields<'a, '_>) -> &'a [u8] {
        if self.own == Protocol::SmtpSend {
            return b"";
        }
        let connector = values.get(self.layout.connector);
        let connector = connector.strip_prefix(b"\"").unwrap_or(connector);
        memchr::memchr(b'\\', connector).map_or(b"", |at| &connector[..at])
    }
}

impl<'a> Rows<'a> for Reader<'a> {
    fn header(&mut self, state: &State) {
        self.protocol = self.own.in_force(state);
        self.layout = state.columns.as_ref().map(|names| Layout::of(names)).unwrap_or_default();
    }

    fn row(
        &mut self,
        row: Row<'a, '_>,
        at: Spot,
        sink: &mut dyn Sink,
    ) -> Result<i64, LineErrorKind> {
        if self.protocol != Some(self.own) {
            return Err(LineErrorKind::Shape);
        }
        let values = self.layout.split(row, false)?;
        let instant = self.layout.instant_of(&values, &mut self.clock, "date-time")?;
        let local = bare(values.get(self.layout.local));
        // Before it is connected a sending session has no local end, and names no server.
        if self.own == Protocol::SmtpReceive || !local.is_empty() {
            let name = self.server_name(&values);
            self.activity.row(instant, name, local, Software::Unknown, sink);
        }
        if self.own == Protocol::SmtpReceive {
            if self.layout.schema() == Some(Schema::Sessions) && self.layout.context.is_some() {
                let place = Place { byte: at.byte, line: at.line, instant };
                self.received(&values, place, sink);
            } else if !self.blind {
                self.blind = true;
                sink.notice(Notice::Blind { missing: "context" });
            }
        }
        Ok(instant)
    }
}

/// `User Name: X`, which stands behind a failed logon.
fn user_name(field: &[u8]) -> Option<Cow<'_, [u8]>> {
    const MARK: &[u8] = b"User Name:";
    let inner = field.strip_prefix(b"\"").unwrap_or(field);
    if !starts_with_ignore_case(inner, MARK) {
        return None;
    }
    Some(match csv::unquote(field) {
        Cow::Borrowed(text) => Cow::Borrowed(text[MARK.len()..].trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text[MARK.len()..].trim_ascii().to_vec()),
    })
}

/// The address behind `IP=` of an `XPROXY` command. `XPROXYFROM` relays mail of no authenticated client.
fn relayed_client(data: &[u8]) -> Option<&[u8]> {
    let parameters = starts_with_ignore_case(data, b"XPROXY ").then(|| &data[7..])?;
    let value = parameters
        .split(|b| *b == b' ')
        .find(|word| starts_with_ignore_case(word, b"IP="))
        .map(|word| &word[3..])?;
    let value = if starts_with_ignore_case(value, b"IPv6:") { &value[5..] } else { value };
    network::ip(value).map(|_| network::host(value))
}

/// `NT AUTHORITY\…`, which servers of some languages write in their own.
fn is_system_account(name: &[u8]) -> bool {
    const DOMAINS: [&str; 4] =
        ["NT AUTHORITY\\", "AUTORITE NT\\", "NT-AUTORIT\u{c4}T\\", "NT-AUTORIT\u{e4}T\\"];
    DOMAINS.iter().any(|d| starts_with_ignore_case(name, d.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relayed_client() {
        for (data, client) in [
            ("XPROXY SID=08D2 IP=10.1.1.5 PORT=50123 DOMAIN=x CAPABILITIES=0", Some("10.1.1.5")),
            ("xproxy SID=08D2 IP=IPv6:2001:db8::7 PORT=1", Some("2001:db8::7")),
            ("XPROXY SID=08D2 PORT=1", None),
            ("XPROXY IP=nowhere", None),
            ("XPROXYFROM SID=08D2 IP=10.1.1.5", None),
            ("EHLO IP=10.1.1.5", None),
        ] {
            assert_eq!(relayed_client(data.as_bytes()), client.map(str::as_bytes), "{data}");
        }
    }

    #[test]
    fn the_name_of_a_failed_logon() {
        for (field, name) in [
            ("User Name: anna@contoso.com", Some("anna@contoso.com")),
            ("\"User Name: a, b\"", Some("a, b")),
            ("\"User Name: \"\"a\"\"\"", Some("\"a\"")),
            ("User Name:", Some("")),
            ("SMTPSubmit User Name: x", None),
        ] {
            assert_eq!(user_name(field.as_bytes()).as_deref(), name.map(str::as_bytes), "{field}");
        }
    }
}
