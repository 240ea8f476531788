//! ORD: what happened to one key takes effect everywhere in the order in which it happened.
//!
//! Valid: the second event comes late, and the third is not done before it.
//! ```text
//! source    a1 a2 a3
//! consumer  a1 ───── a2 a3
//! ```
//! Invalid, because the third event of `a` took effect before the second:
//! ```text
//! source    a1 a2 a3
//! consumer  a1 a3 ── a2
//! ```
//! The definition: of each key at each consumer, the places in the source's order of what takes effect
//! *for the first time* rise. What takes effect once more is DUP's, and what never does is MISS's, so a
//! gap is no anomaly here.
//!
//! # What nodes note
//! The source is whoever notes `queued`, and then a consumer is any other node that notes the `effect` of
//! what was queued; or whoever notes the `effect`s that copies note as `derived`. A value that a key had
//! twice does not tell which change a copy has applied: such a step is counted, not judged.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, NodeIndex, SmolStr, Value, duration};

use crate::words::node;
use crate::{Guarantee, Invariant, Judge};

/// Order per key.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "ORD",
        name: "order per key",
        doc: "What happened to one key takes effect in that order, at every consumer and in every copy.\n\n\
              The source's order is that in which it committed: the order of its queue, or of its changes. \
              Of each key, at each consumer, whatever takes effect for the first time stands behind \
              everything that took effect before it. Keys may overtake each other; something that never \
              takes effect is MISS, and something that does so twice is DUP.\n\n\
              The usual ways to break it: two relays or consumers at work on one key; a partition chosen \
              at random rather than by key; an event that is delivered again, or only now, when its \
              successor was there already.",
        parameters: &[],
    },
    judge: Judge::Facts(|| Box::<Order>::default()),
};

const ANOMALIES_MAX: usize = 10;

/// Something that took effect at a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Its place in the source's order, from 1.
    place: u64,
    operation: u64,
    ns: u64,
}

/// A step that came after one that stands behind it.
struct Violation {
    node: NodeIndex,
    key: SmolStr,
    before: Step,
    after: Step,
}

/// What happened at the source.
#[derive(Default)]
struct Source {
    /// Who queued an operation, and as the how many-th.
    queued: BTreeMap<u64, (NodeIndex, u64)>,
    /// Which change gave a key a value: its place and operation; `None` if several did.
    changes: BTreeMap<(SmolStr, Value), Option<(u64, u64)>>,
}

impl Source {
    fn queue(&mut self, node: NodeIndex, operation: u64) {
        let next = self.queued.len() as u64 + 1;
        self.queued.entry(operation).or_insert((node, next));
    }

    fn change(&mut self, key: &SmolStr, value: &Value, change: (u64, u64)) {
        let known = self.changes.entry((key.clone(), value.clone())).or_insert(Some(change));
        if known.is_some_and(|(place, _)| place != change.0) {
            *known = None;
        }
    }
}

#[derive(Default)]
struct Order {
    source: Source,
    /// What took effect, by consumer.
    seen: BTreeMap<NodeIndex, BTreeSet<u64>>,
    /// The step furthest behind in the source's order, by consumer and key, and whether one came after it
    /// that stands before it.
    furthest: BTreeMap<(NodeIndex, SmolStr), (Step, bool)>,
    steps: u64,
    ambiguous: u64,
    violations: Vec<Violation>,
}

impl Invariant for Order {
    fn observe(&mut self, record: &FactRecord) {
        match &record.fact {
            Fact::Queued { operation, .. } => self.source.queue(record.node, *operation),
            Fact::Effect { operation, key, value, position } => {
                match self.source.queued.get(operation).copied() {
                    Some((source, place)) if source != record.node => {
                        let step = Step { place, operation: *operation, ns: record.ns };
                        self.step(record.node, key, step);
                    }
                    _ => self.source.change(key, value, (*position, *operation)),
                }
            }
            Fact::Derived { key, value, .. } => {
                match self.source.changes.get(&(key.clone(), value.clone())).copied() {
                    Some(Some((place, operation))) => {
                        let step = Step { place, operation, ns: record.ns };
                        self.step(record.node, key, step);
                    }
                    Some(None) => self.ambiguous += 1,
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement {
        let mut judgement = Judgement::new(GUARANTEE.info.code);
        judgement.examine("first effects", self.steps);
        judgement.examine("keys of consumers", self.furthest.len() as u64);
        if self.ambiguous > 0 {
            judgement.examine("values that a key had twice", self.ambiguous);
        }
        if self.steps == 0 {
            judgement.doubt("no consumer noted what took effect there");
        }
        let (broken, all) = (self.violations.len(), self.furthest.len());
        judgement.observed = Some(format!("{broken} of {all} keys of consumers out of order"));
        for violation in self.violations.iter().take(ANOMALIES_MAX) {
            judgement.contradict(violation.anomaly(nodes));
        }
        judgement
    }
}

impl Order {
    /// Something takes effect at a consumer, perhaps not for the first time.
    fn step(&mut self, node: NodeIndex, key: &SmolStr, after: Step) {
        if !self.seen.entry(node).or_default().insert(after.place) {
            return;
        }
        self.steps += 1;
        let (furthest, broken) = self.furthest.entry((node, key.clone())).or_insert((after, false));
        if furthest.place <= after.place {
            *furthest = after;
        } else if !std::mem::replace(broken, true) {
            let (key, before) = (key.clone(), *furthest);
            self.violations.push(Violation { node, key, before, after });
        }
    }
}

impl Violation {
    fn anomaly(&self, nodes: &[SmolStr]) -> Anomaly {
        let Self { key, before, after, .. } = self;
        Anomaly {
            explanation: format!(
                "{}: of {key}, operation {} took effect at {} although operation {}, which happened after \
                 it, had at {}",
                node(nodes, self.node),
                after.operation,
                duration::seconds(after.ns),
                before.operation,
                duration::seconds(before.ns),
            ),
            operations: vec![after.operation, before.operation],
            key: Some(key.clone()),
            at_ns: Some(after.ns),
            nodes: vec![self.node],
            ..Anomaly::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use wrack_history::Fact;

    use super::GUARANTEE;
    use crate::story::{Case, facts};

    fn queued(operation: u64) -> Fact {
        Fact::Queued { queue: "outbox".into(), operation }
    }

    fn effect(operation: u64, key: &str, value: i64, position: u64) -> Fact {
        Fact::Effect { operation, key: key.into(), value: value.into(), position }
    }

    fn derived(key: &str, value: i64) -> Fact {
        Fact::Derived { offset: 9, key: key.into(), value: value.into() }
    }

    #[test]
    fn keys_may_overtake_each_other_and_gaps_and_repetitions_are_for_others() {
        let noted = [
            (0, 1, queued(1)),
            (0, 2, queued(2)),
            (0, 3, queued(3)),
            (0, 4, queued(4)),
            (1, 5, effect(3, "b", 3, 1)),
            (1, 6, effect(1, "a", 1, 2)),
            // 2 never comes, and 1 comes twice.
            (1, 7, effect(4, "a", 4, 3)),
            (1, 8, effect(1, "a", 1, 4)),
        ];
        Case::new("set", "").facts(facts(noted)).accepted_by(&GUARANTEE);
    }

    #[test]
    fn an_event_that_is_overtaken_by_a_later_one_of_its_key_is_an_anomaly() {
        let noted = [
            (0, 1, queued(1)),
            (0, 2, queued(2)),
            (1, 5, effect(2, "a", 2, 1)),
            (1, 6, effect(1, "a", 1, 2)),
        ];
        Case::new("set", "").facts(facts(noted)).rejected_by(
            &GUARANTEE,
            "n2: of a, operation 1 took effect at 0.006 s although operation 2, which happened after it, \
             had at 0.005 s",
        );
    }

    #[test]
    fn a_copy_that_applies_an_older_change_later_is_an_anomaly() {
        let changes = [(0, 1, effect(1, "a", 5, 1)), (0, 2, effect(2, "a", 6, 2))];
        let in_order = [(1, 3, derived("a", 5)), (1, 4, derived("a", 6)), (1, 5, derived("a", 5))];
        let case = |steps: [_; 3]| {
            Case::new("register", "").facts(facts(changes.clone().into_iter().chain(steps)))
        };
        // The last step is no first one.
        case(in_order).accepted_by(&GUARANTEE);
        let backwards = [(1, 3, derived("a", 6)), (1, 4, derived("a", 5)), (1, 5, derived("a", 5))];
        case(backwards).rejected_by(
            &GUARANTEE,
            "n2: of a, operation 1 took effect at 0.004 s although operation 2, which happened after it, \
             had at 0.003 s",
        );
    }

    #[test]
    fn a_value_that_a_key_had_twice_says_nothing() {
        let noted = [
            (0, 1, effect(1, "a", 5, 1)),
            (0, 2, effect(2, "a", 6, 2)),
            (0, 3, effect(3, "a", 5, 3)),
            (1, 4, derived("a", 6)),
            (1, 5, derived("a", 5)),
        ];
        let judgement = Case::new("counter", "").facts(facts(noted)).judge(&GUARANTEE);
        assert!(judgement.anomalies.is_empty());
        assert_eq!(judgement.examined["values that a key had twice"], 1);
    }

    #[test]
    fn no_consumer_is_unknown() {
        let noted = [(0, 1, queued(1)), (0, 2, effect(1, "a", 1, 1))];
        Case::new("set", "")
            .facts(facts(noted))
            .unknown_to(&GUARANTEE, "no consumer noted what took effect there");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// Looks at every pair of first effects.
        #[test]
        fn what_is_broken_is_what_some_pair_shows(
            noted in prop::collection::vec((1..3u16, 1..7u64), 1..12),
        ) {
            let key = |operation: u64| ["a", "b"][operation as usize % 2];
            let mut firsts = Vec::new();
            for step in &noted {
                if !firsts.contains(step) {
                    firsts.push(*step);
                }
            }
            let mut broken = BTreeSet::new();
            for (place, (node, operation)) in firsts.iter().enumerate() {
                let overtook = |earlier: &&(u16, u64)| {
                    earlier.0 == *node && key(earlier.1) == key(*operation) && earlier.1 > *operation
                };
                if firsts[..place].iter().any(|earlier| overtook(&earlier)) {
                    broken.insert((*node, key(*operation)));
                }
            }
            let source = (1..7).map(|operation| (0, 1, queued(operation)));
            let steps = (2..).zip(&noted).map(|(ms, (node, operation))| {
                (*node, ms, effect(*operation, key(*operation), 0, ms))
            });
            let judgement =
                Case::new("set", "").facts(facts(source.chain(steps))).judge(&GUARANTEE);
            prop_assert_eq!(judgement.anomalies.len(), broken.len());
        }
    }
}
