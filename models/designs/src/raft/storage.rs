//! What a node writes to its disk, and what must not overtake it.
//!
//! The disk holds a checkpoint (term and vote, a snapshot, and the log behind it as they were when it
//! was written) and the records that were appended since; only once a checkpoint is durable are the
//! records before it discarded.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wrack_history::Fact;
use wrack_sim::{Cx, NodeId, Wire};

use super::Raft;
use super::info::Variant;
use super::log::Record;
use super::message::{Ballot, Rpc};
use super::snapshot::Checkpoint;

/// The part of a node's state that a term's promises rest on (Figure 2: currentTerm, votedFor).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardState {
    pub term: u64,
    pub vote: Option<NodeId>,
}

/// The cell of the disk that holds the checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// What must not overtake the disk.
#[derive(Debug)]
enum Durably {
    Send(NodeId, Rpc),
    Vote { term: u64, candidate: NodeId },
}

/// A sync that is under way.
#[derive(Debug)]
struct Sync {
    tag: u64,
    /// The last index that it makes durable.
    last: u64,
    checkpoint: Option<Written>,
}

/// A checkpoint that was written.
#[derive(Clone, Copy, Debug)]
struct Written {
    /// The last entry that its snapshot stands for.
    index: u64,
    /// How many records were appended before it.
    records: u64,
}

/// How far the disk is behind the node.
#[derive(Debug, Default)]
pub struct Storage {
    /// What waits for a sync, with its tag, oldest first.
    outbox: VecDeque<(u64, Durably)>,
    /// Whether something was written since the last sync was asked for.
    dirty: bool,
    /// A checkpoint among it.
    checkpoint: Option<Written>,
    /// The tag of the last sync that was asked for.
    last_tag: u64,
    syncing: VecDeque<Sync>,
    /// Records appended, those that the disk gave back included.
    records: u64,
    /// How many of them were discarded.
    discarded: u64,
}

impl Storage {
    /// A disk that gave back so many records.
    pub fn recovered(records: usize) -> Self {
        Self { records: records as u64, ..Self::default() }
    }

    /// Syncs that are under way no longer vouch for what comes behind `index`.
    pub fn vouch_up_to(&mut self, index: u64) {
        for sync in &mut self.syncing {
            sync.last = sync.last.min(index);
        }
    }
}

impl Raft {
    /// Appends a record.
    pub(super) fn write(&mut self, record: &Record, cx: &mut Cx<'_, Self>) {
        cx.append(record);
        self.storage.records += 1;
        self.storage.dirty = true;
    }

    /// Writes a checkpoint, instead of all records so far.
    pub(super) fn write_checkpoint(&mut self, checkpoint: &Checkpoint, cx: &mut Cx<'_, Self>) {
        cx.put(CHECKPOINT, checkpoint);
        let (index, records) = (checkpoint.snapshot.index, self.storage.records);
        self.storage.checkpoint = Some(Written { index, records });
        self.storage.dirty = true;
    }

    pub(super) fn set_hard_state(&mut self, hard: HardState, cx: &mut Cx<'_, Self>) {
        self.hard = hard;
        self.write(&Record::Hard(self.durable_hard_state()), cx);
    }

    /// Term and vote as the disk gets them.
    pub(super) fn durable_hard_state(&self) -> HardState {
        match self.variant {
            Variant::VoteVolatile => HardState { vote: None, ..self.hard },
            _ => self.hard,
        }
    }

    /// Sends a message that must not overtake what the node has written.
    pub(super) fn send_durably(&mut self, to: NodeId, rpc: Rpc, cx: &mut Cx<'_, Self>) {
        self.promise(Durably::Send(to, rpc), cx);
    }

    /// Notes a vote that counts from when it is on disk: a node that crashes before may vote again.
    pub(super) fn vote_durably(&mut self, candidate: NodeId, cx: &mut Cx<'_, Self>) {
        self.promise(Durably::Vote { term: self.hard.term, candidate }, cx);
    }

    /// Waits for the sync that covers what is written so far: the next one, the one under way, or
    /// none.
    fn promise(&mut self, promise: Durably, cx: &mut Cx<'_, Self>) {
        let storage = &mut self.storage;
        match storage.syncing.back() {
            _ if storage.dirty => storage.outbox.push_back((storage.last_tag + 1, promise)),
            Some(sync) => storage.outbox.push_back((sync.tag, promise)),
            None => release(promise, cx),
        }
    }

    /// Ends a callback: asks for a sync if one is due.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_, Self>) {
        let storage = &mut self.storage;
        if storage.dirty {
            storage.dirty = false;
            storage.last_tag += 1;
            let (tag, last) = (storage.last_tag, self.log.last_index());
            cx.sync(tag);
            let checkpoint = storage.checkpoint.take();
            storage.syncing.push_back(Sync { tag, last, checkpoint });
        }
    }

    /// A sync came back: keeps the promises that waited for it.
    pub(super) fn keep_promises(&mut self, tag: u64, cx: &mut Cx<'_, Self>) {
        while self.storage.syncing.front().is_some_and(|sync| sync.tag <= tag) {
            let sync = self.storage.syncing.pop_front().expect("it is there");
            self.log.set_durable(sync.last);
            if let Some(written) = sync.checkpoint {
                self.discard_before(written, cx);
            }
        }
        while self.storage.outbox.front().is_some_and(|(synced, _)| *synced <= tag) {
            let (_, promise) = self.storage.outbox.pop_front().expect("it is there");
            release(promise, cx);
        }
    }

    /// A checkpoint is durable: what was written before it has no use any more.
    fn discard_before(&mut self, written: Written, cx: &mut Cx<'_, Self>) {
        cx.failpoint("raft.snapshot_synced");
        cx.discard((written.records - self.storage.discarded) as usize);
        self.storage.discarded = written.records;
        self.compact(written.index, cx);
    }
}

fn release(promise: Durably, cx: &mut Cx<'_, Raft>) {
    let (to, rpc) = match promise {
        Durably::Send(to, rpc) => (to, rpc),
        Durably::Vote { term, candidate } => {
            cx.note(Fact::Voted { term, candidate: candidate.0 });
            return;
        }
    };
    let voted = matches!(rpc, Rpc::Vote(Ballot { granted: true, .. }));
    let stored = matches!(rpc, Rpc::Appended { success: true, .. });
    if stored {
        cx.failpoint("raft.entry_stored");
    }
    cx.send(to, Wire::Peer(rpc));
    if voted {
        cx.failpoint("raft.vote_sent");
    }
}
