//! The sensitivity table: what every disputed reading of the rules would make of the numbers.
//!
//! `counting.md` section 7. Each row judges every fact once more, with one switch changed.

use std::collections::BTreeSet;

use calproof_parsers::{Marks, Outcome, Service};
use rayon::prelude::*;

use super::packs::Cals;
use super::standing::Standing;
use super::{Interval, Requirement, suspected};
use crate::config::Admins;
use crate::facts::days::Days;
use crate::facts::usage::Used;
use crate::rules::{Cal, Effect, Product};

/// How the rules are read. The default is: as the configuration and the rule packs say.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Reading {
    /// How many administrators are exempt; `None`: as configured.
    pub(super) admins: Option<Admins>,
    /// Whether who was always refused counts.
    pub(super) never_served_counts: bool,
    /// Whether who only asked for Autodiscover counts.
    pub(super) thin_use_counts: bool,
    /// Whether an answer 4xx after authentication is a refusal.
    pub(super) client_errors_refuse: bool,
    /// Whether attending a conference needs no CAL.
    pub(super) attending_is_free: bool,
    /// What becomes of guests; `None`: as the rule packs say.
    pub(super) guests: Option<Effect>,
    /// Whether ActiveSync needs an Enterprise CAL of Exchange.
    pub(super) activesync_is_enterprise: bool,
    /// Whether declared shared accounts are people like others.
    pub(super) shared_are_people: bool,
    /// Whether machine accounts need no CAL.
    pub(super) machines_are_free: bool,
    /// Whether declared exclusions are set aside.
    pub(super) declared_count: bool,
    /// Whether whoever stands behind a service account needs no CAL.
    pub(super) behind_accounts_is_free: bool,
    /// Only so many days up to the last use in the period.
    pub(super) last_days: Option<i32>,
}

impl Reading {
    /// Whether the rules are read as configured.
    pub(super) fn is_configured(&self) -> bool {
        *self == Reading::default()
    }

    /// Whether a standing counts under this reading, administration apart.
    pub(super) fn counts(&self, standing: Standing) -> bool {
        match standing {
            Standing::Served | Standing::Asserted => true,
            Standing::NeverServed => self.never_served_counts,
            Standing::ThinUse => self.thin_use_counts,
            Standing::Vouched | Standing::ProbeLike | Standing::FailedOnly | Standing::Nothing => {
                false
            }
        }
    }

    /// The CALs that a use of a service requires under this reading.
    pub(super) fn cals(&self, service: Service, cals: Cals) -> Cals {
        let enterprise = self.activesync_is_enterprise && service == Service::Eas;
        if enterprise { cals.with(Cal::Enterprise) } else { cals }
    }

    /// The facts as they are read; `None` where they are read as they stand.
    pub(super) fn facts(&self, facts: &[Used]) -> Option<Vec<Used>> {
        if let Some(days) = self.last_days {
            return Some(recent(facts, days));
        }
        self.client_errors_refuse.then(|| {
            let refused = |used: &Used| {
                let mut used = used.clone();
                if used.key.marks.has(Marks::CLIENT_ERROR) {
                    used.key.outcome = Outcome::Refused;
                }
                used
            };
            facts.iter().map(refused).collect()
        })
    }
}

/// The facts of the last days up to the last use, with those days alone. Numbers of events stay those
/// of the whole period.
fn recent(facts: &[Used], days: i32) -> Vec<Used> {
    let Some(last) = facts.iter().filter_map(|f| f.days.iter().last()).max() else {
        return Vec::new();
    };
    let recent = |used: &Used| {
        let days = used.days.iter().filter(|day| *day > last - days);
        days.map(Days::one).reduce(|mut all, day| {
            all.merge(&day);
            all
        })
    };
    let kept = |used: &Used| Some(Used { days: recent(used)?, ..used.clone() });
    facts.iter().filter_map(kept).collect()
}

/// The readings of the table, as (id, what is read otherwise, the reading).
fn readings() -> Vec<(&'static str, &'static str, Reading)> {
    let base = Reading::default();
    let admins = |admins| Reading { admins: Some(admins), ..base };
    let days = |n| Reading { last_days: Some(n), ..base };
    let guests = |effect| Reading { guests: Some(effect), ..base };
    vec![
        ("as-configured", "as configured", base),
        (
            "admins-two-per-product",
            "administrators: two per product exempt",
            admins(Admins::TwoPerProduct),
        ),
        ("admins-two", "administrators: two in all exempt", admins(Admins::Two)),
        (
            "admins-two-per-server",
            "administrators: two per server exempt",
            admins(Admins::TwoPerServer),
        ),
        (
            "never-served-counted",
            "who was always refused counts",
            Reading { never_served_counts: true, ..base },
        ),
        (
            "thin-use-counted",
            "who only asked for Autodiscover counts",
            Reading { thin_use_counts: true, ..base },
        ),
        (
            "client-errors-refused",
            "an answer 4xx after authentication is a refusal",
            Reading { client_errors_refuse: true, ..base },
        ),
        (
            "conference-attendees-none",
            "attending a conference needs no CAL",
            Reading { attending_is_free: true, ..base },
        ),
        (GUESTS_COUNTED, "guests of conferences count", guests(Effect::Unresolved)),
        ("guests-excluded", "guests of conferences are left out", guests(Effect::Excluded)),
        (
            "activesync-enterprise",
            "ActiveSync needs an Enterprise CAL",
            Reading { activesync_is_enterprise: true, ..base },
        ),
        (
            "shared-as-people",
            "shared accounts are people like others",
            Reading { shared_are_people: true, ..base },
        ),
        (
            "machine-accounts-none",
            "machine accounts need no CAL",
            Reading { machines_are_free: true, ..base },
        ),
        ("declared-counted", "declared exclusions count", Reading { declared_count: true, ..base }),
        (
            "multiplexers-accounts-only",
            "who stands behind a service account does not count",
            Reading { behind_accounts_is_free: true, ..base },
        ),
        (EVERYBODY_BEHIND, "every identity behind an account counts", base),
        (SUSPECTED, "suspected shared accounts count once per device at once", base),
        ("last-30-days", "only the last 30 days", days(30)),
        ("last-90-days", "only the last 90 days", days(90)),
        ("last-365-days", "only the last 365 days", days(365)),
    ]
}

/// Readings under which units of the upper number are added up: nothing proves that these are people
/// of the census, so nobody can place them in a mix. As (reading, reason of the units).
const ADDED_UP: [(&str, &str); 3] = [
    (GUESTS_COUNTED, "guest"),
    (EVERYBODY_BEHIND, "behind-multiplexer"),
    (SUSPECTED, suspected::REASON),
];
const SUSPECTED: &str = "suspected-shared-counted";
const GUESTS_COUNTED: &str = "guests-counted";
const EVERYBODY_BEHIND: &str = "multiplexers-everybody";

/// The numbers under one reading.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SensitivityRow {
    /// Short name: `never-served-counted`.
    pub reading: &'static str,
    /// What is read otherwise, in words.
    pub title: &'static str,
    /// Whether any number differs from the first row's.
    pub differs: bool,
    /// The numbers, one per kind of CAL that any reading requires, in the order of (product, CAL).
    pub requirements: Vec<SensitivityNumbers>,
}

/// What one reading requires of one kind of CAL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SensitivityNumbers {
    /// Product.
    pub product: Product,
    /// Level.
    pub cal: Cal,
    /// People.
    pub users: Interval,
    /// All CALs where every person gets a user CAL: demand, and the devices of shared and machine
    /// accounts.
    pub users_only: u64,
    /// Device CALs, where they alone suffice.
    pub devices_only: Option<u64>,
    /// The least mix; `None` under readings that add up who cannot be placed in it (guests, unknown identities behind an account).
    pub mix: Option<u64>,
}

/// The numbers under every reading, the first as `configured`; `require` finds those of another.
pub(super) fn table<E: Send>(
    configured: &[Requirement],
    require: impl Fn(&Reading) -> Result<Vec<Requirement>, E> + Sync,
) -> Result<Vec<SensitivityRow>, E> {
    let row = |(id, title, reading): (&'static str, &'static str, Reading)| {
        let numbers = |requirements: &[Requirement]| -> Vec<SensitivityNumbers> {
            let added = ADDED_UP.iter().find(|(reading, _)| *reading == id).map(|(_, why)| *why);
            requirements.iter().map(|r| numbers(r, added)).collect()
        };
        let row = match reading.is_configured() {
            true => numbers(configured),
            false => numbers(&require(&reading)?),
        };
        Ok((id, title, row))
    };
    let found: Vec<(&str, &str, Vec<SensitivityNumbers>)> =
        readings().into_par_iter().map(row).collect::<Result<_, E>>()?;
    let kinds: BTreeSet<(Product, Cal)> =
        found.iter().flat_map(|(_, _, row)| row.iter().map(|n| (n.product, n.cal))).collect();
    let full = |row: &[SensitivityNumbers]| -> Vec<SensitivityNumbers> {
        let none = |(product, cal)| SensitivityNumbers {
            product,
            cal,
            users: Interval::default(),
            users_only: 0,
            devices_only: Some(0),
            mix: Some(0),
        };
        let of = |kind: &(Product, Cal)| row.iter().find(|n| (n.product, n.cal) == *kind).copied();
        kinds.iter().map(|kind| of(kind).unwrap_or_else(|| none(*kind))).collect()
    };
    let first = found.first().map(|(_, _, row)| full(row)).unwrap_or_default();
    Ok(found
        .into_iter()
        .map(|(reading, title, row)| {
            let requirements = full(&row);
            // A mix that is not told is no difference by itself.
            let same = |a: &SensitivityNumbers, b: &SensitivityNumbers| {
                (a.users, a.users_only) == (b.users, b.users_only)
                    && a.mix.zip(b.mix).is_none_or(|(a, b)| a == b)
                    && (a.devices_only == b.devices_only || a.mix.is_none())
            };
            let differs = !first.iter().zip(&requirements).all(|(b, a)| same(a, b));
            SensitivityRow { reading, title, differs, requirements }
        })
        .collect())
}

fn numbers(r: &Requirement, added: Option<&str>) -> SensitivityNumbers {
    let units = r.upper_with.iter().filter(|(_, why, _)| Some(why.as_str()) == added);
    let added: u64 = units.map(|(_, _, n)| n).sum();
    let users = Interval {
        lower: r.users.lower + added,
        demand: r.users.demand + added,
        upper: r.users.upper,
    };
    SensitivityNumbers {
        product: r.product,
        cal: r.cal,
        users,
        users_only: users.demand + r.shared_devices + r.machine_devices,
        devices_only: (r.device_cals_suffice && added == 0).then_some(r.devices_identified),
        mix: (added == 0).then_some(r.mix.user_cals + r.mix.device_cals),
    }
}
