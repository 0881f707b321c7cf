//! The header of a trace record.

use crate::bytes::same;
use crate::time::{self, DAY_MS};

/// What stands at the end of a header whose record has a body.
const BEGIN: &[u8] = b"$$begin_record";
/// What ends a body.
const END: &[u8] = b"$$end_record";

/// The header of one record:
/// `LEVEL(FLAG) [ctx]PID.TID::MM/DD/YYYY-HH:MM:SS.mmm.SEQ (component,function:file(line))`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header<'a> {
    /// `TF_PROTOCOL`.
    pub(super) flag: &'a [u8],
    /// `SIPStack`; empty where the header is wrapped before it.
    pub(super) component: &'a [u8],
    /// The machine of `[pool\machine]` (CLS); empty where a CPU number stands there.
    pub(super) machine: &'a [u8],
    /// Milliseconds since 1970-01-01T00:00 in the trace's own time; `None` where it is no time.
    pub(super) clock: Option<i64>,
    /// `$$begin_record` is there.
    pub(super) begins: bool,
    /// The record is a SIP message.
    sip: bool,
}

impl<'a> Header<'a> {
    /// Reads a header; `None` where the line is none. `TL_` is what tells it from the traces of
    /// other products that have `$$begin_record` as well.
    pub(super) fn parse(line: &'a [u8]) -> Option<Header<'a>> {
        // Nearly every line ends here.
        if !line.starts_with(b"TL_") {
            return None;
        }
        let (rest, (flag, context, stamp)) = prefix(line)?;
        let mut header = Header {
            flag,
            component: b"",
            machine: machine(context),
            clock: clock(stamp),
            begins: false,
            sip: false,
        };
        header.read_rest(rest);
        Some(header)
    }

    /// A header without its component or its `$$begin_record` goes on in the next line.
    pub(super) fn is_wrapped(&self) -> bool {
        !self.begins
    }

    /// Takes a further line of a wrapped header; `false` where the line is none of its.
    pub(super) fn read_wrapped(&mut self, line: &'a [u8]) -> bool {
        let line = line.trim_ascii_start();
        let goes_on = line == BEGIN || (self.component.is_empty() && line.starts_with(b"("));
        if goes_on {
            self.read_rest(line);
        }
        goes_on
    }

    fn read_rest(&mut self, rest: &'a [u8]) {
        if let Some(inside) = rest.trim_ascii_start().strip_prefix(b"(") {
            let end = memchr::memchr2(b',', b')', inside).unwrap_or(inside.len());
            self.component = &inside[..end];
        }
        self.begins = rest.trim_ascii_end().ends_with(BEGIN);
        self.sip = same(self.flag, b"TF_PROTOCOL")
            && (same(self.component, b"SIPStack")
                || self.component.eq_ignore_ascii_case(b"SIPStack"));
    }

    /// Whether the record is a SIP message.
    pub(super) fn is_sip(&self) -> bool {
        self.sip
    }
}

/// Reads headers that look exactly as servers write them; the date of the one before is kept.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    /// `MM/DD/YYYY-`, and what it is in milliseconds since 1970.
    date: ([u8; 11], i64),
    /// What stood behind the time stamp, and the header with it.
    rest: &'a [u8],
    last: Option<Header<'a>>,
}

impl<'a> Headers<'a> {
    /// As [`Header::parse`].
    #[inline]
    pub(super) fn parse(&mut self, line: &'a [u8]) -> Option<Header<'a>> {
        self.usual(line).or_else(|| Header::parse(line))
    }

    /// `TL_INFO(TF_PROTOCOL) [0]06E4.0EB4::01/18/2012-05:00:43.101.00005386 (SIPStack,`; `None` where
    /// anything is otherwise.
    #[inline]
    fn usual(&mut self, line: &'a [u8]) -> Option<Header<'a>> {
        let (b"TL_INFO(TF_PROTOCOL) [", behind) = line.split_first_chunk::<22>()? else {
            return None;
        };
        let (context, behind) = behind.split_at(behind.iter().position(|b| *b == b']')?);
        let ([b']', thread @ ..], behind) = behind.split_first_chunk::<12>()? else { return None };
        let (date, behind) = behind.split_first_chunk::<11>()?;
        let (time, behind) = behind.split_first_chunk::<8>()?;
        let ([b'.', milliseconds @ .., b'.'], rest) = behind.split_first_chunk::<5>()? else {
            return None;
        };
        let ([p1, p2, p3, p4, b'.', t1, t2, t3, t4, b':', b':'], [a, b, c]) =
            (thread, milliseconds)
        else {
            return None;
        };
        let hex = [p1, p2, p3, p4, t1, t2, t3, t4].into_iter();
        let hex = hex.fold(HEX, |kinds, byte| kinds & KINDS[usize::from(*byte)]);
        let [a, b, c] = [a, b, c].map(|digit| digit.wrapping_sub(b'0'));
        if hex == 0 || a.max(b).max(c) > 9 {
            return None;
        }
        if *date != self.date.0 {
            let midnight = clock(&[&date[..], b"00:00:00.0"].concat())?;
            self.date = (*date, midnight);
        }
        let time = time::whole_clock(time)?;
        let clock =
            self.date.1 + i64::from(time) + i64::from(a) * 100 + i64::from(b) * 10 + i64::from(c);
        let (_, rest) = run(rest, STAMP)?;
        let (machine, clock) = (machine(context), Some(clock));
        if let Some(last) = self.last
            && same(self.rest, rest)
        {
            return Some(Header { machine, clock, ..last });
        }
        let (flag, component) = (b"TF_PROTOCOL", &b""[..]);
        let mut header = Header { flag, component, machine, clock, begins: false, sip: false };
        header.read_rest(rest);
        (self.rest, self.last) = (rest, Some(header));
        Some(header)
    }
}

/// Whether a line ends a record's body.
pub(super) fn is_end(line: &[u8]) -> bool {
    line.first() == Some(&b'$') && line.starts_with(END)
}

/// Flag, context and time stamp.
type Prefix<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// What stands before the component, and what is behind it.
fn prefix(line: &[u8]) -> Option<(&[u8], Prefix<'_>)> {
    let (_, rest) = run(line.strip_prefix(b"TL_")?, UPPER)?;
    let (flag, rest) = run(rest.strip_prefix(b"(")?, WORD)?;
    let mut rest = rest.strip_prefix(b")")?;
    while let [b' ' | b'\t', behind @ ..] = rest {
        rest = behind;
    }
    let rest = rest.strip_prefix(b"[")?;
    let (context, rest) = rest.split_at(rest.iter().position(|b| *b == b']')?);
    let (_, rest) = run(&rest[1..], HEX)?;
    let (_, rest) = run(rest.strip_prefix(b".")?, HEX)?;
    let (stamp, rest) = run(rest.strip_prefix(b"::")?, STAMP)?;
    Some((rest, (flag, context, stamp)))
}

const UPPER: u8 = 1;
const WORD: u8 = 1 << 1;
const HEX: u8 = 1 << 2;
const STAMP: u8 = 1 << 3;

/// Which runs a byte may stand in.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        let word = byte.is_ascii_alphanumeric() || byte == b'_';
        let hex = byte.is_ascii_hexdigit();
        let stamp = hex || matches!(byte, b'/' | b'-' | b':' | b'.');
        kinds[byte as usize] = (byte.is_ascii_uppercase() as u8 * UPPER)
            | (word as u8 * WORD)
            | (hex as u8 * HEX)
            | (stamp as u8 * STAMP);
        byte += 1;
    }
    kinds
};

/// The bytes that `text` begins with and that are of a kind, of which there is one at least.
#[inline(always)]
fn run(text: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    while let Some(byte) = text.get(end)
        && KINDS[usize::from(*byte)] & kind != 0
    {
        end += 1;
    }
    (end > 0).then(|| text.split_at(end))
}

fn machine(context: &[u8]) -> &[u8] {
    let context = context.trim_ascii();
    if context.iter().all(u8::is_ascii_digit) {
        return b"";
    }
    &context[memchr::memrchr(b'\\', context).map_or(0, |i| i + 1)..]
}

/// `MM/DD/YYYY-HH:MM:SS.mmm.SEQ`; the sequence number is no part of the time.
fn clock(stamp: &[u8]) -> Option<i64> {
    let (date, rest) = stamp.split_at_checked(10)?;
    let rest = rest.strip_prefix(b"-")?;
    if date[2] != b'/' || date[5] != b'/' {
        return None;
    }
    let (month, day) = (time::number(&date[..2])?, time::number(&date[3..5])?);
    let day = time::day_number(time::number(&date[6..])?, month, day)?;
    // HH:MM:SS, then a fraction, then the sequence number.
    let fraction = rest.get(9..)?;
    let end = 9 + memchr::memchr(b'.', fraction).unwrap_or(fraction.len());
    Some(i64::from(day) * DAY_MS + i64::from(time::clock(&rest[..end])?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot read its header has failed")]
    use nom::bytes::complete::{tag, take_till, take_while1};
    use nom::character::complete::{hex_digit1, space0};
    use nom::sequence::delimited;
    use nom::{IResult, Parser};

    use super::*;
    use crate::recorder::rfc3339;

    #[test]
    fn headers_of_the_format_reference() {
        let cases: &[(&str, &str, &str, bool, bool)] = &[
            (
                "TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::06/22/2009-17:58:48.922.0009935d (SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(122))$$begin_record",
                "2009-06-22T17:58:48.922Z",
                "",
                true,
                true,
            ),
            (
                "TL_WARN(TF_DIAG) [sfvedge\\sfvedge]0584.0A44::03/02/2017-07:10:46.230.0000773E (SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(830)) [156659184] $$begin_record",
                "2017-03-02T07:10:46.230Z",
                "sfvedge",
                false,
                true,
            ),
            (
                "TL_INFO(TF_PROTOCOL) [POOL\\FE01]1C40.0ABC::10/18/2013-12:00:00.123.00001234 (SIPStack,SIPAdminLog::ProtocolRecord::Flush:ProtocolRecord.cpp(261)) [1234567] $$begin_record",
                "2013-10-18T12:00:00.123Z",
                "FE01",
                true,
                true,
            ),
            (
                "TL_INFO(TF_COMPONENT) [0]0860.0CDC::01/18/2012-05:07:42.622.000d0b31 (S4,x:y(1))text",
                "2012-01-18T05:07:42.622Z",
                "",
                false,
                false,
            ),
        ];
        for (line, at, machine, sip, begins) in cases {
            let header = Header::parse(line.as_bytes()).unwrap();
            assert_eq!(rfc3339(header.clock.unwrap()), *at);
            assert_eq!(header.machine, machine.as_bytes());
            assert_eq!((header.is_sip(), header.begins), (*sip, *begins), "{line}");
        }
    }

    #[test]
    fn a_wrapped_header_goes_on_in_the_next_line() {
        let first = b"TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::06/22/2009-17:58:48.922.0009935d ";
        let mut header = Header::parse(first).unwrap();
        assert!(header.is_wrapped() && !header.is_sip());
        assert!(!header.read_wrapped(b"Peer: x"));
        assert!(header.read_wrapped(b" (SIPStack,a::b:c.cpp(122))$$begin_record"));
        assert!(header.begins && header.is_sip());
    }

    #[test]
    fn look_alikes_and_impossible_dates() {
        assert!(
            Header::parse(b"01/08/2022-11:36:14.354 [0x000021ac] - --> Message:$$begin_record")
                .is_none()
        );
        assert!(Header::parse(b"TL_INFO: text").is_none());
        let month_13 = b"TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::22/06/2009-17:58:48.922.0009935d (SIPStack,a)$$begin_record";
        assert_eq!(Header::parse(month_13).unwrap().clock, None);
    }

    /// The same as a grammar.
    fn grammar(line: &[u8]) -> IResult<&[u8], Prefix<'_>> {
        let word = || take_while1(|b: u8| b.is_ascii_alphanumeric() || b == b'_');
        let context = delimited(tag("["), take_till(|b| b == b']'), tag("]"));
        let thread = (hex_digit1, tag("."), hex_digit1, tag("::"));
        let stamp =
            take_while1(|b: u8| b.is_ascii_hexdigit() || matches!(b, b'/' | b'-' | b':' | b'.'));
        let (rest, (_, _, flag, _, context, _, stamp)) = (
            tag("TL_"),
            take_while1(|b: u8| b.is_ascii_uppercase()),
            delimited(tag("("), word(), tag(")")),
            space0,
            context,
            thread,
            stamp,
        )
            .parse(line)?;
        Ok((rest, (flag, context, stamp)))
    }

    proptest::proptest! {
        #[test]
        fn usual_headers_are_read_as_any(
            at in proptest::collection::vec((0usize..160, 0u8..128), 0..4), cut in 0usize..300,
            month in 0u32..14, day in 0u32..33, clock in "[0-2][0-9]:[0-6][0-9]:[0-6][0-9].[0-9]{1,4}(.[0-9a-f]{0,9})?",
            context in "[0-9]|P\\\\FE01", behind in "( \\[[0-9]{3}\\] )?(\\$\\$begin_record)?[ \r\n]{0,2}",
        ) {
            let line = format!(
                "TL_INFO(TF_PROTOCOL) [{context}]0A2C.0a9C::{month:02}/{day:02}/2012-{clock} (SIPStack,a::b:c.cpp(125)){behind}"
            ).into_bytes();
            let mut damaged = line.clone();
            let mut headers = Headers::default();
            let any = Header::parse(&line);
            proptest::prop_assert_eq!(headers.parse(&line), any);
            let has_both = clock.len() > 13 && clock.as_bytes()[12] == b'.';
            let is_usual = has_both && any.is_some_and(|header| header.clock.is_some());
            proptest::prop_assert_eq!(headers.usual(&line).is_some(), is_usual);
            for (at, byte) in at {
                if let Some(place) = damaged.get_mut(at) {
                    *place = byte;
                }
            }
            damaged.truncate(cut);
            proptest::prop_assert_eq!(headers.parse(&damaged), Header::parse(&damaged));
            // Once more, now that what stands behind the time stamp is known.
            proptest::prop_assert_eq!(headers.parse(&line), Header::parse(&line));
        }

        #[test]
        fn a_prefix_is_what_the_grammar_says(
            level in "TL_[A-Z]{0,4}\\(?", flag in "[A-Z_0]{0,4}\\)?[ \t]{0,2}", context in "\\[[a-z0\\\\]{0,4}\\]?",
            thread in "[0-9A-Fg]{0,3}\\.?[0-9A-F]{0,3}:{0,3}", stamp in "[0-9/:.-]{0,20}[ (a-z]{0,4}",
        ) {
            let line = [level, flag, context, thread, stamp].concat();
            let expected = grammar(line.as_bytes()).ok();
            proptest::prop_assert_eq!(prefix(line.as_bytes()), expected);
        }
    }
}
