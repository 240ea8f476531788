//! What the coordinator and the shards say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::SmolStr;
use wrack_sim::{Idempotency, Reply, Tag, Wire};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// What one shard is asked to do in a transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// The harness's name of the operation behind it, carried along and never looked into.
    pub tag: Tag,
    /// What a retry of the whole transaction is recognised by.
    pub identity: Option<Idempotency>,
    /// How much each account gets; below 0 what is taken from it.
    pub changes: Vec<(SmolStr, i64)>,
    /// Accounts to be read.
    pub reads: Vec<SmolStr>,
}

impl Part {
    /// Whether one must wait for the other: they share an account that one of them changes.
    pub fn conflicts(&self, other: &Self) -> bool {
        let changes = |part: &Self, account: &SmolStr| {
            part.changes.iter().any(|(changed, _)| changed == account)
        };
        let touches =
            |part: &Self, account: &SmolStr| changes(part, account) || part.reads.contains(account);
        self.changes.iter().any(|(account, _)| touches(other, account))
            || other.changes.iter().any(|(account, _)| touches(self, account))
    }
}

/// What a shard says to a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Vote {
    /// It can and will, whatever happens; these are the balances that were to be read.
    Yes(Vec<(SmolStr, i64)>),
    /// Another transaction holds an account.
    Busy,
    /// There is too little money, now and for this request for ever.
    Refused,
    /// It was done before, and this was the answer.
    Done(Reply),
    /// Its client has moved on.
    Stale,
}

/// A message between nodes. Every one may be lost, doubled or late, and asking again is harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Coordinator to shard: can you?
    Prepare(u64, Arc<Part>),
    /// Shard to coordinator.
    Vote(u64, Vote),
    /// Coordinator to shard: do it (`true`), or drop it.
    Decision(u64, bool),
    /// Shard to coordinator: it is done, durably.
    Acknowledge(u64),
    /// Shard to coordinator: what has become of this?
    Inquire(u64),
}

impl Peer {
    /// The kind of message, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Prepare(..) | Self::Vote(..) => "prepare",
            Self::Decision(..) | Self::Acknowledge(_) => "decision",
            Self::Inquire(_) => "inquiry",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_in_each_others_way_if_one_changes_what_the_other_needs() {
        let part = |changes: &[&str], reads: &[&str]| Part {
            tag: Tag::of(0),
            identity: None,
            changes: changes.iter().map(|account| ((*account).into(), 1)).collect(),
            reads: reads.iter().map(|account| (*account).into()).collect(),
        };
        let check = |one: Part, other: Part, expected| {
            assert_eq!(one.conflicts(&other), expected);
            assert_eq!(other.conflicts(&one), expected);
        };
        check(part(&["a"], &[]), part(&["a", "b"], &[]), true);
        check(part(&["a"], &[]), part(&[], &["b", "a"]), true);
        check(part(&[], &["a"]), part(&[], &["a"]), false);
        check(part(&["a"], &[]), part(&["b"], &["c"]), false);
    }
}
