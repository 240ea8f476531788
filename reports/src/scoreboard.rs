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
    /// Seeds in which the same faults show it when they come at times of their own; absent if nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undirected: Option<u64>,
}

const PREFACE: &str = "\
# The scoreboard

Every broken variant of every design, as `wrack scoreboard --format markdown` prints it: in how many
seeds its anomaly is found, and how much virtual time had passed by then. Where a scenario is
undirected, its faults come at times of their own rather than at a place in the design.

";

const COLUMNS: [&str; 7] =
    ["Design", "Variant", "Scenario", "Anomaly", "Found", "First found", "Foreign"];
/// Only where somebody asked.
const UNDIRECTED: &str = "Undirected";

impl Score {
    fn cells(&self) -> Vec<String> {
        let or_dash = |text: &str| if text.is_empty() { "–".into() } else { text.to_owned() };
        let aim = if self.directed { "" } else { " (undirected)" };
        let first = self.first_seed.zip(self.first_ns).map(|(seed, ns)| {
            format!("seed {seed}, after {}", duration::format(ns - ns % duration::MILLISECOND))
        });
        let seeds = text::count(self.seeds);
        let mut cells = vec![
            self.design.clone(),
            self.variant.clone(),
            or_dash(&self.scenario) + if self.scenario.is_empty() { "" } else { aim },
            or_dash(&self.anomaly),
            format!("{} of {seeds}", text::count(self.found)),
            first.unwrap_or_else(|| "never".into()),
            or_dash(&self.foreign.join(" ")),
        ];
        cells.extend(self.undirected.map(|found| format!("{} of {seeds}", text::count(found))));
        cells
    }
}

/// The scoreboard as a table of Markdown, columns aligned.
pub(crate) fn markdown(scores: &[Score]) -> String {
    let (head, rows) = table(scores);
    let widths = widths(&head, &rows);
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    let head = line(&head) + &line(&rule);
    PREFACE.to_owned() + &head + &rows.iter().map(line).collect::<String>() + "\n" + &total(scores)
}

/// The scoreboard as plain text for a terminal.
pub(crate) fn human(scores: &[Score]) -> String {
    let (head, rows) = table(scores);
    let widths = widths(&head, &rows);
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    line(&head) + &rows.iter().map(line).collect::<String>() + "\n" + &total(scores)
}

/// The names of the columns, and the rows.
fn table(scores: &[Score]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head: Vec<String> = COLUMNS.map(str::to_owned).into();
    if scores.iter().any(|score| score.undirected.is_some()) {
        head.push(UNDIRECTED.to_owned());
    }
    let rows = scores.iter().map(|score| {
        let mut cells = score.cells();
        // A variant that no scenario has was not tried.
        cells.resize(head.len(), "–".into());
        cells
    });
    let rows = rows.collect();
    (head, rows)
}

fn widths(head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let width = |cell: &String| cell.chars().count();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    head.iter().enumerate().map(|(column, name)| widest(column).max(width(name))).collect()
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
