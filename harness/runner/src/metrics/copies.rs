//! Copies of a base: how late changes reach them, and how many are still missing.

use std::collections::BTreeMap;

use wrack_history::duration::MILLISECOND;
use wrack_history::run::Phases;
use wrack_history::{Fact, FactRecord, NodeIndex};

use super::{Observed, positions, times};

/// How far apart the samples of the backlog are.
const SAMPLE_NS: u64 = 100 * MILLISECOND;

/// What the facts say of the base and its copies.
#[derive(Default)]
pub(super) struct Copies {
    /// When each change became true, in order of their positions.
    changes: Vec<(u64, u64)>,
    /// For each copy how many changes it had ever applied, and since when.
    copies: BTreeMap<NodeIndex, Vec<(u64, usize)>>,
    phases: Phases,
}

impl Copies {
    /// Nothing, if no node is a copy of anything.
    pub fn of(facts: &[FactRecord], phases: Phases) -> Self {
        let mut first = BTreeMap::new();
        let mut offsets = BTreeMap::<NodeIndex, Vec<(u64, u64)>>::new();
        for record in facts {
            match &record.fact {
                Fact::Effect { position, .. } => drop(first.entry(*position).or_insert(record.ns)),
                Fact::Derived { offset, .. } => {
                    offsets.entry(record.node).or_default().push((record.ns, *offset));
                }
                _ => {}
            }
        }
        let changes: Vec<(u64, u64)> = first.into_iter().collect();
        let up_to = |offset| changes.partition_point(|(position, _)| *position <= offset);
        let copies = offsets.into_iter().map(|(node, offsets)| {
            let mut steps = vec![(0, 0)];
            for (ns, offset) in offsets {
                let (_, before) = *steps.last().expect("there is a first one");
                if up_to(offset) > before {
                    steps.push((ns, up_to(offset)));
                }
            }
            (node, steps)
        });
        Self { copies: copies.collect(), changes, phases }
    }

    /// Whether no node is a copy of anything.
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// M3: changes that a copy had applied within this time, of all for which it was up by the end.
    pub fn within(&self, deadline_ns: u64) -> Observed {
        if self.is_empty() {
            return NO_COPY;
        }
        let arrivals = self.arrivals();
        let due = arrivals.iter().filter(|(ns, _)| ns + deadline_ns <= self.phases.end_ns);
        let in_time = due.clone().filter(|(ns, at)| at.is_some_and(|at| at <= ns + deadline_ns));
        Observed::Share { part: in_time.count() as u64, whole: due.count() as u64 }
    }

    /// M4: how long it took each change to reach each copy.
    pub fn lag(&self, quantile: f64) -> Observed {
        let lag =
            |(ns, at): (u64, Option<u64>)| at.unwrap_or(self.phases.end_ns).saturating_sub(ns);
        self.observed(self.arrivals().into_iter().map(lag).collect(), quantile)
    }

    /// For each change and each copy, when it became true and when it was applied there, if ever.
    fn arrivals(&self) -> Vec<(u64, Option<u64>)> {
        let mut arrivals = Vec::new();
        for steps in self.copies.values() {
            let mut steps = steps.iter().peekable();
            for (place, (_, ns)) in self.changes.iter().enumerate() {
                while steps.next_if(|(_, applied)| *applied <= place).is_some() {}
                arrivals.push((*ns, steps.peek().map(|(at, _)| *at)));
            }
        }
        arrivals
    }

    /// M7: at every change, how old the oldest one is that a copy has not applied.
    pub fn age(&self, quantile: f64) -> Observed {
        let mut ages = Vec::new();
        for steps in self.copies.values() {
            for (_, ns) in &self.changes {
                let (_, oldest) = self.changes[applied(steps, *ns).min(self.changes.len() - 1)];
                ages.push(ns.saturating_sub(oldest));
            }
        }
        self.observed(ages, quantile)
    }

    /// M7 in positions: at every change, how many before it a copy has not applied.
    pub fn behind(&self, quantile_per_million: u32) -> Observed {
        let mut missing = Vec::new();
        for steps in self.copies.values() {
            let changes = self.changes.iter().enumerate();
            missing.extend(changes.map(|(place, (_, ns))| {
                let has = applied(steps, *ns);
                place.saturating_sub(has) as u64
            }));
        }
        missing.sort_unstable();
        positions(&missing, quantile_per_million)
    }

    /// M8: what is pending at the end of the quiet phase, and by how much it rose in the last
    /// quarter.
    pub fn backlog(&self) -> Observed {
        if self.copies.is_empty() {
            return NO_COPY;
        }
        let samples: Vec<i64> = (1..=self.phases.quiet_end_ns / SAMPLE_NS)
            .map(|sample| self.pending(sample * SAMPLE_NS) as i64)
            .collect();
        let quarter = &samples[samples.len() - samples.len() / 4..];
        Observed::Backlog {
            pending: samples.last().map_or(0, |pending| *pending as u64),
            rise: rise(quarter),
            samples: samples.len() as u64,
        }
    }

    /// Changes that copies have not applied, all copies together.
    fn pending(&self, ns: u64) -> usize {
        let there = self.changes.partition_point(|(_, at)| *at <= ns);
        let missing = |steps: &Vec<(u64, usize)>| there.saturating_sub(applied(steps, ns));
        self.copies.values().map(missing).sum()
    }

    fn observed(&self, all: Vec<u64>, quantile: f64) -> Observed {
        if all.is_empty() { NO_COPY } else { times(all.into_iter(), quantile) }
    }
}

const NO_COPY: Observed = Observed::Nothing("no node is a copy of anything");

/// How many changes a copy had applied by then.
fn applied(steps: &[(u64, usize)], ns: u64) -> usize {
    let later = steps.partition_point(|(at, _)| *at <= ns);
    steps[later.saturating_sub(1)].1
}

/// By how much the samples rise from the first to the last, by the median slope of all pairs
/// (Theil 1950, Sen 1968), rounded towards nothing.
fn rise(samples: &[i64]) -> i64 {
    // A slope is a fraction of whole numbers: compared with millionths of a step.
    let mut slopes = Vec::with_capacity(samples.len() * samples.len() / 2);
    for (place, one) in samples.iter().enumerate() {
        for (distance, other) in (1..).zip(&samples[place + 1..]) {
            slopes.push((other - one) * 1_000_000 / distance);
        }
    }
    slopes.sort_unstable();
    let median = slopes.get(slopes.len() / 2).copied().unwrap_or(0);
    median * (samples.len() as i64 - 1).max(0) / 1_000_000
}

#[cfg(test)]
mod tests {
    use wrack_history::duration::SECOND;
    use wrack_history::run::Phases;
    use wrack_history::{Fact, FactRecord, Value};

    use super::{Copies, rise};
    use crate::metrics::Observed;

    /// Four changes, one a second; a copy has the first two after half a second each, and the others
    /// at 7 s.
    fn copies() -> Copies {
        let at = |ns, node, fact| FactRecord { ns, node, fact };
        let change = |position| Fact::Effect {
            operation: position,
            key: "k".into(),
            value: Value::Integer(1),
            position,
        };
        let derived = |offset| Fact::Derived { offset, key: "k".into(), value: Value::Integer(1) };
        let facts = [
            at(SECOND, 0, change(1)),
            at(SECOND + SECOND / 2, 1, derived(1)),
            at(2 * SECOND, 0, change(2)),
            at(2 * SECOND + SECOND / 2, 1, derived(2)),
            at(3 * SECOND, 0, change(3)),
            at(4 * SECOND, 0, change(4)),
            at(7 * SECOND, 1, derived(4)),
        ];
        let phases = Phases { heal_ns: 5 * SECOND, quiet_end_ns: 6 * SECOND, end_ns: 8 * SECOND };
        Copies::of(&facts, phases)
    }

    fn seconds(observed: &Observed) -> f64 {
        let Observed::Time { ns, events: 4 } = observed else {
            panic!("{observed}");
        };
        (*ns as f64 / 1e8).round() / 10.0
    }

    #[test]
    fn a_change_is_late_until_the_copy_has_applied_it() {
        assert_eq!(seconds(&copies().lag(0.5)), 0.5);
        assert_eq!(seconds(&copies().lag(1.0)), 4.0);
    }

    #[test]
    fn a_change_is_in_time_or_late_once_it_is_due() {
        let share = |deadline_ns| copies().within(deadline_ns).to_string();
        assert_eq!(share(SECOND / 2), "50% (2 of 4)");
        assert_eq!(share(3 * SECOND), "75% (3 of 4)");
        // The last two are not due before the run ends.
        assert_eq!(share(6 * SECOND), "100% (2 of 2)");
    }

    #[test]
    fn a_copy_is_as_old_as_the_first_change_that_it_lacks() {
        assert_eq!(seconds(&copies().age(1.0)), 1.0);
        assert_eq!(seconds(&copies().age(0.5)), 0.0);
    }

    #[test]
    fn a_copy_is_behind_by_the_changes_before_one_that_it_lacks() {
        let behind = |quantile| copies().behind(quantile).to_string();
        assert_eq!(behind(1_000_000), "1 (4 positions)");
        assert_eq!(behind(500_000), "0 (4 positions)");
    }

    #[test]
    fn what_is_pending_is_counted_when_the_quiet_phase_ends() {
        let backlog = copies().backlog();
        assert!(matches!(backlog, Observed::Backlog { pending: 2, rise: 0, samples: 60 }));
    }

    #[test]
    fn a_rise_is_the_median_slope_over_the_length() {
        assert_eq!(rise(&[0, 1, 2, 3, 4]), 4);
        assert_eq!(rise(&[4, 3, 90, 1, 0]), -4);
        assert_eq!(rise(&[5]), 0);
        assert_eq!(rise(&[]), 0);
    }
}
