//! User agents and stems that were looked at before: a log has few that matter.

use crate::bytes::{mix, same};
use crate::http::{Agent, Path};

/// The most user agents, and as many stems, that are current at a time; a power of two.
const MOST: usize = 512;

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
    /// For a segment of `len` bytes.
    pub(in crate::formats) fn new(len: usize) -> Looks<'a> {
        let places = (len / 512).next_power_of_two().min(MOST);
        Looks {
            agents: vec![(b"", AgentId::NONE, Agent::of(b"")); places],
            agents_seen: 0,
            paths: vec![(b"", Path::of(b"")); places],
        }
    }

    /// What a user agent is, and its number.
    #[inline]
    pub(in crate::formats) fn agent(&mut self, raw: &'a [u8]) -> (AgentId, Agent) {
        let at = (mix(0, raw) >> 40) as usize & (self.agents.len() - 1);
        let slot = &mut self.agents[at];
        if !same(slot.0, raw) {
            self.agents_seen += 1;
            *slot = (raw, AgentId(self.agents_seen), Agent::of(raw));
        }
        (slot.1, slot.2)
    }

    /// What a stem is.
    #[inline]
    pub(in crate::formats) fn path(&mut self, raw: &'a [u8]) -> Path {
        let at = (mix(0, raw) >> 40) as usize & (self.paths.len() - 1);
        let slot = &mut self.paths[at];
        if !same(slot.0, raw) {
            *slot = (raw, Path::of(raw));
        }
        slot.1
    }
}
