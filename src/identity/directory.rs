//! The directory: which names, in whatever log, belong to one person.
//!
//! Files are CSV as `Get-ADUser -Properties * | Export-Csv` or `csvde` writes it, and LDIF as
//! `ldifde` writes it. Entries with one `objectSid` are one person, wherever they stand; entries
//! with one `employeeID` are, where the user says so. See `counting.md` section 4, rule 2.

pub(crate) mod csv;
mod error;
mod finding;
mod join;
mod ldif;
pub(crate) mod rows;
mod scanner;
pub(crate) mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Read;
use std::path::PathBuf;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable, hash_table};

use super::entry::{Attribute, Draft, EntryKind, shown};
use crate::config::Config;
use crate::shown;
use crate::union::Union;
pub use error::{DirectoryError, Problem};
pub use finding::Finding;
pub(crate) use join::LookUp;
pub use join::{Known, Recognised};

/// How many problems are kept with their text; all are counted.
pub const PROBLEMS_KEPT: usize = 1000;

/// How many entries may share an `employeeID`; with more it is a placeholder, and joins nobody.
pub const SHARE_EMPLOYEE_ID: usize = 20;

/// How directory files are read.
#[derive(Clone, Debug, Default)]
pub struct DirectoryOptions {
    /// Whether entries with the same `employeeID` are one person.
    pub join_employee_id: bool,
    /// Code page of values that are not UTF-8.
    pub encoding: Option<String>,
}

impl From<&Config> for DirectoryOptions {
    fn from(config: &Config) -> DirectoryOptions {
        DirectoryOptions { join_employee_id: config.identity.join_employee_id, encoding: None }
    }
}

/// The entries of all directory files, by their names.
#[derive(Default)]
pub struct Directory {
    files: Vec<String>,
    entries: Vec<Stored>,
    names: Vec<Named>,
    texts: String,
    domains: Vec<Domain>,
    domain_of: HashMap<(String, String), u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Least entry of the same object, by SID or distinguished name.
    object: Vec<u32>,
    /// Least entry of the same person.
    person: Vec<u32>,
    problems: Vec<Problem>,
    problem_count: u64,
    not_people: u64,
}

struct Stored {
    file: u32,
    line: u64,
    /// Its names are `names[from..to]`.
    from: u32,
    to: u32,
    domain: u32,
    kind: Option<EntryKind>,
    disabled: Option<bool>,
}

struct Named {
    attribute: Attribute,
    entry: u32,
    /// Where the text stands in `texts`.
    start: usize,
    len: u32,
    /// The next name with this text in the same space.
    next: u32,
}

const END: u32 = u32::MAX;

#[derive(Clone, Debug, Default)]
struct Domain {
    dns: String,
    netbios: String,
}

/// Names of different spaces are never the same: an `employeeID` 4711 is not the account `4711`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Space {
    Account,
    Address,
    Sid,
    LegacyDn,
    Dn,
    Employee,
}

impl From<Attribute> for Space {
    fn from(attribute: Attribute) -> Space {
        match attribute {
            Attribute::Account => Space::Account,
            Attribute::UserPrincipalName
            | Attribute::Mail
            | Attribute::ProxyAddresses
            | Attribute::SipAddress => Space::Address,
            Attribute::ObjectSid => Space::Sid,
            Attribute::LegacyExchangeDn => Space::LegacyDn,
            Attribute::DistinguishedName => Space::Dn,
            Attribute::EmployeeId => Space::Employee,
        }
    }
}

/// An entry as it was read; its names are lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry<'a> {
    /// Path of the file as given.
    pub path: &'a str,
    /// Line of its beginning, from 1.
    pub line: u64,
    /// Names by attribute, sorted.
    pub names: Vec<(Attribute, &'a str)>,
    /// DNS name of the domain by the `DC=` components of the distinguished name, else empty.
    pub domain: &'a str,
    /// Stated kind.
    pub kind: Option<EntryKind>,
    /// Whether the account is disabled, where the file says.
    pub disabled: Option<bool>,
}

impl Directory {
    /// Reads directory files, in their order.
    ///
    /// A row or value that is not what it should be is left out and named in
    /// [`problems`](Directory::problems).
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or in which nothing names anybody.
    pub fn load(
        paths: &[PathBuf],
        options: &DirectoryOptions,
    ) -> Result<Directory, DirectoryError> {
        let mut directory = Directory::default();
        for path in paths {
            let name = shown::path(path);
            let file = File::open(path)
                .map_err(|source| DirectoryError::Read { path: name.clone(), source })?;
            directory.read(&name, file, options)?;
        }
        directory.unite(options);
        Ok(directory)
    }

    /// Reads one file's text; `path` names it in problems and reasons.
    ///
    /// ```
    /// use calproof::identity::directory::{Directory, DirectoryOptions};
    /// let csv = "DN,sAMAccountName,mail\n\"CN=J,DC=contoso,DC=com\",jdoe,John.Doe@contoso.com\n,,oops\n";
    /// let directory = Directory::parse("ad.csv", csv.as_bytes(), &DirectoryOptions::default()).unwrap();
    /// assert_eq!((directory.len(), directory.entry(0).domain), (1, "contoso.com"));
    /// assert_eq!(
    ///     directory.problems()[0].to_string(),
    ///     "ad.csv:3: mail: found `oops`, expected an address `user@domain`"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Directory::load).
    pub fn parse(
        path: &str,
        text: impl Read,
        options: &DirectoryOptions,
    ) -> Result<Directory, DirectoryError> {
        let mut directory = Directory::default();
        directory.read(path, text, options)?;
        directory.unite(options);
        Ok(directory)
    }

    fn read(
        &mut self,
        path: &str,
        bytes: impl Read,
        options: &DirectoryOptions,
    ) -> Result<(), DirectoryError> {
        let failed = |source| DirectoryError::Read { path: path.to_owned(), source };
        let file = self.files.len() as u32;
        self.files.push(path.to_owned());
        let mut text = text::text(bytes).map_err(failed)?;
        let head = text.fill_buf().map_err(failed)?;
        if ldif::is_ldif(head) {
            ldif::read(self, file, text, options)
        } else {
            csv::read(self, file, text, options)
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The `n`-th entry, from 0.
    pub fn entry(&self, n: usize) -> Entry<'_> {
        let stored = &self.entries[n];
        let names = stored.from..stored.to;
        Entry {
            path: &self.files[stored.file as usize],
            line: stored.line,
            names: names.map(|i| (self.names[i as usize].attribute, self.text(i))).collect(),
            domain: &self.domains[stored.domain as usize].dns,
            kind: stored.kind,
            disabled: stored.disabled,
        }
    }

    /// What was left out, and why: the first [`PROBLEMS_KEPT`], in the order of the files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many problems there are in all.
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }

    /// How many entries are no account or contact of anybody by their `objectClass`: groups, units.
    pub fn not_people(&self) -> u64 {
        self.not_people
    }

    fn problem(&mut self, file: u32, line: u64, text: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            let path = self.files[file as usize].clone();
            self.problems.push(Problem { path, line, text });
        }
    }

    /// Stores an entry that was read, and names its flaws.
    fn commit(&mut self, file: u32, line: u64, draft: &mut Draft, flaws: &mut Vec<String>) {
        if draft.is_nobody() {
            self.not_people += 1;
            flaws.clear();
            return;
        }
        if !draft.is_loggable() && flaws.is_empty() {
            flaws.push(
                "found no name that a log could show, expected an account or an address".to_owned(),
            );
        }
        for text in flaws.drain(..) {
            self.problem(file, line, text);
        }
        if !draft.is_loggable() {
            return;
        }
        draft.settle();
        let from = self.names.len() as u32;
        for (attribute, text) in &draft.names {
            let entry = self.entries.len() as u32;
            let (start, len) = (self.texts.len(), text.len() as u32);
            // A name that an entry has twice (`mail` is mostly among `proxyAddresses`) is kept once.
            let known = Attribute::ADDRESSES.iter().any(|before| {
                before < attribute
                    && Space::from(*attribute) == Space::Address
                    && draft.names.binary_search_by(|(a, t)| (a, t).cmp(&(before, text))).is_ok()
            });
            if !known {
                self.texts.push_str(text);
                self.names.push(Named { attribute: *attribute, entry, start, len, next: END });
            }
        }
        let domain = self.domain(&draft.dns, &draft.netbios);
        let to = self.names.len() as u32;
        let Draft { kind, disabled, .. } = *draft;
        self.entries.push(Stored { file, line, from, to, domain, kind, disabled });
    }

    fn domain(&mut self, dns: &str, netbios: &str) -> u32 {
        // Most entries are of the domain of the one before.
        if let Some(last) = self.entries.last().map(|e| e.domain) {
            let domain = &self.domains[last as usize];
            if domain.dns == dns && domain.netbios == netbios {
                return last;
            }
        }
        *self.domain_of.entry((dns.to_owned(), netbios.to_owned())).or_insert_with(|| {
            self.domains.push(Domain { dns: dns.to_owned(), netbios: netbios.to_owned() });
            self.domains.len() as u32 - 1
        })
    }

    fn text(&self, name: u32) -> &str {
        let Named { start, len, .. } = self.names[name as usize];
        &self.texts[start..start + len as usize]
    }

    /// Every place of a name, in no order that matters.
    fn find(&self, space: Space, text: &str) -> impl Iterator<Item = u32> {
        let hash = self.hasher.hash_one((space, text));
        let is = |i: &u32| {
            Space::from(self.names[*i as usize].attribute) == space && self.text(*i) == text
        };
        let first = self.index.find(hash, is).copied();
        std::iter::successors(first, |i| {
            Some(self.names[*i as usize].next).filter(|next| *next != END)
        })
    }

    /// The names of an entry that are of one space.
    fn names_in(&self, entry: u32, space: Space) -> impl Iterator<Item = u32> {
        let stored = &self.entries[entry as usize];
        (stored.from..stored.to)
            .filter(move |i| Space::from(self.names[*i as usize].attribute) == space)
    }

    /// `path:line` of an entry.
    fn place(&self, entry: u32) -> String {
        let stored = &self.entries[entry as usize];
        format!("{}:{}", self.files[stored.file as usize], stored.line)
    }

    /// Makes the index, and one person of the entries that are one.
    fn unite(&mut self, options: &DirectoryOptions) {
        self.index_names();
        let mut union = Union::of(self.entries.len());
        let chains: Vec<u32> = (0..self.names.len() as u32)
            .filter(|i| {
                let Named { attribute, next, .. } = self.names[*i as usize];
                next != END && Space::from(attribute) >= Space::Sid && self.first(*i) == *i
            })
            .collect();
        let entries = |i: u32| {
            let space = Space::from(self.names[i as usize].attribute);
            self.find(space, self.text(i)).map(|n| self.names[n as usize].entry)
        };
        let of = |space: Space| {
            let names = &self.names;
            chains
                .iter()
                .copied()
                .filter(move |i| Space::from(names[*i as usize].attribute) == space)
        };
        let join = |union: &mut Union, i: u32| {
            for entry in entries(i) {
                union.join(self.names[i as usize].entry, entry);
            }
        };
        of(Space::Sid).for_each(|i| join(&mut union, i));
        // One distinguished name with two SIDs is an object that was deleted and made anew.
        for i in of(Space::Dn) {
            let sids = entries(i).flat_map(|e| self.names_in(e, Space::Sid).map(|n| self.text(n)));
            if sids.collect::<BTreeSet<&str>>().len() <= 1 {
                join(&mut union, i);
            }
        }
        let object: Vec<u32> = (0..self.entries.len() as u32).map(|e| union.root(e)).collect();
        let mut placeholders: Vec<(u32, u64, String)> = Vec::new();
        if options.join_employee_id {
            for i in of(Space::Employee) {
                let objects: BTreeSet<u32> = entries(i).map(|e| object[e as usize]).collect();
                if objects.len() <= SHARE_EMPLOYEE_ID {
                    join(&mut union, i);
                    continue;
                }
                let entry = &self.entries[self.names[i as usize].entry as usize];
                placeholders.push((entry.file, entry.line, format!(
                    "employeeID: found `{}` in {} accounts, expected at most {SHARE_EMPLOYEE_ID} of one person; it joins nobody",
                    shown(self.text(i)),
                    objects.len()
                )));
            }
        }
        self.person = (0..self.entries.len() as u32).map(|e| union.root(e)).collect();
        self.object = object;
        for (file, line, text) in placeholders {
            self.problem(file, line, text);
        }
    }

    fn first(&self, name: u32) -> u32 {
        let space = Space::from(self.names[name as usize].attribute);
        self.find(space, self.text(name)).next().unwrap_or(name)
    }

    fn index_names(&mut self) {
        let mut index: HashTable<u32> = HashTable::with_capacity(self.names.len());
        for i in 0..self.names.len() as u32 {
            let space = Space::from(self.names[i as usize].attribute);
            let hash = self.hasher.hash_one((space, self.text(i)));
            let same = |j: &u32| {
                Space::from(self.names[*j as usize].attribute) == space
                    && self.text(*j) == self.text(i)
            };
            let rehash = |j: &u32| {
                let space = Space::from(self.names[*j as usize].attribute);
                self.hasher.hash_one((space, self.text(*j)))
            };
            match index.entry(hash, same, rehash) {
                hash_table::Entry::Occupied(known) => {
                    let first = *known.get() as usize;
                    self.names[i as usize].next = self.names[first].next;
                    self.names[first].next = i;
                }
                hash_table::Entry::Vacant(place) => {
                    place.insert(i);
                }
            }
        }
        self.index = index;
    }
}
