//! Principals as a configuration states them: `*` stands for anything, case does not matter.

use crate::identity::{Identities, People, PersonId};

/// A list of stated principals; each in every spelling that the configuration makes one of it.
pub(super) struct Patterns(Vec<Vec<Vec<String>>>);

impl Patterns {
    /// Reads a list; an entry is split at its stars.
    pub(super) fn new<'a>(
        stated: impl IntoIterator<Item = &'a String>,
        identities: &Identities,
    ) -> Patterns {
        let parts = |text: String| text.split('*').map(str::to_owned).collect();
        let spellings =
            |s: &String| vec![parts(s.to_lowercase()), parts(identities.canonical_text(s))];
        Patterns(stated.into_iter().map(spellings).collect())
    }

    /// The first entry that names the person, by id or by any of the spellings logged.
    pub(super) fn find(
        &self,
        person: PersonId,
        people: &People,
        identities: &Identities,
    ) -> Option<usize> {
        let forms = &people.forms[person as usize];
        let names = |parts: &Vec<String>| {
            matches(parts, &people.ids[person as usize])
                || forms.iter().map(|f| identities.get(*f)).any(|form| {
                    matches(parts, &form.text)
                        || matches(parts, &form.canonical)
                        || form.spelled.iter().any(|s| matches(parts, &s.to_lowercase()))
                })
        };
        self.0.iter().position(|spellings| spellings.iter().any(names))
    }
}

/// Whether `text` is the parts in order with anything between them.
fn matches(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|p| p == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        let parts = |p: &str| p.split('*').map(str::to_owned).collect::<Vec<_>>();
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("svc_*", "svc_backup", true),
            ("*\\svc_*_x", "contoso\\svc_a_x", true),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
        ] {
            assert_eq!(matches(&parts(pattern), text), expected, "{pattern} {text}");
        }
    }
}
