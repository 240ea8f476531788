//! Transactions: lists of micro-operations that take effect together.
//!
//! A transaction is one operation, `txn`, without a key. Its argument is a list of `[function, key,
//! value]` in the order in which it did them, `"r"` (with nil), `"w"` or `"append"`; its result is the
//! same list with what the reads found filled in. Of lists (`list-append`) a read finds a list, the
//! empty one where there is nothing; of registers (`rw-register`) a value, or nil.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::Assumption;
use crate::operation::{Moment, Operation, Outcome};
use crate::value::Value;

/// What the objects of a transaction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Read as a whole and appended to.
    Lists,
    /// Read and written.
    Registers,
}

/// What was asked: micro-operations in canonical words, reads without what they found.
///
/// Errors: what is no micro-operation on such objects, as a sentence.
pub fn asked(objects: Objects, value: &Value) -> Result<Value, String> {
    let micro = |micro| {
        let Micro { function, key, value } = Micro::of(objects, micro)?;
        let value = if function == READ { Value::Nil } else { value.clone() };
        Ok(Value::list([function.into(), key.clone(), value]))
    };
    let list = value.as_list().ok_or_else(|| wrong(objects, value))?;
    list.iter().map(micro).collect::<Result<Vec<_>, _>>().map(Value::list)
}

/// What was answered: what was asked, with what the reads found.
///
/// Errors: it is no answer to that, as a sentence.
pub fn answered(objects: Objects, asked: &Value, answer: &Value) -> Result<Value, String> {
    let none = || format!("the answer {answer} is none to the micro-operations {asked}");
    let list = answer.as_list().ok_or_else(none)?;
    let questions = asked.as_list().expect("what was asked is a list");
    if list.len() != questions.len() {
        return Err(none());
    }
    let micro = |(question, micro): (&Value, &Value)| {
        let Micro { function, key, value } = Micro::of(objects, micro)?;
        let found = match (objects, value) {
            _ if function != READ => value.clone(),
            (Objects::Lists, Value::Nil) => Value::list([]),
            (Objects::Lists, Value::List(_)) | (Objects::Registers, _) => value.clone(),
            (Objects::Lists, _) => return Err(format!("a read of a list found {value}, no list")),
        };
        match question.as_list() {
            Some([asked, on, with])
                if *asked == Value::from(function)
                    && on == key
                    && (function == READ || with == value) =>
            {
                Ok(Value::list([function.into(), key.clone(), found]))
            }
            _ => Err(none()),
        }
    };
    let micros = questions.iter().zip(list).map(micro);
    micros.collect::<Result<Vec<_>, _>>().map(Value::list)
}

/// Adds the writes that a history of long forks leaves out: one in doubt, open all the time and by a
/// process of its own, for every value that a read found and nobody wrote.
///
/// Such a history writes each key once, in a transaction of its own, and some recorders keep only the
/// reads. Of any other history a value that nobody wrote is an anomaly.
pub fn imply_writes(operations: &mut Vec<Operation>) -> Option<Assumption> {
    let of = |value: &Value, wanted: &str| {
        let micros = value.as_list().unwrap_or_default().iter();
        let parts = micros.filter_map(|micro| match micro.as_list() {
            Some([Value::Text(name), key, value]) if name == wanted && !value.is_nil() => {
                Some((key.clone(), value.clone()))
            }
            _ => None,
        });
        parts.collect::<Vec<_>>()
    };
    let written = operations.iter().flat_map(|operation| of(&operation.argument, "w"));
    let written = written.collect::<BTreeSet<_>>();
    let found = operations.iter().flat_map(|operation| of(&operation.result, READ));
    let found = found.collect::<BTreeSet<_>>();
    let missing = found.difference(&written).collect::<Vec<_>>();
    if missing.is_empty() {
        return None;
    }
    let count = missing.len() as u64;
    let last = operations.iter().map(|operation| operation.process).max().unwrap_or(0);
    for operation in &mut *operations {
        operation.id += count;
        operation.invoke.index += count;
        if operation.complete != Moment::NEVER {
            operation.complete.index += count;
        }
    }
    let implied = missing.into_iter().zip(0_u32..).map(|((key, value), number)| {
        let process = last.saturating_add(1).saturating_add(number);
        let write = Value::list(["w".into(), key.clone(), value.clone()]);
        Operation {
            id: u64::from(number),
            process,
            session: process,
            key: SmolStr::default(),
            function: SmolStr::new_static("txn"),
            argument: Value::list([write]),
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke: Moment { index: u64::from(number), ns: 0 },
            complete: Moment::NEVER,
            details: None,
        }
    });
    operations.splice(0..0, implied.collect::<Vec<_>>());
    Some(Assumption {
        name: "writes",
        value: "implied".into(),
        words: format!(
            "{count} values were read whose writes the file leaves out: each was written in a \
             transaction of its own, at any time"
        ),
    })
}

const READ: &str = "r";

/// One micro-operation, its function in canonical words.
struct Micro<'a> {
    function: &'static str,
    key: &'a Value,
    value: &'a Value,
}

impl<'a> Micro<'a> {
    fn of(objects: Objects, micro: &'a Value) -> Result<Self, String> {
        let (name, key, value) = match micro.as_list() {
            Some([Value::Text(name), key, value]) => (name, key, Some(value)),
            Some([Value::Text(name), key]) => (name, key, None),
            _ => return Err(wrong(objects, micro)),
        };
        let function = match (name.as_str(), objects) {
            ("r" | "read", _) => READ,
            ("w" | "write", Objects::Registers) if value.is_some() => "w",
            ("append" | "a", Objects::Lists) if value.is_some() => "append",
            _ => return Err(wrong(objects, micro)),
        };
        Ok(Self { function, key, value: value.unwrap_or(&Value::Nil) })
    }
}

fn wrong(objects: Objects, value: &Value) -> String {
    let write = match objects {
        Objects::Lists => "[\"append\", key, value]",
        Objects::Registers => "[\"w\", key, value]",
    };
    format!("a micro-operation is [\"r\", key, nil] or {write}, not {value}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn a_transaction_is_one_operation_with_its_reads_filled_in() {
        check(
            "list-append",
            "{:type :invoke :process 0 :f :txn :value [[:r 5 nil] [:append 6 1] [:r :x]]}
             {:type :ok :process 0 :f :txn :value [[:r 5 nil] [:append 6 1] [:r :x [3 4]]]}
             {:type :invoke :process 1 :value [[:append 6 2] [:r 6 nil]]}
             {:type :fail :process 1 :value [[:append 6 2] [:r 6 [1 2]]]}",
            &[
                r#"0 txn([["r", 5, nil], ["append", 6, 1], ["r", "x", nil]]) ok [["r", 5, []], ["append", 6, 1], ["r", "x", [3, 4]]] [0, 1]"#,
                r#"1 txn([["append", 6, 2], ["r", 6, nil]]) fail nil [2, 3]"#,
            ],
        );
        check(
            "rw-register",
            r#"{"type":"invoke","process":0,"f":"txn","value":[["r","x",null],["write","y",2]]}
               {"type":"ok","process":0,"f":"txn","value":[["read","x",null],["w","y",2]]}"#,
            &[
                r#"0 txn([["r", "x", nil], ["w", "y", 2]]) ok [["r", "x", nil], ["w", "y", 2]] [0, 1]"#,
            ],
        );
    }

    #[test]
    fn the_writes_that_a_history_of_long_forks_leaves_out_are_added() {
        check(
            "rw-register",
            "{:type :invoke :process 3 :f :write :value [[:w 0 1]]}
             {:type :ok :process 3 :f :write :value [[:w 0 1]]}
             {:type :invoke :process 4 :f :read :value [[:r 0 nil] [:r 1 nil] [:r 2 nil]]}
             {:type :ok :process 4 :f :read :value [[:r 0 1] [:r 1 1] [:r 2 nil]]}",
            &[
                r#"5 txn([["w", 1, 1]]) info nil [0, never]"#,
                r#"3 txn([["w", 0, 1]]) ok [["w", 0, 1]] [1, 2]"#,
                r#"4 txn([["r", 0, nil], ["r", 1, nil], ["r", 2, nil]]) ok [["r", 0, 1], ["r", 1, 1], ["r", 2, nil]] [3, 4]"#,
            ],
        );
        // A transaction of any other history is taken at its word.
        check(
            "rw-register",
            "{:type :invoke :process 4 :f :txn :value [[:r 1 nil]]}
             {:type :ok :process 4 :f :txn :value [[:r 1 7]]}",
            &[r#"4 txn([["r", 1, nil]]) ok [["r", 1, 7]] [0, 1]"#],
        );
    }

    #[test]
    fn transactions_of_nobody_are_processes_of_their_own_if_they_come_one_by_one() {
        check(
            "rw-register",
            "{:type :invoke :f :txn :value [[:r 0 nil] [:r 1 nil]]}
             {:type :ok :f :txn :value [[:r 0 1] [:r 1 nil]]}
             {:type :invoke :value [[:w 1 1]]}",
            &[
                r#"0 txn([["r", 0, nil], ["r", 1, nil]]) ok [["r", 0, 1], ["r", 1, nil]] [0, 1]"#,
                r#"1 txn([["w", 1, 1]]) info nil [2, never]"#,
            ],
        );
        let begin = "{:type :invoke :value [[:w 1 1]]}\n";
        refused(
            "rw-register",
            &begin.repeat(2),
            "f:2:1: operations have no process, and one begins before the last one ends: say which \
             process each one is of",
        );
        refused(
            "rw-register",
            &format!("{{:type :invoke :process 1 :value [[:w 1 1]]}}\n{begin}"),
            "f:2:1: some operations have a process, and some have none",
        );
    }

    #[test]
    fn what_is_no_transaction_on_such_objects_is_refused() {
        let check = |model: &str, value: &str, expected: &str| {
            let text = format!("{{:type :invoke :process 0 :f :txn :value {value}}}");
            refused(model, &text, &format!("f:1:1: {expected}"));
        };
        check(
            "list-append",
            "[[:w 1 2]]",
            r#"a micro-operation is ["r", key, nil] or ["append", key, value], not ["w", 1, 2]"#,
        );
        check(
            "rw-register",
            "[[:append 1 2]]",
            r#"a micro-operation is ["r", key, nil] or ["w", key, value], not ["append", 1, 2]"#,
        );
        check(
            "rw-register",
            "nil",
            r#"a micro-operation is ["r", key, nil] or ["w", key, value], not nil"#,
        );
        let answer = |answer: &str, expected: &str| {
            let text = format!(
                "{{:type :invoke :process 0 :f :txn :value [[:append 1 2] [:r 3 nil]]}}
                 {{:type :ok :process 0 :f :txn :value {answer}}}"
            );
            refused("list-append", &text, &format!("f:1:1: {expected}"));
        };
        answer(
            "[[:append 1 2] [:append 3 [1]]]",
            r#"the answer [["append", 1, 2], ["append", 3, [1]]] is none to the micro-operations [["append", 1, 2], ["r", 3, nil]]"#,
        );
        answer("[[:append 1 2] [:r 3 7]]", "a read of a list found 7, no list");
        answer(
            "nil",
            r#"the answer nil is none to the micro-operations [["append", 1, 2], ["r", 3, nil]]"#,
        );
    }
}
