//! What one session knows.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::Note;
use super::order::{Due, Order};

/// At least these versions of a key: none of them is known to be older than another.
pub(super) type Floor = SmallVec<[Due; 2]>;

/// What one session knows.
///
/// Its writes divide its time into epochs: what it learns in one, its next write carries to its readers.
#[derive(Default)]
pub(super) struct Mind {
    /// The epoch that is now.
    epoch: u64,
    /// Of each key, since which epoch it knows what; the last is what it knows now.
    steps: FxHashMap<u32, Vec<(u64, Floor)>>,
    /// The epoch of the last step of each key.
    changed: BTreeSet<(u64, u32)>,
    /// What it learned by reading others' writes.
    followed: FxHashMap<u32, Floor>,
    /// Before which epoch of each session it has taken over all.
    taken: FxHashMap<u32, u64>,
}

/// Adds a version to a floor.
pub(super) fn join(floor: &mut Floor, due: Due, order: &Order) {
    if floor.iter().any(|known| order.is_older(due.version, known.version)) {
        return;
    }
    floor.retain(|known| !order.is_older(known.version, due.version));
    floor.push(due);
}

impl Mind {
    /// A write is invoked; the epoch that it carries.
    pub fn write(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch - 1
    }

    pub fn floor(&self, key: u32) -> Floor {
        let last = self.steps.get(&key).and_then(|steps| steps.last());
        last.map_or_else(Floor::default, |(_, floor)| floor.clone())
    }

    pub fn followed(&self, key: u32) -> Floor {
        self.followed.get(&key).cloned().unwrap_or_default()
    }

    /// What it knew in an epoch.
    pub fn at(&self, key: u32, epoch: u64) -> Floor {
        let Some(steps) = self.steps.get(&key) else { return Floor::default() };
        let step = steps.partition_point(|(since, _)| *since <= epoch);
        step.checked_sub(1).map_or_else(Floor::default, |step| steps[step].1.clone())
    }

    pub fn learn(&mut self, key: u32, due: Due, order: &Order) {
        let mut floor = self.floor(key);
        join(&mut floor, due, order);
        let steps = self.steps.entry(key).or_default();
        match steps.last_mut() {
            Some((since, last)) if *since == self.epoch => *last = floor,
            last => {
                if let Some((since, _)) = last {
                    self.changed.remove(&(*since, key));
                }
                self.changed.insert((self.epoch, key));
                steps.push((self.epoch, floor));
            }
        }
    }

    /// It has read a write that another session invoked in this epoch.
    pub fn follow(&mut self, writer: &Mind, at: (u32, u64), by: Note, orders: &[Order]) {
        let taken = self.taken.get(&at.0).copied().unwrap_or(0);
        let learned = writer.learned(taken, at.1);
        self.take_over(learned, at, by, orders);
    }

    /// It has read a write of its own.
    pub fn follow_itself(&mut self, at: (u32, u64), by: Note, orders: &[Order]) {
        let taken = self.taken.get(&at.0).copied().unwrap_or(0);
        let learned = self.learned(taken, at.1);
        self.take_over(learned, at, by, orders);
    }

    /// What it learned from one epoch to another, both included.
    fn learned(&self, from: u64, to: u64) -> Vec<(u32, Floor)> {
        if to < from {
            return Vec::new();
        }
        let changed = self.changed.range((from, 0)..).map(|(_, key)| *key);
        changed.map(|key| (key, self.at(key, to))).collect()
    }

    fn take_over(
        &mut self,
        learned: Vec<(u32, Floor)>,
        (writer, epoch): (u32, u64),
        by: Note,
        orders: &[Order],
    ) {
        for (key, floor) in learned {
            let followed = self.followed.entry(key).or_default();
            for due in floor {
                let due = Due { followed: Some(by), ..due };
                join(followed, due, &orders[key as usize]);
            }
        }
        let taken = self.taken.entry(writer).or_default();
        *taken = (*taken).max(epoch + 1);
    }

    /// Keeps of each key what it knows now, and what it knew in these epochs.
    pub fn prune(&mut self, mut epochs: Vec<u64>) {
        epochs.sort_unstable();
        for steps in self.steps.values_mut() {
            let mut next = u64::MAX;
            let mut kept = Vec::new();
            for (since, floor) in steps.drain(..).rev() {
                let needed = epochs.partition_point(|epoch| *epoch < since);
                if next == u64::MAX || epochs.get(needed).is_some_and(|epoch| *epoch < next) {
                    kept.push((since, floor));
                }
                next = since;
            }
            kept.reverse();
            *steps = kept;
        }
    }

    /// The versions of a key that it knows of.
    pub fn roots(&self, key: u32, roots: &mut Vec<u64>) {
        let steps = self.steps.get(&key).into_iter().flatten().map(|(_, floor)| floor);
        let floors = steps.chain(self.followed.get(&key));
        roots.extend(floors.flatten().map(|due| due.version));
    }

    pub fn held(&self) -> usize {
        let steps = self.steps.values().flatten().map(|(_, floor)| floor);
        let floors: usize = steps.chain(self.followed.values()).map(SmallVec::len).sum();
        floors + self.taken.len()
    }
}
