//! Several leaders, and the last writer wins.
//!
//! ```text
//!   client ── write 1 ──▶ region-1 ── (12:00:00.031, 0) ──▶ region-2     the greater timestamp stays,
//!   client ── write 2 ──▶ region-2 ── (12:00:00.029, 0) ──▶ region-1     and 2 is gone: nobody is told
//! ```
//! Every region accepts writes by itself and stamps them; wherever two writes of one key meet, the greater
//! timestamp stays. All replicas come to agree, at a price that is easily forgotten: of two writes that
//! knew nothing of each other one is dropped, although both were acknowledged. A hybrid clock keeps the
//! price to that: it is ahead of every timestamp that the replica has heard of, so that a write is never
//! dropped in favour of one that its replica had already applied. A wall clock does not: where it is
//! behind, writes vanish the moment they are acknowledged.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `crdt::store` | stamp a write later than all that was heard of | `wall_clock_lww` |
//! | `crdt::types::lww_register` | of equal timestamps the greater replica wins, everywhere | replicas differ for good |
//!
//! Replicas, logs and anti-entropy are those of the design [`crate::crdt`].
//!
//! # What it does not do
//! It does not keep concurrent writes: the metric `silent-drops` counts acknowledged writes that were
//! dropped in favour of one that had completed before they began. A clock that is far ahead wins until
//! the others get there.

use wrack_history::catalogue::{DesignInfo, VariantInfo};
use wrack_sim::{Cluster, Design, Flow, NodeId, Wire};

use crate::crdt::{
    self, FACTS, FAILPOINTS, FORM, GOSSIP, Kind, Peer, REPLICAS, SITUATIONS, TOLERATES, regions,
};

/// Multi-leader replication with last-writer-wins as a design.
pub struct LastWriterWins;

const INFO: DesignInfo = DesignInfo {
    name: "last-writer-wins",
    codes: &["P16"],
    title: "Several leaders: every region accepts writes, and the greater timestamp stays",
    doc: "Each region accepts writes by itself, stamps them with a hybrid clock (the wall clock's time, \
          or later where that would be behind a timestamp that was heard of), and sends them to the \
          others. Of two writes of a key the greater timestamp stays, on every replica.\n\n\
          The promise: all come to agree, and replicas that were delivered the same writes answer the \
          same; no value comes from nowhere; nothing acknowledged is forgotten by the node that \
          acknowledged it; and a write is never dropped in favour of one that its replica had applied \
          before it accepted it. The last is LOST in its causal form: a scenario asks for it with \
          `code = \"LOST\"` and `order = \"causal\"`. Of writes that knew nothing of each other all but \
          one are dropped, whichever came later: that is no anomaly here, and the metric \
          `silent-drops` counts it.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "wall_clock_lww",
            doc: "A write is stamped with the wall clock. On a node whose clock is behind, a write is \
                  older than the value that it replaces, and vanishes while it is acknowledged \
                  (Cassandra with clocks that disagree).",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: FAILPOINTS,
    messages: &[],
    controls: &[],
    facts: FACTS,
    situations: SITUATIONS,
    functions: &["read", "write"],
    parameters: &[FORM, REPLICAS, GOSSIP],
    guarantees: &["ASSERT", "CONV", "LIVE", "PHANTOM", "SEC"],
    tolerates: TOLERATES,
    nodes: regions,
    sources: &[
        "Johnson and Thomas: The Maintenance of Duplicate Databases, RFC 677, 1975",
        "Kulkarni, Demirbas, Madeppa, Avva and Leone: Logical Physical Clocks, OPODIS 2014",
        "Kingsbury: Jepsen: Cassandra, 2013",
    ],
};

impl Design for LastWriterWins {
    type Peer = Peer;
    type Node = Flow<Wire<Peer>>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Self::Node {
        crdt::boot(cluster, id, Kind::LastWriter)
    }
}
