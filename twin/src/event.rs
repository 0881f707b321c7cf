//! What one row, or one completed exchange of rows, shows.

use crate::network::Class;
use std::collections::BTreeSet;

/// How an access ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Served,
    /// Vouched for by a listed own server.
    Asserted,
    /// Vouched for by a server that nobody listed.
    AssertedUnlisted,
    Refused,
    /// A forms logon seen, no use yet: `refused` unless the person was served somewhere.
    LogonOnly,
    Failed,
    PreLogon,
    Anonymous,
    /// A mailbox command in a session whose logon may stand elsewhere.
    Continued,
}

/// What the access came from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Device {
    /// A device identifier or an inventoried address, lower case.
    Identified(String),
    /// Address and user agent as logged.
    Unidentified(String, String),
}

/// Who a SIP party is, where it is nobody of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outsider {
    Federated,
    Guest,
}

/// One access event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Milliseconds since 1970, UTC.
    pub(crate) time: i64,
    pub(crate) server: String,
    pub(crate) service: String,
    pub(crate) product: String,
    /// The principal as logged.
    pub(crate) who: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) device: Option<Device>,
    /// The client's address, without port.
    pub(crate) address: Option<String>,
    pub(crate) class: Class,
    /// The agent is one of the server's own probes.
    pub(crate) probe: bool,
    pub(crate) back_end: bool,
    /// An administrative service.
    pub(crate) admin: bool,
    /// A session or ticket service, whose user is known elsewhere.
    pub(crate) session_service: bool,
    /// The client address is a known proxy.
    pub(crate) through_proxy: bool,
    /// The row says that a server passed it on (`PrxFrom:`).
    pub(crate) proxied_from: bool,
    /// The mailbox that an anonymous back-end row names.
    pub(crate) mailbox: Option<String>,
    pub(crate) outsider: Option<Outsider>,
    /// Session identifier, where a later step needs it.
    pub(crate) session: Option<String>,
    /// The version that an OCS server says of itself.
    pub(crate) shown: Option<(u32, u32)>,
}

impl Event {
    /// An event of which nothing else is known yet.
    pub(crate) fn new(time: i64, server: &str, service: &str) -> Event {
        Event {
            time,
            server: server.to_string(),
            service: service.to_string(),
            product: String::new(),
            who: None,
            outcome: Outcome::PreLogon,
            device: None,
            address: None,
            class: Class::Unknown,
            probe: false,
            back_end: false,
            admin: false,
            session_service: false,
            through_proxy: false,
            proxied_from: false,
            mailbox: None,
            outsider: None,
            session: None,
            shown: None,
        }
    }
}

/// What one line of a file turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Line {
    Event,
    Directive,
    Blank,
    Unrelated,
    Rejected,
}

/// Two names that the logs themselves prove to be one person.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) time: i64,
    pub(crate) a: String,
    pub(crate) b: String,
}

/// A row of an SMTP session that says where the client is, or (without an address) that the session ends.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    pub(crate) time: i64,
    pub(crate) server: String,
    /// Session number and peer: at another peer the same number is another session.
    pub(crate) session: String,
    pub(crate) address: Option<String>,
}

/// What one file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) format: String,
    /// One for each physical line.
    pub(crate) lines: Vec<Line>,
    pub(crate) events: Vec<Event>,
    pub(crate) joins: Vec<Join>,
    pub(crate) records: Vec<crate::ocs_trace::Record>,
    /// What SMTP sessions say of their client, and where they end.
    pub(crate) relays: Vec<Relay>,
    /// The server of the file's first row.
    pub(crate) server: Option<String>,
    pub(crate) warnings: BTreeSet<String>,
}
