//! A maximum flow and the minimum cut nearest the source: Dinic, without recursion.

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
    starts: Vec<u32>,
    arcs: Vec<u32>,
    level: Vec<u32>,
    cursor: Vec<u32>,
    queue: Vec<u32>,
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
        while self.layers(source, sink) {
            self.cursor.clone_from_slice(&self.starts[..self.nodes as usize]);
            value += self.block(source, sink);
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
        self.cursor.clear();
        self.cursor.extend_from_slice(&self.starts[..nodes]);
        self.arcs.clear();
        self.arcs.resize(self.head.len(), 0);
        for arc in 0..self.head.len() {
            let place = &mut self.cursor[self.head[arc ^ 1] as usize];
            self.arcs[*place as usize] = arc as u32;
            *place += 1;
        }
    }

    /// Layers the nodes by distance from the source; tells whether the sink is in reach.
    fn layers(&mut self, source: u32, sink: u32) -> bool {
        self.level.clear();
        self.level.resize(self.nodes as usize, NONE);
        self.level[source as usize] = 0;
        self.queue.clear();
        self.queue.push(source);
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            let range =
                self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
            for &arc in &self.arcs[range] {
                let head = self.head[arc as usize];
                if self.residual[arc as usize] > 0 && self.level[head as usize] == NONE {
                    self.level[head as usize] = self.level[node as usize] + 1;
                    if head == sink {
                        return true;
                    }
                    self.queue.push(head);
                }
            }
        }
        false
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
        let end = self.starts[node as usize + 1];
        while self.cursor[node as usize] < end {
            let arc = self.arcs[self.cursor[node as usize] as usize];
            let head = self.head[arc as usize];
            if self.residual[arc as usize] > 0
                && self.level[head as usize] == self.level[node as usize] + 1
            {
                return Some(arc);
            }
            self.cursor[node as usize] += 1;
        }
        None
    }
}
