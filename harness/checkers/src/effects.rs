//! What the authority did: the effects of operations, and the order of versions that follows.
//!
//! Several nodes may note one effect (each replica applies it); the same position of the same key is
//! the same effect. Another position is another effect.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use wrack_history::{Fact, FactRecord, SmolStr, Value};

/// One effect, however many nodes noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub operation: u64,
    pub key: SmolStr,
    pub value: Value,
    pub position: u64,
    /// When it was noted first.
    pub ns: u64,
}

/// All different effects, in the order in which they were noted first.
pub(crate) fn effects(facts: &[FactRecord]) -> Vec<Effect> {
    let mut known = BTreeSet::<(u64, u64, &SmolStr)>::new();
    let mut effects = Vec::new();
    for record in facts {
        let Fact::Effect { operation, key, value, position } = &record.fact else {
            continue;
        };
        if known.insert((*operation, *position, key)) {
            effects.push(Effect {
                operation: *operation,
                key: key.clone(),
                value: value.clone(),
                position: *position,
                ns: record.ns,
            });
        }
    }
    effects
}

/// The effects of each operation.
pub(crate) fn by_operation(effects: &[Effect]) -> FxHashMap<u64, Vec<&Effect>> {
    let mut operations = FxHashMap::<u64, Vec<&Effect>>::default();
    for effect in effects {
        operations.entry(effect.operation).or_default().push(effect);
    }
    operations
}

/// The versions of each key, in the authority's order.
pub(crate) fn by_key(effects: &[Effect]) -> BTreeMap<&SmolStr, Vec<&Effect>> {
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
    use wrack_history::SmolStr;

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
}
