//! The long comparisons of the checker with its twins.
//!
//! ```text
//! cargo run --release -p wrack-checkers --example exhaustive
//! cargo run --release -p wrack-checkers --example exhaustive -- random 2000000 SEED [MODEL]
//! ```
//! The first judges every history of up to 4 operations of a register with cas over 3 values, ok and
//! in doubt, once up to renaming and symmetry; the second so many random ones of 5 to 8 operations of each
//! model, or of one. Both end at the first difference. A slice of both is among the tests, and
//! `LONG-RUNS.md` of this crate says what has been run.

mod objects;
mod random;
mod small;

use std::process::ExitCode;

use objects::ALL;
use random::{Dice, Random};
use small::{compare, shapes};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (count, seed, model) = match words.as_slice() {
        [] => {
            every_history();
            return ExitCode::SUCCESS;
        }
        ["random", count, seed] => (count.parse(), seed.parse(), None),
        ["random", count, seed, model] => (count.parse(), seed.parse(), Some(*model)),
        _ => return usage(),
    };
    let (Ok(count), Ok(seed)) = (count, seed) else {
        return usage();
    };
    let objects: Vec<_> =
        ALL.iter().filter(|object| model.is_none_or(|name| object.model == name)).collect();
    for object in &objects {
        let mut dice = Dice::new(seed);
        let valid = (0..count).filter(|_: &u64| Random::new(object, &mut dice).compare()).count();
        println!("{}: {count} random histories of seed {seed}, {valid} valid", object.model);
    }
    if objects.is_empty() { usage() } else { ExitCode::SUCCESS }
}

fn usage() -> ExitCode {
    eprintln!("exhaustive [random COUNT SEED [MODEL]]");
    ExitCode::from(64)
}

fn every_history() {
    for count in 1..=4 {
        let (mut histories, mut valid) = (0u64, 0u64);
        let shapes = shapes(count);
        for shape in &shapes {
            for history in (0..shape.contents()).filter_map(|number| shape.history(number)) {
                histories += 1;
                valid += u64::from(compare(&history));
            }
        }
        let shapes = shapes.len();
        println!("{count} operations: {shapes} shapes, {histories} histories, {valid} valid");
    }
}
