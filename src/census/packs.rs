//! Which rule pack applies where, and the CALs that a use requires under it.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::Marks;
use hashbrown::HashMap;

use super::place::Places;
use super::seen::Seen;
use super::{PackCited, Requirement, exchanges};
use crate::config::Config;
use crate::rules::{Cal, Product, RuleError, RulePack, Usage, Version, select};

/// What the rules of a pack look at.
fn usage(seen: &Seen<'_>) -> Usage<'static> {
    let key = &seen.used.key;
    Usage {
        service: Some(key.service.as_str()),
        feature: exchanges::feature(key),
        administrative: key.marks.has(Marks::ADMINISTRATIVE),
    }
}

/// The rule that requires each CAL of a use, where there is one.
pub(super) fn rules(seen: &Seen<'_>, pack: &RulePack) -> Vec<(Cal, String, Option<String>)> {
    let by = |cal: &Cal| {
        let rule = pack.required(&usage(seen)).find(|rule| rule.requires == *cal);
        rule.map(|rule| rule.id.clone())
    };
    cals(seen, pack).iter().map(|cal| (*cal, pack.id.clone(), by(cal))).collect()
}

/// The CALs that a use requires under a rule pack.
pub(super) fn cals(seen: &Seen<'_>, pack: &RulePack) -> Vec<Cal> {
    let mut cals: Vec<Cal> = pack.required(&usage(seen)).map(|rule| rule.requires).collect();
    if cals.is_empty() {
        // A pack that says nothing of a use does not make it free.
        cals.push(Cal::Standard);
    }
    cals
}

/// Some CALs of one product.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Cals(u8);

impl Cals {
    /// Whether a CAL is among them.
    pub(super) fn has(self, cal: Cal) -> bool {
        self.0 & 1 << cal as u8 != 0
    }

    /// These and another.
    pub(super) fn with(self, cal: Cal) -> Cals {
        Cals(self.0 | 1 << cal as u8)
    }

    /// Each of them, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = Cal> {
        Cal::ALL.iter().copied().filter(move |cal| self.has(*cal))
    }
}

/// The CALs that uses require, each kind of use looked up once.
#[derive(Default)]
pub(super) struct Required(HashMap<(Product, Option<Version>, Usage<'static>), Cals>);

impl Required {
    /// The CALs that a use of a server of some version requires.
    pub(super) fn of(
        &mut self,
        seen: &Seen<'_>,
        version: Option<Version>,
        packs: &Packs<'_>,
    ) -> Cals {
        let all = || cals(seen, packs.of(seen.product, version)).into_iter();
        let key = (seen.product, version, usage(seen));
        *self.0.entry(key).or_insert_with(|| all().fold(Cals::default(), Cals::with))
    }
}

/// The rule packs that apply.
pub(super) struct Packs<'a> {
    newest: BTreeMap<Product, &'a RulePack>,
    by_version: BTreeMap<Version, &'a RulePack>,
}

impl<'a> Packs<'a> {
    pub(super) fn select(
        packs: &'a [RulePack],
        places: &Places,
        config: &Config,
    ) -> Result<Packs<'a>, RuleError> {
        let ids = &config.rules.packs;
        let mut newest = BTreeMap::new();
        let mut by_version = BTreeMap::new();
        for product in Product::ALL {
            // Where no version is known, the highest that is known for the product stands for it.
            let known = places.list.iter().filter_map(|p| p.version(*product)).max();
            newest.insert(*product, select(packs, *product, known, ids)?);
            for version in places.list.iter().filter_map(|p| p.version(*product)) {
                by_version.insert(version, select(packs, *product, Some(version), ids)?);
            }
        }
        Ok(Packs { newest, by_version })
    }

    pub(super) fn of(&self, product: Product, version: Option<Version>) -> &'a RulePack {
        version.and_then(|v| self.by_version.get(&v)).copied().unwrap_or(self.newest[&product])
    }

    /// The pack that applies to the highest version of a product that is known.
    pub(super) fn newest(&self, product: Product) -> &'a RulePack {
        self.newest[&product]
    }

    /// The packs of the products that are reported.
    pub(super) fn cited(&self, requirements: &[Requirement]) -> Vec<PackCited> {
        let mut cited = Vec::new();
        self.cite(&mut cited, requirements.iter().map(|r| r.product));
        cited
    }

    /// Adds the packs of further products to those that are cited.
    pub(super) fn cite(&self, cited: &mut Vec<PackCited>, products: impl Iterator<Item = Product>) {
        let products: BTreeSet<Product> = products.collect();
        let all = self.newest.values().chain(self.by_version.values());
        cited.extend(all.filter(|pack| products.contains(&pack.product)).map(|pack| PackCited {
            id: pack.id.clone(),
            version: pack.version.clone(),
            sha256: pack.sha256().to_owned(),
        }));
        cited.sort();
        cited.dedup();
    }
}
