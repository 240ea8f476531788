//! LIVE: after the faults are healed, the design gets going again and keeps going.
//!
//! Valid: the first operation completes 0.4 s after the heal, and they go on to complete.
//! ```text
//! faults ████████│ heal
//!        x  x  x │x  ok ok ok ok ok
//! ```
//! Invalid, because nothing completes any more:
//! ```text
//! faults ████████│ heal
//!        x  x  x │x  x  x  x  x  x
//! ```
//! The definition: some operation that was invoked after the heal completes ok within the bound, and
//! of those invoked in the last quarter of the quiet phase some complete ok. The second is judged only
//! if the quiet phase is at least four bounds long, so that the quarter is not too short to tell.
//!
//! Source: TigerBeetle's liveness mode; Alpern and Schneider, "Defining liveness", 1985 (a bound
//! makes a liveness property a safety property, which a finite run can contradict).

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Settings, duration};

use crate::words::count;
use crate::{Evidence, Guarantee, Judge};

/// Progress after heal.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "LIVE",
        name: "progress after heal",
        doc: "Once the faults are healed, operations complete again within the bound, and go on to \
              complete until the end.\n\n\
              Some operation that was invoked after the heal must complete ok within `within` of it; \
              and of those invoked in the last quarter of the quiet phase some must complete ok. A \
              design may well refuse service while faults last: that costs availability, which is an \
              objective and no promise.\n\n\
              The usual ways to break it: elections that never end; a lease whose holder is gone and \
              that nobody takes over; a queue that retries keep full; a relay that died.",
        parameters: &[ParameterInfo::new(
            "within",
            ParameterKind::Duration,
            DefaultSetting::Duration(5 * duration::SECOND),
            "How long after the heal the first operation may take to complete.",
        )],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let within = settings.duration("within").expect("it has a default");
    judgement.bound = Some(duration::format(within));
    let heal = evidence.phases.heal_ns;
    let operations = &evidence.history.operations;
    let after: Vec<&Operation> = operations.iter().filter(|one| one.invoke.ns >= heal).collect();
    judgement.examine("operations", after.len() as u64);
    if after.is_empty() {
        judgement.doubt("no operation was invoked after the heal");
        return judgement;
    }
    judge_first(&mut judgement, evidence, &after, within);
    judge_last(&mut judgement, evidence, &after, within);
    judgement
}

/// That something completes soon.
fn judge_first(
    judgement: &mut Judgement,
    evidence: &Evidence<'_>,
    after: &[&Operation],
    within: u64,
) {
    let heal = evidence.phases.heal_ns;
    let first = after.iter().filter(|one| one.is_ok()).min_by_key(|one| one.complete);
    let took = first.map(|first| first.complete.ns - heal);
    judgement.observed = Some(match took {
        Some(took) => format!("{} after the heal", duration::seconds(took)),
        None => "nothing completed after the heal".to_owned(),
    });
    if took.is_some_and(|took| took <= within) {
        return;
    }
    if evidence.phases.end_ns < heal.saturating_add(within) {
        judgement.doubt("the run ended before the bound had passed");
        return;
    }
    let outcome = match took {
        Some(took) => format!("the first that completed ok took {}", duration::seconds(took)),
        None => "none ever completed ok".to_owned(),
    };
    judgement.contradict(Anomaly {
        explanation: format!(
            "of {} invoked after the heal at {} none completed ok within {}: {outcome}",
            count(after.len(), "operation"),
            duration::seconds(heal),
            duration::format(within),
        ),
        operations: after.iter().take(5).chain(first).map(|one| one.id).collect(),
        at_ns: Some(heal + within),
        ..Anomaly::default()
    });
}

/// That it goes on.
fn judge_last(
    judgement: &mut Judgement,
    evidence: &Evidence<'_>,
    after: &[&Operation],
    within: u64,
) {
    let phases = &evidence.phases;
    let quarter = phases.quiet_end_ns.saturating_sub(phases.heal_ns) / 4;
    let begin = phases.quiet_end_ns - quarter;
    let last = |one: &&&Operation| (begin..phases.quiet_end_ns).contains(&one.invoke.ns);
    let last: Vec<&Operation> = after.iter().filter(last).copied().collect();
    let ok = last.iter().filter(|one| one.is_ok()).count();
    judgement.examine("operations in the last quarter", last.len() as u64);
    let stalled = ok == 0 && !last.is_empty() && after.iter().any(|one| one.is_ok());
    if quarter < within || !stalled {
        return;
    }
    judgement.contradict(Anomaly {
        explanation: format!(
            "of {} invoked in the last quarter of the quiet phase, from {} on, none completed ok",
            count(last.len(), "operation"),
            duration::seconds(begin),
        ),
        operations: last.iter().take(5).map(|one| one.id).collect(),
        at_ns: Some(phases.quiet_end_ns),
        ..Anomaly::default()
    });
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings};

    use super::GUARANTEE;
    use crate::story::Case;

    fn case(history: &str) -> Case<'_> {
        Case::new("register", history)
            .phases(1_000, 2_000, 2_100)
            .settings(Settings::default().with("within", Setting::Duration(200_000_000)))
    }

    #[test]
    fn operations_that_complete_soon_and_to_the_end_are_progress() {
        case(
            "p1 write k 1 500..?
             p2 write k 1 1100..1199
             p2 write k 1 1900..1910
             p3 write k 1 1910..?",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_first_completion_after_the_bound_is_an_anomaly() {
        case(
            "p1 write k 1 500..1001
             p2 write k 1 1100..1201
             p2 write k 1 1900..1910",
        )
        .rejected_by(
            &GUARANTEE,
            "of 2 operations invoked after the heal at 1.000 s none completed ok within 200ms: the \
             first that completed ok took 0.201 s",
        );
    }

    #[test]
    fn a_design_that_stalls_again_is_an_anomaly() {
        case(
            "p2 write k 1 1100..1101
             p2 write k 1 1800..?
             p3 write k 1 1900..1910 fail",
        )
        .rejected_by(
            &GUARANTEE,
            "of 2 operations invoked in the last quarter of the quiet phase, from 1.750 s on, none \
             completed ok",
        );
    }

    #[test]
    fn without_operations_or_time_nothing_can_be_said() {
        case("p1 write k 1 500..?")
            .unknown_to(&GUARANTEE, "no operation was invoked after the heal");
        case("p1 write k 1 1050..?")
            .phases(1_000, 1_100, 1_150)
            .unknown_to(&GUARANTEE, "the run ended before the bound had passed");
    }
}
