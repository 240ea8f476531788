//! Sets that are asked for one element at a time.
//!
//! Of one element each operation says one of these: it *found* it there or not; it *turned* it, so
//! that it was not there before and is now, or the other way round; it *wrote*, so that it is there
//! afterwards, or not, whatever was before. Who was told whether the set changed, found or turned.
//!
//! # Without writes that completed
//! Then there is one thing to do at any time, and no search. Walk through the events. A find takes
//! effect as soon as it holds. A turn takes effect only when something that completes needs it: a find
//! that does not hold yet, or a turn the other way. Of the turns that are open, the one that completes
//! first goes first. A write in doubt that takes effect where it changes nothing can be left out; so it
//! is a turn that never completes, and goes last. If no turn is open that is needed, there is no
//! legal order.
//!
//! *Complete.* Take a legal order in which calls take effect just in time, as in [`super::super::walk`],
//! with its arguments for eager finds and for equal calls, of which the one that completes first goes
//! first. At a completion it takes some turns, the last of which makes the call that completes legal or
//! is that call. As turns alternate, the order could have taken only the last or the last two of them,
//! of each kind the one that completes first, and would still be able to take the others, which are
//! turns to and fro, directly after. So the walk, which takes no more than needed, can do all that the
//! order does.
//!
//! # With writes that completed
//! A write is a turn or, where it changes nothing, none. Then the element is a register of two values:
//! a turn is a cas, a find is a read, and [`super::super::register`] decides.
//!
//! Bounds: without such writes O(n w), where `w` is how many turns of one element are open at a time.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use wrack_history::{Operation, Value};
use wrack_sequential::set::{Set, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::super::call::{Answer, Call, Core, Event, events};
use super::super::register;

/// Decides a set of which nobody reads the whole, and says how.
pub(super) fn decide(
    model: &Set,
    calls: &[Call<Step>],
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut elements = Elements::new(model, calls);
    if let Some((element, at)) = elements.walk(calls) {
        let of_element = |call: &&Call<Step>| call.step.element() == Some(element);
        let among = calls.iter().filter(of_element).filter(|call| call.invoke <= at);
        let among = Core::Among(among.map(|call| call.operation).collect());
        return Ok((Answer::Contradiction(among), "elements"));
    }
    Ok((elements.search_written(calls, operations, states_max)?, "elements"))
}

/// One element.
#[derive(Clone, Default)]
struct Element {
    present: bool,
    /// Whether somebody found or turned it.
    seen: bool,
    /// Whether a write completed.
    written: bool,
    /// Open finds that do not hold yet, by what they find.
    finds: [SmallVec<[u32; 4]>; 2],
    /// Open turns that have not taken effect, by what they leave.
    turns: [SmallVec<[u32; 4]>; 2],
    /// How many writes in doubt have not taken effect, by what they leave.
    doubtful: [u32; 2],
}

struct Elements(Vec<Element>);

impl Elements {
    fn new(model: &Set, calls: &[Call<Step>]) -> Self {
        let initial = model.initial();
        let count = model.elements() as u32;
        let element = |element| Element { present: initial.has(element), ..Element::default() };
        let mut elements: Vec<Element> = (0..count).map(element).collect();
        for call in calls {
            let element = &mut elements[of(call) as usize];
            match call.step {
                Step::Add(_) | Step::Remove(_) => element.written |= call.required,
                _ => element.seen = true,
            }
        }
        Self(elements)
    }

    /// Walks through the events of all elements without writes that completed. If one of them has no
    /// legal order, which one and the event at which this shows.
    fn walk(&mut self, calls: &[Call<Step>]) -> Option<(u32, u64)> {
        let mut done = vec![false; calls.len()];
        for event in events(calls) {
            let (Event::Invoke(call) | Event::Complete(call) | Event::Expire(call)) = event;
            let number = of(&calls[call as usize]);
            let element = &mut self.0[number as usize];
            if element.written {
                continue;
            }
            let possible = match event {
                Event::Invoke(_) => element.invoke(call, calls, &mut done),
                _ => done[call as usize] || element.complete(call, calls, &mut done),
            };
            if !possible {
                return Some((number, calls[call as usize].complete));
            }
        }
        None
    }

    /// Decides the elements with writes that completed, one after the other, as registers.
    fn search_written(
        &self,
        calls: &[Call<Step>],
        operations: &[&Operation],
        states_max: u64,
    ) -> Result<Answer, ModelError> {
        let mut places: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let mut written: Vec<u32> = Vec::new();
        for call in calls {
            let Element { seen: true, written: true, .. } = self.0[of(call) as usize] else {
                continue;
            };
            let places = places.entry(of(call)).or_default();
            if places.is_empty() {
                written.push(of(call));
            }
            places.push(call.operation);
        }
        let states_max = states_max / written.len().max(1) as u64;
        let mut answer = Answer::Linearizable;
        for element in written {
            let places = &places[&element];
            let one = |place: &u32| as_register(operations[*place as usize]);
            let all: Vec<Operation> = places.iter().map(one).collect();
            let all: Vec<&Operation> = all.iter().collect();
            let initial = Value::Bool(self.0[element as usize].present);
            let specification =
                Specification { initial: &initial, ..Specification::of("cas-register") };
            match register::decide_with_cas(specification, &all, states_max)?.0 {
                Answer::Linearizable => (),
                Answer::Contradiction(core) => {
                    let among = match core {
                        Core::Among(among) => {
                            among.iter().map(|one| places[*one as usize]).collect()
                        }
                        Core::Stuck(at) => places
                            .iter()
                            .copied()
                            .filter(|place| operations[*place as usize].invoke.index <= at)
                            .collect(),
                    };
                    return Ok(Answer::Contradiction(Core::Among(among)));
                }
                unknown @ Answer::Unknown(_) => answer = unknown,
            }
        }
        Ok(answer)
    }
}

impl Element {
    /// A call is invoked, which is always possible.
    fn invoke(&mut self, call: u32, calls: &[Call<Step>], done: &mut [bool]) -> bool {
        match calls[call as usize].step {
            Step::Found(_, present) if present == self.present => done[call as usize] = true,
            Step::Found(_, present) => self.finds[usize::from(present)].push(call),
            Step::Changed(_, present) => self.turns[usize::from(present)].push(call),
            ref step => {
                let present = step.leaves().expect("nobody reads the whole set");
                self.doubtful[usize::from(present)] += 1;
            }
        }
        true
    }

    /// A call completes that has not taken effect; whether that is possible.
    fn complete(&mut self, call: u32, calls: &[Call<Step>], done: &mut [bool]) -> bool {
        match calls[call as usize].step {
            Step::Found(_, present) => self.turn(present, calls, done),
            Step::Changed(_, present) => {
                if self.present == present && !self.turn(!present, calls, done) {
                    return false;
                }
                self.turns[usize::from(present)].retain(|turn| *turn != call);
                self.arrive(present, done);
                true
            }
            _ => true,
        }
    }

    /// Takes a turn, the one that completes first; whether there is one.
    fn turn(&mut self, present: bool, calls: &[Call<Step>], done: &mut [bool]) -> bool {
        let side = usize::from(present);
        let completes = |place: &usize| calls[self.turns[side][*place] as usize].complete;
        if let Some(place) = (0..self.turns[side].len()).min_by_key(completes) {
            done[self.turns[side].swap_remove(place) as usize] = true;
        } else if self.doubtful[side] > 0 {
            self.doubtful[side] -= 1;
        } else {
            return false;
        }
        self.arrive(present, done);
        true
    }

    /// The element is now there, or is not: finds that wait for it take effect.
    fn arrive(&mut self, present: bool, done: &mut [bool]) {
        self.present = present;
        for find in self.finds[usize::from(present)].drain(..) {
            done[find as usize] = true;
        }
    }
}

/// The element of a call, which is about one.
fn of(call: &Call<Step>) -> u32 {
    call.step.element().expect("nobody reads the whole set")
}

/// The operation on a register that is true while the element is in the set.
fn as_register(operation: &Operation) -> Operation {
    let (function, argument, result): (_, Value, Value) =
        match (super::part::leaves(operation), super::part::expects(operation)) {
            (Some(left), Some(found)) if left != found => {
                ("cas", Value::pair(found.into(), left.into()), true.into())
            }
            (_, Some(found)) => ("read", Value::Nil, found.into()),
            (left, None) => ("write", left.is_some_and(|left| left).into(), Value::Nil),
        };
    Operation { function: function.into(), argument, result, ..operation.clone() }
}
