//! Event-driven projections: one owner writes, events tell the copies, and the copies mend themselves.
//!
//! ```text
//!   client ── write ──▶ projection ── Command ──▶ owner ── log ── fsync
//!          ◀──────────────── ok ─────────────────   │
//!                                                Publish(8)
//!                                                   ▼
//!                       projection ◀── Event(8) ── bus ── Event(8) ──▶ projection …
//!   client ── read ───▶ projection                                     from its own copy, at once
//!                       projection ── Compare(applied 7) ──▶ owner     at a gap, and every half second
//!                                  ◀── Missing(8, 9, 10) ──
//! ```
//! Reads are many and far away, so each place has a copy of its own, which is behind by the time that
//! events take. The bus is fast and promises nothing: events are lost, doubled and overtake each
//! other. So every event carries its place among all of them. From that alone a projection knows what
//! is old, what is next, and that something is missing; what is missing it gets from the owner's log.
//! The last event of all leaves no gap: that it is missing, only a comparison can tell, and that is
//! the reconciler.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `owner` | tell of a change when it happens | `polling` |
//! | `view` | apply an event only if it is newer | `unordered_apply` |
//! | `view` | a gap is asked for before anything behind it is applied | `no_resync` |
//! | `view` | compare with the owner from time to time | the last event is missed for ever |
//! | `owner` | publish what is durable, never before | copies hold what never was |
//!
//! # What it does not do
//! A session that goes from one projection to another may read older values there, and a client may
//! not find its own write: read-your-writes and monotonic reads are not promised. The owner is a
//! single point of failure for writes, as in `single-writer`, whose owner this could be.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use self::message::{Message, Peer};
use self::view::{Rules, View};

mod message;
mod owner;
mod view;

/// Event-driven projections as a design.
pub struct Projection;

const INFO: DesignInfo = DesignInfo {
    name: "projection",
    codes: &["P04", "P26"],
    title: "Event-driven projections: copies that follow an owner, and know what they have missed",
    doc: "One owner carries out all commands, writes them to its log, and publishes each change as an \
          event on a bus that keeps nothing. Projections apply the events to copies of their own and \
          answer all reads from them. Events are numbered without gaps: a projection ignores what it \
          has applied already, holds what lies behind a gap, and asks the owner for what is missing. \
          A reconciler in each projection also compares with the owner from time to time, because \
          the last event leaves no gap when it is lost.\n\n\
          The promise: a read is never older than the bound (bounded staleness), each copy is what \
          the changes up to its offset make of it (no drift), the changes of a key are applied in their \
          order, no durable version goes back, and when all is quiet all copies agree. What was acknowledged takes effect exactly once. It holds \
          for any loss, duplication and order of events, and through crashes and restarts of any \
          node; reads are as late as the network and the reconciler are, so a scenario says what \
          bound it asks for. Sessions are promised nothing. LOST is not among its promises: it asks \
          the final reads, which are those of copies here, and MISS and MONO ask the owner.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "no_resync",
            doc: "A projection applies each event that is newer than the last, and does not look \
                  whether one is missing in between. What was lost once is wrong until its key changes \
                  again, and the reconciler sees nothing, because it compares offsets: search indexes \
                  that miss documents until somebody rebuilds them.",
            broken: true,
        },
        VariantInfo {
            name: "polling",
            doc: "Nobody publishes: each projection asks what is new every `poll`. It is simple and \
                  never wrong, only late, and the day comes when somebody makes the interval longer \
                  because the database is busy.",
            broken: true,
        },
        VariantInfo {
            name: "unordered_apply",
            doc: "A projection applies whatever comes, as if it were new. An event that was late, or \
                  came twice, puts back what had been replaced: the webhook that was delivered again \
                  and reopened a closed order.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("owner.appended", "a command is on the log, not yet synced"),
        NamedDoc::new("owner.committed", "it is durable; nobody knows"),
        NamedDoc::new("owner.answered", "its client is answered; nothing is published"),
        NamedDoc::new("bus.received", "the bus has an event; it has told nobody"),
        NamedDoc::new("projection.received", "an event came; nothing is applied"),
        NamedDoc::new(
            "projection.appended",
            "events are applied; their records are not yet synced",
        ),
    ],
    messages: &[
        NamedDoc::new("command", "what a client wants done, on the way to the owner"),
        NamedDoc::new("publish", "an event on the way to the bus"),
        NamedDoc::new("event", "an event on the way to a projection"),
        NamedDoc::new("resync", "the question what is missing, and the answer"),
    ],
    controls: &[],
    facts: &[
        NamedDoc::new("derived", "a projection applied an event"),
        NamedDoc::new("durable", "a version is on a disk"),
        NamedDoc::new("effect", "a command took effect at the owner"),
    ],
    situations: &[
        NamedDoc::new("a gap is noticed", "An event comes before the one in front of it."),
        NamedDoc::new("a retried command is recognised", "The owner has done it before."),
        NamedDoc::new("an old event is ignored", "It was applied before."),
    ],
    functions: &["read", "write", "cas", "increment"],
    parameters: &[
        ParameterInfo::new(
            "projections",
            ParameterKind::Integer { min: 1, max: 50 },
            DefaultSetting::Integer(3),
            "how many copies there are, named projection-1, projection-2 …",
        ),
        ParameterInfo::new(
            "reconcile",
            ParameterKind::Duration,
            DefaultSetting::Duration(500 * MILLISECOND),
            "how long from one comparison with the owner to the next",
        ),
        ParameterInfo::new(
            "poll",
            ParameterKind::Duration,
            DefaultSetting::Duration(12 * SECOND),
            "the same where nobody publishes (polling alone)",
        ),
    ],
    guarantees: &[
        "ASSERT", "CONV", "DRIFT", "DUP", "LIVE", "MISS", "MONO", "ORD", "PHANTOM", "STALE",
    ],
    // Any number of nodes at once: the owner's log has everything, and whoever misses something asks.
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
        "Kleppmann: Designing Data-Intensive Applications, 2017, chapter 11",
        "Fowler: What do you mean by “Event-Driven”?, 2017 (event-carried state transfer)",
        "Helland: Immutability Changes Everything, CIDR 2015",
        "Kreps: The Log, 2013",
    ],
};

/// The projections, then the owner, then the bus.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let projections = settings.integer("projections").unwrap_or(3);
    let projections = (1..=projections).map(|number| format!("projection-{number}").into());
    projections.chain(["owner".into(), "bus".into()]).collect()
}

/// The owner and the bus; the projections come before them.
fn services(cluster: &Cluster) -> (NodeId, NodeId) {
    let nodes = cluster.names.len() as u16;
    (NodeId(nodes - 2), NodeId(nodes - 1))
}

impl Design for Projection {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let (owner, bus) = services(cluster);
        let variant = cluster.variant.as_str();
        let polling = variant == "polling";
        if id == owner {
            let bus = (!polling).then_some(bus);
            return Server::Service(Flow::new(move |cx| owner::owner(cx, bus)));
        }
        if id == bus {
            let projections = Self::entries(cluster);
            return Server::Service(Flow::new(move |cx| owner::bus(cx, projections)));
        }
        Server::View(Box::new(View::new(Rules {
            owner,
            reconcile_ns: cluster.duration(if polling { "poll" } else { "reconcile" }),
            resyncs: variant != "no_resync",
            ignores_old: variant != "unordered_apply",
        })))
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        let (owner, _) = services(cluster);
        cluster.servers().filter(|id| *id < owner).collect()
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// A projection.
        View(Box<View>),
        /// The owner, or the bus.
        Service(Flow<Message>),
    }
}

#[cfg(test)]
mod tests;
