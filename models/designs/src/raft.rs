//! Raft: a replicated log that a majority agrees on, and clients that see one machine.
//!
//! ```text
//!   client ── write ──▶ leader ── Append ──▶ followers         a majority has it on disk
//!                         │    ◀─ Appended ──    │             → committed → applied → ok
//!   client ── read ──▶ leader ── Append (round) ▶ followers    a majority still follows
//!                         │    ◀─ Appended ──                  → answered from its own state
//!                      leader ── Install ──▶ follower          its log no longer holds what it lacks
//! ```
//! Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended
//! version, 2014), cited as §; Ongaro's thesis (2014), cited as thesis §. Each rule stands in one
//! place:
//!
//! | rule | where | the variant that breaks it |
//! |---|---|---|
//! | one vote a term, on disk before it is sent (§5.2) | `election`, `storage` | `vote_volatile` |
//! | no vote while a leader is heard; a question before an election (thesis §9.6) | `election` | |
//! | a leader that nobody follows steps down, or hands over (thesis §6.2, §3.10) | `leading` | |
//! | committed is what a majority has on disk (§5.3) | `replication` | `ack_before_majority` |
//! | … with an entry of the leader's own term (§5.4.2) | `replication` | `commit_prior_term` |
//! | a log is cut only where it conflicts (§5.3) | `replication` | `truncate_committed` |
//! | a snapshot holds the sessions, too (thesis §6.3) | `snapshot` | `snapshot_without_sessions` |
//! | a snapshot never takes a node back (§7) | `snapshot` | `install_older_snapshot` |
//! | one server a change, after a commit of the own term (thesis §4.1) | `membership` | `reconfigure_before_commit` |
//! | a read waits for a round that began after it (thesis §6.4) | `reads` | `stale_local_read` |
//! | a lease ends before anybody else can lead (thesis §6.4.1) | `reads` | `lease_no_guard` |
//! | a command takes effect once (§8) | `machine` | `no_client_dedupe` |
//!
//! What a message says is durable before it is sent (Figure 2: "updated on stable storage before
//! responding to RPCs"): `Raft::send_durably` is that rule. Only a leader's `Append` may overtake
//! its own disk (thesis §10.2.1), because the leader then counts itself only once it is durable.
//!
//! Entries are pipelined: a leader sends what is new without waiting for answers to what it sent
//! before (thesis §10.2.2), and takes back its guess when a follower refuses. A message carries up to
//! `batch` entries; syncs are batched, because whatever was written while one is under way shares the
//! next.
//!
//! What it does not do: chunks of snapshots, catching up of new members before they count, joint
//! consensus, and sessions that end. It does not survive a disk that loses what it synced, not even one of
//! three: the scenarios `raft/disk-is-replaced` and `raft/record-rots` show what is lost then.

use std::collections::{BTreeSet, VecDeque};

use wrack_history::catalogue::DesignInfo;
use wrack_history::setting::Delay;
use wrack_history::{Fact, SmolStr};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cluster, Cx, Design, Node, NodeId, Reply, Request, Response, Wire};

pub(crate) use self::info::names;
use self::info::{INFO, Variant};
use self::log::{Log, Record};
use self::machine::Machine;
use self::membership::{Members, Membership};
use self::message::{Ask, Content, Rpc};
use self::reads::Reads;
use self::replication::Progress;
use self::snapshot::{Checkpoint, Snapshot};
use self::storage::{CHECKPOINT, HardState, Storage};

mod election;
mod info;
mod leading;
mod log;
pub(crate) mod machine;
mod membership;
mod message;
mod reads;
mod replication;
mod snapshot;
mod storage;

/// Raft as a design.
pub struct RaftDesign;

impl Design for RaftDesign {
    type Peer = Rpc;
    type Node = Raft;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Raft {
        Raft::new(cluster, id)
    }
}

wrack_sim::timers! {
    /// What a node waits for.
    pub enum Timer {
        /// Nobody has led for an election timeout; of a leader: it looks whether it is followed.
        Election,
        /// The leader shows that it leads.
        Heartbeat,
        /// The leader hands over.
        Transfer,
        /// The leader looks who should be a member.
        Reconfigure,
    }
}

/// What a node is in its term.
#[derive(Debug)]
enum Role {
    Follower { leader: Option<NodeId> },
    Candidate { votes: BTreeSet<NodeId>, ask: Ask },
    Leader { progress: Vec<Progress> },
}

/// A server.
pub struct Raft {
    id: NodeId,
    /// All others, members or not.
    peers: Vec<NodeId>,
    membership: Membership,
    /// A majority of the members.
    majority: usize,
    is_member: bool,
    heartbeat_ns: u64,
    election_timeout: Delay,
    /// What was drawn for this wait (§5.2: drawn anew for each election).
    election_timeout_ns: u64,
    /// The shortest that anybody draws, and how long a leader waits for a majority's answers.
    shortest_election_ns: u64,
    longest_election_ns: u64,
    batch: usize,
    pre_vote: bool,
    check_quorum: bool,
    /// Whether it votes for nobody while it hears a leader: pre-vote goes with it, leases rest on it.
    sticky: bool,
    /// How much earlier a lease ends; `None` if reads do not rest on leases.
    lease: Option<u64>,
    transfer_every_ns: u64,
    reconfigure_every_ns: u64,
    variant: Variant,
    hard: HardState,
    log: Log,
    role: Role,
    /// Until when it votes for nobody else, on its monotonic clock.
    heard_until_ns: u64,
    /// Whom this leader hands over to.
    transferring: Option<NodeId>,
    /// Highest index known to be committed.
    commit: u64,
    machine: Machine,
    reads: Reads,
    /// Answers to clients that wait for an index to be applied.
    waiting: VecDeque<(u64, std::sync::Arc<Request>)>,
    /// The last snapshot that was taken or taken over.
    snapshot: Option<Snapshot>,
    /// A snapshot is due every so many entries; 0 is never.
    snapshot_every: u64,
    storage: Storage,
}

impl Raft {
    fn new(cluster: &Cluster, id: NodeId) -> Self {
        let peers = cluster.servers().filter(|peer| *peer != id).collect();
        let first = match cluster.integer("members") {
            0 => cluster.names.len(),
            members => members as usize,
        };
        let members: Members = cluster.servers().take(first).collect();
        let variant = Variant::named(&cluster.variant);
        let flag = |name| cluster.settings.flag(name).expect("it is declared");
        let election_timeout = cluster.settings.delay("election_timeout").expect("it is declared");
        let (shortest_election_ns, longest_election_ns) = bounds(&election_timeout);
        let lease = (cluster.settings.choice("reads").expect("it is declared") == "lease")
            .then(|| cluster.duration("lease_guard"));
        Self {
            id,
            peers,
            majority: members.len() / 2 + 1,
            is_member: members.contains(&id),
            membership: Membership::new(0, members),
            heartbeat_ns: cluster.duration("heartbeat"),
            election_timeout,
            election_timeout_ns: 0,
            shortest_election_ns,
            longest_election_ns,
            pre_vote: flag("pre_vote"),
            check_quorum: flag("check_quorum"),
            sticky: flag("pre_vote") || lease.is_some(),
            lease,
            transfer_every_ns: cluster.duration("transfer_every"),
            reconfigure_every_ns: cluster.duration("reconfigure_every"),
            heard_until_ns: 0,
            transferring: None,
            batch: cluster.integer("batch") as usize,
            variant,
            hard: HardState::default(),
            log: Log::default(),
            role: Role::Follower { leader: None },
            commit: 0,
            machine: Machine::new(variant != Variant::NoClientDedupe),
            reads: Reads::default(),
            waiting: VecDeque::new(),
            snapshot: None,
            snapshot_every: cluster.integer("snapshot_every") as u64,
            storage: Storage::default(),
        }
    }

    fn leads(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// Figure 2, rules for all servers: a higher term makes a follower of everybody.
    fn see_term(&mut self, term: u64, cx: &mut Cx<'_, Self>) {
        if term > self.hard.term {
            self.set_hard_state(HardState { term, vote: None }, cx);
            self.become_follower(None, cx);
        }
    }

    fn become_follower(&mut self, leader: Option<NodeId>, cx: &mut Cx<'_, Self>) {
        if self.leads() {
            cx.sometimes("a leader steps down");
            cx.disarm(Timer::Heartbeat);
            cx.disarm(Timer::Transfer);
            cx.disarm(Timer::Reconfigure);
            self.give_up_clients(cx);
        }
        if !matches!(self.role, Role::Follower { .. }) || leader.is_some() {
            cx.note(Fact::Role { role: SmolStr::new_static("follower"), epoch: self.hard.term });
        }
        self.role = Role::Follower { leader };
        self.draw_election_timeout(cx);
        self.await_leader(cx);
    }

    fn draw_election_timeout(&mut self, cx: &mut Cx<'_, Self>) {
        self.election_timeout_ns = cx.random().delay(&self.election_timeout);
    }

    /// Waits for a leader before it stands for election.
    fn await_leader(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Timer::Election, self.election_timeout_ns);
    }

    /// A client asks.
    fn on_request(&mut self, request: std::sync::Arc<Request>, cx: &mut Cx<'_, Self>) {
        match &self.role {
            Role::Leader { .. } if request.function == "read" => self.read(request, cx),
            // Thesis §3.10: what came now would only delay the successor.
            Role::Leader { .. } if self.transferring.is_some() => {
                reply(&request, Reply::Redirect(None), cx);
            }
            Role::Leader { .. } => self.propose(request, cx),
            Role::Follower { leader } => reply(&request, Reply::Redirect(*leader), cx),
            Role::Candidate { .. } => reply(&request, Reply::Redirect(None), cx),
        }
    }

    /// A leader that steps down no longer knows what becomes of the commands in its log.
    fn give_up_clients(&mut self, cx: &mut Cx<'_, Self>) {
        for (_, request) in std::mem::take(&mut self.waiting) {
            reply(&request, Reply::Unknown(SmolStr::new_static("the leader stepped down")), cx);
        }
        for request in self.reads.give_up() {
            reply(&request, Reply::Redirect(None), cx);
        }
    }
}

/// The shortest election timeout that is ever drawn, and the longest that is usual.
fn bounds(delay: &Delay) -> (u64, u64) {
    match *delay {
        Delay::Uniform { min_ns, max_ns } => (min_ns, max_ns),
        Delay::Exponential { min_ns, mean_ns } => (min_ns, min_ns + 2 * mean_ns),
        Delay::LogNormal { median_ns, .. } => (0, 2 * median_ns),
    }
}

/// Answers a client.
fn reply(request: &Request, reply: Reply, cx: &mut Cx<'_, Raft>) {
    let response = Response { number: request.number, reply };
    cx.send(request.client, Wire::Response(response));
}

impl Node for Raft {
    type Message = Wire<Rpc>;
    type Timer = Timer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let recovered = cx.disk().recover::<Record>();
        if recovered.torn {
            cx.sometimes("a torn record is cut off");
            cx.truncate(recovered.records.len());
        }
        self.storage = Storage::recovered(recovered.records.len());
        let checkpoint = cx.disk().cell::<Checkpoint>(CHECKPOINT).expect("a checkpoint is whole");
        (self.hard, self.log) = Log::replay(checkpoint.as_ref(), recovered.records);
        if let Some(Checkpoint { snapshot, .. }) = checkpoint {
            self.restore(&snapshot, cx);
            self.membership = Membership::new(snapshot.index, snapshot.members.clone());
            self.snapshot = Some(snapshot);
        }
        for (index, entry) in self.log.iter() {
            if let Content::Members(members) = &entry.content {
                self.membership.change(index, members.clone());
            }
        }
        self.count_members();
        cx.note(Fact::Truncated { from: self.log.last_index() + 1 });
        cx.note(Fact::Role { role: SmolStr::new_static("follower"), epoch: self.hard.term });
        if self.lease.is_some() {
            // It may have answered a leader just before it crashed.
            self.heard_until_ns = cx.now() + self.shortest_election_ns;
        }
        self.draw_election_timeout(cx);
        self.await_leader(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Self::Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => self.on_request(request, cx),
            Wire::Peer(rpc) => {
                if let Rpc::RequestVote(request) = &rpc
                    && self.hears_leader(request, cx)
                {
                    cx.sometimes("a request for a vote is ignored for a leader");
                    return;
                }
                self.see_term(rpc.term(), cx);
                match rpc {
                    Rpc::RequestVote(request) => self.on_request_vote(from, request, cx),
                    Rpc::Vote(ballot) => self.on_vote(from, ballot, cx),
                    Rpc::TimeoutNow { term } => self.on_timeout_now(term, cx),
                    Rpc::Append(append) => self.on_append(from, append, cx),
                    Rpc::Install(install) => self.on_install(from, install, cx),
                    Rpc::Appended { term, success, index, round } => {
                        if term == self.hard.term {
                            self.on_appended(from, (success, index, round), cx);
                        }
                    }
                }
            }
            Wire::Response(_) => {}
        }
        self.flush(cx);
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_, Self>) {
        match timer {
            Timer::Election if self.leads() => self.check_quorum(cx),
            Timer::Election => self.seek_leader(cx),
            Timer::Transfer => self.transfer(cx),
            Timer::Reconfigure => self.reconfigure(cx),
            Timer::Heartbeat => self.heartbeat(cx),
        }
        self.flush(cx);
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        // A node whose disk fails must not go on as if it had promised nothing (Protocol-aware
        // recovery, 2018): it stops, and somebody replaces it.
        result.expect("the disk of a Raft node keeps what it was given");
        self.keep_promises(tag, cx);
        if self.leads() {
            self.advance_commit(cx);
        }
        self.elected_alone(cx);
        self.flush(cx);
    }
}

#[cfg(test)]
mod tests;
