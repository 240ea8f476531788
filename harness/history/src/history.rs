//! The history: what clients and the nemesis saw, in order of time.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::operation::{Moment, Operation, Outcome};

/// The nemesis injected or healed a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NemesisEvent {
    /// Where it stands in the recorded order.
    pub at: Moment,
    /// The id of the fault's entry in the schedule.
    pub fault: u32,
    /// Which occurrence of a repeated fault, from 0.
    pub occurrence: u32,
    /// The fault's name in the catalogue.
    pub name: SmolStr,
    /// `true` when injected, `false` when healed.
    pub injected: bool,
    /// What it was resolved to, in a few words: `n3 from the others`.
    pub detail: SmolStr,
}

/// All operations of a run in the order of their invocation, and the faults beside them.
///
/// Shape: `operations` sorted by `invoke.index`; every index of an event is used once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Every operation that was invoked.
    pub operations: Vec<Operation>,
    /// What the nemesis did.
    pub nemesis: Vec<NemesisEvent>,
}

/// How many operations ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Ended `ok`.
    pub ok: u64,
    /// Ended `fail`.
    pub fail: u64,
    /// Ended `info`, or never.
    pub info: u64,
}

impl Counts {
    /// Operations in all.
    pub fn total(&self) -> u64 {
        self.ok + self.fail + self.info
    }

    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ok => self.ok += 1,
            Outcome::Fail => self.fail += 1,
            Outcome::Info => self.info += 1,
        }
    }
}

impl History {
    /// Counts the outcomes.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.operations.iter().for_each(|operation| counts.add(operation.outcome));
        counts
    }

    /// The operations of each key, keys in order of their names.
    pub fn by_key(&self) -> Vec<(SmolStr, Vec<&Operation>)> {
        let mut keys = std::collections::BTreeMap::<&SmolStr, Vec<&Operation>>::new();
        for operation in &self.operations {
            keys.entry(&operation.key).or_default().push(operation);
        }
        keys.into_iter().map(|(key, operations)| (key.clone(), operations)).collect()
    }

    /// The operation with this id.
    pub fn operation(&self, id: u64) -> Option<&Operation> {
        match self.operations.get(id as usize) {
            Some(operation) if operation.id == id => Some(operation),
            _ => self.operations.iter().find(|operation| operation.id == id),
        }
    }
}
