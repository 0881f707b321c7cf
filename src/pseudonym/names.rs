//! Pseudonyms as they are given, each checked against all others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::key::{DIGITS, Key, opened};
use crate::identity::principal;

/// What a pseudonym stands for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Whoever the census knows under one id.
    Person,
    /// A name as logged or stated, a local part, a mailbox.
    Account,
    /// A device, with address and agent where it is known by these.
    Device,
    /// An address.
    Address,
    /// A server that is named after a folder, or after somebody.
    Server,
    /// A part of a path.
    Path,
    /// Text that may hold names.
    Text,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 7] = [
        Kind::Person,
        Kind::Account,
        Kind::Device,
        Kind::Address,
        Kind::Server,
        Kind::Path,
        Kind::Text,
    ];

    /// The kind of a pseudonym, and its digits; `None` for a text that is none.
    ///
    /// ```
    /// use calproof::pseudonym::Kind;
    /// let digits = "0123456789abcdef0123456789";
    /// assert_eq!(Kind::of(&format!("person-{digits}")), Some((Kind::Person, digits)));
    /// assert_eq!(Kind::of("person-anna"), None);
    /// ```
    pub fn of(pseudonym: &str) -> Option<(Kind, &str)> {
        let kind = Kind::ALL.into_iter().find(|kind| pseudonym.starts_with(kind.prefix()))?;
        let digits = &pseudonym[kind.prefix().len()..];
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == DIGITS && digits.bytes().all(is_digit)).then_some((kind, digits))
    }

    /// What its pseudonyms begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Person => "person-",
            Kind::Account => "account-",
            Kind::Device => "device-",
            Kind::Address => "address-",
            Kind::Server => "server-",
            Kind::Path => "path-",
            Kind::Text => "text-",
        }
    }
}

/// Two names with one pseudonym.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "two names have the pseudonym {0}: with a key that was drawn at random this does not happen; use another key, \
     for pseudonyms that are not distinct would change the count"
)]
pub struct Clash(pub String);

/// The pseudonyms that were given, and the names that they stand for.
pub struct Pseudonyms<'k> {
    key: &'k Key,
    /// Digits to name.
    given: BTreeMap<String, String>,
    clash: Option<Clash>,
    /// Ids of people and accounts.
    pub(super) ids: BTreeSet<String>,
    /// Labels of devices.
    pub(super) labels: BTreeSet<String>,
    /// Words of which names are made, in lower case.
    words: BTreeSet<String>,
    /// Servers that keep their names, in lower case.
    pub(super) servers: BTreeSet<String>,
}

impl<'k> Pseudonyms<'k> {
    /// None given yet.
    pub fn new(key: &'k Key) -> Pseudonyms<'k> {
        Pseudonyms {
            key,
            given: BTreeMap::new(),
            clash: None,
            ids: BTreeSet::new(),
            labels: BTreeSet::new(),
            words: BTreeSet::new(),
            servers: BTreeSet::new(),
        }
    }

    /// The key.
    pub fn key(&self) -> &'k Key {
        self.key
    }

    /// Whether every name got a pseudonym of its own.
    ///
    /// # Errors
    ///
    /// Two names have one.
    pub fn check(&self) -> Result<(), Clash> {
        self.clash.clone().map_or(Ok(()), Err)
    }

    /// The pseudonym of a text. Names of people and accounts compare without case, all others byte by
    /// byte. What stands for nobody (`-`, or nothing) stays.
    ///
    /// The digits depend on the text alone: `person-…` and `account-…` of one name end alike.
    ///
    /// ```
    /// use calproof::pseudonym::{Key, Kind, Pseudonyms};
    /// let key = Key::parse(&[7; 32]).unwrap();
    /// let mut names = Pseudonyms::new(&key);
    /// let anna = names.give(Kind::Person, "contoso\\anna");
    /// assert_eq!(names.give(Kind::Person, "CONTOSO\\Anna"), anna);
    /// assert_eq!(anna.len(), "person-".len() + 26);
    /// assert_eq!(names.give(Kind::Account, "-"), "-");
    /// ```
    pub fn give(&mut self, kind: Kind, text: &str) -> String {
        if text.is_empty() || text == "-" {
            return text.to_owned();
        }
        let text = match kind {
            Kind::Person | Kind::Account => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let digits = opened(&self.key.salt_of_name(&text), &text);
        let pseudonym = format!("{}{digits}", kind.prefix());
        if self.given.entry(digits).or_insert_with(|| text.clone()) != &text {
            self.clash.get_or_insert_with(|| Clash(pseudonym.clone()));
        }
        pseudonym
    }

    /// The pseudonym of something that may be a person, a device or an address.
    pub fn of_any(&mut self, text: &str) -> String {
        let kind = if self.ids.contains(text) {
            Kind::Person
        } else if self.labels.contains(text) {
            Kind::Device
        } else if text.parse::<IpAddr>().is_ok() {
            Kind::Address
        } else {
            Kind::Account
        };
        self.give(kind, text)
    }

    /// Remembers a name of somebody, so that paths and headers that mention it do not stand.
    pub(super) fn remember(&mut self, name: &str) {
        let local = principal::parse(name).local;
        // A server has an account of its own name, and a server is nobody.
        if !local.ends_with('$') {
            self.words.extend(words(&local));
        }
    }

    /// Whether a text has a word of a name in it.
    pub(super) fn mentions(&self, text: &str) -> bool {
        words(text).any(|word| self.words.contains(&word) && !self.is_nobody(&word))
    }

    /// Whether a word in lower case is one that servers use, and nobody is known under it. Only letters
    /// are theirs for certain: somebody may log on as `test1`, `data` is no name.
    pub(super) fn is_nobody(&self, word: &str) -> bool {
        let own = word.bytes().any(|b| b.is_ascii_digit()) && self.words.contains(word);
        super::path::is_common(word) && !own
    }

    /// Text that is kept where it mentions nobody.
    pub(super) fn unless_named(&mut self, text: &str) -> String {
        if self.mentions(text) { self.give(Kind::Text, text) } else { text.to_owned() }
    }
}

/// The words of a text in lower case: runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase();
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn the_same_key_gives_the_same_pseudonyms_and_another_key_others() {
        let keys = [Key::parse(&[1; 32]).unwrap(), Key::parse(&[2; 32]).unwrap()];
        let give = |key: &Key| Pseudonyms::new(key).give(Kind::Person, "anna");
        assert_eq!(give(&keys[0]), give(&keys[0].clone()));
        assert_ne!(give(&keys[0]), give(&keys[1]));
    }

    #[test]
    fn case_parts_devices_but_not_people() {
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        let mut same = |kind| names.give(kind, "10.1.1.5 Moz") == names.give(kind, "10.1.1.5 moz");
        assert!(same(Kind::Account) && !same(Kind::Device));
    }

    #[test]
    fn two_names_under_one_pseudonym_are_an_error() {
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        let anna = names.give(Kind::Person, "anna");
        assert_eq!(names.check(), Ok(()));
        names.given.insert(anna["person-".len()..].to_owned(), "ben".to_owned());
        names.give(Kind::Account, "anna");
        assert!(names.check().unwrap_err().to_string().contains("another key"));
    }

    #[test]
    fn a_text_mentions_a_name_as_a_word_in_any_case() {
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        names.remember("CONTOSO\\Anna.Arndt");
        names.remember("ex01$");
        names.remember("log");
        assert!(names.mentions("x-ARNDT-id") && names.mentions("of anna's"));
        assert!(!names.mentions("annabel") && !names.mentions("EX01") && !names.mentions("a.log"));
        assert!(!names.mentions("contoso"));
        names.remember("user1");
        assert!(names.mentions("logs/user1") && !names.mentions("logs/user2"));
    }
}
