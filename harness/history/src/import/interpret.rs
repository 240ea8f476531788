//! What recorded operations mean for a model.
//!
//! Three things cannot be read off a single operation, so they are decided for the whole file:
//!
//! - **Keys.** Values are `[key value]` of independent keys if all of them are: every value of an
//!   invocation is such a pair (so a read is invoked with `[key nil]`, where a single register's is
//!   invoked with nil), of a cas with a pair inside (`[key [expected new]]`), and every answer names
//!   the key of its invocation. One that does not fit makes all of them plain values.
//! - **A read of nil** found nothing, if there can be nothing: objects start at nil, or somebody
//!   writes nil. Otherwise it says that its client learned nothing; such a read constrains nothing
//!   and is left out.
//! - **A failed cas** says what [`FailedCas`] says. Where nobody decided, its error does: a
//!   precondition that failed (Maelstrom's code 22) or a key that does not exist (20) were observed.
//!   A read that failed because its key does not exist found nil, unless failures are ignored.
//!
//! A `:fail` of any other kind had no effect, and an operation in doubt stays open to the end.

use smol_str::{SmolStr, format_smolstr};

use super::edn::pairs;
use super::recorder::Recorder;
use super::source::Place;
use super::vocabulary::{Function, Gives, Keys, Takes, Vocabulary};
use super::{Assumption, FailedCas, Format, Imported, Reading, Stop, sessions, transactions};
use crate::operation::{Operation, Outcome};
use crate::value::Value;

/// Puts a recorded history into the words of a model.
pub fn interpret(
    recorder: Recorder,
    format: &'static Format,
    reading: &Reading<'_>,
) -> Result<Imported, Stop> {
    let processes = recorder.processes();
    let Recorder { mut history, places, keys, nemesis, timed, untimed, .. } = recorder;
    let operations = &mut history.operations;
    let vocabulary = Vocabulary::of(reading.model);
    // Only the workload of long forks calls its transactions by what is in them.
    let forks = vocabulary.is_some_and(|vocabulary| vocabulary.implied().is_some())
        && operations.iter().any(|operation| operation.function != "txn");
    let functions = match vocabulary {
        Some(vocabulary) => functions(vocabulary, operations, &places)?,
        None => Vec::new(),
    };
    let kept = separate(vocabulary, &functions, operations, keys);
    let failed_cas = reading.failed_cas.or(format.failed_cas);
    let mut failures = Failures::default();
    for ((operation, function), place) in operations.iter_mut().zip(&functions).zip(&places) {
        canonical(operation, function).map_err(|reason| Stop::at(*place, reason))?;
        failures.decide(operation, function, failed_cas);
    }
    let reads = |function: &&Function| matches!(function.gives, Gives::Read | Gives::Transaction);
    let initial = match (&reading.initial, recorder.initial) {
        (Some(initial), _) => initial.clone(),
        (None, Some(initial)) => initial,
        (None, None) if functions.iter().any(reads) => format.initial.clone(),
        (None, None) => Value::Nil,
    };
    let nil_reads = nil_reads(operations, &functions, &initial);
    let mut assumed = first_assumptions(format, reading.model, &initial);
    assumed.extend(forks.then(|| transactions::imply_writes(operations)).flatten());
    assumed.extend(failures.assumption(failed_cas));
    assumed.extend(nil_reads.or_else(|| nil_micros(operations, &functions, &initial)));
    assumed.extend(kept);
    assumed.extend(match recorder.sessions_only {
        true => Some(sessions::times()),
        false => times(timed, untimed),
    });
    assumed.extend(processes);
    assumed.extend(recorder.assumed);
    if nemesis > 0 {
        let words = format!("{nemesis} events of the nemesis are left out");
        assumed.push(Assumption { name: "nemesis", value: "ignored".into(), words });
    }
    Ok(Imported { history, format, initial, assumed })
}

/// What is assumed of every file.
pub fn first_assumptions(format: &Format, model: &str, initial: &Value) -> Vec<Assumption> {
    let start = match initial {
        Value::Nil => "every object starts where the model says".to_owned(),
        initial => format!("every object starts at {initial}"),
    };
    let said = |name, value: Value, words| Assumption { name, value, words };
    vec![
        said("format", format.name.into(), format!("the format is {}", format.name)),
        said("model", model.into(), format!("the model is {model}")),
        said("initial", initial.clone(), start),
    ]
}

fn times(timed: u64, untimed: u64) -> Option<Assumption> {
    let (value, words) = match (timed, untimed) {
        (_, 0) => return None,
        (0, _) => (
            "none",
            "the file has no times: only its order counts, and events are shown 1 ms apart"
                .to_owned(),
        ),
        _ => (
            "partial",
            format!("{untimed} events without a time stand at that of the event before"),
        ),
    };
    Some(Assumption { name: "times", value: value.into(), words })
}

/// The function of each operation; renames them on the way.
fn functions(
    vocabulary: &'static Vocabulary,
    operations: &mut [Operation],
    places: &[Place],
) -> Result<Vec<&'static Function>, Stop> {
    let mut functions = Vec::with_capacity(operations.len());
    for (operation, place) in operations.iter_mut().zip(places) {
        let found = vocabulary.function(&operation.function);
        let function = found.ok_or_else(|| {
            let foreign = &operation.function;
            let reason = format!("the model {} has no function \"{foreign}\"", vocabulary.model);
            let models = Vocabulary::models_with(foreign).collect::<Vec<_>>().join(", ");
            match models.as_str() {
                "" => Stop::at(*place, reason).suggest("no model of Wrack's has it"),
                models => Stop::at(*place, reason).suggest(format!("--model can be {models}")),
            }
        })?;
        operation.function = SmolStr::new_static(function.name);
        functions.push(function);
    }
    Ok(functions)
}

/// Gives every operation its key, if there are keys.
fn separate(
    vocabulary: Option<&Vocabulary>,
    functions: &[&Function],
    operations: &mut [Operation],
    mut beside: Vec<Value>,
) -> Option<Assumption> {
    let said = |value: &str, words: &str| {
        Some(Assumption { name: "keys", value: value.into(), words: words.into() })
    };
    if !beside.is_empty() {
        beside.resize(operations.len(), Value::Nil);
        name_keys(operations, beside);
        return said("beside", "the key of an operation stands beside its value");
    }
    if vocabulary?.keys == Keys::None {
        return None;
    }
    let independent = !operations.is_empty()
        && operations
            .iter()
            .zip(functions)
            .all(|(operation, function)| is_keyed(operation, function));
    if !independent {
        return said("none", "all operations are on one object");
    }
    let split = |value: &mut Value| {
        let (key, inner) = value.as_pair().map(|(key, inner)| (key.clone(), inner.clone()))?;
        *value = inner;
        Some(key)
    };
    let mut keys = Vec::with_capacity(operations.len());
    for operation in &mut *operations {
        keys.push(split(&mut operation.argument).expect("every value is a pair"));
        split(&mut operation.result);
    }
    name_keys(operations, keys);
    said("independent", "values are [key value] of independent keys")
}

/// Whether an operation can be one on an independent key.
fn is_keyed(operation: &Operation, function: &Function) -> bool {
    let Some((key, value)) = operation.argument.as_pair() else {
        return false;
    };
    let scalar = matches!(key, Value::Bool(_) | Value::Integer(_) | Value::Text(_));
    let inside = function.takes != Takes::Cas || value.as_pair().is_some();
    let learns = operation.is_ok() && matches!(function.gives, Gives::Read | Gives::Value);
    let answer = operation.result.as_pair().map_or(!learns, |(same, _)| same == key);
    scalar && inside && answer
}

/// Writes keys as names. If some are texts and some are not, texts are written in quotes, so that
/// `1` and `"1"` stay two keys.
fn name_keys(operations: &mut [Operation], keys: Vec<Value>) {
    let is_text = |key: &Value| matches!(key, Value::Text(_));
    let mixed = keys.iter().any(is_text) && !keys.iter().all(|key| is_text(key) || key.is_nil());
    for (operation, key) in operations.iter_mut().zip(keys) {
        operation.key = match key {
            Value::Nil => SmolStr::default(),
            Value::Text(text) if !mixed => text,
            key => format_smolstr!("{key}"),
        };
    }
}

/// Brings argument and result into the form that the model asks for.
fn canonical(operation: &mut Operation, function: &Function) -> Result<(), String> {
    let (argument, result) = (&mut operation.argument, &mut operation.result);
    match function.takes {
        Takes::Nothing => *argument = Value::Nil,
        Takes::Value => {}
        Takes::Cas if argument.as_pair().is_some() => {}
        Takes::Cas => return Err(format!("a cas takes [expected new], not {argument}")),
        Takes::Transfer => *argument = transfer(argument)?,
        Takes::Micros => *argument = micros(argument)?,
        Takes::MicrosOf(micro) => *argument = micros_of(micro, argument)?,
        Takes::Transaction(objects) => *argument = transactions::asked(objects, argument)?,
    }
    if operation.outcome != Outcome::Ok {
        *result = Value::Nil;
        return Ok(());
    }
    match (function.gives, &*result) {
        (Gives::Nothing, _) => *result = Value::Nil,
        (Gives::Value | Gives::Read, _) | (Gives::Success | Gives::Truth, Value::Bool(_)) => {}
        (Gives::Success, _) => *result = true.into(),
        (Gives::Truth, _) => *result = Value::Nil,
        (Gives::Balances, _) => *result = balances(result)?,
        (Gives::Transaction, _) => {
            let Takes::Transaction(objects) = function.takes else {
                unreachable!("only transactions answer as transactions do")
            };
            *result = transactions::answered(objects, argument, result)?;
        }
        (Gives::Micros, _) => {
            *result = match function.takes {
                Takes::MicrosOf(micro) => micros_of(micro, result)?,
                _ => micros(result)?,
            };
            same_micros(argument, result)?;
        }
    }
    Ok(())
}

fn transfer(value: &Value) -> Result<Value, String> {
    let wrong = || format!("a transfer is {{:from :to :amount}} or [from to amount], not {value}");
    let list = value.as_list().ok_or_else(wrong)?;
    if list.iter().all(|part| part.as_integer().is_some()) && list.len() == 3 {
        return Ok(value.clone());
    }
    let part = |name: &str| {
        let named = |pair: &&Value| pair.as_pair().is_some_and(|(key, _)| *key == name.into());
        list.iter().find(named).and_then(Value::as_pair).map(|(_, part)| part.clone())
    };
    let parts = [part("from"), part("to"), part("amount")];
    let parts = parts.into_iter().collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
    Ok(Value::list(parts))
}

fn balances(value: &Value) -> Result<Value, String> {
    let wrong = || format!("a read of a bank answers a map of accounts and balances, not {value}");
    let list = value.as_list().ok_or_else(wrong)?;
    let mut flat = Vec::with_capacity(2 * list.len());
    for pair in list {
        let (account, balance) = pair.as_pair().ok_or_else(wrong)?;
        flat.extend([account.clone(), balance.clone()]);
    }
    Ok(pairs(flat).expect("each account has its balance"))
}

/// Micro-operations `[function key value]`, functions by their full names.
fn micros(value: &Value) -> Result<Value, String> {
    let wrong = |what: &Value| {
        format!("a micro-operation is [:read key value] or [:write key value], not {what}")
    };
    let micro = |micro: &Value| {
        let Some([Value::Text(function), key, value]) = micro.as_list() else {
            return Err(wrong(micro));
        };
        let function = match function.as_str() {
            "read" | "r" => "read",
            "write" | "w" => "write",
            _ => return Err(wrong(micro)),
        };
        Ok(Value::list([function.into(), key.clone(), value.clone()]))
    };
    let list = value.as_list().ok_or_else(|| wrong(value))?;
    Ok(Value::list(list.iter().map(micro).collect::<Result<Vec<_>, _>>()?))
}

/// One micro-operation for each entry of a map.
fn micros_of(function: &str, value: &Value) -> Result<Value, String> {
    let wrong =
        || format!("a {function} of a multi-register is of a map of keys and values, not {value}");
    let micro = |pair: &Value| {
        let (key, value) = pair.as_pair().ok_or_else(wrong)?;
        Ok(Value::list([function.into(), key.clone(), value.clone()]))
    };
    let list = value.as_list().ok_or_else(wrong)?;
    Ok(Value::list(list.iter().map(micro).collect::<Result<Vec<_>, String>>()?))
}

/// Refuses an answer to other micro-operations than those that were invoked.
fn same_micros(argument: &Value, result: &Value) -> Result<(), String> {
    let asked = |list: &Value| {
        let parts = |micro: &Value| micro.as_list().map(|parts| parts[..2].to_vec());
        list.as_list().map(|list| list.iter().map(parts).collect::<Vec<_>>())
    };
    match asked(argument) == asked(result) {
        true => Ok(()),
        false => Err(format!("the answer {result} is none to the micro-operations {argument}")),
    }
}

/// What an error says of the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Mismatch,
    Absent,
    Otherwise,
}

fn said(operation: &Operation) -> Said {
    let error = operation.details.as_ref().and_then(|details| details.error.as_ref());
    let Some(error) = error else {
        return Said::Nothing;
    };
    let word = error.trim_start_matches(['[', '(', ':', '"', ' ']);
    let end = word.find(|mark: char| mark.is_whitespace() || matches!(mark, ',' | '"' | ']' | ')'));
    match &word[..end.unwrap_or(word.len())] {
        "22" | "precondition-failed" => Said::Mismatch,
        "20" | "key-does-not-exist" => Said::Absent,
        _ => Said::Otherwise,
    }
}

/// How failures of one history were taken.
#[derive(Default)]
struct Failures {
    observed: u64,
    ignored: u64,
    absent: u64,
}

impl Failures {
    fn decide(&mut self, operation: &mut Operation, function: &Function, rule: Option<FailedCas>) {
        if operation.outcome != Outcome::Fail {
            return;
        }
        let said = said(operation);
        let told = matches!(said, Said::Mismatch | Said::Absent);
        let result = match function.takes {
            Takes::Cas => {
                // If the expected value is nil, an absent key is no mismatch.
                let nil =
                    operation.argument.as_pair().is_some_and(|(expected, _)| expected.is_nil());
                let observed = match rule {
                    Some(FailedCas::Observed) => said != Said::Otherwise,
                    Some(FailedCas::Ignored) => false,
                    None => told,
                } && !(nil && said == Said::Absent);
                self.observed += u64::from(observed);
                self.ignored += u64::from(!observed);
                observed.then_some(Value::Bool(false))
            }
            _ => {
                let observed = function.gives == Gives::Read
                    && said == Said::Absent
                    && rule != Some(FailedCas::Ignored);
                self.absent += u64::from(observed);
                observed.then_some(Value::Nil)
            }
        };
        if let Some(result) = result {
            operation.outcome = Outcome::Ok;
            operation.result = result;
            operation.details = None;
        }
    }

    fn assumption(&self, rule: Option<FailedCas>) -> Option<Assumption> {
        let Self { observed, ignored, absent } = *self;
        if observed + ignored + absent == 0 {
            return None;
        }
        let value = rule.map_or("by-error", FailedCas::name).into();
        let mut words = format!(
            "of the cas that failed, {observed} found another value and {ignored} only had no effect"
        );
        if rule.is_none() {
            words += ", as their errors say (--failed-cas decides otherwise)";
        }
        if absent > 0 {
            words += &format!("; reads that failed because there was no key: {absent}");
        }
        Some(Assumption { name: "failed_cas", value, words })
    }
}

/// Decides what reads of nil say, and leaves out those that say nothing.
fn nil_reads(
    operations: &mut Vec<Operation>,
    functions: &[&Function],
    initial: &Value,
) -> Option<Assumption> {
    let says_nil = |(operation, function): (&Operation, &&Function)| {
        function.gives == Gives::Read && operation.is_ok() && operation.result.is_nil()
    };
    let count = operations.iter().zip(functions).filter(|pair| says_nil(*pair)).count();
    if count == 0 {
        return None;
    }
    let writes_nil = |(operation, function): (&Operation, &&Function)| match function.takes {
        Takes::Value => operation.argument.is_nil(),
        Takes::Cas => operation.argument.as_pair().is_some_and(|(_, new)| new.is_nil()),
        _ => function.name == "delete",
    };
    let said = |value: &str, words: String| {
        Some(Assumption { name: "nil_reads", value: value.into(), words })
    };
    if initial.is_nil() || operations.iter().zip(functions).any(writes_nil) {
        return said("observed", format!("reads that returned nil ({count}) found nothing there"));
    }
    let mut functions = functions.iter();
    operations.retain(|operation| {
        let function = functions.next().expect("each operation has its function");
        !says_nil((operation, function))
    });
    said("unknown", format!("reads that returned nil ({count}) learned nothing, and are left out"))
}

/// The same for the micro-operations of multi-registers, where each key has its own start.
fn nil_micros(
    operations: &mut [Operation],
    functions: &[&Function],
    initial: &Value,
) -> Option<Assumption> {
    let starts = initial.as_list()?;
    let started = |key: &Value| {
        starts.iter().filter_map(Value::as_pair).any(|(name, start)| name == key && !start.is_nil())
    };
    let is_nil = |micro: &Value, function: &str| match micro.as_list() {
        Some([name, key, Value::Nil]) => *name == function.into() && started(key),
        _ => false,
    };
    let of_micros = |function: &Function| function.gives == Gives::Micros;
    let writes_nil = |operation: &Operation| {
        operation.argument.as_list().unwrap_or_default().iter().any(|micro| is_nil(micro, "write"))
    };
    if functions.iter().any(|function| !of_micros(function)) || operations.iter().any(writes_nil) {
        return None;
    }
    let mut count = 0;
    for operation in operations.iter_mut().filter(|operation| operation.is_ok()) {
        let asked = operation.argument.as_list().unwrap_or_default();
        let learned = operation.result.as_list().unwrap_or_default();
        let kept = asked.iter().zip(learned).filter(|(_, micro)| !is_nil(micro, "read"));
        let (asked, learned): (Vec<_>, Vec<_>) =
            kept.map(|(asked, learned)| (asked.clone(), learned.clone())).unzip();
        let left_out = operation.argument.as_list().map_or(0, <[Value]>::len) - asked.len();
        if left_out > 0 {
            count += left_out;
            (operation.argument, operation.result) = (Value::list(asked), Value::list(learned));
        }
    }
    (count > 0).then(|| Assumption {
        name: "nil_reads",
        value: "unknown".into(),
        words: format!("reads that returned nil ({count}) learned nothing, and are left out"),
    })
}
