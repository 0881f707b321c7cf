//! The names that facts were logged under, as forms of the people.

use std::collections::BTreeSet;

use calproof_parsers::Marks;

use super::place::Places;
use super::standing::is_use;
use crate::config::Config;
use crate::facts::Key;
use crate::facts::names::Name;
use crate::facts::usage::{Usage, Used};
use crate::identity::{Context, FormId, Identities};

/// The form of the name that `name_of` takes of each fact.
pub(super) fn forms(
    facts: &[Used],
    usage: &Usage,
    places: &Places,
    config: &Config,
    identities: &mut Identities,
    name_of: impl Fn(&Key) -> Name,
) -> Vec<Option<FormId>> {
    let contexts: Vec<u32> = (0..usage.servers.len())
        .map(|server| {
            let listed = places.list[places.of[server]].listed.map(|i| &config.servers[i]);
            identities.context(&Context {
                encoding: listed.and_then(|s| s.encoding.clone()),
                default_domain: listed.and_then(|s| s.default_domain.clone()),
            })
        })
        .collect();
    let said = |f: &Used| (name_of(&f.key), contexts[f.key.server as usize]);
    // The context that each name is met in first, which mostly is the only one, and its form there.
    let mut met: Vec<Option<(u32, FormId)>> = vec![None; usage.names.len()];
    let mut distinct: Vec<(Name, u32)> = Vec::new();
    for (name, context) in facts.iter().map(said).filter(|(name, _)| *name != Name::NONE) {
        match &mut met[name.index()] {
            Some((known, _)) if *known == context => continue,
            Some(_) => {}
            first => *first = Some((context, 0)),
        }
        distinct.push((name, context));
    }
    distinct.sort_unstable();
    distinct.dedup();
    // In the order of the names, so that forms are numbered alike whatever order facts came in.
    distinct.sort_by(|a, b| (usage.names.get(a.0), a.1).cmp(&(usage.names.get(b.0), b.1)));
    for (name, context) in distinct {
        let form = identities.form(&usage.names, name, context);
        if let Some((_, known)) = met[name.index()].as_mut().filter(|(first, _)| *first == context)
        {
            *known = form;
        }
    }
    let form = |f: &Used| match said(f) {
        (Name::NONE, _) => None,
        (name, context) => match met[name.index()] {
            Some((first, form)) if first == context => Some(form),
            _ => identities.known(name, context),
        },
    };
    facts.iter().map(form).collect()
}

/// Own SIP domains: as stated, else those of accepted REGISTERs.
pub(super) fn sip_domains(
    config: &Config,
    facts: &[Used],
    forms: &[Option<FormId>],
    identities: &Identities,
) -> BTreeSet<String> {
    match &config.organization.sip_domains {
        Some(stated) => stated.iter().map(|d| d.to_lowercase()).collect(),
        None => facts
            .iter()
            .zip(forms)
            .filter(|(f, _)| f.key.marks.has(Marks::REGISTERED) && is_use(f.key.outcome))
            .filter_map(|(_, form)| Some(identities.get((*form)?).domain.clone()))
            .collect(),
    }
}
