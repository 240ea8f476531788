//! Lists that transactions append to and read, several at once.
//!
//! ```text
//! x = [], y = [1]   txn [["append", "x", 2], ["r", "y", nil]] → x = [2], y = [1], answers y = [1]
//! ```
//! An operation is a list of `[function, list, value]`, done in their order and all at once; it answers
//! the same list with what it read filled in. Taken as one object such a history is linearizable exactly
//! if it is strict serializable.
//! Source: the list-append workload of Jepsen's Elle.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Model, ModelError, Values, learned};

/// Lists of appends and reads; at first every list is empty.
#[derive(Clone, Debug, Default)]
pub struct ListAppend {
    keys: FxHashMap<Value, u32>,
    values: Values,
}

/// What is done to one list; lists and elements by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Micro {
    /// This element is appended.
    Append(u32, u32),
    /// The list is read, and these elements are found, if somebody knows.
    Read(u32, Option<Vec<u32>>),
}

impl Model for ListAppend {
    /// The elements of each list that has any.
    type State = BTreeMap<u32, Vec<u32>>;
    type Step = Vec<Micro>;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "list-append",
        doc: "Lists that transactions append unique elements to and read. The argument of a `txn` is a \
              list of `[\"append\", list, element]` and `[\"r\", list, nil]`, done in this order and \
              all at once; its result is the same list with what was read filled in. Judged by \
              isolation levels: `wrack check --model list-append` answers them all, `--consistency` \
              asks for one.",
    };

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn compile(&mut self, operation: &Operation) -> Result<Vec<Micro>, ModelError> {
        let known = learned(operation).filter(|result| !result.is_nil());
        let list = known.unwrap_or(&operation.argument);
        let wrong = || {
            let wanted = "a list of [\"append\", list, element] or [\"r\", list, elements]";
            ModelError::wrong_value(operation, wanted, list)
        };
        let mut micros = Vec::new();
        for entry in list.as_list().ok_or_else(wrong)? {
            let Some([Value::Text(function), key, value]) = entry.as_list() else {
                return Err(wrong());
            };
            let next = self.keys.len() as u32;
            let key = *self.keys.entry(key.clone()).or_insert(next);
            micros.push(match function.as_str() {
                "append" => Micro::Append(key, self.values.number(value)),
                "r" if known.is_none() => Micro::Read(key, None),
                "r" => {
                    let elements = value.as_list().unwrap_or(&[]);
                    let elements = elements.iter().map(|element| self.values.number(element));
                    Micro::Read(key, Some(elements.collect()))
                }
                _ => return Err(wrong()),
            });
        }
        Ok(micros)
    }

    fn step(&self, state: &Self::State, step: &Vec<Micro>) -> Option<Self::State> {
        let mut next = state.clone();
        for micro in step {
            match micro {
                Micro::Append(key, element) => next.entry(*key).or_default().push(*element),
                Micro::Read(_, None) => (),
                Micro::Read(key, Some(found)) => {
                    let elements = next.get(key).map_or(&[][..], Vec::as_slice);
                    if elements != found.as_slice() {
                        return None;
                    }
                }
            }
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::ListAppend;
    use crate::testing::{check, check_refused, info, ok};

    fn micro(function: &str, key: i64, value: Value) -> Value {
        Value::list([function.into(), key.into(), value])
    }

    fn elements(elements: &[i64]) -> Value {
        Value::list(elements.iter().map(|element| (*element).into()))
    }

    #[test]
    fn a_transaction_sees_what_stands_before_it_and_its_own() {
        let append = Value::list([micro("append", 1, 7.into())]);
        let read = Value::list([
            micro("r", 1, elements(&[7])),
            micro("append", 1, 8.into()),
            micro("r", 1, elements(&[7, 8])),
            micro("r", 2, elements(&[])),
        ]);
        let write = ok("txn", append.clone(), append.clone());
        check::<ListAppend>(&[write.clone(), ok("txn", read.clone(), read.clone())], true);
        check::<ListAppend>(&[ok("txn", read.clone(), read), write], false);
        check::<ListAppend>(&[info("txn", append)], true);
    }

    #[test]
    fn what_is_no_transaction_is_refused() {
        check_refused::<ListAppend>(
            ok("txn", 1, 1),
            "operation 0: txn needs a list of [\"append\", list, element] or [\"r\", list, \
             elements], not 1",
        );
    }
}
