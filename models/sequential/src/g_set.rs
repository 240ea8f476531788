//! A set that only grows.
//!
//! ```text
//! {}  add a → {a}   add b → {a, b}   read = [b, a]
//! ```
//! Source: the g-set of the CRDT papers (Shapiro et al. 2011), of Jepsen and of Maelstrom.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::set::{Elements, Set, Step};
use crate::{Effect, Model, ModelError};

/// `add` of one element and `read` of all; at first it is empty. A [`Set`] without its `remove`.
#[derive(Clone, Debug, Default)]
pub struct GrowingSet(pub Set);

impl Model for GrowingSet {
    type State = Elements;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "g-set",
        doc: "Elements, at first none. `add` puts one in, whether it was there or not, and nothing \
              takes one out; `read` returns all of them as a list in any order, each once.",
    };

    fn initial(&self) -> Elements {
        self.0.initial()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at(initial)
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "add" | "read" => self.0.compile(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Elements, step: &Step) -> Option<Elements> {
        self.0.step(state, step)
    }

    fn show(&self, state: &Elements) -> String {
        self.0.show(state)
    }

    fn effect(&self, step: &Step) -> Effect {
        self.0.effect(step)
    }

    fn out_of_reach(&self, state: &Elements, goal: &Step) -> bool {
        self.0.out_of_reach(state, goal)
    }

    fn helps(&self, state: &Elements, step: &Step, read: &Step) -> bool {
        self.0.helps(state, step, read)
    }

    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        self.0.leads_to(step, goal)
    }

    fn touches(&self, one: &Step, other: &Step) -> bool {
        self.0.touches(one, other)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::GrowingSet;
    use crate::testing::{check, check_refused, ok};

    #[test]
    fn what_was_added_stays() {
        let read =
            |found: &[i64]| ok("read", Value::Nil, Value::list(found.iter().map(|e| (*e).into())));
        let add = |element: i64| ok("add", element, Value::Nil);
        check::<GrowingSet>(&[read(&[]), add(1), add(2), add(1), read(&[2, 1])], true);
        check::<GrowingSet>(&[add(1), read(&[1]), read(&[])], false);
    }

    #[test]
    fn nothing_is_ever_removed() {
        check_refused::<GrowingSet>(
            ok("remove", 1, Value::Nil),
            "operation 0: the model g-set has no function \"remove\"",
        );
    }
}
