//! `transactions-registers` and `transactions-lists`: reads and writes of several objects at once.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};
use wrack_history::{Settings, Value};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, start_at_nil};

const OBJECTS_MAX: i64 = 10_000;
const LENGTH_MAX: i64 = 20;

const PARAMETERS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "objects",
        ParameterKind::Integer { min: 1, max: OBJECTS_MAX },
        DefaultSetting::Integer(8),
        "how many objects there are, 0 and up; fewer meet more often",
    ),
    ParameterInfo::new(
        "length",
        ParameterKind::Integer { min: 1, max: LENGTH_MAX },
        DefaultSetting::Integer(4),
        "how many micro-operations a transaction has at most",
    ),
    ParameterInfo::new(
        "writes",
        ParameterKind::PerMillion,
        DefaultSetting::PerMillion(500_000),
        "which share of the micro-operations writes",
    ),
];

/// The workload `transactions-registers`.
pub const REGISTERS: Entry = Entry {
    info: &WorkloadInfo {
        name: "transactions-registers",
        doc: "A `txn` is a list of one to `length` micro-operations on `objects` registers: \
              `[\"r\", object, nil]`, or `[\"w\", object, value]` with a value that nobody else ever \
              writes. It answers the same list with what the reads found. An object is read before \
              it is written, so that versions follow each other as far as can be known.",
        functions: &["txn"],
        model: "rw-register",
        parameters: PARAMETERS,
    },
    argument: registers,
    initial: start_at_nil,
    last_read,
};

/// The workload `transactions-lists`.
pub const LISTS: Entry = Entry {
    info: &WorkloadInfo {
        name: "transactions-lists",
        doc: "A `txn` is a list of one to `length` micro-operations on `objects` lists: \
              `[\"r\", object, nil]`, or `[\"append\", object, value]` with a value that nobody else \
              ever appends. It answers the same list with what the reads found: a list shows in \
              which order it came to be, so that nearly nothing stays hidden.",
        functions: &["txn"],
        model: "list-append",
        parameters: PARAMETERS,
    },
    argument: lists,
    initial: start_at_nil,
    last_read,
};

/// Whether operations of this model are transactions, whose objects stand in their argument.
pub fn is_model(model: &str) -> bool {
    matches!(model, "list-append" | "rw-register")
}

fn registers(question: &Question<'_>, stream: &mut Stream) -> Argument {
    transaction("w", question, stream)
}

fn lists(question: &Question<'_>, stream: &mut Stream) -> Argument {
    transaction("append", question, stream)
}

fn transaction(write: &str, question: &Question<'_>, stream: &mut Stream) -> Argument {
    let settings = question.settings;
    let length = 1 + stream.below(settings.integer("length").unwrap_or(4) as u64);
    let writes = settings.per_million("writes").unwrap_or(500_000);
    let mut micros = Vec::new();
    for number in 0..length as i64 {
        let object = Value::from(stream.below(objects(settings) as u64) as i64);
        let writes = stream.chance(writes);
        if !writes || write == "w" {
            micros.push(read(object.clone()));
        }
        if writes {
            // No other micro-operation of the run has this number.
            let value = question.unique * LENGTH_MAX + number;
            micros.push(Value::list([write.into(), object, value.into()]));
        }
    }
    Argument::Value(Value::list(micros))
}

fn objects(settings: &Settings) -> i64 {
    settings.integer("objects").unwrap_or(8)
}

fn read(object: Value) -> Value {
    Value::list(["r".into(), object, Value::Nil])
}

fn last_read(settings: &Settings) -> (&'static str, Value) {
    ("txn", Value::list((0..objects(settings)).map(|object| read(object.into()))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wrack_history::Value;
    use wrack_history::catalogue::defaults;
    use wrack_sim::client::Argument;

    use super::{LISTS, REGISTERS};
    use crate::plan::tests::arguments_with;

    #[test]
    fn a_transaction_reads_and_writes_values_that_are_written_once() {
        for (entry, write) in [(LISTS, "append"), (REGISTERS, "w")] {
            let settings = defaults(entry.info.parameters);
            let mut names = BTreeSet::new();
            for drawn in arguments_with(&entry, "txn", &settings) {
                let Argument::Value(value) = drawn else { panic!("a value") };
                let mut written = BTreeSet::new();
                for micro in value.as_list().unwrap() {
                    let [Value::Text(name), object, value] = micro.as_list().unwrap() else {
                        panic!("{micro}")
                    };
                    names.insert(name.to_string());
                    assert!((0..8).contains(&object.as_integer().unwrap()));
                    assert!(name == "r" && value.is_nil() || written.insert(value.clone()));
                }
            }
            assert_eq!(names, BTreeSet::from(["r".to_owned(), write.to_owned()]));
        }
    }
}
