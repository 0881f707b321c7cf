//! IIS native log: fifteen fields with a comma and a blank between them, a comma at the end, local time.

use super::{civil_time, rows, web};
use crate::event::{LineErrorKind, LineKind, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::http::Request;
use crate::line;
use crate::memory::Memory;
use crate::network;
use crate::service::starts_with_ignore_case;
use crate::time::{self, DAY_MS};

/// IIS native ("Microsoft IIS") log.
pub struct IisNative;

/// Fields of a row; Microsoft's documentation fixes them and their order.
const FIELDS: usize = 15;
const CLIENT: usize = 0;
const USER: usize = 1;
const DATE: usize = 2;
const TIME: usize = 3;
const SERVICE: usize = 4;
const SERVER_NAME: usize = 5;
const SERVER_ADDRESS: usize = 6;
const STATUS: usize = 10;
const METHOD: usize = 12;
const TARGET: usize = 13;
const PARAMETERS: usize = 14;

impl LogFormat for IisNative {
    fn name(&self) -> &'static str {
        "iis-native"
    }

    fn describe(&self) -> Description {
        Description {
            title: "IIS native log (\"Microsoft IIS log file format\"): fixed fields, comma and blank",
            written: r"LogFiles\W3SVCn\inYYMMDD.log (u_inYYMMDD.log in UTF-8), where an administrator chose the format",
            columns: &[
                "client IP",
                "user",
                "date",
                "time",
                "service",
                "server name",
                "server IP",
                "status",
                "method",
                "target",
                "parameters",
            ],
            access: "as iis-w3c, but without a substatus: every 401 with a name is a failed logon; rows of SMTPSVCn \
                     name a mail server and show nobody",
            limits: "no user agent, so that a device is an address alone; one fixed offset: a file that crosses a change \
                     to summer time is an hour off on one side; dates are month/day/year, as Microsoft documents them, and a \
                     date that cannot be is rejected, which betrays a server that writes day/month/year; no port: back-end \
                     rows are told by their stem and query alone",
            time: "the server's local time: state its offset (time_zone), else rows are taken as UTC with a warning",
            reference: "Microsoft: IIS Logging (HTTP Server API)",
            example: "10.1.1.5, CONTOSO\\anna, 03/20/01, 7:55:20, W3SVC1, EX01, 10.0.0.11, 31, 163, 3223, 200, 0, GET, \
                      /exchange/anna/Inbox, -,\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        let rows = line::lines(head, eol).map(|range| line::content(&head[range]));
        // The first row may be cut; a few more decide.
        let row = rows.filter(|row| !row.is_empty()).take(5).find_map(|row| {
            fields(row).ok().filter(|f| {
                network::ip(f[CLIENT]).is_some()
                    && f[DATE].split(|b| *b == b'/').filter(|n| time::number(n).is_some()).count()
                        == 3
                    && civil_time::clock(f[TIME]).is_some()
                    && time::number(f[STATUS]).is_some()
            })
        })?;
        (!is_mail(row[SERVICE])).then(State::default)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        _state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        rows::read(segment, sink, |rows, content, byte| {
            let fields = fields(content)?;
            let day = civil_time::day(fields[DATE], "date")?;
            let clock = civil_time::clock(fields[TIME])
                .ok_or(LineErrorKind::Timestamp { field: "time" })?;
            let status = time::number(fields[STATUS])
                .ok_or(LineErrorKind::Value { field: "status", expected: "number" })?;
            let value = |field: usize| web::value(fields[field]);
            let server = web::server(value(SERVER_NAME), value(SERVER_ADDRESS));
            let instant = rows.utc(i64::from(day) * DAY_MS + i64::from(clock));
            rows.at(instant, &server);
            if is_mail(fields[SERVICE]) {
                return Ok(LineKind::Event);
            }
            let row = Request {
                user: value(USER),
                method: value(METHOD),
                stem: value(TARGET),
                query: value(PARAMETERS),
                client: value(CLIENT),
                status,
                ..Request::default()
            };
            let place = rows.place(byte, instant);
            web::tell(rows.sink, rows.segment.scope, memory, &row, (rows.server, server), place);
            Ok(LineKind::Event)
        });
    }
}

/// The fields of a row. The server writes no blank inside a value, so that a comma with a blank
/// behind it separates and any other comma is part of a target or parameter; in a file that lost the
/// blanks every comma separates.
fn fields(row: &[u8]) -> Result<[&[u8]; FIELDS], LineErrorKind> {
    let found = split(row, true);
    let (fields, count) = match found {
        (_, FIELDS) => found,
        (_, count) => match split(row, false) {
            (fields, FIELDS) => (fields, FIELDS),
            _ => (found.0, count),
        },
    };
    if count != FIELDS {
        return Err(LineErrorKind::RowWidth { found: count as u32, expected: FIELDS as u32 });
    }
    if row.last() != Some(&b',') {
        // What is cut off may be the mark of a failed logon.
        return Err(LineErrorKind::Record { missing: "end" });
    }
    Ok(fields)
}

fn split(row: &[u8], blank: bool) -> ([&[u8]; FIELDS], usize) {
    let row = row.strip_suffix(b",").unwrap_or(row);
    let mut fields: [&[u8]; FIELDS] = [b""; FIELDS];
    let (mut count, mut start) = (0, 0);
    let commas = memchr::memchr_iter(b',', row);
    let ends = commas.filter(|at| !blank || row.get(at + 1) == Some(&b' '));
    for end in ends.chain([row.len()]) {
        if let Some(place) = fields.get_mut(count) {
            *place = row[start..end].trim_ascii();
        }
        count += 1;
        start = end + 1;
    }
    (fields, count)
}

/// The SMTP service writes the same rows, with the name of a mail server for a user.
fn is_mail(service: &[u8]) -> bool {
    starts_with_ignore_case(service, b"SMTPSVC")
}

#[cfg(test)]
mod tests;
