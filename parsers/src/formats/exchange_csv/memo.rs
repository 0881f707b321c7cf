//! What has been told before: the same person, client and service stand in thousands of rows.
//!
//! Everything is compared in full; a hash only says where to look.

use std::borrow::Cow;

use crate::bytes::{mix, same};
use crate::event::{Access, Client, DeviceEvidence, Marks, Outcome, ServerId, Software};
use crate::format::Scope;
use crate::formats::facts::Said;
use crate::formats::web::AgentId;
use crate::service::Service;

/// Slots; a power of two.
const SLOTS: usize = 4096;

/// What a row said that decides its fact.
#[derive(Clone, Debug)]
pub(in crate::formats) struct Seen<'a> {
    /// Name of the server.
    pub(in crate::formats) server: &'a [u8],
    /// Address of the server.
    pub(in crate::formats) address: &'a [u8],
    pub(in crate::formats) service: Service,
    pub(in crate::formats) outcome: Outcome,
    pub(in crate::formats) marks: Marks,
    pub(in crate::formats) principal: Cow<'a, [u8]>,
    pub(in crate::formats) acted_for: Cow<'a, [u8]>,
    /// Address of the client.
    pub(in crate::formats) client: &'a [u8],
    pub(in crate::formats) agent: Cow<'a, [u8]>,
    /// ActiveSync device id.
    pub(in crate::formats) device: Cow<'a, [u8]>,
}

/// What a new fact says of its device, and where the client stands.
pub(in crate::formats) type Evidence<'a> =
    for<'x> fn(&'x Seen<'a>, &Scope) -> (DeviceEvidence<'x>, Client);

impl Seen<'_> {
    /// As it is remembered; `server` is what the sink calls the server.
    #[inline]
    pub(super) fn said(&self, server: ServerId) -> Said<'_, 5> {
        Said {
            server,
            service: self.service,
            outcome: self.outcome,
            marks: self.marks,
            client: Client::Unknown,
            agent: AgentId::NONE,
            parts: [&self.principal, &self.acted_for, self.client, &self.agent, &self.device],
        }
    }

    /// The access that is told of a new fact.
    pub(super) fn access<'x>(
        &'x self,
        software: Software,
        device: DeviceEvidence<'x>,
        client: Client,
    ) -> Access<'x> {
        Access {
            server: super::server(self.server, self.address, software),
            service: self.service,
            outcome: self.outcome,
            principal: &self.principal,
            acted_for: &self.acted_for,
            device,
            client,
            marks: self.marks,
        }
    }
}

/// Two names.
type Pair = (Box<[u8]>, Box<[u8]>);

/// Pairs of names that were told to be one person.
#[derive(Default)]
pub(super) struct Pairs {
    told: Vec<Option<Pair>>,
}

impl Pairs {
    /// Whether two names were not told to be one lately; remembers them.
    pub(super) fn is_new(&mut self, one: &[u8], other: &[u8]) -> bool {
        if self.told.is_empty() {
            self.told.resize(SLOTS, None);
        }
        let place = &mut self.told[(mix(mix(0, one), other) >> 40) as usize & (SLOTS - 1)];
        if place.as_ref().is_some_and(|(a, b)| same(a, one) && same(b, other)) {
            return false;
        }
        *place = Some((one.into(), other.into()));
        true
    }
}
