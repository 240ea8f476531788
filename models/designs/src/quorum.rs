//! Quorum register: every node holds everything, and any majority is enough.
//!
//! ```text
//!   client ── write ─▶ n1 ── Ask ───▶ n2, n3      what is the newest stamp?
//!                         ◀── Held, 7 ── n2       a majority has answered
//!                      n1 ── fsync (8, n1) ── Store ──▶ n2, n3
//!          ◀── ok ───     ◀── Stored ──── n3      a majority holds it
//!   client ── read ──▶ n2 ── Ask … Held … Store … Stored …     the newest of a majority, stored at one
//!          ◀─ value ──
//! ```
//! Two majorities share a node. So whoever asks one finds the newest write that was acknowledged by one,
//! without a leader, an election or a clock. What is easily forgotten is the second half of a read: a
//! value that a read found at a minority is not yet written, and the next read may not find it, so a read
//! writes what it found back before it answers.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `member` | both phases wait for a majority | `r1w1` |
//! | `member` | a read stores what it found before it answers | `no_write_back` |
//! | `member` | a coordinator holds what it stamps before anybody else does | two writes with one stamp |
//! | `store` | nothing is seen before it is durable | a crash takes back what was read |
//!
//! # What it does not do
//! It does not recognise a write that is tried again: the second attempt is a second write, with a stamp of
//! its own, and the first may come to light after it. Clients try once (`attempts = 1`), and messages are
//! not doubled; who needs more needs consensus. There is no compare-and-set for the same reason. A node in
//! the minority serves nobody.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, NodeId};

use self::member::{Member, Rules};
use self::message::Peer;

mod member;
mod message;
mod store;

/// The quorum register as a design.
pub struct Quorum;

const INFO: DesignInfo = DesignInfo {
    name: "quorum",
    codes: &["P18"],
    title: "Quorum register: reads and writes at a majority, and reads write back",
    doc: "Every node holds every key, and any node coordinates what a client asks of it, in two phases. A \
          write asks a majority for the newest stamp, stamps its value later than that, and stores it at a \
          majority. A read asks a majority, takes the newest, stores it at a majority, and answers. A node \
          makes what it holds durable before anybody sees it, and the coordinator is the first.\n\n\
          The promise: clients see one register per key (linearizability), so no read misses a version that \
          was acknowledged (KST). It holds through crashes and restarts of any node, pauses, any clocks, \
          and a network that loses, delays and reorders, for clients that try each operation once: a write \
          that is tried again is a second write.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "no_write_back",
            doc: "A read answers with the newest of a majority, and stores nothing. A value that one node \
                  holds is read, and then not, and then again: Cassandra's quorum reads before they waited \
                  for read repair.",
            broken: true,
        },
        VariantInfo {
            name: "r1w1",
            doc: "One node is enough to read and to write, and the others hear of it later (Dynamo with \
                  R = W = 1, the fast setting of every such store). Cut off, a node serves what it had.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[NamedDoc::new(
        "coordinator.stored",
        "the coordinator holds what it stamped or found; nobody else was told",
    )],
    messages: &[],
    controls: &[],
    facts: &[NamedDoc::new("effect", "a write is durable at a node")],
    situations: &[
        NamedDoc::new(
            "a read writes back what a minority holds",
            "Of those who answered, fewer than a majority hold what it found.",
        ),
        NamedDoc::new(
            "an answer comes for a phase that is over",
            "Others made the majority, or the client gave up.",
        ),
    ],
    functions: &["read", "write"],
    parameters: &[ParameterInfo::new(
        "nodes",
        ParameterKind::Integer { min: 1, max: 100 },
        DefaultSetting::Integer(3),
        "how many nodes hold everything, named n1, n2 …",
    )],
    guarantees: &["ASSERT", "KST", "LIN", "LIVE", "PHANTOM"],
    // Any number of nodes at once: what was seen is on disks, and what has no majority waits.
    tolerates: &Tolerance::any([
        "clock-step",
        "crash",
        "disk-error",
        "disk-full",
        "drift",
        "failpoint",
        "latency",
        "loss",
        "partition",
        "pause",
        "reorder",
        "slow-disk",
    ]),
    nodes: names,
    sources: &[
        "Attiya, Bar-Noy and Dolev: Sharing Memory Robustly in Message-Passing Systems, JACM 1995",
        "Lynch and Shvartsman: Robust Emulation of Shared Memory Using Dynamic Quorum-Acknowledged \
         Broadcasts, FTCS 1997 (several writers)",
        "DeCandia et al.: Dynamo: Amazon's Highly Available Key-value Store, SOSP 2007",
    ],
};

fn names(settings: &Settings) -> Vec<SmolStr> {
    let nodes = settings.integer("nodes").unwrap_or(3);
    (1..=nodes).map(|number| format!("n{number}").into()).collect()
}

impl Design for Quorum {
    type Peer = Peer;
    type Node = Member;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Member {
        let variant = cluster.variant.as_str();
        let majority = cluster.names.len() / 2 + 1;
        Member::new(Rules {
            others: cluster.servers().filter(|other| *other != id).collect(),
            quorum: if variant == "r1w1" { 1 } else { majority },
            writes_back: variant != "no_write_back",
        })
    }
}

#[cfg(test)]
mod tests;
