//! HttpProxy logs: what the front end of Exchange 2013 and later passed on, and for whom.
//!
//! The better witness beside IIS: a name stands here only where the front end authenticated it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::activesync;
use crate::event::{Client, DeviceEvidence, LineErrorKind, Marks, Outcome, Sink};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::formats::exchange_csv::memo::Seen;
use crate::formats::exchange_csv::{self, Head, Row, Rows, Told, place};
use crate::http::{self, Request};
use crate::memory::Memory;
use crate::service::{self, Service};

/// What the forms module writes where it sends a client to its logon page.
static NO_COOKIES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"NoCookies="));

/// Exchange HttpProxy log.
pub struct ExchangeHttpProxy;

impl LogFormat for ExchangeHttpProxy {
    fn name(&self) -> &'static str {
        "exchange-httpproxy"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange HttpProxy log: what the front end of Exchange 2013 and later passed on, by protocol",
            written: r"Exchange Server\V15\Logging\HttpProxy\{Owa,Ecp,Ews,Eas,Mapi,Autodiscover,RpcHttp,PowerShell,Oab,Rest,OwaCalendar}\HttpProxy_yyyymmddhh-n.LOG, by default",
            columns: &[
                "DateTime",
                "Protocol",
                "UrlStem",
                "IsAuthenticated",
                "AuthenticatedUser",
                "UserAgent",
                "ClientIpAddress",
                "ServerHostName",
                "HttpStatus",
                "Method",
                "UrlQuery",
                "GenericInfo",
            ],
            access: "a row whose IsAuthenticated is true and whose AuthenticatedUser is a name: served, refused (403, 449, 5xx) or failed (401, 440) by the HTTP decision; a row without a name that was answered 2xx is anonymous; \
                     NoCookies= in GenericInfo is the way to an OWA logon",
            limits: "AnchorMailbox and User= in the query are claims of the client and name nobody; a failed password leaves no name here, only in the IIS log; commas of a user agent are written as blanks, so that an agent reads \
                     differently from the IIS log's; ClientIpAddress may be a load balancer; of several addresses the first is taken; the REST protocol is shown as ews; a log without any header is not recognised",
            time: "UTC",
            reference: "Microsoft: Exchange HttpProxy logs (CSS-Exchange support scripts); Client Access services in Exchange Server",
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.01.2375.007\n\
                      #Log-type: HttpProxy Logs\n\
                      #Date: 2023-01-09T19:00:00.130Z\n\
                      #Fields: DateTime,Protocol,UrlStem,AuthenticationType,IsAuthenticated,AuthenticatedUser,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method,UrlQuery,GenericInfo\n\
                      2023-01-09T19:00:00.130Z,Ews,/EWS/Exchange.asmx,NTLM,true,CONTOSO\\anna,MacOutlook/16.68,10.1.1.5,EX01,200,POST,,\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        const COLUMNS: [&[u8]; 4] =
            [b"Protocol", b"UrlStem", b"AuthenticatedUser", b"IsAuthenticated"];
        let head = Head::of(head);
        head.is(b"HttpProxy", &COLUMNS).then(|| head.into_state())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        exchange_csv::read(segment, state, memory, sink, HttpProxy::default());
    }
}

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
struct HttpProxy {
    protocol: Option<usize>,
    stem: Option<usize>,
    authenticated: Option<usize>,
    user: Option<usize>,
    agent: Option<usize>,
    client: Option<usize>,
    server: Option<usize>,
    status: Option<usize>,
    method: Option<usize>,
    query: Option<usize>,
    info: Option<usize>,
}

impl<'a> Rows<'a> for HttpProxy {
    fn columns(&mut self, names: &[Box<[u8]>]) {
        *self = HttpProxy {
            protocol: place(names, b"Protocol"),
            stem: place(names, b"UrlStem"),
            authenticated: place(names, b"IsAuthenticated"),
            user: place(names, b"AuthenticatedUser"),
            agent: place(names, b"UserAgent"),
            client: place(names, b"ClientIpAddress"),
            server: place(names, b"ServerHostName"),
            status: place(names, b"HttpStatus"),
            method: place(names, b"Method"),
            query: place(names, b"UrlQuery"),
            info: place(names, b"GenericInfo"),
        };
    }

    fn missing(&self) -> Option<&'static str> {
        [
            (self.authenticated, "IsAuthenticated"),
            (self.user, "AuthenticatedUser"),
            (self.status, "HttpStatus"),
        ]
        .into_iter()
        .find_map(|(column, name)| column.is_none().then_some(name))
    }

    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]) {
        (row.bare(self.server), b"")
    }

    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        if self.missing().is_some() {
            return Ok(());
        }
        // Requests that were cut off carry no status: nothing was answered.
        let Some(status) = row.number(self.status, "HttpStatus")? else { return Ok(()) };
        let user = match row.bare(self.authenticated).eq_ignore_ascii_case(b"true") {
            true => row.bare(self.user).trim_ascii(),
            false => b"",
        };
        let nobody = http::is_nobody(user);
        // Most rows are the first legs of a logon: nobody, and turned away.
        if nobody && !matches!(status, 100..=299) {
            return Ok(());
        }
        let query = row.bare(self.query);
        let request = Request {
            user: if nobody { b"" } else { user },
            method: row.bare(self.method),
            stem: row.bare(self.stem),
            query: query.strip_prefix(b"?").unwrap_or(query),
            client: first_address(row.bare(self.client)),
            agent: row.bare(self.agent),
            status,
            ..Request::default()
        };
        let verdict = told.judge(&request);
        let Some(mut outcome) = verdict.outcome else { return Ok(()) };
        let service = match verdict.service {
            Service::Web => of_protocol(row.bare(self.protocol)).unwrap_or(Service::Web),
            service => service,
        };
        if matches!(service, Service::Owa | Service::Ecp)
            && NO_COOKIES.find(row.bare(self.info)).is_some()
        {
            // The forms module sent the client to its logon page.
            if nobody {
                return Ok(());
            }
            outcome = Outcome::Failed;
        }
        // Only front ends write this log, whatever a client puts into its query.
        let mut marks = verdict.marks.without(Marks::BACK_END);
        if outcome == Outcome::Failed {
            marks = marks.without(Marks::LOGON_ONLY);
        }
        if service::is_administrative(service, request.stem) {
            marks |= Marks::ADMINISTRATIVE;
        }
        let device = match verdict.device_id {
            None if service == Service::Eas => activesync::query(request.query).device_id,
            id => id,
        };
        let principal = if nobody { Default::default() } else { row.text(self.user) };
        if nobody && device.is_some() {
            marks |= Marks::DEVICE_ID;
        }
        let seen = Seen {
            server: row.bare(self.server),
            address: b"",
            service,
            outcome,
            marks,
            principal,
            acted_for: Default::default(),
            client: request.client,
            agent: row.text(self.agent),
            device: device.unwrap_or_default(),
        };
        told.access(seen, evidence);
        Ok(())
    }
}

/// The device of a front-end row: ActiveSync id, else address and agent.
fn evidence<'x>(seen: &'x Seen<'_>, scope: &Scope) -> (DeviceEvidence<'x>, Client) {
    let client = http::client_of(seen.client, b"", scope);
    let row = Request {
        user: &seen.principal,
        client: seen.client,
        agent: &seen.agent,
        ..Request::default()
    };
    (http::device_of(&row, &seen.device, client, seen.marks).0, client)
}

/// The first of the addresses in a field that may hold several.
pub(super) fn first_address(field: &[u8]) -> &[u8] {
    let separator = |b: &u8| matches!(b, b',' | b';' | b' ' | b'|');
    field.trim_ascii().split(separator).next().unwrap_or_default()
}

/// The service behind a `Protocol`, where the stem does not tell.
///
/// REST is answered by the same back end as EWS and needs the same licence.
fn of_protocol(protocol: &[u8]) -> Option<Service> {
    const PROTOCOLS: [(&[u8], Service); 11] = [
        (b"Owa", Service::Owa),
        (b"OwaCalendar", Service::Owa),
        (b"Ecp", Service::Ecp),
        (b"Ews", Service::Ews),
        (b"Rest", Service::Ews),
        (b"Eas", Service::Eas),
        (b"Mapi", Service::Mapi),
        (b"Autodiscover", Service::Autodiscover),
        (b"RpcHttp", Service::OutlookAnywhere),
        (b"PowerShell", Service::Powershell),
        (b"Oab", Service::Oab),
    ];
    PROTOCOLS.iter().find(|(name, _)| protocol.eq_ignore_ascii_case(name)).map(|(_, s)| *s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_addresses_counts() {
        for (field, first) in [
            ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
            ("203.0.113.9 10.0.0.1", "203.0.113.9"),
            ("10.1.1.5", "10.1.1.5"),
            ("fe80::1%3", "fe80::1%3"),
            ("", ""),
        ] {
            assert_eq!(first_address(field.as_bytes()), first.as_bytes());
        }
    }

    #[test]
    fn protocols_name_services() {
        assert_eq!(of_protocol(b"rpchttp"), Some(Service::OutlookAnywhere));
        assert_eq!(of_protocol(b"Rest"), Some(Service::Ews));
        assert_eq!(of_protocol(b""), None);
    }
}
