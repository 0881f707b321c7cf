//! NCSA common log as IIS writes it: the offset from UTC stands in the row.

use super::{civil_time, rows, web};
use crate::event::{LineErrorKind, LineKind, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::http::Request;
use crate::memory::Memory;
use crate::time::{self, DAY_MS};
use crate::{line, network};

/// NCSA common log.
pub struct Ncsa;

const SHAPE: LineErrorKind = LineErrorKind::Shape;
const TIMESTAMP: LineErrorKind = LineErrorKind::Timestamp { field: "date" };

impl LogFormat for Ncsa {
    fn name(&self) -> &'static str {
        "ncsa"
    }

    fn describe(&self) -> Description {
        Description {
            title: "NCSA common log: host, user, date with offset, request line, status, bytes",
            written: r"LogFiles\W3SVCn\ncYYMMDD.log (u_ncYYMMDD.log in UTF-8), where an administrator chose the format",
            columns: &["host", "user", "date", "request", "status"],
            access: "as iis-w3c, but without a substatus: every 401 with a name is a failed logon; rows whose request \
                     ends in SMTP name a mail server and show nobody",
            limits: "no server name or address in the rows: the server comes from the path; no user agent, so that a \
                     device is an address alone; Apache and nginx write the same rows, which content cannot tell apart; \
                     the combined format (referrer, agent) is not one that IIS writes, and is not read",
            time: "local time with its offset in every row, converted to UTC",
            reference: "Microsoft: NCSA Logging (HTTP Server API)",
            example: "172.21.13.45 - CONTOSO\\anna [07/Apr/2004:17:39:04 -0800] \"GET /exchange/anna/ HTTP/1.0\" 200 3401\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        let rows = line::lines(head, eol).map(|range| line::content(&head[range]));
        // The first row may be cut; a few more decide.
        let row = rows.filter(|row| !row.is_empty()).take(5).find_map(|r| Row::parse(r).ok())?;
        (!row.is_mail()).then(State::default)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        _state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        rows::read(segment, sink, |rows, content, byte| {
            let row = Row::parse(content)?;
            let server = web::server(b"", b"");
            rows.at(row.instant, &server);
            if row.is_mail() {
                return Ok(LineKind::Event);
            }
            let (method, stem, query) = row.request_parts();
            let request = Request {
                user: web::value(row.user),
                method,
                stem,
                query,
                client: web::value(row.host),
                status: row.status,
                ..Request::default()
            };
            let place = rows.place(byte, row.instant);
            web::tell(
                rows.sink,
                rows.segment.scope,
                memory,
                &request,
                (rows.server, server),
                place,
            );
            Ok(LineKind::Event)
        });
    }
}

struct Row<'a> {
    host: &'a [u8],
    user: &'a [u8],
    instant: i64,
    /// What stands between the quotes: method, target and version.
    request: &'a [u8],
    status: u32,
}

impl<'a> Row<'a> {
    /// `host ident user [date] "request" status bytes`. A user may hold blanks, a request quotes.
    fn parse(row: &'a [u8]) -> Result<Row<'a>, LineErrorKind> {
        let open = memchr::memmem::find(row, b" [").ok_or(SHAPE)?;
        let mut names = row[..open].splitn(3, |b| *b == b' ');
        let mut name = || names.next().filter(|n| !n.is_empty()).ok_or(SHAPE);
        let (host, _ident, user) = (name()?, name()?, name()?);
        let date = &row[open + 2..];
        let (date, rest) = date.split_at_checked(26).ok_or(SHAPE)?;
        let rest = rest.strip_prefix(b"] \"").ok_or(SHAPE)?;
        let instant = instant(date).ok_or(TIMESTAMP)?;
        let close = memchr::memrchr(b'"', rest).ok_or(LineErrorKind::Quote)?;
        let (request, numbers) = (&rest[..close], &rest[close + 1..]);
        let mut numbers = numbers.strip_prefix(b" ").ok_or(SHAPE)?.split(|b| *b == b' ');
        let status = numbers.next().and_then(time::number);
        let status = status.ok_or(LineErrorKind::Value { field: "status", expected: "number" })?;
        let bytes = numbers.next().ok_or(LineErrorKind::Record { missing: "end" })?;
        let is_count = bytes == b"-" || bytes.iter().all(u8::is_ascii_digit);
        let whole = is_count && numbers.next().is_none();
        let plausible = network::ip(host).is_some() || host.iter().all(is_host_byte);
        if whole && plausible {
            Ok(Row { host, user, instant, request, status })
        } else {
            Err(SHAPE)
        }
    }

    fn is_mail(&self) -> bool {
        self.request.ends_with(b"SMTP")
    }

    /// Method, stem and query of the request line.
    fn request_parts(&self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let line = self.request;
        let blank = memchr::memchr(b' ', line).unwrap_or(line.len());
        let (method, target) = (&line[..blank], line[blank..].trim_ascii_start());
        let target = match memchr::memrchr(b' ', target) {
            Some(at) if target[at + 1..].starts_with(b"HTTP/") => &target[..at],
            _ => target,
        };
        let mark = memchr::memchr(b'?', target).unwrap_or(target.len());
        (method, &target[..mark], target.get(mark + 1..).unwrap_or_default())
    }
}

fn is_host_byte(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'%')
}

/// `07/Apr/2004:17:39:04 -0800` to milliseconds since 1970.
fn instant(date: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let separators = [(2, b'/'), (6, b'/'), (11, b':'), (20, b' ')];
    if date.len() != 26 || separators.iter().any(|(at, b)| date[*at] != *b) {
        return None;
    }
    let month = MONTHS.iter().position(|m| date[3..6].eq_ignore_ascii_case(m))? as u32 + 1;
    let day = time::day_number(time::number(&date[7..11])?, month, time::number(&date[..2])?)?;
    let east = civil_time::minutes_east(&date[21..])?;
    Some(
        i64::from(day) * DAY_MS + i64::from(time::clock(&date[12..20])?) - i64::from(east) * 60_000,
    )
}

#[cfg(test)]
mod tests;
