//! Which of some numbered things are one.

/// A partition of numbers 0..n, united pair by pair. The least member stands for its group, so that
/// the order of unions does not show.
#[derive(Default)]
pub(crate) struct Union {
    parent: Vec<u32>,
}

impl Union {
    /// The numbers 0..n, each on its own.
    pub(crate) fn of(n: usize) -> Union {
        Union { parent: (0..n as u32).collect() }
    }

    /// Adds the next number, on its own.
    pub(crate) fn add(&mut self) -> u32 {
        self.parent.push(self.parent.len() as u32);
        self.parent.len() as u32 - 1
    }

    /// The least number of the group of `of`.
    pub(crate) fn root(&mut self, of: u32) -> u32 {
        let mut at = of;
        while self.parent[at as usize] != at {
            let up = self.parent[self.parent[at as usize] as usize];
            self.parent[at as usize] = up;
            at = up;
        }
        at
    }

    /// Makes one group of two.
    pub(crate) fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parent[one.max(other) as usize] = one.min(other);
    }
}
