//! A value that is written, read, deleted, compared and set, and appended to as a text.
//!
//! ```text
//! ""  append ab → ab   append c → abc   read = abc   write x → x   delete → ""   read = nil
//! ```
//! A missing value is the empty text: it reads as nil or as "", and is appended to. What is not a
//! text (an integer, a list) can be written, but nothing can be appended to it.
//! Source: the key-value store of the MIT 6.824 labs, which Porcupine judges.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError, learned};

/// `read`, `write`, `append`, `delete`, and `cas` with `[expected, new]`; at first the value is
/// missing, or what [`Model::start_at`] says.
#[derive(Clone, Debug)]
pub struct KeyValue {
    initial: Value,
    /// Whether some operation of the history replaces the value as a whole.
    replaces: bool,
}

/// What an operation does to a value; a missing one is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found this value; `None` if nobody knows what it found.
    Read(Option<Value>),
    /// It leaves this value.
    Write(Value),
    /// It puts this text behind the one that is there.
    Append(Value),
    /// It found the expected value and left the new one.
    Cas {
        /// What it found.
        expected: Value,
        /// What it left.
        new: Value,
    },
    /// It found anything but this value: a refused cas.
    Differs(Value),
}

impl Default for KeyValue {
    fn default() -> Self {
        Self { initial: "".into(), replaces: false }
    }
}

impl Model for KeyValue {
    type State = Value;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "kv",
        doc: "One value a key, at first missing. `write` replaces it, `delete` removes it, `append` \
              puts a text behind it, `read` returns it, `cas` with `[expected, new]` replaces it if it \
              is the expected one and answers `true`, else `false`. A missing value is the empty text: \
              it reads as nil or as \"\".",
    };

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.initial = plain(initial);
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let function = operation.function.as_str();
        self.replaces |= matches!(function, "write" | "delete" | "cas");
        let argument = &operation.argument;
        match function {
            "read" => Ok(Step::Read(learned(operation).map(plain))),
            "write" => Ok(Step::Write(plain(argument))),
            "delete" => Ok(Step::Write("".into())),
            "append" => match argument {
                Value::Text(_) => Ok(Step::Append(argument.clone())),
                _ => Err(ModelError::wrong_value(operation, "a text", argument)),
            },
            "cas" => compile_cas(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Value, step: &Step) -> Option<Value> {
        match step {
            Step::Read(found) => {
                found.as_ref().is_none_or(|found| found == state).then(|| state.clone())
            }
            Step::Write(value) => Some(value.clone()),
            Step::Append(text) => concatenated(state, text),
            Step::Cas { expected, new } => (expected == state).then(|| new.clone()),
            Step::Differs(value) => (value != state).then(|| state.clone()),
        }
    }

    fn show(&self, state: &Value) -> String {
        state.to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) | Step::Differs(_) => Effect::None,
            Step::Write(_) => Effect::Overwrite,
            Step::Cas { expected, new } if expected == new => Effect::None,
            Step::Append(_) | Step::Cas { .. } => Effect::Any,
        }
    }

    /// A text that is never replaced only grows at its end.
    fn out_of_reach(&self, state: &Value, goal: &Step) -> bool {
        match (state, goal) {
            (Value::Text(text), Step::Read(Some(Value::Text(found)))) => {
                !self.replaces && !found.starts_with(text.as_str())
            }
            _ => false,
        }
    }

    /// What needs a value is legal after whoever leaves it, or appends its end.
    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        let (Step::Read(Some(needed)) | Step::Cas { expected: needed, .. }) = goal else {
            return true;
        };
        match (step, needed) {
            (Step::Write(left) | Step::Cas { new: left, .. }, _) => left == needed,
            (Step::Append(Value::Text(end)), Value::Text(needed)) => needed.ends_with(end.as_str()),
            _ => false,
        }
    }
}

/// A value as it is compared: a missing one is the empty text.
pub fn plain(value: &Value) -> Value {
    if value.is_nil() { "".into() } else { value.clone() }
}

fn concatenated(state: &Value, end: &Value) -> Option<Value> {
    match (state, end) {
        (Value::Text(text), Value::Text(end)) => Some(format!("{text}{end}").as_str().into()),
        _ => None,
    }
}

fn compile_cas(operation: &Operation) -> Result<Step, ModelError> {
    let argument = &operation.argument;
    let (expected, new) = argument
        .as_pair()
        .ok_or_else(|| ModelError::wrong_value(operation, "[expected, new]", argument))?;
    match learned(operation) {
        None | Some(Value::Bool(true)) => {
            Ok(Step::Cas { expected: plain(expected), new: plain(new) })
        }
        Some(Value::Bool(false)) => Ok(Step::Differs(plain(expected))),
        Some(other) => Err(ModelError::wrong_value(operation, "the answer true or false", other)),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::KeyValue;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn read(found: impl Into<Value>) -> Operation {
        ok("read", Value::Nil, found)
    }

    fn append(text: &str) -> Operation {
        ok("append", text, Value::Nil)
    }

    #[test]
    fn a_text_grows_at_its_end_and_is_replaced_as_a_whole() {
        let write = ok("write", "x", Value::Nil);
        let delete = ok("delete", Value::Nil, Value::Nil);
        check::<KeyValue>(&[append("ab"), append("c"), read("abc"), write, read("x")], true);
        check::<KeyValue>(&[append("ab"), delete, read(Value::Nil), append("c"), read("c")], true);
        check::<KeyValue>(&[append("ab"), append("c"), read("cab")], false);
        check::<KeyValue>(&[info("append", "a"), append("b"), read("ab")], true);
    }

    #[test]
    fn a_missing_value_reads_as_nil_or_as_the_empty_text() {
        check::<KeyValue>(&[read(Value::Nil), read("")], true);
        check::<KeyValue>(&[read(0)], false);
        let mut seven = KeyValue::default();
        seven.start_at(&7.into()).unwrap();
        assert_eq!(replay(seven, [&read(7)]), Ok(true));
    }

    #[test]
    fn a_cas_compares_the_whole_value() {
        let cas = |expected: &str, new: &str, answer: bool| {
            ok("cas", Value::pair(expected.into(), new.into()), answer)
        };
        check::<KeyValue>(&[append("a"), cas("a", "b", true), read("b")], true);
        check::<KeyValue>(&[append("a"), cas("", "b", false), read("a")], true);
        check::<KeyValue>(&[append("a"), cas("a", "b", false)], false);
    }

    #[test]
    fn nothing_is_appended_to_what_is_not_a_text() {
        check::<KeyValue>(&[ok("write", 7, Value::Nil), append("a")], false);
        check_refused::<KeyValue>(
            ok("append", 7, Value::Nil),
            "operation 0: append needs a text, not 7",
        );
        check_refused::<KeyValue>(
            ok("pop", 7, Value::Nil),
            "operation 0: the model kv has no function \"pop\"",
        );
    }
}
