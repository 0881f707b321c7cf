//! The certificate: so many CALs suffice, and fewer cannot. Written apart from the solver and from
//! the checker that the program's own tests use.

use std::collections::{BTreeMap, BTreeSet};

use super::Verdict;
use super::contents::{Contents, Pair, Requirement};

/// Checks the certificate of every requirement against the accesses of `pairs.jsonl`.
pub(super) fn check(contents: &Contents, verdict: &mut Verdict) {
    let mut of: BTreeMap<(&str, &str), Vec<&Pair>> = BTreeMap::new();
    for pair in &contents.pairs {
        of.entry((&pair.product, &pair.cal)).or_default().push(pair);
    }
    let mut proved = 0;
    for requirement in &contents.requirements {
        let pairs = of.remove(&(requirement.product.as_str(), requirement.cal.as_str()));
        match one(requirement, &pairs.unwrap_or_default()) {
            Ok(()) => proved += 1,
            Err(why) => verdict.refuse(format!(
                "data/requirements.json: {} {}: {why}",
                requirement.product, requirement.cal
            )),
        }
    }
    for (product, cal) in of.into_keys() {
        verdict.refuse(format!("data/pairs.jsonl: {product} {cal} is in no requirement"));
    }
    verdict.note(format!("{proved} certificates: so many CALs suffice, and fewer cannot"));
}

fn one(requirement: &Requirement, pairs: &[&Pair]) -> Result<(), String> {
    let certificate = &requirement.certificate;
    let people = set(&certificate.people, "person")?;
    let devices = set(&certificate.devices, "device")?;
    let shared = set(&certificate.shared_without_device, "shared account")?;

    // A person can hold a user CAL everywhere or nowhere.
    let mut can_hold: BTreeMap<&str, bool> = BTreeMap::new();
    for pair in pairs {
        if *can_hold.entry(&pair.person).or_insert(pair.person_licensable) != pair.person_licensable
        {
            return Err(format!(
                "{} can hold a user CAL in one access and not in another",
                pair.person
            ));
        }
    }
    let counted = can_hold.keys().filter(|person| **person != "-").count();
    if requirement.users["demand"] != counted {
        return Err(format!(
            "{counted} people are in data/pairs.jsonl, but the demand is {}",
            requirement.users["demand"]
        ));
    }
    for person in &people {
        if can_hold.get(person) != Some(&true) {
            return Err(format!("{person} gets a user CAL, but has no access or cannot hold one"));
        }
    }
    let known: BTreeSet<&str> =
        pairs.iter().filter(|p| p.device_licensable).map(|p| p.device.as_str()).collect();
    if let Some(device) = devices.difference(&known).next() {
        return Err(format!("{device} gets a device CAL, but has no access or cannot hold one"));
    }

    // So many suffice.
    let mut open: BTreeSet<&str> = BTreeSet::new();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for pair in pairs {
        let Pair { person, device, .. } = pair;
        if pair.device_licensable {
            reached.insert(person);
        }
        if !pair.person_licensable && !pair.device_licensable {
            open.insert(person);
            continue;
        }
        let covered = people.contains(person.as_str())
            || (pair.device_licensable && devices.contains(device.as_str()));
        if !covered {
            return Err(format!("the access of {person} from {device} is not covered"));
        }
    }
    if !open.difference(&reached).eq(&shared) {
        return Err(
            "the shared accounts without an identified device are others than it says".to_owned()
        );
    }
    let mix = requirement.mix;
    let cals = (people.len() as u64, (devices.len() + shared.len()) as u64);
    if cals != (mix.user_cals, mix.device_cals) || cals.0 + cals.1 != mix.total {
        return Err(format!(
            "its lists have {} user and {} device CALs, but the mix says {} and {}",
            cals.0, cals.1, mix.user_cals, mix.device_cals
        ));
    }

    // Fewer cannot.
    if certificate.proof.len() != people.len() + devices.len() {
        return Err(format!(
            "{} rows are to prove {} CALs",
            certificate.proof.len(),
            people.len() + devices.len()
        ));
    }
    let by_place: BTreeMap<_, &&Pair> =
        pairs.iter().map(|p| ((&p.person, &p.device, &p.witness), p)).collect();
    let (mut used_people, mut used_devices) = (BTreeSet::new(), BTreeSet::new());
    for access in &certificate.proof {
        let (person, device) = (&access.person, &access.device);
        let Some(pair) = by_place.get(&(person, device, &access.witness)) else {
            return Err(format!(
                "the proof names {person} from {device}, which is not in data/pairs.jsonl"
            ));
        };
        if !pair.person_licensable && !pair.device_licensable {
            return Err(format!(
                "the proof names {person} from {device}, neither of which can hold a CAL"
            ));
        }
        if pair.person_licensable && !used_people.insert(person) {
            return Err(format!("the proof names {person} twice"));
        }
        if pair.device_licensable && !used_devices.insert(device) {
            return Err(format!("the proof names {device} twice"));
        }
    }
    Ok(())
}

/// The names, each of which must stand there once.
fn set<'a>(names: &'a [String], what: &str) -> Result<BTreeSet<&'a str>, String> {
    let set: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if set.len() == names.len() { Ok(set) } else { Err(format!("a {what} gets two CALs")) }
}
