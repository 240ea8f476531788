//! CONV: when all is quiet, everybody reads the same.
//!
//! Valid: after the last write both processes end up with 2.
//! ```text
//! p1  |- write 2 -|   |- read 2 -|
//! p2                |- read 1 -|   |- read 2 -|
//! ```
//! Invalid, because they end up with different values:
//! ```text
//! p1  |- write 2 -|   |- read 2 -|
//! p2                |- read 1 -|   |- read 1 -|
//! ```
//! The definition: after quiescence all replicas answer equal values. The replicas are seen through
//! the settled reads: the final reads of a run, or in a history without phases the last read of each
//! process, if it began after all changes were over and a pause. The elements of a set count in any order. How
//! long it took is the time from the last change to the last read that still answered something else.
//!
//! A difference that an operation in doubt explains, because it may have taken effect between two
//! reads, is unknown.
//!
//! Source: Vogels, "Eventually consistent", 2009; Shapiro et al., "Conflict-free replicated data
//! types", 2011.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, Value, duration};
use wrack_sequential::may_change;

use crate::final_reads::{changes_over, settled_reads};
use crate::tally::{Sizes, Tally};
use crate::words::{done_at, of, short};
use crate::{Evidence, Guarantee, Judge};

/// Convergence.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "CONV",
        name: "convergence",
        doc: "When nobody changes anything any more, all replicas come to answer the same.\n\n\
              The reads at the end, of every client, return equal values for each key; of a set the \
              same elements, in any order. The report says how long after the last change some read \
              still answered something else.\n\n\
              The usual ways to break it: a message that is sent once and lost; a merge that depends \
              on the order; last-writer-wins by clocks with ties; a cache that nobody invalidates.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let mut settled = settled_reads(evidence);
    let (mut tally, mut sizes) = (Tally::default(), Sizes::new("time to converge", "ns"));
    let (mut compared, mut diverged) = (0, 0);
    for (&key, operations) in evidence.by_key() {
        let reads = settled.remove(key).unwrap_or_default();
        let Some((first, others)) = reads.split_first() else {
            continue;
        };
        judgement.examine("keys", 1);
        judgement.examine("final reads", reads.len() as u64);
        let several = reads.iter().any(|read| read.process != first.process);
        compared += u64::from(several);
        let value = state(evidence, &first.result);
        let differs = |read: &&&Operation| state(evidence, &read.result) != value;
        let other = others.iter().find(differs).copied();
        let explained = other.is_some_and(|other| in_doubt(evidence, operations, [first, other]));
        for read in &reads {
            tally.look(read, other.is_some() && !explained);
        }
        match other {
            None => sizes.record(first, took(evidence, operations, &value)),
            Some(_) if explained => {
                let key = of(first);
                judgement.doubt(format!(
                    "final reads{key} differ, but an operation in doubt may explain it"
                ));
            }
            Some(other) => {
                diverged += 1;
                if judgement.anomalies.len() < ANOMALIES_MAX {
                    judgement.contradict(anomaly(first, other));
                }
            }
        }
    }
    if compared == 0 {
        judgement.doubt("no key was read by two processes after all changes were over");
    }
    judgement.observed = Some(match diverged {
        0 => format!("converged after {} at most", duration::seconds(sizes.max())),
        diverged => format!("{diverged} diverged"),
    });
    sizes.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

/// What a read found, so that equal states are equal.
fn state<'a>(evidence: &Evidence<'_>, value: &'a Value) -> Vec<&'a Value> {
    match value.as_list() {
        Some(elements) if evidence.is_set() => {
            let mut elements: Vec<&Value> = elements.iter().collect();
            elements.sort_unstable();
            elements.dedup();
            elements
        }
        None if evidence.is_set() && value.is_nil() => Vec::new(),
        _ => vec![value],
    }
}

/// Whether operations in doubt may have made the difference between two reads.
fn in_doubt(evidence: &Evidence<'_>, operations: &[&Operation], reads: [&Operation; 2]) -> bool {
    let doubtful =
        || operations.iter().filter(|one| one.outcome == Outcome::Info && may_change(one));
    if !evidence.is_set() {
        return doubtful().next().is_some();
    }
    let [one, other] = reads.map(|read| state(evidence, &read.result));
    let explains = |element: &Value| doubtful().any(|change| change.argument == *element);
    let missing = |from: &[&Value], of: &[&Value]| {
        of.iter()
            .filter(|element| from.binary_search(element).is_err())
            .all(|element| explains(element))
    };
    missing(&one, &other) && missing(&other, &one)
}

/// How long after the last change some read still answered something else, in nanoseconds.
fn took(evidence: &Evidence<'_>, operations: &[&Operation], value: &[&Value]) -> u64 {
    let over = changes_over(operations);
    let begin = over.map_or(0, |over| over.ns).max(evidence.phases.heal_ns);
    let other = |read: &&&Operation| {
        read.is_ok()
            && read.function == "read"
            && over.is_none_or(|over| over.index < read.invoke.index)
            && state(evidence, &read.result) != value
    };
    let last = operations.iter().rev().find(other);
    last.map_or(0, |read| read.complete.ns.saturating_sub(begin))
}

fn anomaly(one: &Operation, other: &Operation) -> Anomaly {
    let mut operations = vec![one.id, other.id];
    operations.sort_unstable();
    Anomaly {
        explanation: format!(
            "after all changes{} were over, process {} read {} at {}, and process {} read {} at {}",
            of(one),
            one.process,
            short(&one.result),
            done_at(one),
            other.process,
            short(&other.result),
            done_at(other),
        ),
        operations,
        key: Some(one.key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(one.complete.ns.max(other.complete.ns)),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::Case;

    #[test]
    fn replicas_that_end_up_equal_have_converged() {
        let history = "p1 write k 1 1..9
                       p1 write k 2 10..20
                       p1 read  k - 21..22 2
                       p2 read  k - 25..29 1
                       p2 read  k - 40..49 2";
        let case = Case::new("register", history);
        case.accepted_by(&GUARANTEE);
        let judgement = case.judge(&GUARANTEE);
        assert_eq!(judgement.observed.as_deref(), Some("converged after 0.009 s at most"));
        Case::new("set", "p1 read k - 1..2 [1,2]\n p2 read k - 1..2 [2,1]").accepted_by(&GUARANTEE);
    }

    #[test]
    fn replicas_that_end_up_different_are_an_anomaly() {
        let explanation = "after all changes of k were over, process 1 read 2 at 0.022 s, and process \
                           2 read 1 at 0.049 s";
        let history = "p1 write k 2 10..20
                       p1 read  k - 21..22 2
                       p2 read  k - 40..49 1";
        Case::new("register", history).rejected_by(&GUARANTEE, explanation);
        Case::new("register", history).phases(1, 20, 50).rejected_by(&GUARANTEE, explanation);
    }

    #[test]
    fn a_difference_that_an_operation_in_doubt_explains_is_unknown() {
        let why = "final reads of k differ, but an operation in doubt may explain it";
        let history = "p3 write k 2 10..?
                       p1 read  k - 21..22 2
                       p2 read  k - 40..49 1";
        Case::new("register", history).unknown_to(&GUARANTEE, why);
        let sets = |other: &str| {
            format!("p3 add k 2 10..?\n p1 read k - 21..22 [1]\n p2 read k - 40..49 {other}")
        };
        Case::new("set", &sets("[1,2]")).unknown_to(&GUARANTEE, why);
        Case::new("set", &sets("[1,2,3]")).rejected_by(
            &GUARANTEE,
            "after all changes of k were over, process 1 read [1] at 0.022 s, and process 2 read \
             [1, 2, 3] at 0.049 s",
        );
    }

    #[test]
    fn one_process_alone_says_nothing() {
        Case::new("register", "p1 write k 2 10..20\n p1 read  k - 21..22 2")
            .unknown_to(&GUARANTEE, "no key was read by two processes after all changes were over");
    }
}
