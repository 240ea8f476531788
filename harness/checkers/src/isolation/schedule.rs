//! An order of everything, tried straight on.
//!
//! Transactions (at levels with snapshots their starts and commits) are taken as soon as all that must
//! come before them is done, the earliest completion first. A writer waits while somebody has yet to read
//! the version that it would overwrite, and for other writers of the key that then could come neither
//! before nor after it ([`rivals`]); where writers see whom they overwrite, two writers of a key are never
//! both between start and commit. Where nothing can be taken, the writer of a version that somebody has
//! yet to read came too early: the order is taken back to it, and who waits comes first. If that cannot be
//! either, it is taken back some way, and a SAT solver says how it goes on there ([`piece`]). An order that
//! comes to an end is one that explains the history. One that gets stuck proves nothing: then
//! [`super::saturation`] and [`super::search`] decide.

mod piece;
mod rivals;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::graph::{Graph, NONE};
use super::relations::{Readers, Relations, View};
use super::transactions::Transactions;
use super::zones::Zones;
use rivals::Looking;

/// How often the order is taken back at most: so often, and once more for so many nodes.
const BACK_MAX: (usize, usize) = (100, 100);

/// How hard an order is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all where it gets stuck for good: more will be known.
    Short,
    /// As hard as it can be.
    Long,
}

/// An order of all nodes that explains the history, if this one gets to the end.
pub fn schedule(
    history: &Transactions<'_>,
    relations: &Relations,
    graph: &Graph,
    readers: &Readers,
    zones: Option<&Zones>,
    patience: Patience,
) -> Option<Vec<u32>> {
    let mut schedule = Schedule {
        history,
        view: relations.view,
        graph,
        owners: &relations.owners,
        readers,
        zones,
        counts: graph.counts(),
        ranks: graph.ranks(&graph.topological()),
        places: vec![NONE; graph.nodes()],
        rivals: rivals::open(history),
        looking: Looking::new(graph.nodes()),
        decided: FxHashSet::default(),
        decisions: Vec::new(),
        furthest: 0,
        solved: 0,
        pieces: 0,
        arcs: FxHashMap::default(),
        concluded: Vec::new(),
        ready: BinaryHeap::new(),
        parked: vec![Vec::new(); history.keys.len()],
        parked_keys: Vec::new(),
        current: vec![NONE; history.keys.len()],
        overwritten: Vec::new(),
        locked: vec![NONE; history.keys.len()],
        unread: unread(history, readers),
        order: Vec::with_capacity(graph.nodes()),
        hints: hints(history),
    };
    schedule.run(patience);
    (schedule.order.len() == graph.nodes()).then_some(schedule.order)
}

/// The place of each node in an order of the graph in which, as far as it says nothing, whatever is due
/// comes first.
pub fn likely(history: &Transactions<'_>, owners: &[u32], graph: &Graph) -> Vec<u32> {
    let (hints, mut counts) = (hints(history), graph.counts());
    let due = |node: u32| match owners[node as usize] {
        NONE => Reverse((0, node)),
        owner => Reverse((hints[owner as usize], node)),
    };
    let nodes = 0..graph.nodes() as u32;
    let mut ready: BinaryHeap<_> =
        nodes.filter(|node| counts[*node as usize] == 0).map(due).collect();
    let mut order = Vec::with_capacity(graph.nodes());
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        for edge in graph.row(node) {
            let count = &mut counts[edge.to as usize];
            *count -= 1;
            if *count == 0 {
                ready.push(due(edge.to));
            }
        }
    }
    graph.ranks(&order)
}

/// How many transactions have yet to read each version.
fn unread(history: &Transactions<'_>, readers: &Readers) -> Vec<u32> {
    let count = |version: u32| {
        let row = readers.of_version(version);
        row.iter()
            .enumerate()
            .filter(|(place, reader)| *place == 0 || row[*place - 1] != **reader)
            .count()
    };
    (0..history.versions.len() as u32).map(|version| count(version) as u32).collect()
}

/// When each transaction is due: by its completion, or as far as its session has got.
fn hints(history: &Transactions<'_>) -> Vec<u64> {
    if history.real_time {
        let due = |t| {
            let operation = history.operation(t);
            operation.effect_by().index.min(operation.invoke.index.saturating_add(1 << 40))
        };
        return (0..history.len() as u32).map(due).collect();
    }
    let mut sizes = vec![0u64; history.lane_count];
    history.lanes.iter().for_each(|lane| sizes[*lane as usize] += 1);
    let mut taken = vec![0u64; history.lane_count];
    let due = |lane: &u32| {
        taken[*lane as usize] += 1;
        taken[*lane as usize] * (1 << 32) / sizes[*lane as usize]
    };
    history.lanes.iter().map(due).collect()
}

/// That a version is the older one.
struct Decision {
    older: u32,
    newer: u32,
    /// Who comes before the writer of the newer one.
    from: Vec<u32>,
    to: u32,
}

struct Schedule<'a> {
    history: &'a Transactions<'a>,
    view: View,
    graph: &'a Graph,
    owners: &'a [u32],
    readers: &'a Readers,
    zones: Option<&'a Zones>,
    /// What has yet to come before each node.
    counts: Vec<u32>,
    /// The place of each node in some order of the graph.
    ranks: Vec<u32>,
    /// The place of each node in the order, or [`NONE`].
    places: Vec<u32>,
    /// Versions of each key that have yet to be written and have no known order.
    rivals: Vec<Vec<u32>>,
    looking: Looking,
    /// Versions of which it was decided that the first is the older one.
    decided: FxHashSet<(u32, u32)>,
    /// The same with the edges that each has made.
    decisions: Vec<Decision>,
    /// The longest that the order was when a piece of it was solved, and how often since it was longer.
    furthest: usize,
    solved: u32,
    /// How many pieces were solved.
    pieces: u32,
    /// Edges beside those of the graph, that decisions and conclusions have made.
    arcs: FxHashMap<u32, SmallVec<[u32; 4]>>,
    /// Edges that were concluded, with the length of the order then.
    concluded: Vec<(usize, u32, u32)>,
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// Nodes that wait for a key.
    parked: Vec<Vec<u32>>,
    parked_keys: Vec<u32>,
    /// The version of each key now.
    current: Vec<u32>,
    /// What was overwritten, in order.
    overwritten: Vec<u32>,
    /// Who is between start and commit and writes the key.
    locked: Vec<u32>,
    unread: Vec<u32>,
    order: Vec<u32>,
    hints: Vec<u64>,
}

impl Schedule<'_> {
    fn run(&mut self, patience: Patience) {
        let (often, nodes) = BACK_MAX;
        for node in 0..self.graph.nodes() as u32 {
            self.offer(node);
        }
        for _ in 0..often + self.graph.nodes() / nodes {
            while let Some(Reverse((_, node))) = self.ready.pop() {
                if !self.is_free(node) {
                    continue;
                }
                match self.obstacle(node) {
                    Some(key) => self.park(node, key),
                    None if self.is_early(node) => (),
                    None => self.take(node),
                }
            }
            if self.order.len() == self.graph.nodes()
                || !(self.go_back() || patience == Patience::Long && self.solve())
            {
                return;
            }
        }
    }

    fn is_taken(&self, node: u32) -> bool {
        self.places[node as usize] != NONE
    }

    /// Whether all that must come before a node is done, and it is not.
    fn is_free(&self, node: u32) -> bool {
        self.counts[node as usize] == 0 && !self.is_taken(node)
    }

    fn offer(&mut self, node: u32) {
        if self.is_free(node) {
            let owner = self.owners[node as usize];
            // Barriers and gates go first: they hold nothing up.
            let hint = if owner == NONE { 0 } else { self.hints[owner as usize] };
            self.ready.push(Reverse((hint, node)));
        }
    }

    fn park(&mut self, node: u32, key: u32) {
        let parked = &mut self.parked[key as usize];
        if parked.is_empty() {
            self.parked_keys.push(key);
        }
        parked.push(node);
    }

    fn starts(&self, node: u32, owner: u32) -> bool {
        owner != NONE && node == self.view.start(owner)
    }

    fn commits(&self, node: u32, owner: u32) -> bool {
        owner != NONE && node == self.view.commit(owner)
    }

    fn locks(&self) -> bool {
        self.view.split && self.view.writers_see
    }

    /// A key that a node has to wait for.
    fn obstacle(&self, node: u32) -> Option<u32> {
        let owner = self.owners[node as usize];
        if self.locks() && self.starts(node, owner) {
            let writes = self.history.writes.row(owner);
            let taken = writes.iter().find(|write| self.locked[write.key as usize] != NONE);
            if let Some(write) = taken {
                return Some(write.key);
            }
        }
        if !self.commits(node, owner) {
            return None;
        }
        let waits = |key: u32| {
            let version = self.current[key as usize];
            if version == NONE {
                return false;
            }
            let own = !self.view.split && self.reads(owner, version);
            self.unread[version as usize] > u32::from(own)
        };
        let writes = self.history.writes.row(owner);
        writes.iter().find(|write| waits(write.key)).map(|write| write.key)
    }

    fn reads(&self, reader: u32, version: u32) -> bool {
        self.history.reads.row(reader).iter().any(|read| read.version == version)
    }

    fn take(&mut self, node: u32) {
        let owner = self.owners[node as usize];
        self.places[node as usize] = self.order.len() as u32;
        self.order.push(node);
        if self.starts(node, owner) {
            self.start(owner);
        }
        if self.commits(node, owner) {
            self.commit(owner);
        }
        for next in self.successors(node) {
            self.counts[next as usize] -= 1;
            self.offer(next);
        }
    }

    /// What comes after a node by the graph, and by what was decided.
    fn successors(&self, node: u32) -> SmallVec<[u32; 16]> {
        let row = self.graph.row(node).iter().map(|edge| edge.to);
        row.chain(self.arcs.get(&node).into_iter().flatten().copied()).collect()
    }

    /// Versions that a transaction read, each once.
    fn read_versions(&self, reader: u32) -> SmallVec<[(u32, u32); 8]> {
        let mut versions = SmallVec::new();
        for read in self.history.reads.row(reader) {
            if read.version != NONE && !versions.contains(&(read.key, read.version)) {
                versions.push((read.key, read.version));
            }
        }
        versions
    }

    fn start(&mut self, owner: u32) {
        if self.locks() {
            for write in self.history.writes.row(owner) {
                self.locked[write.key as usize] = owner;
            }
        }
        for (key, version) in self.read_versions(owner) {
            self.unread[version as usize] -= 1;
            if self.unread[version as usize] <= 1 {
                self.release(key);
            }
        }
    }

    fn commit(&mut self, owner: u32) {
        let history = self.history;
        for write in history.writes.row(owner) {
            self.overwritten.push(self.current[write.key as usize]);
            self.current[write.key as usize] = write.version;
            self.locked[write.key as usize] = NONE;
            self.rivals[write.key as usize].retain(|rival| *rival != write.version);
            self.release(write.key);
        }
    }

    fn release(&mut self, key: u32) {
        for node in std::mem::take(&mut self.parked[key as usize]) {
            self.offer(node);
        }
    }

    /// Nothing can be taken: takes the order back to a writer that came too early, and has whoever waits
    /// for those who read its version come first. Gives whether there was one.
    fn go_back(&mut self) -> bool {
        let mut waiting: Vec<(u64, u32, u32)> = Vec::new();
        for key in &self.parked_keys {
            for node in &self.parked[*key as usize] {
                let owner = self.owners[*node as usize];
                waiting.push((self.hints[owner as usize], owner, *key));
            }
        }
        waiting.sort_unstable();
        waiting.dedup();
        for (_, owner, key) in waiting {
            let (early, version) = (self.current[key as usize], self.history.written(owner, key));
            let Some(version) = version.filter(|_| early != NONE) else {
                continue;
            };
            let writer = self.history.writer(early);
            let is_open = self.is_open(version, early)
                && !self.decided.contains(&(early, version))
                && !self.reads(owner, early)
                && !self.reaches(writer, version);
            if is_open && self.decided.insert((version, early)) {
                let to = self.view.commit(writer);
                let place = self.places[to as usize] as usize;
                self.take_back(place);
                let from = self.those_before(version, writer);
                from.iter().for_each(|from| self.add(*from, to));
                self.decisions.push(Decision { older: version, newer: early, from, to });
                return true;
            }
        }
        false
    }

    /// Takes back all from this place of the order on, and what was concluded since.
    fn take_back(&mut self, place: usize) {
        let mut nodes: Vec<u32> = self.ready.drain().map(|Reverse((_, node))| node).collect();
        for key in std::mem::take(&mut self.parked_keys) {
            nodes.append(&mut self.parked[key as usize]);
        }
        while self.order.len() > place {
            let node = self.order.pop().expect("it is longer");
            self.undo(node);
            nodes.push(node);
        }
        while let Some((_, from, to)) = self.concluded.pop_if(|(length, ..)| *length > place) {
            self.remove(from, to);
            nodes.push(to);
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes.into_iter().for_each(|node| self.offer(node));
    }

    fn undo(&mut self, node: u32) {
        let history = self.history;
        self.places[node as usize] = NONE;
        for next in self.successors(node) {
            self.counts[next as usize] += 1;
        }
        let owner = self.owners[node as usize];
        if self.commits(node, owner) {
            for write in history.writes.row(owner).iter().rev() {
                let before = self.overwritten.pop().expect("it was noted");
                self.current[write.key as usize] = before;
                if self.locks() {
                    self.locked[write.key as usize] = owner;
                }
                if rivals::has(history, write) {
                    let rivals = &mut self.rivals[write.key as usize];
                    let place = rivals.partition_point(|rival| *rival < write.version);
                    rivals.insert(place, write.version);
                }
            }
        }
        if self.starts(node, owner) {
            for (_, version) in self.read_versions(owner) {
                self.unread[version as usize] += 1;
            }
            if self.locks() {
                for write in history.writes.row(owner) {
                    self.locked[write.key as usize] = NONE;
                }
            }
        }
    }

    /// Adds an edge to a node that is not taken.
    fn add(&mut self, from: u32, to: u32) {
        self.arcs.entry(from).or_default().push(to);
        if !self.is_taken(from) {
            self.counts[to as usize] += 1;
        }
    }

    /// Takes such an edge away.
    fn remove(&mut self, from: u32, to: u32) {
        let arcs = self.arcs.get_mut(&from).expect("it was added");
        let at = arcs.iter().position(|other| *other == to).expect("it was added");
        arcs.remove(at);
        if !self.is_taken(from) {
            self.counts[to as usize] -= 1;
        }
    }
}
