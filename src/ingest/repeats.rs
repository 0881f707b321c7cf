//! Inputs that were read twice: the same bytes, or the beginning of a longer copy.
//!
//! Most inputs share their beginning with no other, and their facts merge as soon as they are read.
//! Those that might repeat another are kept apart until every digest is known.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use rayon::prelude::*;

use super::Reading;
use super::account::Held;
use super::input::InputReport;
use crate::digest::ContentHasher;
use crate::discover::{Input, Origin};
use crate::source::{Opened, ReadOptions, head};

/// Lengths at which beginnings are compared; an input shorter than the first has one of its own.
const LENGTHS: [usize; 7] = [64, 128, 256, 512, 1024, 2048, 4096];

/// A beginning: its length, and a hash of it.
type Beginning = (usize, u64);

/// Which inputs may be the same as another, or the beginning of one. Never misses one; may be wrong
/// about one that shares its beginning by chance, which costs memory and nothing else.
pub(super) fn contested(inputs: &[Input]) -> Vec<bool> {
    let hasher = DefaultHashBuilder::default();
    let beginnings: Vec<Vec<Beginning>> =
        inputs.par_iter().map(|input| beginnings(input, &hasher)).collect();
    // The longest beginning of each input that has no more of it.
    let mut longest: HashMap<Beginning, usize> = HashMap::new();
    for last in beginnings.iter().filter_map(|b| b.last()) {
        *longest.entry(*last).or_default() += 1;
    }
    let mut shared: HashSet<Beginning> = HashSet::new();
    for all in &beginnings {
        for (i, beginning) in all.iter().enumerate() {
            let own = usize::from(i + 1 == all.len());
            if longest.get(beginning).is_some_and(|n| *n > own) {
                shared.insert(*beginning);
            }
        }
    }
    // Standard input cannot be looked at twice, so it may repeat anything.
    let stdin = inputs.iter().any(|i| i.origin == Origin::Stdin);
    beginnings.iter().map(|all| stdin || all.iter().any(|b| shared.contains(b))).collect()
}

fn beginnings(input: &Input, hasher: &DefaultHashBuilder) -> Vec<Beginning> {
    let most = LENGTHS[LENGTHS.len() - 1];
    // An input that cannot be read says so when it is read.
    let Ok(head) = (if input.origin == Origin::Stdin { Ok(Vec::new()) } else { head(input, most) })
    else {
        return Vec::new();
    };
    let beginning = |length: usize| (length, hasher.hash_one(&head[..length]));
    let lengths = LENGTHS.iter().copied().filter(|l| *l <= head.len());
    let mut all: Vec<Beginning> = lengths.map(beginning).collect();
    if all.is_empty() && !head.is_empty() {
        all.push(beginning(head.len()));
    }
    all
}

/// Names every duplicate and every superseded input among the contested ones.
pub(super) fn settle(
    inputs: &[Input],
    reports: &mut [InputReport],
    contested: &[(usize, Held)],
    reading: &Reading,
) {
    let mut originals: BTreeMap<String, usize> = BTreeMap::new();
    let mut distinct = Vec::new();
    for (i, _) in contested {
        let Some(digest) = reports[*i].digest.clone().filter(|_| reports[*i].bytes > 0) else {
            continue;
        };
        match originals.get(&digest) {
            Some(original) => reports[*i].duplicate_of = Some(reports[*original].path.clone()),
            None => {
                originals.insert(digest, *i);
                distinct.push(*i);
            }
        }
    }
    let told: BTreeMap<usize, &Held> = contested.iter().map(|(i, held)| (*i, held)).collect();
    for long in &distinct {
        // Beginnings of the longer input, shortest first, all hashed in one reading.
        let shorter: BTreeMap<u64, Vec<usize>> = distinct
            .iter()
            .filter(|short| {
                let (a, b) = (&reports[**short], &reports[*long]);
                a.bytes < b.bytes
                    && a.format == b.format
                    && a.lines.events > 0
                    && a.superseded_by.is_none()
                    && same_server(told[*short], told[long], &inputs[**short], &inputs[*long])
            })
            .fold(BTreeMap::new(), |mut map, short| {
                map.entry(reports[*short].bytes).or_insert_with(Vec::new).push(*short);
                map
            });
        if shorter.is_empty() {
            continue;
        }
        for (length, digest) in
            prefix_digests(&inputs[*long], shorter.keys().copied(), &reading.options)
        {
            for short in &shorter[&length] {
                if reports[*short].digest.as_ref() == Some(&digest) {
                    reports[*short].superseded_by = Some(reports[*long].path.clone());
                }
            }
        }
    }
}

/// The logs themselves say the server, or else they lie in the same folder.
fn same_server(short: &Held, long: &Held, a: &Input, b: &Input) -> bool {
    (short.names_server && long.names_server) || a.components() == b.components()
}

/// Digests of the first bytes of an input, for each of the ascending `lengths`. What cannot be read
/// again has none.
fn prefix_digests(
    input: &Input,
    lengths: impl Iterator<Item = u64>,
    options: &ReadOptions,
) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    if input.origin == Origin::Stdin {
        return found;
    }
    let mut lengths = lengths.peekable();
    let mut hasher = ContentHasher::new(options.digest);
    let mut at = 0u64;
    let mut feed = |bytes: &[u8]| {
        let mut bytes = bytes;
        while let Some(length) = lengths.peek().copied() {
            let wanted = (length - at) as usize;
            if wanted > bytes.len() {
                break;
            }
            let (now, later) = bytes.split_at(wanted);
            hasher.update(now);
            at = length;
            bytes = later;
            found.extend(hasher.clone().finish().map(|digest| (length, digest)));
            lengths.next();
        }
        hasher.update(bytes);
        at += bytes.len() as u64;
        lengths.peek().is_some()
    };
    match input.open(options) {
        Ok(Opened::Mapped(log)) => {
            feed(log.bytes());
        }
        Ok(Opened::Stream(mut stream)) => {
            let mut block = Vec::new();
            while let Ok(true) = stream.next_block(&mut block) {
                if !feed(&block) {
                    break;
                }
            }
        }
        Err(_) => {}
    }
    found
}
