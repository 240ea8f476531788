//! The scoreboard: how many of a design's known bugs are found, and how fast.

use serde::Serialize;
use wrack_history::duration;

use crate::text;

/// How a broken variant fared in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The design's name.
    pub design: String,
    /// The broken variant's name.
    pub variant: String,
    /// The scenario's name; empty if no scenario has the variant.
    pub scenario: String,
    /// Whether a fault of the scenario waits for a failpoint or a fact, and so aims at the bug.
    pub directed: bool,
    /// The code of the anomaly that it must show; empty if no scenario says so.
    pub anomaly: String,
    /// Seeds that showed it, and nothing foreign.
    pub found: u64,
    /// Seeds in all.
    pub seeds: u64,
    /// The first seed that showed it.
    pub first_seed: Option<u64>,
    /// Virtual nanoseconds that had been simulated by then, earlier seeds included.
    pub first_ns: Option<u64>,
    /// Codes of anomalies that neither are expected nor follow from what is, each once.
    pub foreign: Vec<String>,
}

const PREFACE: &str = "\
# The scoreboard

Every broken variant of every design, as `wrack scoreboard --format markdown` prints it: in how many
seeds its anomaly is found, and how much virtual time had passed by then. Where a scenario is
undirected, its faults come at times of their own rather than at a place in the design.

";

const COLUMNS: [&str; 7] =
    ["Design", "Variant", "Scenario", "Anomaly", "Found", "First found", "Foreign"];

impl Score {
    fn cells(&self) -> [String; 7] {
        let or_dash = |text: &str| if text.is_empty() { "–".into() } else { text.to_owned() };
        let aim = if self.directed { "" } else { " (undirected)" };
        let first = self.first_seed.zip(self.first_ns).map(|(seed, ns)| {
            format!("seed {seed}, after {}", duration::format(ns - ns % duration::MILLISECOND))
        });
        [
            self.design.clone(),
            self.variant.clone(),
            or_dash(&self.scenario) + if self.scenario.is_empty() { "" } else { aim },
            or_dash(&self.anomaly),
            format!("{} of {}", text::count(self.found), text::count(self.seeds)),
            first.unwrap_or_else(|| "never".into()),
            or_dash(&self.foreign.join(" ")),
        ]
    }
}

/// The scoreboard as a table of Markdown, columns aligned.
pub(crate) fn markdown(scores: &[Score]) -> String {
    let rows = scores.iter().map(Score::cells).collect::<Vec<_>>();
    let widths = widths(&rows);
    let line = |cells: &[String; 7]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.map(|width| "-".repeat(width));
    let head = line(&COLUMNS.map(str::to_owned)) + &line(&rule);
    PREFACE.to_owned() + &head + &rows.iter().map(line).collect::<String>() + "\n" + &total(scores)
}

/// The scoreboard as plain text for a terminal.
pub(crate) fn human(scores: &[Score]) -> String {
    let rows = scores.iter().map(Score::cells).collect::<Vec<_>>();
    let widths = widths(&rows);
    let line = |cells: &[String; 7]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let head = line(&COLUMNS.map(str::to_owned));
    head + &rows.iter().map(line).collect::<String>() + "\n" + &total(scores)
}

fn widths(rows: &[[String; 7]]) -> [usize; 7] {
    std::array::from_fn(|column| {
        let width = |cell: &str| cell.chars().count();
        let widest = rows.iter().map(|row| width(&row[column])).max();
        widest.unwrap_or(0).max(width(COLUMNS[column]))
    })
}

/// `17 of 17 broken variants found, 16 of them in every seed of a directed scenario`.
fn total(scores: &[Score]) -> String {
    let variants = |keep: &dyn Fn(&Score) -> bool| {
        let kept = scores.iter().filter(|score| keep(score));
        let names = kept.map(|score| (score.design.as_str(), score.variant.as_str()));
        names.collect::<std::collections::BTreeSet<_>>().len()
    };
    let surely = |score: &Score| score.directed && score.seeds > 0 && score.found == score.seeds;
    format!(
        "{} of {} broken variants found, {} of them in every seed of a directed scenario\n",
        variants(&|score| score.found > 0),
        variants(&|_| true),
        variants(&surely)
    )
}
