//! A priority queue: the smallest comes out first.
//!
//! ```text
//! []  insert 5 → [5]   insert 2 → [2, 5]   delete-min = 2 → [5]   delete-min = 5 → []   delete-min = nil
//! ```

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::contents::{Container, Contents, Step, is_integer, without};
use crate::{Effect, Model, ModelError};

/// `insert` and `delete-min` of integers; the state is in their order.
#[derive(Clone, Debug, Default)]
pub struct PriorityQueue(Contents);

impl Container for PriorityQueue {
    const INSERT: &'static str = "insert";
    const REMOVE: &'static str = "delete-min";

    fn contents(&self) -> &Contents {
        &self.0
    }
}

impl Model for PriorityQueue {
    type State = Vec<u32>;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "priority-queue",
        doc: "The smallest comes out first. `insert` puts an integer in; `delete-min` takes out the \
              smallest and answers it, or answers nil if nothing is inside. It starts empty, or with \
              a list of integers.",
    };

    fn initial(&self) -> Vec<u32> {
        let mut inside = self.0.initial().to_vec();
        inside.sort_by_key(|number| self.0.value(*number).as_integer());
        inside
    }

    /// The initial value is a list of integers in any order.
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at::<Self>(initial, is_integer)
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        self.0.compile::<Self>(operation, "an integer", is_integer)
    }

    fn step(&self, inside: &Vec<u32>, step: &Step) -> Option<Vec<u32>> {
        match *step {
            Step::Insert(value) => {
                let integer = self.0.value(value).as_integer();
                let smaller = |other: &u32| self.0.value(*other).as_integer() < integer;
                let (before, after) = inside.split_at(inside.partition_point(smaller));
                Some([before, &[value], after].concat())
            }
            step => without(inside, (!inside.is_empty()).then_some(0), step),
        }
    }

    fn show(&self, inside: &Vec<u32>) -> String {
        self.0.show(inside)
    }

    fn effect(&self, step: &Step) -> Effect {
        step.effect()
    }

    /// Nothing larger gets past an integer that is never taken out.
    fn out_of_reach(&self, inside: &Vec<u32>, goal: &Step) -> bool {
        let Some(&first) = inside.first().filter(|first| self.0.is_kept(**first)) else {
            return false;
        };
        match *goal {
            Step::Remove(value) => self.0.value(first) < self.0.value(value),
            Step::Empty => true,
            Step::Insert(_) | Step::Take => false,
        }
    }

    fn helps(&self, _: &Vec<u32>, step: &Step, _: &Step) -> bool {
        step.helps()
    }

    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        step.leads_to(*goal)
    }

    /// It does not matter in which order two integers go in.
    fn touches(&self, one: &Step, other: &Step) -> bool {
        !matches!((one, other), (Step::Insert(_), Step::Insert(_)))
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::PriorityQueue;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn insert(value: i64) -> Operation {
        ok("insert", value, Value::Nil)
    }

    fn delete_min(value: impl Into<Value>) -> Operation {
        ok("delete-min", Value::Nil, value)
    }

    #[test]
    fn the_smallest_comes_out_first() {
        let empty = delete_min(Value::Nil);
        check::<PriorityQueue>(&[insert(5), insert(-2), delete_min(-2), delete_min(5)], true);
        check::<PriorityQueue>(&[insert(5), insert(5), delete_min(5), delete_min(5), empty], true);
        check::<PriorityQueue>(&[insert(5), insert(2), delete_min(5)], false);
        check::<PriorityQueue>(&[insert(5), delete_min(Value::Nil)], false);
        check::<PriorityQueue>(&[delete_min(1)], false);
    }

    #[test]
    fn a_delete_min_in_doubt_took_the_smallest_or_found_nothing() {
        let doubtful = info("delete-min", Value::Nil);
        check::<PriorityQueue>(&[doubtful.clone(), insert(2), insert(1), doubtful], true);
    }

    #[test]
    fn a_priority_queue_may_start_with_a_list_in_any_order() {
        let mut queue = PriorityQueue::default();
        queue.start_at(&Value::list([8.into(), 7.into()])).unwrap();
        assert_eq!(replay(queue, &[delete_min(7), delete_min(8)]), Ok(true));
        let text = Value::list(["a".into()]);
        let error = PriorityQueue::default().start_at(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the object of the model priority-queue cannot start at [\"a\"]"
        );
    }

    #[test]
    fn only_integers_have_a_priority() {
        check_refused::<PriorityQueue>(
            ok("insert", "a", Value::Nil),
            "operation 0: insert needs an integer, not \"a\"",
        );
        check_refused::<PriorityQueue>(
            ok("delete-min", Value::Nil, true),
            "operation 0: delete-min needs an integer, not true",
        );
    }
}
