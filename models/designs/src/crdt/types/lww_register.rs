//! A register in which the write with the greatest timestamp wins.
//!
//! It converges, and it forgets: of two writes that knew nothing of each other one is dropped, and no
//! client is told. With a [hybrid clock](super::hybrid_clock) it never drops a write in favour of one
//! that it had seen.
//!
//! Source: Shapiro et al. 2011, specification 8; Johnson and Thomas: The Maintenance of Duplicate
//! Databases (RFC 677), 1975.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::hybrid_clock::Timestamp;
use super::{Replicated, Stamp};

/// A last-writer-wins register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LwwRegister(Option<Write>);

/// A write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Write {
    /// When; no two writes have the same.
    pub time: Timestamp,
    /// What.
    pub value: Value,
}

impl LwwRegister {
    /// The write that wins so far.
    pub fn write(&self) -> Option<&Write> {
        self.0.as_ref()
    }
}

impl Replicated for LwwRegister {
    /// The value to write.
    type Command = Value;
    type Operation = Write;

    fn prepare(&self, value: &Value, stamp: &Stamp) -> Write {
        Write { time: stamp.time, value: value.clone() }
    }

    fn apply(&mut self, write: &Write) {
        if self.0.as_ref().is_none_or(|mine| mine < write) {
            self.0 = Some(write.clone());
        }
    }

    fn delta(&self, write: &Write) -> Self {
        Self(Some(write.clone()))
    }

    fn merge(&mut self, other: &Self) {
        if let Some(write) = &other.0 {
            self.apply(write);
        }
    }

    fn read(&self) -> Value {
        self.0.as_ref().map_or(Value::Nil, |write| write.value.clone())
    }
}
