//! SIPStack traces of OCS 2007, OCS 2007 R2, Lync 2010, and Lync 2013 to Skype for Business (CLS).
//!
//! A record is a header line, a body of `Name: value` lines, and `$$end_record`. The reader takes
//! the text line by line; at the end of each record it knows what the record is, and only then says
//! what kind its lines are. A record header always begins a record, wherever it stands, so that a
//! cut before one changes nothing.

mod record;
#[cfg(test)]
mod tests;

use crate::event::{LineErrorKind, LineKind, Notice, Place, ServerEvidence, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::line::{self, Run};
use crate::memory::Memory;
use crate::sip::{HeaderName, SipMessage, StartLine};
use record::Header;

/// SIPStack text trace.
pub struct OcsTrace;

impl LogFormat for OcsTrace {
    fn name(&self) -> &'static str {
        "ocs-trace"
    }

    fn describe(&self) -> Description {
        Description {
            title: "OCS 2007, 2007 R2, Lync and Skype for Business server: SIPStack trace as text",
            written: "%windir%\\Tracing, by OCSLogger or OCSTracer; Lync 2013 and later: Search-CsClsLogging. \
                       Never by default: traces are short and made on demand",
            columns: &[
                "Direction",
                "Peer",
                "Start-Line",
                "From",
                "To",
                "Call-ID",
                "CSeq",
                "Contact",
                "Expires",
                "User-Agent",
                "Server",
                "Authorization",
                "Proxy-Authorization",
                "Authentication-Info",
                "Proxy-Authentication-Info",
                "WWW-Authenticate",
                "Proxy-Authenticate",
                "P-Asserted-Identity",
                "ms-edge-proxy-message-trust",
                "Message-Body",
            ],
            access: "an exchange, matched on Call-ID, CSeq and From tag over all inputs of a server: a 2xx to a \
                     REGISTER that is signed for an account (NTLM, Kerberos, TLS-DSK), or a 2xx to another request \
                     that carries such credentials; without them the name is asserted, by a server or by nobody",
            limits: "a trace proves presence, never absence. Only records of the component SIPStack with the flag \
                     TF_PROTOCOL are read as SIP; others (TF_DIAG, TF_SECURITY, the S4 component) show nobody. \
                     Message bodies stand in the trace as they were sent: a body with a line that looks like a \
                     record header cuts its record, and what follows reads as a record of its own. The flat \
                     file log of LCS 2005 is not read: no sample of it is known",
            time: "CLS (`[pool\\machine]`): UTC. Others (`[0]`): the zone of the computer that formatted the trace; \
                   UTC is assumed, and said so, where no offset is stated",
            reference: "Microsoft: OCS 2007 Logging Tool; [MS-SIPAE], [MS-SIPRE], [MS-CONFPRO], [MS-OCER]",
            example: "TL_INFO(TF_PROTOCOL) [0]06E4.0EB4::01/18/2012-05:00:43.101.00005386 \
                      (SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125))$$begin_record\n\
                      Instance-Id: 0000C23F\n\
                      Direction: incoming\n\
                      Peer: 10.1.1.5:50211\n\
                      Message-Type: request\n\
                      Start-Line: REGISTER sip:contoso.com SIP/2.0\n\
                      From: <sip:anna@contoso.com>;tag=5f3b;epid=01a2b3c4d5\n\
                      To: <sip:anna@contoso.com>\n\
                      Call-ID: 017b06f397b14886\n\
                      CSeq: 1 REGISTER\n\
                      Message-Body: -\n\
                      $$end_record\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
        (boundary(head, 0, eol) < head.len()).then(State::default)
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn boundary(&self, text: &[u8], at: usize, eol: u8) -> usize {
        boundary(text, at, eol)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        _state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        Reader::new(segment, sink).read();
    }
}

/// The first offset at or after `at` where a record header begins a line.
fn boundary(text: &[u8], at: usize, eol: u8) -> usize {
    let from = at.min(text.len());
    for i in memchr::memmem::find_iter(&text[from..], b"TL_") {
        let start = from + i;
        if start.checked_sub(1).is_some_and(|before| text[before] != eol) {
            continue;
        }
        let end = line::next_line(text, start, eol);
        if Header::parse(line::content(&text[start..end])).is_some() {
            return start;
        }
    }
    text.len()
}

/// Where in a record the reader stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    /// Behind a record, or before the first.
    Outside,
    /// In the header, which may go on in the next line.
    Header,
    /// In a record that is no SIP message.
    Text,
    /// Among the trace's own lines, before `Start-Line`.
    Trace,
    /// Among the SIP headers.
    Sip,
    /// In the message's body.
    Body,
}

/// The record that is being read.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    header: Header<'a>,
    /// Offset of the first byte in the segment.
    start: usize,
    /// Lines of the segment before the record.
    lines_before: u64,
}

struct Reader<'a, 's> {
    segment: &'a Segment<'a>,
    sink: &'s mut dyn Sink,
    run: Run,
    /// Lines seen so far.
    line: u64,
    part: Part,
    record: Option<Record<'a>>,
    message: SipMessage<'a>,
    /// The header whose value may go on in the next line: name and where the value stands.
    pending: Option<(HeaderName, usize, usize)>,
    /// Where the message's body begins.
    body: usize,
    first: i64,
    last: i64,
    /// Hour and machine of the record before, so that [`Sink::active`] hears of changes only.
    active: (i64, &'a [u8]),
    zone_noted: bool,
    /// Lines may be read by [`Reader::quick_line`].
    quick: bool,
}

impl<'a, 's> Reader<'a, 's> {
    fn new(segment: &'a Segment<'a>, sink: &'s mut dyn Sink) -> Self {
        Reader {
            segment,
            sink,
            run: Run::new(segment.base),
            line: 0,
            part: Part::Outside,
            record: None,
            message: SipMessage::default(),
            pending: None,
            body: 0,
            first: i64::MAX,
            last: i64::MIN,
            active: (i64::MIN, b""),
            zone_noted: false,
            quick: true,
        }
    }

    fn read(mut self) {
        let text = self.segment.text;
        let mut start = 0;
        for newline in memchr::memchr_iter(self.segment.eol, text) {
            self.any_line(start, newline + 1);
            start = newline + 1;
        }
        if start < text.len() {
            self.any_line(start, text.len());
        }
        self.close(text.len(), false);
        if self.first <= self.last {
            self.sink.span(self.first, self.last);
        }
        self.run.finish(self.sink);
    }

    /// `text[start..end]`, its line end included.
    #[inline]
    fn any_line(&mut self, start: usize, end: usize) {
        let text = self.segment.text;
        let mut raw = &text[start..end];
        if self.quick && self.quick_line(raw, start) {
            return;
        }
        if self.segment.base == 0 && start == 0 {
            raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        }
        let content = line::content(raw);
        if content.first() == Some(&b'T')
            && let Some(header) = Header::parse(content)
        {
            self.close(start, false);
            self.open(header, start);
            self.line += 1;
            return;
        }
        self.line += 1;
        match self.part {
            Part::Outside => {
                let kind = self.stray(content, start);
                self.run.line(kind, self.segment.base + end as u64, self.sink);
            }
            Part::Header => self.after_header(content, start, end),
            _ if record::is_end(content) => self.close(end, true),
            Part::Text | Part::Body => {}
            Part::Trace => self.trace_line(content),
            Part::Sip => self.sip_line(content, start),
        }
    }

    /// A line within a body, or among the SIP headers: most are. `false` where it may end the record or
    /// begin another one, or where what it says is not plain from its first byte on.
    #[inline]
    fn quick_line(&mut self, raw: &'a [u8], start: usize) -> bool {
        match raw.first() {
            None | Some(0 | b' ' | b'\t' | b'$' | 0xEF) => return false,
            Some(b'T') if raw.starts_with(b"TL_") => return false,
            Some(_) => {}
        }
        match self.part {
            Part::Text | Part::Body => {}
            Part::Sip => {
                self.commit();
                if let Some((name, value)) = HeaderName::of_line(raw) {
                    let end = start + line::content(raw).len();
                    self.header(name, start + value, end);
                }
            }
            // `Direction`, `Peer`, `Start-Line`.
            Part::Trace if !matches!(raw[0] | 0x20, b'd' | b'p' | b's') => {}
            Part::Outside | Part::Header | Part::Trace => return false,
        }
        self.line += 1;
        true
    }

    /// A SIP header that begins: its value is `text[from..to]` so far.
    #[inline]
    fn header(&mut self, name: HeaderName, from: usize, to: usize) {
        if name == HeaderName::MessageBody {
            self.body = from;
            self.part = Part::Body;
        } else {
            self.pending = Some((name, from, to));
        }
    }

    /// A line that belongs to no record: what is left of one whose header is in an earlier file.
    fn stray(&mut self, content: &[u8], start: usize) -> LineKind {
        if content.is_empty() {
            return LineKind::Blank;
        }
        let byte = self.segment.base + start as u64;
        self.sink.rejected(self.line, byte, LineErrorKind::Record { missing: "beginning" });
        LineKind::Rejected
    }

    fn open(&mut self, header: Header<'a>, start: usize) {
        self.record = Some(Record { header, start, lines_before: self.line });
        self.message = SipMessage { machine: header.machine, ..SipMessage::default() };
        self.pending = None;
        self.body = 0;
        self.part = if header.is_wrapped() { Part::Header } else { part_behind(&header) };
    }

    /// The line behind a header that may go on.
    fn after_header(&mut self, content: &'a [u8], start: usize, end: usize) {
        let Some(record) = &mut self.record else { return };
        if record.header.read_wrapped(content) {
            if record.header.begins {
                self.part = part_behind(&record.header);
            }
            return;
        }
        self.part = part_behind(&record.header);
        if record::is_end(content) {
            self.close(end, true);
        } else if self.part == Part::Sip {
            self.sip_line(content, start);
        }
    }

    /// The trace's own lines. A client cannot forge them: its headers come after the start line.
    fn trace_line(&mut self, content: &'a [u8]) {
        let Some((name, value)) = name_and_value(content) else { return };
        if name.eq_ignore_ascii_case(b"Start-Line") {
            self.message.read_start_line(value);
            self.part = Part::Sip;
        } else if name.eq_ignore_ascii_case(b"Peer") {
            self.message.peer = value;
        } else if name.eq_ignore_ascii_case(b"Direction") {
            self.message.read_direction(value);
        }
    }

    #[inline]
    fn sip_line(&mut self, content: &'a [u8], start: usize) {
        // NUL padding may stand before the content.
        let raw = &self.segment.text[start..];
        let content_start = start + raw.iter().position(|b| *b != 0).unwrap_or(0);
        let content_end = content_start + content.len();
        if matches!(content.first(), Some(b' ' | b'\t')) {
            // A folded value goes on.
            if let Some((_, _, value_end)) = &mut self.pending {
                *value_end = content_end;
            }
            return;
        }
        self.commit();
        if let Some((name, value)) = HeaderName::of_line(content) {
            self.header(name, content_start + value, content_end);
        }
    }

    /// The pending header is complete.
    #[inline]
    fn commit(&mut self) {
        if let Some((name, from, to)) = self.pending.take() {
            self.message.read_header(name, self.segment.text[from..to].trim_ascii_start());
        }
    }

    /// The record ends before `text[end]`: with its `$$end_record`, or cut.
    fn close(&mut self, end: usize, whole: bool) {
        self.part = Part::Outside;
        let Some(record) = self.record.take() else { return };
        let outcome = self.judge(&record, end, whole);
        if outcome.is_ok() {
            // A blank line inside a record is part of it.
            let (lines, end) = (self.line - record.lines_before, self.segment.base + end as u64);
            if lines > 0 {
                self.run.lines(LineKind::Event, lines, end, self.sink);
            }
            return;
        }
        let mut at = record.start;
        let mut number = record.lines_before;
        for range in line::lines(&self.segment.text[record.start..end], self.segment.eol) {
            number += 1;
            if let Err(error) = outcome {
                self.sink.rejected(number, self.segment.base + at as u64, error);
            }
            at = record.start + range.end;
            self.run.line(LineKind::Rejected, self.segment.base + at as u64, self.sink);
        }
    }

    /// What a record is, now that all of it has been seen.
    fn judge(&mut self, record: &Record<'a>, end: usize, whole: bool) -> Result<(), LineErrorKind> {
        let header = &record.header;
        if header.begins && !whole {
            return Err(LineErrorKind::Record { missing: "end" });
        }
        if header.is_sip() && !header.begins {
            return Err(LineErrorKind::Record { missing: "beginning" });
        }
        let clock = header.clock.ok_or(LineErrorKind::Timestamp { field: "record header" })?;
        if header.is_sip() {
            self.complete(end)?;
        }
        let instant = self.instant(header, clock);
        self.first = self.first.min(instant);
        self.last = self.last.max(instant);
        let hour = instant.div_euclid(3_600_000);
        if self.active != (hour, header.machine) {
            self.active = (hour, header.machine);
            let server = ServerEvidence { name: header.machine, ..ServerEvidence::default() };
            self.sink.active(&server, hour);
        }
        if header.is_sip() {
            let byte = self.segment.base + record.start as u64;
            let place = Place { byte, line: record.lines_before + 1, instant };
            self.sink.sip(place, &self.message);
        }
        Ok(())
    }

    /// Reads what could only be read at the end, and says what the message lacks.
    fn complete(&mut self, end: usize) -> Result<(), LineErrorKind> {
        self.commit();
        let lacks = |field, expected| Err(LineErrorKind::Value { field, expected });
        if self.message.start == StartLine::None {
            return lacks("Start-Line", "request or status line");
        }
        if self.message.call_id.is_empty() {
            return lacks("Call-ID", "call identifier");
        }
        if self.message.cseq.is_none() {
            return lacks("CSeq", "number and a method");
        }
        self.message.read_uris();
        if self.body > 0 {
            self.message.read_body(self.segment.text[self.body..end].trim_ascii());
        }
        Ok(())
    }

    /// CLS writes UTC. Other traces have the zone of the computer that made the text.
    fn instant(&mut self, header: &Header<'_>, clock: i64) -> i64 {
        if !header.machine.is_empty() {
            return clock;
        }
        match self.segment.scope.local_offset {
            Some(minutes) => clock - i64::from(minutes) * 60_000,
            None => {
                if !self.zone_noted {
                    self.zone_noted = true;
                    self.sink.notice(Notice::UnknownTimeBase);
                }
                clock
            }
        }
    }
}

/// Where the reader stands behind a whole header.
fn part_behind(header: &Header<'_>) -> Part {
    if header.is_sip() && header.begins { Part::Trace } else { Part::Text }
}

fn name_and_value(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', content)?;
    Some((content[..colon].trim_ascii(), content[colon + 1..].trim_ascii()))
}
