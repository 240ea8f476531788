//! What the library reads back of its log: entries behind the last snapshot, in memory.

use ::raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use ::raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

/// The log of one node, as it was written to its disk, synced or not.
pub struct Store {
    pub hard: HardState,
    members: ConfState,
    /// Index and term of the last entry that is no longer here: a snapshot stands for it.
    base: (u64, u64),
    entries: Vec<Entry>,
    /// The last snapshot that was taken or taken over: never older than the base.
    pub snapshot: Snapshot,
}

impl Store {
    /// An empty log of these members.
    pub fn new(members: Vec<u64>) -> Self {
        Self {
            hard: HardState::default(),
            members: ConfState::from((members, vec![])),
            base: (0, 0),
            entries: Vec::new(),
            snapshot: Snapshot::default(),
        }
    }

    pub fn base(&self) -> u64 {
        self.base.0
    }

    pub fn last(&self) -> u64 {
        self.base.0 + self.entries.len() as u64
    }

    pub fn members(&self) -> &ConfState {
        &self.members
    }

    /// The entries behind an index that is not before the base.
    pub fn behind(&self, index: u64) -> &[Entry] {
        &self.entries[(index - self.base.0) as usize..]
    }

    /// Appends an entry; one that stands at its index, and all behind that, go first. Says whether
    /// anything had to.
    pub fn append(&mut self, entry: Entry) -> bool {
        let place = (entry.index - self.base.0 - 1) as usize;
        assert!(place <= self.entries.len(), "a log has no holes");
        let conflicts = place < self.entries.len();
        self.entries.truncate(place);
        self.entries.push(entry);
        conflicts
    }

    /// A snapshot stands for the log up to this index and term.
    pub fn compact(&mut self, (index, term): (u64, u64)) {
        let count = ((index - self.base.0) as usize).min(self.entries.len());
        self.entries.drain(..count);
        self.base = (index, term);
    }

    /// A snapshot stands for everything.
    pub fn restart(&mut self, snapshot: Snapshot) {
        let metadata = snapshot.get_metadata();
        self.base = (metadata.index, metadata.term);
        self.entries.clear();
        self.snapshot = snapshot;
    }

    /// The term of an entry that is here, or of the base.
    pub fn term_at(&self, index: u64) -> Option<u64> {
        match index.checked_sub(self.base.0)? {
            0 => Some(self.base.1),
            place => self.entries.get(place as usize - 1).map(|entry| entry.term),
        }
    }
}

impl Storage for Store {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard.clone(), self.members.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.base.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        let place = |index: u64| (index - self.base.0 - 1) as usize;
        let mut entries = self.entries[place(low)..place(high)].to_vec();
        ::raft::util::limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let reason =
            if index < self.base.0 { StorageError::Compacted } else { StorageError::Unavailable };
        self.term_at(index).ok_or(Error::Store(reason))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.base.0 + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, _: u64) -> Result<Snapshot> {
        if self.snapshot.is_empty() || self.snapshot.get_metadata().index < request_index {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(self.snapshot.clone())
    }
}
