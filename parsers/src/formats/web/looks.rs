//! User agents, stems and addresses of clients that were looked at before: a log has few that matter.

use crate::bytes::{ends, mix, same};
use crate::event::{Client, ServerId};
use crate::http::{Agent, Path};

/// Sets of each table; a power of two.
const SETS: usize = 1024;
/// Texts of a set. Where there are more, the one that came first is looked at anew when it comes again.
const WAYS: usize = 4;

/// A number for a user agent, never given to another one; [`AgentId::NONE`] where the agent does
/// not matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::formats) struct AgentId(pub(in crate::formats) u32);

impl AgentId {
    pub(in crate::formats) const NONE: AgentId = AgentId(0);
}

/// What is known of user agents and stems.
#[derive(Default)]
pub(crate) struct Looks {
    agents: Table<(AgentId, Agent)>,
    agents_seen: u32,
    paths: Table<Path>,
    clients: Vec<Option<Met>>,
}

/// A client of a server: both ends of its address, which are all of a short one, and the length.
#[derive(Clone, Copy)]
struct Met {
    ends: (u64, u64),
    server: ServerId,
    length: u8,
    client: Client,
}

/// Clients that are known at a time; a power of two.
const CLIENTS: usize = 4096;

impl Looks {
    /// What a user agent is, and its number.
    #[inline]
    pub(in crate::formats) fn agent(&mut self, raw: &[u8]) -> (AgentId, Agent) {
        let seen = &mut self.agents_seen;
        self.agents.get(raw, || {
            *seen += 1;
            (AgentId(*seen), Agent::of(raw))
        })
    }

    /// What a stem is.
    #[inline]
    pub(in crate::formats) fn path(&mut self, raw: &[u8]) -> Path {
        self.paths.get(raw, || Path::of(raw))
    }

    /// Where a client stands, seen from a server.
    #[inline]
    pub(in crate::formats) fn client(
        &mut self,
        address: &[u8],
        server: ServerId,
        look: impl FnOnce() -> Client,
    ) -> Client {
        // Only of these the ends are all.
        if !matches!(address.len(), 4..=16) {
            return look();
        }
        let (ends, length) = (ends(address), address.len() as u8);
        let slot = (mix(u64::from(server.0), address) >> 40) as usize % CLIENTS;
        if let Some(Some(met)) = self.clients.get(slot)
            && (met.ends, met.server, met.length) == (ends, server, length)
        {
            return met.client;
        }
        let client = look();
        self.clients.resize(CLIENTS, None);
        self.clients[slot] = Some(Met { ends, server, length, client });
        client
    }
}

/// Texts and what was found out about them. Every text is compared in full; the hash only says where
/// to look.
struct Table<V> {
    sets: Vec<Set<V>>,
}

/// Texts that the hash does not tell apart, the one that came last first.
type Set<V> = [Option<(Box<[u8]>, V)>; WAYS];

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { sets: Vec::new() }
    }
}

impl<V: Copy> Table<V> {
    #[inline]
    fn get(&mut self, text: &[u8], look: impl FnOnce() -> V) -> V {
        let at = (mix(0, text) >> 40) as usize & (SETS - 1);
        if let Some(set) = self.sets.get(at)
            && let Some((_, known)) = set.iter().flatten().find(|(known, _)| same(known, text))
        {
            return *known;
        }
        let value = look();
        self.keep(at, text, value);
        value
    }

    #[cold]
    fn keep(&mut self, at: usize, text: &[u8], value: V) {
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, Default::default);
        }
        let set = &mut self.sets[at];
        set.rotate_right(1);
        set[0] = Some((text.into(), value));
    }
}
