//! What the nemesis is to do, and when.

use std::collections::BTreeSet;

use super::Name;

/// What is to be done with an occurrence of a fault, in the order in which it is done at one
/// instant: one that ends makes room for the next, and the last chance comes before giving up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Heal,
    Turn,
    Inject,
    GiveUp,
}

/// Everything that is to be done, in order of time.
#[derive(Default)]
pub(super) struct Agenda {
    items: BTreeSet<(u64, Step, Name)>,
    /// The earliest time: it is asked for at every event of the engine.
    next_ns: Option<u64>,
}

impl Agenda {
    pub fn push(&mut self, ns: u64, step: Step, name: Name) {
        self.items.insert((ns, step, name));
        self.next_ns = self.items.first().map(|(ns, ..)| *ns);
    }

    /// Takes the next thing that is due by `now`.
    pub fn pop(&mut self, now: u64) -> Option<(Step, Name)> {
        if self.next_ns? > now {
            return None;
        }
        let (_, step, name) = self.items.pop_first()?;
        self.next_ns = self.items.first().map(|(ns, ..)| *ns);
        Some((step, name))
    }

    pub fn next_ns(&self) -> Option<u64> {
        self.next_ns
    }
}
