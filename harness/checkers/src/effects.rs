//! What the authority did: the effects of operations, and the order of versions that follows.
//!
//! Several nodes may note one effect (each replica applies it); the same position of the same key is
//! the same effect. Another position is another effect.
//!
//! A log can be cut: an effect is undone when every node that noted it has cut its log before that
//! position, for a leader that knows better. That is a lost write, and no second effect if the
//! operation is carried out again. Where the log ends after a boot undoes nothing: what one disk
//! lost, others may hold.

use std::collections::BTreeMap;

use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use wrack_history::{Fact, FactRecord, NodeIndex, SmolStr, Value};

/// One effect, however many nodes noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub operation: u64,
    pub key: SmolStr,
    pub value: Value,
    pub position: u64,
    /// When it was noted first.
    pub ns: u64,
    /// Whether the log that held it was cut before it.
    pub undone: bool,
}

/// All different effects, in the order in which they were noted first.
pub(crate) fn effects(facts: &[FactRecord]) -> Vec<Effect> {
    let mut known = FxHashMap::<(u64, u64, &SmolStr), usize>::default();
    let mut logs = FxHashMap::<NodeIndex, NotedLog>::default();
    let mut effects = Vec::<Effect>::new();
    let mut holders = Vec::<u32>::new();
    for record in facts {
        match &record.fact {
            Fact::Effect { operation, key, value, position } => {
                let place = *known.entry((*operation, *position, key)).or_insert(effects.len());
                logs.entry(record.node).or_default().noted.push((*position, place));
                holders.resize(holders.len().max(place + 1), 0);
                holders[place] += 1;
                if place == effects.len() {
                    let (operation, position, ns) = (*operation, *position, record.ns);
                    let (key, value) = (key.clone(), value.clone());
                    effects.push(Effect { operation, key, value, position, ns, undone: false });
                }
            }
            Fact::Booted { .. } => logs.entry(record.node).or_default().boots = true,
            Fact::Truncated { from } => {
                for place in logs.entry(record.node).or_default().cut(*from) {
                    holders[place] -= 1;
                    effects[place].undone = holders[place] == 0;
                }
            }
            _ => {}
        }
    }
    effects
}

/// The effects that one node noted, by position.
#[derive(Default)]
struct NotedLog {
    noted: Vec<(u64, usize)>,
    /// Whether its next cut only says where the log ends after a boot.
    boots: bool,
}

impl NotedLog {
    /// The log is cut before `from`: gives the effects that are undone by it.
    fn cut(&mut self, from: u64) -> Vec<usize> {
        if std::mem::take(&mut self.boots) {
            return Vec::new();
        }
        let undone = self.noted.extract_if(.., |(position, _)| *position >= from);
        undone.map(|(_, place)| place).collect()
    }
}

/// The effects of each operation: mostly one.
pub(crate) fn by_operation<'a>(
    effects: impl IntoIterator<Item = &'a Effect>,
) -> FxHashMap<u64, SmallVec<[&'a Effect; 1]>> {
    let effects = effects.into_iter();
    let at_most = effects.size_hint().1.unwrap_or(0);
    let mut operations =
        FxHashMap::<u64, SmallVec<[&Effect; 1]>>::with_capacity_and_hasher(at_most, FxBuildHasher);
    for effect in effects {
        operations.entry(effect.operation).or_default().push(effect);
    }
    operations
}

/// The versions of each key, in the authority's order.
pub(crate) fn by_key<'a>(
    effects: impl IntoIterator<Item = &'a Effect>,
) -> BTreeMap<&'a SmolStr, Vec<&'a Effect>> {
    let mut keys = BTreeMap::<&SmolStr, Vec<&Effect>>::new();
    for effect in effects {
        keys.entry(&effect.key).or_default().push(effect);
    }
    for effects in keys.values_mut() {
        effects.sort_by_key(|effect| effect.position);
    }
    keys
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord, SmolStr};

    use super::{by_key, by_operation, effects};
    use crate::story;

    #[test]
    fn an_effect_that_two_nodes_noted_is_one() {
        let facts = story::effects("k", &[(0, 7, 2), (1, 8, 1), (0, 7, 2), (0, 7, 3)]);
        let effects = effects(&facts);
        assert_eq!(effects.len(), 3);
        assert_eq!(by_operation(&effects)[&0].len(), 2);
        let positions: Vec<u64> =
            by_key(&effects)[&SmolStr::from("k")].iter().map(|e| e.position).collect();
        assert_eq!(positions, [1, 2, 3]);
    }

    fn check(facts: &[(u16, Fact)], undone: &[bool]) {
        let record =
            |(node, fact): &(u16, Fact)| FactRecord { ns: 0, node: *node, fact: fact.clone() };
        let facts: Vec<FactRecord> = facts.iter().map(record).collect();
        let found: Vec<bool> = effects(&facts).iter().map(|effect| effect.undone).collect();
        assert_eq!(found, undone);
    }

    fn effect(operation: u64, position: u64) -> Fact {
        Fact::Effect { operation, key: "k".into(), value: 1.into(), position }
    }

    #[test]
    fn an_effect_is_undone_when_all_who_noted_it_cut_it_off() {
        let cut = || Fact::Truncated { from: 5 };
        check(&[(0, effect(1, 4)), (0, effect(2, 5)), (0, cut())], &[false, true]);
        check(&[(0, effect(2, 5)), (1, effect(2, 5)), (0, cut())], &[false]);
        check(&[(0, effect(2, 5)), (1, effect(2, 5)), (0, cut()), (1, cut())], &[true]);
    }

    #[test]
    fn where_a_log_ends_after_a_boot_undoes_nothing() {
        let cut = || Fact::Truncated { from: 5 };
        check(&[(0, effect(2, 5)), (0, Fact::Booted { boot: 1 }), (0, cut())], &[false]);
        check(&[(0, effect(2, 5)), (0, Fact::Booted { boot: 1 }), (0, cut()), (0, cut())], &[true]);
    }
}
