//! Which names are one person.

use crate::config::Config;
use crate::event::Join;
use std::collections::{BTreeMap, BTreeSet};

/// A name taken apart; all parts lower case.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Name {
    DownLevel { domain: String, local: String },
    Principal { local: String, realm: String },
    Bare { local: String },
}

impl Name {
    /// Takes a logged name apart, without any configuration.
    pub(crate) fn read(logged: &str) -> Name {
        let mut name = logged.trim().to_lowercase();
        for scheme in ["sips:", "sip:"] {
            if let Some(rest) = name.strip_prefix(scheme) {
                name = rest.to_string();
            }
        }
        name = without_claim(&name);
        if let Some((domain, local)) = name.split_once(['\\', '/']) {
            return Name::DownLevel { domain: domain.to_string(), local: local.to_string() };
        }
        if let Some((local, realm)) = name.rsplit_once('@') {
            return Name::Principal { local: local.to_string(), realm: realm.to_string() };
        }
        Name::Bare { local: name }
    }

    /// The same name as the configuration knows it.
    pub(crate) fn configured(&self, config: &Config) -> Name {
        match self {
            Name::DownLevel { domain, local } => match netbios_of(domain, config) {
                Some(domain) => Name::DownLevel { domain, local: local.clone() },
                None => self.clone(),
            },
            Name::Principal { local, realm } => match netbios_of(realm, config) {
                Some(domain) => Name::DownLevel { domain, local: local.clone() },
                None => self.clone(),
            },
            Name::Bare { local } => {
                let local = local.clone();
                match config.default_domain.as_ref().map(|d| d.to_lowercase()) {
                    _ if local.starts_with("s-1-") => self.clone(),
                    Some(domain) => match netbios_of(&domain, config) {
                        Some(domain) => Name::DownLevel { domain, local },
                        None if domain.contains('.') => Name::Principal { local, realm: domain },
                        None => Name::DownLevel { domain, local },
                    },
                    None => self.clone(),
                }
            }
        }
    }

    pub(crate) fn local(&self) -> &str {
        match self {
            Name::DownLevel { local, .. }
            | Name::Principal { local, .. }
            | Name::Bare { local } => local,
        }
    }

    /// `domain\user`, `user@realm` or the bare name.
    pub(crate) fn id(&self) -> String {
        match self {
            Name::DownLevel { domain, local } => format!("{domain}\\{local}"),
            Name::Principal { local, realm } => format!("{local}@{realm}"),
            Name::Bare { local } => local.clone(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Name::DownLevel { .. } => 0,
            Name::Principal { .. } => 1,
            Name::Bare { local } if !local.starts_with("s-1-") => 2,
            Name::Bare { .. } => 3,
        }
    }
}

/// `i:0#.w|contoso\anna` is `contoso\anna`; `0#.f|provider|anna` is `anna`.
fn without_claim(name: &str) -> String {
    let body = name.strip_prefix("i:").unwrap_or(name);
    if !body.starts_with('0') {
        return name.to_string();
    }
    let parts: Vec<&str> = body.splitn(3, '|').collect();
    match parts.as_slice() {
        [_, user] if !user.is_empty() => user.to_string(),
        [_, provider, user] if !provider.is_empty() && !user.is_empty() => user.to_string(),
        _ => name.to_string(),
    }
}

/// The NetBIOS domain whose suffix this is.
fn netbios_of(suffix: &str, config: &Config) -> Option<String> {
    config.realms.iter().find(|(_, s)| s.to_lowercase() == suffix).map(|(d, _)| d.to_lowercase())
}

/// Whether the configuration gives that domain a suffix.
fn has_suffix(domain: &str, config: &Config) -> bool {
    config.realms.keys().any(|d| d.to_lowercase() == domain)
}

/// All persons that the logged names make.
#[derive(Debug)]
pub(crate) struct Identity {
    config: Config,
    /// Configured name to its person's id.
    person: BTreeMap<Name, String>,
    /// Name without configuration to the smallest name it is provably one with.
    apart: BTreeMap<Name, String>,
    /// Person to all their configured names.
    names: BTreeMap<String, BTreeSet<Name>>,
}

impl Identity {
    /// Unites the logged names by configuration and by what the logs prove.
    pub(crate) fn new(logged: &BTreeSet<String>, joins: &[Join], config: &Config) -> Identity {
        let mut all: Vec<Name> = logged.iter().map(|n| Name::read(n)).collect();
        let mut pairs = Vec::new();
        for join in joins {
            let pair = (Name::read(&join.a), Name::read(&join.b));
            all.push(pair.0.clone());
            all.push(pair.1.clone());
            pairs.push(pair);
        }
        let configured_pairs: Vec<(Name, Name)> =
            pairs.iter().map(|(a, b)| (a.configured(config), b.configured(config))).collect();
        let configured =
            unite(all.iter().map(|n| n.configured(config)).collect(), &configured_pairs);
        let apart = unite(all.into_iter().collect(), &pairs);
        let mut names: BTreeMap<String, BTreeSet<Name>> = BTreeMap::new();
        for (name, id) in &configured {
            names.entry(id.clone()).or_default().insert(name.clone());
        }
        Identity { config: config.clone(), person: configured, apart, names }
    }

    /// The person's id.
    pub(crate) fn person(&self, logged: &str) -> String {
        let name = Name::read(logged).configured(&self.config);
        self.person.get(&name).cloned().unwrap_or_else(|| name.id())
    }

    /// The id that the name would have if no configuration joined anything.
    pub(crate) fn apart(&self, logged: &str) -> String {
        let name = Name::read(logged);
        self.apart.get(&name).cloned().unwrap_or_else(|| name.id())
    }

    /// How few people these persons can be, if every probable alias is one.
    ///
    /// Per local part: the larger of the persons with a NetBIOS form and those with a realm form, at least
    /// one. A domain whose suffix is configured has both forms.
    pub(crate) fn fewest(&self, persons: &BTreeSet<String>) -> usize {
        let mut locals: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for person in persons {
            let names = self.names.get(person).cloned().unwrap_or_default();
            let (mut down_level, mut realm) = (false, false);
            for name in &names {
                match name {
                    Name::DownLevel { domain, .. } => {
                        down_level = true;
                        realm |= has_suffix(domain, &self.config);
                    }
                    Name::Principal { .. } => realm = true,
                    Name::Bare { .. } => {}
                }
            }
            let counts = locals.entry(Name::read(person).local().to_string()).or_default();
            counts.0 += usize::from(down_level);
            counts.1 += usize::from(realm);
        }
        locals.values().map(|(down_level, realm)| (*down_level).max(*realm).max(1)).sum()
    }

    /// Whether a configured pattern names this principal: as logged, or by any name of the person.
    pub(crate) fn matches(&self, pattern: &str, logged: &str) -> bool {
        let person = self.person(logged);
        let lower = pattern.trim().to_lowercase();
        let slashed = if lower.contains('\\') { lower } else { lower.replacen('/', "\\", 1) };
        let mut known: BTreeSet<String> = [person.clone(), Name::read(logged).id()].into();
        known.extend(self.names.get(&person).into_iter().flatten().map(|n| n.id()));
        if !slashed.contains('*') && self.person(pattern) == person {
            return true;
        }
        known.iter().any(|name| crate::text::glob(&slashed, name))
    }
}

/// Every name with the best name of its group, groups being closed under the pairs.
fn unite(all: BTreeSet<Name>, pairs: &[(Name, Name)]) -> BTreeMap<Name, String> {
    let mut groups: Vec<BTreeSet<Name>> = all.into_iter().map(|name| [name].into()).collect();
    for (a, b) in pairs {
        let (with, mut without): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.contains(a) || group.contains(b));
        without.push(with.into_iter().flatten().collect());
        groups = without;
    }
    let mut best = BTreeMap::new();
    for group in groups {
        let Some(smallest) = group.iter().min_by_key(|name| (name.rank(), name.id())) else {
            continue;
        };
        let id = smallest.id();
        for name in group {
            best.insert(name, id.clone());
        }
    }
    best
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn identity(names: &[&str], joins: &[(&str, &str)], config: &Config) -> Identity {
        let joins: Vec<Join> = joins
            .iter()
            .map(|(a, b)| Join { time: 0, a: a.to_string(), b: b.to_string() })
            .collect();
        Identity::new(&names.iter().map(|n| n.to_string()).collect(), &joins, config)
    }

    #[test]
    fn one_person_in_every_spelling() {
        let config = Config {
            realms: [("CONTOSO".into(), "Contoso.com".into())].into(),
            default_domain: Some("contoso".into()),
            ..Default::default()
        };
        let all = identity(&[], &[], &config);
        for name in [
            "CONTOSO\\Anna",
            "anna@CONTOSO.com",
            "sip:anna@contoso.com",
            "contoso.com\\anna",
            "contoso/anna",
            "i:0#.w|contoso\\anna",
            "0#.w|contoso\\anna",
            "anna",
        ] {
            assert_eq!(all.person(name), "contoso\\anna", "{name}");
        }
        assert_eq!(all.person("anna@fabrikam.com"), "anna@fabrikam.com");
        assert_eq!(all.apart("anna@contoso.com"), "anna@contoso.com");
        assert_eq!(Name::read("0#.f|provider|anna").id(), "anna");
    }

    #[test]
    fn proofs_join_and_the_best_name_is_the_id() {
        let all = identity(
            &["frank", "f.miller@contoso.com"],
            &[
                ("f.miller@contoso.com", "frank"),
                ("frank", "S-1-5-21-1"),
                ("S-1-5-21-1", "CONTOSO\\frank"),
            ],
            &Config::default(),
        );
        assert_eq!(all.person("FRANK"), "contoso\\frank");
        assert_eq!(all.person("f.miller@contoso.com"), "contoso\\frank");
        assert_eq!(all.apart("frank"), "contoso\\frank");
    }

    #[test]
    fn fewest_people() {
        let all = |names: &[&str], config: &Config| {
            let identity = identity(names, &[], config);
            identity.fewest(&names.iter().map(|n| identity.person(n)).collect())
        };
        let none = Config::default();
        assert_eq!(all(&["A\\jo", "jo", "jo@a.com"], &none), 1);
        assert_eq!(all(&["A\\jo", "B\\jo", "jo@a.com"], &none), 2);
        assert_eq!(all(&["A\\jo", "B\\jo", "jo@a.com", "jo@b.com", "jo@c.com"], &none), 3);
        let config = Config { realms: [("A".into(), "a.com".into())].into(), ..Default::default() };
        assert_eq!(all(&["A\\jo", "jo@a.com"], &config), 1);
        assert_eq!(all(&["A\\jo", "jo@b.com"], &config), 2);
        assert_eq!(all(&["A\\jo", "B\\jo", "jo@b.com"], &config), 2);
    }
}
