//! What queues, stacks and priority queues have in common: values go in one by one, and come out one
//! by one, in an order that each of them defines.

use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, Values, learned};

/// A model of an object that values go into and come out of; the state lists what is inside.
pub trait Container: Model<State = Vec<u32>, Step = Step> {
    /// The function that puts its argument in.
    const INSERT: &'static str;
    /// The function that takes out what comes next, or finds nothing and answers nil.
    const REMOVE: &'static str;

    /// What is known of its values.
    fn contents(&self) -> &Contents;
}

/// What an operation does to a container; values by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The value goes in.
    Insert(u32),
    /// The value comes out.
    Remove(u32),
    /// Nothing was inside.
    Empty,
    /// Whatever is next comes out, or nothing if nothing is inside: nobody knows which.
    Take,
}

impl Step {
    /// [`Model::effect`].
    pub(crate) fn effect(self) -> Effect {
        if self == Self::Empty { Effect::None } else { Effect::Any }
    }

    /// [`Model::helps`]: what went in stays inside until something comes out.
    pub(crate) fn helps(self) -> bool {
        !matches!(self, Self::Insert(_))
    }

    /// [`Model::leads_to`]: a value that goes in makes only itself the next one.
    pub(crate) fn leads_to(self, goal: Self) -> bool {
        match (self, goal) {
            (Self::Insert(value), Self::Remove(wanted)) => value == wanted,
            (Self::Insert(_), Self::Empty) => false,
            _ => true,
        }
    }
}

/// The values of a container: numbered, what is inside at first, and what comes out.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    numbers: Values,
    /// By number.
    values: Vec<Value>,
    initial: Vec<u32>,
    /// By number, whether some operation is known to take the value out.
    removed: Vec<bool>,
    /// Whether some operation takes out nobody knows what.
    takes: bool,
}

impl Contents {
    /// What is inside at first, in the order of the list.
    pub fn initial(&self) -> &[u32] {
        &self.initial
    }

    /// The value of a number.
    pub fn value(&self, number: u32) -> &Value {
        &self.values[number as usize]
    }

    fn number(&mut self, value: &Value) -> u32 {
        let number = self.numbers.number(value);
        if self.values.len() <= number as usize {
            // The number that no value of ours has stands for the initial one of a register.
            self.values.resize(number as usize + 1, Value::Nil);
            self.values[number as usize] = value.clone();
        }
        number
    }

    /// What is inside, in the order of the state.
    pub(crate) fn show(&self, inside: &[u32]) -> String {
        Value::list(inside.iter().map(|number| self.value(*number).clone())).to_string()
    }

    /// Every number is below this.
    pub fn numbers_end(&self) -> u32 {
        u32::try_from(self.numbers.count()).expect("a key has fewer than 2^32 values")
    }

    /// Whether a value that is inside stays inside, whatever follows.
    pub(crate) fn is_kept(&self, number: u32) -> bool {
        !self.takes && !self.removed.get(number as usize).is_some_and(|removed| *removed)
    }

    /// Fills the container with a list of values, each of which `admits` lets in.
    pub(crate) fn start_at<M: Container>(
        &mut self,
        initial: &Value,
        admits: fn(&Value) -> bool,
    ) -> Result<(), ModelError> {
        let values = initial.as_list().filter(|values| values.iter().all(admits));
        let values = values.ok_or_else(|| ModelError::WrongInitial {
            model: M::INFO.name,
            initial: initial.clone(),
        })?;
        self.initial = values.iter().map(|value| self.number(value)).collect();
        Ok(())
    }

    /// The step of an operation, whose values are `wanted`: all those that `admits` lets in.
    pub(crate) fn compile<M: Container>(
        &mut self,
        operation: &Operation,
        wanted: &'static str,
        admits: fn(&Value) -> bool,
    ) -> Result<Step, ModelError> {
        let check = |value: &Value| match admits(value) {
            true => Ok(()),
            false => Err(ModelError::wrong_value(operation, wanted, value)),
        };
        let function = operation.function.as_str();
        if function == M::INSERT {
            check(&operation.argument)?;
            Ok(Step::Insert(self.number(&operation.argument)))
        } else if function == M::REMOVE {
            self.compile_remove(learned(operation), check)
        } else {
            Err(ModelError::unknown_function::<M>(operation))
        }
    }

    fn compile_remove(
        &mut self,
        found: Option<&Value>,
        check: impl Fn(&Value) -> Result<(), ModelError>,
    ) -> Result<Step, ModelError> {
        let Some(value) = found else {
            self.takes = true;
            return Ok(Step::Take);
        };
        if value.is_nil() {
            return Ok(Step::Empty);
        }
        check(value)?;
        let number = self.number(value);
        if self.removed.len() <= number as usize {
            self.removed.resize(number as usize + 1, false);
        }
        self.removed[number as usize] = true;
        Ok(Step::Remove(number))
    }
}

/// Lets in every value that cannot be mistaken for the answer of an empty container.
pub(crate) fn is_something(value: &Value) -> bool {
    !value.is_nil()
}

/// Lets in integers.
pub(crate) fn is_integer(value: &Value) -> bool {
    value.as_integer().is_some()
}

/// What is inside after one value has come out of this place, if the step allows that value.
pub(crate) fn without(inside: &[u32], place: Option<usize>, step: Step) -> Option<Vec<u32>> {
    let next = place.map(|place| inside[place]);
    let allowed = match step {
        Step::Remove(value) => next == Some(value),
        Step::Empty => next.is_none(),
        Step::Take | Step::Insert(_) => true,
    };
    allowed.then(|| {
        let mut rest = inside.to_vec();
        place.map(|place| rest.remove(place));
        rest
    })
}
