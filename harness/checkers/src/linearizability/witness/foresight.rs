//! What is known of orders before one is looked for.
//!
//! Where what comes out late decides what must have gone in early, going back to the last choice takes
//! forever. So choices look ahead:
//!
//! * of a register whose values are unique the zones know an order of all changes, and of a list the
//!   longest read does: changes are taken by their *ranks* in it;
//! * of a queue or stack whose values are unique, the operations that take them out say which of two
//!   values must go in first, wherever these do not overlap;
//! * where that is not enough, each choice is asked whether what comes next is linearizable from there.
//!
//! The ranks are one order of many, and only tried first, and so are choices that look good. What
//! containers say is so in every order.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};
use wrack_sequential::contents::Step;
use wrack_sequential::{ModelError, Specification};

use super::walk::Pending;
use crate::linearizability::call::{Answer, Call};
use crate::linearizability::{decide, register};

/// Ahead of all choices.
pub struct Foresight<'a, S> {
    /// By the position of operations: the rank of the change that it is; empty where no order is known.
    pub ranks: Vec<u32>,
    /// Whether a call may be taken in this state with these calls pending.
    pub may_take: &'a dyn Fn(&S, &[Pending], u32) -> bool,
    /// Decides what comes next, if it can.
    pub lookout: Option<Lookout<'a, S>>,
}

/// Decides what comes after a choice.
pub struct Lookout<'a, S> {
    pub specification: Specification<'a>,
    pub operations: &'a [&'a Operation],
    /// A state as the value that an object starts at.
    pub worth: &'a dyn Fn(&S) -> Value,
    /// So many calls that have yet to be invoked are looked at.
    pub ahead: usize,
}

/// Configurations for each choice.
const LOOKED_MAX: u64 = 10_000;

impl<S> Lookout<'_, S> {
    /// Whether these operations, by their positions, may be linearizable from a state on, as far as the
    /// event of this index: of what completes later it is not known whether it took effect.
    pub fn is_open(&self, state: &S, positions: &[u32], upto: u64) -> bool {
        let initial = (self.worth)(state);
        let specification = Specification { initial: &initial, ..self.specification };
        let next = positions.iter().map(|position| self.operations[*position as usize]);
        let next: Vec<Cow<'_, Operation>> = next
            .map(|operation| match operation.effect_by().index < upto {
                true => Cow::Borrowed(operation),
                false => Cow::Owned(Operation { outcome: Outcome::Info, ..operation.clone() }),
            })
            .collect();
        let next: Vec<&Operation> = next.iter().map(Cow::as_ref).collect();
        !matches!(decide(specification, &next, LOOKED_MAX), Ok((Answer::Contradiction(_), _)))
    }
}

impl<S> Foresight<'_, S> {
    /// Nothing is known.
    pub fn none() -> Self {
        Self::ranked(Vec::new())
    }

    /// Only an order of changes is known, if any.
    pub fn ranked(ranks: Vec<u32>) -> Self {
        Self { ranks, may_take: &|_, _, _| true, lookout: None }
    }
}

/// The ranks of changes, by the positions of their operations; empty where no order is known.
pub fn ranks(
    specification: Specification<'_>,
    operations: &[&Operation],
) -> Result<Vec<u32>, ModelError> {
    let order = match specification.model {
        "register" | "cas-register" => register::plan(specification, operations)?,
        "list" => in_longest_read(operations),
        _ => None,
    };
    let Some(order) = order else {
        return Ok(Vec::new());
    };
    let mut ranks = vec![u32::MAX; operations.len()];
    for (rank, operation) in (0..).zip(order) {
        ranks[operation as usize] = rank;
    }
    Ok(ranks)
}

/// Appends in the order in which the longest read found them.
fn in_longest_read(operations: &[&Operation]) -> Option<Vec<u32>> {
    let reads = operations.iter().filter(|one| one.is_ok() && one.function == "read");
    let longest = reads.filter_map(|read| read.result.as_list()).max_by_key(|list| list.len())?;
    let mut appends = FxHashMap::<&Value, Vec<u32>>::default();
    for (position, operation) in operations.iter().enumerate().rev() {
        if operation.function == "append" {
            appends.entry(&operation.argument).or_default().push(position as u32);
        }
    }
    Some(longest.iter().filter_map(|element| appends.get_mut(element)?.pop()).collect())
}

/// When each value of a container comes out: from which index on it may, and by which it must.
pub struct Stays(FxHashMap<u32, (u64, u64)>);

/// A value that nobody takes out, as far as is known.
const NEVER: (u64, u64) = (u64::MAX, u64::MAX);

impl Stays {
    /// Those of these calls; `None` if a value goes in twice, or if it is not known what came out.
    pub fn of(calls: &[Call<Step>]) -> Option<Self> {
        let mut stays = FxHashMap::default();
        for call in calls {
            if let Step::Insert(value) = call.step
                && stays.insert(value, NEVER).is_some()
            {
                return None;
            }
        }
        for call in calls {
            match call.step {
                Step::Remove(value) => {
                    stays.insert(value, (call.invoke, call.complete));
                }
                Step::Take => return None,
                Step::Insert(_) | Step::Empty => (),
            }
        }
        Some(Self(stays))
    }

    /// Whether one value certainly comes out before another one.
    fn leaves_before(&self, one: u32, other: u32) -> bool {
        let out = |value: u32| self.0.get(&value).copied().unwrap_or(NEVER);
        out(one).1 < out(other).0
    }

    /// Whether a value that went in is still inside at an event, so that nothing is found to be empty until
    /// then.
    pub fn is_inside_at(&self, value: u32, index: u64) -> bool {
        index < self.0.get(&value).copied().unwrap_or(NEVER).0
    }

    /// Whether a value may go into a queue: nothing that is inside comes out after it, and what comes out
    /// before it is not outside any more. `outside` are pending insertions, with the index by which each
    /// takes effect.
    pub fn may_enqueue(&self, inside: &[u32], outside: &[(u32, u64)], value: u32) -> bool {
        !inside.iter().any(|other| self.leaves_before(value, *other))
            && !outside.iter().any(|(other, _)| self.leaves_before(*other, value))
    }

    /// The same of a stack: nothing that is below it comes out before it, and nothing comes on top of it
    /// that comes out after it.
    pub fn may_push(&self, inside: &[u32], outside: &[(u32, u64)], value: u32) -> bool {
        let (out_from, _) = self.0.get(&value).copied().unwrap_or(NEVER);
        let on_top = |(other, by): &(u32, u64)| *by < out_from && self.leaves_before(value, *other);
        !inside.iter().any(|other| self.leaves_before(*other, value)) && !outside.iter().any(on_top)
    }
}
