//! The final reads: what is there at the end.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::{Moment, Operation, SmolStr};
use wrack_sequential::may_change;

use crate::{Evidence, operations_by_key};

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
        let of_key = reads.entry(&operation.key).or_default();
        if quiet_end_ns == 0 {
            *of_key = vec![operation];
        } else if operation.invoke.ns >= quiet_end_ns {
            of_key.push(operation);
        }
    }
    reads.retain(|_, reads| !reads.is_empty());
    reads
}

/// The reads of each key that show where it has settled: the final reads of a run with phases. In a
/// history without, the last ok read of each process that was invoked after every change of the key
/// was over; a process that ended in doubt has none.
pub(crate) fn settled_reads<'a>(
    evidence: &Evidence<'a>,
) -> BTreeMap<&'a SmolStr, Vec<&'a Operation>> {
    if evidence.phases.quiet_end_ns != 0 {
        return final_reads(evidence);
    }
    let operations = &evidence.history.operations;
    let last_of_process: FxHashMap<u32, &Operation> =
        operations.iter().map(|operation| (operation.process, operation)).collect();
    let mut settled = BTreeMap::new();
    for (key, operations) in operations_by_key(operations) {
        let over = changes_over(&operations);
        let mut reads = BTreeMap::<u32, &Operation>::new();
        for read in operations {
            let ends_well = !last_of_process[&read.process].is_info();
            let after = over.is_none_or(|over| over.index < read.invoke.index);
            if read.function == "read" && read.is_ok() && after && ends_well {
                reads.insert(read.process, read);
            }
        }
        if !reads.is_empty() {
            settled.insert(key, reads.into_values().collect());
        }
    }
    settled
}

/// When the last client that waited for a change of these operations had stopped to wait.
pub(crate) fn changes_over(operations: &[&Operation]) -> Option<Moment> {
    let changes = operations.iter().filter(|operation| may_change(operation));
    changes.map(|change| change.complete).filter(|complete| *complete != Moment::NEVER).max()
}
