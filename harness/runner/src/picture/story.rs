//! How an anomaly came about, step by step: what was done to the world, who led when, who asked whom.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::picture::{Step, StepKind, Story};
use wrack_history::{Anomaly, Fact, FactRecord, Operation, Run, SmolStr, Trace, TraceKind};

use super::named;
use crate::{replay, story};

/// A story of more steps is told without its middle.
const STEPS_MAX: usize = 40;
/// A story begins so long before the first operation.
const BEFORE_NS: u64 = 2_000_000_000;
/// Without operations it begins so long before the anomaly.
const BEFORE_ALONE_NS: u64 = 30_000_000_000;
/// So many messages that carry the operations are told.
const MESSAGES_MAX: usize = 24;
/// Roles that somebody has alone.
const LEADING: [&str; 8] =
    ["leader", "primary", "owner", "holder", "coordinator", "operator", "active", "master"];

/// The story of an anomaly.
pub(super) fn of(
    place: u32,
    anomaly: &Anomaly,
    run: &Run,
    facts: &[FactRecord],
    trace: &Trace,
    servers: usize,
) -> Story {
    let named = named(run, anomaly);
    let roles = Roles::of(facts);
    let last_ns =
        named.iter().map(|one| one.complete.ns.min(run.phases.end_ns)).chain(anomaly.at_ns);
    let last_ns = last_ns.max().unwrap_or(run.phases.end_ns);
    let first_ns = named.iter().map(|one| one.invoke.ns).chain(anomaly.at_ns).min();
    let from_ns = first_ns.unwrap_or(last_ns).saturating_sub(match named.is_empty() {
        true => BEFORE_ALONE_NS,
        false => BEFORE_NS,
    });
    let mut steps = Vec::new();
    faults(run, from_ns, last_ns, &mut steps);
    nodes(run, facts, (from_ns, last_ns), &mut steps);
    clients(run, &named, (trace, servers, &roles), &mut steps);
    effects(run, facts, &named, last_ns, &mut steps);
    if named.is_empty() {
        accepted(run, facts, (from_ns, last_ns), &mut steps);
    }
    messages(run, &named, trace, last_ns, &mut steps);
    steps.sort_by_key(|step| step.ns);
    let left_out = steps.len().saturating_sub(STEPS_MAX);
    if left_out > 0 {
        steps.drain(STEPS_MAX / 2..STEPS_MAX / 2 + left_out);
    }
    Story { anomaly: place, steps, left_out: left_out as u32 }
}

/// Who had which role since when.
struct Roles<'a>(BTreeMap<u16, Vec<(u64, &'a SmolStr, u64)>>);

impl<'a> Roles<'a> {
    fn of(facts: &'a [FactRecord]) -> Self {
        let mut roles = BTreeMap::<u16, Vec<(u64, &SmolStr, u64)>>::new();
        for record in facts {
            if let Fact::Role { role, epoch } = &record.fact {
                roles.entry(record.node).or_default().push((record.ns, role, *epoch));
            }
        }
        Self(roles)
    }

    /// What a node believed to be then.
    fn at(&self, node: u16, ns: u64) -> Option<(&SmolStr, u64)> {
        let roles = self.0.get(&node)?;
        let later = roles.partition_point(|(since, _, _)| *since <= ns);
        roles.get(later.checked_sub(1)?).map(|(_, role, epoch)| (*role, *epoch))
    }

    /// Another node that had a role of its kind in a later epoch by then.
    fn newer(&self, node: u16, ns: u64) -> Option<(u16, u64)> {
        let (role, epoch) = self.at(node, ns)?;
        let others = self.0.keys().filter(|other| **other != node);
        let newest = others.filter_map(|other| {
            let (theirs, newer) = self.at(*other, ns)?;
            (theirs == role && newer > epoch).then_some((*other, newer))
        });
        newest.max_by_key(|(_, epoch)| *epoch).filter(|_| LEADING.contains(&role.as_str()))
    }
}

/// What was wrong with the world meanwhile.
fn faults(run: &Run, from_ns: u64, last_ns: u64, steps: &mut Vec<Step>) {
    for (number, fault) in (1..).zip(&run.faults) {
        let Some(injected_ns) = fault.injected_ns.filter(|ns| *ns <= last_ns) else { continue };
        let healed_ns = fault.healed_ns.unwrap_or(u64::MAX);
        if healed_ns < from_ns {
            continue;
        }
        let (kind, what) = (StepKind::Fault, format!("F{number} {}", fault.kind));
        let text = format!("{what} begins: {}", fault.detail);
        steps.push(Step { ns: injected_ns, kind, text });
        if healed_ns <= last_ns {
            steps.push(Step { ns: healed_ns, kind, text: format!("{what} is over") });
        }
    }
}

/// What became of nodes: a role that somebody has alone, a crash, a pause.
fn nodes(run: &Run, facts: &[FactRecord], window: (u64, u64), steps: &mut Vec<Step>) {
    for record in facts.iter().filter(|record| (window.0..=window.1).contains(&record.ns)) {
        let shown = match &record.fact {
            Fact::Crashed | Fact::Paused | Fact::Resumed | Fact::AssertionFailed { .. } => true,
            Fact::Booted { boot } => *boot > 0,
            Fact::Role { role, .. } => LEADING.contains(&role.as_str()),
            _ => false,
        };
        if shown {
            let text = replay::fact(record, run);
            steps.push(Step { ns: record.ns, kind: StepKind::Node, text });
        }
    }
}

/// What the named operations asked and learned, and from whom.
fn clients(
    run: &Run,
    named: &[&Operation],
    (trace, servers, roles): (&Trace, usize, &Roles<'_>),
    steps: &mut Vec<Step>,
) {
    let answered = replay::answered_in(trace);
    for operation in named {
        let asked = story::asked(operation, run);
        let kind = StepKind::Client;
        steps.push(Step { ns: operation.invoke.ns, kind, text: format!("{asked}: asked") });
        let ns = operation.complete.ns;
        if ns > run.phases.end_ns {
            continue;
        }
        let client = servers + operation.session as usize;
        let by = answered.get(&(ns, client as u16)).map(|node| by(run, roles, *node, ns));
        let learned = match story::outcome(operation) {
            outcome if operation.is_ok() => outcome.split(" at ").next().unwrap_or("").to_owned(),
            outcome => outcome,
        };
        let text = format!("{asked}: {learned}{}", by.unwrap_or_default());
        steps.push(Step { ns, kind, text });
    }
}

/// Who answered, what it believed to be, and who knew better.
fn by(run: &Run, roles: &Roles<'_>, node: u16, ns: u64) -> String {
    let name = |node: u16| run.nodes.get(usize::from(node)).map_or("?", SmolStr::as_str);
    let role = roles.at(node, ns);
    let role = role.map(|(role, epoch)| format!(", {role} in epoch {epoch}")).unwrap_or_default();
    let newer = roles.newer(node, ns);
    let newer =
        newer.map(|(other, epoch)| format!(" while {} already had epoch {epoch}", name(other)));
    let mut faults = run.faults.iter().zip(1..).filter(|(fault, _)| {
        let lasts = fault.injected_ns.unwrap_or(u64::MAX)..=fault.healed_ns.unwrap_or(u64::MAX);
        lasts.contains(&ns) && fault.nodes.iter().any(|hit| hit == name(node))
    });
    let fault = faults.next().map(|(fault, number)| format!(", under F{number} {}", fault.kind));
    format!(
        ", answered by {}{role}{}{}",
        name(node),
        newer.unwrap_or_default(),
        fault.unwrap_or_default()
    )
}

/// What fenced resources accepted: each time that another writer or epoch came, and the last.
fn accepted(run: &Run, facts: &[FactRecord], window: (u64, u64), steps: &mut Vec<Step>) {
    let mut last = BTreeMap::new();
    for record in facts.iter().filter(|record| (window.0..=window.1).contains(&record.ns)) {
        let Fact::Accepted { resource, epoch, writer } = &record.fact else { continue };
        if last.insert((record.node, resource), (*epoch, *writer)) != Some((*epoch, *writer)) {
            let text = replay::fact(record, run);
            steps.push(Step { ns: record.ns, kind: StepKind::Effect, text });
        }
    }
}

/// The messages between nodes that carry the named operations, by the tag in their content.
fn messages(run: &Run, named: &[&Operation], trace: &Trace, last_ns: u64, steps: &mut Vec<Step>) {
    let servers = run.nodes.len() - run.clients as usize;
    let is_server = |node: u16| usize::from(node) < servers;
    let name = |node: u16| &run.nodes[usize::from(node)];
    let mut told = 0;
    for (event, text) in trace.events.iter().zip(&trace.texts) {
        let between = is_server(event.node) && is_server(event.peer);
        if event.kind != TraceKind::Send || !between || event.ns > last_ns || told >= MESSAGES_MAX {
            continue;
        }
        let carried = |one: &&&Operation| text.contains(&format!("Tag({})", one.id));
        let Some(operation) = named.iter().find(carried) else { continue };
        let content = text.split_once(": ").map_or("", |(_, content)| content);
        let kind = content.trim_start_matches("Peer(");
        let kind = kind.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        let (from, to) = (name(event.node), name(event.peer));
        let text = format!("{from} sends {kind} to {to} ({})", story::asked(operation, run));
        steps.push(Step { ns: event.ns, kind: StepKind::Effect, text });
        told += 1;
    }
}

/// What nodes did for the named operations.
fn effects(
    run: &Run,
    facts: &[FactRecord],
    named: &[&Operation],
    last_ns: u64,
    steps: &mut Vec<Step>,
) {
    let is_named = |id: &u64| named.iter().any(|operation| operation.id == *id);
    let begins = named.iter().map(|operation| operation.invoke.ns).min().unwrap_or(0);
    let mut seen = BTreeSet::new();
    for record in facts.iter().filter(|record| (begins..=last_ns).contains(&record.ns)) {
        let shown = match &record.fact {
            Fact::Effect { operation, position, .. } => {
                is_named(operation) && seen.insert((*operation, *position))
            }
            Fact::Queued { operation, .. }
            | Fact::Taken { operation, .. }
            | Fact::Posted { operation, .. }
            | Fact::Processed { operation, .. }
            | Fact::Compared { operation, .. }
            | Fact::CacheRead { operation, .. } => is_named(operation),
            Fact::Recovered { operations } => operations.iter().any(is_named),
            _ => false,
        };
        if shown {
            let text = replay::fact(record, run);
            steps.push(Step { ns: record.ns, kind: StepKind::Effect, text });
        }
    }
}
