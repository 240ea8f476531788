//! A slice of the long comparison with the twin (`examples/exhaustive`), another one every time.

#[path = "../examples/exhaustive/small.rs"]
mod small;

use std::hash::{BuildHasher, Hasher, RandomState};

use small::{Dice, compare, random, shapes};

/// A seed that is new every time, and printed.
fn fresh_seed() -> u64 {
    let seed = RandomState::new().build_hasher().finish() | 1;
    println!("seed {seed}");
    seed
}

#[test]
fn every_history_of_two_operations_is_judged_as_the_twin_does() {
    let mut valid = 0;
    for shape in shapes(1).iter().chain(&shapes(2)) {
        let histories = (0..shape.contents()).filter_map(|number| shape.history(number));
        valid += histories.filter(|history| compare(history)).count();
    }
    assert_eq!(valid, 386);
}

#[test]
fn histories_of_three_and_four_operations_are_judged_as_the_twin_does() {
    let mut dice = Dice(fresh_seed());
    let shapes = [shapes(3), shapes(4)].concat();
    for _ in 0..20_000 {
        let shape = &shapes[dice.below(shapes.len() as u64) as usize];
        if let Some(history) = shape.history(dice.below(shape.contents())) {
            compare(&history);
        }
    }
}

#[test]
fn random_histories_are_judged_as_the_twin_does() {
    let mut dice = Dice(fresh_seed());
    let valid = (0..10_000).filter(|_| compare(&random(&mut dice))).count();
    assert!((2_000..8_000).contains(&valid), "{valid} of 10,000 are valid");
}
