//! What weakens the count, in one sentence each.

use calproof_parsers::Notice;

use super::{Census, DayState, Warning};
use crate::config::Config;
use crate::identity::Identities;
use crate::ingest::input::InputReport;

/// Everything that the reader of the numbers must know, sorted.
pub(super) fn warnings(
    inputs: &[InputReport],
    census: &Census,
    identities: &Identities,
    config: &Config,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = inputs.iter().flat_map(of_input).collect();
    let mut general = |code: &'static str, text: String| {
        warnings.push(Warning { code, path: String::new(), text });
    };
    let bare = census.people.iter().filter(|p| !p.id.contains(['\\', '@'])).count();
    if bare > 0 && config.organization.default_domain.is_none() {
        general(
            "bare-names",
            format!(
                "{bare} counted names were logged without a domain and stay probable aliases; \
                 `default_domain` in calproof.toml would settle them"
            ),
        );
    }
    if identities.guessed_encodings() > 0 {
        general(
            "assumed-encoding",
            format!(
                "{} names are not UTF-8 and were read as windows-1252; `encoding` of their server in \
                 calproof.toml states another code page",
                identities.guessed_encodings()
            ),
        );
    }
    if inputs.iter().any(|i| i.digest.is_none() && i.trouble.is_none() && i.bytes > 0) {
        general(
            "duplicates-not-checked",
            "without a digest, a log that is there twice has its events counted twice (people and devices are not)"
                .to_owned(),
        );
    }
    let gaps: u64 = census
        .coverage
        .iter()
        .flat_map(|c| &c.days)
        .filter(|(_, state)| matches!(state, DayState::Absent | DayState::Blind))
        .count() as u64;
    if gaps > 0 {
        general(
            "coverage-gaps",
            format!(
                "{gaps} server days between the first and the last log have no usable rows; missing logs are not missing use"
            ),
        );
    }
    warnings.sort();
    warnings.dedup();
    warnings
}

fn of_input(input: &InputReport) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut add = |code: &'static str, text: String| {
        found.push(Warning { code, path: input.path.clone(), text });
    };
    if let Some(trouble) = &input.trouble {
        add("unreadable", trouble.clone());
    }
    if let Some(changed) = &input.changed {
        add("changed-while-read", format!("the file changed while it was read: {changed}"));
    }
    if input.lines.rejected > 0 {
        add(
            "rejected-lines",
            format!("{} lines could not be read; the count is a floor", input.lines.rejected),
        );
    }
    if input.looks_like_log {
        add(
            "unknown-log",
            "looks like a log of a format that is not read; whoever it shows is missing from the count".to_owned(),
        );
    }
    if let Some(log_type) = input.carries_no_access {
        add(
            "no-access-log",
            format!("an Exchange `{log_type}`: it shows no client's access and is not read"),
        );
    }
    for notice in &input.notices {
        match notice {
            Notice::Blind { missing } => add(
                "blind-log",
                format!("`#Fields` has no `{missing}`: the log cannot show who was served"),
            ),
            Notice::AssumedFields => add(
                "assumed-fields",
                "no `#Fields` directive: the columns of a known layout were assumed".to_owned(),
            ),
            Notice::UnknownTimeBase => add(
                "unknown-time-base",
                "times are local and no offset is stated; they are taken as UTC (`time_zone` of the server settles it)"
                    .to_owned(),
            ),
        }
    }
    found
}
