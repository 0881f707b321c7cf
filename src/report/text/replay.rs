//! An auditor's list beside the count for a terminal, where one was given.

use std::collections::BTreeMap;
use std::io;

use super::page::Page;
use super::words::{counted, number};
use super::{NAME, NAMES, some};
use crate::census::{Census, NotCounted};
use crate::report::day_text;
use crate::report::escape::{shortened, terminal};

/// Both numbers, and the names that make the difference.
pub(super) fn replay(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    const LABEL: usize = 18;
    let Some(replay) = &census.replay else { return Ok(()) };
    page.heading("BESIDE THE AUDITOR'S LIST", &terminal(&replay.path))?;
    let text = format!(
        "{}, {} of counted people",
        counted(replay.accounts, "account", "accounts"),
        number(replay.accounts_of_counted)
    );
    page.labelled(2, "the list", LABEL, &text)?;
    let people = counted(replay.people, "person counted", "people counted");
    page.labelled(2, "the logs", LABEL, &format!("{people} on {}", days(replay.covered_days)))?;
    let mut by_reason: BTreeMap<String, Vec<&NotCounted>> = BTreeMap::new();
    for account in &replay.not_counted {
        by_reason.entry(account.reasons.join(", ")).or_default().push(account);
    }
    for (reason, accounts) in &by_reason {
        let names: Vec<String> = accounts.iter().map(|a| seen(&a.account, a.last)).collect();
        let what = match reason.as_str() {
            "never-seen" => format!("never seen in {}", days(replay.covered_days)),
            "ambiguous" => "a name that several people have".to_owned(),
            "no-access" => "named, but not by an access of its own".to_owned(),
            rules => format!("not counted: {rules}"),
        };
        let listed = counted(names.len() as u64, "account", "accounts");
        page.labelled(
            2,
            "only in the list",
            LABEL,
            &format!("{listed} {what}: {}", some(&names, NAMES)),
        )?;
    }
    if !replay.not_listed.is_empty() {
        let names: Vec<String> =
            replay.not_listed.iter().map(|(id, last)| seen(id, Some(*last))).collect();
        let people = counted(names.len() as u64, "person", "people");
        page.labelled(2, "only in the logs", LABEL, &format!("{people}: {}", some(&names, NAMES)))?;
    }
    if replay.nameless > 0 {
        let rows = counted(replay.nameless, "row of the list names", "rows of the list name");
        page.alert(2, &format!("{rows} nobody."))?;
    }
    page.paragraph(
        2,
        "An account is no access, and \"never seen\" is no proof of absence: it holds for the days and logs that were \
         read.",
    )
}

fn days(n: u64) -> String {
    counted(n, "covered day", "covered days")
}

fn seen(name: &str, last: Option<i64>) -> String {
    let day = |last: i64| day_text(last.div_euclid(calproof_parsers::time::DAY_MS) as i32);
    match last {
        Some(last) => format!("{} (last {})", shortened(name, NAME), day(last)),
        None => shortened(name, NAME),
    }
}
