//! The log of one node, in memory and on disk.

use serde::{Deserialize, Serialize};

use super::message::Entry;
use super::snapshot::Checkpoint;
use super::storage::HardState;

/// What is appended to the disk. An entry at an index that is taken replaces it and all behind it,
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

/// Entries behind a base: index 0, or the last one that the node's snapshot stands for.
#[derive(Debug, Default)]
pub struct Log {
    base: u64,
    base_term: u64,
    entries: Vec<Entry>,
    /// Up to where the disk certainly has it.
    durable: u64,
}

impl Log {
    /// Rebuilds term, vote and log from what a disk holds, all of which is durable. Records that are
    /// older than the checkpoint, because a crash came before they were discarded, say nothing that
    /// it does not.
    pub fn replay(checkpoint: Option<&Checkpoint>, records: Vec<Record>) -> (HardState, Self) {
        let mut hard = HardState::default();
        let mut log = Self::default();
        if let Some(checkpoint) = checkpoint {
            hard = checkpoint.hard;
            log.restart((checkpoint.snapshot.index, checkpoint.snapshot.term));
            log.entries.clone_from(&checkpoint.tail);
        }
        for record in records {
            match record {
                Record::Hard(state) => hard = state,
                Record::Entry { index, entry } if index > log.base => {
                    log.truncate(index);
                    log.push(entry);
                }
                Record::Entry { .. } => {}
            }
        }
        log.durable = log.last_index();
        (hard, log)
    }

    /// Index of the last entry that is not in the log because a snapshot stands for it.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Index of the last entry; 0 if there never was one.
    pub fn last_index(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// Term of the last entry; 0 if there is none.
    pub fn last_term(&self) -> u64 {
        self.entries.last().map_or(self.base_term, |entry| entry.term)
    }

    /// Term of the entry at `index`; 0 at index 0, `None` before the base and beyond the end.
    pub fn term(&self, index: u64) -> Option<u64> {
        match index.checked_sub(self.base)? {
            0 => Some(self.base_term),
            place => self.entries.get(place as usize - 1).map(|entry| entry.term),
        }
    }

    /// The entry at `index`.
    pub fn entry(&self, index: u64) -> &Entry {
        &self.entries[self.place(index)]
    }

    /// The entries from `index` on, at most `count`.
    pub fn from(&self, index: u64, count: usize) -> &[Entry] {
        let rest = &self.entries[self.place(index).min(self.entries.len())..];
        &rest[..count.min(rest.len())]
    }

    /// All entries, with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Entry)> {
        (self.base + 1..).zip(&self.entries)
    }

    fn place(&self, index: u64) -> usize {
        (index - self.base) as usize - 1
    }

    /// Adds an entry; returns its index.
    pub fn push(&mut self, entry: Entry) -> u64 {
        self.entries.push(entry);
        self.last_index()
    }

    /// Removes the entry at `index` and all behind it.
    pub fn truncate(&mut self, index: u64) {
        self.entries.truncate(self.place(index));
        self.durable = self.durable.min(self.last_index());
    }

    /// Drops the entries up to this index and term: a snapshot stands for them.
    pub fn compact(&mut self, (index, term): (u64, u64)) {
        let count = (self.place(index) + 1).min(self.entries.len());
        self.entries.drain(..count);
        (self.base, self.base_term) = (index, term);
    }

    /// Drops everything: a snapshot up to this index and term stands for it.
    pub fn restart(&mut self, (index, term): (u64, u64)) {
        *self = Self { base: index, base_term: term, entries: Vec::new(), durable: index };
    }

    /// Where to look next if the entry at `index` is of another term: before the first entry of
    /// the conflicting term (§5.3), or at the end of the log.
    pub fn conflict(&self, index: u64) -> u64 {
        let Some(term) = self.term(index) else {
            return self.last_index();
        };
        let before = &self.entries[..(index - self.base) as usize];
        self.base + before.partition_point(|entry| entry.term < term) as u64
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
