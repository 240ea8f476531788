//! STALE: a read is at most so old.
//!
//! Valid for a bound of 5 s: the read returns 1 although 2 was acknowledged 3 s before it began.
//! ```text
//! p1  |- write 1 -|  |- write 2 -|
//! p2                               . . . 3 s . . .  |- read 1 -|
//! ```
//! Invalid for a bound of 2 s: the same history.
//!
//! The definition: staleness(r) = invoke(r) − min { complete(w') : w' ok and newer than the version that
//! r returned }, at least 0; an anomaly iff it is more than the bound. A bound of 0 is regularity,
//! weaker than linearizability. The smallest bound that would hold is the largest staleness.
//!
//! Beside it stands how long each acknowledged write took to become visible, the metric M2: to each region,
//! until the last read began that was still older than it.
//!
//! Source: Golab, Li and Shah, "Analyzing consistency properties for fun and profit", 2011, for
//! Δ-atomicity, of which this is the form with a known order of versions.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Settings, SmolStr, duration};

use crate::tally::{Sizes, Tally, region};
use crate::versions::{Version, Versioned, versions};
use crate::words::{done_at, noun, sentence};
use crate::{Evidence, Guarantee, Judge};

/// Bounded staleness, in time.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "STALE",
        name: "bounded staleness (time)",
        doc: "A read may be behind, but not by more than the bound: it never returns a version that \
              was replaced by a newer one, acknowledged, longer than `bound` before the read began.\n\n\
              The order of versions comes from the authority and from unique values, never from a \
              number that the design returns. The report states the largest staleness seen, which is \
              the smallest bound that would have held.\n\n\
              The usual ways to break it: an invalidation that is lost; a projection that misses an \
              event and never resynchronises; a cache fill that arrives after the invalidation; a \
              time to live that is longer than the promise.",
        parameters: &[ParameterInfo::new(
            "bound",
            ParameterKind::Duration,
            DefaultSetting::Duration(5 * duration::SECOND),
            "How long after it was replaced a version may still be read.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let bound = settings.duration("bound").expect("it has a default");
    judgement.bound = Some(duration::format(bound));
    let keys = match versions(evidence) {
        Ok(keys) => keys,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let (mut tally, mut sizes) = (Tally::default(), Sizes::new("staleness", "ns"));
    let mut visibility = Sizes::new("time to visibility", "ns");
    for key in &keys {
        judgement.examine("keys", 1);
        let newer = Newer::new(key);
        let mut worst: Option<(u64, &Operation, Version)> = None;
        for (read, version) in key.reads() {
            judgement.examine("reads", 1);
            let staleness = newer.than(version).map_or(0, |write| staleness(read, write));
            tally.look(read, staleness > bound);
            sizes.record(read, staleness);
            if staleness > bound && worst.is_none_or(|(known, ..)| known < staleness) {
                worst = Some((staleness, read, version));
            }
        }
        let unread = see(key, evidence.phases.end_ns, &mut visibility);
        if unread > 0 {
            judgement.examine("writes never read afterwards", unread);
        }
        if let Some((staleness, read, version)) = worst
            && judgement.anomalies.len() < ANOMALIES_MAX
        {
            let write = newer.than(version).expect("a stale read has a newer write");
            judgement.contradict(anomaly(key, (read, write), staleness, bound));
        }
    }
    judgement.observed = Some(format!("{} at most", duration::seconds(sizes.max())));
    sizes.tell(&mut judgement);
    visibility.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

/// Records for each ok write and each region that reads its key afterwards how long it was until the last
/// read began that was still older; until the run ends if no later one saw it. Gives how often a region
/// did not read the key any more.
fn see<'a>(key: &Versioned<'a>, end_ns: u64, visibility: &mut Sizes<'a>) -> u64 {
    let mut regions = FxHashMap::<Option<&SmolStr>, Vec<(Version, &Operation)>>::default();
    for (read, version) in key.reads() {
        regions.entry(region(read)).or_default().push((version, read));
    }
    let writes: Vec<(&Operation, Version)> = key.writes().collect();
    let mut unread = 0;
    for reads in regions.values_mut() {
        // Of each version, the last read to begin that returned it or an older one.
        reads.sort_by_key(|(version, read)| (*version, read.invoke));
        for place in 1..reads.len() {
            if reads[place - 1].1.invoke > reads[place].1.invoke {
                reads[place].1 = reads[place - 1].1;
            }
        }
        let (_, last) = reads[reads.len() - 1];
        for (write, version) in writes.iter().copied() {
            if last.invoke < write.complete {
                unread += 1;
                continue;
            }
            let older = reads.partition_point(|(other, _)| *other < version);
            let older = older.checked_sub(1).map(|place| reads[place].1);
            let until_ns = match older {
                Some(older) if older.id == last.id => end_ns.max(last.complete.ns),
                Some(older) => older.invoke.ns,
                None => 0,
            };
            visibility.record(last, until_ns.saturating_sub(write.complete.ns));
        }
    }
    unread
}

fn staleness(read: &Operation, newer: &Operation) -> u64 {
    read.invoke.ns.saturating_sub(newer.complete.ns)
}

/// Of the ok writes newer than each version, the one that completed first.
struct Newer<'a> {
    /// Versions, falling, each with the first completed write of this version or a newer one.
    first: Vec<(Version, &'a Operation)>,
}

impl<'a> Newer<'a> {
    fn new(key: &Versioned<'a>) -> Self {
        let mut writes: Vec<(Version, &Operation)> =
            key.writes().map(|(write, version)| (version, write)).collect();
        writes.sort_by_key(|(version, write)| (std::cmp::Reverse(*version), write.complete));
        let mut first: Vec<(Version, &Operation)> = Vec::with_capacity(writes.len());
        for (version, write) in writes {
            let earliest = match first.last() {
                Some((_, known)) if known.complete < write.complete => known,
                _ => write,
            };
            first.push((version, earliest));
        }
        Self { first }
    }

    fn than(&self, version: Version) -> Option<&'a Operation> {
        let newer = self.first.partition_point(|(other, _)| *other > version);
        newer.checked_sub(1).map(|place| self.first[place].1)
    }
}

fn anomaly(
    key: &Versioned<'_>,
    (read, newer): (&Operation, &Operation),
    staleness: u64,
    bound: u64,
) -> Anomaly {
    Anomaly {
        explanation: format!(
            "{} at {}, but the newer {} had completed at {}, {} before the read began: more than {}",
            sentence(read),
            done_at(read),
            noun(newer),
            done_at(newer),
            duration::seconds(staleness),
            duration::format(bound),
        ),
        operations: vec![newer.id, read.id],
        key: key.name(),
        at_ns: Some(read.complete.ns),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Setting, Settings};

    use super::GUARANTEE;
    use crate::story::{Case, effects};

    const HISTORY: &str = "p1 write k 1 1000..1010
                           p1 write k 2 2000..2010
                           p1 write k 3 9000..?
                           p2 read  k - 5010..5020 1";

    fn case(bound_ms: u64) -> Case<'static> {
        let bound = Setting::Duration(bound_ms * 1_000_000);
        Case::new("register", HISTORY)
            .facts(effects("k", &[(0, 1, 10), (1, 2, 20), (3, 3, 30)]))
            .settings(Settings::default().with("bound", bound))
    }

    #[test]
    fn a_read_may_be_as_old_as_the_bound() {
        case(3_000).accepted_by(&GUARANTEE);
        let judgement = case(3_000).judge(&GUARANTEE);
        assert_eq!(judgement.observed.as_deref(), Some("3.000 s at most"));
        assert_eq!(judgement.bound.as_deref(), Some("3s"));
    }

    #[test]
    fn an_older_read_is_stale() {
        case(2_999).rejected_by(
            &GUARANTEE,
            "process 2 read 1 of k at 5.020 s, but the newer write 2 by process 1 had completed at \
             2.010 s, 3.000 s before the read began: more than 2.999s",
        );
        let judgement = case(2_999).judge(&GUARANTEE);
        let observed = "3.000 s at most; broken: 1 of 1 keys (k) and 1 of 1 sessions (0)";
        assert_eq!(judgement.observed.as_deref(), Some(observed));
        let staleness = judgement.distribution("staleness").unwrap();
        assert_eq!((staleness.max, staleness.count()), (3_000_000_000, 1));
    }

    #[test]
    fn versions_begin_with_the_initial_value() {
        let history = "p1 write k 2 2000..2010
                       p2 read  k - 5010..5020 0";
        Case::new("register", history)
            .facts(effects("k", &[(0, 2, 20)]))
            .initial(0.into())
            .settings(Settings::default().with("bound", Setting::Duration(0)))
            .rejected_by(
                &GUARANTEE,
                "process 2 read 0 of k at 5.020 s, but the newer write 2 by process 1 had \
                 completed at 2.010 s, 3.000 s before the read began: more than 0s",
            );
    }

    #[test]
    fn without_an_order_of_versions_nothing_can_be_said() {
        Case::new("register", HISTORY).unknown_to(
            &GUARANTEE,
            "the design noted no effects, so the order of versions is not known",
        );
        Case::new("register", HISTORY)
            .facts(effects("k", &[(0, 1, 10), (1, 1, 20)]))
            .unknown_to(&GUARANTEE, "k had the value 1 twice, so versions are not known");
    }

    #[test]
    fn a_write_is_visible_when_the_last_read_has_begun_that_does_not_see_it() {
        let history = "p1 write k 1 1000..1010
                       p1 write k 2 2000..2010
                       p2 read  k - 2500..2510 1
                       p2 read  k - 2600..2610 2
                       p3 read  k - 3010..3020 1
                       p3 read  k - 4000..4010 2
                       p1 write k 3 5000..5010";
        let visibility = |history: &str| {
            let case = Case::new("register", history)
                .facts(effects("k", &[(0, 1, 10), (1, 2, 20), (6, 3, 30)]))
                .phases(0, 0, 9_000);
            let judgement = case.judge(&GUARANTEE);
            let unread = judgement.examined.get("writes never read afterwards").copied();
            (judgement.distribution("time to visibility").unwrap().max, unread)
        };
        assert_eq!(visibility(history), (1_000_000_000, Some(1)));
        // Nobody ever sees 3: that lasts until the end.
        let history = format!("{history}\n p2 read k - 6000..6010 2");
        assert_eq!(visibility(&history), (3_990_000_000, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// Looks at every pair of a read and a write.
        #[test]
        fn the_largest_staleness_is_that_of_all_pairs(
            writes in prop::collection::vec((0..40u64, 0..20u64, any::<bool>()), 1..8),
            reads in prop::collection::vec((0..60u64, 0..9i64), 1..8),
        ) {
            let text = crate::story::writes_and_reads(&writes, &reads);
            let mut noted = Vec::new();
            let history = crate::story::history(&text);
            for operation in &history.operations {
                if let Some(value) = operation.argument.as_integer() {
                    noted.push((operation.id, value, value as u64));
                }
            }
            let mut most = 0;
            for read in history.operations.iter().filter(|one| one.function == "read") {
                let version = read.result.as_integer().unwrap_or(0);
                for write in history.operations.iter().filter(|one| one.is_ok()) {
                    if write.argument.as_integer().is_some_and(|newer| newer > version) {
                        most = most.max(read.invoke.ns.saturating_sub(write.complete.ns));
                    }
                }
            }
            let judgement = Case::new("register", &text).facts(effects("k", &noted)).judge(&GUARANTEE);
            let expected = format!("{} at most", wrack_history::duration::seconds(most));
            prop_assert_eq!(judgement.observed, Some(expected));
        }
    }
}
