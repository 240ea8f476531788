//! Parts of a register's operations that have a legal order if the whole has one.
//!
//! [`super::super::visibility`] has the rule and its proof: with a change goes whatever can have seen
//! it. For the sake of who reads a counterexample there is a second rule: whatever found a value goes
//! also with the last change that leaves it, for an operation that found what is not there proves
//! nothing by itself.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};

use super::super::visibility::{Since, Span, since};
use crate::register::{is_refused, left};

/// What the operations of a whole history can have seen.
pub(super) struct Sight {
    /// By the index of the invocation.
    since: FxHashMap<u64, Since>,
}

impl Sight {
    /// Of operations in order of invocation.
    pub fn new(whole: &[&Operation]) -> Self {
        let whole = || whole.iter().filter(|operation| operation.outcome != Outcome::Fail);
        let span = |operation: &&Operation| Span {
            invoke: operation.invoke.index,
            complete: operation.effect_by().index,
            changes: left(operation).is_some(),
        };
        let spans: Vec<Span> = whole().map(span).collect();
        let invokes = whole().map(|operation| operation.invoke.index);
        Self { since: invokes.zip(since(&spans)).collect() }
    }

    /// What stays of `all`, in order of invocation, when some are taken away.
    pub fn part(&self, all: &[Operation], kept: &[bool]) -> Vec<Operation> {
        let (mut gone, mut staying) = (Changes::default(), Changes::default());
        for (operation, kept) in all.iter().zip(kept) {
            match kept {
                true => staying.push(operation),
                false => gone.push(operation),
            }
        }
        let stay = |operation: &Operation| {
            let lost = match seen(operation) {
                Seen::Nothing => false,
                Seen::Value(value) => {
                    gone.show(value, operation, self.of(operation))
                        || (gone.has(value) && !staying.has(value))
                }
                Seen::Anything { but } => gone.show_another(but, operation, self.of(operation)),
            };
            if lost { as_write(operation) } else { Some(operation.clone()) }
        };
        let kept = all.iter().zip(kept).filter(|(_, kept)| **kept).map(|(operation, _)| operation);
        kept.filter(|operation| operation.outcome != Outcome::Fail).filter_map(stay).collect()
    }

    fn of(&self, operation: &Operation) -> Since {
        self.since.get(&operation.invoke.index).copied().unwrap_or(Since::EVER)
    }
}

/// What an operation found, if it took effect.
enum Seen<'a> {
    Nothing,
    Value(&'a Value),
    Anything { but: &'a Value },
}

fn seen(operation: &Operation) -> Seen<'_> {
    match (operation.function.as_str(), operation.argument.as_pair()) {
        ("read", _) if operation.is_ok() => Seen::Value(&operation.result),
        ("cas", Some((expected, _))) if is_refused(operation) => Seen::Anything { but: expected },
        ("cas", Some((expected, _))) => Seen::Value(expected),
        _ => Seen::Nothing,
    }
}

/// What is left of an operation that has lost what it found: of a cas, the write of its new value.
fn as_write(operation: &Operation) -> Option<Operation> {
    left(operation).map(|value| Operation {
        function: "write".into(),
        argument: value.clone(),
        result: Value::Nil,
        ..operation.clone()
    })
}

/// Changes by the value that they leave: their invocations, in order, each with the latest completion
/// of all up to it.
#[derive(Default)]
struct Changes<'a>(BTreeMap<&'a Value, Vec<(u64, u64)>>);

impl<'a> Changes<'a> {
    fn push(&mut self, operation: &'a Operation) {
        if operation.outcome == Outcome::Fail {
            return;
        }
        if let Some(value) = left(operation) {
            let all = self.0.entry(value).or_default();
            let before = all.last().map_or(0, |(_, complete)| *complete);
            all.push((operation.invoke.index, operation.effect_by().index.max(before)));
        }
    }

    fn has(&self, value: &Value) -> bool {
        self.0.contains_key(value)
    }

    /// Whether the operation can have seen one that leaves this value.
    fn show(&self, value: &Value, to: &Operation, since: Since) -> bool {
        self.0.get(value).is_some_and(|changes| {
            let invoked = changes.partition_point(|(invoke, _)| *invoke < to.effect_by().index);
            changes[..invoked].last().is_some_and(|(_, complete)| since.sees(*complete))
        })
    }

    /// Whether the operation can have seen one that leaves another value.
    fn show_another(&self, value: &Value, to: &Operation, since: Since) -> bool {
        self.0.keys().any(|other| *other != value && self.show(other, to, since))
    }
}
