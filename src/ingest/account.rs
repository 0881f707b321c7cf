//! Where the facts of an input go: to the tally of the worker that found them, at once or when it is
//! certain that the input counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use calproof_parsers::{LogFormat, Memory, Segment, State};
use rayon::prelude::*;

use super::input::InputReport;
use crate::facts::collector::{Collector, Told};
use crate::facts::tally::Tally;
use crate::facts::usage::{Active, Period, Usage};
use crate::facts::{Facts, Hours};

/// A tally for each worker, and what its parsers remember.
pub(crate) struct Tallies {
    workers: Vec<Worker>,
    period: Period,
}

/// What one worker keeps. It holds its tally while it parses a segment; nobody else touches it, so what
/// others have for it waits until then.
#[derive(Default)]
struct Worker {
    tally: Mutex<(Tally, Memory)>,
    waiting: Mutex<Vec<Entry>>,
}

/// What is to be added to a tally, and the place of its input in the sorted list of inputs.
enum Entry {
    Facts(Facts, u32),
    Active(Active, Hours),
}

impl Tallies {
    /// For so many workers; facts count that lie in the period.
    pub(crate) fn new(workers: usize, period: Period) -> Tallies {
        let workers = (0..workers.max(1)).map(|_| Worker::default()).collect();
        Tallies { workers, period }
    }

    /// Parses a segment of an input that lies in `folder`, in terms of this worker's tally.
    pub(crate) fn parse(
        &self,
        format: &dyn LogFormat,
        segment: &Segment<'_>,
        folder: &str,
        state: &mut State,
    ) -> Told {
        let number = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        let worker = &self.workers[number];
        let (tally, memory) = &mut *lock(&worker.tally);
        let waiting = std::mem::take(&mut *lock(&worker.waiting));
        waiting.into_iter().for_each(|entry| entry.add(tally, &self.period));
        let mut collector = Collector::new(tally, number as u32, folder);
        format.parse(segment, state, memory, &mut collector);
        collector.finish()
    }

    /// Adds what was held back of an input that counts after all.
    pub(super) fn settle(&self, held: Held, report: &InputReport, input: u32) {
        held.facts.into_iter().for_each(|facts| self.add(facts, input));
        for ((tally, server, day), hours) in held.active {
            let (format, blind) = (report.format, report.is_blind());
            let active = Active { server, format, blind, day, input };
            self.wait(tally, Entry::Active(active, hours));
        }
    }

    /// Adds facts of an input that counts.
    fn add(&self, facts: Facts, input: u32) {
        self.wait(facts.tally, Entry::Facts(facts, input));
    }

    fn wait(&self, tally: u32, entry: Entry) {
        lock(&self.workers[tally as usize].waiting).push(entry);
    }

    /// What all of them say.
    pub(crate) fn into_usage(self) -> Usage {
        let tallies = self.workers.into_par_iter().map(|Worker { tally, waiting }| {
            let (mut tally, _) = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
            let waiting = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
            waiting.into_iter().for_each(|entry| entry.add(&mut tally, &self.period));
            tally
        });
        Usage::of_all(tallies.map(Tally::into_usage).collect())
    }
}

impl Entry {
    fn add(self, tally: &mut Tally, period: &Period) {
        match self {
            Entry::Facts(facts, input) => tally.add(facts, input, period),
            Entry::Active(active, hours) => tally.add_active(active, hours),
        }
    }
}

/// The content of a mutex.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A worker that panicked takes the program with it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is held back of an input.
pub(crate) struct Held {
    /// One for each tally.
    facts: Vec<Facts>,
    active: BTreeMap<(u32, u32, i32), Hours>,
    /// The log itself says which server wrote it.
    pub(super) names_server: bool,
}

/// What an input tells, while it is read.
pub(crate) struct Account<'t> {
    pub(super) tallies: &'t Tallies,
    input: u32,
    /// All that was told but the facts.
    told: Told,
    /// The facts so far, where they are held back.
    held: Option<Vec<Facts>>,
}

impl<'t> Account<'t> {
    /// For the input of that place in the sorted list of inputs.
    pub(crate) fn new(tallies: &'t Tallies, input: u32, contested: bool) -> Account<'t> {
        let held = contested.then(Vec::new);
        Account { tallies, input, told: Told::default(), held }
    }

    /// Adds what the next segment told.
    pub(crate) fn add(&mut self, mut segment: Told) {
        let mut facts = std::mem::take(&mut segment.facts);
        facts.shift(self.told.lines.total());
        match self.told.lines.total() {
            0 => self.told = segment,
            _ => self.told.append(segment),
        }
        let Some(held) = &mut self.held else {
            self.tallies.add(facts, self.input);
            return;
        };
        match held.iter_mut().find(|known| known.tally == facts.tally) {
            Some(known) => known.append(facts),
            None => held.push(facts),
        }
    }

    /// Ends the reading: the lines go to the report, and what is held back to the caller.
    pub(crate) fn close(mut self, report: &mut InputReport) -> Option<Held> {
        report.told(&mut self.told);
        let contested = self.held.is_some();
        let held = Held {
            facts: self.held.unwrap_or_default(),
            active: self.told.active,
            names_server: self.told.names_server,
        };
        if contested {
            return Some(held);
        }
        self.tallies.settle(held, report, self.input);
        None
    }
}
