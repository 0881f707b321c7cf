//! What the count rests on, and what weakens it: lines, files, days.

use std::collections::BTreeMap;
use std::io;

use super::page::{Column, Page};
use super::words::{bytes, counted, number};
use super::{NAME, SERVERS, moment, more, some};
use crate::census::{Census, DayState};
use crate::facts::collector::Lines;
use crate::report::day_text;
use crate::report::escape::{shortened, terminal};
use crate::report::weakness::{Weakness, weaknesses};

/// How many runs of days of one series of logs are listed.
const RUNS: usize = 4;
/// How many places of one weakness are listed.
const PLACES: usize = 5;

/// What weakens the count, the heaviest first, with the first places of each.
pub(super) fn weakened(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("WHAT WEAKENS THE COUNT", "")?;
    let found = weaknesses(census);
    let gaps = gaps(census);
    if found.is_empty() && gaps.is_empty() {
        page.paragraph(2, "nothing was found in what was read")?;
    }
    let told_below = |w: &&Weakness| w.code == "coverage-gaps" && !gaps.is_empty();
    for weakness in found.iter().filter(|w| !told_below(w)) {
        if weakness.places.iter().all(|(path, _)| path.is_empty()) {
            for (_, text) in &weakness.places {
                let text = format!("{}: {}", weakness.code, shortened(text, 400));
                page.alert(2, &text)?;
            }
            continue;
        }
        let first = weakness.places.first().map_or("", |(_, text)| text.as_str());
        // What is the same everywhere is said once.
        let same = weakness.places.len() > 1 && weakness.places.iter().all(|(_, t)| t == first);
        let title = if same || weakness.title.is_empty() { first } else { weakness.title };
        let title =
            format!("{} {}: {}", number(weakness.count), weakness.code, shortened(title, 400));
        page.alert(2, &title)?;
        for (path, text) in weakness.places.iter().take(PLACES) {
            let place = match same {
                true => terminal(path).into_owned(),
                false => format!("{}: {}", terminal(path), shortened(text, 400)),
            };
            page.labelled(4, "-", 2, &place)?;
        }
        let shown = weakness.places.len().min(PLACES) as u64;
        if weakness.count > shown {
            page.paragraph(4, &format!("... and {} more", number(weakness.count - shown)))?;
        }
    }
    if !gaps.is_empty() {
        page.alert(
            2,
            &format!(
                "{} not cover the whole time (missing logs are not missing use):",
                counted(gaps.len() as u64, "series of logs does", "series of logs do")
            ),
        )?;
        for gap in gaps.iter().take(SERVERS) {
            page.labelled(4, "-", 2, gap)?;
        }
        more(gaps.len(), SERVERS, "series", "series", page)?;
    }
    Ok(())
}

/// The days that are not complete, by server and format, as runs of days.
fn gaps(census: &Census) -> Vec<String> {
    let mut lines = Vec::new();
    for coverage in &census.coverage {
        let mut runs: Vec<(i32, i32, DayState)> = Vec::new();
        for (day, state) in &coverage.days {
            match runs.last_mut() {
                Some((_, last, known)) if known == state && *last + 1 == *day => *last = *day,
                _ => runs.push((*day, *day, *state)),
            }
        }
        let weak: Vec<&(i32, i32, DayState)> =
            runs.iter().filter(|(_, _, state)| *state != DayState::Complete).collect();
        if weak.is_empty() {
            continue;
        }
        let mut sums: BTreeMap<DayState, u64> = BTreeMap::new();
        for (from, to, state) in &weak {
            *sums.entry(*state).or_default() += (to - from) as u64 + 1;
        }
        let sums: Vec<String> =
            sums.iter().map(|(state, n)| format!("{} {}", number(*n), state.as_str())).collect();
        let runs: Vec<String> = weak
            .iter()
            .map(|(from, to, state)| {
                let days = match from == to {
                    true => day_text(*from),
                    false => format!("{} to {}", day_text(*from), day_text(*to)),
                };
                format!("{days} {}", state.as_str())
            })
            .collect();
        lines.push(format!(
            "{} {}: of {}, {} ({})",
            shortened(&coverage.server, NAME),
            coverage.format,
            counted(coverage.days.len() as u64, "day", "days"),
            sums.join(", "),
            some(&runs, RUNS)
        ));
    }
    lines
}

/// How much of what was read, and what was not counted twice.
pub(super) fn read(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("WHAT WAS READ", "")?;
    let mut formats: BTreeMap<&str, (u64, u64, u64, u64, u64)> = BTreeMap::new();
    for input in &census.inputs {
        let sums = formats.entry(input.format).or_default();
        sums.0 += 1;
        sums.1 += input.bytes;
        sums.2 += input.lines.total();
        sums.3 += input.lines.events;
        sums.4 += input.lines.rejected;
    }
    let rows: Vec<Vec<String>> = formats
        .iter()
        .map(|(format, (files, length, lines, events, rejected))| {
            vec![
                (*format).to_owned(),
                number(*files),
                bytes(*length),
                number(*lines),
                number(*events),
                number(*rejected),
            ]
        })
        .collect();
    let columns = [
        Column::Left("format"),
        Column::Right("files"),
        Column::Right("size"),
        Column::Right("lines"),
        Column::Right("event lines"),
        Column::Right("rejected"),
    ];
    page.table(2, &columns, &rows)?;
    let mut lines = Lines::default();
    for input in &census.inputs {
        lines.merge(&input.lines);
    }
    page.paragraph(
        2,
        &format!(
            "{} = {} of events + {} directives + {} blank + {} unrelated + {} rejected",
            counted(lines.total(), "line", "lines"),
            number(lines.events),
            number(lines.directives),
            number(lines.blank),
            number(lines.unrelated),
            number(lines.rejected)
        ),
    )?;
    let first = census.inputs.iter().filter_map(|i| i.span).map(|(first, _)| first).min();
    let last = census.inputs.iter().filter_map(|i| i.span).map(|(_, last)| last).max();
    if let (Some(first), Some(last)) = (first, last) {
        page.paragraph(2, &format!("rows from {} to {}", moment(first), moment(last)))?;
    }
    let named = |label: &str, list: Vec<String>, page: &mut Page<'_>| match list.len() {
        0 => Ok(()),
        n => page.labelled(2, label, 18, &format!("{}: {}", number(n as u64), some(&list, PLACES))),
    };
    let copies = census
        .inputs
        .iter()
        .filter_map(|i| {
            let of = i.duplicate_of.as_ref()?;
            Some(format!("{} (as {})", terminal(&i.path), terminal(of)))
        })
        .collect();
    named("same bytes twice", copies, page)?;
    let outdated = census
        .inputs
        .iter()
        .filter_map(|i| {
            let by = i.superseded_by.as_ref()?;
            Some(format!("{} (in {})", terminal(&i.path), terminal(by)))
        })
        .collect();
    named("older copies", outdated, page)?;
    let unknown = census
        .inputs
        .iter()
        .filter(|i| i.format == "unknown" && !i.looks_like_log && i.trouble.is_none())
        .map(|i| terminal(&i.path).into_owned())
        .collect();
    named("no access log", unknown, page)
}
