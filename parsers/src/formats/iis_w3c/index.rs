//! Where the blanks and line ends are, sixteen thousand bytes at a time.
//!
//! One pass finds both delimiters together. A row of n fields then has its line end n delimiters
//! behind the line end before it, so that one comparison checks the number of fields and every
//! field is two look-ups away.

/// Bytes that are indexed at a time. Small enough to stay in the first cache with its positions.
const SPAN: usize = 16 * 1024;

/// Positions of the delimiters of a span of text.
pub(super) struct Index {
    /// Offsets of blanks and line ends in the text, in order; behind them, leftovers.
    delimiters: Box<[u32]>,
    /// How many of them there are.
    count: usize,
    /// Which of the delimiters are line ends, in order; behind them, leftovers.
    line_ends: Box<[u32]>,
    rows: usize,
    irregular: bool,
}

impl Index {
    pub(super) fn new() -> Index {
        // Whole words are written, of which only the first are meant: eight more than can be.
        let places = || vec![0; SPAN + 8].into_boxed_slice();
        Index { delimiters: places(), count: 0, line_ends: places(), rows: 0, irregular: false }
    }

    /// Indexes the text from `at`, where a line begins. Returns the number of whole rows found; 0
    /// where the line is longer than a span, has no end, or lies beyond 4 GiB.
    pub(super) fn fill(&mut self, text: &[u8], at: usize, eol: u8) -> usize {
        (self.count, self.rows, self.irregular) = (0, 0, false);
        let end = text.len().min(at + SPAN);
        if u32::try_from(end).is_err() {
            return 0;
        }
        let mut after_delimiter = true;
        let mut odd = 0;
        let (chunks, rest) = text[at..end].as_chunks::<64>();
        let mut base = at as u32;
        for chunk in chunks {
            let (both, ends, tabs) = masks(chunk, eol);
            // Two delimiters in a row, or a tab, are nothing that IIS writes.
            odd |= tabs | (both & (both << 1 | u64::from(after_delimiter)));
            after_delimiter = both >> 63 == 1;
            self.note(base, both, ends);
            base += 64;
        }
        for b in rest {
            let delimiter = *b == b' ' || *b == eol;
            odd |= u64::from((delimiter && after_delimiter) || *b == b'\t');
            after_delimiter = delimiter;
            self.note(base, u64::from(delimiter), u64::from(*b == eol));
            base += 1;
        }
        self.irregular = odd != 0;
        self.rows
    }

    /// Whether every row of the span separates its fields as IIS does.
    pub(super) fn regular(&self) -> bool {
        !self.irregular
    }

    /// The offsets of the blanks of a row, and of its line end.
    #[inline]
    pub(super) fn row(&self, row: usize) -> (&[u32], usize) {
        let first = if row == 0 { 0 } else { self.line_ends[row - 1] as usize + 1 };
        let end = self.line_ends[row] as usize;
        (&self.delimiters[first..end], self.delimiters[end] as usize)
    }

    /// Notes the delimiters of a chunk that begins at `base`. Their number is hard to foretell, so
    /// four are written whether there are that many or not.
    #[inline]
    fn note(&mut self, base: u32, mut both: u64, mut ends: u64) {
        let found = both.count_ones() as usize;
        // Line ends are seldom two to a chunk.
        loop {
            let below = both & (ends & ends.wrapping_neg()).wrapping_sub(1);
            self.line_ends[self.rows] = (self.count as u32).wrapping_add(below.count_ones());
            self.rows += usize::from(ends != 0);
            ends &= ends.wrapping_sub(1);
            if ends == 0 {
                break;
            }
        }
        for four in (self.count..self.count + found.max(1)).step_by(4) {
            for place in &mut self.delimiters[four..four + 4] {
                *place = base.wrapping_add(both.trailing_zeros());
                both &= both.wrapping_sub(1);
            }
        }
        self.count += found;
    }
}

/// One bit for each of 64 bytes: blanks and line ends, line ends alone, tabs.
#[cfg(target_arch = "x86_64")]
#[inline]
fn masks(chunk: &[u8; 64], eol: u8) -> (u64, u64, u64) {
    #[allow(unsafe_code, reason = "the crate's one call that the compiler cannot check")]
    // SAFETY: `sse2::masks` touches no memory but its arguments. What makes the call unsafe is that
    // the processor must have SSE2, and SSE2 is part of the x86-64 baseline that this function is
    // compiled for (see `cfg` above).
    unsafe {
        sse2::masks(chunk, eol)
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn masks(chunk: &[u8; 64], eol: u8) -> (u64, u64, u64) {
        let (blank, end, tab) =
            (_mm_set1_epi8(b' ' as i8), _mm_set1_epi8(eol as i8), _mm_set1_epi8(b'\t' as i8));
        let (mut both, mut ends, mut tabs) = (0u64, 0u64, 0u64);
        for quarter in 0..4 {
            let bytes = load(chunk, quarter * 16);
            let ended = _mm_cmpeq_epi8(bytes, end);
            let at = quarter * 16;
            both |= bits(_mm_or_si128(_mm_cmpeq_epi8(bytes, blank), ended)) << at;
            ends |= bits(ended) << at;
            tabs |= bits(_mm_cmpeq_epi8(bytes, tab)) << at;
        }
        (both, ends, tabs)
    }

    /// Sixteen bytes from `at`; made of two safe words, which the compiler joins into one load.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(chunk: &[u8; 64], at: usize) -> __m128i {
        let word = |i: usize| i64::from_le_bytes(chunk[i..i + 8].try_into().expect("eight bytes"));
        _mm_set_epi64x(word(at + 8), word(at))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn bits(mask: __m128i) -> u64 {
        u64::from(_mm_movemask_epi8(mask) as u32 as u16)
    }
}

/// One bit for each of 64 bytes: blanks and line ends, line ends alone, tabs.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn masks(chunk: &[u8; 64], eol: u8) -> (u64, u64, u64) {
    chunk.iter().enumerate().fold((0, 0, 0), |(both, ends, tabs), (i, b)| {
        let bit = |yes: bool| u64::from(yes) << i;
        (both | bit(*b == b' ' || *b == eol), ends | bit(*b == eol), tabs | bit(*b == b'\t'))
    })
}
