//! The crate `crdts` as a design: the carts of the design [`crate::crdt`], held by a library that
//! people use.
//!
//! ```text
//! region-1 ── orswot::Op::Add { dot, members } ──▶ region-2      the library's own operations
//! ```
//! Replicas, logs and anti-entropy are those of `crdt`; the counter and the set, with their operations and
//! their rules, are the library's. Both are run by the same scenarios and held to the same promises.
//!
//! # What it does not do
//! Only operations travel: the library's states are hashed at random, and so are not written down.

use wrack_history::catalogue::{DesignInfo, VariantInfo};
use wrack_sim::{Cluster, Design, Flow, NodeId, Wire};

use crate::crdt::{
    self, FACTS, FAILPOINTS, GOSSIP, Kind, Peer, REPLICAS, SITUATIONS, TOLERATES, regions,
};

/// The crate `crdts` as a design.
pub struct CrdtsLibrary;

const INFO: DesignInfo = DesignInfo {
    name: "crdts",
    codes: &["P15"],
    title: "Conflict-free replicated carts, held by the crate `crdts`",
    doc: "As the design `crdt` with carts and operations, but the counter (PNCounter) and the set \
          (Orswot) are those of the crate `crdts`, version 7. Each region's number is its actor.\n\n\
          The promise is that of `crdt`: replicas that were delivered the same updates answer the same, \
          at any instant; in the end the value is that of all acknowledged updates; nothing acknowledged \
          is forgotten.",
    variants: &[VariantInfo { name: "reference", doc: "As described.", broken: false }],
    roles: &[],
    failpoints: FAILPOINTS,
    messages: &[],
    controls: &[],
    facts: FACTS,
    situations: SITUATIONS,
    functions: &["read", "add", "remove", "increment"],
    parameters: &[REPLICAS, GOSSIP],
    guarantees: &["ASSERT", "CONV", "CRDT", "LIVE", "LOST", "SEC"],
    tolerates: TOLERATES,
    nodes: regions,
    sources: &["The crate crdts, https://docs.rs/crdts"],
};

impl Design for CrdtsLibrary {
    type Peer = Peer;
    type Node = Flow<Wire<Peer>>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Self::Node {
        crdt::boot(cluster, id, Kind::CratesCart)
    }
}
