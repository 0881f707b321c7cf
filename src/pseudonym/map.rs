//! The values of a census without names, struct by struct.
//!
//! Every struct is taken apart with all its fields, so that a new one does not compile until somebody
//! decides what it holds. Lists that were sorted by name are sorted again.

use super::input::after_path;
use super::names::{Kind, Pseudonyms};
use crate::census::{
    Corroborated, Coverage, Excluded, Mix, Multiplexer, Overlap, Pair, Person, ProbableAliases,
    Requirement, ServerUse, Unresolved, Warning,
};
use crate::facts::Witness;

/// What stands before a device that nobody identified, of a shared account.
pub(super) const A_DEVICE_OF: &str = "a device of ";
/// Warnings whose text is the program's own, with numbers at most.
const NAMELESS: [&str; 13] = [
    "assumed-encoding",
    "assumed-fields",
    "bare-names",
    "blind-log",
    "changed-while-read",
    "coverage-gaps",
    "duplicates-not-checked",
    "idle-key",
    "no-access-log",
    "rejected-lines",
    "time-zones-differ",
    "unknown-log",
    "unknown-time-base",
];
/// Reasons that are more than a code, and the program's own.
const PHRASES: [&str; 3] = [
    "its names counted apart",
    "shared account, one per address",
    "suspected shared account, one per device at once",
];
const PROBABLE_ALIAS: &str = "probable alias: ";
const BEHIND: &str = "behind ";

/// The mapping of the values of a census.
pub(super) struct Map<'k> {
    pub(super) names: Pseudonyms<'k>,
    /// New place of each input.
    pub(super) place: Vec<u32>,
}

impl Map<'_> {
    pub(super) fn sorted<T: Ord>(
        &mut self,
        list: Vec<T>,
        map: impl Fn(&mut Self, T) -> T,
    ) -> Vec<T> {
        let mut list: Vec<T> = list.into_iter().map(|item| map(self, item)).collect();
        list.sort();
        list
    }

    pub(super) fn sorted_by<T, K: Ord>(
        &mut self,
        list: Vec<T>,
        map: impl Fn(&mut Self, T) -> T,
        key: impl Fn(&T) -> K,
    ) -> Vec<T> {
        let mut list: Vec<T> = list.into_iter().map(|item| map(self, item)).collect();
        list.sort_by_cached_key(key);
        list
    }

    pub(super) fn id(&mut self, id: &str) -> String {
        self.names.give(Kind::Person, id)
    }

    pub(super) fn device(&mut self, label: &str) -> String {
        match label.strip_prefix(A_DEVICE_OF) {
            Some(account) => format!("{A_DEVICE_OF}{}", self.id(account)),
            None => self.names.give(Kind::Device, label),
        }
    }

    /// Whoever or whatever holds or lacks a CAL.
    pub(super) fn holder(&mut self, text: &str) -> String {
        match text.strip_prefix(A_DEVICE_OF) {
            Some(account) => format!("{A_DEVICE_OF}{}", self.id(account)),
            None => self.names.of_any(text),
        }
    }

    pub(super) fn server(&mut self, name: &str) -> String {
        match self.names.servers.contains(&name.to_lowercase()) {
            true => name.to_owned(),
            false => self.names.give(Kind::Server, name),
        }
    }

    pub(super) fn ids(&mut self, ids: Vec<String>) -> Vec<String> {
        self.sorted(ids, |map, id| map.names.of_any(&id))
    }

    pub(super) fn devices(&mut self, labels: Vec<String>) -> Vec<String> {
        self.sorted(labels, |map, label| map.device(&label))
    }

    pub(super) fn servers(&mut self, names: Vec<String>) -> Vec<String> {
        self.sorted(names, |map, name| map.server(&name))
    }

    pub(super) fn witness(&self, witness: Witness) -> Witness {
        let Witness { instant, input, byte, line } = witness;
        Witness { instant, input: self.input(input), byte, line }
    }

    /// The new place of an input.
    fn input(&self, input: u32) -> u32 {
        self.place.get(input as usize).copied().unwrap_or(input)
    }

    /// A reason that the program gave: a code, a phrase, or one with a name that it is about.
    pub(super) fn reason(&mut self, text: &str) -> String {
        let is_code = text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_');
        if is_code || PHRASES.contains(&text) {
            text.to_owned()
        } else if let Some(local) = text.strip_prefix(PROBABLE_ALIAS) {
            format!("{PROBABLE_ALIAS}{}", self.names.give(Kind::Account, local))
        } else if let Some(id) = text.strip_prefix(BEHIND).filter(|id| self.names.ids.contains(*id))
        {
            format!("{BEHIND}{}", self.id(id))
        } else {
            self.names.give(Kind::Text, text)
        }
    }

    /// Why names are one: a code, or attributes of the directory, without the places of its entries.
    pub(super) fn join_reason(&mut self, text: &str) -> String {
        let (attributes, _) = text.split_once(" (").unwrap_or((text, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b' ');
        match attributes.bytes().all(plain) && !self.names.mentions(attributes) {
            true => attributes.to_owned(),
            false => self.names.give(Kind::Text, text),
        }
    }

    pub(super) fn requirement(&mut self, requirement: Requirement) -> Requirement {
        let Requirement {
            product,
            cal,
            version,
            by_version,
            users,
            demand_without_declared,
            shared_accounts,
            shared_devices,
            machine_devices,
            devices_identified,
            devices_unidentified,
            device_cals_suffice,
            people_from_unidentified,
            mix,
            reassignment,
            lower_without,
            upper_with,
        } = requirement;
        Requirement {
            product,
            cal,
            version,
            by_version,
            users,
            demand_without_declared,
            shared_accounts,
            shared_devices,
            machine_devices,
            devices_identified,
            devices_unidentified,
            device_cals_suffice,
            people_from_unidentified,
            mix: self.mix(mix),
            reassignment,
            lower_without: self.sorted(lower_without, |map, (name, reason)| {
                (map.names.of_any(&name), map.reason(&reason))
            }),
            upper_with: self.sorted(upper_with, |map, (name, reason, cals)| {
                (map.names.of_any(&name), map.reason(&reason), cals)
            }),
        }
    }

    pub(super) fn mix(&mut self, mix: Mix) -> Mix {
        let Mix { user_cals, device_cals, users, devices, proof, without_device, pairs } = mix;
        Mix {
            user_cals,
            device_cals,
            users: self.ids(users),
            devices: self.devices(devices),
            proof: self.sorted(proof, |map, (person, device, witness)| {
                (map.id(&person), map.device(&device), map.witness(witness))
            }),
            without_device: self.ids(without_device),
            pairs: self.sorted(pairs, Map::pair),
        }
    }

    pub(super) fn pair(&mut self, pair: Pair) -> Pair {
        let Pair { person, person_licensable, device, device_licensable, witness, proves } = pair;
        Pair {
            person: self.id(&person),
            person_licensable,
            device: self.device(&device),
            device_licensable,
            witness: self.witness(witness),
            proves,
        }
    }

    pub(super) fn server_use(&mut self, server: ServerUse) -> ServerUse {
        let ServerUse {
            server: name,
            listed,
            product,
            version,
            users,
            devices_identified,
            devices_unidentified,
            services,
            busiest,
        } = server;
        ServerUse {
            server: self.server(&name),
            listed,
            product,
            version,
            users,
            devices_identified,
            devices_unidentified,
            services,
            busiest,
        }
    }

    pub(super) fn person(&mut self, person: Person) -> Person {
        let Person {
            id,
            names,
            joins,
            products,
            servers,
            services,
            devices,
            events,
            failed_events,
            first,
            last,
            witness,
            cals,
            known_to_directory,
            through,
        } = person;
        // Spellings that differ in case have one pseudonym.
        let mut names = self.sorted(names, |map, name| map.names.give(Kind::Account, &name));
        names.dedup();
        Person {
            id: self.id(&id),
            names,
            joins: self.sorted(joins, |map, (one, other, reason)| {
                let [one, other] = [one, other].map(|n| map.names.give(Kind::Account, &n));
                (one, other, map.join_reason(&reason))
            }),
            products,
            servers: self.servers(servers),
            services,
            devices,
            events,
            failed_events,
            first,
            last,
            witness: self.witness(witness),
            cals,
            known_to_directory,
            through: self.ids(through),
        }
    }

    pub(super) fn excluded(&mut self, excluded: Excluded) -> Excluded {
        let Excluded { principal, rule, reason, servers, products, events, witness } = excluded;
        Excluded {
            principal: self.id(&principal),
            rule,
            // A declared reason is the user's own text.
            reason: match rule {
                "declared" => self.names.give(Kind::Text, &reason),
                _ => self.reason(&reason),
            },
            servers: self.servers(servers),
            products,
            events,
            witness: self.witness(witness),
        }
    }

    pub(super) fn unresolved(&mut self, unresolved: Unresolved) -> Unresolved {
        let Unresolved { what, reason, servers, events, witness } = unresolved;
        Unresolved {
            what: self.names.of_any(&what),
            reason,
            servers: self.servers(servers),
            events,
            witness: self.witness(witness),
        }
    }

    pub(super) fn aliases(&mut self, aliases: ProbableAliases) -> ProbableAliases {
        let ProbableAliases { local_part, ids, at_least } = aliases;
        let local_part = self.names.give(Kind::Account, &local_part);
        ProbableAliases { local_part, ids: self.ids(ids), at_least }
    }

    pub(super) fn coverage(&mut self, coverage: Coverage) -> Coverage {
        let Coverage { server, format, days, overlaps, repeats, set_back } = coverage;
        let overlap = |map: &mut Map<'_>, overlap| {
            let Overlap { inputs: (one, other), days } = overlap;
            Overlap { inputs: (map.input(one), map.input(other)), days }
        };
        Coverage {
            server: self.server(&server),
            format,
            days,
            overlaps: self.sorted(overlaps, overlap),
            repeats: self.sorted(repeats, |map, input| map.input(input)),
            set_back: self.sorted(set_back, |map, (input, from, to)| (map.input(input), from, to)),
        }
    }

    /// A warning; `None` for those that are told anew of the mapped census.
    pub(super) fn warning(&mut self, warning: Warning) -> Option<Warning> {
        let Warning { code, path, text } = warning;
        let text = match code {
            "multiplexer" | "multiplexer-not-stated" => return None,
            _ if NAMELESS.contains(&code) => text,
            "unreadable" => after_path(&path, &text, &mut self.names),
            _ => format!("names people, and is withheld: {}", self.names.give(Kind::Text, &text)),
        };
        Some(Warning { code, path: self.names.path(&path), text })
    }

    pub(super) fn corroborated(&mut self, corroborated: Corroborated) -> Corroborated {
        let Corroborated { mailbox, server, person, events, witness } = corroborated;
        Corroborated {
            mailbox: self.names.give(Kind::Account, &mailbox),
            server: self.server(&server),
            person: person.map(|id| self.id(&id)),
            events,
            witness: self.witness(witness),
        }
    }

    pub(super) fn multiplexer(&mut self, multiplexer: Multiplexer) -> Multiplexer {
        let Multiplexer { account, stated, people, unresolved, excluded, events, witness } =
            multiplexer;
        Multiplexer {
            account: self.id(&account),
            stated,
            people: self.ids(people),
            unresolved: self.ids(unresolved),
            excluded: self.ids(excluded),
            events,
            witness: self.witness(witness),
        }
    }
}
