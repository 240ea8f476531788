//! PHANTOM: no value from nowhere.
//!
//! Valid: the read returns what an operation in doubt wrote; it may have taken effect.
//! ```text
//! p1  |- write 1 ?
//! p2                |- read 1 -|
//! ```
//! Invalid, because the read returns what was written only later:
//! ```text
//! p1                             |- write 1 -|
//! p2                |- read 1 -|
//! ```
//! The definition: no read returns a value never written, written only later, or of an operation
//! that failed. The initial value was always there. In a set, each element that is read is judged by itself. A refused cas wrote nothing.

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, Value, duration};

use crate::register::{is_refused, left};
use crate::words::{done_at, noun, of};
use crate::{Evidence, Guarantee, Judge};

/// No value from nowhere.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "PHANTOM",
        name: "no value from nowhere",
        doc: "No read returns a value that was never written, that was written only after the read \
              had completed, or that comes from an operation which the client was told had failed.\n\n\
              An operation in doubt may have taken effect, so its value may be read. In a set, each \
              element is judged by itself.\n\n\
              The usual ways to break it: a dirty read of a transaction that is rolled back; a `fail` \
              answered after the effect; a corrupt record that is served; a value computed from a \
              stale one.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    if !evidence.is_set() && !matches!(evidence.model, "register" | "cas-register") {
        let model = evidence.model;
        judgement.doubt(format!("what is read of the model {model} is no written value"));
        return judgement;
    }
    for (&key, operations) in evidence.by_key() {
        let sources = Sources::new(operations, elements(evidence, evidence.initial));
        let reads = operations.iter().filter(|operation| is_ok_read(operation));
        let mut reads: Vec<&Operation> = reads.copied().collect();
        reads.sort_unstable_by_key(|read| read.complete.index);
        judgement.examine("keys", 1);
        judgement.examine("reads", reads.len() as u64);
        let mut explained: &[Value] = &[];
        for read in reads {
            let values = elements(evidence, &read.result);
            // What explains an element to one read explains it to every read that completes later,
            // and a set is mostly read in one order: only what is new must be looked up.
            let known = explained.iter().zip(values).take_while(|(old, new)| old == new).count();
            let phantom = values[known..].iter().find(|value| !sources.explain(value, read));
            explained = if phantom.is_none() { values } else { &[] };
            let Some(value) = phantom.filter(|_| judgement.anomalies.len() < ANOMALIES_MAX) else {
                continue;
            };
            let mut anomaly = sources.anomaly(value, read);
            anomaly.key = Some(key.clone()).filter(|key| !key.is_empty());
            judgement.contradict(anomaly);
        }
    }
    judgement
}

/// What a state is made of: the elements of a set, or the value itself.
fn elements<'a>(evidence: &Evidence<'_>, state: &'a Value) -> &'a [Value] {
    match state {
        Value::Nil if evidence.is_set() => &[],
        Value::List(elements) if evidence.is_set() => elements,
        value => std::slice::from_ref(value),
    }
}

fn is_ok_read(operation: &Operation) -> bool {
    operation.is_ok() && operation.function == "read"
}

/// The value or element that an operation would make readable.
fn source(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        "add" | "append" => Some(&operation.argument),
        "cas" => operation.argument.as_pair().map(|(_, new)| new),
        _ => left(operation),
    }
}

/// Of each value, the operation that explains it best: of those that may have taken effect the one
/// that was invoked first, or else one that did not.
struct Sources<'a> {
    best: FxHashMap<&'a Value, &'a Operation>,
    /// What was there from the beginning.
    initial: FxHashSet<&'a Value>,
}

impl<'a> Sources<'a> {
    fn new(operations: &[&'a Operation], initial: &'a [Value]) -> Self {
        let mut best = FxHashMap::with_capacity_and_hasher(operations.len(), FxBuildHasher);
        for operation in operations.iter().copied() {
            let Some(value) = source(operation) else {
                continue;
            };
            let known: &mut &Operation = best.entry(value).or_insert(operation);
            if rank(operation) < rank(known) {
                *known = operation;
            }
        }
        Self { best, initial: initial.iter().collect() }
    }

    fn explain(&self, value: &Value, read: &Operation) -> bool {
        let explains = |source: &&Operation| !is_void(source) && !read.precedes(source);
        self.initial.contains(value) || self.best.get(value).is_some_and(explains)
    }

    fn anomaly(&self, value: &Value, read: &Operation) -> Anomaly {
        let source = self.best.get(value).copied();
        let why = match source {
            None => "nobody ever wrote it".to_owned(),
            Some(source) if is_refused(source) => format!("{} was refused", noun(source)),
            Some(source) if is_void(source) => format!("{} had failed", noun(source)),
            Some(source) => format!(
                "{} was invoked only at {}",
                noun(source),
                duration::seconds(source.invoke.ns)
            ),
        };
        let operations = [Some(read), source].into_iter().flatten();
        let mut operations: Vec<u64> = operations.map(|operation| operation.id).collect();
        operations.sort_unstable();
        Anomaly {
            explanation: format!(
                "process {} read {value}{} at {}, but {why}",
                read.process,
                of(read),
                done_at(read),
            ),
            operations,
            at_ns: Some(read.complete.ns),
            ..Anomaly::default()
        }
    }
}

/// Whether the operation is known to have written nothing.
fn is_void(operation: &Operation) -> bool {
    operation.outcome == Outcome::Fail || is_refused(operation)
}

fn rank(operation: &Operation) -> (bool, u64) {
    (is_void(operation), operation.invoke.index)
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::GUARANTEE;
    use crate::story::Case;

    #[test]
    fn what_was_written_before_or_is_in_doubt_may_be_read() {
        Case::new(
            "register",
            "p1 write k 1 10..?
             p1 write k 2 11..12 fail
             p3 write k 2 13..50
             p2 read  k - 20..30 1
             p2 read  k - 31..32 2
             p2 read  k - 33..34",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_value_that_nobody_wrote_or_only_later_or_in_vain_is_a_phantom() {
        let rejected = |history: &str, why: &str| {
            let explanation = format!("process 2 read 1 of k at 0.030 s, but {why}");
            Case::new("cas-register", history).rejected_by(&GUARANTEE, &explanation);
        };
        rejected("p2 read k - 20..30 1", "nobody ever wrote it");
        rejected(
            "p2 read  k - 20..30 1
             p1 write k 1 31..40",
            "write 1 by process 1 was invoked only at 0.031 s",
        );
        rejected(
            "p1 write k 1 10..19 fail
             p2 read  k - 20..30 1",
            "write 1 by process 1 had failed",
        );
        rejected(
            "p1 cas  k [7,1] 10..19 false
             p2 read k - 20..30 1",
            "cas 7 to 1 by process 1 was refused",
        );
    }

    #[test]
    fn what_was_there_from_the_beginning_is_no_phantom() {
        let read = "p2 read k - 20..30 7";
        Case::new("register", read).initial(7.into()).accepted_by(&GUARANTEE);
        Case::new("register", "p2 read k - 20..30").initial(7.into()).rejected_by(
            &GUARANTEE,
            "process 2 read nil of k at 0.030 s, but nobody ever wrote it",
        );
        let initial = Value::list([7.into()]);
        Case::new("set", "p2 read k - 20..30 [7]").initial(initial).accepted_by(&GUARANTEE);
        Case::new("set", "p2 read k - 20..30").accepted_by(&GUARANTEE);
    }

    #[test]
    fn each_element_of_a_set_is_judged() {
        Case::new(
            "set",
            "p1 add  k 1 10..?
             p2 read k - 20..30 [1,7]",
        )
        .rejected_by(&GUARANTEE, "process 2 read 7 of k at 0.030 s, but nobody ever wrote it");
    }
}
