//! `wrack shrink`: the smallest story that shows the anomaly of a result.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use wrack_runner::regression::{self, Origin};
use wrack_runner::shrink::{Budget, Goal, Shrunk, shrink as search};

use super::again::{self, Again};
use super::{limit_jobs, must_repeat, now};
use crate::Catalogue;
use crate::cli::{self, Format};
use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};

/// Without a limit, the search takes at most so long.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Shrinks, and writes what is left as a scenario.
pub fn shrink(designs: &Catalogue, options: &cli::Shrink) -> Result<Exit, Failure> {
    limit_jobs(options.jobs)?;
    let again = Again::read(&options.result, designs, options.force, options.on)?;
    must_repeat(again.design().engine)?;
    let designs = &again.designs;
    let Some(goal) = again.goal() else {
        let result = options.result.display();
        return no_story(options, &format!("{result} has no anomaly: nothing to shrink"));
    };
    // With a limit of runs alone the outcome is the same everywhere.
    let limit = match (options.time_limit, options.max_runs) {
        (None, Some(_)) => None,
        (limit, _) => Some(limit.unwrap_or(TIME_LIMIT)),
    };
    let began = now();
    let is_over = || limit.is_some_and(|limit| began.elapsed() >= limit);
    let budget = Budget { runs_max: options.max_runs.unwrap_or(u64::MAX), is_over: &is_over };
    let design = again.design();
    let catalogue = designs.names();
    let Some(shrunk) = search(&again.scenario, design, &catalogue, &goal, &budget) else {
        return no_story(options, &again::not_reproduced(&goal));
    };
    let path = options.out.join(format!("{}-{}.toml", event(&again.scenario.name), goal.variant));
    let origin = Origin {
        scenario: &again.scenario,
        path: path.display().to_string(),
        goal: &goal,
        what: "The smallest story that was found",
    };
    let text = regression::file(&shrunk.story(), design, &catalogue, &origin);
    write_file(&path, |to| to.write_all(text.as_bytes()))?;
    print(match options.format {
        Format::Json => format!("{:#}\n", as_json(&shrunk, &path)),
        Format::Human => human(&shrunk, &goal, &path),
    })?;
    Ok(Exit::AsExpected)
}

/// The last part of a scenario's name.
pub fn event(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn no_story(options: &cli::Shrink, message: &str) -> Result<Exit, Failure> {
    anstream::eprintln!("{message}");
    if options.format == Format::Json {
        print(format!("{:#}\n", json!({ "operations": null, "faults": null, "scenario": null })))?;
    }
    Ok(Exit::NotAsExpected)
}

fn as_json(shrunk: &Shrunk, path: &Path) -> serde_json::Value {
    let (before, after) = (shrunk.before, shrunk.after);
    json!({
        "operations": { "before": before.operations, "after": after.operations },
        "faults": { "before": before.faults, "after": after.faults },
        "scenario": path,
    })
}

fn human(shrunk: &Shrunk, goal: &Goal, path: &Path) -> String {
    let (before, after) = (shrunk.before, shrunk.after);
    let line = |what: &str, before: &dyn std::fmt::Display, after: &dyn std::fmt::Display| {
        format!("  {what:<11}{before:>8} → {after}\n")
    };
    let time = |ns| wrack_history::duration::seconds(ns);
    let end = match shrunk.finished {
        true => "nothing more can be left out",
        false => "the search was cut short",
    };
    let mut text = format!("{} in {}: {} runs, {end}\n", goal.code, goal.variant, shrunk.runs);
    text += &line("operations", &before.operations, &after.operations);
    text += &line("faults", &before.faults, &after.faults);
    text += &line("clients", &before.clients, &after.clients);
    text += &line("nodes", &before.nodes, &after.nodes);
    text += &line("lasts", &time(before.lasts_ns), &time(after.lasts_ns));
    text += &format!("\n{}\n\n", shrunk.story().tell());
    text + &format!(
        "wrote {}\nrun it: {}\n",
        path.display(),
        shrunk.story().command(path.display())
    )
}
