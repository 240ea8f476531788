//! A queue: first in, first out.
//!
//! ```text
//! []  enqueue a → [a]   enqueue b → [a, b]   dequeue = a → [b]   dequeue = b → []   dequeue = nil
//! ```

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::contents::{Container, Contents, Step, is_something, without};
use crate::{Effect, Model, ModelError};

/// `enqueue` and `dequeue`; the state has the front first.
#[derive(Clone, Debug, Default)]
pub struct Queue(Contents);

impl Container for Queue {
    const INSERT: &'static str = "enqueue";
    const REMOVE: &'static str = "dequeue";

    fn contents(&self) -> &Contents {
        &self.0
    }
}

impl Model for Queue {
    type State = Vec<u32>;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "queue",
        doc: "First in, first out. `enqueue` puts a value in at the back; `dequeue` takes out the one \
              at the front and answers it, or answers nil if nothing is inside. It starts empty, or \
              with a list of values, the front first.",
    };

    fn initial(&self) -> Vec<u32> {
        self.0.initial().to_vec()
    }

    /// The initial value is a list, the front first.
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at::<Self>(initial, is_something)
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        self.0.compile::<Self>(operation, "a value", is_something)
    }

    fn step(&self, inside: &Vec<u32>, step: &Step) -> Option<Vec<u32>> {
        match *step {
            Step::Insert(value) => Some([inside, &[value][..]].concat()),
            step => without(inside, (!inside.is_empty()).then_some(0), step),
        }
    }

    fn show(&self, inside: &Vec<u32>) -> String {
        self.0.show(inside)
    }

    fn effect(&self, step: &Step) -> Effect {
        step.effect()
    }

    /// Nothing gets past a front that is never taken out.
    fn out_of_reach(&self, inside: &Vec<u32>, goal: &Step) -> bool {
        let blocked = inside.first().is_some_and(|front| self.0.is_kept(*front));
        blocked && matches!(goal, Step::Remove(_) | Step::Empty)
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

    use super::Queue;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn enqueue(value: i64) -> Operation {
        ok("enqueue", value, Value::Nil)
    }

    fn dequeue(value: impl Into<Value>) -> Operation {
        ok("dequeue", Value::Nil, value)
    }

    #[test]
    fn what_went_in_first_comes_out_first() {
        let empty = dequeue(Value::Nil);
        check::<Queue>(&[empty.clone(), enqueue(1), enqueue(2), dequeue(1), dequeue(2)], true);
        check::<Queue>(&[enqueue(1), dequeue(1), empty.clone()], true);
        check::<Queue>(&[enqueue(1), enqueue(1), dequeue(1), dequeue(1), empty.clone()], true);
        check::<Queue>(&[enqueue(1), enqueue(2), dequeue(2)], false);
        check::<Queue>(&[enqueue(1), empty], false);
        check::<Queue>(&[dequeue(1)], false);
    }

    #[test]
    fn a_dequeue_in_doubt_took_the_front_or_found_nothing() {
        let doubtful = info("dequeue", Value::Nil);
        check::<Queue>(&[doubtful.clone(), enqueue(1), enqueue(2), doubtful, dequeue(2)], true);
    }

    #[test]
    fn a_queue_may_start_with_a_list_the_front_first() {
        let mut queue = Queue::default();
        queue.start_at(&Value::list([7.into(), 8.into()])).unwrap();
        assert_eq!(replay(queue, &[dequeue(7), enqueue(9), dequeue(8), dequeue(9)]), Ok(true));
        let error = Queue::default().start_at(&7.into()).unwrap_err();
        assert_eq!(error.to_string(), "the object of the model queue cannot start at 7");
    }

    #[test]
    fn nil_is_no_value_of_a_queue() {
        check_refused::<Queue>(
            ok("enqueue", Value::Nil, Value::Nil),
            "operation 0: enqueue needs a value, not nil",
        );
        check_refused::<Queue>(
            ok("peek", Value::Nil, Value::Nil),
            "operation 0: the model queue has no function \"peek\"",
        );
    }
}
