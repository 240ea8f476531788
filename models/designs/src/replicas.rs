//! Read replicas: one node takes the writes, many serve the reads, and a session sees itself.
//!
//! ```text
//!   client ── write ─▶ gateway ── Ask ──▶ primary ── fsync ──▶ Replicate 7 ─▶ replica-1, replica-2
//!          ◀── ok ───     ◀── Answer, 7 ──                           the session has seen 7
//!   client ── read ──▶ gateway ── Ask, at least 7 ──▶ replica-2      it has 5: Behind
//!                         ── Ask ──▶ primary ── Answer, 9 ──▶        the session has seen 9
//!          ◀─ value ──
//!   replica-2 ── Pull after 5 ──▶ primary                            again and again
//! ```
//! Replicas are behind, always: the question is who notices. A session that remembers how far into the
//! primary's order it has seen can be served by any replica that has got as far, and never finds out. One
//! number does it for all keys and all four session guarantees, because replicas apply what they get in
//! the primary's order: whoever has the position of a write has everything that its writer had seen.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `gateway` | a session is served by who has got as far as it has seen | `random_replica` |
//! | `gateway` | a replica of its own is not enough: it may be behind | `sticky_only` |
//! | `gateway` | what a session has read counts as what it has written | `forgets_what_it_read` |
//! | `replica` | apply in the primary's order, and wait where something is missing | `unordered_replication` |
//!
//! # What it does not do
//! It does not fail over: while the primary is down, nothing is written, and sessions that have seen more
//! than the replicas have are not served. Other sessions' writes may be seen late, by as much as the
//! replicas lag (the metric `M7`).

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, NodeId};

use self::gateway::{Gateway, Sessions};
use self::message::{Message, Peer};
use self::primary::Primary;
use self::replica::Replica;

mod gateway;
mod message;
mod primary;
mod replica;

/// A primary with read replicas and session tokens as a design.
pub struct Replicas;

const INFO: DesignInfo = DesignInfo {
    name: "replicas",
    codes: &["P17", "P31"],
    title: "Read replicas: sessions read anywhere, and never older than they have seen",
    doc: "One primary orders all writes and makes them durable; replicas follow it and serve reads. A \
          gateway keeps for each session the position that it has seen: of its last write, or as of \
          which it last read. A read goes to any replica, which serves it if it has got as far, and to \
          the primary otherwise. Replicas apply writes in the primary's order only, and ask for what they \
          have missed.\n\n\
          The promise is to each session: it reads its writes, never goes back, and its writes follow each \
          other and what it read, for everybody (RYW, MR, MW, WFR). What others write may be seen late. It \
          holds through crashes and restarts of any node, pauses, any clocks and any network: a gateway \
          that forgot a session asks the primary, and one that forgot everything ignores what it had \
          asked before.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "forgets_what_it_read",
            doc: "A session's token is the position of its last write: a cookie that is set by POST and \
                  not by GET. Somebody reads an answer on one replica, and then not the question on \
                  another.",
            broken: true,
        },
        VariantInfo {
            name: "random_replica",
            doc: "A load balancer picks a replica for every read. The comment that you just wrote is there, \
                  and gone, and there again.",
            broken: true,
        },
        VariantInfo {
            name: "sticky_only",
            doc: "Every session has a replica of its own, so that it never goes back. What it writes goes to \
                  the primary, and it reads from its replica before it is there.",
            broken: true,
        },
        VariantInfo {
            name: "unordered_replication",
            doc: "A replica applies what comes, and takes the last position for how far it has got: parallel \
                  appliers without commit order. Of two writes of a session the second is there first.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[NamedDoc::new("primary.committed", "the write is durable; nobody knows")],
    messages: &[NamedDoc::new("replication", "what carries writes to a replica")],
    controls: &[],
    facts: &[
        NamedDoc::new("effect", "a write is durable at the primary"),
        NamedDoc::new("replicated", "a replica has got further"),
    ],
    situations: &[
        NamedDoc::new("a replica is behind the session", "It cannot serve the read yet."),
        NamedDoc::new("a write came before the one in front of it", "It waits for it."),
    ],
    functions: &["read", "write"],
    parameters: &[ParameterInfo::new(
        "replicas",
        ParameterKind::Integer { min: 1, max: 100 },
        DefaultSetting::Integer(2),
        "how many replicas there are, named replica-1, replica-2 …",
    )],
    guarantees: &["ASSERT", "LIVE", "MR", "MW", "PHANTOM", "RYW", "WFR"],
    // Any number of nodes at once: the primary's disk has everything, and sessions that are forgotten are
    // served from there.
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
        "replica-lag",
        "slow-disk",
    ]),
    nodes: names,
    sources: &[
        "Terry, Demers, Petersen, Spreitzer, Theimer and Welch: Session Guarantees for Weakly Consistent \
         Replicated Data, PDIS 1994",
        "MongoDB: Causal Consistency and Read and Write Concerns",
        "MySQL: WAIT_FOR_EXECUTED_GTID_SET; replica_preserve_commit_order",
    ],
};

const GATEWAY: NodeId = NodeId(0);
const PRIMARY: NodeId = NodeId(1);

/// The gateway, the primary, then the replicas.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let replicas = settings.integer("replicas").unwrap_or(2);
    let mut names: Vec<SmolStr> = vec!["gateway".into(), "primary".into()];
    names.extend((1..=replicas).map(|number| SmolStr::from(format!("replica-{number}"))));
    names
}

impl Design for Replicas {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let variant = cluster.variant.as_str();
        let replicas = cluster.servers().skip(2).collect();
        match id {
            GATEWAY => {
                let sessions = match variant {
                    "forgets_what_it_read" => Sessions::WrittenToken,
                    "random_replica" => Sessions::Anywhere,
                    "sticky_only" => Sessions::Sticky,
                    _ => Sessions::Token,
                };
                Server::Gateway(Gateway::new(sessions, PRIMARY, replicas))
            }
            PRIMARY => Server::Primary(Primary::new(replicas)),
            _ => Server::Replica(Replica::new(PRIMARY, variant == "unordered_replication")),
        }
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    /// The gateway: it is where sessions are.
    fn entries(_: &Cluster) -> Vec<NodeId> {
        vec![GATEWAY]
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// Where sessions are.
        Gateway(Gateway),
        /// Where writes are.
        Primary(Primary),
        /// Where most reads are.
        Replica(Replica),
    }
}

#[cfg(test)]
mod tests;
