//! SEC: who was told the same answers the same.
//!
//! Valid: both have updates a and b at the end, and answer the same, whatever came first.
//! ```text
//! n1  a ──▶ {a} = 1    b ──▶ {a, b} = 3
//! n2  b ──▶ {b} = 2    a ──▶ {a, b} = 3
//! ```
//! Invalid, because the order in which they came matters:
//! ```text
//! n1  a ──▶ {a} = 1    b ──▶ {a, b} = 2
//! n2  b ──▶ {b} = 2    a ──▶ {a, b} = 1
//! ```
//! The definition: at any two instants, of one replica or of two, equal sets of delivered updates of an
//! object give equal query values. The values are compared by digests, which the facts carry. Unlike
//! convergence this is a promise about every moment: no quiet period is needed, and a replica that is
//! merely late breaks nothing.
//!
//! Source: Shapiro, Preguiça, Baquero and Zawirski, "Conflict-free replicated data types", 2011
//! (definition 2.3).

use rustc_hash::FxHashMap;
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::fact::UpdateName;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, NodeIndex, Settings, SmolStr, duration};

use crate::deliveries::{Deliveries, Updates};
use crate::tally::Sizes;
use crate::words::{count, node};
use crate::{Evidence, Guarantee, Judge};

/// Strong eventual consistency.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "SEC",
        name: "strong eventual consistency",
        doc: "Replicas that were delivered the same updates answer the same, at any instant and in \
              whatever order the updates came.\n\n\
              Each replica notes which updates of an object it has and a digest of what a client would \
              read of it. Two equal sets of updates with different digests, on two replicas or at two \
              times on one, are an anomaly. A replica that lags has another set, and breaks nothing.\n\n\
              The usual ways to break it: a merge that depends on the order; a tie that each side \
              decides for itself; an operation that is applied once for each time that it is \
              delivered; a remove that does not say what it removes.\n\n\
              Source: Shapiro et al., Conflict-Free Replicated Data Types, 2011.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let mut deliveries = Deliveries::default();
    let mut known = FxHashMap::<&SmolStr, FxHashMap<Updates, &FactRecord>>::default();
    let (mut compared, mut broken) = (0, FxHashMap::<&SmolStr, ()>::default());
    for record in evidence.facts {
        let has = deliveries.observe(record);
        let (Some(has), Fact::Delivered { key, .. }) = (has, &record.fact) else {
            continue;
        };
        judgement.examine("deliveries", 1);
        let sets = known.entry(key).or_default();
        let Some(earlier) = sets.get(has) else {
            sets.insert(has.clone(), record);
            continue;
        };
        compared += 1;
        let differs = digest(earlier) != digest(record);
        if differs && broken.insert(key, ()).is_none() && judgement.anomalies.len() < ANOMALIES_MAX
        {
            judgement.contradict(anomaly(evidence, has.len(), [earlier, record]));
        }
    }
    judgement.examine("equal sets compared", compared);
    if compared == 0 {
        judgement.doubt("no two replicas were ever delivered the same updates");
    }
    judgement.observed = Some(format!("{} broken", count(broken.len(), "key")));
    spread(evidence).tell(&mut judgement);
    judgement
}

/// How long each update took from the replica that accepted it to the last one that it reached.
fn spread(evidence: &Evidence<'_>) -> Sizes<'static> {
    let mut reached = FxHashMap::<UpdateName, FxHashMap<NodeIndex, u64>>::default();
    for record in evidence.facts {
        let Fact::Delivered { updates, .. } = &record.fact else { continue };
        for update in updates {
            reached.entry(*update).or_default().entry(record.node).or_insert(record.ns);
        }
    }
    let mut sizes = Sizes::new("time to spread", "ns");
    for at in reached.values() {
        let (first, last) = (at.values().min(), at.values().max());
        sizes.record_alone(last.zip(first).map_or(0, |(last, first)| last - first));
    }
    sizes
}

fn digest(record: &FactRecord) -> Option<u64> {
    match record.fact {
        Fact::Delivered { digest, .. } => Some(digest),
        _ => None,
    }
}

fn anomaly(evidence: &Evidence<'_>, updates: usize, [earlier, later]: [&FactRecord; 2]) -> Anomaly {
    let Fact::Delivered { key, updates: last, .. } = &later.fact else {
        unreachable!("deliveries are compared");
    };
    let told = |record: &FactRecord| {
        format!("{} at {}", node(evidence.nodes, record.node), duration::seconds(record.ns))
    };
    let mut operations: Vec<u64> = last.iter().map(|update| update.operation).collect();
    operations.sort_unstable();
    operations.truncate(20);
    let mut nodes = vec![earlier.node, later.node];
    nodes.dedup();
    Anomaly {
        explanation: format!(
            "with the same {} of {key} delivered, {} and {} would have answered differently",
            count(updates, "update"),
            told(earlier),
            told(later),
        ),
        operations,
        key: Some(key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(later.ns),
        nodes,
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use wrack_history::{Fact, FactRecord, Verdict};

    use super::GUARANTEE;
    use crate::deliveries::testing::delivered;
    use crate::story::{Case, facts};

    fn case(facts: Vec<FactRecord>) -> Case<'static> {
        Case::new("set", "").facts(facts)
    }

    #[test]
    fn the_same_updates_in_another_order_give_the_same_answer() {
        let both = |digest| {
            delivered(&[
                (0, 1, &[(0, 0)], 1),
                (1, 2, &[(1, 1)], 2),
                (0, 3, &[(1, 1)], 3),
                (1, 4, &[(0, 0)], digest),
            ])
        };
        case(both(3)).accepted_by(&GUARANTEE);
        case(both(4)).rejected_by(
            &GUARANTEE,
            "with the same 2 updates of k delivered, n1 at 0.003 s and n2 at 0.004 s would have \
             answered differently",
        );
    }

    #[test]
    fn an_update_that_comes_again_changes_nothing() {
        case(delivered(&[(0, 1, &[(0, 0)], 1), (0, 2, &[(0, 0)], 2)])).rejected_by(
            &GUARANTEE,
            "with the same 1 update of k delivered, n1 at 0.001 s and n1 at 0.002 s would have \
             answered differently",
        );
    }

    #[test]
    fn the_time_that_an_update_takes_to_the_last_replica_is_measured() {
        let told = [(0, 1, &[(0, 0)][..], 1), (1, 3, &[(0, 0)], 1), (2, 9, &[(0, 0)], 1)];
        let judgement = case(delivered(&told)).judge(&GUARANTEE);
        assert_eq!(judgement.distribution("time to spread").unwrap().max, 8_000_000);
    }

    #[test]
    fn a_replica_that_lags_breaks_nothing_and_says_nothing() {
        case(delivered(&[(0, 1, &[(0, 0)], 1), (0, 2, &[(1, 0)], 2), (1, 3, &[(0, 0)], 1)]))
            .accepted_by(&GUARANTEE);
        case(delivered(&[(0, 1, &[(0, 0)], 1), (1, 3, &[(1, 1)], 2)]))
            .unknown_to(&GUARANTEE, "no two replicas were ever delivered the same updates");
    }

    /// The definition, word by word: the set of each replica after each fact, and all pairs of them.
    fn is_broken(records: &[FactRecord]) -> bool {
        let mut sets = BTreeMap::<u16, BTreeSet<u64>>::new();
        let mut instants = Vec::new();
        for record in records {
            let set = sets.entry(record.node).or_default();
            match &record.fact {
                Fact::Booted { .. } => set.clear(),
                Fact::Delivered { updates, digest, .. } => {
                    set.extend(updates.iter().map(|update| update.operation));
                    instants.push((set.clone(), *digest));
                }
                _ => {}
            }
        }
        let pair = |(set, digest): &(BTreeSet<u64>, u64)| {
            instants.iter().any(|(other, value)| set == other && digest != value)
        };
        instants.iter().any(pair)
    }

    proptest! {
        #[test]
        fn it_says_what_its_twin_says(
            steps in prop::collection::vec((0..3_u16, 0..4_u64, 0..12_u8, 0..12_u8), 1..14),
        ) {
            let mut records = Vec::new();
            for (ms, (at, operation, boots, wrong)) in (1..).zip(steps) {
                if boots == 0 {
                    records.extend(facts([(at, ms, Fact::Booted { boot: 1 })]));
                }
                // Mostly the value depends on the set alone, as it should: on nothing here.
                let digest = u64::from(wrong == 0);
                records.extend(delivered(&[(at, ms, &[(operation, 0)], digest)]));
            }
            let judgement = case(records.clone()).judge(&GUARANTEE);
            prop_assert_eq!(judgement.verdict == Verdict::Invalid, is_broken(&records));
        }
    }
}
