//! Single writer: one owner changes an entity, and everybody else asks it to.
//!
//! ```text
//!   client ── increment ──▶ owner ── journal ── fsync ──▶ store           one sync each, shared by
//!          ◀───── ok ──────   │   ◀──────── Accepted ──── (epoch checked)  all that came meanwhile
//!   client ── read ───────▶ owner ── Confirm ──▶ store
//!          ◀──── value ────   │   ◀─ Confirmed ──          nobody newer has been there
//!   lease  ── Granted(epoch) ─▶ owner                      renewed at a third of its length
//!   client ── increment ──▶ standby ── Redirect ──▶ client
//! ```
//! A read–modify–write needs no lock and no retry loop if only one node does it: the owner holds the
//! entity in memory, orders what it is asked, and writes the outcome to a store that outlives it. The
//! whole difficulty is the word "only". A lease says who the owner is, but a process that pauses
//! does not notice that its lease is over; so every write carries the epoch of its lease, and the
//! store refuses lower epochs than it has seen. The lease keeps the peace, the fence keeps the
//! promise.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `owner` | serve only under a lease, counted from when it was asked for | `blind_writers` |
//! | `ownership` | answer only what the store has accepted | `ack_early` |
//! | `store` | refuse epochs below the highest one seen | `no_fencing` |
//! | `store` | compare the epoch of each write, not only of who begins to own | `unchecked_token` |
//! | `store` | keep the highest epoch on disk before anybody owns under it | `token_volatile` |
//! | `store` | keep a command and its answer in one record | retries take effect twice |
//! | `journal` | write down before doing, finish after a crash | work is silently dropped |
//! | `lease` | never grant an epoch twice, nor a lease that runs | `dual_owner` |
//!
//! `no_fencing` and `unchecked_token` let the same late write pass, so S03 shows the same of both, event for
//! event. They differ where a former owner *asks*: without a fence the store confirms that it still is one
//! and lets it load, with an unchecked token it does not. No scenario shows that to a client, because an
//! owner that runs again looks at its own lease before it reads; the tests of the store do.
//!
//! # What it does not do
//! One store and one lease service are single points of failure: both must come back for the design
//! to go on. While an owner is gone for good, nobody serves until its lease has run out.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::SECOND;
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Context, Design, Flow, NodeId, Reply, Request, Response, Wire};

use self::blind::BlindWriter;
use self::message::{Message, Peer};
use self::owner::{Owner, Rules};
use self::store::Fence;

mod blind;
mod journal;
mod lease;
mod message;
mod owner;
mod ownership;
mod state;
mod store;

/// The single writer as a design.
pub struct SingleWriter;

const INFO: DesignInfo = DesignInfo {
    name: "single-writer",
    codes: &["P01", "P22", "P23"],
    title: "Single writer: one owner under a lease, and a store that fences the others",
    doc: "One node owns the data: it holds them in memory, orders all commands, writes each into its \
          journal and then into a store that outlives it, and answers once the store has it. The \
          others stand by and redirect. Who owns is decided by a lease that is renewed at a third of \
          its length and counted from when it was asked for, on the owner's own clock, less a guard; \
          each ownership has an epoch of its own. The store keeps the highest epoch durably and \
          refuses lower ones, so that an owner that was paused beyond its lease cannot write, and \
          cannot read either, because each read asks the store whether its owner still is one. \
          Retried commands are recognised by their key, which the store keeps in the same record as \
          their effect.\n\n\
          The promise: clients see one machine (linearizability), no update overwrites another, \
          nothing acknowledged is lost, nothing takes effect twice, no write of a former owner is \
          accepted. It holds through crashes and restarts of any node, pauses of any length, clocks \
          that step or drift, and any network; it needs disks that keep what they synced. MISS is \
          not among its promises, because here it says the same as LOST does of sets and registers, \
          and LUPD of counters: a command that was acknowledged and has no effect.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "ack_early",
            doc: "The owner answers once a command is appended, before its fsync. It is fast, and \
                  right until a crash: then what was answered and not yet synced is gone (MongoDB \
                  before write concerns, and every database with fsync turned off).",
            broken: true,
        },
        VariantInfo {
            name: "blind_writers",
            doc: "There is no owner: each service reads, computes and writes back what it computed. \
                  Of two at the same time, one overwrites the other: the second service that \
                  \"just updates that one field\".",
            broken: true,
        },
        VariantInfo {
            name: "dual_owner",
            doc: "The owner has missed a renewal, and a health check gives it up: the standby is \
                  promoted in its place, under the epoch that there is, while the lease still runs. \
                  Both own now, and the store cannot tell them apart: the failover scripts that made \
                  two masters out of one slow link (GitHub, October 2018).",
            broken: true,
        },
        VariantInfo {
            name: "no_fencing",
            doc: "The store accepts a write of any epoch. An owner pauses between the check of its \
                  lease and its write, loses the lease meanwhile, wakes up and writes: HBase before \
                  it fenced its region servers.",
            broken: true,
        },
        VariantInfo {
            name: "token_volatile",
            doc: "The store keeps the highest epoch in memory. It refuses late writes as it should, \
                  until it restarts: then whoever writes first is right again, as with a fencing \
                  token in a cache beside the database.",
            broken: true,
        },
        VariantInfo {
            name: "unchecked_token",
            doc: "Every write carries the epoch of its owner, and the store compares it when somebody \
                  begins to own and when an owner asks whether it still is one; on the way of the \
                  writes themselves nobody compares. Tokens that are handed along and never looked \
                  at are what most users of distributed locks have.",
            broken: true,
        },
    ],
    roles: &["owner", "standby"],
    failpoints: &[
        NamedDoc::new("lease.granted", "the grant is durable; its holder does not know"),
        NamedDoc::new("owner.received", "a command came; nothing is written"),
        NamedDoc::new("owner.appended", "the command is on the journal, not yet synced"),
        NamedDoc::new("owner.synced", "the journal is synced; the store has heard nothing"),
        NamedDoc::new("owner.before_store", "the lease was checked; the write is not yet sent"),
        NamedDoc::new("store.checked", "the epoch was checked; nothing is written"),
        NamedDoc::new("store.written", "the write is durable; its owner does not know"),
        NamedDoc::new("owner.accepted", "the store accepted; no client is answered"),
        NamedDoc::new("owner.acked", "the clients are answered"),
    ],
    messages: &[],
    controls: &[],
    facts: &[
        NamedDoc::new("accepted", "the store accepted a write of this epoch"),
        NamedDoc::new("acknowledged", "the owner answered a command"),
        NamedDoc::new("effect", "a command took effect in the store"),
        NamedDoc::new("recovered", "an owner that booted found these commands on its journal"),
    ],
    situations: &[
        NamedDoc::new(
            "a command is finished from the journal",
            "An owner that boots finds it begun.",
        ),
        NamedDoc::new("a late write is fenced", "The store refuses an old epoch."),
        NamedDoc::new("a lease runs out", "Its owner notices."),
        NamedDoc::new("a retried command is recognised", "It was done before."),
        NamedDoc::new(
            "an owner is fenced inside its lease",
            "Another one was granted it all the same.",
        ),
    ],
    functions: crate::command::FUNCTIONS,
    parameters: &[
        ParameterInfo::new(
            "owners",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(2),
            "how many nodes can own, named owner-1, owner-2 …",
        ),
        ParameterInfo::new(
            "lease",
            ParameterKind::Duration,
            DefaultSetting::Duration(10 * SECOND),
            "how long a lease lasts",
        ),
        ParameterInfo::new(
            "guard",
            ParameterKind::Duration,
            DefaultSetting::Duration(SECOND),
            "how long before the end of its lease an owner stops, at most half of it",
        ),
    ],
    guarantees: &["ASSERT", "DUP", "LIN", "LIVE", "LOST", "LUPD", "PHANTOM", "SPLIT"],
    // Any number of nodes at once: everything that matters is on a disk, and everything else is asked
    // for again.
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
        "Gray and Cheriton: Leases: An Efficient Fault-Tolerant Mechanism, SOSP 1989",
        "Burrows: The Chubby Lock Service for Loosely-Coupled Distributed Systems, OSDI 2006",
        "Kleppmann: How to Do Distributed Locking, 2016",
        "Ongaro: Consensus: Bridging Theory and Practice, 2014, sections 6.3 and 6.4",
        "Helland: Life beyond Distributed Transactions, CIDR 2007",
    ],
};

/// The owners, then the lease service, then the store.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let owners = settings.integer("owners").unwrap_or(2);
    let mut names: Vec<SmolStr> =
        (1..=owners).map(|number| format!("owner-{number}").into()).collect();
    names.extend(["lease".into(), "store".into()]);
    names
}

/// The owners come first; behind them the lease service, and then the store.
fn services(cluster: &Cluster) -> (NodeId, NodeId) {
    let nodes = cluster.names.len() as u16;
    (NodeId(nodes - 2), NodeId(nodes - 1))
}

impl Design for SingleWriter {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let (lease, store) = services(cluster);
        let ttl_ns = cluster.duration("lease");
        let variant = cluster.variant.as_str();
        if id == lease {
            let rules = lease::Rules { ttl_ns, promotes: variant == "dual_owner" };
            return Server::Service(Flow::new(move |cx| lease::lease(cx, rules)));
        }
        if id == store {
            let fence = match variant {
                "no_fencing" => Fence::Absent,
                "token_volatile" => Fence::Volatile,
                "unchecked_token" => Fence::Unchecked,
                _ => Fence::Kept,
            };
            return Server::Service(Flow::new(move |cx| store::store(cx, fence)));
        }
        if variant == "blind_writers" {
            return Server::Blind(BlindWriter { store });
        }
        Server::Owner(Box::new(Owner::new(Rules {
            lease,
            store,
            ttl_ns,
            guard_ns: cluster.duration("guard"),
            ack_early: variant == "ack_early",
        })))
    }

    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        let (lease, _) = services(cluster);
        cluster.servers().filter(|id| *id < lease).collect()
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// An owner or standby.
        Owner(Box<Owner>),
        /// What stands in its place in the variant `blind_writers`.
        Blind(BlindWriter),
        /// The lease service, or the store.
        Service(Flow<Message>),
    }
}

/// Answers a client.
fn respond<T>(request: &Request, reply: Reply, cx: &mut Context<'_, Message, T>) {
    let number = request.number;
    cx.send(request.client, Wire::Response(Response { number, reply }));
}

#[cfg(test)]
mod tests;
