//! Bytes per second of the IIS W3C parser alone: 64 MB in memory, one thread, a sink that counts.
//!
//! `cargo bench --bench parse`. The logs are those of `benches/compare/`.

#[path = "../parsers/benches/measure/mod.rs"]
#[allow(dead_code, reason = "the benchmarks of single formats use more of it")]
mod measure;
#[path = "compare/generate/organisation.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod organisation;
#[path = "compare/generate/truth.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod truth;

use std::hint::black_box;
use std::time::Duration;

use calproof::facts::collector::Collector;
use calproof::facts::tally::Tally;
use calproof::facts::usage::Period;
use calproof_parsers::{Memory, Scope, Segment, Sink, detect};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use measure::Count;
use organisation::{FIELDS, Organisation, Rows};
use truth::Truth;

const SIZE: usize = 64 << 20;

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
            let mut sink = Count::default();
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
