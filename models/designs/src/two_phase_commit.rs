//! Two-phase commit: money that moves between shards, all of it or nothing.
//!
//! ```text
//!   client ── transfer ──▶ coordinator ── Prepare ──▶ shard 1 { prepared } fsync
//!                               │      ── Prepare ──▶ shard 3 { prepared } fsync
//!                               │      ◀── yes, yes ──    both in doubt from here …
//!                        { commit } fsync                  the decision
//!          ◀──── ok ─────       │      ── Decision ─▶ shard 1 { settled } fsync
//!                               │      ── Decision ─▶ shard 3 { settled } fsync    … to here
//!                               │      ◀── acknowledged ──
//! ```
//! No shard can know what another one does, so each promises first, and the coordinator decides for all
//! at the one moment at which its record becomes durable. The price is the time in between: a shard that
//! has promised can decide nothing by itself, keeps its accounts locked, and depends on a coordinator
//! that comes back and remembers.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `shard` | a promise is durable before it is given | `no_prepare_fsync` |
//! | `coordinator` | a decision is durable before it is told | `volatile_coordinator` |
//! | `shard` | who has promised waits, however long it takes | `heuristic_abort` |
//! | `shard` | the memory of a retry is part of the transaction | a retry would move the money twice |
//!
//! # What it does not do
//! The coordinator is one node with a disk, where a real one is a replicated log: while it is down
//! nothing goes on, and everything that was promised waits. Locks are not queued: a transaction that
//! meets one is aborted, waits a random time and begins anew, so there are no deadlocks and no fairness.
//! Logs are never cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{Settings, SmolStr, Value};
use wrack_sim::{Cluster, Design, Flow, NodeId, Request};

use self::message::{Message, Part, Peer};
use crate::command::is_read;

mod coordinator;
mod message;
mod shard;

/// Two-phase commit as a design.
pub struct TwoPhaseCommit;

const INFO: DesignInfo = DesignInfo {
    name: "two-phase-commit",
    codes: &["P28"],
    title: "Two-phase commit: shards promise, a coordinator decides, and nobody decides alone",
    doc: "Accounts are spread over shards. A coordinator asks every shard that a transfer touches \
          whether it can do its part; each writes the part down, locks its accounts and says yes. \
          Once all have said yes the coordinator writes the commit down, answers the client, and \
          tells the shards until all have acknowledged. A transaction that it knows nothing of was \
          aborted. A read of several accounts is a transaction, too, and holds its locks until all \
          balances are there.\n\n\
          The promise: a transfer happens on both shards or on none (ATOM); clients see one machine \
          (strict serializability, which is LIN with the whole bank as one object); no money is made \
          or lost; nothing takes effect twice; and no shard stays in doubt once the coordinator is \
          back (BLOCK). It holds through crashes and restarts of any node, pauses, disks that fail \
          or fill up, and any network; it needs disks that keep what they synced. While the \
          coordinator is down, nothing is served and nothing is decided: that is the price.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "heuristic_abort",
            doc: "A shard that is in doubt for longer than `give_up` drops its part and frees its \
                  accounts, so that customers do not wait for a coordinator that is down. The other \
                  shard has heard of the commit: the money is taken and arrives nowhere, or arrives \
                  and was never taken. Databases call it a heuristic decision.",
            broken: true,
        },
        VariantInfo {
            name: "no_prepare_fsync",
            doc: "A shard says yes before its part is on the disk. It crashes, forgets what it has \
                  promised, and acknowledges the commit of a transaction that it has never heard of.",
            broken: true,
        },
        VariantInfo {
            name: "volatile_coordinator",
            doc: "The coordinator keeps its decisions in memory. After a crash it cannot say what \
                  became of a transaction, and must not guess, since it may have told somebody: its \
                  shards stay in doubt, and their accounts stay locked, until an operator comes.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("shard.prepared", "a shard has promised; it has told nobody"),
        NamedDoc::new("shard.voted", "a shard has said yes"),
        NamedDoc::new("coordinator.prepared", "all shards said yes; nothing is decided"),
        NamedDoc::new("coordinator.decided", "the commit is durable; nobody knows"),
        NamedDoc::new(
            "coordinator.told_one",
            "one shard knows of a transfer's commit, the other does not",
        ),
    ],
    messages: &[
        NamedDoc::new("prepare", "questions whether a shard can, and its votes"),
        NamedDoc::new("decision", "decisions, and their acknowledgements"),
        NamedDoc::new("inquiry", "questions of a shard in doubt"),
    ],
    controls: &[],
    facts: &[
        NamedDoc::new("prepared", "a shard has promised its part, and is in doubt"),
        NamedDoc::new("settled", "a shard has done its part, or dropped it"),
        NamedDoc::new("effect", "the shard that gives the money has done its part"),
    ],
    situations: &[
        NamedDoc::new(
            "a coordinator that comes back finds a commit to tell",
            "It crashed between its decision and the last acknowledgement.",
        ),
        NamedDoc::new("a part meets a lock", "Two transactions want one account."),
        NamedDoc::new(
            "a retried transaction is recognised",
            "The client did not hear of its commit, and asks again.",
        ),
        NamedDoc::new(
            "a shard comes back in doubt",
            "It crashed after its promise, and must ask what became of it.",
        ),
        NamedDoc::new(
            "a transaction met locks too often",
            "The request is handed back to its client.",
        ),
    ],
    functions: &["read", "transfer"],
    parameters: &[
        ParameterInfo::new(
            "shards",
            ParameterKind::Integer { min: 2, max: 20 },
            DefaultSetting::Integer(3),
            "how many shards there are; account n is on the shard n modulo this",
        ),
        ParameterInfo::new(
            "balance",
            ParameterKind::Integer { min: 0, max: 1_000_000 },
            DefaultSetting::Integer(100),
            "what every account holds at first; the same as that of the workload",
        ),
        ParameterInfo::new(
            "give_up",
            ParameterKind::Duration,
            DefaultSetting::Duration(SECOND),
            "after how long in doubt the variant `heuristic_abort` drops its part",
        ),
    ],
    guarantees: &["ASSERT", "ATOM", "BLOCK", "CONS", "DUP", "LIN", "LIVE"],
    // Any number of nodes at once: what was promised or decided is on a disk, and everything else is
    // asked for again.
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
        "Gray: Notes on Data Base Operating Systems, 1978",
        "Mohan, Lindsay, Obermarck: Transaction Management in the R* Distributed Database Management \
         System, TODS 1986",
        "Bernstein, Hadzilacos, Goodman: Concurrency Control and Recovery in Database Systems, 1987, \
         chapter 7",
    ],
};

fn names(settings: &Settings) -> Vec<SmolStr> {
    let shards = 1..=settings.integer("shards").unwrap_or(3);
    let coordinator = std::iter::once(SmolStr::new_static("coordinator"));
    coordinator.chain(shards.map(|shard| format!("shard-{shard}").into())).collect()
}

const COORDINATOR: NodeId = NodeId(0);

/// What a variant does otherwise than the reference, and how the design is set.
#[derive(Clone, Copy, Debug)]
struct Rules {
    shards: u16,
    balance: i64,
    volatile_coordinator: bool,
    no_prepare_fsync: bool,
    /// After how long a shard gives up what it has promised; never if absent.
    give_up_ns: Option<u64>,
    /// How often the coordinator looks around.
    tick_ns: u64,
    /// How long it waits for votes, and before it tells a decision again.
    prepare_ns: u64,
    /// How often a shard in doubt asks.
    inquire_ns: u64,
}

impl Rules {
    fn of(cluster: &Cluster) -> Self {
        let variant = cluster.variant.as_str();
        Self {
            shards: cluster.integer("shards") as u16,
            balance: cluster.integer("balance"),
            volatile_coordinator: variant == "volatile_coordinator",
            no_prepare_fsync: variant == "no_prepare_fsync",
            give_up_ns: (variant == "heuristic_abort").then(|| cluster.duration("give_up")),
            tick_ns: 20 * MILLISECOND,
            prepare_ns: 300 * MILLISECOND,
            inquire_ns: 200 * MILLISECOND,
        }
    }

    /// What each shard is asked to do; `None` if the request makes no sense.
    fn parts(&self, request: &Request) -> Option<BTreeMap<NodeId, Arc<Part>>> {
        let list = request.argument.as_list()?;
        let mut parts = Parts { shards: self.shards, request, of_shard: BTreeMap::new() };
        match (is_read(&request.function), list) {
            (true, accounts) => {
                for account in accounts {
                    let name = account_name(&request.key, account);
                    parts.of(account)?.reads.push(name);
                }
            }
            (false, [from, to, Value::Integer(amount @ 1..)]) if from != to => {
                for (account, change) in [(from, -amount), (to, *amount)] {
                    let name = account_name(&request.key, account);
                    parts.of(account)?.changes.push((name, change));
                }
            }
            _ => return None,
        }
        let parts = parts.of_shard.into_iter().map(|(shard, part)| (shard, Arc::new(part)));
        Some(parts.collect()).filter(|parts: &BTreeMap<_, _>| !parts.is_empty())
    }
}

/// The parts of a transaction while it is taken apart.
struct Parts<'a> {
    shards: u16,
    request: &'a Request,
    of_shard: BTreeMap<NodeId, Part>,
}

impl Parts<'_> {
    /// That of the shard which has this account; `None` if it is no number.
    fn of(&mut self, account: &Value) -> Option<&mut Part> {
        let shard = 1 + account.as_integer()?.rem_euclid(i64::from(self.shards)) as u16;
        let part = self.of_shard.entry(NodeId(shard)).or_insert_with(|| Part {
            tag: self.request.tag,
            identity: self.request.idempotency,
            changes: Vec::new(),
            reads: Vec::new(),
        });
        Some(part)
    }
}

/// What an account is called: each key is a bank of its own.
fn account_name(bank: &SmolStr, account: &Value) -> SmolStr {
    format!("{bank}/{account}").into()
}

impl Design for TwoPhaseCommit {
    type Peer = Peer;
    type Node = Flow<Message>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Flow<Message> {
        let rules = Rules::of(cluster);
        match id {
            COORDINATOR => Flow::new(move |cx| coordinator::coordinator(cx, rules)),
            _ => Flow::new(move |cx| shard::shard(cx, rules)),
        }
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    fn entries(_: &Cluster) -> Vec<NodeId> {
        vec![COORDINATOR]
    }
}

#[cfg(test)]
mod tests;
