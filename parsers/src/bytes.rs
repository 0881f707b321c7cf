//! Short byte strings: compared and hashed by words, without a call.
//!
//! The fields of a row are mostly shorter than forty bytes. For those a call of `memcmp` costs more
//! than the comparison.

/// Whether two byte strings are the same.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if one.len() > 64 {
        return one == other;
    }
    if one.len() > 16 {
        let (a, b) = (one.as_chunks::<16>().0, other.as_chunks::<16>().0);
        let blocks =
            a.iter().zip(b).all(|(a, b)| u128::from_le_bytes(*a) == u128::from_le_bytes(*b));
        return blocks && one.last_chunk::<16>() == other.last_chunk::<16>();
    }
    ends(one) == ends(other) && (one.len() != 3 || one[1] == other[1])
}

/// The first and the last bytes as words: all of a string of up to sixteen bytes, and of every
/// string enough to tell it from most others.
#[inline]
pub(crate) fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
    } else {
        let (first, last) = (bytes.first(), bytes.last());
        (first.map_or(0, |b| u64::from(*b)), last.map_or(0, |b| u64::from(*b)))
    }
}

/// Folds the length and both ends of `bytes` into a hash. Strings that differ only in the middle
/// fall together, which costs time and nothing else where strings are compared in full.
#[inline]
pub(crate) fn mix(hash: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let (head, tail) = ends(bytes);
    let mixed =
        (hash.rotate_left(23) ^ head).wrapping_mul(K) ^ tail.wrapping_mul(K.rotate_left(32));
    (mixed ^ (bytes.len() as u64) << 56).wrapping_mul(K)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn same_is_equal(one in "[ab]{0,150}", other in "[ab]{0,150}", at in 0usize..150) {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            prop_assert!(same(one, one));
            prop_assert_eq!(same(one, other), one == other);
            let mut near = one.to_vec();
            if let Some(byte) = near.get_mut(at) {
                *byte ^= 1;
            }
            prop_assert_eq!(same(one, &near), one == &near[..]);
        }
    }
}
