//! Why a question cannot be put to the solver.

use super::{Item, LARGEST};

/// Why accesses, prices or suites cannot be solved. All indices count from 0.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoverError {
    /// An access names a user that does not exist.
    #[error("access {access}: found user {found}, but there are {users} users, counted from 0")]
    User {
        /// Position in the list of accesses as given.
        access: usize,
        /// The index found.
        found: u32,
        /// How many users there are.
        users: usize,
    },
    /// An access names a device that does not exist.
    #[error(
        "access {access}: found device {found}, but there are {devices} devices, counted from 0"
    )]
    Device {
        /// Position in the list of accesses as given.
        access: usize,
        /// The index found.
        found: u32,
        /// How many devices there are.
        devices: usize,
    },
    /// An access names a CAL that does not exist.
    #[error("access {access}: found CAL {found}, but the catalogue has {cals}, counted from 0")]
    Cal {
        /// Position in the list of accesses as given.
        access: usize,
        /// The index found.
        found: u32,
        /// How many CALs the catalogue has.
        cals: usize,
    },
    /// More than the solver's indices can number.
    #[error(
        "{users} users, {devices} devices and {accesses} accesses are more than one solve can \
         number (2^30 of each, fewer with many CALs and suites): solve each product apart"
    )]
    TooLarge {
        /// How many users there are.
        users: usize,
        /// How many devices there are.
        devices: usize,
        /// How many accesses there are.
        accesses: usize,
    },
    /// More CALs than one catalogue may have.
    #[error(
        "the catalogue has {found} CALs, at most 64 are allowed: solve unrelated products apart"
    )]
    TooManyCals {
        /// How many CALs were given.
        found: usize,
    },
    /// The base of an additive CAL does not exist.
    #[error("CAL {cal}: its base is CAL {base}, but the catalogue has {cals}, counted from 0")]
    UnknownBase {
        /// The additive CAL.
        cal: usize,
        /// The base that was given.
        base: u32,
        /// How many CALs the catalogue has.
        cals: usize,
    },
    /// A CAL is, over its bases, additive to itself.
    #[error("CAL {cal} is additive to itself through its bases: a chain of bases must end")]
    CircularBase {
        /// A CAL on the circle.
        cal: usize,
    },
    /// A suite grants a CAL that does not exist.
    #[error("suite {suite}: grants CAL {cal}, but the catalogue has {cals}, counted from 0")]
    UnknownSuiteCal {
        /// The suite.
        suite: usize,
        /// The CAL it was said to grant.
        cal: u32,
        /// How many CALs the catalogue has.
        cals: usize,
    },
    /// A suite grants nothing.
    #[error("suite {suite} grants no CAL: name those it includes, or leave the suite out")]
    EmptySuite {
        /// The suite.
        suite: usize,
    },
    /// A tariff has not one entry per CAL and suite.
    #[error(
        "tariff {tariff}: found {cals} CAL and {suites} suite prices, but the catalogue has \
         {expected_cals} CALs and {expected_suites} suites: give each a price or none"
    )]
    TariffLength {
        /// The tariff.
        tariff: usize,
        /// How many CAL prices it has.
        cals: usize,
        /// How many suite prices it has.
        suites: usize,
        /// How many CALs the catalogue has.
        expected_cals: usize,
        /// How many suites the catalogue has.
        expected_suites: usize,
    },
    /// A price of zero.
    #[error(
        "tariff {tariff}: {item} has the price 0, which leaves the least price without meaning: \
         give its price, leave it unpriced if it is not sold, or leave out the accesses it covers"
    )]
    FreeItem {
        /// The tariff.
        tariff: usize,
        /// What has no price.
        item: Item,
    },
    /// Two suites share some CALs, and neither contains the other.
    #[error(
        "tariff {tariff}: suites {first} and {second} overlap: both grant CAL {both}, only the \
         first grants CAL {only_first}, only the second CAL {only_second}. The price of overlapping \
         suites is not submodular (a further CAL can cost more to a holder of more CALs), so no \
         minimum cut gives the least price. Price one of the two per solve and compare"
    )]
    OverlappingSuites {
        /// The tariff that sells both.
        tariff: usize,
        /// The suite with the smaller index.
        first: usize,
        /// The suite with the larger index.
        second: usize,
        /// The least CAL that both grant.
        both: u32,
        /// The least CAL that only the first grants.
        only_first: u32,
        /// The least CAL that only the second grants.
        only_second: u32,
    },
    /// A user or device has a tariff that does not exist.
    #[error("{side} {index}: found tariff {found}, but there are {tariffs}, counted from 0")]
    UnknownTariff {
        /// `user` or `device`.
        side: &'static str,
        /// The user's or device's index.
        index: usize,
        /// The tariff that was given.
        found: u32,
        /// How many tariffs there are.
        tariffs: usize,
    },
    /// The prices of everything for everybody do not fit.
    #[error(
        "the prices of all items for all users and devices add up to {sum} minor units, more than \
         2^62: check the unit of the prices"
    )]
    PriceSum {
        /// The sum, in minor units.
        sum: u128,
    },
}

/// Refuses more users, devices or accesses than indices can number.
pub(super) fn within_size(users: usize, devices: usize, accesses: usize) -> Result<(), CoverError> {
    if users.max(devices).max(accesses) > LARGEST {
        return Err(CoverError::TooLarge { users, devices, accesses });
    }
    Ok(())
}

/// Refuses an access whose user or device does not exist.
pub(super) fn within_range(
    access: usize,
    user: u32,
    users: usize,
    device: u32,
    devices: usize,
) -> Result<(), CoverError> {
    if user as usize >= users {
        return Err(CoverError::User { access, found: user, users });
    }
    if device as usize >= devices {
        return Err(CoverError::Device { access, found: device, devices });
    }
    Ok(())
}
