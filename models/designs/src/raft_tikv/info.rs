//! What the design is called, takes and tolerates, and the edits that break it.

use wrack_history::SmolStr;
use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, Extent, NamedDoc, ParameterInfo, ParameterKind, Tolerance,
    VariantInfo,
};
use wrack_history::duration::MILLISECOND;

pub(super) const INFO: DesignInfo = DesignInfo {
    name: "raft-tikv",
    codes: &["P19"],
    title: "Raft as a library that people use: the crate `raft` of TiKV",
    doc: "As the design `raft`, but the protocol is the crate `raft`, version 0.7: elections, \
          replication, commitment and read indices are its own. What its documentation leaves to whoever \
          uses it is ours: ticks, the disk, which messages wait for it, snapshots, the state machine with \
          the sessions of clients.\n\n\
          The promise is that of `raft`: clients see one machine (linearizability), nothing \
          acknowledged is lost, nothing takes effect twice, as long as disks keep what they synced. A \
          minority side is unavailable.",
    variants: &[
        VariantInfo {
            name: "reference",
            doc: "As the library's documentation says.",
            broken: false,
        },
        VariantInfo {
            name: "stale_local_read",
            doc: "Whoever believes to lead answers reads from its own state, without `read_index`. A \
                  leader that was deposed behind a partition serves the past.",
            broken: true,
        },
        VariantInfo {
            name: "lease_reads",
            doc: "`ReadOnlyOption::LeaseBased`: the leader answers as long as it has not noticed that \
                  nobody follows it. Its clock is slow, so it notices late, and serves the past (the \
                  library's documentation warns of clock drift).",
            broken: true,
        },
        VariantInfo {
            name: "send_before_sync",
            doc: "What `persisted_messages` gives is sent at once, as `messages` are. A node that crashes \
                  has promised a vote or an entry that its disk never got.",
            broken: true,
        },
    ],
    roles: &["leader", "follower", "candidate"],
    failpoints: &[
        NamedDoc::new("raft.leader_elected", "a majority voted; nothing is sent yet"),
        NamedDoc::new("raft.entry_appended", "the leader appended; nothing is sent yet"),
        NamedDoc::new("raft.entry_sent", "the leader sent entries to a follower"),
        NamedDoc::new("raft.entry_stored", "a follower synced entries; not yet answered"),
        NamedDoc::new("raft.vote_sent", "a vote was granted and sent"),
        NamedDoc::new("raft.committed", "the leader committed; no client is answered yet"),
        NamedDoc::new("raft.snapshot_taken", "a snapshot is written; not yet synced"),
        NamedDoc::new("raft.snapshot_synced", "it is synced; the old log is still there"),
        NamedDoc::new("raft.snapshot_installed", "a leader's snapshot is written; unsynced"),
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
        NamedDoc::new("a leader sends a snapshot", "A follower needs what the log has no longer."),
        NamedDoc::new(
            "a leader steps down",
            "It hears of a newer term, or that nobody follows it.",
        ),
        NamedDoc::new(
            "a read waits for the first commit of a term",
            "The leader does not know yet what is committed.",
        ),
        NamedDoc::new("a retried command is recognised", "The machine has applied it before."),
        NamedDoc::new("a torn record is cut off", "A node that boots finds half a record."),
        NamedDoc::new(
            "a vote is refused",
            "The voter has voted, or the candidate would lose entries.",
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
            "tick",
            ParameterKind::Duration,
            DefaultSetting::Duration(10 * MILLISECOND),
            "the library's unit of time: the timeouts below are rounded down to it",
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
            "how long a follower waits for a leader, drawn each time the library begins to wait; the \
             library wants it longer than a heartbeat",
        ),
        ParameterInfo::new(
            "message_bytes",
            ParameterKind::Integer { min: 0, max: 1_000_000_000 },
            DefaultSetting::Integer(16_384),
            "at most so many bytes of entries in one message, or one entry",
        ),
        ParameterInfo::new(
            "pre_vote",
            ParameterKind::Flag,
            DefaultSetting::Flag(true),
            "a node asks before it stands for election",
        ),
        ParameterInfo::new(
            "check_quorum",
            ParameterKind::Flag,
            DefaultSetting::Flag(true),
            "a leader that a majority does not answer for an election timeout steps down, and nobody \
             votes while it hears a leader",
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
    nodes: crate::raft::names,
    sources: &[
        "The crate raft, https://docs.rs/raft",
        "Ongaro: Consensus: Bridging Theory and Practice, 2014",
    ],
};

/// The edit of the reference that a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Reference,
    StaleLocalRead,
    LeaseReads,
    SendBeforeSync,
}

impl Variant {
    pub fn named(name: &SmolStr) -> Self {
        match name.as_str() {
            "stale_local_read" => Self::StaleLocalRead,
            "lease_reads" => Self::LeaseReads,
            "send_before_sync" => Self::SendBeforeSync,
            _ => Self::Reference,
        }
    }
}
