//! What must hold in a pack beyond its shape: its examples, and a base for every additive CAL.

use super::{
    error::RuleErrorKind,
    pack::{RulePack, Usage},
    vocabulary::{Cal, Expect, Feature, SERVICES},
};

/// Something wrong with one rule.
pub(super) struct Fault {
    /// Which rule of the pack, from 0.
    pub(super) rule: usize,
    /// What is wrong.
    pub(super) kind: RuleErrorKind,
}

/// Runs every example, then every use in the vocabulary that an additive rule is about.
pub(super) fn examples(pack: &RulePack) -> Result<(), Fault> {
    for (place, rule) in pack.rules.iter().enumerate() {
        for example in &rule.examples {
            let usage = example.usage();
            let standing: Vec<_> = if example.outcome.in_demand() {
                pack.required(&usage).collect()
            } else {
                Vec::new()
            };
            let applies = standing.iter().any(|found| found.id == rule.id);
            if applies != (example.expect == Expect::Match) {
                let (rule, expect) = (rule.id.clone(), example.expect);
                let kind = RuleErrorKind::ExampleApplies { rule, expect };
                return Err(Fault { rule: place, kind });
            }
            let required: Vec<Cal> = standing.iter().map(|found| found.requires).collect();
            if required != example.requires {
                let (rule, found) = (rule.id.clone(), example.requires.clone());
                let kind = RuleErrorKind::ExampleRequires { rule, found, required };
                return Err(Fault { rule: place, kind });
            }
        }
    }
    bases(pack)
}

/// Every use that requires an additive CAL requires a Standard one as well.
fn bases(pack: &RulePack) -> Result<(), Fault> {
    for usage in usages() {
        for (place, rule) in pack.rules.iter().enumerate() {
            let lone = rule.requires != Cal::Standard
                && rule.when.matches(&usage)
                && pack.required(&usage).all(|found| found.requires != Cal::Standard);
            if lone {
                let kind = RuleErrorKind::NoBase {
                    rule: rule.id.clone(),
                    cal: rule.requires,
                    usage: in_words(&usage),
                };
                return Err(Fault { rule: place, kind });
            }
        }
    }
    Ok(())
}

/// Every use that the vocabulary can state.
fn usages() -> impl Iterator<Item = Usage<'static>> {
    let services = || std::iter::once(None).chain(SERVICES.into_iter().map(Some));
    let features = || std::iter::once(None).chain(Feature::ALL.iter().copied().map(Some));
    services().flat_map(move |service| {
        features().flat_map(move |feature| {
            [false, true].map(|administrative| Usage { service, feature, administrative })
        })
    })
}

/// A use as messages and the reference name it.
pub(super) fn in_words(usage: &Usage<'_>) -> String {
    let mut text = match (usage.service, usage.feature) {
        (Some(service), Some(feature)) => format!("{service} with {feature}"),
        (Some(service), None) => service.to_owned(),
        (None, Some(feature)) => format!("the setting {feature}"),
        (None, None) => "an access to no known service".to_owned(),
    };
    if usage.administrative {
        text.push_str(", administrative");
    }
    text
}
