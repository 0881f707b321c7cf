//! What accounts are enabled for beside what they use, for a terminal, where exports were given.

use std::io;

use super::page::{Column, Page};
use super::words::{cal, counted, number, product};
use super::{NAME, NAMES, some};
use crate::census::{Census, ConfiguredCals, SettingUse};
use crate::report::escape::shortened;

/// Enabled, used, enabled but never used; and what the settings require.
pub(super) fn enabled(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    const LABEL: usize = 18;
    let Some(enabled) = &census.enabled else { return Ok(()) };
    page.heading(
        "ENABLED, USED, NEVER USED",
        "settings beside accesses; they change no number of the count",
    )?;
    let rows: Vec<Vec<String>> = enabled.settings.iter().map(row).collect();
    let columns = [
        Column::Left("accounts"),
        Column::Right("enabled"),
        Column::Right("used"),
        Column::Right("never used"),
        Column::Right("used, not enabled"),
        Column::Right("used, not listed"),
    ];
    page.table(2, &columns, &rows)?;
    page.blank()?;
    for cals in &enabled.requires {
        page.labelled(2, "by configuration", LABEL, &required(cals))?;
    }
    let lists = |s: &SettingUse| {
        [
            ("never used", names(&s.never_used)),
            ("used, not enabled", names(&s.used_not_enabled)),
            ("used, not listed", names(&s.used_not_listed)),
        ]
    };
    for setting in &enabled.settings {
        for (label, names) in lists(setting).into_iter().filter(|(_, names)| !names.is_empty()) {
            page.labelled(2, label, LABEL, &format!("{}: {names}", title(setting)))?;
        }
        if setting.not_stated > 0 {
            let n = counted(setting.not_stated, "account has", "accounts have");
            page.labelled(2, "not stated", LABEL, &format!("{}: {n} no value", title(setting)))?;
        }
    }
    if !enabled.not_people.is_empty() {
        let names: Vec<String> = enabled
            .not_people
            .iter()
            .map(|(account, kind)| format!("{} ({})", shortened(account, NAME), kind))
            .collect();
        let n = counted(names.len() as u64, "mailbox", "mailboxes");
        let text = format!("{n} of no single person, in no number here: {}", some(&names, NAMES));
        page.labelled(2, "not people", LABEL, &text)?;
    }
    if !enabled.open.is_empty() {
        let names: Vec<String> = enabled
            .open
            .iter()
            .map(|(account, reason)| {
                let why = match *reason {
                    "ambiguous" => "a name that several people have",
                    _ => "a journal rule's recipient that no mailbox has: perhaps a list",
                };
                format!("{} ({why})", shortened(account, NAME))
            })
            .collect();
        page.labelled(2, "not settled", LABEL, &some(&names, NAMES))?;
    }
    page.paragraph(
        2,
        "An export says how things stood on its day. \"Never used\" means: not in the logs that were read, from the \
         first to the last day asked about.",
    )
}

fn title(s: &SettingUse) -> String {
    format!("{} {}", product(s.setting.product()), s.setting.as_str())
}

fn row(s: &SettingUse) -> Vec<String> {
    let size = |names: &[String]| number(names.len() as u64);
    let (used, never, not_listed) = match s.used {
        Some(used) => (number(used), size(&s.never_used), size(&s.used_not_listed)),
        None => ("-".to_owned(), "no log shows it".to_owned(), "-".to_owned()),
    };
    let not_enabled = if s.used.is_some() { size(&s.used_not_enabled) } else { "-".to_owned() };
    vec![title(s), number(s.enabled), used, never, not_enabled, not_listed]
}

fn names(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| shortened(name, NAME)).collect();
    some(&names, NAMES)
}

fn required(cals: &ConfiguredCals) -> String {
    let settings: Vec<&str> = cals.settings.iter().map(|setting| setting.as_str()).collect();
    format!(
        "{} {}: configuration requires {} ({}; rule pack {}), observed usage requires {}, both together {}",
        product(cals.product),
        cal(cals.cal),
        number(cals.configuration),
        settings.join(", "),
        shortened(&cals.pack, NAME),
        number(cals.observed),
        number(cals.together)
    )
}
