//! How long a format takes to read a log.
//!
//! Where the system tells (Linux), the time is that of the processor, so that a busy machine changes
//! little; elsewhere it is that of the clock.

use std::ops::Range;
use std::time::Instant;

use calproof_parsers::sip::SipMessage;
use calproof_parsers::{
    Access, FactId, LineErrorKind, LineKind, LogFormat, Memory, Notice, Place, Proof, Repeats,
    Scope, Segment, ServerEvidence, ServerId, Sink, State,
};

/// Counts what it is told.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) lines: u64,
    pub(crate) rejected: u64,
    pub(crate) accesses: u64,
}

impl Sink for Count {
    fn lines(&mut self, _kind: LineKind, count: u64, _bytes: Range<u64>) {
        self.lines += count;
    }
    fn rejected(&mut self, _line: u64, _byte: u64, _kind: LineErrorKind) {
        self.rejected += 1;
    }
    fn access(&mut self, _place: Place, _access: &Access<'_>) -> FactId {
        self.accesses += 1;
        FactId(0)
    }
    fn server(&mut self, _: &ServerEvidence<'_>) -> ServerId {
        ServerId(0)
    }

    fn again(&mut self, _fact: FactId, _place: Place) {
        self.accesses += 1;
    }
    fn repeated(&mut self, _: FactId, repeats: &Repeats) {
        self.accesses += repeats.events;
    }

    fn alias(&mut self, _place: Place, _one: &[u8], _other: &[u8], _proof: Proof) {}
    fn corroborate(&mut self, _: Place, _: &ServerEvidence<'_>, _: &[u8], _: &[u8]) {}
    fn sip(&mut self, _place: Place, _message: &SipMessage<'_>) {}
    fn active(&mut self, _server: &ServerEvidence<'_>, _hour: i64) {}
    fn span(&mut self, _first: i64, _last: i64) {}
    fn notice(&mut self, _notice: Notice) {}
    fn directive(&mut self, _line: u64, _byte: u64, _name: &[u8], _value: &[u8]) {}
}

/// Seconds spent by this thread so far; only differences mean anything.
fn seconds(start: Instant) -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat");
    let spent = spent.ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    spent.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Reads `text` three times on one thread: what was told, and the seconds of the fastest time.
pub(crate) fn read(format: &dyn LogFormat, state: &State, text: &[u8]) -> (Count, f64) {
    let (start, scope) = (Instant::now(), Scope::default());
    let mut best = f64::MAX;
    let mut count = Count::default();
    for _ in 0..3 {
        count = Count::default();
        let segment = Segment { text, base: 0, eol: b'\n', scope: &scope };
        let before = seconds(start);
        format.parse(&segment, &mut state.clone(), &mut Memory::default(), &mut count);
        best = best.min(seconds(start) - before);
    }
    (count, best)
}
