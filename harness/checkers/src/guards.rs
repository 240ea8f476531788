//! Guards against vacuous verdicts: did enough happen for a verdict to mean something?
//!
//! A run in which nothing overlapped, or nothing was read, keeps every promise. These counts are
//! compared by whoever runs a scenario with the minimums that it declares.

use rustc_hash::FxHashMap;
use wrack_history::{History, Operation};
use wrack_sequential::may_change;

/// What happened in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// Operations that ended ok.
    pub ok: u64,
    /// Reads that ended ok.
    pub reads_ok: u64,
    /// Pairs of an ok read and a change of the same key, ok or in doubt, that were open at the same
    /// time.
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
        if operation.function == "read" {
            if operation.is_ok() {
                guards.reads_ok += 1;
                let key = keys.entry(operation.key.as_str()).or_default();
                key.reads.push((operation.invoke.index, operation.complete.index));
            }
        } else if may_have_changed(operation) {
            let key = keys.entry(operation.key.as_str()).or_default();
            key.begins.push(operation.invoke.index);
            key.ends.push(operation.complete.index);
        }
    }
    // Sums do not depend on the order of the keys.
    guards.overlapping_pairs = keys.into_values().map(Key::overlapping_pairs).sum();
    guards
}

/// When the reads and changes of a key were open, as indices of the history.
#[derive(Default)]
struct Key {
    reads: Vec<(u64, u64)>,
    begins: Vec<u64>,
    ends: Vec<u64>,
}

impl Key {
    fn overlapping_pairs(mut self) -> u64 {
        self.begins.sort_unstable();
        self.ends.sort_unstable();
        let before = |indices: &[u64], index| indices.partition_point(|one| *one < index) as u64;
        let overlapped =
            |(from, to): &(u64, u64)| before(&self.begins, *to) - before(&self.ends, *from);
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

    use super::{Guards, guards, may_have_changed, open_between};
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

    /// Compares every read with every change.
    fn pairs(operations: &[Operation]) -> u64 {
        let reads = operations.iter().filter(|one| one.function == "read" && one.is_ok());
        let pairs = reads.map(|read| {
            let overlap = |change: &&Operation| {
                change.function != "read"
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
            raws in prop::collection::vec((any::<bool>(), 0..2u8, 0..30u64, 0..30u64, 0..3u8), 0..20),
        ) {
            let mut history = history("p1 read k - 1..2");
            let template = history.operations.remove(0);
            for (position, (read, key, begin, length, outcome)) in raws.into_iter().enumerate() {
                let at = |ms: u64| Moment { index: ms * 100 + position as u64, ns: ms };
                let outcome = [Outcome::Ok, Outcome::Fail, Outcome::Info][usize::from(outcome)];
                history.operations.push(Operation {
                    key: if key == 0 { "a" } else { "b" }.into(),
                    function: if read { "read" } else { "write" }.into(),
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
