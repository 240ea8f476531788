//! A register with compare-and-set.
//!
//! ```text
//! nil  write 1 → 1   cas [1, 2] = true → 2   cas [1, 3] = false → 2   read = 2
//! ```
//! A refused cas is `ok` with `false`: it took no effect, and asserts that the value differed from
//! the expected one at that moment. A cas in doubt may have been either.
//! Source: Herlihy and Wing 1990; the register that Jepsen's Knossos made the usual test object.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::values::INITIAL;
use crate::{Effect, Model, ModelError, Values, learned};

/// `read`, `write`, and `cas` with `[expected, new]`; at first the value is nil.
#[derive(Clone, Debug, Default)]
pub struct CasRegister {
    /// The numbers of the values.
    pub values: Values,
}

/// What an operation does to a register; values by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found this value; `None` if nobody knows what it found.
    Read(Option<u32>),
    /// It leaves this value.
    Write(u32),
    /// It found the expected value and left the new one. In doubt, that is the only way in which it
    /// can have taken effect.
    Cas {
        /// What it found.
        expected: u32,
        /// What it left.
        new: u32,
    },
    /// It found anything but this value: a refused cas.
    Differs(u32),
}

impl Model for CasRegister {
    type State = u32;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "cas-register",
        doc: "One value. `write` replaces it, `read` returns it, `cas` with `[expected, new]` \
              replaces it if it is the expected one and answers `true`; otherwise it changes \
              nothing and answers `false`, which is an answer like any other and is checked. At \
              first the value is nil.",
    };

    fn initial(&self) -> u32 {
        INITIAL
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.values.start_at(initial);
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "read" => Ok(Step::Read(learned(operation).map(|value| self.values.number(value)))),
            "write" => Ok(Step::Write(self.values.number(&operation.argument))),
            "cas" => self.compile_cas(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &u32, step: &Step) -> Option<u32> {
        match *step {
            Step::Read(None) => Some(*state),
            Step::Read(Some(value)) => (*state == value).then_some(value),
            Step::Write(value) => Some(value),
            Step::Cas { expected, new } => (*state == expected).then_some(new),
            Step::Differs(value) => (*state != value).then_some(*state),
        }
    }

    fn show(&self, state: &u32) -> String {
        self.values.value(*state).to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) | Step::Differs(_) => Effect::None,
            Step::Write(_) => Effect::Overwrite,
            Step::Cas { expected, new } if expected == new => Effect::None,
            Step::Cas { .. } => Effect::Any,
        }
    }

    /// What needs a value is legal after whoever leaves it.
    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        let (Step::Write(left) | Step::Cas { new: left, .. }) = *step else {
            return false;
        };
        match *goal {
            Step::Read(Some(needed)) | Step::Cas { expected: needed, .. } => left == needed,
            Step::Differs(value) => left != value,
            Step::Read(None) | Step::Write(_) => true,
        }
    }
}

impl CasRegister {
    fn compile_cas(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let argument = &operation.argument;
        let (expected, new) = argument
            .as_pair()
            .ok_or_else(|| ModelError::wrong_value(operation, "[expected, new]", argument))?;
        let (expected, new) = (self.values.number(expected), self.values.number(new));
        match learned(operation) {
            None | Some(Value::Bool(true)) => Ok(Step::Cas { expected, new }),
            Some(Value::Bool(false)) => Ok(Step::Differs(expected)),
            Some(other) => {
                Err(ModelError::wrong_value(operation, "the answer true or false", other))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::CasRegister;
    use crate::testing::{check, check_refused, info, ok};

    fn cas(expected: i64, new: i64, result: bool) -> wrack_history::Operation {
        ok("cas", Value::pair(expected.into(), new.into()), result)
    }

    #[test]
    fn a_cas_succeeds_on_the_expected_value_alone() {
        let nil = Value::Nil;
        check::<CasRegister>(
            &[
                ok("read", nil.clone(), nil.clone()),
                ok("write", 1, nil.clone()),
                cas(1, 2, true),
                cas(1, 3, false),
                ok("read", nil, 2),
            ],
            true,
        );
        check::<CasRegister>(&[cas(1, 2, true)], false);
    }

    #[test]
    fn a_refused_cas_asserts_that_the_value_differed() {
        check::<CasRegister>(&[ok("write", 1, Value::Nil), cas(1, 2, false)], false);
    }

    #[test]
    fn a_cas_in_doubt_that_took_effect_replaced_the_expected_value() {
        let doubtful = info("cas", Value::pair(1.into(), 2.into()));
        let write = ok("write", 1, Value::Nil);
        check::<CasRegister>(&[write, doubtful.clone(), ok("read", Value::Nil, 2)], true);
        check::<CasRegister>(&[doubtful], false);
    }

    #[test]
    fn what_is_not_a_function_of_a_register_is_refused() {
        check_refused::<CasRegister>(
            ok("append", 1, Value::Nil),
            "operation 0: the model cas-register has no function \"append\"",
        );
        check_refused::<CasRegister>(
            ok("cas", 1, true),
            "operation 0: cas needs [expected, new], not 1",
        );
    }
}
