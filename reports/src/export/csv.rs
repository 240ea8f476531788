//! The operations of a run as a table, one a line.

use wrack_history::{Moment, Operation, Run, Value};

use crate::text;

/// The columns. Times are virtual nanoseconds since the run began; arguments and results are JSON.
const COLUMNS: [&str; 15] = [
    "operation",
    "process",
    "session",
    "key",
    "function",
    "argument",
    "result",
    "outcome",
    "invoked_ns",
    "completed_ns",
    "took_ns",
    "attempts",
    "region",
    "error",
    "anomalies",
];

/// Writes the table.
pub(crate) fn table(run: &Run) -> Vec<u8> {
    let mut to = csv::Writer::from_writer(Vec::new());
    to.write_record(COLUMNS).expect(TO_MEMORY);
    let mut named: Vec<(u64, &str)> = run
        .anomalies()
        .flat_map(|anomaly| anomaly.operations.iter().map(|id| (*id, anomaly.code.as_str())))
        .collect();
    named.sort_unstable();
    named.dedup();
    for operation in &run.history.operations {
        let first = named.partition_point(|(id, _)| *id < operation.id);
        let codes = named[first..].iter().take_while(|(id, _)| *id == operation.id);
        let codes: Vec<&str> = codes.map(|(_, code)| *code).collect();
        to.write_record(row(operation, &codes.join(" "))).expect(TO_MEMORY);
    }
    to.into_inner().expect(TO_MEMORY)
}

const TO_MEMORY: &str = "writing to memory succeeds";

fn row(operation: &Operation, anomalies: &str) -> [String; 15] {
    let details = operation.details.as_deref();
    let completed = (operation.complete != Moment::NEVER).then_some(operation.complete.ns);
    let took = completed.map(|ns| ns.saturating_sub(operation.invoke.ns));
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let detail = |text: Option<&wrack_history::SmolStr>| text.map(ToString::to_string);
    [
        operation.id.to_string(),
        operation.process.to_string(),
        operation.session.to_string(),
        operation.key.to_string(),
        operation.function.to_string(),
        json(&operation.argument),
        json(&operation.result),
        text::outcome(operation.outcome).into(),
        operation.invoke.ns.to_string(),
        number(completed),
        number(took),
        number(details.and_then(|details| details.attempts).map(u64::from)),
        detail(details.and_then(|details| details.region.as_ref())).unwrap_or_default(),
        detail(details.and_then(|details| details.error.as_ref())).unwrap_or_default(),
        anomalies.into(),
    ]
}

fn json(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        value => serde_json::to_string(value).expect("a value is plain data"),
    }
}
