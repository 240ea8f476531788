//! A counter that grows and shrinks: two that only grow, and their difference.
//!
//! Source: Shapiro et al. 2011, specification 7.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::g_counter::{Addition, GCounter};
use super::{Replicated, Stamp};

/// A counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PnCounter {
    /// What was added.
    pub added: GCounter,
    /// What was taken away.
    pub taken: GCounter,
}

/// A replica adds, or takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// It adds.
    Add(Addition),
    /// It takes away.
    Take(Addition),
}

impl PnCounter {
    /// The sum.
    pub fn sum(&self) -> i64 {
        let sum = i128::from(self.added.sum()) - i128::from(self.taken.sum());
        sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

impl Replicated for PnCounter {
    /// How much is added; negative to take away.
    type Command = i64;
    type Operation = Step;

    fn prepare(&self, delta: &i64, stamp: &Stamp) -> Step {
        let addition = Addition { replica: stamp.dot.replica, amount: delta.unsigned_abs() };
        if *delta < 0 { Step::Take(addition) } else { Step::Add(addition) }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Add(addition) => self.added.apply(addition),
            Step::Take(addition) => self.taken.apply(addition),
        }
    }

    fn delta(&self, step: &Step) -> Self {
        match step {
            Step::Add(addition) => Self { added: self.added.delta(addition), ..Self::default() },
            Step::Take(addition) => Self { taken: self.taken.delta(addition), ..Self::default() },
        }
    }

    fn merge(&mut self, other: &Self) {
        self.added.merge(&other.added);
        self.taken.merge(&other.taken);
    }

    fn read(&self) -> Value {
        Value::Integer(self.sum())
    }
}
