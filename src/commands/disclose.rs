//! `calproof disclose`: opens single names and rows of a bundle whose names are pseudonyms.

use super::output::{self, OutputError};
use super::scan::Done;
use crate::cli::DiscloseArgs;
use crate::disclose::{self, Asked, DiscloseError};

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The bundle, the key or the logs do not give what is asked for.
    #[error(transparent)]
    Disclose(#[from] DiscloseError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Opens what is asked for and writes it.
///
/// # Errors
///
/// Where nothing was opened.
pub fn disclose(args: &DiscloseArgs) -> Result<Done, CommandError> {
    let asked = Asked {
        bundle: &args.bundle,
        key: &args.key,
        logs: args.logs.as_deref(),
        what: &args.what,
        files: &args.files,
    };
    if let Some(output) = args.output.as_deref().filter(|path| path.as_os_str() != "-") {
        output::check(output)?;
    }
    let disclosed = disclose::disclose(&asked)?;
    output::write(args.output.as_deref(), |out| disclose::write(&disclosed, out))?;
    Ok(Done { floor: false, remarks: disclosed.remarks })
}
