//! What waited in queues, for how long, and how often it took effect.

use std::collections::BTreeMap;

use wrack_history::{Fact, FactRecord};

use super::{Observed, times};

/// One thing that waited. Times are true times since the run began.
struct Item {
    queued_ns: u64,
    taken_ns: Option<u64>,
    effect_ns: Option<u64>,
}

/// All that waited in any queue, and all effects.
#[derive(Default)]
pub(super) struct Queues {
    items: Vec<Item>,
    lags_as_seen: Vec<u64>,
    effects: u64,
    duplicates: u64,
    end_ns: u64,
}

impl Queues {
    /// Reads the facts of a run. What is noted again, as nodes do after a boot, counts the first
    /// time.
    pub fn of(facts: &[FactRecord], end_ns: u64) -> Self {
        let mut queues = Self { end_ns, ..Self::default() };
        let mut places = BTreeMap::new();
        let mut effects = BTreeMap::<u64, Vec<(u64, u64)>>::new();
        for record in facts {
            match &record.fact {
                Fact::Queued { queue, operation } => {
                    places.entry((*operation, queue)).or_insert_with(|| {
                        let queued_ns = record.ns;
                        queues.items.push(Item { queued_ns, taken_ns: None, effect_ns: None });
                        queues.items.len() - 1
                    });
                }
                Fact::Taken { queue, operation } => {
                    if let Some(place) = places.get(&(*operation, queue)) {
                        queues.items[*place].taken_ns.get_or_insert(record.ns);
                    }
                }
                Fact::Processed { lag_ns, .. } => {
                    queues.lags_as_seen.push((*lag_ns).max(0) as u64);
                }
                Fact::Effect { operation, position, .. } => {
                    let effects = effects.entry(*operation).or_default();
                    if effects.iter().all(|(other, _)| other != position) {
                        effects.push((*position, record.ns));
                    }
                }
                _ => {}
            }
        }
        for ((operation, _), place) in places {
            let first = effects.get(&operation).and_then(|effects| effects.first());
            queues.items[place].effect_ns = first.map(|(_, ns)| *ns);
        }
        let counts = effects.values().map(|effects| effects.len() as u64);
        queues.effects = counts.clone().sum();
        queues.duplicates = counts.map(|count| count - 1).sum();
        queues
    }

    /// From when an event was queued until it took effect, or until it was taken if it tells of an
    /// effect before it.
    pub fn lag(&self, quantile: f64) -> Observed {
        let later = |item: &Item| item.effect_ns.filter(|ns| *ns >= item.queued_ns);
        self.waited(quantile, |item| later(item).or(item.taken_ns))
    }

    /// The same as consumers saw it.
    pub fn lag_as_seen(&self, quantile: f64) -> Observed {
        match self.lags_as_seen.as_slice() {
            [] => Observed::Nothing("no node noted how late its events came"),
            lags => times(lags.iter().copied(), quantile),
        }
    }

    /// What was taken within this time, of all for which it was up by the end.
    pub fn within(&self, deadline_ns: u64) -> Observed {
        if self.items.is_empty() {
            return Observed::Nothing("nothing was queued");
        }
        let due = self.items.iter().filter(|item| item.queued_ns + deadline_ns <= self.end_ns);
        let in_time =
            |item: &&Item| item.taken_ns.is_some_and(|ns| ns <= item.queued_ns + deadline_ns);
        Observed::Share {
            part: due.clone().filter(in_time).count() as u64,
            whole: due.count() as u64,
        }
    }

    /// From when something was queued until it was taken.
    pub fn age(&self, quantile: f64) -> Observed {
        self.waited(quantile, |item| item.taken_ns)
    }

    fn waited(&self, quantile: f64, until_ns: impl Fn(&Item) -> Option<u64>) -> Observed {
        if self.items.is_empty() {
            return Observed::Nothing("nothing was queued");
        }
        let waited =
            |item: &Item| until_ns(item).unwrap_or(self.end_ns).saturating_sub(item.queued_ns);
        times(self.items.iter().map(waited), quantile)
    }

    /// What waits in the end, and how much waited at most.
    pub fn backlog(&self) -> Observed {
        if self.items.is_empty() {
            return Observed::Nothing("nothing was queued");
        }
        // At one instant what is taken goes first, so that a queue is never longer than it was.
        let queued = self.items.iter().map(|item| (item.queued_ns, 1));
        let taken = self.items.iter().filter_map(|item| item.taken_ns.map(|ns| (ns, -1)));
        let mut changes: Vec<(u64, i64)> = queued.chain(taken).collect();
        changes.sort_unstable();
        let (mut waiting, mut most) = (0, 0);
        for (_, change) in changes {
            waiting += change;
            most = most.max(waiting);
        }
        Observed::Count {
            count: waiting as u64,
            beside: format!("{most} at most"),
            events: self.items.len() as u64,
        }
    }

    /// Effects beyond the first of each operation.
    pub fn duplicates(&self) -> Observed {
        Observed::Share { part: self.duplicates, whole: self.effects }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord};

    use super::{Observed, Queues};

    const MS: u64 = 1_000_000;

    fn queued(operation: u64) -> Fact {
        Fact::Queued { queue: "outbox".into(), operation }
    }

    fn taken(operation: u64) -> Fact {
        Fact::Taken { queue: "outbox".into(), operation }
    }

    fn effect(operation: u64, position: u64) -> Fact {
        Fact::Effect { operation, key: "k".into(), value: 1.into(), position }
    }

    fn queues(facts: &[(u64, Fact)]) -> Queues {
        let record =
            |(ms, fact): &(u64, Fact)| FactRecord { ns: ms * MS, node: 0, fact: fact.clone() };
        let facts: Vec<FactRecord> = facts.iter().map(record).collect();
        Queues::of(&facts, 100 * MS)
    }

    fn check(observed: Observed, expected: &str) {
        assert_eq!(observed.to_string(), expected);
    }

    #[test]
    fn what_is_never_taken_is_backlog_and_grows_old() {
        let facts =
            [(10, queued(1)), (20, queued(2)), (30, taken(1)), (40, queued(3)), (50, taken(3))];
        let queues = queues(&facts);
        check(queues.backlog(), "1 (2 at most)");
        // 20, 80 and 10 ms.
        assert!(matches!(queues.age(0.5), Observed::Time { ns, .. } if ns.abs_diff(20 * MS) < MS));
        assert!(matches!(queues.age(1.0), Observed::Time { ns, .. } if ns.abs_diff(80 * MS) < MS));
    }

    #[test]
    fn what_is_due_is_taken_in_time_or_not() {
        let facts =
            [(10, queued(1)), (20, queued(2)), (30, taken(1)), (70, queued(3)), (75, queued(4))];
        // 1 in time, 2 never, 3 is due and late, 4 is not due yet.
        check(queues(&facts).within(30 * MS), "33.3333% (1 of 3)");
    }

    #[test]
    fn a_fact_that_is_noted_again_after_a_boot_counts_once() {
        let facts = [(10, queued(1)), (20, taken(1)), (30, queued(1)), (40, taken(1))];
        let queues = queues(&facts);
        check(queues.backlog(), "0 (1 at most)");
        assert!(matches!(queues.age(1.0), Observed::Time { ns, .. } if ns.abs_diff(10 * MS) < MS));
    }

    #[test]
    fn lag_lasts_until_the_first_effect_and_further_ones_are_duplicates() {
        let facts = [(10, queued(1)), (25, effect(1, 1)), (30, effect(1, 1)), (35, effect(1, 2))];
        let queues = queues(&facts);
        assert!(matches!(queues.lag(1.0), Observed::Time { ns, .. } if ns.abs_diff(15 * MS) < MS));
        check(queues.duplicates(), "50% (1 of 2)");
    }

    #[test]
    fn lag_as_seen_is_what_the_consumer_believes() {
        let seen = |lag_ns| (10, Fact::Processed { operation: 1, lag_ns });
        let queues = queues(&[seen(-5), seen(7 * MS as i64)]);
        let Observed::Time { ns, events: 2 } = queues.lag_as_seen(1.0) else {
            panic!("two were noted");
        };
        assert!(ns.abs_diff(7 * MS) < MS);
    }

    #[test]
    fn without_a_queue_nothing_is_observed() {
        check(queues(&[]).backlog(), "nothing was queued");
        check(queues(&[]).lag(0.5), "nothing was queued");
    }
}
