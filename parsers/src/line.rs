//! Physical lines: where they begin and end, and what is left of them without padding.

use std::ops::Range;

use crate::event::{LineKind, Sink};

/// The offset just behind the first line end at or after `at`; `text.len()` where there is none.
pub fn next_line(text: &[u8], at: usize, eol: u8) -> usize {
    let at = at.min(text.len());
    memchr::memchr(eol, &text[at..]).map_or(text.len(), |i| at + i + 1)
}

/// The lines of `text`, each as the range it fills, its line end included.
///
/// The ranges tile the text: nothing is lost between them, and a last line without a line end is
/// one too. Empty text has no lines.
///
/// ```
/// use calproof_parsers::line::lines;
/// let ranges: Vec<_> = lines(b"a\r\n\nb", b'\n').collect();
/// assert_eq!(ranges, [0..3, 3..4, 4..5]);
/// ```
pub fn lines(text: &[u8], eol: u8) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        (at < text.len()).then(|| {
            let start = at;
            at = next_line(text, at, eol);
            start..at
        })
    })
}

/// A line without its line end, without NUL padding at either end, and without trailing blanks.
///
/// http.sys allocates ahead and a crash leaves NULs; they stand for nothing.
///
/// ```
/// use calproof_parsers::line::content;
/// assert_eq!(content(b"\0\0a b \r\n"), b"a b");
/// assert_eq!(content(b"\0\0\0"), b"");
/// ```
pub fn content(line: &[u8]) -> &[u8] {
    let skip = |b: &u8| matches!(b, 0 | b'\n' | b'\r' | b' ' | b'\t');
    let start = line.iter().position(|b| *b != 0).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !skip(b)).map_or(start, |i| i + 1);
    &line[start..end.max(start)]
}

/// Joins lines of one kind into runs, so that a sink hears of each run once.
#[derive(Debug)]
pub struct Run {
    kind: LineKind,
    start: u64,
    end: u64,
    count: u64,
}

impl Run {
    /// A run that begins at the offset `base`.
    pub fn new(base: u64) -> Run {
        Run { kind: LineKind::Event, start: base, end: base, count: 0 }
    }

    /// One more line, which ends at the offset `end`.
    #[inline]
    pub fn line(&mut self, kind: LineKind, end: u64, sink: &mut dyn Sink) {
        self.lines(kind, 1, end, sink);
    }

    /// So many more lines of one kind, the last of which ends at the offset `end`.
    #[inline]
    pub fn lines(&mut self, kind: LineKind, count: u64, end: u64, sink: &mut dyn Sink) {
        if kind != self.kind && self.count > 0 {
            self.flush(sink);
        }
        self.kind = kind;
        self.end = end;
        self.count += count;
    }

    /// Reports the last run.
    pub fn finish(mut self, sink: &mut dyn Sink) {
        self.flush(sink);
    }

    fn flush(&mut self, sink: &mut dyn Sink) {
        if self.count > 0 {
            sink.lines(self.kind, self.count, self.start..self.end);
            self.start = self.end;
            self.count = 0;
        }
    }
}
