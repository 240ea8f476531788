//! The causal form: a write is lost only if its replica knew the write that was kept instead.
//!
//! ```text
//! n1  applies 1 ─ accepts 2 ─ ok        final read = 1     invalid: n1 knew 1 when it accepted 2
//! n2  accepts 2 ─ ok ─ applies 1        final read = 1     valid: 2 is a silent drop, if 1 was done before
//! ```

use wrack_history::{Judgement, Operation};

use super::{ANOMALIES_MAX, Lost, lost_writes, replaced};
use crate::Evidence;
use crate::deliveries::{Deliveries, Object};
use crate::final_reads::final_reads;

/// Judges every key by its final reads; how many writes are lost.
pub(super) fn judge(evidence: &Evidence<'_>, judgement: &mut Judgement) -> u64 {
    let deliveries = Deliveries::of(evidence.facts);
    let by_key = evidence.by_key();
    let nothing = Object::default();
    let mut lost = 0;
    judgement.examine("silent drops", 0);
    for (key, reads) in final_reads(evidence) {
        judgement.examine("final reads", reads.len() as u64);
        let object = deliveries.0.get(key).unwrap_or(&nothing);
        let (mut dropped, mut worst) = (0, None::<Lost<'_>>);
        for read in &reads {
            let in_real_time = lost_writes(&by_key[key], read, evidence.initial);
            dropped = dropped.max(in_real_time.map_or(0, |found| found.writes.len()));
            let found = lost_causally(&by_key[key], read, evidence, object);
            worst = worst.or(found);
        }
        let causally = worst.as_ref().map_or(0, |found| found.writes.len());
        judgement.examine("silent drops", dropped.saturating_sub(causally) as u64);
        lost += causally as u64;
        if let Some(found) = worst.filter(|_| judgement.anomalies.len() < ANOMALIES_MAX) {
            judgement.contradict(found.anomaly(key));
        }
    }
    if deliveries.0.is_empty() {
        judgement.doubt("no replica noted which writes it had applied");
    }
    lost
}

/// Writes that this read shows to be lost.
fn lost_causally<'a>(
    operations: &[&'a Operation],
    read: &'a Operation,
    evidence: &Evidence<'_>,
    object: &Object,
) -> Option<Lost<'a>> {
    let mut found = replaced(operations, read, evidence.initial)?;
    found.causally = true;
    if let Some(instead) = found.instead {
        let kept: Vec<usize> = object.of_operation(instead.id).collect();
        let knew = |write: usize| kept.iter().any(|kept| object.has_seen(write, *kept));
        found.writes.retain(|write| {
            let mut updates = object.of_operation(write.id).peekable();
            updates.peek().is_some() && updates.all(knew)
        });
    }
    (!found.writes.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings};

    use crate::deliveries::testing::{Told, delivered};
    use crate::lost::GUARANTEE;
    use crate::story::Case;

    fn case(told: &[Told<'_>]) -> Case<'static> {
        let order = Setting::Choice("causal".into());
        Case::new(
            "register",
            "p1 write k 1 10..20
             p2 write k 2 25..35
             p4 read  k - 100..110 1",
        )
        .phases(50, 90, 120)
        .settings(Settings::default().with("order", order))
        .facts(delivered(told))
    }

    #[test]
    fn a_write_whose_replica_knew_the_one_that_was_kept_is_lost() {
        case(&[(0, 11, &[(0, 0)], 0), (1, 24, &[(0, 0)], 0), (1, 26, &[(1, 1)], 0)]).rejected_by(
            &GUARANTEE,
            "write 2 by process 2 of k was acknowledged by 0.035 s, but the final read at \
             0.110 s returned 1, which its replica had applied before",
        );
    }

    #[test]
    fn a_write_that_is_later_in_real_time_alone_is_a_silent_drop() {
        let case = case(&[(0, 11, &[(0, 0)], 0), (1, 26, &[(1, 1)], 0), (1, 40, &[(0, 0)], 0)]);
        case.accepted_by(&GUARANTEE);
        assert_eq!(case.judge(&GUARANTEE).examined["silent drops"], 1);
    }

    #[test]
    fn without_notes_of_replicas_nothing_can_be_said() {
        case(&[]).unknown_to(&GUARANTEE, "no replica noted which writes it had applied");
    }
}
