//! Values under the names of the updates that wrote them: what sets and registers are made of.
//!
//! A value is there if some update wrote it and no update that had seen it removed it. The state keeps
//! the values that are there, and the names of all updates that it has seen: a name that is seen and not
//! there was removed, so that no tombstone is needed.
//!
//! ```text
//! mine    {(r1,1) ↦ a, (r2,1) ↦ b}  seen r1:1 r2:1
//! theirs  {(r1,1) ↦ a, (r3,1) ↦ c}  seen r1:1 r2:1 r3:1      they have seen b, and removed it
//! merged  {(r1,1) ↦ a, (r3,1) ↦ c}  seen r1:1 r2:1 r3:1
//! ```
//! Source: Bieniusa et al.: An Optimized Conflict-free Replicated Set, 2012; the dot kernel of Almeida,
//! Shoker and Baquero: Delta State Replicated Data Types, 2018, section 7.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::causality::{Context, Dot};

/// Values by the names of the updates that wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dotted {
    values: BTreeMap<Dot, Value>,
    seen: Context,
}

/// One update: it writes a value, removes some that its origin had seen, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The name of the update.
    pub dot: Dot,
    /// The value that it writes, if it writes one.
    pub value: Option<Value>,
    /// The names of those that it removes.
    pub removed: Vec<Dot>,
}

impl Dotted {
    /// The values that are there, by name.
    pub fn values(&self) -> impl Iterator<Item = (Dot, &Value)> {
        self.values.iter().map(|(dot, value)| (*dot, value))
    }

    /// Takes in an update.
    pub fn apply(&mut self, change: &Change) {
        for dot in &change.removed {
            self.values.remove(dot);
            self.seen.insert(*dot);
        }
        self.seen.insert(change.dot);
        if let Some(value) = &change.value {
            self.values.insert(change.dot, value.clone());
        }
    }

    /// An update as a state.
    pub fn delta(change: &Change) -> Self {
        let mut delta = Self::default();
        delta.apply(change);
        delta
    }

    /// Takes in another state.
    pub fn merge(&mut self, other: &Self) {
        self.values.retain(|dot, _| other.values.contains_key(dot) || !other.seen.contains(*dot));
        for (dot, value) in &other.values {
            if !self.seen.contains(*dot) {
                self.values.insert(*dot, value.clone());
            }
        }
        self.seen.merge(&other.seen);
    }
}
