//! What one node holds: the newest cell of each key, durable before anybody sees it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wrack_history::SmolStr;
use wrack_sim::disk::DiskError;
use wrack_sim::{Context, NodeId};

use super::message::{Cell, Stamp};

/// Who waits for a cell to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// The node's own operation.
    Own(u64),
    /// An operation of another node.
    Other(NodeId, u64),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    key: SmolStr,
    cell: Cell,
}

/// The cells of a node.
#[derive(Debug, Default)]
pub struct Store {
    cells: BTreeMap<SmolStr, Cell>,
    pending: VecDeque<(Record, Waiter)>,
    /// How many of the pending ones the sync under way makes durable; 0 if there is none.
    syncing: usize,
}

impl Store {
    /// What the disk holds. Effects are noted again: the same place is the same effect.
    pub fn recover<M, T>(cx: &mut Context<'_, M, T>) -> Self {
        let log = cx.disk().recover::<Record>();
        if log.torn {
            cx.truncate(log.records.len());
        }
        let mut store = Self::default();
        for record in log.records {
            store.apply(record, cx);
        }
        store
    }

    /// What the node holds under a key.
    pub fn cell(&self, key: &str) -> Cell {
        self.cells.get(key).cloned().unwrap_or_default()
    }

    /// Makes a cell durable; `true` if it is already, or something newer.
    pub fn put<M, T>(
        &mut self,
        (key, cell): (&SmolStr, &Cell),
        waiter: Waiter,
        cx: &mut Context<'_, M, T>,
    ) -> bool {
        if self.stamp(key) >= cell.stamp {
            return true;
        }
        let record = Record { key: key.clone(), cell: cell.clone() };
        cx.append(&record);
        self.pending.push_back((record, waiter));
        if self.syncing == 0 {
            self.sync(cx);
        }
        false
    }

    /// The disk answered: gives who need not wait any more. After an error nothing of what was pending
    /// ever came.
    pub fn on_synced<M, T>(
        &mut self,
        result: Result<(), DiskError>,
        cx: &mut Context<'_, M, T>,
    ) -> Vec<Waiter> {
        let durable = std::mem::take(&mut self.syncing);
        if result.is_err() {
            self.pending.clear();
            return Vec::new();
        }
        let durable: Vec<_> = self.pending.drain(..durable).collect();
        let mut waiters = Vec::with_capacity(durable.len());
        for (record, waiter) in durable {
            self.apply(record, cx);
            waiters.push(waiter);
        }
        if !self.pending.is_empty() {
            self.sync(cx);
        }
        waiters
    }

    fn stamp(&self, key: &str) -> Stamp {
        self.cells.get(key).map_or(Stamp::default(), |cell| cell.stamp)
    }

    fn sync<M, T>(&mut self, cx: &mut Context<'_, M, T>) {
        self.syncing = self.pending.len();
        cx.sync(0);
    }

    fn apply<M, T>(&mut self, record: Record, cx: &mut Context<'_, M, T>) {
        let Record { key, cell } = record;
        if let Some(tag) = cell.tag {
            cx.effect(tag, &key, &cell.value, cell.stamp.position());
        }
        if self.stamp(&key) < cell.stamp {
            self.cells.insert(key, cell);
        }
    }
}
