//! The story for a terminal.

use std::io::{self, Write};

use super::{Access, CalNeeded, Explanation, Left, Subject};
use crate::report::Style;
use crate::report::escape::{shortened, terminal};
use crate::report::text::page::{Column, Page};
use crate::report::text::words::{counted, number};

/// How many columns a device's label may take.
const DEVICE: usize = 36;
/// How many accesses are listed.
const ACCESSES: usize = 60;

/// Writes the story in lines of at most `style.width` columns; raw rows stand as they are.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn text(told: &Explanation, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (i, subject) in told.subjects.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        let mut page = Page::new(out, style);
        story(told, subject, &mut page)?;
        rows(subject, out, style)?;
    }
    Ok(())
}

fn story(told: &Explanation, subject: &Subject, page: &mut Page<'_>) -> io::Result<()> {
    page.strong(0, &format!("{} {}", subject.kind, terminal(&subject.id)))?;
    if told.name != subject.id {
        page.paragraph(0, &format!("asked for: {}", terminal(&told.name)))?;
    }
    for sentence in &subject.verdict {
        page.labelled(2, "-", 2, &terminal(sentence))?;
    }
    let heading = if subject.kind == "device" { "KNOWN AS" } else { "NAMES AS LOGGED" };
    page.heading(heading, "")?;
    for name in &subject.names {
        page.paragraph(2, &terminal(name))?;
    }
    if !subject.joins.is_empty() {
        page.heading("WHY THEY ARE ONE", "")?;
        for join in &subject.joins {
            let text = format!("{} = {}: {}", join.one, join.other, join.reason);
            page.labelled(2, "-", 2, &terminal(&text))?;
        }
    }
    accesses(subject, page)?;
    if !subject.cals.is_empty() {
        page.heading("CALS THAT THIS REQUIRES", "")?;
        for cal in &subject.cals {
            needed(cal, page)?;
        }
    }
    if !subject.excluded.is_empty() {
        page.heading("LEFT OUT", "")?;
        for entry in &subject.excluded {
            left(entry, page)?;
        }
    }
    if !subject.unresolved.is_empty() {
        page.heading("NOT SETTLED", "not in demand, but in the upper number")?;
        for entry in &subject.unresolved {
            left(entry, page)?;
        }
    }
    Ok(())
}

fn accesses(subject: &Subject, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("ACCESSES", "days are UTC")?;
    if subject.accesses.is_empty() {
        return page.paragraph(2, "none in the period");
    }
    let row = |a: &Access| {
        let who = match (subject.kind, a.acted_for.as_str()) {
            ("device" | "identity", "") => format!(" by {}", shortened(&a.principal, DEVICE)),
            ("device" | "identity", to) => {
                format!(" by {} for {}", shortened(&a.principal, DEVICE), shortened(to, DEVICE))
            }
            (_, _) if a.principal != subject.id => {
                format!(" by {} for this person", shortened(&a.principal, DEVICE))
            }
            (_, "") => String::new(),
            (_, to) => format!(" for {}", shortened(to, DEVICE)),
        };
        let device = match &a.device {
            Some(label) if a.identified => shortened(label, DEVICE),
            Some(label) => format!("{} (unidentified)", shortened(label, DEVICE)),
            None => "no device shown".to_owned(),
        };
        let days = match a.days.as_slice() {
            [] => String::new(),
            [day] => day.clone(),
            [first, .., last] => {
                format!("{first} to {last} ({} days)", number(a.days.len() as u64))
            }
        };
        vec![
            format!("{} {}", a.product, a.service),
            shortened(&a.server, 16),
            a.outcome.to_owned(),
            number(a.events),
            format!("{device}{who}; {days}; {}", terminal(&a.fate)),
        ]
    };
    let rows: Vec<Vec<String>> = subject.accesses.iter().take(ACCESSES).map(row).collect();
    let columns = [
        Column::Left("service"),
        Column::Left("server"),
        Column::Left("outcome"),
        Column::Right("events"),
        Column::Left("from; when; what became of it"),
    ];
    page.table(2, &columns, &rows)?;
    match subject.accesses.len().saturating_sub(ACCESSES) {
        0 => Ok(()),
        n => page.paragraph(2, &format!("... and {n} more; `--format json` lists all")),
    }
}

fn needed(cal: &CalNeeded, page: &mut Page<'_>) -> io::Result<()> {
    let rule = match (&cal.rule, cal.services.is_empty()) {
        (Some(rule), _) => format!("rule {rule} of {}", cal.pack),
        (None, true) => format!("the base CAL under {}", cal.pack),
        (None, false) => format!("{} says nothing of this use, so Standard stands", cal.pack),
    };
    let disputed = if cal.disputed { " (disputed)" } else { "" };
    let services = match cal.services.join(", ") {
        services if services.is_empty() => services,
        services => format!(", for {services}"),
    };
    let text = format!("{} {}: {rule}{disputed}{services}", cal.product, cal.cal);
    page.labelled(2, "-", 2, &terminal(&text))?;
    cal.sources.iter().try_for_each(|source| page.paragraph(6, &terminal(source)))
}

fn left(entry: &Left, page: &mut Page<'_>) -> io::Result<()> {
    let reason = if entry.reason.is_empty() { "" } else { "; " };
    let text = format!(
        "{}: {}{reason}{} ({} on {})",
        entry.rule,
        entry.meaning,
        entry.reason,
        counted(entry.events, "event", "events"),
        entry.servers.join(", ")
    );
    page.labelled(2, "-", 2, &terminal(&text))?;
    entry.sources.iter().try_for_each(|source| page.paragraph(6, &terminal(source)))
}

/// The rows, unbroken, so that they can be compared with the file.
fn rows(subject: &Subject, out: &mut dyn Write, style: Style) -> io::Result<()> {
    Page::new(out, style).heading("ROWS", "as they stand in the files; secrets are blanked")?;
    for row in &subject.rows {
        let place = format!("{}:{} (byte {})", row.path, row.line, row.byte);
        writeln!(out, "  {}  {}", terminal(&place), terminal(&row.fate))?;
        match (&row.text, &row.trouble) {
            (Some(text), _) => {
                for line in text.lines() {
                    writeln!(out, "    {}", terminal(line))?;
                }
            }
            (None, trouble) => {
                let trouble = trouble.as_deref().unwrap_or("it could not be read again");
                writeln!(out, "    not shown: {}", terminal(trouble))?;
            }
        }
    }
    if subject.more_rows > 0 {
        writeln!(out, "  ... and {} more; `--rows N` shows more", number(subject.more_rows))?;
    }
    Ok(())
}
