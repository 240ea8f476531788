//! Removals of which nobody knows what they took: an answer from both sides.
//!
//! * *Nobody took anything.* If the stays have a legal order as they are, the takes need not have
//!   happened.
//! * *Everybody could have taken everything.* Let every value that no known removal took out have been
//!   taken at any time from the invocation of the first take on. Whatever the takes did is one of
//!   these orders, so if there is none, there is no legal order.
//! * *One guess.* A conflict names the stay that lasts longest, and before when it would have to end.
//!   If nobody took its value out, the latest take that was invoked before then, and is not taken for
//!   another one, is held to have done it; and so on, until there is no conflict. Then there is a
//!   legal order, for a guess is one possible course of events. If no take is left for a conflict, the
//!   guesses may have been wrong, and nothing is said.
//!
//! The guess is as good as any where the time before which a value must be gone follows from known
//! operations alone: to give each value the latest free take before its deadline succeeds whenever any
//! assignment does (scheduling of unit jobs with deadlines; Lawler 1976).
//!
//! Bounds: each guess costs one check; more than [`GUESSES_EFFORT_MAX`] stays checked in all, and
//! nothing is said.

use super::Order;
use super::stay::{Conflict, Stays};

/// Stays that are checked in all while takes are guessed.
const GUESSES_EFFORT_MAX: usize = 50_000_000;

/// What is known of a history with removals in doubt.
pub(super) enum Taken {
    /// There is a legal order.
    Legal,
    /// There is none, because of these stays.
    Conflict(Stays, Conflict),
    /// Neither is known.
    Open,
}

/// Looks for an answer from both sides.
pub(super) fn decide<O: Order>(order: &O, stays: Stays) -> Taken {
    let check = |stays: &Stays| stays.check_empties().and_then(|()| order.check(stays));
    let Err(conflict) = check(&stays) else {
        return Taken::Legal;
    };
    let Some(&first) = stays.takes.first() else {
        return Taken::Conflict(stays, conflict);
    };
    let mut freest = stays.clone();
    for stay in 0..stays.list.len() as u32 {
        if stays.is_open(stay) {
            freest.end_from(stay, first);
        }
    }
    if let Err(conflict) = check(&freest) {
        return Taken::Conflict(freest, conflict);
    }
    if guess(stays, conflict, check) { Taken::Legal } else { Taken::Open }
}

/// Whether some guess of what the takes took is legal.
fn guess(
    mut stays: Stays,
    mut conflict: Conflict,
    check: impl Fn(&Stays) -> Result<(), Conflict>,
) -> bool {
    let mut free = stays.takes.clone();
    for _ in 0..GUESSES_EFFORT_MAX / stays.list.len().max(1) {
        let (stay, deadline) = conflict.longest;
        let before = free.partition_point(|take| *take < deadline);
        if before == 0 || !stays.is_open(stay) {
            return false;
        }
        stays.end_from(stay, free.remove(before - 1));
        match check(&stays) {
            Ok(()) => return true,
            Err(next) => conflict = next,
        }
    }
    false
}
