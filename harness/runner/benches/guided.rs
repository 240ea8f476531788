//! How many runs a swarm needs to show the anomaly of a broken variant, with seeds one after the other
//! and guided.
//!
//! `cargo bench -p wrack-runner --bench guided [-- NAME]`: those whose scenario and variant contain NAME. Without a
//! NAME, a variant is left out if its first search finds it neither way.

mod repository;

use std::collections::BTreeMap;

use wrack_runner::guide::Guide;
use wrack_runner::sweep::Record;
use wrack_runner::{Catalogue, TraceLevel, parallel};
use wrack_scenario::{Expectation, Scenario};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// So many searches each way, from seeds of their own.
const SEARCHES: u64 = 20;
/// A search gives up after so many runs, which count.
const RUNS_MAX: u64 = 4_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let designs = Catalogue::builtin();
    let scenarios = repository::scenarios(&designs);
    // What is expected of each broken variant of a design, as any scenario says it.
    let mut broken = BTreeMap::new();
    for scenario in &scenarios {
        for variant in scenario.variants.iter().filter(|variant| variant.anomaly.is_some()) {
            broken.insert((scenario.design.clone(), variant.variant.clone()), variant);
        }
    }
    println!("| swarm | variant | anomaly | in order | guided |");
    println!("|---|---|---|---|---|");
    let (mut in_order_of_all, mut guided_of_all) = (0, 0);
    for scenario in scenarios.iter().filter(|scenario| scenario.swarm.is_some()) {
        let variants = broken.iter().filter(|((design, _), _)| *design == scenario.design);
        for ((_, variant), expectation) in variants {
            if !format!("{} {variant}", scenario.name).contains(&wanted) {
                continue;
            }
            let both = |number: &u64| {
                let search = Search { designs: &designs, scenario, expectation };
                [false, true].map(|guided| search.runs(number * RUNS_MAX, guided))
            };
            if wanted.is_empty() && both(&0) == [RUNS_MAX; 2] {
                continue;
            }
            let needed = parallel::map(&Vec::from_iter(0..SEARCHES), both);
            let [in_order, guided] =
                [0, 1].map(|way| needed.iter().map(|both| both[way]).sum::<u64>());
            let code = expectation.expected();
            println!("| {} | {variant} | {code} | {in_order} | {guided} |", scenario.name);
            in_order_of_all += in_order;
            guided_of_all += guided;
        }
    }
    println!("\nruns of all: {in_order_of_all} in order, {guided_of_all} guided");
}

struct Search<'a> {
    designs: &'a Catalogue,
    scenario: &'a Scenario,
    expectation: &'a Expectation,
}

impl Search<'_> {
    /// Runs until the anomaly shows.
    fn runs(&self, first: u64, guided: bool) -> u64 {
        let seeds = first..first + RUNS_MAX;
        let design = self.designs.of(self.scenario);
        let draws = |seed| wrack_runner::swarm::draws(self.scenario, design.info, seed);
        let mut guide = Guide::new(seeds.clone(), RUNS_MAX, draws);
        for number in 0..RUNS_MAX {
            let seed = match guided {
                true => guide.next(1)[0],
                false => seeds.start + number,
            };
            let run =
                wrack_runner::run(self.scenario, design, self.expectation, seed, TraceLevel::Hash);
            if run.found() {
                return number + 1;
            }
            guide.learn(&Record::new(0, &run, true));
        }
        RUNS_MAX
    }
}
