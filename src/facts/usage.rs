//! The facts of all inputs, without the inputs: what grows with people and devices, not with lines
//! or days.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;

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
        let used = Used { key, seen, days };
        put(facts, index, names, names.hash(&used.key), Cow::Owned(used));
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
        let plain = |key: &Key| (key.service, key.outcome, key.marks, key.client, key.device.kind);
        for facts in [facts, outside] {
            // Facts are large: where they go is found out first, then each is moved once.
            let places = facts.par_iter().map(|fact| fact.seen.first).zip(0..facts.len() as u32);
            let mut places: Vec<(Witness, u32)> = places.collect();
            let key = |place: &u32| &facts[*place as usize].key;
            places.par_sort_unstable_by(|(first, a), (other, b)| {
                let (a, b) = (key(a), key(b));
                first
                    .cmp(other)
                    .then_with(|| plain(a).cmp(&plain(b)))
                    .then_with(|| text(a).cmp(&text(b)))
            });
            *facts = places.par_iter().map(|(_, place)| facts[*place as usize].clone()).collect();
        }
        // The places in the lists have changed.
        self.index = Default::default();
    }

    /// Records that two names belong together.
    pub fn alias(&mut self, alias: Alias, witness: Witness) {
        note_alias(&mut self.aliases, alias, witness);
    }

    /// Puts together what was found out by several.
    pub fn of_all(mut usages: Vec<Usage>) -> Usage {
        // Whoever knows most need not be told it.
        usages.sort_by_key(|usage| usage.names.len());
        let Some(mut all) = usages.pop() else { return Usage::default() };
        // How many know each server.
        let mut known_to = vec![1_u32; all.servers.len()];
        let mut lists = vec![[mem::take(&mut all.facts), mem::take(&mut all.outside)]];
        for other in usages {
            let names = all.names.adopt(&other.names);
            let servers: Vec<u32> =
                other.servers.iter().map(|s| all.server(renamed(s, &names))).collect();
            known_to.resize(all.servers.len(), 0);
            servers.iter().for_each(|server| known_to[*server as usize] += 1);
            let mut facts = [other.facts, other.outside];
            facts.par_iter_mut().flatten().for_each(|used| {
                used.key = rekeyed(&used.key, &names, &servers);
            });
            lists.push(facts);
            for (alias, witness) in &other.aliases {
                all.alias(realiased(alias, &names), *witness);
            }
            for (key, exchange) in other.exchanges {
                merge_exchange(&mut all.exchanges, key, exchange);
            }
            for ((server, mailbox), seen) in other.corroborated {
                let key = (servers[server as usize], mailbox.in_terms_of(&names));
                corroborate(&mut all.corroborated, key, seen);
            }
            for (active, hours) in other.active {
                let active = Active { server: servers[active.server as usize], ..active };
                *all.active.entry(active).or_default() |= hours;
            }
        }
        let (inside, outside) = lists.into_iter().map(<(_, _)>::from).unzip();
        (all.facts, all.outside) = rayon::join(
            || united(inside, &known_to, &all.names),
            || united(outside, &known_to, &all.names),
        );
        all
    }
}

/// Puts what was seen of a fact, whose key has this hash, to what is known of it; `index` has the place
/// of every fact in the list.
fn put(
    facts: &mut Vec<Used>,
    index: &mut HashTable<u32>,
    names: &Names,
    hash: u64,
    used: Cow<'_, Used>,
) {
    if let Some(at) = index.find(hash, |i| facts[*i as usize].key == used.key) {
        let known = &mut facts[*at as usize];
        known.seen.merge(&used.seen);
        known.days.merge(&used.days);
        return;
    }
    let at = facts.len() as u32;
    facts.push(used.into_owned());
    index.insert_unique(hash, at, |i| names.hash(&facts[*i as usize].key));
}

/// The facts of several lists, each once; only those of a server that several know can stand in more
/// than one.
fn united(lists: Vec<Vec<Used>>, known_to: &[u32], names: &Names) -> Vec<Used> {
    let alone = |used: &Used| known_to[used.key.server as usize] == 1;
    let mut lists = lists.into_iter();
    let mut all = lists.next().unwrap_or_default();
    let mut common: Vec<Used> = all.extract_if(.., |used| !alone(used)).collect();
    for used in lists.flatten() {
        if alone(&used) { &mut all } else { &mut common }.push(used);
    }
    // Each thread unites those of some hashes.
    let hashes: Vec<u64> = common.par_iter().map(|used| names.hash(&used.key)).collect();
    let shares = rayon::current_num_threads();
    let unite = |share: usize| {
        let (mut facts, mut index) = (Vec::new(), HashTable::new());
        let all = hashes.iter().zip(&common);
        for (hash, used) in all.filter(|(hash, _)| (*hash >> 32) as usize % shares == share) {
            put(&mut facts, &mut index, names, *hash, Cow::Borrowed(used));
        }
        facts
    };
    all.par_extend((0..shares).into_par_iter().flat_map_iter(unite));
    all
}

#[cfg(test)]
mod tests {
    use calproof_parsers::{Client, Marks, Outcome, Service, Software};
    use proptest::prelude::*;

    use super::*;
    use crate::facts::{Device, DeviceKind};

    /// A fact of few servers, people and days: inside the period, server, principal, instant.
    type Row = (bool, u8, u8, u8);

    fn note(usage: &mut Usage, (inside, server, principal, instant): Row) {
        let name = usage.names.intern(format!("EX0{server}").as_bytes());
        let none = Name::NONE;
        let server =
            Server { name, address: none, target: none, folder: none, software: Software::Unknown };
        let key = Key {
            server: usage.server(server),
            service: Service::Owa,
            outcome: Outcome::Served,
            principal: usage.names.intern(format!("anna{principal}").as_bytes()),
            acted_for: none,
            device: Device { kind: DeviceKind::None, id: none, agent: none },
            client: Client::Inside,
            marks: Marks::NONE,
        };
        let at = u64::from(instant);
        let witness = Witness { instant: i64::from(instant), input: 0, byte: at, line: at + 1 };
        usage.add(inside, key, Sightings::once(witness), Days::one(i32::from(instant)));
    }

    /// All that is known, whatever its numbers.
    fn said(mut usage: Usage) -> Vec<String> {
        usage.sort();
        let text = |name| String::from_utf8_lossy(usage.names.get(name)).into_owned();
        let said = |used: &Used| {
            let server = text(usage.servers[used.key.server as usize].name);
            let days: Vec<i32> = used.days.iter().collect();
            format!("{server} {} {:?} {days:?}", text(used.key.principal), used.seen)
        };
        let outside = usage.outside.iter().map(|used| format!("outside: {}", said(used)));
        usage.facts.iter().map(said).chain(outside).collect()
    }

    proptest! {
        /// Whoever found out what: together it is what one would have found out.
        #[test]
        fn what_several_found_out_is_what_one_would_have(
            rows in prop::collection::vec((0usize..4, (any::<bool>(), 0u8..3, 0u8..5, 0u8..9)), 0..60)) {
            let mut one = Usage::default();
            let mut several: Vec<Usage> = (0..4).map(|_| Usage::default()).collect();
            for (who, row) in rows {
                note(&mut one, row);
                note(&mut several[who], row);
            }
            prop_assert_eq!(said(Usage::of_all(several)), said(one));
        }
    }
}
