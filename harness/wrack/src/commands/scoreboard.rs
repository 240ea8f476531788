//! `wrack scoreboard`: which broken variant is found, and how fast.

use std::collections::BTreeSet;

use serde_json::json;
use wrack_history::When;
use wrack_reports::Score;
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::{Group, Outcome, Standing, TraceLevel, parallel};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files, run};
use crate::Catalogue;
use crate::cli::{self, TableFormat};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Runs every broken variant of every scenario, and prints how it fared.
pub fn scoreboard(designs: &Catalogue, options: &cli::Scoreboard) -> Result<Exit, Failure> {
    let designs = &carried_by(designs, options.on.engine)?;
    let catalogue = designs.names();
    if let Some(name) = options.design.as_deref().filter(|name| catalogue.design(name).is_none()) {
        let known: Vec<_> = catalogue.designs.iter().map(|info| info.name).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!("there is no design \"{name}\": there are {known}")));
    }
    let wanted = |design: &str| options.design.as_ref().is_none_or(|only| only == design);
    let scenarios = files::scenarios(&options.scenarios, &catalogue)?;
    let (mut scores, mut worst) = (Vec::new(), Exit::AsExpected);
    for scenario in scenarios.iter().filter(|scenario| wanted(&scenario.design)) {
        let design = designs.of(scenario);
        // Beyond the model a reference may be expected to break a promise, too.
        let broken = |name: &str| design.info.variants.iter().any(|v| v.broken && v.name == name);
        let expected =
            |variant: &&Expectation| variant.anomaly.is_some() && broken(&variant.variant);
        for variant in scenario.variants.iter().filter(expected) {
            let (mut score, standing) = score(scenario, design, variant, options.seeds.clone());
            if options.undirected {
                let found = found_undirected(scenario, design, variant, options.seeds.clone());
                score.undirected = Some(found);
            }
            worst = run::worse(worst, standing);
            scores.push(score);
        }
    }
    for info in catalogue.designs.iter().filter(|info| wanted(info.name)) {
        for variant in info.variants.iter().filter(|variant| variant.broken) {
            let is_it = |score: &Score| score.design == info.name && score.variant == variant.name;
            if !scores.iter().any(is_it) {
                worst = run::worse(worst, Standing::Unknown);
                scores.push(unproven(info.name, variant.name));
            }
        }
    }
    let place = |score: &Score| {
        (score.design.clone(), score.variant.clone(), !score.directed, score.scenario.clone())
    };
    scores.sort_by_key(place);
    print(match options.format {
        TableFormat::Human => wrack_reports::scoreboard_human(&scores),
        TableFormat::Markdown => wrack_reports::scoreboard_markdown(&scores),
        TableFormat::Json => format!("{:#}\n", json!({ "variants": scores })),
    })
    .map(|()| worst)
}

fn score(
    scenario: &Scenario,
    design: &DesignEntry,
    variant: &Expectation,
    seeds: std::ops::Range<u64>,
) -> (Score, Standing) {
    let mut group = Group::new(&scenario.name, variant);
    let (mut first, mut simulated_ns, mut foreign) = (None, 0, BTreeSet::new());
    let seeds: Vec<u64> = seeds.collect();
    let runs = parallel::map(&seeds, |seed| {
        let run = wrack_runner::run(scenario, design, variant, *seed, TraceLevel::Hash);
        let expected = run.anomalies().filter(|anomaly| anomaly.code == run.expected);
        let visible_ns = expected.filter_map(|anomaly| anomaly.at_ns).min();
        (Outcome::from(&run), visible_ns, run.phases.end_ns, run.foreign)
    });
    for (seed, (outcome, visible_ns, end_ns, codes)) in seeds.iter().zip(runs) {
        let found_before = group.found;
        group.add(outcome);
        if first.is_none() && group.found > found_before {
            first = Some((*seed, simulated_ns + visible_ns.unwrap_or(end_ns)));
        }
        simulated_ns += end_ns;
        foreign.extend(codes.iter().map(ToString::to_string));
    }
    let score = Score {
        directed: is_directed(scenario),
        anomaly: group.expected,
        found: group.found,
        seeds: group.seeds,
        first_seed: first.map(|(seed, _)| seed),
        first_ns: first.map(|(_, ns)| ns),
        foreign: foreign.into_iter().collect(),
        scenario: scenario.name.clone(),
        ..unproven(&scenario.design, &variant.variant)
    };
    (score, group.standing)
}

/// In how many seeds the same faults find the anomaly when they wait for nothing.
fn found_undirected(
    scenario: &Scenario,
    design: &DesignEntry,
    variant: &Expectation,
    seeds: std::ops::Range<u64>,
) -> u64 {
    let seeds: Vec<u64> = seeds.collect();
    let found = parallel::map(&seeds, |seed| {
        let loose = wrack_runner::undirected::undirected(scenario, *seed);
        let run = wrack_runner::run_until_found(&loose, design, variant, *seed);
        run.anomalies().any(|anomaly| anomaly.code == run.expected)
    });
    found.into_iter().filter(|found| *found).count() as u64
}

/// Whether a fault of the scenario waits for a place in the design, rather than for a time.
fn is_directed(scenario: &Scenario) -> bool {
    scenario.faults.iter().any(|scheduled| {
        scheduled.fault.kind == "failpoint" || matches!(scheduled.when, When::OnFact { .. })
    })
}

/// A broken variant that no scenario has.
fn unproven(design: &str, variant: &str) -> Score {
    Score {
        design: design.into(),
        variant: variant.into(),
        scenario: String::new(),
        directed: false,
        anomaly: String::new(),
        found: 0,
        seeds: 0,
        first_seed: None,
        first_ns: None,
        foreign: Vec::new(),
        undirected: None,
    }
}
