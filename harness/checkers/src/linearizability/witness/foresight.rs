//! What is known of orders before one is looked for.
//!
//! Where what comes out late decides what must have gone in early, going back to the last choice takes
//! forever. So choices look ahead:
//!
//! * of a register whose values are unique the zones know an order of all changes, and of a list the
//!   longest read does: changes are taken by their *ranks* in it;
//! * of a queue or stack whose values are unique, the operations that take them out say which of two
//!   values must go in first, wherever these do not overlap.
//!
//! The ranks are one order of many, and only tried first. What containers say is so in every order.

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Value};
use wrack_sequential::contents::Step;
use wrack_sequential::{ModelError, Specification};

use super::Pending;
use crate::linearizability::call::Call;
use crate::linearizability::register;

/// Ahead of all choices.
pub struct Foresight<'a, S> {
    /// By the position of operations: the rank of the change that it is; empty where no order is known.
    pub ranks: Vec<u32>,
    /// Whether a call may be taken in this state with these calls pending.
    pub may_take: &'a dyn Fn(&S, &[Pending], u32) -> bool,
}

impl<S> Foresight<'_, S> {
    /// Nothing is known.
    pub fn none() -> Self {
        Self::ranked(Vec::new())
    }

    /// Only an order of changes is known, if any.
    pub fn ranked(ranks: Vec<u32>) -> Self {
        Self { ranks, may_take: &|_, _, _| true }
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
