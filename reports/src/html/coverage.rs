//! Situations worth reaching, and how often this run reached them.

use askama::Template;
use wrack_history::SmolStr;

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::text;

const SOMETIMES_MAX: usize = 200;

#[derive(Template)]
#[template(path = "coverage.html")]
struct Coverage<'a> {
    rows: Vec<(&'a SmolStr, String, Mark)>,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let sometimes = &sheet.run.sometimes;
    let reached = sometimes.values().filter(|times| **times > 0).count();
    let mark = |times: u64| match times {
        0 => Mark::doubt("never reached"),
        _ => Mark::good("reached"),
    };
    let rows = sometimes.iter().take(SOMETIMES_MAX);
    let rows = rows.map(|(name, times)| (name, text::count(*times), mark(*times))).collect();
    let panel = sheet.panel("coverage", "Coverage", Audience::Debug, Coverage { rows });
    match sometimes.len() {
        0 => panel,
        all => panel.counted(format!("{reached} of {all} reached")),
    }
}
