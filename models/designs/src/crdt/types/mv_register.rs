//! A register that keeps every value that no other write has seen: siblings.
//!
//! A write replaces the values that its replica knows. Of writes that knew nothing of each other all are
//! kept, and whoever reads them decides, by writing again.
//!
//! Source: Shapiro et al. 2011, specification 10; DeCandia et al.: Dynamo, 2007, section 4.4.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::dotted::{Change, Dotted};
use super::{Replicated, Stamp};

/// A multi-value register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MvRegister(Dotted);

impl Replicated for MvRegister {
    /// The value to write.
    type Command = Value;
    type Operation = Change;

    fn prepare(&self, value: &Value, stamp: &Stamp) -> Change {
        let removed = self.0.values().map(|(dot, _)| dot).collect();
        Change { dot: stamp.dot, value: Some(value.clone()), removed }
    }

    fn apply(&mut self, change: &Change) {
        self.0.apply(change);
    }

    fn delta(&self, change: &Change) -> Self {
        Self(Dotted::delta(change))
    }

    fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// The siblings, in order.
    fn read(&self) -> Value {
        let mut siblings: Vec<&Value> = self.0.values().map(|(_, value)| value).collect();
        siblings.sort_unstable();
        Value::list(siblings.into_iter().cloned())
    }
}
