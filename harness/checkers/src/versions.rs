//! The order of versions, as the authority made it.
//!
//! A version is the place at which an operation took effect in the authority's order of its key. It
//! is found through the value, which must be unique, and never through a number that a design
//! returned: a design may lie. Reads of nil have the version 0, before all others.
//!
//! Where an operation took effect twice (that is DUP), the later place counts for who reads it and the
//! earlier for who waits for it, so that nothing is held against a read that can be explained.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::{Operation, SmolStr, Value};

use crate::Evidence;
use crate::effects::{Effect, by_key, effects};
use crate::operations_by_key;

/// A place in the order of versions; 0 is the initial value.
pub(crate) type Version = u64;

/// The operations and versions of one key.
pub(crate) struct Versioned<'a> {
    pub key: &'a SmolStr,
    pub operations: Vec<&'a Operation>,
    /// The version of each value, to a reader.
    of_value: BTreeMap<Value, Version>,
    /// The version of each operation, to whoever waits for it.
    of_operation: FxHashMap<u64, Version>,
}

/// The versions of all keys, in order of their names; or why there is no order.
pub(crate) fn versions<'a>(evidence: &Evidence<'a>) -> Result<Vec<Versioned<'a>>, String> {
    if evidence.is_set() {
        return Err("a set has elements, not versions".to_owned());
    }
    let mut effects = effects(evidence.facts);
    effects.retain(|effect| !effect.undone);
    if effects.is_empty() {
        return Err("the design noted no effects, so the order of versions is not known".to_owned());
    }
    let mut by_key = by_key(&effects);
    let keys = operations_by_key(&evidence.history.operations);
    keys.into_iter()
        .map(|(key, operations)| {
            Versioned::new(key, operations, &by_key.remove(key).unwrap_or_default())
        })
        .collect()
}

impl<'a> Versioned<'a> {
    fn new(
        key: &'a SmolStr,
        operations: Vec<&'a Operation>,
        effects: &[&Effect],
    ) -> Result<Self, String> {
        let mut writers = BTreeMap::<&Value, u64>::new();
        let mut of_value = BTreeMap::new();
        let mut of_operation = FxHashMap::default();
        for (place, effect) in (1..).zip(effects) {
            let writer = *writers.entry(&effect.value).or_insert(effect.operation);
            if writer != effect.operation {
                let value = &effect.value;
                return Err(format!(
                    "{key} had the value {value} twice, so versions are not known"
                ));
            }
            of_value.insert(effect.value.clone(), place);
            of_operation.entry(effect.operation).or_insert(place);
        }
        of_value.entry(Value::Nil).or_insert(0);
        Ok(Self { key, operations, of_value, of_operation })
    }

    /// The ok reads with the version that each returned. Reads of values that never took effect have
    /// none: they are PHANTOM's.
    pub fn reads(&self) -> impl Iterator<Item = (&'a Operation, Version)> {
        let reads = self.operations.iter().copied().filter(|operation| is_ok_read(operation));
        reads.filter_map(|read| Some((read, *self.of_value.get(&read.result)?)))
    }

    /// The ok operations that made a version, with it.
    pub fn writes(&self) -> impl Iterator<Item = (&'a Operation, Version)> {
        let ok = self.operations.iter().copied().filter(|operation| operation.is_ok());
        ok.filter_map(|write| Some((write, *self.of_operation.get(&write.id)?)))
    }

    /// The name of the key for an anomaly.
    pub fn name(&self) -> Option<SmolStr> {
        Some(self.key.clone()).filter(|key| !key.is_empty())
    }
}

fn is_ok_read(operation: &Operation) -> bool {
    operation.is_ok() && operation.function == "read"
}
