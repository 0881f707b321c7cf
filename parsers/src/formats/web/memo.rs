//! What has been worked out before: the same person, device and service stand in thousands of rows.
//!
//! A slot holds what a row said, byte for byte, and what came of it. Everything is compared in full;
//! the hash only says where to look.

use std::borrow::Cow;

use crate::bytes::{mix, same};
use crate::event::{Client, FactId, Marks, Outcome};
use crate::http::{Agent, Path};
use crate::service::Service;

/// Facts that are current at a time; a power of two.
const FACTS: usize = 8192;

/// User agents, stems and client addresses that are current at a time; powers of two.
const AGENTS: usize = 512;
const PATHS: usize = 512;
const CLIENTS: usize = 2048;

/// What a row said that decides its fact, within one server and day.
///
/// An ActiveSync device hangs neither on the address nor on the agent: both are left out there, so
/// that a phone that moves about stays one row of the table.
#[derive(Clone, Debug)]
pub(super) struct Seen<'a> {
    pub(super) user: &'a [u8],
    /// Address, where it is part of the device.
    pub(super) address: &'a [u8],
    /// ActiveSync device id.
    pub(super) device: Cow<'a, [u8]>,
    pub(super) mailbox: &'a [u8],
    /// Number of the user agent, where it is part of the device.
    pub(super) agent: AgentId,
    pub(super) client: Client,
    pub(super) service: Service,
    pub(super) outcome: Outcome,
    pub(super) marks: Marks,
}

impl Seen<'_> {
    #[inline]
    fn is(&self, other: &Seen<'_>) -> bool {
        (self.agent, self.client, self.service, self.outcome, self.marks)
            == (other.agent, other.client, other.service, other.outcome, other.marks)
            && same(self.user, other.user)
            && same(self.address, other.address)
            && same(&self.device, &other.device)
            && same(self.mailbox, other.mailbox)
    }

    #[inline]
    fn slot(&self) -> usize {
        let plain =
            self.service as u64 | (self.outcome as u64) << 8 | u64::from(self.agent.0) << 16;
        let device = if self.device.is_empty() { self.address } else { &self.device };
        (mix(mix(plain, self.user), device) >> 40) as usize & (FACTS - 1)
    }
}

/// A number for a user agent, never given to another one; [`AgentId::NONE`] where the agent does
/// not matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct AgentId(u32);

impl AgentId {
    pub(super) const NONE: AgentId = AgentId(0);
}

/// The tables. They hold slices of the segment's text, never copies.
pub(in crate::formats) struct Memo<'a> {
    facts: Vec<Option<(Seen<'a>, FactId, u32)>>,
    /// How often everything was forgotten: a fact holds only in the age it was kept in. So that a log
    /// whose rows alternate between two addresses of a server does not clear the table row by row.
    age: u32,
    agents: Vec<(&'a [u8], AgentId, Agent)>,
    agents_seen: u32,
    paths: Vec<(&'a [u8], Path)>,
    /// Addresses of clients, seen from the server of an age.
    clients: Vec<(&'a [u8], u32, Client)>,
}

impl<'a> Memo<'a> {
    pub(in crate::formats) fn new() -> Memo<'a> {
        Memo {
            facts: Vec::new(),
            age: 1,
            agents: vec![(b"", AgentId::NONE, Agent::of(b"")); AGENTS],
            agents_seen: 0,
            paths: vec![(b"", Path::of(b"")); PATHS],
            clients: vec![(b"", 0, Client::Unknown); CLIENTS],
        }
    }

    /// Forgets every fact: the day, the server or the columns changed.
    pub(in crate::formats) fn forget(&mut self) {
        self.age += 1;
    }

    /// What a user agent is, and its number.
    #[inline]
    pub(super) fn agent(&mut self, raw: &'a [u8]) -> (AgentId, Agent) {
        let slot = &mut self.agents[(mix(0, raw) >> 40) as usize & (AGENTS - 1)];
        if !same(slot.0, raw) {
            self.agents_seen += 1;
            *slot = (raw, AgentId(self.agents_seen), Agent::of(raw));
        }
        (slot.1, slot.2)
    }

    /// What a stem is.
    #[inline]
    pub(super) fn path(&mut self, raw: &'a [u8]) -> Path {
        let slot = &mut self.paths[(mix(0, raw) >> 40) as usize & (PATHS - 1)];
        if !same(slot.0, raw) {
            *slot = (raw, Path::of(raw));
        }
        slot.1
    }

    /// Where a client stands, seen from the server at hand; `look` tells where it is not known.
    #[inline]
    pub(super) fn client(&mut self, raw: &'a [u8], look: impl FnOnce() -> Client) -> Client {
        let slot = &mut self.clients[(mix(0, raw) >> 40) as usize & (CLIENTS - 1)];
        if slot.1 != self.age || !same(slot.0, raw) {
            *slot = (raw, self.age, look());
        }
        slot.2
    }

    /// The fact of a row that said the same.
    #[inline]
    pub(super) fn fact(&self, seen: &Seen<'a>) -> Option<FactId> {
        let (known, fact, age) = self.facts.get(seen.slot())?.as_ref()?;
        (*age == self.age && known.is(seen)).then_some(*fact)
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(&mut self, seen: Seen<'a>, fact: FactId) {
        if self.facts.is_empty() {
            self.facts.resize(FACTS, None);
        }
        let at = seen.slot();
        self.facts[at] = Some((seen, fact, self.age));
    }
}
