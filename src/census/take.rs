//! From merged facts to the census, step by step.

use calproof_parsers::Scope;

use super::compare::Comparisons;
use super::connector::External;
use super::device::InventoryError;
use super::fate::rule;
use super::ground::Ground;
use super::judged::Judged;
use super::licences::{self, LicenceError, Licences};
use super::people::{persons, servers};
use super::replay::{replay, sights};
use super::seen::Seen;
use super::sensitivity::Reading;
use super::settle::Settled;
use super::standing::is_use;
use super::uses::{corroborated, joins, uses};
use super::{Census, Detail, coverage, enabled, requirement, suspected, warnings};
use crate::config::Config;
use crate::facts::days::day_text;
use crate::facts::usage::Period;
use crate::identity::PersonId;
use crate::identity::directory::Directory;
use crate::ingest::input::InputReport;
use crate::rules::{RuleError, RulePack};

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

/// Takes the census as configured.
///
/// # Errors
///
/// What is stated of licences cannot be solved.
pub(super) fn census(
    ground: &Ground<'_>,
    licences: &Licences,
    inputs: &[InputReport],
    question: &Question<'_>,
    beside: &Comparisons<'_>,
) -> Result<Census, CensusError> {
    let Question { config, period, directory, detail, .. } = *question;
    let Ground { usage, places, packs, identities, people, devices, .. } = ground;
    let recognised = ground.recognised.as_ref();
    let judged = Judged::new(ground, &Reading::default());
    let Judged { seen, settled, rows, behind, machines, failed_of, .. } = &judged;
    let basis = judged.basis(ground, detail == Detail::Full);
    let facts = ground.facts.iter();
    let mut census = Census {
        organization: config.organization.name.clone(),
        from: period.from.map(day_text),
        to: period.to.map(day_text),
        events: facts
            .map(|f| (f.seen.first.instant, f.seen.last.instant))
            .reduce(|(a, b), (c, d)| (a.min(c), b.max(d))),
        ..Census::default()
    };
    let require = || (requirement::requirements(&basis), suspected::suspected(&basis));
    let list = || {
        let servers = servers(rows, machines, places, devices);
        (servers, persons(rows, failed_of, people, identities, places, recognised))
    };
    let required_and_listed = || rayon::join(require, list);
    let covered = || coverage::coverage(usage, inputs, places, period);
    (
        ((census.requirements, census.suspected_shared), (census.servers, census.people)),
        census.coverage,
    ) = rayon::join(required_and_listed, covered);
    let by_connector = |(s, settled): (&Seen<'_>, &Settled)| {
        let held = *settled == Settled::Excluded(rule::EXTERNAL_CONNECTOR);
        (held && is_use(s.used.key.outcome)).then_some((s.product, s.place, s.person?))
    };
    let external = External {
        people: &ground.external,
        held: seen.iter().zip(settled).filter_map(by_connector).collect(),
        places,
        config,
    };
    licences::apply(&mut census, &basis, packs, licences, &external).map_err(Box::new)?;
    census.rule_packs = packs.cited(&census.requirements);
    let counts = |p: PersonId| rows.binary_search_by_key(&p, |row| row.person).is_ok();
    census.probable_aliases = ground.namesakes.probable_aliases((people, identities), counts);
    census.corroborated = corroborated(usage, places, identities, people, &census.people);
    if detail == Detail::Full {
        census.uses = uses(seen, settled, usage, places, people, devices, packs);
        census.joins = joins(people, identities);
    }
    if let Some(exports) = beside.exports {
        let own = seen.iter().filter(|s| is_use(s.used.key.outcome));
        let own = own.filter_map(|s| Some((s.person?, s.used.key.service.as_str())));
        let acted = behind.rows.iter().map(|b| (b.person, seen[b.seen].used.key.service.as_str()));
        let who = (identities, people, directory);
        let enabled = enabled::compare(exports, who, own.chain(acted), &census.people, packs);
        packs.cite(&mut census.rule_packs, enabled.requires.iter().map(|r| r.product));
        census.enabled = Some(enabled);
    }
    let sights = beside.accounts.map(|_| {
        let inside = seen.iter().map(|s| (s.person, s.used));
        let outside = usage.outside.iter().zip(&ground.outside);
        sights(inside.chain(outside.map(|(used, form)| (form.map(|f| people.of(f)), used))))
    });
    (census.excluded, census.unresolved) = judged.ledger.entries();
    census.multiplexers = judged.behind.multiplexers;
    if let Some((accounts, sights)) = beside.accounts.zip(sights) {
        census.replay = Some(replay(accounts, &census, identities, people, &sights));
    }
    census.warnings.extend(warnings::warnings(inputs, &census, identities, config));
    census.warnings.extend(warnings::of_directory(&census, recognised));
    census.warnings.extend(warnings::of_multiplexers(&census.multiplexers));
    census.warnings.sort();
    census.warnings.dedup();
    Ok(census)
}
