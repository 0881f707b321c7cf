//! SHA-256 (FIPS 180-4) of several texts at a time.
//!
//! A digest is a chain: each step waits for the one before, and most of the processor waits with it.
//! Texts of their own go abreast, one in each lane of AVX-512: sixteen take about as long as eight do
//! one by one with the processor's own SHA instructions.

use std::ops::Range;

use rayon::prelude::*;
use sha2::block_api::compress256;

/// Texts that go abreast.
pub(crate) const LANES: usize = 16;
/// Fewer texts are as quick one by one.
pub(crate) const FEWEST: usize = 9;
/// The most bytes of each text, about, until the next look at what is left.
const STRIDE: usize = 256 << 10;

/// Bytes that are taken in together.
type Block = [u8; 64];
/// The eight words of a chain.
type State = [u32; 8];

/// The state before the first block.
const FIRST: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Whether several texts at a time are quicker than one by one on this processor.
pub(crate) fn pays() -> bool {
    #[cfg(target_arch = "x86_64")]
    return lanes::is_here();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The digest of each text, in order. `taken` hears which bytes of which text will not be
/// read again.
pub(crate) fn sha256(texts: &[&[u8]], taken: impl Fn(usize, Range<usize>) + Sync) -> Vec<[u8; 32]> {
    let mut chains: Vec<Chain<'_>> = texts.iter().map(|text| Chain::new(text)).collect();
    while let Some(open) = open(&mut chains) {
        together(open, &taken);
    }
    let ends = chains.into_par_iter().enumerate().map(|(i, chain)| {
        let rest = chain.at..chain.text.len();
        let digest = chain.finish();
        taken(i, rest);
        digest
    });
    ends.collect()
}

/// Chains that are not at their end, as many as go abreast; `None` where they are too few.
fn open<'c, 't>(chains: &'c mut [Chain<'t>]) -> Option<Vec<(usize, &'c mut Chain<'t>)>> {
    let open = chains.iter_mut().enumerate().filter(|(_, chain)| !chain.blocks().is_empty());
    let open: Vec<_> = open.take(LANES).collect();
    (open.len() >= FEWEST).then_some(open)
}

/// Takes in the next blocks of at most [`LANES`] chains, as many of each as the shortest has. `taken` hears
/// of them by the number of each chain.
fn together(mut open: Vec<(usize, &mut Chain<'_>)>, taken: &impl Fn(usize, Range<usize>)) {
    let count = open.iter().map(|(_, chain)| chain.blocks().len()).min().unwrap_or(0);
    let count = count.min(STRIDE / size_of::<Block>());
    // A lane without a chain takes in what the first one does, and is forgotten.
    let blocks: [&[Block]; LANES] = std::array::from_fn(|lane| {
        let chain = open.get(lane).or(open.first());
        chain.and_then(|(_, chain)| chain.blocks().get(..count)).unwrap_or_default()
    });
    let mut states = [[0; LANES]; 8];
    for (lane, (_, chain)) in open.iter().enumerate() {
        states.iter_mut().zip(chain.state).for_each(|(words, word)| words[lane] = word);
    }
    compress(&mut states, &blocks, count);
    for (lane, (i, chain)) in open.iter_mut().enumerate() {
        chain.state.iter_mut().zip(&states).for_each(|(word, words)| *word = words[lane]);
        let end = chain.at + count * size_of::<Block>();
        taken(*i, chain.at..end);
        chain.at = end;
    }
}

/// Takes `count` blocks of each lane into its state; `states` has each word of all lanes together.
fn compress(states: &mut [[u32; LANES]; 8], blocks: &[&[Block]; LANES], count: usize) {
    #[cfg(target_arch = "x86_64")]
    if lanes::is_here() {
        #[allow(unsafe_code, reason = "compiled for more than the least processor")]
        // SAFETY: `lanes::compress` is safe code that touches no memory but its arguments. What makes the
        // call unsafe is that the processor must have the features that the function is compiled for, and
        // `lanes::is_here` has just asked for all of them.
        unsafe {
            return lanes::compress(states, blocks, count);
        }
    }
    for (lane, blocks) in blocks.iter().enumerate() {
        let mut state = states.map(|words| words[lane]);
        compress256(&mut state, &blocks[..count]);
        states.iter_mut().zip(state).for_each(|(words, word)| words[lane] = word);
    }
}

/// A digest on its way.
struct Chain<'t> {
    text: &'t [u8],
    /// Bytes that are taken in: whole blocks.
    at: usize,
    state: State,
}

impl<'t> Chain<'t> {
    fn new(text: &'t [u8]) -> Self {
        Chain { text, at: 0, state: FIRST }
    }

    /// The whole blocks to come.
    fn blocks(&self) -> &'t [Block] {
        self.text.get(self.at..).unwrap_or_default().as_chunks().0
    }

    /// Takes in the rest, a bit that is set, and the number of bits as the last eight bytes of a block.
    fn finish(mut self) -> [u8; 32] {
        let (blocks, rest) = self.text.get(self.at..).unwrap_or_default().as_chunks();
        compress256(&mut self.state, blocks);
        let mut last = [0; 2 * size_of::<Block>()];
        last[..rest.len()].copy_from_slice(rest);
        last[rest.len()] = 0x80;
        let bits = (self.text.len() as u64 * 8).to_be_bytes();
        let end = if rest.len() < size_of::<Block>() - bits.len() { 64 } else { 128 };
        last[end - bits.len()..end].copy_from_slice(&bits);
        compress256(&mut self.state, last[..end].as_chunks().0);
        let mut digest = [0; 32];
        let words = digest.as_chunks_mut::<4>().0.iter_mut();
        words.zip(self.state).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
        digest
    }
}

#[cfg(target_arch = "x86_64")]
mod lanes {
    use std::arch::x86_64::{
        __m512i, _MM_HINT_T0, _mm_prefetch, _mm_set_epi8, _mm512_add_epi32, _mm512_broadcast_i32x4,
        _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_srli_epi32, _mm512_storeu_si512,
        _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    };

    use super::{Block, LANES};

    /// Whether this processor has every feature that the functions below are compiled for.
    pub(super) fn is_here() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    /// Bytes ahead of the block at hand that the processor is asked to fetch.
    const AHEAD: usize = 256;

    /// The constants of the rounds: FIPS 180-4, section 4.2.2.
    #[rustfmt::skip]
    const ROUNDS: [u32; 64] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// FIPS 180-4, section 6.2.2, of sixteen chains.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn compress(
        states: &mut [[u32; LANES]; 8],
        blocks: &[&[Block]; LANES],
        count: usize,
    ) {
        let mut all = [_mm512_setzero_si512(); 8];
        all.iter_mut().zip(&*states).for_each(|(all, words)| *all = load(words));
        let big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
        let big_endian = _mm512_broadcast_i32x4(big_endian);
        for i in 0..count {
            let mut words = [_mm512_setzero_si512(); 16];
            for (words, blocks) in words.iter_mut().zip(blocks) {
                let block = &blocks[i];
                fetch(block);
                *words = _mm512_shuffle_epi8(load(block), big_endian);
            }
            let now = rounds(all, transposed(words));
            for (all, now) in all.iter_mut().zip(now) {
                *all = _mm512_add_epi32(*all, now);
            }
        }
        states.iter_mut().zip(all).for_each(|(words, all)| store(words, all));
    }

    /// The sixty-four rounds on sixteen words of each chain, of which the other forty-eight are made.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn rounds(state: [__m512i; 8], mut words: [__m512i; 16]) -> [__m512i; 8] {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for sixteen in 0..4 {
            for i in 0..16 {
                if sixteen > 0 {
                    let (second, last_but_one) = (words[(i + 1) % 16], words[(i + 14) % 16]);
                    let small_0 = xor(
                        _mm512_ror_epi32::<7>(second),
                        _mm512_ror_epi32::<18>(second),
                        _mm512_srli_epi32::<3>(second),
                    );
                    let small_1 = xor(
                        _mm512_ror_epi32::<17>(last_but_one),
                        _mm512_ror_epi32::<19>(last_but_one),
                        _mm512_srli_epi32::<10>(last_but_one),
                    );
                    words[i] = sum([words[i], small_0, words[(i + 9) % 16], small_1]);
                }
                let large_1 = xor(
                    _mm512_ror_epi32::<6>(e),
                    _mm512_ror_epi32::<11>(e),
                    _mm512_ror_epi32::<25>(e),
                );
                let large_0 = xor(
                    _mm512_ror_epi32::<2>(a),
                    _mm512_ror_epi32::<13>(a),
                    _mm512_ror_epi32::<22>(a),
                );
                // Truth tables: `e ? f : g`, and what most of `a`, `b` and `c` say.
                let choice = _mm512_ternarylogic_epi32::<0xCA>(e, f, g);
                let majority = _mm512_ternarylogic_epi32::<0xE8>(a, b, c);
                let round = _mm512_set1_epi32(ROUNDS[sixteen * 16 + i] as i32);
                let one = sum([_mm512_add_epi32(h, round), words[i], large_1, choice]);
                let two = _mm512_add_epi32(large_0, majority);
                (h, g, f, e) = (g, f, e, _mm512_add_epi32(d, one));
                (d, c, b, a) = (c, b, a, _mm512_add_epi32(one, two));
            }
        }
        [a, b, c, d, e, f, g, h]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn xor(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        _mm512_ternarylogic_epi32::<0x96>(a, b, c)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sum([a, b, c, d]: [__m512i; 4]) -> __m512i {
        _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d))
    }

    /// Rows become columns: from a block of each chain to one word of all chains.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transposed(rows: [__m512i; 16]) -> [__m512i; 16] {
        let mut out = [_mm512_setzero_si512(); 16];
        let (mut pairs, mut fours) = (out, out);
        for i in 0..8 {
            let (a, b) = (rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i] = _mm512_unpacklo_epi32(a, b);
            pairs[2 * i + 1] = _mm512_unpackhi_epi32(a, b);
        }
        for i in 0..4 {
            for half in 0..2 {
                let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
                fours[4 * i + 2 * half] = _mm512_unpacklo_epi64(a, b);
                fours[4 * i + 2 * half + 1] = _mm512_unpackhi_epi64(a, b);
            }
        }
        // A quarter `q` of `fours[4 * i + k]` is now the column `4 * q + k` of the rows from `4 * i`.
        const EVEN: i32 = 0x88;
        const ODD: i32 = 0xDD;
        for k in 0..4 {
            let [a, b, c, d] = [fours[k], fours[4 + k], fours[8 + k], fours[12 + k]];
            let (one, two) =
                (_mm512_shuffle_i32x4::<EVEN>(a, b), _mm512_shuffle_i32x4::<EVEN>(c, d));
            out[k] = _mm512_shuffle_i32x4::<EVEN>(one, two);
            out[8 + k] = _mm512_shuffle_i32x4::<ODD>(one, two);
            let (one, two) = (_mm512_shuffle_i32x4::<ODD>(a, b), _mm512_shuffle_i32x4::<ODD>(c, d));
            out[4 + k] = _mm512_shuffle_i32x4::<EVEN>(one, two);
            out[12 + k] = _mm512_shuffle_i32x4::<ODD>(one, two);
        }
        out
    }

    #[inline(always)]
    fn fetch(block: &Block) {
        #[allow(unsafe_code, reason = "a hint that reads nothing")]
        // SAFETY: the instruction changes nothing that a program can see and never faults, whatever the
        // address.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load<T: Word, const N: usize>(values: &[T; N]) -> __m512i {
        const { assert!(size_of::<[T; N]>() == size_of::<__m512i>()) }
        #[allow(unsafe_code, reason = "put together of safe words, it takes many instructions")]
        // SAFETY: sixty-four bytes are read from a reference to as many, as asserted, which need not be
        // aligned; they are all set, for words have no padding, and any bytes are a valid vector.
        unsafe {
            _mm512_loadu_si512(values.as_ptr().cast())
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(words: &mut [u32; LANES], values: __m512i) {
        #[allow(unsafe_code, reason = "taken apart to safe words, it takes many instructions")]
        // SAFETY: sixty-four bytes are written to a reference to as many, which need not be aligned, and
        // any bytes are valid words.
        unsafe {
            _mm512_storeu_si512(words.as_mut_ptr().cast(), values);
        }
    }

    /// A number without padding.
    trait Word {}
    impl Word for u8 {}
    impl Word for u32 {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};
    use std::sync::Mutex;

    fn one_by_one(texts: &[&[u8]]) -> Vec<[u8; 32]> {
        texts.iter().map(|text| Sha256::digest(text).into()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Texts of any length, around those where blocks and strides end.
        #[test]
        fn abreast_as_one_by_one(lengths in prop::collection::vec(
            prop_oneof![0usize..300, Just(64), Just(55), Just(56), STRIDE - 70..STRIDE + 200], 0..40), seed in any::<u8>())
        {
            let text = |(i, length): (usize, &usize)| -> Vec<u8> {
                (0..*length).map(|at| (at * 31 + at / 251 + i * 7) as u8 ^ seed).collect()
            };
            let texts: Vec<Vec<u8>> = lengths.iter().enumerate().map(text).collect();
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let told = Mutex::new(vec![0; texts.len()]);
            let digests = sha256(&texts, |i, bytes| {
                let mut told = told.lock().unwrap_or_else(|error| error.into_inner());
                assert_eq!(bytes.start, told[i]);
                told[i] = bytes.end;
            });
            prop_assert_eq!(digests, one_by_one(&texts));
            let told = told.into_inner().unwrap_or_else(|error| error.into_inner());
            prop_assert_eq!(told, lengths);
        }
    }
}
