//! Turns a run into bytes that people read: a page of HTML, the text of a terminal.
//!
//! Every function here is pure: the same run gives the same bytes, because no date, host, path or
//! random number enters. It refuses to know how a run came about (engines) and how it was judged
//! (checkers): a report shows what a [`Run`] says and decides nothing.
//!
//! Everything is bounded: plots are binned, labels are clipped, and lists that are cut say so.

mod alerts;
mod blast;
mod cause;
mod check;
mod circle;
mod columns;
mod export;
mod gameday;
mod gate;
mod html;
mod human;
mod margin;
mod matrix;
mod plot;
mod scoreboard;
mod summary;
mod sweep;
mod text;
mod timeline;

use wrack_history::Run;
use wrack_history::check::Check;
use wrack_history::gameday::GameDay;
use wrack_history::gate::Gate;
use wrack_scenario::{Objective, Playlist};

pub use human::Links;
pub use matrix::{MatrixCell, MatrixRow};
pub use scoreboard::Score;
pub use sweep::{Sweep, SweepCluster, SweepGroup};

/// The report of one run as one HTML file.
///
/// Shape: one file without external request, date or host name; its style and its one script are
/// allowed by hash in a strict Content-Security-Policy. Light, dark, print and phone width are served
/// by the same bytes, and so are three views: for executives, on-call and everything. All of it can be
/// read without the script. Every text of the run is escaped.
/// Units: virtual time since the run began.
/// Bounds: at most 2 MB for 100,000 operations: at most 120 bins a plot, 200 faults listed, 10
/// anomalies drawn and 100 told in words, 24 lanes of nodes. Whatever is left out is counted.
pub fn html(run: &Run) -> String {
    html::page(run, None)
}

/// The same with what is different from another run: settings, promises, numbers, and both over time.
///
/// Bounds: as [`html`]; both runs may be of any scenario, variant and seed.
pub fn html_against(run: &Run, baseline: &Run) -> String {
    html::page(run, Some(baseline))
}

/// The report of one run as plain text for a terminal.
///
/// Shape: the first line is the verdict; then anomalies, faults, promises, objectives, and what
/// `links` holds. No colours; control characters of the run are written as spaces.
/// Bounds: at most 10 anomalies and 40 faults are listed; the others are counted.
pub fn human(run: &Run, links: &Links<'_>) -> String {
    human::text(run, links)
}

/// The report of many seeds as one HTML file: a map of seeds, failures by kind, coverage.
///
/// Shape and policy: as [`html`]. Bounds: a map has at most 250 places a row; 40 seeds are listed of each
/// kind of failure and 300 rows of coverage of each group; whatever is left out is counted.
pub fn sweep_html(sweep: &Sweep) -> String {
    html::sweep::page(sweep)
}

/// The report of a history that somebody else recorded, as one HTML file.
///
/// Shape and bounds: as [`html`]; at most 1,000 keys are listed, the broken ones first.
pub fn check_html(check: &Check) -> String {
    html::check_page(check)
}

/// The report of a history that somebody else recorded, as plain text for a terminal.
///
/// Shape: the first line is the file and its verdict; then anomalies, with `explain` each
/// counterexample to be followed on paper, broken keys, promises, and what was assumed.
pub fn check_human(check: &Check, explain: bool) -> String {
    check::text(check, explain)
}

/// The matrix of engines as plain text for a terminal, one line a variant.
pub fn matrix_human(rows: &[MatrixRow]) -> String {
    matrix::human(rows)
}

/// The matrix of engines as a table of Markdown.
pub fn matrix_markdown(rows: &[MatrixRow]) -> String {
    matrix::markdown(rows)
}

/// The scoreboard of broken variants as plain text for a terminal, one line each.
pub fn scoreboard_human(scores: &[Score]) -> String {
    scoreboard::human(scores)
}

/// The scoreboard of broken variants as a table of Markdown.
pub fn scoreboard_markdown(scores: &[Score]) -> String {
    scoreboard::markdown(scores)
}

/// A gate's decision as plain text for a terminal: what there is to say, the worst first, then one
/// line for the whole.
pub fn gate_human(gate: &Gate) -> String {
    gate::human::text(gate)
}

/// A gate's decision as JUnit XML.
///
/// Shape: a suite for each scenario with a test case for each variant, and a suite `gate` for what is
/// said of the whole. What fails and metrics that are worse are failures, what is unknown is an error;
/// warnings and notes stand in `system-out`. No time, no host.
pub fn gate_junit(gate: &Gate) -> String {
    gate::junit::xml(gate)
}

/// A gate's decision as SARIF 2.1.0, each finding at the line of its scenario.
pub fn gate_sarif(gate: &Gate) -> String {
    gate::sarif::json(gate)
}

/// A gate's decision as workflow commands of GitHub, one a line.
///
/// Bounds: the nine worst and a summary, because GitHub shows ten of a step.
pub fn gate_annotations(gate: &Gate) -> String {
    gate::annotations::lines(gate)
}

/// A gate's decision as Markdown, for the summary of a job.
///
/// Bounds: 900 KiB, because GitHub refuses more than a MiB; whatever is left out is counted.
pub fn gate_markdown(gate: &Gate) -> String {
    gate::markdown::page(gate)
}

/// A gate's decision as a code quality report of GitLab.
pub fn gate_code_quality(gate: &Gate) -> String {
    gate::code_quality::json(gate)
}

/// A run as OpenMetrics text, sampled over its virtual time, which begins at the epoch.
///
/// Shape: every sample has its time, so that a Prometheus can take a run in as if it had scraped it.
/// Bounds: at most 600 moments, a second or more apart; fewer where there are many nodes.
pub fn openmetrics(run: &Run) -> String {
    export::openmetrics::text(run)
}

/// A run as OTLP traces in JSON, in lines as files of OTLP have them: operations as spans, faults as
/// events; with a trace, messages as spans, and what came of what as links.
pub fn otlp(run: &Run) -> String {
    export::otlp::lines(run)
}

/// A dashboard for Grafana, in JSON, over what [`openmetrics`] writes.
pub fn grafana(run: &Run) -> String {
    export::grafana::dashboard(run)
}

/// The objectives of a run's scenario as OpenSLO documents, in YAML, over what [`openmetrics`] writes.
pub fn openslo(run: &Run, objectives: &[Objective]) -> String {
    export::openslo::documents(run, objectives)
}

/// The operations of a run as CSV, one a line below the names of the columns.
pub fn csv(run: &Run) -> Vec<u8> {
    export::csv::table(run)
}

/// The page before a game day, for whoever leads it: who does what, what must hold, what is run, what
/// should be seen, when it ends. Of a hidden step it does not say which variant it is.
pub fn gameday_brief(playlist: &Playlist) -> String {
    gameday::brief::page(playlist)
}

/// The report of a game day: how it went, and the report of one run of each step, by its place.
///
/// Shape and bounds: as [`html`], for each run.
pub fn gameday_report(day: &GameDay, runs: &[(usize, Run)]) -> String {
    gameday::report::page(day, runs)
}

/// The post-mortem of a game day: of each step what happened when, what it cost, who would have been
/// called and when it was over; what only people know is left blank.
///
/// Bounds: at most 200 moments of a step are told; the others are counted.
pub fn gameday_postmortem(day: &GameDay, runs: &[(usize, Run)]) -> String {
    gameday::postmortem::page(day, runs)
}
