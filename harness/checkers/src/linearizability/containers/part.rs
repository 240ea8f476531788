//! What of a container proves as much as the whole: less values.

use std::collections::BTreeSet;

use wrack_history::{Operation, Outcome, Value};
use wrack_sequential::Specification;
use wrack_sequential::contents::Container;
use wrack_sequential::priority_queue::PriorityQueue;
use wrack_sequential::queue::Queue;
use wrack_sequential::stack::Stack;

/// The functions of this model that put something in and take something out; none if it is no
/// container.
pub(in super::super) fn functions(model: &str) -> Option<(&'static str, &'static str)> {
    match model {
        "priority-queue" => Some((PriorityQueue::INSERT, PriorityQueue::REMOVE)),
        "queue" => Some((Queue::INSERT, Queue::REMOVE)),
        "stack" => Some((Stack::INSERT, Stack::REMOVE)),
        _ => None,
    }
}

/// Whether the operation puts a value into a container.
pub(in super::super) fn is_insertion(operation: &Operation) -> bool {
    [Queue::INSERT, Stack::INSERT, PriorityQueue::INSERT].contains(&operation.function.as_str())
}

/// Whether the operation is known to have taken a value out of a container.
pub(in super::super) fn is_removal(operation: &Operation) -> bool {
    operation.is_ok() && !is_insertion(operation) && !operation.result.is_nil()
}

/// What is left of a container's operations without the values of those that are not kept.
///
/// If it has no legal order, nor has the whole: take a legal order of the whole, and take away all
/// operations on a value. No other value comes out in another order, and nothing is less empty; a
/// removal in doubt that took it need not have happened. What was inside at first stays. Empty
/// removals change nothing. As in the decision, an insertion in doubt whose value no known removal took
/// out is left out, and of the removals in doubt as many stay, the first, as there are values for them.
pub(in super::super) fn without_values(
    specification: Specification<'_>,
    all: &[Operation],
    kept: &[bool],
) -> Vec<Operation> {
    let inside_at_first = specification.initial.as_list().unwrap_or_default();
    let dropped = all.iter().zip(kept).filter(|(_, kept)| !**kept);
    let mut gone: BTreeSet<&Value> = dropped.filter_map(|(one, _)| value(one)).collect();
    gone.retain(|value| !inside_at_first.contains(value));
    let removed = all.iter().filter(|one| is_removal(one)).map(|one| &one.result);
    let removed: BTreeSet<&Value> = removed.collect();
    let mut rest: Vec<Operation> = Vec::new();
    for (operation, kept) in all.iter().zip(kept) {
        let stays = match (operation.outcome, value(operation)) {
            (Outcome::Fail, _) => false,
            (Outcome::Info, Some(value)) => removed.contains(value) && !gone.contains(value),
            (Outcome::Info, None) => true,
            (Outcome::Ok, Some(value)) => !gone.contains(value),
            (Outcome::Ok, None) => *kept,
        };
        if stays {
            rest.push(operation.clone());
        }
    }
    let inserted = rest.iter().filter(|one| is_insertion(one)).count() + inside_at_first.len();
    let known = rest.iter().filter(|one| is_removal(one)).count();
    let mut left = inserted.saturating_sub(known);
    rest.retain(|operation| {
        let take = operation.is_info() && !is_insertion(operation);
        let stays = !take || left > 0;
        left -= usize::from(take && stays);
        stays
    });
    rest
}

/// The value that the operation is known to be about.
fn value(operation: &Operation) -> Option<&Value> {
    match is_insertion(operation) {
        true => Some(&operation.argument),
        false => is_removal(operation).then_some(&operation.result),
    }
}
