//! A run told in words: who asked what, what was injected, and what contradicts what was promised.

use wrack_history::duration::seconds;
use wrack_history::fault::ResolvedFault;
use wrack_history::{Anomaly, Operation, Outcome, Run};
use wrack_scenario::{Remarks, Scenario};

/// So many steps are told; a story of more is not a small one.
const STEPS_MAX: usize = 60;

/// The run as a paragraph of one sentence a line: what happened in order of time, and at the end the
/// anomaly.
pub fn tell(run: &Run, anomaly: &Anomaly) -> String {
    let operations = run.history.operations.iter().map(|one| (one.invoke.ns, told(one, run)));
    let faults = run.faults.iter().filter_map(|fault| Some((fault.injected_ns?, fault)));
    let healed = faults.clone().filter_map(|(_, fault)| {
        Some((fault.healed_ns?, format!("{} ({}) is over.", fault.kind, fault.detail)))
    });
    let faults = faults.map(|(ns, fault)| (ns, format!("{}: {}.", fault.kind, fault.detail)));
    let mut steps: Vec<(u64, String)> = faults.chain(operations).chain(healed).collect();
    steps.sort_by_key(|(ns, _)| *ns);
    let more = steps.len().saturating_sub(STEPS_MAX);
    steps.truncate(STEPS_MAX);
    let mut lines: Vec<String> =
        steps.into_iter().map(|(ns, words)| format!("{}  {words}", seconds(ns))).collect();
    if more > 0 {
        lines.push(format!("… and {more} steps more."));
    }
    lines.push(format!("{}: {}", anomaly.code, anomaly.explanation));
    lines.join("\n")
}

/// What is said beside the operations and faults of a scenario that has them explicitly.
pub fn remarks(scenario: &Scenario, run: &Run) -> Remarks {
    let learned = |one: &wrack_scenario::ExplicitOperation| {
        let mut found = run.history.operations.iter().filter(|found| {
            found.session == one.client
                && found.id / u64::from(run.clients) == u64::from(one.number)
        });
        found.next().map_or_else(|| "never invoked".into(), outcome)
    };
    let touched = |fault: &ResolvedFault| {
        let (detail, effect, unit) = (&fault.detail, fault.effect, &fault.unit);
        format!("{detail}: {effect} {unit}")
    };
    let faults = scenario.faults.iter().map(|entry| {
        crate::resolve::of(entry, run).map_or_else(|| "never injected".into(), touched)
    });
    Remarks {
        head: Vec::new(),
        operations: scenario.operations.iter().flatten().map(learned).collect(),
        faults: faults.collect(),
    }
}

/// One operation as a sentence.
pub fn told(operation: &Operation, run: &Run) -> String {
    format!("{}: {}.", asked(operation, run), outcome(operation))
}

/// Who asked what.
pub fn asked(operation: &Operation, run: &Run) -> String {
    let servers = run.nodes.len() - run.clients as usize;
    let client = run.nodes.get(servers + operation.session as usize);
    let client = client.cloned().unwrap_or_else(|| format!("session {}", operation.session).into());
    let Operation { function, key, argument, .. } = operation;
    let argument = if argument.is_nil() { String::new() } else { format!(" {argument}") };
    format!("{client}: {function}{argument} under {key}")
}

/// How an operation ended, in a few words.
pub fn outcome(operation: &Operation) -> String {
    let error = operation.details.as_ref().and_then(|details| details.error.as_deref());
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    match operation.outcome {
        _ if operation.complete.ns == u64::MAX => "never answered".into(),
        Outcome::Ok => {
            let result = match operation.result.is_nil() && operation.function != "read" {
                true => String::new(),
                false => format!(" {}", operation.result),
            };
            format!("ok{result} at {}", seconds(operation.complete.ns))
        }
        Outcome::Fail => format!("failed{why} at {}", seconds(operation.complete.ns)),
        Outcome::Info => format!("in doubt{why} at {}", seconds(operation.complete.ns)),
    }
}
