//! `calproof.report/1`: the report as one JSON object.
//!
//! Keys stand in the order of the structs below, those that were added within the schema version
//! after the older ones. `schema/report.schema.json` describes the same.

mod beside;
mod enabled;
pub(crate) mod input;
mod licences;
mod replay;
mod sensitivity;
pub(crate) mod visible;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use self::visible::{OneLine, Visible};
use super::{day_text, instant, path_of};
use crate::census::{self, Census};
use crate::facts::Witness;

/// Name and version of the schema.
pub const SCHEMA: &str = "calproof.report/1";

/// Writes the report as JSON, indented by two blanks, with a line end.
///
/// Control characters, direction overrides and invisible characters of logged text stand as `\u`
/// escapes, so that the file can be looked at on a terminal.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn json(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    indented(&report(census), out)
}

/// A list of the report that evidence has as a file of its own, one entry a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// `people`.
    People,
    /// `excluded`.
    Excluded,
    /// `unresolved`.
    Unresolved,
}

/// Writes the entries of one list as JSON Lines, each as the report has it.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn part(census: &Census, part: Part, out: &mut dyn Write) -> io::Result<()> {
    let report = report(census);
    match part {
        Part::People => report.people.iter().try_for_each(|entry| line(entry, out)),
        Part::Excluded => report.excluded.iter().try_for_each(|entry| line(entry, out)),
        Part::Unresolved => report.unresolved.iter().try_for_each(|entry| line(entry, out)),
    }
}

/// Writes one value as a line of JSON, logged text as [`json`] has it.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, OneLine))?;
    out.write_all(b"\n")
}

/// Writes one value as indented JSON, logged text as [`json`] has it.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn indented(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    // Values are written in small pieces: so that each need not ask `out`, which is known at run time alone.
    let mut out = BufWriter::with_capacity(1 << 16, out);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Visible::default()))?;
    out.write_all(b"\n")?;
    out.flush()
}

#[derive(Serialize)]
struct Report<'c> {
    schema: &'static str,
    tool: Tool,
    rule_packs: Vec<Pack<'c>>,
    period: Period<'c>,
    requirements: Vec<Requirement<'c>>,
    servers: Vec<Server<'c>>,
    people: Vec<Person<'c>>,
    excluded: Vec<Excluded<'c>>,
    unresolved: Vec<Unresolved<'c>>,
    coverage: Vec<Coverage<'c>>,
    inputs: Vec<input::Input<'c>>,
    warnings: Vec<Warning<'c>>,
    organization: Option<&'c str>,
    probable_aliases: Vec<ProbableAliases<'c>>,
    multiplexers: Vec<beside::Multiplexer<'c>>,
    corroborated: Vec<beside::Corroborated<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<licences::Purchase<'c>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owned: Vec<licences::Owned<'c>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connectors: Vec<licences::Connectors<'c>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sensitivity: Vec<sensitivity::Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compare: Option<replay::Replay<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<enabled::Configuration<'c>>,
    suspected_shared: Vec<beside::SuspectedShared<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pseudonyms: Option<&'c str>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Pack<'c> {
    id: &'c str,
    version: &'c str,
    sha256: &'c str,
}

#[derive(Serialize)]
struct Period<'c> {
    from: Option<&'c str>,
    to: Option<&'c str>,
    first_event: Option<String>,
    last_event: Option<String>,
}

#[derive(Serialize)]
struct Requirement<'c> {
    product: &'static str,
    cal: &'static str,
    version: Option<&'c str>,
    users: Interval,
    devices: RequiredDevices,
    mix: Mix,
    reassignment: Reassignment,
    by_version: &'c BTreeMap<String, u64>,
    shared_devices: u64,
    machine_devices: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    demand_without_declared: Option<u64>,
    people_from_unidentified: u64,
    lower_without: Vec<Name<'c>>,
    upper_with: Vec<AddedName<'c>>,
}

#[derive(Serialize)]
struct Interval {
    lower: u64,
    demand: u64,
    upper: u64,
}

#[derive(Serialize)]
struct RequiredDevices {
    identified: u64,
    unidentified: u64,
    device_cals_suffice: bool,
}

#[derive(Serialize)]
struct Mix {
    user_cals: u64,
    device_cals: u64,
    total: u64,
}

#[derive(Serialize)]
struct Reassignment {
    distinct: u64,
    peak_90_days: u64,
    window: Option<Window>,
    floor: u64,
}

#[derive(Serialize)]
struct Window {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct Name<'c> {
    name: &'c str,
    reason: &'c str,
}

#[derive(Serialize)]
struct AddedName<'c> {
    name: &'c str,
    reason: &'c str,
    cals: u64,
}

#[derive(Serialize)]
struct Server<'c> {
    server: &'c str,
    users: u64,
    devices: Devices,
    services: Vec<Service>,
    listed: bool,
    product: Option<&'static str>,
    version: Option<&'c str>,
    per_server: Option<PerServer>,
}

/// Per-server licensing, which is history.
#[derive(Serialize)]
struct PerServer {
    sessions_at_most: u64,
    day: String,
}

#[derive(Serialize)]
struct Devices {
    identified: u64,
    unidentified: u64,
}

#[derive(Serialize)]
struct Service {
    service: &'static str,
    users: u64,
    events: u64,
}

#[derive(Serialize)]
struct Person<'c> {
    id: &'c str,
    names: &'c [String],
    products: Vec<&'static str>,
    servers: &'c [String],
    services: &'c [&'static str],
    devices: u64,
    events: u64,
    first: String,
    last: String,
    witness: Row<'c>,
    cals: Vec<PersonCal>,
    failed_events: u64,
    joins: Vec<Join<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_to_directory: Option<bool>,
    through: &'c [String],
}

#[derive(Serialize)]
struct PersonCal {
    product: &'static str,
    cal: &'static str,
}

#[derive(Serialize)]
struct Join<'c> {
    one: &'c str,
    other: &'c str,
    reason: &'c str,
}

#[derive(Serialize)]
struct Row<'c> {
    path: &'c str,
    line: u64,
    byte: u64,
}

#[derive(Serialize)]
struct Excluded<'c> {
    principal: &'c str,
    rule: &'static str,
    servers: &'c [String],
    events: u64,
    witness: Row<'c>,
    reason: &'c str,
    products: Vec<&'static str>,
}

#[derive(Serialize)]
struct Unresolved<'c> {
    what: &'c str,
    reason: &'static str,
    events: u64,
    witness: Row<'c>,
    servers: &'c [String],
}

#[derive(Serialize)]
struct Coverage<'c> {
    server: &'c str,
    format: &'static str,
    days: Vec<Day>,
    overlaps: Vec<Overlap<'c>>,
    repeats: Vec<&'c str>,
    clock_set_back: Vec<SetBack<'c>>,
}

#[derive(Serialize)]
struct Overlap<'c> {
    inputs: [&'c str; 2],
    from: String,
    to: String,
}

#[derive(Serialize)]
struct SetBack<'c> {
    path: &'c str,
    from_hour: String,
    to_hour: String,
}

#[derive(Serialize)]
struct Day {
    day: String,
    state: &'static str,
}

#[derive(Serialize)]
struct Warning<'c> {
    code: &'static str,
    path: &'c str,
    text: &'c str,
}

#[derive(Serialize)]
struct ProbableAliases<'c> {
    local_part: &'c str,
    ids: &'c [String],
    at_least: u64,
}

fn report(census: &Census) -> Report<'_> {
    let row = |witness| row(census, witness);
    let path = |i: u32| census.inputs.get(i as usize).map_or("", |input| input.path.as_str());
    Report {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        rule_packs: census
            .rule_packs
            .iter()
            .map(|p| Pack { id: &p.id, version: &p.version, sha256: &p.sha256 })
            .collect(),
        period: Period {
            from: census.from.as_deref(),
            to: census.to.as_deref(),
            first_event: census.events.map(|(first, _)| instant(first)),
            last_event: census.events.map(|(_, last)| instant(last)),
        },
        requirements: census.requirements.iter().map(requirement).collect(),
        servers: census.servers.iter().map(server).collect(),
        people: census
            .people
            .iter()
            .map(|p| Person {
                id: &p.id,
                names: &p.names,
                products: p.products.iter().map(|p| p.as_str()).collect(),
                servers: &p.servers,
                services: &p.services,
                devices: p.devices,
                events: p.events,
                first: instant(p.first),
                last: instant(p.last),
                witness: row(&p.witness),
                cals: p
                    .cals
                    .iter()
                    .map(|(product, cal)| PersonCal {
                        product: product.as_str(),
                        cal: cal.as_str(),
                    })
                    .collect(),
                failed_events: p.failed_events,
                joins: p
                    .joins
                    .iter()
                    .map(|(one, other, reason)| Join { one, other, reason })
                    .collect(),
                known_to_directory: p.known_to_directory,
                through: &p.through,
            })
            .collect(),
        excluded: census
            .excluded
            .iter()
            .map(|e| Excluded {
                principal: &e.principal,
                rule: e.rule,
                servers: &e.servers,
                events: e.events,
                witness: row(&e.witness),
                reason: &e.reason,
                products: e.products.iter().map(|p| p.as_str()).collect(),
            })
            .collect(),
        unresolved: census
            .unresolved
            .iter()
            .map(|u| Unresolved {
                what: &u.what,
                reason: u.reason,
                events: u.events,
                witness: row(&u.witness),
                servers: &u.servers,
            })
            .collect(),
        coverage: census
            .coverage
            .iter()
            .map(|c| Coverage {
                server: &c.server,
                format: c.format,
                days: c
                    .days
                    .iter()
                    .map(|(day, state)| Day { day: day_text(*day), state: state.as_str() })
                    .collect(),
                overlaps: c
                    .overlaps
                    .iter()
                    .map(|o| Overlap {
                        inputs: [path(o.inputs.0), path(o.inputs.1)],
                        from: day_text(o.days.0),
                        to: day_text(o.days.1),
                    })
                    .collect(),
                repeats: c.repeats.iter().map(|i| path(*i)).collect(),
                clock_set_back: c
                    .set_back
                    .iter()
                    .map(|(i, from, to)| SetBack {
                        path: path(*i),
                        from_hour: instant(from * 3_600_000),
                        to_hour: instant(to * 3_600_000),
                    })
                    .collect(),
            })
            .collect(),
        inputs: census.inputs.iter().map(input::input).collect(),
        warnings: census
            .warnings
            .iter()
            .map(|w| Warning { code: w.code, path: &w.path, text: &w.text })
            .collect(),
        organization: census.organization.as_deref(),
        probable_aliases: census
            .probable_aliases
            .iter()
            .map(|a| ProbableAliases {
                local_part: &a.local_part,
                ids: &a.ids,
                at_least: a.at_least,
            })
            .collect(),
        multiplexers: beside::multiplexers(census),
        corroborated: beside::corroborated(census),
        purchase: census.purchase.as_ref().map(|plan| licences::purchase(census, plan)),
        owned: census.owned.iter().map(licences::owned).collect(),
        connectors: census.connectors.iter().map(licences::connectors).collect(),
        sensitivity: census.sensitivity.iter().map(sensitivity::row).collect(),
        compare: census.replay.as_ref().map(replay::replay),
        configuration: census.enabled.as_ref().map(enabled::configuration),
        suspected_shared: beside::suspected_shared(census),
        pseudonyms: census.pseudonyms.as_deref(),
    }
}

fn row<'c>(census: &'c Census, witness: &Witness) -> Row<'c> {
    Row { path: path_of(census, witness), line: witness.line, byte: witness.byte }
}

fn requirement(r: &census::Requirement) -> Requirement<'_> {
    let reassignment = &r.reassignment;
    Requirement {
        product: r.product.as_str(),
        cal: r.cal.as_str(),
        version: r.version.as_deref(),
        users: Interval { lower: r.users.lower, demand: r.users.demand, upper: r.users.upper },
        devices: RequiredDevices {
            identified: r.devices_identified,
            unidentified: r.devices_unidentified,
            device_cals_suffice: r.device_cals_suffice,
        },
        mix: Mix {
            user_cals: r.mix.user_cals,
            device_cals: r.mix.device_cals,
            total: r.mix.user_cals + r.mix.device_cals,
        },
        reassignment: Reassignment {
            distinct: reassignment.distinct,
            peak_90_days: reassignment.peak_90_days,
            window: reassignment
                .window
                .map(|(from, to)| Window { from: day_text(from), to: day_text(to) }),
            floor: reassignment.floor,
        },
        by_version: &r.by_version,
        shared_devices: r.shared_devices,
        machine_devices: r.machine_devices,
        demand_without_declared: r.demand_without_declared,
        people_from_unidentified: r.people_from_unidentified,
        lower_without: r.lower_without.iter().map(|(name, reason)| Name { name, reason }).collect(),
        upper_with: r
            .upper_with
            .iter()
            .map(|(name, reason, cals)| AddedName { name, reason, cals: *cals })
            .collect(),
    }
}

fn server(s: &census::ServerUse) -> Server<'_> {
    Server {
        server: &s.server,
        users: s.users,
        devices: Devices { identified: s.devices_identified, unidentified: s.devices_unidentified },
        services: s
            .services
            .iter()
            .map(|s| Service { service: s.service, users: s.users, events: s.events })
            .collect(),
        listed: s.listed,
        product: s.product.map(|p| p.as_str()),
        version: s.version.as_deref(),
        per_server: s
            .busiest
            .map(|b| PerServer { sessions_at_most: b.pairs, day: super::day_text(b.day) }),
    }
}
