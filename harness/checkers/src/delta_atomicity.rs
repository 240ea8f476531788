//! DELTA: with reads so much older, the history would be linearizable.
//!
//! Valid for a bound of 5 s: moved back by 3 s, the read begins before write 2 was acknowledged.
//! ```text
//! p1  |- write 1 -|  |- write 2 -|
//! p2                               . . . 3 s . . .  |- read 1 -|
//! ```
//! Invalid for a bound of 2 s: the same history.
//!
//! The definition: the history in which every read was invoked Δ earlier is linearizable (Δ-atomic).
//! Unlike [`crate::staleness`] it needs no order of versions: some order must do. A read that begins,
//! after it was moved, at the very time at which something completes overlaps it.
//!
//! # Algorithm
//! Values are unique, so a value's write and its reads are a *cluster*. With the earliest completion `f`
//! and the latest invocation `s` in it, two clusters *contradict* each other iff each has something
//! that was over before something of the other began: `f₁ < s₂` and `f₂ < s₁`. By Gibbons and Korach the
//! history is linearizable iff no read ends before its write begins and no two clusters contradict each
//! other (two zones that overlap forward, or a backward one inside a forward one, are the two ways to
//! do so). A greater Δ makes every `s` less or leaves it, and never changes `f`: what holds for one Δ
//! holds for every greater one, so the smallest is found by halving, one pass over the clusters in
//! order of `f` a time.
//!
//! Source: Golab, Li and Shah, "Analyzing consistency properties for fun and profit", PODC 2011;
//! Gibbons and Korach, "Testing shared memories", 1997.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Settings, duration};

use crate::tally::{Sizes, Tally};
use crate::unique::{Source, Unique};
use crate::words::{noun, of, span};
use crate::{Evidence, Guarantee, Judge};

/// Δ-atomicity.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "DELTA",
        name: "Δ-atomicity",
        doc: "Reads may be behind by the bound at most: had every read begun so much earlier, the \
              history would be linearizable.\n\n\
              This is bounded staleness for a history recorded elsewhere, where nobody noted the \
              order of versions: some order must explain all reads. The written values of a key must \
              be unique, and cas has no place in it. The report states the smallest bound that would \
              have held, of all keys and as a distribution over keys.\n\n\
              The usual ways to break it are those of STALE: a lost invalidation, a lagging replica, \
              a time to live that is longer than the promise.\n\n\
              Source: Golab, Li and Shah, Analyzing Consistency Properties for Fun and Profit, 2011.",
        parameters: &[ParameterInfo::new(
            "bound",
            ParameterKind::Duration,
            DefaultSetting::Duration(5 * duration::SECOND),
            "How much earlier reads may have to begin.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let bound = settings.duration("bound").expect("it has a default");
    judgement.bound = Some(duration::format(bound));
    let keys = match Unique::of(evidence).and_then(clusters_by_key) {
        Ok(keys) => keys,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let (mut tally, mut sizes) = (Tally::default(), Sizes::new("smallest bound of a key", "ns"));
    let mut hopeless = 0;
    for key in &keys {
        judgement.examine("keys", 1);
        judgement.examine("reads", key.reads);
        let smallest = key.smallest();
        match smallest {
            Some(smallest) => sizes.record(key.any, smallest),
            None => hopeless += 1,
        }
        let broken = smallest.is_none_or(|smallest| smallest > bound);
        tally.look(key.any, broken);
        if broken && judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(key.anomaly(bound));
        }
    }
    judgement.observed = Some(match hopeless {
        0 => format!("{} would hold", duration::seconds(sizes.max())),
        _ => "no bound would hold".to_owned(),
    });
    judgement.algorithm = Some("zones".to_owned());
    sizes.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

/// A point in time, and where it stands among those of the same time.
type Point = (i64, u64);
/// Before everything: where the initial value was written.
const BEGINNING: Point = (i64::MIN, 0);

fn point(moment: wrack_history::Moment) -> Point {
    (moment.ns.min(i64::MAX as u64) as i64, moment.index)
}

/// A write and the reads of its value.
struct Cluster<'a> {
    /// None for the initial value.
    write: Option<&'a Operation>,
    /// The operation that completed first; none if only the initial value was there.
    first: Option<&'a Operation>,
    /// The read that was invoked last.
    last_read: Option<&'a Operation>,
}

impl<'a> Cluster<'a> {
    fn new(write: Option<&'a Operation>) -> Self {
        Self { write, first: write.filter(|write| write.is_ok()), last_read: None }
    }

    fn add(&mut self, read: &'a Operation) {
        let later = |known: &Operation| known.complete.index > read.complete.index;
        if self.first.is_none_or(later) {
            self.first = Some(read);
        }
        if self.last_read.is_none_or(|known| known.invoke.index < read.invoke.index) {
            self.last_read = Some(read);
        }
    }

    /// Its earliest completion.
    fn first(&self) -> Point {
        match self.write {
            None => BEGINNING,
            Some(_) => self.first.map_or((i64::MAX, u64::MAX), |first| point(first.complete)),
        }
    }

    /// Its latest invocation, reads being moved.
    fn last(&self, delta: u64) -> Point {
        let write = self.write.map_or(BEGINNING, |write| point(write.invoke));
        let moved = self.last_read.map(|read| {
            let delta = i64::try_from(delta).unwrap_or(i64::MAX);
            (point(read.invoke).0.saturating_sub(delta), 0)
        });
        moved.map_or(write, |moved| moved.max(write))
    }

    /// The operation whose invocation is the latest.
    fn last_operation(&self, delta: u64) -> Option<&'a Operation> {
        let write = self.write.map_or(BEGINNING, |write| point(write.invoke));
        if self.last(delta) == write { self.write } else { self.last_read }
    }
}

/// The clusters of one key, in order of their first completion.
struct Key<'a> {
    clusters: Vec<Cluster<'a>>,
    /// A read of what was never written or only later.
    impossible: Option<(&'a Operation, Option<&'a Operation>)>,
    any: &'a Operation,
    reads: u64,
}

/// Errors: an operation that is neither a plain read nor a plain write.
fn clusters_by_key(unique: Unique<'_>) -> Result<Vec<Key<'_>>, String> {
    let mut keys: Vec<Option<Key<'_>>> = (0..unique.keys).map(|_| None).collect();
    let mut place = FxHashMap::<u32, usize>::default();
    for (number, access) in (0u32..).zip(&unique.accesses) {
        let operation = access.operation;
        if operation.function == "cas" {
            return Err("Δ-atomicity is defined for reads and writes, not for cas".to_owned());
        }
        let key = keys[access.key as usize].get_or_insert_with(|| Key {
            clusters: vec![Cluster::new(None)],
            impossible: None,
            any: operation,
            reads: 0,
        });
        if !access.is_read {
            place.insert(number, key.clusters.len());
            key.clusters.push(Cluster::new(Some(operation)));
        }
    }
    for access in unique.accesses.iter().filter(|access| access.is_read) {
        let key = keys[access.key as usize].as_mut().expect("it has this access");
        key.reads += 1;
        let read = access.operation;
        match access.source {
            Source::Initial => key.clusters[0].add(read),
            Source::Nowhere => _ = key.impossible.get_or_insert((read, None)),
            Source::Write(number) => {
                let write = unique.accesses[number as usize].operation;
                key.clusters[place[&number]].add(read);
                if read.precedes(write) {
                    key.impossible.get_or_insert((read, Some(write)));
                }
            }
        }
    }
    let mut keys: Vec<Key<'_>> = keys.into_iter().flatten().collect();
    for key in &mut keys {
        // A write in doubt that nobody read need not have happened.
        key.clusters.retain(|cluster| cluster.write.is_none() || cluster.first.is_some());
        key.clusters.sort_by_key(Cluster::first);
    }
    Ok(keys)
}

impl<'a> Key<'a> {
    /// The smallest Δ that makes it linearizable; `None` if none does.
    fn smallest(&self) -> Option<u64> {
        let holds = |delta: u64| self.contradiction(delta).is_none();
        // Once every read begins at 0, none can begin any earlier in effect.
        let reads = self.clusters.iter().filter_map(|cluster| cluster.last_read);
        let (mut low, mut high) = (0, reads.map(|read| read.invoke.ns).max().unwrap_or(0));
        if self.impossible.is_some() || !holds(high) {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    }

    /// Two clusters that contradict each other.
    ///
    /// Why: forward zones (`f < s`) that do not overlap are in one order by `f` and by `s`. So the first
    /// overlap is between neighbours, and only the last one with `f` before a backward zone's `s` can
    /// hold that zone.
    fn contradiction(&self, delta: u64) -> Option<[&Cluster<'a>; 2]> {
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        for cluster in &self.clusters {
            let (first, last) = (cluster.first(), cluster.last(delta));
            if first < last { &mut forward } else { &mut backward }.push((first, last, cluster));
        }
        let overlap = forward.windows(2).find(|pair| pair[1].0 < pair[0].1);
        if let Some([(.., one), (.., other)]) = overlap {
            return Some([one, other]);
        }
        backward.into_iter().find_map(|(first, last, cluster)| {
            let place = forward.partition_point(|(begin, ..)| *begin < last).checked_sub(1)?;
            let (_, end, around) = forward[place];
            (first < end).then_some([around, cluster])
        })
    }

    fn anomaly(&self, bound: u64) -> Anomaly {
        let (explanation, operations) = match (self.impossible, self.contradiction(bound)) {
            (Some((read, None)), _) => {
                (format!("{}{}: nobody wrote that", told(read), of(read)), vec![read])
            }
            (Some((read, Some(write))), _) => (
                format!("{}{} was over before {} was asked for", told(read), of(read), told(write)),
                vec![read, write],
            ),
            (None, Some([one, other])) => Self::contradicted(one, other, bound),
            (None, None) => unreachable!("a key that is broken has a contradiction"),
        };
        let mut ids: Vec<u64> = operations.iter().map(|operation| operation.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let complete = operations.iter().map(|operation| operation.complete.ns);
        Anomaly {
            explanation,
            operations: ids,
            key: Some(self.any.key.clone()).filter(|key| !key.is_empty()),
            at_ns: complete.filter(|ns| *ns != u64::MAX).max(),
            ..Anomaly::default()
        }
    }

    fn contradicted(
        one: &Cluster<'a>,
        other: &Cluster<'a>,
        bound: u64,
    ) -> (String, Vec<&'a Operation>) {
        let before = |earlier: &Cluster<'a>, later: &Cluster<'a>| {
            let first = earlier.write.and(earlier.first);
            let last = later.last_operation(bound);
            let operations: Vec<&Operation> = first.into_iter().chain(last).collect();
            let first = first.map_or("the initial value".to_owned(), told);
            let last = last.map_or("the initial value".to_owned(), told);
            (format!("{first} was over before {last} began"), operations)
        };
        let (one_first, mut operations) = before(one, other);
        let (other_first, more) = before(other, one);
        operations.extend(more);
        let key = of(operations[0]);
        let bound = duration::format(bound);
        let explanation = format!(
            "even if reads{key} had begun {bound} earlier, {one_first}, and {other_first}: no order of \
             the two values does"
        );
        (explanation, operations)
    }
}

fn told(operation: &Operation) -> String {
    format!("{} {}", noun(operation), span(operation))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Moment, Operation, Setting, Settings, Verdict};
    use wrack_sequential::register::Register;

    use super::GUARANTEE;
    use crate::story::{Case, history};

    const HISTORY: &str = "p1 write k 1 1000..1010
                           p1 write k 2 2000..2010
                           p2 read  k - 5010..5020 1";

    fn bound(ms: u64) -> Settings {
        Settings::default().with("bound", Setting::Duration(ms * 1_000_000))
    }

    #[test]
    fn a_read_may_be_as_old_as_the_bound() {
        let case = Case::new("register", HISTORY).settings(bound(3_000));
        case.accepted_by(&GUARANTEE);
        let judgement = case.judge(&GUARANTEE);
        assert_eq!(judgement.observed.as_deref(), Some("3.000 s would hold"));
        let overlapping = "p1 write k 1 1..9\n p2 read k - 2..3 1\n p3 read k - 4..5";
        let judgement = Case::new("register", overlapping).judge(&GUARANTEE);
        assert_eq!(judgement.observed.as_deref(), Some("0.001 s would hold"));
    }

    #[test]
    fn an_older_read_is_an_anomaly() {
        Case::new("register", HISTORY).settings(bound(2_999)).rejected_by(
            &GUARANTEE,
            "even if reads of k had begun 2.999s earlier, write 1 by process 1 (1.000 s to 1.010 s) \
             was over before write 2 by process 1 (2.000 s to 2.010 s) began, and write 2 by process 1 \
             (2.000 s to 2.010 s) was over before read 1 by process 2 (5.010 s to 5.020 s) began: no \
             order of the two values does",
        );
    }

    #[test]
    fn no_bound_explains_a_value_from_nowhere() {
        let nowhere = Case::new("register", "p2 read k - 1..2 7");
        nowhere.rejected_by(
            &GUARANTEE,
            "read 7 by process 2 (0.001 s to 0.002 s) of k: nobody wrote that",
        );
        let judgement = nowhere.judge(&GUARANTEE);
        assert_eq!(
            judgement.observed.as_deref(),
            Some("no bound would hold; broken: 1 of 1 keys (k) and 1 of 1 sessions (0)")
        );
        Case::new("register", "p2 read k - 1..2 7\n p1 write k 7 3..4").rejected_by(
            &GUARANTEE,
            "read 7 by process 2 (0.001 s to 0.002 s) of k was over before write 7 by process 1 \
             (0.003 s to 0.004 s) was asked for",
        );
    }

    #[test]
    fn what_is_not_plain_or_not_unique_cannot_be_judged() {
        Case::new("cas-register", "p1 cas k [1,2] 1..2 true")
            .unknown_to(&GUARANTEE, "Δ-atomicity is defined for reads and writes, not for cas");
        Case::new("register", "p1 write k 1 1..2\n p1 write k 1 3..4")
            .unknown_to(&GUARANTEE, "k had the value 1 twice, so versions are not known");
    }

    /// Whether the history is linearizable once reads were invoked so much earlier, by the search.
    fn is_linearizable(operations: &[Operation], delta: i64) -> bool {
        let mut points: Vec<(i64, u64, usize, bool)> = Vec::new();
        for (place, one) in operations.iter().enumerate() {
            let invoke = one.invoke.ns as i64;
            match one.function == "read" {
                true => points.push((invoke - delta, 0, place, false)),
                false => points.push((invoke, one.invoke.index + 1, place, false)),
            }
            if one.is_ok() {
                points.push((one.complete.ns as i64, one.complete.index + 1, place, true));
            }
        }
        points.sort_unstable();
        let mut moved = operations.to_vec();
        for (index, (_, _, place, completes)) in (0..).zip(points) {
            let moment = Moment { index, ns: index };
            let one = &mut moved[place];
            if completes { one.complete = moment } else { one.invoke = moment }
        }
        moved.sort_by_key(|one| one.invoke.index);
        let moved: Vec<&Operation> = moved.iter().collect();
        crate::is_linearizable(Register::default(), &moved, 1_000_000).unwrap().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

        /// Moves reads back by every Δ there can be, one by one.
        #[test]
        fn halving_finds_the_smallest_bound(
            writes in prop::collection::vec((0..20u64, 0..10u64, any::<bool>()), 1..5),
            reads in prop::collection::vec((0..30u64, 0..9i64), 1..6),
        ) {
            let text = crate::story::writes_and_reads(&writes, &reads);
            let operations = history(&text).operations;
            let millisecond = 1_000_000;
            let smallest = (0..45).find(|ms| is_linearizable(&operations, ms * millisecond));
            let judgement = Case::new("register", &text).settings(bound(0)).judge(&GUARANTEE);
            let expected = match smallest {
                Some(ms) => format!("{} would hold", wrack_history::duration::seconds(ms as u64 * 1_000_000)),
                None => "no bound would hold".to_owned(),
            };
            let observed = judgement.observed.unwrap();
            prop_assert!(observed.starts_with(&expected), "{} {} {}", observed, expected, text);
            prop_assert_eq!(judgement.verdict == Verdict::Valid, smallest == Some(0));
        }
    }
}
