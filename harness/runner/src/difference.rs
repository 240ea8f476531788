//! Two runs that differ: what the one says and the other does not.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::duration::seconds;
use wrack_history::fault::ResolvedFault;
use wrack_history::{Operation, Run, Trace};

use crate::{determinism, story};

/// So many differences of one kind are shown.
const SHOWN_MAX: usize = 10;

/// What differs, a line each, from what was run to what was found; empty if nothing does.
pub fn differences(a: &Run, b: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    let mut field = |what: &str, a: &dyn ToString, b: &dyn ToString| {
        let (a, b) = (a.to_string(), b.to_string());
        if a != b {
            lines.push(format!("{what}: {a} | {b}"));
        }
    };
    field("version of Wrack", &a.wrack_version, &b.wrack_version);
    field("scenario", &a.scenario, &b.scenario);
    field("scenario file", &a.scenario_hash, &b.scenario_hash);
    field("variant", &a.variant, &b.variant);
    field("seed", &a.seed, &b.seed);
    field("engine", &a.engine, &b.engine);
    field("verdict", &a.verdict, &b.verdict);
    field("trace hash", &a.trace_hash, &b.trace_hash);
    let judged = |run: &Run| -> BTreeMap<String, String> {
        let one = |judgement: &wrack_history::Judgement| {
            let words = judgement.anomalies.first().map(|anomaly| anomaly.explanation.clone());
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            (judgement.code.to_string(), format!("{}{words}", judgement.verdict))
        };
        run.judgements.iter().map(one).collect()
    };
    lines.extend(of_names("promise", &judged(a), &judged(b)));
    let faults = |run: &Run| -> BTreeMap<(u32, u32), String> {
        run.faults.iter().map(|fault| ((fault.id, fault.occurrence), fault_words(fault))).collect()
    };
    lines.extend(of_names("fault", &named(&faults(a)), &named(&faults(b))));
    lines.extend(operations(a, b));
    lines
}

/// The first event that differs, with the one before it; `None` if the traces are the same.
pub fn first_event(a: &Trace, b: &Trace) -> Option<Vec<String>> {
    let line = |trace: &Trace, index: usize| match index < trace.events.len() {
        true => determinism::line(trace, index),
        false => "the trace has ended".into(),
    };
    let length = a.events.len().max(b.events.len());
    let first = (0..length).find(|index| line(a, *index) != line(b, *index))?;
    let mut lines = vec![format!("event {first} is the first that differs")];
    if first > 0 {
        lines.push(format!("  both: {}", line(a, first - 1)));
    }
    lines.push(format!("  one:   {}", line(a, first)));
    lines.push(format!("  other: {}", line(b, first)));
    Some(lines)
}

fn named(faults: &BTreeMap<(u32, u32), String>) -> BTreeMap<String, String> {
    let name = |((id, occurrence), words): (&(u32, u32), &String)| {
        (format!("{id}.{occurrence}"), words.clone())
    };
    faults.iter().map(name).collect()
}

fn fault_words(fault: &ResolvedFault) -> String {
    let time = |ns: Option<u64>| ns.map_or_else(|| "never".into(), seconds);
    let (from, to) = (time(fault.injected_ns), time(fault.healed_ns));
    let ResolvedFault { kind, detail, effect, unit, .. } = fault;
    format!("{kind} ({detail}) from {from} to {to}, {effect} {unit}")
}

/// What two lists of named things say differently.
fn of_names(what: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ: Vec<&String> =
        names.into_iter().filter(|name| a.get(*name) != b.get(*name)).collect();
    let words = |of: &BTreeMap<String, String>, name: &String| {
        of.get(name).cloned().unwrap_or_else(|| "none".into())
    };
    let shown = differ.iter().take(SHOWN_MAX);
    let line = |name: &&String| format!("{what} {name}: {} | {}", words(a, name), words(b, name));
    let mut lines: Vec<String> = shown.map(line).collect();
    lines.extend(more(differ.len(), &format!("{what}s")));
    lines
}

fn more(count: usize, what: &str) -> Option<String> {
    (count > SHOWN_MAX).then(|| format!("… {} more {what} differ", count - SHOWN_MAX))
}

/// Operations are the same if client and number are.
fn operations(a: &Run, b: &Run) -> Vec<String> {
    let by_name = |run: &Run| -> BTreeMap<(u64, u32), String> {
        let one = |one: &Operation| {
            let number = one.id / u64::from(run.clients.max(1));
            let (at, words) = (seconds(one.invoke.ns), story::told(one, run));
            ((number, one.session), format!("{at} {words}"))
        };
        run.history.operations.iter().map(one).collect()
    };
    let (here, there) = (by_name(a), by_name(b));
    let names: BTreeSet<&(u64, u32)> = here.keys().chain(there.keys()).collect();
    let differ: Vec<_> =
        names.into_iter().filter(|name| here.get(*name) != there.get(*name)).collect();
    let words = |of: &BTreeMap<(u64, u32), String>, name: &(u64, u32)| {
        of.get(name).cloned().unwrap_or_else(|| "not invoked".into())
    };
    let line = |name: &&(u64, u32)| {
        let (number, client) = (name.0, name.1 + 1);
        let (one, other) = (words(&here, name), words(&there, name));
        format!("operation {number} of client {client}: {one} | {other}")
    };
    let mut lines: Vec<String> = differ.iter().take(SHOWN_MAX).map(line).collect();
    lines.extend(more(differ.len(), "operations"));
    lines
}

#[cfg(test)]
mod tests {
    use wrack_history::{TraceEvent, TraceKind};

    use super::*;

    #[test]
    fn runs_that_are_the_same_have_no_differences() {
        let run = Run { seed: 3, ..Run::default() };
        assert!(differences(&run, &run).is_empty());
        let other = Run { seed: 4, ..Run::default() };
        assert_eq!(differences(&run, &other), ["seed: 3 | 4"]);
    }

    #[test]
    fn the_first_event_that_differs_is_shown_with_the_one_before() {
        let event = |ns| TraceEvent { ns, detail: 0, kind: TraceKind::Timer, node: 0, peer: 0 };
        let trace = |times: &[u64]| Trace {
            events: times.iter().map(|ns| event(*ns)).collect(),
            texts: times.iter().map(|ns| format!("at {ns}").into()).collect(),
        };
        assert_eq!(first_event(&trace(&[1, 2]), &trace(&[1, 2])), None);
        let lines = first_event(&trace(&[1, 2, 3]), &trace(&[1, 2])).unwrap();
        assert_eq!(lines[0], "event 2 is the first that differs");
        assert!(lines[1].contains("at 2") && lines[2].contains("at 3"));
        assert_eq!(lines[3], "  other: the trace has ended");
    }
}
