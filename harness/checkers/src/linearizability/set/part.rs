//! What of a set proves as much as the whole: less elements, less answers, less of the past.

use std::collections::BTreeSet;

use wrack_history::{Moment, Operation, Outcome, Value};
use wrack_sequential::Specification;

/// What is left of a set's operations without those that are not kept: reads and answers that only
/// say what was there go alone, an add or a remove goes with its element.
///
/// If it has no legal order, nor has the whole: a read changes nothing, and no element depends on
/// another. Elements that are inside at first stay.
pub(in super::super) fn without_elements(
    specification: Specification<'_>,
    all: &[Operation],
    kept: &[bool],
) -> Vec<Operation> {
    let inside_at_first = specification.initial.as_list().unwrap_or_default();
    let dropped = all.iter().zip(kept).filter(|(one, kept)| !**kept && is_change(one));
    let mut gone: BTreeSet<&Value> = dropped.map(|(operation, _)| &operation.argument).collect();
    gone.retain(|element| !inside_at_first.contains(element));
    let stays = |(operation, kept): &(&Operation, &bool)| {
        let there = operation.function == "read" || !gone.contains(&operation.argument);
        operation.outcome != Outcome::Fail && there && (**kept || is_change(operation))
    };
    let project = |(operation, _): (&Operation, &bool)| {
        let mut rest = operation.clone();
        if let ("read", Value::List(found)) = (operation.function.as_str(), &operation.result) {
            let found = found.iter().filter(|element| !gone.contains(element));
            rest.result = Value::list(found.cloned());
        }
        rest
    };
    all.iter().zip(kept).filter(stays).map(project).collect()
}

/// Whether the operation may have changed the set.
fn is_change(operation: &Operation) -> bool {
    leaves(operation).is_some() && !(operation.is_ok() && operation.result == Value::Bool(false))
}

/// Whether its element is in the set after the operation, as far as it says.
pub(in super::super) fn leaves(operation: &Operation) -> Option<bool> {
    match operation.function.as_str() {
        "add" => Some(true),
        "remove" => Some(false),
        _ => None,
    }
}

/// Whether an ok operation says that its element was in the set before.
pub(in super::super) fn expects(operation: &Operation) -> Option<bool> {
    let Value::Bool(answer) = operation.result else {
        return None;
    };
    match operation.function.as_str() {
        _ if !operation.is_ok() => None,
        "contains" => Some(answer),
        function => Some(answer == (function == "remove")),
    }
}

/// The operations of a single element, of which the past can be cut off.
pub(in super::super) struct Cut<'a>(&'a [Operation]);

impl<'a> Cut<'a> {
    /// None if these operations are not about one element.
    pub fn new(all: &'a [Operation]) -> Option<Self> {
        let about_one = all.windows(2).all(|pair| pair[0].argument == pair[1].argument);
        let about_elements = all.iter().all(|operation| operation.function != "read");
        (about_one && about_elements).then_some(Self(all))
    }

    /// What is left from a change on; none if that is no ok add or remove.
    ///
    /// If it has no legal order, nor has the whole: take a legal order of the whole, and of that what
    /// follows the change, which now says nothing of what was before. All that precedes the change is
    /// gone. What was open at the same time may follow or not: of adds and removes nothing is
    /// known any more, and they may have had no effect; reads are left out. An add or remove in doubt
    /// is left out if nobody finds what it leaves ([`super::super::register`], reduction 4).
    pub fn at(&self, change: usize) -> Option<Vec<Operation>> {
        let from = &self.0[change];
        if !from.is_ok() || leaves(from).is_none() {
            return None;
        }
        let mut rest: Vec<Operation> = Vec::new();
        for (place, operation) in self.0.iter().enumerate() {
            if place == change {
                rest.push(Operation { result: Value::Nil, ..from.clone() });
            } else if from.precedes(operation) {
                rest.push(operation.clone());
            } else if !operation.precedes(from) && is_change(operation) {
                rest.push(in_doubt(operation));
            }
        }
        let expected: BTreeSet<bool> = rest.iter().filter_map(expects).collect();
        let wanted = |one: &Operation| leaves(one).is_some_and(|left| expected.contains(&left));
        rest.retain(|operation| operation.is_ok() || wanted(operation));
        Some(rest)
    }
}

fn in_doubt(operation: &Operation) -> Operation {
    Operation {
        outcome: Outcome::Info,
        result: Value::Nil,
        complete: Moment::NEVER,
        ..operation.clone()
    }
}
