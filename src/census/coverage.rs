//! Which days the logs cover: server × format × day.
//!
//! A day is complete when no run of more than [`LONGEST_GAP`] hours passes without a row, midnight
//! to midnight. A quiet small server may fall short of that without a row being lost; the state says
//! what the logs show, not why.
//!
//! Beside the days stand what may make them more than they are: inputs that have rows of the same
//! time (a copy that was cut or saved again counts its events twice, its people once), inputs that
//! repeat another and were left out, and clocks that went back.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Places, is_log_folder};
use super::{Coverage, DayState, Overlap};
use crate::facts::Hours;
use crate::facts::usage::{Period, Usage};
use crate::ingest::input::InputReport;

/// Hours without a row that a complete day may have at a stretch.
pub const LONGEST_GAP: u32 = 6;
/// Exports, whose rows need not stand in the order in which they were written.
const EXPORTS: [&str; 3] = ["iis-etw", "ocs-cdr", "ual"];

/// Hours with rows, by input and day, of one server and format.
type Inputs = BTreeMap<u32, BTreeMap<i32, Hours>>;

/// The coverage of every server by every format, from the first day to the last that any of its logs
/// has.
pub(super) fn coverage(
    usage: &Usage,
    inputs: &[InputReport],
    places: &Places,
    period: &Period,
) -> Vec<Coverage> {
    // Hours with rows that show who was there; none where every row of the day is blind.
    let mut hours: BTreeMap<(usize, &'static str), BTreeMap<i32, Hours>> = BTreeMap::new();
    let mut series: BTreeMap<(usize, &'static str), Inputs> = BTreeMap::new();
    for (active, seen) in &usage.active {
        if period.has(active.day) {
            let key = (places.of[active.server as usize], active.format);
            let days = hours.entry(key).or_default();
            *days.entry(active.day).or_default() |= if active.blind { 0 } else { *seen };
            let days = series.entry(key).or_default().entry(active.input).or_default();
            *days.entry(active.day).or_default() |= *seen;
        }
    }
    // Of each server from its first day to its last in any format.
    let mut spans: BTreeMap<usize, (i32, i32)> = BTreeMap::new();
    for ((server, _), days) in &hours {
        for day in days.keys() {
            let span = spans.entry(*server).or_insert((*day, *day));
            *span = (span.0.min(*day), span.1.max(*day));
        }
    }
    let repeated = repeated(inputs);
    hours
        .into_iter()
        .map(|((server, format), days)| {
            let of = &series[&(server, format)];
            Coverage {
                server: places.list[server].name.clone(),
                format,
                days: (spans[&server].0..=spans[&server].1)
                    .map(|day| match days.get(&day) {
                        None => (day, DayState::Absent),
                        Some(0) => (day, DayState::Blind),
                        Some(seen) if longest_gap(*seen) <= LONGEST_GAP => {
                            (day, DayState::Complete)
                        }
                        Some(_) => (day, DayState::Partial),
                    })
                    .collect(),
                overlaps: overlaps(of, inputs),
                repeats: of.keys().filter_map(|i| repeated.get(i)).flatten().copied().collect(),
                set_back: of
                    .keys()
                    .filter(|_| !EXPORTS.contains(&format))
                    .flat_map(|i| inputs[*i as usize].clock.back.iter().map(|(a, b)| (*i, *a, *b)))
                    .collect(),
            }
        })
        .collect()
}

/// The inputs that repeat an input, by the one that counts.
fn repeated(inputs: &[InputReport]) -> BTreeMap<u32, Vec<u32>> {
    let index: BTreeMap<&str, u32> = (0..).zip(inputs).map(|(i, r)| (r.path.as_str(), i)).collect();
    let mut repeated: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (i, input) in (0..).zip(inputs) {
        let original = input.duplicate_of.as_ref().or(input.superseded_by.as_ref());
        if let Some(original) = original.and_then(|path| index.get(path.as_str())) {
            repeated.entry(*original).or_default().push(i);
        }
    }
    repeated
}

/// Inputs that have rows of one hour and whose times, from the first row to the last, overlap: logs that
/// follow each other share an hour, not a time. Every such input is named with one that began before it.
fn overlaps(of: &Inputs, inputs: &[InputReport]) -> Vec<Overlap> {
    let mut begun: Vec<((i64, i64), u32)> =
        of.keys().filter_map(|i| Some((inputs[*i as usize].span?, *i))).collect();
    begun.sort_unstable();
    // The input of each kind that lasts longest so far.
    let mut longest: BTreeMap<String, (i64, u32)> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for ((first, last), input) in begun {
        let kind = kind(&inputs[input as usize]);
        let Some(known) = longest.get_mut(&kind) else {
            longest.insert(kind, (last, input));
            continue;
        };
        if first < known.0 {
            let (days, others) = (&of[&input], &of[&known.1]);
            let both = |day: &&i32| others.get(*day).is_some_and(|hours| hours & days[*day] != 0);
            let mut shared = days.keys().filter(both);
            if let Some(day) = shared.next() {
                let days = (*day, *shared.next_back().unwrap_or(day));
                found.insert(Overlap { inputs: (known.1, input), days });
            }
        }
        *known = (*known).max((last, input));
    }
    found.into_iter().collect()
}

/// What else tells the logs of one server and format apart: the log folder (sites have one each) and the
/// name of the file without its date.
fn kind(input: &InputReport) -> String {
    let folder = input.folder.rsplit('/').next().filter(|part| is_log_folder(part));
    let name = input.path.rsplit(['/', '!']).next().unwrap_or_default();
    let digits = |at: &usize| name.as_bytes()[*at..].iter().take(4).all(u8::is_ascii_digit);
    let date = (0..name.len().saturating_sub(3)).find(digits).unwrap_or(name.len());
    format!("{}/{}", folder.unwrap_or_default(), &name[..date]).to_lowercase()
}

fn longest_gap(hours: Hours) -> u32 {
    let mut longest = 0;
    let mut run = 0;
    for hour in 0..24 {
        run = if hours >> hour & 1 == 1 { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use crate::discover::discover;

    /// Reports of empty files with the given paths and spans in hours, and their hours.
    fn series(files: &[(&str, i64, i64)]) -> (Inputs, Vec<InputReport>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, _, _) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = discover(&[folder.path().to_owned()]).inputs;
        let mut inputs = Inputs::new();
        let reports = (0..)
            .zip(&found)
            .map(|(i, input)| {
                let mut report = InputReport::new(input);
                let (_, from, to) =
                    files.iter().find(|(path, _, _)| report.path.ends_with(path)).unwrap();
                // From half past the first hour to half past the last.
                report.span = Some((from * 3_600_000 + 1_800_000, to * 3_600_000 + 1_800_000));
                let days: &mut BTreeMap<i32, Hours> = inputs.entry(i).or_default();
                for hour in *from..=*to {
                    *days.entry(hour.div_euclid(24) as i32).or_default() |=
                        1 << hour.rem_euclid(24);
                }
                report
            })
            .collect();
        (inputs, reports)
    }

    fn found(files: &[(&str, i64, i64)]) -> Vec<((u32, u32), (i32, i32))> {
        let (inputs, reports) = series(files);
        overlaps(&inputs, &reports).into_iter().map(|o| (o.inputs, o.days)).collect()
    }

    #[test]
    fn logs_that_follow_each_other_do_not_overlap_and_copies_do() {
        assert_eq!(found(&[("a/u_ex100301.log", 0, 10), ("a/u_ex100302.log", 10, 20)]), []);
        let copy = [("a/u_ex100301.log", 0, 30), ("b/u_ex100301-kept.log", 28, 60)];
        assert_eq!(found(&copy), [((0, 1), (1, 1))]);
        let long =
            [("a/u_ex100301.log", 0, 90), ("a/u_ex100302.log", 3, 5), ("a/u_ex100303.log", 40, 50)];
        assert_eq!(found(&long), [((0, 1), (0, 0)), ((0, 2), (1, 2))]);
    }

    #[test]
    fn sites_and_front_and_back_end_do_not_overlap() {
        let sites = [("W3SVC1/u_ex100301.log", 0, 10), ("W3SVC2/u_ex100301.log", 0, 10)];
        assert_eq!(found(&sites), []);
        let ends = [("Pop3/POP320100301-1.LOG", 0, 10), ("Pop3/POP3BE20100301-1.LOG", 0, 10)];
        assert_eq!(found(&ends), []);
    }

    #[test]
    fn a_gap_counts_from_midnight_to_midnight() {
        assert_eq!(longest_gap(0xFF_FFFF), 0);
        assert_eq!(longest_gap(0), 24);
        assert_eq!(longest_gap(1 << 12), 12);
        assert_eq!(longest_gap(1 | 1 << 7 | 1 << 14 | 1 << 23), 8);
    }
}
