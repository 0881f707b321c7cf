//! Writes IIS W3C logs as a busy Exchange organisation has them, and the answer that the reference
//! job must give of them.
//!
//! `compare-generate DIR --bytes N [--files N] [--people N]` writes daily files of four servers into
//! `DIR/logs` and the answer to `DIR/expected.tsv`; `compare-generate DIR --damaged` writes one small
//! log per kind of damage to `DIR/KIND/log.log`, each with its `expected.tsv` beside it. The same
//! arguments give the same bytes.
#![allow(clippy::print_stderr, reason = "it tells its user what is wrong with the arguments")]

mod damaged;
mod organisation;
mod truth;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use organisation::{FIELDS, Organisation, Rows, SERVERS};
use truth::Truth;

const USAGE: &str = "usage: compare-generate DIR (--bytes N [--files N] [--people N] | --damaged)";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare-generate: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut dir, mut bytes, mut files, mut people, mut damaged) = (None, None, 32, 6000, false);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, Box<dyn std::error::Error>> {
            let value = arguments.next().ok_or(format!("{argument} needs a number; {USAGE}"))?;
            Ok(value.parse().map_err(|e| format!("{argument} {value}: {e}; {USAGE}"))?)
        };
        match argument.as_str() {
            "--bytes" => bytes = Some(number()?),
            "--files" => files = number()?.max(1),
            "--people" => people = number()?.max(4) as usize,
            "--damaged" => damaged = true,
            _ if dir.is_none() && !argument.starts_with('-') => dir = Some(PathBuf::from(argument)),
            // `cargo test --benches` and the like pass flags of their own.
            _ => return Err(format!("unexpected argument {argument:?}; {USAGE}").into()),
        }
    }
    match (dir, bytes, damaged) {
        (Some(dir), None, true) => Ok(damaged::write(&dir)?),
        (Some(dir), Some(bytes), false) => Ok(write(&dir, bytes, files, people)?),
        _ => Err(USAGE.into()),
    }
}

fn write(dir: &Path, bytes: u64, files: u64, people: usize) -> io::Result<()> {
    let organisation = Organisation::new(people);
    let mut truth = Truth::new(people);
    let mut block = Vec::with_capacity(2 << 20);
    for file in 0..files {
        let (server, day) = (file as usize % SERVERS.len(), file / SERVERS.len() as u64);
        // Months of 28 days, so that every date exists.
        let (month, day) = (day / 28, day % 28 + 1);
        let (year, month) = (2015 + month / 12, month % 12 + 1);
        let date = format!("{year}-{month:02}-{day:02}");
        let folder = dir.join(format!("logs/EX{:02}/W3SVC1", server + 1));
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("u_ex{:02}{month:02}{day:02}.log", year % 100));
        let mut out = File::create(path)?;
        let size = (bytes / files).max(1);
        let mut written = 0;
        let mut rows = Rows::new(&organisation, server, file + 1);
        write!(
            block,
            "#Software: Microsoft Internet Information Services 8.5\r\n#Version: 1.0\r\n\
             #Date: {date} 00:00:00\r\n#Fields: {FIELDS}\r\n"
        )?;
        while written + (block.len() as u64) < size {
            let second = (written + block.len() as u64) * 86_400 / size;
            rows.row(&mut block, &date, second as u32, &mut truth);
            if block.len() >= 1 << 20 {
                out.write_all(&block)?;
                written += block.len() as u64;
                block.clear();
            }
        }
        out.write_all(&block)?;
        block.clear();
    }
    answer(&dir.join("expected.tsv"), &truth.lines(&organisation))
}

/// Writes the lines of an answer.
fn answer(path: &Path, lines: &[Vec<u8>]) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for line in lines {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
