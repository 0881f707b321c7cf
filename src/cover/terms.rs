//! Catalogue and tariffs, made ready for building networks: suites as a tree, sets of CALs as bits.

use super::flow::UNBOUNDED;
use super::price::{Demand, Tariff};

/// Catalogue and tariffs, made ready for building networks.
pub(super) struct Terms {
    pub(super) bases: Vec<Option<u32>>,
    /// Per CAL, as bits: itself and all it is additive to.
    pub(super) closures: Vec<u64>,
    /// The CALs, each after its base.
    pub(super) order: Vec<u32>,
    trees: Vec<Tree>,
}

/// The suites of one tariff as a tree, with the CALs as leaves.
pub(super) struct Tree {
    /// Each suite after the suites that contain it.
    suites: Vec<Branch>,
    /// Per CAL: its price.
    pub(super) cals: Vec<u64>,
    /// The CALs, as bits, that can be had together with all their bases.
    usable: u64,
}

/// A suite in the tree.
pub(super) struct Branch {
    pub(super) suite: u32,
    pub(super) grants: u64,
    pub(super) price: u64,
}

impl Terms {
    pub(super) fn new(demand: &Demand) -> Terms {
        let bases = demand.catalogue().bases().to_vec();
        let mut closures = vec![0_u64; bases.len()];
        for (cal, closure) in closures.iter_mut().enumerate() {
            let mut next = Some(cal as u32);
            while let Some(cal) = next {
                *closure |= 1 << cal;
                next = bases[cal as usize];
            }
        }
        let mut order: Vec<u32> = (0..bases.len() as u32).collect();
        order.sort_by_key(|&cal| (closures[cal as usize].count_ones(), cal));
        let suites = demand.catalogue().suites();
        let trees = demand.tariffs().iter().map(|t| Tree::new(t, suites, &closures)).collect();
        Terms { bases, closures, order, trees }
    }

    pub(super) fn tree(&self, tariff: Option<u32>) -> Option<&Tree> {
        tariff.map(|tariff| &self.trees[tariff as usize])
    }

    pub(super) fn usable(&self, tariff: Option<u32>) -> u64 {
        self.tree(tariff).map_or(0, |tree| tree.usable)
    }
}

impl Tree {
    fn new(tariff: &Tariff, suites: &[Vec<u32>], closures: &[u64]) -> Tree {
        let mut sold: Vec<Branch> = (0..)
            .zip(suites.iter().zip(&tariff.suites))
            .filter_map(|(suite, (cals, &price))| {
                let grants = cals.iter().fold(0, |bits, cal| bits | 1 << cal);
                Some(Branch { suite, grants, price: price? })
            })
            .collect();
        sold.sort_by_key(|branch| (std::cmp::Reverse(branch.grants.count_ones()), branch.suite));
        let cals: Vec<u64> = tariff.cals.iter().map(|price| price.unwrap_or(UNBOUNDED)).collect();
        let on_sale = (0..)
            .zip(&tariff.cals)
            .filter(|(_, price)| price.is_some())
            .fold(0_u64, |bits, (cal, _)| bits | 1 << cal);
        let on_sale = sold.iter().fold(on_sale, |bits, branch| bits | branch.grants);
        let usable = (0..)
            .zip(closures)
            .filter(|&(_, closure)| on_sale & closure == *closure)
            .fold(0_u64, |bits, (cal, _)| bits | 1 << cal);
        Tree { suites: sold, cals, usable }
    }

    /// The suites that can pay for a holder with these needs, each after those that contain it.
    ///
    /// A suite that costs more than the parts of it that are needed is never bought: its arc would
    /// never fill, and leaving it out changes no cut.
    pub(super) fn binding(&self, need: u64) -> Vec<&Branch> {
        let mut binding: Vec<&Branch> = Vec::new();
        // From the inner to the outer: what the parts below each suite can carry.
        for branch in self.suites.iter().rev().filter(|branch| branch.grants & need != 0) {
            let (mut parts, mut apart) = (0_u64, branch.grants & need);
            for inner in binding.iter().rev().filter(|inner| inner.grants & !branch.grants == 0) {
                if inner.grants & apart != 0 {
                    parts = parts.saturating_add(inner.price);
                    apart &= !inner.grants;
                }
            }
            for (cal, &price) in self.cals.iter().enumerate() {
                if apart & (1 << cal) != 0 {
                    parts = parts.saturating_add(price);
                }
            }
            if branch.price <= parts {
                binding.push(branch);
            }
        }
        binding.reverse();
        binding
    }
}
