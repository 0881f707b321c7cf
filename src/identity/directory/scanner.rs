//! Records of a CSV text, found by looking for quotation marks instead of at every byte.
//!
//! An export of a directory is wide: some hundred columns, of which ten say who somebody is. What
//! stands between two quotation marks is jumped over. The grammar is that of the `csv` crate with
//! LF as the end of a record: a quotation mark opens a field only at its beginning, a doubled one
//! stands for itself, what follows a closing one belongs to the field.

use std::io::{self, ErrorKind, Read};
use std::ops::Index;

use memchr::{memchr, memchr_iter, memchr2};

/// How much is read at once.
const BLOCK: usize = 1 << 18;

/// Finds one record after the other.
pub(super) struct Scanner<R> {
    text: R,
    delimiter: u8,
    /// `block[at..end]` is read and not yet consumed.
    block: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
    /// Line of `block[at]`, from 1.
    line: u64,
    /// The last byte that ends no line.
    last: u8,
    fields: Vec<Field>,
    /// Fields that do not stand in the text as they are read.
    scratch: Vec<u8>,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug)]
struct Field {
    start: usize,
    end: usize,
    in_scratch: bool,
}

/// The fields of one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    block: &'r [u8],
    scratch: &'r [u8],
    fields: &'r [Field],
}

impl Row<'_> {
    /// How many fields it has.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }
}

impl Index<usize> for Row<'_> {
    type Output = [u8];

    fn index(&self, n: usize) -> &[u8] {
        let Field { start, end, in_scratch } = self.fields[n];
        let text = if in_scratch { self.scratch } else { self.block };
        &text[start..end]
    }
}

/// A record, its first line (from 1) and how many lines it takes.
pub(super) struct Record<'r> {
    pub(super) row: Row<'r>,
    pub(super) line: u64,
    pub(super) lines: u64,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(text: R, delimiter: u8, line: u64) -> Scanner<R> {
        Scanner::with_block(text, delimiter, line, BLOCK)
    }

    fn with_block(text: R, delimiter: u8, line: u64, block: usize) -> Scanner<R> {
        let block = vec![0; block.max(1)];
        let (fields, scratch) = (Vec::new(), Vec::new());
        let (at, end, ended, last) = (0, 0, false, 0);
        Scanner { text, delimiter, block, at, end, ended, line, last, fields, scratch }
    }

    /// The last byte of the text read so far that ends no line.
    pub(super) fn last(&self) -> u8 {
        self.last
    }

    /// The next record that is not blank.
    pub(super) fn record(&mut self) -> io::Result<Option<Record<'_>>> {
        let (start, end, lines) = loop {
            let Some(end) = self.scan() else {
                self.read_more()?;
                continue;
            };
            if end == self.at {
                return Ok(None);
            }
            let (start, record) = (self.at, &self.block[self.at..end]);
            let breaks = memchr_iter(b'\n', record).count() as u64;
            let lines = breaks + u64::from(record.last() != Some(&b'\n'));
            self.at = end;
            self.line += breaks;
            let row = self.row();
            if !(row.len() == 1 && row[0].trim_ascii().is_empty()) {
                break (start, end, lines);
            }
        };
        let ended = self.block[start..end].last() == Some(&b'\n');
        let line = self.line + u64::from(!ended) - lines;
        Ok(Some(Record { row: self.row(), line, lines }))
    }

    fn row(&self) -> Row<'_> {
        Row { block: &self.block, scratch: &self.scratch, fields: &self.fields }
    }

    /// Finds the fields of the record at hand and its end; nothing where more must be read first.
    fn scan(&mut self) -> Option<usize> {
        let Scanner { block, delimiter, ended, fields, scratch, end, .. } = self;
        let text = &block[..*end];
        let (delimiter, ended) = (*delimiter, *ended);
        let mut at = self.at;
        fields.clear();
        scratch.clear();
        if at == text.len() {
            return ended.then_some(at);
        }
        // The end of an unquoted run from `from` on.
        let run = |from: usize| match memchr2(delimiter, b'\n', &text[from..]) {
            Some(n) => Some(from + n),
            None => ended.then_some(text.len()),
        };
        loop {
            let stop = if text.get(at) != Some(&b'"') {
                let stop = run(at)?;
                fields.push(Field { start: at, end: stop, in_scratch: false });
                stop
            } else {
                let mut from = at + 1;
                let opened = scratch.len();
                let mut copied = false;
                loop {
                    let close = match memchr(b'"', &text[from..]) {
                        Some(n) => from + n,
                        None if ended => text.len(),
                        None => return None,
                    };
                    let next = match text.get(close + 1) {
                        None if !ended => return None,
                        next => next.copied(),
                    };
                    if next == Some(b'"') {
                        scratch.extend_from_slice(&text[from..=close]);
                        copied = true;
                        from = close + 2;
                        continue;
                    }
                    let after = (close + 1).min(text.len());
                    // The carriage return of a line end is none of the field's.
                    let returned = next == Some(b'\r');
                    if returned && text.get(close + 2).is_none() && !ended {
                        return None;
                    }
                    let line_end = returned && text.get(close + 2) == Some(&b'\n');
                    let stop = match next {
                        _ if line_end => close + 2,
                        Some(b) if b == delimiter || b == b'\n' => after,
                        _ => run(after)?,
                    };
                    if copied || (stop > after && !line_end) {
                        scratch.extend_from_slice(&text[from..close]);
                        if !line_end {
                            scratch.extend_from_slice(&text[after..stop]);
                        }
                        let (start, end) = (opened, scratch.len());
                        fields.push(Field { start, end, in_scratch: true });
                    } else {
                        fields.push(Field { start: from, end: close, in_scratch: false });
                    }
                    break stop;
                }
            };
            match text.get(stop) {
                Some(b) if *b == delimiter => at = stop + 1,
                Some(_) => return Some(stop + 1),
                None => return Some(stop),
            }
            if at == text.len() && !ended {
                return None;
            }
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        self.block.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        if self.end == self.block.len() {
            self.block.resize(self.block.len() * 2, 0);
        }
        let read = match self.text.read(&mut self.block[self.end..]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            read => read?,
        };
        let new = &self.block[self.end..self.end + read];
        if let Some(last) = new.iter().rfind(|b| !matches!(b, b'\r' | b'\n')) {
            self.last = *last;
        }
        self.ended = read == 0;
        self.end += read;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::*;

    /// Records with their line and lines, by the scanner.
    fn scanned(text: &[u8], block: usize) -> Vec<(Vec<Vec<u8>>, u64, u64)> {
        let mut scanner = Scanner::with_block(text, b',', 1, block);
        let mut all = Vec::new();
        while let Some(Record { row, line, lines }) = scanner.record().unwrap() {
            let fields = (0..row.len()).map(|i| row[i].trim_ascii().to_vec()).collect();
            all.push((fields, line, lines));
        }
        all
    }

    /// The same records by the `csv` crate.
    fn by_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(text)
            .into_byte_records();
        let rows = rows.map(|row| row.unwrap().iter().map(|f| f.trim_ascii().to_vec()).collect());
        rows.filter(|row: &Vec<Vec<u8>>| !(row.len() == 1 && row[0].is_empty())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Any text, however it is cut into blocks, gives the records that the `csv` crate finds; and
        /// the lines of the records are in order and within the text.
        #[test]
        fn equals_the_csv_crate(text in r#"[",a\n\r ]{0,40}"#, block in 1..9_usize) {
            let found = scanned(text.as_bytes(), block);
            let fields: Vec<Vec<Vec<u8>>> = found.iter().map(|(f, ..)| f.clone()).collect();
            prop_assert_eq!(&fields, &by_csv(text.as_bytes()));
            let breaks = text.bytes().filter(|b| *b == b'\n').count() as u64;
            let mut next = 1;
            for (_, line, lines) in found {
                prop_assert!(line >= next && lines >= 1 && line + lines <= breaks + 2);
                next = line + lines;
            }
        }
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let text = b"a,b\r\n\r\n\"1\n2\",x\r\n  \n\"say \"\"hi\"\"\",y";
        let found = scanned(text, 3);
        let lines: Vec<(u64, u64)> = found.iter().map(|(_, line, lines)| (*line, *lines)).collect();
        assert_eq!(lines, [(1, 1), (3, 2), (6, 1)]);
        assert_eq!(found[1].0, [b"1\n2".to_vec(), b"x".to_vec()]);
        assert_eq!(found[2].0, [b"say \"hi\"".to_vec(), b"y".to_vec()]);
    }
}
