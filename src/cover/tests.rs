//! The solver against brute force, and the checker against the solver.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod count;
mod price;

/// Applies a permutation, given as random keys, to `len` indices.
fn permutation(keys: &[u32], len: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.sort_by_key(|&i| (keys[i as usize], i));
    let mut to = vec![0; len];
    for (new, old) in (0..).zip(order) {
        to[old as usize] = new;
    }
    to
}

/// Renames indices and sorts them again.
fn renamed(indices: &[u32], to: &[u32]) -> Vec<u32> {
    let mut renamed: Vec<u32> = indices.iter().map(|&i| to[i as usize]).collect();
    renamed.sort_unstable();
    renamed
}
