//! MISS: every operation that was answered ok took effect.
//!
//! Valid: by the end of the quiet phase each ok write has its place in the authority's order.
//! Invalid, because the order was stored but the event never published:
//! ```text
//! client  order 7 ── ok
//! effects   (none)
//! ```
//! [`crate::duplicate`] is the other half of exactly-once.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Settings, SmolStr, Value};
use wrack_sequential::is_acknowledged_change;

use crate::words::{done_at, noun, of};
use crate::{Evidence, Guarantee, Judge};

/// At least one effect.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "MISS",
        name: "at least one effect",
        doc: "After the quiet phase every operation that was answered ok has taken effect.\n\n\
              The harness gives each operation an identity that the design carries but cannot look \
              into, and the design notes every effect. An ok write, add, append or successful cas \
              without any is missing. What never changes anything (a read, a refused cas, the removal \
              of what may not be there, an element that somebody else added too) is left out.\n\n\
              The usual ways to break it: a crash between two writes that should have been one \
              transaction; a consumer that commits its offset before it does the work; two different \
              operations under one idempotency key.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let effects = evidence.effects();
    let took_effect: FxHashSet<u64> = effects.iter().map(|effect| effect.operation).collect();
    let doubled = match evidence.is_set() {
        true => added_by_several(&evidence.history.operations),
        false => BTreeSet::new(),
    };
    let (mut expected, mut missing) = (0, 0);
    for operation in &evidence.history.operations {
        if !must_take_effect(operation) || doubled.contains(&element(operation)) {
            continue;
        }
        expected += 1;
        if took_effect.contains(&operation.id) || effects.is_empty() {
            continue;
        }
        missing += 1;
        if judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(anomaly(operation));
        }
    }
    judgement.examine("effects", effects.len() as u64);
    judgement.examine("operations", expected);
    if effects.is_empty() {
        judgement.doubt("the design noted no effects");
    }
    judgement.observed = Some(format!("{missing} missing of {expected}"));
    judgement
}

fn must_take_effect(operation: &Operation) -> bool {
    let function = operation.function.as_str();
    let must = ["write", "add", "append", "cas", "increment", "enqueue", "push", "charge"];
    is_acknowledged_change(operation) && must.contains(&function)
}

fn element(operation: &Operation) -> (&SmolStr, &Value) {
    (&operation.key, &operation.argument)
}

/// Elements that several operations of a set add, so that only one of them needs an effect.
fn added_by_several(operations: &[Operation]) -> BTreeSet<(&SmolStr, &Value)> {
    let mut once = BTreeSet::new();
    let adds = operations.iter().filter(|operation| operation.function == "add");
    adds.map(element).filter(|element| !once.insert(*element)).collect()
}

fn anomaly(operation: &Operation) -> Anomaly {
    Anomaly {
        explanation: format!(
            "{}{} was answered ok at {}, but never took effect",
            noun(operation),
            of(operation),
            done_at(operation),
        ),
        operations: vec![operation.id],
        key: Some(operation.key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(operation.complete.ns),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::{Case, effects};

    const HISTORY: &str = "p1 write k 7     10..20
                           p2 write k 8     11..21 fail
                           p3 write k 9     12..?
                           p4 cas   k [1,2] 13..23 false
                           p5 read  k -     30..31 7";

    #[test]
    fn only_what_was_answered_ok_must_take_effect() {
        Case::new("cas-register", HISTORY)
            .facts(effects("k", &[(0, 7, 1)]))
            .accepted_by(&GUARANTEE);
    }

    #[test]
    fn an_ok_write_without_an_effect_is_missing() {
        Case::new("cas-register", HISTORY).facts(effects("k", &[(2, 9, 1)])).rejected_by(
            &GUARANTEE,
            "write 7 by process 1 of k was answered ok at 0.020 s, but never took effect",
        );
    }

    #[test]
    fn a_design_that_notes_no_effects_cannot_be_judged() {
        Case::new("register", HISTORY).unknown_to(&GUARANTEE, "the design noted no effects");
    }
}
