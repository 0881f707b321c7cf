//! Taking the census once, or once more under every disputed reading of the rules.

use super::enabled::Exports;
use super::replay::Accounts;
use super::sensitivity::{self, Reading};
use super::take::{CensusError, Question, judge};
use super::{Census, Detail, exchanges};
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
    let judge = |question: &Question<'_>, reading: &Reading, wanted: &Comparisons<'_>| {
        judge(&usage, &epids, &inputs, question, reading, wanted)
    };
    let mut census = judge(question, &Reading::default(), wanted)?;
    if wanted.sensitivity {
        let brief = Question { detail: Detail::Report, ..*question };
        census.sensitivity =
            sensitivity::table(&census, |reading| judge(&brief, reading, &Comparisons::default()))?;
    }
    census.inputs = inputs;
    Ok(census)
}
