//! CALs that are owned, against the CALs that are required: shortage, surplus, uncovered accesses.
//!
//! Which of the many mixes suits the CALs at hand best is a hard question: with bounds on both sides
//! no fast exact answer is known. So several least covers are tried, from "users wherever possible"
//! to "devices wherever possible", and the one with the least shortage is reported. What it asks for
//! suffices, that is certain; [`OwnedRow::least_shortage`] says how many are missing in any case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Requirement;
use super::device::DeviceId;
use super::requirement::{Basis, End, Reached, Row, edges, machines_of, rows_of};
use crate::cover::{Access, Catalogue, CoverError, Demand, Holder, Tariff, least_price};
use crate::identity::PersonId;
use crate::rules::{Cal, Product, Version};
use crate::shown;

/// Some CALs that the organisation owns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnedCals {
    /// Product.
    pub product: Product,
    /// Level.
    pub cal: Cal,
    /// Version: covers servers of this version and older ones.
    pub version: Version,
    /// Whether they are device CALs; else user CALs.
    pub device: bool,
    /// How many.
    pub quantity: u64,
}

/// Why a list of owned CALs cannot be used. A row is never left out: a number without it would be
/// wrong in somebody's favour.
#[derive(Debug, thiserror::Error)]
pub enum OwnedError {
    /// The file cannot be read, or is no CSV.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path.
        path: String,
        /// What is wrong.
        source: csv::Error,
    },
    /// The columns are not there.
    #[error(
        "{path}:1: found the columns {found}, expected product, cal, version, type and quantity"
    )]
    Columns {
        /// Path.
        path: String,
        /// The header as it is.
        found: String,
    },
    /// A value is not what it should be.
    #[error("{path}:{line}: {column}: found `{found}`, expected {expected}")]
    Value {
        /// Path.
        path: String,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// More than can be solved.
    #[error("owned CALs cannot be compared: {0}")]
    Cover(#[from] Box<CoverError>),
}

/// Required against owned, of one kind of CAL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnedRow {
    /// Product.
    pub product: Product,
    /// Level.
    pub cal: Cal,
    /// User CALs owned, of any version.
    pub owned_users: u64,
    /// Device CALs owned, of any version.
    pub owned_devices: u64,
    /// User CALs that are required in the mix that suits the owned ones best.
    pub required_users: u64,
    /// Device CALs that are required in it.
    pub required_devices: u64,
    /// User CALs that are missing: with so many more, everything is covered.
    pub shortage_users: u64,
    /// Device CALs that are missing beside them.
    pub shortage_devices: u64,
    /// How many CALs are missing in any case, however they are assigned.
    pub least_shortage: u64,
    /// User CALs that are left over, those for too old a version included.
    pub surplus_users: u64,
    /// Device CALs that are left over, likewise.
    pub surplus_devices: u64,
    /// Accesses (person and device) that the owned CALs leave uncovered in this mix.
    pub uncovered_accesses: u64,
    /// Who and what is left without a CAL, sorted.
    pub without: Vec<String>,
    /// Whether the shortage is more than 5 % of the requirement, which audit clauses commonly take as
    /// the line between paying the licences and paying the audit as well (our reading).
    pub over_five_percent: bool,
}

/// Reads lists of owned CALs: CSV files with the columns product, cal, version, type (`user` or
/// `device`) and quantity, by name and in any order.
///
/// # Errors
///
/// A file that cannot be read, lacks a column, or has a row that is not what it should be.
pub(super) fn owned(files: &[PathBuf]) -> Result<Vec<OwnedCals>, OwnedError> {
    let mut owned = Vec::new();
    for file in files {
        let path = shown::path(file);
        let read = |source| OwnedError::Read { path: path.clone(), source };
        let mut rows =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(read)?;
        let header = rows.headers().map_err(read)?.clone();
        let column = |name: &str| {
            header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        };
        let columns = ["product", "cal", "version", "type", "quantity"].map(column);
        let [Some(product), Some(cal), Some(version), Some(side), Some(quantity)] = columns else {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            return Err(OwnedError::Columns { path, found: found.escape_debug().to_string() });
        };
        for row in rows.records() {
            let row = row.map_err(read)?;
            let text = |i: usize| row.get(i).unwrap_or_default().to_lowercase();
            let wrong = |column, i: usize, expected: String| OwnedError::Value {
                path: path.clone(),
                line: row.position().map_or(0, csv::Position::line),
                column,
                found: row.get(i).unwrap_or_default().escape_debug().to_string(),
                expected,
            };
            let words = |all: Vec<&str>| format!("one of {}", all.join(", "));
            let of_product = Product::parse(&text(product)).ok_or_else(|| {
                let all = Product::ALL.iter().map(|p| p.as_str()).collect();
                wrong("product", product, words(all))
            })?;
            let of_cal = Cal::parse(&text(cal)).ok_or_else(|| {
                wrong("cal", cal, words(Cal::ALL.iter().map(|c| c.as_str()).collect()))
            })?;
            let of_version = Version::parse(of_product, &text(version)).ok_or_else(|| {
                wrong("version", version, words(Version::words(of_product).to_vec()))
            })?;
            let device = match text(side).as_str() {
                "user" => false,
                "device" => true,
                _ => return Err(wrong("type", side, "`user` or `device`".to_owned())),
            };
            // Half of all numbers, so that sums cannot overflow.
            let count = text(quantity).parse::<u32>().map_err(|_| {
                wrong("quantity", quantity, format!("a whole number from 0 to {}", u32::MAX))
            })?;
            owned.push(OwnedCals {
                product: of_product,
                cal: of_cal,
                version: of_version,
                device,
                quantity: count.into(),
            });
        }
    }
    Ok(owned)
}

/// Required against owned: one row per kind of CAL that is required or owned, sorted.
pub(super) fn compare(
    basis: &Basis<'_>,
    requirements: &[Requirement],
    owned: &[OwnedCals],
) -> Result<Vec<OwnedRow>, OwnedError> {
    let required = requirements.iter().map(|r| (r.product, r.cal));
    let kinds: BTreeSet<(Product, Cal)> =
        required.chain(owned.iter().map(|o| (o.product, o.cal))).collect();
    kinds
        .into_iter()
        .map(|(product, cal)| {
            let of_kind = |o: &&OwnedCals| (o.product, o.cal) == (product, cal);
            let owned: Vec<&OwnedCals> = owned.iter().filter(of_kind).collect();
            let requirement = requirements.iter().find(|r| (r.product, r.cal) == (product, cal));
            let least = requirement.map_or(0, |r| r.mix.user_cals + r.mix.device_cals);
            row(&Accesses::new(basis, product, cal), basis, &owned, least, (product, cal))
        })
        .collect()
}

/// The accesses of one kind of CAL, by place in lists.
struct Accesses {
    people: Vec<PersonId>,
    devices: Vec<DeviceId>,
    /// (Person or `people.len()` for a machine, device or `devices.len()` for none) with the version
    /// of the newest server that was reached.
    edges: BTreeMap<(u32, u32), Option<Version>>,
}

impl Accesses {
    fn new(basis: &Basis<'_>, product: Product, cal: Cal) -> Accesses {
        let rows = rows_of(basis, product, cal);
        let version = |row: &Row<'_>| match product {
            Product::Windows => row.windows,
            _ => row.version,
        };
        // A server of unknown version counts as the newest that is known.
        let newest = rows.iter().filter_map(|r| version(r)).max();
        let mut versions: BTreeMap<(PersonId, End), Option<Version>> = BTreeMap::new();
        let mut everywhere: BTreeMap<PersonId, Option<Version>> = BTreeMap::new();
        for row in &rows {
            let reached = version(row).or(newest);
            let place = match row.device {
                Some(device) => versions.entry((row.person, End::Device(device))).or_default(),
                // Without a device it may be any of the person's accesses.
                None => everywhere.entry(row.person).or_default(),
            };
            *place = reached.max(*place);
        }
        let machines = machines_of(basis, product, cal);
        let found = edges(&rows);
        let mut people: Vec<PersonId> = found.iter().map(|e| e.person).collect();
        people.dedup();
        let devices = found.iter().filter_map(|e| e.end.device()).chain(machines.keys().copied());
        let devices = basis.devices.by_label(devices);
        let nobody = people.len() as u32;
        let mut edges: BTreeMap<(u32, u32), Option<Version>> = found
            .iter()
            .map(|Reached { person, end, .. }| {
                let user = people.partition_point(|p| p < person) as u32;
                let device = end.device().map_or(devices.list.len() as u32, |d| devices.place(d));
                let reached = versions.get(&(*person, *end)).copied().flatten();
                ((user, device), reached.max(everywhere.get(person).copied().flatten()))
            })
            .collect();
        edges.extend(machines.keys().map(|device| ((nobody, devices.place(*device)), newest)));
        Accesses { people, devices: devices.list, edges }
    }

    fn person(&self, basis: &Basis<'_>, user: u32) -> String {
        let person = self.people.get(user as usize);
        person.map_or("-".to_owned(), |p| basis.people.ids[*p as usize].clone())
    }

    fn can_hold(&self, basis: &Basis<'_>, holder: Holder) -> bool {
        match holder {
            Holder::User(user) => {
                self.people.get(user as usize).is_some_and(|p| !basis.shared.contains(p))
            }
            Holder::Device(device) => {
                self.devices.get(device as usize).is_some_and(|d| basis.devices.get(*d).identified)
            }
        }
    }

    /// The least cover where a user CAL costs `user` and a device CAL `device`.
    fn cover(
        &self,
        basis: &Basis<'_>,
        user: u64,
        device: u64,
    ) -> Result<BTreeSet<Holder>, CoverError> {
        let tariff = |price| Tariff { cals: vec![Some(price)], suites: Vec::new() };
        let side = |n: usize, holder: fn(u32) -> Holder, tariff: u32| {
            (0..=n as u32)
                .map(|i| self.can_hold(basis, holder(i)).then_some(tariff))
                .collect::<Vec<_>>()
        };
        let demand = Demand::new(
            Catalogue::new(vec![None], Vec::new())?,
            vec![tariff(user), tariff(device)],
            side(self.people.len(), Holder::User, 0),
            side(self.devices.len(), Holder::Device, 1),
            self.edges.keys().map(|&(user, device)| Access { user, device, cal: 0 }).collect(),
        )?;
        Ok(least_price(&demand).purchases.iter().map(|purchase| purchase.holder).collect())
    }
}

/// A CAL that somebody or something needs, or one of the devices of a shared account.
#[derive(Clone, Debug)]
struct Needed {
    version: Option<Version>,
    /// Accesses that hang on it.
    accesses: Vec<(u32, u32)>,
    name: String,
    /// Who; `None` for any device of a shared account.
    holder: Option<Holder>,
}

/// A cover with the CALs that are at hand given out.
struct GivenOut {
    required: [u64; 2],
    missing: [Vec<Needed>; 2],
    left: [u64; 2],
    uncovered: u64,
}

fn give_out(
    accesses: &Accesses,
    basis: &Basis<'_>,
    cover: &BTreeSet<Holder>,
    owned: &[&OwnedCals],
) -> GivenOut {
    let mut needed: [BTreeMap<u32, Needed>; 2] = Default::default();
    let mut open: BTreeMap<u32, Needed> = BTreeMap::new();
    for (&(user, device), version) in &accesses.edges {
        // Where both ends hold a CAL the person's covers the access.
        let by_user = Some(Holder::User(user)).filter(|h| cover.contains(h));
        let by_device = Some(Holder::Device(device)).filter(|h| cover.contains(h));
        let (list, at, name) = match (by_user, by_device) {
            (Some(_), _) => (&mut needed[0], user, accesses.person(basis, user)),
            (None, Some(_)) => {
                let label = &basis.devices.get(accesses.devices[device as usize]).label;
                (&mut needed[1], device, label.clone())
            }
            (None, None) => {
                (&mut open, user, format!("a device of {}", accesses.person(basis, user)))
            }
        };
        let holder = by_user.or(by_device);
        let new = || Needed { version: None, accesses: Vec::new(), name, holder };
        let entry = list.entry(at).or_insert_with(new);
        entry.version = entry.version.max(*version);
        entry.accesses.push((user, device));
    }
    // A shared account from nowhere identified takes one device CAL, unless it has one already.
    let reached: BTreeSet<u32> =
        needed[1].values().flat_map(|n| n.accesses.iter().map(|a| a.0)).collect();
    open.retain(|user, _| !reached.contains(user));
    let [users, devices] = needed;
    let devices: Vec<Needed> = devices.into_values().chain(open.into_values()).collect();
    let mut result =
        GivenOut { required: [0; 2], missing: Default::default(), left: [0; 2], uncovered: 0 };
    let mut held: BTreeMap<Holder, Version> = BTreeMap::new();
    for (side, mut needed) in [users.into_values().collect(), devices].into_iter().enumerate() {
        // The newest first, for only new CALs cover them; then who has most accesses.
        needed.sort_by(|a: &Needed, b| {
            let key = |n: &Needed| (n.version, n.accesses.len());
            key(b).cmp(&key(a)).then_with(|| a.name.cmp(&b.name))
        });
        result.required[side] = needed.len() as u64;
        let mut stock: Vec<(Version, u64)> = owned
            .iter()
            .filter(|o| usize::from(o.device) == side)
            .map(|o| (o.version, o.quantity))
            .collect();
        stock.sort_by(|a, b| b.cmp(a));
        for need in needed {
            let fits =
                stock.iter_mut().find(|(v, n)| *n > 0 && need.version.is_none_or(|r| *v >= r));
            match fits {
                Some((version, n)) => {
                    *n -= 1;
                    held.extend(need.holder.map(|holder| (holder, *version)));
                }
                None => result.missing[side].push(need),
            }
        }
        result.left[side] = stock.iter().map(|(_, n)| n).sum();
    }
    // Another holder's CAL may cover what hangs on a missing one.
    let covered = |&(user, device): &(u32, u32)| {
        let version = accesses.edges.get(&(user, device)).copied().flatten();
        let ends = [Holder::User(user), Holder::Device(device)];
        ends.iter().filter_map(|end| held.get(end)).any(|has| version.is_none_or(|v| *has >= v))
    };
    let hanging: BTreeSet<(u32, u32)> =
        result.missing.iter().flatten().flat_map(|n| n.accesses.iter().copied()).collect();
    result.uncovered = hanging.iter().filter(|access| !covered(access)).count() as u64;
    result
}

fn row(
    accesses: &Accesses,
    basis: &Basis<'_>,
    owned: &[&OwnedCals],
    least: u64,
    (product, cal): (Product, Cal),
) -> Result<OwnedRow, OwnedError> {
    // More than all the others together, so that the other side is taken wherever it can be.
    let many = 1 + accesses.people.len().max(accesses.devices.len()) as u64;
    let prices = [(1, many), (1, 1), (1, 2), (2, 1), (1, 4), (4, 1), (1, 16), (16, 1), (many, 1)];
    let mut best: Option<GivenOut> = None;
    let short = |g: &GivenOut| g.missing[0].len() + g.missing[1].len();
    for (user, device) in prices {
        let cover = accesses.cover(basis, user, device).map_err(Box::new)?;
        let given = give_out(accesses, basis, &cover, owned);
        // Of equals the first: users before devices.
        if best.as_ref().is_none_or(|b| short(&given) < short(b)) {
            best = Some(given);
        }
        if best.as_ref().is_some_and(|b| short(b) == 0) {
            break;
        }
    }
    let best = best.expect("the list of prices above is not empty");
    let sum =
        |device: bool| owned.iter().filter(|o| o.device == device).map(|o| o.quantity).sum::<u64>();
    let (owned_users, owned_devices) = (sum(false), sum(true));
    let missing = best.missing.each_ref().map(|m| m.len() as u64);
    let mut without: Vec<String> = best.missing.iter().flatten().map(|n| n.name.clone()).collect();
    without.sort();
    let shortage = missing[0] + missing[1];
    Ok(OwnedRow {
        product,
        cal,
        owned_users,
        owned_devices,
        required_users: best.required[0],
        required_devices: best.required[1],
        shortage_users: missing[0],
        shortage_devices: missing[1],
        least_shortage: least.saturating_sub(owned_users + owned_devices),
        surplus_users: best.left[0],
        surplus_devices: best.left[1],
        uncovered_accesses: best.uncovered,
        without,
        over_five_percent: shortage * 20 > best.required[0] + best.required[1],
    })
}
