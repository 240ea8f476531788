//! Turns a run into bytes that people read: a page of HTML, the text of a terminal.
//!
//! Every function here is pure: the same run gives the same bytes, because no date, host, path or
//! random number enters. It refuses to know how a run came about (engines) and how it was judged
//! (checkers): a report shows what a [`Run`] says and decides nothing.
//!
//! Everything is bounded: plots are binned, labels are clipped, and lists that are cut say so.

mod check;
mod html;
mod human;
mod plot;
mod scoreboard;
mod summary;
mod text;
mod timeline;

use wrack_history::Run;
use wrack_history::check::Check;

pub use human::Links;
pub use scoreboard::Score;

/// The report of one run as one HTML file.
///
/// Shape: one file without script, external request, date or host name; its style is allowed by
/// hash in a strict Content-Security-Policy. Light, dark, print and phone width are served by the
/// same bytes. Every text of the run is escaped.
/// Units: virtual time since the run began.
/// Bounds: at most 2 MB for 100,000 operations: at most 120 bins a plot, 200 faults listed, 10
/// anomalies drawn and 100 told in words, 24 lanes of nodes. Whatever is left out is counted.
pub fn html(run: &Run) -> String {
    html::page(run)
}

/// The report of one run as plain text for a terminal.
///
/// Shape: the first line is the verdict; then anomalies, faults, promises, objectives, and what
/// `links` holds. No colours; control characters of the run are written as spaces.
/// Bounds: at most 10 anomalies and 40 faults are listed; the others are counted.
pub fn human(run: &Run, links: &Links<'_>) -> String {
    human::text(run, links)
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

/// The scoreboard of broken variants as plain text for a terminal, one line each.
pub fn scoreboard_human(scores: &[Score]) -> String {
    scoreboard::human(scores)
}

/// The scoreboard of broken variants as a table of Markdown.
pub fn scoreboard_markdown(scores: &[Score]) -> String {
    scoreboard::markdown(scores)
}
