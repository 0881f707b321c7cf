//! SIP exchanges, united over all inputs, become facts.
//!
//! A request may stand in one file and its answer in the next, and the same message is logged in
//! and out and by every hop. So nothing is decided before everything is united.

use std::collections::BTreeMap;

use calproof_parsers::sip::{Decided, Exchange, ExchangeKey, Row};
use calproof_parsers::time::DAY_MS;
use calproof_parsers::{Access, Marks, Proof, Scope, Service};

use crate::facts::days::Days;
use crate::facts::usage::{Period, Usage};
use crate::facts::{Device, Key, Server, Sightings, Witness};
use crate::ingest::input::InputReport;
use crate::rules::Feature;

/// Decides every exchange and adds the facts it shows. Returns the SIP instance of each endpoint id
/// that an accepted REGISTER shows beside it.
pub(super) fn decide(
    usage: &mut Usage,
    period: &Period,
    scope: &Scope,
    inputs: &[InputReport],
) -> BTreeMap<String, String> {
    let mut instances = BTreeMap::new();
    let exchanges: BTreeMap<ExchangeKey, Exchange> = std::mem::take(&mut usage.exchanges);
    for (key, exchange) in &exchanges {
        for shown in exchange.decide(key, scope) {
            match shown {
                Decided::Access { row, access, vouched_by } => {
                    let folder = inputs.get(row.input as usize).map_or("", |i| i.folder.as_str());
                    add(usage, period, row, &access, vouched_by, folder);
                }
                Decided::SameName { row, one, other, proof } => {
                    alias(usage, row, one, other, proof);
                }
                Decided::SameDevice { epid, instance, .. } => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
                    // Of several instances the least, so that the order of reading does not show.
                    let instance = text(instance);
                    let least = instances.entry(text(epid)).or_insert_with(|| instance.clone());
                    *least = instance.min(least.clone());
                }
            }
        }
    }
    instances
}

fn witness(row: Row) -> Witness {
    Witness { instant: row.instant, input: row.input, byte: row.byte, line: row.line }
}

fn add(
    usage: &mut Usage,
    period: &Period,
    row: Row,
    access: &Access<'_>,
    vouched_by: &[u8],
    folder: &str,
) {
    let names = &mut usage.names;
    let server = Server {
        name: names.intern(access.server.name),
        address: names.intern(access.server.address),
        target: names.intern(access.server.target),
        folder: names.intern(folder.as_bytes()),
        software: access.server.software,
    };
    let device = Device::of(&access.device, names);
    let (principal, acted_for) = (names.intern(access.principal), names.intern(vouched_by));
    let day = row.instant.div_euclid(DAY_MS) as i32;
    let key = Key {
        server: usage.server(server),
        service: access.service,
        outcome: access.outcome,
        principal,
        // The server that vouches for an asserted principal.
        acted_for,
        device,
        client: access.client,
        marks: access.marks,
    };
    usage.add(period.has(day), key, Sightings::once(witness(row)), Days::one(day));
}

fn alias(usage: &mut Usage, row: Row, one: &[u8], other: &[u8], proof: Proof) {
    let (one, other) = (one.min(other), one.max(other));
    let alias = (usage.names.intern(one), usage.names.intern(other), proof);
    usage.alias(alias, witness(row));
}

/// The feature that a use shows beside its service. A parser says `voice` only of calls that reach the
/// telephone network.
pub(super) fn feature(key: &Key) -> Option<Feature> {
    match key.service {
        Service::Voice => Some(Feature::PstnCall),
        Service::ConferenceCreate if key.marks.has(Marks::CONFERENCE_MEDIA) => {
            Some(Feature::ConferenceMedia)
        }
        _ => None,
    }
}
