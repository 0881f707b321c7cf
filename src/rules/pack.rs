//! A rule pack, read and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{
    BUILTIN,
    error::{RuleError, RuleErrorKind},
    read,
    version::Version,
    vocabulary::{Cal, Effect, Evidence, Exclusion, Expect, Feature, Outcome, Product, Source},
};
use crate::shown;

/// Which use requires which CAL, for one generation of one product.
#[derive(Clone, Debug)]
pub struct RulePack {
    /// The name under which configuration and reports know the pack: lower-case letters, digits, hyphens.
    pub id: String,
    /// The date of this state of the pack, `YYYY-MM-DD`.
    pub version: String,
    /// The product whose CALs the pack is about.
    pub product: Product,
    /// The server versions that the pack is for, oldest first.
    pub versions: Vec<Version>,
    /// The product generation in words.
    pub title: String,
    /// What a reader of the report should know about the pack.
    pub note: String,
    /// Whether users of the product need a Windows Server CAL as well.
    pub windows_base: bool,
    /// Whether an External Connector is known for this generation.
    pub external_connector: bool,
    /// Licensing by simultaneous sessions of one server, where it existed; historic.
    pub per_server_mode: Option<PerServerMode>,
    /// What the exclusion rules of the ledger do; a rule that is not here does not apply.
    pub exemptions: BTreeMap<Exclusion, Exemption>,
    /// The CAL suites that cover the product, as the file orders them.
    pub suites: Vec<Suite>,
    /// The rules, as the file orders them. Of several that match, the first of each CAL stands.
    pub rules: Vec<Rule>,
    pub(super) sha256: String,
    pub(super) text: String,
}

/// One statement: this use requires that CAL.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name of the rule, once in its pack.
    pub id: String,
    /// The use that the rule is about.
    pub when: When,
    /// The CAL that this use requires.
    pub requires: Cal,
    /// Whether the licence terms ask for an access or for a setting.
    pub evidence: Evidence,
    /// Whether another reading has a row in the sensitivity table.
    pub disputed: bool,
    /// What a reader should know; may be empty.
    pub note: String,
    /// Where the rule comes from; never empty.
    pub sources: Vec<SourceNote>,
    /// Uses with what they require; at least one of each [`Expect`].
    pub examples: Vec<Example>,
}

/// The use that a rule is about: everything stated must hold, an empty list leaves open.
#[derive(Clone, Debug)]
pub struct When {
    /// One of these services; empty: any, or none.
    pub services: Vec<&'static str>,
    /// One of these features; empty: any, or none.
    pub features: Vec<Feature>,
    /// Administrative or not; `None`: both.
    pub administrative: Option<bool>,
}

/// One use of a server, as the rules look at it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Usage<'a> {
    /// The service reached, one of [`SERVICES`](super::SERVICES); `None` for a setting that only
    /// the configuration shows.
    pub service: Option<&'a str>,
    /// The feature used, where the log or the configuration shows one.
    pub feature: Option<Feature>,
    /// Whether the access was administrative. It requires a CAL all the same: who is exempt is
    /// decided by the exclusion ledger, before the rules.
    pub administrative: bool,
}

impl<'a> Usage<'a> {
    /// The use of a service that needs no further description.
    pub const fn of_service(service: &'a str) -> Self {
        Self { service: Some(service), feature: None, administrative: false }
    }

    /// A setting that the configuration shows.
    pub const fn of_setting(feature: Feature) -> Self {
        Self { service: None, feature: Some(feature), administrative: false }
    }
}

/// A source with what it says.
#[derive(Clone, Debug)]
pub struct SourceNote {
    /// The source.
    pub text: Source,
    /// Word for word where [`Source::is_quoted`], else restated in our own words.
    pub says: String,
}

/// What an exclusion rule of the ledger does under a pack.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// Left out, or unresolved.
    pub effect: Effect,
    /// How many users it can take at most (`administration` only).
    pub limit: Option<u32>,
    /// Whether another reading has a row in the sensitivity table.
    pub disputed: bool,
    /// What a reader should know; may be empty.
    pub note: String,
    /// Where it comes from; never empty.
    pub sources: Vec<SourceNote>,
}

/// A licence that counts as several CALs.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name on price lists.
    pub name: String,
    /// What a reader should know; may be empty.
    pub note: String,
    /// The CALs that it counts as, sorted.
    pub covers: Vec<SuiteCover>,
    /// Where its contents come from; never empty.
    pub sources: Vec<SourceNote>,
}

/// One CAL that a suite counts as.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SuiteCover {
    /// The product.
    pub product: Product,
    /// The level.
    pub cal: Cal,
}

/// Licensing by the sessions that one server serves at the same time; gone today.
#[derive(Clone, Debug)]
pub struct PerServerMode {
    /// The last version of the product that had it.
    pub until: Version,
    /// What a reader should know.
    pub note: String,
    /// Where it comes from; never empty.
    pub sources: Vec<SourceNote>,
}

/// A use with what it requires, checked when the pack is loaded.
#[derive(Clone, Debug)]
pub struct Example {
    /// Whether the rule applies.
    pub expect: Expect,
    /// The service reached.
    pub service: Option<&'static str>,
    /// The feature used.
    pub feature: Option<Feature>,
    /// Whether the access was administrative.
    pub administrative: bool,
    /// How the access ended; only `served` and `asserted` require anything.
    pub outcome: Outcome,
    /// The CALs that the whole pack requires for it, Standard first; empty: none.
    pub requires: Vec<Cal>,
}

impl Example {
    /// The use that the example is about.
    pub fn usage(&self) -> Usage<'static> {
        Usage { service: self.service, feature: self.feature, administrative: self.administrative }
    }
}

impl When {
    /// Whether `usage` is a use that the rule is about.
    pub fn matches(&self, usage: &Usage<'_>) -> bool {
        let service = self.services.is_empty()
            || usage.service.is_some_and(|found| self.services.contains(&found));
        let feature = self.features.is_empty()
            || usage.feature.is_some_and(|found| self.features.contains(&found));
        let administrative = self.administrative.is_none_or(|asked| asked == usage.administrative);
        service && feature && administrative
    }
}

impl RulePack {
    /// The packs that are part of the program, sorted by product and generation.
    ///
    /// # Errors
    ///
    /// When a pack does not load; the tests of the program make sure that all do.
    pub fn builtin() -> Result<Vec<Self>, RuleError> {
        BUILTIN.iter().map(|(name, text)| Self::from_toml(name, text)).collect()
    }

    /// The packs that are part of the program, and those in `files` behind them.
    ///
    /// ```
    /// use calproof::rules::{RuleErrorKind, RulePack};
    /// assert_eq!(RulePack::with_own(&[])?.len(), 11);
    /// let error = RulePack::with_own(&["no-such-file.toml".into()]).unwrap_err();
    /// assert!(matches!(error.kind, RuleErrorKind::Unreadable(_)));
    /// # Ok::<(), calproof::rules::RuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is no good pack, and an id that another pack has.
    pub fn with_own(files: &[PathBuf]) -> Result<Vec<Self>, RuleError> {
        let mut packs = Self::builtin()?;
        for file in files {
            let pack = Self::load(file)?;
            if packs.iter().any(|known| known.id == pack.id) {
                let kind = RuleErrorKind::KnownPack { found: pack.id };
                return Err(RuleError { file: shown::path(file), line: None, kind });
            }
            packs.push(pack);
        }
        Ok(packs)
    }

    /// Reads and checks one pack from a file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is not UTF-8; as [`from_toml`](RulePack::from_toml).
    pub fn load(path: &Path) -> Result<Self, RuleError> {
        let name = shown::path(path);
        let wrong = |kind| RuleError { file: name.clone(), line: None, kind };
        let bytes = std::fs::read(path).map_err(|error| wrong(RuleErrorKind::Unreadable(error)))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let byte = error.valid_up_to();
            let line = 1 + bytes[..byte].iter().filter(|b| **b == b'\n').count() as u64;
            RuleError { line: Some(line), ..wrong(RuleErrorKind::NotUtf8 { byte }) }
        })?;
        Self::from_toml(&name, text)
    }

    /// Whether the pack is part of the program, as it is.
    pub fn is_builtin(&self) -> bool {
        BUILTIN.iter().any(|(_, text)| *text == self.text)
    }

    /// The pack's TOML text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads and checks one pack; `name` is the file as the user named it, for messages.
    ///
    /// # Errors
    ///
    /// The first thing wrong with the file, with its line: TOML syntax, an unknown key or word, a
    /// missing source, a missing example, or an example that does not come out as it says.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, RuleError> {
        read::pack(name, text)
    }

    /// The rules that say which CALs `usage` requires: at most one per CAL, Standard first.
    ///
    /// Nothing for a use that the pack does not know. The outcome of the access is not looked at:
    /// ask only for what is in demand.
    pub fn required<'p, 'u>(
        &'p self,
        usage: &Usage<'u>,
    ) -> impl Iterator<Item = &'p Rule> + use<'p, 'u> {
        let usage = *usage;
        Cal::ALL.iter().filter_map(move |cal| {
            self.rules.iter().find(|rule| rule.requires == *cal && rule.when.matches(&usage))
        })
    }

    /// What an exclusion rule of the ledger does under this pack; `None`: it does not apply.
    pub fn exemption(&self, exclusion: Exclusion) -> Option<&Exemption> {
        self.exemptions.get(&exclusion)
    }

    /// The SHA-256 of the pack's TOML bytes, in lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The oldest server version that the pack is for.
    pub fn oldest(&self) -> Version {
        self.versions[0]
    }

    /// The newest server version that the pack is for.
    pub fn newest(&self) -> Version {
        self.versions[self.versions.len() - 1]
    }
}
