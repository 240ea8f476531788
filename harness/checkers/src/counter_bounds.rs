//! SUM: a counter reads no less and no more than what can have been added.
//!
//! Valid: the read overlaps the second add, and finds it or not.
//! ```text
//! p1  |- add 1 -|  |--- add 2 ---|
//! p2                 |- read 1 -|
//! ```
//! Invalid, because 1 was acknowledged before the read began:
//! ```text
//! p1  |- add 1 -|
//! p2               |- read 0 -|
//! ```
//! The definition: with an add that was acknowledged before the read was invoked counted for certain,
//! and one that was invoked before the read completed and may have taken effect counted as the bound
//! is better for it, the read lies between the two sums. That is necessary for linearizability and not
//! enough: reads are not compared with each other.
//!
//! Source: Jepsen's `counter` checker, here with negative adds; `g-counter` and `pn-counter` of
//! Maelstrom are judged by their settled reads.

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings};
use wrack_sequential::counter::is_increment;

use crate::final_reads::settled_reads;
use crate::tally::{Sizes, Tally};
use crate::words::{done_at, noun, of};
use crate::{Evidence, Guarantee, Judge};

/// Counter bounds.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "SUM",
        name: "counter bounds",
        doc: "A read of a counter finds every add that was acknowledged before it, and nothing that \
              was not asked for before it ended.\n\n\
              With adds that overlap the read, or are in doubt, counted or not as the bound needs it, \
              the value lies between the least and the greatest sum there can be. A counter that \
              promises only to converge is judged with `reads = \"settled\"`: by the last read of \
              each process, if it began after all changes were over.\n\n\
              The usual ways to break it: a lost update; an add that is retried and applied twice; a \
              counter that cannot go down and is asked to.",
        parameters: &[ParameterInfo::new(
            "reads",
            ParameterKind::Choice(&["all", "settled"]),
            DefaultSetting::Choice("all"),
            "Which reads are judged.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let reads = settings.choice("reads").expect("it has a default");
    let settled = settled_reads(evidence);
    let initial = i128::from(evidence.initial.as_integer().unwrap_or(0));
    let (mut tally, mut sizes) =
        (Tally::default(), Sizes::new("distance from what is possible", "adds"));
    let mut wrong = 0;
    for (&key, operations) in evidence.by_key() {
        let settled = settled.get(key).map(Vec::as_slice).unwrap_or_default();
        let counts =
            |read: &Operation| reads == "all" || settled.iter().any(|one| one.id == read.id);
        for Bounds { read, least, most } in bounds(operations, initial) {
            if !counts(read) {
                continue;
            }
            judgement.examine("reads", 1);
            let found = if read.result.is_nil() { Some(0) } else { read.result.as_integer() };
            let Some(found) = found.map(i128::from) else {
                judgement.doubt(format!("{} is no sum", noun(read)));
                continue;
            };
            let distance = (least - found).max(found - most).max(0);
            tally.look(read, distance > 0);
            sizes.record(read, u64::try_from(distance).unwrap_or(u64::MAX));
            wrong += u64::from(distance > 0);
            if distance > 0 && judgement.anomalies.len() < ANOMALIES_MAX {
                judgement.contradict(anomaly(read, least, most));
            }
        }
    }
    if judgement.examined.is_empty() {
        judgement.doubt(format!("there is no read to judge of {reads} reads"));
    }
    judgement.observed = Some(format!("{wrong} impossible reads"));
    sizes.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

fn anomaly(read: &Operation, least: i128, most: i128) -> Anomaly {
    let range = match least == most {
        true => format!("exactly {least}"),
        false => format!("from {least} to {most}"),
    };
    let (what, key, at) = (noun(read), of(read), done_at(read));
    Anomaly {
        explanation: format!("{what}{key} at {at} should have found {range}, by what was added"),
        operations: vec![read.id],
        key: Some(read.key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(read.complete.ns),
        ..Anomaly::default()
    }
}

/// Between what and what a read must lie.
struct Bounds<'a> {
    read: &'a Operation,
    least: i128,
    most: i128,
}

/// Sums of negative and of positive adds.
#[derive(Clone, Copy, Default)]
struct Sums {
    negative: i128,
    positive: i128,
}

impl Sums {
    fn add(&mut self, delta: i64) {
        let sum = if delta < 0 { &mut self.negative } else { &mut self.positive };
        *sum += i128::from(delta);
    }
}

/// The bounds of every ok read, in order of completion.
///
/// Why: one sweep. What is certain is counted when the read is invoked, what is possible when it
/// completes; a negative add that is possible makes the least less, certain or not.
fn bounds<'a>(operations: &[&'a Operation], initial: i128) -> Vec<Bounds<'a>> {
    let happened = operations.iter().copied().filter(|one| one.outcome != Outcome::Fail);
    let mut events: Vec<(u64, bool, usize, &Operation)> = Vec::new();
    for (number, operation) in happened.enumerate() {
        events.push((operation.invoke.index, false, number, operation));
        if operation.is_ok() {
            events.push((operation.complete.index, true, number, operation));
        }
    }
    events.sort_unstable_by_key(|(index, completes, number, _)| (*index, *completes, *number));
    let mut certain_before = vec![Sums::default(); events.len()];
    let (mut possible, mut certain) = (Sums::default(), Sums::default());
    let mut bounds = Vec::new();
    for (_, completes, number, operation) in events {
        let delta = is_increment(&operation.function).then(|| operation.argument.as_integer());
        match (delta.flatten(), completes) {
            (Some(delta), false) => possible.add(delta),
            (Some(delta), true) => certain.add(delta),
            (None, false) => certain_before[number] = certain,
            (None, true) if operation.function == "read" => bounds.push(Bounds {
                read: operation,
                least: initial + certain_before[number].positive + possible.negative,
                most: initial + certain_before[number].negative + possible.positive,
            }),
            (None, true) => (),
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Outcome, Setting, Settings};

    use super::{GUARANTEE, bounds};
    use crate::story::{Case, history};

    #[test]
    fn a_read_finds_what_was_acknowledged_and_may_find_what_overlaps_it() {
        Case::new(
            "counter",
            "p1 add  k 1  10..20
             p2 add  k 2  30..?
             p3 read k -  15..16 1
             p3 read k -  25..26 1
             p3 read k -  35..36 3
             p4 add  k -5 40..50
             p3 read k -  45..46 -4
             p3 read k -  55..56 -2",
        )
        .accepted_by(&GUARANTEE);
        let started = "p1 add k 1 10..20\n p3 read k - 25..26 8";
        Case::new("counter", started).initial(7.into()).accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_read_below_what_was_acknowledged_or_above_what_was_asked_is_an_anomaly() {
        let rejected = |read: i64, why: &str| {
            let history = format!(
                "p1 add  k 1 10..20
                 p2 add  k 2 30..?
                 p2 add  k 9 31..33 fail
                 p3 read k - 35..36 {read}"
            );
            let explanation = format!("read {read} by process 3 of k at 0.036 s {why}");
            Case::new("counter", &history).rejected_by(&GUARANTEE, &explanation);
        };
        rejected(0, "should have found from 1 to 3, by what was added");
        rejected(4, "should have found from 1 to 3, by what was added");
    }

    #[test]
    fn a_counter_that_only_converges_is_judged_when_it_has_settled() {
        let history = "p1 add  k 1 10..20
                       p2 read k - 25..26 0
                       p2 read k - 35..36 1
                       p3 read k - 35..36 1";
        let settled = Settings::default().with("reads", Setting::Choice("settled".into()));
        Case::new("counter", history).settings(settled).accepted_by(&GUARANTEE);
        Case::new("counter", history).rejected_by(
            &GUARANTEE,
            "read 0 by process 2 of k at 0.026 s should have found exactly 1, by what was added",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

        /// Tries every subset of the adds that may have taken effect.
        #[test]
        fn the_sweep_finds_the_least_and_the_greatest_sum_of_all_subsets(
            adds in prop::collection::vec((-3..4i64, 0..30u64, 0..20u64, 0..3u8), 0..6),
            reads in prop::collection::vec((0..40u64, 0..20u64), 1..4),
        ) {
            let mut text = String::new();
            for (process, (delta, begin, length, outcome)) in (1..).zip(&adds) {
                let outcome = ["", "info", "fail"][usize::from(*outcome)];
                let end = begin + length + 1;
                text += &format!("p{process} add k {delta} {begin}..{end} {outcome}\n");
            }
            for (process, (begin, length)) in (20..).zip(&reads) {
                text += &format!("p{process} read k - {begin}..{} 0\n", begin + length + 1);
            }
            let history = history(&text);
            let operations: Vec<_> = history.operations.iter().collect();
            for found in bounds(&operations, 0) {
                let adds: Vec<_> = operations
                    .iter()
                    .filter(|add| add.function == "add" && add.outcome != Outcome::Fail)
                    .filter(|add| !found.read.precedes(add))
                    .collect();
                let sums = (0..1u32 << adds.len()).filter_map(|chosen| {
                    let mut sum = 0;
                    for (bit, add) in adds.iter().enumerate() {
                        let is_chosen = chosen >> bit & 1 == 1;
                        if !is_chosen && add.precedes(found.read) {
                            return None;
                        }
                        sum += i128::from(is_chosen) * i128::from(add.argument.as_integer().unwrap());
                    }
                    Some(sum)
                });
                let sums: Vec<i128> = sums.collect();
                prop_assert_eq!(Some(&found.least), sums.iter().min());
                prop_assert_eq!(Some(&found.most), sums.iter().max());
            }
        }
    }
}
