//! From merged facts to the census, step by step.

use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::{Scope, Service};

use super::administration::administrators;
use super::compare::Comparisons;
use super::connector::External;
use super::device::{Devices, InventoryError, inventory};
use super::fate::{Bench, Fate, product_of, rule};
use super::forms::{forms, sip_domains};
use super::ledger::Ledger;
use super::licences::{self, LicenceError, Licences};
use super::multiplexer::{self, acted_for};
use super::namesakes::Namesakes;
use super::nobody::{declared_people, machines, nobody};
use super::packs::{Packs, cals};
use super::pattern::Patterns;
use super::people::{persons, servers};
use super::place::Places;
use super::replay::{replay, sights};
use super::requirement::{self, Row, Upper};
use super::seen::{Seen, group, see};
use super::sensitivity::Reading;
use super::settle::{Settled, settle};
use super::standing::{Standing, is_use, standing};
use super::uses::{corroborated, joins, uses};
use super::{Census, Detail, coverage, enabled, suspected, warnings};
use crate::config::Config;
use crate::facts::Key;
use crate::facts::days::day_text;
use crate::facts::names::Name;
use crate::facts::usage::{Period, Usage, Used};
use crate::identity::directory::Directory;
use crate::identity::entry::EntryKind;
use crate::identity::{FormId, Identities, PersonId, decode};
use crate::ingest::input::InputReport;
use crate::rules::{Product, RuleError, RulePack};

/// Why a census cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum CensusError {
    /// A rule pack is missing.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// An inventory cannot be used.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// What is stated of licences cannot be used.
    #[error(transparent)]
    Licences(#[from] Box<LicenceError>),
}

/// What is asked of the facts.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What the organisation states.
    pub config: &'a Config,
    /// The rule packs there are.
    pub packs: &'a [RulePack],
    /// The period.
    pub period: &'a Period,
    /// What parsers were told.
    pub scope: &'a Scope,
    /// The directory, where there is one.
    pub directory: Option<&'a Directory>,
    /// How much to keep.
    pub detail: Detail,
}

/// Takes the census under a reading of the rules.
pub(super) fn judge(
    usage: &Usage,
    epids: &BTreeMap<String, String>,
    inputs: &[InputReport],
    question: &Question<'_>,
    reading: &Reading,
    beside: &Comparisons<'_>,
) -> Result<Census, CensusError> {
    let Question { config, packs, period, directory, detail, .. } = *question;
    let licences = Licences::load(config, packs).map_err(Box::new)?;
    let read = reading.facts(&usage.facts);
    let facts = read.as_deref().unwrap_or(&usage.facts);
    let places = Places::resolve(&usage.servers, &usage.names, config);
    let packs = Packs::select(packs, &places, config)?;
    let mut identities = Identities::new(config);
    let mut forms_by = |facts: &[Used], name_of: fn(&Key) -> Name| {
        forms(facts, usage, &places, config, &mut identities, name_of)
    };
    let forms = [facts, &usage.outside].map(|facts| forms_by(facts, |key| key.principal));
    let others = forms_by(facts, acted_for);
    identities.join_aliases(usage);
    // What the directory joins is the user's statement: the upper end undoes it, like `realms`.
    let proved = identities.strict_groups();
    let recognised = directory.map(|directory| identities.apply_directory(directory));
    let mut people = identities.people();
    people.strict_of = proved;
    let people = people;
    let stated = |names: &Vec<String>, kind: EntryKind| -> BTreeSet<PersonId> {
        let names = Patterns::new(names, &identities);
        let by_directory = |p| recognised.as_ref().is_some_and(|r| r.is(kind, &people, p));
        (0..people.len() as PersonId)
            .filter(|p| names.find(*p, &people, &identities).is_some() || by_directory(*p))
            .collect()
    };
    let mut shared = stated(&config.identity.shared, EntryKind::Shared);
    if reading.shared_are_people {
        shared.clear();
    }
    let service = stated(&config.identity.service, EntryKind::Service);
    let mut devices = Devices::new(inventory(&config.devices.inventory)?, epids.clone());

    let sip_domains = sip_domains(config, facts, &forms[0], &identities);
    let declared = config.excludes.iter().filter(|_| !reading.declared_count);
    let bench = Bench {
        config,
        places: &places,
        identities: &identities,
        people: &people,
        sip_domains,
        external: stated(&config.identity.external, EntryKind::External),
        declared: Patterns::new(declared.map(|e| &e.principal), &identities),
        guests: reading.guests,
    };

    let mut ledger = Ledger::new(&places);
    for (used, form) in usage.outside.iter().zip(&forms[1]) {
        let place = places.of[used.key.server as usize];
        let product = product_of(&used.key, places.list[place].product);
        let principal = form.map_or("-", |f| &people.ids[people.of(f) as usize]);
        ledger.exclude(principal, rule::OUTSIDE_PERIOD, String::new(), place, product, &used.seen);
    }

    let mut seen = see(facts, &forms[0], &others, usage, &bench, &packs, &mut devices);
    if reading.attending_is_free {
        let attends = |s: &Seen<'_>| s.used.key.service == Service::ConferenceJoin;
        seen.retain(|s| !(attends(s) && s.fate == Fate::Person));
    }

    // Every person's standing with every product.
    let by_person = group(&seen, |s| s.fate == Fate::Person);
    let served_anywhere: BTreeSet<PersonId> = seen
        .iter()
        .filter(|s| s.fate == Fate::Person && is_use(s.used.key.outcome))
        .filter_map(|s| s.person)
        .collect();
    let vouched = |used: &Used| {
        let by = decode(usage.names.get(used.key.acted_for), None);
        super::place::is_listed(&by, config) || places.is_own_address(by.as_bytes())
    };
    let mut standings: BTreeMap<(PersonId, Product), Standing> = BTreeMap::new();
    for ((person, product), facts) in &by_person {
        let facts = facts.iter().map(|i| seen[*i].used);
        let stands = standing(facts, served_anywhere.contains(person), &vouched);
        standings.insert((*person, *product), stands);
    }
    let admins = reading.admins.unwrap_or(config.rules.admins);
    let exempted = administrators(&seen, &by_person, &standings, &people, admins);
    let counts = |person: PersonId, product: Product| {
        standings.get(&(person, product)).is_some_and(|s| reading.counts(*s))
            && !exempted.contains(&(person, product))
    };
    let counted: BTreeSet<PersonId> = standings
        .keys()
        .filter(|(person, product)| counts(*person, *product))
        .map(|(p, _)| *p)
        .collect();

    // What becomes of each fact, once and for all.
    let settled: Vec<Settled> = seen
        .iter()
        .map(|s| {
            let counts = |person, product| counts(person, product);
            settle(s, &standings, &counts, &counted, &vouched, reading)
        })
        .collect();
    let mut upper = Upper::default();
    let mut failed_of: BTreeMap<PersonId, u64> = BTreeMap::new();
    for (s, settled) in seen.iter().zip(&settled) {
        let (used, place, product) = (&s.used.seen, s.place, s.product);
        let id = s.person.map_or("-", |p| people.ids[p as usize].as_str());
        match *settled {
            Settled::Excluded(rule) => {
                ledger.exclude(id, rule, String::new(), place, product, used);
                if let (rule::NEVER_SERVED, Some(person)) = (rule, s.person) {
                    upper.add(product, person, rule);
                }
            }
            Settled::Declared(n) => {
                let reason = config.excludes[n].reason.clone();
                ledger.exclude(id, rule::DECLARED, reason, place, product, used);
            }
            Settled::Unresolved(reason) if s.fate == Fate::Person => {
                ledger.leave_open(id, reason, place, used);
                if let Some(person) = s.person.filter(|person| !counts(*person, product)) {
                    upper.add(product, person, reason);
                }
            }
            Settled::Failed => {
                *failed_of.entry(s.person.unwrap_or_default()).or_default() += used.events
            }
            Settled::Unresolved(_) | Settled::Counted | Settled::Machine | Settled::Nothing => {}
        }
    }
    let is_person = |form: FormId, person: PersonId| {
        let known = recognised.as_ref().and_then(|r| r.directory_person(form)).is_some();
        known && !service.contains(&person) && !shared.contains(&person)
    };
    let judge = multiplexer::Judge {
        bench: &bench,
        packs: &packs,
        service: &service,
        counted: &counted,
        is_person: &is_person,
    };
    let mut behind = multiplexer::behind(&seen, &judge, &mut ledger, &mut upper);
    if reading.behind_accounts_is_free {
        behind.rows.clear();
    }
    nobody(&seen, usage, &people, &counted, &mut ledger, &mut upper);
    let declared = declared_people(&seen, &vouched, &mut upper);

    // What is counted, row by row.
    let mut machines = machines(&seen, &people, &counted, &mut devices);
    if reading.machines_are_free {
        machines.clear();
    }
    let version = |s: &Seen<'_>| places.list[s.place].version(s.product);
    let row = |fact: usize, person, form, own| {
        let s = &seen[fact];
        Row {
            person,
            form,
            place: s.place,
            product: s.product,
            own,
            version: version(s),
            windows: places.list[s.place].version(Product::Windows),
            device: s.device,
            used: s.used,
            through: None,
            cals: reading.cals(s.used.key.service, cals(s, packs.of(s.product, version(s)))),
        }
    };
    let own = seen.iter().zip(&settled).enumerate().filter_map(|(i, (s, settled))| {
        // An external user whom the product does not count still needs the Windows base CAL.
        let external = matches!(
            settled,
            Settled::Excluded(rule::EXTERNAL_CONNECTOR | rule::EXTERNAL_LICENSED)
        ) && s.product != Product::Windows
            && is_use(s.used.key.outcome);
        let own = *settled == Settled::Counted;
        if !(own || external) {
            return None;
        }
        Some(row(i, s.person?, s.form?, own))
    });
    // Of whoever stands behind an account nobody knows the device.
    let acted = behind.rows.iter().map(|b| {
        let through = seen[b.seen].person;
        Row { device: None, through, ..row(b.seen, b.person, b.form, b.own) }
    });
    let mut rows: Vec<Row<'_>> = own.chain(acted).collect();
    rows.sort_by_key(|row| row.person);
    let rows = rows;
    let mut census = Census {
        organization: config.organization.name.clone(),
        from: period.from.map(day_text),
        to: period.to.map(day_text),
        events: facts
            .iter()
            .map(|f| (f.seen.first.instant, f.seen.last.instant))
            .reduce(|(a, b), (c, d)| (a.min(c), b.max(d))),
        ..Census::default()
    };
    let asserted: BTreeSet<(PersonId, Product)> =
        standings.iter().filter(|(_, s)| **s == Standing::Asserted).map(|(k, _)| *k).collect();
    let namesakes = Namesakes::new(&people, &identities);
    let basis = requirement::Basis {
        rows: &rows,
        shared: &shared,
        service: &service,
        machines: &machines,
        asserted: &asserted,
        declared: &declared,
        upper: &upper,
        people: &people,
        namesakes: &namesakes,
        devices: &devices,
        keep_pairs: detail == Detail::Full,
    };
    census.requirements = requirement::requirements(&basis);
    census.suspected_shared = suspected::suspected(&basis);
    if reading.is_configured() {
        let by_connector = |(s, settled): (&Seen<'_>, &Settled)| {
            let held = *settled == Settled::Excluded(rule::EXTERNAL_CONNECTOR);
            (held && is_use(s.used.key.outcome)).then_some((s.product, s.place, s.person?))
        };
        let external = External {
            people: &bench.external,
            held: seen.iter().zip(&settled).filter_map(by_connector).collect(),
            places: &places,
            config,
        };
        licences::apply(&mut census, &basis, &packs, &licences, &external).map_err(Box::new)?;
    }
    census.rule_packs = packs.cited(&census.requirements);
    census.servers = servers(&rows, &machines, &places, &devices);
    census.people = persons(&rows, &failed_of, &people, &identities, &places, recognised.as_ref());
    let is_counted = |p: PersonId| rows.binary_search_by_key(&p, |row| row.person).is_ok();
    census.probable_aliases = namesakes.probable_aliases(is_counted);
    census.coverage = coverage::coverage(usage, inputs, &places, period);
    (census.excluded, census.unresolved) = ledger.entries();
    census.corroborated = corroborated(usage, &places, &identities, &people, &census.people);
    if let Some(accounts) = beside.accounts {
        let inside = seen.iter().map(|s| (s.person, s.used));
        let outside = usage.outside.iter().zip(&forms[1]);
        let outside = outside.map(|(used, form)| (form.map(|f| people.of(f)), used));
        let sights = sights(inside.chain(outside));
        census.replay = Some(replay(accounts, &census, &identities, &people, &sights));
    }
    if let Some(exports) = beside.exports {
        let own = seen.iter().filter(|s| is_use(s.used.key.outcome));
        let own = own.filter_map(|s| Some((s.person?, s.used.key.service.as_str())));
        let acted = behind.rows.iter().map(|b| (b.person, seen[b.seen].used.key.service.as_str()));
        let who = (&identities, &people, directory);
        let enabled = enabled::compare(exports, who, own.chain(acted), &census.people, &packs);
        packs.cite(&mut census.rule_packs, enabled.requires.iter().map(|r| r.product));
        census.enabled = Some(enabled);
    }
    if detail == Detail::Full {
        census.uses = uses(&seen, &settled, usage, &places, &people, &devices, &packs);
        census.joins = joins(&people, &identities);
    }
    census.multiplexers = behind.multiplexers;
    census.warnings.extend(warnings::warnings(inputs, &census, &identities, config));
    census.warnings.extend(warnings::of_directory(&census, recognised.as_ref()));
    census.warnings.extend(warnings::of_multiplexers(&census.multiplexers));
    census.warnings.sort();
    census.warnings.dedup();
    Ok(census)
}
