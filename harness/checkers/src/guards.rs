//! Guards against vacuous verdicts: did enough happen for a verdict to mean something?
//!
//! A run in which nothing overlapped, or nothing was read, keeps every promise. These counts are
//! compared by whoever runs a scenario with the minimums that it declares.

use rustc_hash::FxHashMap;
use wrack_history::{History, Operation};
use wrack_sequential::{is_ok_observation, may_change};

/// What happened in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// Operations that ended ok.
    pub ok: u64,
    /// Observations that ended ok: reads, and what takes something out and so tells what it was.
    pub reads_ok: u64,
    /// Pairs of an ok observation and another operation that may have changed the same key, ok or in
    /// doubt, that were open at the same time.
    pub overlapping_pairs: u64,
}

/// Counts what happened.
///
/// Shape: a read overlaps all changes of its key that were invoked before it completed, but for those
/// that were over before it was invoked; a change counts as open as long as its client waited for it.
/// O(n log n) in the operations, however many pairs there are.
pub fn guards(history: &History) -> Guards {
    let mut guards = Guards::default();
    let mut keys = FxHashMap::<&str, Key>::default();
    for operation in &history.operations {
        guards.ok += u64::from(operation.is_ok());
        let (observed, changed) = (is_ok_observation(operation), may_have_changed(operation));
        if !observed && !changed {
            continue;
        }
        let key = keys.entry(operation.key.as_str()).or_default();
        if observed {
            guards.reads_ok += 1;
            let (from, to) = (operation.invoke.index, operation.complete.index);
            key.reads.push(Observation { from, to, changed });
        }
        if changed {
            key.begins.push(operation.invoke.index);
            key.ends.push(operation.complete.index);
        }
    }
    // Sums do not depend on the order of the keys.
    guards.overlapping_pairs = keys.into_values().map(Key::overlapping_pairs).sum();
    guards
}

/// When an observation was open, as indices of the history.
struct Observation {
    from: u64,
    to: u64,
    /// Whether it is a change, too, as a dequeue is: it does not overlap itself.
    changed: bool,
}

/// When the observations and changes of a key were open, as indices of the history.
#[derive(Default)]
struct Key {
    reads: Vec<Observation>,
    begins: Vec<u64>,
    ends: Vec<u64>,
}

impl Key {
    fn overlapping_pairs(mut self) -> u64 {
        self.begins.sort_unstable();
        self.ends.sort_unstable();
        let before = |indices: &[u64], index| indices.partition_point(|one| *one < index) as u64;
        let overlapped = |one: &Observation| {
            let open = before(&self.begins, one.to) - before(&self.ends, one.from);
            open - u64::from(one.changed)
        };
        self.reads.iter().map(overlapped).sum()
    }
}

fn may_have_changed(operation: &Operation) -> bool {
    may_change(operation) && operation.outcome != wrack_history::Outcome::Fail
}

/// Operations that were open at some time between two virtual times, both included.
pub fn open_between(history: &History, from_ns: u64, to_ns: u64) -> u64 {
    let open =
        |operation: &&Operation| operation.invoke.ns <= to_ns && operation.complete.ns >= from_ns;
    history.operations.iter().filter(open).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Moment, Operation, Outcome};

    use super::{Guards, guards, is_ok_observation, may_have_changed, open_between};
    use crate::story::history;

    #[test]
    fn pairs_of_one_key_that_overlap_are_counted() {
        let history = history(
            "p1 write a 1 10..20
             p2 read  a - 15..30
             p3 read  b - 12..30
             p4 write a 2 25..?
             p5 write a 3 26..28 fail
             p6 read  a - 40..?
             p7 read  a - 41..50",
        );
        let expected = Guards { ok: 4, reads_ok: 3, overlapping_pairs: 3 };
        assert_eq!(guards(&history), expected);
        assert_eq!(open_between(&history, 31_000_000, 39_000_000), 1);
    }

    #[test]
    fn what_takes_something_out_is_an_observation_and_does_not_overlap_itself() {
        let history = history(
            "p1 enqueue q 1 10..20
             p2 dequeue q - 15..30
             p3 dequeue q - 25..40
             p4 poll    l - 10..50
             p5 append  l 1 20..30",
        );
        // The dequeues overlap each other, the first of them the enqueue, and the poll the append.
        let expected = Guards { ok: 5, reads_ok: 3, overlapping_pairs: 4 };
        assert_eq!(guards(&history), expected);
    }

    /// Compares every observation with every change.
    fn pairs(operations: &[Operation]) -> u64 {
        let reads = operations.iter().filter(|one| is_ok_observation(one));
        let pairs = reads.map(|read| {
            let overlap = |change: &&Operation| {
                !std::ptr::eq(*change, read)
                    && may_have_changed(change)
                    && change.key == read.key
                    && change.invoke.index < read.complete.index
                    && read.invoke.index < change.complete.index
            };
            operations.iter().filter(overlap).count() as u64
        });
        pairs.sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn the_sweep_counts_what_comparing_all_pairs_counts(
            raws in prop::collection::vec((0..3usize, 0..2u8, 0..30u64, 0..30u64, 0..3u8), 0..20),
        ) {
            let mut history = history("p1 read k - 1..2");
            let template = history.operations.remove(0);
            for (position, (function, key, begin, length, outcome)) in raws.into_iter().enumerate() {
                let at = |ms: u64| Moment { index: ms * 100 + position as u64, ns: ms };
                let outcome = [Outcome::Ok, Outcome::Fail, Outcome::Info][usize::from(outcome)];
                history.operations.push(Operation {
                    key: if key == 0 { "a" } else { "b" }.into(),
                    function: ["read", "write", "dequeue"][function].into(),
                    outcome,
                    invoke: at(begin),
                    complete: match outcome {
                        Outcome::Info => Moment::NEVER,
                        _ => at(begin + length + 1),
                    },
                    ..template.clone()
                });
            }
            prop_assert_eq!(guards(&history).overlapping_pairs, pairs(&history.operations));
        }
    }
}
