//! A sink that writes down everything it is told, one JSON object a line. For golden files,
//! properties and `calproof formats`; not for counting.

use std::fmt::Write as _;
use std::ops::Range;

use crate::event::{
    Access, DeviceEvidence, FactId, LineErrorKind, LineKind, Notice, Place, Proof, ServerEvidence,
    Sink, Software,
};
use crate::sip::SipMessage;
use crate::time::{DAY_MS, civil};

/// Everything a parser told, in order.
#[derive(Debug, Default)]
pub struct Recorder {
    /// One JSON object a line.
    pub text: String,
    /// The runs of lines, in order.
    pub runs: Vec<(LineKind, u64, Range<u64>)>,
    /// The facts, as written; [`Sink::again`] repeats one.
    facts: Vec<String>,
}

impl Recorder {
    fn event(&mut self, place: Place, fact: &str) {
        let _ = writeln!(
            self.text,
            "{{\"line\":{},\"byte\":{},\"at\":\"{}\",{fact}}}",
            place.line,
            place.byte,
            rfc3339(place.instant)
        );
    }

    fn note(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{{\"{key}\":{}}}", json(value.as_bytes()));
    }
}

/// An instant (milliseconds since 1970) as RFC 3339 UTC; the fraction only where there is one.
pub fn rfc3339(instant: i64) -> String {
    let (day, ms) = (instant.div_euclid(DAY_MS), instant.rem_euclid(DAY_MS));
    let (y, m, d) = civil(day as i32);
    let (s, f) = (ms / 1000, ms % 1000);
    let fraction = if f == 0 { String::new() } else { format!(".{f:03}") };
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}{fraction}Z", s / 3600, s / 60 % 60, s % 60)
}

/// Bytes as a JSON string; what is not UTF-8 or not printable as `\u00XX` or `\xXX` in the text.
pub fn json(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => {
                    let _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\\\x{b:02X}");
        }
    }
    out.push('"');
    out
}

fn server_fields(server: &ServerEvidence<'_>) -> String {
    let mut out = String::new();
    let parts = [("server", server.name), ("address", server.address), ("target", server.target)];
    for (key, value) in parts {
        if !value.is_empty() {
            let _ = write!(out, "\"{key}\":{},", json(value));
        }
    }
    if server.software != Software::Unknown {
        let _ = write!(out, "\"software\":\"{:?}\",", server.software);
    }
    out
}

fn access_fields(access: &Access<'_>) -> String {
    let mut out = server_fields(&access.server);
    let _ = write!(
        out,
        "\"service\":\"{}\",\"outcome\":\"{}\"",
        access.service.as_str(),
        access.outcome.as_str()
    );
    if !access.principal.is_empty() {
        let _ = write!(out, ",\"principal\":{}", json(access.principal));
    }
    if !access.acted_for.is_empty() {
        let _ = write!(out, ",\"acted_for\":{}", json(access.acted_for));
    }
    match access.device {
        DeviceEvidence::None => {}
        DeviceEvidence::ActiveSync(id) => {
            let _ = write!(out, ",\"eas_device\":{}", json(id));
        }
        DeviceEvidence::SipInstance(id) => {
            let _ = write!(out, ",\"sip_instance\":{}", json(id));
        }
        DeviceEvidence::Epid(id) => {
            let _ = write!(out, ",\"epid\":{}", json(id));
        }
        DeviceEvidence::CdrEndpoint(id) => {
            let _ = write!(out, ",\"endpoint\":{}", json(id));
        }
        DeviceEvidence::Address { address, agent } => {
            let _ = write!(out, ",\"client\":{},\"agent\":{}", json(address), json(agent));
        }
    }
    let _ = write!(out, ",\"from\":\"{:?}\"", access.client);
    let marks: Vec<_> = access.marks.names().map(|m| format!("\"{m}\"")).collect();
    if !marks.is_empty() {
        let _ = write!(out, ",\"marks\":[{}]", marks.join(","));
    }
    out
}

impl Sink for Recorder {
    fn lines(&mut self, kind: LineKind, count: u64, bytes: Range<u64>) {
        self.runs.push((kind, count, bytes));
    }

    fn rejected(&mut self, line: u64, byte: u64, kind: LineErrorKind) {
        let reason = json(kind.to_string().as_bytes());
        let _ = writeln!(self.text, "{{\"line\":{line},\"byte\":{byte},\"rejected\":{reason}}}");
    }

    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId {
        let fact = access_fields(access);
        self.event(place, &fact);
        self.facts.push(fact);
        FactId(self.facts.len() as u32 - 1)
    }

    fn again(&mut self, fact: FactId, place: Place) {
        let fact = self.facts[fact.0 as usize].clone();
        self.event(place, &fact);
    }

    fn alias(&mut self, place: Place, one: &[u8], other: &[u8], proof: Proof) {
        let fact =
            format!("\"same\":[{},{}],\"proof\":\"{}\"", json(one), json(other), proof.as_str());
        self.event(place, &fact);
    }

    fn sip(&mut self, place: Place, message: &SipMessage<'_>) {
        let fact = format!("\"sip\":{}", json(format!("{message:?}").as_bytes()));
        self.event(place, &fact);
    }

    fn active(&mut self, _server: &ServerEvidence<'_>, _hour: i64) {}

    fn span(&mut self, first: i64, last: i64) {
        self.note("span", &format!("{} {}", rfc3339(first), rfc3339(last)));
    }

    fn notice(&mut self, notice: Notice) {
        self.note("notice", &format!("{notice:?}"));
    }

    fn directive(&mut self, _line: u64, _byte: u64, _name: &[u8], _value: &[u8]) {}
}
