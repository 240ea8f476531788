//! A slice of the long comparisons with the twins (`examples/exhaustive`), another one every time.

#[path = "../examples/exhaustive/objects.rs"]
mod objects;
#[path = "../examples/exhaustive/random.rs"]
mod random;
#[path = "../examples/exhaustive/small.rs"]
mod small;

use std::hash::{BuildHasher, Hasher, RandomState};

use objects::ALL;
use random::{Dice, Random};
use small::{compare, shapes};

/// A seed that is new every time, and printed.
fn fresh_seed() -> u64 {
    let seed = RandomState::new().build_hasher().finish();
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
    let mut dice = Dice::new(fresh_seed());
    let shapes = [shapes(3), shapes(4)].concat();
    for _ in 0..20_000 {
        let shape = &shapes[dice.below(shapes.len() as u64) as usize];
        if let Some(history) = shape.history(dice.below(shape.contents())) {
            compare(&history);
        }
    }
}

#[test]
fn random_histories_of_every_model_are_judged_as_the_twin_does() {
    let seed = fresh_seed();
    for object in &ALL {
        let mut dice = Dice::new(seed);
        let valid = (0..2_000).filter(|_| Random::new(object, &mut dice).compare()).count();
        assert!((1_000..1_900).contains(&valid), "{}: {valid} of 2,000 are valid", object.model);
    }
}

#[test]
fn every_model_of_single_objects_has_its_random_histories() {
    let transactional = ["etcd", "list-append", "rw-register"];
    let all = wrack_sequential::ALL.iter().map(|info| info.name);
    let expected: Vec<&str> = all.filter(|name| !transactional.contains(name)).collect();
    assert_eq!(ALL.map(|object| object.model).to_vec(), expected);
}
