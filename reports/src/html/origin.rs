//! How far the run reached, what it came from, and what its verdict does not mean.

use askama::Template;
use wrack_history::{Run, SmolStr};

use super::mark::Mark;
use crate::text;

/// A longer scenario file is cut.
const SOURCE_CHARS_MAX: usize = 60_000;
const SOMETIMES_MAX: usize = 200;

#[derive(Template)]
#[template(path = "origin.html")]
pub(crate) struct Origin<'a> {
    run: &'a Run,
    coverage: String,
    sometimes: Vec<(&'a SmolStr, String, Mark)>,
    source: String,
    identity: Vec<(&'static str, &'a str)>,
}

impl<'a> Origin<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        let reached = run.sometimes.values().filter(|times| **times > 0).count();
        let sometimes = run.sometimes.iter().take(SOMETIMES_MAX);
        let mark = |times: u64| match times {
            0 => Mark::doubt("never reached"),
            _ => Mark::good("reached"),
        };
        Self {
            run,
            coverage: format!("{reached} of {} reached", run.sometimes.len()),
            sometimes: sometimes
                .map(|(name, times)| (name, text::count(*times), mark(*times)))
                .collect(),
            source: text::clip(&run.scenario_source, SOURCE_CHARS_MAX),
            identity: identity(run),
        }
    }
}

fn identity(run: &Run) -> Vec<(&'static str, &str)> {
    let all = [
        ("Wrack", run.wrack_version.as_str()),
        ("Scenario file", &run.scenario_path),
        ("Scenario hash", &run.scenario_hash),
        ("Trace hash", &run.trace_hash),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
