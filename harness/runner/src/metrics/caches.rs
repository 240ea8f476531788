//! What caches and read replicas note: hits and misses, and how far replicas are behind.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use wrack_history::{Fact, FactRecord, History, NodeIndex, Operation, SmolStr, Value};

/// What was measured of the caches and replicas of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caches {
    /// Reads that came to a cache, each attempt by itself.
    pub cache_reads: u64,
    /// Those that it answered by itself.
    pub hits: u64,
    /// Hits that returned something else than the newest that had taken effect by then.
    pub stale_hits: u64,
    /// For each replica and effect, how long after the effect the replica had it; in nanoseconds,
    /// rising.
    pub lags_ns: Vec<u64>,
    /// For each effect and each replica that is known by then, how many effects before it the replica
    /// did not have; rising.
    pub missing: Vec<u64>,
}

impl Caches {
    /// Measures in one sweep over the facts, which are in order of time.
    pub fn measure(history: &History, facts: &[FactRecord]) -> Self {
        let mut sweep = Sweep::new(history);
        for record in facts {
            sweep.look(record);
        }
        sweep.caches.lags_ns.sort_unstable();
        sweep.caches.missing.sort_unstable();
        sweep.caches
    }
}

struct Sweep<'a> {
    operations: BTreeMap<u64, &'a Operation>,
    newest: BTreeMap<&'a SmolStr, (u64, &'a Value)>,
    /// When each position first took effect.
    effects_ns: BTreeMap<u64, u64>,
    /// How far each replica ever got.
    reached: BTreeMap<NodeIndex, u64>,
    caches: Caches,
}

impl<'a> Sweep<'a> {
    fn new(history: &'a History) -> Self {
        let operations = history.operations.iter().map(|operation| (operation.id, operation));
        Self {
            operations: operations.collect(),
            newest: BTreeMap::new(),
            effects_ns: BTreeMap::new(),
            reached: BTreeMap::new(),
            caches: Caches::default(),
        }
    }

    fn look(&mut self, record: &'a FactRecord) {
        match &record.fact {
            Fact::Effect { key, value, position, .. } => {
                if let Entry::Vacant(first) = self.effects_ns.entry(*position) {
                    first.insert(record.ns);
                    let missing = |reached: &u64| position.saturating_sub(*reached + 1);
                    self.caches.missing.extend(self.reached.values().map(missing));
                }
                let newest = self.newest.entry(key).or_insert((*position, value));
                if newest.0 < *position {
                    *newest = (*position, value);
                }
            }
            Fact::CacheRead { operation, hit } => self.cache_read(*operation, *hit),
            Fact::Replicated { position } => self.replicated(record.node, *position, record.ns),
            _ => {}
        }
    }

    fn cache_read(&mut self, operation: u64, hit: bool) {
        self.caches.cache_reads += 1;
        if !hit {
            return;
        }
        self.caches.hits += 1;
        let read = self.operations.get(&operation).filter(|read| read.is_ok());
        let is_stale = |read: &&Operation| {
            self.newest.get(&read.key).is_some_and(|(_, value)| **value != read.result)
        };
        self.caches.stale_hits += u64::from(read.is_some_and(is_stale));
    }

    fn replicated(&mut self, node: NodeIndex, position: u64, ns: u64) {
        let reached = self.reached.entry(node).or_default();
        if position <= *reached {
            return;
        }
        for (_, effect_ns) in self.effects_ns.range(*reached + 1..=position) {
            self.caches.lags_ns.push(ns.saturating_sub(*effect_ns));
        }
        *reached = position;
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord, History, Moment, Operation, Outcome, Value};

    use super::Caches;

    fn read(id: u64, result: i64) -> Operation {
        Operation {
            id,
            process: 0,
            session: 0,
            key: "k".into(),
            function: "read".into(),
            argument: Value::Nil,
            result: result.into(),
            outcome: Outcome::Ok,
            invoke: Moment::NEVER,
            complete: Moment::NEVER,
            details: None,
        }
    }

    fn effect(position: u64) -> Fact {
        let value = Value::Integer(position as i64);
        Fact::Effect { operation: 100 + position, key: "k".into(), value, position }
    }

    fn measure(facts: &[(u64, u16, Fact)]) -> Caches {
        let history = History { operations: vec![read(1, 1), read(2, 1)], ..History::default() };
        let record = |(ns, node, fact): &(u64, u16, Fact)| FactRecord {
            ns: *ns,
            node: *node,
            fact: fact.clone(),
        };
        Caches::measure(&history, &facts.iter().map(record).collect::<Vec<_>>())
    }

    #[test]
    fn a_hit_is_stale_if_something_newer_took_effect_before_it() {
        let hit = |operation| Fact::CacheRead { operation, hit: true };
        let miss = Fact::CacheRead { operation: 3, hit: false };
        let facts =
            [(1, 2, effect(1)), (2, 0, hit(1)), (3, 2, effect(2)), (4, 0, hit(2)), (5, 0, miss)];
        let caches = measure(&facts);
        assert_eq!((caches.cache_reads, caches.hits, caches.stale_hits), (3, 2, 1));
    }

    #[test]
    fn a_replica_lags_by_the_time_from_an_effect_until_it_has_it() {
        let has = |position| Fact::Replicated { position };
        let facts = [
            (10, 0, effect(1)),
            (20, 0, effect(2)),
            (25, 1, has(1)),
            (50, 1, has(2)),
            (55, 2, has(2)),
            // A replica that booted gets the first one again.
            (90, 1, has(1)),
            (95, 0, effect(3)),
            (96, 0, effect(4)),
        ];
        let caches = measure(&facts);
        assert_eq!(caches.lags_ns, [15, 30, 35, 45]);
        // Both have the first two when the third and the fourth come.
        assert_eq!(caches.missing, [0, 0, 1, 1]);
    }
}
