//! Tables exported from a database or by PowerShell: one header row, then values by column.

use std::borrow::Cow;
use std::sync::Arc;

use crate::csv;
use crate::event::LineErrorKind;
use crate::format::State;
use crate::line;

/// What may stand between two fields; `State::variant` is an index into this list.
const DELIMITERS: [&[u8]; 4] = [b",", b";", b"\t", b"||"];

/// The columns of a table.
pub(super) type Columns = Arc<[Box<[u8]>]>;

/// The rows of a table: which byte separates, and how many fields there are.
pub(super) struct Table<'a> {
    delimiter: &'static [u8],
    expected: usize,
    fields: Vec<&'a [u8]>,
}

impl<'a> Table<'a> {
    /// The table whose header `state` holds; no columns before a header.
    pub(super) fn of(state: &State) -> Table<'a> {
        let delimiter = DELIMITERS.get(usize::from(state.variant)).unwrap_or(&DELIMITERS[0]);
        let expected = state.columns.as_ref().map_or(0, |c| c.len());
        Table { delimiter, expected, fields: Vec::new() }
    }

    /// Splits a row.
    ///
    /// # Errors
    ///
    /// An open quote, another number of fields than the header has, or no header at all.
    pub(super) fn split(&mut self, row: &'a [u8]) -> Result<(), LineErrorKind> {
        if self.expected == 0 {
            return Err(LineErrorKind::NoFields);
        }
        self.fields.clear();
        split(row, self.delimiter, &mut self.fields).ok_or(LineErrorKind::Quote)?;
        if self.fields.len() != self.expected {
            let (found, expected) = (self.fields.len() as u32, self.expected as u32);
            return Err(LineErrorKind::RowWidth { found, expected });
        }
        Ok(())
    }

    /// The value of a column in the row that was split last, without quotes and blanks around it; empty
    /// where the table has no such column or `NULL` stands in it.
    pub(super) fn value(&self, column: Option<usize>) -> Cow<'a, [u8]> {
        let field = column.and_then(|c| self.fields.get(c)).copied().unwrap_or_default();
        match csv::unquote(field.trim_ascii()) {
            Cow::Borrowed(v) if v.eq_ignore_ascii_case(b"NULL") => Cow::Borrowed(b""),
            Cow::Borrowed(v) => Cow::Borrowed(v.trim_ascii()),
            owned @ Cow::Owned(_) => owned,
        }
    }
}

/// The header row in `row`, if `is_header` knows its names: the state with which its rows are read.
pub(super) fn header(row: &[u8], is_header: impl Fn(&Columns) -> bool) -> Option<State> {
    DELIMITERS.iter().enumerate().find_map(|(variant, delimiter)| {
        memchr::memmem::find(row, delimiter)?;
        let mut fields = Vec::new();
        split(row, delimiter, &mut fields)?;
        let names = fields.iter().map(|f| Box::from(&*csv::unquote(f.trim_ascii())));
        let columns: Columns = names.collect();
        let variant = u8::try_from(variant).ok()?;
        is_header(&columns).then(|| State { columns: Some(columns), variant, ..State::default() })
    })
}

/// The header among the first lines of a log; `#TYPE` and blank lines may stand before it.
pub(super) fn detect(head: &[u8], is_header: impl Fn(&Columns) -> bool) -> Option<State> {
    let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
    let rows = line::lines(head, eol).map(|range| line::content(&head[range]));
    let row = rows.filter(|row| !row.is_empty()).find(|row| row.first() != Some(&b'#'))?;
    header(row, is_header)
}

/// The place of the first of `names` that is a column, compared without case.
pub(super) fn place(columns: &Columns, names: &[&str]) -> Option<usize> {
    names
        .iter()
        .find_map(|name| columns.iter().position(|c| c.eq_ignore_ascii_case(name.as_bytes())))
}

/// Splits a row into `fields`, quotes left on; `None` where a quoted field does not end on it.
fn split<'a>(row: &'a [u8], delimiter: &[u8], fields: &mut Vec<&'a [u8]>) -> Option<()> {
    let next = |from: usize| match delimiter {
        [byte] => memchr::memchr(*byte, &row[from..]),
        _ => memchr::memmem::find(&row[from..], delimiter),
    };
    let mut at = 0;
    loop {
        let quoted = if row.get(at) == Some(&b'"') { closing_quote(row, at + 1)? + 1 } else { at };
        let end = next(quoted).map(|i| quoted + i);
        fields.push(&row[at..end.unwrap_or(row.len())]);
        match end {
            Some(end) => at = end + delimiter.len(),
            None => return Some(()),
        }
    }
}

fn closing_quote(row: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(b'"', &row[at..])?;
        if row.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}
