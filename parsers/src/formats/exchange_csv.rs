//! What the comma-separated logs of Exchange share: the header, the rows, their instants.
//!
//! ```text
//! DateTime,RequestId,…                          some logs only: the names, bare, before the block
//! #Software: Microsoft Exchange Server
//! #Version: 15.01.2375.007
//! #Log-type: HttpProxy Logs
//! #Date: 2023-01-09T19:00:00.130Z
//! #Fields: DateTime,RequestId,…
//! 2023-01-09T19:00:00.130Z,5e58f5e5-…
//! ```
//!
//! Number and order of the columns change between builds, so that columns are found by name only.
//! A format says what a row means ([`Rows`]); everything else happens in [`read`].

pub(super) mod memo;

use std::borrow::Cow;

use crate::bytes::same;
use crate::csv::{Fields, Index, Lines};
use crate::event::{
    LineErrorKind, LineKind, Notice, Place, Proof, ServerEvidence, ServerId, Sink, Software,
};
use crate::format::{Scope, Segment, State};
use crate::http::{self, Request, Verdict};
use crate::line::{self, Run};
use crate::memory::Memory;
use crate::service::starts_with_ignore_case;
use crate::time::Clock;
use crate::{csv, directive, network, time};
use memo::{Evidence, Pairs, Seen};

use super::facts::Facts;
use super::web::Looks;

/// The most columns that are told apart; rows may have more, those are only counted.
pub(super) const MOST: usize = 128;

/// What a format says about its rows.
pub(super) trait Rows<'a> {
    /// The columns in force are `names` now; none where a header was not usable.
    fn columns(&mut self, names: &[Box<[u8]>]);

    /// A column without which the rows name nobody, where the log lacks it.
    fn missing(&self) -> Option<&'static str> {
        None
    }

    /// The names of a header row that is no `#Fields` directive; `None` where `content` is none.
    fn header<'c>(&self, content: &'c [u8]) -> Option<Vec<&'c [u8]>> {
        bare_header(content)
    }

    /// Whether fields stand apart by commas, as [`csv::split`] has it.
    fn commas(&self) -> bool {
        true
    }

    /// Splits a row into fields, quotes left on; see [`csv::split`].
    fn split(&self, content: &'a [u8], fields: &mut [&'a [u8]]) -> Option<usize> {
        csv::split(content, fields)
    }

    /// The instant of a row, in milliseconds since 1970.
    fn instant(
        &self,
        row: &Row<'a, '_>,
        stamp: Option<usize>,
        clock: &mut Clock,
    ) -> Result<i64, LineErrorKind> {
        iso_stamp(row, stamp, clock)
    }

    /// Name and address of the server that wrote the row; empty where it does not say.
    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]);

    /// What the row means.
    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind>;
}

/// The fields of one row.
pub(super) struct Row<'a, 'f> {
    fields: Fields<'a, 'f>,
}

impl<'a> Row<'a, '_> {
    /// A field without the quotes around it, doubled quotes left doubled; empty where the log has
    /// no such column.
    #[inline]
    pub(super) fn bare(&self, column: Option<usize>) -> &'a [u8] {
        let field = self.fields.get(column);
        match field.split_first() {
            Some((b'"', inner)) => inner.strip_suffix(b"\"").unwrap_or(inner),
            _ => field,
        }
    }

    /// A field as the server meant it, without blanks around it.
    pub(super) fn text(&self, column: Option<usize>) -> Cow<'a, [u8]> {
        let bare = self.bare(column).trim_ascii();
        if memchr::memchr(b'"', bare).is_none() {
            return Cow::Borrowed(bare);
        }
        csv::unquote(self.fields.get(column))
    }

    /// A field that holds a number or nothing; `what` names it where it holds something else.
    pub(super) fn number(
        &self,
        column: Option<usize>,
        what: &'static str,
    ) -> Result<Option<u32>, LineErrorKind> {
        match self.bare(column).trim_ascii() {
            b"" => Ok(None),
            text => match time::number(text) {
                Some(n) => Ok(Some(n)),
                None => Err(LineErrorKind::Value { field: what, expected: "number" }),
            },
        }
    }
}

/// Where the meaning of a row is told.
pub(super) struct Told<'a, 's> {
    pub(super) scope: &'a Scope,
    pub(super) software: Software,
    pub(super) place: Place,
    pub(super) sink: &'s mut dyn Sink,
    looks: &'s mut Looks,
    facts: &'s mut Facts<5>,
    /// The sink wants to hear of each row.
    each: bool,
    /// Name and address of the server of the row before, and what the sink calls it.
    server: Option<(&'a [u8], &'a [u8], ServerId)>,
    pairs: Pairs,
}

impl<'a> Told<'a, '_> {
    /// Judges a request, see [`http::judge`].
    pub(super) fn judge(&mut self, request: &Request<'a>) -> Verdict<'a> {
        let path = self.looks.path(request.stem);
        let (_, agent) = self.looks.agent(request.agent);
        http::judge_known(request, &path, agent)
    }

    /// One event of a fact. `evidence` is asked only where the fact was not seen before.
    pub(super) fn access(&mut self, seen: Seen<'a>, evidence: Evidence<'a>) {
        let said = seen.said(self.server_id(seen.server, seen.address));
        let hash = said.hash();
        if self.facts.again((hash, &said), self.place, self.sink, self.each) {
            return;
        }
        let (device, client) = evidence(&seen, self.scope);
        let fact = self.sink.access(self.place, &seen.access(self.software, device, client));
        self.facts.remember((hash, &said), fact, self.sink);
    }

    #[inline]
    fn server_id(&mut self, name: &'a [u8], address: &'a [u8]) -> ServerId {
        match self.server {
            Some((n, a, id)) if same(n, name) && same(a, address) => id,
            _ => {
                let id = self.sink.server(&server(name, address, self.software));
                self.server = Some((name, address, id));
                id
            }
        }
    }

    /// The row proves that two names are one person; names that are empty or equal prove nothing.
    pub(super) fn same(&mut self, one: Cow<'a, [u8]>, other: Cow<'a, [u8]>) {
        if one.is_empty() || other.is_empty() || one.eq_ignore_ascii_case(&other) {
            return;
        }
        if self.pairs.is_new(&one, &other) {
            self.sink.alias(self.place, &one, &other, Proof::SameRow);
        }
    }
}

/// Parses one segment as `rows` says.
pub(super) fn read<'a, R: Rows<'a>>(
    segment: &Segment<'a>,
    state: &mut State,
    memory: &mut Memory,
    sink: &mut dyn Sink,
    mut rows: R,
) {
    if let Some(names) = &state.columns {
        rows.columns(names);
    }
    let each = sink.wants_each();
    let told = Told {
        scope: segment.scope,
        software: state.software,
        place: Place { byte: segment.base, line: 0, instant: 0 },
        sink,
        looks: &mut memory.looks,
        facts: &mut memory.proxy,
        each,
        server: None,
        pairs: Pairs::default(),
    };
    let mut reader = Reader {
        state,
        rows,
        told,
        stamp: None,
        declared: 0,
        clock: Clock::default(),
        first: i64::MAX,
        last: i64::MIN,
        active: (i64::MIN, b"", b""),
        blind: false,
    };
    reader.measure();
    let mut run = Run::new(segment.base);
    let mut lines =
        Lines::new(segment.text, segment.eol, memory.commas.get_or_insert_with(Index::default));
    let mut room = [&b""[..]; MOST];
    while let Some(line) = lines.next() {
        let end = segment.base + line.range.end as u64;
        reader.told.place.line += 1;
        reader.told.place.byte = segment.base + line.range.start as u64;
        let kind = match line.fields {
            Some(fields) if reader.rows.commas() => reader.judged(|reader| {
                reader.fits(fields.count())?;
                reader.row(&Row { fields })
            }),
            _ => reader.line(&segment.text[line.range], &mut room),
        };
        run.line(kind, end, reader.told.sink);
    }
    reader.told.facts.tell(reader.told.sink);
    if reader.first <= reader.last {
        reader.told.sink.span(reader.first, reader.last);
    }
    run.finish(reader.told.sink);
}

struct Reader<'a, 's, R> {
    state: &'s mut State,
    rows: R,
    told: Told<'a, 's>,
    /// The column that carries the instant.
    stamp: Option<usize>,
    /// Number of columns declared; 0 before a usable header.
    declared: usize,
    clock: Clock,
    first: i64,
    last: i64,
    /// Hour and server of the row before, so that [`Sink::active`] hears of changes only.
    active: (i64, &'a [u8], &'a [u8]),
    blind: bool,
}

impl<'a, R: Rows<'a>> Reader<'a, '_, R> {
    /// One line, whatever it is.
    fn line(&mut self, raw: &'a [u8], room: &mut [&'a [u8]; MOST]) -> LineKind {
        let mut content = line::content(raw);
        if self.told.place.byte == 0 {
            content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
        }
        // Blanks before a row are no part of its first field; tabs are the delimiter of some logs.
        while let Some((b' ', rest)) = content.split_first() {
            content = rest;
        }
        if content.is_empty() {
            return LineKind::Blank;
        }
        if !content[0].is_ascii_digit() {
            if let Some(names) = self.rows.header(content) {
                self.set_columns(Some(names.into_iter().map(Box::from).collect()));
                return LineKind::Directive;
            }
            if content[0] == b'#' {
                self.directive(content);
                return LineKind::Directive;
            }
        }
        self.judged(|reader| {
            if reader.declared == 0 {
                return Err(LineErrorKind::NoFields);
            }
            let found = reader.rows.split(content, room).ok_or(LineErrorKind::Quote)?;
            reader.fits(found)?;
            reader.row(&Row { fields: Fields::Split(&room[..found.min(MOST)]) })
        })
    }

    /// The kind of a line that was read as a row.
    #[inline]
    fn judged(&mut self, read: impl FnOnce(&mut Self) -> Result<(), LineErrorKind>) -> LineKind {
        match read(self) {
            Ok(()) => LineKind::Event,
            Err(error) => {
                self.told.sink.rejected(self.told.place.line, self.told.place.byte, error);
                LineKind::Rejected
            }
        }
    }

    fn directive(&mut self, content: &'a [u8]) {
        let Some((name, value)) = directive::directive(content) else { return };
        if name.eq_ignore_ascii_case(b"Fields") {
            let names = directive::comma_separated(value);
            self.set_columns(names.map(|n| n.into_iter().map(Box::from).collect()));
        } else if name.eq_ignore_ascii_case(b"Version") {
            self.state.software = version(value);
            self.told.software = self.state.software;
            self.told.server = None;
        } else if !is_directive_name(name) {
            return;
        }
        self.told.sink.directive(self.told.place.line, self.told.place.byte, name, value);
    }

    fn set_columns(&mut self, names: Option<Vec<Box<[u8]>>>) {
        self.rows.columns(names.as_deref().unwrap_or_default());
        self.state.columns = names.map(Into::into);
        self.measure();
    }

    fn measure(&mut self) {
        let names = self.state.columns.as_deref().unwrap_or_default();
        self.declared = names.len();
        self.stamp = STAMPS.iter().find_map(|s| place(names, s));
    }

    /// Whether a row has as many fields as were declared.
    fn fits(&self, found: usize) -> Result<(), LineErrorKind> {
        match self.declared {
            0 => Err(LineErrorKind::NoFields),
            declared if declared == found => Ok(()),
            declared => {
                let (found, declared) = (found as u32, declared as u32);
                Err(LineErrorKind::FieldCount { found, declared })
            }
        }
    }

    fn row(&mut self, row: &Row<'a, '_>) -> Result<(), LineErrorKind> {
        let instant = self.rows.instant(row, self.stamp, &mut self.clock)?;
        self.told.place.instant = instant;
        self.rows.row(row, &mut self.told)?;
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        let (name, address) = self.rows.server(row);
        let hour = instant.div_euclid(3_600_000);
        let (before, its_name, its_address) = self.active;
        if hour != before || !same(name, its_name) || !same(address, its_address) {
            self.active = (hour, name, address);
            let server = server(name, address, self.told.software);
            self.told.sink.active(&server, hour);
        }
        if !self.blind
            && let Some(missing) = self.rows.missing()
        {
            self.blind = true;
            self.told.sink.notice(Notice::Blind { missing });
        }
        Ok(())
    }
}

/// The instant in the column `stamp`, ISO 8601.
pub(super) fn iso_stamp(
    row: &Row<'_, '_>,
    stamp: Option<usize>,
    clock: &mut Clock,
) -> Result<i64, LineErrorKind> {
    let stamp = stamp.ok_or(LineErrorKind::NoDate)?;
    clock.instant(row.bare(Some(stamp))).ok_or(LineErrorKind::Timestamp { field: "date-time" })
}

/// What a row says about its server, the address without port and scope id.
pub(super) fn server<'a>(
    name: &'a [u8],
    address: &'a [u8],
    software: Software,
) -> ServerEvidence<'a> {
    ServerEvidence { name, address: network::host(address), target: b"", software }
}

/// Names of the column that carries the instant.
const STAMPS: [&[u8]; 3] = [b"DateTime", b"date-time", b"Timestamp"];

/// The place of a column by its name, compared without case; the first one where it stands twice.
pub(super) fn place(names: &[Box<[u8]>], wanted: &[u8]) -> Option<usize> {
    names.iter().take(MOST).position(|n| n.eq_ignore_ascii_case(wanted))
}

/// The names of a bare header row: no `#`, and the first name is that of the instant.
pub(super) fn bare_header(content: &[u8]) -> Option<Vec<&[u8]>> {
    let first = content.split(|b| *b == b',').next().unwrap_or_default();
    let is_stamp = STAMPS.iter().any(|s| unquoted(first).eq_ignore_ascii_case(s));
    (is_stamp && content.len() > first.len())
        .then(|| content.split(|b| *b == b',').map(unquoted).collect())
}

fn unquoted(name: &[u8]) -> &[u8] {
    let name = name.trim_ascii();
    name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(name)
}

fn is_directive_name(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [b"Software", b"Version", b"Log-type", b"Date", b"Fields"];
    NAMES.iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// The Exchange version of a `#Version` value: `15.01.2375.007` is (15, 1).
///
/// `15.0.0.0` stands in logs of every build from 2013 on and tells nothing.
pub(super) fn version(value: &[u8]) -> Software {
    let mut parts = value.split(|b| *b == b'.').map(|p| time::number(p.trim_ascii()));
    let part = |n: Option<Option<u32>>| n.flatten();
    let (major, minor, build) = (part(parts.next()), part(parts.next()), part(parts.next()));
    match (major.and_then(|m| u8::try_from(m).ok()), minor.and_then(|m| u8::try_from(m).ok())) {
        (Some(15), Some(0)) if build == Some(0) => Software::Unknown,
        (Some(major), Some(minor)) if build.is_some() => Software::Exchange(major, minor),
        _ => Software::Unknown,
    }
}

/// What the head of a log says it is.
#[derive(Debug, Default)]
pub(super) struct Head<'h> {
    /// `#Log-type`; empty where there is none.
    log_type: &'h [u8],
    /// The columns; empty where the head ends before them.
    names: Vec<&'h [u8]>,
    /// The state in which the first row stands, as far as the head goes.
    state: State,
}

impl<'h> Head<'h> {
    /// Reads the directives and header rows that stand before the first row.
    pub(super) fn of(head: &'h [u8]) -> Head<'h> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        let mut found = Head::default();
        for range in line::lines(head, eol) {
            // A head that ends within a directive still shows what it begins with.
            let whole = eol == b'\n' && head[range.clone()].ends_with(b"\n");
            let content = line::content(&head[range]).trim_ascii_start();
            let state = &mut found.state;
            let columns = |names: &[&[u8]]| match whole {
                true => Some(names.iter().map(|name| Box::from(*name)).collect()),
                false => None,
            };
            if let Some(names) = bare_header(content) {
                state.columns = columns(&names);
                found.names = names;
            } else if content.first() == Some(&b'#') {
                let Some((name, value)) = directive::directive(content) else { continue };
                if name.eq_ignore_ascii_case(b"Log-type") {
                    found.log_type = value;
                } else if name.eq_ignore_ascii_case(b"Version") && whole {
                    state.software = version(value);
                } else if name.eq_ignore_ascii_case(b"Fields") {
                    let names = directive::comma_separated(value);
                    state.columns = names.as_deref().and_then(columns);
                    found.names = names.unwrap_or_default();
                }
            } else if !content.is_empty() {
                return found;
            }
        }
        found
    }

    /// The state of the first row: with its columns where they stand before it, so that segments behind
    /// the first need not be parsed again.
    pub(super) fn into_state(self) -> State {
        self.state
    }

    /// Whether the log calls itself `log_type`, or says nothing and has all the `columns`.
    ///
    /// A log of that type has one of the columns at least, where its columns are known.
    pub(super) fn is(&self, log_type: &[u8], columns: &[&[u8]]) -> bool {
        let has = |wanted: &&[u8]| self.names.iter().any(|n| n.eq_ignore_ascii_case(wanted));
        if self.log_type.is_empty() {
            columns.iter().all(has)
        } else {
            starts_with_ignore_case(self.log_type, log_type)
                && (self.names.is_empty() || columns.iter().any(has))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
    use super::*;

    #[test]
    fn versions_that_tell_something() {
        assert_eq!(version(b"15.01.2375.007"), Software::Exchange(15, 1));
        assert_eq!(version(b"14.0.0.0"), Software::Exchange(14, 0));
        assert_eq!(version(b"15.0.0.0"), Software::Unknown);
        assert_eq!(version(b"15.00.1104.002"), Software::Exchange(15, 0));
        for bad in ["", "15", "15.1", "a.b.c.d", "999.1.2.3"] {
            assert_eq!(version(bad.as_bytes()), Software::Unknown, "{bad}");
        }
    }

    #[test]
    fn a_bare_header_is_told_by_its_first_name() {
        assert_eq!(bare_header(b"DateTime,RequestId").unwrap(), [&b"DateTime"[..], b"RequestId"]);
        assert_eq!(bare_header(b"\"date-time\",\"a\"").unwrap(), [&b"date-time"[..], b"a"]);
        assert!(bare_header(b"DateTime").is_none());
        assert!(bare_header(b"2023-01-01T00:00:00Z,a").is_none());
        assert!(bare_header(b"DateTimes,a").is_none());
    }

    #[test]
    fn a_log_type_decides_before_the_columns_do() {
        let text = b"#Log-type: Rps Cmdlet Logs\n#Fields: DateTime,AuthenticatedUser,SoapAction\n";
        let head = Head::of(text);
        assert!(!head.is(b"EWS Logs", &[b"AuthenticatedUser", b"SoapAction"]));
        assert!(head.is(b"rps cmdlet", &[b"SoapAction"]));
        let bare = Head::of(b"DateTime,AuthenticatedUser,SoapAction\n");
        assert!(bare.is(b"EWS Logs", &[b"AuthenticatedUser", b"SoapAction"]));
        assert!(!bare.is(b"EWS Logs", &[b"AuthenticatedUser", b"UrlStem"]));
    }

    #[test]
    fn fields_lose_their_quotes() {
        let fields = [&b"\"a,\"\"b\"\"\""[..], b" c ", b"\"d\"", b"\""];
        let row = Row { fields: Fields::Split(&fields) };
        assert_eq!(&*row.text(Some(0)), b"a,\"b\"");
        assert_eq!(&*row.text(Some(1)), b"c");
        assert_eq!(row.bare(Some(2)), b"d");
        assert_eq!(row.bare(Some(3)), b"");
        assert_eq!(row.bare(Some(9)), b"");
        assert_eq!(row.number(Some(9), "x"), Ok(None));
        assert!(row.number(Some(2), "x").is_err());
    }
}
