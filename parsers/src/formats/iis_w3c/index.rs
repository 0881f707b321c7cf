//! Where the blanks and line ends are, sixteen thousand bytes at a time.
//!
//! One pass finds both delimiters together. A row of n fields then has its line end n delimiters
//! behind the line end before it, so that one comparison checks the number of fields and every
//! field is two look-ups away.

/// Bytes that are indexed at a time. Small enough to stay in the first cache with its positions.
const SPAN: usize = 16 * 1024;

/// Positions of the delimiters of a span of text.
pub(super) struct Index {
    /// Offsets of blanks and line ends in the text, in order.
    delimiters: Vec<u32>,
    /// Which of the delimiters are line ends, in order.
    line_ends: Vec<u32>,
    irregular: bool,
}

impl Index {
    pub(super) fn new() -> Index {
        Index { delimiters: Vec::new(), line_ends: Vec::new(), irregular: false }
    }

    /// Indexes the text from `at`, where a line begins. Returns the number of whole rows found; 0
    /// where the line is longer than a span, has no end, or lies beyond 4 GiB.
    pub(super) fn fill(&mut self, text: &[u8], at: usize, eol: u8) -> usize {
        self.delimiters.clear();
        self.line_ends.clear();
        self.irregular = false;
        let end = text.len().min(at + SPAN);
        if u32::try_from(end).is_err() {
            return 0;
        }
        let mut after_delimiter = true;
        let mut chunks = text[at..end].chunks_exact(64);
        let mut base = at as u32;
        for chunk in &mut chunks {
            let chunk: &[u8; 64] = chunk.try_into().expect("chunks_exact(64) gives 64 bytes");
            let (both, ends, tabs) = masks(chunk, eol);
            self.note(base, both, ends);
            // Two delimiters in a row, or a tab, are nothing that IIS writes.
            let pairs = both & (both << 1 | u64::from(after_delimiter));
            self.irregular |= pairs | tabs != 0;
            after_delimiter = both >> 63 == 1;
            base += 64;
        }
        for b in chunks.remainder() {
            let delimiter = *b == b' ' || *b == eol;
            self.note(base, u64::from(delimiter), u64::from(*b == eol));
            self.irregular |= (delimiter && after_delimiter) || *b == b'\t';
            after_delimiter = delimiter;
            base += 1;
        }
        self.line_ends.len()
    }

    /// Whether every row of the span separates its fields as IIS does.
    pub(super) fn regular(&self) -> bool {
        !self.irregular
    }

    /// The offsets of the blanks of a row, and of its line end.
    pub(super) fn row(&self, row: usize) -> (&[u32], usize) {
        let first = if row == 0 { 0 } else { self.line_ends[row - 1] as usize + 1 };
        let end = self.line_ends[row] as usize;
        (&self.delimiters[first..end], self.delimiters[end] as usize)
    }

    #[inline]
    fn note(&mut self, base: u32, mut both: u64, mut ends: u64) {
        let before = self.delimiters.len() as u32;
        while ends != 0 {
            let below = (1u64 << ends.trailing_zeros()) - 1;
            self.line_ends.push(before + (both & below).count_ones());
            ends &= ends - 1;
        }
        while both != 0 {
            self.delimiters.push(base + both.trailing_zeros());
            both &= both - 1;
        }
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
