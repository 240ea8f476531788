//! Logs that are sent to and polled: Jepsen's and Maelstrom's `kafka` workload.
//!
//! ```text
//! {:f :send, :value [[:send "9" 2]]}   ok: [[:send "9" [1 2]]]       2 stands at offset 1 of log 9
//! {:f :poll, :value [[:poll]]}         ok: [[:poll {"9" [[0 1] [1 2]]}]]
//! {:f :txn,  :value [[:send "9" 3] [:poll]]}
//! {:f :assign, :value ["9"]}           {:f :crash}
//! ```
//! Every micro-operation becomes an operation: `append` of a value to the log that is its key,
//! answered with the offset, or `poll`, answered with `[log, [[offset, value], …]]` for every log. Those
//! of one transaction stand one behind the other in the time of the transaction. What a transaction in
//! doubt sent is in doubt, each by a process of its own; its polls say nothing.

use smol_str::SmolStr;

use super::Stop;
use super::recorder::Recorder;
use super::source::Place;
use crate::operation::{Moment, Operation, Outcome};
use crate::value::Value;

/// Puts an operation for each micro-operation, if there are any.
///
/// Errors: what is no micro-operation on logs.
pub fn unfold(recorder: &mut Recorder) -> Result<(), Stop> {
    let operations = &recorder.history.operations;
    if !operations.iter().any(is_micros) {
        return Ok(());
    }
    let mut process = operations.iter().map(|operation| operation.process).max().unwrap_or(0);
    let mut unfolded = Unfolded::default();
    let places = std::mem::take(&mut recorder.places);
    for (operation, place) in
        std::mem::take(&mut recorder.history.operations).into_iter().zip(places)
    {
        if is_micros(&operation) {
            unfolded.transaction(operation, place, &mut process)?;
        } else if matches!(operation.function.as_str(), "send" | "txn") {
            return Err(wrong(place, &operation.argument));
        } else {
            unfolded.push(operation, place, Value::Nil);
        }
    }
    let Unfolded { mut parts } = unfolded;
    renumber(&mut parts);
    parts.sort_by_key(|part| part.operation.invoke.index);
    for (id, Part { mut operation, place, key, .. }) in parts.into_iter().enumerate() {
        operation.id = id as u64;
        recorder.history.operations.push(operation);
        recorder.places.push(place);
        recorder.keys.push(key);
    }
    Ok(())
}

fn is_micros(operation: &Operation) -> bool {
    let micros = operation.argument.as_list().unwrap_or_default();
    let named = |micro: &Value| match micro.as_list() {
        Some([Value::Text(name), ..]) => matches!(name.as_str(), "send" | "poll"),
        _ => false,
    };
    matches!(operation.function.as_str(), "send" | "poll" | "txn")
        && operation.argument.as_list().is_some()
        && micros.iter().all(named)
}

#[derive(Default)]
struct Unfolded {
    parts: Vec<Part>,
}

/// An operation, and which one of its transaction it is.
struct Part {
    operation: Operation,
    place: Place,
    key: Value,
    /// From 0.
    number: usize,
}

impl Unfolded {
    fn push(&mut self, operation: Operation, place: Place, key: Value) {
        self.parts.push(Part { operation, place, key, number: 0 });
    }

    fn transaction(
        &mut self,
        operation: Operation,
        place: Place,
        process: &mut u32,
    ) -> Result<(), Stop> {
        let asked = operation.argument.as_list().unwrap_or_default().to_vec();
        let learned = match (&operation.result, operation.is_ok()) {
            (Value::List(list), true) if list.len() == asked.len() => list.to_vec(),
            (answer, true) => {
                let reason = format!("the answer {answer} is none to {}", operation.argument);
                return Err(Stop::at(place, reason));
            }
            (_, false) => asked.clone(),
        };
        let mut parts = Vec::new();
        for (micro, answer) in asked.iter().zip(&learned) {
            let (mut part, key) =
                (operation.clone(), micro.as_list().and_then(|micro| micro.get(1)));
            (part.argument, part.result) = (Value::Nil, Value::Nil);
            match (micro.as_list().unwrap_or_default(), answer.as_list().unwrap_or_default()) {
                ([Value::Text(name), log, value], [.., answer]) if name == "send" => {
                    part.function = SmolStr::new_static("send");
                    part.argument = value.clone();
                    if part.is_ok() {
                        part.result = answer.as_pair().map_or(Value::Nil, |(at, _)| at.clone());
                    }
                    parts.push((part, named(log)));
                }
                ([Value::Text(name), ..], answer) if name == "poll" && key.is_none() => {
                    if part.is_ok() {
                        part.function = SmolStr::new_static("poll");
                        let found = answer.get(1).unwrap_or(&Value::Nil);
                        part.result = polled(found).ok_or_else(|| wrong(place, found))?;
                        parts.push((part, Value::Nil));
                    }
                }
                _ => return Err(wrong(place, micro)),
            }
        }
        for (number, (mut operation, key)) in parts.into_iter().enumerate() {
            if number > 0 && operation.outcome == Outcome::Info {
                *process += 1;
                (operation.process, operation.session) = (*process, *process);
            }
            self.parts.push(Part { operation, place, key, number });
        }
        Ok(())
    }
}

fn wrong(place: Place, what: &Value) -> Stop {
    Stop::at(place, format!("a micro-operation is [:send log value] or [:poll], not {what}"))
}

/// The name of a log: JSON has only texts for the keys of a map, so `9` and `"9"` are one.
fn named(log: &Value) -> Value {
    match log {
        Value::Text(_) => log.clone(),
        log => Value::Text(smol_str::format_smolstr!("{log}")),
    }
}

/// `[log, [[offset, value], …]]` for every log of a map.
fn polled(found: &Value) -> Option<Value> {
    if found.is_nil() {
        return Some(Value::list([]));
    }
    let logs = found.as_list()?.iter().map(|pair| {
        let (log, entries) = pair.as_pair()?;
        let entries = entries.as_list()?;
        let sound =
            |entry: &Value| entry.as_pair().is_some_and(|(at, _)| at.as_integer().is_some());
        entries.iter().all(sound).then(|| Value::pair(named(log), Value::list(entries.to_vec())))
    });
    logs.collect::<Option<Vec<_>>>().map(Value::list)
}

/// Gives every event a place of its own again: all parts of a transaction but the first begin, and all
/// but the last end, right before the transaction ends.
fn renumber(parts: &mut [Part]) {
    let mut events: Vec<(u64, usize, bool, usize)> = Vec::with_capacity(2 * parts.len());
    for (at, part) in parts.iter().enumerate() {
        let Operation { invoke, complete, outcome, .. } = &part.operation;
        // What is in doubt begins at once, and never ends or ends at once.
        let first = part.number == 0 || *outcome == Outcome::Info;
        let begins = if first { invoke.index } else { complete.index };
        events.push((begins, 2 * part.number, false, at));
        if *complete != Moment::NEVER {
            events.push((complete.index, 2 * part.number + 1, true, at));
        }
    }
    events.sort_unstable();
    for (index, (_, _, completes, at)) in events.into_iter().enumerate() {
        let operation = &mut parts[at].operation;
        let ns = if completes || parts[at].number == 0 || operation.is_info() {
            None
        } else {
            Some(operation.complete.ns)
        };
        let moment = if completes { &mut operation.complete } else { &mut operation.invoke };
        *moment = Moment { index: index as u64, ns: ns.unwrap_or(moment.ns) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn sends_and_polls_are_operations_on_logs() {
        check(
            "log",
            r#"{:type :invoke :process 0 :f :send :value [[:send "9" 2]]}
               {:type :invoke :process 1 :f :poll :value [[:poll]]}
               {:type :ok :process 0 :f :send :value [[:send "9" [1 2]]]}
               {:type :ok :process 1 :f :poll :value [[:poll {"9" [[0 1] [1 2]], 8 []}]]}
               {:type :invoke :process 1 :f :assign :value ["9"]}
               {:type :ok :process 1 :f :assign :value ["9"]}
               {:type :invoke :process 1 :f :crash}
               {:type :info :process 1 :f :crash}"#,
            &[
                "0 9.append(2) ok 1 [0, 2]",
                r#"1 poll(nil) ok [["8", []], ["9", [[0, 1], [1, 2]]]] [1, 3]"#,
                r#"1 assign(["9"]) ok nil [4, 5]"#,
                "1 crash(nil) info nil [6, 7]",
            ],
        );
    }

    #[test]
    fn the_micro_operations_of_a_transaction_come_one_behind_the_other() {
        check(
            "log",
            r#"{:type :invoke :process 0 :f :txn :value [[:send 9 2] [:poll] [:send 8 3]]}
               {:type :invoke :process 1 :f :txn :value [[:send 9 4] [:send 9 5] [:poll]]}
               {:type :ok :process 0 :f :txn :value [[:send 9 [1 2]] [:poll {9 [[0 1]]}] [:send 8 3]]}
               {:type :info :process 1 :f :txn :value [[:send 9 4] [:send 9 5] [:poll]]}"#,
            &[
                "0 9.append(2) ok 1 [0, 3]",
                "1 9.append(4) info nil [1, 8]",
                "2 9.append(5) info nil [2, 9]",
                r#"0 poll(nil) ok [["9", [[0, 1]]]] [4, 5]"#,
                "0 8.append(3) ok nil [6, 7]",
            ],
        );
    }

    #[test]
    fn what_is_no_send_and_no_poll_is_refused() {
        let text = "{:type :invoke :process 0 :f :send :value [[:send 9]]}";
        refused(
            "log",
            text,
            "f:1:1: a micro-operation is [:send log value] or [:poll], not [\"send\", 9]",
        );
        let text = "{:type :invoke :process 0 :f :poll :value [[:poll]]}
                    {:type :ok :process 0 :f :poll :value [[:poll {9 [1]}]]}";
        refused(
            "log",
            text,
            "f:1:1: a micro-operation is [:send log value] or [:poll], not [[9, [1]]]",
        );
    }
}
