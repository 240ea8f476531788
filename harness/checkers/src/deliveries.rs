//! Which replica had which updates of an object, and when: from the facts `delivered`.
//!
//! A replica that boots starts again with nothing, and notes what it finds on its disk.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::fact::UpdateName;
use wrack_history::{Fact, FactRecord, NodeIndex, SmolStr};

/// A set of the updates of one object, by their numbers, as bits; the last word is never 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Updates(Vec<u64>);

impl Updates {
    /// Adds the update of this number.
    pub fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// Whether the update of this number is in the set.
    pub fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// An update.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    /// Its name.
    pub name: UpdateName,
    /// What the replica that accepted it had of the object before; `None` if that did not say.
    pub past: Option<Updates>,
}

/// The updates of one object, and who has which.
#[derive(Default)]
pub(crate) struct Object {
    /// By number: in the order in which they were first noted.
    pub updates: Vec<Update>,
    numbers: FxHashMap<UpdateName, usize>,
    at: BTreeMap<NodeIndex, Updates>,
}

/// All objects, in order of their keys.
#[derive(Default)]
pub(crate) struct Deliveries(pub BTreeMap<SmolStr, Object>);

impl Deliveries {
    /// All that these facts say.
    pub fn of(facts: &[FactRecord]) -> Self {
        let mut deliveries = Self::default();
        for record in facts {
            deliveries.observe(record);
        }
        deliveries
    }

    /// Takes the next fact. If it is a delivery: what the replica has of the object now.
    pub fn observe(&mut self, record: &FactRecord) -> Option<&Updates> {
        match &record.fact {
            Fact::Booted { .. } => {
                for object in self.0.values_mut() {
                    object.at.remove(&record.node);
                }
                None
            }
            Fact::Delivered { key, updates, .. } => {
                if !self.0.contains_key(key) {
                    self.0.insert(key.clone(), Object::default());
                }
                Some(self.0.get_mut(key)?.deliver(record, updates))
            }
            _ => None,
        }
    }
}

impl Object {
    fn deliver(&mut self, record: &FactRecord, names: &[UpdateName]) -> &Updates {
        let has = self.at.entry(record.node).or_default();
        for name in names {
            let next = self.updates.len();
            let number = *self.numbers.entry(*name).or_insert(next);
            if number == next {
                let past = (record.node == name.origin).then(|| has.clone());
                self.updates.push(Update { name: *name, past });
            }
            has.insert(number);
        }
        has
    }

    /// Whether the update of the first number was made by a replica that had the second.
    pub fn has_seen(&self, update: usize, other: usize) -> bool {
        self.updates[update].past.as_ref().is_some_and(|past| past.contains(other))
    }

    /// The updates that came of an operation, by their numbers.
    pub fn of_operation(&self, operation: u64) -> impl Iterator<Item = usize> {
        let same = move |(number, update): (usize, &Update)| {
            (update.name.operation == operation).then_some(number)
        };
        self.updates.iter().enumerate().filter_map(same)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use wrack_history::fact::UpdateName;
    use wrack_history::{Fact, FactRecord, NodeIndex};

    use crate::story::facts;

    /// A delivery: node, milliseconds, operations with the nodes that accepted them, digest.
    pub type Told<'a> = (NodeIndex, u64, &'a [(u64, NodeIndex)], u64);

    /// Deliveries of the object `k`. The number of an update is that of its operation.
    pub fn delivered(all: &[Told<'_>]) -> Vec<FactRecord> {
        facts(all.iter().map(|(node, ms, updates, digest)| {
            let name = |(operation, origin): &(u64, NodeIndex)| UpdateName {
                origin: *origin,
                sequence: *operation,
                operation: *operation,
            };
            let updates = updates.iter().map(name).collect();
            (*node, *ms, Fact::Delivered { key: "k".into(), updates, digest: *digest })
        }))
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Fact;

    use super::testing::delivered;
    use super::{Deliveries, Updates};
    use crate::story::facts;

    #[test]
    fn an_update_has_seen_what_its_replica_had() {
        let noted = delivered(&[(0, 1, &[(0, 0)], 7), (1, 2, &[(1, 1)], 8), (0, 3, &[(1, 1)], 9)]);
        let later = delivered(&[(0, 4, &[(2, 0)], 10)]);
        let deliveries = Deliveries::of(&[noted, later].concat());
        let object = &deliveries.0["k"];
        let seen = |update, other| object.has_seen(update, other);
        assert!(seen(2, 0) && seen(2, 1) && !seen(1, 0) && !seen(0, 0));
    }

    #[test]
    fn a_replica_that_boots_has_what_it_notes_again() {
        let first = delivered(&[(0, 1, &[(0, 0)], 7), (0, 2, &[(1, 0)], 8)]);
        let boot = facts([(0, 3, Fact::Booted { boot: 1 })]);
        let again = delivered(&[(0, 4, &[(1, 0)], 7), (0, 5, &[(2, 0)], 9)]);
        let deliveries = Deliveries::of(&[first, boot, again].concat());
        assert!(!deliveries.0["k"].has_seen(2, 0) && deliveries.0["k"].has_seen(2, 1));
    }

    #[test]
    fn sets_of_updates_are_equal_if_their_members_are() {
        let (mut one, mut other) = (Updates::default(), Updates::default());
        [1, 200].iter().for_each(|number| one.insert(*number));
        [200, 1, 1].iter().for_each(|number| other.insert(*number));
        assert_eq!(one, other);
        assert!(one.contains(200) && !one.contains(199) && one.len() == 2);
    }
}
