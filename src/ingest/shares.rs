//! Which worker reads which input.
//!
//! The logs of one server name the same people, so a worker that reads them all learns a name once.
//! So every worker has a share of its own, of about as many bytes; whoever is done helps another.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::discover::Input;

/// The inputs, by share.
pub(super) struct Shares(Vec<Share>);

/// Places in the list of inputs, and how many of them are taken.
#[derive(Default)]
struct Share {
    inputs: Vec<usize>,
    taken: AtomicUsize,
}

/// The least bytes of an input that others should not have to wait for at the end.
const LARGE: u64 = 1 << 20;

impl Shares {
    /// A share for each worker: inputs of one folder together, as far as they can be; of each share the
    /// largest first, and those that are not large in the order of their names, which mostly is that of
    /// their days.
    pub(super) fn new(inputs: &[Input], workers: usize) -> Shares {
        let size = |i: &usize| inputs[*i].size.unwrap_or(0).max(1);
        let mut order: Vec<usize> = (0..inputs.len()).collect();
        order.sort_by_cached_key(|i| inputs[*i].components());
        let all: u64 = order.iter().map(size).sum();
        let mut shares: Vec<Share> = (0..workers.max(1)).map(|_| Share::default()).collect();
        let (last, mut before) = (shares.len() - 1, 0);
        for i in order {
            // By the middle of the input, so that one large one is not all of a share and more.
            let middle = before + size(&i) / 2;
            let share = u128::from(middle) * shares.len() as u128 / u128::from(all.max(1));
            shares[(share as usize).min(last)].inputs.push(i);
            before += size(&i);
        }
        for share in &mut shares {
            share.inputs.sort_by_key(|i| (Reverse(inputs[*i].size.filter(|s| *s >= LARGE)), *i));
        }
        Shares(shares)
    }

    /// The next input for a worker: of its own share, or else of the one that has most left.
    pub(super) fn next(&self, worker: usize) -> Option<usize> {
        let own = &self.0[worker % self.0.len()];
        own.take().or_else(|| {
            loop {
                let fullest = self.0.iter().max_by_key(|share| share.left())?;
                if fullest.left() == 0 {
                    return None;
                }
                if let Some(i) = fullest.take() {
                    return Some(i);
                }
            }
        })
    }
}

impl Share {
    fn take(&self) -> Option<usize> {
        self.inputs.get(self.taken.fetch_add(1, Ordering::Relaxed)).copied()
    }

    fn left(&self) -> usize {
        self.inputs.len().saturating_sub(self.taken.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Origin;

    fn inputs(paths: &[(&str, u64)]) -> Vec<Input> {
        let input = |(path, size): &(&str, u64)| Input {
            display: (*path).to_owned(),
            origin: Origin::File(path.into()),
            size: Some(*size),
        };
        paths.iter().map(input).collect()
    }

    #[test]
    fn a_folder_is_read_by_one_worker_and_who_is_done_helps() {
        let mega = |n: u64| n << 20;
        let inputs =
            inputs(&[("b/1", mega(5)), ("a/1", mega(4)), ("b/2", mega(6)), ("a/2", mega(7))]);
        let shares = Shares::new(&inputs, 2);
        // The folder `a` is the first share, the larger log first.
        assert_eq!([shares.next(0), shares.next(0)], [Some(3), Some(1)]);
        assert_eq!(shares.next(1), Some(2));
        assert_eq!(shares.next(0), Some(0));
        assert_eq!([shares.next(1), shares.next(0)], [None, None]);
    }

    #[test]
    fn small_logs_are_read_by_name() {
        let inputs = inputs(&[("a/1", 4), ("a/2", 7), ("a/3", 1 << 20), ("a/4", 5)]);
        let shares = Shares::new(&inputs, 1);
        let order: Vec<usize> = std::iter::from_fn(|| shares.next(0)).collect();
        assert_eq!(order, [2, 0, 1, 3]);
    }

    #[test]
    fn every_input_is_read_once() {
        let sizes = [0, 9, 1, 1, 30, 2, 0, 5];
        let paths: Vec<String> = (0..sizes.len()).map(|i| format!("{}/{i}", i % 3)).collect();
        let all: Vec<(&str, u64)> = paths.iter().map(String::as_str).zip(sizes).collect();
        let inputs = inputs(&all);
        for workers in 1..10 {
            let shares = Shares::new(&inputs, workers);
            let mut taken: Vec<usize> =
                (0..).map_while(|turn| shares.next(turn % workers)).collect();
            taken.sort_unstable();
            assert_eq!(taken, [0, 1, 2, 3, 4, 5, 6, 7], "{workers}");
        }
    }
}
