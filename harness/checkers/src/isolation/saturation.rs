//! Orders of two versions that follow from what is known.
//!
//! Of two writers of a key whose versions nobody saw in order, one or the other comes first. If one way
//! closes a cycle the other one holds, with all that follows: whoever read the version that is now older
//! comes before whoever wrote the newer. That goes on until nothing more follows, or both ways close a
//! cycle and the level is broken. Who reaches whom is kept in rows of bits.
//!
//! Source: as the pruning of constraints in Tan et al., Cobra, OSDI 2020, and Huang et al., PolySI, VLDB
//! 2023.

use super::graph::{Arc, Graph, Kind};
use super::relations::{Readers, Relations, View};
use super::transactions::Transactions;

/// Nodes of a graph whose reachability is kept at most: 50 MB of bits.
const NODES_MAX: usize = 20_000;
/// Pairs of writers whose order is looked for at most.
const PAIRS_MAX: usize = 2_000_000;

/// Two writers of one key, by their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub key: u32,
    pub one: u32,
    pub other: u32,
}

/// What came of it.
pub enum Saturated {
    /// These orders are open; what follows was added to the relations.
    Open(Vec<Pair>),
    /// Both orders of these two close a cycle; what was added to the relations before stays there.
    Broken(Pair),
    /// It is too large.
    TooLarge,
}

/// All pairs of versions of a key that have no order yet; `None` if they are too many.
pub fn pairs(history: &Transactions<'_>) -> Option<Vec<Pair>> {
    let sizes = history.loose.iter().map(Vec::len);
    let count: usize = sizes.map(|size| size * size.saturating_sub(1) / 2).sum();
    if count > PAIRS_MAX {
        return None;
    }
    let mut pairs = Vec::with_capacity(count);
    for (key, loose) in history.loose.iter().enumerate() {
        for (place, one) in loose.iter().enumerate() {
            let others = loose[place + 1..].iter();
            pairs.extend(others.map(|other| Pair { key: key as u32, one: *one, other: *other }));
        }
    }
    Some(pairs)
}

/// The edges of one version being older than another: of the writers, and of who read the older one.
pub fn edges(
    history: &Transactions<'_>,
    view: View,
    readers: &Readers,
    (older, newer): (u32, u32),
    kind: Kind,
) -> Vec<Arc> {
    let (from, to) = (history.writer(older), history.writer(newer));
    let mut arcs = vec![view.follows(from, to, kind)];
    if view.overwrites {
        let readers = readers.of_version(older).iter().filter(|reader| **reader != to);
        arcs.extend(readers.map(|reader| view.escapes(*reader, to)));
    }
    arcs
}

/// Adds to the relations, which have no cycle, all that follows from them.
pub fn saturate(
    history: &Transactions<'_>,
    relations: &mut Relations,
    readers: &Readers,
    mut pairs: Vec<Pair>,
) -> Saturated {
    if relations.owners.len() > NODES_MAX {
        return Saturated::TooLarge;
    }
    loop {
        let graph = relations.graph();
        let order = graph.topological();
        if order.len() < graph.nodes() {
            // What was added last closes a cycle: whoever asks will find it.
            return Saturated::Open(pairs);
        }
        let reach = Reach::of(&graph, &order);
        let view = relations.view;
        let closes = |older, newer| {
            let arcs = edges(history, view, readers, (older, newer), Kind::Forced);
            arcs.iter().any(|arc| reach.has(arc.to, arc.from))
        };
        let mut open = Vec::with_capacity(pairs.len());
        let mut more = Vec::new();
        for pair in pairs {
            match (closes(pair.one, pair.other), closes(pair.other, pair.one)) {
                (true, true) => return Saturated::Broken(pair),
                (true, false) => more.push((pair.other, pair.one)),
                (false, true) => more.push((pair.one, pair.other)),
                (false, false) => open.push(pair),
            }
        }
        if more.is_empty() {
            return Saturated::Open(open);
        }
        for order in more {
            relations.arcs.extend(edges(history, view, readers, order, Kind::Forced));
        }
        pairs = open;
    }
}

/// Which nodes can be reached from which.
struct Reach {
    words: usize,
    bits: Vec<u64>,
}

impl Reach {
    fn of(graph: &Graph, order: &[u32]) -> Self {
        let words = graph.nodes().div_ceil(64);
        let mut bits = vec![0u64; words * graph.nodes()];
        for &node in order.iter().rev() {
            let mut row = vec![0u64; words];
            for edge in graph.row(node) {
                let to = edge.to as usize;
                row[to / 64] |= 1 << (to % 64);
                let theirs = &bits[to * words..(to + 1) * words];
                row.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine |= theirs);
            }
            bits[node as usize * words..(node as usize + 1) * words].copy_from_slice(&row);
        }
        Self { words, bits }
    }

    /// Whether one can be reached from the other, or is it.
    fn has(&self, from: u32, to: u32) -> bool {
        let to = to as usize;
        from as usize == to || self.bits[from as usize * self.words + to / 64] >> (to % 64) & 1 == 1
    }
}
