//! The facts of all inputs, without the inputs: what grows with people and devices, not with lines
//! or days.

use std::collections::BTreeMap;

use calproof_parsers::sip::{Exchange, ExchangeKey};
use calproof_parsers::time::DAY_MS;
use hashbrown::{HashMap, HashTable};
use rayon::prelude::*;

use super::days::Days;
use super::names::{Name, Names};
use super::{
    Alias, Hours, Key, Server, Sightings, Witness, corroborate, merge_exchange, note_alias,
    realiased, rekeyed, renamed,
};

/// The period that is asked about: whole UTC days since 1970-01-01, both included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Period {
    /// First day; `None` for no bound.
    pub from: Option<i32>,
    /// Last day; `None` for no bound.
    pub to: Option<i32>,
}

impl Period {
    /// Whether a day lies in the period.
    pub fn has(&self, day: i32) -> bool {
        self.from.is_none_or(|f| day >= f) && self.to.is_none_or(|t| day <= t)
    }

    /// Whether an instant (milliseconds since 1970) lies in the period.
    pub fn has_instant(&self, instant: i64) -> bool {
        self.has(instant.div_euclid(DAY_MS) as i32)
    }
}

/// A fact over all its days.
#[derive(Clone, Debug)]
pub struct Used {
    /// What is the same in all its rows.
    pub key: Key,
    /// What was seen in the period.
    pub seen: Sightings,
    /// The days in the period on which it was seen.
    pub days: Days,
}

/// Where and when rows were written.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Active {
    /// Index of the server.
    pub server: u32,
    /// Format of the log.
    pub format: &'static str,
    /// Whether the log's columns cannot show who was there.
    pub blind: bool,
    /// Days since 1970-01-01 (UTC).
    pub day: i32,
    /// Place of the input in the sorted list of inputs, from 0.
    pub input: u32,
}

/// Merged facts.
#[derive(Default)]
pub struct Usage {
    /// The strings that keys refer to.
    pub names: Names,
    /// The servers that keys refer to.
    pub servers: Vec<Server>,
    /// Facts inside the period, in no meaningful order.
    pub facts: Vec<Used>,
    /// Facts outside the period, in no meaningful order.
    pub outside: Vec<Used>,
    /// Places in the two lists; empty until something is added.
    pub(super) index: [HashTable<u32>; 2],
    pub(super) places: HashMap<Server, u32>,
    /// Names that belong together.
    pub aliases: BTreeMap<Alias, Witness>,
    /// SIP exchanges.
    pub exchanges: BTreeMap<ExchangeKey, Exchange>,
    /// Mailboxes that something was submitted from in the period, by server.
    pub corroborated: BTreeMap<(u32, Name), Sightings>,
    /// Hours with rows.
    pub active: BTreeMap<Active, Hours>,
}

impl Usage {
    /// The index of a server, new or known.
    pub fn server(&mut self, server: Server) -> u32 {
        *self.places.entry(server).or_insert_with(|| {
            self.servers.push(server);
            self.servers.len() as u32 - 1
        })
    }

    /// Adds a fact that was seen on `days`, all inside the period or all outside it.
    pub fn add(&mut self, inside: bool, key: Key, seen: Sightings, days: Days) {
        let Usage { names, facts, outside, index, .. } = self;
        let (facts, index) = if inside { (facts, &mut index[0]) } else { (outside, &mut index[1]) };
        if index.is_empty() && !facts.is_empty() {
            // The facts of a tally, or in another order than they were found in.
            let hash = |i: &u32| names.hash(&facts[*i as usize].key);
            index.reserve(facts.len(), hash);
            (0..facts.len() as u32).for_each(|at| {
                index.insert_unique(hash(&at), at, hash);
            });
        }
        let hash = names.hash(&key);
        if let Some(at) = index.find(hash, |i| facts[*i as usize].key == key) {
            let known = &mut facts[*at as usize];
            known.seen.merge(&seen);
            known.days.merge(&days);
            return;
        }
        let at = facts.len() as u32;
        facts.push(Used { key, seen, days });
        index.insert_unique(hash, at, |i| names.hash(&facts[*i as usize].key));
    }

    /// Puts the facts into an order that depends on nothing but what they say.
    pub fn sort(&mut self) {
        let Usage { names, servers, facts, outside, .. } = self;
        let text = |key: &Key| {
            let server = &servers[key.server as usize];
            let parts = [
                key.principal,
                key.acted_for,
                key.device.id,
                key.device.agent,
                server.name,
                server.address,
            ];
            parts.map(|name| names.get(name))
        };
        let order = |a: &Used, b: &Used| {
            let plain = |u: &Used| {
                (
                    u.seen.first,
                    u.key.service,
                    u.key.outcome,
                    u.key.marks,
                    u.key.client,
                    u.key.device.kind,
                )
            };
            plain(a).cmp(&plain(b)).then_with(|| text(&a.key).cmp(&text(&b.key)))
        };
        facts.par_sort_unstable_by(order);
        outside.par_sort_unstable_by(order);
        // The places in the lists have changed.
        self.index = Default::default();
    }

    /// Records that two names belong together.
    pub fn alias(&mut self, alias: Alias, witness: Witness) {
        note_alias(&mut self.aliases, alias, witness);
    }

    /// Adds the facts of other inputs.
    pub fn merge(&mut self, other: Usage) {
        let names = self.names.adopt(&other.names);
        let own = self.servers.len() as u32;
        let servers: Vec<u32> =
            other.servers.iter().map(|s| self.server(renamed(s, &names))).collect();
        self.facts.reserve(other.facts.len());
        for (inside, facts) in [(true, other.facts), (false, other.outside)] {
            for Used { key, seen, days } in facts {
                let key = rekeyed(&key, &names, &servers);
                // Of a server that only the others know, no fact is known here.
                if key.server >= own && self.index[usize::from(!inside)].is_empty() {
                    let facts = if inside { &mut self.facts } else { &mut self.outside };
                    facts.push(Used { key, seen, days });
                } else {
                    self.add(inside, key, seen, days);
                }
            }
        }
        for (alias, witness) in &other.aliases {
            self.alias(realiased(alias, &names), *witness);
        }
        for (key, exchange) in other.exchanges {
            merge_exchange(&mut self.exchanges, key, exchange);
        }
        for ((server, mailbox), seen) in other.corroborated {
            let key = (servers[server as usize], mailbox.in_terms_of(&names));
            corroborate(&mut self.corroborated, key, seen);
        }
        for (active, hours) in other.active {
            let active = Active { server: servers[active.server as usize], ..active };
            *self.active.entry(active).or_default() |= hours;
        }
    }
}
