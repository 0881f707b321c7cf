//! `calproof scan`: from paths to the report.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use calproof_parsers::network::CidrError;
use calproof_parsers::{Networks, Notice, Scope};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::output::{self, OutputError};
use crate::census::{
    self, Accounts, AccountsError, Census, CensusError, Comparisons, Detail, ExportError, Exports,
    LicenceError, Licences, Question, Warning,
};
use crate::cli::{ArgumentError, Color, Form, ReadingArgs, ScanArgs};
use crate::config::{Config, ConfigError, offset_minutes};
use crate::digest::DigestChoice;
use crate::discover::{DiscoverError, Discovery, Input, Origin, discover};
use crate::evidence::{self, EvidenceError, Hidden, Subject};
use crate::facts::usage::Period;
use crate::identity::directory::{Directory, DirectoryError, DirectoryOptions};
use crate::ingest::input::InputReport;
use crate::ingest::{Ingested, Progress, Quiet, Reading, ingest};
use crate::progress::Bar;
use crate::pseudonym::{self, Clash, Key, KeyFileError, Mapped};
use crate::report::{self, Style};
use crate::rules::{Product, RuleError, RulePack, Version, select};
use crate::shown;
use crate::source::ReadOptions;

/// Why no report was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The command line contradicts itself.
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A network of the configuration is none.
    #[error("calproof.toml: {0}")]
    Network(#[from] CidrError),
    /// A server of the configuration has a version that its product never had.
    #[error("server `{server}`: found {product} version `{found}`, expected one of {known}")]
    Version {
        /// Its name.
        server: String,
        /// Its product.
        product: Product,
        /// What the configuration says.
        found: String,
        /// The versions there are.
        known: String,
    },
    /// A rule pack cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// A directory file cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Something that the configuration names cannot be used.
    #[error(transparent)]
    Census(#[from] CensusError),
    /// What the configuration states of licences cannot be used.
    #[error(transparent)]
    Licences(#[from] Box<LicenceError>),
    /// The list of accounts to compare with cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// An export of the configuration cannot be used.
    #[error(transparent)]
    Exports(#[from] ExportError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The bundle cannot be written.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The key of the pseudonyms cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Two names have one pseudonym.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// The threads cannot be started.
    #[error("-j {threads}: the threads cannot be started ({source}); use fewer")]
    Threads {
        /// How many were asked for; 0 for one per processor.
        threads: usize,
        /// What the system says.
        source: rayon::ThreadPoolBuildError,
    },
    /// No path leads to anything that can be read.
    #[error("nothing was read, so there is nothing to report:\n{}", .0.join("\n"))]
    NothingRead(Vec<String>),
}

/// A report that was written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Done {
    /// Whether the count is a floor, for something could not be read.
    pub floor: bool,
    /// What a reader who does not see the table must be told.
    pub remarks: Vec<String>,
}

/// Reads what the arguments name and writes the report.
///
/// # Errors
///
/// Where no report was written; nothing is left half-written.
pub fn scan(args: &ScanArgs) -> Result<Done, ScanError> {
    let flags = &args.reading;
    let Surveyed { census, packs, weak, .. } =
        survey(&args.paths, flags, Detail::Report, Some(args))?;
    output::write(flags.output.as_deref(), |out| render(&census, &packs, flags, out))?;
    let mut told = remarks(&census, flags);
    told.extend(args.evidence.as_deref().filter(|_| args.timestamp_request).map(to_send));
    // The program ends: nobody waits until every string has been given back on its own.
    std::mem::forget(census);
    Ok(Done { floor: weak, remarks: told })
}

/// What to do with the request for a time stamp.
fn to_send(bundle: &Path) -> String {
    let request = shown::path(&bundle.join(evidence::bag::REQUEST));
    let response = shown::path(&bundle.join(evidence::bag::RESPONSE));
    format!(
        "{request}: nothing was sent; send it to a time stamping authority and save the answer as {response}: \
         curl --data-binary @{request} --header 'Content-Type: application/timestamp-query' \
         --output {response} URL"
    )
}

/// What was read and counted, before it is written down.
pub(super) struct Surveyed {
    pub(super) census: Census,
    pub(super) packs: Vec<RulePack>,
    pub(super) inputs: Vec<Input>,
    /// Whether something could not be read.
    pub(super) weak: bool,
}

/// Reads the paths and takes the census; compares it and writes the evidence bundle as `asked`.
///
/// # Errors
///
/// Where nothing can be reported; an output is refused before anything is read.
pub(super) fn survey(
    paths: &[PathBuf],
    flags: &ReadingArgs,
    detail: Detail,
    asked: Option<&ScanArgs>,
) -> Result<Surveyed, ScanError> {
    let period = flags.period()?;
    if let Some(output) = file(flags) {
        output::check(output)?;
    }
    let config = configuration(flags)?;
    let packs = RulePack::with_own(&flags.rules)?;
    spare(file(flags), &flags.rules)?;
    judgeable(&config, &packs)?;
    Licences::load(&config, &packs).map_err(Box::new)?;
    let accounts = accounts(asked, file(flags))?;
    let mut reading = reading(flags, &config, period)?;

    let directory = directory(&config)?;
    let exports = exports(&config)?;

    let threads = threads(flags)?;
    let found = threads.install(|| discover(paths));
    if found.inputs.is_empty() {
        return Err(nothing(&found.failures, &[]));
    }
    threads.install(|| spare_inputs(file(flags), &found.inputs))?;
    let key = threads.install(|| key(asked, &found.inputs))?;
    let prepared = match asked {
        Some(args) => prepare(args, &config, &found.inputs, &mut reading)?,
        None => None,
    };
    let Ingested { inputs, usage } = read(&threads, flags, &found.inputs, &reading);
    if inputs.iter().all(|input| input.trouble.is_some() && input.bytes == 0) {
        return Err(nothing(&found.failures, &inputs));
    }
    let question = Question {
        config: &config,
        packs: &packs,
        period: &period,
        scope: &reading.scope,
        directory: directory.as_ref(),
        detail: if prepared.is_some() || key.is_some() { Detail::Full } else { detail },
    };
    let wanted = Comparisons {
        sensitivity: asked.is_some_and(|args| args.sensitivity),
        accounts: accounts.as_ref(),
        exports: exports.as_ref(),
    };
    let mut census =
        threads.install(|| census::take_and_compare(usage, inputs, &question, &wanted))?;
    warn(&mut census, &found, &config, directory.as_ref(), exports.as_ref());
    warn_of_idle_packs(&mut census, &packs);
    let mut inputs = found.inputs;
    let mut hidden = None;
    if let Some(key) = &key {
        // From here on nothing has a name.
        let Mapped { census: mapped, inputs: renamed, directives, names } =
            pseudonym::census(census, &inputs, &config, key)?;
        (census, inputs, hidden) = (mapped, renamed, Some((names, directives)));
    }
    if let Some(prepared) = prepared {
        let options = &reading.options;
        let subject = Subject { census: &census, packs: &packs, inputs: &inputs, options };
        let hidden = hidden.as_mut().map(|(names, directives)| Hidden { names, directives });
        evidence::write(prepared, &subject, hidden)?;
    }
    let bad_rows = directory.is_some_and(|directory| directory.problem_count() > 0)
        || exports.is_some_and(|exports| exports.problem_count() > 0);
    let weak = report::is_floor(&census) || bad_rows;
    Ok(Surveyed { census, packs, inputs, weak })
}

/// The key of the pseudonyms that are asked for; never one of the files to be read.
fn key(asked: Option<&ScanArgs>, inputs: &[Input]) -> Result<Option<Key>, KeyFileError> {
    let Some(path) = asked.and_then(|args| args.pseudonymise.as_deref()) else { return Ok(None) };
    match spare_inputs(Some(path), inputs) {
        Ok(()) => Key::load(path).map(Some),
        Err(_) => Err(KeyFileError::IsInput { path: shown::path(path) }),
    }
}

/// The list of accounts to compare with, if there is one; never overwritten by the report.
fn accounts(
    asked: Option<&ScanArgs>,
    output: Option<&Path>,
) -> Result<Option<Accounts>, ScanError> {
    let Some(list) = asked.and_then(|args| args.compare.as_deref()) else { return Ok(None) };
    spare(output, &[list])?;
    Ok(Some(Accounts::load(list)?))
}

/// The directory, where the configuration names one.
fn directory(config: &Config) -> Result<Option<Directory>, DirectoryError> {
    let files = &config.identity.directory;
    let load = || Directory::load(files, &DirectoryOptions::from(config));
    (!files.is_empty()).then(load).transpose()
}

/// The exports of what accounts are enabled for, where the configuration names any.
fn exports(config: &Config) -> Result<Option<Exports>, ExportError> {
    let files = &config.configuration.files;
    (!files.is_empty()).then(|| Exports::load(files)).transpose()
}

/// The file that the report goes to, if it is one.
fn file(flags: &ReadingArgs) -> Option<&Path> {
    flags.output.as_deref().filter(|path| path.as_os_str() != "-")
}

/// Takes the place of the bundle that is asked for, before an hour is spent on reading.
fn prepare(
    args: &ScanArgs,
    config: &Config,
    inputs: &[Input],
    reading: &mut Reading,
) -> Result<Option<evidence::Prepared>, EvidenceError> {
    let Some(place) = &args.evidence else { return Ok(None) };
    let usual = Path::new("calproof.toml");
    let asked = evidence::Asked {
        place,
        previous: args.previous.as_deref(),
        key: args.sign.as_deref(),
        timestamp_request: args.timestamp_request,
        accounts: args.compare.as_deref(),
        config: args.reading.config.as_deref().or_else(|| usual.exists().then_some(usual)),
    };
    let digest = args.reading.digest.map(DigestChoice::from);
    let prepared = evidence::prepare(&asked, config, inputs, digest)?;
    reading.options.digest = DigestChoice::Sha256;
    Ok(Some(prepared))
}

fn configuration(flags: &ReadingArgs) -> Result<Config, ConfigError> {
    let usual = Path::new("calproof.toml");
    match &flags.config {
        Some(path) => Config::load(path),
        None if usual.exists() => Config::load(usual),
        None => Ok(Config::default()),
    }
}

/// Refuses a configuration that names packs or versions that nobody knows.
fn judgeable(config: &Config, packs: &[RulePack]) -> Result<(), ScanError> {
    select(packs, Product::Exchange, None, &config.rules.packs)?;
    for server in &config.servers {
        let product = server.product.as_deref().and_then(Product::parse);
        if let (Some(product), Some(found)) = (product, &server.version)
            && Version::parse(product, found).is_none()
        {
            return Err(ScanError::Version {
                server: server.name.clone(),
                product,
                found: found.clone(),
                known: Version::words(product).join(", "),
            });
        }
    }
    Ok(())
}

fn reading(flags: &ReadingArgs, config: &Config, period: Period) -> Result<Reading, CidrError> {
    let organization = &config.organization;
    let scope = Scope {
        internal: match &organization.internal_networks {
            Some(networks) => Networks::parse(networks)?,
            None => Networks::private(),
        },
        reverse_proxies: Networks::parse(&organization.reverse_proxies)?,
        local_offset: local_offset(config),
        cdr_columns: cdr_columns(config),
    };
    let options = ReadOptions {
        mmap: flags.mmap.into(),
        digest: flags.digest.map_or(DigestChoice::default(), DigestChoice::from),
        ..ReadOptions::default()
    };
    let offsets = offsets(config);
    Ok(Reading { options, scope, period, offsets, ..Reading::default() })
}

/// The offset of local times, where every listed server states the same.
fn local_offset(config: &Config) -> Option<i32> {
    let zones: Option<BTreeSet<i32>> =
        config.servers.iter().map(|s| offset_minutes(s.time_zone.as_deref()?)).collect();
    match zones?.into_iter().collect::<Vec<_>>()[..] {
        [offset] => Some(offset),
        _ => None,
    }
}

/// The offset of each listed server that states one, by the first label of its name.
fn offsets(config: &Config) -> Vec<(String, i32)> {
    let stated = config.servers.iter().filter_map(|server| {
        let label = server.name.split('.').next()?.to_lowercase();
        Some((label, offset_minutes(server.time_zone.as_deref()?)?))
    });
    stated.collect()
}

/// The column names of CDR exports that the configuration states.
fn cdr_columns(config: &Config) -> Vec<(String, String)> {
    let columns = config.formats.get(CDR).map(|format| format.columns.clone());
    columns.unwrap_or_default().into_iter().collect()
}

/// The format whose columns can be named in the configuration.
const CDR: &str = "ocs-cdr";

/// Refuses an output that would overwrite one of the files.
fn spare(output: Option<&Path>, files: &[impl AsRef<Path>]) -> Result<(), OutputError> {
    let Some(output) = output else { return Ok(()) };
    let is = |file: &Path| {
        output.canonicalize().is_ok_and(|o| file.canonicalize().is_ok_and(|f| o == f))
    };
    match files.iter().any(|file| is(file.as_ref())) {
        true => Err(OutputError::IsInput { path: shown::path(output) }),
        false => Ok(()),
    }
}

/// Refuses an output that would overwrite what is to be read.
fn spare_inputs(output: Option<&Path>, inputs: &[Input]) -> Result<(), OutputError> {
    let Some(output) = output else { return Ok(()) };
    let Ok(place) = output.canonicalize() else { return Ok(()) };
    let is_place = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == place);
    let read = inputs.par_iter().any(|input| match &input.origin {
        Origin::File(path) => is_place(path),
        Origin::Member(member) => is_place(&member.archive),
        Origin::Stdin => false,
    });
    if read { Err(OutputError::IsInput { path: shown::path(output) }) } else { Ok(()) }
}

/// The threads that everything is done on.
fn threads(flags: &ReadingArgs) -> Result<ThreadPool, ScanError> {
    let threads = flags.threads.unwrap_or(0);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|source| ScanError::Threads { threads, source })
}

fn read(
    threads: &ThreadPool,
    flags: &ReadingArgs,
    inputs: &[Input],
    reading: &Reading,
) -> Ingested {
    let bar = Bar::new(inputs, flags.quiet);
    let progress: &dyn Progress = match &bar {
        Some(bar) => bar,
        None => &Quiet,
    };
    threads.install(|| ingest(inputs, reading, progress))
}

fn nothing(failures: &[(String, DiscoverError)], inputs: &[InputReport]) -> ScanError {
    let places = failures.iter().map(|(_, error)| error.to_string());
    let troubles = inputs.iter().filter_map(|input| input.trouble.clone());
    let mut reasons: Vec<String> = places.chain(troubles).map(|r| format!("  {r}")).collect();
    if reasons.is_empty() {
        reasons.push("  no file was found under the given paths; check them".to_owned());
    }
    ScanError::NothingRead(reasons)
}

/// Adds what the reading itself has to say to the warnings of the census.
fn warn(
    census: &mut Census,
    found: &Discovery,
    config: &Config,
    directory: Option<&Directory>,
    exports: Option<&Exports>,
) {
    let mut more = Vec::new();
    for (path, error) in &found.failures {
        let text = error.to_string();
        more.push(Warning { code: "unreadable", path: path.clone(), text });
    }
    let of_directory = directory.map(|d| ("directory-row", d.problems(), d.problem_count()));
    let of_exports = exports.map(|e| ("configuration-row", e.problems(), e.problem_count()));
    for (code, problems, count) in of_directory.into_iter().chain(of_exports) {
        more.extend(problems.iter().map(|p| Warning {
            code,
            path: format!("{}:{}", p.path, p.line),
            text: p.text.clone(),
        }));
        let rest = count - problems.len() as u64;
        if rest > 0 {
            let files = if code == "directory-row" { "directory files" } else { "exports" };
            let text = format!("{rest} more rows or values of {files} could not be used");
            more.push(Warning { code, path: String::new(), text });
        }
    }
    let mut whole = |code, text: String| more.push(Warning { code, path: String::new(), text });
    let unknown_zone = census.inputs.iter().any(|i| i.notices.contains(&Notice::UnknownTimeBase));
    if unknown_zone && config.servers.iter().any(|s| s.time_zone.is_some()) {
        let text = "the listed servers do not all state one and the same `time_zone`: a log in local time is read \
                    with its server's offset only where a folder above it has the server's name";
        whole("time-zones-differ", text.to_owned());
    }
    for key in idle_keys(config) {
        let text = format!("calproof.toml: `{key}` is not acted upon by this version");
        whole("idle-key", text);
    }
    census.warnings.extend(more);
    census.warnings.sort();
    census.warnings.dedup();
}

/// Names packs of the user's own that were given for nothing.
fn warn_of_idle_packs(census: &mut Census, packs: &[RulePack]) {
    let applied = |pack: &RulePack| census.rule_packs.iter().any(|cited| cited.id == pack.id);
    let idle: Vec<Warning> = packs
        .iter()
        .filter(|pack| !pack.is_builtin() && !applied(pack))
        .map(|pack| {
            let versions: Vec<&str> = pack.versions.iter().map(|v| v.as_str()).collect();
            let text = format!(
                "--rules: the pack `{}` was not applied: no server of {} {} was reached, and `[rules] packs` does not \
                 name it, or names one that suits better",
                pack.id,
                pack.product,
                versions.join(", ")
            );
            Warning { code: "idle-rules", path: String::new(), text }
        })
        .collect();
    census.warnings.extend(idle);
    census.warnings.sort();
}

/// Keys that are understood but change nothing yet.
fn idle_keys(config: &Config) -> Vec<&'static str> {
    let keys = [
        ("server.encoding", config.servers.iter().any(|s| s.encoding.is_some())),
        ("formats (other than ocs-cdr)", config.formats.keys().any(|format| format != CDR)),
    ];
    keys.into_iter().filter(|(_, stated)| *stated).map(|(key, _)| key).collect()
}

fn render(
    census: &Census,
    packs: &[RulePack],
    flags: &ReadingArgs,
    out: &mut dyn Write,
) -> io::Result<()> {
    match flags.format {
        Form::Json => report::json(census, out),
        Form::Csv => report::csv(census, out),
        Form::Table => report::text(census, packs, style(flags), out),
    }
}

/// The width of the terminal and whether it takes colours; a file gets neither unless asked.
pub(super) fn style(flags: &ReadingArgs) -> Style {
    let terminal = file(flags).is_none() && io::stdout().is_terminal();
    let width = terminal_size::terminal_size_of(io::stdout())
        .filter(|_| terminal)
        .map_or(Style::default().width, |(width, _)| usize::from(width.0).clamp(80, 120));
    let color = match flags.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let choice = anstream::AutoStream::choice(&io::stdout());
            terminal && choice != anstream::ColorChoice::Never
        }
    };
    Style { width, color }
}

/// What is told on standard error, where standard output does not show it to a reader.
fn remarks(census: &Census, flags: &ReadingArgs) -> Vec<String> {
    if flags.quiet || (flags.format == Form::Table && file(flags).is_none()) {
        return Vec::new();
    }
    let weaknesses = report::weaknesses(census);
    let mut remarks: Vec<String> = weaknesses
        .iter()
        .map(|w| match w.places.first() {
            Some((path, text)) if path.is_empty() => format!("{}: {text}", w.code),
            Some((path, text)) => format!("{} {}: {path}: {text}", w.count, w.code),
            None => format!("{} {}", w.count, w.code),
        })
        .collect();
    if report::is_floor(census) {
        remarks
            .push("the count is a floor; `--format table` tells why, with all places".to_owned());
    }
    remarks
}
