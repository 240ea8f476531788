//! Registers that transactions read and write, several at once.
//!
//! ```text
//! x = 0, y = 0   txn [["w", "x", 1], ["r", "y", nil]] → x = 1, y = 0, answers y = 0
//! ```
//! An operation is a list of `[function, register, value]`, done in their order and all at once; it
//! answers the same list with what it read filled in. Taken as one object such a history is linearizable
//! exactly if it is strict serializable.
//! Source: the rw-register workload of Jepsen's Elle.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Model, ModelError, Values, learned};

/// Lists of reads and writes; at first every register has the same value, nil if nobody says.
#[derive(Clone, Debug, Default)]
pub struct RwRegister {
    keys: FxHashMap<Value, u32>,
    values: Values,
    initial: Value,
}

/// What is done to one register; registers and values by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Micro {
    /// This value is written.
    Write(u32, u32),
    /// This value is found; the initial one is `None`.
    Read(u32, Option<u32>),
}

impl Model for RwRegister {
    /// The value of each register that was written.
    type State = BTreeMap<u32, u32>;
    type Step = Vec<Micro>;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "rw-register",
        doc: "Registers that transactions read and write unique values to. The argument of a `txn` is a \
              list of `[\"w\", register, value]` and `[\"r\", register, nil]`, done in this order and \
              all at once; its result is the same list with what was read filled in. Judged by \
              isolation levels: `wrack check --model rw-register` answers them all, `--consistency` \
              asks for one.",
    };

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.initial = initial.clone();
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Vec<Micro>, ModelError> {
        let known = learned(operation).filter(|result| !result.is_nil());
        let list = known.unwrap_or(&operation.argument);
        let wrong = || {
            let wanted = "a list of [\"r\" or \"w\", register, value]";
            ModelError::wrong_value(operation, wanted, list)
        };
        let mut micros = Vec::new();
        for entry in list.as_list().ok_or_else(wrong)? {
            let Some([Value::Text(function), key, value]) = entry.as_list() else {
                return Err(wrong());
            };
            let next = self.keys.len() as u32;
            let key = *self.keys.entry(key.clone()).or_insert(next);
            let initial = value.is_nil() || *value == self.initial;
            match function.as_str() {
                "w" => micros.push(Micro::Write(key, self.values.number(value))),
                "r" if known.is_none() => (),
                "r" => {
                    let value = (!initial).then(|| self.values.number(value));
                    micros.push(Micro::Read(key, value));
                }
                _ => return Err(wrong()),
            }
        }
        Ok(micros)
    }

    fn step(&self, state: &Self::State, step: &Vec<Micro>) -> Option<Self::State> {
        let mut next = state.clone();
        for micro in step {
            match micro {
                Micro::Write(key, value) => {
                    next.insert(*key, *value);
                }
                Micro::Read(key, found) if next.get(key) != found.as_ref() => return None,
                Micro::Read(..) => (),
            }
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::RwRegister;
    use crate::testing::{check, check_refused, info, ok};

    fn micro(function: &str, key: i64, value: impl Into<Value>) -> Value {
        Value::list([function.into(), key.into(), value.into()])
    }

    #[test]
    fn a_transaction_sees_what_stands_before_it_and_its_own() {
        let write = Value::list([micro("w", 1, 7), micro("r", 1, 7)]);
        let read = Value::list([micro("r", 1, 7), micro("r", 2, Value::Nil)]);
        let [write_ok, read_ok] = [&write, &read].map(|list| ok("txn", list.clone(), list.clone()));
        check::<RwRegister>(&[write_ok.clone(), read_ok.clone()], true);
        check::<RwRegister>(&[read_ok, write_ok], false);
        check::<RwRegister>(&[info("txn", write)], true);
    }

    #[test]
    fn what_is_no_transaction_is_refused() {
        let cas = Value::list([micro("cas", 1, 1)]);
        check_refused::<RwRegister>(
            ok("txn", cas.clone(), cas),
            "operation 0: txn needs a list of [\"r\" or \"w\", register, value], not \
             [[\"cas\", 1, 1]]",
        );
    }
}
