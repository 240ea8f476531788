//! A set, read as a whole or one element at a time.
//!
//! ```text
//! {}  add a = true → {a}   add b → {a, b}   read = [b, a]   remove a → {b}   contains a = false
//! ```
//! Without `remove` it is the g-set of Jepsen, Maelstrom and the CRDT papers.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, learned};

/// `add`, `remove` and `contains` of one element, and `read` of all.
#[derive(Clone, Debug, Default)]
pub struct Set {
    numbers: FxHashMap<Value, u32>,
    initial: Elements,
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
    /// The element is in the set, or is not; nothing changes.
    Found(u32, bool),
    /// The element is in the set afterwards, or is not, and before it was the other way round.
    Changed(u32, bool),
}

impl Step {
    /// The element that it is about; none if it is about all.
    pub fn element(&self) -> Option<u32> {
        match *self {
            Self::Read(_) | Self::Twice => None,
            Self::Add(element) | Self::Remove(element) => Some(element),
            Self::Found(element, _) | Self::Changed(element, _) => Some(element),
        }
    }

    /// Whether its element is in the set afterwards, if it may change that.
    pub fn leaves(&self) -> Option<bool> {
        match *self {
            Self::Add(_) => Some(true),
            Self::Remove(_) => Some(false),
            Self::Changed(_, present) => Some(present),
            Self::Read(_) | Self::Twice | Self::Found(..) => None,
        }
    }

    /// Whether its element must be in the set before, if it matters.
    pub fn expects(&self) -> Option<bool> {
        match *self {
            Self::Found(_, present) => Some(present),
            Self::Changed(_, present) => Some(!present),
            Self::Read(_) | Self::Twice | Self::Add(_) | Self::Remove(_) => None,
        }
    }
}

impl Model for Set {
    type State = Elements;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "set",
        doc: "Elements, at first none. `add` puts one in, `remove` takes one out, and both are legal \
              whether it was there or not; an answer `true` or `false` says whether that changed \
              the set. `contains` answers whether one is there; `read` returns all of them as a list \
              in any order, each once. It may start with a list of elements.",
    };

    fn initial(&self) -> Elements {
        self.initial.clone()
    }

    /// The initial value is a list of elements, each once.
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        let wrong =
            || ModelError::WrongInitial { model: Self::INFO.name, initial: initial.clone() };
        for element in initial.as_list().ok_or_else(wrong)? {
            let number = self.number(element);
            if !self.initial.insert(number) {
                return Err(wrong());
            }
        }
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "add" => Ok(self.compile_change(operation, true)),
            "remove" => {
                self.removes = true;
                Ok(self.compile_change(operation, false))
            }
            "contains" => self.compile_contains(operation),
            "read" => learned(operation)
                .map_or(Ok(Step::Read(None)), |list| self.compile_read(operation, list)),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Elements, step: &Step) -> Option<Elements> {
        let as_expected = match step {
            Step::Read(found) => found.as_ref().is_none_or(|found| found == state),
            Step::Twice => false,
            step => step.expects().is_none_or(|present| Some(present) == state.of(step)),
        };
        as_expected.then(|| match (step.element(), step.leaves()) {
            (Some(element), Some(true)) => state.with(element),
            (Some(element), Some(false)) => state.without(element),
            _ => state.clone(),
        })
    }

    fn show(&self, state: &Elements) -> String {
        let mut elements: Vec<(&Value, u32)> = self.numbers.iter().map(|(v, n)| (v, *n)).collect();
        elements.retain(|(_, number)| state.has(*number));
        elements.sort_unstable_by_key(|(_, number)| *number);
        Value::list(elements.into_iter().map(|(value, _)| value.clone())).to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        if step.leaves().is_some() { Effect::Any } else { Effect::None }
    }

    /// What was added stays, if nothing is ever removed.
    fn out_of_reach(&self, state: &Elements, goal: &Step) -> bool {
        match goal {
            Step::Read(Some(found)) => !self.removes && !state.is_subset(found),
            Step::Twice => true,
            goal => {
                let late = goal.expects() == Some(false) && state.of(goal) == Some(true);
                late && !self.removes
            }
        }
    }

    /// It helps a read that differs from the state in the step's element.
    fn helps(&self, state: &Elements, step: &Step, read: &Step) -> bool {
        let (Some(element), Some(present)) = (step.element(), step.leaves()) else {
            return false;
        };
        let wanted = match read {
            Step::Read(Some(found)) => found.has(element) == present,
            read => read.element() == Some(element) && read.expects() == Some(present),
        };
        wanted && state.has(element) != present
    }

    /// Whether an element is there is changed by steps on this element alone.
    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        goal.expects().is_none() || step.element() == goal.element()
    }

    /// Only changes of one element touch each other, unless both do the same.
    fn touches(&self, one: &Step, other: &Step) -> bool {
        one.element() == other.element() && one != other
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

    /// What is learned from an answer that is no truth value is nothing.
    fn compile_change(&mut self, operation: &Operation, present: bool) -> Step {
        let element = self.number(&operation.argument);
        match (learned(operation), present) {
            (Some(Value::Bool(true)), _) => Step::Changed(element, present),
            (Some(Value::Bool(false)), _) => Step::Found(element, present),
            (_, true) => Step::Add(element),
            (_, false) => Step::Remove(element),
        }
    }

    fn compile_contains(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let element = self.number(&operation.argument);
        match learned(operation) {
            None => Ok(Step::Read(None)),
            Some(Value::Bool(present)) => Ok(Step::Found(element, *present)),
            Some(other) => {
                Err(ModelError::wrong_value(operation, "true or false as its answer", other))
            }
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

    /// Whether the element of a step is there.
    fn of(&self, step: &Step) -> Option<bool> {
        step.element().map(|element| self.has(element))
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
    use crate::testing::{check, check_refused, ok};
    use crate::{Model, replay};

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
    fn an_answer_says_whether_the_set_changed() {
        let change = |function, answer: bool| ok(function, 1, answer);
        let contains = |answer: bool| ok("contains", 1, answer);
        let (added, again) = (change("add", true), change("add", false));
        let (removed, missing) = (change("remove", true), change("remove", false));
        let all = [&contains(false), &missing, &added, &again, &contains(true), &removed, &missing];
        check::<Set>(&all.map(Operation::clone), true);
        check::<Set>(&[again], false);
        check::<Set>(&[removed], false);
        check::<Set>(&[added.clone(), added.clone()], false);
        check::<Set>(&[added.clone(), missing], false);
        check::<Set>(&[added, contains(false)], false);
        check::<Set>(&[add(2), contains(true)], false);
    }

    #[test]
    fn a_set_may_start_with_a_list_of_elements() {
        let start = |elements: &[i64]| {
            let mut set = Set::default();
            let list = Value::list(elements.iter().map(|element| Value::from(*element)));
            set.start_at(&list).map(|()| set)
        };
        let remove = ok("remove", 7, true);
        assert_eq!(replay(start(&[7, 8]).unwrap(), &[remove, read(&[8])]), Ok(true));
        let error = start(&[7, 7]).unwrap_err();
        assert_eq!(error.to_string(), "the object of the model set cannot start at [7, 7]");
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
        check_refused::<Set>(
            ok("contains", 1, 1),
            "operation 0: contains needs true or false as its answer, not 1",
        );
    }
}
