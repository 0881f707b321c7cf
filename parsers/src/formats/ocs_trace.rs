//! SIPStack traces of OCS 2007, OCS 2007 R2, Lync 2010, and Lync 2013 to Skype for Business (CLS).
//!
//! A record is a header line, a body of `Name: value` lines, and `$$end_record`. The reader takes
//! the text line by line; at the end of each record it knows what the record is, and only then says
//! what kind its lines are. A record header always begins a record, wherever it stands, so that a
//! cut before one changes nothing.

mod lines;
mod record;
#[cfg(test)]
mod tests;

use crate::event::{LineErrorKind, LineKind, Notice, Place, ServerEvidence, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::line::{self, Run};
use crate::memory::Memory;
use crate::recent::Recent;
use crate::sip::{HeaderName, Modalities, Peer, Sender, SipMessage, StartLine};
use lines::Lines;
use record::{Header, Headers};

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

/// How many values are remembered of a kind: more than there are exchanges at a time. A request's `From`
/// stands in its answers too.
const RECENT: usize = 128;

struct Reader<'a, 's> {
    segment: &'a Segment<'a>,
    sink: &'s mut dyn Sink,
    run: Run,
    /// Lines seen so far.
    line: u64,
    part: Part,
    record: Option<Record<'a>>,
    message: SipMessage<'a>,
    /// What a message says before it is read: copied, it costs less than written field by field.
    empty: SipMessage<'a>,
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
    headers: Headers<'a>,
    /// `From` values, and what they say.
    senders: Recent<'a, Sender<'a>, RECENT>,
    /// Endpoints, and what stands there.
    peers: Recent<'a, Peer<'a>, RECENT>,
    /// URIs of requests, and what they are about.
    uris: Recent<'a, Modalities, RECENT>,
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
            empty: SipMessage::default(),
            pending: None,
            body: 0,
            first: i64::MAX,
            last: i64::MIN,
            active: (i64::MIN, b""),
            zone_noted: false,
            quick: true,
            headers: Headers::default(),
            senders: Recent::default(),
            peers: Recent::default(),
            uris: Recent::default(),
        }
    }

    fn read(mut self) {
        let text = self.segment.text;
        let mut lines = Lines::new(text, self.segment.eol);
        while let Some(line) = lines.next() {
            if !(self.quick && self.quick_line(line.start, line.end)) {
                self.any_line(line.start, line.end);
            }
        }
        self.close(text.len(), false);
        if self.first <= self.last {
            self.sink.span(self.first, self.last);
        }
        self.run.finish(self.sink);
    }

    /// `text[start..end]`, its line end included.
    fn any_line(&mut self, start: usize, end: usize) {
        let text = self.segment.text;
        let mut raw = &text[start..end];
        if self.segment.base == 0 && start == 0 {
            raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        }
        let content = line::content(raw);
        if content.first() == Some(&b'T')
            && let Some(header) = Header::parse(content)
        {
            self.begin(header, start);
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

    /// A line that is plainly what it seems to be from its first byte on: nearly all are. `false` where
    /// [`Reader::any_line`] must look at it.
    #[inline(always)]
    fn quick_line(&mut self, start: usize, end: usize) -> bool {
        let text = self.segment.text;
        let Some(raw) = text.get(start..end) else { return false };
        let Some(first) = raw.first() else { return false };
        let kind = FIRST[usize::from(*first)];
        if kind & (ODD | MARK) != 0 {
            if kind & ODD != 0 {
                return false;
            }
            if raw.starts_with(b"TL_") {
                let header = self.headers.parse(line::content(raw));
                return header.map(|header| self.begin(header, start)).is_some();
            }
            if record::is_end(raw) && !matches!(self.part, Part::Outside | Part::Header) {
                self.line += 1;
                self.close(end, true);
                return true;
            }
        }
        match self.part {
            Part::Text | Part::Body => {}
            Part::Sip => {
                if self.pending.is_some() {
                    self.commit();
                }
                if kind & SIP != 0
                    && let Some((name, value)) = HeaderName::of_line(raw)
                {
                    self.quick_header(name, start + value, end);
                }
            }
            Part::Trace => {
                if kind & TRACE != 0 {
                    self.quick_trace_line(line::content(raw));
                }
            }
            Part::Outside if matches!(raw, b"\n" | b"\r\n") => {
                self.run.line(LineKind::Blank, self.segment.base + end as u64, self.sink);
            }
            Part::Outside | Part::Header => return false,
        }
        self.line += 1;
        true
    }

    /// One of the trace's own lines, as it is mostly written.
    #[inline]
    fn quick_trace_line(&mut self, content: &'a [u8]) {
        if let Some(value) = content.strip_prefix(b"Start-Line: ") {
            self.message.read_start_line(value.trim_ascii());
            self.part = Part::Sip;
        } else if let Some(value) = content.strip_prefix(b"Peer: ") {
            self.message.peer = value.trim_ascii();
            self.message.known_peer = Some(self.peers.of(self.message.peer, Peer::of));
        } else if let Some(value) = content.strip_prefix(b"Direction: ") {
            self.message.read_direction(value.trim_ascii());
        } else {
            self.trace_line(content);
        }
    }

    /// A SIP header whose value begins at `from`, in a line that ends at `end`.
    #[inline(always)]
    fn quick_header(&mut self, name: HeaderName, from: usize, end: usize) {
        let text = self.segment.text;
        let mut to = end;
        while to > from && matches!(text[to - 1], 0 | b'\n' | b'\r' | b' ' | b'\t') {
            to -= 1;
        }
        // The value may go on in the next line.
        let goes_on = matches!(text.get(end), Some(0 | b' ' | b'\t'));
        if goes_on || name == HeaderName::MessageBody {
            return self.header(name, from, to);
        }
        let value = text[from..to].trim_ascii_start();
        let message = &mut self.message;
        match name {
            HeaderName::From if message.from.uri.is_empty() => {
                message.from = self.senders.of(value, Sender::parse);
            }
            _ => message.read_header(name, value),
        }
    }

    /// A record begins.
    fn begin(&mut self, header: Header<'a>, start: usize) {
        self.close(start, false);
        self.open(header, start);
        self.line += 1;
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
        self.message = self.empty;
        self.message.machine = header.machine;
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
            (self.message.peer, self.message.known_peer) = (value, None);
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
        if self.quick {
            let uris = &mut self.uris;
            self.message.read_uris_by(|uri| uris.of(uri, Modalities::of_uri));
        } else {
            self.message.read_uris();
        }
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

/// The line is not what it seems, or goes on with the line before.
const ODD: u8 = 1;
/// It may begin or end a record.
const MARK: u8 = 1 << 1;
/// Among SIP headers, it may be one that is read.
const SIP: u8 = 1 << 2;
/// The same among the trace's own lines: `Direction`, `Peer`, `Start-Line`.
const TRACE: u8 = 1 << 3;

/// What the first byte of a line tells.
static FIRST: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0u8;
    while byte < 255 {
        kinds[byte as usize] = match byte {
            0 | b' ' | b'\t' | 0xEF => ODD,
            b'T' | b'$' => MARK,
            _ => 0,
        } | match byte | 0x20 {
            b'p' | b's' => SIP | TRACE,
            b'd' => TRACE,
            b'a' | b'c' | b'e' | b'f' | b'i' | b'm' | b't' | b'u' | b'w' => SIP,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// Where the reader stands behind a whole header.
fn part_behind(header: &Header<'_>) -> Part {
    if header.is_sip() && header.begins { Part::Trace } else { Part::Text }
}

fn name_and_value(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', content)?;
    Some((content[..colon].trim_ascii(), content[colon + 1..].trim_ascii()))
}
