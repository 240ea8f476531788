//! An order that shows that a key is linearizable, for whoever does not want to believe a verdict.
//!
//! Of a container whose values are unique the order is written down without a search. Elsewhere the search
//! decides by configurations and forgets how it came to them; the walk here remembers, and is
//! told that there is an order, so it need not be complete. What is known of later events
//! ([`foresight`]) leads it.

mod foresight;
mod walk;

use wrack_history::{Operation, SmolStr};
use wrack_sequential::cas_register::CasRegister;
use wrack_sequential::priority_queue::PriorityQueue;
use wrack_sequential::queue::Queue;
use wrack_sequential::stack::Stack;
use wrack_sequential::{Model, ModelError, Specification, Visitor};

use super::call::calls;
use super::containers::{self, Order};
use super::keys;
use crate::Evidence;
use foresight::{Foresight, Lookout};
use walk::witness;

/// An order of one key's operations, or why none is at hand.
pub type Witness = Result<Vec<u64>, String>;

/// For each key of a linearizable history an order that shows it, by the ids of operations: all that
/// are ok, and those in doubt that took effect.
///
/// Bounds: `states_max` of the evidence, for each key that needs a search.
pub fn witnesses(evidence: &Evidence<'_>) -> Vec<(SmolStr, Witness)> {
    let keys: Vec<_> = evidence.by_key().iter().collect();
    let specification = evidence.specification();
    let found = keys::map(&keys, evidence.history.operations.len(), |(_, operations)| {
        witness_of(specification, operations, evidence.states_max)
    });
    keys.into_iter().zip(found).map(|((key, _), found)| (SmolStr::clone(key), found)).collect()
}

/// The same of one key.
pub(super) fn witness_of(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Witness {
    let seek = Seek { specification, operations, states_max };
    let found = match specification.model {
        "priority-queue" => seek.of_container::<PriorityQueue>(),
        "queue" => seek.of_container::<Queue>(),
        "stack" => seek.of_container::<Stack>(),
        "register" | "cas-register" => seek.of_register(),
        _ => seek.of_any(),
    };
    let order = found.map_err(|error| error.to_string()).flatten()?;
    Ok(order.into_iter().map(|position| operations[position as usize].id).collect())
}

#[derive(Clone, Copy)]
struct Seek<'a> {
    specification: Specification<'a>,
    operations: &'a [&'a Operation],
    states_max: u64,
}

/// An order by the positions of operations, or why none is at hand.
type Found = Result<Result<Vec<u32>, String>, ModelError>;

impl Seek<'_> {
    /// An order for a container: by stays if these give one.
    fn of_container<O: Order + Default>(self) -> Found {
        match containers::order::<O>(self.specification, self.operations, self.states_max)? {
            Some(order) => Ok(Ok(order)),
            None => self.of_any(),
        }
    }

    /// An order for a register.
    fn of_register(self) -> Found {
        let Self { specification, operations, states_max } = self;
        let mut model: CasRegister = specification.start()?;
        let calls = calls(&mut model, operations)?;
        let worth = |value: &u32| model.values.value(*value).clone();
        let foresight = Foresight {
            ranks: foresight::ranks(specification, operations)?,
            lookout: Some(Lookout { specification, operations, worth: &worth }),
        };
        Ok(witness(&model, &calls, foresight, states_max))
    }

    /// An order for any model.
    fn of_any(self) -> Found {
        self.specification.visit(self).flatten()
    }
}

impl Visitor for Seek<'_> {
    type Output = Found;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Found {
        let mut model = self.specification.started(new())?;
        let calls = calls(&mut model, self.operations)?;
        let ranks = foresight::ranks(self.specification, self.operations)?;
        let foresight = Foresight { ranks, lookout: None };
        Ok(witness(&model, &calls, foresight, self.states_max))
    }
}
