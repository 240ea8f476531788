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
        self.is_linearizable();
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
        let finals = finals.iter().map(|(key, value)| {
            let elements = value.as_list().unwrap_or_default();
            (key, elements.iter().collect::<BTreeSet<_>>())
        });
        let finals: BTreeMap<_, _> = finals.collect();
        let lost = |add: &&Operation| !finals[&add.key].contains(&add.argument);
        self.ok("add").filter(lost).count()
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

    /// LIN. A set is read as a list, an increment answers its place, and an element has one in the
    /// longest list. So all operations of a key have a place in one order, which must agree with
    /// real time and with itself.
    fn is_linearizable(&self) {
        for (_, operations) in self.0.history.by_key() {
            let order = Order::of(&operations);
            for (read, list) in lists(&operations) {
                assert_eq!(list[..], order.longest[..list.len()], "{read:?}");
            }
            let places = operations.iter();
            let places: Vec<_> = places
                .filter_map(|operation| Some((*operation, order.place(operation)?)))
                .collect();
            agrees_with_real_time(&places);
        }
    }
}

/// The elements of one key in the order of the longest list that anybody read.
struct Order<'a> {
    longest: &'a [Value],
    places: BTreeMap<&'a Value, usize>,
}

impl<'a> Order<'a> {
    fn of(operations: &[&'a Operation]) -> Self {
        let longest = lists(operations).map(|(_, list)| list);
        let longest = longest.max_by_key(|list| list.len()).unwrap_or_default();
        let places: BTreeMap<_, _> = longest.iter().zip(1..).collect();
        assert_eq!(places.len(), longest.len(), "an element stands there twice");
        Self { longest, places }
    }

    /// Twice the place of a change; a read stands right behind the last change that it saw.
    fn place(&self, operation: &Operation) -> Option<usize> {
        match (operation.function.as_str(), &operation.result) {
            ("add", _) => self.places.get(&operation.argument).map(|place| 2 * place),
            (_, Value::Integer(sum)) => Some(2 * *sum as usize + usize::from(is_read(operation))),
            (_, Value::List(list)) => Some(2 * list.len() + 1),
            (_, Value::Nil) if operation.is_ok() => Some(1),
            _ => None,
        }
    }
}

fn lists<'a>(operations: &[&'a Operation]) -> impl Iterator<Item = (&'a Operation, &'a [Value])> {
    let reads = operations.iter().filter(|operation| is_read(operation));
    reads.filter_map(|read| Some((*read, read.result.as_list()?)))
}

/// Whoever is invoked after another completed stands behind it.
fn agrees_with_real_time(places: &[(&Operation, usize)]) {
    let mut by_completion = places.to_vec();
    by_completion.sort_by_key(|(operation, _)| operation.effect_by());
    let mut completed = by_completion.iter().peekable();
    let mut behind = (0, None);
    for (operation, place) in places {
        while let Some((earlier, at)) = completed.next_if(|(other, _)| other.precedes(operation)) {
            if *at > behind.0 {
                behind = (*at, Some(*earlier));
            }
        }
        let (at, earlier) = behind;
        let after = at < *place || at == *place && is_read(operation);
        assert!(after, "{operation:?} after {earlier:?}");
    }
}

fn is_read(operation: &Operation) -> bool {
    operation.function == "read"
}
