//! Runs inputs without a fuzzer, or writes the samples as inputs to start from.
//!
//! ```text
//! cargo run --no-default-features -- samples           every sample, by every format
//! cargo run --no-default-features -- FILE...           inputs that the fuzzer kept
//! cargo run --no-default-features -- --write FOLDER    the samples as inputs
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use calproof_parsers::FORMATS;
use calproof_parsers_fuzz::{BY_CONTENT, check};

fn main() -> io::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let done = match &arguments[..] {
        [flag, folder] if flag.as_os_str() == "--write" => write(folder)?,
        [word] if word.as_os_str() == "samples" => samples()?,
        [] => {
            eprintln!("found no argument, expected `samples`, `--write FOLDER` or files");
            std::process::exit(2);
        }
        files => {
            for file in files {
                check(&fs::read(file)?);
            }
            files.len()
        }
    };
    println!("{done} inputs");
    Ok(())
}

/// Every sample with its format, by its folder's name.
fn all() -> io::Result<Vec<(Option<u8>, PathBuf)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut found = Vec::new();
    for folder in sorted(&root)? {
        let name = folder.file_name().unwrap_or_default();
        let format = FORMATS.iter().position(|f| name == f.name());
        let choice = format.and_then(|i| u8::try_from(i).ok());
        for case in sorted(&folder)? {
            let log = case.join("input.log");
            if log.is_file() {
                found.push((choice, log));
            }
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            entries.push(entry?.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn samples() -> io::Result<usize> {
    let mut done = 0;
    for (_, path) in all()? {
        let log = fs::read(&path)?;
        for choice in (0..FORMATS.len() as u8).chain([BY_CONTENT]) {
            check(&[&[choice], &log[..]].concat());
            done += 1;
        }
    }
    Ok(done)
}

fn write(folder: &Path) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let mut done = 0;
    for (choice, path) in all()? {
        let log = fs::read(&path)?;
        for choice in choice.into_iter().chain([BY_CONTENT]) {
            fs::write(folder.join(format!("sample-{done:04}")), [&[choice], &log[..]].concat())?;
            done += 1;
        }
    }
    Ok(done)
}
