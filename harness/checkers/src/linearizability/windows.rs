//! Refutes a register's history by a window of it.
//!
//! Most contradictions are local, but a search that comes to them brings along every configuration
//! that the past can have led to; where many calls are in doubt these are more than can be counted. A
//! window forgets the past: it is what is left when all calls go that completed before it, or were
//! invoked after it, by the rule of [`super::visibility`]; a call that completes after it is in
//! doubt. Nothing has been used up yet when it begins. If a window has no legal order, nor has the
//! whole; if it has one, that means nothing, and a longer one may still do.
//!
//! A cas in doubt that can have seen what is gone is both in a window: the cas that it is, for it may
//! have seen something else, and the write of its new value. That write expires as soon as a change
//! completes that was invoked in the window: whatever is gone stands before that change, and the cas
//! immediately behind what it saw.
//!
//! That later events can be cut off: let every call of a legal order take effect at an instant within
//! its interval, in that order. Those that do before the end of the window are legal by themselves;
//! all that have completed by then are among them, and of those that have not some, as if in doubt.

use wrack_sequential::cas_register::{CasRegister, Step};
use wrack_sequential::{Effect, Model};

use super::call::{Answer, Call};
use super::register::{Holds, Register};
use super::search::{Hints, search_counted};
use super::visibility::{Since, Span, since};

/// Calls of the first window; each further one has four times as many.
const CALLS_FIRST: usize = 48;
/// Configurations for one window: so many and so many a call.
const STATES: (u64, u64) = (20_000, 20);

/// What can be said of windows of these calls.
pub(super) struct Windows<'a> {
    model: &'a CasRegister,
    calls: &'a [Call<Step>],
    since: &'a [Since],
    values: usize,
}

impl<'a> Windows<'a> {
    pub fn new(
        model: &'a CasRegister,
        calls: &'a [Call<Step>],
        since: &'a [Since],
        values: usize,
    ) -> Self {
        Self { model, calls, since, values }
    }

    /// Whether some window up to the event of this index has no legal order, and how many
    /// configurations were visited.
    pub fn refute(&self, upto: u64, states_max: u64) -> (bool, u64) {
        let ended = self.calls.partition_point(|call| call.invoke <= upto);
        let mut states = 0;
        let mut size = CALLS_FIRST;
        while 2 * size <= ended {
            let from = self.calls[ended.saturating_sub(size)..].first().map_or(0, |c| c.invoke);
            let budget = STATES.0 + STATES.1 * size as u64;
            let (refuted, spent) = self.is_refuted(from, upto, budget.min(states_max - states));
            states += spent;
            if refuted {
                return (true, states);
            }
            size *= 4;
            if states >= states_max {
                break;
            }
        }
        (false, states)
    }

    /// Whether what lies between the events of these indices has no legal order by itself.
    pub fn is_refuted(&self, from: u64, upto: u64, states_max: u64) -> (bool, u64) {
        let mut register = Register::new(self.window(from, upto), self.values);
        if register.reduce().is_some() {
            return (true, 0);
        }
        let holds = Holds::new(&register, None);
        let hints = Hints { guide: &holds, few_states: true };
        let (answer, states) = search_counted(self.model, &register.calls, &hints, states_max);
        (matches!(answer, Answer::Contradiction(_)), states)
    }

    /// The calls of a window.
    fn window(&self, from: u64, upto: u64) -> Vec<Call<Step>> {
        let gone = Gone::new(self.calls, from, self.values);
        let replaced_at = self.replaced_at(from, upto);
        let mut window = Vec::new();
        for (call, since) in self.calls.iter().zip(self.since) {
            if call.complete < from || call.invoke > upto {
                continue;
            }
            let mut call = call.clone();
            if call.complete > upto {
                (call.required, call.complete) = (false, u64::MAX);
            }
            call.expires = u64::MAX;
            if !call.required && call.effect == Effect::None {
                continue;
            }
            if gone.is_seen_by(&call, *since) {
                let Step::Cas { new, .. } = call.step else { continue };
                let mut write = call.clone();
                write.step = Step::Write(new);
                write.effect = self.model.effect(&write.step);
                if !call.required {
                    write.expires = replaced_at;
                    window.push(call);
                }
                window.push(write);
            } else {
                window.push(call);
            }
        }
        window
    }

    /// Index of the event by which what was there when the window began has been replaced: the first
    /// completion of a change that was invoked in it.
    fn replaced_at(&self, from: u64, upto: u64) -> u64 {
        let changes = self
            .calls
            .iter()
            .filter(|call| call.required && call.effect != Effect::None && call.invoke >= from);
        let inside = changes.map(|call| call.complete).filter(|complete| *complete <= upto);
        inside.min().unwrap_or(u64::MAX)
    }
}

/// The changes that a window has left behind.
struct Gone {
    /// The latest completion of those that leave each value, plus 1; 0 if there is none.
    latest: Vec<u64>,
    /// The values whose latest completions come last, and the latest but one.
    last: [usize; 2],
}

impl Gone {
    fn new(calls: &[Call<Step>], from: u64, values: usize) -> Self {
        let mut latest = vec![0; values];
        for call in calls.iter().filter(|call| call.complete < from) {
            if let Step::Write(value) | Step::Cas { new: value, .. } = call.step {
                let latest = &mut latest[value as usize];
                *latest = call.complete.saturating_add(1).max(*latest);
            }
        }
        let mut last = [0, 0];
        for value in 0..values {
            if latest[value] > latest[last[0]] {
                last = [value, last[0]];
            } else if last[0] == last[1] || latest[value] > latest[last[1]] {
                last[1] = value;
            }
        }
        Self { latest, last }
    }

    /// Whether the call can have seen one of them, and been legal for it.
    fn is_seen_by(&self, call: &Call<Step>, since: Since) -> bool {
        let value = match call.step {
            Step::Read(Some(value)) | Step::Cas { expected: value, .. } => value as usize,
            Step::Differs(value) if self.last[0] == value as usize => self.last[1],
            Step::Differs(_) => self.last[0],
            Step::Read(None) | Step::Write(_) => return false,
        };
        self.latest[value].checked_sub(1).is_some_and(|complete| since.sees(complete))
    }
}

/// Since when each call can have seen changes.
pub(super) fn since_of(calls: &[Call<Step>]) -> Vec<Since> {
    let span = |call: &Call<Step>| Span {
        invoke: call.invoke,
        complete: if call.required { call.complete } else { u64::MAX },
        changes: call.effect != Effect::None,
    };
    since(&calls.iter().map(span).collect::<Vec<_>>())
}
