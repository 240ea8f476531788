//! Writers of one key whose order is open: which of them can come next.

use smallvec::SmallVec;

use super::Schedule;
use crate::isolation::graph::NONE;
use crate::isolation::transactions::{Access, Transactions};
use crate::isolation::zones::Zones;

/// Rivals of a writer that are looked at.
const RIVALS_MAX: usize = 16;
/// Nodes that are looked at for each of them.
const LOOKED_MAX: usize = 2_000;

/// Versions of each key that have no known order.
pub fn open(history: &Transactions<'_>) -> Vec<Vec<u32>> {
    let open = |loose: &Vec<u32>| if loose.len() > 1 { loose.clone() } else { Vec::new() };
    history.loose.iter().map(open).collect()
}

/// Whether there are other versions whose order with this one is open.
pub fn has(history: &Transactions<'_>, write: &Access) -> bool {
    history.loose[write.key as usize].len() > 1
        && history.versions[write.version as usize].place == NONE
}

/// A search for a path, and what it needs.
pub struct Looking {
    /// The question in which a node was met last, and in which it was one that is looked for.
    met: Vec<u32>,
    wanted: Vec<u32>,
    question: u32,
    /// The last place, in some order of the graph, of what is looked for.
    limit: u32,
    stack: Vec<u32>,
}

impl Looking {
    /// A search among so many nodes.
    pub fn new(nodes: usize) -> Self {
        let (met, wanted) = (vec![0; nodes], vec![0; nodes]);
        Self { met, wanted, question: 0, limit: 0, stack: Vec::new() }
    }

    fn visit(&mut self, node: u32, ranks: &[u32]) {
        let is_new = self.met[node as usize] != self.question;
        if is_new && ranks[node as usize] <= self.limit {
            self.met[node as usize] = self.question;
            self.stack.push(node);
        }
    }
}

impl Schedule<'_> {
    /// Whether nothing is known of the order of two versions of a key.
    pub(super) fn is_open(&self, one: u32, other: u32) -> bool {
        let known = |one, other| self.history.is_older(one, other);
        let ordered = |zones: &Zones| zones.has_order(one, other);
        one != other && !known(one, other) && !known(other, one) && !self.zones.is_some_and(ordered)
    }

    /// Whether a writer would come too early: a rival, which would come later, has to come before somebody
    /// who reads its version. From then on it waits for that.
    pub(super) fn is_early(&mut self, node: u32) -> bool {
        let history = self.history;
        let owner = self.owners[node as usize];
        if !self.commits(node, owner) {
            return false;
        }
        for write in history.writes.row(owner) {
            if self.rivals[write.key as usize].len() < 2 || self.unread[write.version as usize] == 0
            {
                continue;
            }
            let rivals = self.rivals[write.key as usize].iter().copied();
            let rivals: SmallVec<[u32; RIVALS_MAX]> = rivals
                .filter(|rival| self.is_open(write.version, *rival))
                .filter(|rival| !self.reads(history.writer(*rival), write.version))
                .take(RIVALS_MAX)
                .collect();
            for rival in rivals {
                if self.reaches(history.writer(rival), write.version) {
                    for from in self.those_before(rival, owner) {
                        self.add(from, node);
                        self.concluded.push((self.order.len(), from, node));
                    }
                    return true;
                }
            }
        }
        false
    }

    /// What comes before the writer of a newer version: who wrote the older one, and who read it.
    pub(super) fn those_before(&self, older: u32, writer: u32) -> Vec<u32> {
        let readers = self.readers.of_version(older).iter().filter(|reader| **reader != writer);
        let commit = self.view.commit(self.history.writer(older));
        let mut before: Vec<u32> = readers.map(|reader| self.view.start(*reader)).collect();
        before.push(commit);
        before.sort_unstable();
        before.dedup();
        before
    }

    /// Whether a transaction has to come before the writer of this version, or before somebody who has yet
    /// to read it.
    pub(super) fn reaches(&mut self, transaction: u32, version: u32) -> bool {
        let (history, view) = (self.history, self.view);
        self.looking.question += 1;
        self.looking.stack.clear();
        self.looking.limit = 0;
        let readers = self.readers.of_version(version).iter().map(|reader| view.start(*reader));
        for node in readers.chain([view.commit(history.writer(version))]) {
            if self.places[node as usize] == NONE {
                self.looking.wanted[node as usize] = self.looking.question;
                self.looking.limit = self.looking.limit.max(self.ranks[node as usize]);
            }
        }
        self.looking.visit(view.commit(transaction), &self.ranks);
        for _ in 0..LOOKED_MAX {
            let Some(node) = self.looking.stack.pop() else {
                return false;
            };
            if self.looking.wanted[node as usize] == self.looking.question {
                return true;
            }
            for edge in self.graph.row(node) {
                self.looking.visit(edge.to, &self.ranks);
            }
            for next in self.arcs.get(&node).into_iter().flatten() {
                self.looking.visit(*next, &self.ranks);
            }
            let owner = self.owners[node as usize];
            if !self.starts(node, owner) {
                continue;
            }
            // Whoever reads what is there now comes before all who have yet to overwrite it.
            for read in history.reads.row(owner) {
                if self.current[read.key as usize] == read.version {
                    for rival in self.rivals[read.key as usize].iter().take(RIVALS_MAX) {
                        let writer = history.writer(*rival);
                        if writer != owner {
                            self.looking.visit(view.commit(writer), &self.ranks);
                        }
                    }
                }
            }
        }
        false
    }
}
