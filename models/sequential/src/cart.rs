//! A cart: a sum and a set of elements, read together.
//!
//! ```text
//! 0 {}  increment 2 → 2 {}   add a → 2 {a}   read = [2, [a]]   remove a → 2 {}
//! ```

use std::collections::BTreeSet;

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, learned};

/// `increment` of the sum, `add` and `remove` of one element, and `read` of both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cart;

/// What a cart holds.
pub type Contents = (i64, BTreeSet<Value>);

/// What an operation does to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found this; `None` if nobody knows what it found.
    Read(Option<Contents>),
    /// The sum is greater by this afterwards.
    Increment(i64),
    /// The element is in the set afterwards.
    Add(Value),
    /// The element is not in the set afterwards.
    Remove(Value),
}

impl Model for Cart {
    type State = Contents;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "cart",
        doc: "A sum, at first 0, and a set, at first empty. `increment` adds a whole number to the sum, \
              `add` and `remove` put one element into the set and take it out, and `read` returns the \
              pair of the sum and a list of the elements, in any order. A sum that does not fit in 64 \
              bits is illegal.",
    };

    fn initial(&self) -> Contents {
        Contents::default()
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let argument = &operation.argument;
        Ok(match operation.function.as_str() {
            "read" => Step::Read(match learned(operation) {
                Some(found) => Some(contents(operation, found)?),
                None => None,
            }),
            "increment" => {
                let wrong = || ModelError::wrong_value(operation, "a whole number", argument);
                Step::Increment(argument.as_integer().ok_or_else(wrong)?)
            }
            "add" => Step::Add(argument.clone()),
            "remove" => Step::Remove(argument.clone()),
            _ => return Err(ModelError::unknown_function::<Self>(operation)),
        })
    }

    fn step(&self, (sum, elements): &Contents, step: &Step) -> Option<Contents> {
        let mut elements = elements.clone();
        let mut sum = *sum;
        match step {
            Step::Read(None) => {}
            Step::Read(Some(found)) => {
                if *found != (sum, elements.clone()) {
                    return None;
                }
            }
            Step::Increment(delta) => sum = sum.checked_add(*delta)?,
            Step::Add(element) => {
                elements.insert(element.clone());
            }
            Step::Remove(element) => {
                elements.remove(element);
            }
        }
        Some((sum, elements))
    }

    fn show(&self, (sum, elements): &Contents) -> String {
        Value::pair((*sum).into(), Value::list(elements.iter().cloned())).to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) => Effect::None,
            _ => Effect::Any,
        }
    }
}

fn contents(operation: &Operation, found: &Value) -> Result<Contents, ModelError> {
    let read = |value: &Value| {
        let (sum, elements) = value.as_pair()?;
        Some((sum.as_integer()?, elements.as_list()?.iter().cloned().collect()))
    };
    read(found).ok_or_else(|| ModelError::wrong_value(operation, "a sum and a list", found))
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::Cart;
    use crate::testing::{check, check_refused, info, ok};

    fn cart(sum: i64, elements: &[i64]) -> Value {
        Value::pair(sum.into(), Value::list(elements.iter().map(|one| (*one).into())))
    }

    #[test]
    fn both_halves_are_read_together() {
        let changes = [
            ok("increment", 2, Value::Nil),
            ok("add", 7, Value::Nil),
            ok("add", 5, Value::Nil),
            ok("remove", 7, Value::Nil),
            ok("increment", -3, Value::Nil),
        ];
        let read = |value| [&changes[..], &[ok("read", Value::Nil, value)]].concat();
        check::<Cart>(&read(cart(-1, &[5])), true);
        check::<Cart>(&read(cart(-1, &[5, 7])), false);
        check::<Cart>(&read(cart(2, &[5])), false);
    }

    #[test]
    fn a_read_whose_result_nobody_knows_is_always_legal() {
        check::<Cart>(&[ok("increment", i64::MAX, Value::Nil), info("read", Value::Nil)], true);
        check::<Cart>(&[ok("increment", i64::MAX, Value::Nil), info("increment", 1)], false);
    }

    #[test]
    fn what_is_no_cart_is_refused() {
        check_refused::<Cart>(
            ok("pop", Value::Nil, Value::Nil),
            "operation 0: the model cart has no function \"pop\"",
        );
        check_refused::<Cart>(
            ok("read", Value::Nil, 1),
            "operation 0: read needs a sum and a list, not 1",
        );
        check_refused::<Cart>(
            ok("increment", "a", Value::Nil),
            "operation 0: increment needs a whole number, not \"a\"",
        );
    }
}
