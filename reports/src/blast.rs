//! The blast radius: how much of what clients do was touched, over time.
//!
//! An operation is touched if it did not end ok, or took longer than the slowest percent did before
//! the first fault. Source: the fault-isolation boundaries of the AWS Builders' Library; the threshold is
//! ours.

use std::collections::BTreeSet;

use wrack_history::{Moment, Operation, Outcome, Run, SmolStr};

use crate::plot::bins::Bins;

/// Fewer operations before the first fault than this are no measure of what is usual.
const USUAL_MIN: usize = 100;
/// Slower than so many times what is usual is touched.
const SLOW_FACTOR: u64 = 3;

/// Whom a run hurt, in the bins of its plots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blast {
    /// Longer than this is slow; nothing is if nobody knows what is usual.
    pub(crate) slow_ns: Option<u64>,
    /// What was touched in each bin.
    pub(crate) bins: Vec<Touched>,
    /// Over the whole run.
    pub(crate) whole: Touched,
}

/// What was touched, of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Operations that did not end ok.
    pub(crate) failed: u64,
    /// Operations that ended ok, late.
    pub(crate) slow: u64,
    /// Operations in all.
    pub(crate) operations: u64,
    /// Clients with an operation that was touched.
    pub(crate) clients: u64,
    /// Clients that asked for anything.
    pub(crate) clients_all: u64,
    /// Keys with an operation that was touched.
    pub(crate) keys: u64,
    /// Keys that were asked for.
    pub(crate) keys_all: u64,
}

/// The sets behind the counts.
#[derive(Default)]
struct Seen<'a> {
    clients: [BTreeSet<u32>; 2],
    keys: [BTreeSet<&'a SmolStr>; 2],
}

impl Blast {
    /// Measures a run.
    pub(crate) fn measure(run: &Run, bins: &Bins) -> Self {
        let slow_ns = slow(run);
        let mut touched = vec![Touched::default(); bins.bins.len()];
        let mut whole = Touched::default();
        let mut seen: Vec<Seen<'_>> = Vec::new();
        seen.resize_with(touched.len() + 1, Seen::default);
        let last = touched.len();
        for operation in &run.history.operations {
            let place = (operation.invoke.ns / bins.width_ns) as usize;
            let kind = Kind::of(operation, slow_ns);
            for (touched, place) in [(touched.get_mut(place), place), (Some(&mut whole), last)] {
                let Some(touched) = touched else { continue };
                touched.count(kind);
                seen[place].count(operation, kind);
            }
        }
        for (touched, seen) in touched.iter_mut().chain([&mut whole]).zip(&seen) {
            [touched.clients_all, touched.clients] = [0, 1].map(|i| seen.clients[i].len() as u64);
            [touched.keys_all, touched.keys] = [0, 1].map(|i| seen.keys[i].len() as u64);
        }
        Self { slow_ns, bins: touched, whole }
    }

    /// The worst of the bins by the share of operations, the first of equals.
    pub(crate) fn worst(&self) -> Option<(usize, &Touched)> {
        let some = self.bins.iter().enumerate().filter(|(_, touched)| touched.touched() > 0);
        some.rev().max_by_key(|(_, touched)| touched.share_per_mille())
    }
}

impl Touched {
    /// Operations that were touched.
    pub(crate) fn touched(&self) -> u64 {
        self.failed + self.slow
    }

    /// The share of operations that were touched.
    pub(crate) fn share_per_mille(&self) -> u64 {
        self.touched() * 1_000 / self.operations.max(1)
    }

    fn count(&mut self, kind: Kind) {
        self.operations += 1;
        self.failed += u64::from(kind == Kind::Failed);
        self.slow += u64::from(kind == Kind::Slow);
    }
}

impl<'a> Seen<'a> {
    fn count(&mut self, operation: &'a Operation, kind: Kind) {
        for set in 0..=usize::from(kind != Kind::Fine) {
            self.clients[set].insert(operation.session);
            self.keys[set].insert(&operation.key);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fine,
    Slow,
    Failed,
}

impl Kind {
    fn of(operation: &Operation, slow_ns: Option<u64>) -> Self {
        let took = || operation.complete.ns.saturating_sub(operation.invoke.ns);
        match operation.outcome {
            Outcome::Ok if operation.complete == Moment::NEVER => Self::Failed,
            Outcome::Ok if slow_ns.is_some_and(|slow| took() > slow) => Self::Slow,
            Outcome::Ok => Self::Fine,
            Outcome::Fail | Outcome::Info => Self::Failed,
        }
    }
}

/// Three times the 99th percentile of latency before the first fault.
fn slow(run: &Run) -> Option<u64> {
    let first = run.faults.iter().filter_map(|fault| fault.injected_ns).min().unwrap_or(u64::MAX);
    let usual = run.history.operations.iter().filter(|operation| {
        operation.is_ok() && operation.complete != Moment::NEVER && operation.complete.ns < first
    });
    let mut usual: Vec<u64> =
        usual.map(|operation| operation.complete.ns - operation.invoke.ns).collect();
    if usual.len() < USUAL_MIN {
        return None;
    }
    let rank = usual.len() * 99 / 100;
    let (_, p99, _) = usual.select_nth_unstable(rank);
    Some(p99.saturating_mul(SLOW_FACTOR))
}
