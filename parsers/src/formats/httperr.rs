//! HTTPERR logs of http.sys: requests that never reached a site. They name nobody.

use std::sync::Arc;

use super::{rows, web};
use crate::event::{LineErrorKind, LineKind, Notice, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::memory::Memory;
use crate::service::starts_with_ignore_case;
use crate::time::{self, DAY_MS};
use crate::{directive, line, network};

/// HTTPERR log of http.sys.
pub struct HttpErr;

/// The columns of a file without a header, longest first: a row has as many of them as it has fields.
///
/// Source: Microsoft's "Format of the HTTP Server API Error Logs"; `streamid` came with HTTP/2.
const KNOWN: [&str; 3] = [
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason",
];

impl LogFormat for HttpErr {
    fn name(&self) -> &'static str {
        "httperr"
    }

    fn describe(&self) -> Description {
        Description {
            title: "HTTPERR log of http.sys: requests refused or lost before a site saw them",
            written: r"system32\LogFiles\HTTPERR\httperrN.log, by default",
            columns: &["date", "time", "s-computername", "s-ip"],
            access: "nothing: the log has no user, and no service answered",
            limits: "rows are checked and counted, so that the file is accounted for; a file without a header is read by \
                     the columns that Microsoft documents, with a warning",
            time: "UTC",
            reference: "Microsoft: Format of the HTTP Server API Error Logs",
            example: "#Software: Microsoft HTTP API 2.0\n\
                      #Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\n\
                      2015-01-13 07:01:02 203.0.113.9 51234 10.0.0.11 443 HTTP/1.1 GET /owa/ 503 1 N/A DefaultAppPool\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        let mut ours = false;
        for range in line::lines(head, eol) {
            let content = line::content(&head[range]).trim_ascii_start();
            let Some((name, value)) = directive::directive(content) else {
                match content.first() {
                    None | Some(b'#') => continue,
                    Some(_) if ours => return Some(State::default()),
                    Some(_) => return assume(content),
                }
            };
            if name.eq_ignore_ascii_case(b"Software") {
                if !starts_with_ignore_case(value, b"Microsoft HTTP API") {
                    return None;
                }
                ours = true;
            } else if name.eq_ignore_ascii_case(b"Fields") {
                let names = directive::blank_separated(value)?;
                let has = |n: &[u8]| names.iter().any(|name| name.eq_ignore_ascii_case(n));
                let shape = has(b"s-reason") && !has(b"cs-username");
                return (ours || shape).then(State::default);
            }
        }
        ours.then(State::default)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut layout = Layout::of(state);
        rows::read(segment, sink, |rows, content, byte| {
            let content = content.trim_ascii_start();
            if content.first() == Some(&b'#') {
                if let Some((name, value)) = directive::directive(content) {
                    if name.eq_ignore_ascii_case(b"Fields") {
                        state.columns = directive::blank_separated(value)
                            .map(|names| names.into_iter().map(Box::from).collect());
                        state.assumed = false;
                        layout = Layout::of(state);
                    }
                    rows.sink.directive(rows.line(), byte, name, value);
                }
                return Ok(LineKind::Directive);
            }
            if state.assumed {
                rows.notice(Notice::AssumedFields);
            }
            let (instant, name, address) = layout.row(content)?;
            rows.at(instant, &web::server(name, address));
            Ok(LineKind::Event)
        });
    }
}

/// The place of each column that is read.
struct Layout {
    count: usize,
    date: Option<usize>,
    time: Option<usize>,
    name: Option<usize>,
    address: Option<usize>,
}

impl Layout {
    fn of(state: &State) -> Layout {
        let names = state.columns.as_deref().unwrap_or_default();
        let place = |wanted: &[u8]| names.iter().position(|n| n.eq_ignore_ascii_case(wanted));
        Layout {
            count: names.len(),
            date: place(b"date"),
            time: place(b"time"),
            name: place(b"s-computername"),
            address: place(b"s-ip"),
        }
    }

    /// Instant, server name and server address of a row.
    fn row<'a>(&self, content: &'a [u8]) -> Result<(i64, &'a [u8], &'a [u8]), LineErrorKind> {
        if self.count == 0 {
            return Err(LineErrorKind::NoFields);
        }
        let (mut date, mut time, mut name, mut address): (&[u8], &[u8], &[u8], &[u8]) =
            (b"", b"", b"", b"");
        let mut found = 0;
        for field in content.split(|b| matches!(b, b' ' | b'\t')).filter(|f| !f.is_empty()) {
            let at = Some(found);
            if at == self.date {
                date = field;
            } else if at == self.time {
                time = field;
            } else if at == self.name {
                name = web::value(field);
            } else if at == self.address {
                address = web::value(field);
            }
            found += 1;
        }
        if found != self.count {
            let (found, declared) = (found as u32, self.count as u32);
            return Err(LineErrorKind::FieldCount { found, declared });
        }
        if self.date.is_none() {
            return Err(LineErrorKind::NoDate);
        }
        let day = time::iso_date(date).ok_or(LineErrorKind::Timestamp { field: "date" })?;
        let clock = time::clock(time).ok_or(LineErrorKind::Timestamp { field: "time" })?;
        Ok((i64::from(day) * DAY_MS + i64::from(clock), name, address))
    }
}

/// A row of a documented layout, without any header before it.
fn assume(row: &[u8]) -> Option<State> {
    let values: Vec<&[u8]> = row.split(|b| *b == b' ').filter(|v| !v.is_empty()).collect();
    let fields = KNOWN.iter().find(|k| k.split(' ').count() == values.len())?;
    let endpoint = |ip: &[u8], port: &[u8]| {
        (ip == b"-" && port == b"-") || (network::ip(ip).is_some() && time::number(port).is_some())
    };
    let fits = time::iso_date(values[0]).is_some()
        && time::clock(values[1]).is_some()
        && endpoint(values[2], values[3])
        && endpoint(values[4], values[5])
        && (values[6] == b"-" || values[6].starts_with(b"HTTP/"));
    let names = fields.split(' ').map(|n| Box::from(n.as_bytes()));
    let columns = Some(Arc::from_iter(names));
    fits.then(|| State { columns, assumed: true, ..State::default() })
}

#[cfg(test)]
mod tests;
