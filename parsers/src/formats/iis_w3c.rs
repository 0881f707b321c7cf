//! IIS W3C extended logs: web, OWA, ActiveSync, EWS, Outlook Anywhere, MAPI over HTTP, Lync web.
//!
//! The columns of a row are those of the latest `#Fields` before it, wherever that stands. Rows are
//! read twice over in the source: `odd_row` is the plain reading of any line, and
//! `plain_row` is the quick one of a row that looks as IIS writes it. Whatever is the
//! least bit odd goes to the former, and a property test holds the two to the same answer.

mod index;
mod layout;

use crate::bytes::same;
use crate::directive;
use crate::event::{LineErrorKind, LineKind, Notice, Place, ServerEvidence, Sink, Software};
use crate::format::{Description, LogFormat, Segment, State};
use crate::http::{self, Request};
use crate::line::{self, Run};
use crate::time::{self, DAY_MS};
use index::Index;
use layout::Layout;

use super::web::{self, Memo};

/// IIS W3C extended log.
pub struct IisW3c;

impl LogFormat for IisW3c {
    fn name(&self) -> &'static str {
        "iis-w3c"
    }

    fn describe(&self) -> Description {
        Description {
            title: "IIS W3C extended log: OWA, ActiveSync, EWS, Outlook Anywhere, MAPI, Lync web, SharePoint",
            written: r"inetpub\logs\LogFiles\W3SVCn\u_exYYMMDD.log (IIS 5 and 6: system32\LogFiles), by default",
            columns: &[
                "date",
                "time",
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
            access: "a row with a user and a status that shows the service answered; never a name on a 401 row, \
                     nor an OWA logon with LogoffReason=NoCookies",
            limits: "the user is what IIS logged: typed names, UPNs and DOMAIN\\user of one person are joined by \
                     realms or a directory file; without cs-username or sc-status the file is blind",
            time: "UTC",
            reference: "Microsoft: W3C Logging (HTTP Server API); IIS logFile element",
            example: "#Software: Microsoft Internet Information Services 8.5\n\
                      #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                      cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n\
                      2015-01-13 07:01:02 10.0.0.11 GET /owa/ - 443 CONTOSO\\anna 10.1.1.5 Mozilla/5.0 200 0 0 31\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        layout::detect(head)
    }

    fn divisible(&self, state: &State) -> bool {
        state.columns.as_ref().is_none_or(|names| Layout::of(names).date.is_some())
    }

    fn parse(&self, segment: &Segment<'_>, state: &mut State, sink: &mut dyn Sink) {
        Reader::new(segment, state, sink).read(true);
    }
}

/// The plain reading alone: every row by `odd_row`. For tests.
#[cfg(test)]
fn parse_plainly(segment: &Segment<'_>, state: &mut State, sink: &mut dyn Sink) {
    Reader::new(segment, state, sink).read(false);
}

const HOUR_MS: i64 = 3_600_000;

/// An hour that no row is in.
const NEVER: i64 = i64::MIN / 2;

struct Reader<'a, 's> {
    segment: &'a Segment<'a>,
    state: &'s mut State,
    layout: Layout,
    sink: &'s mut dyn Sink,
    run: Run,
    /// Lines seen so far.
    line: u64,
    first: i64,
    last: i64,
    /// The date as last written, and its day.
    date: (&'a [u8], i32),
    /// Beginning of the hour, and server, of the row before, so that [`Sink::active`] hears of changes
    /// only.
    active: (i64, &'a [u8], &'a [u8]),
    memo: Memo<'a>,
    blind: bool,
    /// A row was read since the last `#Date` or `#Fields`.
    rows_since: bool,
}

impl<'a, 's> Reader<'a, 's> {
    fn new(segment: &'a Segment<'a>, state: &'s mut State, sink: &'s mut dyn Sink) -> Self {
        let layout = state.columns.as_ref().map(|names| Layout::of(names)).unwrap_or_default();
        if state.assumed {
            sink.notice(Notice::AssumedFields);
        }
        Reader {
            segment,
            state,
            layout,
            sink,
            run: Run::new(segment.base),
            line: 0,
            first: i64::MAX,
            last: i64::MIN,
            date: (b"", 0),
            active: (NEVER, b"", b""),
            memo: Memo::new(segment.text.len()),
            blind: false,
            rows_since: false,
        }
    }

    fn read(mut self, quick: bool) {
        let text = self.segment.text;
        let mut index = Index::new();
        let mut at = 0;
        while at < text.len() {
            let rows = if quick { index.fill(text, at, self.segment.eol) } else { 0 };
            if rows == 0 {
                let end = line::next_line(text, at, self.segment.eol);
                self.any_line(at, end);
                at = end;
                continue;
            }
            for row in 0..rows {
                let row = index.row(row);
                let (start, end) = row.extent();
                self.line += 1;
                if !(index.regular() && self.plain_row(row)) {
                    self.line -= 1;
                    self.any_line(start, end + 1);
                }
                at = end + 1;
            }
        }
        if self.first <= self.last {
            self.sink.span(self.first, self.last);
        }
        self.forget_clock();
        self.run.finish(self.sink);
    }

    /// Rows that carry their date do not hang on the `#Date` before them, nor does what follows them:
    /// so that segments can be parsed apart, whatever row they begin with.
    fn forget_clock(&mut self) {
        if self.layout.date.is_some() && self.rows_since {
            self.state.clock = None;
        }
    }

    /// Any line at all: `text[start..end]`, its line end included.
    fn any_line(&mut self, start: usize, end: usize) {
        self.line += 1;
        let raw = &self.segment.text[start..end];
        let mut content = line::content(raw);
        if self.segment.base == 0 && start == 0 {
            content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
        }
        let content = content.trim_ascii_start();
        let byte = self.segment.base + start as u64;
        let kind = if content.is_empty() {
            LineKind::Blank
        } else if content.first() == Some(&b'#') {
            self.directive(content, byte);
            LineKind::Directive
        } else {
            self.rows_since = true;
            match self.odd_row(content, byte) {
                Ok(()) => LineKind::Event,
                Err(error) => {
                    self.sink.rejected(self.line, byte, error);
                    LineKind::Rejected
                }
            }
        };
        self.run.line(kind, self.segment.base + end as u64, self.sink);
    }

    fn directive(&mut self, content: &'a [u8], byte: u64) {
        let Some((name, value)) = directive::directive(content) else { return };
        if name.eq_ignore_ascii_case(b"Fields") {
            self.forget_clock();
            self.rows_since = false;
            self.state.columns = directive::blank_separated(value)
                .map(|names| names.into_iter().map(Box::from).collect());
            self.state.assumed = false;
            self.layout = self.state.columns.as_ref().map(|n| Layout::of(n)).unwrap_or_default();
            self.memo.forget();
        } else if name.eq_ignore_ascii_case(b"Date") || name.eq_ignore_ascii_case(b"Start-Date") {
            self.rows_since = false;
            self.state.clock = time::iso_instant(value.get(..19).unwrap_or(value))
                .map(|ms| ((ms.div_euclid(DAY_MS)) as i32, (ms.rem_euclid(DAY_MS) / 1000) as u32));
        } else if name.eq_ignore_ascii_case(b"Software") {
            self.state.software = layout::software(value);
            self.memo.forget();
        } else if !layout::is_directive_name(name) {
            return;
        }
        self.sink.directive(self.line, byte, name, value);
    }

    /// The plain reading of a row without its padding.
    fn odd_row(&mut self, content: &'a [u8], byte: u64) -> Result<(), LineErrorKind> {
        let declared = self.layout.count;
        if declared == 0 {
            return Err(LineErrorKind::NoFields);
        }
        let mut values: [&[u8]; layout::MOST] = [b""; layout::MOST];
        let mut found = 0;
        for value in content.split(|b| matches!(b, b' ' | b'\t')).filter(|v| !v.is_empty()) {
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        }
        if found != declared {
            return Err(LineErrorKind::FieldCount {
                found: found as u32,
                declared: declared as u32,
            });
        }
        let field = |column: Option<usize>| {
            column.and_then(|c| values.get(c)).map_or(&b""[..], |value| web::value(value))
        };
        let clock = match self.layout.time {
            Some(_) => time::clock(field(self.layout.time))
                .ok_or(LineErrorKind::Timestamp { field: "time" })?,
            None => 0,
        };
        let day = match self.layout.date {
            Some(_) => time::iso_date(field(self.layout.date))
                .ok_or(LineErrorKind::Timestamp { field: "date" })?,
            None => self.dateless_day(clock)?,
        };
        let status = match self.layout.status {
            Some(_) => time::number(field(self.layout.status))
                .ok_or(LineErrorKind::Value { field: "sc-status", expected: "number" })?,
            None => 0,
        };
        self.row(&field, day, clock, status, byte);
        Ok(())
    }

    /// The day of a row that has only a time: the day before's, plus one where the clock went back
    /// by more than an hour (rows are written when requests end, and so are a little out of order).
    fn dateless_day(&mut self, clock: u32) -> Result<i32, LineErrorKind> {
        let seconds = clock / 1000;
        let (mut day, before) = self.state.clock.ok_or(LineErrorKind::NoDate)?;
        if self.layout.time.is_some() && seconds + 3600 < before {
            day += 1;
        }
        if seconds > before || self.state.clock.is_some_and(|(d, _)| d != day) {
            self.state.clock = Some((day, seconds));
        }
        Ok(day)
    }

    /// The quick reading of a row. `false` where it is not as IIS writes it; nothing has been told
    /// then.
    #[inline]
    fn plain_row(&mut self, row: index::Row<'_>) -> bool {
        let text = self.segment.text;
        let (start, end) = row.extent();
        if row.fields() != self.layout.count || text[start] == b'#' {
            return false;
        }
        let last = row.fields() - 1;
        let field = |column: usize| {
            let value = &text[row.field(column)];
            // Only the last column can carry the line end or padding.
            if column == last { line::content(value) } else { value }
        };
        let Some((date, clock)) = self.date_and_clock(row, field) else { return false };
        if !same(date, self.date.0) {
            let Some(day) = time::iso_date(date) else { return false };
            self.date = (date, day);
            self.memo.forget();
        }
        let Some(status) = self.layout.status.map(field).and_then(time::number) else {
            return false;
        };
        let named = |column: Option<usize>| column.map_or(&b""[..], |c| web::value(field(c)));
        let byte = self.segment.base + start as u64;
        self.rows_since = true;
        self.row(&named, self.date.1, clock, status, byte);
        self.run.line(LineKind::Event, self.segment.base + end as u64 + 1, self.sink);
        true
    }

    /// The date as written, and the time of day in milliseconds; `None` where they are not plain.
    #[inline(always)]
    fn date_and_clock(
        &self,
        row: index::Row<'_>,
        field: impl Fn(usize) -> &'a [u8],
    ) -> Option<(&'a [u8], u32)> {
        let (date, time) = (self.layout.date?, self.layout.time?);
        // Nearly always they stand first, and are as long as ever.
        if (date, time) == (0, 1) && row.begins_with_fields_of(10, 8) {
            let begin = self.segment.text.get(row.extent().0..)?.first_chunk::<19>()?;
            let clock = time::whole_clock(begin.last_chunk()?)?;
            return Some((begin.first_chunk::<10>()?, clock));
        }
        Some((field(date), time::clock(field(time))?))
    }

    /// A row whose date, time and status are good. `field` gives a column's value, empty where the
    /// log has no such column or `-` stands in it.
    #[inline(always)]
    fn row(
        &mut self,
        field: &impl Fn(Option<usize>) -> &'a [u8],
        day: i32,
        clock: u32,
        status: u32,
        byte: u64,
    ) {
        let instant = i64::from(day) * DAY_MS + i64::from(clock);
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        let (name, address) = (field(self.layout.server_name), field(self.layout.server_address));
        let moved = !same(address, self.active.2) || !same(name, self.active.1);
        if moved || !(0..HOUR_MS).contains(&(instant - self.active.0)) {
            self.server_or_hour(name, address, instant.div_euclid(HOUR_MS), moved);
        }
        let user = field(self.layout.user);
        let nobody = http::is_nobody(user);
        // Most rows of a busy server are the first legs of a logon: nobody, and turned away.
        if self.layout.blind {
            self.note_blindness();
        } else if !nobody || matches!(status, 100..=299) {
            let user = if nobody { b"" } else { user };
            self.access(field, user, status, Place { byte, line: self.line, instant });
        }
    }

    /// A row that may show an access.
    #[inline]
    fn access(
        &mut self,
        field: &impl Fn(Option<usize>) -> &'a [u8],
        user: &'a [u8],
        status: u32,
        place: Place,
    ) {
        let row = Request {
            user,
            method: field(self.layout.method),
            stem: field(self.layout.stem),
            query: field(self.layout.query),
            port: field(self.layout.port),
            server_address: field(self.layout.server_address),
            client: http::client_address(
                field(self.layout.client),
                field(self.layout.forwarded),
                self.segment.scope,
            ),
            agent: field(self.layout.agent),
            status,
            // Nothing hangs on it elsewhere.
            substatus: match status {
                401 => time::number(field(self.layout.substatus)).unwrap_or(0),
                _ => 0,
            },
        };
        let name = field(self.layout.server_name);
        let software = self.state.software;
        let server = || server(name, row.server_address, software);
        web::tell(self.sink, self.segment.scope, &mut self.memo, &row, server, place);
    }

    /// The row is of another server or hour than the one before.
    #[cold]
    fn server_or_hour(&mut self, name: &'a [u8], address: &'a [u8], hour: i64, moved: bool) {
        if moved {
            self.memo.forget();
        }
        self.active = (hour * HOUR_MS, name, address);
        self.sink.active(&server(name, address, self.state.software), hour);
    }

    #[cold]
    fn note_blindness(&mut self) {
        let missing = if self.layout.user.is_none() {
            "cs-username"
        } else if self.layout.status.is_none() {
            "sc-status"
        } else {
            return;
        };
        if !self.blind {
            self.blind = true;
            self.sink.notice(Notice::Blind { missing });
        }
    }
}

fn server<'a>(name: &'a [u8], address: &'a [u8], software: Software) -> ServerEvidence<'a> {
    ServerEvidence { software, ..web::server(name, address) }
}

#[cfg(test)]
mod tests;
