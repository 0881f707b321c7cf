//! The auditor's replay: a list of all accounts or mailboxes beside the people who were seen.
//!
//! Counting accounts is the usual way to count licences without logs. The replay shows both numbers
//! and every name that makes the difference. It changes no number of the census.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Census, DayState};
use crate::facts::usage::Used;
use crate::identity::principal::{Kind, parse};
use crate::identity::{Identities, People, PersonId};
use crate::shown;

/// A list of accounts or mailboxes, as an auditor counts them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accounts {
    path: String,
    /// Names of each account in the order of [`COLUMNS`]; at least one.
    accounts: Vec<Vec<String>>,
    nameless: u64,
}

/// The columns that name an account, the best first.
const COLUMNS: [&str; 8] = [
    "sAMAccountName",
    "UserPrincipalName",
    "mail",
    "PrimarySmtpAddress",
    "WindowsEmailAddress",
    "SipAddress",
    "Alias",
    "name",
];

/// Why a list of accounts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A row is no CSV, or has too few or too many fields.
    #[error("{path}: {source}; every row must have as many fields as the header")]
    Row {
        /// Path as given.
        path: String,
        /// What is wrong, and where.
        source: csv::Error,
    },
    /// No column names anybody.
    #[error(
        "{path}:{line}: found the columns {found}, expected at least one of sAMAccountName, UserPrincipalName, \
         mail, PrimarySmtpAddress, name; export accounts with `Get-ADUser -Filter * -Properties mail | Export-Csv \
         -Encoding UTF8`, or mailboxes with `Get-Mailbox -ResultSize Unlimited | Export-Csv -Encoding UTF8`"
    )]
    Columns {
        /// Path as given.
        path: String,
        /// Line of the header, from 1.
        line: usize,
        /// The header as it is.
        found: String,
    },
}

impl Accounts {
    /// Reads a CSV file as `Export-Csv` writes it: UTF-8 or UTF-16, with comma, semicolon or tab.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, without a column that names accounts, or with a broken row.
    pub fn load(path: &Path) -> Result<Accounts, AccountsError> {
        let shown = shown::path(path);
        let bytes = std::fs::read(path)
            .map_err(|source| AccountsError::Read { path: shown.clone(), source })?;
        Accounts::parse(&shown, &bytes)
    }

    /// Reads the text of a CSV file; `path` names it in errors.
    ///
    /// ```
    /// use calproof::census::Accounts;
    /// let csv = b"#TYPE x\r\nName,SamAccountName\r\nAnna A.,anna\r\nBen B.,ben\r\n";
    /// assert_eq!(Accounts::parse("all.csv", csv)?.len(), 2);
    /// assert!(Accounts::parse("all.csv", b"id,city\n1,Berlin\n").is_err());
    /// # Ok::<(), calproof::census::AccountsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Accounts::load).
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Accounts, AccountsError> {
        let encoding = encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |(e, _)| e);
        let (text, _, broken) = encoding.decode(bytes);
        // What is not UTF-8 has no mark: the code page of Western Windows keeps every letter.
        let text = if broken { encoding_rs::WINDOWS_1252.decode(bytes).0 } else { text };
        let mut line = 1;
        let mut rest: &str = &text;
        while rest.starts_with("#TYPE") || rest.starts_with(['\r', '\n']) {
            let Some((_, next)) = rest.split_once('\n') else { break };
            (rest, line) = (next, line + 1);
        }
        let header = rest.lines().next().unwrap_or_default();
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .rev()
            .max_by_key(|d| header.bytes().filter(|b| b == d).count())
            .unwrap_or(b',');
        let broken = |source| AccountsError::Row { path: path.to_owned(), source };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(rest.as_bytes());
        let header = rows.headers().map_err(broken)?.clone();
        let columns: Vec<usize> = COLUMNS
            .iter()
            .filter_map(|name| header.iter().position(|h| h.eq_ignore_ascii_case(name)))
            .collect();
        if columns.is_empty() {
            let found = header.iter().collect::<Vec<_>>().join(", ").escape_debug().to_string();
            return Err(AccountsError::Columns { path: path.to_owned(), line, found });
        }
        let mut accounts = Accounts { path: path.to_owned(), accounts: Vec::new(), nameless: 0 };
        for row in rows.records() {
            let row = row.map_err(broken)?;
            let names = columns.iter().filter_map(|i| row.get(*i));
            let names: Vec<String> =
                names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
            match names.is_empty() {
                true => accounts.nameless += 1,
                false => accounts.accounts.push(names),
            }
        }
        Ok(accounts)
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

/// A list of accounts beside the people who were counted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Replay {
    /// Path of the list as given.
    pub path: String,
    /// The auditor's number: rows of the list that name somebody.
    pub accounts: u64,
    /// Rows of the list that name nobody.
    pub nameless: u64,
    /// Our number: people who are counted for any product.
    pub people: u64,
    /// Accounts of counted people. Several accounts may be one person.
    pub accounts_of_counted: u64,
    /// Accounts of nobody who is counted, sorted by name.
    pub not_counted: Vec<NotCounted>,
    /// Counted people without an account in the list, sorted by id: (id, last sight in milliseconds
    /// since 1970).
    pub not_listed: Vec<(String, i64)>,
    /// Days on which at least one server has rows that show who was there.
    pub covered_days: u64,
}

/// An account of nobody who is counted.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NotCounted {
    /// Its best name in the list.
    pub account: String,
    /// Canonical id of the person it belongs to, where any row names it.
    pub person: Option<String>,
    /// Why it is not counted: `never-seen`, `ambiguous` (a bare name that several people have), the
    /// rules that leave the person out, or the reasons why it is not settled.
    pub reasons: Vec<String>,
    /// The last row that names the person, in milliseconds since 1970, also outside the period.
    pub last: Option<i64>,
}

/// Sets the accounts beside the people; `sights` has the last row that names each person.
pub(super) fn replay(
    accounts: &Accounts,
    census: &Census,
    identities: &Identities,
    people: &People,
    sights: &BTreeMap<PersonId, i64>,
) -> Replay {
    let by_local = local_names(identities, people, sights);
    let counted = |id: &str| census.people.binary_search_by(|p| p.id.as_str().cmp(id)).is_ok();
    let covered: BTreeSet<i32> = census
        .coverage
        .iter()
        .flat_map(|c| &c.days)
        .filter(|(_, state)| matches!(state, DayState::Complete | DayState::Partial))
        .map(|(day, _)| *day)
        .collect();
    let mut replay = Replay {
        path: accounts.path.clone(),
        accounts: accounts.accounts.len() as u64,
        nameless: accounts.nameless,
        people: census.people.len() as u64,
        covered_days: covered.len() as u64,
        ..Replay::default()
    };
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for names in &accounts.accounts {
        let known = |name: &String| {
            let person = people.of(identities.find(name)?);
            sights.contains_key(&person).then_some(person)
        };
        let of_local = |name: &String| {
            let bare = parse(name);
            by_local.get(&bare.local).filter(|_| bare.kind == Kind::Bare)
        };
        let found = names.iter().find_map(known);
        let same: Option<&BTreeSet<PersonId>> =
            if found.is_none() { names.iter().find_map(of_local) } else { None };
        let person = found.or_else(|| same.filter(|s| s.len() == 1)?.first().copied());
        let id = person.map(|p| people.ids[p as usize].as_str());
        if let Some(id) = id.filter(|id| counted(id)) {
            replay.accounts_of_counted += 1;
            listed.insert(id);
            continue;
        }
        let reasons = match (id, same) {
            (Some(id), _) => reasons(census, id),
            (None, Some(_)) => vec!["ambiguous".to_owned()],
            (None, None) => vec!["never-seen".to_owned()],
        };
        replay.not_counted.push(NotCounted {
            account: names[0].clone(),
            person: id.map(str::to_owned),
            reasons,
            last: person.and_then(|p| sights.get(&p).copied()),
        });
    }
    replay.not_counted.sort();
    let unlisted = census.people.iter().filter(|p| !listed.contains(p.id.as_str()));
    replay.not_listed = unlisted.map(|p| (p.id.clone(), p.last)).collect();
    replay
}

/// The last row that names each person.
pub(super) fn sights<'a>(
    facts: impl Iterator<Item = (Option<PersonId>, &'a Used)>,
) -> BTreeMap<PersonId, i64> {
    let mut sights: BTreeMap<PersonId, i64> = BTreeMap::new();
    for (person, used) in facts {
        let Some(person) = person else { continue };
        let last = sights.entry(person).or_insert(used.seen.last.instant);
        *last = used.seen.last.instant.max(*last);
    }
    sights
}

/// People who were seen, by the local part of any of their names: a bare account name in the list
/// may be any of them.
fn local_names(
    identities: &Identities,
    people: &People,
    sights: &BTreeMap<PersonId, i64>,
) -> BTreeMap<String, BTreeSet<PersonId>> {
    let mut by_local: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    for person in sights.keys() {
        for form in &people.forms[*person as usize] {
            let form = identities.get(*form);
            if form.kind != Kind::Other {
                by_local.entry(form.local.clone()).or_default().insert(*person);
            }
        }
    }
    by_local
}

/// The rules and reasons under which somebody is not counted.
fn reasons(census: &Census, id: &str) -> Vec<String> {
    let excluded = census.excluded.iter().filter(|e| e.principal == id).map(|e| e.rule);
    let open = census.unresolved.iter().filter(|u| u.what == id).map(|u| u.reason);
    let found: BTreeSet<&str> = excluded.chain(open).collect();
    match found.is_empty() {
        true => vec!["no-access".to_owned()],
        false => found.into_iter().map(str::to_owned).collect(),
    }
}
