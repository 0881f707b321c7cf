//! `calproof rules`: the rule packs with their sources.

use std::io;

use super::output::{self, OutputError};
use crate::cli::RulesCommand;
use crate::rules::{self, RuleError, RuleErrorKind, RulePack};

/// Why the packs cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A pack that does not load, or that nobody knows.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Lists, shows or checks rule packs; `false` where a checked pack is refused.
///
/// # Errors
///
/// An unknown id; standard output that takes no text.
pub fn rules(command: &RulesCommand) -> Result<bool, RulesError> {
    let mut good = true;
    match command {
        RulesCommand::List { rules: own } => {
            let packs = RulePack::with_own(own)?;
            output::write(None, |out| rules::list(&packs, out))?;
        }
        RulesCommand::Check { files } => output::write(None, |out| {
            good = rules::check(files, out)?;
            Ok(())
        })?,
        RulesCommand::Show { id, rules: own } => {
            let packs = RulePack::with_own(own)?;
            let mut unknown = None;
            output::write(None, |out| match rules::show(&packs, id, out) {
                Ok(()) => Ok(()),
                Err(RuleError { kind: RuleErrorKind::Unwritable(error), .. }) => Err(error),
                Err(error) => {
                    unknown = Some(error);
                    io::Result::Ok(())
                }
            })?;
            if let Some(error) = unknown {
                return Err(error.into());
            }
        }
    }
    Ok(good)
}
