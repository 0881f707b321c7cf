//! What accounts are enabled for beside what they use: the key `configuration`.

use serde::Serialize;

use crate::census::{ConfiguredCals, Enabled, Setting, SettingUse};

#[derive(Serialize)]
pub(super) struct Configuration<'c> {
    files: Vec<File<'c>>,
    features: Vec<Feature<'c>>,
    requires: Vec<Requires<'c>>,
    not_people: Vec<NotPerson<'c>>,
    open: Vec<Open<'c>>,
}

#[derive(Serialize)]
struct File<'c> {
    path: &'c str,
    sha256: &'c str,
    rows: u64,
    features: Vec<&'static str>,
}

#[derive(Serialize)]
struct Feature<'c> {
    product: &'static str,
    feature: &'static str,
    enabled: u64,
    /// `null` where no log shows its use.
    used: Option<u64>,
    never_used: &'c [String],
    used_not_enabled: &'c [String],
    used_not_listed: &'c [String],
    not_stated: u64,
}

#[derive(Serialize)]
struct Requires<'c> {
    product: &'static str,
    cal: &'static str,
    pack: &'c str,
    observed: u64,
    configuration: u64,
    together: u64,
    features: Vec<&'static str>,
    beyond_observed: &'c [String],
}

#[derive(Serialize)]
struct NotPerson<'c> {
    account: &'c str,
    kind: &'c str,
}

#[derive(Serialize)]
struct Open<'c> {
    account: &'c str,
    reason: &'static str,
}

pub(super) fn configuration(enabled: &Enabled) -> Configuration<'_> {
    let files = enabled.files.iter().map(|f| File {
        path: &f.path,
        sha256: &f.sha256,
        rows: f.rows,
        features: words(&f.settings),
    });
    let not_people = enabled.not_people.iter().map(|(account, kind)| NotPerson { account, kind });
    let open = enabled.open.iter().map(|(account, reason)| Open { account, reason });
    Configuration {
        files: files.collect(),
        features: enabled.settings.iter().map(feature).collect(),
        requires: enabled.requires.iter().map(requires).collect(),
        not_people: not_people.collect(),
        open: open.collect(),
    }
}

fn words(settings: &[Setting]) -> Vec<&'static str> {
    settings.iter().map(|setting| setting.as_str()).collect()
}

fn feature(row: &SettingUse) -> Feature<'_> {
    Feature {
        product: row.setting.product().as_str(),
        feature: row.setting.as_str(),
        enabled: row.enabled,
        used: row.used,
        never_used: &row.never_used,
        used_not_enabled: &row.used_not_enabled,
        used_not_listed: &row.used_not_listed,
        not_stated: row.not_stated,
    }
}

fn requires(row: &ConfiguredCals) -> Requires<'_> {
    Requires {
        product: row.product.as_str(),
        cal: row.cal.as_str(),
        pack: &row.pack,
        observed: row.observed,
        configuration: row.configuration,
        together: row.together,
        features: words(&row.settings),
        beyond_observed: &row.beyond_observed,
    }
}
