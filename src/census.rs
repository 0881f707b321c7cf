//! The census: who used what, who is left out and why, and what must be licensed.
//!
//! A plain value made from merged facts, the configuration and the rule packs. Everything in it is
//! sorted and decoded; reports and evidence read it and nothing else. Strings come from logs and are
//! attacker-written: whoever prints them must make them harmless for the medium.

mod administration;
mod busiest;
mod compare;
mod connector;
mod coverage;
mod device;
mod enabled;
mod exchanges;
mod fate;
mod forms;
mod ground;
mod judged;
mod ledger;
mod licences;
mod multiplexer;
mod namesakes;
mod nobody;
mod owned;
mod packs;
mod pattern;
mod people;
mod place;
mod prices;
mod purchase;
mod replay;
mod requirement;
mod seen;
mod sensitivity;
mod settle;
mod standing;
mod suspected;
mod take;
#[cfg(test)]
mod tests;
mod uses;
mod warnings;

use std::collections::BTreeMap;

pub use compare::{Comparisons, take, take_and_compare};
pub use connector::{ConnectorChoice, ConnectorPlan, ConnectorServer};
pub use coverage::LONGEST_GAP;
pub use device::InventoryError;
pub use enabled::{
    ConfiguredCals, Enabled, EnabledAccount, ExportError, ExportFile, Exports, Setting, SettingUse,
};
pub use licences::{LicenceError, Licences};
pub use owned::{OwnedCals, OwnedError, OwnedRow};
pub use prices::{PriceError, PricePair, Prices, short_name};
pub use purchase::{Assignment, Charged, PlanLine, PurchaseError, PurchasePlan};
pub use replay::{Accounts, AccountsError, NotCounted, Replay};
pub use sensitivity::{SensitivityNumbers, SensitivityRow};
pub use suspected::SUSPECTED_FROM;
pub use take::{CensusError, Question};
pub(crate) use warnings::of_multiplexers;

use crate::facts::Witness;
use crate::ingest::input::InputReport;
use crate::rules::{Cal, Product};

/// Everything a report shows.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Name of the organisation, where it is configured.
    pub organization: Option<String>,
    /// The rule packs that were applied, sorted by id.
    pub rule_packs: Vec<PackCited>,
    /// First and last day of the period that was asked about, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// See `from`.
    pub to: Option<String>,
    /// Least and greatest instant of an event in the period, milliseconds since 1970.
    pub events: Option<(i64, i64)>,
    /// One row per (product, CAL), sorted.
    pub requirements: Vec<Requirement>,
    /// Use per server, sorted by name; never CAL demand.
    pub servers: Vec<ServerUse>,
    /// The people that demand counts for at least one product, sorted by id.
    pub people: Vec<Person>,
    /// The exclusion ledger, sorted by (principal, rule).
    pub excluded: Vec<Excluded>,
    /// What no rule settles, sorted by (what, reason).
    pub unresolved: Vec<Unresolved>,
    /// Names that may be one person, by local part; sorted.
    pub probable_aliases: Vec<ProbableAliases>,
    /// Coverage by server and format, sorted.
    pub coverage: Vec<Coverage>,
    /// One report per input, sorted by path.
    pub inputs: Vec<InputReport>,
    /// What weakens the count, sorted by (code, path, text).
    pub warnings: Vec<Warning>,
    /// Mailboxes that something was submitted from: shown beside the people, never counted by
    /// themselves. Sorted.
    pub corroborated: Vec<Corroborated>,
    /// Accounts that acted for others, sorted.
    pub multiplexers: Vec<Multiplexer>,
    /// Accounts that several people seem to share, sorted.
    pub suspected_shared: Vec<SuspectedShared>,
    /// Why names are one, by canonical id, also of those who are not counted; only where
    /// [`Detail::Full`] was asked for.
    pub joins: BTreeMap<String, Vec<(String, String, String)>>,
    /// Every merged fact with what became of it, in the order of (principal, product, first row);
    /// only where [`Detail::Full`] was asked for.
    pub uses: Vec<Use>,
    /// The least that covers every counted access costs; only where prices are stated.
    pub purchase: Option<PurchasePlan>,
    /// Required against owned CALs, sorted by (product, CAL); empty where none are stated.
    pub owned: Vec<OwnedRow>,
    /// External Connectors or CALs, by product; empty where no external user is declared.
    pub connectors: Vec<ConnectorPlan>,
    /// The numbers under every disputed reading, as configured first; empty where not asked for.
    pub sensitivity: Vec<SensitivityRow>,
    /// An auditor's list of accounts beside the counted people; only where one was given.
    pub replay: Option<Replay>,
    /// What accounts are enabled for beside what they use; only where the configuration names exports.
    pub enabled: Option<Enabled>,
    /// Where names are pseudonyms, what tells their key from others.
    pub pseudonyms: Option<String>,
}

/// How much a census keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detail {
    /// What the report shows.
    #[default]
    Report,
    /// Every merged fact as well: for evidence and explanations.
    Full,
}

/// A mailbox that something was submitted from, by a message tracking log.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Corroborated {
    /// The sender's address as logged, in lower case.
    pub mailbox: String,
    /// Server.
    pub server: String,
    /// The person of that name, where one is counted.
    pub person: Option<String>,
    /// Submissions.
    pub events: u64,
    /// The least row.
    pub witness: Witness,
}

/// An account that acted for others, with whoever was seen behind it.
///
/// "Multiplexing does not reduce the number of Microsoft licenses required" (VL 2014).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Multiplexer {
    /// Canonical id of the account.
    pub account: String,
    /// Whether the configuration or the directory states it as a service account.
    pub stated: bool,
    /// Those it acted for whom demand counts, sorted.
    pub people: Vec<String>,
    /// Those who are in the upper end only, sorted.
    pub unresolved: Vec<String>,
    /// Those whom a rule of the ledger leaves out, sorted.
    pub excluded: Vec<String>,
    /// Rows in which it acted for somebody.
    pub events: u64,
    /// The least of them.
    pub witness: Witness,
}

/// An account that came from more devices on one day than one person has: one person in demand, and in
/// the upper end one per device.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SuspectedShared {
    /// Canonical id.
    pub account: String,
    /// Devices of one kind on the busiest day.
    pub devices: u64,
    /// What they are: `ActiveSync ids`, `addresses of the own network`, …
    pub kind: &'static str,
    /// The day, since 1970 (UTC); the earliest of equals.
    pub day: i32,
    /// The least row of those that were seen on that day too.
    pub witness: Witness,
}

/// One merged fact, decoded, with what became of it.
#[derive(Clone, Debug)]
pub struct Use {
    /// Canonical id; `-` where nobody is named.
    pub principal: String,
    /// The name as logged, decoded; empty where nobody is named.
    pub name: String,
    /// Product of the service.
    pub product: Product,
    /// Server.
    pub server: String,
    /// Service.
    pub service: &'static str,
    /// Outcome: `served`, `refused`, …
    pub outcome: &'static str,
    /// Label of the device; `None` where the rows show none.
    pub device: Option<String>,
    /// Whether a device CAL could be assigned to it.
    pub identified: bool,
    /// Identity that was acted for, mailbox that was opened, or server that vouches; may be empty.
    pub acted_for: String,
    /// What else the rows say, by name.
    pub marks: Vec<&'static str>,
    /// `counted`, `excluded: <rule>`, `unresolved: <reason>`, `device of its own`, or `adds nothing`.
    pub fate: String,
    /// CALs that a counted use requires.
    pub cals: Vec<Cal>,
    /// For each of them the id of the pack, and of its rule; `None` where the pack says nothing of
    /// the use, and Standard stands.
    pub rules: Vec<(Cal, String, Option<String>)>,
    /// The client's address, where that is the device evidence.
    pub address: Option<String>,
    /// Rows or exchanges.
    pub events: u64,
    /// The least row.
    pub first: Witness,
    /// The greatest row.
    pub last: Witness,
    /// UTC days since 1970 on which it was seen, ascending.
    pub days: Vec<i32>,
}

/// A rule pack that was applied.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PackCited {
    /// Id: `exchange-2010`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its TOML text, hexadecimal.
    pub sha256: String,
}

/// What observed usage requires of one kind of CAL.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Product.
    pub product: Product,
    /// Level of the CAL.
    pub cal: Cal,
    /// Highest server version that a counted person reached; `None` where no log and no list tells.
    pub version: Option<String>,
    /// People by the highest version each of them reached; `unknown` where it is not known.
    pub by_version: BTreeMap<String, u64>,
    /// People, as an interval.
    pub users: Interval,
    /// Demand without the user's declared exclusions; `None` where nobody is declared out.
    pub demand_without_declared: Option<u64>,
    /// Shared accounts, which `users` counts once each.
    pub shared_accounts: u64,
    /// Identified devices of shared accounts, which need device CALs beside `users`; each shared account
    /// is in `users` once, so that declaring one never lowers the number.
    pub shared_devices: u64,
    /// Device CALs for machine accounts that no person was seen behind, beside `users`.
    pub machine_devices: u64,
    /// Distinct identified devices of counted accesses.
    pub devices_identified: u64,
    /// Distinct unidentified devices (address and user agent) of counted accesses.
    pub devices_unidentified: u64,
    /// Whether device CALs alone could cover every access: nobody came from an unidentified device.
    pub device_cals_suffice: bool,
    /// People who came from an unidentified device.
    pub people_from_unidentified: u64,
    /// The least mix.
    pub mix: Mix,
    /// Reassignment of user CALs.
    pub reassignment: Reassignment,
    /// Names behind the lower end: counted in demand, left out of lower. Sorted, with the reason.
    pub lower_without: Vec<(String, String)>,
    /// Names behind the upper end: counted in upper, left out of demand. Sorted, with the reason and
    /// how many CALs each adds.
    pub upper_with: Vec<(String, String, u64)>,
}

/// A number between two others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Interval {
    /// Probable aliases merged, unresolved left out.
    pub lower: u64,
    /// The rules as they stand.
    pub demand: u64,
    /// Aliases apart, configured merges undone, unresolved counted.
    pub upper: u64,
}

/// The least number of CALs that covers every counted access, and who gets them.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    /// User CALs.
    pub user_cals: u64,
    /// Device CALs.
    pub device_cals: u64,
    /// Ids of the people who get a user CAL, sorted.
    pub users: Vec<String>,
    /// The devices that get a device CAL, sorted.
    pub devices: Vec<String>,
    /// Rows that prove that fewer cannot suffice: no licensable person and no licensable device
    /// stands in two of them. (person, device, row.)
    pub proof: Vec<(String, String, Witness)>,
    /// Shared accounts that came from no identified device: one device CAL each, in `devices` as
    /// `a device of …`. Sorted.
    pub without_device: Vec<String>,
    /// Every access that the mix must cover, in the order of (person, device); only where
    /// [`Detail::Full`] was asked for.
    pub pairs: Vec<Pair>,
}

/// An access that must be covered: a person, or a computer's own account, and what it came from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Pair {
    /// Id of the person; `-` for a computer's own account.
    pub person: String,
    /// Whether a user CAL could be assigned to it.
    pub person_licensable: bool,
    /// Label of the device; `-` where the rows show none.
    pub device: String,
    /// Whether a device CAL could be assigned to it.
    pub device_licensable: bool,
    /// The least row.
    pub witness: Witness,
    /// Whether it is one of the rows that prove that fewer CALs cannot suffice.
    pub proves: bool,
}

/// How far handing user CALs on could have gone.
#[derive(Clone, Debug, Default)]
pub struct Reassignment {
    /// Distinct people over the whole period.
    pub distinct: u64,
    /// Most distinct people in any 90 consecutive UTC days.
    pub peak_90_days: u64,
    /// First and last day (days since 1970) of the earliest such window.
    pub window: Option<(i32, i32)>,
    /// Half the peak, rounded up.
    pub floor: u64,
}

/// Use of one server.
#[derive(Clone, Debug)]
pub struct ServerUse {
    /// Name: as listed, else as logged.
    pub server: String,
    /// Whether the configuration lists it.
    pub listed: bool,
    /// Product, where it is known.
    pub product: Option<Product>,
    /// Version, where it is known.
    pub version: Option<String>,
    /// Counted people who were served.
    pub users: u64,
    /// Identified devices that counted people came from.
    pub devices_identified: u64,
    /// Unidentified ones.
    pub devices_unidentified: u64,
    /// Use by service, sorted by name.
    pub services: Vec<ServiceUse>,
    /// The busiest day: never more simultaneous sessions than that.
    pub busiest: Option<BusiestDay>,
}

/// A day of a server, for per-server licensing (gone since Windows Server 2012).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BusiestDay {
    /// Days since 1970-01-01 (UTC).
    pub day: i32,
    /// Pairs of a counted person and a device.
    pub pairs: u64,
}

/// Use of one service of a server.
#[derive(Clone, Debug)]
pub struct ServiceUse {
    /// Service name.
    pub service: &'static str,
    /// Counted people who were served.
    pub users: u64,
    /// Served events of counted people.
    pub events: u64,
}

/// A counted person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Canonical id.
    pub id: String,
    /// Names as logged, decoded, sorted.
    pub names: Vec<String>,
    /// Why names are one person: (name, name, reason), sorted.
    pub joins: Vec<(String, String, String)>,
    /// Products that demand counts the person for.
    pub products: Vec<Product>,
    /// Servers that served the person, sorted.
    pub servers: Vec<String>,
    /// Services that served the person, sorted.
    pub services: Vec<&'static str>,
    /// Distinct devices, identified and unidentified.
    pub devices: u64,
    /// Served events.
    pub events: u64,
    /// Failed logons under the person's names: no exclusion, a number.
    pub failed_events: u64,
    /// Least and greatest instant of a served event, milliseconds since 1970.
    pub first: i64,
    /// See `first`.
    pub last: i64,
    /// The least row that shows the person served.
    pub witness: Witness,
    /// CALs that the person's use requires, sorted.
    pub cals: Vec<(Product, Cal)>,
    /// Whether the directory has one of the names; `None` where there is no directory.
    pub known_to_directory: Option<bool>,
    /// Accounts that acted for the person, sorted.
    pub through: Vec<String>,
}

/// One entry of the exclusion ledger.
#[derive(Clone, Debug)]
pub struct Excluded {
    /// Canonical id, or `-` where nobody is named.
    pub principal: String,
    /// Rule id.
    pub rule: &'static str,
    /// The user's own reason (`declared`), or what the rule looked at.
    pub reason: String,
    /// Servers, sorted.
    pub servers: Vec<String>,
    /// Products, sorted.
    pub products: Vec<Product>,
    /// Rows.
    pub events: u64,
    /// The least row.
    pub witness: Witness,
}

/// Something that no rule settles.
#[derive(Clone, Debug)]
pub struct Unresolved {
    /// A canonical id, a device, an address, or `-`.
    pub what: String,
    /// Why it is not settled: `thin-use`, `anonymous-internal`, …
    pub reason: &'static str,
    /// Servers, sorted.
    pub servers: Vec<String>,
    /// Rows.
    pub events: u64,
    /// The least row.
    pub witness: Witness,
}

/// Names with the same local part that may be one person.
#[derive(Clone, Debug)]
pub struct ProbableAliases {
    /// The local part.
    pub local_part: String,
    /// The ids that share it, sorted.
    pub ids: Vec<String>,
    /// How many people they are at least.
    pub at_least: u64,
}

/// Coverage of one server by one log format.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Server.
    pub server: String,
    /// Format.
    pub format: &'static str,
    /// Every day from the first to the last that any log of the server covers.
    pub days: Vec<(i32, DayState)>,
    /// Inputs with rows of the same time.
    pub overlaps: Vec<Overlap>,
    /// Places of inputs that repeat one of these (duplicate or superseded), in the list of inputs.
    pub repeats: Vec<u32>,
    /// Where a clock went back: place of the input, from which hour to which (since 1970).
    pub set_back: Vec<(u32, i64, i64)>,
}

/// Two inputs of one server and format, with different content, that have rows of the same time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Overlap {
    /// Their places in the list of inputs, the one that begins first before the other.
    pub inputs: (u32, u32),
    /// First and last day on which both have rows of one hour.
    pub days: (i32, i32),
}

/// How well a day is covered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DayState {
    /// Rows from the first to the last hours of the day, without a long gap.
    Complete,
    /// Rows, but not over the whole day.
    Partial,
    /// No rows.
    Absent,
    /// Rows whose columns cannot show who was there.
    Blind,
}

impl DayState {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            DayState::Complete => "complete",
            DayState::Partial => "partial",
            DayState::Absent => "absent",
            DayState::Blind => "blind",
        }
    }
}

/// Something that weakens the count or that its reader must know.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Warning {
    /// Short code: `blind-log`.
    pub code: &'static str,
    /// The input it is about; empty where it is about the whole run.
    pub path: String,
    /// One sentence.
    pub text: String,
}
