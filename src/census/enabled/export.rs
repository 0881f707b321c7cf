//! Exports of the configuration: CSV as `Get-Mailbox`, `Get-CASMailbox`, `Get-UMMailbox`,
//! `Get-JournalRule` and `Get-CsUser` give it to `Export-Csv`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::setting::{OF_PEOPLE, SHIPPED_POLICIES, Says, Setting};
use super::value::{archive, flag, recipient, utf8};
use crate::digest::hex;
use crate::identity::directory::Problem;
use crate::identity::directory::csv::is_type_of_list;
use crate::identity::directory::rows::{Row, Rows};
use crate::identity::directory::text::text;
use crate::identity::entry::{Attribute, Column, Draft, addresses, shown};
use crate::shown;

/// How many problems are kept with their text; all are counted.
const PROBLEMS_KEPT: usize = 1000;

/// The rows of all exports, and what could not be used.
#[derive(Clone, Debug, Default)]
pub struct Exports {
    pub(super) files: Vec<ExportFile>,
    pub(super) rows: Vec<ExportRow>,
    problems: Vec<Problem>,
    problem_count: u64,
}

/// One file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExportFile {
    /// Path as given.
    pub path: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Rows that were used.
    pub rows: u64,
    /// What its columns tell, sorted.
    pub settings: Vec<Setting>,
}

/// One row: the names of an account and what is said of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ExportRow {
    pub(super) file: u32,
    /// Names, lower case, sorted.
    pub(super) names: Vec<(Attribute, String)>,
    /// NetBIOS name, else DNS name, of the account's domain; empty where neither is known.
    pub(super) domain: String,
    /// Whether `domain` is the NetBIOS name.
    pub(super) netbios: bool,
    /// `domain\user` of another forest; empty where there is none.
    pub(super) linked: String,
    /// The kind of mailbox, where it is not that of one person.
    pub(super) not_person: Option<String>,
    /// Whether the row is a journal rule, and its name whoever the rule is for.
    pub(super) is_rule: bool,
    /// What is stated.
    pub(super) states: BTreeMap<Setting, bool>,
}

/// Why an export cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// No column names an account.
    #[error(
        "{path}:{line}: found {found}, expected at least one of SamAccountName, UserPrincipalName, \
         PrimarySmtpAddress, SipAddress, Sid, LegacyExchangeDN; export all columns: \
         `Get-CASMailbox -ResultSize Unlimited | Export-Csv -Encoding UTF8 casmailboxes.csv`"
    )]
    NoNames {
        /// Path as given.
        path: String,
        /// Line of the header, from 1.
        line: u64,
        /// What stands there instead.
        found: String,
    },
    /// No column tells what an account is enabled for.
    #[error(
        "{path}:{line}: found {found}, expected a column that says what is enabled, such as OWAEnabled, ActiveSyncEnabled, \
         UMEnabled, ArchiveState, RetentionPolicy or EnterpriseVoiceEnabled; export `Get-Mailbox`, `Get-CASMailbox`, \
         `Get-UMMailbox` or `Get-CsUser`"
    )]
    NoSettings {
        /// Path as given.
        path: String,
        /// Line of the header, from 1.
        line: u64,
        /// What stands there instead.
        found: String,
    },
}

impl Exports {
    /// Reads exports, in their order.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose columns name nobody or tell no setting.
    pub fn load(paths: &[PathBuf]) -> Result<Exports, ExportError> {
        let mut exports = Exports::default();
        for path in paths {
            let name = shown::path(path);
            let file = File::open(path)
                .map_err(|source| ExportError::Read { path: name.clone(), source })?;
            exports.read(&name, file)?;
        }
        Ok(exports)
    }

    /// Reads the text of one export; `path` names it in problems.
    ///
    /// ```
    /// use calproof::census::Exports;
    /// let csv = "#TYPE x\r\nSamAccountName,OWAEnabled\r\nanna,True\r\nben,maybe\r\n";
    /// let exports = Exports::parse("cas.csv", csv.as_bytes())?;
    /// assert_eq!(exports.len(), 2);
    /// assert_eq!(
    ///     exports.problems()[0].to_string(),
    ///     "cas.csv:4: OWAEnabled: found `maybe`, expected True or False"
    /// );
    /// assert!(Exports::parse("ad.csv", "SamAccountName,Enabled\n".as_bytes()).is_err());
    /// # Ok::<(), calproof::census::ExportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Exports::load).
    pub fn parse(path: &str, text: impl Read) -> Result<Exports, ExportError> {
        let mut exports = Exports::default();
        exports.read(path, text)?;
        Ok(exports)
    }

    /// How many rows name an account.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The files, in their order.
    pub fn files(&self) -> &[ExportFile] {
        &self.files
    }

    /// Rows and values that could not be used: the first thousand.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many there are in all.
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }

    fn problem(&mut self, path: &str, line: u64, text: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            self.problems.push(Problem { path: path.to_owned(), line, text });
        }
    }

    fn read(&mut self, path: &str, bytes: impl Read) -> Result<(), ExportError> {
        let failed = |source| ExportError::Read { path: path.to_owned(), source };
        let mut bytes = Hashed { bytes, sha256: Sha256::new() };
        let mut rows = Rows::open(text(&mut bytes).map_err(failed)?).map_err(failed)?;
        let layout = Layout::of(path, rows.names(), rows.header_line())?;
        let file = self.files.len() as u32;
        let mut used = 0;
        let mut lists: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        let mut flaws: Vec<String> = Vec::new();
        let mut draft = Draft::default();
        while let Some((line, row)) = rows.next_row().map_err(failed)? {
            let row = match row {
                Ok(row) => row,
                Err(text) => {
                    self.problem(path, line, text);
                    continue;
                }
            };
            let mut read = layout.row(row, &mut draft, &mut flaws, &mut |column| {
                let list = lists.entry(column).or_insert((0, line));
                list.0 += 1;
            });
            read.file = file;
            if read.names.is_empty() && read.linked.is_empty() && flaws.is_empty() {
                flaws.push("found no name, expected an account, an address or a SID".to_owned());
            }
            for text in flaws.drain(..) {
                self.problem(path, line, text);
            }
            if !(read.names.is_empty() && read.linked.is_empty()) {
                self.rows.push(read);
                used += 1;
            }
        }
        if let Some((line, text)) = rows.unclosed() {
            self.problem(path, line, text);
        }
        for (column, (count, first)) in lists {
            let column = shown(&rows.names()[column]);
            self.problem(path, first, format!(
                "{column}: {count} rows from here on hold the name of a list's type instead of its values, so none of \
                 these names is known; join the values before the export: `Select-Object *,@{{n='{column}';\
                 e={{$_.{column} -join ';'}}}} -ExcludeProperty {column} | Export-Csv -Encoding UTF8`"
            ));
        }
        drop(rows);
        io::copy(&mut bytes, &mut io::sink()).map_err(failed)?;
        self.files.push(ExportFile {
            path: path.to_owned(),
            sha256: hex(&bytes.sha256.finalize()),
            rows: used,
            settings: layout.settings,
        });
        Ok(())
    }
}

/// Which column says what, and what a row of the file is.
struct Layout {
    names: Vec<(usize, Column)>,
    says: Vec<(usize, Says, String)>,
    is_mailbox: bool,
    is_cs_user: bool,
    is_rule: bool,
    settings: Vec<Setting>,
}

impl Layout {
    fn of(path: &str, columns: &[String], line: u64) -> Result<Layout, ExportError> {
        let found = || match columns.join(", ") {
            none if none.is_empty() => "an empty file".to_owned(),
            names => format!("the columns `{}`", shown(&names)),
        };
        let says: Vec<(usize, Says, String)> = columns
            .iter()
            .enumerate()
            .filter_map(|(i, name)| Some((i, Says::of(name)?, shown(name))))
            .collect();
        let has = |wanted: &dyn Fn(Says) -> bool| says.iter().any(|(_, says, _)| wanted(*says));
        let is_rule = has(&|s| s == Says::OfJournalRule) && has(&|s| s == Says::JournalRecipient);
        let is_cs_user = !is_rule
            && has(&|s| matches!(s, Says::OfCsUser | Says::Flag(Setting::EnterpriseVoice)));
        let of_exchange = |s: Says| match s {
            Says::Flag(setting) | Says::Policy(setting) => {
                setting.product() == Setting::Mailbox.product()
            }
            Says::ArchiveState
            | Says::ArchiveGuid
            | Says::ArchiveDatabase
            | Says::RecipientType
            | Says::OfMailbox => true,
            _ => false,
        };
        let is_mailbox = !is_rule && has(&of_exchange);
        let names: Vec<(usize, Column)> = columns
            .iter()
            .enumerate()
            .filter_map(|(i, name)| Some((i, name_column(name)?)))
            .collect();
        let named = names.iter().any(|(_, column)| column.is_loggable())
            || has(&|s| s == Says::LinkedAccount);
        if !(named || is_rule) {
            return Err(ExportError::NoNames { path: path.to_owned(), line, found: found() });
        }
        let mut settings: Vec<Setting> = says
            .iter()
            .filter_map(|(_, says, _)| match says {
                Says::Flag(setting) | Says::Policy(setting) => Some(*setting),
                Says::ArchiveState | Says::ArchiveGuid | Says::ArchiveDatabase => {
                    Some(Setting::Archive)
                }
                Says::Enabled if is_cs_user => Some(Setting::ImIdentity),
                _ => None,
            })
            .chain(is_mailbox.then_some(Setting::Mailbox))
            .chain(is_rule.then_some(Setting::Journaling))
            .collect();
        settings.sort_unstable();
        settings.dedup();
        if settings.is_empty() {
            return Err(ExportError::NoSettings { path: path.to_owned(), line, found: found() });
        }
        Ok(Layout { names, says, is_mailbox, is_cs_user, is_rule, settings })
    }

    /// Reads one row; `list` is told of a column that holds the name of a list's type.
    fn row(
        &self,
        row: Row<'_>,
        draft: &mut Draft,
        flaws: &mut Vec<String>,
        list: &mut dyn FnMut(usize),
    ) -> ExportRow {
        let mut read = ExportRow { is_rule: self.is_rule, ..ExportRow::default() };
        draft.clear();
        for (i, column) in &self.names {
            let Some(value) = utf8(&row[*i], column.as_str(), flaws) else { continue };
            if is_type_of_list(value, *column) {
                list(*i);
                continue;
            }
            let values = match column {
                Column::Name(Attribute::ProxyAddresses) => addresses(value),
                _ => vec![value],
            };
            for value in values {
                flaws.extend(draft.add(*column, value).err().map(|flaw| flaw.to_string()));
            }
        }
        if self.is_mailbox {
            read.states.insert(Setting::Mailbox, true);
        }
        let mut enabled = None;
        // By the state, else by what identifies an archive: one in the cloud has a GUID as well.
        let mut archived = (None, None);
        for (i, says, column) in &self.says {
            let Some(value) = utf8(&row[*i], column, flaws) else { continue };
            match says {
                Says::Flag(setting) => {
                    if let Some(flag) = flag(value, column, flaws) {
                        read.states.insert(*setting, flag);
                    }
                }
                Says::Enabled => enabled = flag(value, column, flaws),
                Says::ArchiveState | Says::ArchiveGuid | Says::ArchiveDatabase => {
                    let on = archive(*says, value, column, flaws);
                    match says {
                        Says::ArchiveState => archived.0 = on,
                        _ => archived.1 = on.max(archived.1),
                    }
                }
                Says::Policy(setting) => {
                    let shipped = SHIPPED_POLICIES.iter().any(|p| value.eq_ignore_ascii_case(p));
                    *read.states.entry(*setting).or_default() |= !(value.is_empty() || shipped);
                }
                Says::RecipientType => {
                    let person = OF_PEOPLE.iter().any(|kind| value.eq_ignore_ascii_case(kind));
                    if !(value.is_empty() || person) {
                        read.not_person = Some(shown(value));
                    }
                }
                Says::JournalRecipient if self.is_rule => recipient(value, draft, flaws),
                Says::LinkedAccount => {
                    // A shared mailbox has `NT AUTHORITY\SELF` there.
                    let own = value
                        .split_once('\\')
                        .is_some_and(|(domain, _)| domain.to_ascii_lowercase().starts_with("nt "));
                    if !own && value.contains('\\') {
                        read.linked = value.to_lowercase();
                    }
                }
                _ => {}
            }
        }
        if let (Some(on), _) | (None, Some(on)) = archived {
            read.states.insert(Setting::Archive, on);
        }
        if self.is_cs_user
            && let Some(on) = enabled
        {
            read.states.insert(Setting::ImIdentity, on);
            // Nobody who is switched off has a voice extension in force.
            if !on && read.states.contains_key(&Setting::EnterpriseVoice) {
                read.states.insert(Setting::EnterpriseVoice, false);
            }
        }
        if self.is_rule {
            read.states.insert(Setting::Journaling, enabled.unwrap_or(true));
        }
        if read.states.get(&Setting::Mailbox) == Some(&false) {
            read.states.values_mut().for_each(|on| *on = false);
        }
        draft.settle();
        read.netbios = !draft.netbios.is_empty();
        read.domain = if read.netbios { draft.netbios.clone() } else { draft.dns.clone() };
        // A distinguished name joins rows, but shows in no log; alone it names nobody.
        if draft.is_loggable() {
            read.names = draft.names.clone();
        }
        read
    }
}

/// The column of a name: those of a directory, and those that only these exports have.
fn name_column(name: &str) -> Option<Column> {
    let only_here =
        [("sipaddress", Attribute::SipAddress), ("windowsemailaddress", Attribute::Mail)];
    let known = only_here.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    match (known, Column::of(name)) {
        (Some((_, attribute)), _) => Some(Column::Name(*attribute)),
        (None, Some(column @ (Column::Name(_) | Column::PrincipalName))) => Some(column),
        (None, _) => None,
    }
}

/// Takes the digest of what is read through it.
struct Hashed<R> {
    bytes: R,
    sha256: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.sha256.update(&into[..read]);
        Ok(read)
    }
}
