//! Logs of the IIS Advanced Logging module: W3C text whose strings stand in double quotes, blanks kept.

use std::borrow::Cow;

use super::{rows, web};
use crate::csv;
use crate::directive;
use crate::event::{LineErrorKind, LineKind, Notice, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::http::{self, Request};
use crate::line;
use crate::memory::Memory;
use crate::service::contains_ignore_case;
use crate::time::{self, DAY_MS};

/// IIS Advanced Logging log.
pub struct IisAdvanced;

/// The most columns that are told apart; rows may have more, those are only counted.
const MOST: usize = 64;

impl LogFormat for IisAdvanced {
    fn name(&self) -> &'static str {
        "iis-advanced"
    }

    fn describe(&self) -> Description {
        Description {
            title: "IIS Advanced Logging module (add-on for IIS 7 and later): W3C text with quoted strings",
            written: r"inetpub\logs\AdvancedLogs\*.log, where the module is installed and enabled",
            columns: &[
                "date-utc",
                "time-utc",
                "date-local",
                "time-local",
                "s-computername",
                "s-ip",
                "cs-method",
                "cs-uri-stem",
                "cs-uri-query",
                "s-port",
                "cs-username",
                "c-ip",
                "X-Forwarded-For",
                "cs(User-Agent)",
                "sc-status",
                "sc-substatus",
            ],
            access: "as iis-w3c",
            limits: "blanks in names and agents stay blanks, where iis-w3c writes `+`; without cs-username or sc-status the \
                     file is blind; a row without a date column is rejected",
            time: "UTC where date-utc and time-utc are logged; date-local and time-local are the server's local time: \
                   state its offset (time_zone), else rows are taken as UTC with a warning",
            reference: "Microsoft: Advanced Logging for IIS",
            example: "#Software: IIS Advanced Logging Module\n\
                      #Version: 1.0\n\
                      #Start-Date: 2014-11-18 00:00:00.128\n\
                      #Fields:  date-utc time-utc s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                      cs(User-Agent) sc-status sc-substatus sc-win32-status TimeTakenMS\n\
                      2014-11-18 07:01:02.363 10.0.0.11 GET /owa/ - 443 \"CONTOSO\\anna\" 10.1.1.5 \"Mozilla/5.0 (X11)\" 200 \
                      \"0\" 0 31\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        for range in line::lines(head, eol) {
            let content = line::content(&head[range]).trim_ascii_start();
            match directive::directive(content) {
                Some((name, value)) if name.eq_ignore_ascii_case(b"Software") => {
                    let ours = contains_ignore_case(value, b"Advanced Logging");
                    return ours.then(State::default);
                }
                Some((name, value)) if name.eq_ignore_ascii_case(b"Fields") => {
                    let names = directive::blank_separated(value)?;
                    let day = |n: &&[u8]| {
                        n.eq_ignore_ascii_case(b"date-utc") || n.eq_ignore_ascii_case(b"date-local")
                    };
                    return names.iter().any(day).then(State::default);
                }
                None if !matches!(content.first(), None | Some(b'#')) => return None,
                _ => {}
            }
        }
        None
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut layout = Layout::of(state);
        let mut tokens: [&[u8]; MOST] = [b""; MOST];
        rows::read(segment, sink, |rows, content, byte| {
            let content = content.trim_ascii_start();
            if content.first() == Some(&b'#') {
                if let Some((name, value)) = directive::directive(content) {
                    if name.eq_ignore_ascii_case(b"Fields") {
                        state.columns = directive::blank_separated(value)
                            .map(|names| names.into_iter().map(Box::from).collect());
                        layout = Layout::of(state);
                    }
                    rows.sink.directive(rows.line(), byte, name, value);
                }
                return Ok(LineKind::Directive);
            }
            layout.split(content, &mut tokens)?;
            let instant = layout.instant(&tokens, rows)?;
            let server = layout.values(&tokens, [layout.server_name, layout.server_address]);
            let server = web::server(web::value(&server[0]), web::value(&server[1]));
            rows.at(instant, &server);
            let status = layout.status(&tokens)?;
            if let Some(missing) = layout.missing() {
                rows.notice(Notice::Blind { missing });
                return Ok(LineKind::Event);
            }
            let place = rows.place(byte, instant);
            let scope = rows.segment.scope;
            let values = layout.values(&tokens, layout.strings());
            let mut plain: [&[u8]; STRINGS] = [b""; STRINGS];
            let mut borrowed = true;
            for (slot, value) in plain.iter_mut().zip(&values) {
                match value {
                    Cow::Borrowed(v) => *slot = web::value(v),
                    Cow::Owned(_) => borrowed = false,
                }
            }
            if borrowed {
                let row = request(&plain, status, &layout, &tokens, scope);
                web::tell(rows.sink, scope, memory, &row, (rows.server, server), place);
            } else {
                let owned = std::array::from_fn(|i| web::value(&values[i]));
                let row = request(&owned, status, &layout, &tokens, scope);
                web::tell_once(rows.sink, scope, &row, server, place);
            }
            Ok(LineKind::Event)
        });
    }
}

/// Number of string columns that the decision reads; see [`Layout::strings`].
const STRINGS: usize = 8;

/// The request of the values in the order of [`Layout::strings`].
fn request<'r>(
    values: &[&'r [u8]; STRINGS],
    status: u32,
    layout: &Layout,
    tokens: &[&[u8]; MOST],
    scope: &crate::Scope,
) -> Request<'r> {
    let [user, method, stem, query, port, peer, forwarded, agent] = *values;
    let substatus = layout.values(tokens, [layout.substatus]);
    Request {
        user,
        method,
        stem,
        query,
        port,
        client: http::client_address(peer, forwarded, scope),
        agent,
        status,
        substatus: time::number(&substatus[0]).unwrap_or(0),
    }
}

/// The place of each column that is read.
struct Layout {
    count: usize,
    date_utc: Option<usize>,
    time_utc: Option<usize>,
    date_local: Option<usize>,
    time_local: Option<usize>,
    server_name: Option<usize>,
    server_address: Option<usize>,
    user: Option<usize>,
    method: Option<usize>,
    stem: Option<usize>,
    query: Option<usize>,
    port: Option<usize>,
    client: Option<usize>,
    forwarded: Option<usize>,
    agent: Option<usize>,
    status: Option<usize>,
    substatus: Option<usize>,
}

impl Layout {
    fn of(state: &State) -> Layout {
        let names = state.columns.as_deref().unwrap_or_default();
        let place =
            |wanted: &[u8]| names.iter().take(MOST).position(|n| n.eq_ignore_ascii_case(wanted));
        Layout {
            count: names.len(),
            date_utc: place(b"date-utc"),
            time_utc: place(b"time-utc"),
            date_local: place(b"date-local"),
            time_local: place(b"time-local"),
            server_name: place(b"s-computername"),
            server_address: place(b"s-ip"),
            user: place(b"cs-username"),
            method: place(b"cs-method"),
            stem: place(b"cs-uri-stem"),
            query: place(b"cs-uri-query"),
            port: place(b"s-port"),
            client: place(b"c-ip"),
            forwarded: place(b"X-Forwarded-For").or_else(|| place(b"cs(X-Forwarded-For)")),
            agent: place(b"cs(User-Agent)"),
            status: place(b"sc-status"),
            substatus: place(b"sc-substatus"),
        }
    }

    fn strings(&self) -> [Option<usize>; STRINGS] {
        [
            self.user,
            self.method,
            self.stem,
            self.query,
            self.port,
            self.client,
            self.forwarded,
            self.agent,
        ]
    }

    fn missing(&self) -> Option<&'static str> {
        if self.user.is_none() {
            Some("cs-username")
        } else {
            self.status.is_none().then_some("sc-status")
        }
    }

    /// Splits a row into `tokens`, quotes left on.
    fn split<'a>(&self, row: &'a [u8], tokens: &mut [&'a [u8]; MOST]) -> Result<(), LineErrorKind> {
        if self.count == 0 {
            return Err(LineErrorKind::NoFields);
        }
        let found = split(row, tokens)?;
        if found != self.count {
            let (found, declared) = (found as u32, self.count as u32);
            return Err(LineErrorKind::FieldCount { found, declared });
        }
        Ok(())
    }

    /// The values of columns without their quotes; empty where the log has no such column.
    fn values<'a, const N: usize>(
        &self,
        tokens: &[&'a [u8]; MOST],
        columns: [Option<usize>; N],
    ) -> [Cow<'a, [u8]>; N] {
        columns.map(|column| column.map_or(Cow::Borrowed(&b""[..]), |c| csv::unquote(tokens[c])))
    }

    fn instant(
        &self,
        tokens: &[&[u8]; MOST],
        rows: &mut rows::Rows<'_, '_>,
    ) -> Result<i64, LineErrorKind> {
        let (date, time, local, fields) = match (self.date_utc, self.time_utc) {
            (Some(date), Some(time)) => (date, time, false, ["date-utc", "time-utc"]),
            _ => match (self.date_local, self.time_local) {
                (Some(date), Some(time)) => (date, time, true, ["date-local", "time-local"]),
                _ => return Err(LineErrorKind::NoDate),
            },
        };
        let timestamp = |at: usize| LineErrorKind::Timestamp { field: fields[at] };
        let day = time::iso_date(&csv::unquote(tokens[date])).ok_or(timestamp(0))?;
        let clock = time::clock(&csv::unquote(tokens[time])).ok_or(timestamp(1))?;
        let instant = i64::from(day) * DAY_MS + i64::from(clock);
        Ok(if local { rows.utc(instant) } else { instant })
    }

    fn status(&self, tokens: &[&[u8]; MOST]) -> Result<u32, LineErrorKind> {
        let error = LineErrorKind::Value { field: "sc-status", expected: "number" };
        match self.status {
            Some(column) => time::number(&csv::unquote(tokens[column])).ok_or(error),
            None => Ok(0),
        }
    }
}

/// Splits a row at runs of blanks outside of quotes. Returns the number of fields on the row, which may
/// be larger than `tokens`.
fn split<'a>(row: &'a [u8], tokens: &mut [&'a [u8]]) -> Result<usize, LineErrorKind> {
    let (mut count, mut at) = (0, 0);
    loop {
        at += row[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if at == row.len() {
            return Ok(count);
        }
        let end = if row[at] == b'"' {
            closing_quote(row, at + 1)? + 1
        } else {
            memchr::memchr2(b' ', b'\t', &row[at..]).map_or(row.len(), |i| at + i)
        };
        if let Some(place) = tokens.get_mut(count) {
            *place = &row[at..end];
        }
        count += 1;
        at = end;
    }
}

/// Offset of the quote that ends a string: not doubled, and with a blank or nothing behind it.
fn closing_quote(row: &[u8], mut at: usize) -> Result<usize, LineErrorKind> {
    loop {
        at += memchr::memchr(b'"', &row[at..]).ok_or(LineErrorKind::Quote)?;
        match row.get(at + 1) {
            None | Some(b' ' | b'\t') => return Ok(at),
            Some(b'"') => at += 2,
            Some(_) => return Err(LineErrorKind::Quote),
        }
    }
}

#[cfg(test)]
mod tests;
