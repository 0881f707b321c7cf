//! IIS rows as events: XML exports of event 6200 of `Microsoft-Windows-IIS-Logging`.
//!
//! A record is an `<Event>…</Event>`, on one line or over several; an export of the event viewer has
//! all of them on one line. A line's kind is that of the records it holds: rejected where one of them
//! is, else event, else unrelated.

mod record;

use super::{rows, web};
use crate::event::{LineErrorKind, LineKind, Notice, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::http::Request;
use crate::line;
use crate::memory::Memory;
use crate::service::starts_with_ignore_case;
use crate::time::{self, DAY_MS};
use record::{Record, decode};
use rows::Rows;

/// XML copies of IIS rows.
pub struct IisEtw;

/// The most bytes of a record over several lines. A row has at most 64 KiB of text; a record that goes on
/// for longer has lost its end.
const LONGEST: usize = 1 << 20;

impl LogFormat for IisEtw {
    fn name(&self) -> &'static str {
        "iis-etw"
    }

    fn describe(&self) -> Description {
        Description {
            title: "XML copies of IIS rows: event 6200 of Microsoft-Windows-IIS-Logging",
            written: "Microsoft-IIS-Logging/Logs, where the site's log target includes ETW (IIS 8.5 and later); exported by \
                      wevtutil qe, Get-WinEvent or the event viewer",
            columns: &[
                "date",
                "time",
                "TimeCreated",
                "Computer",
                "s-computername",
                "s-ip",
                "cs-method",
                "cs-uri-stem",
                "cs-uri-query",
                "s-port",
                "cs-username",
                "c-ip",
                "csUser-Agent",
                "sc-status",
                "sc-substatus",
            ],
            access: "as iis-w3c",
            limits: "custom fields (X-Forwarded-For) are not read: behind a proxy the device is the proxy's address; records \
                     of other providers and other events are unrelated; an event log of fixed size overwrites its oldest events",
            time: "UTC",
            reference: "Microsoft: IIS logFile element, logTargetW3C; provider Microsoft-Windows-IIS-Logging",
            example: "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
                      <Provider Name='Microsoft-Windows-IIS-Logging'/><EventID>6200</EventID>\
                      <TimeCreated SystemTime='2015-01-13T07:01:02.123456700Z'/><Computer>EX01.contoso.com</Computer></System>\
                      <EventData><Data Name='EnabledFieldsFlags'>2478079</Data><Data Name='date'>2015-01-13</Data>\
                      <Data Name='time'>07:01:02</Data><Data Name='c-ip'>10.1.1.5</Data>\
                      <Data Name='cs-username'>CONTOSO\\anna</Data><Data Name='s-ip'>10.0.0.11</Data>\
                      <Data Name='cs-method'>GET</Data><Data Name='cs-uri-stem'>/owa/</Data>\
                      <Data Name='sc-status'>200</Data><Data Name='csUser-Agent'>Mozilla/5.0</Data></EventData></Event>\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let mut from = 0;
        // Exports of several channels are ours where one of the first records is.
        for _ in 0..16 {
            let begin = record::begin(head, from)?;
            let end = record::end(head, begin).unwrap_or(head.len());
            if Record::of(&head[begin..end]).provider == PROVIDER {
                return Some(State::default());
            }
            from = end;
        }
        None
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn boundary(&self, text: &[u8], at: usize, eol: u8) -> usize {
        let mut at = line::next_line(text, at, eol);
        while at < text.len() {
            let end = line::next_line(text, at, eol);
            if begins_record(&text[at..end]) {
                return at;
            }
            at = end;
        }
        at
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        _state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut reader = Reader { rows: Rows::new(segment, sink), open: None };
        for range in line::lines(segment.text, segment.eol) {
            reader.rows.next_line();
            reader.line(range.start, range.end);
        }
        reader.give_up();
        reader.rows.finish();
    }
}

const PROVIDER: &[u8] = b"Microsoft-Windows-IIS-Logging";

/// Whether a record begins on the line and none that began before can end on it.
fn begins_record(line: &[u8]) -> bool {
    let Some(begin) = record::begin(line, 0) else { return false };
    record::end(&line[..begin], 0).is_none()
}

struct Reader<'a, 's> {
    rows: Rows<'a, 's>,
    open: Option<Open>,
}

/// A record that began on an earlier line and has not ended yet.
struct Open {
    /// Offset of its `<Event` in the segment, and the number of its line.
    start: usize,
    line: u64,
    /// First byte and end of each of its lines so far, as offsets in the decoded text.
    lines: Vec<(u64, u64)>,
    /// What earlier records say of its first line.
    so_far: Verdict,
}

/// What the records on a line say of it so far.
#[derive(Clone, Copy, Default)]
struct Verdict {
    rejected: Option<LineErrorKind>,
    event: bool,
    unrelated: bool,
}

impl Verdict {
    fn add(&mut self, record: Result<LineKind, LineErrorKind>) {
        match record {
            Ok(LineKind::Event) => self.event = true,
            Ok(_) => self.unrelated = true,
            Err(error) => self.rejected = self.rejected.or(Some(error)),
        }
    }

    fn kind(self) -> Option<Result<LineKind, LineErrorKind>> {
        match self {
            Verdict { rejected: Some(error), .. } => Some(Err(error)),
            Verdict { event: true, .. } => Some(Ok(LineKind::Event)),
            Verdict { unrelated: true, .. } => Some(Ok(LineKind::Unrelated)),
            _ => None,
        }
    }
}

impl<'a> Reader<'a, '_> {
    /// The line `start..end` of the segment.
    fn line(&mut self, start: usize, end: usize) {
        let text = &self.rows.segment.text[..end];
        let base = self.rows.segment.base;
        let (byte, line_end) = (base + start as u64, base + end as u64);
        let mut verdict = Verdict::default();
        let mut at = start;
        if let Some(open) = &mut self.open {
            let next = record::begin(text, start);
            let close = record::end(&text[..next.unwrap_or(end)], start);
            match close {
                Some(close) => {
                    let (start, line) = (open.start, open.line);
                    let kind = self.record(start, close, line);
                    self.close(kind);
                    verdict.add(kind);
                    at = close;
                }
                None if next.is_some() => self.give_up(),
                None if end - open.start <= LONGEST => {
                    open.lines.push((byte, line_end));
                    return;
                }
                None => self.give_up(),
            }
        }
        // Looked for once a line: a line without a further end is not searched again and again.
        let mut ends_here = true;
        while let Some(begin) = record::begin(text, at) {
            let close = if ends_here { record::end(text, begin) } else { None };
            let Some(close) = close else {
                ends_here = false;
                match record::begin(text, begin + 1) {
                    Some(next) => {
                        verdict.add(Err(LineErrorKind::Record { missing: "end" }));
                        at = next;
                        continue;
                    }
                    None => {
                        let line = self.rows.line();
                        let lines = vec![(byte, line_end)];
                        self.open = Some(Open { start: begin, line, lines, so_far: verdict });
                        return;
                    }
                }
            };
            let interrupted = record::begin(&text[..close], begin + 1);
            verdict.add(match interrupted {
                Some(_) => Err(LineErrorKind::Record { missing: "end" }),
                None => self.record(begin, close, self.rows.line()),
            });
            at = interrupted.unwrap_or(close);
        }
        let content = line::content(&self.rows.segment.text[start..end]);
        let content = self.rows.unmarked(content, start);
        let stray = record::end(text, at).is_some();
        let kind = verdict.kind().unwrap_or_else(|| outside(content.trim_ascii_start(), stray));
        self.rows.end_line(kind, self.rows.line(), byte, line_end);
    }

    /// Tells the lines of the open record, which ended as `kind`.
    fn close(&mut self, kind: Result<LineKind, LineErrorKind>) {
        let Some(open) = self.open.take() else { return };
        for (i, (byte, end)) in open.lines.into_iter().enumerate() {
            let mut verdict = if i == 0 { open.so_far } else { Verdict::default() };
            verdict.add(kind);
            let line = open.line + i as u64;
            self.rows.end_line(verdict.kind().unwrap_or(kind), line, byte, end);
        }
    }

    /// The open record has lost its end.
    fn give_up(&mut self) {
        self.close(Err(LineErrorKind::Record { missing: "end" }));
    }

    /// The record `start..end` of the segment, which begins on the line `line`.
    fn record(&mut self, start: usize, end: usize, line: u64) -> Result<LineKind, LineErrorKind> {
        let record = Record::of(&self.rows.segment.text[start..end]);
        if record.provider != PROVIDER || record.event_id != b"6200" {
            return Ok(LineKind::Unrelated);
        }
        let instant = instant(&record)?;
        let status = time::number(record.status)
            .ok_or(LineErrorKind::Value { field: "sc-status", expected: "number" })?;
        let (name, address) = (decode(record.server_name), decode(record.server_address));
        let name = match web::value(&name) {
            b"" => record.computer,
            name => name,
        };
        let server = web::server(name, web::value(&address));
        self.rows.at(instant, &server);
        let Some(user) = record.user else {
            self.rows.notice(Notice::Blind { missing: "cs-username" });
            return Ok(LineKind::Event);
        };
        if starts_with_ignore_case(record.service, b"SMTPSVC") {
            return Ok(LineKind::Event);
        }
        let fields = [user, record.method, record.stem, record.query, record.client, record.agent]
            .map(decode);
        let [user, method, stem, query, client, agent] =
            std::array::from_fn(|i| web::value(&fields[i]));
        let row = Request {
            user,
            method,
            stem,
            query,
            port: record.port,
            client,
            agent,
            status,
            substatus: time::number(record.substatus).unwrap_or(0),
        };
        let byte = self.rows.segment.base + start as u64;
        let place = crate::Place { byte, line, instant };
        web::tell_once(self.rows.sink, self.rows.segment.scope, &row, server, place);
        Ok(LineKind::Event)
    }
}

/// When the row was written: its own date and time, else when the event was.
fn instant(record: &Record<'_>) -> Result<i64, LineErrorKind> {
    if matches!(record.date, b"" | b"-") || matches!(record.time, b"" | b"-") {
        return time::iso_instant(record.created)
            .ok_or(LineErrorKind::Timestamp { field: "TimeCreated" });
    }
    let day = time::iso_date(record.date).ok_or(LineErrorKind::Timestamp { field: "date" })?;
    let clock = time::clock(record.time).ok_or(LineErrorKind::Timestamp { field: "time" })?;
    Ok(i64::from(day) * DAY_MS + i64::from(clock))
}

/// A line that no record is on; `stray` where it ends one that never began.
fn outside(content: &[u8], stray: bool) -> Result<LineKind, LineErrorKind> {
    const WRAPPERS: [&[u8]; 5] = [b"<?xml", b"<Events", b"</Events", b"<root", b"</root"];
    if stray {
        Err(LineErrorKind::Record { missing: "beginning" })
    } else if content.is_empty() {
        Ok(LineKind::Blank)
    } else if WRAPPERS.iter().any(|w| starts_with_ignore_case(content, w)) {
        Ok(LineKind::Directive)
    } else {
        Ok(LineKind::Unrelated)
    }
}

#[cfg(test)]
mod tests;
