//! Verifies an answer of the solver by itself: is everything covered, and does the proof hold?
//!
//! Nothing here searches, and nothing is shared with the solver but the values that go in and come
//! out. The order of lists is not relied on. Whoever doubts a number can read this file alone.

use super::{Demand, Graph, Holder, Item, Mix, Plan, Purchase, Tariff};

/// Why an answer is not accepted. Indices count from 0.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// An index is out of range.
    #[error("{list}: found index {found}, but there are {len}, counted from 0")]
    Unknown {
        /// Which list holds it.
        list: &'static str,
        /// The index found.
        found: u32,
        /// How many there are.
        len: usize,
    },
    /// A list names the same index twice.
    #[error("{list}: index {found} stands there twice")]
    Twice {
        /// Which list holds it.
        list: &'static str,
        /// The index found.
        found: u32,
    },
    /// A CAL for an end that cannot hold one.
    #[error("{holder:?} takes a CAL, but cannot hold one")]
    NotLicensable {
        /// The user or device.
        holder: Holder,
    },
    /// An access has neither end licensed.
    #[error("access {access} is covered neither by its user nor by its device")]
    Uncovered {
        /// The access.
        access: u32,
    },
    /// The list of uncoverable accesses is wrong.
    #[error("access {access}: listed as uncoverable: {listed}, but found the opposite")]
    Uncoverable {
        /// The access.
        access: u32,
        /// Whether it is listed.
        listed: bool,
    },
    /// An access in the proof has no end that can be licensed, so it proves nothing.
    #[error("access {access} has no cover, so it cannot stand in the proof")]
    ProvesNothing {
        /// The access.
        access: u32,
    },
    /// A user or device that stands in the matching twice.
    #[error("the matching uses {holder:?} twice, at access {access} again")]
    Reused {
        /// The user or device.
        holder: Holder,
        /// The second access.
        access: u32,
    },
    /// Cover and matching differ in size.
    #[error("the cover has {cover} CALs, but the matching has {matching} accesses")]
    Gap {
        /// CALs in the cover.
        cover: usize,
        /// Accesses in the matching.
        matching: usize,
    },
    /// An item that the holder's tariff does not sell.
    #[error("{holder:?} takes {item}, which its tariff does not sell")]
    NotSold {
        /// The user or device.
        holder: Holder,
        /// What it takes.
        item: Item,
    },
    /// The same purchase twice.
    #[error("{holder:?} takes {item} twice")]
    BoughtTwice {
        /// The user or device.
        holder: Holder,
        /// What it takes.
        item: Item,
    },
    /// A charge against a CAL that the access does not need.
    #[error("a charge of access {access} counts against CAL {cal}, which the access does not need")]
    WrongCal {
        /// The access.
        access: u32,
        /// The CAL.
        cal: u32,
    },
    /// A charge of nothing.
    #[error("a charge of access {access} is 0, expected an amount above 0")]
    EmptyCharge {
        /// The access.
        access: u32,
    },
    /// The charges against an item exceed its price.
    #[error("{holder:?}: charges of {charged} count against {item}, which costs {price}")]
    Overcharged {
        /// The user or device.
        holder: Holder,
        /// The CAL or suite.
        item: Item,
        /// What the charges add up to.
        charged: u128,
        /// What the item costs.
        price: u64,
    },
    /// Stated price, purchases and charges do not agree.
    #[error("the plan states {stated}, its purchases cost {cost}, its charges add up to {charged}")]
    Sums {
        /// What the plan says it costs.
        stated: u64,
        /// What its purchases cost.
        cost: u128,
        /// What its charges add up to.
        charged: u128,
    },
}

/// Verifies a least mix and returns the number of CALs that it proves.
///
/// Accepted means: every access but the listed uncoverable ones has a licensed end, only ends that
/// can hold a CAL hold one, and as many accesses as there are CALs have no licensable end in
/// common, so that each of them needs a CAL of its own. That the mix is also the canonical one
/// among equals is not part of the proof.
pub fn count(graph: &Graph, mix: &Mix) -> Result<usize, Refusal> {
    let (users, devices) = (graph.users(), graph.devices());
    let licensed_users = marks("cover, users", &mix.users, users.len())?;
    let licensed_devices = marks("cover, devices", &mix.devices, devices.len())?;
    let uncoverable = marks("uncoverable", &mix.uncoverable, graph.edges().len())?;
    if let Some(&user) = mix.users.iter().find(|&&user| !users[user as usize]) {
        return Err(Refusal::NotLicensable { holder: Holder::User(user) });
    }
    if let Some(&device) = mix.devices.iter().find(|&&device| !devices[device as usize]) {
        return Err(Refusal::NotLicensable { holder: Holder::Device(device) });
    }
    for (access, edge) in (0..).zip(graph.edges()) {
        let (user, device) = (edge.user as usize, edge.device as usize);
        let listed = uncoverable[access as usize];
        if listed == (users[user] || devices[device]) {
            return Err(Refusal::Uncoverable { access, listed });
        }
        if !listed && !licensed_users[user] && !licensed_devices[device] {
            return Err(Refusal::Uncovered { access });
        }
    }

    marks("matching", &mix.matching, graph.edges().len())?;
    let mut used_users = vec![false; users.len()];
    let mut used_devices = vec![false; devices.len()];
    for &access in &mix.matching {
        let edge = graph.edges()[access as usize];
        let (user, device) = (edge.user as usize, edge.device as usize);
        if !users[user] && !devices[device] {
            return Err(Refusal::ProvesNothing { access });
        }
        if users[user] && std::mem::replace(&mut used_users[user], true) {
            return Err(Refusal::Reused { holder: Holder::User(edge.user), access });
        }
        if devices[device] && std::mem::replace(&mut used_devices[device], true) {
            return Err(Refusal::Reused { holder: Holder::Device(edge.device), access });
        }
    }
    let (cover, matching) = (mix.users.len() + mix.devices.len(), mix.matching.len());
    if cover != matching {
        return Err(Refusal::Gap { cover, matching });
    }
    Ok(cover)
}

/// Turns a list of indices into marks; refuses unknown and repeated ones.
fn marks(list: &'static str, indices: &[u32], len: usize) -> Result<Vec<bool>, Refusal> {
    let mut marks = vec![false; len];
    for &found in indices {
        match marks.get_mut(found as usize) {
            None => return Err(Refusal::Unknown { list, found, len }),
            Some(true) => return Err(Refusal::Twice { list, found }),
            Some(mark) => *mark = true,
        }
    }
    Ok(marks)
}

/// Verifies a plan of least price and returns the price that it proves, in minor units.
///
/// Why the charges prove it: in any plan, each access is covered at its user or at its device. The
/// holder that covers it must hold the CAL that its charge names on that side, through a CAL or a
/// suite that was bought. So every amount counts against some purchase, and no purchase costs less
/// than what counts against it: the plan costs at least the sum of the amounts.
pub fn price(demand: &Demand, plan: &Plan) -> Result<u64, Refusal> {
    let (held_users, held_devices) = held(demand, &plan.purchases)?;
    let needs = needs(demand);
    let sold: Vec<u64> = demand.tariffs().iter().map(|tariff| on_sale(demand, tariff)).collect();
    let sold = |tariff: Option<u32>| tariff.map_or(0, |tariff| sold[tariff as usize]);
    let uncoverable = marks("uncoverable", &plan.uncoverable, demand.accesses().len())?;
    for (index, access) in (0..).zip(demand.accesses()) {
        let (user, device) = (access.user as usize, access.device as usize);
        let need = needs[access.cal as usize];
        let covers = |cals: u64| cals & need == need;
        let listed = uncoverable[index as usize];
        if listed == (covers(sold(demand.users()[user])) || covers(sold(demand.devices()[device])))
        {
            return Err(Refusal::Uncoverable { access: index, listed });
        }
        if !listed && !covers(held_users[user]) && !covers(held_devices[device]) {
            return Err(Refusal::Uncovered { access: index });
        }
    }

    let mut charged = 0_u128;
    let mut counted: Vec<(Holder, u32, u64)> = Vec::with_capacity(2 * plan.charges.len());
    for charge in &plan.charges {
        let index = charge.access;
        let Some(access) = demand.accesses().get(index as usize) else {
            let len = demand.accesses().len();
            return Err(Refusal::Unknown { list: "charges", found: index, len });
        };
        if uncoverable[index as usize] {
            return Err(Refusal::ProvesNothing { access: index });
        }
        if charge.amount == 0 {
            return Err(Refusal::EmptyCharge { access: index });
        }
        let sides = [
            (Holder::User(access.user), charge.user_cal),
            (Holder::Device(access.device), charge.device_cal),
        ];
        for (holder, cal) in sides {
            if cal >= 64 || needs[access.cal as usize] & (1 << cal) == 0 {
                return Err(Refusal::WrongCal { access: index, cal });
            }
            counted.push((holder, cal, charge.amount));
        }
        charged += u128::from(charge.amount);
    }
    counted.sort_unstable();
    for of_holder in counted.chunk_by(|a, b| a.0 == b.0) {
        within_prices(demand, of_holder[0].0, of_holder)?;
    }

    let cost = plan.purchases.iter().filter_map(|&p| price_of(demand, p)).map(u128::from).sum();
    if u128::from(plan.price) != cost || cost != charged {
        return Err(Refusal::Sums { stated: plan.price, cost, charged });
    }
    Ok(plan.price)
}

/// The CALs, as bits, that each user and each device gets from the purchases.
fn held(demand: &Demand, purchases: &[Purchase]) -> Result<(Vec<u64>, Vec<u64>), Refusal> {
    let mut users = vec![0; demand.users().len()];
    let mut devices = vec![0; demand.devices().len()];
    let mut sorted = purchases.to_vec();
    sorted.sort_unstable();
    for (place, &purchase) in sorted.iter().enumerate() {
        let Purchase { holder, item } = purchase;
        let (list, found, len) = match holder {
            Holder::User(user) => ("purchases, users", user, users.len()),
            Holder::Device(device) => ("purchases, devices", device, devices.len()),
        };
        if found as usize >= len {
            return Err(Refusal::Unknown { list, found, len });
        }
        if tariff_of(demand, holder).is_none() {
            return Err(Refusal::NotLicensable { holder });
        }
        if price_of(demand, purchase).is_none() {
            return Err(Refusal::NotSold { holder, item });
        }
        if place > 0 && sorted[place - 1] == purchase {
            return Err(Refusal::BoughtTwice { holder, item });
        }
        match holder {
            Holder::User(user) => users[user as usize] |= grants(demand, item),
            Holder::Device(device) => devices[device as usize] |= grants(demand, item),
        }
    }
    Ok((users, devices))
}

/// Refuses amounts counted against one holder's CALs that exceed the price of an item.
fn within_prices(
    demand: &Demand,
    holder: Holder,
    counted: &[(Holder, u32, u64)],
) -> Result<(), Refusal> {
    let cals = (0..).map(Item::Cal).take(demand.catalogue().bases().len());
    let suites = (0..).map(Item::Suite).take(demand.catalogue().suites().len());
    for item in cals.chain(suites) {
        let Some(price) = price_of(demand, Purchase { holder, item }) else { continue };
        let grants = grants(demand, item);
        let charged: u128 = (counted.iter())
            .filter(|(_, cal, _)| grants & (1 << cal) != 0)
            .map(|&(_, _, amount)| u128::from(amount))
            .sum();
        if charged > u128::from(price) {
            return Err(Refusal::Overcharged { holder, item, charged, price });
        }
    }
    Ok(())
}

/// Per CAL, as bits: itself and every CAL that it is additive to.
fn needs(demand: &Demand) -> Vec<u64> {
    let bases = demand.catalogue().bases();
    (0..bases.len())
        .map(|cal| {
            let (mut need, mut next) = (1 << cal, bases[cal]);
            while let Some(base) = next {
                need |= 1 << base;
                next = bases[base as usize];
            }
            need
        })
        .collect()
}

/// The CALs, as bits, that a tariff sells alone or in a suite.
fn on_sale(demand: &Demand, tariff: &Tariff) -> u64 {
    let cals = (0..).map(Item::Cal).zip(&tariff.cals);
    let suites = (0..).map(Item::Suite).zip(&tariff.suites);
    cals.chain(suites)
        .filter(|(_, price)| price.is_some())
        .fold(0, |bits, (item, _)| bits | grants(demand, item))
}

/// The CALs, as bits, that an item grants.
fn grants(demand: &Demand, item: Item) -> u64 {
    match item {
        Item::Cal(cal) => 1 << cal,
        Item::Suite(suite) => (demand.catalogue().suites()[suite as usize].iter())
            .fold(0, |bits, &cal| bits | 1 << cal),
    }
}

fn tariff_of(demand: &Demand, holder: Holder) -> Option<&Tariff> {
    let tariff = match holder {
        Holder::User(user) => demand.users()[user as usize],
        Holder::Device(device) => demand.devices()[device as usize],
    };
    tariff.map(|tariff| &demand.tariffs()[tariff as usize])
}

/// What an item costs a holder, if it exists and is sold.
fn price_of(demand: &Demand, purchase: Purchase) -> Option<u64> {
    let tariff = tariff_of(demand, purchase.holder)?;
    match purchase.item {
        Item::Cal(cal) => tariff.cals.get(cal as usize).copied().flatten(),
        Item::Suite(suite) => tariff.suites.get(suite as usize).copied().flatten(),
    }
}
