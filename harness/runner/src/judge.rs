//! Judging: every promise of the design and of the scenario, the guards, and what was expected.

use wrack_carriers::{engines, thread};
use wrack_checkers::{Derived, Evidence, Judge};
use wrack_history::catalogue::defaults;
use wrack_history::run::{RESULT_FORMAT, Run};
use wrack_history::{Fact, FactRecord, Judgement, Settings, SmolStr, Verdict};
use wrack_scenario::{Expectation, Scenario};

use crate::catalogue::{DesignEntry, Own};
use crate::execute::{Execution, Order, TraceLevel};
use crate::{early, metrics, swarm, vacuity};

/// Configurations that a checker visits per key at most, unless it is told otherwise.
pub const STATES_MAX: u64 = 1_000_000;

/// Runs a variant of a scenario with a seed, on the engine of the design's entry, and judges it. With a
/// trace in words, all facts are kept, too.
///
/// # Panics
/// If the engine is missing in this build: whoever chooses one has asked.
pub fn run(
    scenario: &Scenario,
    entry: &DesignEntry,
    variant: &Expectation,
    seed: u64,
    trace: TraceLevel,
) -> Run {
    carried((scenario, entry, variant), seed, trace, Purpose::Result)
}

/// The same, and objectives and alerts are measured whatever is expected of the variant: of a broken one
/// they say what it would have cost, and judge nothing.
pub fn run_observed(
    scenario: &Scenario,
    entry: &DesignEntry,
    variant: &Expectation,
    seed: u64,
) -> Run {
    carried((scenario, entry, variant), seed, TraceLevel::Hash, Purpose::Observation)
}

/// The same for whoever asks only whether it shows what is expected of the variant, or of one that must
/// be valid whether it does wrong: where that is linearizability, the run ends as soon as it is broken.
///
/// Such a run is invalid and shows LIN, as the whole of it would, and says nothing of anything else: no
/// other promise, no objective, nothing of what faults touched later. One that shows nothing, or is looked
/// at for something else, or on another engine than our own, is the whole run.
pub fn run_until_found(
    scenario: &Scenario,
    entry: &DesignEntry,
    variant: &Expectation,
    seed: u64,
) -> Run {
    carried((scenario, entry, variant), seed, TraceLevel::Hash, Purpose::Finding)
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be told.
    Result,
    /// To see what a broken variant would have cost.
    Observation,
    /// To know whether it shows an anomaly.
    Finding,
}

/// What is run: a variant of a scenario, over a design.
type Wanted<'a> = (&'a Scenario, &'a DesignEntry, &'a Expectation);

fn carried(wanted: Wanted<'_>, seed: u64, trace: TraceLevel, purpose: Purpose) -> Run {
    let here = || run_here(wanted, seed, trace, purpose);
    match wanted.1.engine.name {
        name if name == engines::SIM.name => here(),
        _ => thread::alone(here),
    }
}

fn run_here(
    (scenario, entry, variant): Wanted<'_>,
    seed: u64,
    trace: TraceLevel,
    purpose: Purpose,
) -> Run {
    let drawn = swarm::draw(scenario, entry.info, seed);
    let scenario = drawn.as_ref();
    let mut promises = promises(scenario, entry);
    let codes: Vec<SmolStr> = promises.iter().map(|(code, _)| code.clone()).collect();
    let looked_for = variant.anomaly.as_ref().is_none_or(|code| code == early::CODE);
    let early =
        purpose == Purpose::Finding && looked_for && codes.iter().any(|code| code == early::CODE);
    let order = Order {
        trace,
        observed: purpose == Purpose::Observation,
        early,
        ..Order::of(scenario, entry, variant, seed, &codes)
    };
    let mut execution = (entry.execute)(&order);
    debug_assert!(
        execution.recording.sometimes.keys().all(|name| entry.info.situation(name).is_some()),
        "`{}` reaches situations that it does not declare: {:?}",
        entry.info.name,
        execution.recording.sometimes
    );
    if execution.ended_early {
        promises.retain(|(code, _)| code == early::CODE);
    }
    let judgements = judge(&order, &promises, &mut execution);
    let is_broken = judgements.iter().any(|judgement| judgement.verdict == Verdict::Invalid);
    if execution.ended_early && !is_broken {
        return run_here((scenario, entry, variant), seed, trace, Purpose::Result);
    }
    describe(&order, execution, judgements)
}

/// What is promised: by the scenario with bounds, and by the design always, where it says anything
/// of the workload.
pub fn promises(scenario: &Scenario, design: &DesignEntry) -> Vec<(SmolStr, Settings)> {
    let mut promises: Vec<(SmolStr, Settings)> = Vec::new();
    let mix = scenario.workload.mix.iter().filter(|(_, weight)| *weight > 0);
    let functions: Vec<&str> = mix.map(|(function, _)| function.as_str()).collect();
    let model = model(scenario, &design.own);
    for guarantee in design.own.guarantees() {
        let code = guarantee.info.code;
        let bounded = scenario.guarantees.iter().find(|promise| promise.code == code);
        if let Some(promise) = bounded {
            promises.push((code.into(), promise.settings.clone()));
        } else if design.info.guarantees.contains(&code) && guarantee.applies(model, &functions) {
            promises.push((code.into(), defaults(guarantee.info.parameters)));
        }
    }
    promises
}

/// The sequential model that judges the scenario's workload.
fn model(scenario: &Scenario, own: &Own) -> &'static str {
    workload(scenario, own).info.model
}

fn workload(scenario: &Scenario, own: &Own) -> &'static wrack_workloads::Entry {
    own.workload(&scenario.workload.name).expect("the reader knows the workload")
}

fn judge(
    order: &Order<'_>,
    promises: &[(SmolStr, Settings)],
    execution: &mut Execution,
) -> Vec<Judgement> {
    let settings = &order.scenario.workload.settings;
    let initial = (workload(order.scenario, order.own).initial)(settings);
    let evidence = Evidence {
        history: &execution.recording.history,
        facts: &execution.recording.facts,
        nodes: &execution.names,
        phases: execution.phases,
        model: model(order.scenario, order.own),
        own_models: order.own.models(),
        initial: &initial,
        states_max: STATES_MAX,
        real_time: true,
        derived: Derived::default(),
    };
    let invariants = &mut execution.invariants;
    promises
        .iter()
        .filter_map(|(code, settings)| {
            let guarantee = order.own.guarantee(code)?;
            match guarantee.judge {
                Judge::Evidence(judge) => Some(judge(&evidence, settings)),
                Judge::Facts(_) => invariants
                    .iter_mut()
                    .find(|(watched, _)| watched == code)
                    .map(|(_, invariant)| invariant.judgement(&execution.names)),
            }
        })
        .collect()
}

/// Puts everything that is known of an execution into a `Run`.
fn describe(order: &Order<'_>, execution: Execution, judgements: Vec<Judgement>) -> Run {
    let Execution { recording, mut faults, phases, names, clients, limit, doubts, .. } = execution;
    let is_whole = !execution.ended_early;
    let (scenario, variant) = (order.scenario, order.variant);
    vacuity::count_open_operations(&recording.history, &mut faults, phases.end_ns);
    let mut doubts: Vec<String> = limit.iter().map(ToString::to_string).chain(doubts).collect();
    doubts.extend(judgements.iter().filter_map(|judgement| {
        let unknown = judgement.verdict == Verdict::Unknown;
        let reason = judgement.reason.as_deref().unwrap_or("a bound was met");
        unknown.then(|| format!("{}: {reason}", judgement.code))
    }));
    if is_whole {
        doubts.extend(vacuity::doubts(scenario, &recording.history, &faults));
    }
    let judged = judgements.iter().map(|judgement| judgement.verdict).max().unwrap_or_default();
    let verdict = if doubts.is_empty() { judged } else { judged.max(Verdict::Unknown) };
    let mut run = Run {
        format: RESULT_FORMAT,
        wrack_version: env!("CARGO_PKG_VERSION").into(),
        scenario: scenario.name.clone(),
        scenario_hash: scenario.hash.clone(),
        scenario_path: scenario.path.clone(),
        title: scenario.title.clone(),
        story: scenario.story.clone(),
        hypothesis: scenario.hypothesis.clone(),
        scenario_source: scenario.source.clone(),
        design: scenario.design.to_string(),
        variant: variant.variant.to_string(),
        seed: order.seed,
        engine: order.engine.name.into(),
        not_deterministic: !order.engine.deterministic,
        expected: variant.expected().into(),
        verdict,
        doubts,
        counts: recording.history.counts(),
        judgements,
        faults,
        phases,
        nodes: names,
        clients,
        sometimes: recording.sometimes,
        messages: recording.messages,
        writes: recording.writes,
        trace_hash: format!("{:016x}", recording.trace_hash),
        replay: replay_command(order),
        history: recording.history,
        trace: (order.trace > TraceLevel::Hash).then_some(recording.trace),
        ..Run::default()
    };
    if is_whole && (variant.anomaly.is_none() || order.observed) {
        run.slos = metrics::judge(scenario, &run, &recording.facts);
        let (budget, alerts) = metrics::alerts::judge(scenario, &run);
        run.slos.extend(budget);
        run.alerts = alerts;
    }
    run.facts = recording.facts;
    if order.trace < TraceLevel::Texts {
        run.facts.retain(is_for_the_report);
        run.facts.shrink_to_fit();
    }
    compare(&mut run, variant);
    run
}

/// The command that runs it again.
fn replay_command(Order { scenario, variant, seed, engine, .. }: &Order<'_>) -> String {
    let engine = engines::flag(engine);
    format!("wrack run {} --variant {} --seed {seed}{engine}", scenario.path, variant.variant)
}

/// Compares what was found with what is expected.
fn compare(run: &mut Run, variant: &Expectation) {
    let follows = |code: &SmolStr| variant.follows.iter().any(|follow| follow.code == *code);
    let mut foreign: Vec<SmolStr> = run
        .anomalies()
        .map(|anomaly| anomaly.code.clone())
        .filter(|code| *code != run.expected && !follows(code))
        .collect();
    foreign.sort();
    foreign.dedup();
    let good = variant.anomaly.is_some() || run.verdict == Verdict::Valid;
    let judged = variant.anomaly.is_none();
    let slos = !judged || run.slos.iter().all(|slo| slo.met != Some(false));
    run.as_expected = foreign.is_empty() && good && slos;
    run.foreign = foreign;
}

/// Facts that a report draws: what became of each node.
fn is_for_the_report(record: &FactRecord) -> bool {
    matches!(
        record.fact,
        Fact::Booted { .. }
            | Fact::Crashed
            | Fact::Paused
            | Fact::Resumed
            | Fact::Role { .. }
            | Fact::AssertionFailed { .. }
    )
}
