//! One text, parsed segment by segment by whoever is free.
//!
//! A worker that is done with a segment takes the next one, so that nobody waits for the slowest; what
//! segments told is added in their order. Each is begun in the state that is to be expected there. One
//! that turns out to have been begun in another is parsed again when its turn comes.
//! The digest follows them by whole segments: taken piece by piece while the bytes are in the nearest
//! cache, it took longer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use calproof_parsers::{LogFormat, Scope, Segment, State};
use rayon::prelude::*;

use super::Progress;
use super::account::{Account, Tallies, lock};
use crate::digest::ContentHasher;
use crate::facts::collector::Told;
use crate::source::MappedLog;

/// How many times the least segment the largest one has.
const MOST: usize = 8;

/// The most bytes, about, that are parsed and still to be taken into the digest while others are parsed.
const BEHIND: usize = 64 << 20;

/// A text, and what is to be known of it.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    /// Whole lines.
    pub(super) bytes: &'t [u8],
    /// Offset of the first byte in the decoded text of the input.
    pub(super) base: u64,
    pub(super) format: &'static dyn LogFormat,
    pub(super) eol: u8,
    pub(super) folder: &'t str,
    pub(super) scope: &'t Scope,
    /// The least bytes of a segment, about.
    pub(super) least: usize,
    /// The map that the bytes lie in: what is read of it is given back.
    pub(super) map: Option<&'t MappedLog>,
    pub(super) progress: &'t dyn Progress,
}

/// A text on its way.
struct Course<'c, 'a> {
    text: Text<'c>,
    tallies: &'a Tallies,
    next: Mutex<Next>,
    turn: Mutex<Turn<'c, 'a>>,
    /// `None` where there is no digest to take.
    digest: Option<Mutex<Digest<'c>>>,
    /// All before this offset is given back.
    released: AtomicUsize,
}

/// What is to be begun.
struct Next {
    at: usize,
    /// Segments that were begun, and how many of them are added.
    begun: usize,
    added: usize,
    /// The state to be expected.
    state: State,
}

/// What is to be added.
struct Turn<'c, 'a> {
    account: &'c mut Account<'a>,
    /// The state behind all that is added, and where that ends.
    state: &'c mut State,
    end: usize,
    /// Segments that are added.
    added: usize,
    /// Segments that wait for one before them, by number.
    waiting: BTreeMap<usize, Parsed>,
}

/// A segment that is begun.
struct Begun {
    number: usize,
    range: Range<usize>,
    before: State,
}

/// A segment that is parsed.
struct Parsed {
    range: Range<usize>,
    before: State,
    after: State,
    told: Told,
}

/// A digest of all bytes before one.
struct Digest<'c> {
    hasher: &'c mut ContentHasher,
    at: usize,
}

impl Text<'_> {
    /// Parses all of it: `state` comes in as the lines before left it and goes out as these leave it.
    /// What the segments tell goes to `account`, the bytes to `hasher`.
    pub(super) fn parse(
        self,
        state: &mut State,
        account: &mut Account<'_>,
        hasher: &mut ContentHasher,
    ) {
        let len = self.bytes.len();
        let next = Next { at: 0, begun: 0, added: 0, state: state.clone() };
        let tallies = account.tallies;
        let turn = Turn { account, state, end: 0, added: 0, waiting: BTreeMap::new() };
        let digest = hasher.is_hashing().then(|| Mutex::new(Digest { hasher, at: 0 }));
        let (next, turn) = (Mutex::new(next), Mutex::new(turn));
        let released = AtomicUsize::new(0);
        let course = Course { text: self, tallies, next, turn, digest, released };
        if len <= self.least {
            course.work();
        } else {
            let workers = rayon::current_num_threads();
            (0..workers).into_par_iter().with_max_len(1).for_each(|_| course.work());
        }
        if let Some(digest) = &course.digest {
            lock(digest).follow(self.bytes, len);
        }
        course.release();
    }
}

impl Course<'_, '_> {
    /// Parses segments until there is none to begin.
    fn work(&self) {
        while let Some(Begun { number, range, before }) = self.begin() {
            let (told, after) = self.parse(range.clone(), &before);
            self.text.progress.advance(range.len() as u64);
            self.done(number, Parsed { range, before, after, told });
            self.release();
        }
    }

    /// The next segment. There is none at the end of the text, and while one is parsed that decides how
    /// the next is to be begun.
    fn begin(&self) -> Option<Begun> {
        let Text { bytes, format, eol, least, .. } = self.text;
        let mut next = lock(&self.next);
        let tied = next.begun > next.added && !format.divisible(&next.state);
        if next.at >= bytes.len() || tied {
            return None;
        }
        // Smaller and smaller, so that all workers end at about the same time.
        let share = (bytes.len() - next.at).div_ceil(rayon::current_num_threads());
        let least = least.max(1);
        let most = share.clamp(least, least.saturating_mul(MOST));
        let (number, start) = (next.begun, next.at);
        let end = match start.checked_add(most) {
            Some(end) if end < bytes.len() => format.boundary(bytes, end, eol),
            _ => bytes.len(),
        };
        next.begun += 1;
        next.at = end;
        let before = next.state.clone();
        Some(Begun { number, range: start..end, before })
    }

    /// What a segment that is begun in the state `before` tells, and the state behind it.
    fn parse(&self, range: Range<usize>, before: &State) -> (Told, State) {
        let Text { bytes, base, format, eol, folder, scope, .. } = self.text;
        let base = base + range.start as u64;
        let segment = Segment { text: &bytes[range], base, eol, scope };
        let mut after = before.clone();
        let told = self.tallies.parse(format, &segment, folder, &mut after);
        if after != *before {
            lock(&self.next).state = after.clone();
        }
        (told, after)
    }

    /// Adds a segment, if those before it are added, and those that have waited for it.
    fn done(&self, number: usize, parsed: Parsed) {
        let mut turn = lock(&self.turn);
        turn.waiting.insert(number, parsed);
        loop {
            let number = turn.added;
            let Some(Parsed { range, before, mut after, mut told }) = turn.waiting.remove(&number)
            else {
                break;
            };
            if before != *turn.state {
                (told, after) = self.parse(range.clone(), turn.state);
            }
            turn.account.add(told);
            *turn.state = after;
            turn.end = range.end;
            turn.added += 1;
        }
        let mut next = lock(&self.next);
        next.added = turn.added;
        if next.added == next.begun {
            next.state = turn.state.clone();
        }
    }

    /// Takes into the digest what is parsed and added, and gives it back.
    fn release(&self) {
        let Some(map) = self.text.map else { return };
        let mut end = lock(&self.turn).end;
        if let Some(digest) = &self.digest {
            // If another worker is at it, it will come back here; but it must not fall behind too far.
            let far = end.saturating_sub(self.released.load(Ordering::Relaxed)) > BEHIND;
            let taken = if far { Some(lock(digest)) } else { digest.try_lock().ok() };
            let Some(mut digest) = taken else { return };
            digest.follow(self.text.bytes, end);
            end = digest.at;
        }
        let released = self.released.fetch_max(end, Ordering::Relaxed);
        map.release(released..end.max(released));
    }
}

impl Digest<'_> {
    /// Takes the bytes before `end` that it has not taken yet.
    fn follow(&mut self, bytes: &[u8], end: usize) {
        if let Some(more) = bytes.get(self.at..end) {
            self.hasher.update(more);
            self.at = end;
        }
    }
}
