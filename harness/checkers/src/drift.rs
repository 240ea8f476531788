//! DRIFT: what is derived is what the base makes of it.
//!
//! Valid: the copy is two changes behind, and is what the base was then.
//! ```text
//! base   1: a = 5   2: b = 7   3: a = 6   4: b = 8
//! copy   up to 2: a = 5, b = 7
//! ```
//! Invalid, because the copy has applied everything up to 4, says it, and never heard of 3:
//! ```text
//! base   1: a = 5   2: b = 7   3: a = 6   4: b = 8
//! copy   up to 4: a = 5, b = 8
//! ```
//! The definition: derived(t) = f(base at the last applied offset), for each copy at each of its
//! steps; f is "the value under each key". How far a copy is behind is no drift: it is counted apart.
//!
//! What a copy holds is known from its own facts: a key holds what was noted last since it booted. At
//! each step only keys are compared again that the step or the base has changed in between, which
//! the test holds against comparing everything.
//!
//! Source: Helland, "Immutability changes everything", 2015; Kleppmann, "Designing data-intensive
//! applications", 2017, chapter 11 (derived data).

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{
    Anomaly, Fact, FactRecord, Judgement, NodeIndex, Settings, SmolStr, Value, duration,
};

use crate::effects::{Effect, by_key};
use crate::tally::Sizes;
use crate::words::{node, short};
use crate::{Evidence, Guarantee, Judge};

/// Derived = f(base).
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "DRIFT",
        name: "derived = f(base)",
        doc: "A copy may be behind, but what it holds is what the base was at that point.\n\n\
              Each projection, index or read model says up to which change of the base it has applied \
              everything. At each of its steps it holds under every key what the base held after \
              that very change: nothing newer, nothing older, nothing else. How late changes are \
              applied is no drift: the report says apart how many were later than `lag`.\n\n\
              The usual ways to break it: an event that is lost and whose gap nobody notices; an old \
              event that is applied over a newer one; a handler that does not give the same result \
              twice; an interrupted rebuild.",
        parameters: &[ParameterInfo::new(
            "lag",
            ParameterKind::Duration,
            DefaultSetting::Duration(5 * duration::SECOND),
            "Changes that are applied later than this are counted apart.",
        )],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let base = Base::new(evidence.effects());
    let mut copies = BTreeMap::<NodeIndex, Copy<'_>>::new();
    for record in evidence.facts {
        match &record.fact {
            Fact::Derived { offset, key, value } => {
                judgement.examine("derived values", 1);
                let copy = copies.entry(record.node).or_default();
                copy.derive(&base, (*offset, key, value), record.ns);
                if let Some(drift) = copy.drift(&base, record) {
                    judgement.contradict(drift.anomaly(evidence.nodes));
                }
            }
            Fact::Booted { .. } => {
                if let Some(copy) = copies.get_mut(&record.node) {
                    copy.forget();
                }
            }
            _ => {}
        }
    }
    judgement.examine("changes", base.changes.len() as u64);
    judgement.examine("copies", copies.len() as u64);
    if copies.is_empty() {
        judgement.doubt("no node noted what it derived");
    }
    let last_ns = evidence.facts.last().map_or(0, |record| record.ns);
    tell_lag(&mut judgement, (&base, &copies), last_ns, settings);
    judgement
}

/// Says how far copies were behind; what was never applied is late until `last_ns`.
fn tell_lag(
    judgement: &mut Judgement,
    (base, copies): (&Base<'_>, &BTreeMap<NodeIndex, Copy<'_>>),
    last_ns: u64,
    settings: &Settings,
) {
    let bound = settings.duration("lag").expect("it has a default");
    let mut sizes = Sizes::new("lag", "ns");
    let (mut late, mut all) = (0, 0);
    for copy in copies.values() {
        let missing =
            base.changes[copy.reached..].iter().map(|change| last_ns.saturating_sub(change.ns));
        for lag in copy.lags.iter().copied().chain(missing) {
            sizes.record_alone(lag);
            all += 1;
            late += u64::from(lag > bound);
        }
    }
    let drifted = copies.values().filter(|copy| copy.drifted).count();
    judgement.observed = Some(format!(
        "{drifted} of {} copies drifted; {late} of {all} changes applied later than {}, {} at most",
        copies.len(),
        duration::format(bound),
        duration::seconds(sizes.max()),
    ));
    sizes.tell(judgement);
}

/// All changes of the base, and the versions of each key.
struct Base<'a> {
    /// In order of their positions.
    changes: Vec<&'a Effect>,
    keys: BTreeMap<&'a SmolStr, Vec<&'a Effect>>,
}

impl<'a> Base<'a> {
    fn new(effects: &'a [Effect]) -> Self {
        let mut changes: Vec<&Effect> = effects.iter().filter(|effect| !effect.undone).collect();
        changes.sort_by_key(|change| change.position);
        let mut keys = by_key(effects);
        for versions in keys.values_mut() {
            versions.retain(|version| !version.undone);
        }
        Self { changes, keys }
    }

    /// How many changes there are up to an offset.
    fn up_to(&self, offset: u64) -> usize {
        self.changes.partition_point(|change| change.position <= offset)
    }

    /// The last change of a key up to an offset.
    fn last(&self, key: &SmolStr, offset: u64) -> Option<&'a Effect> {
        let versions = self.keys.get(key)?;
        let later = versions.partition_point(|version| version.position <= offset);
        Some(versions[later.checked_sub(1)?])
    }
}

/// What one node derives.
#[derive(Default)]
struct Copy<'a> {
    offset: u64,
    values: BTreeMap<&'a SmolStr, &'a Value>,
    /// Keys that hold something else than the base did.
    wrong: BTreeSet<&'a SmolStr>,
    drifted: bool,
    /// How many changes it has ever applied, and how late each was, in nanoseconds.
    reached: usize,
    lags: Vec<u64>,
}

impl<'a> Copy<'a> {
    /// It boots, with nothing until it says what it has.
    fn forget(&mut self) {
        (self.offset, self.values, self.wrong) = Default::default();
    }

    fn derive(
        &mut self,
        base: &Base<'a>,
        (offset, key, value): (u64, &'a SmolStr, &'a Value),
        ns: u64,
    ) {
        self.values.insert(key, value);
        let before = std::mem::replace(&mut self.offset, offset);
        let (from, to) = (base.up_to(before.min(offset)), base.up_to(before.max(offset)));
        self.compare(base, key);
        for change in &base.changes[from..to] {
            self.compare(base, &change.key);
        }
        let reached = base.up_to(offset).max(self.reached);
        let applied = &base.changes[self.reached..reached];
        self.lags.extend(applied.iter().map(|change| ns.saturating_sub(change.ns)));
        self.reached = reached;
    }

    fn compare(&mut self, base: &Base<'a>, key: &'a SmolStr) {
        let right = base.last(key, self.offset).map(|change| &change.value);
        if self.values.get(key).copied() == right {
            self.wrong.remove(key);
        } else {
            self.wrong.insert(key);
        }
    }

    /// What is wrong, the first time that something is.
    fn drift(&mut self, base: &Base<'a>, record: &FactRecord) -> Option<Drift<'a>> {
        let known = base.changes.last().map_or(0, |change| change.position);
        let key = match self.wrong.first() {
            Some(key) => Some(*key),
            None if self.offset > known => None,
            None => return None,
        };
        if std::mem::replace(&mut self.drifted, true) {
            return None;
        }
        Some(Drift {
            node: record.node,
            ns: record.ns,
            offset: self.offset,
            known,
            key,
            held: key.and_then(|key| self.values.get(key).copied()),
            right: key.and_then(|key| base.last(key, self.offset)).cloned(),
        })
    }
}

/// A copy that holds something else than the base did.
struct Drift<'a> {
    node: NodeIndex,
    ns: u64,
    offset: u64,
    /// The position of the last change that there ever was.
    known: u64,
    /// Absent if all keys are right, and only the offset is not.
    key: Option<&'a SmolStr>,
    held: Option<&'a Value>,
    right: Option<Effect>,
}

impl Drift<'_> {
    fn anomaly(self, nodes: &[SmolStr]) -> Anomaly {
        let Self { offset, known, key, held, right, .. } = &self;
        let claim = format!(
            "{} had applied everything up to {offset} at {}",
            node(nodes, self.node),
            duration::seconds(self.ns),
        );
        let explanation = match key {
            None => format!("{claim}, but the base never had more than {known} changes"),
            Some(key) => {
                let held = held.map_or_else(|| "nothing".to_owned(), short);
                let right = right.as_ref().map_or_else(
                    || "nothing up to there had ever changed it".to_owned(),
                    |change| {
                        format!("change {} had made it {}", change.position, short(&change.value))
                    },
                );
                format!("{claim} and held {held} under {key}, but {right}")
            }
        };
        Anomaly {
            explanation,
            operations: right.iter().map(|change| change.operation).collect(),
            key: key.cloned(),
            at_ns: Some(self.ns),
            nodes: vec![self.node],
            ..Anomaly::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{Fact, FactRecord, Judgement, NodeIndex, Value};

    use super::GUARANTEE;
    use crate::story::{Case, effects_of, facts};

    fn base() -> Vec<FactRecord> {
        effects_of(&[(0, "a", 5, 1), (1, "b", 7, 2), (2, "a", 6, 3), (3, "b", 8, 4)])
    }

    fn derived(offset: u64, key: &str, value: i64) -> Fact {
        Fact::Derived { offset, key: key.into(), value: value.into() }
    }

    fn case(copy: &[(NodeIndex, u64, Fact)]) -> Case<'static> {
        let mut all = base();
        all.extend(facts(copy.iter().cloned()));
        Case::new("register", "").facts(all)
    }

    #[test]
    fn a_copy_that_is_behind_has_not_drifted() {
        let copy = [(1, 1_000, derived(1, "a", 5)), (1, 6_000, derived(2, "b", 7))];
        case(&copy).accepted_by(&GUARANTEE);
        let judgement = case(&copy).judge(&GUARANTEE);
        assert_eq!(
            judgement.observed.as_deref(),
            Some("0 of 1 copies drifted; 3 of 4 changes applied later than 5s, 6.000 s at most"),
        );
    }

    #[test]
    fn a_change_that_was_missed_is_an_anomaly() {
        let copy =
            [(1, 10, derived(1, "a", 5)), (1, 20, derived(2, "b", 7)), (1, 40, derived(4, "b", 8))];
        case(&copy).rejected_by(
            &GUARANTEE,
            "n2 had applied everything up to 4 at 0.040 s and held 5 under a, but change 3 had made \
             it 6",
        );
    }

    #[test]
    fn an_old_change_that_is_applied_again_is_an_anomaly() {
        let copy = [
            (1, 10, derived(1, "a", 5)),
            (1, 20, derived(2, "b", 7)),
            (1, 30, derived(3, "a", 6)),
            (1, 40, derived(3, "a", 5)),
        ];
        case(&copy).rejected_by(
            &GUARANTEE,
            "n2 had applied everything up to 3 at 0.040 s and held 5 under a, but change 3 had made \
             it 6",
        );
    }

    #[test]
    fn what_the_base_never_had_is_an_anomaly() {
        let copy = [(1, 10, derived(1, "a", 5)), (1, 20, derived(1, "c", 9))];
        case(&copy).rejected_by(
            &GUARANTEE,
            "n2 had applied everything up to 1 at 0.020 s and held 9 under c, but nothing up to \
             there had ever changed it",
        );
        let all = [(0, 5), (1, 7), (2, 6), (3, 8)].map(|(change, value)| {
            let key = if change % 2 == 0 { "a" } else { "b" };
            (1, 10 + change, derived(change + 1, key, value))
        });
        let beyond = [&all[..], &[(1, 20, derived(5, "b", 8))]].concat();
        case(&beyond).rejected_by(
            &GUARANTEE,
            "n2 had applied everything up to 5 at 0.020 s, but the base never had more than 4 changes",
        );
    }

    #[test]
    fn a_copy_that_boots_begins_anew() {
        let first = [(1, 10, derived(1, "a", 5)), (1, 20, derived(2, "b", 7))];
        let again = [(1, 30, Fact::Booted { boot: 1 }), (1, 40, derived(1, "a", 5))];
        case(&[first, again].concat()).accepted_by(&GUARANTEE);
    }

    #[test]
    fn no_copy_is_unknown() {
        case(&[]).unknown_to(&GUARANTEE, "no node noted what it derived");
    }

    /// Everything that a copy holds against everything that the base held, at each step.
    fn drifted(facts: &[FactRecord]) -> Vec<NodeIndex> {
        let mut base = std::collections::BTreeMap::new();
        for record in facts {
            if let Fact::Effect { key, value, position, .. } = &record.fact {
                base.insert(*position, (key.clone(), value.clone()));
            }
        }
        let mut drifted = std::collections::BTreeSet::new();
        for (place, record) in facts.iter().enumerate() {
            let Fact::Derived { offset, .. } = &record.fact else {
                continue;
            };
            let mut held = std::collections::BTreeMap::new();
            for earlier in facts[..=place].iter().filter(|one| one.node == record.node) {
                match &earlier.fact {
                    Fact::Booted { .. } => held.clear(),
                    Fact::Derived { key, value, .. } => {
                        drop(held.insert(key.clone(), value.clone()))
                    }
                    _ => {}
                }
            }
            let right: std::collections::BTreeMap<_, Value> =
                base.range(..=*offset).map(|(_, change)| change.clone()).collect();
            let known = base.last_key_value().map_or(0, |(position, _)| *position);
            if held != right || *offset > known {
                drifted.insert(record.node);
            }
        }
        drifted.into_iter().collect()
    }

    fn found(judgement: &Judgement) -> Vec<NodeIndex> {
        let mut nodes: Vec<_> =
            judgement.anomalies.iter().flat_map(|one| one.nodes.clone()).collect();
        nodes.sort_unstable();
        nodes
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

        /// Most steps apply the next change as it is; some go wrong, and some nodes boot.
        #[test]
        fn the_sweep_finds_what_comparing_everything_finds(
            changes in prop::collection::vec((0..3usize, 0..3i64), 1..8),
            steps in prop::collection::vec((1..3u16, 0..12u32, 0..9u64, 0..3usize, 0..3i64), 0..14),
        ) {
            const KEYS: [&str; 3] = ["a", "b", "c"];
            let noted: Vec<_> = (1..)
                .zip(&changes)
                .map(|(position, (key, value))| (position, KEYS[*key], *value, position))
                .collect();
            let mut all = effects_of(&noted);
            let mut next = [0; 3];
            let copies = steps.iter().map(|(node, kind, offset, key, value)| {
                let place = &mut next[usize::from(*node)];
                let fact = match kind {
                    0 => {
                        *place = 0;
                        Fact::Booted { boot: 1 }
                    }
                    1 => derived(*offset, KEYS[*key], *value),
                    _ => {
                        let (key, value) = changes[*place % changes.len()];
                        *place += 1;
                        derived((*place).min(changes.len()) as u64, KEYS[key], value)
                    }
                };
                (*node, 10, fact)
            });
            all.extend(facts(copies.collect::<Vec<_>>()));
            let judgement = Case::new("register", "").facts(all.clone()).judge(&GUARANTEE);
            prop_assert_eq!(found(&judgement), drifted(&all));
        }
    }
}
