//! A run step by step, in words: what clients asked and learned, what was injected, what nodes noted,
//! and, if it is wanted, everything that the engine did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use wrack_history::duration::seconds;
use wrack_history::{Anomaly, Fact, FactRecord, Operation, Run, SmolStr, Trace, TraceKind};

use crate::story;

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct View {
    /// From when to when, in virtual nanoseconds.
    pub window: RangeInclusive<u64>,
    /// Only what is about these keys; everything if there are none.
    pub keys: BTreeSet<SmolStr>,
    /// Whether to show after each step what every node has of the key.
    pub versions: bool,
    /// Whether to show every event of the engine.
    pub trace: bool,
}

/// So much before and after an anomaly is shown.
const AROUND_NS: u64 = 100_000_000;

/// So much before the end is shown of a run without an anomaly.
const WITHOUT_NS: u64 = 1_000_000_000;

impl View {
    /// What is around an anomaly: its keys, from its first operation to its last; without one, the end of
    /// the run.
    pub fn around(run: &Run, anomaly: Option<&Anomaly>) -> Self {
        let named = |operation: &&Operation| {
            anomaly.is_some_and(|anomaly| anomaly.operations.contains(&operation.id))
        };
        let named: Vec<&Operation> = run.history.operations.iter().filter(named).collect();
        let end_ns = run.phases.end_ns;
        let at_ns = anomaly.and_then(|anomaly| anomaly.at_ns);
        let ended = |one: &&Operation| one.complete.ns.min(end_ns);
        let from_ns = named.iter().map(|one| one.invoke.ns).chain(at_ns).min();
        let to_ns = named.iter().map(ended).chain(at_ns).max().unwrap_or(end_ns);
        let from_ns = from_ns
            .map_or(to_ns.saturating_sub(WITHOUT_NS), |from_ns| from_ns.saturating_sub(AROUND_NS));
        let key = anomaly.and_then(|anomaly| anomaly.key.clone());
        Self {
            window: from_ns..=to_ns.saturating_add(AROUND_NS),
            keys: named.iter().map(|one| one.key.clone()).chain(key).collect(),
            versions: false,
            trace: false,
        }
    }

    /// No further than that; if it would begin later, what is just before that.
    pub fn until(mut self, until_ns: u64) -> Self {
        let from_ns = *self.window.start();
        self.window = match from_ns < until_ns {
            true => from_ns..=until_ns,
            false => until_ns.saturating_sub(WITHOUT_NS)..=until_ns,
        };
        self
    }
}

/// One step.
struct Step {
    /// When it happened.
    ns: u64,
    /// Its place among the steps of one time.
    place: u8,
    /// What it was.
    words: String,
    /// What a node has, or shows, of a key from then on.
    held: Option<(u16, SmolStr, String)>,
}

impl Step {
    fn new(ns: u64, place: u8, words: String) -> Self {
        Self { ns, place, words, held: None }
    }
}

/// The steps of a run, which has its trace in words, a line each.
pub fn steps(run: &Run, view: &View) -> Vec<String> {
    let mut steps = Vec::new();
    nemesis(run, &mut steps);
    operations(run, view, &mut steps);
    if view.trace {
        trace(run, &mut steps);
    }
    let keys = keys_of(run);
    for record in run.facts.iter().filter(|record| is_shown(&record.fact, view, &keys)) {
        let held = held(record).filter(|(key, _)| view.keys.contains(key));
        let held = held.map(|(key, version)| (record.node, key, version));
        steps.push(Step { held, ..Step::new(record.ns, 2, fact(record, run)) });
    }
    steps.retain(|step| view.window.contains(&step.ns));
    steps.sort_by_key(|step| (step.ns, step.place));
    let mut all = BTreeMap::new();
    let line = |step: Step| {
        let mut line = format!("{}  {}", seconds(step.ns), step.words);
        if let Some((node, key, version)) = step.held.filter(|_| view.versions) {
            all.insert((node, key), version);
            let one = |((node, key), version): (&(u16, SmolStr), &String)| {
                format!("{} {key} = {version}", run.nodes[usize::from(*node)])
            };
            let all = all.iter().map(one).collect::<Vec<_>>();
            let _ = write!(line, "    [{}]", all.join("; "));
        }
        line
    };
    steps.into_iter().map(line).collect()
}

fn nemesis(run: &Run, steps: &mut Vec<Step>) {
    for event in &run.history.nemesis {
        let what = if event.injected { "begins" } else { "is over" };
        let words = format!("{} {what}: {}", event.name, event.detail);
        steps.push(Step::new(event.at.ns, 0, words));
    }
}

fn operations(run: &Run, view: &View, steps: &mut Vec<Step>) {
    let wanted = |one: &&Operation| view.keys.is_empty() || view.keys.contains(&one.key);
    let (servers, answered) = (run.nodes.len() - run.clients as usize, answered(run));
    for operation in run.history.operations.iter().filter(wanted) {
        let (asked, learned) = (story::asked(operation, run), story::outcome(operation));
        steps.push(Step::new(operation.invoke.ns, 1, asked.clone()));
        if operation.complete.ns == u64::MAX {
            continue;
        }
        let client = servers + operation.session as usize;
        let node = answered.get(&(operation.complete.ns, client as u16));
        let node = node.filter(|_| operation.is_ok());
        let by = node.map(|node| format!(" by {}", run.nodes[usize::from(*node)]));
        let (by, from) = (by.unwrap_or_default(), seconds(operation.invoke.ns));
        let words = format!("{asked}: {learned}{by}, asked at {from}");
        let shown = node.filter(|_| operation.function == "read");
        let shown = shown.map(|node| (*node, operation.key.clone(), operation.result.to_string()));
        steps.push(Step { held: shown, ..Step::new(operation.complete.ns, 3, words) });
    }
}

fn answered(run: &Run) -> BTreeMap<(u64, u16), u16> {
    run.trace.as_ref().map(answered_in).unwrap_or_default()
}

/// Whose message it was that let a client complete an operation at that time.
pub(crate) fn answered_in(trace: &Trace) -> BTreeMap<(u64, u16), u16> {
    let mut last = BTreeMap::new();
    let mut answered = BTreeMap::new();
    for event in &trace.events {
        match event.kind {
            TraceKind::Deliver => drop(last.insert(event.node, (event.ns, event.peer))),
            TraceKind::Complete => {
                let message = last.get(&event.node).filter(|(ns, _)| *ns == event.ns);
                answered.extend(message.map(|(ns, peer)| ((*ns, event.node), *peer)));
            }
            _ => (),
        }
    }
    answered
}

fn trace(run: &Run, steps: &mut Vec<Step>) {
    let Some(trace) = &run.trace else { return };
    for (event, text) in trace.events.iter().zip(&trace.texts) {
        let kind = format!("{:?}", event.kind).to_lowercase();
        steps.push(Step::new(event.ns, 4, format!("  {kind}: {text}")));
    }
}

/// The key of each operation.
fn keys_of(run: &Run) -> BTreeMap<u64, &SmolStr> {
    run.history.operations.iter().map(|operation| (operation.id, &operation.key)).collect()
}

/// What becomes of nodes is always shown; else what is about the keys.
fn is_shown(fact: &Fact, view: &View, keys: &BTreeMap<u64, &SmolStr>) -> bool {
    let wanted = |key: &SmolStr| view.keys.is_empty() || view.keys.contains(key);
    let of = |operation: &u64| keys.get(operation).is_some_and(|key| wanted(key));
    match fact {
        Fact::Booted { .. }
        | Fact::Crashed
        | Fact::Paused
        | Fact::Resumed
        | Fact::Role { .. }
        | Fact::AssertionFailed { .. } => true,
        Fact::Effect { key, .. } | Fact::Derived { key, .. } | Fact::Delivered { key, .. } => {
            wanted(key)
        }
        Fact::Durable { resource, .. } | Fact::Accepted { resource, .. } => wanted(resource),
        Fact::Acknowledged { operation }
        | Fact::Queued { operation, .. }
        | Fact::Taken { operation, .. }
        | Fact::Posted { operation, .. }
        | Fact::Processed { operation, .. }
        | Fact::Compared { operation, .. }
        | Fact::CacheRead { operation, .. }
        | Fact::Prepared { operation, .. }
        | Fact::Settled { operation, .. } => of(operation),
        Fact::Recovered { operations } => operations.iter().any(of),
        _ => view.keys.is_empty(),
    }
}

/// One fact as a clause.
pub(crate) fn fact(record: &FactRecord, run: &Run) -> String {
    let node = &run.nodes[usize::from(record.node)];
    let name = |operation: &u64| {
        let known = run.history.operations.iter().find(|one| one.id == *operation);
        known.map_or_else(|| format!("operation {operation}"), |one| story::asked(one, run))
    };
    let words = match &record.fact {
        Fact::Booted { boot: 0 } => "boots".into(),
        Fact::Booted { boot } => format!("boots again, for the time {}", boot + 1),
        Fact::Role { role, epoch } => format!("believes to be {role} in epoch {epoch}"),
        Fact::Effect { key, value, position, operation } => {
            format!("{key} is {value} at position {position} ({})", name(operation))
        }
        Fact::Derived { key, value, offset } => format!("shows {value} under {key} at {offset}"),
        Fact::Delivered { key, updates, .. } => {
            let from = |update: &wrack_history::fact::UpdateName| {
                let origin = &run.nodes[usize::from(update.origin)];
                format!("{origin} #{}", update.sequence)
            };
            let updates = updates.iter().map(from).collect::<Vec<_>>().join(", ");
            format!("has of {key} the updates {updates}")
        }
        Fact::Durable { resource, version } => {
            format!("has version {version} of {resource} on its disk")
        }
        Fact::Accepted { resource, epoch, writer } => {
            let writer = &run.nodes[usize::from(*writer)];
            format!("accepts a write to {resource} by {writer} in epoch {epoch}")
        }
        Fact::Acknowledged { operation } => format!("answers {}", name(operation)),
        Fact::Queued { queue, operation } => format!("puts {} into {queue}", name(operation)),
        Fact::Taken { queue, operation } => format!("takes {} out of {queue}", name(operation)),
        Fact::Posted { book, entry, operation, .. } => {
            format!("enters {} into {book} at {entry}", name(operation))
        }
        Fact::Processed { operation, .. } => format!("has done {}", name(operation)),
        Fact::Compared { operation, base, found, accepted } => {
            let verb = if *accepted { "accepts" } else { "refuses" };
            format!("{verb} {}: based on version {base}, found {found}", name(operation))
        }
        Fact::CacheRead { operation, hit } => {
            let verb = if *hit { "answers from its cache" } else { "has not in its cache" };
            format!("{verb} {}", name(operation))
        }
        Fact::Prepared { operation, .. } => format!("promises its part of {}", name(operation)),
        Fact::Settled { operation, committed, .. } => {
            let verb = if *committed { "does" } else { "drops" };
            format!("{verb} its part of {}", name(operation))
        }
        Fact::Recovered { operations } => {
            format!("has the effects of {} operations on its disk after a boot", operations.len())
        }
        Fact::AssertionFailed { name, message } => format!("breaks {name}: {message}"),
        Fact::Custom { name, value } => format!("{name} {value}"),
        Fact::Sometimes { name } => format!("reaches {name}"),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{node} {words}")
}

/// What a node has of which key from now on, if the fact says so.
fn held(record: &FactRecord) -> Option<(SmolStr, String)> {
    let (key, version) = match &record.fact {
        Fact::Effect { key, value, position, .. } => (key, format!("{value} at {position}")),
        Fact::Derived { key, value, offset } => (key, format!("{value} at {offset}")),
        Fact::Durable { resource, version } => (resource, format!("version {version}")),
        Fact::Delivered { key, updates, digest } => {
            (key, format!("{} more, {digest:016x}", updates.len()))
        }
        _ => return None,
    };
    Some((key.clone(), version))
}

#[cfg(test)]
mod tests {
    use wrack_history::{Moment, Outcome, Value};

    use super::*;

    fn operation(id: u64, key: &str, ns: u64) -> Operation {
        let moment = |index, ns| Moment { index, ns };
        Operation {
            id,
            process: 0,
            session: 0,
            key: key.into(),
            function: "write".into(),
            argument: 7.into(),
            result: Value::Nil,
            outcome: Outcome::Ok,
            invoke: moment(2 * id, ns),
            complete: moment(2 * id + 1, ns + 10),
            details: None,
        }
    }

    fn sample() -> Run {
        let effect = |node, ns, key: &str, position| FactRecord {
            ns,
            node,
            fact: Fact::Effect { operation: 0, key: key.into(), value: 7.into(), position },
        };
        let mut run = Run {
            nodes: vec!["n1".into(), "n2".into(), "client-1".into()],
            clients: 1,
            facts: vec![effect(0, 5, "a", 1), effect(1, 8, "a", 1), effect(0, 25, "b", 2)],
            ..Run::default()
        };
        run.phases.end_ns = 1_000;
        run.history.operations = vec![operation(0, "a", 0), operation(1, "b", 20)];
        run
    }

    #[test]
    fn an_entity_shows_what_every_node_has_of_it() {
        let mut view = View::around(&sample(), None);
        (view.keys, view.versions) = (BTreeSet::from(["a".into()]), true);
        let steps = steps(&sample(), &view);
        let expected = [
            "0.000 s  client-1: write 7 under a",
            "0.000 s  n1 a is 7 at position 1 (client-1: write 7 under a)    [n1 a = 7 at 1]",
            "0.000 s  n2 a is 7 at position 1 (client-1: write 7 under a)    [n1 a = 7 at 1; n2 a = 7 at 1]",
            "0.000 s  client-1: write 7 under a: ok at 0.000 s, asked at 0.000 s",
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn around_an_anomaly_only_its_keys_are_shown() {
        let run = sample();
        let anomaly = Anomaly { operations: vec![1], ..Anomaly::default() };
        let view = View::around(&run, Some(&anomaly));
        assert_eq!(view.keys, BTreeSet::from(["b".into()]));
        assert_eq!(view.window, 0..=30 + AROUND_NS);
        assert_eq!(steps(&run, &view).len(), 3);
    }
}
