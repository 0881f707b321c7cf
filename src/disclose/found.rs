//! What a bundle has under a name, a pseudonym, or a commitment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::DiscloseError;
use crate::evidence::rows::Quoted;
use crate::pseudonym::{Key, Kind, opened};
use crate::verify::contents::Contents;
use crate::verify::{VerifyError, bag};

/// How many digits of a commitment name a row.
const LEAST: usize = 8;

/// The pseudonyms of a bundle, and the rows that it cites for them.
pub(super) struct Bundle<'a> {
    contents: &'a Contents,
    /// Digits to the pseudonyms that have them.
    known: BTreeMap<String, BTreeSet<String>>,
    /// Entries of lists that cite a row.
    entries: Vec<Value>,
    /// NetBIOS domain and suffix, in lower case.
    realms: Vec<(String, String)>,
}

/// What was found under one word.
#[derive(Default)]
pub(super) struct Found {
    /// Digits to the name in clear.
    pub(super) names: BTreeMap<String, String>,
    /// Digits of pseudonyms that were asked for as such.
    pub(super) pseudonyms: BTreeSet<String>,
    /// Rows: path in the bundle, and byte.
    pub(super) places: BTreeSet<(String, u64)>,
}

impl<'a> Bundle<'a> {
    pub(super) fn new(place: &Path, contents: &'a Contents) -> Result<Bundle<'a>, DiscloseError> {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut entries = Vec::new();
        for name in ["report.json", "pairs.jsonl"] {
            let bytes = bag::read(&place.join("data").join(name))?;
            let text = String::from_utf8_lossy(&bytes);
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
                if let Some((_, digits)) = Kind::of(word) {
                    known.entry(digits.to_owned()).or_default().insert(word.to_owned());
                }
            }
            if name == "pairs.jsonl" {
                let understood = |line| serde_json::from_str::<Value>(line);
                let pairs: Result<Vec<Value>, _> = text.lines().map(understood).collect();
                entries.extend(pairs.map_err(|error| VerifyError::Read {
                    path: "data/pairs.jsonl".to_owned(),
                    source: error.into(),
                })?);
            }
        }
        citing(&contents.report, &mut entries);
        let config = place.join("data/configuration/calproof.toml");
        let config = std::fs::read_to_string(config).unwrap_or_default();
        let realms = config
            .parse::<toml::Table>()
            .ok()
            .and_then(|table| table.get("organization")?.get("realms")?.as_table().cloned())
            .into_iter()
            .flatten()
            .filter_map(|(netbios, suffix)| {
                Some((netbios.to_lowercase(), suffix.as_str()?.to_lowercase()))
            })
            .collect();
        Ok(Bundle { contents, known, entries, realms })
    }

    /// The pseudonyms with these digits.
    pub(super) fn pseudonyms(&self, digits: &str) -> Vec<String> {
        self.known.get(digits).into_iter().flatten().cloned().collect()
    }

    /// Whatever has the word as its name, its pseudonym, or the beginning of its commitment; or the
    /// accesses of one from another, where a `+` stands between two.
    pub(super) fn find(&self, what: &str, key: &Key) -> Option<Found> {
        if let Some(found) = self.named(what, key) {
            return Some(found);
        }
        if let Some(both) = what.match_indices('+').find_map(|(at, _)| {
            Some([self.named(&what[..at], key)?, self.named(&what[at + 1..], key)?])
        }) {
            let [one, other] = both;
            let digits = |found: &Found| -> Vec<String> {
                found.names.keys().chain(&found.pseudonyms).cloned().collect()
            };
            let (first, second) = (digits(&one), digits(&other));
            let places: BTreeSet<_> = self
                .entries
                .iter()
                .filter(|entry| mentions(entry, &first) && mentions(entry, &second))
                .filter_map(place)
                .collect();
            let names = one.names.into_iter().chain(other.names).collect();
            let pseudonyms = one.pseudonyms.into_iter().chain(other.pseudonyms).collect();
            return (!places.is_empty()).then_some(Found { names, pseudonyms, places });
        }
        let digits = what.to_ascii_lowercase();
        let rows = self.contents.rows.iter().chain(&self.contents.sample);
        let places: BTreeSet<(String, u64)> = rows
            .filter(|row| row.commitment.as_deref().is_some_and(|c| c.starts_with(&digits)))
            .filter(|_| digits.len() >= LEAST)
            .map(|row| (row.path.clone(), row.byte))
            .collect();
        (!places.is_empty()).then(|| Found { places, ..Found::default() })
    }

    /// What has a name or a pseudonym.
    fn named(&self, what: &str, key: &Key) -> Option<Found> {
        let mut found = Found::default();
        if let Some((_, digits)) = Kind::of(what) {
            self.known.get(digits)?.get(what)?;
            found.pseudonyms.insert(digits.to_owned());
        } else {
            for name in self.forms(what) {
                let digits = opened(&key.salt_of_name(&name), &name);
                if self.known.contains_key(&digits) {
                    found.names.insert(digits, name);
                }
            }
            if found.names.is_empty() {
                return None;
            }
        }
        let digits: Vec<String> = found.names.keys().chain(&found.pseudonyms).cloned().collect();
        let citing = self.entries.iter().filter(|entry| mentions(entry, &digits));
        found.places = citing.filter_map(place).collect();
        Some(found)
    }

    /// The spellings under which the census may know what is spelled so: people in lower case and with
    /// their domain, devices with what identifies them.
    fn forms(&self, spelled: &str) -> BTreeSet<String> {
        let lower = spelled.to_lowercase();
        let plain = lower.strip_prefix("sip:").unwrap_or(&lower).to_owned();
        let mut forms = BTreeSet::from([spelled.to_owned(), lower.clone(), plain.clone()]);
        for kind in ["eas", "sip", "epid", "endpoint", "inventory", "machine"] {
            forms.insert(format!("{kind}:{lower}"));
        }
        for (netbios, suffix) in &self.realms {
            let local = match (plain.split_once('@'), plain.split_once('\\')) {
                (Some((local, realm)), _) => (realm == suffix).then_some(local),
                (None, Some((domain, local))) => (domain == suffix).then_some(local),
                (None, None) => Some(plain.as_str()),
            };
            forms.extend(local.map(|local| format!("{netbios}\\{local}")));
        }
        forms
    }

    /// Every name that a row may spell.
    pub(super) fn spellings(&self, row: &Quoted) -> BTreeSet<String> {
        let text = row.shown().replace("%5C", "\\").replace("%5c", "\\").replace("%40", "@");
        let parts = |c: char| {
            c.is_whitespace()
                || matches!(c, ',' | ';' | '"' | '<' | '>' | '(' | ')' | '&' | '=' | '?' | '|')
        };
        let words: BTreeSet<&str> = text.split(parts).filter(|word| !word.is_empty()).collect();
        let mut names: BTreeSet<String> = words.iter().flat_map(|word| self.forms(word)).collect();
        // A device that is known by its address and agent.
        let addresses = words.iter().filter(|word| word.parse::<std::net::IpAddr>().is_ok());
        for address in addresses {
            for cell in text.split([' ', '\t']) {
                let agent = cell.replace(['+', ','], " ");
                names.insert(format!("{address} {agent}").trim_end().to_owned());
            }
        }
        names
    }
}

/// Every object in the value that cites a row.
fn citing(value: &Value, into: &mut Vec<Value>) {
    match value {
        Value::Object(map) => {
            if place(value).is_some() {
                into.push(value.clone());
            }
            map.values().for_each(|value| citing(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| citing(value, into)),
        _ => {}
    }
}

/// The row that an entry cites.
fn place(entry: &Value) -> Option<(String, u64)> {
    let witness = &entry["witness"];
    Some((witness["path"].as_str()?.to_owned(), witness["byte"].as_u64()?))
}

/// Whether a pseudonym with one of the digits stands in an entry; parts that cite rows of their own
/// are left out.
fn mentions(entry: &Value, digits: &[String]) -> bool {
    match entry {
        Value::String(text) => {
            Kind::of(text).is_some_and(|(_, own)| digits.iter().any(|digits| digits == own))
        }
        Value::Array(list) => list.iter().any(|value| mentions(value, digits)),
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| *key != "witness" && place(value).is_none())
            .any(|(_, value)| mentions(value, digits)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
