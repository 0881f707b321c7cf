//! Logs of the SMTP service of IIS and of Exchange 2000 and 2003: they never name a user.
//!
//! The user column holds what the client said in HELO. Bots put host names there, and some sites
//! have something in it that looks like a UPN. Read as a web log, such a file would fill the count
//! with machines; so it is a format of its own, which contributes nobody.
//!
//! Three layouts are written: W3C extended, NCSA common, and the IIS format.

mod detect;
mod w3c;

use crate::event::{LineErrorKind, LineKind, Notice, ServerEvidence, Sink, Software};
use crate::format::{Description, LogFormat, Segment, State};
use crate::line::{self, Run};
use crate::memory::Memory;
use crate::time::{self, DAY_MS};
use crate::{directive, network};

/// SMTP service log of IIS.
pub struct SmtpSvc;

/// [`State::variant`] of the three layouts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    W3c = 0,
    Ncsa = 1,
    Iis = 2,
}

impl Layout {
    fn of(state: &State) -> Layout {
        match state.variant {
            1 => Layout::Ncsa,
            2 => Layout::Iis,
            _ => Layout::W3c,
        }
    }
}

impl LogFormat for SmtpSvc {
    fn name(&self) -> &'static str {
        "smtpsvc"
    }

    fn describe(&self) -> Description {
        Description {
            title: "SMTP service log of IIS and Exchange 2000/2003 (SMTPSVCn): W3C, NCSA or IIS layout",
            written: r"system32\LogFiles\SMTPSVCn\exYYMMDD.log (W3C), nc… (NCSA), in… (IIS); off by default",
            columns: &[
                "date",
                "time",
                "s-sitename",
                "s-computername",
                "s-ip",
                "cs-method",
                "cs-version",
            ],
            access: "nothing: cs-username is the HELO name that the client claims, or OutboundConnection… for mail sent on",
            limits: "names nobody, also where a client authenticated; a file whose first rows show neither SMTPSVCn, \
                     SMTP nor an SMTP verb is taken for a web log",
            time: "UTC (W3C), local with the offset in the row (NCSA), local without it (IIS layout)",
            reference: "Microsoft: SMTP service logging; W3C Extended Log File Format",
            example: "#Software: Microsoft Internet Information Services 6.0\n\
                      #Version: 1.0\n\
                      #Date: 2006-10-09 05:00:42\n\
                      #Fields: date time c-ip cs-username s-sitename s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status cs-version\n\
                      2006-10-09 05:00:42 203.0.113.47 mx.fabrikam.com SMTPSVC1 MAIL01 10.0.0.25 0 HELO - +mx.fabrikam.com 250 SMTP\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        detect::detect(head)
    }

    fn divisible(&self, state: &State) -> bool {
        Layout::of(state) != Layout::W3c
            || state.columns.as_ref().is_none_or(|names| w3c::Columns::of(names).date.is_some())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let layout = Layout::of(state);
        let mut reader = w3c::Reader::new(state);
        if state.assumed {
            sink.notice(Notice::AssumedFields);
        }
        if layout == Layout::Iis && segment.scope.local_offset.is_none() {
            sink.notice(Notice::UnknownTimeBase);
        }
        let offset_ms = i64::from(segment.scope.local_offset.unwrap_or(0)) * 60_000;
        let mut run = Run::new(segment.base);
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let mut active = Active::default();
        for (number, range) in (1..).zip(line::lines(segment.text, segment.eol)) {
            let (byte, end) = (segment.base + range.start as u64, segment.base + range.end as u64);
            let mut content = line::content(&segment.text[range]);
            if byte == 0 {
                content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
            }
            let content = content.trim_ascii_start();
            let row = match content.first() {
                None => {
                    run.line(LineKind::Blank, end, sink);
                    continue;
                }
                Some(b'#') => {
                    if let Some((name, value)) = directive::directive(content)
                        && reader.directive(name, value, state)
                    {
                        sink.directive(number, byte, name, value);
                    }
                    run.line(LineKind::Directive, end, sink);
                    continue;
                }
                Some(_) => match layout {
                    Layout::W3c => reader.row(content, state),
                    Layout::Ncsa => ncsa_row(content),
                    Layout::Iis => iis_row(content, offset_ms),
                },
            };
            reader.rows_since = true;
            let kind = match row {
                Ok(row) => {
                    first = first.min(row.instant);
                    last = last.max(row.instant);
                    active.row(&row, sink);
                    LineKind::Event
                }
                Err(error) => {
                    sink.rejected(number, byte, error);
                    LineKind::Rejected
                }
            };
            run.line(kind, end, sink);
        }
        if first <= last {
            sink.span(first, last);
        }
        reader.forget_clock(state);
        run.finish(sink);
    }
}

/// All that a row tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Row<'a> {
    /// Milliseconds since 1970.
    instant: i64,
    /// `s-computername`; empty where none.
    name: &'a [u8],
    /// `s-ip`; empty where none.
    address: &'a [u8],
}

/// Server and hour of the row before.
#[derive(Default)]
struct Active<'a>(Option<(i64, &'a [u8], &'a [u8])>);

impl<'a> Active<'a> {
    fn row(&mut self, row: &Row<'a>, sink: &mut dyn Sink) {
        let now = (row.instant.div_euclid(3_600_000), row.name, row.address);
        if self.0 != Some(now) {
            self.0 = Some(now);
            let address = network::host(row.address);
            let software = Software::Unknown;
            sink.active(&ServerEvidence { name: row.name, address, target: b"", software }, now.0);
        }
    }
}

/// `10.1.1.5 - mx.fabrikam.com [11/Oct/2006:13:16:40 -0600] "HELO -?+mx.fabrikam.com SMTP" 250 46`.
///
/// The HELO name may be an address in brackets.
fn ncsa_row(row: &[u8]) -> Result<Row<'_>, LineErrorKind> {
    let close = memchr::memmem::find(row, b"] \"").ok_or(LineErrorKind::Shape)?;
    let open = memchr::memrchr(b'[', &row[..close]).ok_or(LineErrorKind::Shape)?;
    let instant =
        ncsa_instant(&row[open + 1..close]).ok_or(LineErrorKind::Timestamp { field: "date" })?;
    let quote =
        memchr::memrchr(b'"', row).filter(|at| *at > close + 2).ok_or(LineErrorKind::Quote)?;
    let mut numbers = row[quote + 1..].split(|b| *b == b' ').filter(|v| !v.is_empty());
    let status = numbers.next().and_then(time::number);
    status.ok_or(LineErrorKind::Value { field: "sc-status", expected: "number" })?;
    Ok(Row { instant, name: b"", address: b"" })
}

/// `11/Oct/2006:13:16:40 -0600` to milliseconds since 1970.
fn ncsa_instant(text: &[u8]) -> Option<i64> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (date, rest) = text.split_at_checked(11)?;
    let (clock, zone) = rest.strip_prefix(b":")?.split_at_checked(8)?;
    let zone = zone.strip_prefix(b" ")?;
    if date[2] != b'/' || date[6] != b'/' || zone.len() != 5 || !matches!(zone[0], b'+' | b'-') {
        return None;
    }
    let month = MONTHS.chunks_exact(3).position(|m| m.eq_ignore_ascii_case(&date[3..6]))?;
    let year = time::number(&date[7..])?;
    let day = time::day_number(year, month as u32 + 1, time::number(&date[..2])?)?;
    let (hours, minutes) = (time::number(&zone[1..3])?, time::number(&zone[3..])?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let east = i64::from(hours * 60 + minutes) * if zone[0] == b'-' { -60_000 } else { 60_000 };
    Some(i64::from(day) * DAY_MS + i64::from(time::clock(clock)?) - east)
}

/// `10.1.1.5, mx.fabrikam.com, 8/18/06, 13:17:37, SMTPSVC1, MAIL01, 10.0.0.25, …`, fifteen fields
/// and a comma. Mail addresses in the last one may hold commas of their own.
fn iis_row(row: &[u8], offset_ms: i64) -> Result<Row<'_>, LineErrorKind> {
    const FIELDS: usize = 15;
    let mut fields = [&b""[..]; FIELDS];
    let mut found = 0;
    for field in row.strip_suffix(b",").unwrap_or(row).split(|b| *b == b',') {
        if let Some(place) = fields.get_mut(found) {
            *place = field.trim_ascii();
        }
        found += 1;
    }
    if found < FIELDS {
        return Err(LineErrorKind::FieldCount { found: found as u32, declared: FIELDS as u32 });
    }
    let day = iis_date(fields[2]).ok_or(LineErrorKind::Timestamp { field: "date" })?;
    let clock = iis_clock(fields[3]).ok_or(LineErrorKind::Timestamp { field: "time" })?;
    let instant = i64::from(day) * DAY_MS + i64::from(clock) - offset_ms;
    let named = |field: &'static [u8], value| if value == b"-" { field } else { value };
    Ok(Row { instant, name: named(b"", fields[5]), address: named(b"", fields[6]) })
}

/// `8/18/06` or `08/18/2006` to a day number.
fn iis_date(text: &[u8]) -> Option<i32> {
    let mut parts = text.split(|b| *b == b'/').map(time::number);
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let year = match year {
        0..=69 => 2000 + year,
        70..=99 => 1900 + year,
        _ => year,
    };
    if parts.next().is_some() { None } else { time::day_number(year, month, day) }
}

/// `13:17:37` or `3:17:37` to milliseconds of the day.
fn iis_clock(text: &[u8]) -> Option<u32> {
    if text.len() != 7 {
        return time::clock(text);
    }
    let mut padded = *b"00:00:00";
    padded[1..].copy_from_slice(text);
    time::clock(&padded)
}

#[cfg(test)]
mod tests;
