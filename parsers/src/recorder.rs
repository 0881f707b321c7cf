//! A sink that writes down everything it is told, one JSON object a line. For golden files,
//! properties and `calproof formats`; not for counting.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::event::{
    Access, DeviceEvidence, FactId, LineErrorKind, LineKind, Notice, Place, Proof, Repeats,
    ServerEvidence, ServerId, Sink, Software,
};
use crate::format::Scope;
use crate::line;
use crate::sip::{Decided, Exchange, ExchangeKey, Row, SipMessage, StartLine};
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
    /// The servers, as written.
    servers: Vec<String>,
    /// The SIP exchanges so far.
    exchanges: BTreeMap<ExchangeKey, Exchange>,
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

    /// What the SIP exchanges show, now that all messages have been told; one JSON object a line.
    pub fn decided(&self) -> String {
        let scope = Scope::default();
        let mut out = String::new();
        for (key, exchange) in &self.exchanges {
            for decided in exchange.decide(key, &scope) {
                let (row, fact) = decided_fields(&decided);
                let at = rfc3339(row.instant);
                let (line, byte) = (row.line, row.byte);
                let _ = writeln!(out, "{{\"line\":{line},\"byte\":{byte},\"at\":\"{at}\",{fact}}}");
            }
        }
        out
    }

    fn note(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{{\"{key}\":{}}}", json(value.as_bytes()));
    }
}

/// Number of rows, and instant and byte of the first and of the last.
pub type Sum = (u64, (i64, u64), (i64, u64));

/// A sink that sums the rows of each fact up, by UTC day, and hears of nothing else. For tests.
#[derive(Debug, Default)]
pub struct Sums {
    each: bool,
    /// What was told, by fact and day since 1970-01-01.
    pub seen: BTreeMap<(String, i64), Sum>,
    /// How often it was told of a row seen again, and of several at a time.
    pub told: (u64, u64),
    facts: Vec<String>,
    servers: Vec<String>,
}

impl Sums {
    /// A sink that wants to hear of `each` row, or of sums.
    pub fn new(each: bool) -> Sums {
        Sums { each, ..Sums::default() }
    }

    fn add(&mut self, fact: FactId, repeats: &Repeats) {
        let at = |place: Place| (place.instant, place.byte);
        let (first, last) = (at(repeats.first), at(repeats.last));
        let key = (self.facts[fact.0 as usize].clone(), repeats.day());
        let sum = self.seen.entry(key).or_insert((0, first, last));
        *sum = (sum.0 + repeats.events, sum.1.min(first), sum.2.max(last));
    }
}

impl Sink for Sums {
    fn lines(&mut self, _: LineKind, _: u64, _: Range<u64>) {}
    fn rejected(&mut self, _: u64, _: u64, _: LineErrorKind) {}

    fn server(&mut self, server: &ServerEvidence<'_>) -> ServerId {
        ServerId(place_of(&mut self.servers, format!("{server:?}")))
    }

    fn access(&mut self, place: Place, access: &Access<'_>) -> FactId {
        let fact = FactId(place_of(&mut self.facts, format!("{access:?}")));
        self.add(fact, &Repeats::once(place));
        fact
    }

    fn again(&mut self, fact: FactId, place: Place) {
        self.told.0 += 1;
        self.add(fact, &Repeats::once(place));
    }

    fn repeated(&mut self, fact: FactId, repeats: &Repeats) {
        self.told.1 += 1;
        self.add(fact, repeats);
    }

    fn wants_each(&self) -> bool {
        self.each
    }

    fn alias(&mut self, _: Place, _: &[u8], _: &[u8], _: Proof) {}
    fn corroborate(&mut self, _: Place, _: &ServerEvidence<'_>, _: &[u8], _: &[u8]) {}
    fn sip(&mut self, _: Place, _: &SipMessage<'_>) {}
    fn active(&mut self, _: &ServerEvidence<'_>, _: i64) {}
    fn span(&mut self, _: i64, _: i64) {}
    fn notice(&mut self, _: Notice) {}
    fn directive(&mut self, _: u64, _: u64, _: &[u8], _: &[u8]) {}
}

/// The place of a text in a list, new or known.
fn place_of(all: &mut Vec<String>, text: String) -> u32 {
    let known = all.iter().position(|known| *known == text);
    known.unwrap_or_else(|| {
        all.push(text);
        all.len() - 1
    }) as u32
}

/// The byte that ends the lines of `text`: CR where it has CR and no LF.
#[doc(hidden)]
pub fn line_end(text: &[u8]) -> u8 {
    if text.contains(&b'\n') || !text.contains(&b'\r') { b'\n' } else { b'\r' }
}

/// Whether the lines of a segment that begins at `base` were each told once, in order, and every
/// rejected one with a reason. For tests and fuzzing; the error says what is wrong.
#[doc(hidden)]
pub fn check_tiled(text: &[u8], base: u64, recorder: &Recorder) -> Result<(), String> {
    let (mut at, mut lines, mut rejected) = (base, 0, 0);
    for (kind, count, bytes) in &recorder.runs {
        if bytes.start != at || bytes.end <= bytes.start || *count == 0 {
            return Err(format!("{count} lines of {kind:?} at {bytes:?}, expected some from {at}"));
        }
        at = bytes.end;
        lines += count;
        rejected += if *kind == LineKind::Rejected { *count } else { 0 };
    }
    let end = base + text.len() as u64;
    if at != end {
        return Err(format!("told of lines up to byte {at}, expected {end}"));
    }
    let physical = line::lines(text, line_end(text)).count() as u64;
    if lines != physical {
        return Err(format!("told of {lines} lines, expected {physical}"));
    }
    let reasons = recorder.text.matches("\"rejected\":").count() as u64;
    if rejected != reasons {
        return Err(format!("{rejected} rejected lines with {reasons} reasons"));
    }
    Ok(())
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

fn decided_fields(decided: &Decided<'_>) -> (Row, String) {
    match decided {
        Decided::Access { row, access, vouched_by } => {
            let mut fact = access_fields(access);
            if !vouched_by.is_empty() {
                let _ = write!(fact, ",\"vouched_by\":{}", json(vouched_by));
            }
            (*row, fact)
        }
        Decided::SameName { row, one, other, proof } => {
            let (one, other) = (json(one), json(other));
            (*row, format!("\"same\":[{one},{other}],\"proof\":\"{}\"", proof.as_str()))
        }
        Decided::SameDevice { row, epid, instance } => {
            (*row, format!("\"epid\":{},\"sip_instance\":{}", json(epid), json(instance)))
        }
    }
}

/// What is said, without what is not; credentials are never among it.
fn sip_fields(message: &SipMessage<'_>) -> String {
    let mut out = match message.start {
        StartLine::Request(_) => "\"sip\":\"request\"".to_owned(),
        StartLine::Response(status) => format!("\"sip\":{status}"),
        StartLine::None => "\"sip\":null".to_owned(),
    };
    if let Some((number, method)) = message.cseq {
        let _ = write!(out, ",\"cseq\":\"{number} {}\"", method.as_str());
    }
    let _ = write!(out, ",\"direction\":\"{:?}\"", message.direction);
    let ntlm = message.ntlm().map(|i| format!("{} @ {}", i.account(), i.workstation));
    let texts = [
        ("machine", message.machine),
        ("peer", message.peer),
        ("call_id", message.call_id),
        ("from", message.from.uri),
        ("from_tag", message.from.tag),
        ("epid", message.from.epid),
        ("to", message.to.uri),
        ("instance", message.instance),
        ("target", message.target),
        ("agent", message.user_agent),
        ("trust", message.trust_source),
        ("network", message.trust_network),
        ("asserted", message.asserted_identity),
        ("ntlm", ntlm.as_deref().unwrap_or_default().as_bytes()),
    ];
    for (key, value) in texts {
        if !value.is_empty() {
            let _ = write!(out, ",\"{key}\":{}", json(value));
        }
    }
    if let Some((major, minor)) = message.rtc {
        let _ = write!(out, ",\"rtc\":\"{major}.{minor}\"");
    }
    let flags = [
        ("local", message.local),
        ("external", message.external),
        ("proof", message.proof),
        ("expires_zero", message.expires_zero),
    ];
    for (key, _) in flags.iter().filter(|(_, set)| *set) {
        let _ = write!(out, ",\"{key}\":true");
    }
    let sets: [(&str, Vec<&str>); 3] = [
        ("authorization", message.authorization.words().collect()),
        ("authentication_info", message.authentication_info.words().collect()),
        ("modalities", message.modalities.words().collect()),
    ];
    for (key, words) in sets.iter().filter(|(_, words)| !words.is_empty()) {
        let _ = write!(out, ",\"{key}\":\"{}\"", words.join(" "));
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

    fn server(&mut self, server: &ServerEvidence<'_>) -> ServerId {
        ServerId(place_of(&mut self.servers, server_fields(server)))
    }

    fn again(&mut self, fact: FactId, place: Place) {
        let fact = self.facts[fact.0 as usize].clone();
        self.event(place, &fact);
    }

    fn repeated(&mut self, fact: FactId, repeats: &Repeats) {
        let fact = &self.facts[fact.0 as usize];
        let text = match repeats.events {
            1 => fact.clone(),
            events => format!("\"events\":{events},\"last\":{},{fact}", repeats.last.line),
        };
        self.event(repeats.first, &text);
    }

    fn wants_each(&self) -> bool {
        true
    }

    fn alias(&mut self, place: Place, one: &[u8], other: &[u8], proof: Proof) {
        let fact =
            format!("\"same\":[{},{}],\"proof\":\"{}\"", json(one), json(other), proof.as_str());
        self.event(place, &fact);
    }

    fn corroborate(
        &mut self,
        place: Place,
        server: &ServerEvidence<'_>,
        mailbox: &[u8],
        client: &[u8],
    ) {
        let mut fact = server_fields(server);
        let _ = write!(fact, "\"corroborates\":{}", json(mailbox));
        if !client.is_empty() {
            let _ = write!(fact, ",\"client\":{}", json(client));
        }
        self.event(place, &fact);
    }

    fn sip(&mut self, place: Place, message: &SipMessage<'_>) {
        self.event(place, &sip_fields(message));
        let (key, part) = Exchange::from_message(place, message);
        self.exchanges.entry(key).or_default().merge(part);
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
