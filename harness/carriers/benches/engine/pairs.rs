//! A ratio that a machine which is now fast and now slow does not move: the two sides take turns, and each
//! turn is a ratio of its own.

use std::hint::black_box;
use std::time::Instant;

/// Carries messages; gives how many were sent.
pub type Case = fn() -> u64;

const ROUNDS: usize = 100;

/// Prints how many times as long a message takes on `ours` as on `theirs`: the median of many rounds and,
/// by rank, what it lies between in 95 of 100 cases. One round where the benchmarks are only tried.
pub fn print(name: &str, ours: Case, theirs: Case) {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let rounds = if is_measured { ROUNDS } else { 1 };
    let mut ratios: Vec<f64> = (0..rounds).map(|round| ratio(ours, theirs, round)).collect();
    ratios.sort_by(f64::total_cmp);
    let (middle, aside) = (rounds / 2, (rounds as f64).sqrt() as usize);
    let (low, high) = (middle.saturating_sub(aside), (middle + aside).min(rounds - 1));
    println!(
        "{name}: {:.2} times as long for a message, {:.2} to {:.2} ({rounds} rounds in turn)",
        ratios[middle], ratios[low], ratios[high]
    );
}

/// Whoever goes first in one round goes second in the next.
fn ratio(ours: Case, theirs: Case, round: usize) -> f64 {
    if round.is_multiple_of(2) {
        let first = nanoseconds_per_message(ours);
        first / nanoseconds_per_message(theirs)
    } else {
        let first = nanoseconds_per_message(theirs);
        nanoseconds_per_message(ours) / first
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn nanoseconds_per_message(case: Case) -> f64 {
    let start = Instant::now();
    let messages = black_box(case());
    start.elapsed().as_nanos() as f64 / messages as f64
}
