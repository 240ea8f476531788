//! A set in which an add wins against a remove that has not seen it.
//!
//! ```text
//! r1  add milk ───────────────── remove milk           removes the milk that it has seen
//! r2            (sees milk)  add milk                  another milk: it stays
//! ```
//! Source: Shapiro et al. 2011, specification 15; Bieniusa et al. 2012.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::causality::Dot;
use super::dotted::{Change, Dotted};
use super::{Replicated, Stamp};

/// An observed-remove set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrSet(Dotted);

/// What a client asks of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The element is in the set.
    Add(Value),
    /// The element is not in the set, as far as is known here.
    Remove(Value),
}

impl OrSet {
    /// The elements that are there, by the names of the updates that added them.
    pub fn values(&self) -> impl Iterator<Item = (Dot, &Value)> {
        self.0.values()
    }

    /// The names under which the element was added and is still there.
    pub fn dots_of<'a>(&'a self, element: &'a Value) -> impl Iterator<Item = Dot> + 'a {
        let same = move |(dot, value): (Dot, &Value)| (value == element).then_some(dot);
        self.values().filter_map(same)
    }

    /// Its elements, in order.
    pub fn elements(&self) -> Value {
        let mut elements: Vec<&Value> = self.values().map(|(_, element)| element).collect();
        elements.sort_unstable();
        elements.dedup();
        Value::list(elements.into_iter().cloned())
    }
}

impl Replicated for OrSet {
    type Command = Command;
    type Operation = Change;

    fn prepare(&self, command: &Command, stamp: &Stamp) -> Change {
        let (Command::Add(element) | Command::Remove(element)) = command;
        let removed = self.dots_of(element).collect();
        let value = match command {
            Command::Add(element) => Some(element.clone()),
            Command::Remove(_) => None,
        };
        Change { dot: stamp.dot, value, removed }
    }

    fn apply(&mut self, change: &Change) {
        self.0.apply(change);
    }

    fn delta(&self, change: &Change) -> Self {
        Self(Dotted::delta(change))
    }

    fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    fn read(&self) -> Value {
        self.elements()
    }
}
