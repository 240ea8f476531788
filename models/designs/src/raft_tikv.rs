//! Raft as a library that people use: the crate `raft` of TiKV under our clients, disks and faults.
//!
//! ```text
//!   client ── write ──▶ leader ─ propose ─▶ library ─ Ready ─┬─ entries ──▶ disk ── sync ─┐
//!                                                             └─ messages ─▶ followers     │
//!                       library ◀─ on_persist_ready ──────────────────────────────────────┘
//!                       follower: library ─ Ready ── entries, term, vote ──▶ disk ── sync ─▶ messages
//!   client ── read ───▶ leader ─ read_index ▶ library ─ heartbeats ▶ a majority ─ ReadState ─▶ ok
//! ```
//! The library decides: elections with pre-vote, check-quorum, replication, commitment, read indices,
//! what to send and what must be on disk before. The integration that its documentation asks for is
//! ours, and it is where users of such a library go wrong:
//!
//! | duty | where | the variant that fails it |
//! |---|---|---|
//! | what a follower or candidate says waits for its disk | `durable` | `send_before_sync` |
//! | a read waits for its read index | `clients` | `stale_local_read` |
//! | a read index that rests on clocks (`ReadOnlyOption::LeaseBased`) is not for clocks that drift | `clients` | `lease_reads` |
//! | the disk gives back entries and commit index in the order in which they were written | `durable`, `store` | |
//! | a snapshot that is lost is reported, or its follower is never sent anything again | `ticks` | |
//!
//! The state machine, with the sessions of clients, is that of the design [`crate::raft`]: both are run by
//! the same scenarios and held to the same promises, RAFT's five properties among them.
//!
//! # Where the library's own chance goes
//! It draws election timeouts from a random number generator of its thread, each time that it begins to wait
//! anew. Before such a timeout counts, at the next tick, one from the node's stream takes its place. (A
//! timeout that is drawn once for each boot is not enough: a candidate whose log is behind and whose timeout
//! is the shortest then makes everybody wait anew, for ever.)
//!
//! # What it does not do
//! Membership does not change (the library can: joint consensus), leadership is not handed over, and the
//! log is held in memory as well as on disk.
//!
//! It is not there on Macs with Apple silicon: building the library calls a compiler that it does not bring
//! along for them.
//! Source: the crate raft 0.7 and its documentation, <https://docs.rs/raft>; Ongaro's thesis (2014).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ::raft::{RawNode, StateRole};
use wrack_history::catalogue::DesignInfo;
use wrack_history::{Fact, SmolStr};
use wrack_sim::{Cluster, Cx, Design, DiskError, Node, NodeId, Request, Wire};

use self::durable::Durable;
use self::info::{INFO, Variant};
use self::message::Rpc;
use self::store::Store;
use crate::raft::machine::Machine;

mod clients;
mod durable;
mod info;
mod message;
mod ready;
mod store;
mod ticks;

/// The crate `raft` as a design.
pub struct RaftTikv;

impl Design for RaftTikv {
    type Peer = Rpc;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        Server::new(cluster, id)
    }
}

wrack_sim::timers! {
    /// What a node waits for.
    pub enum Timer {
        /// The library's clock.
        Tick,
    }
}

/// A server: the library, its disk, and the machine that it replicates.
pub struct Server {
    settings: ticks::Ticks,
    members: Vec<u64>,
    variant: Variant,
    snapshot_every: u64,
    library: RawNode<Store>,
    durable: Durable,
    machine: Machine,
    /// What was noted last: role and term.
    noted: (StateRole, u64),
    /// The highest index that was noted as committed in this term of leading.
    committed: u64,
    /// Clients that wait for an entry, by its index, with the term in which it was proposed.
    waiting: VecDeque<(u64, u64, Arc<Request>)>,
    /// Reads that wait for their read index, by the number that the library knows them by.
    reads: BTreeMap<u64, Arc<Request>>,
    /// Reads that wait until their index is applied.
    confirmed: Vec<(u64, Arc<Request>)>,
    /// The number of the last read.
    last_read: u64,
    /// How many ticks each follower has been waiting for a snapshot.
    snapshot_ticks: BTreeMap<u64, u64>,
}

/// How the library calls a node: from 1, because 0 is nobody.
fn library_id(node: NodeId) -> u64 {
    u64::from(node.0) + 1
}

/// The node that the library calls so; `None` for nobody.
fn node_id(id: u64) -> Option<NodeId> {
    id.checked_sub(1).map(|index| NodeId(index as u16))
}

impl Server {
    fn new(cluster: &Cluster, id: NodeId) -> Self {
        let settings = ticks::Ticks::new(cluster, id);
        let members: Vec<u64> = cluster.servers().map(library_id).collect();
        let variant = Variant::named(&cluster.variant);
        Self {
            library: settings.library(Store::new(members.clone()), variant),
            settings,
            members,
            variant,
            snapshot_every: cluster.integer("snapshot_every") as u64,
            durable: Durable::default(),
            machine: Machine::new(true),
            noted: (StateRole::Follower, 0),
            committed: 0,
            waiting: VecDeque::new(),
            reads: BTreeMap::new(),
            confirmed: Vec::new(),
            last_read: 0,
            snapshot_ticks: BTreeMap::new(),
        }
    }

    fn leads(&self) -> bool {
        self.library.raft.state == StateRole::Leader
    }

    /// Says what the node is, if that has changed.
    fn note_role(&mut self, cx: &mut Cx<'_, Self>) {
        let state = match self.library.raft.state {
            // Who only asks whether it would be elected has not left its term.
            StateRole::PreCandidate => StateRole::Follower,
            state => state,
        };
        let now = (state, self.library.raft.term);
        if now == self.noted {
            return;
        }
        if self.noted.0 == StateRole::Leader {
            cx.sometimes("a leader steps down");
            self.give_up_clients(cx);
        }
        self.noted = now;
        self.committed = 0;
        let role = match state {
            StateRole::Leader => "leader",
            StateRole::Candidate => "candidate",
            _ => "follower",
        };
        cx.note(Fact::Role { role: SmolStr::new_static(role), epoch: now.1 });
        if state == StateRole::Leader {
            cx.failpoint("raft.leader_elected");
        }
    }
}

impl Node for Server {
    type Message = Wire<Rpc>;
    type Timer = Timer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.recover(cx);
        cx.arm(Timer::Tick, self.settings.tick_ns);
    }

    fn on_message(&mut self, _: NodeId, message: Self::Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => self.on_request(request, cx),
            // The library refuses what it does not understand, such as an answer of a stranger.
            Wire::Peer(Rpc(message)) => {
                drop(self.library.step(message));
                self.draw_timeout(cx);
            }
            Wire::Response(_) => {}
        }
        self.process_ready(cx);
    }

    fn on_timer(&mut self, _: Timer, cx: &mut Cx<'_, Self>) {
        self.tick(cx);
        self.process_ready(cx);
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        // As in the design `raft`: a node whose disk fails stops.
        result.expect("the disk of a Raft node keeps what it was given");
        self.on_durable(tag, cx);
        self.process_ready(cx);
    }
}

#[cfg(test)]
mod tests;
