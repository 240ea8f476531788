//! Says a contradiction in words.
//!
//! Each model has a few patterns that prove themselves; where none fits, the operations are listed
//! with their intervals, for there is no order of them that is legal.

mod bank;
mod containers;
mod counter;
mod kv;
mod log;
mod multi_register;
mod mutex;
mod priority_queue;
mod queue;
mod register;
mod set;
mod stack;
mod unique_ids;

use std::collections::BTreeSet;

use wrack_history::{Anomaly, Operation, Value};

use super::counterexample::counterexample;
use super::shrink::Small;
use crate::words::{done_at, noun, sentence, span};

/// Operations of an anomaly, at most.
const OPERATIONS_MAX: usize = 20;

/// Of more operations than these no patterns are sought, which compare every two or three.
const COMPARED_MAX: usize = 200;

/// The anomaly that `small`, a part of the key's operations, shows.
pub(super) fn explain(
    whole: &[&Operation],
    Small { specification, since, operations: small }: &Small<'_>,
) -> Anomaly {
    let story = Story { initial: specification.initial, since: *since, whole, small };
    let told = match specification.model {
        "bank" => story.bank(),
        "counter" => story.counter(),
        "mutex" => story.mutex(),
        _ if small.len() > COMPARED_MAX => None,
        "g-set" | "set" => story.set(),
        "kv" => story.kv(),
        "list" => story.entries(false),
        "log" => story.entries(true),
        "multi-register" => story.multi_register(),
        "priority-queue" => story.priority_queue(),
        "queue" => story.queue(),
        "register" | "cas-register" => story.register(),
        "stack" => story.stack(),
        "unique-ids" => story.unique_ids(),
        _ => None,
    };
    let Told { text, operations } = told.unwrap_or_else(|| story.list());
    let at = operations.iter().filter(|operation| operation.is_ok());
    Anomaly {
        explanation: text,
        at_ns: at.map(|operation| operation.complete.ns).max(),
        key: Some(whole[0].key.clone()).filter(|key| !key.is_empty()),
        operations: ids(&operations),
        counterexample: counterexample(*specification, small),
        ..Anomaly::default()
    }
}

fn ids(operations: &[&Operation]) -> Vec<u64> {
    let sorted: BTreeSet<(u64, u64)> =
        operations.iter().map(|operation| (operation.invoke.index, operation.id)).collect();
    sorted.into_iter().take(OPERATIONS_MAX).map(|(_, id)| id).collect()
}

/// An explanation, and the operations that it is about.
struct Told<'a> {
    text: String,
    operations: Vec<&'a Operation>,
}

fn told<'a>(text: String, operations: impl IntoIterator<Item = &'a Operation>) -> Option<Told<'a>> {
    let operations = operations.into_iter().collect();
    Some(Told { text, operations })
}

struct Story<'a> {
    /// Where the object starts.
    initial: &'a Value,
    /// The read that found it there, if it did not start so.
    since: Option<&'a Operation>,
    /// All operations of the key.
    whole: &'a [&'a Operation],
    /// Those that contradict each other.
    small: &'a [Operation],
}

impl<'a> Story<'a> {
    /// The operation as the history has it; what is shrunk may say less.
    fn full(&self, operation: &Operation) -> &'a Operation {
        let before = |other: &&Operation| other.invoke.index < operation.invoke.index;
        self.whole[self.whole.partition_point(before)]
    }

    fn noun(&self, operation: &Operation) -> String {
        noun(self.full(operation))
    }

    fn sentence(&self, operation: &Operation) -> String {
        let full = self.full(operation);
        format!("{} at {}", sentence(full), done_at(full))
    }

    /// Pairs of different operations of the small part.
    fn pairs(&self) -> impl Iterator<Item = (&'a Operation, &'a Operation)> {
        let small = self.small;
        let pair = move |a: &'a Operation| small.iter().map(move |b| (a, b));
        small.iter().flat_map(pair).filter(|(a, b)| a.id != b.id)
    }

    fn list(&self) -> Told<'a> {
        self.list_of(self.small.iter())
    }

    fn list_of(&self, operations: impl Iterator<Item = &'a Operation>) -> Told<'a> {
        let full: Vec<&Operation> = operations.map(|small| self.full(small)).collect();
        let line = |operation: &&Operation| format!("{} {}", sentence(operation), span(operation));
        let lines: Vec<String> = full.iter().take(OPERATIONS_MAX).map(line).collect();
        let more = match full.len().saturating_sub(OPERATIONS_MAX) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let these = match full.len() {
            1 => "this operation".to_owned(),
            operations => format!("these {operations} operations"),
        };
        Told {
            text: format!("no order of {these} is legal: {}{more}", lines.join("; ")),
            operations: full,
        }
    }
}
