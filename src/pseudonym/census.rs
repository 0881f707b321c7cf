//! The census without names: every field of it, mapped.

use std::collections::{BTreeMap, BTreeSet};

use super::input::report;
use super::key::Key;
use super::map::{A_DEVICE_OF, Map};
use super::names::{Clash, Pseudonyms};
use crate::census::{Census, Warning, of_multiplexers};
use crate::config::Config;
use crate::discover::Input;
use crate::facts::collector::Directive;
use crate::ingest::input::InputReport;

/// What is left of a run without its names.
pub struct Mapped<'k> {
    /// The census; lists that were sorted by name are sorted by pseudonym.
    pub census: Census,
    /// The inputs in the order of the mapped census, under mapped names; their files are the old ones.
    pub inputs: Vec<Input>,
    /// The directives of each input as they were read, in the order of the mapped census: for nothing
    /// but to tell which columns of a row hold secrets.
    pub directives: Vec<Vec<Directive>>,
    /// The pseudonyms.
    pub names: Pseudonyms<'k>,
}

/// Maps a census and its inputs; `inputs` are those of the census, in its order.
///
/// What only explanations read (`uses`, `joins`) is dropped.
///
/// # Errors
///
/// Two names have one pseudonym.
pub fn census<'k>(
    census: Census,
    inputs: &[Input],
    config: &Config,
    key: &'k Key,
) -> Result<Mapped<'k>, Clash> {
    let mut names = Pseudonyms::new(key);
    learn(&census, config, &mut names);
    let Census {
        organization,
        rule_packs,
        from,
        to,
        events,
        requirements,
        servers,
        people,
        excluded,
        unresolved,
        probable_aliases,
        coverage,
        inputs: reports,
        warnings,
        corroborated,
        multiplexers,
        suspected_shared,
        joins: _,
        uses: _,
        purchase,
        owned,
        connectors,
        sensitivity,
        replay,
        enabled,
        pseudonyms: _,
    } = census;

    // Inputs are sorted by path, which would tell the order of what the paths hide.
    let shown: Vec<String> = reports.iter().map(|input| names.path(&input.path)).collect();
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by(|a, b| shown[*a].cmp(&shown[*b]));
    let mut place = vec![0; order.len()];
    for (new, old) in (0_u32..).zip(&order) {
        place[*old] = new;
    }
    let directives = order.iter().map(|old| reports[*old].directives.clone()).collect();
    let mut sorted: Vec<(u32, InputReport)> =
        place.iter().copied().zip(reports.into_iter().map(|r| report(r, &mut names))).collect();
    sorted.sort_by_key(|(new, _)| *new);
    let reports = sorted.into_iter().map(|(_, report)| report).collect();
    let inputs = order
        .iter()
        .filter_map(|old| inputs.get(*old).map(|input| (old, input)))
        .map(|(old, input)| Input { display: shown[*old].clone(), ..input.clone() })
        .collect();

    let mut map = Map { names, place };
    let multiplexers = map.sorted(multiplexers, Map::multiplexer);
    let mut warnings: Vec<Warning> = warnings.into_iter().filter_map(|w| map.warning(w)).collect();
    warnings.extend(of_multiplexers(&multiplexers));
    warnings.sort();
    let census = Census {
        organization,
        rule_packs,
        from,
        to,
        events,
        requirements: requirements.into_iter().map(|r| map.requirement(r)).collect(),
        servers: map.sorted_by(servers, Map::server_use, |s| s.server.clone()),
        people: map.sorted_by(people, Map::person, |p| p.id.clone()),
        excluded: map.sorted_by(excluded, Map::excluded, |e| (e.principal.clone(), e.rule)),
        unresolved: map.sorted_by(unresolved, Map::unresolved, |u| (u.what.clone(), u.reason)),
        probable_aliases: map.sorted_by(probable_aliases, Map::aliases, |a| a.local_part.clone()),
        coverage: map.sorted_by(coverage, Map::coverage, |c| (c.server.clone(), c.format)),
        inputs: reports,
        warnings,
        corroborated: map.sorted(corroborated, Map::corroborated),
        multiplexers,
        suspected_shared: map.sorted(suspected_shared, Map::suspected),
        joins: BTreeMap::new(),
        uses: Vec::new(),
        purchase: purchase.map(|plan| map.purchase(plan)),
        owned: owned.into_iter().map(|row| map.owned(row)).collect(),
        connectors: connectors.into_iter().map(|plan| map.connectors(plan)).collect(),
        sensitivity,
        replay: replay.map(|replay| map.replay(replay)),
        enabled: enabled.map(|enabled| map.enabled(enabled)),
        pseudonyms: Some(key.id()),
    };
    map.names.check()?;
    Ok(Mapped { census, inputs, directives, names: map.names })
}

/// Notes who and what there is, and which servers keep their names.
fn learn(census: &Census, config: &Config, names: &mut Pseudonyms<'_>) {
    let people = census.people.iter().flat_map(|p| std::iter::once(&p.id).chain(&p.through));
    let excluded = census.excluded.iter().map(|e| &e.principal);
    let behind = census.multiplexers.iter().flat_map(|m| {
        std::iter::once(&m.account).chain(&m.people).chain(&m.unresolved).chain(&m.excluded)
    });
    let aliases = census.probable_aliases.iter().flat_map(|a| &a.ids);
    let mixes = || census.requirements.iter().map(|r| &r.mix);
    let users = mixes().flat_map(|m| &m.users);
    let pairs = mixes().flat_map(|m| &m.pairs).map(|p| &p.person);
    let external = census.connectors.iter().flat_map(|c| &c.user_cals);
    let open = census.unresolved.iter().map(|u| &u.what).filter(|what| what.contains(['\\', '@']));
    let ids = people.chain(excluded).chain(behind).chain(aliases);
    names.ids = ids.chain(users).chain(pairs).chain(external).chain(open).cloned().collect();
    names.ids.remove("-");
    let devices = mixes().flat_map(|m| &m.devices).filter(|d| !d.starts_with(A_DEVICE_OF));
    let pairs = mixes().flat_map(|m| &m.pairs).map(|p| &p.device);
    names.labels = devices.chain(pairs).cloned().collect();
    names.labels.remove("-");

    let ids: Vec<String> = names.ids.iter().cloned().collect();
    let spelled = census.people.iter().flat_map(|p| &p.names);
    let mailboxes = census.corroborated.iter().map(|c| &c.mailbox);
    let listed = census.replay.iter().flat_map(|r| &r.not_counted).map(|n| &n.account);
    let stated = [&config.identity.shared, &config.identity.external, &config.identity.service];
    let stated = stated.into_iter().flatten();
    let enabled = census.enabled.iter();
    let enabled: Vec<&String> = enabled
        .flat_map(|e| {
            let others = e.not_people.iter().map(|(name, _)| name);
            let open = e.open.iter().map(|(name, _)| name);
            e.accounts.iter().map(|a| &a.account).chain(others).chain(open)
        })
        .collect();
    for name in
        ids.iter().chain(spelled).chain(mailboxes).chain(listed).chain(stated).chain(enabled)
    {
        names.remember(name);
    }
    // A server that no log names is called after a folder, and a folder after anybody.
    let folders: BTreeSet<&str> =
        census.inputs.iter().flat_map(|i| i.path.split(['/', '!'])).collect();
    let all = census.servers.iter().map(|s| &s.server);
    let covered = census.coverage.iter().map(|c| &c.server);
    for server in all.chain(covered).chain(config.servers.iter().map(|s| &s.name)) {
        let lower = server.to_lowercase();
        let listed = config.servers.iter().any(|s| s.name.to_lowercase() == lower);
        let by_folder = folders.contains(server.as_str()) && !names.stands(server);
        if listed || !(names.mentions(server) || by_folder) {
            names.servers.insert(lower);
        }
    }
}
