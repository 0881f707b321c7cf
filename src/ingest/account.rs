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

/// A tally for each worker, and what its parsers remember. A worker holds its own while it parses a
/// segment, and another one only to add to it.
pub(crate) struct Tallies(Vec<Mutex<(Tally, Memory)>>);

impl Tallies {
    pub(crate) fn new(workers: usize) -> Tallies {
        Tallies((0..workers.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Parses a segment of an input that lies in `folder`, in terms of this worker's tally.
    pub(crate) fn parse(
        &self,
        format: &dyn LogFormat,
        segment: &Segment<'_>,
        folder: &str,
        state: &mut State,
    ) -> Told {
        let number = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        let (tally, memory) = &mut *self.lock(number as u32);
        let mut collector = Collector::new(tally, number as u32, folder);
        format.parse(segment, state, memory, &mut collector);
        collector.finish()
    }

    /// Adds what was held back of an input that counts after all.
    pub(super) fn settle(&self, held: Held, report: &InputReport, input: u32, period: &Period) {
        for facts in held.facts {
            self.lock(facts.tally).0.add(facts, input, period);
        }
        for ((tally, server, day), hours) in held.active {
            let (format, blind) = (report.format, report.is_blind());
            let active = Active { server, format, blind, day, input };
            self.lock(tally).0.add_active(active, hours);
        }
    }

    /// What all of them say.
    pub(crate) fn into_usage(self) -> Usage {
        let tallies = self.0.into_par_iter();
        let tallies = tallies.map(|t| t.into_inner().unwrap_or_else(PoisonError::into_inner).0);
        let mut usages: Vec<Usage> = tallies.map(Tally::into_usage).collect();
        usages.sort_by_key(|usage| usage.facts.len());
        let mut all = usages.pop().unwrap_or_default();
        usages.into_iter().for_each(|usage| all.merge(usage));
        all
    }

    fn lock(&self, number: u32) -> MutexGuard<'_, (Tally, Memory)> {
        // A worker that panicked takes the program with it.
        self.0[number as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    period: &'t Period,
    /// All that was told but the facts.
    told: Told,
    /// The facts so far, where they are held back.
    held: Option<Vec<Facts>>,
}

impl<'t> Account<'t> {
    /// For the input of that place in the sorted list of inputs.
    pub(crate) fn new(
        tallies: &'t Tallies,
        input: u32,
        period: &'t Period,
        contested: bool,
    ) -> Account<'t> {
        let held = contested.then(Vec::new);
        Account { tallies, input, period, told: Told::default(), held }
    }

    /// Adds what the next segment told.
    pub(crate) fn add(&mut self, mut segment: Told) {
        let mut facts = std::mem::take(&mut segment.facts);
        facts.shift(self.told.lines.total());
        self.told.append(segment);
        let Some(held) = &mut self.held else {
            self.tallies.lock(facts.tally).0.add(facts, self.input, self.period);
            return;
        };
        match held.iter_mut().find(|known| known.tally == facts.tally) {
            Some(known) => known.append(facts),
            None => held.push(facts),
        }
    }

    /// Ends the reading: the lines go to the report, and what is held back to the caller.
    pub(crate) fn close(self, report: &mut InputReport) -> Option<Held> {
        report.told(&self.told);
        let contested = self.held.is_some();
        let held = Held {
            facts: self.held.unwrap_or_default(),
            active: self.told.active,
            names_server: self.told.names_server,
        };
        if contested {
            return Some(held);
        }
        self.tallies.settle(held, report, self.input, self.period);
        None
    }
}
