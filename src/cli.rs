//! What the user typed.
//!
//! Nothing is read or computed here beyond the words of the command line: values that cannot be
//! are refused, contradictions are found by [`ReadingArgs::period`] and by the commands.

use std::path::PathBuf;

use calproof_parsers::time::iso_date;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::digest::DigestChoice;
use crate::facts::usage::Period;
use crate::report::day_text;
use crate::source::MmapChoice;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold());

/// Counts the Client Access Licenses (CALs) that observed usage requires, from server logs.
#[derive(Clone, Debug, Parser)]
#[command(name = "calproof", version, styles = STYLES, max_term_width = 100)]
#[command(
    long_about = "Counts the Client Access Licenses (CALs) that observed usage requires, from the logs that \
                  Microsoft servers write: IIS (OWA, ActiveSync, EWS, Outlook), Exchange POP3, IMAP4 and SMTP, \
                  OCS and Lync.\n\nIt reads, and writes nothing but its report. What it prints is a count of the \
                  rows read, never a finding that licences suffice: missing logs are not missing use."
)]
#[command(after_help = "Examples:
  An administrator: what do we need?
    calproof scan /logs
  A party in a dispute: every number with its file, line and byte
    calproof scan --digest sha256 --format json --output report.json /logs
  The same, in a bundle that the other side can check
    calproof scan --evidence evidence-2010 /logs
    calproof verify evidence-2010 --logs /logs
  A buyer: one row per person, for a spreadsheet
    calproof scan --format csv --output people.csv /logs

Exit codes:
  0  done, every line read
  1  done, but something could not be read: the count is a floor
  2  not done")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Read logs and print what observed usage requires.
    #[command(long_about = SCAN_ABOUT, after_help = SCAN_EXAMPLES)]
    Scan(ScanArgs),
    /// Tell why a person, account or device is counted or left out, with the rows.
    #[command(long_about = EXPLAIN_ABOUT, after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Check an evidence bundle, without trusting the run that wrote it.
    #[command(long_about = VERIFY_ABOUT, after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Open single names and rows of a bundle whose names are pseudonyms.
    #[command(long_about = DISCLOSE_ABOUT, after_help = DISCLOSE_EXAMPLES)]
    Disclose(DiscloseArgs),
    /// List the log formats that are read, or tell all about one.
    #[command(after_help = "Examples:\n  calproof formats\n  calproof formats iis-w3c")]
    Formats(FormatsArgs),
    /// Look at the rule packs: which use requires which CAL, with sources.
    #[command(
        subcommand,
        after_help = "Examples:\n  calproof rules list\n  calproof rules show exchange-2010\n  calproof rules check mine.toml\n  \
                      calproof scan --rules mine.toml /logs"
    )]
    Rules(RulesCommand),
    /// Write a commented calproof.toml to start from.
    #[command(
        after_help = "Example:\n  calproof init && edit calproof.toml && calproof scan /logs"
    )]
    Init(InitArgs),
}

const SCAN_ABOUT: &str = "Reads logs and prints what observed usage requires.

Directories are walked, hidden files included. Compressed files (.gz, .zip, .zst, .bz2, .xz) are read through. \
The format is recognised by content, never by name; `calproof formats` lists what is known. \
Nothing is left out silently: the report names every file, every line that could not be read, and everybody who \
is not counted, with the rule.";

const SCAN_EXAMPLES: &str = "Examples:
  calproof scan C:\\inetpub\\logs\\LogFiles D:\\Exchange\\Logging
  calproof scan --from 2010-01-01 --to 2010-12-31 /logs/2010
  zcat old.log.gz | calproof scan -
  calproof scan --format csv --output people.csv /logs";

const EXPLAIN_ABOUT: &str = "Tells the whole story of one person, account or device: its names and why they are one, \
what it reached, from where and on which days, the CALs that this requires with rule, source and quotation, why it is \
left out or not settled, and the raw rows.

NAME is the id of a person as the report writes it, any name as logged, the label or id of a device, or an address. \
The logs are read as `scan` reads them. Cookies, credentials and session secrets in the rows are blanked. A name that \
is in no log gives the nearest known ones and exit code 1.";

const EXPLAIN_EXAMPLES: &str = r"Examples:
  calproof explain 'CONTOSO\anna' /logs
  calproof explain ApplC39 /logs
  calproof explain --rows 5 --format json 10.1.1.5 /logs";

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// A person, a name as logged, a device or an address.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Files or directories to read; `-` is standard input, whose rows cannot be shown.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How many raw rows are shown at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub rows: usize,
    /// Flags of every command that reads logs.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

const VERIFY_ABOUT: &str = "Checks an evidence bundle, without trusting the run that wrote it.

Every file must be listed with its digest and none may be extra; lines, people and rows must agree between the \
lists; the certificate must prove the least mix. With the logs, every source is found by its digest and every quoted \
row is compared with the bytes at its place. docs/evidence.md describes the bundle.

Exit codes:
  0  verified
  1  refused: the output names each file and why
  2  could not be checked";

const VERIFY_EXAMPLES: &str = "Examples:
  calproof verify evidence-2010
  calproof verify evidence-2010 --logs /logs --full
  calproof verify evidence-2011 --previous evidence-2010 --signer auditor.pub";

/// Arguments of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The bundle: the directory that `scan --evidence` wrote.
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// The logs: every source is looked for in DIR by its digest, every quoted row is compared.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Count the people again, by a slow second program that shares no code with the first.
    ///
    /// It reads all logs into memory. It knows IIS W3C, POP3, IMAP4, SMTP and OCS logs; formats that it
    /// does not know are named.
    #[arg(long, requires = "logs")]
    pub full: bool,
    /// The bundle that this one must follow.
    #[arg(long, value_name = "BUNDLE")]
    pub previous: Option<PathBuf>,
    /// The public key (OpenSSH, ed25519) that must have signed the bundle.
    #[arg(long, value_name = "FILE")]
    pub signer: Option<PathBuf>,
    /// What `calproof disclose` wrote: opened names are checked against their pseudonyms, opened rows
    /// against their commitments and, with `--logs`, against the logs.
    #[arg(long, value_name = "FILE")]
    pub disclosed: Option<PathBuf>,
    /// The certificate (PEM or DER) of the authority that must have made the time stamp.
    ///
    /// Compared with the one in the response. Whether a root vouches for it, `openssl ts -verify` tells.
    #[arg(long, value_name = "FILE")]
    pub tsa: Option<PathBuf>,
}

const DISCLOSE_ABOUT: &str = "Opens single names and rows of a bundle whose names are pseudonyms (`scan \
--pseudonymise`), and nothing else of it.

WHAT is a name as logged, a canonical id, a device or an address in clear; or a pseudonym; or two of these with a `+` \
between them, for the access of one from the other; or at least 8 digits of a row's commitment. With a name, all rows \
are opened that the bundle cites for it. The output holds names and rows with their salts, one JSON object a line; \
`calproof verify --disclosed` checks it without the key. It names people: give it to whom it is for.";

const DISCLOSE_EXAMPLES: &str = r"Examples:
  calproof disclose evidence --key keyfile --logs /logs --output anna.jsonl 'CONTOSO\anna'
  calproof disclose evidence --key keyfile --logs /logs 'CONTOSO\anna+ApplC39' 6d8f09b5e848
  calproof disclose evidence --key keyfile --file calproof.toml
  calproof verify evidence --disclosed anna.jsonl --logs /logs";

/// Arguments of `disclose`.
#[derive(Args, Clone, Debug)]
pub struct DiscloseArgs {
    /// The bundle.
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// What to open.
    #[arg(value_name = "WHAT", required_unless_present = "files")]
    pub what: Vec<String>,
    /// The key that the bundle was written with.
    #[arg(long, value_name = "KEYFILE")]
    pub key: PathBuf,
    /// The logs that were read; rows are read again from them.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Open a file of the configuration as well, as it was read.
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write to FILE instead of standard output; it appears whole or not at all.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `scan`.
#[derive(Args, Clone, Debug)]
pub struct ScanArgs {
    /// Files or directories to read; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write a bundle that the other side can check, with the rows that prove every number.
    ///
    /// DIR must not exist; it appears whole or not at all. Implies `--digest sha256`. The bundle
    /// names people and quotes rows: secrets are blanked, names are not, but by `--pseudonymise`.
    /// `calproof verify` checks it.
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// The bundle before this one: the new one names its digest, so that the two are a chain.
    #[arg(long, value_name = "BUNDLE", requires = "evidence")]
    pub previous: Option<PathBuf>,
    /// Sign the bundle with an OpenSSH private key (ed25519, without passphrase).
    #[arg(long, value_name = "KEY", requires = "evidence")]
    pub sign: Option<PathBuf>,
    /// Replace names of people, accounts, devices and addresses by pseudonyms, in the bundle and in
    /// the report.
    ///
    /// KEYFILE holds at least 32 random bytes, or 64 hexadecimal digits (`openssl rand -hex 32`). The
    /// same key gives the same pseudonyms later. Who has it can open names and rows: keep it.
    #[arg(long, value_name = "KEYFILE")]
    pub pseudonymise: Option<PathBuf>,
    /// Write the request for a time stamp (RFC 3161) into the bundle, for you to send.
    ///
    /// Nothing is sent from here. Send DIR/tagmanifest-sha256.txt.tsq to a time stamping authority with
    /// any tool, and put its response beside it as tagmanifest-sha256.txt.tsr: `verify` checks it.
    #[arg(long, requires = "evidence")]
    pub timestamp_request: bool,
    /// Add the numbers under every disputed reading of the rules; takes the census some 18 times.
    #[arg(long)]
    pub sensitivity: bool,
    /// Set an auditor's list of accounts or mailboxes (CSV) beside the count: every name that differs.
    ///
    /// Columns by name: sAMAccountName, UserPrincipalName, mail, PrimarySmtpAddress, name.
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Flags of every command that reads logs.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Flags of every command that reads logs.
#[derive(Args, Clone, Debug)]
pub struct ReadingArgs {
    /// Configuration: what the organisation states about itself.
    ///
    /// Default: calproof.toml in the current directory, where there is one. `calproof init` writes
    /// one to start from.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A rule pack of one's own, in TOML, beside the program's; may be given several times.
    ///
    /// It applies to the server versions that it is for, or where `[rules] packs` names it. `calproof
    /// rules check` says whether it loads, `calproof rules show exchange-2010` shows a complete pack.
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// First day that counts, as YYYY-MM-DD (UTC, the whole day).
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<i32>,
    /// Last day that counts, as YYYY-MM-DD (UTC, the whole day).
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<i32>,
    /// Form of the report.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    pub format: Form,
    /// Write the report to FILE instead of standard output; it appears whole or not at all.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Threads; default: one per processor. The report is the same for any number.
    #[arg(short = 'j', long = "threads", value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    /// Digest that names the inputs; default: blake3, with `--evidence` sha256, which is the only one there.
    ///
    /// `none` cannot tell when the same bytes are read twice.
    #[arg(long, value_name = "DIGEST", value_enum)]
    pub digest: Option<Digest>,
    /// Whether files are mapped into memory: closed local ones, all, or none.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Mmap::Auto)]
    pub mmap: Mmap,
    /// No progress and no remarks on standard error; errors are still told.
    #[arg(long, short)]
    pub quiet: bool,
    /// Colours: on a terminal, always, or never. NO_COLOR is respected.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// Form of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Form {
    /// Text for people
    Table,
    /// One JSON object for programs
    Json,
    /// One row per person for spreadsheets
    Csv,
}

/// Digest that names the inputs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Digest {
    /// Fast
    Blake3,
    /// What other programs can check
    Sha256,
    /// None: duplicates are not noticed
    None,
}

/// Whether files are mapped into memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Mmap {
    /// Closed local files that are not small
    Auto,
    /// All plain files
    Always,
    /// None
    Never,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Arguments of `formats`.
#[derive(Args, Clone, Debug)]
pub struct FormatsArgs {
    /// The format to tell about.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// What to do with rule packs.
#[derive(Clone, Debug, Subcommand)]
pub enum RulesCommand {
    /// List the packs.
    List {
        /// A pack of one's own, in TOML, beside the program's; may be given several times.
        #[arg(long, value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// Show a pack in full: rules, sources, quotations, examples.
    Show {
        /// Id of the pack: exchange-2010.
        #[arg(value_name = "ID")]
        id: String,
        /// A pack of one's own, in TOML, beside the program's; may be given several times.
        #[arg(long, value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// Check packs of one's own: whether they load and their examples come out.
    Check {
        /// Packs in TOML.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// Where to write; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "calproof.toml")]
    pub output: PathBuf,
    /// Replace the file if there is one.
    #[arg(long)]
    pub force: bool,
}

/// A command line that contradicts itself.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ArgumentError {
    /// The period ends before it begins.
    #[error(
        "--from {from} --to {to}: found a period that ends before it begins; exchange the dates"
    )]
    Period {
        /// First day.
        from: String,
        /// Last day.
        to: String,
    },
}

impl ReadingArgs {
    /// The period that is asked about.
    ///
    /// # Errors
    ///
    /// Where it ends before it begins.
    pub fn period(&self) -> Result<Period, ArgumentError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => {
                Err(ArgumentError::Period { from: day_text(from), to: day_text(to) })
            }
            (from, to) => Ok(Period { from, to }),
        }
    }
}

impl From<Digest> for DigestChoice {
    fn from(digest: Digest) -> DigestChoice {
        match digest {
            Digest::Blake3 => DigestChoice::Blake3,
            Digest::Sha256 => DigestChoice::Sha256,
            Digest::None => DigestChoice::None,
        }
    }
}

impl From<Mmap> for MmapChoice {
    fn from(mmap: Mmap) -> MmapChoice {
        match mmap {
            Mmap::Auto => MmapChoice::Auto,
            Mmap::Always => MmapChoice::Always,
            Mmap::Never => MmapChoice::Never,
        }
    }
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> anstream::ColorChoice {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }
}

fn day(text: &str) -> Result<i32, String> {
    iso_date(text.as_bytes())
        .ok_or_else(|| "expected a date that exists, as YYYY-MM-DD, such as 2010-03-31".to_owned())
}

/// More threads than this are a typing error.
const MOST_THREADS: usize = 1024;

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=MOST_THREADS) => Ok(n),
        _ => Err(format!(
            "expected a number from 1 to {MOST_THREADS}; leave -j out for one per processor"
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_period_includes_both_days_and_runs_forward() {
        let parse = |from: &str, to: &str| {
            let cli = Cli::try_parse_from(["calproof", "scan", "--from", from, "--to", to, "x"]);
            let Command::Scan(scan) = cli.unwrap().command else { unreachable!() };
            scan.reading.period()
        };
        let period = parse("2010-03-01", "2010-03-01").unwrap();
        assert!(period.has_instant(1_267_401_600_000) && period.has_instant(1_267_487_999_999));
        assert!(!period.has_instant(1_267_488_000_000));
        let error = parse("2010-03-02", "2010-03-01").unwrap_err();
        assert!(error.to_string().contains("ends before it begins"));
    }
}
