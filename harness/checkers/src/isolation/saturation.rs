//! Orders of two versions that follow from what is known.
//!
//! Of two writers of a key whose versions nobody saw in order, one or the other comes first. If one way
//! closes a cycle the other one holds, with all that follows: whoever read the version that is now older
//! comes before whoever wrote the newer. That goes on until nothing more follows, or both ways close a
//! cycle and the level is broken. Who reaches whom is kept in rows of bits.
//!
//! Source: as the pruning of constraints in Tan et al., Cobra, OSDI 2020, and Huang et al., PolySI, VLDB
//! 2023.

use std::cell::RefCell;

use super::graph::{Arc, Graph, Kind};
use super::relations::{Readers, Relations, View};
use super::transactions::Transactions;

/// Nodes of a graph whose reachability is kept at most: 50 MB of bits.
const KEPT_MAX: usize = 20_000;
/// Edges that are looked at in a larger one at most.
const LOOKED_MAX: u64 = 2_000_000_000;
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

/// All pairs of versions of a key that have no order yet and are open; `None` if they are too many.
pub fn pairs(history: &Transactions<'_>, is_open: &dyn Fn(u32, u32) -> bool) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (key, loose) in history.loose.iter().enumerate() {
        for (place, one) in loose.iter().enumerate() {
            let others = loose[place + 1..].iter().filter(|other| is_open(*one, **other));
            pairs.extend(others.map(|other| Pair { key: key as u32, one: *one, other: *other }));
            if pairs.len() > PAIRS_MAX {
                return None;
            }
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
    let mut left = LOOKED_MAX;
    loop {
        let graph = relations.graph();
        let order = graph.topological();
        if order.len() < graph.nodes() {
            // What was added last closes a cycle: whoever asks will find it.
            return Saturated::Open(pairs);
        }
        let reach = Reach::of(&graph, &order, left);
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
        if let Reach::Looked(looking) = reach {
            left = looking.into_inner().left;
        }
        if left == 0 {
            return Saturated::TooLarge;
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
enum Reach<'a> {
    /// Kept in bits, so many words a node.
    Kept { words: usize, bits: Vec<u64> },
    /// Looked for when it is asked.
    Looked(RefCell<Looking<'a>>),
}

impl<'a> Reach<'a> {
    /// That of a graph, by a topological order of it; so many edges can be looked at.
    fn of(graph: &'a Graph, order: &[u32], left: u64) -> Self {
        if graph.nodes() > KEPT_MAX {
            return Self::Looked(RefCell::new(Looking::new(graph, order, left)));
        }
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
        Self::Kept { words, bits }
    }

    /// Whether one can be reached from the other, or is it.
    fn has(&self, from: u32, to: u32) -> bool {
        match self {
            _ if from == to => true,
            Self::Kept { words, bits } => {
                let to = to as usize;
                bits[from as usize * words + to / 64] >> (to % 64) & 1 == 1
            }
            Self::Looked(looking) => looking.borrow_mut().has(from, to),
        }
    }
}

/// Looks for paths between what lies between two nodes in a topological order.
struct Looking<'a> {
    graph: &'a Graph,
    ranks: Vec<u32>,
    /// The last question in which a node was met, by node.
    met: Vec<u32>,
    question: u32,
    stack: Vec<u32>,
    /// Edges that may still be looked at.
    left: u64,
}

impl<'a> Looking<'a> {
    fn new(graph: &'a Graph, order: &[u32], left: u64) -> Self {
        let (ranks, met) = (graph.ranks(order), vec![0; graph.nodes()]);
        Self { graph, ranks, met, question: 0, stack: Vec::new(), left }
    }

    /// Says no where nothing is left to look with.
    fn has(&mut self, from: u32, to: u32) -> bool {
        let limit = self.ranks[to as usize];
        self.question += 1;
        self.stack.clear();
        self.stack.push(from);
        while let Some(node) = self.stack.pop() {
            let row = self.graph.row(node);
            self.left = self.left.saturating_sub(row.len() as u64);
            if self.left == 0 {
                return false;
            }
            for edge in row {
                if edge.to == to {
                    return true;
                }
                let next = edge.to as usize;
                if self.ranks[next] < limit && self.met[next] != self.question {
                    self.met[next] = self.question;
                    self.stack.push(edge.to);
                }
            }
        }
        false
    }
}
