//! A counter: a sum that clients add to.
//!
//! ```text
//! 0  add 1 → 1   add 2 = 3 → 3   read = 3   add -1 = nil → 2
//! ```
//! An add may answer the new sum; if it answers nil, the client did not learn it, and such adds
//! commute.
//! Source: the counter of Jepsen and Maelstrom (`g-counter`, `pn-counter`).

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, learned};

/// `add` with a whole number, and `read`; at first the sum is 0, or where
/// [`Model::start_at`] puts it.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    initial: i64,
    /// Whether some add of the history makes the sum greater.
    rises: bool,
    /// Whether some add of the history makes the sum less.
    falls: bool,
}

/// What an operation does to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found this sum; `None` if nobody knows what it found.
    Read(Option<i64>),
    /// It adds.
    Add {
        /// How much.
        delta: i64,
        /// The sum that it left; `None` if nobody knows.
        sum: Option<i64>,
    },
}

/// Whether a function adds to a counter: `increment`, or `add` as Jepsen's histories call it.
pub fn is_increment(function: &str) -> bool {
    matches!(function, "increment" | "add")
}

impl Model for Counter {
    type State = i64;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "counter",
        doc: "A sum, at first 0. `add` adds a whole number to it and answers the new sum, or nil if \
              it does not tell; `read` returns the sum. A sum that does not fit in 64 bits is \
              illegal.",
    };

    fn initial(&self) -> i64 {
        self.initial
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        let wrong = || ModelError::wrong_initial::<Self>(initial);
        self.initial = initial.as_integer().ok_or_else(wrong)?;
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "read" => match learned(operation) {
                None => Ok(Step::Read(None)),
                Some(Value::Nil) => Ok(Step::Read(Some(0))),
                Some(sum) => Ok(Step::Read(Some(integer(operation, sum)?))),
            },
            function if is_increment(function) => self.compile_add(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &i64, step: &Step) -> Option<i64> {
        match *step {
            Step::Read(found) => found.is_none_or(|sum| sum == *state).then_some(*state),
            Step::Add { delta, sum } => {
                state.checked_add(delta).filter(|next| sum.is_none_or(|sum| sum == *next))
            }
        }
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) => Effect::None,
            Step::Add { .. } => Effect::Any,
        }
    }

    /// A sum that only rises never comes back to one below.
    fn out_of_reach(&self, state: &i64, goal: &Step) -> bool {
        needed(goal)
            .is_some_and(|sum| (*state > sum && !self.falls) || (*state < sum && !self.rises))
    }
}

/// The sum in which a step is legal, if there is only one.
pub fn needed(step: &Step) -> Option<i64> {
    match *step {
        Step::Read(found) => found,
        Step::Add { delta, sum } => sum?.checked_sub(delta),
    }
}

impl Counter {
    fn compile_add(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let delta = integer(operation, &operation.argument)?;
        self.rises |= delta > 0;
        self.falls |= delta < 0;
        let sum = match learned(operation) {
            None | Some(Value::Nil) => None,
            Some(sum) => Some(integer(operation, sum)?),
        };
        Ok(Step::Add { delta, sum })
    }
}

fn integer(operation: &Operation, value: &Value) -> Result<i64, ModelError> {
    value.as_integer().ok_or_else(|| ModelError::wrong_value(operation, "a whole number", value))
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::{Counter, Step};
    use crate::Model;
    use crate::testing::{check, check_refused, info, ok};

    #[test]
    fn a_read_returns_the_sum_of_the_adds() {
        let read = |sum: i64| ok("read", Value::Nil, sum);
        let add = ok("add", 1, Value::Nil);
        check::<Counter>(&[read(0), add.clone(), ok("add", 2, 3), read(3)], true);
        check::<Counter>(&[ok("read", Value::Nil, Value::Nil), info("add", -4), read(-4)], true);
        check::<Counter>(&[add.clone(), ok("add", 2, 2)], false);
        check::<Counter>(&[add, read(2)], false);
    }

    #[test]
    fn a_sum_is_out_of_reach_once_it_was_passed_and_no_add_goes_back() {
        let mut counter = Counter::default();
        counter.compile(&ok("add", 1, Value::Nil)).unwrap();
        assert!(counter.out_of_reach(&3, &Step::Read(Some(2))));
        assert!(!counter.out_of_reach(&2, &Step::Read(Some(2))));
        assert!(!counter.out_of_reach(&1, &Step::Read(Some(2))));
        counter.compile(&info("add", -1)).unwrap();
        assert!(!counter.out_of_reach(&3, &Step::Read(Some(2))));
    }

    #[test]
    fn only_whole_numbers_are_added() {
        check_refused::<Counter>(
            ok("add", "one", Value::Nil),
            "operation 0: add needs a whole number, not \"one\"",
        );
        check_refused::<Counter>(
            ok("push", 1, Value::Nil),
            "operation 0: the model counter has no function \"push\"",
        );
    }
}
