//! An order of everything, tried straight on.
//!
//! Transactions (at levels with snapshots their starts and commits) are taken as soon as all that must
//! come before them is done, the earliest completion first. A writer waits while somebody has yet to read
//! the version that it would overwrite; where writers see whom they overwrite, two writers of a key are
//! never both between start and commit. An order that comes to an end is one that explains the
//! history. One that gets stuck proves nothing: then [`super::saturation`] and [`super::search`] decide.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::graph::{Graph, NONE};
use super::relations::{Readers, View};
use super::transactions::Transactions;

/// An order of all nodes that explains the history, if this one gets to the end.
pub fn schedule(
    history: &Transactions<'_>,
    view: View,
    graph: &Graph,
    owners: &[u32],
    readers: &Readers,
) -> Option<Vec<u32>> {
    let mut schedule = Schedule {
        history,
        view,
        graph,
        owners,
        counts: graph.counts(),
        ready: BinaryHeap::new(),
        parked: vec![Vec::new(); history.keys.len()],
        current: vec![NONE; history.keys.len()],
        locked: vec![NONE; history.keys.len()],
        unread: unread(history, readers),
        order: Vec::with_capacity(graph.nodes()),
        hints: hints(history),
    };
    schedule.run();
    (schedule.order.len() == graph.nodes()).then_some(schedule.order)
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

struct Schedule<'a> {
    history: &'a Transactions<'a>,
    view: View,
    graph: &'a Graph,
    owners: &'a [u32],
    /// What has yet to come before each node.
    counts: Vec<u32>,
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// Nodes that wait for a key.
    parked: Vec<Vec<u32>>,
    /// The version of each key now.
    current: Vec<u32>,
    /// Who is between start and commit and writes the key.
    locked: Vec<u32>,
    unread: Vec<u32>,
    order: Vec<u32>,
    hints: Vec<u64>,
}

impl Schedule<'_> {
    fn run(&mut self) {
        for node in 0..self.graph.nodes() as u32 {
            if self.counts[node as usize] == 0 {
                self.offer(node);
            }
        }
        while let Some(Reverse((_, node))) = self.ready.pop() {
            match self.obstacle(node) {
                Some(key) => self.parked[key as usize].push(node),
                None => self.take(node),
            }
        }
    }

    fn offer(&mut self, node: u32) {
        let owner = self.owners[node as usize];
        // Barriers and gates go first: they hold nothing up.
        let hint = if owner == NONE { 0 } else { self.hints[owner as usize] };
        self.ready.push(Reverse((hint, node)));
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
        self.order.push(node);
        if self.starts(node, owner) {
            self.start(owner);
        }
        if self.commits(node, owner) {
            self.commit(owner);
        }
        for place in 0..self.graph.row(node).len() {
            let next = self.graph.row(node)[place].to;
            self.counts[next as usize] -= 1;
            if self.counts[next as usize] == 0 {
                self.offer(next);
            }
        }
    }

    fn start(&mut self, owner: u32) {
        let history = self.history;
        if self.locks() {
            for write in history.writes.row(owner) {
                self.locked[write.key as usize] = owner;
            }
        }
        let reads = history.reads.row(owner);
        for (place, read) in reads.iter().enumerate() {
            let again = reads[..place].iter().any(|before| before.version == read.version);
            if read.version == NONE || again {
                continue;
            }
            self.unread[read.version as usize] -= 1;
            if self.unread[read.version as usize] <= 1 {
                self.release(read.key);
            }
        }
    }

    fn commit(&mut self, owner: u32) {
        let history = self.history;
        for write in history.writes.row(owner) {
            self.current[write.key as usize] = write.version;
            self.locked[write.key as usize] = NONE;
            self.release(write.key);
        }
    }

    fn release(&mut self, key: u32) {
        for node in std::mem::take(&mut self.parked[key as usize]) {
            self.offer(node);
        }
    }
}
