//! From the directory's entries to the names that were logged.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::{Directory, Space};
use crate::identity::entry::{Attribute, EntryKind, shown};
use crate::identity::principal::{self, Form, Kind};
use crate::identity::{FormId, Identities, Join, People, PersonId};
use crate::union::Union;

/// What the directory says of the names that were logged.
#[derive(Clone, Debug, Default)]
pub struct Recognised {
    of: Vec<Option<u32>>,
    named: Vec<bool>,
    known: BTreeMap<u32, Known>,
    findings: Vec<Finding>,
}

/// A person whom the directory knows and a log names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// `path:line` of the entries, in the order of the files.
    pub entries: Vec<String>,
    /// Stated kinds; more than one where entries of one person differ.
    pub kinds: BTreeSet<EntryKind>,
    /// Whether every account is disabled, where the files say; information, and no exclusion.
    pub disabled: Option<bool>,
    /// `domain\user` with the NetBIOS domain, where that is known and no other entry has it.
    pub canonical: Option<String>,
}

impl Recognised {
    /// Whether the directory has the name: for one person, or ambiguously for several.
    pub fn known_to_directory(&self, form: FormId) -> bool {
        self.named.get(form as usize).copied().unwrap_or(false)
    }

    /// A number for the person whom the directory gives the name to. Two names with different
    /// numbers are two people in the directory, and no probable aliases.
    pub fn directory_person(&self, form: FormId) -> Option<u32> {
        self.of.get(form as usize).copied().flatten()
    }

    /// Everything that the directory says of a person; several where logs join what it keeps apart.
    pub fn known<'a>(
        &'a self,
        people: &People,
        person: PersonId,
    ) -> impl Iterator<Item = &'a Known> + use<'a> {
        let of = people.forms[person as usize].iter().filter_map(|f| self.directory_person(*f));
        let of: BTreeSet<u32> = of.collect();
        of.into_iter().filter_map(|p| self.known.get(&p))
    }

    /// Whether the directory states a kind for a person.
    pub fn is(&self, kind: EntryKind, people: &People, person: PersonId) -> bool {
        self.known(people, person).any(|known| known.kinds.contains(&kind))
    }

    /// What was left open, sorted.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// What a look-up finds.
enum Found {
    Nobody,
    /// The name `names[n]`; `proved` where no configuration was needed for it.
    One {
        name: u32,
        proved: bool,
    },
    /// Entries of different people.
    Several(Vec<u32>),
    /// An account in a domain that is not known to be this one; DNS names of the candidates.
    Elsewhere(BTreeSet<String>),
}

/// The directory in the light of the configuration.
struct Lookup<'a> {
    directory: &'a Directory,
    suffixes: &'a BTreeMap<String, String>,
    realms: &'a BTreeMap<String, String>,
    /// NetBIOS domain, or else DNS domain, of each of the directory's domains; empty where unknown.
    keys: Vec<String>,
    /// Whether `keys` has the NetBIOS domain.
    netbios: Vec<bool>,
}

impl Lookup<'_> {
    fn new<'a>(directory: &'a Directory, identities: &'a Identities) -> Lookup<'a> {
        // An export of one domain may show its NetBIOS name on some rows only.
        let mut stated: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for domain in
            directory.domains.iter().filter(|d| !d.dns.is_empty() && !d.netbios.is_empty())
        {
            stated.entry(&domain.dns).or_default().insert(&domain.netbios);
        }
        let suffixes = &identities.suffixes;
        let default = identities.default_domain.as_deref().unwrap_or_default();
        let default = suffixes.get(default).map_or(default, |s| s);
        let (keys, netbios) = directory
            .domains
            .iter()
            .map(|domain| {
                let learned = stated.get(&*domain.dns).filter(|n| n.len() == 1);
                let learned = learned.and_then(|n| n.first().copied());
                let configured = suffixes.get(&domain.dns).map(String::as_str);
                match (&*domain.netbios, learned.or(configured), &*domain.dns) {
                    ("", Some(netbios), _) => (netbios.to_owned(), true),
                    ("", None, "") => (default.to_owned(), !default.is_empty()),
                    ("", None, dns) => (dns.to_owned(), false),
                    (netbios, _, _) => (netbios.to_owned(), true),
                }
            })
            .unzip();
        Lookup { directory, suffixes, realms: &identities.realms, keys, netbios }
    }

    /// The person of a logged name.
    fn form(&self, form: &Form) -> Found {
        let found = match form.kind {
            Kind::DownLevel => self.account(&form.domain, &form.local),
            Kind::Upn => self.one(self.directory.find(Space::Address, &form.text), true),
            Kind::Bare if form.canonical == form.text => {
                self.one(self.directory.find(Space::Account, &form.local), false)
            }
            Kind::Bare => Found::Nobody,
            Kind::Other if form.text.starts_with('/') => {
                self.one(self.directory.find(Space::LegacyDn, &form.text), true)
            }
            Kind::Other => self.one(self.directory.find(Space::Sid, &form.text), true),
        };
        let found = match (found, self.realms.get(&form.domain)) {
            (Found::Nobody | Found::Elsewhere(_), Some(suffix)) if form.kind == Kind::DownLevel => {
                match self.account_by_suffix(&form.local, suffix) {
                    Found::Nobody => self.account(&form.domain, &form.local),
                    found => found,
                }
            }
            (found, _) => found,
        };
        // What the directory does not know as it is written, it may know as the configuration reads it.
        let configured = form.reason.and_then(|_| form.canonical.split_once('\\'));
        match (found, configured) {
            (Found::Nobody, Some((domain, account))) => match self.account(domain, account) {
                Found::One { name, .. } => Found::One { name, proved: false },
                found => found,
            },
            (found, _) => found,
        }
    }

    /// The account whose user principal name has the suffix that `realms` gives the domain: often the
    /// domain's DNS name is another (`contoso.local`), and only this tells that it is the domain.
    fn account_by_suffix(&self, account: &str, suffix: &str) -> Found {
        let d = self.directory;
        let has_account = |name: &u32| {
            let named = &d.names[*name as usize];
            let entry = named.entry;
            named.attribute == Attribute::UserPrincipalName
                && !self.netbios[d.entries[entry as usize].domain as usize]
                && d.names_in(entry, Space::Account).any(|n| d.text(n) == account)
        };
        let name = format!("{account}@{suffix}");
        self.one(d.find(Space::Address, &name).filter(has_account), false)
    }

    /// The account of a domain, NetBIOS or DNS name.
    fn account(&self, domain: &str, account: &str) -> Found {
        let key = self.suffixes.get(domain).map_or(domain, |s| s);
        let domain_of = |name: u32| {
            let entry = self.directory.names[name as usize].entry;
            self.directory.entries[entry as usize].domain as usize
        };
        let here = |name: &u32| {
            let of = domain_of(*name);
            !key.is_empty() && (self.keys[of] == key || self.directory.domains[of].dns == domain)
        };
        let named = self.directory.find(Space::Account, account).filter(here);
        match self.one(named, true) {
            Found::One { name, .. } => {
                let of = &self.directory.domains[domain_of(name)];
                Found::One { name, proved: of.dns == domain || of.netbios == domain }
            }
            Found::Nobody => {
                let unmapped: BTreeSet<String> = self
                    .directory
                    .find(Space::Account, account)
                    .map(domain_of)
                    .filter(|of| !self.netbios[*of])
                    .map(|of| self.directory.domains[of].dns.clone())
                    .collect();
                if unmapped.is_empty() { Found::Nobody } else { Found::Elsewhere(unmapped) }
            }
            found => found,
        }
    }

    /// The one person among the entries with these names.
    fn one(&self, names: impl Iterator<Item = u32>, proved: bool) -> Found {
        let Directory { names: named, person, .. } = self.directory;
        let mut names: Vec<u32> = names.collect();
        names.sort_unstable_by_key(|n| (named[*n as usize].attribute, *n));
        let Some(first) = names.first() else { return Found::Nobody };
        let of = |n: &u32| person[named[*n as usize].entry as usize];
        if names.iter().all(|n| of(n) == of(first)) {
            return Found::One { name: *first, proved };
        }
        let mut entries: Vec<u32> = names.iter().map(|n| named[*n as usize].entry).collect();
        entries.sort_unstable();
        entries.dedup();
        Found::Several(entries)
    }

    /// `domain\user` of an entry, if that is nobody else's.
    fn canonical(&self, entry: u32) -> Option<String> {
        let domain = self.directory.entries[entry as usize].domain as usize;
        let names = self.directory.names_in(entry, Space::Account);
        let own = names.filter(|_| self.netbios[domain]).filter(|name| {
            let found = self.account(&self.keys[domain], self.directory.text(*name));
            matches!(found, Found::One { .. })
        });
        own.map(|name| format!("{}\\{}", self.keys[domain], self.directory.text(name))).min()
    }

    /// Which attribute makes one person of two entries.
    fn link(&self, one: u32, other: u32) -> &'static str {
        let d = self.directory;
        let shared = |space| {
            d.names_in(one, space).any(|a| d.names_in(other, space).any(|b| d.text(a) == d.text(b)))
        };
        [
            (Space::Sid, Attribute::ObjectSid),
            (Space::Dn, Attribute::DistinguishedName),
            (Space::Employee, Attribute::EmployeeId),
        ]
        .into_iter()
        .find(|(space, _)| shared(*space))
        .map_or("objectSid or employeeID of further entries", |(_, attribute)| attribute.as_str())
    }

    fn reason(&self, anchor: u32, name: u32) -> String {
        let d = self.directory;
        let [one, other] = [anchor, name].map(|n| d.names[n as usize].entry);
        if one == other {
            let attribute = d.names[name as usize].attribute.as_str();
            return format!("directory: {attribute} ({})", d.place(other));
        }
        format!("directory: {} ({} and {})", self.link(one, other), d.place(one), d.place(other))
    }
}

impl Identities {
    /// Unites the names that the directory gives to one person, and finds out whom it knows.
    ///
    /// To be called once, when every logged name is a form and [`join_aliases`](Self::join_aliases)
    /// is done. The directory goes before `realms` and `default_domain`: what these join and the
    /// directory gives to two people comes apart. What the logs prove stays joined, and is named
    /// where the directory says otherwise. A known person's canonical id becomes `domain\user` where
    /// the NetBIOS domain is known. In the strict partition only those names are joined that need no
    /// configuration and no `employeeID`; a bare name is none of them. The census does not use these:
    /// its upper end takes the [groups](Self::strict_groups) from before this call, for an opponent can
    /// doubt a file that the user made.
    ///
    /// ```
    /// use calproof::config::Config;
    /// use calproof::identity::Identities;
    /// use calproof::identity::directory::{Directory, DirectoryOptions};
    ///
    /// let csv = "msDS-PrincipalName,mail\nCONTOSO\\jdoe,John.Doe@contoso.com\n";
    /// let directory = Directory::parse("ad.csv", csv.as_bytes(), &DirectoryOptions::default()).unwrap();
    /// let mut identities = Identities::new(&Config::default());
    /// let known = identities.form_of("sip:john.doe@contoso.com", None);
    /// let unknown = identities.form_of("mallory", None);
    /// let recognised = identities.apply_directory(&directory);
    /// assert!(recognised.known_to_directory(known) && !recognised.known_to_directory(unknown));
    /// assert_eq!(identities.people().ids, ["contoso\\jdoe", "mallory"]);
    /// ```
    pub fn apply_directory(&mut self, directory: &Directory) -> Recognised {
        let lookup = Lookup::new(directory, self);
        let found: Vec<Found> = self.forms.iter().map(|form| lookup.form(form)).collect();
        let person = |name: u32| directory.person[directory.names[name as usize].entry as usize];
        let mut recognised = Recognised {
            of: found.iter().map(|f| one(f).map(|(name, _)| person(name))).collect(),
            named: found
                .iter()
                .map(|f| matches!(f, Found::One { .. } | Found::Several(_)))
                .collect(),
            ..Recognised::default()
        };
        recognised.findings = findings(&found, &self.forms, directory);
        for of in recognised.of.iter().flatten() {
            recognised.known.entry(*of).or_default();
        }
        describe(&mut recognised.known, &lookup);
        let canonicals = canonicals(&self.forms, &recognised, &lookup, &person);

        // Names of one person: all to the one that the best attribute gives.
        let mut groups: BTreeMap<u32, Vec<FormId>> = BTreeMap::new();
        for (form, of) in recognised.of.iter().enumerate() {
            groups.entry(of.unwrap_or(u32::MAX)).or_default().push(form as FormId);
        }
        groups.remove(&u32::MAX);
        let hit = |form: FormId| one(&found[form as usize]);
        let mut united: Vec<(FormId, FormId, String)> = Vec::new();
        let mut proved: Vec<(FormId, FormId)> = Vec::new();
        for forms in groups.values() {
            let best =
                |f: &&FormId| hit(**f).map(|(n, _)| (directory.names[n as usize].attribute, **f));
            let Some((anchor, anchor_name)) =
                forms.iter().min_by_key(best).and_then(|f| Some((*f, hit(*f)?.0)))
            else {
                continue;
            };
            let others = forms.iter().filter(|f| **f != anchor);
            united.extend(
                others.filter_map(|f| Some((anchor, *f, lookup.reason(anchor_name, hit(*f)?.0)))),
            );
            let mut by_object: BTreeMap<u32, FormId> = BTreeMap::new();
            for form in forms {
                if let Some((name, true)) = hit(*form) {
                    let object = directory.object[directory.names[name as usize].entry as usize];
                    proved.push((*by_object.entry(object).or_insert(*form), *form));
                }
            }
        }
        drop(lookup);
        for (form, canonical) in canonicals {
            self.forms[form as usize].canonical = canonical;
        }
        let overruled = self.come_apart(&recognised.of);
        recognised.findings.extend(overruled);
        for (one, other) in proved {
            self.strict.join(one, other);
        }
        for (one, other, reason) in united {
            self.join(one, other, reason);
        }
        for form in 0..self.forms.len() as FormId {
            self.forms[form as usize].directory = recognised.of[form as usize];
            if recognised.of[form as usize].is_some() {
                self.by_canonical.insert(self.forms[form as usize].canonical.clone(), form);
            }
        }
        recognised.findings.extend(self.contradicted(&recognised));
        recognised.findings.sort();
        recognised.findings.dedup();
        recognised
    }

    /// Undoes the joins of the configuration between people whom the directory keeps apart.
    fn come_apart(&mut self, of: &[Option<u32>]) -> Vec<Finding> {
        let mut overruled = Vec::new();
        let (apart, joins): (Vec<Join>, Vec<Join>) =
            std::mem::take(&mut self.joins).into_iter().partition(|join| {
                let configured = matches!(&*join.reason, "realms" | "default_domain");
                let [one, other] = [join.one, join.other].map(|f| of[f as usize]);
                configured && one.zip(other).is_some_and(|(one, other)| one != other)
            });
        self.joins = joins;
        if !apart.is_empty() {
            self.full = Union::of(self.forms.len());
            for join in &self.joins {
                self.full.join(join.one, join.other);
            }
        }
        for join in apart {
            let name = |f: FormId| shown(&self.forms[f as usize].text);
            let (one, other, by) = (name(join.one), name(join.other), join.reason);
            overruled.push(Finding::Overruled { one, other, by });
        }
        overruled
    }

    /// Groups in which the directory sees several people.
    fn contradicted(&mut self, recognised: &Recognised) -> Vec<Finding> {
        let mut groups: BTreeMap<FormId, BTreeMap<u32, FormId>> = BTreeMap::new();
        for (form, of) in recognised.of.iter().enumerate() {
            if let Some(of) = of {
                let root = self.full.root(form as FormId);
                groups.entry(root).or_default().entry(*of).or_insert(form as FormId);
            }
        }
        let several = groups.values().filter(|people| people.len() > 1);
        several
            .map(|people| Finding::Contradicted {
                names: people.values().map(|f| shown(&self.forms[*f as usize].text)).collect(),
                entries: people
                    .keys()
                    .filter_map(|p| recognised.known.get(p)?.entries.first().cloned())
                    .collect(),
            })
            .collect()
    }
}

/// Names that no log need show, looked up in the directory.
pub(crate) struct LookUp<'a> {
    lookup: Lookup<'a>,
    identities: &'a Identities,
}

impl LookUp<'_> {
    /// The person of the directory whom a name belongs to, numbered as
    /// [`Recognised::directory_person`] numbers them.
    pub(crate) fn person(&self, text: &str) -> Option<u32> {
        let mut form = principal::parse(text);
        let default_domain = self.identities.default_domain.as_deref();
        (form.canonical, form.reason) = self.identities.canonical(&form, default_domain);
        let (name, _) = one(&self.lookup.form(&form))?;
        let directory = self.lookup.directory;
        Some(directory.person[directory.names[name as usize].entry as usize])
    }
}

impl Identities {
    /// Looks names up in the directory, in the light of the configuration.
    pub(crate) fn look_up<'a>(&'a self, directory: &'a Directory) -> LookUp<'a> {
        LookUp { lookup: Lookup::new(directory, self), identities: self }
    }
}

fn one(found: &Found) -> Option<(u32, bool)> {
    match found {
        Found::One { name, proved } => Some((*name, *proved)),
        _ => None,
    }
}

/// Ambiguous names, and domains that nothing maps.
fn findings(found: &[Found], forms: &[Form], directory: &Directory) -> Vec<Finding> {
    const ENTRIES_NAMED: usize = 5;
    let mut findings = Vec::new();
    let mut elsewhere: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (found, form) in found.iter().zip(forms) {
        match found {
            Found::Several(entries) => findings.push(Finding::Ambiguous {
                name: shown(&form.text),
                entries: entries.iter().take(ENTRIES_NAMED).map(|e| directory.place(*e)).collect(),
                count: entries.len(),
            }),
            Found::Elsewhere(dns) => {
                let domain = form.canonical.split_once('\\').map_or(&*form.domain, |(d, _)| d);
                let (names, all) = elsewhere.entry(shown(domain)).or_default();
                *names += 1;
                all.extend(dns.iter().filter(|d| !d.is_empty()).map(|d| shown(d)));
            }
            Found::Nobody | Found::One { .. } => {}
        }
    }
    findings.extend(elsewhere.into_iter().map(|(domain, (names, dns))| Finding::DomainNotMapped {
        domain,
        names,
        dns: dns.into_iter().collect(),
    }));
    findings
}

/// Fills in what the entries of the people say.
fn describe(known: &mut BTreeMap<u32, Known>, lookup: &Lookup<'_>) {
    let directory = lookup.directory;
    for (entry, person) in directory.person.iter().enumerate() {
        let Some(known) = known.get_mut(person) else { continue };
        let stored = &directory.entries[entry];
        known.entries.push(directory.place(entry as u32));
        known.kinds.extend(stored.kind);
        // Disabled only if every account that says so is.
        known.disabled = match (known.disabled, stored.disabled) {
            (Some(one), Some(other)) => Some(one && other),
            (one, other) => one.or(other),
        };
        let canonical = lookup.canonical(entry as u32);
        known.canonical = [known.canonical.take(), canonical].into_iter().flatten().min();
    }
}

/// New canonical spellings: of known people the directory's; of a name that the configuration
/// would read as an account of somebody else, the name itself.
fn canonicals(
    forms: &[Form],
    recognised: &Recognised,
    lookup: &Lookup<'_>,
    person: &impl Fn(u32) -> u32,
) -> Vec<(FormId, String)> {
    let mut canonicals = Vec::new();
    for (form, of) in recognised.of.iter().enumerate() {
        let Some(of) = of else { continue };
        let Form { canonical, text, .. } = &forms[form];
        let stolen = || {
            let (domain, account) = canonical.split_once('\\')?;
            let (name, _) = one(&lookup.account(domain, account))?;
            (person(name) != *of).then(|| text.clone())
        };
        let known = recognised.known.get(of).and_then(|known| known.canonical.clone());
        canonicals.extend(known.or_else(stolen).map(|new| (form as FormId, new)));
    }
    canonicals
}
