//! An order that shows that a key is linearizable, for whoever does not want to believe a verdict.
//!
//! The search decides by configurations and forgets how it came to them; the walk here remembers, and is
//! told that there is an order, so it need not be complete. What is known of later events
//! ([`foresight`]) leads it.

mod foresight;
mod walk;

use smallvec::SmallVec;
use wrack_history::{Operation, SmolStr, Value};
use wrack_sequential::cas_register::CasRegister;
use wrack_sequential::contents::{Container, Step};
use wrack_sequential::queue::Queue;
use wrack_sequential::stack::Stack;
use wrack_sequential::{Model, ModelError, Specification, Visitor};

use super::call::{Call, calls};
use super::keys;
use crate::Evidence;
use foresight::{Foresight, Lookout, Stays};
use walk::{Pending, witness};

/// So many calls of a register that have yet to be invoked are looked at.
const AHEAD: usize = 150;

/// An order of one key's operations, or why none is at hand.
pub type Witness = Result<Vec<u64>, String>;

/// For each key of a linearizable history an order that shows it, by the ids of operations: all that
/// are ok, and those in doubt that took effect.
///
/// Bounds: `states_max` of the evidence, for each key; a quarter more where it is not known what some
/// removals from a queue or stack took.
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
        "queue" => seek.among_stays::<Queue>(&Stays::may_enqueue),
        "stack" => seek.among_stays::<Stack>(&Stays::may_push),
        "register" | "cas-register" => seek.of_register(),
        _ => specification.visit(seek).flatten(),
    };
    found.map_err(|error| error.to_string()).flatten()
}

#[derive(Clone, Copy)]
struct Seek<'a> {
    specification: Specification<'a>,
    operations: &'a [&'a Operation],
    states_max: u64,
}

/// Whether a value may go in: what is inside, what is outside, and the value.
type MayInsert = dyn Fn(&Stays, &[u32], &[(u32, u64)], u32) -> bool;

impl Seek<'_> {
    /// An order for a container. One in which nobody took something that nobody knows of is looked for
    /// first: it is known then what comes out when.
    fn among_stays<C: Container + Default>(self, may: &MayInsert) -> Result<Witness, ModelError> {
        let mut model: C = self.specification.start()?;
        let calls = calls(&mut model, self.operations)?;
        let is_known = |call: &&Call<Step>| call.required || call.step != Step::Take;
        let known: Vec<Call<Step>> = calls.iter().filter(is_known).cloned().collect();
        if let Some(stays) = Stays::of(&known) {
            let order = self.by_stays(&model, &known, &stays, may);
            if order.is_ok() || known.len() == calls.len() {
                return Ok(order);
            }
        }
        Ok(self.told(&calls, witness(&model, &calls, Foresight::none(), self.states_max)))
    }

    /// An order of calls of which it is known what comes out when.
    fn by_stays<C: Container>(
        self,
        model: &C,
        calls: &[Call<Step>],
        stays: &Stays,
        may: &MayInsert,
    ) -> Witness {
        let may_take = |inside: &Vec<u32>, pending: &[Pending], call: u32| {
            let Step::Insert(value) = calls[call as usize].step else {
                return true;
            };
            let others = pending.iter().filter(|other| other.call != call);
            let mut outside = SmallVec::<[(u32, u64); 16]>::new();
            for other in others.map(|other| &calls[other.call as usize]) {
                match other.step {
                    Step::Insert(value) => outside.push((value, other.complete)),
                    Step::Empty if stays.is_inside_at(value, other.complete) => return false,
                    _ => (),
                }
            }
            may(stays, inside, &outside, value)
        };
        let worth = |inside: &Vec<u32>| {
            Value::list(inside.iter().map(|value| model.contents().value(*value).clone()))
        };
        // What a removal that is not looked at took out would stay inside: so all are looked at.
        let lookout = Some(self.lookout(&worth, usize::MAX));
        let foresight = Foresight { ranks: Vec::new(), may_take: &may_take, lookout };
        self.told(calls, witness(model, calls, foresight, self.states_max))
    }

    /// An order for a register.
    fn of_register(self) -> Result<Witness, ModelError> {
        let mut model: CasRegister = self.specification.start()?;
        let calls = calls(&mut model, self.operations)?;
        let worth = |value: &u32| model.values.value(*value).clone();
        let foresight = Foresight {
            lookout: Some(self.lookout(&worth, AHEAD)),
            ..Foresight::ranked(foresight::ranks(self.specification, self.operations)?)
        };
        Ok(self.told(&calls, witness(&model, &calls, foresight, self.states_max)))
    }

    fn lookout<'a, S>(&'a self, worth: &'a dyn Fn(&S) -> Value, ahead: usize) -> Lookout<'a, S> {
        let Self { specification, operations, .. } = *self;
        Lookout { specification, operations, worth, ahead }
    }

    /// An order by the ids of operations.
    fn told<S>(&self, calls: &[Call<S>], order: Result<Vec<u32>, String>) -> Witness {
        let id = |call: u32| self.operations[calls[call as usize].operation as usize].id;
        order.map(|order| order.into_iter().map(id).collect())
    }
}

impl Visitor for Seek<'_> {
    type Output = Result<Witness, ModelError>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
        let mut model = self.specification.started(new())?;
        let calls = calls(&mut model, self.operations)?;
        let ranks = foresight::ranks(self.specification, self.operations)?;
        let order = witness(&model, &calls, Foresight::ranked(ranks), self.states_max);
        Ok(self.told(&calls, order))
    }
}
