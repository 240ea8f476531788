//! A list that is appended to and read as a whole.
//!
//! ```text
//! []  append a → [a]   append b → [a, b]   read = [a, b]
//! ```
//! Source: the append lists of Jepsen's Elle, one list a key and one operation at a time.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::log::{Entries, Log, Step};
use crate::{Effect, Model, ModelError};

/// `append` of one element and `read` of all in order; at first it is empty, or what
/// [`Model::start_at`] says. A [`Log`] that never tells offsets.
#[derive(Clone, Debug, Default)]
pub struct List(pub Log);

impl Model for List {
    type State = Entries;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "list",
        doc: "Elements in order, at first none. `append` puts one at the end, whatever it answers; \
              `read` returns all of them as a list.",
    };

    fn initial(&self) -> Entries {
        self.0.initial()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at(initial).map_err(|_| ModelError::wrong_initial::<Self>(initial))
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "append" => Ok(self.0.compile_append(&operation.argument)),
            "read" if operation.argument.is_nil() => self.0.compile(operation),
            "read" => Err(ModelError::wrong_value(operation, "no argument", &operation.argument)),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Entries, step: &Step) -> Option<Entries> {
        self.0.step(state, step)
    }

    fn show(&self, state: &Entries) -> String {
        self.0.show(state)
    }

    fn effect(&self, step: &Step) -> Effect {
        self.0.effect(step)
    }

    fn out_of_reach(&self, state: &Entries, goal: &Step) -> bool {
        self.0.out_of_reach(state, goal)
    }

    fn helps(&self, state: &Entries, step: &Step, read: &Step) -> bool {
        self.0.helps(state, step, read)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::List;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn append(element: i64) -> Operation {
        ok("append", element, element)
    }

    fn read(found: &[i64]) -> Operation {
        ok("read", Value::Nil, Value::list(found.iter().map(|element| Value::from(*element))))
    }

    #[test]
    fn a_read_returns_the_elements_in_order() {
        check::<List>(&[read(&[]), append(1), append(2), append(1), read(&[1, 2, 1])], true);
        check::<List>(&[append(1), info("append", 2), read(&[1, 2])], true);
        check::<List>(&[append(1), append(2), read(&[2, 1])], false);
        check::<List>(&[append(1), append(2), read(&[1])], false);
        check::<List>(&[ok("read", Value::Nil, Value::Nil)], true);
        let mut list = List::default();
        list.start_at(&Value::list([9.into()])).unwrap();
        assert_eq!(replay(list, &[append(1), read(&[9, 1])]), Ok(true));
    }

    #[test]
    fn a_list_is_read_as_a_whole() {
        check_refused::<List>(
            ok("read", 2, Value::Nil),
            "operation 0: read needs no argument, not 2",
        );
        check_refused::<List>(
            ok("read", Value::Nil, 7),
            "operation 0: read needs a list as its answer, not 7",
        );
        check_refused::<List>(
            ok("pop", Value::Nil, 1),
            "operation 0: the model list has no function \"pop\"",
        );
    }
}
