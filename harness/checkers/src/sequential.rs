//! SEQ: one order of all operations that keeps the order of every process.
//!
//! Valid, though not linearizable: the read may stand before the write, which another process did.
//! ```text
//! p1  |- write 1 -|
//! p2                 |- read nil -|
//! ```
//! Invalid, because whichever write is first, the process of the other one sees it:
//! ```text
//! p1  |- write x 1 -|  |- read y nil -|
//! p2  |- write y 1 -|  |- read x nil -|
//! ```
//! The definition: there is a total order of the ok and of some of the doubtful operations of the whole
//! history, legal for the sequential model of each key, in which the operations of each process stand
//! as they were invoked. Unlike linearizability it is not local: each key by itself may be in order.
//!
//! Deciding it is NP-hard (Gibbons and Korach 1997). Three ways, each sound:
//! 1. If each key is linearizable, so is the whole (it is local), and real time keeps the order of every
//!    process.
//! 2. In registers whose values are unique, what must stand before what is found by turns
//!    ([`crate::causal`]); a cycle shows that there is no order.
//! 3. A search over what each process has done decides the rest, up to the bound of states; meeting it
//!    is unknown.
//!
//! Source: Lamport, "How to make a multiprocessor computer that correctly executes multiprocess
//! programs", 1979; Gibbons and Korach, "Testing shared memories", 1997.

mod search;

use rustc_hash::FxHashSet;
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, Verdict};
use wrack_sequential::is_ok_observation;

use crate::causal::graph::{Graph, Unit};
use crate::causal::{self, Pattern};
use crate::tally::some_ids;
use crate::unique::Unique;
use crate::words::{count, list, sentence};
use crate::{Evidence, Guarantee, Judge, linearizability};
use search::{Answer, Stuck};

/// Sequential consistency.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "SEQ",
        name: "sequential consistency",
        doc: "All operations of all keys seem to happen one after the other, as if there were a single \
              copy of the data, and those of each process in the order in which it asked.\n\n\
              Unlike linearizability, the order need not agree with real time: a process may be behind, \
              as long as nobody can tell by what they read. It is judged for the whole history, \
              because keys that are in order one by one need not be so together. It is hard to decide \
              in general: a report says unknown if the bound on states was met.\n\n\
              The usual ways to break it: writes of two keys that arrive at two replicas in different \
              orders; a cache that is fresh for one key and stale for another.\n\n\
              Source: Lamport, How to Make a Multiprocessor Computer That Correctly Executes \
              Multiprocess Programs, 1979.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

/// Configurations of each key that are enough to see that a key is linearizable in most cases.
const LINEARIZABLE_STATES_MAX: u64 = 100_000;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let operations = &evidence.history.operations;
    judgement.examine("operations", operations.len() as u64);
    let reads = operations.iter().filter(|one| is_ok_observation(one)).count();
    judgement.examine("reads", reads as u64);
    let unique = Unique::of(evidence).ok();
    let algorithm = if is_linearizable(evidence) {
        "linearizable key by key"
    } else if let Some(anomaly) = unique.as_ref().and_then(contradiction) {
        judgement.contradict(anomaly);
        "what must stand before what"
    } else {
        conclude(&mut judgement, evidence, search::search(evidence, unique.as_ref()));
        "search"
    };
    judgement.algorithm = Some(algorithm.to_owned());
    judgement
}

/// A proof that there is no order.
fn contradiction(unique: &Unique<'_>) -> Option<Anomaly> {
    let from_nowhere = unique
        .accesses
        .iter()
        .position(|access| access.is_read && access.source == crate::unique::Source::Nowhere);
    let pattern = match from_nowhere {
        Some(read) => Pattern { name: "ThinAirRead", accesses: vec![read as u32] },
        None => {
            let graph = Graph::new(unique, Unit::Process).ok()?;
            let accesses = causal::contradiction(&graph)?;
            Pattern { name: "CyclicOrder", accesses }
        }
    };
    Some(causal::anomaly(unique, &pattern))
}

/// Whether every key is linearizable, and no process went on after an operation in doubt, whose order
/// linearizability would not keep.
fn is_linearizable(evidence: &Evidence<'_>) -> bool {
    let mut in_doubt = FxHashSet::default();
    let goes_on = evidence.history.operations.iter().any(|operation| {
        let goes_on = in_doubt.contains(&operation.process);
        if operation.outcome == Outcome::Info {
            in_doubt.insert(operation.process);
        }
        goes_on
    });
    let states_max = evidence.states_max.min(LINEARIZABLE_STATES_MAX);
    let evidence = Evidence { states_max, ..evidence.clone() };
    let judge = || linearizability::GUARANTEE.judge(&evidence, &Settings::default());
    !goes_on && judge().verdict == Verdict::Valid
}

fn conclude(judgement: &mut Judgement, evidence: &Evidence<'_>, answer: Result<Answer, String>) {
    match answer {
        Ok(Answer::Order) => (),
        Ok(Answer::Unknown(reason)) | Err(reason) => judgement.doubt(reason),
        Ok(Answer::Stuck(stuck)) => judgement.contradict(anomaly(evidence, &stuck)),
    }
}

fn anomaly(evidence: &Evidence<'_>, stuck: &Stuck) -> Anomaly {
    let operations = &evidence.history.operations;
    let next: Vec<&Operation> =
        stuck.next.iter().map(|place| &operations[*place as usize]).collect();
    let told: Vec<String> = next.iter().map(|operation| sentence(operation)).collect();
    let complete = next.iter().map(|operation| operation.complete.ns);
    Anomaly {
        explanation: format!(
            "no order of all operations keeps the order of each process and is legal: the longest \
             begins with {} of {}, and then none of these can follow: {}",
            count(stuck.done, "operation"),
            stuck.all,
            list(&told)
        ),
        at_ns: complete.filter(|ns| *ns != u64::MAX).max(),
        operations: some_ids(next),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Operation, Outcome, Value, Verdict};

    use super::GUARANTEE;
    use crate::story::{Case, history};

    #[test]
    fn a_process_may_be_behind_as_long_as_nobody_can_tell() {
        let case = Case::new("register", "p1 write x 1 1..2\n p2 read x - 3..4");
        case.accepted_by(&GUARANTEE);
        assert_eq!(case.judge(&GUARANTEE).algorithm.as_deref(), Some("search"));
        let case = Case::new("register", "p1 write x 1 1..2\n p2 read x - 3..4 1");
        case.accepted_by(&GUARANTEE);
        let algorithm = case.judge(&GUARANTEE).algorithm;
        assert_eq!(algorithm.as_deref(), Some("linearizable key by key"));
        let counter =
            "p1 add x 1 1..2\n p2 read x - 3..4 0\n p1 read x - 3..4 1\n p2 read x - 5..6 1";
        Case::new("counter", counter).accepted_by(&GUARANTEE);
    }

    #[test]
    fn each_key_may_be_in_order_and_both_together_not() {
        Case::new(
            "register",
            "p1 write x 1 1..2
             p1 read  y - 3..4
             p2 write y 1 1..2
             p2 read  x - 3..4",
        )
        .rejected_by(
            &GUARANTEE,
            "CyclicOrder: each of these must stand before the next, and the last before the first: \
             process 1 read nil of y at 0.004 s, process 2 asked to write 1 of y and was told ok at \
             0.002 s, process 2 read nil of x at 0.004 s and process 1 asked to write 1 of x and was \
             told ok at 0.002 s",
        );
    }

    #[test]
    fn where_values_are_not_unique_the_search_finds_that_there_is_no_order() {
        let behind = "p1 write x 1 1..2\n p2 write x 1 3..4\n p3 read x - 5..6";
        Case::new("register", behind).accepted_by(&GUARANTEE);
        Case::new(
            "register",
            "p1 write x 1 1..2
             p1 write x 1 3..4
             p1 read  x - 5..6",
        )
        .rejected_by(
            &GUARANTEE,
            "no order of all operations keeps the order of each process and is legal: the longest \
             begins with 2 operations of 3, and then none of these can follow: process 1 read nil of x",
        );
    }

    #[test]
    fn of_two_doubtful_writes_of_a_process_only_the_second_may_have_happened() {
        Case::new(
            "register",
            "p0 write y 1 0..?
             p0 write x 2 2..?
             p1 read  x - 4..5 2
             p1 read  y - 6..7
             p1 write y 3 8..9",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_bound_that_is_met_is_unknown() {
        let history: String = (0..8)
            .map(|process| format!("p{process} write x 1 1..2\np{process} write x 2 3..4\n"))
            .collect();
        let history = format!("{history}p9 read x - 5..6 7");
        let history = crate::story::history(&history);
        let evidence =
            crate::Evidence { states_max: 10, ..crate::Evidence::of_history(&history, "register") };
        let judgement = GUARANTEE.judge(&evidence, &wrack_history::Settings::default());
        assert_eq!(judgement.verdict, Verdict::Unknown, "{judgement:?}");
        assert_eq!(judgement.reason.as_deref(), Some("more than 10 states of all processes"));
    }

    /// Tries every order.
    fn naive(
        processes: &[Vec<&Operation>],
        places: &mut Vec<usize>,
        values: &mut [Value; 2],
    ) -> bool {
        let over = |(process, place): (&Vec<&Operation>, &usize)| {
            process[*place..].iter().all(|one| one.outcome == Outcome::Info)
        };
        if processes.iter().zip(places.iter()).all(over) {
            return true;
        }
        for process in 0..processes.len() {
            let Some(operation) = processes[process].get(places[process]) else {
                continue;
            };
            let key = usize::from(operation.key == "y");
            let before = values[key].clone();
            places[process] += 1;
            let legal = match operation.function.as_str() {
                "read" => operation.is_info() || operation.result == before,
                _ => {
                    values[key] = operation.argument.clone();
                    true
                }
            };
            let skipped = operation.is_info() && {
                let after = std::mem::replace(&mut values[key], before.clone());
                let found = naive(processes, places, values);
                values[key] = after;
                found
            };
            let found = skipped || (legal && naive(processes, places, values));
            places[process] -= 1;
            values[key] = before;
            if found {
                return true;
            }
        }
        false
    }

    fn agrees(raws: &[(u8, bool, bool, u8, bool)], unique: bool) -> Result<bool, TestCaseError> {
        let mut text = String::new();
        let writes = raws.iter().filter(|(_, read, ..)| !read).count() as u8;
        let mut value = 0;
        for (number, (process, read, key, choice, info)) in raws.iter().enumerate() {
            let (key, begin) = (if *key { "x" } else { "y" }, 2 * number);
            let outcome = if *info { "info" } else { "" };
            let end = begin + 1;
            if *read {
                let value = choice % if unique { writes + 1 } else { 3 };
                let result = if value == 0 { String::new() } else { value.to_string() };
                text += &format!("p{process} read {key} - {begin}..{end} {result}\n");
            } else {
                value = if unique { value + 1 } else { choice % 2 + 1 };
                text += &format!("p{process} write {key} {value} {begin}..{end} {outcome}\n");
            }
        }
        let history = history(&text);
        let mut processes = vec![Vec::new(); 3];
        for operation in &history.operations {
            processes[operation.process as usize].push(operation);
        }
        let expected = naive(&processes, &mut vec![0; 3], &mut [Value::Nil, Value::Nil]);
        let verdict = Case::new("register", &text).judge(&GUARANTEE).verdict;
        prop_assert_eq!(verdict == Verdict::Valid, expected, "{}", text);
        prop_assert_ne!(verdict, Verdict::Unknown);
        Ok(expected)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

        #[test]
        fn a_verdict_is_that_of_trying_every_order_of_unique_values(
            raws in prop::collection::vec(
                (0..3u8, any::<bool>(), any::<bool>(), any::<u8>(), prop::bool::weighted(0.15)), 1..9),
        ) {
            agrees(&raws, true)?;
        }

        #[test]
        fn a_verdict_is_that_of_trying_every_order_of_any_values(
            raws in prop::collection::vec(
                (0..3u8, any::<bool>(), any::<bool>(), any::<u8>(), prop::bool::weighted(0.15)), 1..9),
        ) {
            agrees(&raws, false)?;
        }
    }
}
