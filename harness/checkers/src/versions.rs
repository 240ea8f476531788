//! The order of versions, as the authority made it.
//!
//! A version is the place at which an operation took effect in the authority's order of its key. It
//! is found through the value, which must be unique, and never through a number that a design
//! returned: a design may lie. Reads of the initial value have the
//! version 0, before all others.
//!
//! Where an operation took effect twice (that is DUP), the later place counts for who reads it and the
//! earlier for who waits for it, so that nothing is held against a read that can be explained.

use rustc_hash::FxHashMap;
use wrack_history::{Operation, SmolStr, Value};

use crate::Evidence;
use crate::effects::{Effect, by_key};

/// A place in the order of versions; 0 is the initial value.
pub(crate) type Version = u64;

/// The operations and versions of one key.
pub(crate) struct Versioned<'a> {
    pub key: &'a SmolStr,
    pub operations: Vec<&'a Operation>,
    /// The version of each value, to a reader.
    of_value: FxHashMap<Value, Version>,
    /// The first and the last version that each operation made.
    of_operation: FxHashMap<u64, (Version, Version)>,
    /// The operation that made each version, from 1.
    makers: Vec<u64>,
}

/// The versions of all keys, in order of their names; or why there is no order.
pub(crate) fn versions<'a>(evidence: &Evidence<'a>) -> Result<Vec<Versioned<'a>>, String> {
    if evidence.is_set() {
        return Err("a set has elements, not versions".to_owned());
    }
    if evidence.lasting_effects().next().is_none() {
        return Err("the design noted no effects, so the order of versions is not known".to_owned());
    }
    let mut by_key = by_key(evidence.lasting_effects());
    let keys = evidence.by_key().iter();
    keys.map(|(key, operations)| {
        let effects = by_key.remove(key).unwrap_or_default();
        Versioned::new((key, operations.clone()), &effects, evidence.initial)
    })
    .collect()
}

impl<'a> Versioned<'a> {
    fn new(
        (key, operations): (&'a SmolStr, Vec<&'a Operation>),
        effects: &[&Effect],
        initial: &Value,
    ) -> Result<Self, String> {
        let mut makers_of = FxHashMap::<&Value, u64>::default();
        let mut of_value = FxHashMap::default();
        let mut of_operation = FxHashMap::<u64, (Version, Version)>::default();
        for (place, effect) in (1..).zip(effects) {
            let maker = *makers_of.entry(&effect.value).or_insert(effect.operation);
            if maker != effect.operation {
                return Err(twice(key, &effect.value));
            }
            of_value.insert(effect.value.clone(), place);
            of_operation.entry(effect.operation).or_insert((place, place)).1 = place;
        }
        of_value.entry(initial.clone()).or_insert(0);
        let makers = effects.iter().map(|effect| effect.operation).collect();
        Ok(Self { key, operations, of_value, of_operation, makers })
    }

    /// The version that an ok read returned. Values that never took effect have none: they are
    /// PHANTOM's.
    pub fn read_version(&self, operation: &Operation) -> Option<Version> {
        is_ok_read(operation).then(|| self.of_value.get(&operation.result).copied())?
    }

    /// The first and the last version that an operation made, whether it was ok or in doubt.
    pub fn made(&self, operation: &Operation) -> Option<(Version, Version)> {
        self.of_operation.get(&operation.id).copied()
    }

    /// The operation that made a version; none for the initial value.
    pub fn maker(&self, version: Version) -> Option<u64> {
        self.makers.get(version.checked_sub(1)? as usize).copied()
    }

    /// The ok reads with the version that each returned.
    pub fn reads(&self) -> impl Iterator<Item = (&'a Operation, Version)> {
        let reads = self.operations.iter().copied();
        reads.filter_map(|read| Some((read, self.read_version(read)?)))
    }

    /// The ok operations that made a version, with it.
    pub fn writes(&self) -> impl Iterator<Item = (&'a Operation, Version)> {
        let ok = self.operations.iter().copied().filter(|operation| operation.is_ok());
        ok.filter_map(|write| Some((write, self.made(write)?.0)))
    }

    /// The name of the key for an anomaly.
    pub fn name(&self) -> Option<SmolStr> {
        Some(self.key.clone()).filter(|key| !key.is_empty())
    }
}

/// Why there are no versions.
pub(crate) fn twice(key: &str, value: &Value) -> String {
    let key = if key.is_empty() { "the object" } else { key };
    format!("{key} had the value {value} twice, so versions are not known")
}

pub(crate) fn is_ok_read(operation: &Operation) -> bool {
    operation.is_ok() && operation.function == "read"
}
