//! Running the command on folders of small logs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the command left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `calproof` in `folder`, with `input` on standard input.
pub(crate) fn run(folder: &Path, args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_calproof"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may refuse its arguments before it reads anything.
    _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An OWA log of one row per name, all served.
pub(crate) fn owa(names: &[&str]) -> String {
    let mut log = String::from(
        "#Software: Microsoft Internet Information Services 7.5\r\n\
         #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
         cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n",
    );
    for (i, name) in names.iter().enumerate() {
        log.push_str(&format!(
            "2010-03-01 {:02}:{:02}:00 10.0.0.11 GET /owa/ - 443 {name} 10.1.1.{} Mozilla/5.0 200 0 0 31\r\n",
            i / 60 % 24,
            i % 60,
            i % 250
        ));
    }
    log
}

/// A folder with the given files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}
