mod licences;
mod replay;
mod sensitivity;

use std::path::{Path, PathBuf};

use super::*;
use crate::config::Config;
use crate::discover::discover;
use crate::facts::usage::Period;
use crate::ingest::{Quiet, Reading, ingest};
use crate::rules::RulePack;

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)
}

fn census(paths: &[PathBuf], config: &Config) -> Census {
    try_census(paths, config).unwrap()
}

fn try_census(paths: &[PathBuf], config: &Config) -> Result<Census, CensusError> {
    taken(paths, config, &Comparisons::default())
}

/// The census with its sensitivity table.
fn compared(paths: &[PathBuf], config: &Config) -> Census {
    taken(paths, config, &Comparisons { sensitivity: true, ..Comparisons::default() }).unwrap()
}

fn taken(
    paths: &[PathBuf],
    config: &Config,
    wanted: &Comparisons<'_>,
) -> Result<Census, CensusError> {
    let found = discover(paths);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    let read = ingest(&found.inputs, &Reading::default(), &Quiet);
    let packs = RulePack::builtin().unwrap();
    let (period, scope) = (Period::default(), Reading::default().scope);
    let question = Question {
        config,
        packs: &packs,
        period: &period,
        scope: &scope,
        directory: None,
        detail: Detail::Full,
    };
    take_and_compare(read.usage, read.inputs, &question, wanted)
}

fn of(census: &Census, product: Product) -> &Requirement {
    census.requirements.iter().find(|r| r.product == product && r.cal == Cal::Standard).unwrap()
}

fn left_out(census: &Census) -> Vec<(&str, &str, u64)> {
    census.excluded.iter().map(|e| (e.principal.as_str(), e.rule, e.events)).collect()
}

#[test]
fn the_worked_example_gives_the_numbers_of_the_rules() {
    let config = Config::load(&sample("worked-example/calproof.toml")).unwrap();
    let census = census(&[sample("worked-example/logs")], &config);
    let ids: Vec<&str> = census.people.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(
        ids,
        ["contoso\\adm3", "contoso\\anna", "contoso\\ben", "contoso\\cem", "contoso\\dora"]
    );
    let exchange = of(&census, Product::Exchange);
    assert_eq!((exchange.users.lower, exchange.users.demand), (5, 5));
    assert_eq!(exchange.version.as_deref(), Some("2010"));
    assert_eq!((exchange.mix.user_cals, exchange.mix.device_cals), (2, 1));
    assert_eq!(exchange.mix.devices, ["inventory:kiosk1"]);
    assert_eq!(exchange.mix.users, ["contoso\\adm3", "contoso\\anna"]);
    assert_eq!(exchange.mix.proof.len(), 3);
    assert!(!exchange.device_cals_suffice);
    assert_eq!(exchange.reassignment.peak_90_days, 5);
    assert_eq!(exchange.reassignment.floor, 3);
    assert_eq!(of(&census, Product::Windows).users.demand, 5);
    assert_eq!(
        left_out(&census),
        [
            ("-", "anonymous-internet", 1),
            ("contoso\\adm1", "administration", 9),
            ("contoso\\adm2", "administration", 5),
            ("contoso\\healthmailbox1234567", "monitoring-probe", 3),
            ("contoso\\mallory", "failed-logon", 1),
        ]
    );
    assert!(census.unresolved.is_empty(), "{:?}", census.unresolved);
    let server = &census.servers[0];
    assert_eq!((server.server.as_str(), server.users), ("EX01", 5));
    assert_eq!((server.devices_identified, server.devices_unidentified), (2, 2));
}

#[test]
fn without_the_realm_anna_may_be_two_people() {
    let mut config = Config::load(&sample("worked-example/calproof.toml")).unwrap();
    config.organization.realms.clear();
    let census = census(&[sample("worked-example/logs")], &config);
    let exchange = of(&census, Product::Exchange);
    assert_eq!((exchange.users.lower, exchange.users.demand), (5, 6));
    assert_eq!(census.probable_aliases.len(), 1);
    assert_eq!(census.probable_aliases[0].ids, ["anna@contoso.com", "contoso\\anna"]);
}
