//! LUPD: no update overwrites another that it has not seen.
//!
//! Valid: each add answers the sum that it left, and the sums follow each other.
//! ```text
//! p1  |- add 1 = 1 -|                   final read = 2
//! p2                  |- add 1 = 2 -|
//! ```
//! Invalid, because both read 0 and wrote 1; one update is lost:
//! ```text
//! p1  |--- add 1 = 1 ---|               final read = 1
//! p2    |--- add 1 = 1 ---|
//! ```
//! The definition. *Sum:* the final value of a counter is at least the ok adds and the negative
//! doubtful ones, and at most the ok and the positive doubtful ones (more is DUP where operations were
//! retried or took effect twice). *Base:* no two ok updates start from one version.
//!
//! # When two updates have one base
//! A counter to which only positive numbers are added (or only negative ones) never returns to a sum
//! that it has left, so two ok adds that answered different sums or equal ones from one base have
//! both replaced the same version. Where both signs occur, a sum may come back, and the base is not
//! judged. In a register, a value that only one operation can have left is one version: two cas that
//! replaced it have one base.

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, SmolStr, Value};
use wrack_sequential::counter::is_increment;

use crate::effects::by_operation;
use crate::final_reads::final_reads;
use crate::register::{found, left};
use crate::words::{count, done_at, noun, of, sentence};
use crate::{Evidence, Guarantee, Judge};

/// No lost update.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "LUPD",
        name: "no lost update",
        doc: "Of two updates that read, change and write the same thing, none undoes the other.\n\n\
              The final value of a counter holds every add that was acknowledged: it lies between the \
              sum of the ok and the negative doubtful adds and the sum of the ok and the positive \
              doubtful ones. And no two successful updates start from one version: two adds that \
              found the same sum in a counter that only rises, or two cas that both replaced a value \
              that was written once.\n\n\
              The usual ways to break it: read, change, write without a version check; a check and a \
              write that are not atomic; two owners after a failover; a repair that overwrites what \
              is being written.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let final_reads = final_reads(evidence);
    let doubled = Doubled::new(evidence);
    for (&key, operations) in evidence.by_key() {
        let updates = operations.iter().filter(|operation| is_ok_update(operation)).count();
        judgement.examine("updates", updates as u64);
        judgement.examine("keys", 1);
        let mut anomalies: Vec<Anomaly> =
            same_base(operations, evidence.initial).into_iter().collect();
        for read in final_reads.get(key).into_iter().flatten() {
            judgement.examine("final reads", 1);
            if evidence.model == "counter" {
                let initial = evidence.initial.as_integer().unwrap_or(0);
                let sum = Sum::of(operations, read, initial);
                anomalies.extend(sum.anomaly(read, (&doubled, initial)));
            }
        }
        for mut anomaly in anomalies {
            anomaly.key = Some(key.clone()).filter(|key| !key.is_empty());
            if judgement.anomalies.len() < ANOMALIES_MAX {
                judgement.contradict(anomaly);
            }
        }
    }
    if judgement.examined.get("updates").is_none_or(|updates| *updates == 0) {
        judgement.doubt("there is no ok add to a counter and no successful cas");
    }
    judgement
}

fn is_ok_update(operation: &Operation) -> bool {
    delta(operation).is_some_and(|_| operation.is_ok())
        || (operation.function == "cas" && found(operation).is_some())
}

/// What an operation adds to a counter.
fn delta(operation: &Operation) -> Option<i64> {
    is_increment(&operation.function).then(|| operation.argument.as_integer())?
}

/// Two ok updates of one key that started from one version.
fn same_base(operations: &[&Operation], initial: &Value) -> Option<Anomaly> {
    let mut bases = BTreeMap::<Value, &Operation>::new();
    let one_way = is_one_way(operations);
    let mut times = times_left(operations);
    *times.entry(initial).or_default() += 1;
    for update in operations.iter().copied().filter(|operation| is_ok_update(operation)) {
        let base = match delta(update) {
            Some(_) if !one_way => None,
            Some(delta) => update
                .result
                .as_integer()
                .and_then(|sum| sum.checked_sub(delta))
                .map(Value::Integer),
            None => found(update).filter(|value| is_one_version(update, value, &times)).cloned(),
        };
        let Some(base) = base else {
            continue;
        };
        if let Some(other) = bases.insert(base.clone(), update) {
            return Some(Anomaly {
                explanation: format!(
                    "{} at {}, and {} at {}: both updated {base}, so one of them is lost",
                    sentence(other),
                    done_at(other),
                    sentence(update),
                    done_at(update),
                ),
                operations: vec![other.id, update.id],
                at_ns: Some(other.complete.ns.max(update.complete.ns)),
                ..Anomaly::default()
            });
        }
    }
    None
}

/// Whether every add that may have taken effect goes in one direction and somewhere.
fn is_one_way(operations: &[&Operation]) -> bool {
    let happened = operations.iter().filter(|operation| operation.outcome != Outcome::Fail);
    let mut deltas = happened.filter_map(|operation| delta(operation)).peekable();
    let up = deltas.peek().is_some_and(|delta| *delta > 0);
    deltas.all(|delta| if up { delta > 0 } else { delta < 0 })
}

/// How many operations may have left each value.
fn times_left<'a>(operations: &[&'a Operation]) -> BTreeMap<&'a Value, u32> {
    let mut times = BTreeMap::new();
    let happened = operations.iter().filter(|operation| operation.outcome != Outcome::Fail);
    for value in happened.filter_map(|operation| left(operation)) {
        *times.entry(value).or_default() += 1;
    }
    times
}

/// Whether a value that a cas replaced by another stands for one version only: an object starts with
/// its initial value once.
fn is_one_version(cas: &Operation, value: &Value, times: &BTreeMap<&Value, u32>) -> bool {
    left(cas) != Some(value) && times.get(value).is_none_or(|times| *times <= 1)
}

/// Between what and what the final value of a counter must lie.
struct Sum {
    least: i128,
    most: i128,
    ok: usize,
    doubtful: usize,
    retried: bool,
}

impl Sum {
    /// An add counts for certain if it was acknowledged before the final read began, and as doubtful
    /// if it may have taken effect before the read completed.
    fn of(operations: &[&Operation], read: &Operation, initial: i64) -> Self {
        let initial = i128::from(initial);
        let mut sum = Self { least: initial, most: initial, ok: 0, doubtful: 0, retried: false };
        for add in operations.iter().filter(|operation| operation.outcome != Outcome::Fail) {
            let Some(delta) = delta(add).map(i128::from) else {
                continue;
            };
            let attempts = add.details.as_ref().and_then(|details| details.attempts);
            sum.retried |= attempts.is_some_and(|attempts| attempts > 1);
            if add.precedes(read) {
                (sum.least, sum.most, sum.ok) = (sum.least + delta, sum.most + delta, sum.ok + 1);
            } else if !read.precedes(add) {
                sum.least += delta.min(0);
                sum.most += delta.max(0);
                sum.doubtful += 1;
            }
        }
        sum
    }

    /// What a read of nil finds is the initial value, wherever the counter starts.
    fn anomaly(&self, read: &Operation, (doubled, initial): (&Doubled, i64)) -> Option<Anomaly> {
        let value = i128::from(match read.result.is_nil() {
            true => initial,
            false => read.result.as_integer()?,
        });
        let doubled = self.retried || doubled.has(&read.key);
        let adds = count(self.ok, "increment");
        let bound = match value {
            value if value < self.least => format!("at least {}", self.least),
            value if value > self.most && !doubled => format!("at most {}", self.most),
            _ => return None,
        };
        Some(Anomaly {
            explanation: format!(
                "the final {}{} at {} should have found {bound}: {adds} acknowledged, {} in doubt",
                noun(read),
                of(read),
                done_at(read),
                self.doubtful,
            ),
            operations: vec![read.id],
            at_ns: Some(read.complete.ns),
            ..Anomaly::default()
        })
    }
}

/// Keys of which some operation took effect twice: that is DUP, not a lost update.
struct Doubled(Vec<SmolStr>);

impl Doubled {
    fn new(evidence: &Evidence<'_>) -> Self {
        let operations = by_operation(evidence.effects());
        let doubled = operations.values().filter(|effects| effects.len() > 1);
        let mut keys: Vec<SmolStr> = doubled.map(|effects| effects[0].key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    fn has(&self, key: &SmolStr) -> bool {
        self.0.binary_search(key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::{Case, effects};

    #[test]
    fn sums_that_follow_each_other_are_valid() {
        Case::new(
            "counter",
            "p1 add  k 1  10..20 1
             p2 add  k 1  11..21 2
             p3 add  k 5  12..?
             p5 add  k 9  12..13 fail
             p4 read k -  100..110 7",
        )
        .phases(50, 90, 120)
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_final_sum_below_the_acknowledged_adds_has_lost_one() {
        Case::new(
            "counter",
            "p1 add  k 1 10..20
             p2 add  k 1 11..21
             p3 add  k -5 12..?
             p4 read k - 100..110 -4",
        )
        .phases(50, 90, 120)
        .rejected_by(
            &GUARANTEE,
            "the final read -4 by process 4 of k at 0.110 s should have found at least -3: 2 \
             increments acknowledged, 1 in doubt",
        );
    }

    #[test]
    fn two_adds_from_one_sum_are_a_lost_update() {
        Case::new(
            "counter",
            "p1 add k 1 10..20 1
             p2 add k 2 11..21 2",
        )
        .rejected_by(
            &GUARANTEE,
            "process 1 asked to add 1 of k and was told 1 at 0.020 s, and process 2 asked to add 2 \
             of k and was told 2 at 0.021 s: both updated 0, so one of them is lost",
        );
    }

    #[test]
    fn a_sum_that_may_have_come_back_proves_nothing() {
        Case::new(
            "counter",
            "p1 add k 1 10..20 1
             p2 add k -1 30..?
             p3 add k 1 40..50 1",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn two_cas_of_one_version_are_a_lost_update() {
        Case::new(
            "cas-register",
            "p1 write k 1     10..20
             p2 cas   k [1,2] 30..40 true
             p3 cas   k [1,3] 31..41 true",
        )
        .rejected_by(
            &GUARANTEE,
            "process 2 asked to cas 1 to 2 of k and was told true at 0.040 s, and process 3 asked \
             to cas 1 to 3 of k and was told true at 0.041 s: both updated 1, so one of them is lost",
        );
        Case::new(
            "cas-register",
            "p1 write k 1     10..20
             p2 cas   k [1,2] 30..40 true
             p9 write k 1     10..?
             p3 cas   k [1,3] 31..41 true",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_sum_above_all_adds_is_left_to_dup_where_an_effect_is_doubled() {
        let history = "p1 add  k 1 10..20
                       p4 read k - 100..110 2";
        let case = Case::new("counter", history).phases(50, 90, 120);
        case.rejected_by(
            &GUARANTEE,
            "the final read 2 by process 4 of k at 0.110 s should have found at most 1: 1 increment \
             acknowledged, 0 in doubt",
        );
        case.facts(effects("k", &[(0, 1, 1), (0, 2, 2)])).accepted_by(&GUARANTEE);
    }
}
