//! Directed graphs over dense numbers, and whether they have cycles.
//!
//! Rows of edges lie behind one another in one array. A graph is peeled from its sources and its
//! sinks: what remains holds every cycle, and is small or empty unless much is wrong. Only that goes to
//! petgraph's strongly connected components, which on the whole graph would take several times as long.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::VecDeque;

/// No number.
pub const NONE: u32 = u32::MAX;

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The next overwrote what this one wrote.
    WriteWrite,
    /// The next read what this one wrote.
    WriteRead,
    /// The next overwrote what this one read.
    ReadWrite,
    /// Both are of one session, in this order.
    Session,
    /// This one had completed before the next was invoked.
    RealTime,
    /// The other order of two writes would contradict what somebody saw.
    Forced,
    /// Two points of one transaction, or a point that is of none.
    Inner,
}

/// One edge of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub to: u32,
    pub kind: Kind,
}

/// An edge with both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arc {
    pub from: u32,
    pub to: u32,
    pub kind: Kind,
}

/// Rows of edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    starts: Vec<u32>,
    edges: Vec<Edge>,
}

impl Graph {
    /// The graph of these edges over so many nodes; loops are left out.
    pub fn new(nodes: usize, arcs: &[Arc]) -> Self {
        let mut starts = vec![0u32; nodes + 1];
        let kept = || arcs.iter().filter(|arc| arc.from != arc.to);
        for arc in kept() {
            starts[arc.from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut edges = vec![Edge { to: 0, kind: Kind::Inner }; starts[nodes] as usize];
        for arc in kept() {
            let place = &mut next[arc.from as usize];
            edges[*place as usize] = Edge { to: arc.to, kind: arc.kind };
            *place += 1;
        }
        Self { starts, edges }
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// What follows a node.
    pub fn row(&self, node: u32) -> &[Edge] {
        let node = node as usize;
        &self.edges[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// How many edges lead to each node.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0u32; self.nodes()];
        for edge in &self.edges {
            counts[edge.to as usize] += 1;
        }
        counts
    }

    /// Its nodes, each before what follows it; short of those that cycles are before if it has cycles.
    pub fn topological(&self) -> Vec<u32> {
        let mut counts = self.counts();
        let nodes = 0..self.nodes() as u32;
        let mut order: Vec<u32> = nodes.filter(|node| counts[*node as usize] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            for edge in self.row(order[next]) {
                let count = &mut counts[edge.to as usize];
                *count -= 1;
                if *count == 0 {
                    order.push(edge.to);
                }
            }
            next += 1;
        }
        order
    }

    /// The place of each node in an order of them; 0 for those that are left out.
    pub fn ranks(&self, order: &[u32]) -> Vec<u32> {
        let mut ranks = vec![0; self.nodes()];
        order.iter().enumerate().for_each(|(rank, node)| ranks[*node as usize] = rank as u32);
        ranks
    }

    /// Its strongly connected parts of more than one node, each sorted, the smallest first.
    pub fn knots(&self) -> Vec<Vec<u32>> {
        let order = self.topological();
        if order.len() == self.nodes() {
            return Vec::new();
        }
        let mut among = vec![true; self.nodes()];
        order.iter().for_each(|node| among[*node as usize] = false);
        let rest = (0..self.nodes() as u32).filter(|node| among[*node as usize]);
        let mut graph = DiGraph::<u32, ()>::new();
        let mut places = vec![NONE; self.nodes()];
        for node in rest {
            places[node as usize] = graph.add_node(node).index() as u32;
        }
        for place in 0..graph.node_count() as u32 {
            let from = NodeIndex::new(place as usize);
            for edge in self.row(graph[from]) {
                if places[edge.to as usize] != NONE {
                    graph.add_edge(from, NodeIndex::new(places[edge.to as usize] as usize), ());
                }
            }
        }
        let mut knots: Vec<Vec<u32>> = kosaraju_scc(&graph)
            .into_iter()
            .filter(|part| part.len() > 1)
            .map(|part| {
                let mut nodes: Vec<u32> = part.into_iter().map(|place| graph[place]).collect();
                nodes.sort_unstable();
                nodes
            })
            .collect();
        knots.sort_by_key(|knot| (knot.len(), knot[0]));
        knots
    }

    /// A shortest path from one node to another within `among`, of at most `length_max` edges, by
    /// edges of these kinds.
    pub fn path(
        &self,
        from: u32,
        to: u32,
        length_max: usize,
        usable: &dyn Fn(u32, Edge) -> bool,
    ) -> Option<Vec<Arc>> {
        let mut reached = rustc_hash::FxHashMap::<u32, Arc>::default();
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            if length == length_max {
                return None;
            }
            for edge in self.row(node) {
                if !usable(node, *edge) || reached.contains_key(&edge.to) {
                    continue;
                }
                reached.insert(edge.to, Arc { from: node, to: edge.to, kind: edge.kind });
                if edge.to == to {
                    return Some(walk_back(&reached, from, to));
                }
                queue.push_back((edge.to, length + 1));
            }
        }
        None
    }

    /// A cycle that is as short as any of this knot; of a large knot, as any through its first
    /// [`SOURCES_MAX`] nodes.
    pub fn shortest_cycle(&self, knot: &[u32]) -> Vec<Arc> {
        let mut best: Option<Vec<Arc>> = None;
        let within = |_: u32, edge: Edge| knot.binary_search(&edge.to).is_ok();
        for node in knot.iter().take(SOURCES_MAX) {
            let length_max = best.as_ref().map_or(usize::MAX, |cycle| cycle.len() - 1);
            if length_max < 2 {
                break;
            }
            if let Some(cycle) = self.path(*node, *node, length_max, &within) {
                best = Some(cycle);
            }
        }
        best.expect("every node of a knot is on a cycle")
    }
}

/// Nodes of a knot from which a shortest cycle is looked for.
const SOURCES_MAX: usize = 400;

fn walk_back(reached: &rustc_hash::FxHashMap<u32, Arc>, from: u32, to: u32) -> Vec<Arc> {
    let mut path = vec![reached[&to]];
    while path[path.len() - 1].from != from {
        path.push(reached[&path[path.len() - 1].from]);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::{Arc, Graph, Kind};

    fn graph(nodes: usize, pairs: &[(u32, u32)]) -> Graph {
        let arc = |(from, to): &(u32, u32)| Arc { from: *from, to: *to, kind: Kind::WriteWrite };
        Graph::new(nodes, &pairs.iter().map(arc).collect::<Vec<_>>())
    }

    #[test]
    fn without_cycles_all_nodes_have_an_order() {
        let graph = graph(4, &[(3, 1), (1, 2), (3, 0), (0, 2)]);
        assert_eq!(graph.topological(), [3, 1, 0, 2]);
        assert!(graph.knots().is_empty());
    }

    #[test]
    fn the_shortest_cycle_of_each_knot_is_found() {
        let graph =
            graph(8, &[(0, 1), (1, 2), (2, 3), (3, 0), (2, 0), (3, 4), (5, 6), (6, 5), (6, 7)]);
        assert_eq!(graph.knots(), [vec![5, 6], vec![0, 1, 2, 3]]);
        let cycle = graph.shortest_cycle(&[0, 1, 2, 3]);
        assert_eq!(
            cycle.iter().map(|arc| (arc.from, arc.to)).collect::<Vec<_>>(),
            [(0, 1), (1, 2), (2, 0)]
        );
    }
}
