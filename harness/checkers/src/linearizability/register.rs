//! Registers, with and without cas: what is known before a search, and when none is needed.
//!
//! # Reductions
//! Let a *change* be a write or a cas, and let a value be *seen* by an ok read of it, an ok cas that
//! expected it and a doubtful cas that expects it.
//!
//! 1. A cas from a value to itself is a read of it; in doubt it is nothing.
//! 2. A refused cas of a value that no operation leaves always holds.
//! 3. *Forgotten.* Values that nobody sees and no refused cas names are one value: no step tells them
//!    apart.
//! 4. *Dropped.* A doubtful change whose value nobody sees is left out: take a legal order with it, and
//!    take it away. What follows it up to the next change neither read nor expected its value, so that
//!    is a refused cas, or the next change, a write. A refused cas may need it: it is why the value
//!    differed. So where cas were refused, only a doubtful cas that expects a value which none of
//!    them names is left out: without it that value stays, and differs as well.
//! 5. *Settled.* If a value is left by one operation only and a required operation saw it, that one
//!    took effect, and before whoever saw it first completed. So it is required, and completes then:
//!    this adds no order that was not implied.
//! 6. *Held.* A value that only one operation leaves never comes back. So as long as a required
//!    operation that sees it has not even been invoked, nothing may replace it; and if one of those
//!    that see it is a cas, nothing else may replace it. Nor is a write of it ever absorbed.
//!
//! 7. *Expired.* A value that only one operation leaves is gone for good once a change has completed
//!    that was invoked after that operation completed. After that, a doubtful cas that expects it
//!    cannot take effect.
//!
//! # Unique values
//! If every value that is seen is left by one operation at most (and the initial value by none), the order is known up to whole blocks. A *cluster* is a change and the reads of its value,
//! which follow it before anything else does; a cas follows the cluster of the value it expected at
//! once. So clusters that cas links form a *block* that stands in the order without a gap, and its
//! inner order is fixed but for reads of one value. Block X must stand before Y if some operation
//! of X completed before one of Y was invoked, that is, iff `first(X) < last(Y)` with `first` the
//! first completion and `last` the last invocation of the block.
//!
//! There is a legal order iff each block is in order by itself and no two blocks must stand before
//! each other. Proof: sort blocks by `first + last`. If Y stands after X in this order and must stand
//! before it, `first(Y) < last(X)`; from `first(X) + last(X) <= first(Y) + last(Y)` follows
//! `first(X) < last(Y)`: X must stand before Y too. So either the sorted order is legal, or two blocks
//! must stand before each other. One pass over the sorted blocks decides, in O(n log n).
//!
//! With refused cas the order of blocks is only a plan: if the refused cas hold along it, the history
//! is linearizable; if blocks contradict each other, it is not, because refused cas and doubtful
//! changes that nobody saw can be left out of a legal order; otherwise the search decides.
//!
//! # Other values
//! What was found must have come from somewhere ([`super::sources`]): that refutes most histories that
//! are not linearizable. Then the search decides, with windows ([`super::windows`]).
//!
//! Source: Gibbons and Korach, "Testing shared memories", 1997 (values written once, zones);
//! Golab, Li and Shah 2011. Blocks linked by cas and the sum order are ours.

use wrack_history::Operation;
use wrack_sequential::cas_register::{CasRegister, Step};
use wrack_sequential::register::Register as PlainRegister;
use wrack_sequential::{ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::plan::follows_plan;
use super::search::{Hints, search_counted};
use super::sources::nowhere;
use super::unique::is_evident;
use super::walk::Guide;
use super::windows::{Windows, since_of};
use super::zones::{Zones, zones};
#[cfg(test)]
use super::{
    search::{Stage, ends},
    walk::End,
};

/// The number of the initial value.
const INITIAL: usize = wrack_sequential::INITIAL as usize;

/// Decides one key of a register without cas, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    if is_evident(operations, specification.initial) {
        return Ok((Answer::Linearizable, "zones"));
    }
    let mut model: PlainRegister = specification.start()?;
    let calls = calls(&mut model, operations)?;
    Ok(decide_calls(&model.0, calls, states_max))
}

/// Decides one key of a register, and says how.
pub(super) fn decide_with_cas(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    if is_evident(operations, specification.initial) {
        return Ok((Answer::Linearizable, "zones"));
    }
    let mut model: CasRegister = specification.start()?;
    let calls = calls(&mut model, operations)?;
    Ok(decide_calls(&model, calls, states_max))
}

/// Decides calls of a register, and says how.
pub(super) fn decide_calls(
    model: &CasRegister,
    calls: Vec<Call<Step>>,
    mut states_max: u64,
) -> (Answer, &'static str) {
    decide_within(model, calls, &mut states_max)
}

/// The same; takes what it needs from the configurations that are left.
pub(super) fn decide_within(
    model: &CasRegister,
    calls: Vec<Call<Step>>,
    states_left: &mut u64,
) -> (Answer, &'static str) {
    let mut register = Register::new(calls, model.values.count() + 1);
    if let Some(contradiction) = register.reduce() {
        return (Answer::Contradiction(contradiction), "zones");
    }
    let calls = &register.calls;
    if register.has_unique_values() {
        match zones(calls, model.values.count() + 1) {
            Zones::Contradiction(among) => {
                return (Answer::Contradiction(Core::Among(among)), "zones");
            }
            Zones::Plan(plan) => {
                if !register.refused || follows_plan(calls, &plan) {
                    return (Answer::Linearizable, "zones");
                }
            }
        }
    }
    let values = model.values.count() + 1;
    let since = since_of(calls);
    if let Some(contradiction) = nowhere(calls, &since, values) {
        return (Answer::Contradiction(contradiction), "sources");
    }
    let holds = Holds::new(&register, Some(Windows::new(model, calls, &since, values)));
    let hints = Hints { guide: &holds, few_states: true };
    let (answer, states) = search_counted(model, calls, &hints, *states_left);
    *states_left = states_left.saturating_sub(states);
    (answer, "just-in-time search")
}

/// The changes of a register whose values are unique, by the positions of their operations, in an order in
/// which all reads are legal, too; `None` where none is known.
pub(super) fn plan(
    specification: Specification<'_>,
    operations: &[&Operation],
) -> Result<Option<Vec<u32>>, ModelError> {
    let mut model: CasRegister = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let values = model.values.count() + 1;
    let mut register = Register::new(calls, values);
    if register.reduce().is_some() || !register.has_unique_values() {
        return Ok(None);
    }
    Ok(match zones(&register.calls, values) {
        Zones::Plan(plan) => {
            let operation = |call: u32| register.calls[call as usize].operation;
            Some(plan.into_iter().map(operation).collect())
        }
        Zones::Contradiction(_) => None,
    })
}

/// How each kind of walk ends, whatever the zones say; `None` if a contradiction shows before.
#[cfg(test)]
pub(super) fn every_walk(operations: &[&Operation]) -> Option<Vec<(Stage, End)>> {
    let mut model = CasRegister::default();
    let calls = calls(&mut model, operations).expect("the model can read it");
    let mut register = Register::new(calls, model.values.count() + 1);
    if register.reduce().is_some() {
        return None;
    }
    let holds = Holds::new(&register, None);
    let hints = Hints { guide: &holds, few_states: true };
    Some(ends(&model, &register.calls, &hints))
}

/// How many windows have no legal order, of all that there are.
#[cfg(test)]
pub(super) fn refuting_windows(operations: &[&Operation]) -> usize {
    let mut model = CasRegister::default();
    let calls = calls(&mut model, operations).expect("the model can read it");
    let values = model.values.count() + 1;
    let mut register = Register::new(calls, values);
    if register.reduce().is_some() {
        return 0;
    }
    let since = since_of(&register.calls);
    let windows = Windows::new(&model, &register.calls, &since, values);
    let ends = register.calls.iter().flat_map(|call| [call.invoke, call.complete]);
    let ends: Vec<u64> = ends.filter(|index| *index < u64::MAX).collect();
    let refutes = |(from, upto): (u64, u64)| windows.is_refuted(from, upto, 100_000).0;
    let all = ends.iter().flat_map(|from| ends.iter().map(move |upto| (*from, *upto)));
    all.filter(|window| refutes(*window)).count()
}

/// The calls of one register.
pub(super) struct Register {
    /// In order of invocation.
    pub calls: Vec<Call<Step>>,
    /// Whether some cas was refused.
    refused: bool,
    /// Calls that leave each value; the initial one is not counted.
    changes: Vec<u32>,
    /// Calls that see each value.
    seen: Vec<u32>,
    /// Values that a refused cas expected.
    named: Vec<bool>,
}

/// What a step expects to find.
fn expected(step: Step) -> Option<usize> {
    match step {
        Step::Read(value) => value.map(|value| value as usize),
        Step::Cas { expected, .. } => Some(expected as usize),
        Step::Write(_) | Step::Differs(_) => None,
    }
}

/// What a step leaves.
fn left(step: Step) -> Option<usize> {
    match step {
        Step::Write(value) | Step::Cas { new: value, .. } => Some(value as usize),
        Step::Read(_) | Step::Differs(_) => None,
    }
}

impl Register {
    /// Calls in order of invocation; the last of so many values must be nobody's.
    pub fn new(mut calls: Vec<Call<Step>>, values: usize) -> Self {
        for call in &mut calls {
            if let Step::Cas { expected, new } = call.step
                && expected == new
            {
                call.step = Step::Read(Some(expected));
            }
        }
        calls.retain(|call| call.required || left(call.step).is_some());
        let (mut changes, mut seen) = (vec![0; values], vec![0; values]);
        for call in &calls {
            if let Some(value) = left(call.step) {
                changes[value] += 1;
            }
            if let Some(value) = expected(call.step) {
                seen[value] += 1;
            }
        }
        calls.retain(|call| match call.step {
            Step::Differs(value) => value as usize == INITIAL || changes[value as usize] > 0,
            _ => true,
        });
        let mut named = vec![false; values];
        for call in &calls {
            if let Step::Differs(value) = call.step {
                named[value as usize] = true;
            }
        }
        let refused = named.contains(&true);
        let mut register = Self { calls, refused, changes, seen, named };
        register.forget_unseen();
        register
    }

    /// Replaces all values that nobody tells apart by the last number, which is nobody's.
    fn forget_unseen(&mut self) {
        let forgotten = self.seen.len() - 1;
        for call in &mut self.calls {
            if let Step::Write(value) | Step::Cas { new: value, .. } = &mut call.step
                && self.seen[*value as usize] == 0
                && !self.named[*value as usize]
            {
                self.changes[*value as usize] -= 1;
                self.changes[forgotten] += 1;
                *value = forgotten as u32;
            }
        }
    }

    /// Applies the reductions of the module's doc; a contradiction if one shows.
    pub fn reduce(&mut self) -> Option<Core> {
        if self.calls.iter().any(|call| !call.required) {
            self.drop_unseen();
            self.forget_unseen();
            if let Some(core) = self.settle_seen() {
                return Some(core);
            }
            self.expire();
        }
        self.keep_seen_apart();
        self.limit_wants();
        None
    }

    /// Drops doubtful changes whose value nobody sees and that no refused cas may need, until there
    /// are none.
    fn drop_unseen(&mut self) {
        let Self { calls, changes, seen, named, refused } = self;
        loop {
            let before = calls.len();
            calls.retain(|call| {
                let (value, found) = (left(call.step), expected(call.step));
                let is_seen = value.is_some_and(|value| seen[value] > 0);
                let needed = *refused && found.is_none_or(|found| named[found]);
                let kept = call.required || is_seen || needed;
                if !kept {
                    value.inspect(|value| changes[*value] -= 1);
                    found.inspect(|found| seen[*found] -= 1);
                }
                kept
            });
            if calls.len() == before {
                return;
            }
        }
    }

    /// Notes until when doubtful cas can take effect, and drops those that come too late.
    fn expire(&mut self) {
        let gone = self.gone_by();
        for call in self.calls.iter_mut().filter(|call| !call.required) {
            if let Some(value) = expected(call.step) {
                call.expires = gone[value];
            }
        }
        self.calls.retain(|call| call.expires > call.invoke);
    }

    /// Index of the event by which each value has been replaced for good: a value that only one
    /// operation leaves is gone when a change has completed that was invoked after that one completed.
    fn gone_by(&self) -> Vec<u64> {
        let mut changes: Vec<(u64, u64)> = self
            .calls
            .iter()
            .filter(|call| call.required && left(call.step).is_some())
            .map(|call| (call.invoke, call.complete))
            .collect();
        // From the back, the first completion of those invoked here or later.
        for index in (1..changes.len()).rev() {
            changes[index - 1].1 = changes[index - 1].1.min(changes[index].1);
        }
        let first_after = |complete: u64| {
            let later = changes.partition_point(|(invoke, _)| *invoke <= complete);
            changes.get(later).map_or(u64::MAX, |(_, complete)| *complete)
        };
        let mut gone = vec![u64::MAX; self.seen.len()];
        if self.is_unique(INITIAL) {
            gone[INITIAL] = changes.first().map_or(u64::MAX, |(_, complete)| *complete);
        }
        for call in self.calls.iter().filter(|call| call.required) {
            if let Some(value) = left(call.step).filter(|value| self.is_unique(*value)) {
                gone[value] = first_after(call.complete);
            }
        }
        gone
    }

    /// Marks the writes that must be seen before another write follows.
    fn keep_seen_apart(&mut self) {
        let mut required = vec![false; self.seen.len()];
        for value in self.calls.iter().filter(|call| call.required).filter_map(|c| expected(c.step))
        {
            required[value] = true;
        }
        for index in 0..self.calls.len() {
            let Some(value) = left(self.calls[index].step) else {
                continue;
            };
            self.calls[index].absorbable = !(required[value] && self.is_unique(value));
        }
    }

    /// Makes doubtful changes required that a required call has seen, until there are none; a
    /// contradiction if the value was seen before the change was invoked.
    fn settle_seen(&mut self) -> Option<Core> {
        let mut first = vec![(u64::MAX, 0); self.seen.len()];
        for call in self.calls.iter().filter(|call| call.required) {
            note_seen(&mut first, call);
        }
        let doubtful: Vec<usize> =
            (0..self.calls.len()).filter(|index| !self.calls[*index].required).collect();
        loop {
            let mut settled = false;
            for &index in &doubtful {
                let call = &mut self.calls[index];
                let value =
                    left(call.step).expect("doubtful calls that change nothing are dropped");
                let (complete, seer) = first[value];
                let only = self.changes[value] == 1 && value != INITIAL;
                if !only || complete >= call.complete {
                    continue;
                }
                if complete < call.invoke {
                    return Some(Core::Among(vec![call.operation, seer]));
                }
                call.required = true;
                call.complete = complete;
                note_seen(&mut first, call);
                settled = true;
            }
            if !settled {
                return None;
            }
        }
    }

    /// Notes until when the value that a change leaves can be seen.
    fn limit_wants(&mut self) {
        let mut last = vec![0; self.seen.len()];
        for call in &self.calls {
            if let Some(value) = expected(call.step) {
                last[value] = last[value].max(call.complete);
            }
        }
        for call in &mut self.calls {
            call.wanted_until = left(call.step).map_or(0, |value| last[value]);
            call.displaces = self.refused;
        }
    }

    fn has_unique_values(&self) -> bool {
        (0..self.seen.len()).all(|value| self.seen[value] == 0 || self.is_unique(value))
    }

    /// Whether a value is left by one operation at most, the initial one counted.
    fn is_unique(&self, value: usize) -> bool {
        self.changes[value] <= u32::from(value != INITIAL)
    }
}

/// Until when a value must be held, if only one operation can leave it.
pub(super) struct Holds<'a> {
    /// Index of the last invocation of a required call that sees each value.
    until: Vec<u64>,
    /// The operation that must be the one to replace each value: a required cas.
    heir: Vec<u32>,
    windows: Option<Windows<'a>>,
}

/// No operation.
const NOBODY: u32 = u32::MAX;

impl<'a> Holds<'a> {
    /// What must be held in a register that has been reduced, and windows of it.
    pub fn new(register: &Register, windows: Option<Windows<'a>>) -> Self {
        let values = register.seen.len();
        let mut holds = Self { until: vec![0; values], heir: vec![NOBODY; values], windows };
        for call in register.calls.iter().filter(|call| call.required) {
            let Some(value) = expected(call.step).filter(|value| register.is_unique(*value)) else {
                continue;
            };
            holds.until[value] = holds.until[value].max(call.invoke);
            if left(call.step).is_some() {
                holds.heir[value] = call.operation;
            }
        }
        holds
    }
}

impl Guide<CasRegister> for Holds<'_> {
    /// A value that never comes back is not replaced while somebody may still have to see it.
    fn may_leave(&self, value: &u32, by: &Call<Step>, now: u64) -> bool {
        let heir = self.heir[*value as usize];
        self.until[*value as usize] <= now && (heir == NOBODY || heir == by.operation)
    }

    fn held_until(&self, value: &u32) -> u64 {
        self.until[*value as usize]
    }

    fn refute(&self, upto: u64, states_max: u64) -> (bool, u64) {
        self.windows.as_ref().map_or((false, 0), |windows| windows.refute(upto, states_max))
    }
}

/// Notes that a required call has seen what it expects.
fn note_seen(first: &mut [(u64, u32)], call: &Call<Step>) {
    if let Some(value) = expected(call.step) {
        first[value] = first[value].min((call.complete, call.operation));
    }
}
