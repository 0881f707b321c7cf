//! What a whole exchange shows.

use super::agent::{self, Agent};
use super::exchange::{Answer, Exchange, ExchangeKey, Shown};
use super::{Method, Modalities, Row};
use crate::event::{
    Access, Client, DeviceEvidence, Marks, Outcome, Proof, ServerEvidence, Software,
};
use crate::format::Scope;
use crate::http;
use crate::service::Service;

/// Something that an exchange shows, and the record that proves it.
#[derive(Clone, Copy, Debug)]
pub enum Decided<'a> {
    /// Somebody reached a service.
    Access {
        /// The answer that proves it.
        row: Row,
        /// Who reached what, from where.
        access: Access<'a>,
        /// Host name of the server that vouches for the principal; empty where the outcome is not
        /// [`Outcome::Asserted`], or where no server does. Only an own server's word counts.
        vouched_by: &'a [u8],
    },
    /// Two names belong to one person.
    SameName {
        /// The answer that proves it.
        row: Row,
        /// The SIP address.
        one: &'a [u8],
        /// `DOMAIN\user`, or a UPN.
        other: &'a [u8],
        /// How.
        proof: Proof,
    },
    /// An `epid` and a `+sip.instance` belong to one device; rows with only the `epid` are its too.
    SameDevice {
        /// The answer that proves it.
        row: Row,
        /// In lower case.
        epid: &'a [u8],
        /// In lower case.
        instance: &'a [u8],
    },
}

impl Exchange {
    /// What the exchange shows, once all of its messages are united: nothing, or one access with
    /// what it proves about names and devices. Called parties are never among it.
    ///
    /// - A 2xx to a REGISTER, signed for an account (`Authentication-Info` NTLM, Kerberos or
    ///   TLS-DSK): *served*, [`Marks::REGISTERED`]. A sign-out (`Expires: 0`) shows nothing.
    /// - A 2xx to another method whose request carries such credentials: *served*.
    /// - A 2xx without them: *asserted* by the server that the request came from, or by nobody.
    ///   Only for methods that a user agent begins with; a NOTIFY names whom it is about.
    /// - Digest, or `@anonymous.invalid`: [`Marks::GUEST`].
    /// - No 2xx: *failed*, where a REGISTER is answered 403 or 404, or where credentials with a
    ///   proof are answered 401 or 407. A first leg without credentials is no failure; a later leg
    ///   is another exchange.
    ///
    /// `scope` says which addresses are inside.
    pub fn decide<'a>(&'a self, key: &ExchangeKey, scope: &Scope) -> Vec<Decided<'a>> {
        let mut shown = Vec::new();
        if self.shown.has(Shown::SIGN_OUT) {
            return shown;
        }
        let verdict = match &self.accepted {
            Some(accepted) => self.accepted(accepted, key.method),
            None => self.failed(key.method),
        };
        let Some(verdict) = verdict else { return shown };
        let row = verdict.answer.row;
        shown.push(Decided::Access {
            row,
            access: self.access(&verdict, key.method, scope),
            vouched_by: match verdict.outcome {
                Outcome::Asserted => self.vouched_by.as_deref().unwrap_or_default(),
                _ => b"",
            },
        });
        if verdict.marks.has(Marks::REGISTERED) {
            if let Some(account) = &self.account {
                let one = verdict.principal;
                shown.push(Decided::SameName {
                    row,
                    one,
                    other: account,
                    proof: Proof::NtlmMessage,
                });
            }
            if let (Some((_, epid)), Some((_, instance))) = (&self.epid, &self.instance) {
                shown.push(Decided::SameDevice { row, epid, instance });
            }
        }
        shown
    }

    fn from(&self) -> &[u8] {
        self.from.as_ref().map_or(b"", |(_, from)| from)
    }

    fn agent(&self) -> &[u8] {
        self.agent.as_ref().map_or(b"", |(_, agent)| agent)
    }

    fn accepted<'a>(&'a self, accepted: &'a Answer, method: Method) -> Option<Verdict<'a>> {
        let verdict =
            |answer, outcome, principal, marks| Some(Verdict { answer, outcome, principal, marks });
        let from = self.from();
        let credentials = self.shown.has(Shown::CREDENTIALS);
        let digest = self.shown.has(Shown::DIGEST) && !credentials;
        if from.is_empty() {
            return None;
        }
        if digest || self.shown.has(Shown::ANONYMOUS) {
            let outcome =
                if self.shown.has(Shown::DIGEST) { Outcome::Served } else { Outcome::Asserted };
            return verdict(accepted, outcome, from, Marks::GUEST);
        }
        if method == Method::Register {
            if let Some(signed) = &self.signed {
                // An own registrar took the credentials: never federated, whatever an edge says.
                let marks = self.marks().without(Marks::FEDERATED) | Marks::REGISTERED;
                return verdict(signed, Outcome::Served, from, marks);
            }
        } else if credentials {
            return verdict(accepted, Outcome::Served, from, self.marks());
        }
        let told = Shown::INCOMING | Shown::CREDENTIALS | Shown::SIGNED | Shown::FEDERATED;
        if !begins_something(method) || !self.shown.has_any(told) {
            return None;
        }
        if self.shown.has(Shown::TELEPHONE) {
            // A caller from the telephone network.
            return verdict(accepted, Outcome::Asserted, from, self.marks() | Marks::FEDERATED);
        }
        let from_server = self.vouched_by.is_some() && !credentials;
        let is_server = agent::of(self.agent()) == Agent::Server;
        if from_server && (is_server || self.shown.has(Shown::APPLICATION)) {
            let marks = self.marks() | Marks::SERVER_TO_SERVER;
            return verdict(accepted, Outcome::Asserted, b"", marks);
        }
        let principal = self.identity.as_deref().unwrap_or(from);
        verdict(accepted, Outcome::Asserted, principal, self.marks())
    }

    fn failed(&self, method: Method) -> Option<Verdict<'_>> {
        let answer = match (&self.turned_away, &self.challenged) {
            (Some(answer), _) if method == Method::Register => answer,
            (_, Some(answer)) if self.shown.has(Shown::PROOF) => answer,
            _ => return None,
        };
        let principal = self.from();
        let outcome = Outcome::Failed;
        let marks = self.marks();
        (!principal.is_empty()).then_some(Verdict { answer, outcome, principal, marks })
    }

    /// What edges and the agent say of the sender.
    fn marks(&self) -> Marks {
        let mut marks = Marks::NONE;
        if self.modalities.has(Modalities::BEYOND_CHAT) {
            marks |= Marks::CONFERENCE_MEDIA;
        }
        if self.shown.has(Shown::FEDERATED) {
            marks |= Marks::FEDERATED;
        } else if self.shown.has(Shown::OWN_REMOTE) {
            marks |= Marks::OWN_REMOTE;
        }
        if agent::is_synthetic(self.agent()) {
            marks |= Marks::PROBE_AGENT;
        }
        marks
    }

    fn access<'a>(&'a self, verdict: &Verdict<'a>, method: Method, scope: &Scope) -> Access<'a> {
        let address = self.client.as_deref().unwrap_or_default();
        let client = if self.shown.has(Shown::OWN_REMOTE) {
            Client::Outside
        } else {
            http::client_of(address, b"", scope)
        };
        // Web access and mobility make an endpoint of their own for each session: no device.
        let by_proxy =
            verdict.outcome == Outcome::Asserted && agent::of(self.agent()) != Agent::Client;
        let device = match (&self.instance, &self.epid) {
            _ if by_proxy => DeviceEvidence::None,
            (Some((_, instance)), _) => DeviceEvidence::SipInstance(instance),
            (_, Some((_, epid))) => DeviceEvidence::Epid(epid),
            _ if !address.is_empty() => DeviceEvidence::Address { address, agent: self.agent() },
            _ => DeviceEvidence::None,
        };
        Access {
            server: ServerEvidence {
                name: &verdict.answer.machine,
                address: b"",
                target: self.target.as_ref().map_or(b"", |(_, target)| target),
                software: self.software.map_or(Software::Unknown, |(a, b)| Software::Rtc(a, b)),
            },
            service: self.service(verdict, method),
            outcome: verdict.outcome,
            principal: verdict.principal,
            acted_for: b"",
            device,
            client,
            marks: verdict.marks,
        }
    }

    /// Peer-to-peer audio, video and sharing are the same use as a sign-in.
    fn service(&self, verdict: &Verdict<'_>, method: Method) -> Service {
        let about = |what: Modalities| self.modalities.has(what);
        let service = match method {
            Method::Invite if about(Modalities::CONFERENCE_JOIN) => Service::ConferenceJoin,
            Method::Invite if about(Modalities::TELEPHONE) => Service::Voice,
            Method::Invite if self.shown.has(Shown::TELEPHONE) => Service::Voice,
            Method::Invite if about(Modalities::IM) => Service::Im,
            Method::Message => Service::Im,
            Method::Service
                if about(Modalities::CONFERENCE_CREATE) && !about(Modalities::COMMAND_FAILED) =>
            {
                Service::ConferenceCreate
            }
            _ => Service::Sip,
        };
        match (service, agent::of(self.agent())) {
            (Service::Sip | Service::Im, Agent::WebAccess)
                if verdict.outcome == Outcome::Asserted =>
            {
                Service::Cwa
            }
            (Service::Sip | Service::Im, Agent::Mobility)
                if verdict.outcome == Outcome::Asserted =>
            {
                Service::Mobility
            }
            _ => service,
        }
    }
}

struct Verdict<'a> {
    answer: &'a Answer,
    outcome: Outcome,
    principal: &'a [u8],
    marks: Marks,
}

/// Whether a user agent begins something with the method, so that `From` is somebody who acts.
fn begins_something(method: Method) -> bool {
    matches!(
        method,
        Method::Register
            | Method::Invite
            | Method::Message
            | Method::Service
            | Method::Subscribe
            | Method::Publish
            | Method::Info
            | Method::Refer
    )
}
