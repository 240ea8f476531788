//! A set and a counter under one name: a product of two types is a type.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::or_set::{self, OrSet};
use super::pn_counter::{self, PnCounter};
use super::{Replicated, Stamp, dotted};

/// A sum, and a set of elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The sum.
    pub sum: PnCounter,
    /// The elements.
    pub elements: OrSet,
}

/// What a client asks of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Of its sum.
    Sum(i64),
    /// Of its elements.
    Elements(or_set::Command),
}

/// An operation on one of its halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// On its sum.
    Sum(pn_counter::Step),
    /// On its elements.
    Elements(dotted::Change),
}

impl Replicated for Cart {
    type Command = Command;
    type Operation = Operation;

    fn prepare(&self, command: &Command, stamp: &Stamp) -> Operation {
        match command {
            Command::Sum(delta) => Operation::Sum(self.sum.prepare(delta, stamp)),
            Command::Elements(command) => {
                Operation::Elements(self.elements.prepare(command, stamp))
            }
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Sum(step) => self.sum.apply(step),
            Operation::Elements(change) => self.elements.apply(change),
        }
    }

    fn delta(&self, operation: &Operation) -> Self {
        match operation {
            Operation::Sum(step) => Self { sum: self.sum.delta(step), ..Self::default() },
            Operation::Elements(change) => {
                Self { elements: self.elements.delta(change), ..Self::default() }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.elements.merge(&other.elements);
    }

    /// The sum and the elements, as a pair.
    fn read(&self) -> Value {
        Value::pair(self.sum.read(), self.elements.read())
    }
}
