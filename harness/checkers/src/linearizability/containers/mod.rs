//! Queues, stacks and priority queues: decided by intervals where no value goes in twice.
//!
//! # Stays
//! Let every value be inserted at most once. Then an operation that took a value out names the one
//! that put it in, and what remains to be found is where both take effect. The *stay* of a value is
//! the time between. Its insertion is somewhere in `[i1, i2]` and its removal in `[r1, r2]`, where
//! `i2` is cut to `r2` and `r1` to `i1`: it comes out only after it went in. If `i2 < r1`, the value is
//! certainly inside in between, and we call `(i2, r1)` its *presence*. The places where something may
//! take effect are the *gaps* between two events; a gap is *covered* by the presences around it.
//!
//! A value that nobody takes out is held to be taken out after everything, in the order of the
//! container: every legal order can be so extended. So every value has a stay. What was inside at
//! first went in before everything, in the order of the list.
//!
//! # Empty removals
//! For each of the three containers: *the history is linearizable iff it is without the empty removals,
//! and each of these has an uncovered gap in its interval.* If no gap is uncovered, something is inside
//! the whole time. The other direction is that a history that is linearizable has, for any choice of
//! uncovered gaps, a legal order in which nothing is inside at these gaps; each container proves it in
//! its own file. So the empty removals are judged one by one, in linear time ([`stay`]).
//!
//! # Operations in doubt
//! A *take* is a removal in doubt: nobody knows what it took, if anything.
//!
//! 1. *An insertion in doubt whose value no known removal took out* is left out. Take a legal order with
//!    it, and take away the insertion and the take that removed it, if one did. All three containers
//!    stay legal without a value: nothing else comes out in another order, and nothing is less empty.
//! 2. *An insertion in doubt whose value a known removal took out*, and which is the only one of this
//!    value, took effect: it is required, and completes when that removal does. This adds no order that
//!    was not implied.
//! 3. *Of the takes* only as many can have an effect as values went in that no known removal took out.
//!    If there are `n` of these, the `n` takes that were invoked first suffice: a take has no deadline,
//!    so in a legal order the first that has an effect can be the one that was invoked first, and so
//!    on; the others found nothing or never happened.
//! 4. What the takes that remain removed is unknown, and then the theorems above do not hold. [`takes`]
//!    looks for an answer from both sides, and where they do not meet the search decides, as it does
//!    where a value went in twice.
//!
//! # An order
//! The proofs say where everything can take effect, so an order that shows a history to be linearizable
//! is written down without a search ([`Order::places`]).
//!
//! # Counting
//! A value that was taken out more often than it was put in contradicts itself in every container.
//!
//! Source: unambiguous histories of containers and their bad patterns are those of Bouajjani, Emmi,
//! Enea and Hamza, "On reducing linearizability to state reachability", 2015. That one value after the
//! other can be taken away while a history stays linearizable or not is the idea of Lee and Mathur,
//! "Efficient decrease-and-conquer linearizability monitoring", arXiv 2410.04581; see also Abdulla et
//! al., "Efficient linearizability monitoring", arXiv 2509.17795. The proofs here are our own.

mod part;
mod priority_queue;
mod queue;
mod stack;
mod stay;
mod takes;
#[cfg(test)]
mod tests;

use wrack_history::Operation;
use wrack_sequential::contents::{Container, Step};
use wrack_sequential::{ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::search::{Hints, search};
use stay::{Conflict, NONE, Place, Stays};
use takes::Taken;

pub(super) use part::{functions, is_insertion, is_removal, without_values};

/// A container whose order is decided by stays.
pub(super) trait Order: Container {
    /// How the verdict names the procedure.
    const ALGORITHM: &'static str;

    /// Whether the stays have a legal order, the empty removals left aside.
    fn check(&self, stays: &Stays) -> Result<(), Conflict>;

    /// Where all calls can take effect, in any order: of stays that have a legal order, with that of
    /// each empty removal at an uncovered gap.
    fn places(&self, stays: &Stays) -> Vec<Place>;

    /// Before when each stay that no known removal ends must end, as far as that follows from known
    /// operations; `u32::MAX` where it does not.
    fn deadlines(&self, stays: &Stays) -> Vec<u32> {
        vec![u32::MAX; stays.list.len()]
    }
}

/// Decides one key of a container, and says how.
pub(super) fn decide<O: Order + Default>(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut container: O = specification.start()?;
    let mut calls = calls(&mut container, operations)?;
    Ok(match by_stays(&container, &mut calls, states_max) {
        Judged::Legal(_) => (Answer::Linearizable, O::ALGORITHM),
        Judged::Contradiction(among) => (Answer::Contradiction(Core::Among(among)), O::ALGORITHM),
        Judged::Open => {
            (search(&container, &calls, &Hints::NONE, states_max), "just-in-time search")
        }
    })
}

/// A legal order of one key of a container, by the positions of operations; `None` if there is none, or
/// if stays do not give it.
pub(super) fn order<O: Order + Default>(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<Option<Vec<u32>>, ModelError> {
    let mut container: O = specification.start()?;
    let mut calls = calls(&mut container, operations)?;
    let Judged::Legal(stays) = by_stays(&container, &mut calls, states_max) else {
        return Ok(None);
    };
    let mut places = container.places(&stays);
    places.retain(|place| place.call != NONE);
    places.sort_by_key(|place| (place.gap, place.turn));
    let operation = |place: &Place| calls[place.call as usize].operation;
    Ok(Some(places.iter().map(operation).collect()))
}

/// What the stays of one key say.
enum Judged {
    /// They have a legal order.
    Legal(Stays),
    /// These operations, by their positions, contradict each other.
    Contradiction(Vec<u32>),
    /// Nothing.
    Open,
}

/// Judges calls by their stays, and drops those that nobody needs.
fn by_stays<O: Order>(container: &O, calls: &mut Vec<Call<Step>>, states_max: u64) -> Judged {
    let mut counts = Counts::new(container, calls);
    if let Some(among) = counts.contradiction(calls) {
        return Judged::Contradiction(among);
    }
    counts.drop_unneeded(calls);
    if !counts.are_unique() {
        return Judged::Open;
    }
    if let Err(among) = settle(calls, counts.values.len()) {
        return Judged::Contradiction(among);
    }
    match takes::decide(container, Stays::new(container.contents(), calls), states_max) {
        Taken::Legal(stays) => Judged::Legal(stays),
        Taken::Conflict(stays, conflict) => {
            Judged::Contradiction(stays.operations(&conflict, calls))
        }
        Taken::Open => Judged::Open,
    }
}

/// How often each value goes in and comes out.
struct Counts {
    values: Vec<Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    inserted: u32,
    removed: u32,
}

impl Counts {
    fn new<C: Container>(container: &C, calls: &[Call<Step>]) -> Self {
        let contents = container.contents();
        let mut values = vec![Count::default(); contents.numbers_end() as usize];
        for value in contents.initial() {
            values[*value as usize].inserted += 1;
        }
        for call in calls {
            match call.step {
                Step::Insert(value) => values[value as usize].inserted += 1,
                Step::Remove(value) => values[value as usize].removed += 1,
                Step::Empty | Step::Take => (),
            }
        }
        Self { values }
    }

    /// All operations on a value that came out more often than it went in.
    fn contradiction(&self, calls: &[Call<Step>]) -> Option<Vec<u32>> {
        let broken = self.values.iter().position(|value| value.removed > value.inserted)? as u32;
        let is_on = |call: &&Call<Step>| match call.step {
            Step::Insert(value) | Step::Remove(value) => value == broken,
            Step::Empty | Step::Take => false,
        };
        Some(calls.iter().filter(is_on).map(|call| call.operation).collect())
    }

    /// Drops insertions in doubt that nobody saw, and takes that nobody needs.
    fn drop_unneeded(&mut self, calls: &mut Vec<Call<Step>>) {
        calls.retain(|call| match call.step {
            Step::Insert(value) if !call.required => {
                let count = &mut self.values[value as usize];
                let seen = count.removed > 0;
                count.inserted -= u32::from(!seen);
                seen
            }
            _ => true,
        });
        let mut left: u32 = self.values.iter().map(|value| value.inserted - value.removed).sum();
        calls.retain(|call| {
            let needed = call.step != Step::Take || left > 0;
            left -= u32::from(call.step == Step::Take && needed);
            needed
        });
    }

    fn are_unique(&self) -> bool {
        self.values.iter().all(|value| value.inserted <= 1)
    }
}

/// Makes insertions in doubt required; the operations on a value that came out before it went in are a
/// contradiction. The values are unique.
fn settle(calls: &mut [Call<Step>], values: usize) -> Result<(), Vec<u32>> {
    let mut removals = vec![NONE; values];
    for (index, call) in calls.iter().enumerate() {
        if let Step::Remove(value) = call.step {
            removals[value as usize] = index as u32;
        }
    }
    for index in 0..calls.len() {
        let Step::Insert(value) = calls[index].step else {
            continue;
        };
        let Some(removal) = calls.get(removals[value as usize] as usize) else {
            continue;
        };
        let (complete, remover) = (removal.complete, removal.operation);
        let call = &mut calls[index];
        if complete < call.invoke {
            return Err(vec![call.operation, remover]);
        }
        if !call.required {
            (call.required, call.complete) = (true, complete);
        }
    }
    Ok(())
}
