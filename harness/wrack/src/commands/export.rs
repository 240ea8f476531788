//! `wrack export`: a result in the format of another tool.

use std::path::Path;

use wrack_history::Run;
use wrack_runner::engines;
use wrack_scenario::Scenario;

use super::replay::in_full;
use super::{again, carried_by};
use crate::Catalogue;
use crate::cli::{self, ExportKind};
use crate::exit::{Exit, Failure};
use crate::output::{print_with, write_file};
use crate::results;

/// Reads a result and writes it.
pub fn export(designs: &Catalogue, options: &cli::Export) -> Result<Exit, Failure> {
    let run = results::read(result_folder(&options.result))?;
    let bytes = match options.kind {
        ExportKind::Openmetrics => wrack_reports::openmetrics(&run).into_bytes(),
        ExportKind::Otlp => wrack_reports::otlp(&with_trace(run, designs)).into_bytes(),
        ExportKind::Grafana => wrack_reports::grafana(&run).into_bytes(),
        ExportKind::Openslo => openslo(&run, designs)?.into_bytes(),
        ExportKind::Csv => wrack_reports::csv(&run),
    };
    match &options.out {
        Some(path) => write_file(path, |to| to.write_all(&bytes))?,
        None => print_with(|to| to.write_all(&bytes))?,
    }
    Ok(Exit::AsExpected)
}

/// The folder, where people point at the file in it.
fn result_folder(path: &Path) -> &Path {
    match path.file_name() {
        Some(name) if name == "result.json" => path.parent().unwrap_or(Path::new("")),
        _ => path,
    }
}

fn openslo(run: &Run, designs: &Catalogue) -> Result<String, Failure> {
    if run.scenario_source.is_empty() {
        let message = "the result was not made by running a scenario: it has no objectives";
        return Err(Failure::input(message));
    }
    let scenario = scenario_of(run, designs)?;
    if scenario.slos.is_empty() {
        let message = format!("{} declares no objective: add an [[slo]]", scenario.path);
        return Err(Failure::input(message));
    }
    Ok(wrack_reports::openslo(run, &scenario.slos))
}

/// The scenario as it was when the result was made.
fn scenario_of(run: &Run, designs: &Catalogue) -> Result<Scenario, Failure> {
    again::read_scenario(&run.scenario_path, &run.scenario_source, designs)
}

/// The run with its messages, which a result does not keep: it is run again. Where that gives another
/// run, or none, the messages are left out, and that is said.
fn with_trace(run: Run, designs: &Catalogue) -> Run {
    let again = || {
        let designs = carried_by(designs, engines::find(&run.engine)?).ok()?;
        let scenario = scenario_of(&run, &designs).ok()?;
        let variant = again::variant(&scenario, &run.variant).ok()?;
        Some(in_full(&designs, &scenario, variant, run.seed))
    };
    let again = match run.scenario_source.is_empty() {
        true => None,
        false => again().filter(|again| again.trace_hash == run.trace_hash),
    };
    match again {
        Some(again) => Run { trace: again.trace, ..run },
        None => {
            let why = "this version of Wrack does not give the same run again";
            anstream::eprintln!("messages are left out: {why}");
            run
        }
    }
}
