//! A counter that only grows: each replica counts for itself, and the sum is the value.
//!
//! The objects of the design that count (`objects = "counter"` and carts) are pairs of these, see
//! [`super::pn_counter`]; a workload that only adds uses one of the two.
//!
//! Source: Shapiro et al. 2011, specification 6.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::causality::ReplicaId;
use super::{Replicated, Stamp};

/// A grow-only counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GCounter(BTreeMap<ReplicaId, u64>);

/// A replica counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addition {
    /// Which replica.
    pub replica: ReplicaId,
    /// By how much.
    pub amount: u64,
}

impl GCounter {
    /// The sum of what all replicas counted; it stays at the largest number when it gets there.
    pub fn sum(&self) -> u64 {
        self.0.values().fold(0, |sum, amount| sum.saturating_add(*amount))
    }

    /// What the replica counted.
    pub fn of(&self, replica: ReplicaId) -> u64 {
        self.0.get(&replica).copied().unwrap_or(0)
    }

    /// What each replica counted, in order of their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.0.iter().map(|(replica, amount)| (*replica, *amount))
    }

    /// Makes the count of a replica this, whatever it was: not a merge.
    pub fn assign(&mut self, replica: ReplicaId, amount: u64) {
        self.0.insert(replica, amount);
    }
}

impl Replicated for GCounter {
    type Command = u64;
    type Operation = Addition;

    fn prepare(&self, amount: &u64, stamp: &Stamp) -> Addition {
        Addition { replica: stamp.dot.replica, amount: *amount }
    }

    fn apply(&mut self, addition: &Addition) {
        let count = self.0.entry(addition.replica).or_default();
        *count = count.saturating_add(addition.amount);
    }

    fn delta(&self, addition: &Addition) -> Self {
        let amount = self.of(addition.replica).saturating_add(addition.amount);
        Self(BTreeMap::from([(addition.replica, amount)]))
    }

    fn merge(&mut self, other: &Self) {
        for (replica, amount) in &other.0 {
            let mine = self.0.entry(*replica).or_default();
            *mine = (*mine).max(*amount);
        }
    }

    fn read(&self) -> Value {
        Value::Integer(i64::try_from(self.sum()).unwrap_or(i64::MAX))
    }
}
