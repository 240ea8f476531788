//! The final reads: what is there at the end.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::{Moment, Operation, SmolStr};
use wrack_sequential::may_change;

use crate::Evidence;

/// The ok reads of each key that were invoked after the quiet phase. In a history without phases,
/// which somebody else recorded, the last ok read of each key.
pub(crate) fn final_reads<'a>(
    evidence: &Evidence<'a>,
) -> BTreeMap<&'a SmolStr, Vec<&'a Operation>> {
    let quiet_end_ns = evidence.phases.quiet_end_ns;
    let mut reads = BTreeMap::<&SmolStr, Vec<&Operation>>::new();
    for operation in &evidence.history.operations {
        if operation.function != "read" || !operation.is_ok() {
            continue;
        }
        if quiet_end_ns == 0 {
            reads.insert(&operation.key, vec![operation]);
        } else if operation.invoke.ns >= quiet_end_ns {
            reads.entry(&operation.key).or_default().push(operation);
        }
    }
    reads
}

/// The reads of each key that show where it has settled: the final reads of a run with phases.
///
/// In a history without, which somebody else recorded: of the reads that were invoked after every
/// change of the key was over, the last of each process; a process that ended in doubt has none. Of
/// these only such count as were invoked after the longest pause since the last change of any key, in
/// which nobody asked for anything, if several processes read then: whoever recorded it has waited
/// there for the design to settle.
pub(crate) fn settled_reads<'a>(
    evidence: &Evidence<'a>,
) -> BTreeMap<&'a SmolStr, Vec<&'a Operation>> {
    if evidence.phases.quiet_end_ns != 0 {
        return final_reads(evidence);
    }
    let operations = &evidence.history.operations;
    let last_of_process: FxHashMap<u32, &Operation> =
        operations.iter().map(|operation| (operation.process, operation)).collect();
    let quiet = after_longest_pause(operations);
    let mut settled = BTreeMap::new();
    for (&key, operations) in evidence.by_key() {
        let over = changes_over(operations);
        let mut reads = BTreeMap::<u32, &Operation>::new();
        for &read in operations {
            let ends_well = !last_of_process[&read.process].is_info();
            let after = over.is_none_or(|over| over.index < read.invoke.index);
            if read.function == "read" && read.is_ok() && after && ends_well {
                reads.insert(read.process, read);
            }
        }
        let late = reads.values().filter(|read| quiet.is_some_and(|quiet| quiet <= read.invoke));
        let late: Vec<&Operation> = late.copied().collect();
        let reads = if late.len() > 1 { late } else { reads.into_values().collect() };
        if !reads.is_empty() {
            settled.insert(key, reads);
        }
    }
    settled
}

/// When the first operation was invoked after the longest pause since the last change was over.
fn after_longest_pause(operations: &[Operation]) -> Option<Moment> {
    let over = changes_over(&operations.iter().collect::<Vec<_>>());
    let mut before = over.map_or(0, |over| over.ns);
    let mut longest: Option<(u64, Moment)> = None;
    let later = operations.iter().filter(|one| over.is_none_or(|over| over < one.invoke));
    for operation in later {
        let pause = operation.invoke.ns.saturating_sub(before);
        before = operation.invoke.ns;
        if longest.is_none_or(|(known, _)| known < pause) {
            longest = Some((pause, operation.invoke));
        }
    }
    longest.map(|(_, at)| at)
}

/// When the last client that waited for a change of these operations had stopped to wait.
pub(crate) fn changes_over(operations: &[&Operation]) -> Option<Moment> {
    let changes = operations.iter().filter(|operation| may_change(operation));
    changes.map(|change| change.complete).filter(|complete| *complete != Moment::NEVER).max()
}

#[cfg(test)]
mod tests {
    use super::settled_reads;
    use crate::Evidence;
    use crate::story::history;

    fn check(text: &str, processes: &[u32]) {
        let history = history(text);
        let evidence = Evidence::of_history(&history, "register");
        let settled = settled_reads(&evidence);
        let found: Vec<u32> = settled.values().flatten().map(|read| read.process).collect();
        assert_eq!(found, processes, "{text}");
    }

    #[test]
    fn the_last_read_of_each_process_counts_if_it_began_after_all_changes() {
        check("p1 write k 1 1..9\n p2 read k - 5..10 1\n p3 read k - 10..11 1", &[3]);
        check(
            "p1 write k 1 1..2\n p2 read k - 5..6 1\n p2 read k - 7..?\n p3 read k - 8..9 1",
            &[3],
        );
    }

    #[test]
    fn after_a_long_pause_only_what_follows_counts_if_several_read_then() {
        let reads = "p1 write k 1 1..9\n p2 read k - 10..11\n p3 read k - 50..51 1";
        check(reads, &[2, 3]);
        check(&format!("{reads}\n p4 read k - 52..53 1"), &[3, 4]);
    }
}
