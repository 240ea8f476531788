//! DUP: no operation takes effect twice, and none that failed takes effect at all.
//!
//! Valid: the answer was lost, the client tried again, and the design recognised the retry.
//! ```text
//! client  charge 7 ──x        charge 7 (again) ── ok
//! effects     7 at 41                  (the same)
//! ```
//! Invalid, because the retry took effect once more:
//! ```text
//! client  charge 7 ──x        charge 7 (again) ── ok
//! effects     7 at 41              7 at 52
//! ```
//! [`crate::missing`] is the other half of exactly-once.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings};
use wrack_sequential::may_change;

use crate::effects::{Effect, by_operation};
use crate::words::{list, noun, of};
use crate::{Evidence, Guarantee, Judge};

/// At most one effect.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "DUP",
        name: "at most one effect",
        doc: "Whatever is retried, redelivered or replayed, an operation takes effect once at most, \
              and one that the client was told had failed takes no effect.\n\n\
              The harness gives each operation an identity that the design carries but cannot look \
              into, and the design notes every effect with its place in the authority's order. The \
              same place noted by several replicas is one effect; two places are two.\n\n\
              The usual ways to break it: a retry without an idempotency key; a relay that crashes \
              between publishing and marking; two relays that share no claim; a request that the \
              network duplicates.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    if evidence.effects().is_empty() {
        judgement.doubt("the design noted no effects");
    }
    let lasting = evidence.lasting_effects().count();
    let of_operation = by_operation(evidence.lasting_effects());
    judgement.examine("effects", lasting as u64);
    judgement.examine("operations", of_operation.len() as u64);
    let mut extra = 0;
    for operation in &evidence.history.operations {
        let Some(effects) = of_operation.get(&operation.id) else {
            continue;
        };
        let allowed = u64::from(operation.outcome != Outcome::Fail && may_change(operation));
        let surplus = (effects.len() as u64).saturating_sub(allowed);
        extra += surplus;
        if surplus > 0 && judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(anomaly(operation, effects));
        }
    }
    judgement.observed = Some(format!("{extra} effects too many of {lasting}"));
    judgement
}

fn anomaly(operation: &Operation, effects: &[&Effect]) -> Anomaly {
    let positions: Vec<u64> = effects.iter().map(|effect| effect.position).collect();
    let (places, key) = (list(&positions), of(operation));
    let what = format!("{}{key}", noun(operation));
    let explanation = match operation.outcome {
        Outcome::Fail => format!("{what} failed, but took effect at position {places}"),
        _ if !may_change(operation) => {
            format!("{what} was refused, but took effect at position {places}")
        }
        _ => format!("{what} took effect {} times, at positions {places}", positions.len()),
    };
    Anomaly {
        explanation,
        operations: vec![operation.id],
        key: Some(operation.key.clone()).filter(|key| !key.is_empty()),
        at_ns: effects.iter().map(|effect| effect.ns).max(),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::{Case, effects};

    #[test]
    fn an_effect_that_every_replica_notes_at_one_position_is_one() {
        Case::new("counter", "p1 add k 7 10..20 7")
            .facts(effects("k", &[(0, 7, 1), (0, 7, 1), (0, 7, 1)]))
            .accepted_by(&GUARANTEE);
    }

    #[test]
    fn an_effect_at_a_second_position_is_a_second_effect() {
        Case::new("counter", "p1 add k 7 10..20 7")
            .facts(effects("k", &[(0, 7, 1), (0, 14, 3)]))
            .rejected_by(
                &GUARANTEE,
                "add 7 by process 1 of k took effect 2 times, at positions 1 and 3",
            );
    }

    #[test]
    fn what_failed_or_was_refused_takes_no_effect() {
        Case::new("counter", "p1 add k 7 10..20 fail")
            .facts(effects("k", &[(0, 7, 1)]))
            .rejected_by(
                &GUARANTEE,
                "add 7 by process 1 of k failed, but took effect at position 1",
            );
        Case::new("cas-register", "p1 cas k [1,2] 10..20 false")
            .facts(effects("k", &[(0, 2, 5)]))
            .rejected_by(
                &GUARANTEE,
                "cas 1 to 2 by process 1 of k was refused, but took effect at position 5",
            );
    }

    #[test]
    fn a_design_that_notes_no_effects_cannot_be_judged() {
        Case::new("counter", "p1 add k 7 10..20")
            .unknown_to(&GUARANTEE, "the design noted no effects");
    }
}
