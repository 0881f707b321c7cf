//! Where lines end, some thousand bytes at a time.

use std::ops::Range;

use crate::{line, simd};

/// Bytes that are looked at together: they stay in the first cache until their lines are read.
const SPAN: usize = 4096;
/// Room for the line ends of a span, and for those of a block behind any of them.
const PLACES: usize = SPAN + simd::BLOCK;

/// The lines of a text, in order; together they are all of it.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    eol: u8,
    /// Where the next line begins.
    at: usize,
    /// Where the span begins.
    from: usize,
    /// The next line end.
    next: usize,
    ends: Ends,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8], eol: u8) -> Self {
        let ends = Ends { behind: Box::new([0; PLACES]), count: 0 };
        Lines { text, eol, at: 0, from: 0, next: 0, ends }
    }

    /// The next line, its line end included.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        if self.next == self.ends.count && !self.fill() {
            return self.long();
        }
        let behind = self.ends.behind.get(self.next)?;
        self.next += 1;
        let start = self.at;
        self.at = self.from + *behind as usize;
        Some(start..self.at)
    }

    /// Looks at the next span; `false` where no line ends in it.
    fn fill(&mut self) -> bool {
        (self.from, self.next, self.ends.count) = (self.at, 0, 0);
        let span = &self.text[self.at..self.text.len().min(self.at + SPAN)];
        simd::each_block(span, [self.eol], &mut self.ends);
        self.ends.count > 0
    }

    /// A line longer than a span, or the last one.
    fn long(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.at = line::next_line(self.text, start, self.eol);
        (start < self.at).then_some(start..self.at)
    }
}

/// The line ends of a span.
struct Ends {
    /// Offsets behind them; behind those, leftovers.
    behind: Box<[u32; PLACES]>,
    count: usize,
}

impl simd::Blocks<1> for Ends {
    #[inline(always)]
    fn block(&mut self, at: usize, [ends]: [u64; 1], note: impl simd::Note) {
        note.append(ends, at as u32 + 1, &mut *self.behind, &mut self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_those_of_the_plain_way(
            pieces in prop::collection::vec(prop_oneof!["[a\n\r]{0,90}", "\n{60,70}", "a{4000,4100}", "a{60,70}\r\n"], 0..20),
        ) {
            let text = pieces.concat().into_bytes();
            for eol in *b"\n\r" {
                let mut found = Lines::new(&text, eol);
                let all: Vec<_> = std::iter::from_fn(|| found.next()).collect();
                prop_assert_eq!(all, line::lines(&text, eol).collect::<Vec<_>>());
            }
        }
    }
}
