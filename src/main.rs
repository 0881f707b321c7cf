//! The `calproof` command: words in, exit code out.

use std::io::Write as _;
use std::process::ExitCode;

use calproof::cli::{Cli, Command};
use calproof::commands::output::OutputError;
use calproof::commands::{disclose, explain, formats, init, rules, scan, verify};
use calproof::report::escape;
use clap::Parser as _;

/// Done, but something was rejected, unreadable or blind.
const WEAK: u8 = 1;
/// Not done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help that nobody reads to the end is no failure.
            _ = told.print();
            return if told.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    match run(&cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Every message says its cause itself.
            tell(&error.to_string());
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let good = match &cli.command {
        Command::Scan(args) => {
            let done = scan::scan(args)?;
            done.remarks.iter().for_each(|remark| tell(remark));
            !done.floor
        }
        Command::Explain(args) => {
            let done = explain::explain(args)?;
            done.remarks.iter().for_each(|remark| tell(remark));
            !done.floor
        }
        Command::Verify(args) => verify::verify(args)?,
        Command::Disclose(args) => {
            let done = disclose::disclose(args)?;
            done.remarks.iter().for_each(|remark| tell(remark));
            true
        }
        Command::Formats(args) => formats::formats(args).map(|()| true)?,
        Command::Rules(command) => rules::rules(command)?,
        Command::Init(args) => init::init(args).map(|()| true)?,
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(WEAK) })
}

/// One remark on standard error, each of its lines made harmless.
fn tell(remark: &str) {
    let lines: Vec<_> = remark.split('\n').map(escape::terminal).collect();
    // Where standard error is closed there is nobody to tell.
    _ = writeln!(std::io::stderr(), "calproof: {}", lines.join("\n"));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let output = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<OutputError>().is_some_and(OutputError::is_broken_pipe)
            || matches!(e.downcast_ref(), Some(scan::ScanError::Output(e)) if e.is_broken_pipe())
            || matches!(e.downcast_ref(), Some(explain::ExplainError::Scan(scan::ScanError::Output(e))) if e.is_broken_pipe())
            || matches!(e.downcast_ref(), Some(verify::CommandError::Output(e)) if e.is_broken_pipe())
            || matches!(e.downcast_ref(), Some(disclose::CommandError::Output(e)) if e.is_broken_pipe())
            || matches!(e.downcast_ref(), Some(rules::RulesError::Output(e)) if e.is_broken_pipe())
            || matches!(e.downcast_ref(), Some(formats::FormatsError::Output(e)) if e.is_broken_pipe())
    };
    error.chain().any(output)
}
