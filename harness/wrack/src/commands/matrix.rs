//! `wrack matrix`: whether a verdict depends on what carries the nodes.

use serde_json::json;
use wrack_history::Verdict;
use wrack_reports::{MatrixCell, MatrixRow};
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::{TraceLevel, engines, parallel};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files, limit_jobs, run};
use crate::Catalogue;
use crate::cli::{self, TableFormat};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Runs every variant of every scenario on every engine, and prints how each verdict stands.
pub fn matrix(designs: &Catalogue, options: &cli::Matrix) -> Result<Exit, Failure> {
    limit_jobs(options.jobs)?;
    let engines = match &options.engines[..] {
        [] => engines::ALL
            .into_iter()
            .filter(|one| one.deterministic && one.missing.is_none())
            .collect(),
        some => some.to_vec(),
    };
    let mut rows: Vec<MatrixRow> = Vec::new();
    for engine in engines {
        let designs = &carried_by(designs, engine)?;
        let scenarios = files::scenarios(&options.paths, &designs.names())?;
        let groups = run::groups(&scenarios, "all")?;
        for (place, (scenario, variant)) in groups.into_iter().enumerate() {
            if rows.len() == place {
                rows.push(row(scenario, variant));
            }
            let cell = cell((scenario, designs.of(scenario), variant), options);
            rows[place].cells.push(cell);
        }
    }
    print(match options.format {
        TableFormat::Human => wrack_reports::matrix_human(&rows),
        TableFormat::Markdown => wrack_reports::matrix_markdown(&rows),
        TableFormat::Json => format!("{:#}\n", json!({ "rows": rows })),
    })?;
    let mut cells = rows.iter().flat_map(|row| &row.cells);
    Ok(match cells.all(|cell| cell.agrees) {
        true => Exit::AsExpected,
        false => Exit::NotAsExpected,
    })
}

fn row(scenario: &Scenario, variant: &Expectation) -> MatrixRow {
    MatrixRow {
        scenario: scenario.name.clone(),
        variant: variant.variant.to_string(),
        expected: variant.expected().into(),
        cells: Vec::new(),
    }
}

/// Runs the seeds of one cell, and more of them while an anomaly is not shown.
fn cell(case: (&Scenario, &DesignEntry, &Expectation), options: &cli::Matrix) -> MatrixCell {
    let (_, design, variant) = case;
    let mut cell = MatrixCell {
        engine: design.engine.name.into(),
        found: 0,
        seeds: 0,
        agrees: false,
        against: Vec::new(),
    };
    let first = options.seeds.clone();
    take(case, &first.clone().collect::<Vec<_>>(), &mut cell);
    let is_broken = variant.anomaly.is_some();
    for seed in first.end..first.start + options.seeds_max {
        if !is_broken || cell.found > 0 || !cell.against.is_empty() {
            break;
        }
        take(case, &[seed], &mut cell);
    }
    let enough = if is_broken { cell.found > 0 } else { cell.found == cell.seeds };
    cell.agrees = enough && cell.against.is_empty();
    cell
}

fn take(
    (scenario, design, variant): (&Scenario, &DesignEntry, &Expectation),
    seeds: &[u64],
    cell: &mut MatrixCell,
) {
    let runs = parallel::map(seeds, |seed| {
        let run = wrack_runner::run(scenario, design, variant, *seed, TraceLevel::Hash);
        let good = match variant.anomaly {
            Some(_) => run.found(),
            None => run.verdict == Verdict::Valid,
        };
        let foreign = run.foreign.iter().map(ToString::to_string);
        let doubts = run.doubts.iter().filter(|_| variant.anomaly.is_none()).cloned();
        let slos = run.slos.iter().filter(|slo| slo.met == Some(false));
        let slos = slos.map(|slo| format!("{} not met", slo.name));
        (good && run.as_expected, foreign.chain(doubts).chain(slos).collect::<Vec<_>>())
    });
    for (good, against) in runs {
        cell.seeds += 1;
        cell.found += u64::from(good);
        for one in against {
            if !cell.against.contains(&one) {
                cell.against.push(one);
            }
        }
    }
}
