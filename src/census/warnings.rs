//! What weakens the count, in one sentence each.

use calproof_parsers::Notice;

use super::{Census, DayState, Multiplexer, Warning};
use crate::config::Config;
use crate::identity::Identities;
use crate::identity::directory::Recognised;
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
                 `default_domain`, or a directory, in calproof.toml would settle them"
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

/// How many names a sentence lists.
const NAMES: usize = 8;

/// The first names, and how many more there are.
fn some(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMES);
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Who is not in the directory, and what the directory leaves open.
pub(super) fn of_directory(census: &Census, recognised: Option<&Recognised>) -> Vec<Warning> {
    let Some(recognised) = recognised else { return Vec::new() };
    let findings = recognised.findings().iter().map(|f| (f.code(), f.to_string()));
    let mut found: Vec<(&'static str, String)> = findings.collect();
    let unknown: Vec<&str> = census
        .people
        .iter()
        .filter(|p| p.known_to_directory == Some(false))
        .map(|p| p.id.as_str())
        .collect();
    if !unknown.is_empty() {
        let are = if unknown.len() == 1 { "person is" } else { "people are" };
        let text = format!(
            "{} counted {are} not in the directory: {}; an account that was deleted or is of another forest, or a \
             name in another spelling (`known_to_directory` in the JSON report marks each)",
            unknown.len(),
            some(&unknown)
        );
        found.push(("not-in-directory", text));
    }
    let general = |(code, text)| Warning { code, path: String::new(), text };
    found.into_iter().map(general).collect()
}

/// Accounts that acted for others.
pub(crate) fn of_multiplexers(multiplexers: &[Multiplexer]) -> Vec<Warning> {
    let told = |m: &Multiplexer| {
        let names = |list: &[String]| some(&list.iter().map(String::as_str).collect::<Vec<_>>());
        let mut parts = Vec::new();
        for (list, what) in [
            (&m.people, "counted"),
            (&m.unresolved, "only in the upper number"),
            (&m.excluded, "left out by a rule"),
        ] {
            if !list.is_empty() {
                parts.push(format!("{what}: {}", names(list)));
            }
        }
        let (code, remedy) = if m.stated {
            ("multiplexer", "")
        } else {
            (
                "multiplexer-not-stated",
                "; if it is a program, state it under `[identity] service` in calproof.toml, and whoever is provably \
                 a person counts",
            )
        };
        let behind = m.people.len() + m.unresolved.len() + m.excluded.len();
        let identities = if behind == 1 { "identity" } else { "identities" };
        let text =
            format!("{} acted for {behind} {identities} ({}){remedy}", m.account, parts.join("; "));
        Warning { code, path: String::new(), text }
    };
    // A mailbox that a colleague opened is no news where its owner counts anyway.
    multiplexers.iter().filter(|m| m.stated || !m.unresolved.is_empty()).map(told).collect()
}
