//! A map of last-writer-wins registers. A removed key holds nil, with the time of its removal.
//!
//! It is for objects with fields that several sides change apart, such as a customer's address and telephone
//! number: each field keeps its own last write. No design holds one under a key. In
//! [`crate::last_writer_wins`] the whole store is such a map, with each key on its own, and shows what one
//! does under faults.
//!
//! Source: Shapiro et al. 2011, section 3.2.1; the tables of Cassandra.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::lww_register::{LwwRegister, Write};
use super::{Replicated, Stamp};

/// A last-writer-wins map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LwwMap(BTreeMap<Value, LwwRegister>);

/// A key is made to hold a value, or nil: then it is removed.
pub type Put = (Value, Value);

impl Replicated for LwwMap {
    type Command = Put;
    type Operation = (Value, Write);

    fn prepare(&self, (key, value): &Put, stamp: &Stamp) -> (Value, Write) {
        (key.clone(), LwwRegister::default().prepare(value, stamp))
    }

    fn apply(&mut self, (key, write): &(Value, Write)) {
        self.0.entry(key.clone()).or_default().apply(write);
    }

    fn delta(&self, operation: &(Value, Write)) -> Self {
        let mut delta = Self::default();
        delta.apply(operation);
        delta
    }

    fn merge(&mut self, other: &Self) {
        for (key, register) in &other.0 {
            self.0.entry(key.clone()).or_default().merge(register);
        }
    }

    /// The keys that are there with their values, as pairs, in order of the keys.
    fn read(&self) -> Value {
        let there = self.0.iter().map(|(key, register)| (key, register.read()));
        let pairs = there.filter(|(_, value)| !value.is_nil());
        Value::list(pairs.map(|(key, value)| Value::pair(key.clone(), value)))
    }
}
