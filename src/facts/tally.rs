//! What one worker has met in all the inputs it read.
//!
//! A name, server or key that stands in a thousand files is written down once. Segments then tell
//! numbers only ([`Facts`]), and what they tell is added when it is certain that it counts.

use std::collections::BTreeMap;
use std::mem;

use calproof_parsers::sip::{Exchange, ExchangeKey};
use hashbrown::{HashMap, HashTable};

use super::days::Days;
use super::names::{Name, Names};
use super::usage::{Active, Period, Usage, Used};
use super::{
    Alias, Facts, Hours, Key, Server, Sightings, Witness, corroborate, merge_exchange, note_alias,
};

/// The names, servers and keys that a worker has met, and what was seen of them.
#[derive(Default)]
pub struct Tally {
    names: Names,
    servers: Vec<Server>,
    places: HashMap<Server, u32>,
    /// What may be a fact, in the order in which it was met, and what was seen of it in the period: no
    /// event yet of some.
    used: Vec<Used>,
    index: HashTable<u32>,
    /// The same outside the period, where there is any.
    outside: BTreeMap<u32, Used>,
    aliases: BTreeMap<Alias, Witness>,
    exchanges: BTreeMap<ExchangeKey, Exchange>,
    corroborated: BTreeMap<(u32, Name), Sightings>,
    active: BTreeMap<Active, Hours>,
    /// For each key, where the segment at hand keeps what it sees of it: the number of the segment, and
    /// a place in its list.
    current: Vec<(u32, u32)>,
    segment: u32,
    /// Room for what the next segment sees.
    room: Vec<(u32, i32, Sightings)>,
}

/// What has not been seen yet.
fn unseen(key: Key) -> Used {
    let nowhere = Witness { instant: 0, input: 0, byte: 0, line: 0 };
    let seen = Sightings { events: 0, first: nowhere, last: nowhere };
    Used { key, seen, days: Days::default() }
}

impl Tally {
    /// Begins a segment: of no key has anything been seen in it. Returns room for what it sees.
    pub(super) fn begin_segment(&mut self) -> Vec<(u32, i32, Sightings)> {
        self.segment += 1;
        mem::take(&mut self.room)
    }

    /// Ends a segment that has seen so much: it keeps no more room than it needs, about, for it may have
    /// to wait among many.
    pub(super) fn end_segment(&mut self, seen: &mut Vec<(u32, i32, Sightings)>) {
        if seen.len() < seen.capacity() / 2 {
            let all = seen.as_slice().to_vec();
            self.room = mem::replace(seen, all);
            self.room.clear();
        }
    }

    /// Where the segment at hand keeps what it saw last of a key.
    #[inline]
    pub(super) fn current(&self, key: u32) -> Option<usize> {
        let (segment, at) = *self.current.get(key as usize)?;
        (segment == self.segment).then_some(at as usize)
    }

    /// Says where the segment at hand keeps what it sees of a key.
    pub(super) fn set_current(&mut self, key: u32, at: usize) {
        self.current[key as usize] = (self.segment, at as u32);
    }

    pub(super) fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The index of a server, new or known.
    pub(super) fn server(&mut self, server: Server) -> u32 {
        *self.places.entry(server).or_insert_with(|| {
            self.servers.push(server);
            self.servers.len() as u32 - 1
        })
    }

    /// The number of a key, new or known.
    pub(super) fn key(&mut self, key: Key) -> u32 {
        let hash = self.names.hash(&key);
        let Tally { names, used, index, current, .. } = self;
        if let Some(at) = index.find(hash, |i| used[*i as usize].key == key) {
            return *at;
        }
        let at = used.len() as u32;
        used.push(unseen(key));
        current.push((0, 0));
        index.insert_unique(hash, at, |i| names.hash(&used[*i as usize].key));
        at
    }

    /// Adds what was told of an input; `input` is its place in the sorted list of inputs.
    pub fn add(&mut self, mut facts: Facts, input: u32, period: &Period) {
        let placed = |w: Witness| Witness { input, ..w };
        let moved = |s: Sightings| Sightings { first: placed(s.first), last: placed(s.last), ..s };
        for (key, day, seen) in facts.seen.drain(..) {
            let (seen, days) = (moved(seen), Days::one(day));
            let used = &mut self.used[key as usize];
            let known = match period.has(day) {
                true => used,
                false => self.outside.entry(key).or_insert_with(|| unseen(used.key)),
            };
            match known.seen.events {
                0 => known.seen = seen,
                _ => known.seen.merge(&seen),
            }
            known.days.merge(&days);
        }
        if facts.seen.capacity() > self.room.capacity() {
            self.room = facts.seen;
        }
        for (alias, witness) in facts.aliases {
            note_alias(&mut self.aliases, alias, placed(witness));
        }
        for (key, mut exchange) in facts.exchanges {
            exchange.place_in(input);
            merge_exchange(&mut self.exchanges, key, exchange);
        }
        for (key, seen) in facts.corroborated {
            if period.has_instant(seen.first.instant) || period.has_instant(seen.last.instant) {
                corroborate(&mut self.corroborated, key, moved(seen));
            }
        }
    }

    /// Adds hours in which a server wrote rows.
    pub fn add_active(&mut self, active: Active, hours: Hours) {
        *self.active.entry(active).or_default() |= hours;
    }

    /// What was seen of everything that was seen.
    pub fn into_usage(self) -> Usage {
        let mut facts = self.used;
        facts.retain(|used| used.seen.events > 0);
        let outside = self.outside.into_values().collect();
        Usage {
            names: self.names,
            servers: self.servers,
            facts,
            outside,
            aliases: self.aliases,
            exchanges: self.exchanges,
            corroborated: self.corroborated,
            active: self.active,
            places: self.places,
            ..Usage::default()
        }
    }
}
