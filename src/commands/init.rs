//! `calproof init`: a configuration to start from.

use std::fs;

use super::output::{self, OutputError};
use crate::cli::InitArgs;
use crate::shown;

/// The commented configuration: every key, none in force.
///
/// A line that begins with `# ` is prose; one that begins with `#` and no blank is a setting to
/// uncomment.
pub const TEMPLATE: &str = include_str!("calproof.toml");

/// Writes the commented configuration.
///
/// # Errors
///
/// Where there is a file already and `--force` is not given, or nothing can be written.
pub fn init(args: &InitArgs) -> Result<(), OutputError> {
    if !args.force && args.output.as_os_str() != "-" && fs::symlink_metadata(&args.output).is_ok() {
        output::check(&args.output)?;
        return Err(OutputError::Exists { path: shown::path(&args.output) });
    }
    output::write(Some(&args.output), |out| out.write_all(TEMPLATE.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use crate::config::Config;

    fn uncommented() -> String {
        let settings = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
            _ => line,
        });
        settings.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn as_written_it_states_nothing() {
        let config = Config::parse(TEMPLATE, "calproof.toml").unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn with_the_comments_off_it_is_read() {
        let config = Config::parse(&uncommented(), "calproof.toml").unwrap();
        assert_eq!(config.organization.realms["CONTOSO"], "contoso.com");
        assert_eq!(config.servers.len(), 2);
    }

    /// A key of the configuration that the template forgets would have its default in the
    /// uncommented text too.
    #[test]
    fn every_key_is_shown() {
        let shown = format!("{:?}", Config::parse(&uncommented(), "calproof.toml").unwrap());
        let default = format!("{:?}", Config::default());
        let keys = |debug: &str| -> Vec<String> {
            let words = debug.split([' ', '{', '(', '[']);
            words.filter_map(|w| w.strip_suffix(':')).map(str::to_owned).collect()
        };
        for key in keys(&shown).into_iter().chain(keys(&default)) {
            let key = match key.as_str() {
                "servers" => "server",
                "excludes" => "exclude",
                key => key,
            };
            let setting = |line: &str| {
                let line = line.trim_start_matches('[');
                line.starts_with(key)
                    || line.contains(&format!("[{key}"))
                    || line.contains(&format!(".{key}"))
            };
            let quoted = key.starts_with('"');
            assert!(quoted || uncommented().lines().any(setting), "`{key}` is not in the template");
        }
    }
}
