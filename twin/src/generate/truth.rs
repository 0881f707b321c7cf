//! What was planted.

use std::collections::{BTreeMap, BTreeSet};

/// What is true of a fleet by construction, in the terms of [`crate::Tally`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Truth {
    /// Ids of everybody in the demand of some product.
    pub people: BTreeSet<String>,
    /// Product to the ids in its demand; `windows` holds everybody.
    pub products: BTreeMap<String, BTreeSet<String>>,
    /// Everybody left out: (principal, rule).
    pub excluded: BTreeSet<(String, String)>,
    /// Everything that no rule settles: (what, reason).
    pub unresolved: BTreeSet<(String, String)>,
    /// (product, id) to the devices that the person used: `id:…` identified, `at:…` not.
    pub devices: BTreeMap<(String, String), BTreeSet<String>>,
    /// Product to the machine accounts that nobody sat at.
    pub machines: BTreeMap<String, BTreeSet<String>>,
    /// (id, service) to served events.
    pub events: BTreeMap<(String, String), u64>,
    /// Id to the first and last served event of some people, milliseconds since 1970.
    pub spans: BTreeMap<String, (i64, i64)>,
    /// Path to the format that its bytes have.
    pub formats: BTreeMap<String, String>,
    /// Path to the number of lines that cannot be read.
    pub rejected: BTreeMap<String, u64>,
}

impl Truth {
    /// Somebody in demand used a service, from a device if one shows.
    pub(super) fn used(&mut self, product: &str, id: &str, service: &str, device: Option<String>) {
        self.products.entry(product.to_string()).or_default().insert(id.to_string());
        *self.events.entry((id.to_string(), service.to_string())).or_default() += 1;
        let devices = self.devices.entry((product.to_string(), id.to_string())).or_default();
        devices.extend(device);
    }

    pub(super) fn left_out(&mut self, principal: &str, rule: &str) {
        self.excluded.insert((principal.to_string(), rule.to_string()));
    }

    pub(super) fn in_doubt(&mut self, what: &str, reason: &str) {
        self.unresolved.insert((what.to_string(), reason.to_string()));
    }

    /// Draws the conclusions: everybody, and what all of them need.
    pub(super) fn settle(&mut self) {
        self.people = self.products.values().flatten().cloned().collect();
        self.products.insert("windows".to_string(), self.people.clone());
        let all = self.machines.values().flatten().cloned().collect();
        self.machines.insert("windows".to_string(), all);
    }

    /// Identified and unidentified devices of a product, machine accounts included.
    pub fn device_counts(&self, product: &str) -> (usize, usize) {
        let devices: BTreeSet<&String> = self
            .devices
            .iter()
            .filter(|((p, _), _)| product == "windows" || p == product)
            .flat_map(|(_, devices)| devices)
            .collect();
        let identified = devices.iter().filter(|d| d.starts_with("id:")).count();
        let machines = self.machines.get(product).map_or(0, |m| m.len());
        (identified + machines, devices.len() - identified)
    }
}
