//! Conflict-free replicated data: every region answers by itself, and all come to agree.
//!
//! ```text
//!   client ── add milk ──▶ region-1 ── fsync ──▶ log                    answered without asking anybody
//!          ◀───── ok ─────    │
//!                             ├── Shipment(updates) ──▶ region-2        as operations, deltas or states
//!                             ╳   partition             region-3
//!                             ◀── Digest(vector) ────── region-3        "this is all I have"
//!                             ├── Shipment(updates) ──▶ region-3        what is missing
//! ```
//! An update is durable at one replica and then travels to the others, in any order, as often as the
//! network likes. The types are such that this does not matter: concurrent updates commute, or their
//! states merge. Nobody waits for anybody, so every region serves its clients through any partition; what
//! is given up is that all see the same at the same time.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `store` | apply an operation once | `op_no_dedupe` |
//! | `types/g_counter` | merge by the greater count | `bad_merge` |
//! | `types/dotted` | what is missing there and was seen there was removed | `naive_set_remove` |
//! | `types/rga` | an edit names the word that it is about | `place_not_name` |
//! | `types/mv_register` | compare versions by what their writers had seen | `scalar_version` |
//! | `store` | take nothing that leaves a gap | a cause arrives after its effect |
//! | `replica` | pass on and answer only what is durable | a number is given twice |
//!
//! The types are plain library code in [`types`].
//!
//! # What it does not do
//! A command that is tried again at another replica, before that has heard of the first try, is another
//! update: a counter then counts twice. Use one attempt, or an authority, where that matters. Logs and
//! tombstones are never cut. Membership is fixed. No rule over several objects, and no lower bound of a
//! counter, can be kept: two regions may each sell the last ticket.

mod flaws;
mod libraries;
mod message;
mod object;
mod placed_words;
mod replica;
mod scalar_register;
mod store;
#[cfg(test)]
mod tests;
pub mod types;

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use message::Form;
pub use message::Peer;
pub(crate) use object::Kind;
use replica::{Message, replica};
use store::{Rules, merge_of};

/// Replicated data types as a design.
pub struct Crdt;

const INFO: DesignInfo = DesignInfo {
    name: "crdt",
    codes: &["P03", "P15"],
    title: "Conflict-free replicated data: every region answers by itself, and all come to agree",
    doc: "Each region has a replica that accepts updates and answers reads by itself. An update is \
          named by its replica and number, made durable, answered, and sent to the others; now and \
          then each replica sends another a digest of all that it has, a version vector, and is sent \
          what it lacks. Updates travel as operations, applied once and after those that their origin \
          had; as deltas; or as whole states that are merged.\n\n\
          The objects are counters (one count for each replica, up and down), sets in which an add \
          wins against a remove that has not seen it, carts (one of each), registers that keep all \
          values that no other write has seen, and texts, in which a word stands behind the word that \
          it was written behind.\n\n\
          The promise: replicas that were delivered the same updates answer the same, at any instant \
          (strong eventual consistency); in the end the value is that of all acknowledged updates; \
          nothing acknowledged is forgotten. It holds through partitions of any length, crashes, \
          clocks that say anything, and any network; it needs disks that keep what they synced.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "bad_merge",
            doc: "Merging takes over the count of each replica as it comes, rather than the greater \
                  of the two. An old state that arrives late sets a counter back, for good if it is \
                  one's own (counters in hand-written gossip; needs the form of states or deltas).",
            broken: true,
        },
        VariantInfo {
            name: "naive_set_remove",
            doc: "Merging unites the elements of both sides. What one side removed comes back from \
                  the other: the shopping cart of Dynamo, in which deleted items resurface (needs the \
                  form of states).",
            broken: true,
        },
        VariantInfo {
            name: "op_no_dedupe",
            doc: "An operation is applied as often as it comes. The queue between the regions \
                  delivers at least once, and a counter counts the second delivery too (needs the \
                  form of operations).",
            broken: true,
        },
        VariantInfo {
            name: "place_not_name",
            doc: "An edit of a text says at which place a word is put in or taken out. Somebody else wrote \
                  before that place meanwhile, so it is another place now, and each side has another text \
                  (editors that send positions without transforming them; needs `objects = \"text\"` and \
                  the form of operations).",
            broken: true,
        },
        VariantInfo {
            name: "scalar_version",
            doc: "The version of a register is one number for all replicas, raised by each write. Of \
                  two writes on the two sides of a partition the greater number wins and the other \
                  vanishes; with equal numbers each side keeps its own, for good (timestamps as \
                  version numbers, before version vectors).",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: FAILPOINTS,
    messages: &[],
    controls: &[],
    facts: FACTS,
    situations: SITUATIONS,
    functions: &["read", "write", "add", "remove", "increment"],
    parameters: &[
        ParameterInfo::new(
            "objects",
            ParameterKind::Choice(&["cart", "counter", "register", "set", "text"]),
            DefaultSetting::Choice("cart"),
            "what stands under each key: a cart takes increment, add and remove, a counter \
             increment, a set add and remove, a register write, a text add and remove",
        ),
        FORM,
        REPLICAS,
        GOSSIP,
    ],
    guarantees: &["ASSERT", "CONV", "CRDT", "LIVE", "LOST", "SEC"],
    tolerates: TOLERATES,
    nodes: regions,
    sources: &[
        "Shapiro, Preguiça, Baquero and Zawirski: Conflict-Free Replicated Data Types, SSS 2011",
        "Almeida, Shoker and Baquero: Delta State Replicated Data Types, JPDC 2018",
        "DeCandia et al.: Dynamo: Amazon's Highly Available Key-Value Store, SOSP 2007",
        "Parker et al.: Detection of Mutual Inconsistency in Distributed Systems, 1983",
        "Preguiça et al.: Dotted Version Vectors, 2010",
        "Roh, Jeon, Kim and Lee: Replicated Abstract Data Types, JPDC 2011",
        "Demers et al.: Epidemic Algorithms for Replicated Database Maintenance, PODC 1987",
    ],
};

/// Failpoints of a replica.
pub(crate) const FAILPOINTS: &[NamedDoc] = &[
    NamedDoc::new("replica.appended", "updates are on the log, not yet synced"),
    NamedDoc::new("replica.durable", "updates are durable; nobody was told"),
    NamedDoc::new("replica.answered", "the clients are answered; no peer was told"),
];

/// What is worth reaching, in every design on these replicas.
pub(crate) const SITUATIONS: &[NamedDoc] =
    &[NamedDoc::new("a shipment leaves a gap", "What is in front of it was lost.")];

/// Facts of a replica.
pub(crate) const FACTS: &[NamedDoc] = &[
    NamedDoc::new("acknowledged", "a replica answered an update"),
    NamedDoc::new("delivered", "a replica has an update, its own or another's"),
    NamedDoc::new("recovered", "a replica that booted found these updates on its log"),
];

/// How updates travel.
pub(crate) const FORM: ParameterInfo = ParameterInfo::new(
    "form",
    ParameterKind::Choice(&["operations", "deltas", "states"]),
    DefaultSetting::Choice("operations"),
    "how updates travel between replicas",
);

/// How many replicas there are.
pub(crate) const REPLICAS: ParameterInfo = ParameterInfo::new(
    "replicas",
    ParameterKind::Integer { min: 2, max: 100 },
    DefaultSetting::Integer(3),
    "how many replicas there are, named region-1, region-2 …",
);

/// How often digests are sent.
pub(crate) const GOSSIP: ParameterInfo = ParameterInfo::new(
    "gossip",
    ParameterKind::Duration,
    DefaultSetting::Duration(200 * MILLISECOND),
    "how often a replica sends one of the others a digest, give or take half of it",
);

/// Any number of nodes at once: everything that matters is on a disk, and everything else is asked
/// for again.
pub(crate) const TOLERATES: &[Tolerance] = &Tolerance::any([
    "clock-step",
    "crash",
    "disk-error",
    "disk-full",
    "drift",
    "duplicate",
    "failpoint",
    "latency",
    "loss",
    "partition",
    "pause",
    "reorder",
    "slow-disk",
]);

/// The names of the replicas.
pub(crate) fn regions(settings: &Settings) -> Vec<SmolStr> {
    let replicas = settings.integer("replicas").unwrap_or(3);
    (1..=replicas).map(|number| format!("region-{number}").into()).collect()
}

/// A replica that boots.
pub(crate) fn boot(cluster: &Cluster, id: NodeId, kind: Kind) -> Flow<Message> {
    let variant = cluster.variant.as_str();
    let rules = Rules {
        kind,
        form: match cluster.settings.choice("form").as_deref() {
            Some("deltas") => Form::Deltas,
            Some("states") => Form::States,
            _ => Form::Operations,
        },
        no_dedupe: variant == "op_no_dedupe",
        merge: merge_of(variant),
        wall_clock: variant == "wall_clock_lww",
    };
    let peers = cluster.servers().filter(|peer| *peer != id).collect();
    let gossip_ns = cluster.duration("gossip");
    Flow::new(move |cx| replica(cx, rules, peers, gossip_ns))
}

impl Design for Crdt {
    type Peer = Peer;
    type Node = Flow<Message>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Flow<Message> {
        let kind = match cluster.settings.choice("objects").as_deref() {
            Some("counter") => Kind::Counter,
            Some("register") if cluster.variant == "scalar_version" => Kind::Scalar,
            Some("register") => Kind::Siblings,
            Some("set") => Kind::Set,
            Some("text") if cluster.variant == "place_not_name" => Kind::Placed,
            Some("text") => Kind::Text,
            _ => Kind::Cart,
        };
        boot(cluster, id, kind)
    }
}
