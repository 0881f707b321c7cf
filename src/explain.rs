//! The whole story of one person, account or device: names, accesses, CALs, exclusions and rows.
//!
//! Made from a [`Census`] with [`Detail::Full`](crate::census::Detail::Full), so that it can say
//! nothing else than the report does.

mod find;
mod rows;
mod story;
mod text;

use std::io::{self, Write};

use serde::Serialize;

pub use find::Unknown;
pub use rows::read_rows;
pub use text::text;

use crate::census::Census;
use crate::facts::Witness;
use crate::report::json::visible::Visible;
use crate::rules::RulePack;

/// Name and version of the schema of [`json`].
pub const SCHEMA: &str = "calproof.explain/1";

/// Everything that is known under one name.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    schema: &'static str,
    /// The name asked for.
    pub name: String,
    /// Whoever has it: people and accounts first, then devices.
    pub subjects: Vec<Subject>,
}

/// One person, account, device, or identity behind an account.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    /// `person`, `account` (not counted), `device`, or `identity` (only ever acted for).
    pub kind: &'static str,
    /// Canonical id, or the device's label.
    pub id: String,
    /// The answer first: one sentence each.
    pub verdict: Vec<String>,
    /// Names as logged; of a device its labels.
    pub names: Vec<String>,
    /// Why names are one.
    pub joins: Vec<Join>,
    /// What was reached.
    pub accesses: Vec<Access>,
    /// CALs that this requires.
    pub cals: Vec<CalNeeded>,
    /// Entries of the exclusion ledger.
    pub excluded: Vec<Left>,
    /// What no rule settles.
    pub unresolved: Vec<Left>,
    /// Raw rows, in their order in time.
    pub rows: Vec<RawRow>,
    /// How many more rows could be cited.
    pub more_rows: u64,
    #[serde(skip)]
    witnesses: Vec<(Witness, String)>,
}

/// Why two names are one person's.
#[derive(Clone, Debug, Serialize)]
pub struct Join {
    /// A name.
    pub one: String,
    /// Another.
    pub other: String,
    /// `realms`, `directory: mail (ad.csv:2)`, …
    pub reason: String,
}

/// Facts that differ in their days only.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// Canonical id of whoever reached it; `-` for nobody.
    pub principal: String,
    /// The identity it acted for; may be empty.
    pub acted_for: String,
    /// Product.
    pub product: &'static str,
    /// Service.
    pub service: &'static str,
    /// Server.
    pub server: String,
    /// `served`, `failed`, …
    pub outcome: &'static str,
    /// Label of the device; `None` where the rows show none.
    pub device: Option<String>,
    /// Whether a device CAL could be assigned to the device.
    pub identified: bool,
    /// What became of it: `counted`, `excluded: administration`, …
    pub fate: String,
    /// Rows or exchanges.
    pub events: u64,
    /// UTC days on which it was seen, `YYYY-MM-DD`.
    pub days: Vec<String>,
}

/// A CAL, and the rule that requires it.
#[derive(Clone, Debug, Serialize)]
pub struct CalNeeded {
    /// Product.
    pub product: &'static str,
    /// Level.
    pub cal: &'static str,
    /// Id of the rule pack.
    pub pack: String,
    /// Id of the rule; `None` where none of the pack is about the use.
    pub rule: Option<String>,
    /// Services whose use requires it.
    pub services: Vec<&'static str>,
    /// Sources with quotation or restatement.
    pub sources: Vec<String>,
    /// Whether another reading has a row in the sensitivity table.
    pub disputed: bool,
}

/// Something that is left out or not settled.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    /// Rule id, or reason code.
    pub rule: &'static str,
    /// What that means.
    pub meaning: &'static str,
    /// The user's own reason, or what the rule looked at; may be empty.
    pub reason: String,
    /// Servers.
    pub servers: Vec<String>,
    /// Rows.
    pub events: u64,
    /// Sources of the rule.
    pub sources: Vec<String>,
}

/// A row as it stands in its file, without secrets.
#[derive(Clone, Debug, Serialize)]
pub struct RawRow {
    /// Path of the input.
    pub path: String,
    /// Line, from 1.
    pub line: u64,
    /// Byte, from 0, in the decompressed and decoded text.
    pub byte: u64,
    /// What became of it.
    pub fate: String,
    /// The row; several lines of a trace record. `None` where it could not be read again.
    pub text: Option<String>,
    /// Why it could not be read again.
    pub trouble: Option<String>,
}

impl Explanation {
    /// Finds the name and tells all about whoever has it; the rows come by [`read_rows`].
    ///
    /// # Errors
    ///
    /// Nobody has the name; the nearest known ones.
    pub fn of(name: &str, census: &Census, packs: &[RulePack]) -> Result<Explanation, Unknown> {
        let found = find::find(name, census)?;
        let subjects = found.iter().map(|found| story::subject(found, census, packs)).collect();
        Ok(Explanation { schema: SCHEMA, name: name.to_owned(), subjects })
    }
}

/// Writes the story as JSON: the fields of [`Explanation`] in their order.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn json(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Visible::default());
    told.serialize(&mut serializer)?;
    out.write_all(b"\n")
}
