//! What becomes of each fact under a reading of the rules, and the rows that count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::administration::administrators;
use super::device::DeviceId;
use super::fate::{Fate, product_of, rule};
use super::ground::Ground;
use super::ledger::Ledger;
use super::multiplexer::{self, Behind};
use super::nobody::{Machine, declared_people, machines, nobody};
use super::packs::Required;
use super::requirement::{Basis, Row, Upper};
use super::seen::{ByPerson, Seen, Table};
use super::sensitivity::Reading;
use super::settle::{Settled, settle};
use super::standing::{Standing, is_use, standing};
use crate::facts::usage::Used;
use crate::identity::{FormId, PersonId, decode};
use crate::rules::Product;

/// What becomes of the facts.
pub(super) struct Judged<'g, 'a> {
    pub(super) seen: Cow<'g, [Seen<'a>]>,
    /// What becomes of each of them.
    pub(super) settled: Vec<Settled>,
    /// The rows that count, person by person.
    pub(super) rows: Vec<Row<'a>>,
    pub(super) ledger: Ledger<'g>,
    pub(super) behind: Behind,
    pub(super) machines: BTreeMap<DeviceId, Machine>,
    /// Failed logons of each person.
    pub(super) failed_of: BTreeMap<PersonId, u64>,
    shared: Cow<'g, BTreeSet<PersonId>>,
    asserted: BTreeSet<(PersonId, Product)>,
    declared: BTreeSet<(PersonId, Product)>,
    upper: Upper,
}

impl<'g, 'a> Judged<'g, 'a> {
    /// Judges the facts by the rules as a reading has them.
    pub(super) fn new(ground: &'g Ground<'a>, reading: &Reading) -> Judged<'g, 'a> {
        let Ground { usage, config, places, people, service, .. } = ground;
        let shared = match reading.shared_are_people {
            true => Cow::default(),
            false => Cow::Borrowed(&ground.shared),
        };
        let mut ledger = Ledger::new(places);
        for (used, form) in usage.outside.iter().zip(&ground.outside) {
            let place = places.of[used.key.server as usize];
            let product = product_of(&used.key, places.list[place].product);
            let principal = form.map_or("-", |f| &people.ids[people.of(f) as usize]);
            let rule = rule::OUTSIDE_PERIOD;
            ledger.exclude(principal, rule, String::new(), place, product, &used.seen);
        }

        // Every person's standing with every product.
        let seen = ground.seen(reading);
        let by_person = ByPerson::new(&seen, people, |s| s.fate == Fate::Person);
        let mut served_anywhere = vec![false; people.len()];
        for (person, _, mut facts) in by_person.iter() {
            served_anywhere[person as usize] |= facts.any(|s| is_use(s.used.key.outcome));
        }
        let vouched = |used: &Used| {
            let by = decode(usage.names.get(used.key.acted_for), None);
            super::place::is_listed(&by, config) || places.is_own_address(by.as_bytes())
        };
        let mut standings = Table::new(people.len(), Standing::Nothing);
        let mut asserted = BTreeSet::new();
        for (person, product, facts) in by_person.iter() {
            let served_anywhere = served_anywhere[person as usize];
            let stands = standing(facts.map(|s| s.used), served_anywhere, &vouched);
            standings.set(person, product, stands);
            asserted.extend((stands == Standing::Asserted).then_some((person, product)));
        }
        let admins = reading.admins.unwrap_or(config.rules.admins);
        let exempted = administrators(&by_person, &standings, people, admins);
        let counts = |person: PersonId, product: Product| {
            reading.counts(*standings.get(person, product))
                && !exempted.contains(&(person, product))
        };
        let counted: Vec<bool> = (0..people.len() as PersonId)
            .map(|person| Product::ALL.iter().any(|product| counts(person, *product)))
            .collect();

        // What becomes of each fact, once and for all.
        let settled: Vec<Settled> = seen
            .par_iter()
            .map(|s| settle(s, &standings, &counts, &counted, &vouched, reading))
            .collect();
        let mut upper = Upper::default();
        let mut failed_of: BTreeMap<PersonId, u64> = BTreeMap::new();
        let account = || {
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
                    Settled::Unresolved(_)
                    | Settled::Counted
                    | Settled::Machine
                    | Settled::Nothing => {}
                }
            }
        };
        let ((), own) = rayon::join(account, || rows(ground, reading, &seen, &settled));
        let is_person = |form: FormId, person: PersonId| {
            let known = ground.recognised.as_ref().and_then(|r| r.directory_person(form)).is_some();
            known && !service.contains(&person) && !shared.contains(&person)
        };
        let judge = multiplexer::Judge {
            bench: &ground.bench(reading),
            service,
            counted: &counted,
            is_person: &is_person,
        };
        let mut behind = multiplexer::behind(&seen, &judge, &mut ledger, &mut upper);
        if reading.behind_accounts_is_free {
            behind.rows.clear();
        }
        nobody(&seen, usage, people, &counted, &mut ledger, &mut upper);
        let declared = declared_people(&seen, people, &vouched, &mut upper);
        let mut machines = machines(&seen, &ground.computers, &counted);
        if reading.machines_are_free {
            machines.clear();
        }
        let rows = with_those_behind(own, ground, reading, &seen, &behind);
        Judged {
            settled,
            rows,
            ledger,
            behind,
            machines,
            failed_of,
            shared,
            asserted,
            declared,
            upper,
            seen,
        }
    }

    /// What requirements are made from; with the accesses that a mix covers where they are to be kept.
    pub(super) fn basis<'b>(&'b self, ground: &'b Ground<'a>, keep_pairs: bool) -> Basis<'b> {
        Basis {
            rows: &self.rows,
            shared: &self.shared,
            service: &ground.service,
            machines: &self.machines,
            asserted: &self.asserted,
            declared: &self.declared,
            upper: &self.upper,
            people: &ground.people,
            identities: &ground.identities,
            namesakes: &ground.namesakes,
            devices: &ground.devices,
            keep_pairs,
        }
    }
}

/// Makes rows of what is counted.
struct Rows<'b, 'g, 'a> {
    ground: &'g Ground<'a>,
    reading: &'b Reading,
    required: Required,
}

impl<'a> Rows<'_, '_, 'a> {
    fn row(&mut self, s: &Seen<'a>, person: PersonId, form: FormId, own: bool) -> Row<'a> {
        let place = &self.ground.places.list[s.place];
        let version = place.version(s.product);
        let cals = self.required.of(s, version, &self.ground.packs);
        Row {
            person,
            form,
            place: s.place,
            product: s.product,
            own,
            version,
            windows: place.version(Product::Windows),
            device: s.device,
            used: s.used,
            through: None,
            cals: self.reading.cals(s.used.key.service, cals),
        }
    }
}

/// What is counted, row by row, of people who are named; person by person.
fn rows<'a>(
    ground: &Ground<'a>,
    reading: &Reading,
    seen: &[Seen<'a>],
    settled: &[Settled],
) -> Vec<Row<'a>> {
    let mut of = Rows { ground, reading, required: Required::default() };
    let mut rows: Vec<Row<'a>> = Vec::with_capacity(seen.len());
    for (s, settled) in seen.iter().zip(settled) {
        // An external user whom the product does not count still needs the Windows base CAL.
        let external = matches!(
            settled,
            Settled::Excluded(rule::EXTERNAL_CONNECTOR | rule::EXTERNAL_LICENSED)
        ) && s.product != Product::Windows
            && is_use(s.used.key.outcome);
        let own = *settled == Settled::Counted;
        if let (true, Some(person), Some(form)) = (own || external, s.person, s.form) {
            rows.push(of.row(s, person, form, own));
        }
    }
    rows.sort_by_cached_key(|row| row.person);
    rows
}

/// The rows, and those of people behind accounts: nobody knows their devices.
fn with_those_behind<'a>(
    mut rows: Vec<Row<'a>>,
    ground: &Ground<'a>,
    reading: &Reading,
    seen: &[Seen<'a>],
    behind: &Behind,
) -> Vec<Row<'a>> {
    let mut of = Rows { ground, reading, required: Required::default() };
    for b in &behind.rows {
        let s = &seen[b.seen];
        let row = of.row(s, b.person, b.form, b.own);
        rows.push(Row { device: None, through: s.person, ..row });
    }
    if !behind.rows.is_empty() {
        rows.sort_by_cached_key(|row| row.person);
    }
    rows
}
