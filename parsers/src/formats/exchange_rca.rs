//! RPC Client Access logs: Outlook over RPC, the only witness of it.
//!
//! The old log of MAPI over HTTP has the same columns; `Rca` reads both.

use std::borrow::Cow;

use memchr::memmem::Finder;

use crate::event::{Client, DeviceEvidence, LineErrorKind, Marks, Outcome, Sink, Software};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::formats::exchange_csv::memo::Seen;
use crate::formats::exchange_csv::{self, Head, Row, Rows, Told, place};
use crate::formats::exchange_httpproxy::first_address;
use crate::memory::Memory;
use crate::service::{
    Service, contains_ignore_case, ends_with_ignore_case, starts_with_ignore_case,
};
use crate::{http, network};

/// Exchange RPC Client Access log.
pub struct ExchangeRca;

impl LogFormat for ExchangeRca {
    fn name(&self) -> &'static str {
        "exchange-rca"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange RPC Client Access log: Outlook over RPC, direct (2010) or behind Outlook Anywhere (2013 and later)",
            written: r"Exchange Server\V14 or V15\Logging\RPC Client Access\RCA_yyyymmdd[hh]-n.LOG, by default",
            columns: &[
                "date-time",
                "client-name",
                "client-software",
                "client-ip",
                "client-connection-info",
                "server-ip",
                "operation",
                "rpc-status",
                "activity-context-data",
                "user-email",
            ],
            access: "operation Connect or …Logon with rpc-status 0 or none is served; a Connect with another rpc-status (1010 (rpc::LoginPerm)) is failed, a …Logon refused; every other operation shows nobody",
            limits: "client-name is a legacyExchangeDN and needs the directory, or the e-mail address of the same row, to be joined with DOMAIN\\user; the name is the client's claim where the Connect failed; an account with rights to another mailbox may connect under that mailbox's name; \
                     a client-ip that is the server itself (2013 and later) is the relay of its front end: no device",
            time: "UTC",
            reference: "Microsoft: RPC Client Access logging in Exchange Server; names of the 24 columns from the ProtocolLog class of Exchange 2013",
            example: "#Software: Microsoft Exchange\n\
                      #Version: 14.01.0218.011\n\
                      #Log-type: RCA Protocol Logs\n\
                      #Date: 2011-05-10T00:00:12.345Z\n\
                      #Fields: date-time,session-id,seq-number,client-name,organization-info,client-software,client-software-version,client-mode,client-ip,server-ip,protocol,application-id,operation,rpc-status,processing-time,operation-specific,failures\n\
                      2011-05-10T00:00:12.345Z,17,0,/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=anna,,OUTLOOK.EXE,14.0.4760.1000,Cached,10.1.1.5,10.0.0.11,ncacn_ip_tcp,,Connect,0,00:00:00.0156250,SID=S-1-5-21-1-2-3-1105,\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let head = Head::of(head);
        head.is(b"RCA", &COLUMNS).then(|| head.into_state())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        exchange_csv::read(segment, state, memory, sink, Rca::new(Service::OutlookRpc));
    }
}

/// Columns that no other log has together.
pub(super) const COLUMNS: [&[u8]; 3] = [b"client-name", b"operation", b"rpc-status"];

const EMAIL: &[u8] = b"ActivityStandardMetadata.UserEmail=";

/// The place of each column that is read.
#[derive(Clone, Debug)]
pub(super) struct Rca {
    service: Service,
    email_mark: Finder<'static>,
    name: Option<usize>,
    software: Option<usize>,
    client: Option<usize>,
    connection: Option<usize>,
    server: Option<usize>,
    operation: Option<usize>,
    status: Option<usize>,
    context: Option<usize>,
    email: Option<usize>,
}

impl Rca {
    /// Reads rows of `service`: [`Service::OutlookRpc`], or [`Service::Mapi`] for the old log of
    /// MAPI over HTTP.
    pub(super) fn new(service: Service) -> Rca {
        Rca {
            service,
            email_mark: Finder::new(EMAIL),
            name: None,
            software: None,
            client: None,
            connection: None,
            server: None,
            operation: None,
            status: None,
            context: None,
            email: None,
        }
    }

    /// The e-mail address that the server knows the connected user by.
    fn email<'a>(&self, row: &Row<'a, '_>) -> Cow<'a, [u8]> {
        let column = row.text(self.email);
        if !column.is_empty() {
            return column;
        }
        let context = row.bare(self.context);
        let Some(at) = self.email_mark.find(context) else { return Cow::default() };
        let value = &context[at + EMAIL.len()..];
        let end = value.iter().position(|b| matches!(b, b';' | b'"')).unwrap_or(value.len());
        let value = value[..end].trim_ascii();
        // Anything else than an address is no name.
        Cow::Borrowed(if memchr::memchr(b'@', value).is_some() { value } else { b"" })
    }
}

impl<'a> Rows<'a> for Rca {
    fn columns(&mut self, names: &[Box<[u8]>]) {
        *self = Rca {
            name: place(names, b"client-name"),
            software: place(names, b"client-software"),
            client: place(names, b"client-ip"),
            connection: place(names, b"client-connection-info"),
            server: place(names, b"server-ip"),
            operation: place(names, b"operation"),
            status: place(names, b"rpc-status"),
            context: place(names, b"activity-context-data"),
            email: place(names, b"user-email"),
            ..Rca::new(self.service)
        };
    }

    fn missing(&self) -> Option<&'static str> {
        [(self.name, "client-name"), (self.operation, "operation"), (self.status, "rpc-status")]
            .into_iter()
            .find_map(|(column, name)| column.is_none().then_some(name))
    }

    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]) {
        (b"", row.bare(self.server))
    }

    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        if self.missing().is_some() {
            return Ok(());
        }
        let name = row.bare(self.name).trim_ascii();
        if http::is_nobody(name) {
            return Ok(());
        }
        let good = is_zero(row.bare(self.status));
        if good {
            told.same(row.text(self.name), self.email(row));
        }
        let operation = row.bare(self.operation).trim_ascii();
        let outcome = match operation.eq_ignore_ascii_case(b"Connect") {
            true if good => Outcome::Served,
            true => Outcome::Failed,
            false if !ends_with_ignore_case(operation, b"Logon") => return Ok(()),
            false if good => Outcome::Served,
            false => Outcome::Refused,
        };
        let mut marks = Marks::NONE;
        let agent = row.bare(self.software);
        if is_probe(agent) {
            marks |= Marks::PROBE_AGENT;
        }
        let (client, server) = (first_address(row.bare(self.client)), row.bare(self.server));
        let mapi = self.service == Service::Mapi;
        // From 2013 on the front end of the server is what connects to this service.
        let relayed =
            self.connection.is_some() || matches!(told.software, Software::Exchange(15.., _));
        let local = || {
            let host = network::host(client);
            network::is_loopback(host) || host == network::host(server)
        };
        if mapi || (relayed && local()) {
            marks |= Marks::BACK_END;
        }
        let seen = Seen {
            server: b"",
            address: server,
            service: self.service,
            outcome,
            marks,
            principal: row.text(self.name),
            acted_for: Cow::default(),
            client,
            agent: row.text(self.software),
            device: Cow::default(),
        };
        told.access(seen, evidence);
        Ok(())
    }
}

/// The device of a row: the address and the software behind it.
fn evidence<'x>(seen: &'x Seen<'_>, scope: &Scope) -> (DeviceEvidence<'x>, Client) {
    let client = http::client_of(seen.client, seen.address, scope);
    match client {
        // A relay says nothing of where the person is.
        Client::Loopback if seen.marks.has(Marks::BACK_END) => {
            (DeviceEvidence::None, Client::Unknown)
        }
        Client::Unknown => (DeviceEvidence::None, client),
        _ if seen.marks.has(Marks::BACK_END) => (DeviceEvidence::None, client),
        _ => {
            let address = network::host(seen.client);
            (DeviceEvidence::Address { address, agent: &seen.agent }, client)
        }
    }
}

/// Whether a status is 0 or not written at all.
///
/// ```text
/// 0    1010 (rpc::LoginPerm)    0x0
/// ```
pub(super) fn is_zero(status: &[u8]) -> bool {
    let status = status.trim_ascii();
    let digits = status.strip_prefix(b"0x").unwrap_or(status);
    digits.iter().all(|b| *b == b'0')
}

/// Whether the client software is one of the server's own probes.
///
/// Sources: `Microsoft.Exchange.RpcClientAccess.Monitoring.dll` is what the RPC and MAPI probes call
/// themselves, `MapiHttpClient` stands in real front-end rows of the latter.
pub(super) fn is_probe(software: &[u8]) -> bool {
    starts_with_ignore_case(software, b"MapiHttpClient")
        || contains_ignore_case(software, b"RpcClientAccess.Monitoring")
        || contains_ignore_case(software, b"Microsoft.Exchange.Monitoring")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_zero_or_none_is_good() {
        for good in ["", "0", " 0 ", "0x0", "0x00000000"] {
            assert!(is_zero(good.as_bytes()), "{good}");
        }
        for bad in ["1010 (rpc::LoginPerm)", "1", "0x80040115", "ecLoginPerm", "-1"] {
            assert!(!is_zero(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn probes_call_themselves_monitoring() {
        assert!(is_probe(b"Microsoft.Exchange.RpcClientAccess.Monitoring.dll"));
        assert!(is_probe(b"MapiHttpClient"));
        assert!(!is_probe(b"OUTLOOK.EXE"));
    }
}
