//! What a run came from, and what its verdict does not mean.

use askama::Template;
use wrack_history::Run;

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::text;

#[derive(Template)]
#[template(path = "origin.html")]
struct Origin<'a> {
    run: &'a Run,
    identity: Vec<(&'static str, String)>,
    faults: String,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let run = sheet.run;
    let faults = text::counted(run.faults.len() as u64, "faults");
    let body = Origin { run, identity: identity(run), faults };
    sheet.panel("origin", "What a valid verdict does not mean", Audience::Executive, body)
}

fn identity(run: &Run) -> Vec<(&'static str, String)> {
    let all = [
        ("Wrack", run.wrack_version.clone()),
        ("Engine", text::label(&run.engine)),
        ("Seed", run.seed.to_string()),
        ("Scenario file", text::label(&run.scenario_path)),
        ("Scenario hash", run.scenario_hash.clone()),
        ("Trace hash", run.trace_hash.clone()),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
