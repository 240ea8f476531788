//! What must hold of a run: simple checks that look at one kind of history alone, and so can be
//! complete and short.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::{Fact, Operation, Outcome, SmolStr, Value};
use wrack_sim::Recording;

/// A run, to be judged.
pub struct Judge(Recording);

impl Judge {
    pub fn new(recording: Recording) -> Self {
        Self(recording)
    }

    /// Every check, and at least so many operations that ended ok.
    pub fn keeps_every_promise(&self, ok_min: u64) {
        let counts = self.0.history.counts();
        assert!(counts.ok >= ok_min, "{counts:?}");
        self.asserts_nothing();
        self.effects_are_single();
        self.epochs_never_fall();
        self.reads_are_linearizable();
        self.goes_on_after_the_faults();
        let lost = (self.missing_elements(), self.missing_increments(), self.unrecovered());
        assert_eq!(lost, (0, 0, 0));
    }

    pub fn reached(&self, situation: &str) -> bool {
        self.0.sometimes.contains_key(situation)
    }

    /// How many different nodes owned.
    pub fn owners(&self) -> usize {
        let owned = |fact: &Fact| matches!(fact, Fact::Role { role, .. } if role == "owner");
        let records = self.0.facts.iter().filter(|record| owned(&record.fact));
        records.map(|record| record.node).collect::<BTreeSet<_>>().len()
    }

    fn asserts_nothing(&self) {
        for record in &self.0.facts {
            if let Fact::AssertionFailed { name, message } = &record.fact {
                panic!("{name}: {message}");
            }
        }
    }

    /// DUP: at most one effect an operation, and none of one that failed.
    pub fn effects_are_single(&self) {
        let mut places = BTreeMap::<u64, BTreeSet<u64>>::new();
        for record in &self.0.facts {
            if let Fact::Effect { operation, position, .. } = &record.fact {
                places.entry(*operation).or_default().insert(*position);
            }
        }
        for (id, places) in places {
            let operation = self.0.history.operation(id).unwrap();
            assert_eq!(places.len(), 1, "{operation:?}");
            assert_ne!(operation.outcome, Outcome::Fail, "{operation:?}");
        }
    }

    /// SPLIT.
    pub fn epochs_never_fall(&self) {
        assert!(!self.epochs_fell());
    }

    pub fn epochs_fell(&self) -> bool {
        let epochs = self.0.facts.iter().filter_map(|record| match record.fact {
            Fact::Accepted { epoch, .. } => Some(epoch),
            _ => None,
        });
        !epochs.is_sorted()
    }

    /// LOST, of recoveries: acknowledged by a node and not on its disk after a boot.
    pub fn unrecovered(&self) -> usize {
        let mut acknowledged = BTreeMap::<u16, BTreeSet<u64>>::new();
        let mut lost = 0;
        for record in &self.0.facts {
            let known = acknowledged.entry(record.node).or_default();
            match &record.fact {
                Fact::Acknowledged { operation } => drop(known.insert(*operation)),
                Fact::Recovered { operations } => {
                    let operations = operations.iter().copied().collect();
                    lost += known.difference(&operations).count();
                }
                _ => {}
            }
        }
        lost
    }

    /// LOST: acknowledged elements that the final read of their key does not hold.
    pub fn missing_elements(&self) -> usize {
        let finals = self.final_values();
        let adds = self.ok("add").filter(|add| {
            let elements = finals[&add.key].as_list().unwrap_or_default();
            !elements.contains(&add.argument)
        });
        adds.count()
    }

    /// LUPD: acknowledged increments that the final sums do not hold.
    pub fn missing_increments(&self) -> u64 {
        let mut missing = 0;
        for (key, value) in self.final_values() {
            let done = self.ok("increment").filter(|add| add.key == key).count() as u64;
            let sum = value.as_integer().unwrap_or(0) as u64;
            missing += done.saturating_sub(sum);
        }
        missing
    }

    fn ok<'a>(&'a self, function: &'a str) -> impl Iterator<Item = &'a Operation> {
        let operations = self.0.history.operations.iter();
        operations.filter(move |operation| operation.is_ok() && operation.function == function)
    }

    /// The last reads of the history, one a key.
    fn final_values(&self) -> BTreeMap<SmolStr, Value> {
        let reads = self.ok("read");
        reads.map(|read| (read.key.clone(), read.result.clone())).collect()
    }

    fn goes_on_after_the_faults(&self) {
        let late = |operation: &&Operation| operation.invoke.ns > 52_000_000_000;
        let late: Vec<_> = self.0.history.operations.iter().filter(late).collect();
        let ok = late.iter().filter(|operation| operation.is_ok()).count();
        assert!(late.len() > 20 && ok == late.len(), "{ok} of {}", late.len());
    }

    /// LIN. A set is read as a list, and an increment answers its place: so all reads and answers of
    /// a key must stand in one order, and that order must agree with real time.
    fn reads_are_linearizable(&self) {
        for (key, operations) in self.0.history.by_key() {
            let points: Vec<_> = operations.iter().filter_map(|operation| point(operation)).collect();
            for (first, at) in &points {
                for (second, after) in &points {
                    assert!(
                        !first.precedes(second) || at < after || at == after && is_read(second),
                        "{key}: {first:?} before {second:?}"
                    );
                }
            }
            self.lists_agree(&operations);
        }
    }

    /// Each list is the beginning of the longest, and holds what was acknowledged before it.
    fn lists_agree(&self, operations: &[&Operation]) {
        let list = |read: &Operation| match &read.result {
            Value::List(list) => Some(list.clone()),
            _ => None,
        };
        let longest = operations.iter().filter_map(|read| list(read)).max_by_key(|l| l.len());
        let Some(longest) = longest else { return };
        let place = |element: &Value| longest.iter().position(|other| other == element);
        let distinct: BTreeSet<_> = longest.iter().collect();
        assert_eq!(distinct.len(), longest.len());
        let adds = operations.iter().filter(|operation| operation.function == "add");
        let adds: Vec<_> = adds.filter_map(|add| Some((add, place(&add.argument)?))).collect();
        for (first, at) in &adds {
            for (second, after) in &adds {
                assert!(!first.precedes(second) || at < after, "{first:?} before {second:?}");
            }
        }
        for read in operations.iter().filter(|operation| operation.is_ok() && is_read(operation)) {
            let list = list(read).unwrap_or_else(|| [].into());
            assert_eq!(list[..], longest[..list.len()], "{read:?}");
            for (add, at) in &adds {
                assert!(!add.precedes(read) || *at < list.len(), "{add:?} before {read:?}");
                assert!(!read.precedes(add) || *at >= list.len(), "{read:?} before {add:?}");
            }
        }
    }
}

fn is_read(operation: &Operation) -> bool {
    operation.function == "read"
}

/// Where an operation that answers a number stands in the order of its key.
fn point(operation: &Operation) -> Option<(&Operation, usize)> {
    let place = match &operation.result {
        _ if !operation.is_ok() => return None,
        Value::Integer(sum) => *sum as usize,
        Value::List(list) => list.len(),
        _ => return None,
    };
    Some((operation, place))
}
