//! Words for operations and moments, so that all anomalies speak alike.

use std::fmt::Display;

use wrack_history::duration::seconds;
use wrack_history::{NodeIndex, Operation, Outcome, SmolStr, Value};

/// A cas by what it compares and sets: `cas 3 to 7`.
fn cas(operation: &Operation) -> String {
    match operation.argument.as_pair() {
        Some((expected, new)) => format!("cas {expected} to {new}"),
        None => format!("cas {}", operation.argument),
    }
}

/// The operation as a noun: `write 7 by process 2`.
pub(crate) fn noun(operation: &Operation) -> String {
    let what = match operation.function.as_str() {
        "cas" => cas(operation),
        "read" if operation.is_ok() => format!("read {}", short(&operation.result)),
        function if operation.argument.is_nil() && !operation.result.is_nil() => {
            format!("{function} of {}", short(&operation.result))
        }
        function if operation.argument.is_nil() => function.to_owned(),
        function => format!("{function} {}", short(&operation.argument)),
    };
    format!("{what} by process {}", operation.process)
}

/// The operation as a sentence without its end: `process 3 read 4 of k1`.
pub(crate) fn sentence(operation: &Operation) -> String {
    let process = operation.process;
    let refused = operation.result == Value::Bool(false);
    match (operation.function.as_str(), operation.outcome) {
        ("read", Outcome::Ok) => {
            let found = short(&operation.result);
            format!("process {process} read {found}{}", of(operation))
        }
        ("contains", Outcome::Ok) => {
            let found = if refused { "did not find" } else { "found" };
            format!("process {process} {found} {}{}", short(&operation.argument), of(operation))
        }
        ("cas", Outcome::Ok) if refused => {
            format!("process {process} was refused {}{}", cas(operation), of(operation))
        }
        (function, outcome) => {
            let (argument, key) = (short(&operation.argument), of(operation));
            let asked = match function {
                "cas" => cas(operation),
                _ if operation.argument.is_nil() => function.to_owned(),
                _ => format!("{function} {argument}"),
            };
            let learned = match outcome {
                Outcome::Ok if finds_nothing(operation) => " and found nothing".to_owned(),
                Outcome::Ok if operation.result.is_nil() => " and was told ok".to_owned(),
                Outcome::Ok => format!(" and was told {}", short(&operation.result)),
                Outcome::Fail => " and was told that it failed".to_owned(),
                Outcome::Info => " and never learned the outcome".to_owned(),
            };
            format!("process {process} asked to {asked}{key}{learned}")
        }
    }
}

/// Whether the operation asked for what comes next, and there was nothing.
fn finds_nothing(operation: &Operation) -> bool {
    let takes = matches!(operation.function.as_str(), "dequeue" | "pop" | "delete-min");
    takes && operation.result.is_nil()
}

/// ` of k1`, or nothing where there is only one object.
pub(crate) fn of(operation: &Operation) -> String {
    if operation.key.is_empty() { String::new() } else { format!(" of {}", operation.key) }
}

/// A value that may be a long list, cut short.
pub(crate) fn short(value: &Value) -> String {
    const SHOWN_MAX: usize = 8;
    match value.as_list() {
        Some(values) if values.len() > SHOWN_MAX => {
            let shown: Vec<String> = values[..SHOWN_MAX].iter().map(Value::to_string).collect();
            format!("[{}, … {} elements in all]", shown.join(", "), values.len())
        }
        _ => value.to_string(),
    }
}

/// When the client learned the outcome: `12.031 s`.
pub(crate) fn done_at(operation: &Operation) -> String {
    seconds(operation.complete.ns)
}

/// The operation as a sentence with when it was over, if it was.
pub(crate) fn told(operation: &Operation) -> String {
    match operation.complete.ns {
        u64::MAX => sentence(operation),
        _ => format!("{} at {}", sentence(operation), done_at(operation)),
    }
}

/// When it was open: `(12.020 s to 12.031 s)`.
pub(crate) fn span(operation: &Operation) -> String {
    let begin = seconds(operation.invoke.ns);
    match operation.complete.ns {
        u64::MAX => format!("(from {begin} on)"),
        end => format!("({begin} to {})", seconds(end)),
    }
}

/// A list for a sentence: `a, b and c`; of many the first, and how many more.
pub(crate) fn list<T: Display>(items: &[T]) -> String {
    const SHOWN_MAX: usize = 6;
    let more = items.len().saturating_sub(SHOWN_MAX);
    let mut shown: Vec<String> = items.iter().take(SHOWN_MAX).map(T::to_string).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

/// The name of a node, or its number where it has none.
pub(crate) fn node(nodes: &[SmolStr], index: NodeIndex) -> String {
    match nodes.get(usize::from(index)) {
        Some(name) => name.to_string(),
        None => format!("node {index}"),
    }
}

/// A count with its noun: `1 write`, `3 writes`.
pub(crate) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::{list, short};
    use wrack_history::Value;

    #[test]
    fn long_lists_are_cut_short() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&[1, 2, 3, 4, 5, 6, 7, 8]), "1, 2, 3, 4, 5, 6 and 2 more");
        let long = Value::list((0..10).map(Value::from));
        assert_eq!(short(&long), "[0, 1, 2, 3, 4, 5, 6, 7, … 10 elements in all]");
    }
}
