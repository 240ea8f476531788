//! What the design is called, takes and tolerates, and the edits that break it.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, Extent, NamedDoc, ParameterInfo, ParameterKind, Tolerance,
    VariantInfo,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::{Settings, SmolStr};

pub(super) const INFO: DesignInfo = DesignInfo {
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
        VariantInfo {
            name: "lease_no_guard",
            doc: "With `reads = \"lease\"`: the lease is counted on the wall clock, from when the \
                  answers came in, and without a guard. A clock that is set back makes it longer, \
                  and a deposed leader serves the past.",
            broken: true,
        },
        VariantInfo {
            name: "truncate_committed",
            doc: "A follower's log ends where the leader's message ends, as if nothing could have \
                  come after it. A message that is late cuts off what the follower has promised to \
                  keep, and what is committed may be gone.",
            broken: true,
        },
        VariantInfo {
            name: "snapshot_without_sessions",
            doc: "A snapshot holds the keys and forgets the clients' sessions. Whoever starts from \
                  one carries out a retried command once more.",
            broken: true,
        },
        VariantInfo {
            name: "install_older_snapshot",
            doc: "A follower takes over every snapshot that a leader sends. One that is late throws \
                  it back behind what it has promised to keep, and what is committed may be gone.",
            broken: true,
        },
        VariantInfo {
            name: "reconfigure_before_commit",
            doc: "A leader changes the members before an entry of its own term is committed, as in \
                  the thesis before its bug was found (raft-dev, 2015). A leader of an older term \
                  holds another change, and the two majorities share no node.",
            broken: true,
        },
    ],
    roles: &["leader", "follower", "candidate"],
    failpoints: &[
        NamedDoc::new("raft.vote_sent", "a vote was granted and sent"),
        NamedDoc::new("raft.leader_elected", "a majority voted; nothing is sent yet"),
        NamedDoc::new("raft.entry_appended", "the leader appended; nothing is sent yet"),
        NamedDoc::new("raft.entry_sent", "the leader sent the entry to everybody"),
        NamedDoc::new("raft.entry_stored", "a follower synced entries; not yet answered"),
        NamedDoc::new("raft.committed", "the leader committed; no client is answered yet"),
        NamedDoc::new("raft.snapshot_taken", "a snapshot is written; not yet synced"),
        NamedDoc::new("raft.snapshot_synced", "it is synced; the old log is still there"),
        NamedDoc::new("raft.snapshot_installed", "a leader's snapshot is written; unsynced"),
        NamedDoc::new("raft.lease_checked", "a lease covers a read; not yet answered"),
        NamedDoc::new("raft.read_confirmed", "a read is confirmed; not yet answered"),
    ],
    messages: &[],
    controls: &[],
    facts: &[
        NamedDoc::new("voted", "the node granted its vote"),
        NamedDoc::new("appended", "the node appended an entry"),
        NamedDoc::new("truncated", "the node cut its log"),
        NamedDoc::new("compacted", "a snapshot stands for the beginning of its log"),
        NamedDoc::new("installed", "the node took over a snapshot, or booted with one"),
        NamedDoc::new("committed", "the leader committed; others show it when they apply"),
        NamedDoc::new("applied", "the node applied an entry"),
        NamedDoc::new("effect", "a command took effect"),
    ],
    situations: &[
        NamedDoc::new("a conflicting entry is cut off", "A follower has what its leader has not."),
        NamedDoc::new("a leader hands over", "It asks its successor to stand."),
        NamedDoc::new("a leader notices that nobody follows it", "It steps down by itself."),
        NamedDoc::new("a leader sends a snapshot", "A follower needs what the log has no longer."),
        NamedDoc::new("a leader steps down", "It hears of a newer term."),
        NamedDoc::new(
            "a read waits for the first commit of a term",
            "The leader does not know yet what is committed.",
        ),
        NamedDoc::new(
            "a request for a vote is ignored for a leader",
            "Its follower heard from it a moment ago.",
        ),
        NamedDoc::new("a retried command is recognised", "The machine has applied it before."),
        NamedDoc::new("a torn record is cut off", "A node that boots finds half a record."),
        NamedDoc::new(
            "a vote is refused for an old log",
            "The candidate would lose committed entries.",
        ),
        NamedDoc::new("the members change", "A node joins or leaves."),
        NamedDoc::new(
            "the wall clock goes back under a lease",
            "A lease by the wall clock would last longer.",
        ),
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
        ParameterInfo::new(
            "pre_vote",
            ParameterKind::Flag,
            DefaultSetting::Flag(true),
            "a node asks before it stands for election, and nobody votes while it hears a leader",
        ),
        ParameterInfo::new(
            "check_quorum",
            ParameterKind::Flag,
            DefaultSetting::Flag(true),
            "a leader that a majority does not answer for an election timeout steps down",
        ),
        ParameterInfo::new(
            "reads",
            ParameterKind::Choice(&["index", "lease"]),
            DefaultSetting::Choice("index"),
            "a read waits for a majority's answer, or is covered by those of the last heartbeat",
        ),
        ParameterInfo::new(
            "lease_guard",
            ParameterKind::Duration,
            DefaultSetting::Duration(15 * MILLISECOND),
            "how much earlier a lease ends, for clocks that run at different rates",
        ),
        ParameterInfo::new(
            "transfer_every",
            ParameterKind::Duration,
            DefaultSetting::Duration(0),
            "a leader hands over to another node so often; 0s is never",
        ),
        ParameterInfo::new(
            "members",
            ParameterKind::Integer { min: 0, max: 1_000 },
            DefaultSetting::Integer(0),
            "how many of the nodes are members at first; 0 is all",
        ),
        ParameterInfo::new(
            "reconfigure_every",
            ParameterKind::Duration,
            DefaultSetting::Duration(0),
            "a leader removes a silent member or adds a node that is none so often; 0s is never",
        ),
        ParameterInfo::new(
            "snapshot_every",
            ParameterKind::Integer { min: 0, max: 1_000_000_000 },
            DefaultSetting::Integer(1_000),
            "a node takes a snapshot and drops its log every so many entries; 0 is never",
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

pub(crate) fn names(settings: &Settings) -> Vec<SmolStr> {
    let nodes = settings.integer("nodes").unwrap_or(5);
    (1..=nodes).map(|number| format!("n{number}").into()).collect()
}

/// The edit of the reference that a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Reference,
    StaleLocalRead,
    VoteVolatile,
    AckBeforeMajority,
    CommitPriorTerm,
    NoClientDedupe,
    LeaseNoGuard,
    TruncateCommitted,
    SnapshotWithoutSessions,
    InstallOlderSnapshot,
    ReconfigureBeforeCommit,
}

impl Variant {
    pub fn named(name: &str) -> Self {
        match name {
            "stale_local_read" => Self::StaleLocalRead,
            "vote_volatile" => Self::VoteVolatile,
            "ack_before_majority" => Self::AckBeforeMajority,
            "commit_prior_term" => Self::CommitPriorTerm,
            "no_client_dedupe" => Self::NoClientDedupe,
            "lease_no_guard" => Self::LeaseNoGuard,
            "truncate_committed" => Self::TruncateCommitted,
            "snapshot_without_sessions" => Self::SnapshotWithoutSessions,
            "install_older_snapshot" => Self::InstallOlderSnapshot,
            "reconfigure_before_commit" => Self::ReconfigureBeforeCommit,
            _ => Self::Reference,
        }
    }
}
