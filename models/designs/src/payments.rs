//! Payments: money that is taken once, and booked if and only if it was taken.
//!
//! ```text
//!   client ── charge ──▶ payments ── { key, charge } ── fsync
//!                           │  ── Capture(number) ──▶ gateway ── { number, entry } ── fsync
//!                           │  ◀──── Captured ──────    │      somebody else's: it may take the money
//!          ◀──── ok ─────   │                                  and not say so
//!                    { captured, outbox row } ── fsync
//!                           │  ── Post(number) ─────▶ ledger ── { number, debit, credit } ── fsync
//!                           │  ◀──── Posted ────────
//!                           ▲
//!                      reconciler: every `reconcile`, the next step of whatever is not finished
//! ```
//! A payment crosses systems that share no transaction: the client's, ours, the gateway's and the
//! ledger. So each step is written down before the next one, and each step can be repeated: the client
//! gives a key, and the gateway and the ledger are given the number that the charge got with it. What
//! a crash, a timeout or a client that gave up leaves half-way is found by the reconciler.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `service` | a retry is the same charge | `no_key` |
//! | `service` | the key is in the record of the charge | `key_elsewhere` |
//! | `service` | a key is the client's, one for each thing that it wants | `colliding_key` |
//! | `service` | a key lives longer than any retry | `short_key_ttl` |
//! | `service` | what is unfinished is finished, whether or not somebody still asks | `no_reconcile` |
//! | `book` | a number and its entry are one record | the gateway would charge twice |
//!
//! # What it does not do
//! No refunds, no partial captures, no declined cards: a charge ends captured and booked. It never
//! forgets a key; a real one forgets those that no client can still send. The reconciler trusts its
//! own log to know what may be unfinished, and does not read the gateway's statement.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, Flow, NodeId};

use self::message::{Message, Peer};

mod book;
mod gateway;
mod ledger;
mod message;
mod service;

/// Payments as a design.
pub struct Payments;

const INFO: DesignInfo = DesignInfo {
    name: "payments",
    codes: &["P11", "P38"],
    title: "Payments: idempotency keys, a gateway in doubt, and a ledger in double entry",
    doc: "A payment service writes each charge down together with the key of its client, asks a \
          gateway for the money, writes down that it is captured, answers the client, and tells a \
          ledger, which enters it on two accounts. The gateway and the ledger know a charge by the \
          number that the service gave it, and enter it once. A client that tries again is \
          recognised by its key. Every `reconcile` the service repeats the next step of all charges \
          that are not finished.\n\n\
          The promise: a charge that was answered is captured exactly once; none is captured twice, \
          however often it is sent; and once all is quiet the ledger says of the gateway's money \
          what the gateway says. It holds through crashes and restarts of any node, a gateway that \
          times out after success or throttles, a ledger that fails, clocks that step or drift, and \
          any network; it needs disks that keep what they synced, and clients that give a key of \
          its own to each charge.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "colliding_key",
            doc: "A retry is recognised by what it asks for: the same customer, the same amount. So \
                  the second coffee of the day is answered ok and never charged.",
            broken: true,
        },
        VariantInfo {
            name: "key_elsewhere",
            doc: "The key is kept in a place of its own, and written when the charge is done. A crash \
                  between the two leaves a charge without its key, and the retry charges again: the \
                  usual key in a cache beside the database.",
            broken: true,
        },
        VariantInfo {
            name: "no_key",
            doc: "Every request is a new charge. An answer is lost, the client tries again, and the \
                  customer pays twice.",
            broken: true,
        },
        VariantInfo {
            name: "no_reconcile",
            doc: "Each step is made once, by the request that asks for it. The gateway took the \
                  money and the ledger failed, or nobody learned that it took it: the books differ, \
                  and nobody looks until the end of the month.",
            broken: true,
        },
        VariantInfo {
            name: "short_key_ttl",
            doc: "Keys are forgotten after `key_ttl`. A request that was stuck in a queue or a phone \
                  that comes out of a tunnel is later than that, and is charged again.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("payments.received", "a charge came; nothing is written"),
        NamedDoc::new("payments.appended", "steps are on the log of the service, not yet synced"),
        NamedDoc::new(
            "payments.started_before_capture",
            "the charge is durable; the gateway was not asked",
        ),
        NamedDoc::new("gateway.asked", "a charge came to the gateway; nothing is entered"),
        NamedDoc::new("gateway.appended", "entries are on the gateway's log, not yet synced"),
        NamedDoc::new(
            "gateway.captured_before_answer",
            "the money is taken; the service does not know",
        ),
        NamedDoc::new("payments.captured", "the service knows it durably; nobody else does"),
        NamedDoc::new(
            "payments.answered_before_post",
            "the client is answered; the ledger does not know",
        ),
        NamedDoc::new("ledger.asked", "a charge came to the ledger; nothing is entered"),
        NamedDoc::new("ledger.appended", "entries are on the ledger's log, not yet synced"),
        NamedDoc::new(
            "ledger.posted_before_answer",
            "the ledger has it; the service does not know",
        ),
    ],
    messages: &[
        NamedDoc::new("capture", "charges to the gateway, and its answers"),
        NamedDoc::new("post", "entries for the ledger, and its answers"),
    ],
    controls: &[
        NamedDoc::new("downstream-failure", "the ledger fails at a `share` of its entries"),
        NamedDoc::new(
            "external-api",
            "the gateway gives no answer to a share of charges (`timeout`), and throttles (`quota`)",
        ),
    ],
    facts: &[
        NamedDoc::new("effect", "the gateway took the money of a charge"),
        NamedDoc::new("posted", "the gateway or the ledger entered a charge into its book"),
        NamedDoc::new("queued", "a charge is captured, and waits for the ledger"),
        NamedDoc::new("taken", "the ledger has it"),
    ],
    situations: &[NamedDoc::new(
        "a charge is found unfinished by the reconciler",
        "The gateway took the money, the ledger knows nothing of it.",
    )],
    functions: &["read", "charge"],
    parameters: &[
        ParameterInfo::new(
            "reconcile",
            ParameterKind::Duration,
            DefaultSetting::Duration(500 * MILLISECOND),
            "how long from one look of the reconciler to the next",
        ),
        ParameterInfo::new(
            "key_ttl",
            ParameterKind::Duration,
            DefaultSetting::Duration(SECOND),
            "after how long the variant `short_key_ttl` forgets a key",
        ),
    ],
    guarantees: &["ASSERT", "CONS", "DUP", "LIVE", "MISS"],
    // Any number of nodes at once: everything that matters is on a disk, and everything else is asked
    // for again.
    tolerates: &Tolerance::any([
        "clock-step",
        "crash",
        "disk-error",
        "disk-full",
        "downstream-failure",
        "drift",
        "duplicate",
        "external-api",
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
        "Leach: Implementing Stripe-like Idempotency Keys in Postgres, 2017",
        "Helland: Life beyond Distributed Transactions, CIDR 2007",
        "Helland: Idempotence Is Not a Medical Condition, CACM 2012",
        "Pacioli: Summa de arithmetica, 1494 (double entry)",
    ],
};

fn names(_: &Settings) -> Vec<SmolStr> {
    ["payments", "gateway", "ledger"].into_iter().map(SmolStr::new_static).collect()
}

const SERVICE: NodeId = NodeId(0);
const GATEWAY: NodeId = NodeId(1);
const LEDGER: NodeId = NodeId(2);

/// What a retry is recognised by.
#[derive(Clone, Copy, Debug)]
enum Recognise {
    /// The key that the client gives to everything that it wants.
    ByClientKey,
    /// Who pays how much.
    ByContent,
    /// Nothing.
    Nothing,
}

/// What a variant does otherwise than the reference.
#[derive(Clone, Copy, Debug)]
struct Rules {
    recognise: Recognise,
    /// How long a key is known, in nanoseconds; for good if absent.
    key_ttl_ns: Option<u64>,
    /// Whether a key is kept apart from its charge.
    key_elsewhere: bool,
    /// Whether anybody looks for what is unfinished.
    reconciler: bool,
    reconcile_ns: u64,
}

impl Rules {
    fn of(cluster: &Cluster) -> Self {
        let variant = cluster.variant.as_str();
        Self {
            recognise: match variant {
                "colliding_key" => Recognise::ByContent,
                "no_key" => Recognise::Nothing,
                _ => Recognise::ByClientKey,
            },
            key_ttl_ns: (variant == "short_key_ttl").then(|| cluster.duration("key_ttl")),
            key_elsewhere: variant == "key_elsewhere",
            reconciler: variant != "no_reconcile",
            reconcile_ns: cluster.duration("reconcile"),
        }
    }
}

impl Design for Payments {
    type Peer = Peer;
    type Node = Flow<Message>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Flow<Message> {
        let rules = Rules::of(cluster);
        match id {
            GATEWAY => Flow::new(gateway::gateway),
            LEDGER => Flow::new(ledger::ledger),
            _ => Flow::new(move |cx| service::service(cx, rules)),
        }
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    fn entries(_: &Cluster) -> Vec<NodeId> {
        vec![SERVICE]
    }
}

#[cfg(test)]
mod tests;
