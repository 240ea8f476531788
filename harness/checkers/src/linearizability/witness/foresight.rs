//! What is known of orders before one is looked for.
//!
//! Where what comes out late decides what must have gone in early, going back to the last choice takes
//! forever. So choices look ahead:
//!
//! * of a register whose values are unique the zones know an order of all changes, and of a list the
//!   longest read does: changes are taken by their *ranks* in it;
//! * where that is not enough, each choice is asked whether what comes next is linearizable from there.
//!
//! The ranks are one order of many, and only tried first, and so are choices that look good.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};
use wrack_sequential::{ModelError, Specification};

use crate::linearizability::call::Answer;
use crate::linearizability::{decide, register};

/// Ahead of all choices.
pub struct Foresight<'a, S> {
    /// By the position of operations: the rank of the change that it is; empty where no order is known.
    pub ranks: Vec<u32>,
    /// Decides what comes next, if it can.
    pub lookout: Option<Lookout<'a, S>>,
}

/// Decides what comes after a choice.
pub struct Lookout<'a, S> {
    pub specification: Specification<'a>,
    pub operations: &'a [&'a Operation],
    /// A state as the value that an object starts at.
    pub worth: &'a dyn Fn(&S) -> Value,
}

/// So many calls that have yet to be invoked are looked at.
pub const AHEAD: usize = 150;

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
