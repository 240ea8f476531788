//! Whole runs of the design: crashes between every two steps, and what must and must not come of it.

use crate::payments::{INFO, Payments};
use crate::rehearsal::{Outcome, Rehearsal};

const SEEDS: std::ops::Range<u64> = 0..5;

/// Three crashes at a failpoint, and two of a hundred messages lost.
fn crashes(variant: &'static str, failpoint: &'static str, seed: u64) -> Outcome {
    let crash_at = Some((failpoint, 3));
    let loss_per_million = 20_000;
    let rehearsal = Rehearsal { variant, function: "charge", seed, crash_at, loss_per_million };
    rehearsal.run::<Payments>()
}

fn difference(outcome: &Outcome) -> i64 {
    outcome.balance("gateway", "settlement") - outcome.balance("ledger", "settlement")
}

#[test]
fn whatever_crashes_wherever_each_charge_is_captured_once_and_the_books_agree() {
    for failpoint in INFO.failpoints.iter().map(|point| point.name) {
        for seed in SEEDS {
            let outcome = crashes("reference", failpoint, seed);
            assert_eq!(outcome.crashes(), 3, "{failpoint}, seed {seed}");
            let wrong = (outcome.doubled(), outcome.missing(), difference(&outcome));
            assert_eq!(wrong, (0, 0, 0), "{failpoint}, seed {seed}");
            assert!(outcome.ok() > 390, "{failpoint}, seed {seed}");
        }
    }
}

#[test]
fn the_reconciler_finds_what_nobody_asks_for_any_more() {
    for seed in SEEDS {
        let outcome = crashes("reference", "payments.answered_before_post", seed);
        assert!(outcome.reached("a charge is found unfinished by the reconciler"), "seed {seed}");
        let outcome = crashes("no_reconcile", "payments.answered_before_post", seed);
        assert!(difference(&outcome) > 0, "seed {seed}");
        assert_eq!((outcome.doubled(), outcome.missing()), (0, 0), "seed {seed}");
    }
}

#[test]
fn a_retry_that_is_not_recognised_charges_twice_and_the_books_agree_about_it() {
    for seed in SEEDS {
        for variant in ["no_key", "key_elsewhere"] {
            let outcome = crashes(variant, "payments.captured", seed);
            assert!(outcome.doubled() > 0, "{variant}, seed {seed}");
            assert_eq!((outcome.missing(), difference(&outcome)), (0, 0), "{variant}, seed {seed}");
        }
    }
}
