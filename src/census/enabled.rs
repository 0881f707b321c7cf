//! What accounts are enabled for, beside what the logs show them use.
//!
//! Settings are another class of evidence than accesses: they change no number of the count. Where
//! a licence hangs on a setting (additive CALs of Exchange, voice extensions, hosted identities),
//! the configuration's own number stands beside that of the logs. `counting.md` section 5.

mod accounts;
mod export;
mod setting;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use self::accounts::{Account, State, accounts};
pub use self::export::{ExportError, ExportFile, Exports};
pub use self::setting::Setting;
use super::Person;
use super::packs::Packs;
use crate::identity::directory::Directory;
use crate::identity::{Identities, People, PersonId};
use crate::rules::{Cal, Product, Usage};

/// Settings beside accesses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Enabled {
    /// The exports, in their order.
    pub files: Vec<ExportFile>,
    /// One row per setting that an export tells of, in the order of [`Setting::ALL`].
    pub settings: Vec<SettingUse>,
    /// What the settings require, sorted by (product, CAL).
    pub requires: Vec<ConfiguredCals>,
    /// Mailboxes that no single person has, with their kind; in no number here. Sorted.
    pub not_people: Vec<(String, String)>,
    /// Rows that belong to nobody for sure, with the reason (`ambiguous`, `journal-recipient`); in no
    /// number here. Sorted.
    pub open: Vec<(String, &'static str)>,
    /// What each account is enabled for, with the ids of the people it belongs to; sorted by name.
    pub accounts: Vec<EnabledAccount>,
}

/// One setting, over all accounts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingUse {
    /// Which.
    pub setting: Setting,
    /// Accounts that are enabled.
    pub enabled: u64,
    /// Accounts that are enabled, and that the logs show use it; `None` where no log shows its use.
    pub used: Option<u64>,
    /// Accounts that are enabled and that no log shows use it, sorted; empty where no log shows use.
    pub never_used: Vec<String>,
    /// Accounts that are not enabled, and that the logs show use it, sorted.
    pub used_not_enabled: Vec<String>,
    /// People whom the logs show use it and whom no export with that column lists, sorted.
    pub used_not_listed: Vec<String>,
    /// Accounts of which the column says nothing.
    pub not_stated: u64,
}

/// CALs that settings require, beside those that observed usage requires.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfiguredCals {
    /// Product.
    pub product: Product,
    /// Level.
    pub cal: Cal,
    /// Id of the rule pack by which a setting requires it.
    pub pack: String,
    /// People in demand by observed usage.
    pub observed: u64,
    /// Accounts whose settings require it.
    pub configuration: u64,
    /// Both together, each once.
    pub together: u64,
    /// The settings that require it.
    pub settings: Vec<Setting>,
    /// Accounts whose settings require it and whose observed usage does not, sorted.
    pub beyond_observed: Vec<String>,
}

/// What one account is enabled for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EnabledAccount {
    /// Its name: the id of its person, else an account or an address.
    pub account: String,
    /// Ids of the people of the logs that it belongs to, sorted.
    pub people: Vec<String>,
    /// What it is enabled for.
    pub enabled: Vec<Setting>,
    /// What of this no log shows it use, though logs could.
    pub never_used: Vec<Setting>,
}

/// Sets the exports beside the accesses; `uses` are all accesses of the period, by service.
pub(super) fn compare<'a>(
    exports: &Exports,
    (identities, people, directory): (&Identities, &People, Option<&Directory>),
    uses: impl Iterator<Item = (PersonId, &'a str)>,
    counted: &[Person],
    packs: &Packs<'_>,
) -> Enabled {
    let mut used: BTreeMap<&str, BTreeSet<PersonId>> = BTreeMap::new();
    for (person, service) in uses {
        used.entry(service).or_default().insert(person);
    }
    let users = |setting: Setting| -> BTreeSet<PersonId> {
        setting.services().iter().filter_map(|s| used.get(s)).flatten().copied().collect()
    };
    let (known, others): (Vec<Account>, Vec<Account>) =
        accounts(exports, identities, people, directory)
            .into_iter()
            .partition(|a| a.not_person.is_none() && !a.ambiguous && !is_list(a));
    let mut not_people: Vec<(String, String)> =
        others.iter().filter_map(|a| Some((a.name.clone(), a.not_person.clone()?))).collect();
    not_people.sort();
    let mut open: Vec<(String, &'static str)> = others
        .iter()
        .filter(|a| a.not_person.is_none())
        .map(|a| (a.name.clone(), if a.ambiguous { "ambiguous" } else { "journal-recipient" }))
        .collect();
    open.sort();
    let told: BTreeSet<Setting> = exports.files.iter().flat_map(|f| f.settings.clone()).collect();
    let listed_of = |setting: Setting| -> BTreeSet<PersonId> {
        let all = known.iter().chain(&others).filter(|a| a.states.contains_key(&setting));
        all.flat_map(|a| a.people.iter().copied()).collect()
    };
    let uses_of: BTreeMap<Setting, BTreeSet<PersonId>> =
        told.iter().map(|setting| (*setting, users(*setting))).collect();
    let settings = told
        .iter()
        .map(|setting| {
            let users = &uses_of[setting];
            let visible = !setting.services().is_empty();
            let is_used = |a: &&&Account| !a.people.is_disjoint(users);
            let names = |accounts: Vec<&Account>| accounts.iter().map(|a| a.name.clone()).collect();
            let in_state = |state| -> Vec<&Account> {
                known.iter().filter(|a| a.states.get(setting) == Some(&state)).collect()
            };
            let enabled = in_state(State::On);
            let (by_use, never): (Vec<&Account>, Vec<&Account>) =
                enabled.iter().copied().partition(|a| is_used(&a));
            let off = in_state(State::Off).into_iter().filter(|a| is_used(&a)).collect();
            let listed = listed_of(*setting);
            let not_listed: BTreeSet<String> =
                users.difference(&listed).map(|p| people.ids[*p as usize].clone()).collect();
            SettingUse {
                setting: *setting,
                enabled: enabled.len() as u64,
                used: visible.then_some(by_use.len() as u64),
                never_used: if visible { names(never) } else { Vec::new() },
                used_not_enabled: names(off),
                used_not_listed: not_listed.into_iter().collect(),
                not_stated: in_state(State::NotStated).len() as u64,
            }
        })
        .collect();
    let each = known.iter().map(|account| {
        let enabled: Vec<Setting> =
            told.iter().copied().filter(|setting| account.is_on(*setting)).collect();
        let unused = |setting: &Setting| {
            !setting.services().is_empty() && account.people.is_disjoint(&uses_of[setting])
        };
        EnabledAccount {
            account: account.name.clone(),
            people: account.people.iter().map(|p| people.ids[*p as usize].clone()).collect(),
            never_used: enabled.iter().copied().filter(unused).collect(),
            enabled,
        }
    });
    Enabled {
        files: exports.files.clone(),
        settings,
        requires: requires(&known, &told, people, counted, packs),
        not_people,
        open,
        accounts: each.collect(),
    }
}

/// Whether only journal rules name an account that nobody is known to have: perhaps a list.
fn is_list(account: &Account) -> bool {
    account.only_rules && account.people.is_empty()
}

/// The CALs that settings require, by the pack of the newest server of each product.
fn requires(
    known: &[Account],
    told: &BTreeSet<Setting>,
    people: &People,
    counted: &[Person],
    packs: &Packs<'_>,
) -> Vec<ConfiguredCals> {
    let mut by_cal: BTreeMap<(Product, Cal), BTreeSet<Setting>> = BTreeMap::new();
    for setting in told {
        let Some(feature) = setting.feature() else { continue };
        let usage = Usage::of_setting(feature);
        for rule in packs.newest(setting.product()).required(&usage) {
            by_cal.entry((setting.product(), rule.requires)).or_default().insert(*setting);
        }
    }
    by_cal
        .into_iter()
        .map(|((product, cal), settings)| {
            let needs = |a: &&Account| settings.iter().any(|setting| a.is_on(*setting));
            let accounts: Vec<&Account> = known.iter().filter(needs).collect();
            let observed: BTreeSet<&str> = counted
                .iter()
                .filter(|p| p.cals.contains(&(product, cal)))
                .map(|p| p.id.as_str())
                .collect();
            let is_observed = |a: &&&Account| {
                a.people.iter().any(|p| observed.contains(people.ids[*p as usize].as_str()))
            };
            let beyond: Vec<String> =
                accounts.iter().filter(|a| !is_observed(a)).map(|a| a.name.clone()).collect();
            ConfiguredCals {
                product,
                cal,
                pack: packs.newest(product).id.clone(),
                observed: observed.len() as u64,
                configuration: accounts.len() as u64,
                together: (observed.len() + beyond.len()) as u64,
                settings: settings.into_iter().collect(),
                beyond_observed: beyond,
            }
        })
        .collect()
}
