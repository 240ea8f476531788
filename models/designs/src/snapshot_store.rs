//! Snapshot store: transactions that read a moment of the past, and commit if it is still true.
//!
//! ```text
//!   client ── txn ──▶ gateway ── Begin ─────────────────▶ store
//!                        │    ◀── Began(7) ──               last commit: 7
//!                        │    ── Read at 7 ─────────────▶   versions: x = 4 (3), 5 (7); y = 1 (6) …
//!                     carries out: r x 5, w y 2
//!                        │    ── Commit(7, reads x, writes y) ──▶ compares, writes and syncs in one step
//!          ◀─── ok ───   │    ◀───────── Done ─────────       y = 2 (8)
//!                        │    ◀── Conflict ── somebody has committed x or y since 7: begin anew
//! ```
//! Readers never wait and never make anybody wait: a snapshot is a number, and what was there after that
//! commit stays there. All the trouble is in the commit. Two transactions may read one snapshot and each
//! write what the other has read, so that both are right alone and wrong together: write skew. Who
//! compares only what is written, as snapshot isolation does, does not see it.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `store` | refuse what writes over a newer version | `last_writer_wins` |
//! | `store` | refuse what has read an older version | `write_skew` |
//! | `gateway` | read the last snapshot that there is | `cached_snapshot` |
//!
//! # What it does not do
//! Versions are never thrown away, and there are no predicates: a transaction names its objects. The
//! store is a single point of failure: it must come back for the design to go on.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::SECOND;
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use self::gateway::Gateway;
use self::message::{Message, Peer};

mod gateway;
mod message;
mod micros;
mod store;

/// The snapshot store as a design.
pub struct SnapshotStore;

const INFO: DesignInfo = DesignInfo {
    name: "snapshot-store",
    codes: &[],
    title: "Snapshot store: transactions read a snapshot, and commit if nobody has changed it",
    doc: "A store keeps every version of every object, numbered by commits. A gateway asks for the \
          number of the last one, reads all objects of a transaction as they were then, carries the \
          transaction out by itself, and asks the store to commit. The store refuses if anybody has \
          committed since what the transaction writes (first committer wins) or has read \
          (validation); the gateway then begins anew. Transactions that only read are never refused. \
          A retried transaction is recognised by its key, which is in the record of its commit.\n\n\
          The promise: transactions are strictly serializable (SSER), and so serializable (SER) and \
          snapshot isolated (SI). Its variants give up one of these at a time, which is what the \
          levels are for. It holds through crashes and restarts of any node, pauses, clocks that step \
          or drift, and any network; it needs a disk that keeps what it synced.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "cached_snapshot",
            doc: "A gateway reads, for transactions that only read, the last snapshot that it got, for \
                  as long as `cached`: a commit that everybody knows of is not in it. All is \
                  serializable still, but in an order that is not that of time.",
            broken: true,
        },
        VariantInfo {
            name: "last_writer_wins",
            doc: "The store commits whatever comes. Of two transactions that read one version and write \
                  the next the second one overwrites the first: a lost update, which snapshot \
                  isolation forbids.",
            broken: true,
        },
        VariantInfo {
            name: "write_skew",
            doc: "The store compares only what is written. Two doctors look who else is on call, see \
                  each other, and go home: each has changed one row, and no row was changed twice. It \
                  is plain snapshot isolation, which many databases call serializable.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("gateway.received", "a transaction came; nothing is read"),
        NamedDoc::new(
            "gateway.before_commit",
            "it is carried out on its snapshot; the store does not know it",
        ),
        NamedDoc::new("store.committed", "the commit is durable; nobody knows"),
    ],
    messages: &[],
    controls: &[],
    facts: &[
        NamedDoc::new("acknowledged", "the store said that a transaction is committed"),
        NamedDoc::new("effect", "a transaction is committed"),
    ],
    situations: &[
        NamedDoc::new("a commit meets a newer version", "It is refused, and begins anew."),
        NamedDoc::new("a retried transaction is recognised", "The store has committed it before."),
        NamedDoc::new("a transaction met too many conflicts", "The gateway gives up."),
    ],
    functions: &["txn"],
    parameters: &[
        ParameterInfo::new(
            "gateways",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(3),
            "how many gateways serve clients, named gateway-1, gateway-2 …",
        ),
        ParameterInfo::new(
            "conflicts",
            ParameterKind::Integer { min: 0, max: 1_000 },
            DefaultSetting::Integer(20),
            "how many conflicts a transaction meets before it is handed back to its client",
        ),
        ParameterInfo::new(
            "cached",
            ParameterKind::Duration,
            DefaultSetting::Duration(SECOND),
            "for how long the variant `cached_snapshot` goes on reading one snapshot",
        ),
    ],
    guarantees: &["ASSERT", "DUP", "LIVE", "SER", "SI", "SSER"],
    // Any number of nodes at once: everything that matters is on the store's disk, and everything else
    // is asked for again.
    tolerates: &Tolerance::any([
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
    ]),
    nodes: names,
    sources: &[
        "Berenson et al.: A Critique of ANSI SQL Isolation Levels, SIGMOD 1995",
        "Kung, Robinson: On Optimistic Methods for Concurrency Control, TODS 1981",
        "Fekete et al.: Making Snapshot Isolation Serializable, TODS 2005",
    ],
};

fn names(settings: &Settings) -> Vec<SmolStr> {
    let gateways = 1..=settings.integer("gateways").unwrap_or(3);
    let gateways = gateways.map(|gateway| format!("gateway-{gateway}").into());
    gateways.chain([SmolStr::new_static("store")]).collect()
}

fn store_of(cluster: &Cluster) -> NodeId {
    NodeId(cluster.names.len() as u16 - 1)
}

/// What the store looks at before it commits.
#[derive(Clone, Copy, Debug)]
enum Validate {
    /// What was read and what is written.
    All,
    /// The variant `write_skew`: what is written.
    Writes,
    /// The variant `last_writer_wins`.
    Nothing,
}

impl Design for SnapshotStore {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let store = store_of(cluster);
        if id == store {
            let validate = match cluster.variant.as_str() {
                "write_skew" => Validate::Writes,
                "last_writer_wins" => Validate::Nothing,
                _ => Validate::All,
            };
            return Server::Store(Flow::new(move |cx| store::store(cx, validate)));
        }
        let caches = cluster.variant == "cached_snapshot";
        Server::Gateway(Gateway {
            store,
            conflicts_max: cluster.integer("conflicts") as u32,
            cached_ns: caches.then(|| cluster.duration("cached")),
            cached: None,
        })
    }

    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        let store = store_of(cluster);
        cluster.servers().filter(|id| *id != store).collect()
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// A gateway.
        Gateway(Gateway),
        /// The store.
        Store(Flow<Message>),
    }
}

#[cfg(test)]
mod tests;
