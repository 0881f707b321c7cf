//! One row per counted person, for a spreadsheet.

use std::io::{self, Write};

use super::escape::cell;
use super::{instant, path_of};
use crate::census::Census;

/// The columns, in order.
const COLUMNS: [&str; 12] = [
    "id",
    "names",
    "products",
    "servers",
    "services",
    "devices",
    "events",
    "first",
    "last",
    "witness_path",
    "witness_line",
    "witness_byte",
];

/// Writes the counted people as CSV (RFC 4180: UTF-8, commas, CRLF), one row each, with a header.
///
/// Lists are joined by `; `. Text is quoted, and what a spreadsheet could take for a formula has an
/// apostrophe before it, in every item of a list. Times are RFC 3339 UTC, lines count from 1, bytes
/// from 0.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn csv(census: &Census, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::NonNumeric)
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    rows.write_record(COLUMNS)?;
    for person in &census.people {
        let products: Vec<&str> = person.products.iter().map(|p| p.as_str()).collect();
        rows.write_record([
            cell(&person.id),
            joined(&person.names),
            joined(&products),
            joined(&person.servers),
            joined(&person.services),
            person.devices.to_string(),
            person.events.to_string(),
            instant(person.first),
            instant(person.last),
            cell(path_of(census, &person.witness)),
            person.witness.line.to_string(),
            person.witness.byte.to_string(),
        ])?;
    }
    rows.flush()
}

fn joined<S: AsRef<str>>(items: &[S]) -> String {
    items.iter().map(|item| cell(item.as_ref())).collect::<Vec<_>>().join("; ")
}
