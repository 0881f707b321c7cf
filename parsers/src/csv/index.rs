//! Where the commas and line ends are, sixteen thousand bytes at a time.
//!
//! One pass finds both together, and leaves out those between quotes. A field is then two look-ups
//! away, and the columns that nobody asks for cost nothing. What is quoted in another way than
//! RFC 4180 has it ends the pass: the line with it is for [`super::split`].

use std::ops::Range;

use crate::{line, simd};

/// Bytes that are indexed at a time. Small enough to stay in the first cache with its places.
const SPAN: usize = 16 * 1024;
/// The least bytes that are indexed at a time, where odd lines stand close together.
const LEAST: usize = 512;
/// Room for the delimiters of a span, and for those of a block behind any of them.
const PLACES: usize = SPAN + simd::BLOCK + 1;

/// The fields of a row, quotes left on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fields<'a, 'f> {
    /// One by one.
    Split(&'f [&'a [u8]]),
    /// By their places in a text.
    Placed {
        /// The text that has the row in it.
        text: &'a [u8],
        /// Where each field begins, and last where the next row does; a delimiter stands before each but
        /// the first.
        begins: &'f [u32],
        /// Where the last field ends.
        end: usize,
    },
}

impl<'a> Fields<'a, '_> {
    /// How many there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        match self {
            Fields::Split(fields) => fields.len(),
            Fields::Placed { begins, .. } => begins.len() - 1,
        }
    }

    /// The field in a column, from 0; empty where there is none.
    #[inline]
    pub(crate) fn get(&self, column: Option<usize>) -> &'a [u8] {
        let Some(column) = column else { return b"" };
        match self {
            Fields::Split(fields) => fields.get(column).copied().unwrap_or_default(),
            Fields::Placed { text, begins, end } => {
                let Some([begin, next]) = begins.get(column..).and_then(|b| b.first_chunk()) else {
                    return b"";
                };
                let last = column + 2 == begins.len();
                let end = if last { *end } else { *next as usize - 1 };
                text.get(*begin as usize..end).unwrap_or_default()
            }
        }
    }
}

/// A line of a text, and its fields where the index has them.
pub(crate) struct Line<'a, 'f> {
    /// Where it stands, its line end included.
    pub(crate) range: Range<usize>,
    /// The fields of what [`line::content`] leaves of the line: only of a line that begins with a digit,
    /// as rows do.
    pub(crate) fields: Option<Fields<'a, 'f>>,
}

/// The lines of a text, in order; together they are all of it.
pub(crate) struct Lines<'a, 'i> {
    text: &'a [u8],
    eol: u8,
    /// Where the next line begins.
    at: usize,
    /// Where the span of the index begins.
    from: usize,
    /// The next line of the index.
    next: usize,
    index: &'i mut Index,
}

impl<'a, 'i> Lines<'a, 'i> {
    pub(crate) fn new(text: &'a [u8], eol: u8, index: &'i mut Index) -> Self {
        (index.count, index.span) = (0, SPAN);
        Lines { text, eol, at: 0, from: 0, next: 0, index }
    }

    /// The next line, until the next one is asked for.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Line<'a, '_>> {
        if self.next == self.index.count {
            if self.at >= self.text.len() {
                return None;
            }
            (self.from, self.next) = (self.at, 0);
            self.index.fill(self.text, self.at, self.eol);
            if self.index.count == 0 {
                let end = line::next_line(self.text, self.at, self.eol);
                let range = self.at..end;
                self.at = end;
                return Some(Line { range, fields: None });
            }
        }
        let begins = self.index.line(self.next);
        self.next += 1;
        let (start, text) = (self.at, &self.text[self.from..]);
        let next = begins.last().map_or(0, |next| *next as usize);
        self.at = self.from + next;
        let is_row = self.text.get(start).is_some_and(u8::is_ascii_digit);
        let fields = is_row.then(|| {
            let last = begins.len().checked_sub(2).map_or(0, |last| begins[last] as usize);
            let mut end = next.saturating_sub(1);
            while end > last && matches!(text[end - 1], 0 | b'\n' | b'\r' | b' ' | b'\t') {
                end -= 1;
            }
            Fields::Placed { text, begins, end }
        });
        Some(Line { range: start..self.at, fields })
    }
}

/// Places of the delimiters of a span of text.
pub(crate) struct Index {
    /// Offsets in the span: 0, then of what stands behind each delimiter, in order; behind them,
    /// leftovers.
    begins: Box<[u32; PLACES]>,
    /// Of each line, where among `begins` the one behind its line end is.
    ends: Box<[u32; SPAN]>,
    /// Number of lines.
    count: usize,
    /// Bytes that are indexed next.
    span: usize,
}

impl Default for Index {
    fn default() -> Self {
        let (begins, ends) = (Box::new([0; PLACES]), Box::new([0; SPAN]));
        Index { begins, ends, count: 0, span: SPAN }
    }
}

impl Index {
    /// Indexes the text from `at`, where a line begins: the whole lines of a span, up to one with odd
    /// quotes.
    fn fill(&mut self, text: &[u8], at: usize, eol: u8) {
        let end = text.len().min(at + self.span);
        self.begins[0] = 0;
        let mut noted = Noted {
            begins: &mut self.begins,
            ends: &mut self.ends,
            places: 1,
            lines: 0,
            inside: 0,
            may_open: 1,
            stopped: false,
        };
        simd::each_block(&text[at..end], [b',', eol, b'"'], &mut noted);
        let Noted { lines, stopped, .. } = noted;
        self.count = lines;
        self.span = if stopped { LEAST.max(self.span / 2) } else { SPAN.min(self.span * 2) };
    }

    /// Where the fields of a line begin, and last where the next line does.
    #[inline(always)]
    fn line(&self, number: usize) -> &[u32] {
        let end = |number| self.ends.get(number).map_or(0, |end| *end as usize);
        let first = number.checked_sub(1).map_or(0, end);
        self.begins.get(first..=end(number)).unwrap_or(&[0])
    }
}

/// How far a span is indexed.
struct Noted<'i> {
    begins: &'i mut [u32; PLACES],
    ends: &'i mut [u32; SPAN],
    /// Number of places.
    places: usize,
    lines: usize,
    /// All bits set where a quoted field is open.
    inside: u64,
    /// 1 where the byte before is one that a quoted field may begin behind, or a quote.
    may_open: u64,
    /// Something odd was found.
    stopped: bool,
}

impl simd::Blocks<3> for Noted<'_> {
    const AHEAD: usize = 4096;

    #[inline(always)]
    fn block(&mut self, at: usize, [commas, mut ends, quotes]: [u64; 3], note: impl simd::Note) {
        if self.stopped {
            return;
        }
        let mut all = commas | ends;
        let before = all | quotes;
        if quotes | self.inside != 0 {
            // From each opening quote to what stands before the closing one. Doubled quotes close and open.
            let inside = parity(quotes) ^ self.inside;
            self.inside = ((inside as i64) >> 63) as u64;
            let opening = quotes & inside;
            let odd = opening & !(before << 1 | self.may_open) | ends & inside;
            all &= !inside;
            if odd != 0 {
                let good = (odd & odd.wrapping_neg()) - 1;
                (all, ends, self.stopped) = (all & good, ends & good, true);
            }
        }
        self.may_open = before >> 63;
        while ends != 0 {
            let behind = ends & ends.wrapping_neg();
            let through = all & (behind | (behind - 1));
            if let Some(end) = self.ends.get_mut(self.lines) {
                *end = (self.places - 1) as u32 + through.count_ones();
            }
            self.lines += 1;
            ends &= ends - 1;
        }
        note.append(all, at as u32 + 1, self.begins, &mut self.places);
    }
}

/// Of each bit whether an odd number of bits is set up to it, itself included.
#[inline(always)]
pub(crate) fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(content: &[u8]) -> Option<Vec<&[u8]>> {
        let mut fields = vec![&b""[..]; content.len() + 1];
        let count = crate::csv::split(content, &mut fields)?;
        fields.truncate(count);
        Some(fields)
    }

    /// How many lines had fields.
    fn check(text: &[u8], eol: u8) -> Result<usize, TestCaseError> {
        let mut index = Index::default();
        let mut lines = Lines::new(text, eol, &mut index);
        let mut rows = 0;
        for range in line::lines(text, eol) {
            let Some(found) = lines.next() else { return Err(TestCaseError::fail("too few")) };
            prop_assert_eq!(&found.range, &range);
            let Some(fields) = found.fields else { continue };
            let placed: Vec<&[u8]> = (0..fields.count()).map(|i| fields.get(Some(i))).collect();
            prop_assert_eq!(plainly(line::content(&text[range])), Some(placed));
            prop_assert_eq!(fields.get(Some(fields.count())), b"");
            rows += 1;
        }
        prop_assert!(lines.next().is_none());
        Ok(rows)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn fields_are_those_of_the_plain_way(
            odd in prop::collection::vec(prop_oneof![Just("\""), Just(","), Just("\n"), Just("\r"), Just("1"), Just(" "), Just("\0")], 0..300),
            rows in prop::collection::vec("1,[a-c ]{0,70}(,\"[a,]{0,70}(\"\"b\"\"){0,2}\"){0,3},{0,3}", 0..60),
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            check(odd.concat().as_bytes(), b'\n')?;
            check(odd.concat().as_bytes(), b'\r')?;
            check(&bytes, b'\n')?;
            let tame = rows.join("\r\n") + "\r\n";
            prop_assert_eq!(check(tame.as_bytes(), b'\n')?, rows.len());
            let mut wild = tame.repeat(6).into_bytes();
            check(&[&wild[..], &bytes, &wild, odd.concat().as_bytes(), &wild].concat(), b'\n')?;
            for (i, byte) in bytes.iter().enumerate() {
                let at = (i * 257 + usize::from(*byte)) % wild.len();
                wild[at] = if *byte < 128 { b'"' } else { *byte };
            }
            check(&wild, b'\n')?;
        }
    }
}
