//! The matrix of engines: whether a scenario's verdict depends on what carries its nodes.

use serde::Serialize;

/// One variant of one scenario on every engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// `valid`, or the code of the anomaly that it must show.
    pub expected: String,
    /// How it fared, by engine.
    pub cells: Vec<MatrixCell>,
}

/// How a variant fared on an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixCell {
    /// The engine's name.
    pub engine: String,
    /// Seeds whose run is as it should be: valid, or with the expected anomaly and nothing foreign.
    pub found: u64,
    /// Seeds in all: more than for the other engines if the first ones did not show the anomaly.
    pub seeds: u64,
    /// Whether the verdict is the expected one.
    pub agrees: bool,
    /// What stood against it, each once: codes of foreign anomalies, or doubts.
    pub against: Vec<String>,
}

const NAMES: [&str; 3] = ["Scenario", "Variant", "Expected"];

fn cells(row: &MatrixRow) -> Vec<String> {
    let head = [row.scenario.clone(), row.variant.clone(), row.expected.clone()];
    head.into_iter().chain(row.cells.iter().map(cell)).collect()
}

fn cell(cell: &MatrixCell) -> String {
    let count = format!("{} of {}", cell.found, cell.seeds);
    match (cell.agrees, &cell.against[..]) {
        (true, _) => count,
        (false, []) => format!("{count}: NOT SHOWN"),
        (false, against) => format!("{count}: {}", against.join("; ")),
    }
}

fn head(rows: &[MatrixRow]) -> Vec<String> {
    let engines = rows.first().map(|row| &row.cells[..]).unwrap_or_default();
    let engines = engines.iter().map(|cell| cell.engine.clone());
    NAMES.iter().map(ToString::to_string).chain(engines).collect()
}

/// The table as Markdown, columns aligned.
pub(crate) fn markdown(rows: &[MatrixRow]) -> String {
    let table = table(rows);
    let widths = widths(&table);
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    let (head, rest) = table.split_first().expect("a table has a head");
    let rest = rest.iter().map(line).collect::<String>();
    line(head) + &line(&rule) + &rest + "\n" + &total(rows)
}

/// The table as plain text for a terminal.
pub(crate) fn human(rows: &[MatrixRow]) -> String {
    let table = table(rows);
    let widths = widths(&table);
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    table.iter().map(line).collect::<String>() + "\n" + &total(rows)
}

fn table(rows: &[MatrixRow]) -> Vec<Vec<String>> {
    std::iter::once(head(rows)).chain(rows.iter().map(cells)).collect()
}

fn widths(table: &[Vec<String>]) -> Vec<usize> {
    let width = |cell: &String| cell.chars().count();
    let columns = table.first().map_or(0, Vec::len);
    let widest = |column: usize| table.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    (0..columns).map(widest).collect()
}

fn total(rows: &[MatrixRow]) -> String {
    let agree = rows.iter().filter(|row| row.cells.iter().all(|cell| cell.agrees)).count();
    let engines = rows.first().map_or(0, |row| row.cells.len());
    format!("{agree} of {} verdicts are the expected ones on all {engines} engines\n", rows.len())
}

#[cfg(test)]
mod tests {
    use super::{MatrixCell, MatrixRow, human, markdown};

    #[test]
    fn a_verdict_that_differs_says_what_stands_against_it() {
        let cell = |engine: &str, found, agrees, against: &[&str]| MatrixCell {
            engine: engine.into(),
            found,
            seeds: 3,
            agrees,
            against: against.iter().map(ToString::to_string).collect(),
        };
        let row = |variant: &str, cells| MatrixRow {
            scenario: "raft/leader-isolated".into(),
            variant: variant.into(),
            expected: "valid".into(),
            cells,
        };
        let rows = [
            row("reference", vec![cell("sim", 3, true, &[]), cell("turmoil", 2, false, &["LIN"])]),
            row("other", vec![cell("sim", 3, true, &[]), cell("turmoil", 0, false, &[])]),
        ];
        let expected = "\
| Scenario             | Variant   | Expected | sim    | turmoil           |
| -------------------- | --------- | -------- | ------ | ----------------- |
| raft/leader-isolated | reference | valid    | 3 of 3 | 2 of 3: LIN       |
| raft/leader-isolated | other     | valid    | 3 of 3 | 0 of 3: NOT SHOWN |

0 of 2 verdicts are the expected ones on all 2 engines
";
        assert_eq!(markdown(&rows), expected);
        assert!(human(&rows).starts_with("Scenario              Variant    Expected  sim"));
    }
}
