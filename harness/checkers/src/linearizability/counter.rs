//! Counters: bounds of what can have been learned, and counting where all adds are equal.
//!
//! # Bounds
//! Before an operation that learned a sum stand all ok adds that had completed when it was invoked,
//! and of the others some of those that had been invoked when it completed. So the sum before it lies
//! between what these make it at least and at most. A sum outside is a contradiction by itself, given
//! the adds.
//!
//! # Counting
//! If all adds that change the sum add the same, the sum tells how many of them stand before: the sums
//! are a [succession](super::succession) of one class of changes, but for an add that was told the
//! sum, which has its own place.
//!
//! Otherwise the search decides; which adds make up a sum is the problem of subset sums.

use wrack_history::Operation;
use wrack_sequential::counter::{Counter, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::search::{Hints, search};
use super::succession::{Part, Succession, follow};

/// Decides one counter, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: Counter = specification.start()?;
    let mut calls = calls(&mut model, operations)?;
    calls.retain(|call| call.step != Step::Add { delta: 0, sum: None });
    let start = model.initial();
    if let Some(call) = Bounds::new(&calls, start).first_outside(&calls) {
        return Ok((Answer::Contradiction(Core::Among(vec![call.operation])), "bounds"));
    }
    Ok(match Counting::new(&calls, start) {
        Some(counting) => (counting.decide(&calls), "counting"),
        None => (search(&model, &calls, &Hints::NONE, states_max), "just-in-time search"),
    })
}

/// What the sum is made of.
struct Bounds {
    start: i128,
    /// Every add: when it was invoked, and what is added that is positive and negative by then.
    invoked: Vec<(u64, i128, i128)>,
    /// Every required add: when it completed, and the same.
    completed: Vec<(u64, i128, i128)>,
}

impl Bounds {
    fn new(calls: &[Call<Step>], start: i64) -> Self {
        let adds = || calls.iter().filter_map(|call| Some((call, delta(call.step)?)));
        let invoked = adds().map(|(call, delta)| (call.invoke, delta));
        let completed = adds().filter(|(call, _)| call.required);
        let completed = completed.map(|(call, delta)| (call.complete, delta));
        Self { start: start.into(), invoked: sums(invoked), completed: sums(completed) }
    }

    /// The first to complete of the calls that learned a sum out of bounds.
    fn first_outside<'a>(&self, calls: &'a [Call<Step>]) -> Option<&'a Call<Step>> {
        let outside = calls.iter().filter(|call| call.required && self.is_outside(call));
        outside.min_by_key(|call| call.complete)
    }

    fn is_outside(&self, call: &Call<Step>) -> bool {
        let Some(sum) = base(call.step) else {
            return false;
        };
        let own = delta(call.step).unwrap_or(0);
        let (rises, falls) = before(&self.completed, call.invoke);
        let (may_rise, may_fall) = before(&self.invoked, call.complete);
        let most = self.start + may_rise - own.max(0) + falls;
        let least = self.start + may_fall - own.min(0) + rises;
        !(least..=most).contains(&sum)
    }
}

/// What has been added by each moment.
fn sums(adds: impl Iterator<Item = (u64, i128)>) -> Vec<(u64, i128, i128)> {
    let mut adds: Vec<(u64, i128, i128)> =
        adds.map(|(at, delta)| (at, delta.max(0), delta.min(0))).collect();
    adds.sort_unstable();
    let mut sum = (0, 0);
    for (_, rise, fall) in &mut adds {
        sum = (sum.0 + *rise, sum.1 + *fall);
        (*rise, *fall) = sum;
    }
    adds
}

fn before(sums: &[(u64, i128, i128)], moment: u64) -> (i128, i128) {
    let count = sums.partition_point(|(at, ..)| *at < moment);
    count.checked_sub(1).map_or((0, 0), |last| (sums[last].1, sums[last].2))
}

/// What a call adds.
fn delta(step: Step) -> Option<i128> {
    match step {
        Step::Read(_) => None,
        Step::Add { delta, .. } => Some(delta.into()),
    }
}

/// The sum before the call, if it is known.
fn base(step: Step) -> Option<i128> {
    match step {
        Step::Read(found) => found.map(i128::from),
        Step::Add { delta, sum } => sum.map(|sum| i128::from(sum) - i128::from(delta)),
    }
}

/// Sums by how many adds they are away from the first one.
struct Counting {
    start: i128,
    delta: i128,
}

/// The class of adds that were not told the sum.
const ANY: u32 = 0;

impl Counting {
    /// `None` if adds differ, or make a sum that does not fit in 64 bits.
    fn new(calls: &[Call<Step>], start: i64) -> Option<Self> {
        let mut deltas = calls.iter().filter_map(|call| delta(call.step)).filter(|d| *d != 0);
        let delta = deltas.next().unwrap_or(1);
        let start = i128::from(start);
        let last = start + delta * calls.len() as i128;
        let fits = i64::try_from(last).is_ok();
        (fits && deltas.all(|other| other == delta)).then_some(Self { start, delta })
    }

    /// How many adds stand before a call that knows the sum; `None` if no number of them makes it.
    fn count(&self, call: &Call<Step>) -> Option<Option<u64>> {
        let Some(sum) = base(call.step) else {
            return Some(None);
        };
        let away = sum - self.start;
        let whole = away % self.delta == 0;
        whole.then(|| u64::try_from(away / self.delta).ok()).flatten().map(Some)
    }

    fn decide(&self, calls: &[Call<Step>]) -> Answer {
        let mut told: Vec<Option<u32>> = vec![None; calls.len()];
        let mut parts = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            let Some(count) = self.count(call) else {
                return contradiction(vec![call.operation]);
            };
            let changes = delta(call.step).is_some_and(|delta| delta != 0);
            parts.push(match count {
                None => Part::Change(ANY),
                Some(count) if !changes => Part::Look(count, count),
                Some(count) => {
                    let Some(place) = told.get_mut(count as usize) else {
                        return contradiction(vec![call.operation]);
                    };
                    if let Some(rival) = place.replace(index as u32) {
                        let rival = calls[rival as usize].operation;
                        return contradiction(vec![rival, call.operation]);
                    }
                    Part::Change(1 + index as u32)
                }
            });
        }
        let class_at = |count: u64| {
            let told = told.get(count as usize)?;
            Some(told.map_or(ANY, |call| 1 + call))
        };
        let succession = Succession { start: 0, classes: 1 + calls.len(), class_at };
        match follow(calls, &parts, &succession) {
            Ok(()) => Answer::Linearizable,
            Err(stuck) => {
                let among = stuck.rivals.into_iter().chain([stuck.goal]);
                contradiction(among.map(|call| calls[call as usize].operation).collect())
            }
        }
    }
}

fn contradiction(among: Vec<u32>) -> Answer {
    Answer::Contradiction(Core::Among(among))
}
