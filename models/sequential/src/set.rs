//! A set that is read as a whole.
//!
//! ```text
//! {}  add a → {a}   add b → {a, b}   read = [b, a]   remove a → {b}   read = [b]
//! ```
//! Without `remove` it is the g-set of Jepsen, Maelstrom and the CRDT papers.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, learned};

/// `add` and `remove` of one element, and `read` of all; at first it is empty.
#[derive(Clone, Debug, Default)]
pub struct Set {
    numbers: FxHashMap<Value, u32>,
    /// Whether some operation of the history removes an element.
    removes: bool,
}

/// Elements by their numbers, as bits; the last word is never 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Elements(Vec<u64>);

/// What an operation does to a set; elements by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found these elements; `None` if nobody knows what it found.
    Read(Option<Elements>),
    /// It returned an element twice, which no set does.
    Twice,
    /// The element is in the set afterwards.
    Add(u32),
    /// The element is not in the set afterwards.
    Remove(u32),
}

impl Model for Set {
    type State = Elements;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "set",
        doc: "Elements, at first none. `add` puts one in, `remove` takes one out, and both are legal \
              whether it was there or not; `read` returns all of them as a list in any order, each \
              once.",
    };

    fn initial(&self) -> Elements {
        Elements::default()
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "add" => Ok(Step::Add(self.number(&operation.argument))),
            "remove" => {
                self.removes = true;
                Ok(Step::Remove(self.number(&operation.argument)))
            }
            "read" => learned(operation)
                .map_or(Ok(Step::Read(None)), |list| self.compile_read(operation, list)),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Elements, step: &Step) -> Option<Elements> {
        match step {
            Step::Read(found) => {
                found.as_ref().is_none_or(|found| found == state).then(|| state.clone())
            }
            Step::Twice => None,
            Step::Add(element) => Some(state.with(*element)),
            Step::Remove(element) => Some(state.without(*element)),
        }
    }

    fn show(&self, state: &Elements) -> String {
        let mut elements: Vec<(&Value, u32)> = self.numbers.iter().map(|(v, n)| (v, *n)).collect();
        elements.retain(|(_, number)| state.has(*number));
        elements.sort_unstable_by_key(|(_, number)| *number);
        Value::list(elements.into_iter().map(|(value, _)| value.clone())).to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) | Step::Twice => Effect::None,
            Step::Add(_) | Step::Remove(_) => Effect::Any,
        }
    }

    /// What was added stays, if nothing is ever removed.
    fn out_of_reach(&self, state: &Elements, goal: &Step) -> bool {
        match goal {
            Step::Read(Some(found)) => !self.removes && !state.is_subset(found),
            Step::Twice => true,
            _ => false,
        }
    }

    /// It helps a read that differs from the state in the step's element.
    fn helps(&self, state: &Elements, step: &Step, read: &Step) -> bool {
        let Step::Read(Some(found)) = read else {
            return false;
        };
        match step {
            Step::Add(element) => found.has(*element) && !state.has(*element),
            Step::Remove(element) => !found.has(*element) && state.has(*element),
            Step::Read(_) | Step::Twice => false,
        }
    }

    /// Only an add and a remove of one element touch each other.
    fn touches(&self, one: &Step, other: &Step) -> bool {
        match (one, other) {
            (Step::Add(a), Step::Remove(b)) | (Step::Remove(a), Step::Add(b)) => a == b,
            _ => false,
        }
    }
}

impl Set {
    /// How many elements were named.
    pub fn elements(&self) -> usize {
        self.numbers.len()
    }

    fn number(&mut self, element: &Value) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(element) {
            Some(number) => *number,
            None => *self.numbers.entry(element.clone()).or_insert(next),
        }
    }

    fn compile_read(&mut self, operation: &Operation, list: &Value) -> Result<Step, ModelError> {
        let elements = match list {
            Value::Nil => &[],
            list => list
                .as_list()
                .ok_or_else(|| ModelError::wrong_value(operation, "a list as its answer", list))?,
        };
        let mut found = Elements::default();
        for element in elements {
            if !found.insert(self.number(element)) {
                return Ok(Step::Twice);
            }
        }
        Ok(Step::Read(Some(found)))
    }
}

impl Elements {
    /// Puts an element in; whether it was new.
    fn insert(&mut self, element: u32) -> bool {
        let (word, bit) = (element as usize / 64, 1 << (element % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Whether an element is there.
    pub fn has(&self, element: u32) -> bool {
        let word = self.0.get(element as usize / 64);
        word.is_some_and(|word| word & (1 << (element % 64)) != 0)
    }

    /// These and this one.
    pub fn with(&self, element: u32) -> Self {
        let mut elements = self.clone();
        elements.insert(element);
        elements
    }

    fn without(&self, element: u32) -> Self {
        let mut elements = self.clone();
        if let Some(word) = elements.0.get_mut(element as usize / 64) {
            *word &= !(1 << (element % 64));
        }
        while elements.0.last() == Some(&0) {
            elements.0.pop();
        }
        elements
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The numbers of those that are not in `other`.
    pub fn difference(&self, other: &Self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(move |(index, word)| {
            let mut rest = word & !other.0.get(index).unwrap_or(&0);
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(index as u32 * 64 + bit)
            })
        })
    }

    /// Whether all of them are in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        let mut words = self.0.iter().enumerate();
        words.all(|(index, word)| word & !other.0.get(index).unwrap_or(&0) == 0)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::{Set, Step};
    use crate::Model;
    use crate::testing::{check, check_refused, ok};

    fn read(elements: &[i64]) -> Operation {
        ok("read", Value::Nil, Value::list(elements.iter().map(|e| Value::from(*e))))
    }

    fn add(element: i64) -> Operation {
        ok("add", element, Value::Nil)
    }

    #[test]
    fn a_read_returns_what_was_added_and_not_removed_in_any_order() {
        let remove = ok("remove", 1, Value::Nil);
        check::<Set>(&[read(&[]), add(1), add(2), read(&[2, 1])], true);
        check::<Set>(&[add(1), add(2), remove.clone(), read(&[2]), remove, read(&[2])], true);
        check::<Set>(&[add(1), add(1), read(&[1])], true);
        check::<Set>(&[ok("read", Value::Nil, Value::Nil)], true);
        check::<Set>(&[add(1), add(2), read(&[2])], false);
        check::<Set>(&[add(1), read(&[1, 2])], false);
    }

    #[test]
    fn no_set_holds_an_element_twice() {
        check::<Set>(&[add(1), read(&[1, 1])], false);
    }

    #[test]
    fn equal_sets_are_equal_states_whatever_was_removed() {
        let mut set = Set::default();
        let far = set.compile(&add(1)).unwrap();
        assert_eq!(far, Step::Add(0));
        let grown = set.initial().with(200);
        assert_eq!(grown.without(200), set.initial());
        assert!(set.initial().is_subset(&grown) && !grown.is_subset(&set.initial()));
    }

    #[test]
    fn a_read_that_is_no_list_is_refused() {
        check_refused::<Set>(
            ok("read", Value::Nil, 1),
            "operation 0: read needs a list as its answer, not 1",
        );
        check_refused::<Set>(
            ok("pop", Value::Nil, 1),
            "operation 0: the model set has no function \"pop\"",
        );
    }
}
