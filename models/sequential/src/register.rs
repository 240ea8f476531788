//! A register: the smallest object that can be shared.
//!
//! ```text
//! nil  read = nil   write 1 → 1   write 2 → 2   read = 2
//! ```
//! Source: Lamport, "On interprocess communication", 1986.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::cas_register::{CasRegister, Step};
use crate::{Effect, Model, ModelError};

/// `read` and `write`; at first the value is nil. A [`CasRegister`] without its cas.
#[derive(Clone, Debug, Default)]
pub struct Register(pub CasRegister);

impl Model for Register {
    type State = u32;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "register",
        doc: "One value. `write` replaces it, `read` returns it. At first the value is nil.",
    };

    fn initial(&self) -> u32 {
        self.0.initial()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at(initial)
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "read" | "write" => self.0.compile(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &u32, step: &Step) -> Option<u32> {
        self.0.step(state, step)
    }

    fn show(&self, state: &u32) -> String {
        self.0.show(state)
    }

    fn effect(&self, step: &Step) -> Effect {
        self.0.effect(step)
    }

    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        self.0.leads_to(step, goal)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::Register;
    use crate::testing::{check, check_refused, info, ok};

    #[test]
    fn a_read_returns_the_last_value_written() {
        let read = |value: i64| ok("read", Value::Nil, value);
        let write = |value: i64| ok("write", value, Value::Nil);
        check::<Register>(&[write(1), write(2), read(2), read(2)], true);
        check::<Register>(&[write(1), write(2), read(1)], false);
        check::<Register>(&[ok("read", Value::Nil, Value::Nil)], true);
    }

    #[test]
    fn a_read_in_doubt_may_have_returned_anything() {
        check::<Register>(&[ok("write", 1, Value::Nil), info("read", Value::Nil)], true);
    }

    #[test]
    fn a_register_has_no_cas() {
        check_refused::<Register>(
            ok("cas", Value::pair(1.into(), 2.into()), true),
            "operation 0: the model register has no function \"cas\"",
        );
    }
}
