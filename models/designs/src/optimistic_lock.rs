//! Optimistic lock: everybody may write, but only over what he has read.
//!
//! ```text
//!   client ── increment ──▶ service ── Get ──▶ store
//!                              │    ◀── Got(5, version 7) ──
//!                           computes 6
//!                              │    ── Put(6, if version 7) ──▶ compares, writes and syncs in one step
//!          ◀────── ok ──────   │    ◀───────── Stored ─────────
//!                              │    ◀── Conflict(8, version 9) ── somebody was faster: compute anew
//! ```
//! Conflicts are rare in most systems, so nobody takes a lock: each service reads a value with its
//! version, computes, and asks the store to write if the version is still the same. Of two that
//! started from one version the second is refused, and starts again from what the first has left. It
//! is what an `UPDATE … WHERE version = 7`, an `If-Match` header and a Kubernetes resource version do.
//! The whole difficulty is the word "if": the comparison must be in the write, not before it.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `service` | say which version the value was computed from | `blind_rmw` |
//! | `store` | compare and write in one step | `check_then_write` |
//! | `store` | keep a write and its answer in one record | a retry is refused because of itself |
//!
//! # What it does not do
//! Under contention most of the work is thrown away, and somebody may be unlucky for long: a request
//! that met too many conflicts is handed back to its client. The store is a single point of failure:
//! it must come back for the design to go on.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use self::message::{Message, Peer};
use self::service::{Caution, Service};

mod message;
mod service;
mod store;

/// The optimistic lock as a design.
pub struct OptimisticLock;

const INFO: DesignInfo = DesignInfo {
    name: "optimistic-lock",
    codes: &["P02"],
    title: "Optimistic lock: a write is taken only if nobody else has written since the read",
    doc: "Any number of services read a value with its version, compute the next one, and ask the \
          store to keep it if the key still has that version. The store compares and writes in one \
          step, one message after the other, and refuses what was computed from an older version; \
          the service then computes anew from what it finds. Services keep nothing. Retried commands \
          are recognised by their key, which the store keeps in the same record as their effect, so \
          that a retry is not refused because of its own first try.\n\n\
          The promise: clients see one machine (linearizability), no update overwrites another, \
          nothing acknowledged is lost, nothing takes effect twice. It holds through crashes and \
          restarts of any node, pauses, clocks that step or drift, and any network; it needs a disk \
          that keeps what it synced. The metric `conflicts` says how many writes met a newer version \
          and were rejected, against those that overwrote it.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "blind_rmw",
            doc: "The service writes what it has computed, whatever the store holds by then: read, \
                  modify, write, as an object mapper does that saves a whole row. Of two at the same \
                  time one is lost, and both are told that all is well.",
            broken: true,
        },
        VariantInfo {
            name: "check_then_write",
            doc: "The service asks whether the version is still the same, and then writes without a \
                  condition. Each step is right, and between them somebody else writes: a SELECT of \
                  the version and an UPDATE that does not name it.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("service.received", "a command came; nothing is read"),
        NamedDoc::new(
            "service.before_put",
            "the next value is computed; the store does not know it",
        ),
        NamedDoc::new("store.compared", "the version is the same; nothing is written"),
        NamedDoc::new("store.written", "the write is durable; nobody knows"),
    ],
    messages: &[],
    controls: &[],
    facts: &[
        NamedDoc::new("acknowledged", "the store said that a write is done"),
        NamedDoc::new("compared", "the store compared the version that a write was based on"),
        NamedDoc::new("effect", "a command took effect in the store"),
        NamedDoc::new("recovered", "the store booted and found these writes on its log"),
    ],
    situations: &[
        NamedDoc::new("a request met too many conflicts", "The service gives up."),
        NamedDoc::new("a retried command is recognised", "The store has done it before."),
        NamedDoc::new("a write meets a newer version", "It is refused."),
    ],
    functions: crate::command::FUNCTIONS,
    parameters: &[
        ParameterInfo::new(
            "services",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(3),
            "how many services write, named service-1, service-2 …",
        ),
        ParameterInfo::new(
            "conflicts",
            ParameterKind::Integer { min: 0, max: 1_000 },
            DefaultSetting::Integer(20),
            "how many conflicts a request meets before it is handed back to its client",
        ),
    ],
    guarantees: &["ASSERT", "DUP", "LIN", "LIVE", "LOST", "LUPD", "PHANTOM"],
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
        "grey-link",
        "latency",
        "loss",
        "partition",
        "pause",
        "reorder",
        "slow-disk",
    ]),
    nodes: names,
    sources: &[
        "Kung and Robinson: On Optimistic Methods for Concurrency Control, TODS 1981",
        "Herlihy: Wait-Free Synchronization, TOPLAS 1991 (compare-and-swap)",
        "Berenson et al.: A Critique of ANSI SQL Isolation Levels, SIGMOD 1995 (lost update)",
        "RFC 9110, section 13.1.1 (If-Match)",
    ],
};

/// The services, then the store.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let services = settings.integer("services").unwrap_or(3);
    let services = (1..=services).map(|number| format!("service-{number}").into());
    services.chain(["store".into()]).collect()
}

/// The store comes last.
fn store_of(cluster: &Cluster) -> NodeId {
    NodeId(cluster.names.len() as u16 - 1)
}

impl Design for OptimisticLock {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let store = store_of(cluster);
        if id == store {
            return Server::Store(Flow::new(store::store));
        }
        let caution = match cluster.variant.as_str() {
            "blind_rmw" => Caution::Nothing,
            "check_then_write" => Caution::Check,
            _ => Caution::Compare,
        };
        let conflicts_max = cluster.integer("conflicts") as u32;
        Server::Service(Service { store, caution, conflicts_max })
    }

    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        let store = store_of(cluster);
        cluster.servers().filter(|id| *id != store).collect()
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// A service.
        Service(Service),
        /// The store.
        Store(Flow<Message>),
    }
}

#[cfg(test)]
mod tests;
