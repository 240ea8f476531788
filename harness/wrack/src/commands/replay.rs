//! `wrack replay`: a run again, step by step.

use std::collections::BTreeSet;

use wrack_history::{Anomaly, Run};
use wrack_runner::replay::{View, steps};
use wrack_runner::{TraceLevel, engines};
use wrack_scenario::{Expectation, Scenario};

use super::again::{self, Again};
use super::{carried_by, files};
use crate::Catalogue;
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::output::print_with;

/// Runs again, and shows the steps.
pub fn replay(designs: &Catalogue, options: &cli::Replay) -> Result<Exit, Failure> {
    let path = &options.path;
    let is_result = path.is_dir() || path.extension().is_some_and(|extension| extension == "json");
    if is_result {
        return replay_result(designs, options);
    }
    let designs = &carried_by(designs, options.on.engine.unwrap_or(&engines::SIM))?;
    let text = files::scenario_text(path, &designs.names())?;
    let scenario = again::read_scenario(&path.display().to_string(), &text, designs)?;
    let wanted = options.variant.as_deref().unwrap_or("reference");
    let variant = again::variant(&scenario, wanted)?;
    let run = in_full(designs, &scenario, variant, options.seed.unwrap_or(0));
    show(&run, options, &[])?;
    Ok(Exit::AsExpected)
}

fn replay_result(designs: &Catalogue, options: &cli::Replay) -> Result<Exit, Failure> {
    if options.seed.is_some() || options.variant.is_some() {
        let message = "--seed and --variant are for scenario files: a result says its own";
        return Err(Failure::usage(message));
    }
    let again = Again::read(&options.path, designs, options.force, options.on)?;
    let result = &again.result;
    let run = in_full(&again.designs, &again.scenario, again.variant()?, result.seed);
    let same = run.trace_hash == result.trace_hash;
    let told = match same {
        true => vec![],
        false => vec![
            format!(
                "this is not the run of the result: trace hash {}, then {}",
                run.trace_hash, result.trace_hash
            ),
            "`wrack diff` says where two results differ".into(),
        ],
    };
    show(&run, options, &told)?;
    Ok(if same { Exit::AsExpected } else { Exit::NotAsExpected })
}

/// The run with its trace in words, and every fact.
pub fn in_full(designs: &Catalogue, scenario: &Scenario, variant: &Expectation, seed: u64) -> Run {
    let design = designs.of(scenario);
    wrack_runner::run(scenario, design, variant, seed, TraceLevel::Texts)
}

fn show(run: &Run, options: &cli::Replay, more: &[String]) -> Result<(), Failure> {
    let anomaly = expected(run);
    let mut view = View::around(run, anomaly);
    if let Some(key) = &options.entity {
        view.keys = BTreeSet::from([key.as_str().into()]);
        (view.window, view.versions) = (0..=run.phases.end_ns, true);
    }
    if let Some(until) = options.until {
        view = view.until(until.as_nanos() as u64);
    }
    view.trace = options.trace;
    let lines = steps(run, &view);
    print_with(|to| {
        let Run { scenario, variant, seed, verdict, .. } = run;
        writeln!(to, "{scenario}, variant {variant}, seed {seed}: {verdict}")?;
        for line in more {
            writeln!(to, "{line}")?;
        }
        for anomaly in run.anomalies() {
            writeln!(to, "{}: {}", anomaly.code, anomaly.explanation)?;
        }
        writeln!(to)?;
        lines.iter().try_for_each(|line| writeln!(to, "{line}"))
    })
}

/// The anomaly to look at: the expected one, else any.
fn expected(run: &Run) -> Option<&Anomaly> {
    let expected = run.anomalies().find(|anomaly| anomaly.code == run.expected);
    expected.or_else(|| run.anomalies().next())
}
