//! Reading files in the page cache into merged facts: one and two threads, with each digest, as many
//! daily files and as one large one.
//!
//! `cargo bench --bench end_to_end`. The size is 256 MB, or `CALPROOF_BENCH_BYTES`; the files lie in a
//! temporary directory and are removed at the end.

#[path = "compare/generate/organisation.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod organisation;
#[path = "compare/generate/truth.rs"]
#[allow(dead_code, reason = "the generator uses more of it")]
mod truth;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use calproof::digest::DigestChoice;
use calproof::discover::discover;
use calproof::ingest::{Quiet, Reading, ingest};
use calproof::source::MmapChoice;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use organisation::{FIELDS, Organisation, Rows, SERVERS};
use truth::Truth;

const DAYS: usize = 16;

/// Writes daily files below `folder` and the same bytes as one file; gives the size.
fn write(folder: &Path, one: &Path, bytes: usize) -> std::io::Result<u64> {
    let organisation = Organisation::new(6000);
    let mut truth = Truth::new(6000);
    let mut joined = File::create(one)?;
    let mut total = 0;
    fs::create_dir_all(folder)?;
    for day in 0..DAYS {
        let date = format!("2015-01-{:02}", day + 1);
        let mut rows = Rows::new(&organisation, day % SERVERS.len(), day as u64);
        let mut text = format!(
            "#Software: Microsoft Internet Information Services 8.5\r\n#Version: 1.0\r\n\
             #Date: {date} 00:00:00\r\n#Fields: {FIELDS}\r\n"
        )
        .into_bytes();
        let size = bytes / DAYS;
        while text.len() < size {
            let second = text.len() * 86_000 / size;
            rows.row(&mut text, &date, second as u32, &mut truth);
        }
        fs::write(folder.join(format!("u_ex1501{:02}.log", day + 1)), &text)?;
        joined.write_all(&text)?;
        total += text.len() as u64;
    }
    Ok(total)
}

fn files(criterion: &mut Criterion) {
    let bytes = std::env::var("CALPROOF_BENCH_BYTES").ok().and_then(|n| n.parse().ok());
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let (days, one) = (dir.path().join("days"), dir.path().join("one.log"));
    let total = write(&days, &one, bytes.unwrap_or(256 << 20)).expect("there is room for the logs");
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(total));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let digests = [
        ("none", DigestChoice::None),
        ("blake3", DigestChoice::Blake3),
        ("sha256", DigestChoice::Sha256),
    ];
    for (shape, path) in [("16 files", &days), ("one file", &one)] {
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool of one or two threads can be made");
            for (name, digest) in digests {
                let mut reading = Reading::default();
                reading.options.digest = digest;
                // The files are new, which would have them read instead of mapped.
                reading.options.mmap = MmapChoice::Always;
                let id = format!("{shape}, {threads} threads, {name}");
                group.bench_function(id, |bencher| {
                    bencher.iter(|| pool.install(|| read(path, &reading)));
                });
            }
        }
    }
    group.finish();
}

/// Everything that is there; gives the number of facts, so that nothing is left out.
fn read(path: &PathBuf, reading: &Reading) -> usize {
    let found = discover(std::slice::from_ref(path));
    ingest(&found.inputs, reading, &Quiet).usage.facts.len()
}

criterion_group!(benches, files);
criterion_main!(benches);
