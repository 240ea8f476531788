//! Follows a succession: objects of which it is known what leads from each state to the next.
//!
//! Let the states that an object can be in be numbered in the order in which it takes them, and let
//! it be known of each place between two states which *class* of changes may stand there: an entry of
//! a log, an acquire of a mutex, any add of one to a counter. Changes of one class are
//! interchangeable. A look finds some range of states. Behind the last place that is known, changes
//! of any class may follow, and no look tells them apart.
//!
//! # The walk
//! It goes through the events and moves on only when a call completes that is not done: until it is,
//! each place takes, of the open changes of its class, the one that completes first, doubtful ones
//! last. A look is done as soon as it is open in a state that it may find. If a place finds no open
//! change of its class, or the state has gone beyond what a look that completes may find, there is no
//! legal order. Every change is taken once and every call looked at once, in O(n log n).
//!
//! # Why it is exact
//! What the walk reaches is legal: each call stands within its interval. For the converse take a legal
//! order. Let it be *just in time* and take the changes of a class by their completions as well: moving
//! changes to the next completion that needs them, and swapping two of a class of which the one that
//! completes later goes first although both are open, keeps it legal. Then, at each event, the order
//! has come at least as far as the walk, by induction:
//!
//! * If the walk moves on for a look, the look needs that state.
//! * If it moves on for a change `c` of class `v`, let it have taken `m` changes of `v` before `c`.
//!   Those of them that complete later than `c` it took when `c` and all others of `v` that complete
//!   no later were done or not yet invoked; let the last of them be the `k`-th change of `v`. By
//!   induction the order had taken `k` of them by then, all invoked by then; those that the walk took
//!   afterwards, `m - k`, were invoked later and complete no later than `c`, so the order has taken
//!   them too, and `c`. So it has taken more than `m` changes of `v`, and has passed the place where
//!   the walk takes the next one.
//!
//! So where the walk finds no open change for a place, the order would have had to pass that place
//! with more changes of the class than have been invoked; and a look that comes too late for the walk
//! comes too late for the order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::call::{Call, Event, events};

/// What a call means for a succession of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It leads from one state to the next, in a place of this class.
    Change(u32),
    /// It changes nothing, and finds a state of this range, both ends included.
    Look(u64, u64),
}

/// States and places of a succession.
pub(super) struct Succession<P> {
    /// The state before the first call.
    pub start: u64,
    /// How many classes there are.
    pub classes: usize,
    /// The class of the place behind a state; `None` behind the last that is known.
    pub class_at: P,
}

/// Why there is no legal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    /// The call that completes and cannot be done.
    pub goal: u32,
    /// Those that are in its way: the changes that its place waits for, or whoever made the state go
    /// beyond what it found.
    pub rivals: Vec<u32>,
}

/// Whether the calls, each with its part, have a legal order.
pub(super) fn follow<S, P: Fn(u64) -> Option<u32>>(
    calls: &[Call<S>],
    parts: &[Part],
    succession: &Succession<P>,
) -> Result<(), Contradiction> {
    let mut walk = Walk {
        succession,
        calls: calls.len(),
        parts,
        state: succession.start,
        done: vec![false; calls.len()],
        invoked: 0,
        open: vec![BinaryHeap::new(); succession.classes],
        looks: FxHashMap::default(),
        moved_by: Vec::new(),
    };
    events(calls).into_iter().try_for_each(|event| match event {
        Event::Invoke(call) => {
            walk.invoke(call, calls[call as usize].complete);
            Ok(())
        }
        Event::Complete(call) => walk.complete(call),
        Event::Expire(_) => Ok(()),
    })
}

struct Walk<'a, P> {
    succession: &'a Succession<P>,
    calls: usize,
    parts: &'a [Part],
    state: u64,
    done: Vec<bool>,
    /// How many calls have been invoked: these, for they are in that order.
    invoked: u32,
    /// Open changes of each class, the first to complete first.
    open: Vec<BinaryHeap<Reverse<(u64, u32)>>>,
    /// Looks that wait for a state.
    looks: FxHashMap<u64, Vec<u32>>,
    /// For whom each step was made.
    moved_by: Vec<u32>,
}

impl<P: Fn(u64) -> Option<u32>> Walk<'_, P> {
    fn invoke(&mut self, call: u32, complete: u64) {
        self.invoked += 1;
        match self.parts[call as usize] {
            Part::Change(class) => self.open[class as usize].push(Reverse((complete, call))),
            Part::Look(least, _) if self.state < least => {
                self.looks.entry(least).or_default().push(call);
            }
            Part::Look(_, most) => self.done[call as usize] = self.state <= most,
        }
    }

    fn complete(&mut self, goal: u32) -> Result<(), Contradiction> {
        while !self.done[goal as usize] {
            let class = (self.succession.class_at)(self.state);
            let change = match (self.parts[goal as usize], class) {
                (Part::Look(_, most), _) if most < self.state => {
                    return Err(self.too_late(goal, most));
                }
                (_, Some(class)) => {
                    let open = self.open[class as usize].pop();
                    open.ok_or_else(|| self.missing(goal, class))?.0.1
                }
                // Behind the known places every change takes the next one when it must.
                (Part::Change(_), None) => goal,
                (Part::Look(..), None) => return Err(Contradiction { goal, rivals: Vec::new() }),
            };
            self.step(change, goal);
        }
        Ok(())
    }

    fn step(&mut self, change: u32, goal: u32) {
        self.done[change as usize] = true;
        self.state += 1;
        self.moved_by.push(goal);
        for look in self.looks.remove(&self.state).unwrap_or_default() {
            let Part::Look(_, most) = self.parts[look as usize] else {
                unreachable!("only looks wait for a state");
            };
            self.done[look as usize] = self.state <= most;
        }
    }

    fn too_late(&self, goal: u32, most: u64) -> Contradiction {
        let step = most.checked_sub(self.succession.start).map(|step| step as usize);
        let moved_by = step.map(|step| self.moved_by[step]);
        Contradiction { goal, rivals: moved_by.into_iter().collect() }
    }

    /// No change of the class is open: the next that will be, or all there ever were.
    fn missing(&self, goal: u32, class: u32) -> Contradiction {
        let of_class = |call: &u32| self.parts[*call as usize] == Part::Change(class);
        let next = (self.invoked..self.calls as u32).find(of_class);
        let rivals = match next {
            Some(next) => vec![next],
            None => (0..self.invoked).filter(of_class).collect(),
        };
        Contradiction { goal, rivals }
    }
}

#[cfg(test)]
mod tests {
    use wrack_sequential::Effect;

    use super::{Contradiction, Part, Succession, follow};
    use crate::linearizability::call::Call;

    /// Calls by (part, invocation, completion); one that completes at 99 is doubtful.
    fn check(calls: &[(Part, u64, u64)], plan: &[u32], expected: Result<(), Contradiction>) {
        let parts: Vec<Part> = calls.iter().map(|(part, ..)| *part).collect();
        let call = |(index, (_, invoke, complete)): (usize, &(Part, u64, u64))| Call {
            step: (),
            effect: Effect::Any,
            operation: index as u32,
            required: *complete < 99,
            invoke: *invoke,
            complete: if *complete < 99 { *complete } else { u64::MAX },
            expires: u64::MAX,
            absorbable: true,
            wanted_until: u64::MAX,
            displaces: true,
        };
        let calls: Vec<Call<()>> = calls.iter().enumerate().map(call).collect();
        let class_at = |state: u64| plan.get(state as usize).copied();
        let succession = Succession { start: 0, classes: 9, class_at };
        assert_eq!(follow(&calls, &parts, &succession), expected);
    }

    #[test]
    fn changes_take_their_places_as_late_as_they_can() {
        let (a, b) = (Part::Change(0), Part::Change(1));
        check(&[(a, 1, 9), (b, 2, 3), (Part::Look(2, 2), 4, 5)], &[0, 1], Ok(()));
        check(&[(b, 1, 3), (a, 2, 99), (Part::Look(1, 1), 4, 5)], &[1, 0], Ok(()));
        let late = Contradiction { goal: 0, rivals: vec![1] };
        check(&[(b, 1, 2), (a, 3, 4)], &[0, 1], Err(late));
    }

    #[test]
    fn of_a_class_the_first_to_complete_goes_first() {
        let a = Part::Change(0);
        let look = |state: u64| Part::Look(state, state);
        check(&[(a, 1, 99), (a, 2, 9), (look(1), 3, 4), (look(2), 10, 11)], &[0, 0], Ok(()));
        let once = Contradiction { goal: 2, rivals: vec![0] };
        check(
            &[(a, 1, 2), (a, 3, 4), (look(1), 5, 6)],
            &[0],
            Err(Contradiction { goal: 2, rivals: vec![1] }),
        );
        check(&[(a, 1, 9), (look(1), 2, 3), (look(2), 4, 5)], &[0, 0], Err(once));
    }

    #[test]
    fn a_look_finds_what_is_there_while_it_is_open() {
        let a = Part::Change(0);
        check(&[(Part::Look(0, 0), 1, 5), (a, 2, 3)], &[0], Ok(()));
        check(
            &[(a, 1, 2), (Part::Look(1, 7), 3, 4), (Part::Look(0, u64::MAX), 5, 6)],
            &[0],
            Ok(()),
        );
        let gone = Contradiction { goal: 1, rivals: vec![0] };
        check(&[(a, 1, 2), (Part::Look(0, 0), 3, 4)], &[], Err(gone));
    }
}
