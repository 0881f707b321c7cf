//! Where the blanks and line ends are, sixteen thousand bytes at a time.
//!
//! One pass finds both delimiters together. A row of n fields then has its line end n delimiters
//! behind the line end before it, so that one comparison checks the number of fields and every
//! field is two look-ups away.

use super::layout::MOST;
use crate::simd;

/// Bytes that are indexed at a time. Small enough to stay in the first cache with its positions.
const SPAN: usize = 16 * 1024;

/// Room for the delimiters of a span, and for a whole row or a block to be looked at behind any of them.
const PLACES: usize = SPAN + MOST + simd::BLOCK;

/// Positions of the delimiters of a span of text.
pub(crate) struct Index {
    /// Offsets in the text: first that of the byte before the span, then those of its blanks, tabs and
    /// line ends, in order; behind them, leftovers.
    delimiters: Box<[u32; PLACES]>,
    /// Number of offsets.
    count: usize,
    /// Number of line ends among them.
    lines: usize,
    /// Two delimiters stand side by side somewhere.
    irregular: bool,
}

/// Where the fields of a row stand.
#[derive(Clone, Copy)]
pub(super) struct Row<'i> {
    /// Offset of the byte before the first field (which wraps where that is the first of the text), of
    /// every delimiter behind a field, the last of them the line end; then leftovers.
    around: &'i [u32; MOST + 1],
}

impl Row<'_> {
    /// Where the field `i`, from 0, begins and ends.
    #[inline(always)]
    pub(super) fn field(&self, i: u8) -> std::ops::Range<usize> {
        let i = usize::from(i) % MOST;
        self.around[i].wrapping_add(1) as usize..self.around[i + 1] as usize
    }

    /// Offset of the first byte.
    #[inline(always)]
    pub(super) fn start(&self) -> usize {
        self.around[0].wrapping_add(1) as usize
    }

    /// Whether the first two fields have these lengths, in bytes.
    #[inline(always)]
    pub(super) fn begins_with_fields_of(&self, first: u32, second: u32) -> bool {
        let [before, one, two, ..] = *self.around;
        let one_expected = before.wrapping_add(1 + first);
        one == one_expected && two == one_expected.wrapping_add(1 + second)
    }
}

impl Index {
    pub(super) fn new() -> Index {
        Index { delimiters: Box::new([0; PLACES]), count: 0, lines: 0, irregular: false }
    }

    /// Indexes the text from `at`, where a line begins. Returns the number of whole rows of `fields`
    /// fields that stand there one behind the other, separated as IIS does it. There is none where a line
    /// is longer than a span, has another number of fields or more than [`MOST`], or lies beyond 4 GiB.
    pub(super) fn fill(&mut self, text: &[u8], at: usize, eol: u8, fields: usize) -> usize {
        let end = text.len().min(at + SPAN);
        if u32::try_from(end).is_err() || !(1..=MOST).contains(&fields) {
            return 0;
        }
        self.delimiters[0] = (at as u32).wrapping_sub(1);
        let mut noted = Noted {
            text: at as u32,
            delimiters: &mut self.delimiters,
            count: 1,
            lines: 0,
            after_delimiter: 1,
            odd: 0,
        };
        simd::each_block(&text[at..end], [b' ', eol, b'\t'], &mut noted);
        let Noted { count, lines, odd, .. } = noted;
        (self.count, self.lines, self.irregular) = (count, lines, odd != 0);
        self.rows(text, eol, fields)
    }

    /// How many rows of `fields` fields the span begins with.
    fn rows(&self, text: &[u8], eol: u8, fields: usize) -> usize {
        if self.irregular {
            return 0;
        }
        let known = &self.delimiters[..self.count];
        let is_end = |place: &u32| text.get(*place as usize) == Some(&eol);
        let ends = known.iter().skip(fields).step_by(fields);
        let rows = ends.take_while(|place| is_end(place)).count();
        if rows == self.lines {
            return rows;
        }
        // Somewhere a line has another number of fields, and may have hidden its end among those of
        // the next one.
        let whole = |row: &usize| {
            let inner = known.get(row * fields + 1..(row + 1) * fields).unwrap_or_default();
            !inner.iter().any(is_end)
        };
        (0..rows).take_while(whole).count()
    }

    /// Where the fields of a row of `fields` fields stand, by its number in the span, from 0.
    #[inline(always)]
    pub(super) fn row(&self, number: usize, fields: usize) -> Row<'_> {
        // The room behind a span is enough for whatever row begins within it.
        let first = (number * fields).min(SPAN);
        let around = self.delimiters.get(first..).and_then(|rest| rest.first_chunk());
        Row { around: around.unwrap_or(&[0; MOST + 1]) }
    }

    /// Offset of the line end of a row.
    #[inline(always)]
    pub(super) fn end(&self, number: usize, fields: usize) -> usize {
        self.delimiters.get((number + 1) * fields).map_or(0, |end| *end as usize)
    }
}

/// How far a span is indexed.
struct Noted<'i> {
    /// Offset of the span in the text.
    text: u32,
    delimiters: &'i mut [u32; PLACES],
    count: usize,
    lines: usize,
    /// 1 where the last byte was a delimiter.
    after_delimiter: u64,
    /// Bits of what IIS does not write.
    odd: u64,
}

impl simd::Blocks<3> for Noted<'_> {
    const AHEAD: usize = 4096;

    /// Notes the offsets of the delimiters of a block.
    #[inline(always)]
    fn block(&mut self, at: usize, [blanks, ends, tabs]: [u64; 3], note: impl simd::Note) {
        let all = blanks | ends | tabs;
        self.odd |= all & (all << 1 | self.after_delimiter);
        self.after_delimiter = all >> 63;
        self.lines += ends.count_ones() as usize;
        let base = self.text.wrapping_add(at as u32);
        note.append(all, base, self.delimiters, &mut self.count);
    }
}
