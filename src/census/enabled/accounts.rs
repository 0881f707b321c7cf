//! The accounts behind the rows of all exports, and the people whom they belong to.

use std::collections::{BTreeMap, BTreeSet};

use super::export::{ExportRow, Exports};
use super::setting::Setting;
use crate::identity::directory::Directory;
use crate::identity::entry::Attribute;
use crate::identity::principal::{Kind, parse};
use crate::identity::{Identities, People, PersonId};
use crate::union::Union;

/// What is stated of one setting of one account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// At least one row says that it is enabled.
    On,
    /// Rows say that it is not.
    Off,
    /// A file has the column, and nothing stands in it.
    NotStated,
}

/// Rows that are one account, or accounts of one person.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Its best name: the canonical id of its person, else an account, else an address.
    pub(super) name: String,
    /// The people of the logs that it belongs to; several where nothing joins their names.
    pub(super) people: BTreeSet<PersonId>,
    /// What its files have a column for.
    pub(super) states: BTreeMap<Setting, State>,
    /// The kind of mailbox, where it is not that of one person.
    pub(super) not_person: Option<String>,
    /// Whether only journal rules name it.
    pub(super) only_rules: bool,
    /// Whether a bare account name fits several people.
    pub(super) ambiguous: bool,
}

impl Account {
    pub(super) fn is_on(&self, setting: Setting) -> bool {
        self.states.get(&setting) == Some(&State::On)
    }
}

/// Unites the rows that are one account or one person; sorted by name.
pub(super) fn accounts(
    exports: &Exports,
    identities: &Identities,
    people: &People,
    directory: Option<&Directory>,
) -> Vec<Account> {
    let rows = &exports.rows;
    let mut groups = Groups::new(rows);
    for (attribute, once_per_file) in [
        (Attribute::ObjectSid, false),
        (Attribute::DistinguishedName, false),
        (Attribute::LegacyExchangeDn, true),
        (Attribute::UserPrincipalName, true),
        (Attribute::Mail, true),
        (Attribute::SipAddress, true),
    ] {
        groups.by_name(rows, attribute, once_per_file);
    }
    groups.by_account(rows);
    let names = Names::new(identities, people, directory);
    let found: Vec<Belongs> = rows.iter().map(|row| names.belongs(row)).collect();
    groups.by_person(&found);
    let mut accounts: BTreeMap<u32, Account> = BTreeMap::new();
    let mut own_name: BTreeMap<u32, (Attribute, String)> = BTreeMap::new();
    for (i, (row, found)) in rows.iter().zip(&found).enumerate() {
        let root = groups.union.root(i as u32);
        let new = || Account { only_rules: true, ..Account::default() };
        let account = accounts.entry(root).or_insert_with(new);
        account.people.extend(&found.people);
        account.ambiguous |= found.ambiguous;
        account.only_rules &= row.is_rule;
        let kind = row.not_person.clone().or_else(|| found.not_person.map(str::to_owned));
        account.not_person = account.not_person.take().max(kind);
        let columns = exports.files[row.file as usize].settings.iter();
        for setting in columns {
            let state = match row.states.get(setting) {
                Some(true) => State::On,
                Some(false) => State::Off,
                None => State::NotStated,
            };
            let known = account.states.entry(*setting).or_insert(state);
            *known = match (*known, state) {
                (State::On, _) | (_, State::On) => State::On,
                (State::Off, _) | (_, State::Off) => State::Off,
                _ => State::NotStated,
            };
        }
        let best = texts(row).into_iter().min().unwrap_or((Attribute::Account, row.linked.clone()));
        let name = own_name.entry(root).or_insert_with(|| best.clone());
        *name = best.min(name.clone());
    }
    let mut accounts: Vec<Account> = accounts
        .into_iter()
        .map(|(root, account)| {
            let person = account.people.first().map(|p| people.ids[*p as usize].clone());
            let own = &own_name[&root].1;
            // A recipient that is perhaps a list stays the address that the rule has.
            let canonical = || match account.only_rules {
                true => own.clone(),
                false => identities.canonical_text(own),
            };
            let name = person.unwrap_or_else(canonical);
            let ambiguous = account.ambiguous && account.people.is_empty();
            Account { name, ambiguous, ..account }
        })
        .collect();
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    accounts
}

/// The names of a row as a log may show them, by attribute.
fn texts(row: &ExportRow) -> Vec<(Attribute, String)> {
    let of = |(attribute, text): &(Attribute, String)| match attribute {
        Attribute::DistinguishedName | Attribute::EmployeeId => None,
        Attribute::Account if !row.domain.is_empty() => {
            Some((*attribute, format!("{}\\{text}", row.domain)))
        }
        _ => Some((*attribute, text.clone())),
    };
    row.names.iter().filter_map(of).collect()
}

/// Whom a row belongs to.
#[derive(Default)]
struct Belongs {
    people: BTreeSet<PersonId>,
    directory: BTreeSet<u32>,
    ambiguous: bool,
    not_person: Option<&'static str>,
}

/// Everything that finds people by names.
struct Names<'a> {
    identities: &'a Identities,
    people: &'a People,
    directory: Option<crate::identity::directory::LookUp<'a>>,
    by_directory: BTreeMap<u32, PersonId>,
    /// People by account name, whatever their domain.
    by_account: BTreeMap<String, BTreeSet<PersonId>>,
}

impl<'a> Names<'a> {
    fn new(
        identities: &'a Identities,
        people: &'a People,
        directory: Option<&'a Directory>,
    ) -> Names<'a> {
        let mut by_directory = BTreeMap::new();
        let mut by_account: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
        for (person, forms) in people.forms.iter().enumerate() {
            for form in forms.iter().map(|form| identities.get(*form)) {
                if let Some(known) = form.directory {
                    by_directory.insert(known, person as PersonId);
                }
                if matches!(form.kind, Kind::DownLevel | Kind::Bare) {
                    by_account.entry(form.local.clone()).or_default().insert(person as PersonId);
                }
            }
        }
        let directory = directory.map(|directory| identities.look_up(directory));
        Names { identities, people, directory, by_directory, by_account }
    }

    fn belongs(&self, row: &ExportRow) -> Belongs {
        let mut belongs = Belongs::default();
        let names = texts(row);
        let linked = Some(&row.linked).filter(|linked| !linked.is_empty());
        for name in names.iter().map(|(_, name)| name).chain(linked) {
            belongs.people.extend(self.identities.find(name).map(|form| self.people.of(form)));
            if let Some(known) = self.directory.as_ref().and_then(|d| d.person(name)) {
                belongs.directory.insert(known);
                belongs.people.extend(self.by_directory.get(&known));
            }
            let form = parse(name);
            let kind = match () {
                () if form.is_probe() => Some("monitoring-probe"),
                () if form.is_system_mailbox() => Some("system-mailbox"),
                () => None,
            };
            belongs.not_person = belongs.not_person.max(kind);
        }
        if belongs.people.is_empty() && belongs.directory.is_empty() && !row.netbios {
            // Without the NetBIOS domain an account is the one person's who has it in any.
            let accounts = row.names.iter().filter(|(a, _)| *a == Attribute::Account);
            let same: BTreeSet<PersonId> = accounts
                .filter_map(|(_, account)| self.by_account.get(account))
                .flatten()
                .copied()
                .collect();
            match same.len() {
                0 => {}
                1 => belongs.people = same,
                _ => belongs.ambiguous = true,
            }
        }
        belongs
    }
}

/// A partition of the rows; the least row stands for its group.
struct Groups {
    union: Union,
    /// The files of each group, at its root.
    files: Vec<BTreeSet<u32>>,
}

impl Groups {
    fn new(rows: &[ExportRow]) -> Groups {
        Groups {
            union: Union::of(rows.len()),
            files: rows.iter().map(|row| BTreeSet::from([row.file])).collect(),
        }
    }

    /// Unites two groups; where an account stands once in a file, only those without a common file.
    fn join(&mut self, one: u32, other: u32, once_per_file: bool) {
        let (one, other) = (self.union.root(one), self.union.root(other));
        let (least, most) = (one.min(other), one.max(other));
        let apart =
            once_per_file && !self.files[least as usize].is_disjoint(&self.files[most as usize]);
        if least != most && !apart {
            self.union.join(least, most);
            let files = std::mem::take(&mut self.files[most as usize]);
            self.files[least as usize].extend(files);
        }
    }

    fn by_name(&mut self, rows: &[ExportRow], attribute: Attribute, once_per_file: bool) {
        let mut first: BTreeMap<&str, u32> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            for (_, name) in row.names.iter().filter(|(a, _)| *a == attribute) {
                let first = *first.entry(name).or_insert(i as u32);
                // One recipient may have several rules.
                let once = once_per_file && !row.is_rule;
                self.join(first, i as u32, once);
            }
        }
    }

    /// By account name within a domain; one without a domain is the one account of that name.
    fn by_account(&mut self, rows: &[ExportRow]) {
        let mut first: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut bare: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            for (_, name) in row.names.iter().filter(|(a, _)| *a == Attribute::Account) {
                let first = *first.entry((name, &row.domain)).or_insert(i as u32);
                self.join(first, i as u32, !row.is_rule);
                if row.domain.is_empty() {
                    bare.entry(name).or_default().push(i as u32);
                }
            }
        }
        let mut by_name: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for ((name, domain), row) in &first {
            if !domain.is_empty() {
                by_name.entry(name).or_default().push(*row);
            }
        }
        for (name, bare) in bare {
            let roots: BTreeSet<u32> =
                by_name.get(name).into_iter().flatten().map(|row| self.union.root(*row)).collect();
            if let (1, Some(only)) = (roots.len(), roots.first()) {
                bare.into_iter().for_each(|row| self.join(*only, row, true));
            }
        }
    }

    /// Several accounts of one person of the logs or of the directory are one.
    fn by_person(&mut self, found: &[Belongs]) {
        let mut by_log: BTreeMap<PersonId, u32> = BTreeMap::new();
        let mut by_directory: BTreeMap<u32, u32> = BTreeMap::new();
        for (i, found) in found.iter().enumerate() {
            for person in &found.people {
                let first = *by_log.entry(*person).or_insert(i as u32);
                self.join(first, i as u32, false);
            }
            for person in &found.directory {
                let first = *by_directory.entry(*person).or_insert(i as u32);
                self.join(first, i as u32, false);
            }
        }
    }
}
