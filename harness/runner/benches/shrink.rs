//! Shrinks the anomaly of every broken variant of the repository's scenarios, and says how small its
//! story becomes and how long that takes.
//!
//! `cargo bench -p wrack-runner --bench shrink [-- NAME]`: those whose scenario or variant contains NAME.

mod repository;

use std::time::Instant;

use wrack_runner::Catalogue;
use wrack_runner::shrink::{Budget, Goal, shrink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let designs = Catalogue::builtin();
    let catalogue = designs.names();
    let (mut operations, mut faults, mut times) = (Vec::new(), Vec::new(), Vec::new());
    println!("| scenario | variant | anomaly | operations | faults | runs | seconds |");
    println!("|---|---|---|---|---|---|---|");
    for scenario in repository::scenarios(&designs) {
        let design = designs.of(&scenario);
        for variant in &scenario.variants {
            let Some(code) = variant.anomaly.clone() else { continue };
            let (name, variant) = (&scenario.name, &variant.variant);
            if !format!("{name} {variant}").contains(&wanted) {
                continue;
            }
            let goal = Goal { variant: variant.clone(), seed: 0, code };
            let began = Instant::now();
            let is_over = || began.elapsed().as_secs() >= 60;
            let budget = Budget { runs_max: u64::MAX, is_over: &is_over };
            let Some(shrunk) = shrink(&scenario, design, &catalogue, &goal, &budget) else {
                println!("| {name} | {variant} | {} | not reproduced | | | |", goal.code);
                continue;
            };
            let (took, after) = (began.elapsed().as_secs_f64(), shrunk.after);
            println!(
                "| {name} | {variant} | {} | {} → {} | {} → {} | {} | {took:.2} |",
                goal.code,
                shrunk.before.operations,
                after.operations,
                shrunk.before.faults,
                after.faults,
                shrunk.runs
            );
            operations.push(after.operations);
            faults.push(after.faults);
            times.push((took * 1_000.0) as usize);
        }
    }
    println!("\n{} stories", operations.len());
    summary("operations", operations);
    summary("faults", faults);
    summary("milliseconds", times);
}

fn summary(what: &str, mut values: Vec<usize>) {
    values.sort_unstable();
    let Some(most) = values.last() else { return };
    println!("{what}: median {}, at most {most}", values[values.len() / 2]);
}
