//! Whoever has a name.

use std::collections::BTreeSet;
use std::fmt;

use calproof_parsers::network::ip;

use crate::census::{Census, Use};
use crate::config::distance;
use crate::identity::principal::parse;

/// How many near names are told.
const NEAREST: usize = 5;

/// Whoever has a name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Found {
    /// A person or account, by its canonical id.
    Principal(String),
    /// Devices, by their labels, under the name asked for.
    Devices(String, BTreeSet<String>),
    /// An identity that was only ever acted for, or that no rule settles.
    Identity(String),
}

/// A name that nobody has in the logs that were read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// The name.
    pub name: String,
    /// Known ones that come near, the nearest first.
    pub nearest: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`: found in none of the rows that were read, expected a person, a name as logged, a device or an \
             address; ",
            self.name
        )?;
        match self.nearest.as_slice() {
            [] => write!(f, "no known name comes near"),
            near => write!(f, "nearest known: `{}`", near.join("`, `")),
        }
    }
}

impl std::error::Error for Unknown {}

/// A name as it is compared: lower case, without `sip:` and claims prefix.
pub(super) fn folded(name: &str) -> String {
    parse(name).text
}

/// The part of a device's label that the device gave of itself.
fn own_id(label: &str) -> &str {
    label.split_once(':').map_or(label, |(_, id)| id)
}

/// Finds a name.
pub(super) fn find(name: &str, census: &Census) -> Result<Vec<Found>, Unknown> {
    let wanted = folded(name);
    let address = ip(name.trim().as_bytes());
    let mut principals: BTreeSet<&str> = BTreeSet::new();
    let mut devices: BTreeSet<String> = BTreeSet::new();
    let has = |known: &str| folded(known) == wanted;
    for u in &census.uses {
        if u.principal != "-" && (u.principal == wanted || has(&u.name)) {
            principals.insert(&u.principal);
        }
        if is_device(u, &wanted, address) {
            devices.extend(u.device.clone());
        }
    }
    let joined = census.joins.iter();
    principals.extend(
        joined
            .filter(|(_, joins)| joins.iter().any(|(a, b, _)| *a == wanted || *b == wanted))
            .map(|(id, _)| id.as_str()),
    );
    let listed = census.excluded.iter().map(|e| &e.principal);
    let people = census.people.iter().map(|p| &p.id);
    principals.extend(people.chain(listed).filter(|id| **id == wanted).map(String::as_str));
    let mut found: Vec<Found> = Vec::new();
    // A join of names that were only ever acted for names nobody who did anything.
    let (known, hidden): (Vec<&str>, Vec<&str>) =
        principals.into_iter().partition(|id| is_known(id, census));
    found.extend(known.into_iter().map(|id| Found::Principal(id.to_owned())));
    if found.is_empty() {
        let open = census.unresolved.iter().map(|u| u.what.as_str());
        let open: BTreeSet<&str> =
            open.filter(|what| folded(what) == wanted || hidden.contains(what)).collect();
        let acted = || census.uses.iter().find(|u| !u.acted_for.is_empty() && has(&u.acted_for));
        // Addresses and devices that are not settled are told as devices.
        if devices.is_empty() {
            found.extend(open.iter().map(|what| Found::Identity((*what).to_owned())));
            if let (true, Some(u)) = (found.is_empty(), acted()) {
                found.push(Found::Identity(folded(&u.acted_for)));
            }
        }
    }
    if !devices.is_empty() {
        found.push(Found::Devices(name.trim().to_owned(), devices));
    }
    if found.is_empty() { Err(unknown(name, &wanted, census)) } else { Ok(found) }
}

fn is_known(id: &str, census: &Census) -> bool {
    census.uses.iter().any(|u| u.principal == id)
        || census.people.iter().any(|p| p.id == id)
        || census.excluded.iter().any(|e| e.principal == id)
}

fn is_device(u: &Use, wanted: &str, address: Option<std::net::IpAddr>) -> bool {
    let Some(label) = &u.device else { return false };
    let same_address = || {
        let logged = u.address.as_ref().and_then(|a| ip(a.as_bytes()));
        address.is_some() && logged == address
    };
    let lower = label.to_lowercase();
    lower == *wanted || (u.identified && own_id(&lower) == wanted) || same_address()
}

/// The known names that come nearest.
fn unknown(name: &str, wanted: &str, census: &Census) -> Unknown {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for u in &census.uses {
        known.extend([&u.principal, &u.name, &u.acted_for].map(|n| folded(n)));
        known.extend(u.device.iter().filter(|_| u.identified).map(|d| d.to_lowercase()));
        known.extend(u.address.clone());
    }
    known.extend(census.excluded.iter().map(|e| e.principal.clone()));
    let local = |name: &str| parse(name).local;
    let wanted_local = local(wanted);
    let mut near: Vec<(usize, String)> = known
        .into_iter()
        .filter(|known| !matches!(known.as_str(), "" | "-"))
        .filter_map(|known| {
            // A name of another domain is near if the user's part is.
            let whole = distance(wanted, &known);
            let part = distance(&wanted_local, &local(&known)) + 1;
            let part_of = distance(wanted, own_id(&known)) + 1;
            let d = whole.min(part).min(part_of);
            let longest = wanted_local.chars().count().max(3);
            (d <= 1 + longest / 3).then_some((d, known))
        })
        .collect();
    near.sort();
    let nearest = near.into_iter().take(NEAREST).map(|(_, name)| name).collect();
    Unknown { name: name.to_owned(), nearest }
}
