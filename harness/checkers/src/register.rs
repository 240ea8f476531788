//! What operations find in a register and leave there, as their clients learned.

use wrack_history::{Operation, Value};

/// The value that the operation leaves if it takes effect.
pub(crate) fn left(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        "write" => Some(&operation.argument),
        "cas" if is_refused(operation) => None,
        "cas" => operation.argument.as_pair().map(|(_, new)| new),
        _ => None,
    }
}

/// The value that the operation certainly found.
pub(crate) fn found(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        _ if !operation.is_ok() || is_refused(operation) => None,
        "read" => Some(&operation.result),
        "cas" => operation.argument.as_pair().map(|(expected, _)| expected),
        _ => None,
    }
}

/// Whether the operation is a cas that found another value.
pub(crate) fn is_refused(operation: &Operation) -> bool {
    operation.is_ok() && operation.function == "cas" && operation.result == Value::Bool(false)
}
