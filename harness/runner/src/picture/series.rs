//! Numbers over time, from what nodes noted.

use std::collections::BTreeMap;

use wrack_history::fact::UpdateName;
use wrack_history::gate::Unit;
use wrack_history::picture::{Series, series};
use wrack_history::{Fact, FactRecord, NodeIndex, Run, SmolStr};

use crate::execute::Looks;

/// So many nodes have a series of their own.
const NODES_MAX: usize = 12;

/// What facts say: how late copies and events are, and what waits.
pub(super) fn of(facts: &[FactRecord], run: &Run, step_ns: u64) -> Vec<Series> {
    let looks: Vec<u64> = (1..=run.phases.end_ns / step_ns).map(|look| look * step_ns).collect();
    let copies = Copies::of(facts);
    let mut all: Vec<Series> = copies.lags(&looks);
    all.extend(spread(facts, step_ns));
    all.extend(events(facts, step_ns));
    all.extend(backlog(facts, &copies, &looks));
    all
}

/// What was looked at on the way: clocks that are not always right, and commit indices.
pub(super) fn of_looks(looks: Looks) -> Vec<Series> {
    let clocks = (0..).zip(looks.clocks).map(|(node, points)| Series {
        name: SmolStr::new_static(series::CLOCK_OFFSET),
        unit: Unit::Ns,
        node: Some(node),
        points: changes(points),
    });
    let clocks = clocks.filter(|clock| clock.points.iter().any(|(_, offset)| *offset != 0));
    let commits = (0..).zip(looks.commits).map(|(node, points)| Series {
        name: SmolStr::new_static(series::COMMIT_INDEX),
        unit: Unit::Count,
        node: Some(node),
        points,
    });
    let commits = commits.filter(|commits| !commits.points.is_empty());
    clocks.take(NODES_MAX).chain(commits.take(NODES_MAX)).collect()
}

/// A level is told once, and once more before it changes.
fn changes(points: Vec<(u64, i64)>) -> Vec<(u64, i64)> {
    let mut kept: Vec<(u64, i64)> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let same = |other: Option<&(u64, i64)>| other.is_some_and(|other| other.1 == point.1);
        let inside = place > 0 && same(points.get(place - 1)) && same(points.get(place + 1));
        if !inside {
            kept.push(*point);
        }
    }
    kept
}

/// Nodes that follow an authority's order, and how far each is.
struct Copies {
    /// When each change took effect first, by position.
    changes: Vec<(u64, u64)>,
    /// For each copy, times and the highest position that it has had since.
    reached: BTreeMap<NodeIndex, Vec<(u64, u64)>>,
}

impl Copies {
    fn of(facts: &[FactRecord]) -> Self {
        let mut changes = BTreeMap::new();
        let mut reached = BTreeMap::<NodeIndex, Vec<(u64, u64)>>::new();
        for record in facts {
            match &record.fact {
                Fact::Effect { position, .. } => {
                    changes.entry(*position).or_insert(record.ns);
                }
                Fact::Derived { offset: position, .. } | Fact::Replicated { position } => {
                    let steps = reached.entry(record.node).or_default();
                    if steps.last().is_none_or(|(_, last)| last < position) {
                        steps.push((record.ns, *position));
                    }
                }
                _ => {}
            }
        }
        Self { changes: changes.into_iter().collect(), reached }
    }

    /// How many changes a copy with these steps had by then.
    fn had(&self, steps: &[(u64, u64)], ns: u64) -> usize {
        let later = steps.partition_point(|(at, _)| *at <= ns);
        let position = later.checked_sub(1).map_or(0, |last| steps[last].1);
        self.changes.partition_point(|(place, _)| *place <= position)
    }

    fn lags(&self, looks: &[u64]) -> Vec<Series> {
        let lag = |steps: &[(u64, u64)], ns: u64| {
            let oldest = self.changes.get(self.had(steps, ns)).map_or(u64::MAX, |(_, at)| *at);
            ns.saturating_sub(oldest) as i64
        };
        let copies = self.reached.iter().take(NODES_MAX);
        let one = |(node, steps): (&NodeIndex, &Vec<(u64, u64)>)| Series {
            name: SmolStr::new_static(series::REPLICA_LAG),
            unit: Unit::Ns,
            node: Some(*node),
            points: looks.iter().map(|ns| (*ns, lag(steps, *ns))).collect(),
        };
        copies.map(one).collect()
    }

    /// What copies lack, all of them together.
    fn pending(&self, ns: u64) -> i64 {
        let there = self.changes.iter().filter(|(_, at)| *at <= ns).count();
        let lacks = |steps: &Vec<(u64, u64)>| there.saturating_sub(self.had(steps, ns)) as i64;
        self.reached.values().map(lacks).sum()
    }
}

/// The largest of each step, with the steps in which there was none.
fn largest(points: impl Iterator<Item = (u64, i64)>, step_ns: u64) -> Vec<(u64, i64)> {
    let mut slots = BTreeMap::<u64, i64>::new();
    for (ns, value) in points {
        let slot = slots.entry(ns / step_ns).or_insert(i64::MIN);
        *slot = (*slot).max(value);
    }
    let last = slots.keys().next_back().copied();
    let all = last.into_iter().flat_map(|last| 0..=last);
    let points = all.map(|slot| (slot * step_ns, slots.get(&slot).copied().unwrap_or(0)));
    changes(points.collect())
}

/// How long updates took to reach each replica, where replicas tell what they have.
fn spread(facts: &[FactRecord], step_ns: u64) -> Vec<Series> {
    let mut first = BTreeMap::<UpdateName, (u64, NodeIndex)>::new();
    let mut lags = BTreeMap::<NodeIndex, Vec<(u64, i64)>>::new();
    for record in facts {
        let Fact::Delivered { updates, .. } = &record.fact else { continue };
        for update in updates {
            let (since, origin) = *first.entry(*update).or_insert((record.ns, record.node));
            if origin != record.node {
                let lag = record.ns.saturating_sub(since) as i64;
                lags.entry(record.node).or_default().push((record.ns, lag));
            }
        }
    }
    let one = |(node, points): (NodeIndex, Vec<(u64, i64)>)| Series {
        name: SmolStr::new_static(series::REPLICA_LAG),
        unit: Unit::Ns,
        node: Some(node),
        points: largest(points.into_iter(), step_ns),
    };
    lags.into_iter().take(NODES_MAX).map(one).collect()
}

/// How late events were when their consumer was done: in truth, and as clocks showed it.
fn events(facts: &[FactRecord], step_ns: u64) -> Vec<Series> {
    let mut queued = BTreeMap::new();
    let (mut lags, mut seen) = (Vec::new(), Vec::new());
    for record in facts {
        match &record.fact {
            Fact::Queued { operation, .. } => {
                queued.entry(*operation).or_insert(record.ns);
            }
            Fact::Effect { operation, .. } | Fact::Taken { operation, .. } => {
                let since = queued.get(operation);
                lags.extend(
                    since.map(|since| (record.ns, record.ns.saturating_sub(*since) as i64)),
                );
            }
            Fact::Processed { lag_ns, .. } => seen.push((record.ns, *lag_ns)),
            _ => {}
        }
    }
    let one = |name, points: Vec<(u64, i64)>| {
        let name = SmolStr::new_static(name);
        let points = largest(points.into_iter(), step_ns);
        (!points.is_empty()).then_some(Series { name, unit: Unit::Ns, node: None, points })
    };
    let both = [one(series::EVENT_LAG, lags), one(series::EVENT_LAG_AS_SEEN, seen)];
    both.into_iter().flatten().collect()
}

/// What waits in queues, or else what copies lack.
fn backlog(facts: &[FactRecord], copies: &Copies, looks: &[u64]) -> Option<Series> {
    let mut open = BTreeMap::new();
    for record in facts {
        match &record.fact {
            Fact::Queued { queue, operation } => {
                open.entry((queue, *operation)).or_insert((record.ns, u64::MAX));
            }
            Fact::Taken { queue, operation } => {
                if let Some((_, until)) = open.get_mut(&(queue, *operation)) {
                    *until = (*until).min(record.ns);
                }
            }
            _ => {}
        }
    }
    if open.is_empty() && copies.reached.is_empty() {
        return None;
    }
    let mut since: Vec<u64> = open.values().map(|(since, _)| *since).collect();
    let mut until: Vec<u64> = open.values().map(|(_, until)| *until).collect();
    since.sort_unstable();
    until.sort_unstable();
    let by = |times: &[u64], ns: u64| times.partition_point(|at| *at <= ns) as i64;
    let waiting = |ns: u64| match open.is_empty() {
        true => copies.pending(ns),
        false => by(&since, ns) - by(&until, ns),
    };
    Some(Series {
        name: SmolStr::new_static(series::BACKLOG),
        unit: Unit::Count,
        node: None,
        points: looks.iter().map(|ns| (*ns, waiting(*ns))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::picture::{Series, series};
    use wrack_history::run::Phases;
    use wrack_history::{Fact, FactRecord, Run, Value};

    use super::{changes, of};

    fn facts() -> Vec<FactRecord> {
        let effect = |position| Fact::Effect {
            operation: position,
            key: "k".into(),
            value: Value::Integer(1),
            position,
        };
        let queued = |operation| Fact::Queued { queue: "outbox".into(), operation };
        let taken = |operation| Fact::Taken { queue: "outbox".into(), operation };
        let at = |ns, node, fact| FactRecord { ns, node, fact };
        vec![
            at(10, 0, queued(1)),
            at(12, 0, effect(1)),
            at(15, 0, queued(2)),
            at(16, 0, effect(2)),
            at(25, 1, Fact::Replicated { position: 1 }),
            at(30, 0, taken(1)),
            at(45, 1, Fact::Replicated { position: 2 }),
            at(50, 1, Fact::Processed { operation: 1, lag_ns: -7 }),
        ]
    }

    fn named(all: &[Series], name: &str) -> Vec<(u64, i64)> {
        all.iter().find(|one| one.name == name).map(|one| one.points.clone()).unwrap_or_default()
    }

    #[test]
    fn a_copy_is_as_late_as_the_oldest_change_that_it_lacks() {
        let run = Run { phases: Phases { end_ns: 60, ..Phases::default() }, ..Run::default() };
        let all = of(&facts(), &run, 10);
        let lag = named(&all, series::REPLICA_LAG);
        assert_eq!(lag, [(10, 0), (20, 8), (30, 14), (40, 24), (50, 0), (60, 0)]);
        let waiting = named(&all, series::BACKLOG);
        assert_eq!(waiting, [(10, 1), (20, 2), (30, 1), (40, 1), (50, 1), (60, 1)]);
        assert_eq!(named(&all, series::EVENT_LAG_AS_SEEN).last(), Some(&(50, -7)));
        assert_eq!(named(&all, series::EVENT_LAG).last(), Some(&(30, 20)));
    }

    #[test]
    fn a_level_is_told_where_it_begins_and_ends() {
        let points = vec![(1, 5), (2, 5), (3, 5), (4, 6)];
        assert_eq!(changes(points), [(1, 5), (3, 5), (4, 6)]);
    }
}
