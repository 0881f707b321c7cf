//! EWS logs: Exchange Web Services requests, as the server that holds the mailbox sees them.

use std::borrow::Cow;

use crate::event::{Client, DeviceEvidence, LineErrorKind, Marks, Outcome, Sink, Software};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::formats::exchange_csv::memo::Seen;
use crate::formats::exchange_csv::{self, Head, Row, Rows, Told, place};
use crate::formats::exchange_httpproxy::first_address;
use crate::http::{self, Request};
use crate::memory::Memory;
use crate::network;
use crate::service::starts_with_ignore_case;

/// Exchange EWS log.
pub struct ExchangeEws;

impl LogFormat for ExchangeEws {
    fn name(&self) -> &'static str {
        "exchange-ews"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange Web Services log: who called EWS, and on whose behalf",
            written: r"Exchange Server\V15\Logging\Ews\Ews_yyyymmddhh-n.LOG, by default",
            columns: &[
                "DateTime",
                "RequestId",
                "IsAuthenticated",
                "AuthenticatedUser",
                "UserAgent",
                "ClientIpAddress",
                "ServerHostName",
                "FrontEndServer",
                "HttpStatus",
                "ErrorCode",
                "ImpersonatedUser",
                "ProxyAsUser",
                "ActAsUser",
            ],
            access: "a row with an AuthenticatedUser: served, refused (403, 5xx) or failed (401) by its HttpStatus; an ImpersonatedUser, ActAsUser or ProxyAsUser other than that is whom the account acted for",
            limits: "rows of a back end (Exchange 2013 and later) repeat rows of the front end and show no device; rows with neither user nor RequestId (Sbsc_…) are the server's own; \
                     CONTOSO\\anna beside anna@contoso.com counts as one name and no impersonation; ErrorCode on a 200 row does not unmake the access, but a denied impersonation acted for nobody",
            time: "UTC",
            reference: "Microsoft: EWS logging in Exchange Server (CSS-Exchange support scripts)",
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.01.2375.007\n\
                      #Log-type: EWS Logs\n\
                      #Date: 2023-01-06T16:00:06.386Z\n\
                      #Fields: DateTime,RequestId,IsAuthenticated,AuthenticatedUser,UserAgent,ClientIpAddress,ServerHostName,FrontEndServer,SoapAction,HttpStatus,ErrorCode,ImpersonatedUser,ProxyAsUser,ActAsUser\n\
                      2023-01-06T16:00:06.410Z,5399c497-d85f-4914-bc22-1ff088e33d72,true,anna@contoso.com,MacOutlook/16.68,10.1.1.5,EX01,EX01.contoso.com,GetItem,200,,anna@contoso.com,,\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        const COLUMNS: [&[u8]; 3] = [b"AuthenticatedUser", b"SoapAction", b"HttpStatus"];
        let head = Head::of(head);
        head.is(b"EWS", &COLUMNS).then(|| head.into_state())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        exchange_csv::read(segment, state, memory, sink, Ews::default());
    }
}

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
struct Ews {
    request: Option<usize>,
    authenticated: Option<usize>,
    user: Option<usize>,
    agent: Option<usize>,
    client: Option<usize>,
    server: Option<usize>,
    front_end: Option<usize>,
    status: Option<usize>,
    error: Option<usize>,
    /// `ImpersonatedUser`, `ActAsUser`, `ProxyAsUser`, in this order.
    acted_for: [Option<usize>; 3],
}

impl<'a> Rows<'a> for Ews {
    fn columns(&mut self, names: &[Box<[u8]>]) {
        *self = Ews {
            request: place(names, b"RequestId"),
            authenticated: place(names, b"IsAuthenticated"),
            user: place(names, b"AuthenticatedUser"),
            agent: place(names, b"UserAgent"),
            client: place(names, b"ClientIpAddress"),
            server: place(names, b"ServerHostName"),
            front_end: place(names, b"FrontEndServer"),
            status: place(names, b"HttpStatus"),
            error: place(names, b"ErrorCode"),
            acted_for: [&b"ImpersonatedUser"[..], b"ActAsUser", b"ProxyAsUser"]
                .map(|n| place(names, n)),
        };
    }

    fn missing(&self) -> Option<&'static str> {
        [(self.user, "AuthenticatedUser"), (self.status, "HttpStatus")]
            .into_iter()
            .find_map(|(column, name)| column.is_none().then_some(name))
    }

    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]) {
        (row.bare(self.server), b"")
    }

    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        // Rows that the server writes of itself carry no status.
        let Some(status) = row.number(self.status, "HttpStatus")? else { return Ok(()) };
        let trusted = self.authenticated.is_none()
            || row.bare(self.authenticated).eq_ignore_ascii_case(b"true");
        let user = if trusted { row.bare(self.user).trim_ascii() } else { b"" };
        let nobody = http::is_nobody(user);
        if self.user.is_none() || (nobody && row.bare(self.request).is_empty()) {
            return Ok(());
        }
        // Exchange 2010 has no other front end than the server that writes the log.
        let first_hop =
            self.front_end.is_none() && matches!(told.software, Software::Exchange(14, _));
        let request = Request {
            user: if nobody { b"" } else { user },
            stem: b"/EWS/Exchange.asmx",
            port: if first_hop { b"" } else { b"444" },
            client: first_address(row.bare(self.client)),
            agent: row.bare(self.agent),
            status,
            ..Request::default()
        };
        let verdict = told.judge(&request);
        let Some(outcome) = verdict.outcome else { return Ok(()) };
        let principal = if nobody { Cow::default() } else { row.text(self.user) };
        let acted_for = match outcome {
            Outcome::Served => self.acted_for(row, &principal),
            _ => Cow::default(),
        };
        let mut marks = verdict.marks;
        if !acted_for.is_empty() {
            marks |= Marks::IMPERSONATION;
        }
        let seen = Seen {
            server: row.bare(self.server),
            address: b"",
            service: verdict.service,
            outcome,
            marks,
            principal,
            acted_for,
            client: request.client,
            agent: row.text(self.agent),
            device: Cow::default(),
        };
        told.access(seen, evidence);
        Ok(())
    }
}

impl Ews {
    /// Whom the account acted for; empty where it acted for itself, or was not let.
    fn acted_for<'a>(&self, row: &Row<'a, '_>, principal: &[u8]) -> Cow<'a, [u8]> {
        if principal.is_empty() || starts_with_ignore_case(row.bare(self.error), b"ErrorImpersonat")
        {
            return Cow::default();
        }
        self.acted_for
            .into_iter()
            .map(|column| row.text(column))
            .find(|name| !http::is_nobody(name) && !same_name(name, principal))
            .unwrap_or_default()
    }
}

/// The device of a row; none on a back end, whose clients are front ends.
pub(super) fn evidence<'x>(seen: &'x Seen<'_>, scope: &Scope) -> (DeviceEvidence<'x>, Client) {
    let client = http::client_of(seen.client, b"", scope);
    let device = match client {
        Client::Unknown => DeviceEvidence::None,
        _ if seen.marks.has(Marks::BACK_END) || seen.principal.is_empty() => DeviceEvidence::None,
        _ => DeviceEvidence::Address { address: network::host(seen.client), agent: &seen.agent },
    };
    (device, client)
}

/// Whether two names are one as far as a row can show: equal without case, or one of them
/// `DOMAIN\name` and the other `name@realm`.
///
/// The impersonation columns hold the e-mail address of whoever the call ran as, also where the
/// account ran it for itself and is written in the other form.
pub(super) fn same_name(one: &[u8], other: &[u8]) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let sam = |n: &[u8]| memchr::memchr(b'\\', n).is_some();
    sam(one) != sam(other) && local_part(one).eq_ignore_ascii_case(local_part(other))
}

fn local_part(name: &[u8]) -> &[u8] {
    let name = memchr::memrchr(b'\\', name).map_or(name, |i| &name[i + 1..]);
    &name[..memchr::memchr(b'@', name).unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_in_two_forms_does_not_impersonate_itself() {
        assert!(same_name(b"anna@contoso.com", b"Anna@CONTOSO.com"));
        assert!(same_name(b"anna@contoso.com", b"CONTOSO\\anna"));
        assert!(same_name(b"CONTOSO\\anna", b"anna"));
        assert!(!same_name(b"anna@contoso.com", b"anna@fabrikam.com"));
        assert!(!same_name(b"CONTOSO\\anna", b"FABRIKAM\\anna"));
        assert!(!same_name(b"CONTOSO\\svc", b"anna@contoso.com"));
    }
}
