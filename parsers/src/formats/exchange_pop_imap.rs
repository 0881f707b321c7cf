//! Exchange POP3 and IMAP4 protocol logs, front end and back end.
//!
//! Since 2013 a row is a command with its answer, the user known so far and a `context` of keys
//! (`table.rs`). In 2007 and 2010 a row is one line of the conversation (`conversation.rs`), so that
//! a command and its answer have to be put together. `#Fields` tells which.

mod context;
mod conversation;
mod memo;
mod person;
mod table;

use super::exchange_protocol::{self as protocol, Layout, Protocol, Schema};
use crate::event::{Client, DeviceEvidence, Sink};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::memory::Memory;
use crate::service::Service;
use crate::{http, network};

/// Exchange POP3 protocol log.
pub struct ExchangePop3;

/// Exchange IMAP4 protocol log.
pub struct ExchangeImap4;

const COLUMNS: &[&str] = &[
    "dateTime",
    "sessionId",
    "sIp",
    "cIp",
    "user",
    "command",
    "parameters",
    "context",
    "date-time",
    "session-id",
    "local-endpoint",
    "remote-endpoint",
    "event",
    "data",
];

const REFERENCE: &str = "Microsoft: Configure protocol logging for POP3 and IMAP4 (Exchange 2007 to 2019); \
                         columns since 2013 as the servers write them";

const TIME: &str = "UTC";

impl LogFormat for ExchangePop3 {
    fn name(&self) -> &'static str {
        "exchange-pop3"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange POP3 protocol log, front end and back end, 2007 to 2019",
            written: r"Logging\Pop3\POP3yyyymmdd-n.LOG (back end POP3BE…), only after Set-PopSettings -ProtocolLogEnabled $true",
            columns: COLUMNS,
            access: "pass or auth with R=ok and no ErrMsg, on a front end with ProxySuccess; a mailbox command with \
                     R=ok where the logon is in no log; never the USER command, which comes before the password",
            limits: "devices are addresses, behind a load balancer its own; an AUTH of 2007 and 2010 names nobody; a \
                     logon of 2007 and 2010 whose answer is in the next file is not seen",
            time: TIME,
            reference: REFERENCE,
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.01.2375.007\n\
                      #Log-type: POP3 Log\n\
                      #Date: 2024-01-24T15:00:00.000Z\n\
                      #Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n\
                      2024-01-24T15:31:51.067Z,00000000000ABC12,1,10.0.0.11:110,10.1.1.5:50123,anna,1,9,5,user,anna,R=OK,\n\
                      2024-01-24T15:31:51.267Z,00000000000ABC12,2,10.0.0.11:110,10.1.1.5:50123,anna,163,10,34,pass,*****,\"R=OK;Msg=\"\"Proxy:EX01.contoso.com:1995:SSL;ProxySuccess\"\"\",\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        protocol::detect(head, Protocol::Pop3)
    }

    fn divisible(&self, state: &State) -> bool {
        schema(state) != Some(Schema::Sessions)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        parse(Protocol::Pop3, segment, state, memory, sink);
    }
}

impl LogFormat for ExchangeImap4 {
    fn name(&self) -> &'static str {
        "exchange-imap4"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange IMAP4 protocol log, front end and back end, 2007 to 2019",
            written: r"Logging\Imap4\IMAP4yyyymmdd-n.LOG (back end IMAP4BE…), only after Set-ImapSettings -ProtocolLogEnabled $true",
            columns: COLUMNS,
            access: "login or authenticate with R=ok and no ErrMsg, on a front end with ProxySuccess; a mailbox command \
                     with R=ok where the logon is in no log; DOMAIN/user/mailbox counts the user, not the mailbox",
            limits: "devices are addresses, behind a load balancer its own; an AUTHENTICATE of 2007 and 2010 names nobody; \
                     a logon of 2007 and 2010 whose answer is in the next file is not seen",
            time: TIME,
            reference: REFERENCE,
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.01.2375.007\n\
                      #Log-type: IMAP4 Log\n\
                      #Date: 2024-01-24T15:00:00.000Z\n\
                      #Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n\
                      2024-01-24T15:31:51.067Z,00000000000ABC12,1,10.0.0.11:143,10.1.1.5:50123,,1,12,140,capability,,R=ok,\n\
                      2024-01-24T15:31:51.267Z,00000000000ABC12,2,10.0.0.11:143,10.1.1.5:50123,anna,118,31,34,login,anna@contoso.com *****,\"R=OK;Msg=\"\"Proxy:EX01.contoso.com:1993:SSL;ProxySuccess\"\"\",\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        protocol::detect(head, Protocol::Imap4)
    }

    fn divisible(&self, state: &State) -> bool {
        schema(state) != Some(Schema::Sessions)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        parse(Protocol::Imap4, segment, state, memory, sink);
    }
}

fn schema(state: &State) -> Option<Schema> {
    state.columns.as_ref().and_then(|names| Layout::of(names).schema())
}

fn parse(
    own: Protocol,
    segment: &Segment<'_>,
    state: &mut State,
    memory: &mut Memory,
    sink: &mut dyn Sink,
) {
    let each = sink.wants_each();
    let mut rows = table::Reader::new(own, segment.scope, &state.open, &mut memory.mail, each);
    protocol::read(segment, state, own, &mut memory.commas, &mut rows, sink);
    state.open = rows.open();
}

/// What both protocols are called among services, and the answers and commands that matter.
fn service(protocol: Protocol) -> Service {
    if protocol == Protocol::Pop3 { Service::Pop3 } else { Service::Imap4 }
}

/// The device behind a client address, and where it stands seen from the server.
fn device<'a>(address: &'a [u8], server: &[u8], scope: &Scope) -> (DeviceEvidence<'a>, Client) {
    match http::client_of(address, server, scope) {
        Client::Unknown => (DeviceEvidence::None, Client::Unknown),
        client => (DeviceEvidence::Address { address: network::host(address), agent: b"" }, client),
    }
}

#[cfg(test)]
mod tests;
