//! `calproof explain`: the whole story of one name.

use super::output;
use super::scan::{Done, ScanError, Surveyed, style, survey};
use crate::census::Detail;
use crate::cli::{ExplainArgs, Form};
use crate::explain::{self, Explanation};

/// Why nothing was explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The logs cannot be read, or the output cannot be written.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A story is no table of people.
    #[error("--format csv: found a form that `explain` does not have, expected table or json")]
    Csv,
}

/// Reads the logs and tells all about the name; where nobody has it, says whose come near.
///
/// # Errors
///
/// As [`scan`](super::scan::scan); and `--format csv`.
pub fn explain(args: &ExplainArgs) -> Result<Done, ExplainError> {
    let flags = &args.reading;
    if flags.format == Form::Csv {
        return Err(ExplainError::Csv);
    }
    let Surveyed { census, packs, inputs, weak } = survey(&args.paths, flags, Detail::Full, None)?;
    let mut told = match Explanation::of(&args.name, &census, &packs) {
        Ok(told) => told,
        Err(unknown) => return Ok(Done { floor: true, remarks: vec![unknown.to_string()] }),
    };
    explain::read_rows(&mut told, &census, &inputs, args.rows);
    let style = style(flags);
    let write = |out: &mut dyn std::io::Write| match flags.format {
        Form::Json => explain::json(&told, out),
        Form::Table | Form::Csv => explain::text(&told, style, out),
    };
    output::write(flags.output.as_deref(), write).map_err(ScanError::from)?;
    let mut remarks = Vec::new();
    if weak && !flags.quiet {
        remarks.push(
            "something could not be read, so there may be more of this; `calproof scan` says what"
                .to_owned(),
        );
    }
    Ok(Done { floor: weak, remarks })
}
