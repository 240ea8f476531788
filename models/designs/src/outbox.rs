//! Transactional outbox: what happened is announced if and only if it happened.
//!
//! ```text
//!   client ── add ──▶ orders ── { order, key, row } ── fsync        one record: both or neither
//!          ◀── ok ──    │ ▲
//!             Claimed   ▼ │ Mark
//!                      relay ── Publish ──▶ broker ── Deliver ──▶ consumer ── { row, effect } ── fsync
//!                        ▲ ◀── Published ──   │  ◀─ Acknowledge ──   │
//!                     a claim is a lease      until acknowledged     a row that was here is not
//!                                                                    done again
//! ```
//! A service that changes its database and tells others about it writes to two places, and a crash
//! between the two leaves them apart for good. So it writes to one: the announcement is a row in the
//! same transaction as the change. Relays carry rows to the broker and mark them afterwards; whatever
//! they cannot finish is published again by somebody else. So every event arrives at least once, and
//! the consumer makes it exactly once by keeping the row in the same transaction as its effect.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `orders` | the order, the client's key and the row are one record | `dual_write` |
//! | `relay` | publish, wait for the broker, then mark | `mark_before_publish` |
//! | `table` | a claim is a lease: who dies gives its rows back | `dead_relay` |
//! | `table` | a row is given to one relay at a time | `unclaimed_with_dedupe`: waste, and no harm |
//! | `consumer` | a row and its effect are one record, and a row counts once | `claimed_without_dedupe` |
//! | `broker` | deliver until it is acknowledged | events that a busy consumer missed are gone |
//!
//! # What it does not do
//! By itself it keeps no order: two relays at work on the rows of one key publish them in any order, and
//! redelivery shuffles them again. Whoever needs order numbers the events and has the consumer wait for
//! what is missing (`order = "rows"`, and `apply_as_it_comes` without it), at the price that one slow row
//! holds up all behind it. The consumer never forgets a row; a real one forgets those that can no
//! longer come.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use self::message::{Message, Peer};
use self::relay::Schedule;
use self::table::Claims;

mod broker;
mod consumer;
mod message;
mod orders;
mod relay;
mod table;

/// The transactional outbox as a design.
pub struct Outbox;

const INFO: DesignInfo = DesignInfo {
    name: "outbox",
    codes: &["P09", "P11"],
    title: "Transactional outbox: one transaction for the change and its announcement",
    doc: "An order service writes each order, the key by which a retry is recognised, and a row of \
          its outbox as one record on its disk, and then answers. Relays look at the outbox every \
          `poll`: they claim rows for the length of a lease, publish them to a broker, wait until \
          the broker has them on its disk, and mark them. The broker delivers an event until the \
          consumer has acknowledged it. The consumer writes the row's number and its effect as one \
          record, and ignores a row that it has seen.\n\n\
          The promise: every order that was answered has exactly one effect at the consumer, soon \
          and whatever crashes in between; and clients see the orders as one set. It holds through \
          crashes and restarts of any node, pauses of any length, clocks that step or drift, and any \
          network; it needs disks that keep what they synced. Nothing is promised about the order \
          of effects, unless `order = \"rows\"` makes the consumer wait for the row that is next: then a \
          scenario may ask for ORD, too.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "apply_as_it_comes",
            doc: "With `order = \"rows\"`: the consumer does every event when it comes. One relay has order \
                  by luck; with several of them a cancellation overtakes the order that it cancels.",
            broken: true,
        },
        VariantInfo {
            name: "claimed_without_dedupe",
            doc: "The consumer does whatever comes. Relays claim their rows, so it looks safe; but a \
                  relay that crashes after it published and before it marked makes the next one \
                  publish again. Claiming does not replace a consumer that recognises what it has.",
            broken: true,
        },
        VariantInfo {
            name: "dead_relay",
            doc: "A claim has no end: a row is `processing`, by a relay that crashed. Nobody else \
                  ever takes it, and the order is never shipped. Every table with a status column \
                  and no lease has had such rows.",
            broken: true,
        },
        VariantInfo {
            name: "dual_write",
            doc: "There is no outbox: the service commits the order and then publishes it. A crash \
                  or a lost message between the two, and the order exists but nobody hears of it: \
                  the customer has paid, the warehouse does not know.",
            broken: true,
        },
        VariantInfo {
            name: "mark_before_publish",
            doc: "The relay marks its rows and then publishes them, so that no row is ever published \
                  twice. When the broker is away, or the relay crashes in between, they are not \
                  published at all.",
            broken: true,
        },
        VariantInfo {
            name: "unclaimed_relays",
            doc: "Relays read the oldest rows without claiming them, and the consumer does whatever \
                  comes: fine with one relay, until somebody scales the deployment out and two of \
                  them read the same rows.",
            broken: true,
        },
        VariantInfo {
            name: "unclaimed_with_dedupe",
            doc: "Relays do not claim, but the consumer recognises what it has: every row is \
                  published several times and takes effect once. Wasteful, and right.",
            broken: false,
        },
    ],
    roles: &["relay", "standby"],
    failpoints: &[
        NamedDoc::new("outbox.received", "an order came; nothing is written"),
        NamedDoc::new(
            "outbox.order_appended",
            "orders and marks are on the log of the service, not yet synced",
        ),
        NamedDoc::new(
            "outbox.committed_before_publish",
            "the order is durable; nobody else knows of it",
        ),
        NamedDoc::new("outbox.claimed", "a relay has rows, and has done nothing with them"),
        NamedDoc::new(
            "outbox.marked_before_publish",
            "only in `mark_before_publish`, as the name says",
        ),
        NamedDoc::new("outbox.events_appended", "events are on the broker's log, not yet synced"),
        NamedDoc::new(
            "outbox.kept_by_broker",
            "the broker has the events; the relay does not know",
        ),
        NamedDoc::new(
            "outbox.confirmed_before_deliver",
            "the broker told the relay; the consumer was sent nothing",
        ),
        NamedDoc::new("outbox.published_before_mark", "the relay knows; the rows are not marked"),
        NamedDoc::new("outbox.delivered", "events came to the consumer; nothing is written"),
        NamedDoc::new(
            "outbox.effects_appended",
            "effects are on the consumer's log, not yet synced",
        ),
        NamedDoc::new(
            "outbox.consumed_before_acknowledge",
            "the effects are durable; the broker does not know",
        ),
        NamedDoc::new(
            "outbox.acknowledged_before_forget",
            "the consumer told the broker, which has written nothing of it",
        ),
    ],
    messages: &[
        NamedDoc::new("claim", "relays ask for rows, and get some"),
        NamedDoc::new("mark", "a relay says that rows are done with"),
        NamedDoc::new("publish", "events to the broker, and its confirmation"),
        NamedDoc::new("delivery", "events to the consumer, and its acknowledgement"),
    ],
    controls: &[
        NamedDoc::new("bus-outage", "the broker ignores whatever comes"),
        NamedDoc::new("relay-scale", "so many relays work (`count`), with this `jitter`"),
    ],
    facts: &[
        NamedDoc::new("effect", "the consumer did what an order asks for"),
        NamedDoc::new("queued", "an order and its row are durable"),
        NamedDoc::new("taken", "a row is marked"),
    ],
    situations: &[NamedDoc::new(
        "an event is delivered again and recognised",
        "The consumer has its key.",
    )],
    functions: &["read", "add"],
    parameters: &[
        ParameterInfo::new(
            "relays",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(4),
            "how many relays there are, named relay-1, relay-2 …",
        ),
        ParameterInfo::new(
            "active",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(1),
            "how many of them work; the others stand by",
        ),
        ParameterInfo::new(
            "poll",
            ParameterKind::Duration,
            DefaultSetting::Duration(100 * MILLISECOND),
            "how long a relay waits from one look at the outbox to the next",
        ),
        ParameterInfo::new(
            "jitter",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(200_000),
            "by how much that differs each time, either way",
        ),
        ParameterInfo::new(
            "lease",
            ParameterKind::Duration,
            DefaultSetting::Duration(2 * SECOND),
            "how long a claim lasts",
        ),
        ParameterInfo::new(
            "order",
            ParameterKind::Choice(&["none", "rows"]),
            DefaultSetting::Choice("none"),
            "whether the consumer does rows as they come, or in the order in which they were committed",
        ),
        ParameterInfo::new(
            "redelivery",
            ParameterKind::Duration,
            DefaultSetting::Duration(500 * MILLISECOND),
            "how long the broker waits for an acknowledgement",
        ),
    ],
    guarantees: &["ASSERT", "DUP", "LIN", "LIVE", "LOST", "MISS", "PHANTOM"],
    // Any number of nodes at once: everything that matters is on a disk, and everything else is asked
    // for again.
    tolerates: &Tolerance::any([
        "bus-outage",
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
        "relay-down",
        "relay-scale",
        "reorder",
        "slow-disk",
    ]),
    nodes: names,
    sources: &[
        "Richardson: Microservices Patterns, 2018, section 3.3 (transactional outbox)",
        "Helland: Life beyond Distributed Transactions, CIDR 2007",
        "Hohpe and Woolf: Enterprise Integration Patterns, 2003 (idempotent receiver)",
        "PostgreSQL manual: SELECT, FOR UPDATE SKIP LOCKED",
    ],
};

/// The order service, the broker and the consumer, then the relays.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let relays = settings.integer("relays").unwrap_or(4);
    let services = ["orders", "broker", "consumer"].into_iter().map(SmolStr::new_static);
    services.chain((1..=relays).map(|number| format!("relay-{number}").into())).collect()
}

const ORDERS: NodeId = NodeId(0);
const BROKER: NodeId = NodeId(1);
const CONSUMER: NodeId = NodeId(2);
const FIRST_RELAY: NodeId = NodeId(3);

/// What a variant does otherwise than the reference.
#[derive(Clone, Copy, Debug)]
struct Rules {
    orders: NodeId,
    broker: NodeId,
    /// Whether an order and its announcement are one transaction.
    outbox: bool,
    claims: Claims,
    /// Whether a relay marks first and publishes then.
    mark_first: bool,
    consumer: consumer::Rules,
}

impl Rules {
    fn of(cluster: &Cluster) -> Self {
        let variant = cluster.variant.as_str();
        Self {
            orders: ORDERS,
            broker: BROKER,
            outbox: variant != "dual_write",
            claims: Claims {
                exclusive: !matches!(variant, "unclaimed_relays" | "unclaimed_with_dedupe"),
                lease_ns: (variant != "dead_relay").then(|| cluster.duration("lease")),
            },
            mark_first: variant == "mark_before_publish",
            consumer: consumer::Rules {
                dedupe: !matches!(variant, "unclaimed_relays" | "claimed_without_dedupe"),
                in_order: cluster.settings.choice("order").as_deref() == Some("rows")
                    && variant != "apply_as_it_comes",
            },
        }
    }
}

impl Design for Outbox {
    type Peer = Peer;
    type Node = Flow<Message>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Flow<Message> {
        let rules = Rules::of(cluster);
        let redelivery_ns = cluster.duration("redelivery");
        match id {
            ORDERS => Flow::new(move |cx| orders::orders(cx, rules)),
            BROKER => Flow::new(move |cx| broker::broker(cx, CONSUMER, redelivery_ns)),
            CONSUMER => Flow::new(move |cx| consumer::consumer(cx, rules.consumer)),
            relay => {
                let schedule = Schedule {
                    number: i64::from(relay.0 - FIRST_RELAY.0),
                    active: cluster.integer("active"),
                    poll_ns: cluster.duration("poll"),
                    jitter_per_million: cluster.settings.per_million("jitter").unwrap_or(0),
                };
                Flow::new(move |cx| relay::relay(cx, rules, schedule))
            }
        }
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    fn entries(_: &Cluster) -> Vec<NodeId> {
        vec![ORDERS]
    }
}

#[cfg(test)]
mod tests;
