//! The picture of a run that is kept in full: the run once more, with more of it looked at.
//!
//! The first run stays as fast as it is: what a report draws beside the history is measured by a second
//! one, which is the same run because a run is a function of scenario, variant, seed and version. Memory
//! stays bounded: the trace is kept around the anomalies alone, and numbers are looked at so often.

mod series;
mod space_time;
mod story;

use wrack_carriers::engines::SIM;
use wrack_history::picture::Picture;
use wrack_history::{Anomaly, Operation, Run};
use wrack_scenario::{Alerting, Bound, Expectation, Scenario};

use crate::catalogue::DesignEntry;
use crate::execute::{Frame, Order, TraceLevel};
use crate::{judge, metrics, swarm};

/// Numbers are looked at so often over the length of a run.
const LOOKS: u64 = 240;
/// So many anomalies are told with how they came about.
const STORIES_MAX: usize = 3;
/// An operation that takes longer is looked at where it begins and where it ends.
const OPERATION_NS_MAX: u64 = 120_000_000;
/// So much before and after is looked at.
const MARGIN_NS: u64 = 6_000_000;
/// Two stretches with less than this between them are looked at as one.
const GAP_NS: u64 = 200_000_000;
/// What is about nodes alone is looked at for so long before it became visible.
const BEFORE_NS: u64 = 60_000_000;

/// The picture of a run, by running it once more. Nothing where the second run is not the same: then
/// the scenario or the program is another one.
pub fn of(run: &Run, scenario: &Scenario, entry: &DesignEntry, variant: &Expectation) -> Picture {
    if run.engine != SIM.name || entry.engine.name != SIM.name {
        return Picture::default();
    }
    let drawn = swarm::draw(scenario, entry.info, run.seed);
    let scenario = drawn.as_ref();
    let told = told(run);
    let step_ns = (run.phases.end_ns / LOOKS).max(1);
    let windows = match told.first() {
        Some((_, first)) => windows(run, first),
        None => Vec::new(),
    };
    let frame = Frame { windows: all_windows(run, &told), step_ns };
    let codes: Vec<_> =
        judge::promises(scenario, entry).into_iter().map(|(code, _)| code).collect();
    let trace = if frame.windows.is_empty() { TraceLevel::Hash } else { TraceLevel::Texts };
    let frame = Some(&frame);
    let order = Order { trace, frame, ..Order::of(scenario, entry, variant, run.seed, &codes) };
    let execution = (entry.execute)(&order);
    if format!("{:016x}", execution.recording.trace_hash) != run.trace_hash {
        return Picture::default();
    }
    let facts = &execution.recording.facts;
    let servers = run.nodes.len() - run.clients as usize;
    let mut series = series::of(facts, run, step_ns);
    series.extend(series::of_looks(execution.looks));
    let trace = &execution.recording.trace;
    Picture {
        series,
        metrics: metrics::others(run, facts),
        budget: alerting(scenario).and_then(|(alerting, declared)| {
            metrics::alerts::budget(&alerting, declared, run, step_ns)
        }),
        space_time: (!windows.is_empty()).then(|| space_time::of(trace, facts, run, windows)),
        stories: told
            .iter()
            .map(|(place, anomaly)| story::of(*place, anomaly, run, facts, trace, servers))
            .collect(),
    }
}

/// The anomalies to tell, with their places: those that nobody expected first, then the expected ones; of
/// each code the first comes before the second of another.
fn told(run: &Run) -> Vec<(u32, &Anomaly)> {
    let mut all: Vec<(u32, &Anomaly)> = (0..).zip(run.anomalies()).collect();
    let mut seen = Vec::new();
    let rank = |anomaly: &Anomaly| match () {
        () if run.foreign.contains(&anomaly.code) => 0,
        () if anomaly.code == run.expected => 1,
        () => 2,
    };
    let mut ranked: Vec<(usize, usize, (u32, &Anomaly))> = Vec::new();
    for (place, anomaly) in all.drain(..) {
        let again = seen.iter().filter(|code| **code == &anomaly.code).count();
        seen.push(&anomaly.code);
        ranked.push((again, rank(anomaly), (place, anomaly)));
        if ranked.len() > 10_000 {
            break;
        }
    }
    ranked.sort_by_key(|(again, rank, (place, _))| (*again, *rank, *place));
    ranked.into_iter().map(|(_, _, one)| one).take(STORIES_MAX).collect()
}

/// The objective that a budget follows from: what the scenario declares, else its availability.
fn alerting(scenario: &Scenario) -> Option<(Alerting, bool)> {
    if let Some(alerting) = scenario.alert {
        return Some((alerting, true));
    }
    let availability = scenario.slos.iter().find(|slo| slo.metric == "availability")?;
    let Bound::AtLeast(objective_per_million) = availability.bound else { return None };
    let below_all = objective_per_million < 1_000_000;
    let alerting =
        Alerting { objective_per_million, baseline_errors_per_million: 0, events_min: 100 };
    below_all.then_some((alerting, false))
}

/// The operations that an anomaly names.
fn named<'a>(run: &'a Run, anomaly: &Anomaly) -> Vec<&'a Operation> {
    const NAMED_MAX: usize = 24;
    let known = anomaly.operations.iter().filter_map(|id| run.history.operation(*id));
    known.take(NAMED_MAX).collect()
}

fn all_windows(run: &Run, told: &[(u32, &Anomaly)]) -> Vec<(u64, u64)> {
    joined(told.iter().flat_map(|(_, anomaly)| windows(run, anomaly)).collect())
}

/// The stretches of time in which an anomaly comes about.
fn windows(run: &Run, anomaly: &Anomaly) -> Vec<(u64, u64)> {
    let end_ns = run.phases.end_ns;
    let mut windows = Vec::new();
    for operation in named(run, anomaly) {
        let (from, to) = (operation.invoke.ns, operation.complete.ns.min(end_ns));
        if to.saturating_sub(from) <= OPERATION_NS_MAX {
            windows.push((from, to));
        } else {
            windows.push((from, from + OPERATION_NS_MAX / 2));
            windows.push((to - OPERATION_NS_MAX / 2, to));
        }
    }
    if let Some(at_ns) = anomaly.at_ns {
        let before = if windows.is_empty() { BEFORE_NS } else { 0 };
        windows.push((at_ns.saturating_sub(before), at_ns));
    }
    let wider = |(from, to): (u64, u64)| (from.saturating_sub(MARGIN_NS), to + MARGIN_NS);
    joined(windows.into_iter().map(wider).collect())
}

/// Stretches that touch, or nearly do, become one.
fn joined(mut windows: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    windows.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in windows {
        match joined.last_mut() {
            Some(last) if from <= last.1.saturating_add(GAP_NS) => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn stretches_that_nearly_touch_become_one() {
        let far = 2 * super::GAP_NS;
        assert_eq!(joined(vec![(5, 9), (0, 5), (far, far + 9)]), [(0, 9), (far, far + 9)]);
    }
}
