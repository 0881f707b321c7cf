//! Facts of rows before: the same person, device and service stand in thousands of rows.
//!
//! What a row said that decides its fact is kept byte for byte, with the fact that came of it, and how
//! often it was seen since the sink was last told. Everything is compared in full; the hash only says
//! where to look.

use crate::bytes::{mix, same};
use crate::event::{Client, FactId, Marks, Outcome, Place, ServerId, Sink};
use crate::service::Service;
use crate::simd::prefetch;

use super::slots::{Slots, Untold};
use super::web::AgentId;

/// The most facts that are known at a time: some 50 MiB of them. Beyond, all are forgotten.
const MOST: usize = 1 << 18;
/// Bytes of text that a fact has beside it.
const SHORT: usize = 80;

/// What a row said that decides its fact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'r, const N: usize> {
    pub(super) server: ServerId,
    pub(super) service: Service,
    pub(super) outcome: Outcome,
    pub(super) marks: Marks,
    /// Where the client stands, where that is none of the parts.
    pub(super) client: Client,
    /// Number of the user agent, where it matters and is none of the parts.
    pub(super) agent: AgentId,
    /// Names and addresses, as the format has them.
    pub(super) parts: [&'r [u8]; N],
}

/// Where to look for a fact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash(u32);

impl<const N: usize> Said<'_, N> {
    /// Service, outcome and client, each in bits of its own.
    #[inline]
    fn kind(&self) -> u64 {
        const { assert!((Outcome::Continued as u64) < 16 && (Client::Outside as u64) < 16) }
        self.service as u64 | (self.outcome as u64) << 8 | (self.client as u64) << 12
    }

    #[inline]
    fn plain(&self) -> u128 {
        u128::from(self.kind() | u64::from(self.marks.bits()) << 16)
            | u128::from(self.server.0) << 64
            | u128::from(self.agent.0) << 96
    }

    #[inline]
    pub(super) fn hash(&self) -> Hash {
        let plain = self.kind() | u64::from(self.server.0) << 16 | u64::from(self.agent.0) << 32;
        Hash((self.parts.iter().fold(plain, |hash, part| mix(hash, part)) >> 32) as u32)
    }
}

/// A row that was seen, and what came of it. It fills whole lines of the cache, which are fetched ahead.
#[repr(align(64))]
struct Known<const N: usize> {
    plain: u128,
    /// The parts, one behind the other, where there is room: a box is one more place to fetch.
    short: [u8; SHORT],
    /// The same where there is none.
    long: Option<Box<[u8]>>,
    /// How long each part is.
    lengths: [u32; N],
    fact: FactId,
    untold: Untold,
}

impl<const N: usize> Known<N> {
    fn new(said: &Said<'_, N>, fact: FactId) -> Known<N> {
        let text = said.parts.concat();
        let mut short = [0; SHORT];
        let long = match short.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(&text);
                None
            }
            None => Some(text.into()),
        };
        let lengths = said.parts.map(|part| part.len() as u32);
        Known { plain: said.plain(), short, long, lengths, fact, untold: Untold::default() }
    }

    #[inline]
    fn is(&self, said: &Said<'_, N>) -> bool {
        if self.plain != said.plain() {
            return false;
        }
        let text = self.long.as_deref().unwrap_or(&self.short);
        let mut at = 0;
        for (length, part) in self.lengths.iter().zip(&said.parts) {
            let end = at + *length as usize;
            if !text.get(at..end).is_some_and(|known| same(known, part)) {
                return false;
            }
            at = end;
        }
        true
    }
}

/// Known facts that are kept side by side: some 800 KiB.
const SHELF: usize = 1 << 12;

/// A list that grows without moving what it has: one that moves is mapped anew, page by page.
struct Shelves<T>(Vec<Vec<T>>);

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Shelves(Vec::new())
    }
}

impl<T> Shelves<T> {
    fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * SHELF + last.len())
    }

    #[inline]
    fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at / SHELF)?.get(at % SHELF)
    }

    #[inline]
    fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at / SHELF)?.get_mut(at % SHELF)
    }

    fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < SHELF => last.push(item),
            _ => {
                let mut shelf = Vec::with_capacity(SHELF);
                shelf.push(item);
                self.0.push(shelf);
            }
        }
    }
}

/// The facts that are known.
pub(crate) struct Facts<const N: usize> {
    /// Places in `known`.
    slots: Slots,
    known: Shelves<Known<N>>,
    /// Which of the known ones the sink is still to be told of.
    untold: Vec<u32>,
}

impl<const N: usize> Default for Facts<N> {
    fn default() -> Self {
        Facts { slots: Slots::default(), known: Shelves::default(), untold: Vec::new() }
    }
}

impl<const N: usize> Facts<N> {
    /// One more row at `place`. The sink is told now, or by [`Facts::tell`] where it need not hear of
    /// `each`. `false` where no row before has said the same: it is not noted then.
    #[inline]
    pub(super) fn again(
        &mut self,
        (hash, said): (Hash, &Said<'_, N>),
        place: Place,
        sink: &mut dyn Sink,
        each: bool,
    ) -> bool {
        let known = &self.known;
        let found = |at: &usize| known.get(*at).is_some_and(|known| known.is(said));
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
    pub(super) fn tell(&mut self, sink: &mut dyn Sink) {
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

    /// What is asked for soon, after [`Facts::expect`]: the processor fetches the row that was seen.
    #[inline]
    pub(super) fn fetch(&self, hash: Hash) {
        if let Some(known) = self.slots.likely(hash.0).next().and_then(|at| self.known.get(at)) {
            let place = std::ptr::from_ref(known).cast::<u8>();
            (0..size_of::<Known<N>>())
                .step_by(64)
                .for_each(|line| prefetch(place.wrapping_add(line)));
        }
    }

    /// Keeps a fact for rows to come.
    pub(super) fn remember(
        &mut self,
        (hash, said): (Hash, &Said<'_, N>),
        fact: FactId,
        sink: &mut dyn Sink,
    ) {
        if self.known.len() >= MOST {
            self.tell(sink);
            *self = Facts::default();
        }
        if self.slots.put(hash.0, self.known.len()) {
            self.known.push(Known::new(said, fact));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Access, DeviceEvidence, ServerEvidence};
    use crate::recorder::Recorder;
    use crate::time::DAY_MS;

    fn said<'r>(server: u32, user: &'r str, client: &'r str) -> Said<'r, 2> {
        Said {
            server: ServerId(server),
            service: Service::Imap4,
            outcome: Outcome::Served,
            marks: Marks::NONE,
            client: Client::Unknown,
            agent: AgentId::NONE,
            parts: [user.as_bytes(), client.as_bytes()],
        }
    }

    fn access(principal: &str) -> Access<'_> {
        Access {
            server: ServerEvidence::default(),
            service: Service::Imap4,
            outcome: Outcome::Served,
            principal: principal.as_bytes(),
            acted_for: b"",
            device: DeviceEvidence::None,
            client: Client::Unknown,
            marks: Marks::NONE,
        }
    }

    fn place(line: u64, instant: i64) -> Place {
        Place { byte: line, line, instant }
    }

    #[test]
    fn what_differs_in_anything_is_another_fact() {
        let long = "u".repeat(300);
        let mut users: Vec<String> = (0..5000).map(|i| format!("user{i}")).collect();
        // The middles make no difference to the hash.
        users.extend((0..8).map(|i| format!("contoso\\front-{i:04}-behind-")));
        users.extend([long, String::new()]);
        let mut all: Vec<Said<'_, 2>> =
            users.iter().map(|user| said(0, user, "10.1.1.5")).collect();
        all.extend([said(1, "user1", "10.1.1.5"), said(0, "user11", "0.1.1.5")]);
        all.extend([said(0, "user", "110.1.1.5")]);
        all.push(Said { outcome: Outcome::Failed, ..all[7] });
        all.push(Said { marks: Marks::BACK_END, ..all[7] });
        all.push(Said { service: Service::Pop3, ..all[7] });
        all.push(Said { client: Client::Inside, ..all[7] });
        all.push(Said { agent: AgentId(1), ..all[7] });
        let (mut facts, mut sink) = (Facts::default(), Recorder::default());
        for (i, said) in all.iter().enumerate() {
            assert!(!facts.again((said.hash(), said), place(0, 0), &mut sink, false), "{i}");
            let fact = sink.access(place(0, 0), &access(&format!("fact{i}")));
            facts.remember((said.hash(), said), fact, &mut sink);
        }
        let mut known = 0;
        for (i, said) in all.iter().enumerate() {
            sink.text.clear();
            // A fact that found no room near its slot is told of anew.
            if facts.again((said.hash(), said), place(0, 0), &mut sink, true) {
                assert!(sink.text.contains(&format!("\"fact{i}\"")), "{i}: {}", sink.text);
                known += 1;
            }
        }
        assert!(known > 4900, "{known}");
    }

    /// Remembers each as the fact of its place in the list, and returns what is told of them again.
    fn remembered(all: &[Said<'_, 2>]) -> (Recorder, Vec<bool>) {
        let (mut facts, mut sink) = (Facts::default(), Recorder::default());
        let place = |line: usize| place(line as u64, 0);
        for (i, said) in all.iter().enumerate() {
            assert!(!facts.again((said.hash(), said), place(i), &mut sink, false), "{i}");
            let fact = sink.access(place(i), &access(&format!("fact{i}")));
            facts.remember((said.hash(), said), fact, &mut sink);
        }
        sink.text.clear();
        let again = all.iter().enumerate();
        let again =
            again.map(|(i, said)| facts.again((said.hash(), said), place(i), &mut sink, false));
        let again = again.collect();
        facts.tell(&mut sink);
        (sink, again)
    }

    /// Whether every line tells of the fact whose number it has.
    fn are_right(sink: &Recorder) -> bool {
        sink.text.lines().all(|told| {
            let line = told.split(['"', ':', ',']).nth(3).unwrap_or_default();
            told.contains(&format!("\"fact{line}\""))
        })
    }

    #[test]
    fn facts_of_two_servers_are_told_again_as_themselves() {
        let long = "u".repeat(300);
        // The middles make no difference to the hash.
        let users = ["anna", "cem", &long, "contoso\\0000-user-0000", "contoso\\0000-usex-0000"];
        let both = (0..2).flat_map(|server| users.map(|user| said(server, user, "10.1.1.5")));
        let (sink, again) = remembered(&both.collect::<Vec<_>>());
        assert!(again.iter().all(|known| *known));
        assert_eq!(sink.text.lines().count(), 10);
        assert!(are_right(&sink), "{}", sink.text);
    }

    #[test]
    fn many_facts_and_facts_of_one_hash_do_not_mix() {
        let alike = (0..100).map(|i| format!("contoso\\front-{i:04}-behind-"));
        let users: Vec<String> = (0..5000).map(|i| format!("user{i}")).chain(alike).collect();
        let all: Vec<Said<'_, 2>> = users.iter().map(|user| said(0, user, "10.1.1.5")).collect();
        let (sink, again) = remembered(&all);
        let known = again.iter().filter(|known| **known).count();
        assert!(known >= 5000, "{known}");
        assert_eq!(sink.text.lines().count(), known);
        assert!(are_right(&sink));
    }

    #[test]
    fn repeats_are_told_by_day() {
        let (mut facts, mut sink) = (Facts::default(), Recorder::default());
        let anna = said(0, "anna", "10.1.1.5");
        let fact = sink.access(place(1, 0), &access("anna"));
        facts.remember((anna.hash(), &anna), fact, &mut sink);
        sink.text.clear();
        for (line, instant) in [(2, 5), (3, 1), (4, DAY_MS), (5, 7), (6, 7)] {
            assert!(facts.again((anna.hash(), &anna), place(line, instant), &mut sink, false));
        }
        facts.tell(&mut sink);
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
