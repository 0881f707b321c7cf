//! Taking the census once, or once more under every disputed reading of the rules.

use super::enabled::Exports;
use super::ground::Ground;
use super::judged::Judged;
use super::licences::Licences;
use super::replay::Accounts;
use super::requirement::requirements;
use super::sensitivity::{self, Reading};
use super::take::{CensusError, Question, census};
use super::{Census, exchanges};
use crate::facts::usage::Usage;
use crate::ingest::input::InputReport;

/// Takes the census.
///
/// # Errors
///
/// A configured rule pack that does not exist, an inventory that cannot be read.
pub fn take(
    usage: Usage,
    inputs: Vec<InputReport>,
    question: &Question<'_>,
) -> Result<Census, CensusError> {
    take_and_compare(usage, inputs, question, &Comparisons::default())
}

/// What the census is compared with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comparisons<'a> {
    /// Whether it is taken once more under every disputed reading of the rules.
    pub sensitivity: bool,
    /// An auditor's list of all accounts.
    pub accounts: Option<&'a Accounts>,
    /// Exports of what accounts are enabled for.
    pub exports: Option<&'a Exports>,
}

/// Takes the census, and compares it as asked.
///
/// # Errors
///
/// As [`take`].
pub fn take_and_compare(
    mut usage: Usage,
    inputs: Vec<InputReport>,
    question: &Question<'_>,
    wanted: &Comparisons<'_>,
) -> Result<Census, CensusError> {
    let epids = exchanges::decide(&mut usage, question.period, question.scope, &inputs);
    usage.sort();
    let (usage, config) = (&usage, question.config);
    let licences = Licences::load(config, question.packs).map_err(Box::new)?;
    let ground = Ground::new(usage, &usage.facts, &epids, question)?;
    let mut census = census(&ground, &licences, &inputs, question, wanted)?;
    if wanted.sensitivity {
        let require = |ground: &Ground<'_>, reading: &Reading| {
            requirements(&Judged::new(ground, reading).basis(ground, false))
        };
        census.sensitivity = sensitivity::table(&census.requirements, |reading| {
            Ok::<_, CensusError>(match reading.facts(&usage.facts) {
                None => require(&ground, reading),
                Some(facts) => require(&Ground::new(usage, &facts, &epids, question)?, reading),
            })
        })?;
    }
    census.inputs = inputs;
    Ok(census)
}
