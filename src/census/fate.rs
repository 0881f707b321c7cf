//! What becomes of one fact: the row rules of the exclusion ledger, first match wins.
//!
//! `counting.md` section 3, from `licensed-server` down to `declared`, and `anonymous-internet`.
//! Rules that look at a whole person stand in [`standing`](super::standing).

use std::collections::BTreeSet;

use calproof_parsers::{Client, Marks, Outcome, Service};

use super::pattern::Patterns;
use super::place::{Places, is_listed};
use crate::config::Config;
use crate::facts::Key;
use crate::identity::principal::{Form, Kind};
use crate::identity::{Identities, People, PersonId};
use crate::rules::{Effect, Exclusion, Product, RulePack};

/// Ids of the rules of the exclusion ledger.
pub(super) mod rule {
    #![allow(missing_docs, reason = "each is described where the report explains it")]
    pub(in crate::census) const OUTSIDE_PERIOD: &str = "outside-period";
    pub(in crate::census) const LICENSED_SERVER: &str = "licensed-server";
    pub(in crate::census) const MONITORING_PROBE: &str = "monitoring-probe";
    pub(in crate::census) const SYSTEM_MAILBOX: &str = "system-mailbox";
    pub(in crate::census) const FEDERATED: &str = "federated";
    pub(in crate::census) const GUEST: &str = "guest";
    pub(in crate::census) const EXTERNAL_CONNECTOR: &str = "external-connector";
    pub(in crate::census) const EXTERNAL_LICENSED: &str = "external-licensed-with-server";
    pub(in crate::census) const DECLARED: &str = "declared";
    pub(in crate::census) const FAILED_LOGON: &str = "failed-logon";
    pub(in crate::census) const NEVER_SERVED: &str = "never-served";
    pub(in crate::census) const ADMINISTRATION: &str = "administration";
    pub(in crate::census) const ANONYMOUS_INTERNET: &str = "anonymous-internet";
}

/// What becomes of a fact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// Belongs to a person, who is judged as a whole.
    Person,
    /// Belongs to a computer that is no listed server: a device.
    Machine,
    /// Left out by a rule of the ledger.
    Excluded(&'static str),
    /// Left out by the user's own statement, the n-th.
    Declared(usize),
    /// Settled by no rule.
    Unresolved(&'static str),
}

/// What the rules look at, beside the fact.
pub(super) struct Bench<'a> {
    /// The configuration.
    pub(super) config: &'a Config,
    /// The servers.
    pub(super) places: &'a Places,
    /// The names.
    pub(super) identities: &'a Identities,
    /// The people.
    pub(super) people: &'a People,
    /// Own SIP domains, lower case: stated, else those of accepted REGISTERs.
    pub(super) sip_domains: BTreeSet<String>,
    /// External users, by configuration or directory.
    pub(super) external: BTreeSet<PersonId>,
    /// Stated exclusions.
    pub(super) declared: Patterns,
    /// What becomes of guests, where the rule packs have no say.
    pub(super) guests: Option<Effect>,
}

impl Bench<'_> {
    /// The fate of a fact that names somebody.
    pub(super) fn somebody(
        &self,
        key: &Key,
        form: &Form,
        person: PersonId,
        product: Product,
        pack: &RulePack,
    ) -> Fate {
        let probe_agent = key.marks.has(Marks::PROBE_AGENT);
        let served =
            matches!(key.outcome, Outcome::Served | Outcome::Asserted | Outcome::Continued);
        if form.is_operating_system()
            || key.marks.has(Marks::SERVER_TO_SERVER)
            || (form.is_computer() && self.is_server(key, form))
        {
            return Fate::Excluded(rule::LICENSED_SERVER);
        }
        if form.is_probe() || (form.is_computer() && probe_agent) {
            return Fate::Excluded(rule::MONITORING_PROBE);
        }
        if form.is_computer() && key.client == Client::Loopback {
            // The server under its own account, from its own address.
            return Fate::Excluded(rule::LICENSED_SERVER);
        }
        if form.is_system_mailbox() {
            return Fate::Excluded(rule::SYSTEM_MAILBOX);
        }
        if self.is_federated(key, form) {
            return Fate::Excluded(rule::FEDERATED);
        }
        if key.marks.has(Marks::GUEST) {
            return self.guest(pack);
        }
        if form.is_computer() && served {
            return Fate::Machine;
        }
        if self.external.contains(&person) {
            let place = &self.places.list[self.places.of[key.server as usize]];
            if place.listed.is_some_and(|i| self.config.servers[i].external_connector) {
                return Fate::Excluded(rule::EXTERNAL_CONNECTOR);
            }
            if product != Product::Windows
                && pack.exemption(Exclusion::ExternalLicensedWithServer).is_some()
            {
                return Fate::Excluded(rule::EXTERNAL_LICENSED);
            }
        }
        if let Some(n) = self.declared.find(person, self.people, self.identities) {
            return Fate::Declared(n);
        }
        Fate::Person
    }

    /// A computer account is a server's where the server is listed, or where the row says that one server acts for another.
    fn is_server(&self, key: &Key, form: &Form) -> bool {
        // Only a server's account acts for others.
        key.marks.has(Marks::PROXYING_SERVER)
            || key.marks.has(Marks::IMPERSONATION)
            || is_listed(form.local.trim_end_matches('$'), self.config)
    }

    fn guest(&self, pack: &RulePack) -> Fate {
        match self.guests.or_else(|| pack.exemption(Exclusion::Guest).map(|e| e.effect)) {
            Some(Effect::Excluded) => Fate::Excluded(rule::GUEST),
            _ => Fate::Unresolved("guest"),
        }
    }

    /// SIP parties that the row marks, or with a domain that is not the organisation's. A name that
    /// Windows authenticated (any other log) is never federated, nor is an accepted REGISTER.
    fn is_federated(&self, key: &Key, form: &Form) -> bool {
        let sip = matches!(
            key.service,
            Service::Sip
                | Service::Im
                | Service::Voice
                | Service::ConferenceCreate
                | Service::ConferenceJoin
        ) && form.kind == Kind::Upn
            && form
                .spelled
                .iter()
                .any(|s| s.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("sip:")));
        if key.marks.has(Marks::REGISTERED) || key.marks.has(Marks::OWN_REMOTE) {
            return false;
        }
        key.marks.has(Marks::FEDERATED)
            || (sip && !key.marks.has(Marks::GUEST) && !self.sip_domains.contains(&form.domain))
    }

    /// The fate of a fact that names nobody.
    pub(super) fn nobody(&self, key: &Key, pack: &RulePack) -> Fate {
        if key.marks.has(Marks::GUEST) {
            return self.guest(pack);
        }
        if key.marks.has(Marks::FEDERATED) {
            return Fate::Excluded(rule::FEDERATED);
        }
        if key.client == Client::Loopback || key.marks.has(Marks::SERVER_TO_SERVER) {
            return Fate::Excluded(rule::LICENSED_SERVER);
        }
        if key.marks.has(Marks::PROBE_AGENT) {
            return Fate::Excluded(rule::MONITORING_PROBE);
        }
        if key.marks.has(Marks::BACK_END) {
            return Fate::Unresolved("back-end-anonymous");
        }
        if key.marks.has(Marks::DEVICE_ID) {
            return Fate::Unresolved("anonymous-device");
        }
        if key.marks.has(Marks::SESSION_SERVICE) {
            return Fate::Unresolved("anonymous-session");
        }
        match key.client {
            Client::Outside => Fate::Excluded(rule::ANONYMOUS_INTERNET),
            Client::Inside => Fate::Unresolved("anonymous-internal"),
            Client::Proxy => Fate::Unresolved("anonymous-proxy"),
            Client::Loopback | Client::Unknown => Fate::Unresolved("anonymous-unknown"),
        }
    }
}

/// The product that a service belongs to; a plain web page belongs to the server's.
pub(super) fn product_of(key: &Key, stated: Option<Product>) -> Product {
    if key.marks.has(Marks::WINDOWS_ROLE) {
        return Product::Windows;
    }
    match key.service {
        Service::Autodiscover | Service::Powershell if stated == Some(Product::Ocs) => Product::Ocs,
        Service::Owa
        | Service::Eas
        | Service::Ews
        | Service::OutlookAnywhere
        | Service::Mapi
        | Service::Pop3
        | Service::Imap4
        | Service::Smtp
        | Service::Autodiscover
        | Service::Oab
        | Service::Ecp
        | Service::Powershell
        | Service::Webdav
        | Service::Exadmin
        | Service::Oma
        | Service::OutlookRpc
        | Service::Um => Product::Exchange,
        Service::Sip
        | Service::Im
        | Service::Voice
        | Service::ConferenceCreate
        | Service::ConferenceJoin
        | Service::Cwa
        | Service::Mobility
        | Service::Admin => Product::Ocs,
        Service::Sharepoint => Product::Sharepoint,
        Service::Web => stated.unwrap_or(Product::Windows),
    }
}
