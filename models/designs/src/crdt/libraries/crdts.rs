//! A cart of the crate `crdts`: its counter and its set without tombstones.
//!
//! The replica's number is the library's actor. Its states hold maps whose order is random, so only its
//! operations are written down and sent; a state exists in memory alone, and is sorted to be read.

use crdts::orswot::{self, Orswot};
use crdts::pncounter::{self, PNCounter};
use crdts::{CmRDT, CvRDT};
use serde::{Deserialize, Serialize};
use wrack_history::Value;

use crate::crdt::types::{ReplicaId, Replicated, Stamp, cart, or_set};

/// A sum, and a set of elements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CratesCart {
    sum: PNCounter<ReplicaId>,
    elements: Orswot<Value, ReplicaId>,
}

/// An operation on one of its halves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// On its sum.
    Sum(Step),
    /// On its elements.
    Elements(orswot::Op<Value, ReplicaId>),
}

/// An operation on a counter, which the library does not compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step(pncounter::Op<ReplicaId>);

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        let parts = |step: &Self| {
            let upwards = matches!(step.0.dir, pncounter::Dir::Pos);
            (step.0.dot.actor, step.0.dot.counter, upwards)
        };
        parts(self) == parts(other)
    }
}

impl Replicated for CratesCart {
    type Command = cart::Command;
    type Operation = Operation;

    fn prepare(&self, command: &cart::Command, stamp: &Stamp) -> Operation {
        let actor = stamp.dot.replica;
        match command {
            cart::Command::Sum(delta) => {
                let steps = delta.unsigned_abs();
                Operation::Sum(Step(match *delta < 0 {
                    true => self.sum.dec_many(actor, steps),
                    false => self.sum.inc_many(actor, steps),
                }))
            }
            cart::Command::Elements(or_set::Command::Add(element)) => {
                let context = self.elements.read_ctx().derive_add_ctx(actor);
                Operation::Elements(self.elements.add(element.clone(), context))
            }
            cart::Command::Elements(or_set::Command::Remove(element)) => {
                let context = self.elements.contains(element).derive_rm_ctx();
                Operation::Elements(self.elements.rm(element.clone(), context))
            }
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Sum(Step(step)) => self.sum.apply(step.clone()),
            Operation::Elements(change) => self.elements.apply(change.clone()),
        }
    }

    /// The library has no deltas: the state that the operation leads to stands for it.
    fn delta(&self, operation: &Operation) -> Self {
        let mut state = self.clone();
        state.apply(operation);
        state
    }

    fn merge(&mut self, other: &Self) {
        self.sum.merge(other.sum.clone());
        self.elements.merge(other.elements.clone());
    }

    fn read(&self) -> Value {
        let sum = i64::try_from(self.sum.read()).expect("a sum of 64-bit steps stays in 64 bits");
        let mut elements: Vec<Value> = self.elements.read().val.into_iter().collect();
        elements.sort_unstable();
        Value::pair(sum.into(), Value::list(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::CratesCart;
    use crate::crdt::types::Cart;
    use crate::crdt::types::laws::same_reads;

    #[test]
    fn it_reads_as_our_own_cart_does() {
        same_reads::<CratesCart, Cart>();
    }
}
