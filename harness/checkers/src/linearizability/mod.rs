//! LIN: every operation takes effect at one instant between its invocation and its completion.
//!
//! The definition, per key: there is a total order of the ok and of some of the doubtful operations,
//! legal for the sequential model, in which a precedes b if a's completion stands before b's
//! invocation in the recorded order of events. A failed operation has no effect; a doubtful one
//! (`info`) may take effect at any later time or never. A process with a doubtful operation invokes
//! nothing more, so the order of each process is implied.
//!
//! Valid, because the read overlaps the write:
//! ```text
//! p1  |---- write 1 ----|
//! p2      |- read 1 -|      |- read 1 -|
//! ```
//! Invalid, because the second read goes back to what was overwritten before it began:
//! ```text
//! p1  |- write 1 -|  |---- write 2 ----|
//! p2                   |- read 2 -|
//! p3                                 |- read 1 -|
//! ```
//! Linearizability is local (Herlihy and Wing 1990, theorem 1), so keys are judged one by one.
//!
//! * `call` is the compact form of a key's operations;
//! * `search` decides for every model by `walk`s through the events, `configuration` is what these keep;
//! * `register`, `unique`, `zones`, `plan` and `sources` decide most registers without a search,
//!   `windows` refute others piece by piece, `kv` is what reduces to them;
//! * `set` decides sets that only grow, `succession` what has a known order (`log`, `counter`, `mutex`),
//!   and `containers` queues, stacks and priority queues whose values go in once;
//! * `keys` judges them in parallel, `shrink` makes a contradiction small, `explain` says it in words,
//!   and `counterexample` on paper;
//! * `witness` finds an order that shows a `valid`.

mod bank;
mod call;
mod configuration;
mod containers;
mod counter;
mod counterexample;
mod depth;
mod explain;
mod keys;
mod kv;
mod log;
mod mutex;
mod open;
mod plan;
mod register;
mod search;
mod set;
mod shrink;
mod sources;
mod succession;
mod unique;
mod unique_ids;
mod visibility;
mod walk;
mod windows;
mod witness;
mod zones;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Judgement, Operation, Settings, SmolStr, Verdict};
use wrack_sequential::priority_queue::PriorityQueue;
use wrack_sequential::queue::Queue;
use wrack_sequential::stack::Stack;
use wrack_sequential::{Model, ModelError, Specification, Visitor, is_ok_observation};

use crate::{Evidence, Guarantee, Judge};
use call::{Answer, calls};
use search::{Hints, search};
pub use witness::{Witness, witnesses};

/// Linearizability, per key.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "LIN",
        name: "linearizability",
        doc: "Every operation seems to take effect at one instant between its invocation and its \
              completion, as if there were a single copy of the data.\n\n\
              For each key there must be an order of its operations that one client at a time could \
              have seen, and in which an operation that had completed before another was invoked \
              stands before it. Operations that failed have no effect. Operations in doubt (the \
              client gave up waiting) may take effect at any later time, or never.\n\n\
              The usual ways to break it: a read from a replica or a deposed leader that has not \
              heard of the last write; an acknowledged write that a crash or a failover loses; a \
              retried write that is applied twice. A report shows a smallest set of operations that \
              no order explains.\n\n\
              Sources: Herlihy and Wing, Linearizability: A Correctness Condition for Concurrent \
              Objects, 1990; Wing and Gong 1993; Gibbons and Korach 1997; Lowe 2017.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

/// More broken keys than this are counted, not described.
const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let operations = &evidence.history.operations;
    let reads = operations.iter().filter(|operation| is_ok_observation(operation));
    let (keys, decided) = decide_all(evidence);
    if !keys.is_empty() {
        judgement.examine("reads", reads.count() as u64);
        judgement.examine("keys", keys.len() as u64);
        judgement.examine("operations", operations.len() as u64);
    }
    let mut algorithms = BTreeMap::<&str, u64>::new();
    let mut broken = Vec::new();
    for ((key, operations), decided) in keys.iter().zip(&decided) {
        judgement.keys.insert((*key).clone(), verdict(decided));
        match decided {
            Err(reason) => judgement.doubt(reason.clone()),
            Ok((answer, algorithm)) => {
                *algorithms.entry(algorithm).or_default() += 1;
                match answer {
                    Answer::Linearizable => (),
                    Answer::Unknown(reason) => judgement.doubt(format!("{}: {reason}", name(key))),
                    Answer::Contradiction(core) => broken.push((operations, core)),
                }
            }
        }
    }
    if !broken.is_empty() {
        judgement.examine("broken keys", broken.len() as u64);
        broken.truncate(ANOMALIES_MAX);
        let sum = broken.iter().map(|(operations, _)| operations.len()).sum();
        let specification = evidence.specification();
        let anomalies = keys::map(&broken, sum, |(operations, core)| {
            let small = shrink::shrink(specification, operations, core);
            explain::explain(operations, &small)
        });
        anomalies.into_iter().for_each(|anomaly| judgement.contradict(anomaly));
    }
    judgement.algorithm = describe(&algorithms);
    judgement
}

/// What is found out about one key, without why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVerdict {
    /// The key.
    pub key: SmolStr,
    /// The verdict.
    pub verdict: Verdict,
    /// How it was decided; empty if the model cannot read an operation.
    pub algorithm: &'static str,
    /// Why it is unknown.
    pub reason: Option<String>,
}

fn verdict(decided: &Decided) -> Verdict {
    match decided {
        Ok((Answer::Linearizable, _)) => Verdict::Valid,
        Ok((Answer::Contradiction(_), _)) => Verdict::Invalid,
        Ok((Answer::Unknown(_), _)) | Err(_) => Verdict::Unknown,
    }
}

/// Decides every key and does not look for the smallest counterexample: in order of the keys, each
/// with a budget of its own.
pub fn verdicts(evidence: &Evidence<'_>) -> Vec<KeyVerdict> {
    let (keys, decided) = decide_all(evidence);
    let tell = |((key, _), decided): (&(&SmolStr, _), Decided)| {
        let verdict = verdict(&decided);
        let (algorithm, reason) = match decided {
            Err(reason) => ("", Some(reason)),
            Ok((Answer::Unknown(reason), algorithm)) => (algorithm, Some(reason)),
            Ok((_, algorithm)) => (algorithm, None),
        };
        KeyVerdict { key: (*key).clone(), verdict, algorithm, reason }
    };
    keys.iter().zip(decided).map(tell).collect()
}

/// What is found out about one key, and how; the error says why the model cannot tell.
type Decided = Result<(Answer, &'static str), String>;
/// The operations of one key.
type Key<'a> = (&'a SmolStr, &'a [&'a Operation]);

/// Decides every key; keys in order of their names.
fn decide_all<'a>(evidence: &'a Evidence<'_>) -> (Vec<Key<'a>>, Vec<Decided>) {
    let by_key = evidence.by_key().iter();
    let keys: Vec<Key<'a>> = by_key.map(|(key, operations)| (*key, &operations[..])).collect();
    let decided = keys::map(&keys, evidence.history.operations.len(), |(_, operations)| {
        decide(evidence.specification(), operations, evidence.states_max)
    });
    (keys, decided)
}

/// Decides one key; the error says why the model cannot.
fn decide(specification: Specification<'_>, operations: &[&Operation], states_max: u64) -> Decided {
    let decided = match specification.model {
        "bank" => bank::decide(specification, operations, states_max),
        "register" => register::decide(specification, operations, states_max),
        "cas-register" => register::decide_with_cas(specification, operations, states_max),
        "counter" => counter::decide(specification, operations, states_max),
        "g-set" => set::decide_growing(specification, operations, states_max),
        "kv" => kv::decide(specification, operations, states_max),
        "list" => log::decide_list(specification, operations, states_max),
        "log" => log::decide(specification, operations, states_max),
        "mutex" => mutex::decide(specification, operations),
        "priority-queue" => {
            containers::decide::<PriorityQueue>(specification, operations, states_max)
        }
        "queue" => containers::decide::<Queue>(specification, operations, states_max),
        "set" => set::decide(specification, operations, states_max),
        "stack" => containers::decide::<Stack>(specification, operations, states_max),
        "unique-ids" => unique_ids::decide(specification, operations),
        _ => specification.visit(General { specification, operations, states_max }).flatten(),
    };
    decided.map_err(|error| error.to_string())
}

/// Decides a key with the search alone.
struct General<'a> {
    specification: Specification<'a>,
    operations: &'a [&'a Operation],
    states_max: u64,
}

impl Visitor for General<'_> {
    type Output = Result<(Answer, &'static str), ModelError>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
        let mut model = self.specification.started(new())?;
        let calls = calls(&mut model, self.operations)?;
        let answer = search(&model, &calls, &Hints::NONE, self.states_max);
        Ok((answer, "just-in-time search"))
    }
}

/// Whether the operations of one key are linearizable by a model of the caller's own; `None` if more
/// than `states_max` configurations would have to be visited.
///
/// Errors: an operation that the model cannot read.
pub fn is_linearizable<M: Model>(
    mut model: M,
    operations: &[&Operation],
    states_max: u64,
) -> Result<Option<bool>, ModelError> {
    let calls = calls(&mut model, operations)?;
    Ok(match search(&model, &calls, &Hints::NONE, states_max) {
        Answer::Linearizable => Some(true),
        Answer::Contradiction(_) => Some(false),
        Answer::Unknown(_) => None,
    })
}

fn name(key: &str) -> &str {
    if key.is_empty() { "the object" } else { key }
}

fn describe(algorithms: &BTreeMap<&str, u64>) -> Option<String> {
    let parts: Vec<String> = algorithms
        .iter()
        .map(|(algorithm, keys)| match algorithms.len() {
            1 => (*algorithm).to_owned(),
            _ => format!("{algorithm} ({keys} keys)"),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
