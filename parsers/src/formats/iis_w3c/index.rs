//! Where the blanks and line ends are, sixteen thousand bytes at a time.
//!
//! One pass finds both delimiters together. A row of n fields then has its line end n delimiters
//! behind the line end before it, so that one comparison checks the number of fields and every
//! field is two look-ups away.

use crate::simd;

/// Bytes that are indexed at a time. Small enough to stay in the first cache with its positions.
const SPAN: usize = 16 * 1024;

/// Room for the delimiters of a span. Whole words are written, of which only the first are meant.
const PLACES: usize = SPAN + 16;

/// Positions of the delimiters of a span of text.
pub(crate) struct Index {
    /// Offsets in the text: first that of the byte before the span, then those of its blanks and line
    /// ends, in order; behind them, leftovers.
    delimiters: Box<[u32; PLACES]>,
    /// Which of the delimiters stand before a row, in order: the first, and all line ends; behind
    /// them, leftovers.
    bounds: Box<[u32; PLACES]>,
    rows: usize,
    irregular: bool,
}

/// Where the fields of a row stand.
#[derive(Clone, Copy)]
pub(super) struct Row<'i> {
    /// Offset of the byte before the first field (which wraps where that is the first of the text),
    /// of every blank, and of the line end.
    around: &'i [u32],
}

impl Row<'_> {
    /// Number of fields.
    #[inline]
    pub(super) fn fields(&self) -> usize {
        self.around.len() - 1
    }

    /// Where the field `i`, from 0, begins and ends; empty where there is none.
    #[inline]
    pub(super) fn field(&self, i: usize) -> std::ops::Range<usize> {
        match self.around.get(i..).and_then(|rest| rest.first_chunk()) {
            Some([before, behind]) => before.wrapping_add(1) as usize..*behind as usize,
            None => 0..0,
        }
    }

    /// Whether the first two fields have these lengths, in bytes, and others follow.
    #[inline]
    pub(super) fn begins_with_fields_of(&self, first: u32, second: u32) -> bool {
        match self.around {
            [before, one, two, _, ..] => {
                let one_expected = before.wrapping_add(1 + first);
                *one == one_expected && *two == one_expected.wrapping_add(1 + second)
            }
            _ => false,
        }
    }

    /// Where the row begins, and where its line end stands.
    #[inline]
    pub(super) fn extent(&self) -> (usize, usize) {
        match self.around {
            [before, .., end] => (before.wrapping_add(1) as usize, *end as usize),
            _ => (0, 0),
        }
    }
}

impl Index {
    pub(super) fn new() -> Index {
        let places = || Box::new([0; PLACES]);
        Index { delimiters: places(), bounds: places(), rows: 0, irregular: false }
    }

    /// Indexes the text from `at`, where a line begins. Returns the number of whole rows found; 0
    /// where the line is longer than a span, has no end, or lies beyond 4 GiB.
    pub(super) fn fill(&mut self, text: &[u8], at: usize, eol: u8) -> usize {
        self.rows = 0;
        let end = text.len().min(at + SPAN);
        if u32::try_from(end).is_err() {
            return 0;
        }
        self.delimiters[0] = (at as u32).wrapping_sub(1);
        let mut noted = Noted {
            text: at as u32,
            delimiters: &mut self.delimiters,
            bounds: &mut self.bounds,
            count: 1,
            rows: 0,
            after_delimiter: true,
            odd: 0,
        };
        simd::each_block(&text[at..end], [b' ', eol, b'\t'], &mut noted);
        (self.rows, self.irregular) = (noted.rows, noted.odd != 0);
        self.rows
    }

    /// Whether every row of the span separates its fields as IIS does.
    pub(super) fn regular(&self) -> bool {
        !self.irregular
    }

    /// Where the fields of a row of the span stand, from 0.
    #[inline]
    pub(super) fn row(&self, row: usize) -> Row<'_> {
        let (first, last) = (self.bounds[row] as usize, self.bounds[row + 1] as usize);
        Row { around: &self.delimiters[first..=last] }
    }
}

/// How far a span is indexed.
struct Noted<'i> {
    /// Offset of the span in the text.
    text: u32,
    delimiters: &'i mut [u32; PLACES],
    bounds: &'i mut [u32; PLACES],
    count: usize,
    rows: usize,
    /// The last byte was a delimiter.
    after_delimiter: bool,
    /// Bits of what IIS does not write.
    odd: u64,
}

impl simd::Blocks<3> for Noted<'_> {
    const AHEAD: usize = 4096;

    /// Notes the delimiters of a block: their offsets, and which of them are line ends. Their number
    /// is hard to foretell, so some offsets are written whether there are that many or not, and one
    /// line end.
    #[inline(always)]
    fn block(&mut self, at: usize, [blanks, mut ends, tabs]: [u64; 3]) {
        let mut both = blanks | ends;
        // Two delimiters in a row, or a tab, are nothing that IIS writes.
        self.odd |= tabs | (both & (both << 1 | u64::from(self.after_delimiter)));
        self.after_delimiter = both >> 63 == 1;
        while let Some(bound) = self.bounds.get_mut(self.rows + 1) {
            let below = both & (ends & ends.wrapping_neg()).wrapping_sub(1);
            *bound = (self.count as u32).wrapping_add(below.count_ones());
            self.rows += usize::from(ends != 0);
            ends &= ends.wrapping_sub(1);
            if ends == 0 {
                break;
            }
        }
        let base = self.text.wrapping_add(at as u32);
        let mut at = self.count;
        self.count += both.count_ones() as usize;
        // Most blocks have few, those where a row ends have many.
        if !note::<4>(&mut both, base, self.delimiters, at) {
            return;
        }
        at += 4;
        while both != 0 && note::<8>(&mut both, base, self.delimiters, at) {
            at += 8;
        }
    }
}

/// Writes the places of the lowest `N` bits of `mask` behind `at`, whether there are that many or
/// not, and clears them. `false` where there is no room.
#[inline(always)]
fn note<const N: usize>(
    mask: &mut u64,
    base: u32,
    delimiters: &mut [u32; PLACES],
    at: usize,
) -> bool {
    let room = delimiters.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>());
    let Some(places) = room else { return false };
    for place in places {
        *place = base.wrapping_add(mask.trailing_zeros());
        *mask &= mask.wrapping_sub(1);
    }
    true
}
