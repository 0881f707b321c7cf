//! IIS W3C extended logs: web, OWA, ActiveSync, EWS, Outlook Anywhere, MAPI over HTTP, Lync web.
//!
//! The columns of a row are those of the latest `#Fields` before it, wherever that stands. Rows are
//! read twice over in the source: `odd_row` is the plain reading of any line, and
//! `plain_row` is the quick one of a row that looks as IIS writes it. Whatever is the
//! least bit odd goes to the former, and a property test holds the two to the same answer.

mod index;
mod layout;

use std::ops::Range;

pub(crate) use index::Index;

use crate::bytes::same;
use crate::directive;
use crate::event::{LineErrorKind, LineKind, Notice, Place, ServerEvidence, ServerId, Sink};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::http::{self, Request};
use crate::line::{self, Run};
use crate::memory::Memory;
use crate::time::{self, DAY_MS};
use layout::Layout;

use super::web::{self, Batch, Shown};

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
        state.columns.as_ref().is_none_or(|names| layout::has_date(names))
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        Reader::new(segment, state, memory, sink).read(true);
    }
}

/// The plain reading alone: every row by `odd_row`. For tests.
#[cfg(test)]
fn parse_plainly(segment: &Segment<'_>, state: &mut State, sink: &mut dyn Sink) {
    Reader::new(segment, state, &mut Memory::default(), sink).read(false);
}

const HOUR_MS: i64 = 3_600_000;

/// The most lines that are read plainly before the quick way is tried again.
const MOST_PATIENT: u32 = 64;

/// An hour that no row is in.
const NEVER: i64 = i64::MIN / 2;

struct Reader<'a, 's> {
    segment: &'a Segment<'a>,
    state: &'s mut State,
    layout: Layout,
    memory: &'s mut Memory,
    sink: &'s mut dyn Sink,
    run: Run,
    /// Lines seen so far.
    line: u64,
    first: i64,
    last: i64,
    /// The date, hour and minute of the row before as written, and when that minute began.
    minute: ([u8; 16], i64),
    /// Beginning of the hour, and server, of the row before, so that [`Sink::active`] hears of changes
    /// only.
    active: (i64, &'a [u8], &'a [u8]),
    /// What the sink calls that server, once it was asked.
    server: Option<ServerId>,
    /// Rows of that server whose facts are still to be looked up.
    batch: Batch<'a>,
    blind: bool,
    /// A row was read since the last `#Date` or `#Fields`.
    rows_since: bool,
}

impl<'a, 's> Reader<'a, 's> {
    fn new(
        segment: &'a Segment<'a>,
        state: &'s mut State,
        memory: &'s mut Memory,
        sink: &'s mut dyn Sink,
    ) -> Self {
        let layout = state.columns.as_ref().map(|names| Layout::of(names)).unwrap_or_default();
        if state.assumed {
            sink.notice(Notice::AssumedFields);
        }
        Reader {
            segment,
            state,
            layout,
            memory,
            sink,
            run: Run::new(segment.base),
            line: 0,
            first: i64::MAX,
            last: i64::MIN,
            minute: ([0; 16], 0),
            active: (NEVER, b"", b""),
            server: None,
            batch: Batch::default(),
            blind: false,
            rows_since: false,
        }
    }

    fn read(mut self, quick: bool) {
        let text = self.segment.text;
        let mut index = self.memory.index.take().unwrap_or_else(Index::new);
        let mut at = 0;
        // Lines to be read plainly before the next span: more and more, while nothing else is found.
        let (mut plain, mut patience) = (0, 1);
        while at < text.len() {
            if text[at] == b'#' {
                // That a directive is no row does not show that the rows behind it are odd.
                at = self.any_line(at);
                continue;
            }
            let fields = self.layout.count;
            let rows = match quick && plain == 0 {
                true => index.fill(text, at, self.segment.eol, fields),
                false => 0,
            };
            if rows == 0 {
                if plain == 0 {
                    (plain, patience) = (patience, MOST_PATIENT.min(patience * 2));
                }
                plain -= 1;
                at = self.any_line(at);
                continue;
            }
            patience = 1;
            let (mut row, mut told) = (0, 0);
            while row < rows {
                self.line += 1;
                if !self.plain_row(&index, row) {
                    self.line -= 1;
                    self.plain_lines(&index, fields, told..row);
                    self.any_line(index.row(row, fields).start());
                    told = row + 1;
                }
                row += 1;
                if self.layout.count != fields {
                    break;
                }
            }
            self.plain_lines(&index, fields, told..row);
            at = index.end(row - 1, fields) + 1;
        }
        self.tell_batch();
        self.memory.index = Some(index);
        self.memory.facts.tell(self.sink);
        if self.first <= self.last {
            self.sink.span(self.first, self.last);
        }
        self.forget_clock();
        self.run.finish(self.sink);
    }

    /// Accounts for the lines of rows of a span that were read the quick way.
    fn plain_lines(&mut self, index: &Index, fields: usize, rows: Range<usize>) {
        if let Some(last) = rows.clone().last() {
            self.rows_since = true;
            let end = self.segment.base + index.end(last, fields) as u64 + 1;
            self.run.lines(LineKind::Event, rows.len() as u64, end, self.sink);
        }
    }

    /// Rows that carry their date do not hang on the `#Date` before them, nor does what follows them:
    /// so that segments can be parsed apart, whatever row they begin with.
    fn forget_clock(&mut self) {
        if self.layout.date.is_some() && self.rows_since {
            self.state.clock = None;
        }
    }

    /// The line that begins at `start`, whatever it is. Returns where the next one begins.
    fn any_line(&mut self, start: usize) -> usize {
        self.tell_batch();
        self.line += 1;
        let end = line::next_line(self.segment.text, start, self.segment.eol);
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
        end
    }

    fn directive(&mut self, content: &'a [u8], byte: u64) {
        let Some((name, value)) = directive::directive(content) else { return };
        if name.eq_ignore_ascii_case(b"Fields") {
            self.forget_clock();
            self.rows_since = false;
            self.state.assumed = false;
            let names = directive::blank_separated(value);
            let known = self.state.columns.as_deref().map(|known| known.iter().map(|name| &**name));
            // Most headers say what is known: by recognition, or by the one before.
            let same = match (&names, known) {
                (Some(names), Some(known)) => names.iter().copied().eq(known),
                (names, known) => names.is_none() && known.is_none(),
            };
            if !same {
                self.state.columns = names.map(|n| n.into_iter().map(Box::from).collect());
                self.layout =
                    self.state.columns.as_ref().map(|n| Layout::of(n)).unwrap_or_default();
            }
        } else if name.eq_ignore_ascii_case(b"Date") || name.eq_ignore_ascii_case(b"Start-Date") {
            self.rows_since = false;
            self.state.clock = time::iso_instant(value.get(..19).unwrap_or(value))
                .map(|ms| ((ms.div_euclid(DAY_MS)) as i32, (ms.rem_euclid(DAY_MS) / 1000) as u32));
        } else if name.eq_ignore_ascii_case(b"Software") {
            self.state.software = layout::software(value);
            self.server = None;
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
        let field = |column: Option<u8>| {
            let value = column.and_then(|c| values.get(usize::from(c)));
            value.map_or(&b""[..], |value| web::value(value))
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
        let instant = i64::from(day) * DAY_MS + i64::from(clock);
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        if let Some(change) = self.moved(&field, instant) {
            self.server_or_hour(change);
        }
        if let Some(user) = self.worth_a_look(field(self.layout.user), status) {
            let row = request(&field, &self.layout, self.segment.scope, user, status);
            let server = (self.server_id(), self.server_evidence());
            let place = Place { byte, line: self.line, instant };
            web::tell(self.sink, self.segment.scope, self.memory, &row, server, place);
        }
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

    /// The quick reading of the row `number` of a span. `false` where it is not as IIS writes it;
    /// nothing has been told then.
    #[inline(always)]
    fn plain_row(&mut self, index: &Index, number: usize) -> bool {
        let (text, fields) = (self.segment.text, self.layout.count);
        let row = index.row(number, fields);
        let usual = self.usual_row(row);
        let Some((instant, status, user)) = usual.or_else(|| self.unusual_row(row)) else {
            return false;
        };
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        let Some(user) = self.worth_a_look(user, status) else { return true };
        let value = plain_values(text, row, fields);
        let field = |column: Option<u8>| column.map_or(&b""[..], |c| web::value(value(c)));
        let (scope, server, address) = (self.segment.scope, self.server_id(), self.active.2);
        let asked = request(&field, &self.layout, scope, user, status);
        let place =
            Place { byte: self.segment.base + row.start() as u64, line: self.line, instant };
        let client_of = |client: &[u8]| http::client_of(client, address, scope);
        match web::shown(&mut self.memory.looks, &asked, server, client_of) {
            Shown::Nothing => {}
            Shown::Seen(seen) => {
                if self.batch.add(&self.memory.facts, seen, asked.agent, place) {
                    self.tell_batch();
                }
            }
            Shown::Odd => {
                self.tell_batch();
                let server = self.server_evidence();
                web::tell_once(self.sink, scope, &asked, server, place);
            }
        }
        true
    }

    /// Instant, status and user of a row of the same minute and server as the row before, where all
    /// columns stand in their usual places; `None` where it is not quite that.
    #[inline(always)]
    fn usual_row(&self, row: index::Row<'_>) -> Option<(i64, u32, &'a [u8])> {
        let sieve = self.layout.sieve?;
        let text = self.segment.text;
        let value = |column: u8| text.get(row.field(column)).unwrap_or_default();
        let begin = text.get(row.start()..)?.first_chunk::<19>()?;
        let ((minute, since), (hour, name, address)) = (self.minute, self.active);
        let [at @ .., b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9'] = begin else { return None };
        let at: &[u8; 16] = at;
        let usual = row.begins_with_fields_of(10, 8)
            && u128::from_ne_bytes(*at) == u128::from_ne_bytes(minute)
            && (0..HOUR_MS).contains(&(since - hour))
            && same(value(sieve.server_address), address)
            && sieve.server_name.is_none_or(|column| same(web::value(value(column)), name));
        let second = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let status = time::number(value(sieve.status)).filter(|_| usual)?;
        Some((since + second * 1000, status, web::value(value(sieve.user))))
    }

    /// The same of any row that IIS writes.
    #[inline(never)]
    fn unusual_row(&mut self, row: index::Row<'_>) -> Option<(i64, u32, &'a [u8])> {
        let (text, fields) = (self.segment.text, self.layout.count);
        if text.get(row.start()) == Some(&b'#') {
            return None;
        }
        let value = plain_values(text, row, fields);
        let field = |column: Option<u8>| column.map_or(&b""[..], |c| web::value(value(c)));
        let instant = self.plain_instant(row, &value)?;
        let status = time::number(value(self.layout.status?))?;
        if let Some(change) = self.moved(&field, instant) {
            self.server_or_hour(change);
        }
        Some((instant, status, field(self.layout.user)))
    }

    /// When a row happened; `None` where its date and time are not plain.
    fn plain_instant(
        &mut self,
        row: index::Row<'_>,
        value: &impl Fn(u8) -> &'a [u8],
    ) -> Option<i64> {
        let (date, time) = (self.layout.date?, self.layout.time?);
        // Nearly always they stand first, and are as long as ever.
        if (date, time) != (0, 1) || !row.begins_with_fields_of(10, 8) {
            let (day, clock) = (time::iso_date(value(date))?, time::clock(value(time))?);
            return Some(i64::from(day) * DAY_MS + i64::from(clock));
        }
        let begin = self.segment.text.get(row.start()..)?.first_chunk::<19>()?;
        let day = time::iso_date(begin.first_chunk::<10>()?)?;
        let clock = i64::from(time::whole_clock(begin.last_chunk()?)?);
        let midnight = i64::from(day) * DAY_MS;
        self.minute = (*begin.first_chunk()?, midnight + clock / 60_000 * 60_000);
        Some(midnight + clock)
    }

    /// Where a row is of another server or hour than the one before: what [`Reader::server_or_hour`] must
    /// be told.
    fn moved(
        &self,
        field: &impl Fn(Option<u8>) -> &'a [u8],
        instant: i64,
    ) -> Option<(i64, &'a [u8], &'a [u8])> {
        let (name, address) = (field(self.layout.server_name), field(self.layout.server_address));
        let change =
            !self.is_active(name, address) || !(0..HOUR_MS).contains(&(instant - self.active.0));
        change.then_some((instant, name, address))
    }

    /// Whether the row before was of that server.
    #[inline]
    fn is_active(&self, name: &[u8], address: &[u8]) -> bool {
        same(address, self.active.2) && same(name, self.active.1)
    }

    /// The row at hand is of another server or hour than the one before.
    #[cold]
    fn server_or_hour(&mut self, (instant, name, address): (i64, &'a [u8], &'a [u8])) {
        if !self.is_active(name, address) {
            self.tell_batch();
            self.server = None;
        }
        let hour = instant.div_euclid(HOUR_MS);
        self.active = (hour * HOUR_MS, name, address);
        self.sink.active(&self.server_evidence(), hour);
    }

    /// The user of a row that may show an access, empty for nobody.
    #[inline(always)]
    fn worth_a_look(&mut self, user: &'a [u8], status: u32) -> Option<&'a [u8]> {
        if self.layout.blind {
            self.note_blindness();
            return None;
        }
        // Most rows of a busy server are the first legs of a logon: nobody, and turned away.
        match http::is_nobody(user) {
            true => matches!(status, 100..=299).then_some(b""),
            false => Some(user),
        }
    }

    /// Looks up what waits.
    fn tell_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let server = self.server_evidence();
        self.batch.tell(self.sink, self.segment.scope, self.memory, &server);
    }

    fn server_evidence(&self) -> ServerEvidence<'a> {
        let (_, name, address) = self.active;
        ServerEvidence { software: self.state.software, ..web::server(name, address) }
    }

    #[inline]
    fn server_id(&mut self) -> ServerId {
        if let Some(id) = self.server {
            return id;
        }
        let id = self.sink.server(&self.server_evidence());
        self.server = Some(id);
        id
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

/// The values of a row of a span with so many fields, by column.
#[inline(always)]
fn plain_values<'a>(text: &'a [u8], row: index::Row<'_>, fields: usize) -> impl Fn(u8) -> &'a [u8] {
    move |column| {
        let value = text.get(row.field(column)).unwrap_or_default();
        // Only the last column can carry the line end or padding.
        if usize::from(column) + 1 == fields { line::content(value) } else { value }
    }
}

/// The request of a row. `field` gives a column's value, empty where the log has no such column or `-`
/// stands in it.
#[inline(always)]
fn request<'a>(
    field: &impl Fn(Option<u8>) -> &'a [u8],
    layout: &Layout,
    scope: &Scope,
    user: &'a [u8],
    status: u32,
) -> Request<'a> {
    let peer = field(layout.client);
    Request {
        user,
        // Nothing hangs on it with another status, nor on the substatus.
        method: if status == 530 { field(layout.method) } else { b"" },
        stem: field(layout.stem),
        query: field(layout.query),
        port: field(layout.port),
        client: match layout.forwarded {
            None => peer,
            forwarded => http::client_address(peer, field(forwarded), scope),
        },
        agent: field(layout.agent),
        status,
        substatus: match status {
            401 => time::number(field(layout.substatus)).unwrap_or(0),
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests;
