//! Going once through a log: places in its text, with the number of their line.

use crate::discover::Input;
use crate::source::{Opened, line_terminator};

/// How many bytes before a place are seen.
const BEFORE: u64 = 64;
/// How many bytes from a place on are seen, at least.
const BEHIND: u64 = (64 << 10) + 1;

/// A place in the text of a log.
pub(super) struct Spot<'a> {
    /// At most 64 bytes before it; fewer only at the beginning of the text.
    pub(super) before: &'a [u8],
    /// At most 64 KiB and one byte from it on; fewer only at the end of the text.
    pub(super) text: &'a [u8],
    /// The byte that ends lines.
    pub(super) eol: u8,
    /// The line that it stands in, from 1.
    pub(super) line: u64,
}

/// Shows each of the places (offsets in the decoded text, ascending); `None` behind the end.
///
/// # Errors
///
/// What the system says, where the log cannot be opened.
pub(super) fn visit(
    input: &Input,
    places: &[u64],
    mut take: impl FnMut(usize, Option<Spot<'_>>),
) -> Result<(), String> {
    let opened = input.open(&super::logs::options()).map_err(|error| error.to_string())?;
    let mut stream = match opened {
        Opened::Stream(stream) => stream,
        // Nothing is mapped by the options of this check.
        Opened::Mapped(_) => return Err("found a mapped file but expected a stream".to_owned()),
    };
    let (mut passage, mut block) = (Passage::default(), Vec::new());
    let mut open = true;
    for (i, place) in places.iter().enumerate() {
        while open && passage.end() < place.saturating_add(BEHIND) {
            passage.drop_before(place.saturating_sub(BEFORE));
            // A torn archive is seen as far as it can be read, as in the run.
            open = matches!(stream.next_block(&mut block), Ok(true));
            if open {
                passage.eol = passage.eol.or_else(|| Some(line_terminator(&block)));
                passage.window.append(&mut block);
            }
        }
        passage.count_to(*place);
        take(i, passage.spot(*place));
    }
    Ok(())
}

/// A window of the text, and the lines before a place in it.
#[derive(Default)]
struct Passage {
    window: Vec<u8>,
    /// Where the window begins.
    base: u64,
    eol: Option<u8>,
    /// How far line ends are counted, and how many there were.
    counted: u64,
    ends: u64,
}

impl Passage {
    fn end(&self) -> u64 {
        self.base + self.window.len() as u64
    }

    /// The index in the window of a place that is not before it.
    fn index(&self, place: u64) -> usize {
        let at = place.saturating_sub(self.base).min(self.window.len() as u64);
        // It is at most the length of a vector.
        usize::try_from(at).unwrap_or(self.window.len())
    }

    fn count_to(&mut self, place: u64) {
        let (from, to) = (self.index(self.counted), self.index(place));
        if let (Some(eol), true) = (self.eol, from < to) {
            self.ends += memchr::memchr_iter(eol, &self.window[from..to]).count() as u64;
        }
        self.counted = self.counted.max(place.min(self.end()));
    }

    fn drop_before(&mut self, place: u64) {
        self.count_to(place);
        let gone = self.index(place);
        self.window.drain(..gone);
        self.base += gone as u64;
    }

    fn spot(&self, place: u64) -> Option<Spot<'_>> {
        let at =
            Some(place).filter(|p| (self.base..self.end()).contains(p)).map(|p| self.index(p))?;
        let eol = self.eol?;
        let (before, behind) = (at.saturating_sub(BEFORE as usize), at + BEHIND as usize);
        Some(Spot {
            before: &self.window[before..at],
            text: &self.window[at..behind.min(self.window.len())],
            eol,
            line: self.ends + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::*;
    use crate::discover::discover;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn lines_and_bytes_are_those_of_the_text(
            lines in prop::collection::vec((any::<u8>(), 0_usize..30_000), 1..30),
            places in prop::collection::btree_set(0_u64..200_000, 0..40),
        ) {
            let text: Vec<u8> = lines
                .iter()
                .flat_map(|(byte, n)| {
                    let byte = if *byte == b'\r' || *byte == b'\n' { b'x' } else { *byte };
                    std::iter::repeat_n(byte, *n).chain([b'\n'])
                })
                .collect();
            let folder = tempfile::tempdir().unwrap();
            // Compressed, it is read block by block.
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gz, &text).unwrap();
            std::fs::write(folder.path().join("a.log.gz"), gz.finish().unwrap()).unwrap();
            let input = discover(&[folder.path().to_owned()]).inputs.remove(0);
            let places: Vec<u64> = places.into_iter().collect();
            let mut seen = 0;
            visit(&input, &places, |i, spot| {
                seen += 1;
                let at = places[i] as usize;
                let Some(spot) = spot else {
                    assert!(at >= text.len());
                    return;
                };
                assert_eq!(spot.line, text[..at].iter().filter(|b| **b == b'\n').count() as u64 + 1);
                assert!(text[at..].starts_with(spot.text) && text[..at].ends_with(spot.before));
                assert_eq!(spot.text.len(), (text.len() - at).min(BEHIND as usize));
                assert_eq!(spot.before.len(), at.min(BEFORE as usize));
            })
            .unwrap();
            prop_assert_eq!(seen, places.len());
        }
    }
}
