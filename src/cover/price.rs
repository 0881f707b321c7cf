//! What is asked when CALs have prices, and what is answered: plain values, no solving.

use std::fmt;

use super::error::{CoverError, within_range, within_size};

/// The kinds of CAL there are, which are additive to which, and which suites grant them.
///
/// A CAL here is a product and an edition, such as Exchange Standard; at most 64 of them. An
/// additive CAL (Enterprise, Plus) names its base and has the type of its base: whoever is to be
/// covered by it as a user needs a user CAL of the base too, and likewise a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Catalogue {
    bases: Vec<Option<u32>>,
    suites: Vec<Vec<u32>>,
}

impl Catalogue {
    /// Makes a catalogue of `bases.len()` CALs and `suites.len()` suites.
    ///
    /// `bases[c]` is the CAL that CAL `c` is additive to, if any; bases may have bases. `suites[s]`
    /// lists every CAL that suite `s` grants, those of suites inside it included.
    ///
    /// Fails on more than 64 CALs, on indices that do not exist, on a circle of bases and on an
    /// empty suite.
    pub fn new(
        bases: Vec<Option<u32>>,
        mut suites: Vec<Vec<u32>>,
    ) -> Result<Catalogue, CoverError> {
        let cals = bases.len();
        if cals > 64 {
            return Err(CoverError::TooManyCals { found: cals });
        }
        for (cal, base) in bases.iter().enumerate() {
            if let Some(base) = base.filter(|&base| base as usize >= cals) {
                return Err(CoverError::UnknownBase { cal, base, cals });
            }
        }
        for cal in 0..cals {
            let (mut next, mut steps) = (bases[cal], 0);
            while let Some(base) = next {
                steps += 1;
                if steps >= cals {
                    return Err(CoverError::CircularBase { cal });
                }
                next = bases[base as usize];
            }
        }
        for (suite, granted) in suites.iter_mut().enumerate() {
            if granted.is_empty() {
                return Err(CoverError::EmptySuite { suite });
            }
            if let Some(&cal) = granted.iter().find(|&&cal| cal as usize >= cals) {
                return Err(CoverError::UnknownSuiteCal { suite, cal, cals });
            }
            granted.sort_unstable();
            granted.dedup();
        }
        Ok(Catalogue { bases, suites })
    }

    /// Per CAL: the CAL it is additive to.
    pub fn bases(&self) -> &[Option<u32>] {
        &self.bases
    }

    /// Per suite: the CALs it grants, ascending.
    pub fn suites(&self) -> &[Vec<u32>] {
        &self.suites
    }
}

/// What each CAL and each suite costs a user or a device, in minor units of one currency.
///
/// `None` is not sold on these terms: a suite that exists for users only has no price in the
/// tariff of devices. For the least *number* of CALs give everything the price 1.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tariff {
    /// Per CAL of the catalogue.
    pub cals: Vec<Option<u64>>,
    /// Per suite of the catalogue.
    pub suites: Vec<Option<u64>>,
}

/// One access that needs a CAL of one kind at its user or at its device.
///
/// Ordered by user, then device, then CAL.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Access {
    /// The user's index, from 0.
    pub user: u32,
    /// The device's index, from 0.
    pub device: u32,
    /// The CAL's index in the [`Catalogue`], from 0. An access to an additive feature names the
    /// additive CAL; its base follows by itself.
    pub cal: u32,
}

/// Who used what from where, and what CALs cost: the question that has a least price.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Demand {
    catalogue: Catalogue,
    tariffs: Vec<Tariff>,
    users: Vec<Option<u32>>,
    devices: Vec<Option<u32>>,
    accesses: Vec<Access>,
}

impl Demand {
    /// Makes the canonical demand: accesses sorted by user, device and CAL, each once.
    ///
    /// `users[i]` is the tariff on which user `i` buys, `None` where it cannot hold a CAL (a
    /// declared shared account); `devices[i]` likewise (an unidentified device). If `accesses` is
    /// already sorted and free of repetitions, access indices stay what the caller has.
    ///
    /// Fails on indices that do not exist, on a price of 0, on prices that do not fit 2^62 in sum,
    /// and when one tariff sells two suites of which neither contains the other and that share a
    /// CAL: a minimum cut cannot price those.
    pub fn new(
        catalogue: Catalogue,
        tariffs: Vec<Tariff>,
        users: Vec<Option<u32>>,
        devices: Vec<Option<u32>>,
        mut accesses: Vec<Access>,
    ) -> Result<Demand, CoverError> {
        within_size(users.len(), devices.len(), accesses.len())?;
        let cals = catalogue.bases.len();
        for (index, access) in accesses.iter().enumerate() {
            within_range(index, access.user, users.len(), access.device, devices.len())?;
            if access.cal as usize >= cals {
                return Err(CoverError::Cal { access: index, found: access.cal, cals });
            }
        }
        for (index, tariff) in tariffs.iter().enumerate() {
            check_tariff(index, tariff, &catalogue)?;
        }
        check_sum(&tariffs, &users, &devices)?;
        // Nodes and arcs of the network are numbered in 32 bits.
        let holders = users.len() + devices.len();
        let arcs = accesses.len() + holders * (2 * cals + catalogue.suites.len());
        if arcs > (u32::MAX / 2) as usize {
            let (users, devices) = (users.len(), devices.len());
            return Err(CoverError::TooLarge { users, devices, accesses: accesses.len() });
        }
        accesses.sort_unstable();
        accesses.dedup();
        Ok(Demand { catalogue, tariffs, users, devices, accesses })
    }

    /// The CALs and suites.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The price lists.
    pub fn tariffs(&self) -> &[Tariff] {
        &self.tariffs
    }

    /// Per user: its tariff, or `None` where it cannot hold a CAL.
    pub fn users(&self) -> &[Option<u32>] {
        &self.users
    }

    /// Per device: its tariff, or `None` where it cannot hold a CAL.
    pub fn devices(&self) -> &[Option<u32>] {
        &self.devices
    }

    /// The accesses, sorted and distinct; an access index points into this slice.
    pub fn accesses(&self) -> &[Access] {
        &self.accesses
    }
}

fn check_tariff(index: usize, tariff: &Tariff, catalogue: &Catalogue) -> Result<(), CoverError> {
    let (cals, suites) = (tariff.cals.len(), tariff.suites.len());
    if (cals, suites) != (catalogue.bases.len(), catalogue.suites.len()) {
        return Err(CoverError::TariffLength {
            tariff: index,
            cals,
            suites,
            expected_cals: catalogue.bases.len(),
            expected_suites: catalogue.suites.len(),
        });
    }
    let cals = (0..).map(Item::Cal).zip(&tariff.cals);
    let suites = (0..).map(Item::Suite).zip(&tariff.suites);
    if let Some((item, _)) = cals.chain(suites).find(|(_, price)| **price == Some(0)) {
        return Err(CoverError::FreeItem { tariff: index, item });
    }
    let sold: Vec<(usize, &Vec<u32>)> = (catalogue.suites.iter().enumerate())
        .filter(|&(suite, _)| tariff.suites[suite].is_some())
        .collect();
    for (place, &(second, b)) in sold.iter().enumerate() {
        for &(first, a) in &sold[..place] {
            let both = a.iter().find(|cal| b.contains(cal));
            let only_first = a.iter().find(|cal| !b.contains(cal));
            let only_second = b.iter().find(|cal| !a.contains(cal));
            if let (Some(&both), Some(&only_first), Some(&only_second)) =
                (both, only_first, only_second)
            {
                return Err(CoverError::OverlappingSuites {
                    tariff: index,
                    first,
                    second,
                    both,
                    only_first,
                    only_second,
                });
            }
        }
    }
    Ok(())
}

/// Checks the tariff of every holder, and that everything for everybody adds up to 2^62 at most.
fn check_sum(
    tariffs: &[Tariff],
    users: &[Option<u32>],
    devices: &[Option<u32>],
) -> Result<(), CoverError> {
    let all: Vec<u128> = (tariffs.iter())
        .map(|t| t.cals.iter().chain(&t.suites).flatten().map(|&price| u128::from(price)).sum())
        .collect();
    let mut sum = 0_u128;
    for (side, holders) in [("user", users), ("device", devices)] {
        for (index, &tariff) in holders.iter().enumerate() {
            let Some(found) = tariff else { continue };
            let Some(price) = all.get(found as usize) else {
                let tariffs = tariffs.len();
                return Err(CoverError::UnknownTariff { side, index, found, tariffs });
            };
            sum += price;
        }
    }
    if sum > 1 << 62 {
        return Err(CoverError::PriceSum { sum });
    }
    Ok(())
}

/// Who takes a CAL: a user before a device, then by index.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Holder {
    /// A user CAL or user suite.
    User(u32),
    /// A device CAL or device suite.
    Device(u32),
}

/// What is bought: a CAL before a suite, then by index.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Item {
    /// One CAL of the catalogue.
    Cal(u32),
    /// One suite of the catalogue.
    Suite(u32),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Cal(cal) => write!(f, "CAL {cal}"),
            Item::Suite(suite) => write!(f, "suite {suite}"),
        }
    }
}

/// One item for one holder.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Purchase {
    /// Who takes it.
    pub holder: Holder,
    /// What is taken.
    pub item: Item,
}

/// One line of the proof: an amount that one access must cost, whoever is licensed for it.
///
/// To cover the access at its user, the user must hold `user_cal` (the CAL of the access, or one
/// that it is additive to); to cover it at its device, the device must hold `device_cal`. If no
/// item costs less than the amounts that count on the CALs it grants, every plan costs at least
/// the sum of all amounts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Charge {
    /// Index into [`Demand::accesses`].
    pub access: u32,
    /// The CAL whose user price the amount counts against.
    pub user_cal: u32,
    /// The CAL whose device price the amount counts against.
    pub device_cal: u32,
    /// Minor units; more than 0.
    pub amount: u64,
}

/// A plan of least price, and the proof that no plan costs less. All lists ascend.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// What to buy for whom.
    pub purchases: Vec<Purchase>,
    /// What it costs, in minor units.
    pub price: u64,
    /// The proof: its amounts add up to `price`.
    pub charges: Vec<Charge>,
    /// Accesses that no CAL on sale can cover at either end, as indices into
    /// [`Demand::accesses`].
    pub uncoverable: Vec<u32>,
}
