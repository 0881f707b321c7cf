//! The lists of a bundle against each other: sums of lines, people, places of rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Verdict, VerifyError, bag};
use crate::digest::{hex, unhex};
use crate::pseudonym::{Kind, SCHEME};

/// What is read of a bundle.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) report: Value,
    pub(crate) run: Value,
    pub(crate) sources: Vec<Source>,
    pub(crate) people: Vec<Value>,
    pub(crate) excluded: Vec<Value>,
    pub(crate) unresolved: Vec<Value>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) rows: Vec<Row>,
    pub(crate) sample: Vec<Row>,
    /// SHA-256 of the rule packs and the configuration, by path in `data/`.
    pub(crate) digests: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: Option<String>,
    pub(crate) format: String,
    pub(crate) lines: Lines,
    pub(crate) duplicate_of: Option<String>,
    pub(crate) superseded_by: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Lines {
    total: u64,
    pub(crate) events: u64,
    directives: u64,
    blank: u64,
    unrelated: u64,
    rejected: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Pair {
    pub(crate) product: String,
    pub(crate) cal: String,
    pub(crate) person: String,
    pub(crate) person_licensable: bool,
    pub(crate) device: String,
    pub(crate) device_licensable: bool,
    pub(crate) witness: Place,
}

/// A row by file, line and byte.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: u64,
    pub(crate) byte: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Requirement {
    pub(crate) product: String,
    pub(crate) cal: String,
    pub(crate) users: Value,
    pub(crate) mix: Mix,
    pub(crate) certificate: Certificate,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Mix {
    pub(crate) user_cals: u64,
    pub(crate) device_cals: u64,
    pub(crate) total: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) people: Vec<String>,
    pub(crate) devices: Vec<String>,
    pub(crate) shared_without_device: Vec<String>,
    pub(crate) proof: Vec<Access>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Access {
    pub(crate) person: String,
    pub(crate) device: String,
    pub(crate) witness: Place,
}

/// A quoted row, or one that is only committed to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) line: Option<u64>,
    pub(crate) byte: u64,
    #[serde(default)]
    pub(crate) length: u64,
    #[serde(default)]
    pub(crate) cut: bool,
    #[serde(default)]
    pub(crate) blanked: Vec<Blank>,
    pub(crate) text: Option<String>,
    pub(crate) hex: Option<String>,
    /// Where names are pseudonyms, what binds to the row.
    pub(crate) commitment: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Blank {
    pub(crate) at: u64,
    pub(crate) length: u64,
}

impl Row {
    /// Whether its bytes are there.
    pub(crate) fn is_quoted(&self) -> bool {
        self.text.is_some() || self.hex.is_some()
    }

    /// The quoted bytes; `None` where they are not there in the one way they should be.
    pub(crate) fn shown(&self) -> Option<Vec<u8>> {
        match (&self.text, &self.hex) {
            (Some(text), None) => Some(text.clone().into_bytes()),
            (None, Some(hex)) if hex.is_ascii() => (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok())
                .collect(),
            _ => None,
        }
    }
}

impl Row {
    /// Whether there is a commitment and nothing that it hides.
    fn is_only_committed(&self) -> bool {
        let digits = self.commitment.as_deref().and_then(|c| unhex(c.as_bytes()));
        let bare = !self.is_quoted() && self.length == 0 && self.blanked.is_empty() && !self.cut;
        digits.is_some_and(|digits| digits.len() == 32) && bare
    }
}

impl Contents {
    /// Whether names are pseudonyms and rows are committed.
    pub(crate) fn hidden(&self) -> bool {
        self.run["pseudonyms"].is_object()
    }
}

/// Reads what the checks need.
pub(crate) fn read(bundle: &Path, verdict: &mut Verdict) -> Result<Contents, VerifyError> {
    let folder = bundle.join("data");
    let mut contents = Contents {
        report: whole(&folder, "report.json", verdict)?.unwrap_or_default(),
        run: whole(&folder, "run.json", verdict)?.unwrap_or_default(),
        sources: lines(&folder, "sources.jsonl", verdict)?,
        people: lines(&folder, "people.jsonl", verdict)?,
        excluded: lines(&folder, "excluded.jsonl", verdict)?,
        unresolved: lines(&folder, "unresolved.jsonl", verdict)?,
        pairs: lines(&folder, "pairs.jsonl", verdict)?,
        requirements: whole(&folder, "requirements.json", verdict)?.unwrap_or_default(),
        rows: lines(&folder, "witness-rows/rows.jsonl", verdict)?,
        sample: lines(&folder, "witness-rows/sample.jsonl", verdict)?,
        digests: BTreeMap::new(),
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let listed: Vec<String> = ["configuration", "rule_packs"]
        .iter()
        .filter_map(|key| contents.run[key].as_array())
        .flatten()
        .filter_map(|entry| text(&entry["file"]))
        .collect();
    for file in listed {
        let inside = !file.starts_with('/') && !file.split(['/', '\\']).any(|part| part == "..");
        let path = folder.join(&file);
        if inside && path.is_file() {
            contents.digests.insert(file, bag::sha256(&path)?);
        }
    }
    Ok(contents)
}

fn whole<T: DeserializeOwned>(
    folder: &Path,
    name: &str,
    verdict: &mut Verdict,
) -> Result<Option<T>, VerifyError> {
    let path = folder.join(name);
    if !path.is_file() {
        verdict.refuse(format!("data/{name}: is missing"));
        return Ok(None);
    }
    match serde_json::from_slice(&bag::read(&path)?) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            verdict.refuse(format!("data/{name}: cannot be understood ({error})"));
            Ok(None)
        }
    }
}

pub(super) fn lines<T: DeserializeOwned>(
    folder: &Path,
    name: &str,
    verdict: &mut Verdict,
) -> Result<Vec<T>, VerifyError> {
    let path = folder.join(name);
    if !path.is_file() {
        verdict.refuse(format!("data/{name}: is missing"));
        return Ok(Vec::new());
    }
    let bytes = bag::read(&path)?;
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty())) {
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                verdict.refuse(format!("data/{name}:{number}: cannot be understood ({error})"));
                break;
            }
        }
    }
    Ok(entries)
}

/// Checks the lists against each other.
pub(crate) fn check(contents: &Contents, verdict: &mut Verdict) {
    sums(contents, verdict);
    for (key, entries) in [
        ("people", &contents.people),
        ("excluded", &contents.excluded),
        ("unresolved", &contents.unresolved),
    ] {
        if contents.report[key].as_array() != Some(entries) {
            verdict.refuse(format!("data/{key}.jsonl: differs from `{key}` in data/report.json"));
        }
    }
    requirements(contents, verdict);
    packs(contents, verdict);
    places(contents, verdict);
    rows(contents, verdict);
    seed(contents, verdict);
    if contents.hidden() {
        names(contents, verdict);
    }
    verdict.note(format!(
        "{} sources, {} people, {} {} rows: sums, lists and places agree",
        contents.sources.len(),
        contents.people.len(),
        contents.rows.len() + contents.sample.len(),
        if contents.hidden() { "committed" } else { "quoted" }
    ));
}

/// Lines of every source by kind, and as the report has them.
fn sums(contents: &Contents, verdict: &mut Verdict) {
    let none = Vec::new();
    let inputs = contents.report["inputs"].as_array().unwrap_or(&none);
    let mut wrong = Vec::new();
    if inputs.len() != contents.sources.len() {
        wrong.push(format!(
            "data/sources.jsonl: has {} sources, but data/report.json has {} inputs",
            contents.sources.len(),
            inputs.len()
        ));
    }
    for (source, input) in contents.sources.iter().zip(inputs) {
        let Lines { total, events, directives, blank, unrelated, rejected } = source.lines;
        let sum = [events, directives, blank, unrelated, rejected]
            .iter()
            .try_fold(0_u64, |sum, n| sum.checked_add(*n));
        if sum != Some(total) {
            wrong.push(format!(
                "data/sources.jsonl: {}: {total} lines, but the kinds do not add up to them",
                source.path
            ));
        }
        let lines = &input["lines"];
        let same = input["path"] == source.path.as_str()
            && input["bytes"] == source.bytes
            && input["format"] == source.format.as_str()
            && input["digest"].as_str().map(|d| d.trim_start_matches("sha256:"))
                == source.sha256.as_deref()
            && lines["total"] == total
            && lines["events"] == events
            && lines["directives"] == directives
            && lines["blank"] == blank
            && lines["unrelated"] == unrelated
            && lines["rejected"] == rejected;
        if !same {
            wrong.push(format!(
                "data/sources.jsonl: {}: differs from its input in data/report.json",
                source.path
            ));
        }
    }
    verdict.refuse_all(wrong);
}

fn requirements(contents: &Contents, verdict: &mut Verdict) {
    let none = Vec::new();
    let reported = contents.report["requirements"].as_array().unwrap_or(&none);
    let same = reported.len() == contents.requirements.len()
        && reported.iter().zip(&contents.requirements).all(|(reported, own)| {
            reported["product"] == own.product.as_str()
                && reported["cal"] == own.cal.as_str()
                && reported["users"] == own.users
                && reported["mix"]["user_cals"] == own.mix.user_cals
                && reported["mix"]["device_cals"] == own.mix.device_cals
                && reported["mix"]["total"] == own.mix.total
        });
    if !same {
        verdict.refuse("data/requirements.json: differs from `requirements` in data/report.json");
    }
}

/// The rule packs and the configuration have the digests that the run states.
fn packs(contents: &Contents, verdict: &mut Verdict) {
    let none = Vec::new();
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let packs = list(&contents.run["rule_packs"]);
    for entry in packs.iter().chain(contents.run["configuration"].as_array().unwrap_or(&none)) {
        let Some(file) = entry["file"].as_str() else { continue };
        if contents.digests.get(file).map(String::as_str) != entry["sha256"].as_str() {
            verdict.refuse(format!("data/{file}: has another digest than data/run.json states"));
        }
    }
    let cited = list(&contents.report["rule_packs"]);
    let same = cited.len() == packs.len()
        && cited.iter().zip(&packs).all(|(a, b)| {
            a["id"] == b["id"] && a["version"] == b["version"] && a["sha256"] == b["sha256"]
        });
    if !same {
        verdict.refuse("data/run.json: `rule_packs` differ from those in data/report.json");
    }
}

/// Every row that is cited is quoted.
fn places(contents: &Contents, verdict: &mut Verdict) {
    let quoted: BTreeSet<(&str, u64, u64)> =
        contents.rows.iter().filter_map(|r| Some((r.path.as_str(), r.line?, r.byte))).collect();
    let mut wrong = Vec::new();
    let mut look = |file: &str, place: Option<(&str, u64, u64)>| {
        match place {
        Some(place) if quoted.contains(&place) => {}
        Some((path, line, byte)) => wrong.push(format!(
            "data/{file}: cites {path}:{line} (byte {byte}), which data/witness-rows/rows.jsonl does not quote"
        )),
        None => wrong.push(format!("data/{file}: an entry cites no row")),
    }
    };
    for (file, entries) in [
        ("people.jsonl", &contents.people),
        ("excluded.jsonl", &contents.excluded),
        ("unresolved.jsonl", &contents.unresolved),
    ] {
        for entry in entries {
            let witness = &entry["witness"];
            let place =
                (witness["path"].as_str(), witness["line"].as_u64(), witness["byte"].as_u64());
            look(
                file,
                if let (Some(p), Some(l), Some(b)) = place { Some((p, l, b)) } else { None },
            );
        }
    }
    for pair in &contents.pairs {
        let Place { path, line, byte } = &pair.witness;
        look("pairs.jsonl", Some((path, *line, *byte)));
    }
    verdict.refuse_all(wrong);
}

/// Whether as many bytes are shown as the row has, blanked ones as their marks.
pub(crate) fn is_as_long_as_it_says(row: &Row) -> bool {
    let mut length = Some(row.length);
    let mut at = 0;
    for blank in &row.blanked {
        let mark = format!("[blanked {} bytes]", blank.length).len() as u64;
        length = length.and_then(|l| l.checked_sub(blank.length)).and_then(|l| l.checked_add(mark));
        let inside = blank.at >= at
            && blank.at.checked_add(blank.length).is_some_and(|end| end <= row.length);
        length = length.filter(|_| inside);
        at = blank.at.saturating_add(blank.length);
    }
    let shown = row.shown().map(|shown| shown.len() as u64);
    shown.is_some() && shown == length
}

/// Quoted rows are of known sources and as long as they say.
fn rows(contents: &Contents, verdict: &mut Verdict) {
    let sources: BTreeMap<&str, &Source> =
        contents.sources.iter().map(|s| (s.path.as_str(), s)).collect();
    let mut wrong = Vec::new();
    for (file, rows) in [("rows", &contents.rows), ("sample", &contents.sample)] {
        for row in rows {
            let known = sources
                .get(row.path.as_str())
                .is_some_and(|source| source.sha256.as_deref() == Some(row.sha256.as_str()));
            if contents.hidden() || row.commitment.is_some() {
                if !known || !contents.hidden() || !row.is_only_committed() {
                    wrong.push(format!(
                        "data/witness-rows/{file}.jsonl: the row at byte {} of {} is of no known source, or not a \
                         commitment and nothing else where names are pseudonyms",
                        row.byte, row.path
                    ));
                }
                continue;
            }
            if !known || !is_as_long_as_it_says(row) {
                wrong.push(format!(
                    "data/witness-rows/{file}.jsonl: the row at byte {} of {} is of no known source, or not as long as it says",
                    row.byte, row.path
                ));
            }
        }
    }
    verdict.refuse_all(wrong);
}

/// People, devices and whoever is left out have pseudonyms, of a kind that is known here.
fn names(contents: &Contents, verdict: &mut Verdict) {
    let stated = &contents.run["pseudonyms"];
    if stated["scheme"] != SCHEME || stated["key"] != contents.report["pseudonyms"] {
        verdict.refuse(format!(
            "data/run.json: `pseudonyms` are not of the scheme {SCHEME}, or under another key than in data/report.json"
        ));
    }
    let people = contents.people.iter().map(|p| ("people.jsonl", p["id"].as_str()));
    let excluded = contents.excluded.iter().map(|e| ("excluded.jsonl", e["principal"].as_str()));
    let unresolved = contents.unresolved.iter().map(|u| ("unresolved.jsonl", u["what"].as_str()));
    let pairs = contents.pairs.iter().flat_map(|p| [&p.person, &p.device]);
    let pairs = pairs.map(|name| ("pairs.jsonl", Some(name.as_str())));
    // The name itself is not repeated here: it may be one.
    let wrong: BTreeSet<String> = people
        .chain(excluded)
        .chain(unresolved)
        .chain(pairs)
        .filter(|(_, name)| !name.is_some_and(|name| name == "-" || Kind::of(name).is_some()))
        .map(|(file, _)| format!("data/{file}: has something else than a pseudonym for a name"))
        .collect();
    verdict.refuse_all(wrong.into_iter().collect());
    verdict.note("names are pseudonyms, rows are committed: `--disclosed FILE` checks those that were opened");
}

/// The seed of the sample follows from the sources.
fn seed(contents: &Contents, verdict: &mut Verdict) {
    let mut seed = Sha256::new();
    let mut bytes = 0;
    for source in &contents.sources {
        let adds = source.duplicate_of.is_none() && source.superseded_by.is_none();
        if source.format != "unknown" && adds {
            seed.update(source.sha256.as_deref().unwrap_or_default());
            seed.update(b"\n");
            bytes += source.bytes;
        }
    }
    let stated = &contents.run["sample"];
    let same = stated["seed"] == hex(&seed.finalize()).as_str()
        && stated["source_bytes"] == bytes
        && stated["rows"] == contents.sample.len();
    if !same {
        verdict.refuse(
            "data/run.json: the seed or size of `sample` does not follow from data/sources.jsonl",
        );
    }
}
