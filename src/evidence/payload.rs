//! The files of `data/`, each written from the census.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use calproof_parsers::Notice;
use serde::Serialize;

use super::bag::Bag;
use super::{EvidenceError, Hidden, Stated, Subject, method, rows, sample};
use crate::census::{Census, Pair};
use crate::facts::Witness;
use crate::ingest::input::InputReport;
use crate::pseudonym::{self, Pseudonyms, commitment};
use crate::report::json::input::{Lines, encoding};
use crate::report::{self, Part, Style, instant};
use crate::rules::RulePack;

/// Writes every payload file.
///
/// # Errors
///
/// A place that takes no more bytes, an input that cannot be read again.
pub(super) fn write(
    bag: &mut Bag,
    subject: &Subject<'_>,
    stated: &[Stated],
    mut hidden: Option<Hidden<'_, '_>>,
) -> Result<(), EvidenceError> {
    let census = subject.census;
    let files = configuration(bag, stated, hidden.as_mut().map(|hidden| &mut *hidden.names))?;
    let hidden = hidden.as_ref();
    if let Some(hidden) = hidden {
        hidden.names.check()?;
    }
    let packs = rule_packs(bag, subject)?;
    bag.payload_file("report.json", |out| report::json(census, out))?;
    bag.payload_file("report.txt", |out| {
        report::text(census, subject.packs, Style { width: 100, color: false }, out)
    })?;
    bag.payload_file("people.csv", |out| report::csv(census, out))?;
    bag.payload_file("people.jsonl", |out| report::part(census, Part::People, out))?;
    bag.payload_file("excluded.jsonl", |out| report::part(census, Part::Excluded, out))?;
    bag.payload_file("unresolved.jsonl", |out| report::part(census, Part::Unresolved, out))?;
    bag.payload_file("sources.jsonl", |out| {
        census.inputs.iter().try_for_each(|input| report::line(&source(input), out))
    })?;
    bag.payload_file("rejected.jsonl", |out| rejected(census, out))?;
    bag.payload_file("merges.jsonl", |out| merges(census, out))?;
    bag.payload_file("devices.jsonl", |out| devices(census, out))?;
    bag.payload_file("pairs.jsonl", |out| pairs(census, out))?;
    bag.payload_file("requirements.json", |out| requirements(census, out))?;
    bag.payload_file("coverage.csv", |out| coverage(census, out))?;
    bag.payload_file("METHOD.txt", |out| method::method(subject, hidden.is_some(), out))?;
    quoting(bag, "witness-rows/rows.jsonl", |out| rows::witnesses(subject, hidden, out))?;
    let plan = sample::Plan::new(census);
    let mut sampled = 0;
    quoting(bag, "witness-rows/sample.jsonl", |out| {
        sampled = rows::sample(subject, hidden, &plan, out)?;
        Ok(())
    })?;
    let run = run(subject, files, packs, &plan, sampled);
    bag.payload_file("run.json", |out| report::indented(&run, out))
}

/// Writes a file whose making can fail for another reason than the place it is written to.
fn quoting(
    bag: &mut Bag,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<(), EvidenceError>,
) -> Result<(), EvidenceError> {
    let mut failure = None;
    let written = bag.payload_file(name, |out| match write(out) {
        Ok(()) => Ok(()),
        Err(EvidenceError::Row(error)) => Err(error),
        Err(other) => {
            failure = Some(other);
            Err(io::Error::other("an input cannot be quoted"))
        }
    });
    match failure {
        Some(failure) => Err(failure),
        None => written,
    }
}

/// A row by file, line and byte.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    line: u64,
    byte: u64,
    instant: String,
}

fn row<'a>(census: &'a Census, witness: &Witness) -> Row<'a> {
    Row {
        path: &census.inputs[witness.input as usize].path,
        line: witness.line,
        byte: witness.byte,
        instant: instant(witness.instant),
    }
}

#[derive(Serialize)]
struct File {
    role: &'static str,
    /// Path in `data/`; `None` for a file that is named by its digest only.
    file: Option<String>,
    /// Length and digest of the file as it stands in `data/`, else of the one that was read; `None`
    /// where there is only a commitment.
    bytes: Option<u64>,
    sha256: Option<String>,
    /// Where names are pseudonyms, what binds to the file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<String>,
}

/// Copies what the user states; lists of people (directories, exports, an auditor's accounts) are named by
/// their digest only.
fn configuration(
    bag: &mut Bag,
    stated: &[Stated],
    mut names: Option<&mut Pseudonyms<'_>>,
) -> Result<Vec<File>, EvidenceError> {
    let mut files = Vec::new();
    let (mut inventories, mut owned) = (0, 0);
    for known in stated {
        let file = match known.role {
            "calproof.toml" => Some("configuration/calproof.toml".to_owned()),
            "devices.inventory" => {
                inventories += 1;
                Some(format!("configuration/inventory-{inventories}.csv"))
            }
            "owned" => {
                owned += 1;
                Some(format!("configuration/owned-{owned}.csv"))
            }
            _ => None,
        };
        let (role, original) = (known.role, &known.bytes);
        let (copy, commitment) = match names.as_deref_mut() {
            None => (Some(original.clone()), None),
            Some(names) => {
                let salt = names.key().salt_of_file(original);
                let copy = match (&file, role) {
                    // Whoever is named in a list of owned CALs would be named here.
                    (None, _) | (_, "owned") => None,
                    (_, "calproof.toml") => Some(pseudonym::configuration::toml(
                        &String::from_utf8_lossy(original),
                        names,
                    )),
                    _ => Some(pseudonym::configuration::inventory(original, names)),
                };
                (copy.map(String::into_bytes), Some(commitment(&salt, role, original)))
            }
        };
        let file = file.filter(|_| copy.is_some() || names.is_none());
        if let (Some(file), Some(copy)) = (&file, &copy) {
            bag.payload_file(file, |out| out.write_all(copy))?;
        }
        let bytes = copy.as_ref().map(|copy| copy.len() as u64);
        let sha256 = copy.as_deref().map(super::bag::sha256);
        files.push(File { role, file, bytes, sha256, commitment });
    }
    Ok(files)
}

#[derive(Serialize)]
struct Pack {
    id: String,
    version: String,
    sha256: String,
    file: String,
    /// Whether the user gave it, beside the program's packs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    own: bool,
}

/// Copies the rule packs that were applied.
fn rule_packs(bag: &mut Bag, subject: &Subject<'_>) -> Result<Vec<Pack>, EvidenceError> {
    let mut packs = Vec::new();
    for cited in &subject.census.rule_packs {
        let is = |pack: &&RulePack| pack.id == cited.id && pack.sha256() == cited.sha256;
        let Some(pack) = subject.packs.iter().find(is) else {
            return Err(EvidenceError::SelfTest(format!(
                "the text of rule pack {} is missing",
                cited.id
            )));
        };
        let file = format!("rule-packs/{}.toml", pack.id);
        bag.payload_file(&file, |out| out.write_all(pack.text().as_bytes()))?;
        let (id, version) = (cited.id.clone(), cited.version.clone());
        let (sha256, own) = (cited.sha256.clone(), !pack.is_builtin());
        packs.push(Pack { id, version, sha256, file, own });
    }
    Ok(packs)
}

#[derive(Serialize)]
struct Run<'a> {
    schema: &'static str,
    tool: Tool,
    period: Period<'a>,
    digest: &'static str,
    configuration: Vec<File>,
    rule_packs: Vec<Pack>,
    self_test: SelfTest,
    sample: Sample,
    #[serde(skip_serializing_if = "Option::is_none")]
    pseudonyms: Option<Scheme<'a>>,
}

/// How names are hidden.
#[derive(Serialize)]
struct Scheme<'a> {
    scheme: &'static str,
    /// Tells one key from another, and nothing else.
    key: &'a str,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Where the build was told which one it is.
    commit: Option<&'static str>,
}

#[derive(Serialize)]
struct Period<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
}

#[derive(Serialize)]
struct SelfTest {
    rule_packs: usize,
    rule_pack_examples: usize,
    worked_example: &'static str,
}

#[derive(Serialize)]
struct Sample {
    file: &'static str,
    rows: u64,
    wanted: usize,
    seed: String,
    draws: u64,
    reach: u64,
    source_bytes: u64,
}

fn run<'a>(
    subject: &Subject<'a>,
    configuration: Vec<File>,
    rule_packs: Vec<Pack>,
    plan: &sample::Plan,
    sampled: u64,
) -> Run<'a> {
    let examples =
        |pack: &RulePack| pack.rules.iter().map(|rule| rule.examples.len()).sum::<usize>();
    Run {
        schema: "calproof.evidence/1",
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("CALPROOF_COMMIT"),
        },
        period: Period { from: subject.census.from.as_deref(), to: subject.census.to.as_deref() },
        digest: "sha256",
        configuration,
        rule_packs,
        self_test: SelfTest {
            rule_packs: subject.packs.len(),
            rule_pack_examples: subject.packs.iter().map(examples).sum(),
            // A bundle is refused where one does not.
            worked_example: "as expected",
        },
        sample: Sample {
            file: "witness-rows/sample.jsonl",
            rows: sampled,
            wanted: sample::WANTED,
            seed: plan.seed_hex(),
            draws: sample::DRAWS,
            reach: sample::REACH,
            source_bytes: plan.bytes,
        },
        pseudonyms: subject
            .census
            .pseudonyms
            .as_deref()
            .map(|key| Scheme { scheme: pseudonym::SCHEME, key }),
    }
}

#[derive(Serialize)]
struct Source<'a> {
    path: &'a str,
    bytes: u64,
    sha256: Option<&'a str>,
    format: &'static str,
    encoding: &'static str,
    time_base: &'static str,
    first: Option<String>,
    last: Option<String>,
    lines: Lines,
    directives: Vec<Directive>,
    /// Why the file adds nothing to the count.
    skipped: Option<String>,
    duplicate_of: Option<&'a str>,
    superseded_by: Option<&'a str>,
    trouble: Option<&'a str>,
    changed: Option<String>,
    looks_like_log: bool,
    notices: Vec<String>,
}

#[derive(Serialize)]
struct Directive {
    line: u64,
    name: String,
    value: String,
}

fn source(input: &InputReport) -> Source<'_> {
    let skipped = if let Some(other) = &input.duplicate_of {
        Some(format!("the same bytes as {other}"))
    } else if let Some(other) = &input.superseded_by {
        Some(format!("{other} begins with all of its bytes"))
    } else if let Some(kind) = input.carries_no_access {
        Some(format!("a log of the kind `{kind}`, which shows no client's access"))
    } else if input.format == "unknown" {
        Some("no known log format".to_owned())
    } else {
        None
    };
    Source {
        path: &input.path,
        bytes: input.bytes,
        sha256: Some(super::sha256_of(input)).filter(|digest| !digest.is_empty()),
        format: input.format,
        encoding: encoding(&input.encoding),
        time_base: super::reread::format(input.format).map_or("", |f| f.describe().time),
        first: input.span.map(|(first, _)| instant(first)),
        last: input.span.map(|(_, last)| instant(last)),
        lines: (&input.lines).into(),
        directives: input
            .directives
            .iter()
            .map(|d| Directive {
                line: d.line,
                name: String::from_utf8_lossy(&d.name).into_owned(),
                value: String::from_utf8_lossy(d.value.trim_ascii()).into_owned(),
            })
            .collect(),
        skipped,
        duplicate_of: input.duplicate_of.as_deref(),
        superseded_by: input.superseded_by.as_deref(),
        trouble: input.trouble.as_deref(),
        changed: input.changed.as_ref().map(ToString::to_string),
        looks_like_log: input.looks_like_log,
        notices: input
            .notices
            .iter()
            .map(|notice| match notice {
                Notice::Blind { missing } => format!("blind: no column `{missing}`"),
                Notice::AssumedFields => "no header: a known layout was assumed".to_owned(),
                Notice::UnknownTimeBase => {
                    "local time of an unknown zone, taken as it stands".to_owned()
                }
            })
            .collect(),
    }
}

/// The first rejected lines of every input; how many there are in all is in `sources.jsonl`.
fn rejected(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Rejected<'a> {
        path: &'a str,
        line: u64,
        byte: u64,
        reason: String,
    }
    for input in &census.inputs {
        for found in &input.rejected {
            let reason = found.kind.to_string();
            let (path, line, byte) = (input.path.as_str(), found.line, found.byte);
            report::line(&Rejected { path, line, byte, reason }, out)?;
        }
    }
    Ok(())
}

fn merges(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Merge<'a> {
        person: &'a str,
        one: &'a str,
        other: &'a str,
        reason: &'a str,
    }
    for person in &census.people {
        for (one, other, reason) in &person.joins {
            report::line(&Merge { person: &person.id, one, other, reason }, out)?;
        }
    }
    Ok(())
}

/// The devices of accesses that must be covered.
fn devices(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Device<'a> {
        id: &'a str,
        identified: bool,
        products: Vec<&'static str>,
        people: u64,
        witness: Row<'a>,
    }
    #[derive(Default)]
    struct Seen<'a> {
        products: BTreeSet<&'static str>,
        people: BTreeSet<&'a str>,
        witness: Option<Witness>,
    }
    let mut seen: BTreeMap<(&str, bool), Seen<'_>> = BTreeMap::new();
    for requirement in &census.requirements {
        for pair in requirement.mix.pairs.iter().filter(|pair| pair.device != "-") {
            let device = seen.entry((&pair.device, pair.device_licensable)).or_default();
            device.products.insert(requirement.product.as_str());
            if pair.person != "-" {
                device.people.insert(&pair.person);
            }
            let least = device.witness.get_or_insert(pair.witness);
            *least = pair.witness.min(*least);
        }
    }
    for ((id, identified), Seen { products, people, witness }) in seen {
        let Some(witness) = witness else { continue };
        let (products, people) = (products.into_iter().collect(), people.len() as u64);
        let witness = row(census, &witness);
        report::line(&Device { id, identified, products, people, witness }, out)?;
    }
    Ok(())
}

fn pairs(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Edge<'a> {
        product: &'static str,
        cal: &'static str,
        person: &'a str,
        person_licensable: bool,
        device: &'a str,
        device_licensable: bool,
        witness: Row<'a>,
    }
    for requirement in &census.requirements {
        for pair in &requirement.mix.pairs {
            let edge = Edge {
                product: requirement.product.as_str(),
                cal: requirement.cal.as_str(),
                person: &pair.person,
                person_licensable: pair.person_licensable,
                device: &pair.device,
                device_licensable: pair.device_licensable,
                witness: row(census, &pair.witness),
            };
            report::line(&edge, out)?;
        }
    }
    Ok(())
}

fn requirements(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Requirement<'a> {
        product: &'static str,
        cal: &'static str,
        version: Option<&'a str>,
        users: Users,
        mix: Mix,
        certificate: Certificate<'a>,
    }
    #[derive(Serialize)]
    struct Users {
        lower: u64,
        demand: u64,
        upper: u64,
    }
    #[derive(Serialize)]
    struct Mix {
        user_cals: u64,
        device_cals: u64,
        total: u64,
    }
    #[derive(Serialize)]
    struct Certificate<'a> {
        /// Who gets a user CAL.
        people: &'a [String],
        /// What gets a device CAL.
        devices: Vec<&'a str>,
        /// Shared accounts that came from no identified device: one more device CAL each.
        shared_without_device: &'a [String],
        /// As many accesses as there are people and devices above, none of which shares a
        /// licensable end with another.
        proof: Vec<Access<'a>>,
    }
    #[derive(Serialize)]
    struct Access<'a> {
        person: &'a str,
        device: &'a str,
        witness: Row<'a>,
    }
    fn access<'a>(census: &'a Census, pair: &'a Pair) -> Access<'a> {
        let Pair { person, device, witness, .. } = pair;
        Access { person, device, witness: row(census, witness) }
    }
    let requirements: Vec<Requirement<'_>> = census
        .requirements
        .iter()
        .map(|r| {
            let open: BTreeSet<String> =
                r.mix.without_device.iter().map(|p| format!("a device of {p}")).collect();
            Requirement {
                product: r.product.as_str(),
                cal: r.cal.as_str(),
                version: r.version.as_deref(),
                users: Users { lower: r.users.lower, demand: r.users.demand, upper: r.users.upper },
                mix: Mix {
                    user_cals: r.mix.user_cals,
                    device_cals: r.mix.device_cals,
                    total: r.mix.user_cals + r.mix.device_cals,
                },
                certificate: Certificate {
                    people: &r.mix.users,
                    devices: r
                        .mix
                        .devices
                        .iter()
                        .filter(|device| !open.contains(*device))
                        .map(String::as_str)
                        .collect(),
                    shared_without_device: &r.mix.without_device,
                    proof: r
                        .mix
                        .pairs
                        .iter()
                        .filter(|pair| pair.proves)
                        .map(|pair| access(census, pair))
                        .collect(),
                },
            }
        })
        .collect();
    report::indented(&requirements, out)
}

fn coverage(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(["server", "format", "day", "state", "overlaps"])?;
    for covered in &census.coverage {
        for (day, state) in &covered.days {
            let server = report::escape::cell(&covered.server);
            let on = covered.overlaps.iter().filter(|o| (o.days.0..=o.days.1).contains(day));
            let overlaps = on.count().to_string();
            let day = report::day_text(*day);
            let row = [server.as_str(), covered.format, &day, state.as_str(), &overlaps];
            table.write_record(row)?;
        }
    }
    table.flush()
}
