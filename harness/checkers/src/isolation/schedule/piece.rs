//! Where the order is stuck for good: a piece of it is solved as a whole.

use rustc_hash::FxHashMap;

use super::{Decision, Schedule};
use crate::isolation::graph::{Arc, Kind, NONE};
use crate::isolation::relations::Relations;
use crate::isolation::saturation::Pair;
use crate::isolation::search::{Found, Wanted, search};

/// How far the order is taken back: so many nodes, twice as many each further time before it gets further,
/// and so often. The piece reaches as far ahead, twice.
const PIECE: (usize, u32) = (1_000, 5);
/// Proposals of the solver for each piece.
const PROPOSALS_MAX: usize = 200;
/// Nodes of a graph that is solved in pieces; a smaller one is better solved as a whole.
const NODES_MIN: usize = 20_000;
/// Pieces that are solved at most.
const PIECES_MAX: u32 = 200;
/// Pairs of versions that a piece has at most.
const PAIRS_MAX: usize = 100_000;

impl Schedule<'_> {
    /// Takes the order back some way, forgets what was decided about that, and decides anew, so that nothing
    /// of the piece from there on contradicts the rest of it. Gives whether that is possible.
    pub(super) fn solve(&mut self) -> bool {
        let (nodes, often) = PIECE;
        if self.graph.nodes() < NODES_MIN {
            return false;
        }
        if self.order.len() > self.furthest {
            (self.furthest, self.solved) = (self.order.len(), 0);
        }
        while self.solved < often && self.pieces < PIECES_MAX {
            let length = nodes << self.solved;
            self.solved += 1;
            self.pieces += 1;
            self.take_back(self.order.len().saturating_sub(length));
            self.forget();
            let piece = self.piece(3 * length);
            if let Some(decisions) = self.decide(&piece) {
                for decision in decisions {
                    self.decided.insert((decision.older, decision.newer));
                    decision.from.iter().for_each(|from| self.add(*from, decision.to));
                    self.decisions.push(decision);
                }
                return true;
            }
        }
        false
    }

    /// Forgets decisions about what has yet to be done.
    fn forget(&mut self) {
        let (kept, dropped) = std::mem::take(&mut self.decisions)
            .into_iter()
            .partition(|decision| self.is_taken(decision.to));
        self.decisions = kept;
        for Decision { older, newer, from, to } in dropped {
            self.decided.remove(&(older, newer));
            from.into_iter().for_each(|from| self.remove(from, to));
            self.offer(to);
        }
    }

    /// The first nodes that are not done, in some order of the graph, so that none comes after one that is
    /// left out.
    fn piece(&self, length: usize) -> Vec<u32> {
        let mut left: Vec<u32> =
            (0..self.graph.nodes() as u32).filter(|node| !self.is_taken(*node)).collect();
        let rank = |node: &u32| self.ranks[*node as usize];
        if length < left.len() {
            left.select_nth_unstable_by_key(length, rank);
            left.truncate(length);
        }
        left.sort_unstable();
        left
    }

    /// Orders of the versions that are written in a piece.
    fn decide(&self, piece: &[u32]) -> Option<Vec<Decision>> {
        let (history, view) = (self.history, self.view);
        let within = |node: u32| piece.binary_search(&node).is_ok();
        let mut arcs = Vec::new();
        let mut written = FxHashMap::<u32, Vec<u32>>::default();
        for node in piece {
            let row = self.graph.row(*node).iter().filter(|edge| within(edge.to));
            arcs.extend(row.map(|edge| Arc { from: *node, to: edge.to, kind: edge.kind }));
            let owner = self.owners[*node as usize];
            if self.commits(*node, owner) {
                for write in history.writes.row(owner) {
                    if history.versions[write.version as usize].place == NONE {
                        written.entry(write.key).or_default().push(write.version);
                    }
                }
            }
        }
        let mut pairs = Vec::new();
        let mut keys: Vec<u32> = written.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let versions = &written[&key];
            // Who has yet to read what is there now comes before all of them.
            let now = self.current[key as usize];
            for version in versions.iter().filter(|_| now != NONE) {
                let to = view.commit(history.writer(*version));
                let from = self.those_before(now, history.writer(*version));
                let from = from.into_iter().filter(|from| within(*from));
                arcs.extend(from.map(|from| Arc { from, to, kind: Kind::ReadWrite }));
            }
            for (place, one) in versions.iter().enumerate() {
                let others =
                    versions[place + 1..].iter().filter(|other| self.is_open(*one, **other));
                pairs.extend(others.map(|other| Pair { key, one: *one, other: *other }));
            }
            if pairs.len() > PAIRS_MAX {
                return None;
            }
        }
        let relations = Relations { view, arcs, owners: self.owners.to_vec() };
        match search(history, &relations, self.readers, &pairs, Wanted::NoCycle, PROPOSALS_MAX) {
            Found::Unknown | Found::Nothing => None,
            Found::Orders(orders) => Some(
                pairs
                    .iter()
                    .zip(orders)
                    .map(|(pair, first)| {
                        let (older, newer) =
                            if first { (pair.one, pair.other) } else { (pair.other, pair.one) };
                        let writer = history.writer(newer);
                        let from = self.those_before(older, writer);
                        Decision { older, newer, from, to: view.commit(writer) }
                    })
                    .collect(),
            ),
        }
    }
}
