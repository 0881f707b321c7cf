//! What the POP3, IMAP4 and SMTP protocol logs of Exchange share: directives, columns, and the walk
//! over their lines.
//!
//! All of them are comma-separated text in UTC with a block of directives at every start of the
//! service. [`read`] walks the lines and gives every one its kind; what a row means is told by the
//! [`Rows`] of the format.

mod head;
mod layout;

use crate::bytes::same;
use crate::csv::{Fields, Index, Lines};
use crate::event::{LineErrorKind, LineKind, Notice, ServerEvidence, Sink, Software};
use crate::format::{Segment, State};
use crate::line::{self, Run};
use crate::service::starts_with_ignore_case;
use crate::time;
use crate::{directive, network};

pub(super) use head::detect;
pub(super) use layout::{Layout, MOST, Schema, bare};

/// The protocol that a log speaks of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Pop3,
    Imap4,
    SmtpReceive,
    SmtpSend,
}

/// [`State::variant`] where `#Log-type` names another log; 0 where it has not been seen.
const FOREIGN: u8 = u8::MAX;

impl Protocol {
    const ALL: [(Protocol, &'static [u8]); 4] = [
        (Protocol::Pop3, b"POP3"),
        (Protocol::Imap4, b"IMAP4"),
        (Protocol::SmtpReceive, b"SMTP Receive"),
        (Protocol::SmtpSend, b"SMTP Send"),
    ];

    /// The protocol of a `#Log-type` value. The words behind the protocol differ between versions.
    fn of_log_type(value: &[u8]) -> Option<Protocol> {
        let found = Self::ALL.iter().find(|(_, name)| starts_with_ignore_case(value, name));
        found.map(|(protocol, _)| *protocol)
    }

    fn variant(self) -> u8 {
        self as u8 + 1
    }

    /// The protocol that the rows are in; `None` where `#Log-type` says another log began.
    pub(super) fn in_force(self, state: &State) -> Option<Protocol> {
        match state.variant {
            0 => Some(self),
            FOREIGN => None,
            said => Self::ALL.map(|(p, _)| p).into_iter().find(|p| p.variant() == said),
        }
    }

    /// Whether `#Version` tells which Exchange wrote the log.
    ///
    /// The SMTP logs say `15.0.0.0` from 2013 to 2019.
    fn is_versioned(self) -> bool {
        matches!(self, Protocol::Pop3 | Protocol::Imap4)
    }
}

/// The Exchange version of a `#Version` value such as `15.01.2375.007`.
///
/// `15.0.0.0` is what assemblies of 2013 to 2019 alike may say, and so tells nothing.
fn software(value: &[u8]) -> Software {
    let mut numbers = value.split(|b| *b == b'.').map(time::number);
    let mut next = || numbers.next().flatten();
    let (major, minor, build) = (next(), next(), next());
    match (major.and_then(|n| u8::try_from(n).ok()), minor.and_then(|n| u8::try_from(n).ok())) {
        (Some(15), Some(0)) if build.unwrap_or(0) == 0 => Software::Unknown,
        (Some(major), Some(minor)) => Software::Exchange(major, minor),
        _ => Software::Unknown,
    }
}

/// An entry of [`State::open`]: what tells a session from others, and what it has said.
pub(super) type Open = (Box<[u8]>, Box<[u8]>);

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// From 1 in the segment.
    pub(super) line: u64,
    /// From 0 in the decoded text.
    pub(super) byte: u64,
}

/// What a format makes of its rows.
pub(super) trait Rows<'a> {
    /// The header changed, or the first row of a segment is about to come.
    fn header(&mut self, state: &State);

    /// One row; its instant in milliseconds since 1970.
    fn row(
        &mut self,
        row: Row<'a, '_>,
        at: Spot,
        sink: &mut dyn Sink,
    ) -> Result<i64, LineErrorKind>;

    /// The segment ends.
    fn finish(&mut self, _sink: &mut dyn Sink) {}
}

/// A row that [`Layout::split`] may split.
pub(super) enum Row<'a, 'f> {
    /// As it stands in the log, and room for its fields.
    Whole(&'a [u8], &'f mut [&'a [u8]; MOST]),
    /// Split already.
    Fields(Fields<'a, 'f>),
}

/// Walks the lines of a segment and gives every one its kind.
pub(super) fn read<'a>(
    segment: &Segment<'a>,
    state: &mut State,
    protocol: Protocol,
    index: &mut Option<Index>,
    rows: &mut impl Rows<'a>,
    sink: &mut dyn Sink,
) {
    if state.assumed {
        sink.notice(Notice::AssumedFields);
    }
    rows.header(state);
    let mut run = Run::new(segment.base);
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut lines = Lines::new(segment.text, segment.eol, index.get_or_insert_with(Index::default));
    let mut values = [&b""[..]; MOST];
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        let at = Spot { line: number, byte: segment.base + line.range.start as u64 };
        let end = segment.base + line.range.end as u64;
        let row = match line.fields {
            Some(fields) => Row::Fields(fields),
            None => {
                let mut content = line::content(&segment.text[line.range]);
                if at.byte == 0 {
                    content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
                }
                if content.is_empty() {
                    run.line(LineKind::Blank, end, sink);
                    continue;
                }
                if content[0] == b'#' || is_header_row(content) {
                    header_line(content, at, protocol, state, sink);
                    rows.header(state);
                    run.line(LineKind::Directive, end, sink);
                    continue;
                }
                Row::Whole(content, &mut values)
            }
        };
        let kind = match rows.row(row, at, sink) {
            Ok(instant) => {
                first = first.min(instant);
                last = last.max(instant);
                LineKind::Event
            }
            Err(error) => {
                sink.rejected(at.line, at.byte, error);
                LineKind::Rejected
            }
        };
        run.line(kind, end, sink);
    }
    rows.finish(sink);
    if first <= last {
        sink.span(first, last);
    }
    run.finish(sink);
}

/// A row of column names without `#Fields:` before it, as some builds and exports write.
fn is_header_row(content: &[u8]) -> bool {
    !content[0].is_ascii_digit()
        && [&b"dateTime,"[..], b"date-time,", b"\"dateTime\",", b"\"date-time\","]
            .iter()
            .any(|name| starts_with_ignore_case(content, name))
}

fn header_line(content: &[u8], at: Spot, own: Protocol, state: &mut State, sink: &mut dyn Sink) {
    if content[0] != b'#' {
        return set_columns(content, state);
    }
    let Some((name, value)) = directive::directive(content) else { return };
    if name.eq_ignore_ascii_case(b"Fields") {
        set_columns(value, state);
    } else if name.eq_ignore_ascii_case(b"Log-type") {
        let said = Protocol::of_log_type(value)
            .filter(|said| *said == own || (said.is_versioned() && own.is_versioned()));
        state.variant = said.map_or(FOREIGN, Protocol::variant);
    } else if name.eq_ignore_ascii_case(b"Version") {
        if own.is_versioned() {
            state.software = software(value);
        }
    } else if !name.eq_ignore_ascii_case(b"Software") && !name.eq_ignore_ascii_case(b"Date") {
        return;
    }
    sink.directive(at.line, at.byte, name, value);
}

fn set_columns(names: &[u8], state: &mut State) {
    state.columns = directive::comma_separated(names)
        .map(|names| names.into_iter().map(|n| Box::from(bare(n))).collect());
    state.assumed = false;
}

/// Tells the sink in which hours a server wrote rows, once for each change.
#[derive(Debug)]
pub(super) struct Activity<'a> {
    hour: i64,
    name: &'a [u8],
    endpoint: &'a [u8],
    address: &'a [u8],
}

impl<'a> Activity<'a> {
    pub(super) fn new() -> Activity<'a> {
        Activity { hour: i64::MIN, name: b"", endpoint: b"", address: b"" }
    }

    /// A row of a server at `instant`; `endpoint` may carry a port. Whether anything changed.
    #[inline]
    pub(super) fn row(
        &mut self,
        instant: i64,
        name: &'a [u8],
        endpoint: &'a [u8],
        software: Software,
        sink: &mut dyn Sink,
    ) -> bool {
        let hour = instant.div_euclid(3_600_000);
        if hour == self.hour && same(endpoint, self.endpoint) && same(name, self.name) {
            return false;
        }
        let address = network::host(endpoint);
        if (hour, name, address) != (self.hour, self.name, self.address) {
            let server = ServerEvidence { name, address, target: b"", software };
            sink.active(&server, hour);
        }
        *self = Activity { hour, name, endpoint, address };
        true
    }

    /// The address of the server of the row before.
    pub(super) fn address(&self) -> &'a [u8] {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_tell_and_versions_that_do_not() {
        for (value, expected) in [
            ("15.01.2375.007", Software::Exchange(15, 1)),
            ("15.0.1497.2", Software::Exchange(15, 0)),
            ("14.0.0.0", Software::Exchange(14, 0)),
            ("8.0.0.0", Software::Exchange(8, 0)),
            ("15.0.0.0", Software::Unknown),
            ("15.0", Software::Unknown),
            ("", Software::Unknown),
            ("999.1.2.3", Software::Unknown),
            ("x.1", Software::Unknown),
        ] {
            assert_eq!(software(value.as_bytes()), expected, "{value}");
        }
    }
}
