//! UNIQ: no identifier is handed out twice.
//!
//! Valid: `generate = 1`, `generate = 2`, and one in doubt, of which nobody knows what it was.
//! Invalid, because two clients got the same one:
//! ```text
//! p1  |- generate = 7 -|
//! p2      |- generate = 7 -|
//! ```
//! The definition: no two ok `generate` of one key answered the same value.
//!
//! Source: the unique-ids workload of Jepsen and Maelstrom.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Settings, SmolStr, Value};

use crate::tally::{Tally, some_ids};
use crate::words::{count, done_at, list, of, short};
use crate::{Evidence, Guarantee, Judge};

/// Identifiers are unique.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "UNIQ",
        name: "unique identifiers",
        doc: "No identifier is handed out twice.\n\n\
              No two `generate` that were answered ok got the same value. Gaps and disorder are \
              allowed, and an operation in doubt says nothing.\n\n\
              The usual ways to break it: a counter that every node keeps for itself; a node that \
              starts again with the number it had before a crash; a clock that goes back.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let mut first = FxHashMap::<(&SmolStr, &Value), &Operation>::default();
    let mut doubled = FxHashMap::<u64, Vec<&Operation>>::default();
    let mut tally = Tally::default();
    let ok = |one: &&Operation| one.is_ok() && one.function == "generate";
    for operation in evidence.history.operations.iter().filter(ok) {
        judgement.examine("identifiers", 1);
        let known = *first.entry((&operation.key, &operation.result)).or_insert(operation);
        let again = known.id != operation.id;
        tally.look(operation, again);
        if again {
            doubled.entry(known.id).or_insert_with(|| vec![known]).push(operation);
        }
    }
    if first.is_empty() {
        judgement.doubt("no identifier was generated");
    }
    let mut doubled: Vec<Vec<&Operation>> = doubled.into_values().collect();
    doubled.sort_unstable_by_key(|operations| operations[0].invoke.index);
    for operations in doubled.iter().take(ANOMALIES_MAX) {
        judgement.contradict(anomaly(operations));
    }
    judgement.observed = Some(format!("{} handed out more than once", doubled.len()));
    tally.tell(&mut judgement);
    judgement
}

fn anomaly(operations: &[&Operation]) -> Anomaly {
    let first = operations[0];
    let told: Vec<String> = operations
        .iter()
        .map(|one| format!("to process {} at {}", one.process, done_at(one)))
        .collect();
    let times = count(operations.len(), "time");
    Anomaly {
        explanation: format!(
            "the identifier {}{} was handed out {times}: {}",
            short(&first.result),
            of(first),
            list(&told)
        ),
        operations: some_ids(operations.iter().copied()),
        key: Some(first.key.clone()).filter(|key| !key.is_empty()),
        at_ns: operations.iter().map(|one| one.complete.ns).max(),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::Case;

    #[test]
    fn identifiers_that_differ_are_valid_in_any_order() {
        Case::new(
            "unique-ids",
            "p1 generate ids - 10..20 7
             p2 generate ids - 11..21 3
             p3 generate ids - 12..?",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn an_identifier_that_two_clients_got_is_an_anomaly() {
        let case = Case::new(
            "unique-ids",
            "p1 generate ids - 10..20 7
             p2 generate ids - 11..21 7
             p2 generate ids - 22..23 8",
        );
        case.rejected_by(
            &GUARANTEE,
            "the identifier 7 of ids was handed out 2 times: to process 1 at 0.020 s and to process 2 \
             at 0.021 s",
        );
    }

    #[test]
    fn without_identifiers_nothing_can_be_said() {
        Case::new("unique-ids", "p1 generate ids - 10..?")
            .unknown_to(&GUARANTEE, "no identifier was generated");
    }
}
