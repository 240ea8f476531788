//! Sets: those that are never read as a whole, and those that only grow, are decided without a search.
//!
//! # Element by element
//! Without reads of the whole every operation is about one element, and a set is as many independent
//! objects as it has elements: linearizability is local. [`elements`] decides each of them.
//!
//! # The order is known up to phases
//! Let nothing be removed, and nothing answered but reads of the whole.
//! Nothing is ever removed, so whoever reads later finds at least as much: the reads stand in the
//! order of how much they found, and the set that a read found says which elements had been added
//! before it. Let `S1 ⊂ S2 ⊂ … ⊂ Sn` be the different sets that were read. A legal order consists of
//! phases: the adds of `S1`, the reads of `S1`, the adds of `S2 \ S1`, the reads of `S2`, …, and
//! last the ok adds of elements that were never read. Within a phase any order is legal. A doubtful
//! add of an element that was never read is left out.
//!
//! So there is a legal order iff the sets that were read form such a chain, every element of them
//! was added by some operation, and no call of a later phase completed before one of an earlier
//! phase was invoked. One pass over the phases with the last invocation so far decides.
//!
//! *Several adds of one element* count as one that is invoked when the first of them is and completes
//! when the first ok one does. Proof: the one that is invoked first stands in the phase of the
//! element; any other is legal from there on. If each call takes effect as early as its phase allows,
//! the first add stands no later than the last invocation `m` before or within its phase; no other
//! one completed before `m`, or the counted one did; so it can stand directly after.
//!
//! What was inside at first counts as added before everything. In all other cases the general search
//! decides.
//!
//! Source: the set tests of Jepsen (`set-full`); the phases are ours.

mod elements;
mod part;

use wrack_history::Operation;
use wrack_sequential::g_set::GrowingSet;
use wrack_sequential::set::{Elements, Set, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::search::{Hints, search};

pub(super) use part::{Cut, expects, leaves, without_elements};

/// Decides one key of a set, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: Set = specification.start()?;
    let calls = calls(&mut model, operations)?;
    if !calls.iter().any(|call| matches!(call.step, Step::Read(_) | Step::Twice)) {
        return elements::decide(&model, &calls, operations, states_max);
    }
    Ok(decide_calls(&model, &calls, states_max))
}

/// Decides one key of a set that only grows, and says how.
pub(super) fn decide_growing(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: GrowingSet = specification.start()?;
    let calls = calls(&mut model, operations)?;
    Ok(decide_calls(&model.0, &calls, states_max))
}

fn decide_calls(model: &Set, calls: &[Call<Step>], states_max: u64) -> (Answer, &'static str) {
    if let Some(call) = calls.iter().find(|call| call.step == Step::Twice) {
        let twice = Core::Among(vec![call.operation]);
        return (Answer::Contradiction(twice), "phases");
    }
    if !calls.iter().all(|call| matches!(call.step, Step::Add(_) | Step::Read(_))) {
        return (search(model, calls, &Hints::NONE, states_max), "just-in-time search");
    }
    let answer = match Phases::new(calls, model).check() {
        Ok(()) => Answer::Linearizable,
        Err(mut among) => {
            among.retain(|operation| *operation != NOBODY);
            Answer::Contradiction(Core::Among(among))
        }
    };
    (answer, "phases")
}

/// Operations that contradict each other, by their positions within the key.
type Contradiction = Vec<u32>;

/// All adds of one element, as one.
#[derive(Clone, Copy)]
struct Add {
    /// When the first is invoked, and the operation that is.
    invoke: (u64, u32),
    /// When the first ok one completes, and the operation that does.
    complete: (u64, u32),
    /// Whether some read found the element.
    read: bool,
}

/// A read, and what it found.
struct Read<'a> {
    found: &'a Elements,
    invoke: (u64, u32),
    complete: (u64, u32),
}

struct Phases<'a> {
    adds: Vec<Add>,
    /// In order of how much they found.
    reads: Vec<Read<'a>>,
    /// The last invocation of the phases so far, and what it is best shown with.
    last: Option<Last>,
}

#[derive(Clone, Copy)]
struct Last {
    invoke: (u64, u32),
    witness: u32,
}

/// No operation.
const NOBODY: u32 = u32::MAX;
/// When nobody ever adds an element.
const NEVER: (u64, u32) = (u64::MAX, NOBODY);
/// When an element is added that is inside at first: before all events, which count from 1.
const FIRST: (u64, u32) = (0, NOBODY);

impl<'a> Phases<'a> {
    fn new(calls: &'a [Call<Step>], model: &Set) -> Self {
        let nobody = Add { invoke: NEVER, complete: NEVER, read: false };
        let mut adds = vec![nobody; model.elements()];
        for element in model.initial().difference(&Elements::default()) {
            (adds[element as usize].invoke, adds[element as usize].complete) = (FIRST, FIRST);
        }
        let mut reads = Vec::new();
        for call in calls {
            let invoke = (call.invoke + 1, call.operation);
            let complete = (call.complete.saturating_add(1), call.operation);
            match &call.step {
                Step::Add(element) => {
                    let add = &mut adds[*element as usize];
                    add.invoke = add.invoke.min(invoke);
                    add.complete = add.complete.min(complete);
                }
                Step::Read(Some(found)) => reads.push(Read { found, invoke, complete }),
                _ => (),
            }
        }
        reads.sort_by_key(|read| (read.found.count(), read.invoke));
        Self { adds, reads, last: None }
    }

    fn check(mut self) -> Result<(), Contradiction> {
        let reads = std::mem::take(&mut self.reads);
        let nothing = Elements::default();
        let mut before: Option<&Read<'a>> = None;
        for phase in reads.chunk_by(|a, b| a.found == b.found) {
            let found = before.map_or(&nothing, |read| read.found);
            if let Some(before) = before {
                self.check_chain(before, &phase[0])?;
            }
            self.add(phase, found)?;
            self.read(phase)?;
            before = phase.last();
        }
        self.add_unread()
    }

    /// Of two reads, whoever found more must have found all that the other found.
    fn check_chain(&self, less: &Read<'_>, more: &Read<'_>) -> Result<(), Contradiction> {
        let Some(missing) = less.found.difference(more.found).next() else {
            return Ok(());
        };
        let other = more.found.difference(less.found).next();
        let adds = other.into_iter().chain([missing]);
        let mut among: Vec<u32> = adds.map(|add| self.adds[add as usize].invoke.1).collect();
        among.extend([less.invoke.1, more.invoke.1]);
        Err(among)
    }

    /// The adds of what this phase found and the one before did not.
    fn add(&mut self, phase: &[Read<'_>], before: &Elements) -> Result<(), Contradiction> {
        let reader = phase[0].invoke.1;
        let mut latest = self.last;
        for element in phase[0].found.difference(before) {
            let add = &mut self.adds[element as usize];
            add.read = true;
            let Add { invoke, complete, .. } = *add;
            if invoke == NEVER {
                return Err(vec![reader]);
            }
            self.check_late_enough(complete, [invoke.1, reader])?;
            advance(&mut latest, invoke, reader);
        }
        self.last = latest;
        Ok(())
    }

    fn read(&mut self, phase: &[Read<'_>]) -> Result<(), Contradiction> {
        let mut latest = self.last;
        for read in phase {
            self.check_late_enough(read.complete, [read.invoke.1; 2])?;
            advance(&mut latest, read.invoke, read.invoke.1);
        }
        self.last = latest;
        Ok(())
    }

    /// The ok adds of what nobody found.
    fn add_unread(&self) -> Result<(), Contradiction> {
        let mut unread = self.adds.iter().filter(|add| !add.read);
        unread.try_for_each(|add| self.check_late_enough(add.complete, [add.complete.1; 2]))
    }

    /// Nothing of an earlier phase was invoked after this completed.
    fn check_late_enough(&self, complete: (u64, u32), with: [u32; 2]) -> Result<(), Contradiction> {
        match self.last {
            Some(last) if complete.0 < last.invoke.0 => {
                Err([complete.1, last.invoke.1, last.witness].into_iter().chain(with).collect())
            }
            _ => Ok(()),
        }
    }
}

fn advance(latest: &mut Option<Last>, invoke: (u64, u32), witness: u32) {
    if latest.is_none_or(|latest| latest.invoke < invoke) {
        *latest = Some(Last { invoke, witness });
    }
}
