//! Facts: ground truth that nodes and the engine note, as typed plain data.
//!
//! Clients never see a fact. Checkers of a design's inner promises read them one by one, live or
//! from a recorded run. Operations are named by the harness's own id, which a design carries but
//! cannot look into.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::NodeIndex;
use crate::value::Value;

/// One thing that is true from now on.
///
/// A new kind goes to the end: its place among the others enters the trace hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The node booted; 0 is its first boot.
    Booted {
        /// Boots before this one.
        boot: u32,
    },
    /// The node crashed.
    Crashed,
    /// The node was paused.
    Paused,
    /// The node goes on.
    Resumed,
    /// The node believes to hold this role.
    Role {
        /// `leader`, `follower`, `owner` …
        role: SmolStr,
        /// The term or epoch in which it does.
        epoch: u64,
    },
    /// The node voted for `candidate` in `term`.
    Voted {
        /// The term.
        term: u64,
        /// Whom it voted for.
        candidate: NodeIndex,
    },
    /// The node's log holds this entry at `index`, in memory and soon on disk.
    Appended {
        /// Position in the log, from 1.
        index: u64,
        /// The entry's term.
        term: u64,
        /// A digest of the entry's content.
        digest: u64,
    },
    /// The node's log ends before `from`.
    Truncated {
        /// First index that is gone.
        from: u64,
    },
    /// The node's log begins after `index`: what came before stands in a snapshot of its own.
    Compacted {
        /// Position in the log of the last entry that the snapshot stands for.
        index: u64,
        /// That entry's term.
        term: u64,
        /// A digest of the snapshot's content.
        digest: u64,
    },
    /// The node's state is that of a snapshot, and its log begins anew after `index`: it got it from
    /// another, or, right after a boot and before it says where its log ends, from its own disk.
    Installed {
        /// Position in the log of the last entry that the snapshot stands for.
        index: u64,
        /// That entry's term.
        term: u64,
        /// A digest of the snapshot's content.
        digest: u64,
    },
    /// The node knows that everything up to `index` is committed.
    Committed {
        /// Position in the log.
        index: u64,
        /// The term in which the node learned it.
        term: u64,
    },
    /// The node applied the entry at `index` to its state machine.
    Applied {
        /// Position in the log.
        index: u64,
        /// A digest of the entry's content.
        digest: u64,
    },
    /// The operation took effect at `position` of the authority's order for its key. Several nodes
    /// may note the same effect at the same position; another position is another effect.
    Effect {
        /// The operation's id in the history.
        operation: u64,
        /// The key.
        key: SmolStr,
        /// The key's value afterwards, or the element that was added.
        value: Value,
        /// Place in the authority's order: a log index, a version.
        position: u64,
    },
    /// The node answered the operation `ok`.
    Acknowledged {
        /// The operation's id in the history.
        operation: u64,
    },
    /// After a boot, the effects of these operations are on the node's disk.
    Recovered {
        /// Ids in the history.
        operations: Vec<u64>,
    },
    /// A fenced resource accepted a write.
    Accepted {
        /// The resource.
        resource: SmolStr,
        /// The epoch that the write carried.
        epoch: u64,
        /// Who wrote.
        writer: NodeIndex,
    },
    /// What the operation asked for waits in a queue, durably.
    Queued {
        /// The queue: `outbox`.
        queue: SmolStr,
        /// The operation's id in the history.
        operation: u64,
    },
    /// What the operation asked for waits there no longer.
    Taken {
        /// The queue.
        queue: SmolStr,
        /// The operation's id in the history.
        operation: u64,
    },
    /// The node entered the operation into a book that it keeps, as an accountant does.
    Posted {
        /// The book: `ledger`.
        book: SmolStr,
        /// Place in the book, from 1. The same place noted again is the same entry.
        entry: u64,
        /// The operation's id in the history.
        operation: u64,
        /// Accounts, and how much each gets; what is debited to one is credited to another.
        amounts: Vec<(SmolStr, i64)>,
    },
    /// The node did what an event asks for, and saw it come late by so much on its own wall clock.
    Processed {
        /// The operation's id in the history.
        operation: u64,
        /// Nanoseconds since the time that the event carries; below 0 where clocks disagree.
        lag_ns: i64,
    },
    /// The authority compared the version that a write was based on with the one that its key had.
    Compared {
        /// The operation's id in the history.
        operation: u64,
        /// The version that the writer had read.
        base: u64,
        /// The version that the key had.
        found: u64,
        /// Whether the write was accepted.
        accepted: bool,
    },
    /// The node has applied all changes of the base up to `offset`, and what it derives from them
    /// now holds `value` under `key`. What it holds under other keys is what it noted last since it
    /// booted.
    Derived {
        /// Position of the last change, as [`Fact::Effect`] counts.
        offset: u64,
        /// The key.
        key: SmolStr,
        /// What it holds.
        value: Value,
    },
    /// The node's disk holds this version of the resource, and would after a crash.
    Durable {
        /// The resource: a key, a log.
        resource: SmolStr,
        /// Its version.
        version: u64,
    },
    /// A read came to a cache.
    CacheRead {
        /// The operation's id in the history.
        operation: u64,
        /// Whether the cache answered it by itself.
        hit: bool,
    },
    /// The node, which follows an authority, has all of its effects up to this position.
    Replicated {
        /// Place in the authority's order.
        position: u64,
    },
    /// A situation worth reaching was reached.
    Sometimes {
        /// Its name.
        name: SmolStr,
    },
    /// An `always` was false, or a callback panicked.
    AssertionFailed {
        /// The assertion's name, or `panic`.
        name: SmolStr,
        /// What the panic said.
        message: SmolStr,
    },
    /// Anything else that a design wants to say.
    Custom {
        /// Its name.
        name: SmolStr,
        /// Its content.
        value: Value,
    },
    /// The node has these updates of an object now, beside those that it had since it booted. The
    /// first to have an update is the node that accepted it.
    Delivered {
        /// The object.
        key: SmolStr,
        /// The updates.
        updates: Vec<UpdateName>,
        /// A digest of what a client would read of the object now.
        digest: u64,
    },
    /// The node has promised to do its part of a transaction, and is in doubt: it can neither do nor
    /// drop it before it is told. A boot that finds the promise on the disk notes it again.
    Prepared {
        /// The operation's id in the history.
        operation: u64,
        /// The transaction; an operation that begins anew is another one.
        transaction: u64,
    },
    /// The node has done its part of a transaction, or dropped it, for good.
    Settled {
        /// The operation's id in the history.
        operation: u64,
        /// The transaction.
        transaction: u64,
        /// Whether it was done.
        committed: bool,
    },
}

impl Fact {
    /// The name that a scenario's trigger uses: `voted`, `role.leader`, or a custom fact's own.
    pub fn is_named(&self, wanted: &str) -> bool {
        match self {
            Self::Role { role, .. } => wanted.strip_prefix("role.") == Some(role.as_str()),
            Self::Sometimes { name } | Self::Custom { name, .. } => wanted == name.as_str(),
            other => wanted == other.kind(),
        }
    }

    /// The kind of fact, one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Booted { .. } => "booted",
            Self::Crashed => "crashed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Role { .. } => "role",
            Self::Voted { .. } => "voted",
            Self::Appended { .. } => "appended",
            Self::Truncated { .. } => "truncated",
            Self::Compacted { .. } => "compacted",
            Self::Installed { .. } => "installed",
            Self::Committed { .. } => "committed",
            Self::Applied { .. } => "applied",
            Self::Effect { .. } => "effect",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Recovered { .. } => "recovered",
            Self::Delivered { .. } => "delivered",
            Self::Accepted { .. } => "accepted",
            Self::Queued { .. } => "queued",
            Self::Taken { .. } => "taken",
            Self::Posted { .. } => "posted",
            Self::Processed { .. } => "processed",
            Self::Compared { .. } => "compared",
            Self::Derived { .. } => "derived",
            Self::Durable { .. } => "durable",
            Self::CacheRead { .. } => "cache_read",
            Self::Replicated { .. } => "replicated",
            Self::Sometimes { .. } => "sometimes",
            Self::AssertionFailed { .. } => "assertion_failed",
            Self::Custom { .. } => "custom",
            Self::Prepared { .. } => "prepared",
            Self::Settled { .. } => "settled",
        }
    }
}

/// The name of an update that travels between replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UpdateName {
    /// The node that accepted it.
    pub origin: NodeIndex,
    /// Its number there, from 1.
    pub sequence: u64,
    /// The operation that it came of, by its id in the history. An operation that was tried at two nodes
    /// may have become two updates.
    pub operation: u64,
}

/// A fact, with who noted it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRecord {
    /// Virtual nanoseconds since the run began.
    pub ns: u64,
    /// The node.
    pub node: NodeIndex,
    /// What it noted.
    pub fact: Fact,
}
