//! Facts of rows before: the same person, device and service stand in thousands of rows.
//!
//! What a row said that decides its fact is kept byte for byte, with the fact that came of it, and how
//! often it was seen since the sink was last told. Everything is compared in full; the hash only says
//! where to look.

use crate::bytes::{mix, same};
use crate::event::{FactId, Marks, Outcome, Place, ServerId, Sink};
use crate::service::Service;
use crate::simd::prefetch;

use super::looks::AgentId;
use crate::formats::slots::{Slots, Untold};

/// The most facts that are known at a time: 48 MiB of them. Beyond, all are forgotten.
const MOST: usize = 1 << 18;

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

/// A row that was seen, and what came of it: three cache lines.
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
    untold: Untold,
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
            untold: Untold::default(),
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
    /// Places in `known`.
    slots: Slots,
    known: Vec<Known>,
    /// Which of the known ones the sink is still to be told of.
    untold: Vec<u32>,
}

impl Memo {
    /// One more row at `place`. The sink is told now, or by [`Memo::tell`] where it need not hear of
    /// `each`. `false` where no row before has said the same: it is not noted then.
    #[inline]
    pub(super) fn again(
        &mut self,
        (hash, seen): (Hash, &Seen<'_>),
        place: Place,
        sink: &mut dyn Sink,
        each: bool,
    ) -> bool {
        let known = &self.known;
        let found = |at: &usize| known.get(*at).is_some_and(|known| known.is(seen));
        let Some(at) = self.slots.likely(hash.0).find(found) else { return false };
        let Some(known) = self.known.get_mut(at) else { return false };
        if each {
            sink.again(known.fact, place);
        } else if known.untold.add(known.fact, place, sink) {
            self.untold.push(at as u32);
        }
        true
    }

    /// Tells the sink what it has not been told yet.
    pub(in crate::formats) fn tell(&mut self, sink: &mut dyn Sink) {
        for at in self.untold.drain(..) {
            if let Some(known) = self.known.get_mut(at as usize) {
                known.untold.tell(known.fact, sink);
            }
        }
    }

    /// What may be asked for next: the processor fetches the slot.
    #[inline]
    pub(super) fn expect(&self, hash: Hash) {
        prefetch(self.slots.first(hash.0));
    }

    /// What is asked for soon, after [`Memo::expect`]: the processor fetches the row that was seen.
    #[inline]
    pub(super) fn fetch(&self, hash: Hash) {
        if let Some(at) = self.slots.likely(hash.0).next() {
            let place = self.known.as_ptr().wrapping_add(at).cast::<u8>();
            for line in [0, 64, 128] {
                prefetch(place.wrapping_add(line));
            }
        }
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(
        &mut self,
        hash: Hash,
        seen: &Seen<'_>,
        fact: FactId,
        sink: &mut dyn Sink,
    ) {
        if self.known.len() >= MOST {
            self.tell(sink);
            *self = Memo::default();
        }
        if self.slots.put(hash.0, self.known.len()) {
            self.known.push(Known::new(seen, fact));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Access, Client, DeviceEvidence, ServerEvidence};
    use crate::recorder::Recorder;
    use crate::time::DAY_MS;

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

    /// Remembers each as the fact of its place in the list, and returns what is told of them again.
    fn remembered(all: &[Seen<'_>]) -> (Recorder, Vec<bool>) {
        let (mut memo, mut sink) = (Memo::default(), Recorder::default());
        let place = |line: usize| Place { byte: 0, line: line as u64, instant: 0 };
        for (i, seen) in all.iter().enumerate() {
            assert!(!memo.again((seen.hash(), seen), place(i), &mut sink, false), "{i}");
            let principal = format!("fact{i}");
            let access = Access { principal: principal.as_bytes(), ..access() };
            let fact = sink.access(place(i), &access);
            memo.remember(seen.hash(), seen, fact, &mut sink);
        }
        sink.text.clear();
        let again = all.iter().enumerate();
        let again =
            again.map(|(i, seen)| memo.again((seen.hash(), seen), place(i), &mut sink, false));
        let again = again.collect();
        memo.tell(&mut sink);
        (sink, again)
    }

    fn access() -> Access<'static> {
        Access {
            server: ServerEvidence::default(),
            service: Service::Owa,
            outcome: Outcome::Served,
            principal: b"",
            acted_for: b"",
            device: DeviceEvidence::None,
            client: Client::Unknown,
            marks: Marks::NONE,
        }
    }

    /// Whether every line tells of the fact whose number it has.
    fn are_right(sink: &Recorder) -> bool {
        sink.text.lines().all(|told| {
            let line = told.split(['"', ':', ',']).nth(3).unwrap_or_default();
            told.contains(&format!("\"fact{line}\""))
        })
    }

    #[test]
    fn what_differs_in_anything_is_another_fact() {
        let long = "u".repeat(300);
        // The middles make no difference to the hash.
        let users = ["anna", "cem", &long, "contoso\\0000-user-0000", "contoso\\0000-usex-0000"];
        let both = (0..2).flat_map(|server| users.map(|user| seen(server, user)));
        let (sink, again) = remembered(&both.collect::<Vec<_>>());
        assert!(again.iter().all(|known| *known));
        assert_eq!(sink.text.lines().count(), 10);
        assert!(are_right(&sink), "{}", sink.text);
    }

    #[test]
    fn many_facts_and_facts_of_one_hash_do_not_mix() {
        let alike = (0..100).map(|i| format!("contoso\\front-{i:04}-behind-"));
        let users: Vec<String> = (0..5000).map(|i| format!("user{i}")).chain(alike).collect();
        let all: Vec<Seen<'_>> = users.iter().map(|user| seen(0, user)).collect();
        let (sink, again) = remembered(&all);
        let known = again.iter().filter(|known| **known).count();
        assert!(known >= 5000, "{known}");
        assert_eq!(sink.text.lines().count(), known);
        assert!(are_right(&sink));
    }

    #[test]
    fn repeats_are_told_by_day() {
        let (mut memo, mut sink, seen) = (Memo::default(), Recorder::default(), seen(0, "anna"));
        let fact = sink.access(Place { byte: 0, line: 1, instant: 0 }, &access());
        memo.remember(seen.hash(), &seen, fact, &mut sink);
        sink.text.clear();
        for (line, instant) in [(2, 5), (3, 1), (4, DAY_MS), (5, 7), (6, 7)] {
            assert!(memo.again(
                (seen.hash(), &seen),
                Place { byte: line, line, instant },
                &mut sink,
                false
            ));
        }
        memo.tell(&mut sink);
        let told: Vec<&str> =
            sink.text.lines().filter_map(|l| l.split(",\"service").next()).collect();
        let expected = [
            "{\"line\":3,\"byte\":3,\"at\":\"1970-01-01T00:00:00.001Z\",\"events\":2,\"last\":2",
            "{\"line\":4,\"byte\":4,\"at\":\"1970-01-02T00:00:00Z\"",
            "{\"line\":5,\"byte\":5,\"at\":\"1970-01-01T00:00:00.007Z\",\"events\":2,\"last\":6",
        ];
        assert_eq!(told, expected);
    }
}
