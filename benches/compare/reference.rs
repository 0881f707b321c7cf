//! The reference job of the comparison, by calproof's own reading: everything that `scan` reads and
//! keeps, printed in the form of the rivals.
//!
//! `compare-reference [--digest none|blake3|sha256] [-j N] PATH…`; time goes to standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measuring program prints")]

#[path = "generate/answer.rs"]
mod answer;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use answer::Answer;
use calproof::digest::DigestChoice;
use calproof::discover::discover;
use calproof::facts::DeviceKind;
use calproof::ingest::{Ingested, Quiet, Reading, ingest};
use calproof_parsers::Outcome;
use chrono::DateTime;

const USAGE: &str = "usage: compare-reference [--digest none|blake3|sha256] [-j N] PATH...";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare-reference: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut digest, mut threads, mut paths) = (DigestChoice::default(), 0, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--digest" => {
                digest = match arguments.next().as_deref() {
                    Some("none") => DigestChoice::None,
                    Some("blake3") => DigestChoice::Blake3,
                    Some("sha256") => DigestChoice::Sha256,
                    other => return Err(format!("--digest {other:?}; {USAGE}").into()),
                }
            }
            "-j" => threads = arguments.next().ok_or(USAGE)?.parse()?,
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    if paths.is_empty() {
        return Err(USAGE.into());
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let mut reading = Reading::default();
    reading.options.digest = digest;
    let start = Instant::now();
    let found = discover(&paths);
    if let Some((path, error)) = found.failures.first() {
        return Err(format!("{path:?}: {error}").into());
    }
    let ingested = ingest(&found.inputs, &reading, &Quiet);
    let read = start.elapsed();
    let answer = answer_of(&ingested)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in answer.lines() {
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    eprintln!("ingest {:.3} s, all {:.3} s", read.as_secs_f64(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Served rows that name somebody: on the logs of the generator, what the plain rule counts too.
fn answer_of(ingested: &Ingested) -> Result<Answer, Box<dyn std::error::Error>> {
    let usage = &ingested.usage;
    let mut answer = Answer::default();
    let mut times: HashMap<i64, String> = HashMap::new();
    for used in &usage.facts {
        let user = usage.names.get(used.key.principal).to_ascii_lowercase();
        if used.key.outcome != Outcome::Served || user.is_empty() {
            continue;
        }
        let mut text = |instant: i64| -> Result<String, String> {
            if let Some(known) = times.get(&instant) {
                return Ok(known.clone());
            }
            let time = DateTime::from_timestamp_millis(instant)
                .ok_or_else(|| format!("{instant} ms is no instant"))?
                .format("%Y-%m-%d %H:%M:%S")
                .to_string();
            times.insert(instant, time.clone());
            Ok(time)
        };
        let server = &usage.servers[used.key.server as usize];
        let address = String::from_utf8_lossy(usage.names.get(server.address)).into_owned();
        let (first, last) = (text(used.seen.first.instant)?, text(used.seen.last.instant)?);
        answer.user(&address, &user, used.seen.events, &first, &last);
        let device = &used.key.device;
        let id = String::from_utf8_lossy(usage.names.get(device.id));
        match device.kind {
            DeviceKind::Address => {
                let agent = String::from_utf8_lossy(usage.names.get(device.agent));
                answer.device(&user, &format!("{id} {agent}"));
            }
            DeviceKind::None => {}
            _ => answer.device(&user, &id),
        }
    }
    Ok(answer)
}
