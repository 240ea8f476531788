//! Snapshots and log compaction (§7; thesis chapter 5).
//!
//! ```text
//!   log   1 2 3 4 5 6 7 8          applied up to 6: the snapshot holds the state, sessions included
//!         └─────────┘
//!   disk  snapshot ≤ 6, then 7 8   a follower that still needs 3 is sent the snapshot
//! ```
//! A node takes a snapshot every so many entries, each at the same indices, so that observers can
//! compare them. A snapshot travels in one message: the network of a simulation has no largest one,
//! so the chunks of the paper's Figure 13 are left out.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wrack_history::Fact;
use wrack_sim::chance::Digest;
use wrack_sim::{Cx, NodeId};

use super::info::Variant;
use super::membership::{Members, Membership};
use super::message::{Entry, Install, Rpc};
use super::storage::HardState;
use super::{Raft, Role};

/// The state machine after an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Index of the last entry that it stands for.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// Who votes.
    pub members: Members,
    /// The state.
    pub state: State,
}

/// An encoded state machine, shared by all who hold it.
#[derive(Clone)]
pub struct State(pub Arc<[u8]>);

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::<u8>::deserialize(deserializer)?.into()))
    }
}

/// All that a node knew when it wrote it: whatever its disk held before has no use any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Term and vote.
    pub hard: HardState,
    /// The state machine.
    pub snapshot: Snapshot,
    /// The log behind the snapshot.
    pub tail: Vec<Entry>,
}

impl Raft {
    /// Takes a snapshot if the last entry that was applied makes one due.
    pub(super) fn snapshot_if_due(&mut self, cx: &mut Cx<'_, Self>) {
        let index = self.machine.applied();
        if index.checked_rem(self.snapshot_every) == Some(0) {
            let term = self.log.term(index).expect("what was just applied is in the log");
            let with_sessions = self.variant != Variant::SnapshotWithoutSessions;
            let state = State(self.machine.encode(with_sessions).into());
            let members = Arc::clone(self.membership.at(index));
            self.keep(Snapshot { index, term, members, state }, cx);
            cx.failpoint("raft.snapshot_taken");
        }
    }

    fn keep(&mut self, snapshot: Snapshot, cx: &mut Cx<'_, Self>) {
        let tail = self.log.from(snapshot.index + 1, usize::MAX).to_vec();
        let checkpoint = Checkpoint { hard: self.durable_hard_state(), snapshot, tail };
        self.write_checkpoint(&checkpoint, cx);
        self.snapshot = Some(checkpoint.snapshot);
    }

    /// The snapshot that ends at `index` is durable: the log before it has no use any more. One that
    /// was taken over, or overtaken by a newer one, leaves nothing to do.
    pub(super) fn compact(&mut self, index: u64, cx: &mut Cx<'_, Self>) {
        let Some(snapshot) = self.snapshot.as_ref().filter(|snapshot| snapshot.index == index)
        else {
            return;
        };
        if index > self.log.base() {
            self.log.compact((index, snapshot.term));
            self.membership.compact(index);
            let digest = Digest::of(&snapshot.state.0);
            cx.note(Fact::Compacted { index, term: snapshot.term, digest });
        }
    }

    /// Sends a follower the last snapshot, because the log no longer holds what it lacks.
    pub(super) fn send_snapshot(&mut self, place: usize, cx: &mut Cx<'_, Self>) {
        let Role::Leader { progress } = &mut self.role else {
            return;
        };
        let snapshot = self.snapshot.clone().expect("a snapshot stands for what the log dropped");
        let follower = &mut progress[place];
        follower.next = snapshot.index + 1;
        let peer = follower.peer;
        let (term, round) = (self.hard.term, self.reads.round());
        cx.sometimes("a leader sends a snapshot");
        self.send_now(peer, Rpc::Install(Install { term, snapshot, round }), cx);
    }

    /// A follower takes over a snapshot of what it lacks (Figure 13, InstallSnapshot).
    pub(super) fn on_install(&mut self, leader: NodeId, install: Install, cx: &mut Cx<'_, Self>) {
        let Install { term, snapshot, round } = install;
        if !self.follow(leader, (term, round), cx) {
            return;
        }
        let index = snapshot.index;
        // What is older is known already: it came late.
        if index > self.commit || self.variant == Variant::InstallOlderSnapshot {
            // Figure 13, 6: an entry like the snapshot's last means that it lacks nothing before.
            if self.log.term(index) == Some(snapshot.term) {
                self.learn_commit(index, cx);
            } else {
                self.install(snapshot, cx);
            }
        }
        self.send_durably(leader, Rpc::Appended { term, success: true, index, round }, cx);
    }

    fn install(&mut self, snapshot: Snapshot, cx: &mut Cx<'_, Self>) {
        let (index, term) = (snapshot.index, snapshot.term);
        self.restore(&snapshot, cx);
        self.log.restart((index, term));
        self.membership = Membership::new(index, Arc::clone(&snapshot.members));
        self.count_members();
        self.storage.vouch_up_to(index);
        self.keep(snapshot, cx);
        cx.failpoint("raft.snapshot_installed");
    }

    /// The state is that of a snapshot.
    pub(super) fn restore(&mut self, snapshot: &Snapshot, cx: &mut Cx<'_, Self>) {
        let Snapshot { index, term, ref state, .. } = *snapshot;
        self.machine.restore(index, &state.0);
        self.commit = index;
        cx.note(Fact::Installed { index, term, digest: Digest::of(&state.0) });
    }
}
