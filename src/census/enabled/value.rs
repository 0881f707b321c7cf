//! What a cell of an export says, and what is wrong with it.

use super::setting::Says;
use crate::identity::entry::{Attribute, Column, Draft, shown};

/// The cell as text, where it is UTF-8.
pub(super) fn utf8<'r>(value: &'r [u8], column: &str, flaws: &mut Vec<String>) -> Option<&'r str> {
    let value = value.trim_ascii();
    let text = std::str::from_utf8(value);
    if text.is_err() {
        let found = shown(&crate::identity::decode(value, None));
        flaws.push(format!(
            "{column}: found `{found}`, expected UTF-8; use `Export-Csv -Encoding UTF8`"
        ));
    }
    text.ok()
}

/// `True` or `False`; nothing where the cell is empty.
pub(super) fn flag(value: &str, column: &str, flaws: &mut Vec<String>) -> Option<bool> {
    match value {
        "" => None,
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => {
            flaws.push(format!("{column}: found `{}`, expected True or False", shown(value)));
            None
        }
    }
}

/// Whether there is an archive on the organisation's own servers. One that an online service hosts
/// asks no CAL of these servers (R103).
pub(super) fn archive(
    says: Says,
    value: &str,
    column: &str,
    flaws: &mut Vec<String>,
) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    match says {
        Says::ArchiveState if value.is_empty() => None,
        _ if value.is_empty() => Some(false),
        Says::ArchiveDatabase => Some(true),
        Says::ArchiveState if is(&["Local", "OnPremise"]) => Some(true),
        Says::ArchiveState if is(&["None", "HostedProvisioned", "HostedPending"]) => Some(false),
        Says::ArchiveGuid if is_guid(value) => Some(value.bytes().any(|b| !b"0-{}".contains(&b))),
        _ => {
            let expected = match says {
                Says::ArchiveState => "None, Local, OnPremise, HostedProvisioned or HostedPending",
                _ => "a GUID",
            };
            flaws.push(format!("{column}: found `{}`, expected {expected}", shown(value)));
            None
        }
    }
}

fn is_guid(value: &str) -> bool {
    let digits = value.bytes().filter(|b| b.is_ascii_hexdigit()).count();
    digits == 32 && value.bytes().all(|b| b.is_ascii_hexdigit() || b"-{}".contains(&b))
}

/// Whose messages a journal rule keeps.
pub(super) fn recipient(value: &str, draft: &mut Draft, flaws: &mut Vec<String>) {
    if value.is_empty() {
        flaws.push(
            "Recipient: found none, so that the rule keeps everybody's messages, expected one recipient; nobody is \
             counted for it"
                .to_owned(),
        );
        return;
    }
    let column = match value.contains('@') {
        true => Column::Name(Attribute::Mail),
        false => Column::Name(Attribute::Account),
    };
    flaws.extend(draft.add(column, value).err().map(|flaw| flaw.to_string()));
}
