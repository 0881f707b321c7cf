//! What every format of one row a line does with its lines, instants and servers.

use crate::event::{LineErrorKind, LineKind, Notice, Place, ServerEvidence, ServerId, Sink};
use crate::format::Segment;
use crate::line::{self, Run};

const HOUR_MS: i64 = 3_600_000;

/// The rows of one segment, and what they have in common.
pub(super) struct Rows<'a, 's> {
    pub(super) segment: &'a Segment<'a>,
    pub(super) sink: &'s mut dyn Sink,
    run: Run,
    /// Number of the current line in the segment, from 1.
    line: u64,
    first: i64,
    last: i64,
    /// Hour, name and address of the row before.
    active: (i64, Vec<u8>, Vec<u8>),
    /// What the sink calls that server.
    pub(super) server: ServerId,
    noticed: Vec<Notice>,
}

/// Reads a segment line by line. `row` is handed every line that is not blank, without its padding
/// and line end, with the offset of its first byte; it says what kind of line it is.
pub(super) fn read<'a, 's>(
    segment: &'a Segment<'a>,
    sink: &'s mut dyn Sink,
    row: impl FnMut(&mut Rows<'a, 's>, &'a [u8], u64) -> Result<LineKind, LineErrorKind>,
) {
    read_as(segment, sink, line::content, row);
}

/// As [`read`], for tables: blanks and tabs at the end of a line may be empty fields, and stay.
pub(super) fn read_table<'a, 's>(
    segment: &'a Segment<'a>,
    sink: &'s mut dyn Sink,
    row: impl FnMut(&mut Rows<'a, 's>, &'a [u8], u64) -> Result<LineKind, LineErrorKind>,
) {
    fn content(line: &[u8]) -> &[u8] {
        let end = line.iter().rposition(|b| !matches!(b, 0 | b'\n' | b'\r')).map_or(0, |i| i + 1);
        let start = line[..end].iter().position(|b| *b != 0).unwrap_or(end);
        &line[start..end]
    }
    read_as(segment, sink, content, row);
}

fn read_as<'a, 's>(
    segment: &'a Segment<'a>,
    sink: &'s mut dyn Sink,
    content: fn(&[u8]) -> &[u8],
    mut row: impl FnMut(&mut Rows<'a, 's>, &'a [u8], u64) -> Result<LineKind, LineErrorKind>,
) {
    let mut rows = Rows::new(segment, sink);
    for range in line::lines(segment.text, segment.eol) {
        let content = rows.unmarked(content(&segment.text[range.clone()]), range.start);
        let byte = segment.base + range.start as u64;
        rows.line += 1;
        let kind = if content.trim_ascii().is_empty() {
            Ok(LineKind::Blank)
        } else {
            row(&mut rows, content, byte)
        };
        let line = rows.line;
        rows.end_line(kind, line, byte, segment.base + range.end as u64);
    }
    rows.finish();
}

impl<'a, 's> Rows<'a, 's> {
    pub(super) fn new(segment: &'a Segment<'a>, sink: &'s mut dyn Sink) -> Self {
        Rows {
            segment,
            sink,
            run: Run::new(segment.base),
            line: 0,
            first: i64::MAX,
            last: i64::MIN,
            active: (i64::MIN, Vec::new(), Vec::new()),
            server: ServerId(u32::MAX),
            noticed: Vec::new(),
        }
    }

    /// The content of the line at `start` without a byte order mark, which only the first can have.
    pub(super) fn unmarked(&self, content: &'a [u8], start: usize) -> &'a [u8] {
        if self.segment.base == 0 && start == 0 {
            return content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
        }
        content
    }

    /// Where a row of the current line stands.
    pub(super) fn place(&self, byte: u64, instant: i64) -> Place {
        Place { byte, line: self.line, instant }
    }

    /// Number of the current line in the segment, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// What the line `line` that fills `byte..end` is. Lines are told in order.
    pub(super) fn end_line(
        &mut self,
        kind: Result<LineKind, LineErrorKind>,
        line: u64,
        byte: u64,
        end: u64,
    ) {
        let kind = kind.unwrap_or_else(|error| {
            self.sink.rejected(line, byte, error);
            LineKind::Rejected
        });
        self.run.line(kind, end, self.sink);
    }

    /// Tells a notice once a segment.
    pub(super) fn notice(&mut self, notice: Notice) {
        if !self.noticed.contains(&notice) {
            self.noticed.push(notice);
            self.sink.notice(notice);
        }
    }

    /// Local time (milliseconds since 1970 on the server's clock) to UTC by the stated offset.
    /// Without one it is taken as UTC, with a notice.
    pub(super) fn utc(&mut self, local: i64) -> i64 {
        match self.segment.scope.local_offset {
            Some(minutes) => local - i64::from(minutes) * 60_000,
            None => {
                self.notice(Notice::UnknownTimeBase);
                local
            }
        }
    }

    /// A valid row of `server` at `instant`.
    #[inline]
    pub(super) fn at(&mut self, instant: i64, server: &ServerEvidence<'_>) {
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        let hour = instant.div_euclid(HOUR_MS);
        let (before, name, address) = &self.active;
        if *before == hour && name == server.name && address == server.address {
            return;
        }
        self.active = (hour, server.name.to_vec(), server.address.to_vec());
        self.server = self.sink.server(server);
        self.sink.active(server, hour);
    }

    /// Tells the span and the last run of lines.
    pub(super) fn finish(self) {
        if self.first <= self.last {
            self.sink.span(self.first, self.last);
        }
        self.run.finish(self.sink);
    }

    /// Goes to the next line.
    pub(super) fn next_line(&mut self) {
        self.line += 1;
    }
}
