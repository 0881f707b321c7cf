//! `calproof verify`: says whether a bundle is what it says.

use super::output::{self, OutputError};
use crate::cli::VerifyArgs;
use crate::report::escape;
use crate::shown;
use crate::verify::{self, Asked, VerifyError};

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The bundle, the logs or a key cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Standard output takes no text.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Verifies a bundle and prints what was found; `true` where it is verified.
///
/// # Errors
///
/// Where nothing can be said.
pub fn verify(args: &VerifyArgs) -> Result<bool, CommandError> {
    let asked = Asked {
        logs: args.logs.as_deref(),
        full: args.full,
        previous: args.previous.as_deref(),
        signer: args.signer.as_deref(),
        disclosed: args.disclosed.as_deref(),
        authority: args.tsa.as_deref(),
    };
    let verdict = verify::verify(&args.bundle, &asked)?;
    let good = verdict.refusals.is_empty();
    output::write(None, |out| {
        for refusal in &verdict.refusals {
            writeln!(out, "refused: {}", escape::terminal(refusal))?;
        }
        for note in &verdict.notes {
            writeln!(out, "{}", escape::terminal(note))?;
        }
        let shown = shown::path(&args.bundle);
        let word = if good { "verified" } else { "REFUSED" };
        writeln!(out, "{}: {word}", escape::terminal(&shown))
    })?;
    Ok(good)
}
