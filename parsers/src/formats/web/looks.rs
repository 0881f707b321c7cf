//! User agents and stems that were looked at before: a log has few that matter.

use crate::bytes::{mix, same};
use crate::http::{Agent, Path};

/// User agents and stems that are current at a time; powers of two.
const AGENTS: usize = 512;
const PATHS: usize = 512;

/// A number for a user agent, never given to another one; [`AgentId::NONE`] where the agent does
/// not matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::formats) struct AgentId(pub(super) u32);

impl AgentId {
    pub(in crate::formats) const NONE: AgentId = AgentId(0);
}

/// The tables. They hold slices of the segment's text, never copies; everything is compared in full,
/// the hash only says where to look.
pub(in crate::formats) struct Looks<'a> {
    agents: Vec<(&'a [u8], AgentId, Agent)>,
    agents_seen: u32,
    paths: Vec<(&'a [u8], Path)>,
}

impl<'a> Looks<'a> {
    pub(in crate::formats) fn new() -> Looks<'a> {
        Looks {
            agents: vec![(b"", AgentId::NONE, Agent::of(b"")); AGENTS],
            agents_seen: 0,
            paths: vec![(b"", Path::of(b"")); PATHS],
        }
    }

    /// What a user agent is, and its number.
    #[inline]
    pub(in crate::formats) fn agent(&mut self, raw: &'a [u8]) -> (AgentId, Agent) {
        let slot = &mut self.agents[(mix(0, raw) >> 40) as usize & (AGENTS - 1)];
        if !same(slot.0, raw) {
            self.agents_seen += 1;
            *slot = (raw, AgentId(self.agents_seen), Agent::of(raw));
        }
        (slot.1, slot.2)
    }

    /// What a stem is.
    #[inline]
    pub(in crate::formats) fn path(&mut self, raw: &'a [u8]) -> Path {
        let slot = &mut self.paths[(mix(0, raw) >> 40) as usize & (PATHS - 1)];
        if !same(slot.0, raw) {
            *slot = (raw, Path::of(raw));
        }
        slot.1
    }
}
