//! KST: a read is at most so many versions old.
//!
//! Valid for k = 2: one newer write had completed before the read began.
//! ```text
//! p1  |- write 1 -|  |- write 2 -|
//! p2                                |- read 1 -|
//! ```
//! Invalid for k = 1: the same history.
//!
//! The definition: fewer than k ok writes newer than the version that the read returned had
//! completed before it was invoked. k = 1 is regularity, weaker than linearizability.
//!
//! Source: Aiyer, Alvisi and Bazzi, "On the availability of non-strict quorum systems", 2005
//! (k-regularity); Golab, Li and Shah 2011.

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Settings};

use crate::tally::{Sizes, Tally};
use crate::versions::{Version, Versioned, versions};
use crate::words::{count, done_at, list, noun, sentence};
use crate::{Evidence, Guarantee, Judge};

/// Bounded staleness, in versions.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "KST",
        name: "bounded staleness (versions)",
        doc: "A read may be behind, but by fewer than `versions` versions: so many newer writes never \
              had been acknowledged before the read began.\n\n\
              With 1 a read returns the last acknowledged version or a newer one. The order of \
              versions comes from the authority and from unique values, never from a number that the \
              design returns. The report states the smallest number that would have held.\n\n\
              The usual ways to break it: a quorum of reads and one of writes that need not meet; a \
              replica that serves while it is cut off.",
        parameters: &[ParameterInfo::new(
            "versions",
            ParameterKind::Integer { min: 1, max: 1_000_000_000 },
            DefaultSetting::Integer(1),
            "Fewer newer acknowledged versions than this may be missed.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let bound = settings.integer("versions").expect("it has a default");
    judgement.bound = Some(count(bound as usize, "version"));
    let keys = match versions(evidence) {
        Ok(keys) => keys,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let (mut tally, mut sizes) =
        (Tally::default(), Sizes::new("newer versions missed", "versions"));
    for key in &keys {
        judgement.examine("keys", 1);
        let missed = missed(key);
        judgement.examine("reads", missed.len() as u64);
        for (missed, read, _) in &missed {
            tally.look(read, *missed >= bound as usize);
            sizes.record(read, *missed as u64);
        }
        let worst = missed
            .into_iter()
            .max_by_key(|(missed, read, _)| (*missed, std::cmp::Reverse(read.id)));
        let Some((missed, read, version)) = worst else {
            continue;
        };
        if missed >= bound as usize && judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(anomaly(key, read, version));
        }
    }
    judgement.observed = Some(format!("{} would hold", count(sizes.max() as usize + 1, "version")));
    sizes.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

/// How many newer writes had completed before each read began.
///
/// Why: a sweep over the events keeps the completed writes in a tree of sums by version, so that
/// each read asks for those newer than its own in O(log n).
fn missed<'a>(key: &Versioned<'a>) -> Vec<(usize, &'a Operation, Version)> {
    let writes: Vec<(&Operation, Version)> = key.writes().collect();
    let size = writes.iter().map(|(_, version)| *version).max().unwrap_or(0);
    let mut completions: Vec<(u64, Version)> =
        writes.iter().map(|(write, version)| (write.complete.index, *version)).collect();
    completions.sort_unstable();
    let mut completions = completions.into_iter().peekable();
    let mut completed = Sums::new(size as usize);
    let reads = key.reads();
    reads
        .map(|(read, version)| {
            let before = |(index, _): &(u64, Version)| *index < read.invoke.index;
            while let Some((_, version)) = completions.next_if(before) {
                completed.add(version as usize);
            }
            (completed.above(version as usize), read, version)
        })
        .collect()
}

/// Counts by place, with sums of ranges in O(log n): a Fenwick tree.
struct Sums {
    tree: Vec<usize>,
    all: usize,
}

impl Sums {
    fn new(size: usize) -> Self {
        Self { tree: vec![0; size + 1], all: 0 }
    }

    fn add(&mut self, place: usize) {
        self.all += 1;
        let mut node = place;
        while node < self.tree.len() {
            self.tree[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    /// How many were added at greater places.
    fn above(&self, place: usize) -> usize {
        let (mut node, mut upto) = (place.min(self.tree.len() - 1), 0);
        while node > 0 {
            upto += self.tree[node];
            node -= node & node.wrapping_neg();
        }
        self.all - upto
    }
}

fn anomaly(key: &Versioned<'_>, read: &Operation, version: Version) -> Anomaly {
    let newer: Vec<&Operation> = key
        .writes()
        .filter(|(write, other)| *other > version && write.precedes(read))
        .map(|(write, _)| write)
        .collect();
    let nouns: Vec<String> = newer.iter().map(|write| noun(write)).collect();
    let mut operations: Vec<u64> = newer.iter().take(20).map(|write| write.id).collect();
    operations.push(read.id);
    Anomaly {
        explanation: format!(
            "{} at {}, but {} had completed before that began: {}",
            sentence(read),
            done_at(read),
            count(newer.len(), "newer write"),
            list(&nouns),
        ),
        operations,
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

    const HISTORY: &str = "p1 write k 1 10..20
                           p1 write k 2 30..40
                           p1 write k 3 50..60
                           p3 write k 4 51..?
                           p2 read  k - 65..70 1";

    fn case(versions: i64) -> Case<'static> {
        Case::new("register", HISTORY)
            .facts(effects("k", &[(0, 1, 1), (1, 2, 5), (2, 3, 7), (3, 4, 9)]))
            .settings(Settings::default().with("versions", Setting::Integer(versions)))
    }

    #[test]
    fn fewer_newer_versions_than_the_bound_may_be_missed() {
        case(3).accepted_by(&GUARANTEE);
        let judgement = case(3).judge(&GUARANTEE);
        assert_eq!(judgement.observed.as_deref(), Some("3 versions would hold"));
    }

    #[test]
    fn a_read_that_misses_more_is_an_anomaly() {
        case(2).rejected_by(
            &GUARANTEE,
            "process 2 read 1 of k at 0.070 s, but 2 newer writes had completed before that began: \
             write 2 by process 1 and write 3 by process 1",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// Counts the newer writes of every read one by one.
        #[test]
        fn the_tree_counts_what_counting_one_by_one_counts(
            writes in prop::collection::vec((0..40u64, 0..20u64, any::<bool>()), 1..8),
            reads in prop::collection::vec((0..60u64, 0..9i64), 1..8),
        ) {
            let text = crate::story::writes_and_reads(&writes, &reads);
            let history = crate::story::history(&text);
            let version = |operation: &wrack_history::Operation| {
                operation.argument.as_integer().map(|value| (operation.id, value, value as u64))
            };
            let noted: Vec<(u64, i64, u64)> = history.operations.iter().filter_map(version).collect();
            let most = history.operations.iter().filter(|one| one.function == "read").map(|read| {
                let newer = |write: &&wrack_history::Operation| {
                    let own = read.result.as_integer().unwrap_or(0);
                    write.argument.as_integer().is_some_and(|value| value > own) && write.precedes(read)
                };
                history.operations.iter().filter(newer).count()
            });
            let expected = most.max().unwrap_or(0) + 1;
            let judgement = Case::new("register", &text).facts(effects("k", &noted)).judge(&GUARANTEE);
            let observed = judgement.observed.unwrap();
            prop_assert!(observed.starts_with(&format!("{expected} version")), "{observed}");
        }
    }
}
