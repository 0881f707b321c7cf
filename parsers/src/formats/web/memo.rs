//! Facts of rows before: the same person, device and service stand in thousands of rows.
//!
//! What a row said that decides its fact is kept byte for byte, with the fact that came of it.
//! Everything is compared in full; the hash only says where to look.

use crate::bytes::{mix, same};
use crate::event::{FactId, Marks, Outcome, ServerId};
use crate::service::Service;
use crate::simd::prefetch;

use super::looks::AgentId;

/// The most facts that are known at a time: 32 MiB of them. Beyond, all are forgotten.
const MOST: usize = 1 << 18;
/// How many slots behind its own a fact may stand. So that texts that were made to fall together
/// cost no more than this.
const REACH: usize = 16;
/// Slots to begin with; a power of two.
const SLOTS: usize = 1024;

/// What a row said that decides its fact.
#[derive(Clone, Copy, Debug)]
pub(in crate::formats) struct Seen<'r> {
    pub(super) server: ServerId,
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

impl Seen<'_> {
    #[inline]
    pub(super) fn hash(&self) -> Hash {
        let plain = self.service as u64
            | (self.outcome as u64) << 8
            | u64::from(self.server.0) << 16
            | u64::from(self.agent.0) << 32;
        let parts = mix(mix(mix(plain, self.user), self.client), self.detail);
        Hash((parts >> 32) as u32)
    }
}

/// Where to look for a fact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u32);

/// A row that was seen, and what came of it: two cache lines.
struct Known {
    /// User, client and detail, one behind the other, where there is room.
    short: [u8; 80],
    /// The same where there is none.
    long: Option<Box<[u8]>>,
    user: u32,
    client: u32,
    detail: u32,
    agent: AgentId,
    server: ServerId,
    fact: FactId,
    marks: Marks,
    service: Service,
    outcome: Outcome,
}

impl Known {
    fn new(seen: &Seen<'_>, fact: FactId) -> Known {
        let text = [seen.user, seen.client, seen.detail].concat();
        let mut short = [0; 80];
        let long = match short.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(&text);
                None
            }
            None => Some(text.into()),
        };
        let len = |part: &[u8]| part.len() as u32;
        Known {
            short,
            long,
            user: len(seen.user),
            client: len(seen.client),
            detail: len(seen.detail),
            agent: seen.agent,
            server: seen.server,
            fact,
            marks: seen.marks,
            service: seen.service,
            outcome: seen.outcome,
        }
    }

    #[inline]
    fn is(&self, seen: &Seen<'_>) -> bool {
        let plain = (self.agent, self.server, self.marks, self.service, self.outcome);
        if plain != (seen.agent, seen.server, seen.marks, seen.service, seen.outcome) {
            return false;
        }
        let text = self.long.as_deref().unwrap_or(&self.short);
        let Some((user, rest)) = text.split_at_checked(self.user as usize) else { return false };
        let Some((client, rest)) = rest.split_at_checked(self.client as usize) else {
            return false;
        };
        let Some(detail) = rest.get(..self.detail as usize) else { return false };
        same(user, seen.user) && same(client, seen.client) && same(detail, seen.detail)
    }
}

/// The facts that are known.
#[derive(Default)]
pub(crate) struct Memo {
    /// Hash, and place in `known` from 1; (0, 0) where nothing stands.
    slots: Vec<(u32, u32)>,
    known: Vec<Known>,
}

impl Memo {
    /// The fact of a row that said the same.
    #[inline]
    pub(super) fn fact(&self, hash: Hash, seen: &Seen<'_>) -> Option<FactId> {
        let found = |known: &&Known| known.is(seen);
        self.likely(hash).find(found).map(|known| known.fact)
    }

    /// What may be asked for next: the processor fetches the slot.
    #[inline]
    pub(super) fn expect(&self, hash: Hash) {
        prefetch(self.slots.as_ptr().wrapping_add(self.home(hash)));
    }

    /// What is asked for soon, after [`Memo::expect`]: the processor fetches the row that was seen.
    #[inline]
    pub(super) fn fetch(&self, hash: Hash) {
        if let Some(known) = self.likely(hash).next() {
            let place = std::ptr::from_ref(known).cast::<u8>();
            prefetch(place);
            prefetch(place.wrapping_add(64));
        }
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(&mut self, hash: Hash, seen: &Seen<'_>, fact: FactId) {
        if self.known.len() >= MOST {
            *self = Memo::default();
        }
        if self.known.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.known.len() as u32 + 1;
        if self.place(hash.0, at) {
            self.known.push(Known::new(seen, fact));
        }
    }

    fn home(&self, hash: Hash) -> usize {
        hash.0 as usize & self.slots.len().wrapping_sub(1)
    }

    /// What has this hash.
    #[inline]
    fn likely(&self, hash: Hash) -> impl Iterator<Item = &Known> {
        let home = self.home(hash);
        let slots = self.slots.get(home..).unwrap_or_default();
        let slots = slots.iter().take(REACH).take_while(|slot| slot.1 != 0);
        let alike = slots.filter(move |slot| slot.0 == hash.0);
        alike.filter_map(|slot| self.known.get(slot.1 as usize - 1))
    }

    /// Puts a place of `known` behind its hash; `false` where there is no room near its own slot.
    fn place(&mut self, hash: u32, at: u32) -> bool {
        let home = self.home(Hash(hash));
        let free = self.slots.iter_mut().skip(home).take(REACH).find(|slot| slot.1 == 0);
        free.map(|slot| *slot = (hash, at)).is_some()
    }

    #[cold]
    fn grow(&mut self) {
        let places = (self.slots.len() * 2).max(SLOTS);
        let before = std::mem::replace(&mut self.slots, vec![(0, 0); places]);
        for (hash, at) in before.into_iter().filter(|slot| slot.1 != 0) {
            // One that finds no room is told of anew when it is seen again.
            self.place(hash, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(server: u32, user: &str) -> Seen<'_> {
        Seen {
            server: ServerId(server),
            user: user.as_bytes(),
            client: b"10.0.0.1",
            detail: b"",
            agent: AgentId::NONE,
            service: Service::Owa,
            outcome: Outcome::Served,
            marks: Marks::NONE,
        }
    }

    #[test]
    fn what_differs_in_anything_is_another_fact() {
        let mut memo = Memo::default();
        let long = "u".repeat(300);
        // The middles make no difference to the hash.
        let users = ["anna", "cem", &long, "contoso\\0000-user-0000", "contoso\\0000-usex-0000"];
        let mut facts = 0;
        for server in 0..2 {
            for user in users {
                let seen = seen(server, user);
                assert_eq!(memo.fact(seen.hash(), &seen), None, "{user}");
                memo.remember(seen.hash(), &seen, FactId(facts));
                facts += 1;
            }
        }
        facts = 0;
        for server in 0..2 {
            for user in users {
                let seen = seen(server, user);
                assert_eq!(memo.fact(seen.hash(), &seen), Some(FactId(facts)), "{user}");
                facts += 1;
            }
        }
    }

    #[test]
    fn many_facts_and_facts_of_one_hash_do_not_mix() {
        let mut memo = Memo::default();
        let alike = (0..100).map(|i| format!("contoso\\front-{i:04}-behind-"));
        let users: Vec<String> = (0..5000).map(|i| format!("user{i}")).chain(alike).collect();
        for (i, user) in users.iter().enumerate() {
            let seen = seen(0, user);
            memo.remember(seen.hash(), &seen, FactId(i as u32));
        }
        let mut known = 0;
        for (i, user) in users.iter().enumerate() {
            let seen = seen(0, user);
            if let Some(fact) = memo.fact(seen.hash(), &seen) {
                assert_eq!(fact, FactId(i as u32));
                known += 1;
            }
        }
        assert!(known >= 5000, "{known}");
    }
}
