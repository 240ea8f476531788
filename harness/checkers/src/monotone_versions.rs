//! MONO: a durable version never goes back.
//!
//! Valid: the node restarts, and has what it had.
//! ```text
//! n1  k at 7 ── k at 9 ── crash ── k at 9 ── k at 10
//! ```
//! Invalid, because what was on its disk is older after the restart:
//! ```text
//! n1  k at 7 ── k at 9 ── crash ── k at 7
//! ```
//! The definition: of each resource on each node the versions that its disk is known to hold never
//! decrease, through restarts and restores too. Several nodes may differ: a copy may be behind.

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, NodeIndex, SmolStr, duration};

use crate::words::node;
use crate::{Guarantee, Invariant, Judge};

/// Monotone versions.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "MONO",
        name: "monotone versions",
        doc: "What a node has on its disk never becomes older.\n\n\
              Whenever a version of a key, a log or a checkpoint is durable on a node, the node notes \
              it, and again what it finds after a restart. The versions of each of them, on each node, \
              never decrease, whatever happens in between.\n\n\
              The usual ways to break it: an old event that is written over a newer one; a sync that \
              was reported and did not happen; a restore from a backup that forgets what came after \
              it; a counter that begins anew after a restart.",
        parameters: &[],
    },
    judge: Judge::Facts(|| Box::<Monotone>::default()),
};

const ANOMALIES_MAX: usize = 10;

/// A version on a disk, and when it was noted.
#[derive(Clone, Copy)]
struct Durable {
    version: u64,
    ns: u64,
}

/// The first time that a version went back.
struct Violation {
    node: NodeIndex,
    resource: SmolStr,
    before: Durable,
    after: Durable,
}

#[derive(Default)]
struct Monotone {
    /// The highest version so far, and whether one was lower.
    known: BTreeMap<(NodeIndex, SmolStr), (Durable, bool)>,
    versions: u64,
    violations: Vec<Violation>,
}

impl Invariant for Monotone {
    fn observe(&mut self, record: &FactRecord) {
        let Fact::Durable { resource, version } = &record.fact else {
            return;
        };
        self.versions += 1;
        let after = Durable { version: *version, ns: record.ns };
        let place = (record.node, resource.clone());
        let (highest, broken) = self.known.entry(place).or_insert((after, false));
        if highest.version <= after.version {
            *highest = after;
        } else if !std::mem::replace(broken, true) {
            let (node, resource, before) = (record.node, resource.clone(), *highest);
            self.violations.push(Violation { node, resource, before, after });
        }
    }

    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement {
        let mut judgement = Judgement::new(GUARANTEE.info.code);
        judgement.examine("durable versions", self.versions);
        judgement.examine("resources", self.known.len() as u64);
        if self.versions == 0 {
            judgement.doubt("no node noted a durable version");
        }
        judgement.observed =
            Some(format!("{} of {} went back", self.violations.len(), self.known.len()));
        for violation in self.violations.iter().take(ANOMALIES_MAX) {
            judgement.contradict(violation.anomaly(nodes));
        }
        judgement
    }
}

impl Violation {
    fn anomaly(&self, nodes: &[SmolStr]) -> Anomaly {
        let Self { resource, before, after, .. } = self;
        Anomaly {
            explanation: format!(
                "{} had version {} of {resource} on its disk at {}, and version {} at {}",
                node(nodes, self.node),
                before.version,
                duration::seconds(before.ns),
                after.version,
                duration::seconds(after.ns),
            ),
            key: Some(resource.clone()),
            at_ns: Some(after.ns),
            nodes: vec![self.node],
            ..Anomaly::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Fact, NodeIndex};

    use super::GUARANTEE;
    use crate::story::{Case, facts};

    fn durable(resource: &str, version: u64) -> Fact {
        Fact::Durable { resource: resource.into(), version }
    }

    #[test]
    fn versions_may_rise_and_stay_and_differ_between_nodes() {
        let noted = [
            (0, 1, durable("k", 7)),
            (1, 2, durable("k", 3)),
            (0, 3, durable("k", 9)),
            (0, 4, Fact::Crashed),
            (0, 5, durable("k", 9)),
            (0, 6, durable("other", 1)),
        ];
        Case::new("register", "").facts(facts(noted)).accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_version_that_goes_back_over_a_restart_is_an_anomaly() {
        let noted = [
            (0, 1, durable("k", 7)),
            (0, 3, durable("k", 9)),
            (0, 4, Fact::Crashed),
            (0, 5, durable("k", 7)),
        ];
        Case::new("register", "").facts(facts(noted)).rejected_by(
            &GUARANTEE,
            "n1 had version 9 of k on its disk at 0.003 s, and version 7 at 0.005 s",
        );
    }

    #[test]
    fn no_durable_version_is_unknown() {
        Case::new("register", "").unknown_to(&GUARANTEE, "no node noted a durable version");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// Looks at every pair.
        #[test]
        fn what_is_broken_is_what_some_pair_shows(
            noted in prop::collection::vec((0..2u16, 0..2usize, 0..6u64), 1..10),
        ) {
            let resource = |place: usize| ["a", "b"][place];
            let mut broken = std::collections::BTreeSet::<(NodeIndex, usize)>::new();
            for (place, (node, one, version)) in noted.iter().enumerate() {
                let same = |earlier: &&(u16, usize, u64)| (earlier.0, earlier.1) == (*node, *one);
                if noted[..place].iter().filter(same).any(|earlier| earlier.2 > *version) {
                    broken.insert((*node, *one));
                }
            }
            let facts = facts((1..).zip(&noted).map(|(ms, (node, one, version))| {
                (*node, ms, durable(resource(*one), *version))
            }));
            let judgement = Case::new("register", "").facts(facts).judge(&GUARANTEE);
            prop_assert_eq!(judgement.anomalies.len(), broken.len());
        }
    }
}
