//! What a register's operations found must have come from somewhere.
//!
//! [`super::visibility`] has the proof. It refutes most histories that are not linearizable without a
//! search: stale reads, lost writes, values that nobody wrote.

use wrack_sequential::INITIAL;
use wrack_sequential::cas_register::Step;

use super::call::{Call, Core};
use super::visibility::Since;

/// Changes that are looked at for one refused cas.
const LOOKED_AT_MAX: usize = 64;

/// A required call that found what it cannot have seen, and what hides the rest from it.
///
/// Bounds: n log n steps.
pub(super) fn nowhere(calls: &[Call<Step>], since: &[Since], values: usize) -> Option<Core> {
    let sources = Sources::new(calls, values);
    let mut seers = calls.iter().zip(since).filter(|(call, _)| call.required);
    let (seer, since) = seers.find(|(call, since)| !sources.has_any(call, **since))?;
    let mut among = vec![seer.operation];
    among.extend(calls.get(since.by).map(|hiding| hiding.operation));
    let value = match seer.step {
        Step::Read(Some(value)) | Step::Cas { expected: value, .. } => value as usize,
        _ => return Some(Core::Among(vec![seer.operation])),
    };
    among.extend(sources.nearest(value, seer).map(|source| calls[source as usize].operation));
    among.sort_unstable();
    among.dedup();
    Some(Core::Among(among))
}

/// A change that leaves a value, and those before it that leave the same.
struct Source {
    invoke: u64,
    /// The latest completion among them.
    complete: u64,
    /// The one that completes then.
    last: u32,
}

struct Sources<'a> {
    calls: &'a [Call<Step>],
    /// The changes that leave each value, in order of invocation.
    of_value: Vec<Vec<Source>>,
    /// All changes, in order of invocation.
    changes: Vec<u32>,
}

impl<'a> Sources<'a> {
    fn new(calls: &'a [Call<Step>], values: usize) -> Self {
        let mut of_value: Vec<Vec<Source>> = Vec::new();
        of_value.resize_with(values, Vec::new);
        let mut changes = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            let (Step::Write(value) | Step::Cas { new: value, .. }) = call.step else {
                continue;
            };
            changes.push(index as u32);
            let own = (call.complete, index as u32);
            let all = &mut of_value[value as usize];
            let before = all.last().map_or((0, 0), |source| (source.complete, source.last));
            let (complete, last) = own.max(before);
            all.push(Source { invoke: call.invoke, complete, last });
        }
        Self { calls, of_value, changes }
    }

    /// Of the changes that leave a value the one that the call came closest to having seen.
    fn nearest(&self, value: usize, call: &Call<Step>) -> Option<u32> {
        let sources = &self.of_value[value];
        let invoked = sources.partition_point(|source| source.invoke < call.complete);
        sources[..invoked].last().or(sources.first()).map(|source| source.last)
    }

    /// Whether the call can have seen something that makes it legal.
    fn has_any(&self, call: &Call<Step>, since: Since) -> bool {
        match call.step {
            Step::Read(Some(value)) | Step::Cas { expected: value, .. } => {
                let sources = &self.of_value[value as usize];
                let invoked = sources.partition_point(|source| source.invoke < call.complete);
                let seen = sources[..invoked].last().is_some_and(|last| since.sees(last.complete));
                seen || (value == INITIAL && since.sees_initial())
            }
            Step::Differs(value) => {
                let is_seen = |source: &&u32| {
                    let source = &self.calls[**source as usize];
                    let (Step::Write(left) | Step::Cas { new: left, .. }) = source.step else {
                        return false;
                    };
                    left != value && since.sees(source.complete)
                };
                let before = |source: &u32| self.calls[*source as usize].invoke < call.complete;
                let invoked = self.changes.partition_point(before);
                let mut nearest = self.changes[..invoked].iter().rev().take(LOOKED_AT_MAX);
                (value != INITIAL && since.sees_initial())
                    || nearest.any(|source| is_seen(&source))
                    || invoked > LOOKED_AT_MAX
            }
            Step::Read(None) | Step::Write(_) => true,
        }
    }
}
