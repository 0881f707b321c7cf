//! Facts of rows before: the same person, device and service stand in thousands of rows.
//!
//! A slot holds what a row said, byte for byte, and what came of it. Everything is compared in full;
//! the hash only says where to look.

use crate::bytes::{mix, same};
use crate::event::{FactId, Marks, Outcome};
use crate::service::Service;

use super::looks::{AgentId, Looks};

/// The most facts that are current at a time, in sets of two; a power of two.
const MOST: usize = 16_384;

/// What a row said that decides its fact, within one server and day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'r> {
    pub(super) user: &'r [u8],
    /// Address of the client.
    pub(super) client: &'r [u8],
    /// ActiveSync device id, or where nobody is named the mailbox.
    pub(super) detail: &'r [u8],
    /// Number of the user agent; [`AgentId::NONE`] beside a device id, which says more.
    pub(super) agent: AgentId,
    pub(super) service: Service,
    pub(super) outcome: Outcome,
    pub(super) marks: Marks,
}

/// A row that was seen, and what came of it.
#[derive(Clone, Debug)]
struct Known {
    /// User, client and detail, one behind the other. A copy and not slices of the text: a look-up
    /// would else touch rows far back that have left the cache.
    text: Box<[u8]>,
    user: u32,
    client: u32,
    agent: AgentId,
    fact: FactId,
    age: u32,
    marks: Marks,
    service: Service,
    outcome: Outcome,
}

impl Known {
    fn new(seen: &Seen<'_>, fact: FactId, age: u32) -> Known {
        Known {
            text: [seen.user, seen.client, seen.detail].concat().into(),
            user: seen.user.len() as u32,
            client: seen.client.len() as u32,
            agent: seen.agent,
            fact,
            age,
            marks: seen.marks,
            service: seen.service,
            outcome: seen.outcome,
        }
    }

    #[inline]
    fn is(&self, seen: &Seen<'_>, age: u32) -> bool {
        let plain = (self.age, self.agent, self.marks, self.service, self.outcome);
        if plain != (age, seen.agent, seen.marks, seen.service, seen.outcome) {
            return false;
        }
        let Some((user, rest)) = self.text.split_at_checked(self.user as usize) else {
            return false;
        };
        let Some((client, detail)) = rest.split_at_checked(self.client as usize) else {
            return false;
        };
        same(user, seen.user) && same(client, seen.client) && same(detail, seen.detail)
    }
}

impl Seen<'_> {
    #[inline]
    fn hash(&self) -> usize {
        let plain =
            self.service as u64 | (self.outcome as u64) << 8 | u64::from(self.agent.0) << 16;
        let parts = mix(mix(mix(plain, self.user), self.client), self.detail);
        (parts >> 40) as usize
    }
}

/// The tables.
pub(in crate::formats) struct Memo<'a> {
    pub(super) looks: Looks<'a>,
    facts: Vec<Option<Known>>,
    /// How often everything was forgotten: a fact holds only in the age it was kept in. So that a log
    /// whose rows alternate between two addresses of a server does not clear the table row by row.
    age: u32,
}

impl<'a> Memo<'a> {
    /// For a segment of `len` bytes.
    pub(in crate::formats) fn new(len: usize) -> Memo<'a> {
        let places = (len / 512).next_power_of_two().clamp(2, MOST);
        Memo { looks: Looks::new(len), facts: vec![None; places], age: 0 }
    }

    /// Forgets every fact: the day, the server or the columns changed.
    pub(in crate::formats) fn forget(&mut self) {
        self.age += 1;
    }

    /// The fact of a row that said the same; else the set of slots for it.
    #[inline]
    pub(super) fn fact(&self, seen: &Seen<'_>) -> Result<FactId, Slots> {
        let first = seen.hash() & (self.facts.len() - 1) & !1;
        let known = self.facts.get(first..first + 2).unwrap_or_default();
        match known.iter().flatten().find(|known| known.is(seen, self.age)) {
            Some(known) => Ok(known.fact),
            None => Err(Slots(first)),
        }
    }

    /// Keeps a fact for rows to come, where [`Memo::fact`] did not find it.
    pub(super) fn remember(&mut self, slots: Slots, seen: &Seen<'_>, fact: FactId) {
        // The older one of the set goes.
        self.facts.swap(slots.0, slots.0 + 1);
        self.facts[slots.0] = Some(Known::new(seen, fact, self.age));
    }
}

/// Where a fact belongs that was not found.
pub(super) struct Slots(usize);
