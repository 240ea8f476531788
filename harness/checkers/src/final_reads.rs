//! The final reads: what is there at the end.

use std::collections::BTreeMap;

use wrack_history::{Operation, SmolStr};

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
