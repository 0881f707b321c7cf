//! From the census to the story of one subject.

use std::collections::{BTreeMap, BTreeSet};

use super::find::{Found, folded};
use super::{Access, CalNeeded, Join, Left, Subject};
use crate::census::{Census, EnabledAccount, Person, Setting, Use};
use crate::facts::Witness;
use crate::report::day_text;
use crate::report::text::words;
use crate::rules::{Exclusion, Product, RulePack, SourceNote};

/// Tells all about one subject.
pub(super) fn subject(found: &Found, census: &Census, packs: &[RulePack]) -> Subject {
    let mut subject = match found {
        Found::Principal(id) => principal(id, census, packs),
        Found::Devices(id, labels) => device(id, labels, census),
        Found::Identity(id) => identity(id, census),
    };
    subject.unresolved.sort_by(|a, b| a.rule.cmp(b.rule));
    subject
}

fn empty(kind: &'static str, id: &str) -> Subject {
    Subject {
        kind,
        id: id.to_owned(),
        verdict: Vec::new(),
        names: Vec::new(),
        joins: Vec::new(),
        accesses: Vec::new(),
        cals: Vec::new(),
        excluded: Vec::new(),
        unresolved: Vec::new(),
        rows: Vec::new(),
        more_rows: 0,
        witnesses: Vec::new(),
    }
}

fn principal(id: &str, census: &Census, packs: &[RulePack]) -> Subject {
    let person = census.people.iter().find(|p| p.id == id);
    let mut subject = empty(if person.is_some() { "person" } else { "account" }, id);
    let own: Vec<&Use> = census.uses.iter().filter(|u| u.principal == id).collect();
    let mut names: BTreeSet<String> =
        own.iter().map(|u| u.name.clone()).filter(|n| !n.is_empty()).collect();
    names.extend(person.into_iter().flat_map(|p| p.names.iter().cloned()));
    let spelled: BTreeSet<String> = names.iter().map(|n| folded(n)).collect();
    let acted: Vec<&Use> = census
        .uses
        .iter()
        .filter(|u| u.marks.contains(&"impersonation") && u.principal != id)
        .filter(|u| !u.acted_for.is_empty() && spelled.contains(&folded(&u.acted_for)))
        .collect();
    subject.names = names.into_iter().collect();
    let joins = census.joins.get(id).into_iter().flatten();
    subject.joins = joins
        .map(|(one, other, reason)| Join {
            one: one.clone(),
            other: other.clone(),
            reason: reason.clone(),
        })
        .collect();
    let of = |e: &&crate::census::Excluded| e.principal == id;
    let entries = census.excluded.iter().filter(of);
    subject.excluded = entries.clone().map(|e| left_out(e, census, packs)).collect();
    subject.witnesses.extend(entries.map(|e| (e.witness, format!("excluded: {}", e.rule))));
    open(&mut subject, census, |what| what == id);
    let through = |u: &&Use| person.is_some_and(|p| p.through.contains(&u.principal));
    let (acted, for_others): (Vec<&Use>, Vec<&Use>) = acted.into_iter().partition(through);
    let uses: Vec<&Use> = own.iter().chain(&acted).copied().collect();
    let told = uses.iter().copied().map(|u| (u, u.fate.clone()));
    tell(&mut subject, told.chain(for_others.into_iter().map(of_account)).collect());
    if let Some(person) = person {
        subject.cals = cals(person, &uses, census, packs);
        counted(&mut subject, person, census);
    } else {
        subject.verdict.push(match (subject.excluded.as_slice(), subject.unresolved.as_slice()) {
            ([], []) if own.iter().any(|u| u.fate == "device of its own") => {
                "Not a person: the account of a computer, counted as a device unless somebody was served at its \
                 address."
                    .to_owned()
            }
            ([], []) => "Not counted: nothing it did is an access.".to_owned(),
            ([], _) => "Not counted in demand, but in the upper number: no rule settles it.".to_owned(),
            _ => "Not counted: left out by the rules below.".to_owned(),
        });
    }
    interval(&mut subject, census, id);
    for s in census.suspected_shared.iter().filter(|s| s.account == id) {
        subject.verdict.push(format!(
            "Suspected to be shared by several people: {} {} on {}. One person in demand; if several people use it, \
             list it under `shared` in calproof.toml.",
            s.devices,
            s.kind,
            day_text(s.day)
        ));
        subject.witnesses.push((s.witness, "suspected shared account".to_owned()));
    }
    configured(&mut subject, census, id);
    for alias in census.probable_aliases.iter().filter(|a| a.ids.iter().any(|i| i == id)) {
        let others: Vec<&str> = alias.ids.iter().filter(|i| *i != id).map(String::as_str).collect();
        subject.verdict.push(format!(
            "Perhaps one person with {}: they share the local part, and nothing joins them.",
            others.join(", ")
        ));
    }
    for m in census.multiplexers.iter().filter(|m| m.account == id) {
        let number = m.people.len() + m.unresolved.len() + m.excluded.len();
        let what =
            if m.stated { "a stated service account" } else { "not stated as a service account" };
        subject.verdict.push(format!(
            "Acts for others ({what}): {number} in all; counted: {}; only in the upper number: {}; left out: {}.",
            list(&m.people),
            list(&m.unresolved),
            list(&m.excluded)
        ));
    }
    subject
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// The verdict on a counted person.
fn counted(subject: &mut Subject, person: &Person, census: &Census) {
    let products: Vec<&str> = person.products.iter().map(|p| p.as_str()).collect();
    subject.verdict.push(format!("Counted once, for {}.", products.join(", ")));
    if !person.through.is_empty() {
        subject.verdict.push(format!(
            "Reached through an account that acts for people: {}.",
            person.through.join(", ")
        ));
    }
    for r in &census.requirements {
        let needs = person.cals.contains(&(r.product, r.cal));
        if !needs {
            continue;
        }
        let by = if r.mix.users.binary_search(&person.id).is_ok() {
            "a user CAL of its own"
        } else {
            "no user CAL: each device that it came from has a device CAL"
        };
        let (product, cal) = (words::product(r.product), words::cal(r.cal));
        subject.verdict.push(format!("In the least mix of {product} {cal}: {by}."));
    }
    if person.failed_events > 0 {
        subject.verdict.push(format!(
            "{} under these names, which changes nothing.",
            words::counted(person.failed_events, "failed logon", "failed logons")
        ));
    }
    match person.known_to_directory {
        Some(true) => subject.verdict.push("The directory knows this person.".to_owned()),
        Some(false) => subject.verdict.push("In no directory file.".to_owned()),
        None => {}
    }
}

/// Why the subject stands at an end of the interval.
fn interval(subject: &mut Subject, census: &Census, id: &str) {
    let mut told: BTreeSet<String> = BTreeSet::new();
    for r in &census.requirements {
        let of = format!("{} {}", words::product(r.product), words::cal(r.cal));
        let lower = r.lower_without.iter().filter(|(name, _)| name == id);
        told.extend(lower.map(|(_, why)| format!("Weakens the lower number of {of}: {why}.")));
        let upper = r.upper_with.iter().filter(|(name, _, _)| name == id);
        told.extend(
            upper.map(|(_, why, n)| format!("Adds {n} to the upper number of {of}: {why}.")),
        );
    }
    subject.verdict.extend(told);
}

/// What the exports of the configuration say of the subject.
fn configured(subject: &mut Subject, census: &Census, id: &str) {
    let Some(enabled) = &census.enabled else { return };
    let of = |a: &&EnabledAccount| a.people.iter().any(|person| person == id);
    let words = |settings: &[Setting]| match settings {
        [] => "nothing".to_owned(),
        some => some.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", "),
    };
    let mut listed = enabled.accounts.iter().filter(of).peekable();
    if listed.peek().is_none() {
        subject.verdict.push("No export lists it as the account of one person.".to_owned());
    }
    for account in listed {
        subject.verdict.push(format!(
            "By configuration enabled for {}; of this never used in these logs: {}.",
            words(&account.enabled),
            words(&account.never_used)
        ));
        let requires = enabled
            .requires
            .iter()
            .filter(|r| r.settings.iter().any(|setting| account.enabled.contains(setting)));
        for r in requires {
            let (product, cal) = (words::product(r.product), words::cal(r.cal));
            subject.verdict.push(format!(
                "The configuration requires {product} {cal} (rule pack {}); observed usage is counted by itself.",
                r.pack
            ));
        }
    }
}

fn device(id: &str, labels: &BTreeSet<String>, census: &Census) -> Subject {
    let mut subject = empty("device", id);
    let of = |u: &&Use| u.device.as_ref().is_some_and(|d| labels.contains(d));
    let uses: Vec<&Use> = census.uses.iter().filter(of).collect();
    subject.names = labels.iter().cloned().collect();
    tell(&mut subject, uses.iter().map(|u| (*u, u.fate.clone())).collect());
    let people: BTreeSet<&str> =
        uses.iter().filter(|u| u.fate == "counted").map(|u| u.principal.as_str()).collect();
    let identified = uses.iter().any(|u| u.identified);
    let inventory = labels.iter().any(|label| label.starts_with("inventory:"));
    subject.verdict.push(if identified && inventory {
        "One fixed device, for the inventory states it: a device CAL can be assigned to it.".to_owned()
    } else if identified {
        "An identified device: a device CAL can be assigned to it. The id is what the client claims.".to_owned()
    } else {
        "Not an identified device: behind an address may stand anything, and no device CAL can be assigned to it."
            .to_owned()
    });
    subject.verdict.push(match people.len() {
        0 => "Nobody who is counted came from here.".to_owned(),
        n => format!(
            "{} came from here: {}.",
            words::counted(n as u64, "counted person", "counted people"),
            people.iter().copied().collect::<Vec<_>>().join(", ")
        ),
    });
    for r in &census.requirements {
        if labels.iter().any(|label| r.mix.devices.binary_search(label).is_ok()) {
            let (product, cal) = (words::product(r.product), words::cal(r.cal));
            subject.verdict.push(format!("In the least mix of {product} {cal}: a device CAL."));
        }
    }
    let addresses: BTreeSet<&str> = uses.iter().filter_map(|u| u.address.as_deref()).collect();
    open(&mut subject, census, |what| addresses.contains(what) || what.eq_ignore_ascii_case(id));
    subject
}

fn identity(id: &str, census: &Census) -> Subject {
    let mut subject = empty("identity", id);
    let named = |u: &&Use| {
        (!u.acted_for.is_empty() && folded(&u.acted_for) == folded(id))
            || u.address.as_deref() == Some(id)
    };
    subject.names = vec![id.to_owned()];
    tell(&mut subject, census.uses.iter().filter(named).map(of_account).collect());
    open(&mut subject, census, |what| what == id);
    let text = if subject.unresolved.is_empty() {
        "Named as a mailbox or an identity that others reached; never the one who did it, so not counted."
    } else {
        "Not counted in demand: no rule settles whether this is a person."
    };
    subject.verdict.push(text.to_owned());
    interval(&mut subject, census, id);
    subject
}

/// Takes over what is not settled.
fn open(subject: &mut Subject, census: &Census, is: impl Fn(&str) -> bool) {
    for u in census.unresolved.iter().filter(|u| is(&u.what)) {
        subject.unresolved.push(Left {
            rule: u.reason,
            meaning: words::reason(u.reason),
            reason: String::new(),
            servers: u.servers.clone(),
            events: u.events,
            sources: Vec::new(),
        });
        subject.witnesses.push((u.witness, format!("unresolved: {}", u.reason)));
    }
}

fn left_out(e: &crate::census::Excluded, census: &Census, packs: &[RulePack]) -> Left {
    let exclusion = Exclusion::parse(e.rule);
    let applied = packs.iter().filter(|pack| {
        e.products.contains(&pack.product) && census.rule_packs.iter().any(|c| c.id == pack.id)
    });
    let sources: BTreeSet<String> = applied
        .filter_map(|pack| Some((pack, pack.exemption(exclusion?)?)))
        .flat_map(|(pack, exemption)| exemption.sources.iter().map(|s| cited(&pack.id, s)))
        .collect();
    Left {
        rule: e.rule,
        meaning: words::rule(e.rule),
        reason: e.reason.clone(),
        servers: e.servers.clone(),
        events: e.events,
        sources: sources.into_iter().collect(),
    }
}

fn cited(pack: &str, source: &SourceNote) -> String {
    let mark = if source.text.is_quoted() { "\"" } else { "" };
    format!("{} ({pack}): {mark}{}{mark}", source.text, source.says)
}

/// A use that says of whoever was acted for only that somebody else did it.
fn of_account(u: &Use) -> (&Use, String) {
    let fate =
        if u.principal == "-" { u.fate.clone() } else { format!("of {}: {}", u.principal, u.fate) };
    (u, fate)
}

/// Takes over uses, each with what became of it.
fn tell(subject: &mut Subject, uses: Vec<(&Use, String)>) {
    subject.accesses = accesses(&uses);
    subject.witnesses.extend(uses.into_iter().map(|(u, fate)| (u.first, fate)));
}

/// Accesses that differ in their days only are one.
fn accesses(uses: &[(&Use, String)]) -> Vec<Access> {
    type Key<'a> = (&'a str, Product, &'a str, &'a str, &'a str, Option<&'a str>, &'a str, &'a str);
    let mut groups: BTreeMap<Key<'_>, (bool, u64, BTreeSet<i32>)> = BTreeMap::new();
    for (u, fate) in uses {
        let key: Key<'_> = (
            &u.principal,
            u.product,
            u.service,
            &u.server,
            u.outcome,
            u.device.as_deref(),
            fate,
            if u.marks.contains(&"impersonation") { &u.acted_for } else { "" },
        );
        let group = groups.entry(key).or_default();
        group.0 |= u.identified;
        group.1 += u.events;
        group.2.extend(&u.days);
    }
    // The static words are looked up again, for the key borrows them.
    let word = |u: fn(&Use) -> &'static str, of: &str| {
        uses.iter().map(|(x, _)| u(x)).find(|w| *w == of).unwrap_or_default()
    };
    groups
        .into_iter()
        .map(|((principal, product, service, server, outcome, device, fate, acted_for), group)| {
            Access {
                principal: principal.to_owned(),
                acted_for: acted_for.to_owned(),
                product: product.as_str(),
                service: word(|u| u.service, service),
                server: server.to_owned(),
                outcome: word(|u| u.outcome, outcome),
                device: device.map(str::to_owned),
                identified: group.0,
                fate: fate.to_owned(),
                events: group.1,
                days: group.2.into_iter().map(day_text).collect(),
            }
        })
        .collect()
}

/// The CALs of a counted person, each with the rule that requires it.
fn cals(person: &Person, uses: &[&Use], census: &Census, packs: &[RulePack]) -> Vec<CalNeeded> {
    type By<'a> = (Product, crate::rules::Cal, &'a str, Option<&'a str>);
    let mut by: BTreeMap<By<'_>, BTreeSet<&'static str>> = BTreeMap::new();
    // Uses that an account made for the person count for the person too.
    for u in uses.iter().filter(|u| u.fate == "counted") {
        for (cal, pack, rule) in &u.rules {
            let key = (u.product, *cal, pack.as_str(), rule.as_deref());
            by.entry(key).or_default().insert(u.service);
        }
    }
    let mut needed: Vec<CalNeeded> = by
        .into_iter()
        .filter(|((product, cal, ..), _)| person.cals.contains(&(*product, *cal)))
        .map(|((product, cal, pack, rule), services)| {
            let found = packs.iter().find(|p| p.id == pack);
            let found = found.and_then(|p| p.rules.iter().find(|r| Some(r.id.as_str()) == rule));
            CalNeeded {
                product: product.as_str(),
                cal: cal.as_str(),
                pack: pack.to_owned(),
                rule: rule.map(str::to_owned),
                services: services.into_iter().collect(),
                sources: found
                    .map(|r| r.sources.iter().map(|s| cited(pack, s)).collect())
                    .unwrap_or_default(),
                disputed: found.is_some_and(|r| r.disputed),
            }
        })
        .collect();
    if !needed.iter().any(|c| c.product == "windows") {
        let windows = packs.iter().find(|p| {
            p.product == Product::Windows && census.rule_packs.iter().any(|c| c.id == p.id)
        });
        needed.push(CalNeeded {
            product: "windows",
            cal: "standard",
            pack: windows.map_or_else(String::new, |p| p.id.clone()),
            rule: None,
            services: Vec::new(),
            sources: vec![
                "VL 2020: users of Exchange, OCS and SharePoint need a Windows Server CAL as well"
                    .to_owned(),
            ],
            disputed: false,
        });
    }
    needed
}

/// The rows to show: the first of every kind of access before the second of any, at most so many;
/// with how many there would be.
pub(super) fn choose(
    witnesses: &[(Witness, String)],
    most: usize,
) -> (Vec<(Witness, String)>, u64) {
    let mut distinct: BTreeMap<(u32, u64), (Witness, String)> = BTreeMap::new();
    for (witness, fate) in witnesses {
        let place = (witness.input, witness.byte);
        distinct.entry(place).or_insert_with(|| (*witness, fate.clone()));
    }
    let mut rows: Vec<(Witness, String)> = distinct.into_values().collect();
    rows.sort();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, Witness, String)> = rows
        .into_iter()
        .map(|(witness, fate)| {
            let rank = seen.entry(fate.clone()).or_default();
            *rank += 1;
            (*rank, witness, fate)
        })
        .collect();
    ranked.sort();
    let more = ranked.len().saturating_sub(most) as u64;
    ranked.truncate(most);
    let mut chosen: Vec<(Witness, String)> = ranked.into_iter().map(|(_, w, f)| (w, f)).collect();
    chosen.sort();
    (chosen, more)
}
