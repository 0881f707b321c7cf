//! Which days the logs cover, as a map: a row for each server and format, a character for each day or week.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use calproof_parsers::time::{DAY_MS, civil, day_number};

use super::page::Page;
use super::words::{counted, number};
use super::{SERVER, SERVERS, more, some};
use crate::census::{Census, Coverage, DayState};
use crate::report::escape::{shortened, terminal, width};
use crate::report::{day_text, instant};

/// How many lines a map of days may take; a longer one is folded to weeks.
const LINES: usize = 48;
/// How many years are drawn.
const YEARS: usize = 20;
/// How many overlaps and jumps are named.
const PLACES: usize = 4;

/// First and last day of each cell of a block, by the block's title and the cell's number from 0.
type Blocks = BTreeMap<(String, usize), BTreeMap<usize, (i32, i32)>>;

/// Draws the map, and says what may hide behind it.
pub(super) fn coverage(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let all = &census.coverage[..census.coverage.len().min(SERVERS)];
    let days = || all.iter().flat_map(|c| &c.days).map(|(day, _)| *day);
    let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(()) };
    let rows: Vec<Row> = all.iter().map(Row::new).collect();
    let label = rows.iter().map(|row| width(&row.label)).max().unwrap_or(0).max(7) + 2;
    let months = (first..=last).filter(|day| civil(*day).2 == 1 || *day == first).count();
    if months * (rows.len() + 1) <= LINES {
        page.heading("COVERAGE", "a character a day, UTC")?;
        draw(&by_month(first, last), &rows, label, 1, page)?;
    } else {
        page.heading("COVERAGE", "a character a week, from January 1 of each year, UTC")?;
        let weeks = if page.width() >= 2 + label + 53 { 53 } else { 27 };
        let blocks = by_year(first, last, weeks);
        draw(&blocks, &rows, label, weeks, page)?;
        page.paragraph(2, "- a week of which some days have no rows")?;
    }
    page.paragraph(
        2,
        "# complete, + partial, . no rows, ? rows that cannot show who was there, = two files have rows of one \
         time, blank: before the first or after the last row of the server",
    )?;
    more(census.coverage.len(), SERVERS, "series", "series", page)?;
    hidden(census, page)?;
    doubled(census, page)?;
    set_back(census, page)
}

fn by_month(first: i32, last: i32) -> Blocks {
    let mut blocks = Blocks::new();
    for day in first..=last {
        let (year, month, date) = civil(day);
        let cells = blocks.entry((format!("{year:04}-{month:02}"), 0)).or_default();
        cells.insert(date as usize - 1, (day, day));
    }
    blocks
}

/// Weeks of seven days from January 1, in blocks of so many.
fn by_year(first: i32, last: i32, weeks: usize) -> Blocks {
    let mut blocks = Blocks::new();
    for day in first..=last {
        let year = civil(day).0;
        let january = u32::try_from(year).ok().and_then(|year| day_number(year, 1, 1));
        let week = (day - january.unwrap_or(day)) as usize / 7;
        let cells = blocks.entry((format!("{year:04}"), week / weeks)).or_default();
        cells.entry(week % weeks).and_modify(|(_, to)| *to = day).or_insert((day, day));
    }
    blocks
}

/// A series of logs: its label, and its days with whether two files have rows of one time.
struct Row {
    label: String,
    days: BTreeMap<i32, (DayState, bool)>,
}

impl Row {
    fn new(of: &Coverage) -> Row {
        let twice = |day: i32| of.overlaps.iter().any(|o| (o.days.0..=o.days.1).contains(&day));
        let days = of.days.iter().map(|(day, state)| (*day, (*state, twice(*day)))).collect();
        Row { label: format!("{} {}", shortened(&of.server, SERVER), of.format), days }
    }

    /// The line of a block, its label included; `None` where no day of it is in the block.
    fn drawn(&self, cells: &BTreeMap<usize, (i32, i32)>, label: usize) -> Option<String> {
        let last = cells.keys().last().copied()?;
        let cell = |cell| cells.get(&cell).map_or(' ', |days| self.cell(*days));
        let drawn: String = (0..=last).map(cell).collect();
        let gap = " ".repeat(label.saturating_sub(width(&self.label)));
        let line = || format!("{}{gap}{}", self.label, drawn.trim_end());
        (!drawn.trim().is_empty()).then(line)
    }

    /// What stands for some days; they are complete where each of them is.
    fn cell(&self, (from, to): (i32, i32)) -> char {
        let mut states = self.days.range(from..=to).map(|(_, state)| state);
        let Some((first, _)) = states.clone().next() else { return ' ' };
        if states.clone().any(|(_, twice)| *twice) {
            return '=';
        }
        if states.clone().any(|(state, _)| state != first) {
            return if states.any(|(state, _)| *state == DayState::Absent) { '-' } else { '+' };
        }
        match first {
            DayState::Complete => '#',
            DayState::Partial => '+',
            DayState::Absent => '.',
            DayState::Blind => '?',
        }
    }
}

/// Draws the blocks, with the rows that have a day in them; blocks in which none has are one line
/// together. `per` is the number of cells of the block before, by which the numbers over a second one
/// go on.
fn draw(
    blocks: &Blocks,
    rows: &[Row],
    label: usize,
    per: usize,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut bare: Option<(i32, i32)> = None;
    for ((title, part), cells) in blocks.iter().take(2 * YEARS) {
        let drawn: Vec<String> = rows.iter().filter_map(|row| row.drawn(cells, label)).collect();
        if drawn.is_empty() {
            let (first, last) = (cells.values().next(), cells.values().last());
            let days = bare.into_iter().chain(first.copied()).chain(last.copied());
            bare = days.reduce(|(from, _), (_, to)| (from, to));
            continue;
        }
        without_rows(bare.take(), page)?;
        let begin = if *part == 0 { 0 } else { part * per };
        let last = cells.keys().last().copied().unwrap_or(0);
        let mut header = format!("{title:label$}");
        for cell in 0..=last {
            let count = begin + cell + 1;
            let mark = count.to_string();
            let free = header.len() <= label + cell;
            if free && (cell == 0 || count.is_multiple_of(10)) {
                header.push_str(&" ".repeat(label + cell - header.len()));
                header.push_str(&mark);
            }
        }
        page.line(2, &header)?;
        for line in drawn {
            page.line(2, &line)?;
        }
    }
    without_rows(bare, page)?;
    more(blocks.len(), 2 * YEARS, "block", "blocks", page)
}

/// Days on which no series has begun and not yet ended.
fn without_rows(days: Option<(i32, i32)>, page: &mut Page<'_>) -> io::Result<()> {
    match days {
        Some((from, to)) => {
            page.line(2, &format!("{} to {}: no rows", day_text(from), day_text(to)))
        }
        None => Ok(()),
    }
}

/// What gaps may hide, apart from what was counted.
fn hidden(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let weak =
        |c: &Coverage| c.days.iter().filter(|(_, state)| *state != DayState::Complete).count();
    let days: u64 = census.coverage.iter().map(|c| weak(c) as u64).sum();
    if days == 0 {
        return Ok(());
    }
    let day = |milliseconds: i64| milliseconds.div_euclid(DAY_MS);
    let once = census.people.iter().filter(|p| day(p.first) == day(p.last)).count() as u64;
    let all = census.people.len() as u64;
    let once = match (once, all) {
        (0, _) => String::new(),
        (n, all) => format!(
            " {} of {} were seen on one day only: of people who come so seldom, some may be among them.",
            number(n),
            counted(all, "person", "people")
        ),
    };
    page.paragraph(
        2,
        &format!(
            "Not counted: whoever came only in the gaps. {} not complete; who came only then is in no number \
             above, not in the upper one either.{once}",
            counted(days, "day of a series is", "days of series are")
        ),
    )
}

/// Inputs that were read and repeat each other, in whole or in part.
fn doubled(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let path = |i: u32| census.inputs.get(i as usize).map_or("", |input| input.path.as_str());
    let repeats: usize = census.coverage.iter().map(|c| c.repeats.len()).sum();
    if repeats > 0 {
        let text = counted(
            repeats as u64,
            "input repeats another and adds nothing",
            "inputs repeat another and add nothing",
        );
        page.labelled(2, "counted once", 16, &format!("{text} (see \"WHAT WAS READ\")"))?;
    }
    let overlaps: Vec<String> = census
        .coverage
        .iter()
        .flat_map(|c| &c.overlaps)
        .map(|o| {
            let (from, to) = (day_text(o.days.0), day_text(o.days.1));
            let days = if from == to { from } else { format!("{from} to {to}") };
            format!("{} and {} ({days})", terminal(path(o.inputs.0)), terminal(path(o.inputs.1)))
        })
        .collect();
    if !overlaps.is_empty() {
        let text = format!(
            "rows of one time in two files of one server, with different content: {}. Where one is a copy of \
             the other, events count twice, people and devices once.",
            some(&overlaps, PLACES)
        );
        page.labelled(2, "overlaps", 16, &text)?;
    }
    Ok(())
}

/// Logs whose clock went back.
fn set_back(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let hour = |hour: i64| instant(hour * 3_600_000)[..13].replace('T', " ");
    // A log with rows of two servers is in two series.
    let jumps: BTreeSet<String> = census
        .coverage
        .iter()
        .flat_map(|c| &c.set_back)
        .map(|(input, from, to)| {
            let path = census.inputs.get(*input as usize).map_or("", |i| i.path.as_str());
            format!("{} from {}h to {}h", terminal(path), hour(*from), hour(*to))
        })
        .collect();
    if jumps.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the clock of a log goes back by more than an hour: {}. Rows may stand under a wrong day.",
        some(&jumps.into_iter().collect::<Vec<_>>(), PLACES)
    );
    page.labelled(2, "clock set back", 16, &text)
}
