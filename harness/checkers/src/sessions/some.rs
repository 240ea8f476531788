//! Obligations where the order of versions is not known: is there one that meets them all?
//!
//! Versions and floors are the nodes of a graph, and *not newer than* its edges. Floors are there so
//! that many lessons need few edges. There is an order iff no two versions are each not newer than
//! the other, which is iff no strongly connected component holds two versions: otherwise any
//! topological order of the components is one.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use rustc_hash::FxHashMap;

use super::timeline::{Order, Timeline};

/// More nodes than this are not looked at: about 2 GB.
const NODES_MAX: usize = 1 << 24;
/// No access: nothing is older than the initial value, whoever does what.
const NOBODY: u32 = u32::MAX;

/// Any order.
pub(super) struct AnyOrder<'t, 'a> {
    timeline: &'t Timeline<'a>,
    /// Edges carry the accesses that they follow from.
    graph: DiGraph<(), Because>,
}

/// Who owes it, who taught it, and the read by which it was taken over; each may be nobody.
type Because = [u32; 3];

/// At least the versions that lead to a node.
#[derive(Clone, Copy)]
pub(super) struct Floor {
    node: NodeIndex,
    /// Who taught it and the read by which it was taken over, where no edge says so yet.
    teacher: u32,
    read: u32,
}

/// Two versions of which each must be newer than the other, and the accesses that say so.
pub(super) struct Cycle {
    pub versions: [u32; 2],
    pub accesses: Vec<u32>,
}

impl<'t, 'a> AnyOrder<'t, 'a> {
    pub fn new(timeline: &'t Timeline<'a>) -> Self {
        let (versions, edges) = (timeline.versions(), 2 * timeline.accesses.len());
        let mut graph = DiGraph::with_capacity(versions, edges);
        for _ in 0..versions {
            graph.add_node(());
        }
        for access in timeline.accesses.iter().filter(|access| !access.is_read) {
            let (initial, version) = (access.key as usize, access.learned as usize);
            graph.add_edge(NodeIndex::new(initial), NodeIndex::new(version), [NOBODY; 3]);
        }
        Self { timeline, graph }
    }

    fn version(&self, access: u32) -> NodeIndex {
        NodeIndex::new(self.timeline.accesses[access as usize].learned as usize)
    }

    fn both(&mut self, floor: Option<Floor>, other: Floor) -> Floor {
        let Some(floor) = floor else {
            return other;
        };
        if floor.node == other.node || self.graph.node_count() > NODES_MAX {
            return floor;
        }
        let node = self.graph.add_node(());
        for floor in [floor, other] {
            self.graph.add_edge(floor.node, node, [NOBODY, floor.teacher, floor.read]);
        }
        Floor { node, teacher: NOBODY, read: NOBODY }
    }

    /// The contradictions, one of each set of versions that contradict each other.
    ///
    /// Errors: more obligations than are looked at.
    pub fn cycles(&self) -> Result<Vec<Cycle>, String> {
        if self.graph.node_count() > NODES_MAX {
            return Err(format!("more than {NODES_MAX} obligations"));
        }
        let versions = self.timeline.versions();
        let mut pairs = Vec::new();
        for component in kosaraju_scc(&self.graph) {
            let mut held =
                component.iter().map(|node| node.index()).filter(|node| *node < versions);
            if let (Some(first), Some(second)) = (held.next(), held.next()) {
                pairs.push([first.min(second), first.max(second)].map(|version| version as u32));
            }
        }
        pairs.sort_unstable();
        Ok(pairs.into_iter().map(|pair| self.cycle(pair)).collect())
    }

    fn cycle(&self, versions: [u32; 2]) -> Cycle {
        let [one, other] = versions.map(|version| NodeIndex::new(version as usize));
        let mut accesses = self.path(one, other);
        accesses.extend(self.path(other, one));
        accesses.retain(|access| *access != NOBODY);
        accesses.sort_unstable();
        accesses.dedup();
        Cycle { versions, accesses }
    }

    /// What the edges of a shortest path stand for.
    fn path(&self, from: NodeIndex, to: NodeIndex) -> Vec<u32> {
        let mut came = FxHashMap::from_iter([(from, (from, [NOBODY; 3]))]);
        let mut queue = std::collections::VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            if node == to {
                break;
            }
            for edge in self.graph.edges(node) {
                came.entry(edge.target()).or_insert_with(|| {
                    queue.push_back(edge.target());
                    (node, *edge.weight())
                });
            }
        }
        let mut accesses = Vec::new();
        let mut node = to;
        while node != from {
            let (before, because) = came[&node];
            accesses.extend(because);
            node = before;
        }
        accesses
    }
}

impl Order for AnyOrder<'_, '_> {
    type Floor = Floor;

    fn raise(&mut self, floor: Option<Floor>, access: u32) -> Floor {
        let node = self.version(access);
        self.both(floor, Floor { node, teacher: access, read: NOBODY })
    }

    fn join(&mut self, floor: Option<Floor>, other: Floor, read: u32) -> Floor {
        self.both(floor, Floor { read, ..other })
    }

    fn oblige(&mut self, floor: Floor, access: u32) {
        let version = self.version(access);
        if floor.node != version {
            self.graph.add_edge(floor.node, version, [access, floor.teacher, floor.read]);
        }
    }
}
