//! The crate `yrs` as a design: the texts of the design [`crate::crdt`], held by a library that people
//! use (Yjs, in Rust).
//!
//! ```text
//! region-1 ── update of the document, in the library's own form ──▶ region-2
//! ```
//! Replicas, logs and anti-entropy are those of `crdt`; the list of words, and how concurrent edits are
//! merged, is the library's. Both are run by the same scenarios and held to the same promises.
//!
//! # What it does not do
//! Words are whole numbers. Of the library's types only the list is used: its maps keep the last writer's
//! value, which is the promise of `last-writer-wins`.

use wrack_history::catalogue::{DesignInfo, VariantInfo};
use wrack_sim::{Cluster, Design, Flow, NodeId, Wire};

use crate::crdt::{
    self, FACTS, FAILPOINTS, FORM, GOSSIP, Kind, Peer, REPLICAS, SITUATIONS, TOLERATES, regions,
};

/// The crate `yrs` as a design.
pub struct YrsLibrary;

const INFO: DesignInfo = DesignInfo {
    name: "yrs",
    codes: &["P15"],
    title: "Texts that many edit at once, held by the crate `yrs` (Yjs)",
    doc: "As the design `crdt` with texts, but the list of words is that of the crate `yrs`, version 0.28: \
          the merge is YATA's. Each region's number is its client in the library.\n\n\
          The promise is that of `crdt`: replicas that were delivered the same updates answer the same, \
          at any instant, in the same order of words; in the end the text holds every acknowledged word \
          that nobody removed, once; nothing acknowledged is forgotten.",
    variants: &[VariantInfo { name: "reference", doc: "As described.", broken: false }],
    roles: &[],
    failpoints: FAILPOINTS,
    messages: &[],
    controls: &[],
    facts: FACTS,
    situations: SITUATIONS,
    functions: &["read", "add", "remove"],
    parameters: &[FORM, REPLICAS, GOSSIP],
    guarantees: &["ASSERT", "CONV", "CRDT", "LIVE", "LOST", "SEC"],
    tolerates: TOLERATES,
    nodes: regions,
    sources: &[
        "The crate yrs, https://docs.rs/yrs",
        "Nicolaescu et al.: Near Real-Time Peer-to-Peer Shared Editing on Extensible Data Types, 2016",
    ],
};

impl Design for YrsLibrary {
    type Peer = Peer;
    type Node = Flow<Wire<Peer>>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Self::Node {
        crdt::boot(cluster, id, Kind::YrsWords)
    }
}
