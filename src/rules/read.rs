//! From the text of a pack file to a checked pack; every fault with its line.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use toml::Spanned;

use super::{
    check,
    error::{RuleError, RuleErrorKind},
    file::{ExampleFile, ExemptionFile, PackFile, RuleFile, SourceFile, SuiteFile, WhenFile},
    pack::{
        Example, Exemption, PerServerMode, Rule, RulePack, SourceNote, Suite, SuiteCover, When,
    },
    version::Version,
    vocabulary::{Exclusion, Expect, Product},
};
use crate::digest::hex;

/// Reads and checks one pack; `name` is the file as the user named it.
pub(super) fn pack(name: &str, text: &str) -> Result<RulePack, RuleError> {
    let place = Place { name, text };
    let file: PackFile = toml::from_str(text).map_err(|error| place.toml(&error))?;
    let (pack, rules) = place.pack(file)?;
    check::examples(&pack).map_err(|fault| place.at(rules[fault.rule], fault.kind))?;
    Ok(pack)
}

/// The file under the reader's eyes, for messages that name the line.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    /// An error at a byte of the file.
    fn at(&self, byte: usize, kind: RuleErrorKind) -> RuleError {
        let before = self.text.as_bytes().get(..byte).unwrap_or(self.text.as_bytes());
        let line = 1 + before.iter().filter(|b| **b == b'\n').count() as u64;
        RuleError { file: self.name.to_owned(), line: Some(line), kind }
    }

    /// What the TOML reader says, in this project's words for found and expected.
    fn toml(&self, error: &toml::de::Error) -> RuleError {
        let said = error.message().trim();
        let message = if said.starts_with("unknown ") || said.starts_with("invalid ") {
            format!("found {}", said.replacen(", expected ", ", but expected ", 1))
        } else if let Some(key) = said.strip_prefix("missing field ") {
            format!("found no key {key}, but expected one")
        } else {
            said.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let byte = error.span().map_or(0, |span| span.start);
        self.at(byte, RuleErrorKind::Toml { message })
    }

    /// The pack, and for each rule the byte at which it begins.
    fn pack(&self, file: PackFile) -> Result<(RulePack, Vec<usize>), RuleError> {
        let product = file.product;
        if !is_id(file.id.get_ref()) {
            let found = file.id.get_ref().clone();
            return Err(self.at(file.id.span().start, RuleErrorKind::Id { found }));
        }
        if !is_date(file.version.get_ref()) {
            let found = file.version.get_ref().clone();
            return Err(self.at(file.version.span().start, RuleErrorKind::PackVersion { found }));
        }
        let listed = file.versions.span().start;
        let mut versions = Vec::new();
        for word in file.versions.into_inner() {
            versions.push(self.version(product, &word)?);
        }
        versions.sort_unstable();
        versions.dedup();
        self.some("versions", listed, &versions)?;
        if *file.windows_base.get_ref() && product == Product::Windows {
            return Err(self.at(file.windows_base.span().start, RuleErrorKind::WindowsBase));
        }
        let declared = *file.external_connector.get_ref();
        if declared != file.exemptions.contains_key(&Exclusion::ExternalConnector) {
            let kind = RuleErrorKind::ExternalConnector { declared };
            return Err(self.at(file.external_connector.span().start, kind));
        }
        let mut exemptions = BTreeMap::new();
        for (exclusion, exemption) in file.exemptions {
            exemptions.insert(exclusion, self.exemption(exclusion, exemption)?);
        }
        let per_server_mode = match file.per_server_mode {
            None => None,
            Some(mode) => Some(PerServerMode {
                until: self.version(product, &mode.until)?,
                note: one_line(&mode.note),
                sources: self.sources(mode.sources)?,
            }),
        };
        let mut suites = Vec::new();
        for suite in file.suite {
            suites.push(self.suite(suite)?);
        }
        self.some("[[rule]]", 0, &file.rule)?;
        let mut rules: Vec<Rule> = Vec::new();
        let mut places = Vec::new();
        for rule in file.rule {
            let byte = rule.id.span().start;
            if rules.iter().any(|known| known.id == *rule.id.get_ref()) {
                let rule = rule.id.into_inner();
                return Err(self.at(byte, RuleErrorKind::DuplicateRule { rule }));
            }
            places.push(byte);
            rules.push(self.rule(rule)?);
        }
        let pack = RulePack {
            id: file.id.into_inner(),
            version: file.version.into_inner(),
            product,
            versions,
            title: one_line(&file.title),
            note: one_line(&file.note),
            windows_base: file.windows_base.into_inner(),
            external_connector: declared,
            per_server_mode,
            exemptions,
            suites,
            rules,
            sha256: hex(&Sha256::digest(self.text.as_bytes())),
            text: self.text.to_owned(),
        };
        Ok((pack, places))
    }

    fn version(&self, product: Product, word: &Spanned<String>) -> Result<Version, RuleError> {
        Version::parse(product, word.get_ref()).ok_or_else(|| {
            let found = word.get_ref().clone();
            self.at(word.span().start, RuleErrorKind::ProductVersion { product, found })
        })
    }

    fn some<T>(&self, what: &'static str, byte: usize, list: &[T]) -> Result<(), RuleError> {
        if list.is_empty() { Err(self.at(byte, RuleErrorKind::Empty { what })) } else { Ok(()) }
    }

    fn sources(
        &self,
        sources: Spanned<Vec<Spanned<SourceFile>>>,
    ) -> Result<Vec<SourceNote>, RuleError> {
        self.some("sources", sources.span().start, sources.get_ref())?;
        sources.into_inner().into_iter().map(|source| self.source(source)).collect()
    }

    fn source(&self, source: Spanned<SourceFile>) -> Result<SourceNote, RuleError> {
        let byte = source.span().start;
        let SourceFile { text, quotation, restated } = source.into_inner();
        let (says, found) = match (quotation, restated) {
            (Some(says), None) if text.is_quoted() => (says, ""),
            (None, Some(says)) if !text.is_quoted() => (says, ""),
            (None, None) => (String::new(), "neither `quotation` nor `restated`"),
            (Some(_), Some(_)) => (String::new(), "both `quotation` and `restated`"),
            (Some(_), None) => (String::new(), "`quotation`"),
            (None, Some(_)) => (String::new(), "`restated`"),
        };
        if !found.is_empty() {
            return Err(self.at(byte, RuleErrorKind::Citation { text, found }));
        }
        let says = one_line(&says);
        if says.is_empty() {
            let found = "an empty text";
            return Err(self.at(byte, RuleErrorKind::Citation { text, found }));
        }
        Ok(SourceNote { text, says })
    }

    fn exemption(
        &self,
        exclusion: Exclusion,
        exemption: Spanned<ExemptionFile>,
    ) -> Result<Exemption, RuleError> {
        let byte = exemption.span().start;
        let exemption = exemption.into_inner();
        let found = match (exclusion, exemption.limit) {
            (Exclusion::Administration, None) => Some("no `limit`"),
            (Exclusion::Administration, Some(_)) | (_, None) => None,
            (_, Some(_)) => Some("`limit`"),
        };
        if let Some(found) = found {
            return Err(self.at(byte, RuleErrorKind::Limit { found }));
        }
        Ok(Exemption {
            effect: exemption.effect,
            limit: exemption.limit,
            disputed: exemption.disputed,
            note: one_line(&exemption.note),
            sources: self.sources(exemption.sources)?,
        })
    }

    fn suite(&self, suite: SuiteFile) -> Result<Suite, RuleError> {
        self.some("covers", suite.covers.span().start, suite.covers.get_ref())?;
        let mut covers: Vec<SuiteCover> = suite
            .covers
            .into_inner()
            .iter()
            .map(|cover| SuiteCover { product: cover.product, cal: cover.cal })
            .collect();
        covers.sort_unstable();
        covers.dedup();
        Ok(Suite {
            name: one_line(&suite.name),
            note: one_line(&suite.note),
            covers,
            sources: self.sources(suite.sources)?,
        })
    }

    fn rule(&self, rule: RuleFile) -> Result<Rule, RuleError> {
        let byte = rule.id.span().start;
        let id = rule.id.into_inner();
        if !is_id(&id) {
            return Err(self.at(byte, RuleErrorKind::Id { found: id }));
        }
        for missing in [Expect::Match, Expect::Pass] {
            if !rule.example.iter().any(|example| example.get_ref().expect == missing) {
                return Err(self.at(byte, RuleErrorKind::ExampleMissing { rule: id, missing }));
            }
        }
        let WhenFile { services, features, administrative } = rule.when;
        Ok(Rule {
            id,
            when: When {
                services: services.into_iter().map(|service| service.0).collect(),
                features,
                administrative,
            },
            requires: rule.requires,
            evidence: rule.evidence,
            disputed: rule.disputed,
            note: one_line(&rule.note),
            sources: self.sources(rule.sources)?,
            examples: rule.example.into_iter().map(|e| example(e.into_inner())).collect(),
        })
    }
}

fn example(file: ExampleFile) -> Example {
    let mut requires = file.requires;
    requires.sort_unstable();
    requires.dedup();
    Example {
        expect: file.expect,
        service: file.service.map(|service| service.0),
        feature: file.feature,
        administrative: file.administrative,
        outcome: file.outcome,
        requires,
    }
}

/// Whether configuration and report can name this: lower-case letters, digits and hyphens.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether this is a day, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// The text with every run of white space as one space.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
