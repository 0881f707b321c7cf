//! Bytes per second of the IIS W3C parser alone: 64 MB in memory, one thread, a sink that counts.
//!
//! `cargo bench --bench parse`. The logs are those of `benches/compare/`.

#[path = "compare/generate/organisation.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod organisation;
#[path = "compare/generate/truth.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod truth;

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use calproof::facts::collector::Collector;
use calproof::facts::tally::Tally;
use calproof::facts::usage::Period;
use calproof_parsers::{
    Access, FactId, LineErrorKind, LineKind, Memory, Notice, Place, Proof, Repeats, Scope, Segment,
    ServerEvidence, ServerId, Sink, detect, sip::SipMessage,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use organisation::{FIELDS, Organisation, Rows};
use truth::Truth;

const SIZE: usize = 64 << 20;

/// Counts what it hears and keeps nothing.
#[derive(Default)]
struct Counting {
    lines: u64,
    accesses: u64,
}

impl Sink for Counting {
    fn lines(&mut self, _: LineKind, count: u64, _: Range<u64>) {
        self.lines += count;
    }
    fn rejected(&mut self, _: u64, _: u64, _: LineErrorKind) {}
    fn access(&mut self, _: Place, _: &Access<'_>) -> FactId {
        self.accesses += 1;
        FactId(0)
    }
    fn server(&mut self, _: &ServerEvidence<'_>) -> ServerId {
        ServerId(0)
    }

    fn again(&mut self, _: FactId, _: Place) {
        self.accesses += 1;
    }
    fn repeated(&mut self, _: FactId, _: &Repeats) {}

    fn alias(&mut self, _: Place, _: &[u8], _: &[u8], _: Proof) {}
    fn sip(&mut self, _: Place, _: &SipMessage<'_>) {}
    fn corroborate(&mut self, _: Place, _: &ServerEvidence<'_>, _: &[u8], _: &[u8]) {}
    fn active(&mut self, _: &ServerEvidence<'_>, _: i64) {}
    fn span(&mut self, _: i64, _: i64) {}
    fn notice(&mut self, _: Notice) {}
    fn directive(&mut self, _: u64, _: u64, _: &[u8], _: &[u8]) {}
}

/// A day of one server.
fn log() -> Vec<u8> {
    let organisation = Organisation::new(6000);
    let mut truth = Truth::new(6000);
    let mut rows = Rows::new(&organisation, 0, 1);
    let head =
        format!("#Software: Microsoft Internet Information Services 8.5\r\n#Fields: {FIELDS}\r\n");
    let mut text = Vec::with_capacity(SIZE + 4096);
    text.extend_from_slice(head.as_bytes());
    while text.len() < SIZE {
        let second = text.len() * 86_000 / SIZE;
        rows.row(&mut text, "2015-01-13", second as u32, &mut truth);
    }
    text
}

fn parse(text: &[u8], scope: &Scope, sink: &mut dyn Sink) {
    let (format, mut state) = detect(&text[..64 << 10]);
    // Segments of the usual size, so that the memo and the facts have theirs.
    let (mut at, mut memory) = (0, Memory::default());
    while at < text.len() {
        let end = match at + (8 << 20) {
            next if next < text.len() => format.boundary(text, next, b'\n'),
            _ => text.len(),
        };
        let segment = Segment { text: &text[at..end], base: at as u64, eol: b'\n', scope };
        format.parse(&segment, &mut state, &mut memory, sink);
        at = end;
    }
}

fn iis_w3c(criterion: &mut Criterion) {
    let (text, scope) = (log(), Scope::default());
    let mut group = criterion.benchmark_group("iis-w3c");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("newlines alone", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&text)).count());
    });
    group.bench_function("counting sink", |bencher| {
        bencher.iter(|| {
            let mut sink = Counting::default();
            parse(black_box(&text), &scope, &mut sink);
            (sink.lines, sink.accesses)
        });
    });
    group.bench_function("facts", |bencher| {
        bencher.iter(|| {
            let mut tally = Tally::default();
            let mut sink = Collector::new(&mut tally, 0, "EX01");
            parse(black_box(&text), &scope, &mut sink);
            let told = sink.finish();
            tally.add(told.facts, 0, &Period::default());
            tally.into_usage().facts.len()
        });
    });
    group.finish();
}

criterion_group!(benches, iis_w3c);
criterion_main!(benches);
