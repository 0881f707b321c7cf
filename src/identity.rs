//! One person, several names.
//!
//! Every distinct name as logged becomes a *form*; forms are united where the configuration, the
//! directory or the logs themselves say so, and every union keeps its reason. Two partitions are
//! kept: the full one, which demand counts, and the strict one, in which only what the logs prove
//! is united, for the upper end of the interval. See `counting.md` section 4.

pub mod directory;
pub mod entry;
pub mod principal;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::config::{Config, Organization};
use crate::facts::names::{Name, Names};
use crate::facts::usage::Usage;
use crate::union::Union;
use principal::{Form, Kind};

/// A form's place among the forms, from 0.
pub type FormId = u32;

/// A person's place among the people, from 0.
pub type PersonId = u32;

/// How names of one server are read: code page, and the domain of bare names.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Context {
    /// Code page of names that are not UTF-8.
    pub encoding: Option<String>,
    /// NetBIOS domain of names without one.
    pub default_domain: Option<String>,
}

/// Why two forms are one person.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Join {
    /// A form.
    pub one: FormId,
    /// Another.
    pub other: FormId,
    /// `realms`, `default_domain`, `directory: objectSid`, `imap-login`, …
    pub reason: String,
}

/// Forms and the people behind them.
#[derive(Default)]
pub struct Identities {
    forms: Vec<Form>,
    by_text: HashMap<String, FormId>,
    by_name: HashMap<(Name, u32), FormId>,
    contexts: Vec<Context>,
    full: Union,
    strict: Union,
    joins: Vec<Join>,
    realms: BTreeMap<String, String>,
    suffixes: BTreeMap<String, String>,
    by_canonical: HashMap<String, FormId>,
    default_domain: Option<String>,
    guessed: u64,
}

/// The people after every union.
pub struct People {
    /// Canonical id of each person.
    pub ids: Vec<String>,
    /// Forms of each person, ascending.
    pub forms: Vec<Vec<FormId>>,
    person_of: Vec<PersonId>,
    /// Least form of each form's strict group.
    pub strict_of: Vec<FormId>,
}

impl People {
    /// The person of a form.
    pub fn of(&self, form: FormId) -> PersonId {
        self.person_of[form as usize]
    }

    /// Number of people.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Identities {
    /// No names yet; `config` says which domains belong together.
    pub fn new(config: &Config) -> Identities {
        let Organization { realms, default_domain, .. } = &config.organization;
        let lower = |s: &str| s.to_lowercase();
        Identities {
            realms: realms.iter().map(|(n, s)| (lower(n), lower(s))).collect(),
            suffixes: realms.iter().map(|(n, s)| (lower(s), lower(n))).collect(),
            default_domain: default_domain.as_deref().map(lower),
            ..Identities::default()
        }
    }

    /// The number of a context.
    pub fn context(&mut self, context: &Context) -> u32 {
        match self.contexts.iter().position(|c| c == context) {
            Some(i) => i as u32,
            None => {
                self.contexts.push(context.clone());
                self.contexts.len() as u32 - 1
            }
        }
    }

    /// The form of a name that was asked for before.
    pub fn known(&self, name: Name, context: u32) -> Option<FormId> {
        self.by_name.get(&(name, context)).copied()
    }

    /// The form of a name as logged on a server with the given context.
    pub fn form(&mut self, names: &Names, name: Name, context: u32) -> FormId {
        if let Some(form) = self.known(name, context) {
            return form;
        }
        let Context { encoding, default_domain } = &self.contexts[context as usize];
        let text = decode(names.get(name), encoding.as_deref());
        if encoding.is_none() && std::str::from_utf8(names.get(name)).is_err() {
            self.guessed += 1;
        }
        let default = default_domain
            .clone()
            .map(|d| d.to_lowercase())
            .or_else(|| self.default_domain.clone());
        let form = self.form_of(&text, default.as_deref());
        self.by_name.insert((name, context), form);
        form
    }

    /// The form of a decoded name.
    pub fn form_of(&mut self, text: &str, default_domain: Option<&str>) -> FormId {
        let parsed = principal::parse(text);
        let bare_in = match parsed.kind {
            Kind::Bare => default_domain.unwrap_or(""),
            _ => "",
        };
        // A bare name on servers with different default domains is not one form.
        let key = [bare_in, "|", &parsed.text].concat();
        if let Some(form) = self.by_text.get(&key) {
            let form = *form;
            self.forms[form as usize].spelled.insert(text.to_owned());
            return form;
        }
        let form = self.full.add();
        self.strict.add();
        let (canonical, reason) = self.canonical(&parsed, default_domain);
        if let Some(first) = self.by_canonical.get(&canonical) {
            let reason = reason.or_else(|| self.forms[*first as usize].reason).unwrap_or("realms");
            self.joins.push(Join { one: *first, other: form, reason: reason.to_owned() });
            self.full.join(*first, form);
        } else {
            self.by_canonical.insert(canonical.clone(), form);
        }
        self.forms.push(Form {
            canonical,
            reason,
            spelled: BTreeSet::from([text.to_owned()]),
            ..parsed
        });
        self.by_text.insert(key, form);
        form
    }

    /// The canonical spelling under the configuration, and which part of it decided.
    fn canonical(
        &self,
        form: &Form,
        default_domain: Option<&str>,
    ) -> (String, Option<&'static str>) {
        match form.kind {
            Kind::DownLevel => match self.suffixes.get(&form.domain) {
                Some(netbios) => (format!("{netbios}\\{}", form.local), Some("realms")),
                None => (form.text.clone(), None),
            },
            Kind::Upn => match self.suffixes.get(&form.domain) {
                Some(netbios) => (format!("{netbios}\\{}", form.local), Some("realms")),
                None => (form.text.clone(), None),
            },
            Kind::Bare => match default_domain {
                Some(domain) => {
                    let domain = self.suffixes.get(domain).map_or(domain, |s| s);
                    (format!("{domain}\\{}", form.local), Some("default_domain"))
                }
                None => (form.text.clone(), None),
            },
            Kind::Other => (form.text.clone(), None),
        }
    }

    /// The canonical spelling of a name that the configuration states.
    pub fn canonical_text(&self, text: &str) -> String {
        self.canonical(&principal::parse(text), self.default_domain.as_deref()).0
    }

    /// The form that was logged under a name, or under another spelling of its canonical one.
    pub fn find(&self, text: &str) -> Option<FormId> {
        self.by_canonical.get(&self.canonical_text(text)).copied()
    }

    /// Unites what the logs prove to be one person.
    pub fn join_aliases(&mut self, usage: &Usage) {
        let mut aliases: Vec<(String, String, &'static str)> = usage
            .aliases
            .keys()
            .map(|(one, other, proof)| {
                (
                    decode(usage.names.get(*one), None),
                    decode(usage.names.get(*other), None),
                    proof.as_str(),
                )
            })
            .collect();
        aliases.sort();
        let default = self.default_domain.clone();
        for (one, other, reason) in aliases {
            let one = self.form_of(&one, default.as_deref());
            let other = self.form_of(&other, default.as_deref());
            if one != other {
                self.join(one, other, reason.to_owned());
                self.strict.join(one, other);
            }
        }
    }

    /// Unites two forms for a reason that the user or the directory gives.
    pub fn join(&mut self, one: FormId, other: FormId, reason: String) {
        self.full.join(one, other);
        self.joins.push(Join { one, other, reason });
    }

    /// How many names are not UTF-8 and have no stated code page.
    pub fn guessed_encodings(&self) -> u64 {
        self.guessed
    }

    /// A form.
    pub fn get(&self, form: FormId) -> &Form {
        &self.forms[form as usize]
    }

    /// Every form.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// Every join.
    pub fn joins(&self) -> &[Join] {
        &self.joins
    }

    /// The NetBIOS domains and the realms that a form belongs to, joined ones in both.
    pub fn domain_and_realm(&self, form: &Form) -> (Option<String>, Option<String>) {
        match form.kind {
            Kind::DownLevel => match self.suffixes.get(&form.domain) {
                Some(netbios) => (Some(netbios.clone()), Some(form.domain.clone())),
                None => (Some(form.domain.clone()), self.realms.get(&form.domain).cloned()),
            },
            Kind::Upn => (self.suffixes.get(&form.domain).cloned(), Some(form.domain.clone())),
            Kind::Bare | Kind::Other => (None, None),
        }
    }

    /// Least form of each form's strict group, as far as it is united now.
    pub fn strict_groups(&mut self) -> Vec<FormId> {
        (0..self.forms.len() as FormId).map(|f| self.strict.root(f)).collect()
    }

    /// The people, once every name is known and every union made.
    pub fn people(&mut self) -> People {
        let mut groups: BTreeMap<FormId, Vec<FormId>> = BTreeMap::new();
        for form in 0..self.forms.len() as FormId {
            groups.entry(self.full.root(form)).or_default().push(form);
        }
        let mut people: Vec<(String, Vec<FormId>)> = groups
            .into_values()
            .map(|forms| {
                let id = forms
                    .iter()
                    .map(|f| self.get(*f).rank())
                    .min()
                    .map(|(_, text)| text.to_owned());
                (id.unwrap_or_default(), forms)
            })
            .collect();
        people.sort();
        let mut person_of = vec![0; self.forms.len()];
        for (person, (_, forms)) in people.iter().enumerate() {
            for form in forms {
                person_of[*form as usize] = person as PersonId;
            }
        }
        let strict_of = self.strict_groups();
        let (ids, forms) = people.into_iter().unzip();
        People { ids, forms, person_of, strict_of }
    }
}

/// Bytes as text: UTF-8, else the stated code page, else Windows-1252, which gives every byte some
/// letter, so that nothing is lost and different bytes stay different.
pub fn decode(bytes: &[u8], encoding: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let stated = encoding.and_then(|e| encoding_rs::Encoding::for_label(e.as_bytes()));
    stated.unwrap_or(encoding_rs::WINDOWS_1252).decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(realms: &str, names: &[&str]) -> Vec<String> {
        let config = Config::parse(realms, "c").expect("a configuration");
        let mut identities = Identities::new(&config);
        let default = identities.default_domain.clone();
        for name in names {
            identities.form_of(name, default.as_deref());
        }
        identities.people().ids
    }

    const REALM: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }";

    #[test]
    fn realms_make_one_person_of_four_spellings() {
        let names = [
            "CONTOSO\\JDoe",
            "jdoe@Contoso.com",
            "contoso.com\\jdoe",
            "sip:JDoe@contoso.com",
            "i:0#.w|contoso\\jdoe",
            "contoso/jdoe",
        ];
        assert_eq!(people(REALM, &names), ["contoso\\jdoe"]);
        assert_eq!(people("", &names), ["contoso.com\\jdoe", "contoso\\jdoe", "jdoe@contoso.com"]);
    }

    #[test]
    fn another_local_part_or_suffix_is_another_person() {
        let names = ["CONTOSO\\jdoe", "sip:john.doe@contoso.com", "jdoe@fabrikam.com", "jdoe"];
        assert_eq!(
            people(REALM, &names),
            ["contoso\\jdoe", "contoso\\john.doe", "jdoe", "jdoe@fabrikam.com"]
        );
    }

    #[test]
    fn a_default_domain_gives_bare_names_their_domain() {
        let config =
            "[organization]\nrealms = { CONTOSO = 'contoso.com' }\ndefault_domain = 'CONTOSO'";
        assert_eq!(people(config, &["jdoe", "jdoe@contoso.com"]), ["contoso\\jdoe"]);
    }

    #[test]
    fn what_is_not_utf_8_is_read_by_a_code_page() {
        assert_eq!(decode(b"m\xFCller", None), "müller");
        assert_eq!(decode(b"\xEC", Some("windows-1251")), "м");
        assert_eq!(decode(b"m\xFCller", Some("windows-1252")), "müller");
        assert_eq!(decode("müller".as_bytes(), Some("windows-1252")), "müller");
    }
}
