//! Follows a plan: the order of the changes is given, reads and refused cas are fitted in.

use rustc_hash::FxHashMap;
use wrack_sequential::cas_register::Step;

use super::call::{Call, Event, events};

/// Whether all required calls are legal when the changes of `plan` are taken in that order.
///
/// Why it is enough: a change is taken only when a call that completes needs it, and never before it
/// is invoked, so every call stands within its interval; reads and refused cas stand where they are
/// legal. For the given order, taking the next change as late as possible leaves everything else
/// the most time, so `false` means that no legal order has the changes in the order of the plan.
pub(super) fn follows_plan(calls: &[Call<Step>], plan: &[u32]) -> bool {
    let mut walk = Walk {
        calls,
        plan: plan.iter(),
        value: 0,
        done: vec![false; calls.len()],
        invoked: vec![false; calls.len()],
        open_reads: FxHashMap::default(),
        open_refused: Vec::new(),
    };
    events(calls).into_iter().all(|event| match event {
        Event::Invoke(call) => {
            walk.invoke(call);
            true
        }
        Event::Complete(call) => walk.complete(call),
        Event::Expire(_) => true,
    })
}

struct Walk<'a> {
    calls: &'a [Call<Step>],
    plan: std::slice::Iter<'a, u32>,
    value: u32,
    done: Vec<bool>,
    invoked: Vec<bool>,
    /// Reads that wait for their value.
    open_reads: FxHashMap<u32, Vec<u32>>,
    /// Refused cas that wait for another value.
    open_refused: Vec<u32>,
}

impl Walk<'_> {
    fn invoke(&mut self, call: u32) {
        self.invoked[call as usize] = true;
        match self.calls[call as usize].step {
            Step::Read(Some(value)) if value == self.value => self.done[call as usize] = true,
            Step::Read(Some(value)) => self.open_reads.entry(value).or_default().push(call),
            Step::Differs(value) if value != self.value => self.done[call as usize] = true,
            Step::Differs(_) => self.open_refused.push(call),
            _ => (),
        }
    }

    fn complete(&mut self, call: u32) -> bool {
        while !self.done[call as usize] {
            match self.plan.next() {
                Some(&change) if self.invoked[change as usize] => self.take(change),
                _ => return false,
            }
        }
        true
    }

    fn take(&mut self, change: u32) {
        let (Step::Write(value) | Step::Cas { new: value, .. }) = self.calls[change as usize].step
        else {
            unreachable!("a plan holds changes");
        };
        self.value = value;
        self.done[change as usize] = true;
        for read in self.open_reads.remove(&value).unwrap_or_default() {
            self.done[read as usize] = true;
        }
        let (calls, done) = (self.calls, &mut self.done);
        self.open_refused.retain(|refused| {
            let waits = calls[*refused as usize].step == Step::Differs(value);
            done[*refused as usize] = !waits;
            waits
        });
    }
}
