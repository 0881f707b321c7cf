//! MAPI over HTTP, as the back end sees it: the layout since Exchange 2016 CU4, and the older one,
//! which has the columns of the RPC Client Access log.

use std::borrow::Cow;

use crate::event::{LineErrorKind, Marks, Outcome, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::formats::exchange_csv::memo::Seen;
use crate::formats::exchange_csv::{self, Head, Row, Rows, Told, place};
use crate::formats::exchange_ews::{evidence, same_name};
use crate::formats::exchange_httpproxy::first_address;
use crate::formats::exchange_rca::{self, Rca, is_probe, is_zero};
use crate::http::{self, Request};
use crate::memory::Memory;
use crate::service::Service;

/// Exchange MAPI over HTTP log.
pub struct ExchangeMapiHttp;

impl LogFormat for ExchangeMapiHttp {
    fn name(&self) -> &'static str {
        "exchange-mapihttp"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange MAPI over HTTP log of the back end: Outlook 2013 SP1 and later",
            written: r"Exchange Server\V15\Logging\MapiHttp\Mailbox\MapiHttp_yyyymmddhh-n.LOG (2016 CU4 and later) or Logging\MAPI Client Access\MAPIMB_yyyymmddhh-n.LOG (before), by default",
            columns: &[
                "DateTime",
                "RequestType",
                "HttpStatusCode",
                "ResponseCode",
                "StatusCode",
                "AuthenticatedUser",
                "UPN",
                "AuthenticatedUserEmail",
                "ActAsUserEmail",
                "MailboxId",
                "ClientIP",
                "ClientSoftware",
                "before 2016 CU4 the columns of exchange-rca",
            ],
            access: "a row with an AuthenticatedUser, UPN or AuthenticatedUserEmail: served, refused (403, 5xx, or a ResponseCode or StatusCode other than 0) or failed (401); before 2016 CU4 as exchange-rca",
            limits: "every row repeats one of the front end: a person, never a device; the AuthenticatedUser Anonymous is nobody, the account then stands in UPN or AuthenticatedUserEmail; \
                     a row that names nobody shows its MailboxId; the log of MAPI Address Book (nspi) is not known to have these columns; no server name is logged in the newer layout",
            time: "UTC",
            reference: "Microsoft: MAPI over HTTP in Exchange Server, logs; the older columns from the ProtocolLog class of Exchange 2013",
            example: "DateTime,RequestId,RequestType,HttpStatusCode,ResponseCode,StatusCode,AuthenticatedUserEmail,UPN,ActAsUserEmail,ClientIP,SourceCafeServer,ClientSoftware,AuthenticatedUser\n\
                      #Software: Microsoft Exchange Server\n\
                      #Version: 15.02.1118.007\n\
                      #Log-type: MapiHttp Logs\n\
                      #Date: 2023-01-06T01:00:00.000Z\n\
                      #Fields: DateTime,RequestId,RequestType,HttpStatusCode,ResponseCode,StatusCode,AuthenticatedUserEmail,UPN,ActAsUserEmail,ClientIP,SourceCafeServer,ClientSoftware,AuthenticatedUser\n\
                      2023-01-06T01:00:04.124Z,0aa8,Connect,200,0,0,anna@contoso.com,anna@contoso.com,,10.1.1.5,EX01.contoso.com,OUTLOOK.EXE,Anonymous\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let head = Head::of(head);
        let newer: [&[u8]; 2] = [b"AuthenticatedUserEmail", b"RequestType"];
        let any = [newer[0], newer[1], exchange_rca::COLUMNS[0], exchange_rca::COLUMNS[2]];
        let says = |log_type: &[u8], columns: &[&[u8]]| head.is(log_type, columns);
        (says(b"MapiHttp", &newer) || (says(b"MAPI", &any))).then(|| head.into_state())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        exchange_csv::read(segment, state, memory, sink, Layout::default());
    }
}

/// Which of the two layouts the columns are.
#[derive(Debug, Default)]
enum Layout {
    #[default]
    None,
    Newer(MapiHttp),
    Older(Box<Rca>),
}

impl<'a> Rows<'a> for Layout {
    fn columns(&mut self, names: &[Box<[u8]>]) {
        *self = if place(names, b"client-name").is_some() {
            let mut older = Box::new(Rca::new(Service::Mapi));
            older.columns(names);
            Layout::Older(older)
        } else {
            Layout::Newer(MapiHttp::of(names))
        };
    }

    fn missing(&self) -> Option<&'static str> {
        match self {
            Layout::None => None,
            Layout::Newer(newer) => newer.missing(),
            Layout::Older(older) => older.missing(),
        }
    }

    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]) {
        match self {
            Layout::Older(older) => older.server(row),
            _ => (b"", b""),
        }
    }

    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        match self {
            Layout::None => Ok(()),
            Layout::Newer(newer) => newer.row(row, told),
            Layout::Older(older) => older.row(row, told),
        }
    }
}

/// The place of each column of the newer layout.
#[derive(Clone, Copy, Debug)]
struct MapiHttp {
    status: Option<usize>,
    /// `ResponseCode`, `StatusCode`: other than 0 where MAPI failed behind an HTTP 200.
    codes: [Option<usize>; 2],
    user: Option<usize>,
    upn: Option<usize>,
    email: Option<usize>,
    acted_for: Option<usize>,
    mailbox: Option<usize>,
    client: Option<usize>,
    software: Option<usize>,
}

impl MapiHttp {
    fn of(names: &[Box<[u8]>]) -> MapiHttp {
        MapiHttp {
            status: place(names, b"HttpStatusCode"),
            codes: [place(names, b"ResponseCode"), place(names, b"StatusCode")],
            user: place(names, b"AuthenticatedUser"),
            upn: place(names, b"UPN"),
            email: place(names, b"AuthenticatedUserEmail"),
            acted_for: place(names, b"ActAsUserEmail"),
            mailbox: place(names, b"MailboxId"),
            client: place(names, b"ClientIP"),
            software: place(names, b"ClientSoftware"),
        }
    }

    fn missing(&self) -> Option<&'static str> {
        if self.user.or(self.upn).or(self.email).is_none() {
            Some("AuthenticatedUser")
        } else {
            self.status.is_none().then_some("HttpStatusCode")
        }
    }

    fn row<'a>(&self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        let Some(status) = row.number(self.status, "HttpStatusCode")? else { return Ok(()) };
        if self.missing().is_some() {
            return Ok(());
        }
        let names = [self.user, self.upn, self.email].map(|column| match row.text(column) {
            name if http::is_nobody(&name) => Cow::default(),
            name => name,
        });
        let principal = names.iter().find(|n| !n.is_empty()).cloned().unwrap_or_default();
        let client = first_address(row.bare(self.client));
        // Only what decides: the row has neither URL nor port.
        let request = Request {
            user: if principal.is_empty() { b"" } else { b"somebody" },
            stem: b"/mapi/emsmdb/",
            port: b"444",
            client,
            status,
            ..Request::default()
        };
        let verdict = told.judge(&request);
        let Some(mut outcome) = verdict.outcome else { return Ok(()) };
        let refused = self.codes.iter().any(|code| !is_zero(row.bare(*code)));
        if outcome == Outcome::Served && refused {
            outcome = Outcome::Refused;
        } else if outcome == Outcome::Anonymous && refused {
            return Ok(());
        }
        let mut marks = verdict.marks;
        if is_probe(row.bare(self.software)) {
            marks |= Marks::PROBE_AGENT;
        }
        let mut acted_for = row.text(self.acted_for);
        if outcome == Outcome::Anonymous {
            acted_for = row.text(self.mailbox);
        } else if outcome != Outcome::Served
            || http::is_nobody(&acted_for)
            || names.iter().any(|n| same_name(n, &acted_for))
        {
            acted_for = Cow::default();
        } else {
            marks |= Marks::IMPERSONATION;
        }
        if outcome == Outcome::Served {
            for name in &names {
                told.same(principal.clone(), name.clone());
            }
        }
        let seen = Seen {
            server: b"",
            address: b"",
            service: verdict.service,
            outcome,
            marks,
            principal,
            acted_for,
            client,
            agent: row.text(self.software),
            device: Cow::default(),
        };
        told.access(seen, evidence);
        Ok(())
    }
}
