//! Raft: a replicated log that a majority agrees on, and clients that see one machine.
//!
//! ```text
//!   client ── write ──▶ leader ── Append ──▶ followers         a majority has it on disk
//!                         │    ◀─ Appended ──    │             → committed → applied → ok
//!   client ── read ──▶ leader ── Append (round) ▶ followers    a majority still follows
//!                         │    ◀─ Appended ──                  → answered from its own state
//! ```
//! Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended
//! version, 2014), cited as §; Ongaro's thesis (2014), cited as thesis §. Each rule stands in one
//! place: elections in `election`, what a leader owes in `leading`, the log and its rules in `replication` and `log`,
//! linearizable reads in `reads`, client sessions in `machine`, snapshots in `snapshot`, what is on
//! the disk and what waits for it in `storage`.
//!
//! What a message says is durable before it is sent (Figure 2: "updated on stable storage before
//! responding to RPCs"): `Raft::send_durably` is that rule. Only a leader's `Append` may overtake
//! its own disk (thesis §10.2.1), because the leader then counts itself only once it is durable.

use std::collections::{BTreeSet, VecDeque};

use wrack_history::catalogue::DesignInfo;
use wrack_history::setting::Delay;
use wrack_history::{Fact, SmolStr};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cluster, Cx, Design, Node, NodeId, Reply, Request, Response, Wire};

use self::info::{INFO, Variant};
use self::log::{Log, Record};
use self::machine::Machine;
use self::message::{Ask, Rpc};
use self::reads::Reads;
use self::replication::Progress;
use self::snapshot::{Checkpoint, Snapshot};
use self::storage::{CHECKPOINT, HardState, Storage};

mod election;
mod info;
mod leading;
mod log;
mod machine;
mod message;
mod reads;
mod replication;
mod snapshot;
mod storage;

/// Raft as a design.
pub struct RaftDesign;

const INFO: DesignInfo = DesignInfo {
    name: "raft",
    codes: &["P19"],
    title: "Raft: a replicated log that a majority agrees on",
    doc: "One leader per term orders all commands in a log; a command is committed once a \
          majority has it on disk, and is then applied by everybody in the same order. Reads are \
          answered by the leader after a majority confirmed that it still leads (ReadIndex). \
          Clients carry a session, so that a retried command takes effect once. The promise: \
          clients see one machine (linearizability), nothing acknowledged is lost, nothing takes \
          effect twice, as long as disks keep what they synced. A minority side is unavailable.",
    variants: &[
        VariantInfo { name: "reference", doc: "As the paper says.", broken: false },
        VariantInfo {
            name: "stale_local_read",
            doc: "Whoever believes to lead answers reads from its own state. A leader that was \
                  deposed behind a partition serves the past (etcd before 3.0 read like this).",
            broken: true,
        },
        VariantInfo {
            name: "vote_volatile",
            doc: "The vote is kept in memory only. A node that crashes after voting votes again \
                  in the same term, and a term gets two leaders.",
            broken: true,
        },
        VariantInfo {
            name: "ack_before_majority",
            doc: "The leader counts a command as committed once its own disk has it. The leader \
                  falls out, and the next one never heard of what was acknowledged.",
            broken: true,
        },
        VariantInfo {
            name: "commit_prior_term",
            doc: "The leader commits entries of earlier terms by counting replicas: Figure 8 of \
                  the paper. A committed entry is overwritten.",
            broken: true,
        },
        VariantInfo {
            name: "no_client_dedupe",
            doc: "Sessions are ignored: a command whose answer was lost is applied once more when \
                  the client retries.",
            broken: true,
        },
    ],
    roles: &["leader", "follower", "candidate"],
    failpoints: &[
        NamedDoc { name: "raft.vote_sent", doc: "a vote was granted and sent" },
        NamedDoc { name: "raft.leader_elected", doc: "a majority voted; nothing is sent yet" },
        NamedDoc { name: "raft.entry_appended", doc: "the leader appended; nothing is sent yet" },
        NamedDoc { name: "raft.entry_sent", doc: "the leader sent the entry to everybody" },
        NamedDoc { name: "raft.entry_stored", doc: "a follower synced entries; not yet answered" },
        NamedDoc { name: "raft.committed", doc: "the leader committed; no client is answered yet" },
        NamedDoc { name: "raft.read_confirmed", doc: "a read is confirmed; not yet answered" },
    ],
    messages: &[],
    controls: &[],
    facts: &[
        NamedDoc { name: "voted", doc: "the node granted its vote" },
        NamedDoc { name: "appended", doc: "the node appended an entry" },
        NamedDoc { name: "truncated", doc: "the node cut its log" },
        NamedDoc { name: "committed", doc: "the leader committed; others show it when they apply" },
        NamedDoc { name: "applied", doc: "the node applied an entry" },
        NamedDoc { name: "effect", doc: "a command took effect" },
    ],
    functions: &["read", "write", "cas", "add", "increment"],
    parameters: &[
        ParameterInfo::new(
            "nodes",
            ParameterKind::Integer { min: 1, max: 1_000 },
            DefaultSetting::Integer(5),
            "how many nodes, named n1, n2 …",
        ),
        ParameterInfo::new(
            "heartbeat",
            ParameterKind::Duration,
            DefaultSetting::Duration(50 * MILLISECOND),
            "how often a leader shows that it leads",
        ),
        ParameterInfo::new(
            "election_timeout",
            ParameterKind::Delay,
            DefaultSetting::Delay(150 * MILLISECOND, 300 * MILLISECOND),
            "how long a follower waits for a leader, drawn anew each time",
        ),
        ParameterInfo::new(
            "batch",
            ParameterKind::Integer { min: 1, max: 10_000 },
            DefaultSetting::Integer(64),
            "at most so many entries in one message",
        ),
    ],
    guarantees: &["ASSERT", "DUP", "LIN", "LIVE", "LOST", "MISS", "PHANTOM", "RAFT"],
    tolerates: &[
        Tolerance { fault: "clock-step", nodes: Extent::Any },
        Tolerance { fault: "crash", nodes: Extent::Minority },
        Tolerance { fault: "drift", nodes: Extent::Any },
        Tolerance { fault: "duplicate", nodes: Extent::Any },
        Tolerance { fault: "failpoint", nodes: Extent::Minority },
        Tolerance { fault: "latency", nodes: Extent::Any },
        Tolerance { fault: "loss", nodes: Extent::Any },
        Tolerance { fault: "partition", nodes: Extent::Any },
        Tolerance { fault: "pause", nodes: Extent::Any },
        Tolerance { fault: "reorder", nodes: Extent::Any },
        Tolerance { fault: "slow-disk", nodes: Extent::Any },
    ],
    nodes: names,
    sources: &[
        "Ongaro and Ousterhout: In Search of an Understandable Consensus Algorithm, 2014",
        "Ongaro: Consensus: Bridging Theory and Practice, 2014",
    ],
};

fn names(settings: &Settings) -> Vec<SmolStr> {
    let nodes = settings.integer("nodes").unwrap_or(5);
    (1..=nodes).map(|number| format!("n{number}").into()).collect()
}

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
    peers: Vec<NodeId>,
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
        let variant = Variant::named(&cluster.variant);
        let flag = |name| cluster.settings.flag(name).expect("it is declared");
        let election_timeout = cluster.settings.delay("election_timeout").expect("it is declared");
        let (shortest_election_ns, longest_election_ns) = bounds(&election_timeout);
        let lease = (cluster.settings.choice("reads").expect("it is declared") == "lease")
            .then(|| cluster.duration("lease_guard"));
        Self {
            id,
            peers,
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

    /// A majority of the cluster, this node included.
    fn majority(&self) -> usize {
        self.peers.len().div_ceil(2) + 1
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
            self.snapshot = Some(snapshot);
        }
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
