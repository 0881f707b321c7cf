//! The purchase plan: the least price that covers every counted access, with its proof.
//!
//! All products are planned together, because suites reach over products. `counting.md` section 5:
//! "with prices, one minimum cut, additive CALs included, suites where they are nested or disjoint".

use std::collections::{BTreeMap, BTreeSet};

use super::Requirement;
use super::device::DeviceId;
use super::packs::Packs;
use super::prices::{PricePair, Prices, short_name};
use super::requirement::{Basis, Reached, edges, machines_of, rows_of};
use crate::cover::check::{self, Refusal};
use crate::cover::{
    Access, Catalogue, CoverError, Demand, Holder, Item, Plan, Purchase, Tariff, least_price,
};
use crate::facts::Witness;
use crate::identity::PersonId;
use crate::rules::{Cal, Product, SuiteCover};

/// The least that covers every counted access costs, and for whom it is bought. Money is in
/// hundredths of the currency that the prices are in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PurchasePlan {
    /// What to buy, by item and side.
    pub lines: Vec<PlanLine>,
    /// What it costs. All of it is proved, except for the CALs of "a device of" a shared account.
    pub total: u64,
    /// What a user CAL for everybody costs, without suites; device CALs for shared and machine
    /// accounts included. `None` where a price for it is missing.
    pub users_only: Option<u64>,
    /// CALs that are required and cannot be had at the stated prices: not in the plan.
    pub unpriced: Vec<(Product, Cal)>,
    /// Accesses of priced CALs that nothing on sale covers, as (person, device, CAL): only a user CAL
    /// or only a device CAL could, and it has no price.
    pub uncovered: Vec<(String, String, String)>,
    /// Who gets what, sorted. Of a shared account that came from no identified device, "a device of"
    /// it: one of its devices needs a CAL, whichever that is.
    pub assignments: Vec<Assignment>,
    /// Rows that prove that the plan cannot be cheaper: see [`Charged`].
    pub proof: Vec<Charged>,
}

/// One line of a purchase plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlanLine {
    /// `exchange.standard`, `suite.core`: the key of its price without the side.
    pub item: String,
    /// `user` or `device`.
    pub side: &'static str,
    /// How many.
    pub quantity: u64,
    /// What each costs.
    pub price: u64,
    /// What they cost together.
    pub amount: u64,
}

/// One thing that is bought for somebody, or for a device.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Assignment {
    /// As in [`PlanLine`].
    pub item: String,
    /// `user` or `device`.
    pub side: &'static str,
    /// Id of the person, or label of the device.
    pub holder: String,
}

/// An amount that one access must cost, whoever is licensed for it.
///
/// To cover the access at its person, the person must hold `user_cal`; at its device, the device
/// must hold `device_cal`. No item costs less than the amounts that count on the CALs it grants, so
/// no plan costs less than all amounts together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Charged {
    /// Id of the person; `-` for a machine account.
    pub person: String,
    /// Label of the device; `-` where the row shows none.
    pub device: String,
    /// `exchange.standard`.
    pub user_cal: String,
    /// As `user_cal`.
    pub device_cal: String,
    /// What the access must cost at least.
    pub amount: u64,
    /// The least row of the access.
    pub witness: Witness,
}

/// Why there is no plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PurchaseError {
    /// The prices cannot be solved.
    #[error(
        "calproof.toml: prices: no least price can be found (in the order of the message: CALs {cals}; \
         suites {suites}): {source}"
    )]
    Cover {
        /// The CALs of the question, in order.
        cals: String,
        /// The suites of the question, in order.
        suites: String,
        /// What the solver says.
        source: Box<CoverError>,
    },
    /// The independent check refuses the plan: a defect of the program.
    #[error(
        "the purchase plan does not pass its check ({0}); this is a defect of calproof, please report it; leave \
         `prices` out of calproof.toml to get the count"
    )]
    Check(Refusal),
}

/// What is asked of the solver, with the names behind its indices.
struct Question {
    cals: Vec<(Product, Cal)>,
    suites: Vec<String>,
    people: Vec<PersonId>,
    devices: Vec<DeviceId>,
    witnesses: BTreeMap<Access, Witness>,
    demand: Demand,
    unpriced: Vec<(Product, Cal)>,
}

/// Finds the plan of least price; `None` where nothing has a price.
///
/// # Errors
///
/// Prices that have no answer, such as those of overlapping suites.
pub(super) fn purchase(
    basis: &Basis<'_>,
    requirements: &[Requirement],
    packs: &Packs<'_>,
    prices: &Prices,
) -> Result<Option<PurchasePlan>, PurchaseError> {
    if !prices.buys_cals() {
        return Ok(None);
    }
    let wanted: Vec<(Product, Cal)> = requirements.iter().map(|r| (r.product, r.cal)).collect();
    let question = Question::new(basis, &wanted, packs, prices)?;
    let plan = least_price(&question.demand);
    check::price(&question.demand, &plan).map_err(PurchaseError::Check)?;
    Ok(Some(question.answer(basis, &plan, users_only(requirements, prices))))
}

/// What a user CAL for everybody costs, with device CALs where only those will do.
fn users_only(requirements: &[Requirement], prices: &Prices) -> Option<u64> {
    requirements.iter().try_fold(0_u64, |sum, r| {
        let pair = prices.cals.get(&(r.product, r.cal)).copied().unwrap_or_default();
        let cost = |n: u64, price: Option<u64>| match n {
            0 => Some(0),
            n => n.checked_mul(price?),
        };
        let devices = cost(r.shared_devices + r.machine_devices, pair.device)?;
        sum.checked_add(cost(r.users.demand, pair.user)?)?.checked_add(devices)
    })
}

/// The CAL that an additive one stands on.
fn base((product, cal): (Product, Cal)) -> Option<(Product, Cal)> {
    (cal != Cal::Standard).then_some((product, Cal::Standard))
}

impl Question {
    fn new(
        basis: &Basis<'_>,
        wanted: &[(Product, Cal)],
        packs: &Packs<'_>,
        prices: &Prices,
    ) -> Result<Question, PurchaseError> {
        let granted: Vec<(&String, Vec<(Product, Cal)>)> =
            prices.suites.keys().map(|suite| (suite, granted(suite, packs))).collect();
        // A CAL can be had where it and its base are on sale to the same side.
        let on_sale = |side: fn(&PricePair) -> Option<u64>, cal: &(Product, Cal)| {
            prices.cals.get(cal).and_then(side).is_some()
                || granted.iter().any(|(suite, cals)| {
                    side(&prices.suites[*suite]).is_some() && cals.contains(cal)
                })
        };
        let sides: [fn(&PricePair) -> Option<u64>; 2] = [|p| p.user, |p| p.device];
        let to_be_had = |cal: &(Product, Cal)| {
            sides.iter().any(|side| {
                on_sale(*side, cal) && base(*cal).is_none_or(|base| on_sale(*side, &base))
            })
        };
        let (priced, unpriced): (Vec<_>, Vec<_>) = wanted.iter().copied().partition(to_be_had);
        let cals: BTreeSet<(Product, Cal)> =
            priced.iter().flat_map(|cal| [Some(*cal), base(*cal)]).flatten().collect();
        let cals: Vec<(Product, Cal)> = cals.into_iter().collect();
        let place_of = |cal: &(Product, Cal)| cals.binary_search(cal).ok().map(|i| i as u32);

        let sold: Vec<(&String, Vec<u32>)> = granted
            .iter()
            .map(|(suite, granted)| (*suite, granted.iter().filter_map(place_of).collect()))
            .filter(|(_, cals): &(_, Vec<u32>)| !cals.is_empty())
            .collect();
        let suites: Vec<String> = sold.iter().map(|(suite, _)| (*suite).clone()).collect();
        let tariff = |side: fn(&PricePair) -> Option<u64>| Tariff {
            cals: cals.iter().map(|cal| prices.cals.get(cal).and_then(side)).collect(),
            suites: suites.iter().map(|suite| side(&prices.suites[suite])).collect(),
        };

        // Who reached what, by CAL.
        let accesses: Vec<_> = priced
            .iter()
            .map(|&(product, cal)| {
                let machines = machines_of(basis, product, cal);
                (place_of(&(product, cal)), edges(&rows_of(basis, product, cal)), machines)
            })
            .collect();
        let people: BTreeSet<PersonId> =
            accesses.iter().flat_map(|(_, edges, _)| edges.iter().map(|e| e.person)).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        let devices = basis.devices.by_label(accesses.iter().flat_map(|(_, edges, machines)| {
            edges.iter().filter_map(|e| e.end.device()).chain(machines.keys().copied())
        }));
        let nothing = devices.list.len() as u32;
        let mut users: Vec<Option<u32>> =
            people.iter().map(|p| (!basis.shared.contains(p)).then_some(0)).collect();
        // A machine account is nobody: its place among the users cannot hold a CAL.
        let machine = users.len() as u32;
        users.push(None);
        let mut ends: Vec<Option<u32>> =
            devices.list.iter().map(|d| basis.devices.get(*d).identified.then_some(1)).collect();
        ends.push(None);
        let mut witnesses: BTreeMap<Access, Witness> = BTreeMap::new();
        for (cal, edges, machines) in &accesses {
            let Some(cal) = *cal else { continue };
            for Reached { person, end, witness } in edges {
                let user = people.partition_point(|p| p < person) as u32;
                let device = end.device().map_or(nothing, |d| devices.place(d));
                witnesses.insert(Access { user, device, cal }, *witness);
            }
            for (device, witness) in machines {
                let access = Access { user: machine, device: devices.place(*device), cal };
                witnesses.insert(access, *witness);
            }
        }
        let refused = |source: CoverError| PurchaseError::Cover {
            cals: names(cals.iter().map(|cal| cal_key(*cal))),
            suites: names(suites.iter().cloned()),
            source: Box::new(source),
        };
        let bases = cals.iter().map(|cal| base(*cal).as_ref().and_then(place_of)).collect();
        let contents = sold.iter().map(|(_, cals)| cals.clone()).collect();
        let demand = Catalogue::new(bases, contents)
            .and_then(|catalogue| {
                let tariffs = sides.map(tariff).to_vec();
                Demand::new(catalogue, tariffs, users, ends, witnesses.keys().copied().collect())
            })
            .map_err(refused)?;
        Ok(Question { cals, suites, people, devices: devices.list, witnesses, demand, unpriced })
    }

    fn person(&self, basis: &Basis<'_>, user: u32) -> String {
        let person = self.people.get(user as usize);
        person.map_or("-".to_owned(), |p| basis.people.ids[*p as usize].clone())
    }

    fn device(&self, basis: &Basis<'_>, device: u32) -> String {
        let device = self.devices.get(device as usize);
        device.map_or("-".to_owned(), |d| basis.devices.get(*d).label.clone())
    }

    fn item(&self, item: Item) -> String {
        match item {
            Item::Cal(cal) => cal_key(self.cals[cal as usize]),
            Item::Suite(suite) => format!("suite.{}", self.suites[suite as usize]),
        }
    }

    fn price(&self, side: usize, item: Item) -> Option<u64> {
        let tariff = &self.demand.tariffs()[side];
        match item {
            Item::Cal(cal) => tariff.cals[cal as usize],
            Item::Suite(suite) => tariff.suites[suite as usize],
        }
    }

    fn answer(&self, basis: &Basis<'_>, plan: &Plan, users_only: Option<u64>) -> PurchasePlan {
        let mut lines: BTreeMap<(Item, usize), u64> = BTreeMap::new();
        let mut assignments = Vec::new();
        for Purchase { holder, item } in &plan.purchases {
            let (side, holder) = match holder {
                Holder::User(user) => (0, self.person(basis, *user)),
                Holder::Device(device) => (1, self.device(basis, *device)),
            };
            *lines.entry((*item, side)).or_default() += 1;
            assignments.push(Assignment { item: self.item(*item), side: SIDES[side], holder });
        }
        // A shared account that came from no device that could be licensed needs a device CAL all
        // the same; what no price covers is named.
        let mut uncovered = BTreeSet::new();
        for (account, cal) in self.open_accounts(basis, plan) {
            let item = Item::Cal(cal);
            let holder = format!("a device of {}", self.person(basis, account));
            if self.price(1, item).is_some() {
                *lines.entry((item, 1)).or_default() += 1;
                assignments.push(Assignment { item: self.item(item), side: SIDES[1], holder });
            } else {
                let account = self.person(basis, account);
                uncovered.insert((account, holder, self.item(item)));
            }
        }
        for index in &plan.uncoverable {
            let access = self.demand.accesses()[*index as usize];
            let person = self.people.get(access.user as usize);
            let shared = person.is_some_and(|p| basis.shared.contains(p));
            let unlicensable = self.demand.devices()[access.device as usize].is_none();
            if !(shared && unlicensable) {
                uncovered.insert((
                    self.person(basis, access.user),
                    self.device(basis, access.device),
                    self.item(Item::Cal(access.cal)),
                ));
            }
        }
        let lines: Vec<PlanLine> = lines
            .into_iter()
            .map(|((item, side), quantity)| {
                let price = self.price(side, item).unwrap_or_default();
                let amount = price.saturating_mul(quantity);
                PlanLine { item: self.item(item), side: SIDES[side], quantity, price, amount }
            })
            .collect();
        assignments.sort();
        let proof = plan.charges.iter().map(|charge| {
            let access = self.demand.accesses()[charge.access as usize];
            Charged {
                person: self.person(basis, access.user),
                device: self.device(basis, access.device),
                user_cal: self.item(Item::Cal(charge.user_cal)),
                device_cal: self.item(Item::Cal(charge.device_cal)),
                amount: charge.amount,
                witness: self.witnesses[&access],
            }
        });
        PurchasePlan {
            total: lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount)),
            users_only,
            unpriced: self.unpriced.clone(),
            uncovered: uncovered.into_iter().collect(),
            assignments,
            proof: proof.collect(),
            lines,
        }
    }

    /// Shared accounts with an access that nothing can cover, and no device with the CAL: as (user,
    /// CAL), sorted.
    fn open_accounts(&self, basis: &Basis<'_>, plan: &Plan) -> BTreeSet<(u32, u32)> {
        let accesses = self.demand.accesses();
        let is_shared = |user: u32| {
            let person = self.people.get(user as usize);
            person.is_some_and(|p| basis.shared.contains(p))
        };
        let mut open: BTreeSet<(u32, u32)> = plan
            .uncoverable
            .iter()
            .map(|index| accesses[*index as usize])
            .filter(|a| is_shared(a.user) && self.demand.devices()[a.device as usize].is_none())
            .map(|a| (a.user, a.cal))
            .collect();
        let uncoverable: BTreeSet<u32> = plan.uncoverable.iter().copied().collect();
        // Whatever else it did was covered, and by a device, for it cannot hold a user CAL.
        for (index, access) in (0..).zip(accesses) {
            if !uncoverable.contains(&index) {
                open.remove(&(access.user, access.cal));
            }
        }
        open
    }
}

const SIDES: [&str; 2] = ["user", "device"];

fn names(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.enumerate().map(|(i, name)| format!("{i} {name}")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The key of a CAL's price without the side: `exchange.standard`.
fn cal_key((product, cal): (Product, Cal)) -> String {
    format!("{product}.{cal}")
}

/// What a suite grants: of each product, what the pack that applies to it says.
fn granted(suite: &str, packs: &Packs<'_>) -> Vec<(Product, Cal)> {
    let covers = |product: &Product| {
        let pack = packs.newest(*product);
        let contents = pack.suites.iter().filter(|s| short_name(&s.name) == suite);
        contents.flat_map(|s| &s.covers).filter(|c| c.product == *product).collect::<Vec<_>>()
    };
    let all: BTreeSet<(Product, Cal)> = Product::ALL
        .iter()
        .flat_map(covers)
        .map(|SuiteCover { product, cal }| (*product, *cal))
        .collect();
    all.into_iter().collect()
}
