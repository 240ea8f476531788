//! Recoveries: what a node finds on its disk after a boot.
//!
//! ```text
//! n1  ack 3 ─ ack 4 ─ ✗ ─ boot ─ recovered {3, 4}     valid
//! n1  ack 3 ─ ack 4 ─ ✗ ─ boot ─ recovered {3}        invalid: 4 is lost
//! ```

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use wrack_history::{
    Anomaly, Fact, FactRecord, Judgement, NodeIndex, Operation, Outcome, SmolStr, duration,
};
use wrack_sequential::may_change;

use super::ANOMALIES_MAX;
use crate::Evidence;
use crate::words::{count, list, node, noun, of};

/// Judges every recovery; how many acknowledged writes are lost.
pub(super) fn judge(evidence: &Evidence<'_>, judgement: &mut Judgement) -> u64 {
    let recovered = |record: &FactRecord| matches!(record.fact, Fact::Recovered { .. });
    if !evidence.facts.iter().any(recovered) {
        return 0;
    }
    let mut recovery = Recovery::new(evidence);
    let mut lost = 0;
    for record in evidence.facts {
        match &record.fact {
            Fact::Acknowledged { operation } => recovery.acknowledge(record.node, *operation),
            Fact::Recovered { operations } => {
                judgement.examine("recoveries", 1);
                let missing = recovery.missing(record.node, operations);
                lost += missing.len() as u64;
                if !missing.is_empty() && judgement.anomalies.len() < ANOMALIES_MAX {
                    judgement.contradict(anomaly(evidence, record, &missing));
                }
            }
            _ => (),
        }
    }
    lost
}

struct Recovery<'a> {
    /// Whether each element counts by itself, so that no later one stands for it.
    each_counts: bool,
    operations: FxHashMap<u64, &'a Operation>,
    /// The last position at which each operation took effect.
    positions: FxHashMap<u64, u64>,
    /// Elements that somebody removes or may have removed.
    removed: BTreeSet<(&'a SmolStr, &'a wrack_history::Value)>,
    /// What each node has acknowledged and not been found to lack.
    acknowledged: BTreeMap<NodeIndex, Vec<&'a Operation>>,
}

impl<'a> Recovery<'a> {
    fn new(evidence: &Evidence<'a>) -> Self {
        let operations = &evidence.history.operations;
        let removes = operations.iter().filter(|operation| {
            operation.function == "remove" && operation.outcome != Outcome::Fail
        });
        let mut positions = FxHashMap::default();
        for effect in evidence.effects() {
            let last = positions.entry(effect.operation).or_insert(effect.position);
            *last = effect.position.max(*last);
        }
        Self {
            each_counts: evidence.is_set(),
            removed: removes.map(|remove| (&remove.key, &remove.argument)).collect(),
            operations: operations.iter().map(|operation| (operation.id, operation)).collect(),
            positions,
            acknowledged: BTreeMap::new(),
        }
    }

    fn acknowledge(&mut self, node: NodeIndex, operation: u64) {
        let Some(&operation) = self.operations.get(&operation) else {
            return;
        };
        // Of a cas whose answer never arrived nobody outside knows whether it was refused.
        let known = operation.function != "cas" || operation.is_ok();
        let removed = self.removed.contains(&(&operation.key, &operation.argument));
        if may_change(operation) && known && !(self.each_counts && removed) {
            self.acknowledged.entry(node).or_default().push(operation);
        }
    }

    /// What the node had acknowledged and did not find; each is told once.
    fn missing(&mut self, node: NodeIndex, recovered: &[u64]) -> Vec<&'a Operation> {
        let found: FxHashSet<u64> = recovered.iter().copied().collect();
        let newest = self.newest(recovered);
        let acknowledged = self.acknowledged.remove(&node).unwrap_or_default();
        let is_there = |operation: &&Operation| {
            let position = self.positions.get(&operation.id);
            let replaced = match (position, newest.get(&operation.key)) {
                (Some(position), Some(newest)) => newest >= position,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            found.contains(&operation.id) || (replaced && !self.each_counts)
        };
        let (there, missing) = acknowledged.into_iter().partition(is_there);
        self.acknowledged.insert(node, there);
        missing
    }

    /// The last position of each key that was recovered.
    fn newest(&self, recovered: &[u64]) -> BTreeMap<&'a SmolStr, u64> {
        let mut newest = BTreeMap::new();
        for id in recovered {
            let (Some(operation), Some(position)) =
                (self.operations.get(id), self.positions.get(id))
            else {
                continue;
            };
            let last = newest.entry(&operation.key).or_insert(*position);
            *last = (*last).max(*position);
        }
        newest
    }
}

fn anomaly(evidence: &Evidence<'_>, record: &FactRecord, missing: &[&Operation]) -> Anomaly {
    let what = match missing {
        [only] => format!("{}{}", noun(only), of(only)),
        missing => {
            let nouns: Vec<String> = missing.iter().map(|write| noun(write)).collect();
            format!("{} ({})", count(missing.len(), "operation"), list(&nouns))
        }
    };
    let (who, at) = (node(evidence.nodes, record.node), duration::seconds(record.ns));
    let same_key = missing.iter().all(|write| write.key == missing[0].key);
    Anomaly {
        explanation: format!(
            "{who} had acknowledged {what}, but when it recovered at {at}, its disk held neither \
             that nor anything newer"
        ),
        operations: missing.iter().take(20).map(|write| write.id).collect(),
        key: Some(missing[0].key.clone()).filter(|key| same_key && !key.is_empty()),
        at_ns: Some(record.ns),
        nodes: vec![record.node],
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord};

    use crate::lost::GUARANTEE;
    use crate::story::{Case, effects, facts};

    fn recovery(acknowledged: &[u64], recovered: &[u64]) -> Vec<FactRecord> {
        let acknowledged = acknowledged.iter().map(|operation| {
            let fact = Fact::Acknowledged { operation: *operation };
            (0, 20, fact)
        });
        let recovered = Fact::Recovered { operations: recovered.to_vec() };
        let boot = [(0, 30, Fact::Crashed), (0, 40, Fact::Booted { boot: 1 }), (0, 41, recovered)];
        facts(acknowledged.chain(boot))
    }

    const ADDS: &str = "p1 add k 1 10..20
                        p2 add k 2 11..?
                        p3 add k 3 12..?";
    const WRITES: &str = "p1 write k 1 10..20
                          p2 write k 2 21..?";

    #[test]
    fn what_was_acknowledged_is_recovered() {
        let case = |recovered: &[u64]| Case::new("set", ADDS).facts(recovery(&[0, 1], recovered));
        case(&[0, 1, 2]).accepted_by(&GUARANTEE);
        case(&[0]).rejected_by(
            &GUARANTEE,
            "n1 had acknowledged add 2 by process 2 of k, but when it recovered at 0.041 s, its \
             disk held neither that nor anything newer",
        );
    }

    #[test]
    fn a_register_may_be_recovered_with_a_newer_write() {
        let case = |recovered: &[u64]| {
            let mut facts = effects("k", &[(0, 1, 1), (1, 2, 2)]);
            facts.extend(recovery(&[0, 1], recovered));
            Case::new("register", WRITES).facts(facts)
        };
        case(&[1]).accepted_by(&GUARANTEE);
        case(&[0]).rejected_by(
            &GUARANTEE,
            "n1 had acknowledged write 2 by process 2 of k, but when it recovered at 0.041 s, its \
             disk held neither that nor anything newer",
        );
    }

    #[test]
    fn another_node_has_acknowledged_nothing() {
        let mut facts = recovery(&[0, 1], &[]);
        for record in facts.iter_mut().filter(|record| record.fact.kind() == "acknowledged") {
            record.node = 1;
        }
        Case::new("set", ADDS).facts(facts).accepted_by(&GUARANTEE);
    }
}
