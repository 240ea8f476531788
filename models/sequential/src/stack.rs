//! A stack: last in, first out.
//!
//! ```text
//! []  push a → [a]   push b → [a, b]   pop = b → [a]   pop = a → []   pop = nil
//! ```

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::contents::{Container, Contents, Step, is_something, without};
use crate::{Effect, Model, ModelError};

/// `push` and `pop`; the state has the top last.
#[derive(Clone, Debug, Default)]
pub struct Stack(Contents);

impl Container for Stack {
    const INSERT: &'static str = "push";
    const REMOVE: &'static str = "pop";

    fn contents(&self) -> &Contents {
        &self.0
    }
}

impl Model for Stack {
    type State = Vec<u32>;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "stack",
        doc: "Last in, first out. `push` puts a value on top; `pop` takes the one on top and answers \
              it, or answers nil if nothing is inside. It starts empty, or with a list of values, the \
              top last.",
    };

    fn initial(&self) -> Vec<u32> {
        self.0.initial().to_vec()
    }

    /// The initial value is a list, the top last.
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at::<Self>(initial, is_something)
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        self.0.compile::<Self>(operation, "a value", is_something)
    }

    fn step(&self, inside: &Vec<u32>, step: &Step) -> Option<Vec<u32>> {
        match *step {
            Step::Insert(value) => Some([inside, &[value][..]].concat()),
            step => without(inside, inside.len().checked_sub(1), step),
        }
    }

    fn show(&self, inside: &Vec<u32>) -> String {
        self.0.show(inside)
    }

    fn effect(&self, step: &Step) -> Effect {
        step.effect()
    }

    /// A stack with a value that is never popped is never empty.
    fn out_of_reach(&self, inside: &Vec<u32>, goal: &Step) -> bool {
        *goal == Step::Empty && inside.iter().any(|value| self.0.is_kept(*value))
    }

    fn helps(&self, _: &Vec<u32>, step: &Step, _: &Step) -> bool {
        step.helps()
    }

    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        step.leads_to(*goal)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::Stack;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn push(value: i64) -> Operation {
        ok("push", value, Value::Nil)
    }

    fn pop(value: impl Into<Value>) -> Operation {
        ok("pop", Value::Nil, value)
    }

    #[test]
    fn what_went_in_last_comes_out_first() {
        check::<Stack>(&[pop(Value::Nil), push(1), push(2), pop(2), pop(1)], true);
        check::<Stack>(&[push(1), push(1), pop(1), pop(1), pop(Value::Nil)], true);
        check::<Stack>(&[push(1), push(2), pop(1)], false);
        check::<Stack>(&[push(1), pop(Value::Nil)], false);
        check::<Stack>(&[pop(1)], false);
    }

    #[test]
    fn a_pop_in_doubt_took_the_top_or_found_nothing() {
        let doubtful = info("pop", Value::Nil);
        check::<Stack>(&[doubtful.clone(), push(1), push(2), doubtful, pop(1)], true);
    }

    #[test]
    fn a_stack_may_start_with_a_list_the_top_last() {
        let mut stack = Stack::default();
        stack.start_at(&Value::list([7.into(), 8.into()])).unwrap();
        assert_eq!(replay(stack, &[pop(8), pop(7), pop(Value::Nil)]), Ok(true));
        let error = Stack::default().start_at(&Value::list([Value::Nil])).unwrap_err();
        assert_eq!(error.to_string(), "the object of the model stack cannot start at [nil]");
    }

    #[test]
    fn nil_is_no_value_of_a_stack() {
        check_refused::<Stack>(
            ok("push", Value::Nil, Value::Nil),
            "operation 0: push needs a value, not nil",
        );
        check_refused::<Stack>(
            ok("enqueue", 1, Value::Nil),
            "operation 0: the model stack has no function \"enqueue\"",
        );
    }
}
