//! The log of one node, in memory and on disk.

use serde::{Deserialize, Serialize};

use super::HardState;
use super::message::Entry;

/// What is written to the disk. An entry at an index that is taken replaces it and all behind it,
/// so that cutting the log needs no record of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    /// Term and vote changed.
    Hard(HardState),
    /// An entry was appended.
    Entry {
        /// Its index, from 1.
        index: u64,
        /// The entry.
        entry: Entry,
    },
}

/// Entries from index 1 on.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    /// Up to where the disk certainly has it.
    durable: u64,
}

impl Log {
    /// Rebuilds term, vote and log from the records of a disk, all of which are durable.
    pub fn replay(records: Vec<Record>) -> (HardState, Self) {
        let mut hard = HardState::default();
        let mut log = Self::default();
        for record in records {
            match record {
                Record::Hard(state) => hard = state,
                Record::Entry { index, entry } => {
                    log.truncate(index);
                    log.push(entry);
                }
            }
        }
        log.durable = log.last_index();
        (hard, log)
    }

    /// Index of the last entry; 0 if there is none.
    pub fn last_index(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Term of the last entry; 0 if there is none.
    pub fn last_term(&self) -> u64 {
        self.term(self.last_index()).expect("the last index is in the log")
    }

    /// Term of the entry at `index`; 0 at index 0, `None` beyond the end.
    pub fn term(&self, index: u64) -> Option<u64> {
        match index.checked_sub(1) {
            None => Some(0),
            Some(place) => self.entries.get(place as usize).map(|entry| entry.term),
        }
    }

    /// The entry at `index`.
    pub fn entry(&self, index: u64) -> &Entry {
        &self.entries[index as usize - 1]
    }

    /// The entries from `index` on, at most `count`.
    pub fn from(&self, index: u64, count: usize) -> &[Entry] {
        let rest = &self.entries[(index as usize - 1).min(self.entries.len())..];
        &rest[..count.min(rest.len())]
    }

    /// Adds an entry; returns its index.
    pub fn push(&mut self, entry: Entry) -> u64 {
        self.entries.push(entry);
        self.last_index()
    }

    /// Removes the entry at `index` and all behind it.
    pub fn truncate(&mut self, index: u64) {
        self.entries.truncate(index as usize - 1);
        self.durable = self.durable.min(self.last_index());
    }

    /// Where to look next if the entry at `index` is of another term: before the first entry of
    /// the conflicting term (§5.3), or at the end of the log.
    pub fn conflict(&self, index: u64) -> u64 {
        let Some(term) = self.term(index) else {
            return self.last_index();
        };
        let first = self.entries[..index as usize].partition_point(|entry| entry.term < term);
        first as u64
    }

    /// Up to where the log is on disk.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// A sync that covered everything up to `index` came back.
    pub fn set_durable(&mut self, index: u64) {
        self.durable = self.durable.max(index.min(self.last_index()));
    }
}
