//! What becomes of one fact: the row rules of the exclusion ledger, first match wins.
//!
//! `counting.md` section 3, from `licensed-server` down to `declared`, and `anonymous-internet`.
//! Rules that look at a whole person stand in [`standing`](super::standing).

use std::collections::BTreeSet;

use calproof_parsers::{Client, Marks, Service};

use super::packs::Packs;
use super::place::{Places, is_listed};
use super::seen::Seen;
use super::standing::is_use;
use crate::config::Config;
use crate::facts::Key;
use crate::identity::principal::{Form, Kind};
use crate::identity::{FormId, Identities, People, PersonId};
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
    pub(super) sip_domains: &'a BTreeSet<String>,
    /// External users, by configuration or directory.
    pub(super) external: &'a BTreeSet<PersonId>,
    /// The rule packs.
    pub(super) packs: &'a Packs<'a>,
    /// Of each form, whether it is no computer, no probe and no account of a system.
    pub(super) ordinary: &'a [bool],
    /// Of each person, the statement that leaves it out; empty where none is looked at.
    pub(super) declared: &'a [Option<usize>],
    /// What becomes of guests, where the rule packs have no say.
    pub(super) guests: Option<Effect>,
}

impl Bench<'_> {
    /// The fate of a fact.
    pub(super) fn fate(&self, s: &Seen<'_>) -> Fate {
        let fate = match (s.form, s.person) {
            (Some(form), Some(person)) => {
                self.somebody(&s.used.key, (form, person), s.product, s.place)
            }
            _ => self.nobody(&s.used.key, s.product, s.place),
        };
        match fate {
            // A listed server's address as client makes a back-end row: it repeats a front-end row.
            Fate::Unresolved(reason)
                if s.form.is_none() && s.from_server && reason.starts_with("anonymous") =>
            {
                Fate::Unresolved("back-end-anonymous")
            }
            fate => fate,
        }
    }

    fn pack(&self, product: Product, place: usize) -> &RulePack {
        self.packs.of(product, self.places.list[place].version(product))
    }

    /// The fate of a fact that names somebody, by that name, at a place.
    pub(super) fn somebody(
        &self,
        key: &Key,
        (form, person): (FormId, PersonId),
        product: Product,
        place: usize,
    ) -> Fate {
        if key.marks.has(Marks::SERVER_TO_SERVER) {
            return Fate::Excluded(rule::LICENSED_SERVER);
        }
        let ordinary = self.ordinary[form as usize];
        let form = self.identities.get(form);
        if !ordinary && let Some(fate) = self.of_system(key, form) {
            return fate;
        }
        if self.is_federated(key, form) {
            return Fate::Excluded(rule::FEDERATED);
        }
        if key.marks.has(Marks::GUEST) {
            return self.guest(product, place);
        }
        if !ordinary && form.is_computer() && is_use(key.outcome) {
            return Fate::Machine;
        }
        if self.external.contains(&person) {
            let listed = self.places.list[place].listed;
            if listed.is_some_and(|i| self.config.servers[i].external_connector) {
                return Fate::Excluded(rule::EXTERNAL_CONNECTOR);
            }
            if product != Product::Windows
                && self
                    .pack(product, place)
                    .exemption(Exclusion::ExternalLicensedWithServer)
                    .is_some()
            {
                return Fate::Excluded(rule::EXTERNAL_LICENSED);
            }
        }
        match self.declared.get(person as usize) {
            Some(Some(n)) => Fate::Declared(*n),
            _ => Fate::Person,
        }
    }

    /// The fate of a fact that names a computer, a probe or an account of a system, where that alone
    /// decides.
    fn of_system(&self, key: &Key, form: &Form) -> Option<Fate> {
        let probe_agent = key.marks.has(Marks::PROBE_AGENT);
        if form.is_operating_system() || (form.is_computer() && self.is_server(key, form)) {
            return Some(Fate::Excluded(rule::LICENSED_SERVER));
        }
        if form.is_probe() || (form.is_computer() && probe_agent) {
            return Some(Fate::Excluded(rule::MONITORING_PROBE));
        }
        if form.is_computer() && key.client == Client::Loopback {
            // The server under its own account, from its own address.
            return Some(Fate::Excluded(rule::LICENSED_SERVER));
        }
        form.is_system_mailbox().then_some(Fate::Excluded(rule::SYSTEM_MAILBOX))
    }

    /// A computer account is a server's where the server is listed, or where the row says that one server acts for another.
    fn is_server(&self, key: &Key, form: &Form) -> bool {
        // Only a server's account acts for others.
        key.marks.has(Marks::PROXYING_SERVER)
            || key.marks.has(Marks::IMPERSONATION)
            || is_listed(form.local.trim_end_matches('$'), self.config)
    }

    fn guest(&self, product: Product, place: usize) -> Fate {
        let by_pack = || self.pack(product, place).exemption(Exclusion::Guest).map(|e| e.effect);
        match self.guests.or_else(by_pack) {
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
    fn nobody(&self, key: &Key, product: Product, place: usize) -> Fate {
        if key.marks.has(Marks::GUEST) {
            return self.guest(product, place);
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
