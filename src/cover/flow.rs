//! A maximum flow and the minimum cut nearest the source: Dinic, without recursion.
//!
//! Each phase layers the nodes forward from the source until it meets the sink, then walks back from
//! the sink through those layers, so that the search for paths enters only nodes on a shortest one.

/// A capacity that no flow fills: twice the largest sum of prices.
pub(super) const UNBOUNDED: u64 = 1 << 63;

const NONE: u32 = u32::MAX;

/// A directed network. Arcs come in pairs: an even arc and its reverse, one more.
///
/// The memory is kept between uses; [`Network::clear`] starts a new network.
#[derive(Default)]
pub(super) struct Network {
    nodes: u32,
    head: Vec<u32>,
    residual: Vec<u64>,
    /// The arcs that leave a node stand in `arcs` from its start to its end.
    starts: Vec<u32>,
    ends: Vec<u32>,
    arcs: Vec<u32>,
    /// The distance of a node from the source, or [`NONE`].
    level: Vec<u32>,
    /// The distance to the sink of a node on a shortest path, or [`NONE`].
    left: Vec<u32>,
    cursor: Vec<u32>,
    /// The nodes that have a level.
    forward: Vec<u32>,
    /// The nodes that lie on a shortest path.
    backward: Vec<u32>,
    path: Vec<u32>,
}

impl Network {
    pub(super) fn clear(&mut self) {
        self.nodes = 0;
        self.head.clear();
        self.residual.clear();
    }

    /// Adds `count` nodes and returns the first.
    pub(super) fn nodes(&mut self, count: u32) -> u32 {
        let first = self.nodes;
        self.nodes += count;
        first
    }

    /// Adds an arc and returns it.
    pub(super) fn arc(&mut self, from: u32, to: u32, capacity: u64) -> u32 {
        let arc = self.head.len() as u32;
        self.head.extend([to, from]);
        self.residual.extend([capacity, 0]);
        arc
    }

    /// The flow over an arc that [`Network::arc`] returned.
    pub(super) fn flow(&self, arc: u32) -> u64 {
        self.residual[arc as usize ^ 1]
    }

    /// Whether the source reaches the node in the residual graph, once the flow is a maximum.
    pub(super) fn reached(&self, node: u32) -> bool {
        self.level[node as usize] != NONE
    }

    /// Finds a maximum flow and returns its value.
    ///
    /// Every path must pass an arc below [`UNBOUNDED`], and those must not add up to more than it.
    pub(super) fn maximise(&mut self, source: u32, sink: u32) -> u64 {
        self.index();
        let mut value = 0;
        while self.layer(source, sink) {
            self.narrow(sink);
            value += self.block(source, sink);
            self.drop_full(source);
        }
        value
    }

    /// Sorts the arcs by the node they leave, in the order in which they were added.
    fn index(&mut self) {
        let nodes = self.nodes as usize;
        self.starts.clear();
        self.starts.resize(nodes + 1, 0);
        for arc in 0..self.head.len() {
            self.starts[self.head[arc ^ 1] as usize + 1] += 1;
        }
        for node in 0..nodes {
            self.starts[node + 1] += self.starts[node];
        }
        self.ends.clear();
        self.ends.extend_from_slice(&self.starts[..nodes]);
        self.arcs.clear();
        self.arcs.resize(self.head.len(), 0);
        for arc in 0..self.head.len() {
            let place = &mut self.ends[self.head[arc ^ 1] as usize];
            self.arcs[*place as usize] = arc as u32;
            *place += 1;
        }
        for (values, value) in
            [(&mut self.level, NONE), (&mut self.left, NONE), (&mut self.cursor, 0)]
        {
            values.clear();
            values.resize(nodes, value);
        }
        self.forward.clear();
        self.backward.clear();
    }

    /// The places in `arcs` of the arcs that leave a node.
    fn leaving(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.ends[node as usize] as usize
    }

    /// Takes the full arcs of the source out of use; no path ever flows back into the source.
    fn drop_full(&mut self, source: u32) {
        let mut end = self.starts[source as usize];
        for place in self.leaving(source) {
            let arc = self.arcs[place];
            if self.residual[arc as usize] > 0 {
                self.arcs[end as usize] = arc;
                end += 1;
            }
        }
        self.ends[source as usize] = end;
    }

    /// Layers the nodes by distance from the source, up to the sink; tells whether it is in reach.
    fn layer(&mut self, source: u32, sink: u32) -> bool {
        for node in self.forward.drain(..) {
            self.level[node as usize] = NONE;
        }
        self.level[source as usize] = 0;
        self.forward.push(source);
        let mut next = 0;
        while let Some(&node) = self.forward.get(next) {
            next += 1;
            let level = self.level[node as usize];
            if level >= self.level[sink as usize] {
                return true;
            }
            for &arc in &self.arcs[self.leaving(node)] {
                let head = self.head[arc as usize];
                if self.level[head as usize] == NONE && self.residual[arc as usize] > 0 {
                    self.level[head as usize] = level + 1;
                    self.forward.push(head);
                }
            }
        }
        false
    }

    /// Walks back from the sink, layer by layer, to find the nodes on shortest paths.
    fn narrow(&mut self, sink: u32) {
        for node in self.backward.drain(..) {
            self.left[node as usize] = NONE;
        }
        self.left[sink as usize] = 0;
        self.backward.push(sink);
        let mut next = 0;
        while let Some(&node) = self.backward.get(next) {
            next += 1;
            self.cursor[node as usize] = self.starts[node as usize];
            let (level, left) = (self.level[node as usize], self.left[node as usize]);
            if level == 0 {
                break;
            }
            for &arc in &self.arcs[self.leaving(node)] {
                let tail = self.head[arc as usize] as usize;
                // Without a level it is in no layer: NONE + 1 is 0, the source's own.
                if self.level[tail].wrapping_add(1) == level
                    && self.left[tail] == NONE
                    && self.residual[arc as usize ^ 1] > 0
                {
                    self.left[tail] = left + 1;
                    self.backward.push(tail as u32);
                }
            }
        }
    }

    /// Fills every path along the layers.
    fn block(&mut self, source: u32, sink: u32) -> u64 {
        let mut value = 0;
        let mut node = source;
        self.path.clear();
        loop {
            if node == sink {
                let room = |arc: &u32| self.residual[*arc as usize];
                let amount = self.path.iter().map(room).min().unwrap_or(0);
                for &arc in &self.path {
                    self.residual[arc as usize] -= amount;
                    self.residual[arc as usize ^ 1] += amount;
                }
                value += amount;
                let full = self.path.iter().position(|&arc| self.residual[arc as usize] == 0);
                let keep = full.unwrap_or(0);
                node = self.head[self.path[keep] as usize ^ 1];
                self.path.truncate(keep);
            } else if let Some(arc) = self.onward(node) {
                self.path.push(arc);
                node = self.head[arc as usize];
            } else if let Some(arc) = self.path.pop() {
                node = self.head[arc as usize ^ 1];
                self.cursor[node as usize] += 1;
            } else {
                return value;
            }
        }
    }

    /// Moves the node's cursor to its next arc with room into the next layer.
    fn onward(&mut self, node: u32) -> Option<u32> {
        let (end, below) = (self.ends[node as usize], self.left[node as usize].wrapping_sub(1));
        while self.cursor[node as usize] < end {
            let arc = self.arcs[self.cursor[node as usize] as usize];
            if self.left[self.head[arc as usize] as usize] == below
                && self.residual[arc as usize] > 0
            {
                return Some(arc);
            }
            self.cursor[node as usize] += 1;
        }
        None
    }
}
