//! The shape of a rule pack file: what TOML may stand in it, with the place of each part.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::vocabulary::{
    Cal, Effect, Evidence, Exclusion, Expect, Feature, Outcome, Product, SERVICES, Source,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub(super) id: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) product: Product,
    pub(super) versions: Spanned<Vec<Spanned<String>>>,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) windows_base: Spanned<bool>,
    pub(super) external_connector: Spanned<bool>,
    pub(super) per_server_mode: Option<PerServerModeFile>,
    pub(super) exemptions: BTreeMap<Exclusion, Spanned<ExemptionFile>>,
    #[serde(default)]
    pub(super) suite: Vec<SuiteFile>,
    pub(super) rule: Vec<RuleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PerServerModeFile {
    pub(super) until: Spanned<String>,
    pub(super) note: String,
    pub(super) sources: Spanned<Vec<Spanned<SourceFile>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExemptionFile {
    pub(super) effect: Effect,
    #[serde(default)]
    pub(super) limit: Option<u32>,
    #[serde(default)]
    pub(super) disputed: bool,
    #[serde(default)]
    pub(super) note: String,
    pub(super) sources: Spanned<Vec<Spanned<SourceFile>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) note: String,
    pub(super) covers: Spanned<Vec<CoverFile>>,
    pub(super) sources: Spanned<Vec<Spanned<SourceFile>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CoverFile {
    pub(super) product: Product,
    pub(super) cal: Cal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) id: Spanned<String>,
    pub(super) when: WhenFile,
    pub(super) requires: Cal,
    pub(super) evidence: Evidence,
    #[serde(default)]
    pub(super) disputed: bool,
    #[serde(default)]
    pub(super) note: String,
    pub(super) sources: Spanned<Vec<Spanned<SourceFile>>>,
    pub(super) example: Vec<Spanned<ExampleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenFile {
    #[serde(default)]
    pub(super) services: Vec<Service>,
    #[serde(default)]
    pub(super) features: Vec<Feature>,
    #[serde(default)]
    pub(super) administrative: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) text: Source,
    #[serde(default)]
    pub(super) quotation: Option<String>,
    #[serde(default)]
    pub(super) restated: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleFile {
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) service: Option<Service>,
    #[serde(default)]
    pub(super) feature: Option<Feature>,
    #[serde(default)]
    pub(super) administrative: bool,
    pub(super) outcome: Outcome,
    pub(super) requires: Vec<Cal>,
}

/// A service name out of [`SERVICES`].
pub(super) struct Service(pub(super) &'static str);

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        match SERVICES.iter().find(|known| **known == found) {
            Some(known) => Ok(Self(known)),
            None => Err(D::Error::unknown_variant(&found, &SERVICES)),
        }
    }
}
