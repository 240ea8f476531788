//! A register whose version is one number for all replicas (variant `scalar_version`): not a
//! replicated type, because of two writes with the same number each replica keeps its own.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::types::{Replicated, Stamp};

/// A value, and how often it was overwritten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalarRegister {
    version: u64,
    value: Option<Value>,
}

impl Replicated for ScalarRegister {
    type Command = Value;
    type Operation = Self;

    fn prepare(&self, value: &Value, _: &Stamp) -> Self {
        Self { version: self.version + 1, value: Some(value.clone()) }
    }

    fn apply(&mut self, write: &Self) {
        if write.version > self.version {
            self.clone_from(write);
        }
    }

    fn delta(&self, write: &Self) -> Self {
        write.clone()
    }

    fn merge(&mut self, other: &Self) {
        self.apply(other);
    }

    /// As the siblings that it stands in for: a list.
    fn read(&self) -> Value {
        Value::list(self.value.iter().cloned())
    }
}
