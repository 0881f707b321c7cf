//! The rows of a CSV file as PowerShell's `Export-Csv` and `csvde` write it, each with its line.

use std::io::{self, BufRead};

pub(crate) use super::scanner::Row;
use super::scanner::{Record, Scanner};
use crate::identity::decode;

/// The rows of a file; `#TYPE` and blank lines before the header are skipped.
pub(crate) struct Rows<R> {
    names: Vec<String>,
    header_line: u64,
    rows: Scanner<R>,
    /// Line and length of the last row, where its last field spans lines.
    last: Option<(u64, u64)>,
}

/// A row, or what is wrong with it.
pub(crate) type Found<'r> = Result<Row<'r>, String>;

impl<R: BufRead> Rows<R> {
    /// Reads the header. Whichever of comma, semicolon and tab divides it into more columns divides
    /// the rows as well.
    pub(crate) fn open(mut text: R) -> io::Result<Rows<R>> {
        let mut header = Vec::new();
        let mut header_line = 0;
        loop {
            header.clear();
            let read = text.read_until(b'\n', &mut header)?;
            header_line += 1;
            let said = header.trim_ascii();
            let is_type = said.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"#TYPE"));
            if read == 0 || !(said.is_empty() || is_type) {
                break;
            }
        }
        let delimiter = delimiter(&header);
        let names = match Scanner::new(header.as_slice(), delimiter, header_line).record()? {
            Some(Record { row, .. }) => {
                (0..row.len()).map(|i| decode(row[i].trim_ascii(), None)).collect()
            }
            None => Vec::new(),
        };
        let rows = Scanner::new(text, delimiter, header_line + 1);
        Ok(Rows { names, header_line, rows, last: None })
    }

    /// The names of the columns as they stand there.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Line of the header, from 1.
    pub(crate) fn header_line(&self) -> u64 {
        self.header_line
    }

    /// The next row that is not blank, with its first line (from 1); `None` at the end.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<(u64, Found<'_>)>> {
        let Some(Record { row, line, lines }) = self.rows.record()? else { return Ok(None) };
        let open = row.len() > 0 && row[row.len() - 1].contains(&b'\n');
        self.last = open.then_some((line, lines));
        let declared = self.names.len();
        if row.len() == declared {
            return Ok(Some((line, Ok(row))));
        }
        let joined = match lines {
            1 => "",
            _ => "; it takes several lines, which a quotation mark without its end may have joined",
        };
        let text = format!("found {} fields, expected {declared}{joined}", row.len());
        Ok(Some((line, Err(text))))
    }

    /// After the last row: the line from which a quotation mark has no end, and what to say of it.
    pub(crate) fn unclosed(&self) -> Option<(u64, String)> {
        let (line, lines) = self.last.filter(|_| self.rows.last() != b'"')?;
        let text = format!(
            "found a quotation mark without its end, expected one; the {lines} lines from here to the end of the \
             file are one row by it, and only its first values are read"
        );
        Some((line, text))
    }
}

/// Whichever of comma, semicolon and tab divides the header into more columns.
fn delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut seen = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = seen.iter_mut().find(|(d, _)| d == byte && !quoted) {
            *count += 1;
        }
    }
    let [comma, rest @ ..] = seen;
    rest.into_iter().fold(comma, |best, next| if next.1 > best.1 { next } else { best }).0
}
