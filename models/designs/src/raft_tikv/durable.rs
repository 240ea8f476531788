//! The disk: what the library wants kept, and what must not be said before it is.
//!
//! The disk holds a checkpoint (term and vote, a snapshot, and the log behind it as they were when it
//! was written) and the records that were appended since, in the order in which the library gave them:
//! entries first, then the commit index that speaks of them. So a crash never leaves a commit index
//! behind the end of the log.

use std::collections::VecDeque;

use ::raft::eraftpb::{Entry, HardState, Message, Snapshot};
use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr};
use wrack_sim::chance::Digest;
use wrack_sim::{Cx, NodeId};

use super::message::bytes;
use super::store::Store;
use super::{Server, node_id};

/// The cell of the disk that holds the checkpoint.
const CHECKPOINT: &str = "checkpoint";

/// What is appended to the disk. An entry at an index that is taken replaces it and all behind it.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    /// Term, vote and commit index.
    Hard(Hard),
    /// An entry, in the library's form.
    Entry(Vec<u8>),
}

/// Term, vote and commit index.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hard {
    term: u64,
    vote: u64,
    commit: u64,
}

impl From<&HardState> for Hard {
    fn from(state: &HardState) -> Self {
        Self { term: state.term, vote: state.vote, commit: state.commit }
    }
}

impl From<Hard> for HardState {
    fn from(Hard { term, vote, commit }: Hard) -> Self {
        Self { term, vote, commit, ..Self::default() }
    }
}

/// All that a node had written when it wrote it.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    hard: Hard,
    snapshot: Vec<u8>,
    tail: Vec<Vec<u8>>,
}

/// A vote: the term, and for whom.
pub(super) type Vote = (u64, NodeId);

/// What waits for the disk.
#[derive(Debug)]
pub(super) struct Promise {
    /// The number of the library's `Ready`.
    number: u64,
    /// What may be sent then.
    pub messages: Vec<Message>,
    /// A vote that counts from then on: a node that crashes before may vote again.
    pub vote: Option<Vote>,
    /// A snapshot that was taken over counts as applied from then on.
    pub installed: Option<u64>,
}

impl Promise {
    pub fn of(number: u64) -> Self {
        Self { number, messages: Vec::new(), vote: None, installed: None }
    }
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
pub(super) struct Durable {
    /// What waits, with the tag of its sync, oldest first.
    promises: VecDeque<(u64, Promise)>,
    checkpoints: VecDeque<(u64, Written)>,
    /// The tag of the last sync that was asked for, and of the last that came back.
    asked: u64,
    synced: u64,
    /// Records appended, those that the disk gave back included, and how many were discarded.
    records: u64,
    discarded: u64,
}

impl Durable {
    fn write(&mut self, record: &Record, cx: &mut Cx<'_, Server>) {
        cx.append(record);
        self.records += 1;
    }

    /// Appends an entry of the library's log.
    pub fn write_entry(&mut self, entry: &Entry, cx: &mut Cx<'_, Server>) {
        self.write(&Record::Entry(bytes(entry)), cx);
    }

    fn sync(&mut self, cx: &mut Cx<'_, Server>) {
        self.asked += 1;
        cx.sync(self.asked);
    }
}

impl Server {
    /// Boots from what the disk holds.
    pub(super) fn recover(&mut self, cx: &mut Cx<'_, Self>) {
        let recovered = cx.disk().recover::<Record>();
        if recovered.torn {
            cx.sometimes("a torn record is cut off");
            cx.truncate(recovered.records.len());
        }
        self.durable.records = recovered.records.len() as u64;
        let checkpoint = cx.disk().cell::<Checkpoint>(CHECKPOINT).expect("a checkpoint is whole");
        let mut store = Store::new(self.members.clone());
        if let Some(checkpoint) = checkpoint {
            store.restart(parsed(&checkpoint.snapshot));
            store.hard = checkpoint.hard.into();
            for entry in &checkpoint.tail {
                store.append(parsed(entry));
            }
            self.restore(&store.snapshot, cx);
        }
        for record in recovered.records {
            match record {
                Record::Hard(hard) => store.hard = hard.into(),
                Record::Entry(entry) => {
                    let entry: Entry = parsed(&entry);
                    // What is older than the checkpoint, because a crash came before it was discarded,
                    // may speak of a log that was cut off since: what replaced it stands behind it.
                    if entry.index > store.base() && entry.index <= store.last() + 1 {
                        store.append(entry);
                    }
                }
            }
        }
        cx.note(Fact::Truncated { from: store.last() + 1 });
        let epoch = store.hard.term;
        cx.note(Fact::Role { role: SmolStr::new_static("follower"), epoch });
        self.noted.1 = epoch;
        self.library = self.settings.library(store, self.variant);
        self.draw_timeout(cx);
    }

    /// The state is that of a snapshot.
    fn restore(&mut self, snapshot: &Snapshot, cx: &mut Cx<'_, Self>) {
        let metadata = snapshot.get_metadata();
        self.machine.restore(metadata.index, &snapshot.data);
        let digest = Digest::of(&&snapshot.data[..]);
        cx.note(Fact::Installed { index: metadata.index, term: metadata.term, digest });
    }

    /// Writes term, vote and commit index; gives the vote, if it is a new one.
    pub(super) fn write_hard_state(
        &mut self,
        hard: HardState,
        cx: &mut Cx<'_, Self>,
    ) -> Option<Vote> {
        self.durable.write(&Record::Hard(Hard::from(&hard)), cx);
        let known = &mut self.library.mut_store().hard;
        let is_new = (hard.term, hard.vote) != (known.term, known.vote);
        let vote = node_id(hard.vote).filter(|_| is_new).map(|node| (hard.term, node));
        *known = hard;
        vote
    }

    /// Takes over a leader's snapshot; gives its index.
    pub(super) fn install(
        &mut self,
        snapshot: Snapshot,
        hard: Option<&HardState>,
        cx: &mut Cx<'_, Self>,
    ) -> Option<u64> {
        let index = snapshot.get_metadata().index;
        self.restore(&snapshot, cx);
        self.confirmed.clear();
        let store = self.library.mut_store();
        store.restart(snapshot);
        let hard = Hard::from(hard.unwrap_or(&store.hard));
        self.write_checkpoint(hard, cx);
        cx.failpoint("raft.snapshot_installed");
        Some(index)
    }

    /// Takes a snapshot if the last entry that was applied makes one due.
    pub(super) fn snapshot_if_due(&mut self, cx: &mut Cx<'_, Self>) {
        let index = self.machine.applied();
        if index.checked_rem(self.snapshot_every) != Some(0) {
            return;
        }
        let state = self.machine.encode(true);
        let store = self.library.mut_store();
        let mut snapshot = Snapshot { data: state.into(), ..Snapshot::default() };
        let term = store.term_at(index).expect("what was just applied is in the log");
        let members = store.members().clone();
        let metadata = snapshot.mut_metadata();
        (metadata.index, metadata.term) = (index, term);
        metadata.set_conf_state(members);
        store.snapshot = snapshot;
        let hard = Hard::from(&store.hard);
        self.write_checkpoint(hard, cx);
        self.durable.sync(cx);
        cx.failpoint("raft.snapshot_taken");
    }

    /// Writes a checkpoint, which the next sync makes durable.
    fn write_checkpoint(&mut self, hard: Hard, cx: &mut Cx<'_, Self>) {
        let store = self.library.store();
        let index = store.snapshot.get_metadata().index;
        let tail = store.behind(index).iter().map(bytes).collect();
        cx.put(CHECKPOINT, &Checkpoint { hard, snapshot: bytes(&store.snapshot), tail });
        let written = Written { index, records: self.durable.records };
        self.durable.checkpoints.push_back((self.durable.asked + 1, written));
    }

    /// What a `Ready` promises is kept once the disk has it, and never before an earlier one's.
    pub(super) fn keep_later(&mut self, promise: Promise, must_sync: bool, cx: &mut Cx<'_, Self>) {
        if must_sync {
            self.durable.sync(cx);
        }
        if self.durable.synced == self.durable.asked {
            self.keep(promise, cx);
        } else {
            self.durable.promises.push_back((self.durable.asked, promise));
        }
    }

    /// A sync came back.
    pub(super) fn on_durable(&mut self, tag: u64, cx: &mut Cx<'_, Self>) {
        self.durable.synced = self.durable.synced.max(tag);
        while let Some((_, written)) = self.durable.checkpoints.pop_front_if(|(of, _)| *of <= tag) {
            self.discard_before(written, cx);
        }
        while let Some((_, promise)) = self.durable.promises.pop_front_if(|(of, _)| *of <= tag) {
            self.keep(promise, cx);
        }
    }

    fn keep(&mut self, promise: Promise, cx: &mut Cx<'_, Self>) {
        self.note_vote(promise.vote, cx);
        self.send(promise.messages, cx);
        self.library.on_persist_ready(promise.number);
        if let Some(index) = promise.installed {
            self.library.advance_apply_to(index);
        }
    }

    /// A vote counts from now on.
    pub(super) fn note_vote(&self, vote: Option<Vote>, cx: &mut Cx<'_, Self>) {
        if let Some((term, candidate)) = vote {
            cx.note(Fact::Voted { term, candidate: candidate.0 });
        }
    }

    /// A checkpoint is durable: what was written before it has no use any more.
    fn discard_before(&mut self, written: Written, cx: &mut Cx<'_, Self>) {
        cx.failpoint("raft.snapshot_synced");
        cx.discard((written.records - self.durable.discarded) as usize);
        self.durable.discarded = written.records;
        let store = self.library.mut_store();
        let metadata = store.snapshot.get_metadata();
        let (index, term) = (metadata.index, metadata.term);
        // One that was taken over, or overtaken by a newer one, leaves nothing to do.
        if index == written.index && index > store.base() {
            let digest = Digest::of(&&store.snapshot.data[..]);
            store.compact((index, term));
            cx.note(Fact::Compacted { index, term, digest });
        }
    }
}

/// What the library wrote.
fn parsed<M: protobuf::Message>(bytes: &[u8]) -> M {
    M::parse_from_bytes(bytes).expect("the disk gives back what was written")
}
