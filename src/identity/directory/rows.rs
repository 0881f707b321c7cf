//! The rows of a CSV file as PowerShell's `Export-Csv` and `csvde` write it, each with its line.

use std::io::{self, BufRead, Read};

use crate::identity::decode;

/// The rows of a file; `#TYPE` and blank lines before the header are skipped.
pub(crate) struct Rows<R> {
    names: Vec<String>,
    header_line: u64,
    rows: csv::Reader<Tail<R>>,
    row: csv::ByteRecord,
    /// Line and length of the last row, where its last field spans lines.
    last: Option<(u64, u64)>,
}

/// A row, or what is wrong with it.
pub(crate) type Found<'r> = Result<&'r csv::ByteRecord, String>;

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
        let mut row = csv::ByteRecord::new();
        reader(delimiter, header.as_slice()).read_byte_record(&mut row)?;
        let names = row.iter().map(|n| decode(n.trim_ascii(), None)).collect();
        Ok(Rows { names, header_line, rows: reader(delimiter, text), row, last: None })
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
        loop {
            if !self.rows.read_byte_record(&mut self.row)? {
                return Ok(None);
            }
            if self.row.len() == 1 && self.row[0].trim_ascii().is_empty() {
                continue;
            }
            // The reader says where it began to look, which may be a blank line before the row.
            let inner = memchr::memchr_iter(b'\n', self.row.as_slice()).count() as u64;
            let began = self.row.position().map_or(0, csv::Position::line);
            let ended = self.rows.position().line();
            let line = self.header_line + began.max(ended.saturating_sub(inner + 1));
            let lines = inner + 1;
            let open = self.row.iter().next_back().is_some_and(|field| field.contains(&b'\n'));
            self.last = open.then_some((line, lines));
            let declared = self.names.len();
            if self.row.len() == declared {
                return Ok(Some((line, Ok(&self.row))));
            }
            let joined = match lines {
                1 => "",
                _ => {
                    "; it takes several lines, which a quotation mark without its end may have joined"
                }
            };
            let text = format!("found {} fields, expected {declared}{joined}", self.row.len());
            return Ok(Some((line, Err(text))));
        }
    }

    /// After the last row: the line from which a quotation mark has no end, and what to say of it.
    pub(crate) fn unclosed(&self) -> Option<(u64, String)> {
        let (line, lines) = self.last.filter(|_| self.rows.get_ref().last != b'"')?;
        let text = format!(
            "found a quotation mark without its end, expected one; the {lines} lines from here to the end of the \
             file are one row by it, and only its first values are read"
        );
        Some((line, text))
    }
}

fn reader<R: Read>(delimiter: u8, text: R) -> csv::Reader<Tail<R>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        // With CRLF the reader would count a line late; what is left of it is trimmed.
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(1 << 16)
        .from_reader(Tail { text, last: 0 })
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

/// Remembers the last byte of the text that does not end a line.
struct Tail<R> {
    text: R,
    last: u8,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(into)?;
        if let Some(last) = into[..read].iter().rfind(|b| !matches!(b, b'\r' | b'\n')) {
            self.last = *last;
        }
        Ok(read)
    }
}
