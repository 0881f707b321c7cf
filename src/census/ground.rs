//! What is known of the facts before any rule is read: servers, names, people, devices.
//!
//! It is the same under every reading that reads the same facts, so it is found out once for all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use calproof_parsers::Service;
use rayon::prelude::*;

use super::device::{DeviceId, Devices, inventory};
use super::fate::{Bench, Fate};
use super::forms::{forms, sip_domains};
use super::multiplexer::acted_for;
use super::namesakes::Namesakes;
use super::nobody::computers;
use super::packs::Packs;
use super::pattern::Patterns;
use super::place::Places;
use super::seen::{Seen, see};
use super::sensitivity::Reading;
use super::take::{CensusError, Question};
use crate::config::Config;
use crate::facts::Key;
use crate::facts::names::Name;
use crate::facts::usage::{Usage, Used};
use crate::identity::directory::{Directory, Recognised};
use crate::identity::entry::EntryKind;
use crate::identity::principal::Form;
use crate::identity::{FormId, Identities, People, PersonId};

/// What is known before any rule is read.
pub(super) struct Ground<'a> {
    pub(super) usage: &'a Usage,
    /// The facts inside the period.
    pub(super) facts: &'a [Used],
    /// The forms of those outside it.
    pub(super) outside: Vec<Option<FormId>>,
    pub(super) config: &'a Config,
    pub(super) places: Places,
    pub(super) packs: Packs<'a>,
    pub(super) identities: Identities,
    pub(super) people: People,
    /// What the directory knows of the names, where there is one.
    pub(super) recognised: Option<Recognised>,
    pub(super) namesakes: Namesakes,
    /// Stated shared accounts.
    pub(super) shared: BTreeSet<PersonId>,
    /// Stated service accounts.
    pub(super) service: BTreeSet<PersonId>,
    /// Stated external users.
    pub(super) external: BTreeSet<PersonId>,
    pub(super) devices: Devices,
    /// Computers that are devices of their own, by their account.
    pub(super) computers: BTreeMap<PersonId, DeviceId>,
    sip_domains: BTreeSet<String>,
    ordinary: Vec<bool>,
    declared: Vec<Option<usize>>,
    seen: Vec<Seen<'a>>,
}

/// The names of the facts, and who they are.
struct Named {
    /// The forms of the principals of facts inside the period, and outside it.
    inside: Vec<Option<FormId>>,
    outside: Vec<Option<FormId>>,
    /// The forms of whom those inside acted for.
    others: Vec<Option<FormId>>,
    identities: Identities,
    people: People,
    recognised: Option<Recognised>,
}

impl Named {
    fn new(
        usage: &Usage,
        facts: &[Used],
        places: &Places,
        config: &Config,
        directory: Option<&Directory>,
    ) -> Named {
        let mut identities = Identities::new(config);
        let mut forms_by = |facts: &[Used], name_of: fn(&Key) -> Name| {
            forms(facts, usage, places, config, &mut identities, name_of)
        };
        let [inside, outside] =
            [facts, &usage.outside].map(|facts| forms_by(facts, |key| key.principal));
        let others = forms_by(facts, acted_for);
        identities.join_aliases(usage);
        // What the directory joins is the user's statement: the upper end undoes it, like `realms`.
        let proved = identities.strict_groups();
        let recognised = directory.map(|directory| identities.apply_directory(directory));
        let mut people = identities.people();
        people.strict_of = proved;
        Named { inside, outside, others, identities, people, recognised }
    }
}

impl<'a> Ground<'a> {
    /// Finds out what is known of `facts`, which are those of `usage` as a reading has them.
    ///
    /// # Errors
    ///
    /// A configured rule pack that does not exist, an inventory that cannot be read.
    pub(super) fn new(
        usage: &'a Usage,
        facts: &'a [Used],
        epids: &BTreeMap<String, String>,
        question: &Question<'a>,
    ) -> Result<Ground<'a>, CensusError> {
        let Question { config, packs, directory, .. } = *question;
        let places = Places::resolve(&usage.servers, &usage.names, config);
        let packs = Packs::select(packs, &places, config)?;
        let mut devices = Devices::new(inventory(&config.devices.inventory)?, epids.clone());
        let names = || Named::new(usage, facts, &places, config, directory);
        let origin = |used: &Used| devices.of(used.key.device, &usage.names, &places);
        let (named, origins) = rayon::join(names, || facts.iter().map(origin).collect::<Vec<_>>());
        let Named { inside, outside, others, identities, people, recognised } = named;
        let stated = |names: &Vec<String>, kind: EntryKind| -> BTreeSet<PersonId> {
            let names = Patterns::new(names, &identities);
            let by_directory = |p| recognised.as_ref().is_some_and(|r| r.is(kind, &people, p));
            (0..people.len() as PersonId)
                .filter(|p| names.find(*p, &people, &identities).is_some() || by_directory(*p))
                .collect()
        };
        let excluded = Patterns::new(config.excludes.iter().map(|e| &e.principal), &identities);
        let declared = (0..people.len() as PersonId)
            .map(|person| excluded.find(person, &people, &identities))
            .collect();
        let mut ground = Ground {
            shared: stated(&config.identity.shared, EntryKind::Shared),
            service: stated(&config.identity.service, EntryKind::Service),
            external: stated(&config.identity.external, EntryKind::External),
            namesakes: Namesakes::new(&people, &identities),
            sip_domains: sip_domains(config, facts, &inside, &identities),
            ordinary: identities.forms().iter().map(Form::is_ordinary).collect(),
            seen: see(facts, (&inside, &others), &origins, &places, &people),
            computers: BTreeMap::new(),
            usage,
            facts,
            outside,
            config,
            places,
            packs,
            identities,
            people,
            recognised,
            devices,
            declared,
        };
        ground.seen = ground.fates(&Reading::default());
        ground.computers = computers(&ground.seen, &ground.people, &mut ground.devices);
        Ok(ground)
    }

    /// What the row rules look at under a reading.
    pub(super) fn bench(&self, reading: &Reading) -> Bench<'_> {
        Bench {
            config: self.config,
            places: &self.places,
            identities: &self.identities,
            people: &self.people,
            packs: &self.packs,
            ordinary: &self.ordinary,
            sip_domains: &self.sip_domains,
            external: &self.external,
            declared: if reading.declared_count { &[] } else { &self.declared },
            guests: reading.guests,
        }
    }

    fn fates(&self, reading: &Reading) -> Vec<Seen<'a>> {
        let bench = self.bench(reading);
        self.seen.par_iter().map(|s| Seen { fate: bench.fate(s), ..*s }).collect()
    }

    /// The facts with their fates under a reading.
    pub(super) fn seen(&self, reading: &Reading) -> Cow<'_, [Seen<'a>]> {
        let mut seen = Cow::Borrowed(&self.seen[..]);
        if reading.guests.is_some() || reading.declared_count {
            seen = Cow::Owned(self.fates(reading));
        }
        if reading.attending_is_free {
            let attends = |s: &Seen<'_>| s.used.key.service == Service::ConferenceJoin;
            seen.to_mut().retain(|s| !(attends(s) && s.fate == Fate::Person));
        }
        seen
    }
}
