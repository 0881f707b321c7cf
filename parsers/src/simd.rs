//! Where certain bytes stand, sixty-four bytes at a time.
//!
//! The crate's one place with code that the compiler cannot check: calls of functions that are
//! compiled for more than the least processor, and their loads and stores.
//!
//! There are three ways, which tests hold to the same answers: AVX-512 with VBMI2 (Ice Lake, Zen 4 and
//! later), AVX2, and one for any processor.

/// Bytes that are looked at together.
pub(crate) const BLOCK: usize = 64;

/// What is done with the blocks of a text. Implementations are marked `#[inline(always)]`: only so
/// are they compiled for the same processor as the loop around them.
pub(crate) trait Blocks<const N: usize> {
    /// The next block: its offset in the text, and for each wanted byte a mask whose bit `i` is set
    /// where that byte stands at `i` of the block. The last block may be short; the bits behind its end
    /// are 0.
    fn block(&mut self, at: usize, masks: [u64; N], note: impl Note);

    /// How many bytes ahead of the block at hand the processor is asked to fetch; 0 for not at all.
    /// Pays where a long text is read that is not in the cache.
    const AHEAD: usize = 0;
}

/// How the bits of a mask are written down.
pub(crate) trait Note: Copy {
    /// Writes the places of the bits of `mask` that stand behind `base`, from the lowest. What is in
    /// `places` behind them is written over.
    fn note(self, mask: u64, base: u32, places: &mut [u32; BLOCK]);

    /// Does so behind the first `count` of `places`, and counts them. Where there is no room for a whole
    /// block they are only counted.
    #[inline(always)]
    fn append(self, mask: u64, base: u32, places: &mut [u32], count: &mut usize) {
        if let Some(room) = places.get_mut(*count..).and_then(|room| room.first_chunk_mut()) {
            self.note(mask, base, room);
        }
        *count += mask.count_ones() as usize;
    }
}

impl<F: Copy + Fn(u64, u32, &mut [u32; BLOCK])> Note for F {
    #[inline(always)]
    fn note(self, mask: u64, base: u32, places: &mut [u32; BLOCK]) {
        self(mask, base, places);
    }
}

/// Tells `seen` of every block of `text` which of its bytes are the `wanted` ones.
#[inline]
pub(crate) fn each_block<const N: usize>(text: &[u8], wanted: [u8; N], seen: &mut impl Blocks<N>) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "compiled for more than the least processor")]
    // SAFETY: both functions are safe code that touches no memory but its arguments. What makes the
    // calls unsafe is that the processor must have the features that the function is compiled for, and
    // `is_here` of its module has just asked for all of them.
    unsafe {
        if avx512::is_here() {
            return avx512::each_block(text, wanted, seen);
        }
        if avx2::is_here() {
            return avx2::each_block(text, wanted, seen);
        }
    }
    each_block_by(text, wanted, seen, masks, Few);
}

/// Tells `seen` where one of `pairs` stands in `text`: the offset of its first byte, in order. Pairs are
/// written in lower case and found in either; a byte that differs from one of theirs in the bit of case
/// alone may be taken for it, so `seen` looks again.
#[inline]
pub(crate) fn each_pair<const N: usize>(
    text: &[u8],
    pairs: [[u8; 2]; N],
    seen: &mut impl FnMut(usize),
) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "compiled for more than the least processor")]
    // SAFETY: as in `each_block`.
    unsafe {
        if avx512::is_here() {
            return avx512::each_pair(text, pairs, seen);
        }
        if avx2::is_here() {
            return avx2::each_pair(text, pairs, seen);
        }
    }
    each_pair_by(text, pairs, seen, pair_mask);
}

#[inline(always)]
fn each_pair_by<const N: usize>(
    text: &[u8],
    pairs: [[u8; 2]; N],
    seen: &mut impl FnMut(usize),
    mask: impl Fn(&[u8; BLOCK + 1], [[u8; 2]; N]) -> u64,
) {
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        bits(mask(block, pairs)).for_each(|i| seen(at + i));
        at += BLOCK;
    }
    // What is left is read together with what was read before it, or with nothing.
    let mut short = [0; BLOCK + 1];
    let (block, from) = match text.last_chunk() {
        Some(block) => (block, text.len() - BLOCK - 1),
        None => {
            short[..text.len()].copy_from_slice(text);
            (&short, 0)
        }
    };
    let before = u64::MAX.checked_shl((at - from) as u32).unwrap_or(0);
    bits(mask(block, pairs) & before).for_each(|i| seen(from + i));
}

/// The places of the bits of a mask, from the lowest.
#[inline(always)]
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let at = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            at
        })
    })
}

/// For any processor.
#[derive(Clone, Copy)]
struct Few;

impl Note for Few {
    /// Their number is hard to foretell: most blocks of a log have few, those where a row ends have
    /// many. So some places are written whether there are that many bits or not.
    #[inline(always)]
    fn note(self, mut mask: u64, base: u32, places: &mut [u32; BLOCK]) {
        let mut next = |room: &mut [u32]| {
            for place in room {
                *place = base.wrapping_add(mask.trailing_zeros());
                mask &= mask.wrapping_sub(1);
            }
            mask != 0
        };
        let (few, rest) = places.split_at_mut(4);
        let (eights, last) = rest.as_chunks_mut::<8>();
        let _ = next(few) && eights.iter_mut().all(|eight| next(eight)) && next(last);
    }
}

#[inline(always)]
fn each_block_by<const N: usize, B: Blocks<N>>(
    text: &[u8],
    wanted: [u8; N],
    seen: &mut B,
    masks: impl Fn(&[u8; BLOCK], [u8; N]) -> [u64; N],
    note: impl Note,
) {
    let (whole, rest) = text.as_chunks::<BLOCK>();
    let mut at = 0;
    for block in whole {
        if B::AHEAD > 0 {
            prefetch(block.as_ptr().wrapping_add(B::AHEAD));
        }
        seen.block(at, masks(block, wanted), note);
        at += BLOCK;
    }
    if !rest.is_empty() {
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let there = (1 << rest.len()) - 1;
        seen.block(at, masks(&last, wanted).map(|mask| mask & there), note);
    }
}

/// Asks the processor to fetch what lies at `place`, which need not be memory of ours.
#[inline(always)]
pub(crate) fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "a hint that reads nothing")]
    // SAFETY: the instruction is part of every x86-64, changes nothing that a program can see, and
    // never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Where pairs begin in a block, byte by byte: for any processor.
#[inline(always)]
fn pair_mask<const N: usize>(block: &[u8; BLOCK + 1], pairs: [[u8; 2]; N]) -> u64 {
    let lower = |i: usize| block[i] | 0x20;
    let is = |i: usize| pairs.contains(&[lower(i), lower(i + 1)]);
    (0..BLOCK).fold(0, |mask, i| mask | u64::from(is(i)) << i)
}

/// The masks of a block, eight bytes at a time: for any processor.
#[inline(always)]
fn masks<const N: usize>(block: &[u8; BLOCK], wanted: [u8; N]) -> [u64; N] {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let (words, _) = block.as_chunks::<8>();
    wanted.map(|byte| {
        let all = u64::from_ne_bytes([byte; 8]);
        words.iter().enumerate().fold(0, |mask, (i, word)| {
            let difference = u64::from_le_bytes(*word) ^ all;
            // The highest bit of each byte: set where the byte is the wanted one.
            let same = !(((difference & LOW) + LOW) | difference | LOW);
            // Gathers those eight bits in the highest byte.
            mask | (same >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i)
        })
    })
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    };

    use super::{BLOCK, Blocks, Few, each_block_by, each_pair_by};

    /// Whether this processor has every feature that the functions below are compiled for.
    #[inline]
    pub(super) fn is_here() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn each_block<const N: usize>(
        text: &[u8],
        wanted: [u8; N],
        seen: &mut impl Blocks<N>,
    ) {
        each_block_by(text, wanted, seen, |block, wanted| masks(block, wanted), Few);
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn each_pair<const N: usize>(
        text: &[u8],
        pairs: [[u8; 2]; N],
        seen: &mut impl FnMut(usize),
    ) {
        each_pair_by(text, pairs, seen, |block, pairs| pair_mask(block, pairs));
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn pair_mask<const N: usize>(block: &[u8; BLOCK + 1], pairs: [[u8; 2]; N]) -> u64 {
        let (mut low, mut high) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        let [one, two] = [block.first_chunk::<BLOCK>(), block.last_chunk::<BLOCK>()];
        let (Some(one), Some(two)) = (one, two) else { return 0 };
        let (one, two) = (one.as_chunks::<32>().0, two.as_chunks::<32>().0);
        let lower = |bytes| _mm256_or_si256(load(bytes), _mm256_set1_epi8(0x20));
        let is = |bytes, wanted: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(wanted as i8));
        let (one, two) = ([lower(&one[0]), lower(&one[1])], [lower(&two[0]), lower(&two[1])]);
        for [first, second] in pairs {
            low = _mm256_or_si256(low, _mm256_and_si256(is(one[0], first), is(two[0], second)));
            high = _mm256_or_si256(high, _mm256_and_si256(is(one[1], first), is(two[1], second)));
        }
        let bits = |mask| u64::from(_mm256_movemask_epi8(mask) as u32);
        bits(low) | bits(high) << 32
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn masks<const N: usize>(block: &[u8; BLOCK], wanted: [u8; N]) -> [u64; N] {
        let (halves, _) = block.as_chunks::<32>();
        let (low, high) = (load(&halves[0]), load(&halves[1]));
        let is = |bytes: __m256i, wanted: u8| {
            let same = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(wanted as i8));
            u64::from(_mm256_movemask_epi8(same) as u32)
        };
        wanted.map(|byte| is(low, byte) | is(high, byte) << 32)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        #[allow(unsafe_code, reason = "put together of safe words, it takes six instructions")]
        // SAFETY: thirty-two bytes are read from a reference to thirty-two bytes, which need not be
        // aligned, and any bytes are a valid vector.
        unsafe {
            _mm256_loadu_si256(bytes.as_ptr().cast())
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m128i, __m512i, _mm512_add_epi32, _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32,
        _mm512_extracti32x4_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8,
        _mm512_maskz_loadu_epi8, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi32,
        _mm512_storeu_si512,
    };

    use super::{BLOCK, Blocks, bits, each_block_by};

    /// Whether this processor has every feature that the functions below are compiled for.
    #[inline]
    pub(super) fn is_here() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,popcnt")]
    pub(super) fn each_block<const N: usize>(
        text: &[u8],
        wanted: [u8; N],
        seen: &mut impl Blocks<N>,
    ) {
        let masks = |block: &[u8; BLOCK], wanted: [u8; N]| {
            let block = load(block);
            wanted.map(|byte| is(block, byte))
        };
        let note = |mask: u64, base: u32, places: &mut [u32; BLOCK]| note(mask, base, places);
        each_block_by(text, wanted, seen, masks, note);
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,popcnt")]
    pub(super) fn each_pair<const N: usize>(
        text: &[u8],
        pairs: [[u8; 2]; N],
        seen: &mut impl FnMut(usize),
    ) {
        let lower = |bytes| _mm512_or_si512(begin(bytes), _mm512_set1_epi8(0x20));
        let mut at = 0;
        while let Some([_, rest @ ..]) = text.get(at..) {
            let (one, two) = (lower(&text[at..]), lower(rest));
            let found = pairs.map(|[first, second]| is(one, first) & is(two, second));
            let found = found.iter().fold(0, |all, found| all | found);
            bits(found & there(rest)).for_each(|i| seen(at + i));
            at += BLOCK;
        }
    }

    /// A bit for each of the bytes that [`begin`] takes.
    #[inline(always)]
    fn there(bytes: &[u8]) -> u64 {
        u64::MAX.checked_shr((BLOCK - bytes.len().min(BLOCK)) as u32).unwrap_or(0)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn is(bytes: __m512i, wanted: u8) -> u64 {
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(wanted as i8))
    }

    /// Sixteen places with one store.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    fn note(mask: u64, base: u32, places: &mut [u32; BLOCK]) {
        const EACH: [u8; BLOCK] = {
            let mut each = [0; BLOCK];
            let mut i = 0;
            while i < BLOCK {
                each[i] = i as u8;
                i += 1;
            }
            each
        };
        let found = _mm512_maskz_compress_epi8(mask, load(&EACH));
        let base = _mm512_set1_epi32(base as i32);
        let (sixteens, _) = places.as_chunks_mut::<16>();
        let mut put = |i: usize, bytes: __m128i| {
            store(&mut sixteens[i], _mm512_add_epi32(base, _mm512_cvtepu8_epi32(bytes)));
        };
        put(0, _mm512_extracti32x4_epi32::<0>(found));
        if mask.count_ones() > 16 {
            put(1, _mm512_extracti32x4_epi32::<1>(found));
            put(2, _mm512_extracti32x4_epi32::<2>(found));
            put(3, _mm512_extracti32x4_epi32::<3>(found));
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(bytes: &[u8; BLOCK]) -> __m512i {
        #[allow(unsafe_code, reason = "put together of safe words, it takes many instructions")]
        // SAFETY: sixty-four bytes are read from a reference to sixty-four bytes, which need not be
        // aligned, and any bytes are a valid vector.
        unsafe {
            _mm512_loadu_si512(bytes.as_ptr().cast())
        }
    }

    /// The first bytes, sixty-four at most, and zeros behind them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn begin(bytes: &[u8]) -> __m512i {
        #[allow(unsafe_code, reason = "copied to a block first, it takes a call")]
        // SAFETY: bytes whose bit is not set are not read, and there are no more bits than bytes.
        unsafe {
            _mm512_maskz_loadu_epi8(there(bytes), bytes.as_ptr().cast())
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(places: &mut [u32; 16], values: __m512i) {
        #[allow(unsafe_code, reason = "taken apart to safe words, it takes many instructions")]
        // SAFETY: sixty-four bytes are written to a reference to sixteen words of four, which need not
        // be aligned more than they are, and any bytes are valid words.
        unsafe {
            _mm512_storeu_si512(places.as_mut_ptr().cast(), values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The masks of each block, and the places of their bits as noted.
    type Seen = Vec<(usize, [u64; 3], Vec<u32>)>;

    impl Blocks<3> for Seen {
        fn block(&mut self, at: usize, masks: [u64; 3], note: impl Note) {
            let mut places = Vec::new();
            for mask in [masks[0], masks[0] | masks[1] | masks[2], !masks[0]] {
                let mut noted = [0; BLOCK];
                note.note(mask, 7, &mut noted);
                places.extend(&noted[..mask.count_ones() as usize]);
            }
            self.push((at, masks, places));
        }
    }

    fn plainly(text: &[u8], wanted: [u8; 3]) -> Seen {
        let bits = |block: &[u8], byte| {
            let bit = |(i, b): (usize, &u8)| u64::from(*b == byte) << i;
            block.iter().enumerate().map(bit).sum()
        };
        let seen = |(i, block): (usize, &[u8])| {
            let masks: [u64; 3] = wanted.map(|byte| bits(block, byte));
            let noted = [masks[0], masks[0] | masks[1] | masks[2], !masks[0]];
            let places = noted
                .iter()
                .flat_map(|mask| (0..BLOCK as u32).filter(move |i| mask >> i & 1 == 1))
                .map(|i| i + 7);
            (i * BLOCK, masks, places.collect())
        };
        text.chunks(BLOCK).enumerate().map(seen).collect()
    }

    /// The ways that this processor knows beside the one that is taken.
    fn other_ways(text: &[u8], wanted: [u8; 3]) -> Vec<Seen> {
        let mut all = vec![Seen::new()];
        each_block_by(text, wanted, &mut all[0], masks, Few);
        #[cfg(target_arch = "x86_64")]
        if avx2::is_here() {
            let mut seen = Seen::new();
            #[allow(unsafe_code, reason = "as in `each_block`")]
            // SAFETY: as in `each_block`.
            unsafe {
                avx2::each_block(text, wanted, &mut seen);
            }
            all.push(seen);
        }
        all
    }

    fn other_pairs(text: &[u8], pairs: [[u8; 2]; 3]) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new()];
        each_pair_by(text, pairs, &mut |at| all[0].push(at), pair_mask);
        #[cfg(target_arch = "x86_64")]
        if avx2::is_here() {
            let mut seen = Vec::new();
            #[allow(unsafe_code, reason = "as in `each_block`")]
            // SAFETY: as in `each_block`.
            unsafe {
                avx2::each_pair(text, pairs, &mut |at| seen.push(at));
            }
            all.push(seen);
        }
        all
    }

    proptest! {
        /// Every way that this processor knows.
        #[test]
        fn masks_say_where_bytes_are(text in prop::collection::vec(prop_oneof![Just(b' '), Just(b'\n'), any::<u8>()], 0..300)) {
            let wanted = [b' ', b'\n', 0];
            let mut taken = Seen::new();
            each_block(&text, wanted, &mut taken);
            let expected = plainly(&text, wanted);
            prop_assert_eq!(&taken, &expected);
            for other in other_ways(&text, wanted) {
                prop_assert_eq!(&other, &expected);
            }
        }

        #[test]
        fn pairs_are_found_where_they_stand(text in "[kKoOfFrRx&:]{0,200}") {
            let text = text.as_bytes();
            let pairs = [*b"ok", *b"fr", *b"&k"];
            let mut taken = Vec::new();
            each_pair(text, pairs, &mut |at| taken.push(at));
            let is = |i: &usize| pairs.iter().any(|p| text[*i..].len() > 1 && text[*i..*i + 2].eq_ignore_ascii_case(p));
            let expected: Vec<usize> = (0..text.len()).filter(is).collect();
            prop_assert_eq!(&taken, &expected);
            for other in other_pairs(text, pairs) {
                prop_assert_eq!(&other, &expected);
            }
        }
    }
}
