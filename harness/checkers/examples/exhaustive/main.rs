//! The long comparison of the register checker with its twin.
//!
//! ```text
//! cargo run --release -p wrack-checkers --example exhaustive
//! cargo run --release -p wrack-checkers --example exhaustive -- random 2000000 SEED
//! ```
//! The first judges every history of up to 4 operations of a register with cas over 3 values, ok and
//! in doubt, once up to renaming and symmetry; the second random ones of 5 to 8 operations. Both end at
//! the first difference. A slice of both is among the tests.

mod small;

use std::process::ExitCode;

use small::{Dice, compare, random, shapes};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            every_history();
            ExitCode::SUCCESS
        }
        ["random", count, seed] => match (count.parse(), seed.parse()) {
            (Ok(count), Ok(seed)) => {
                random_histories(count, seed);
                ExitCode::SUCCESS
            }
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("exhaustive [random COUNT SEED]");
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

fn random_histories(count: u64, seed: u64) {
    let mut dice = Dice(seed | 1);
    let valid: u64 = (0..count).map(|_| u64::from(compare(&random(&mut dice)))).sum();
    println!("{count} random histories of seed {seed}, {valid} valid");
}
