//! Removals of which nobody knows what they took: an answer from both sides.
//!
//! * *Nobody took anything.* If the stays have a legal order as they are, the takes need not have
//!   happened.
//! * *Everybody could have taken everything.* Let every value that no known removal took out have been
//!   taken at any time from the invocation of the first take on. Whatever the takes did is one of
//!   these orders, so if there is none, there is no legal order.
//! * *One guess.* Each conflict says that some open stay, one that no known removal ends, must end
//!   before some time: that is its deadline. The takes are given to the stays with deadlines, the first
//!   to the one with the first deadline and so on, which meets the deadlines if any way does; then the
//!   stays are checked again, until there is no conflict. Then there is a legal order, for a guess is
//!   one possible course of events. If the deadlines cannot be met, they may have been chosen badly,
//!   and nothing is said.
//!
//! *Which deadline.* In a queue it follows from known operations. Where a gap must be uncovered, one is
//! chosen that no known presence covers: the first at which no more open stays must have ended than
//! takes had been invoked by then. For empty removals this is no loss: all open stays that began before the gap
//! must have ended, so an earlier gap asks for fewer.
//!
//! Bounds: each guess costs one check of all stays. They stop where the search has its bound, of which a
//! configuration stands for [`STAYS_PER_STATE`] stays; then nothing is said.

use super::Order;
use super::stay::{Conflict, NONE, Remedy, Stays, Take};

/// Stays that are checked in about the time in which a search visits one configuration.
const STAYS_PER_STATE: u64 = 50;

/// What is known of a history with removals in doubt.
pub(super) enum Taken {
    /// These stays have a legal order.
    Legal(Stays),
    /// There is none, because of these stays.
    Conflict(Stays, Conflict),
    /// Neither is known.
    Open,
}

/// Looks for an answer from both sides.
pub(super) fn decide<O: Order>(order: &O, stays: Stays, states_max: u64) -> Taken {
    let check = |stays: &Stays| stays.check_empties().and_then(|()| order.check(stays));
    let Err(conflict) = check(&stays) else {
        return Taken::Legal(stays);
    };
    let Some(first) = stays.takes.first() else {
        return Taken::Conflict(stays, conflict);
    };
    let anyone = Take { call: NONE, ..*first };
    let mut freest = stays.clone();
    for stay in stays.all() {
        if stays.is_open(stay) {
            freest.end_by(stay, anyone);
        }
    }
    if let Err(conflict) = check(&freest) {
        return Taken::Conflict(freest, conflict);
    }
    let mut guess = Guess { deadlines: order.deadlines(&stays), stays };
    let all: Vec<u32> = guess.stays.all().collect();
    let windows: Vec<(u32, u32)> = guess.stays.empties.iter().map(|empty| empty.open).collect();
    if !guess.uncover(&all, &windows) {
        return Taken::Open;
    }
    let stays = guess.stays.list.len().max(1) as u64;
    for _ in 0..states_max.saturating_mul(STAYS_PER_STATE) / stays {
        let Some(guessed) = guess.assign() else {
            return Taken::Open;
        };
        let Err(conflict) = check(&guessed) else {
            return Taken::Legal(guessed);
        };
        if !guess.remedy(&conflict) {
            return Taken::Open;
        }
    }
    Taken::Open
}

/// Which open stays have been taken, and when.
struct Guess {
    stays: Stays,
    /// Before when each stay must end; `u32::MAX` if it need not.
    deadlines: Vec<u32>,
}

impl Guess {
    /// The stays with those that have a deadline taken, if there are takes for that.
    fn assign(&self) -> Option<Stays> {
        let mut urgent: Vec<(u32, u32)> = self
            .stays
            .all()
            .map(|stay| (self.deadlines[stay as usize], stay))
            .filter(|(deadline, _)| *deadline < u32::MAX)
            .collect();
        urgent.sort_unstable();
        let mut guessed = self.stays.clone();
        let mut takes = self.stays.takes.iter();
        for (deadline, stay) in urgent {
            let take = takes.next().filter(|take| take.from < deadline)?;
            guessed.end_by(stay, *take);
        }
        Some(guessed)
    }

    /// Sets deadlines so that this conflict does not come back; whether that is possible.
    fn remedy(&mut self, conflict: &Conflict) -> bool {
        match &conflict.remedy {
            Remedy::Ends(stay, deadline) => {
                let known = &mut self.deadlines[*stay as usize];
                let new = self.stays.is_open(*stay) && *deadline < *known;
                *known = (*known).min(*deadline);
                new
            }
            Remedy::Uncovered(stays, window) => self.uncover(stays, &[*window]),
        }
    }

    /// Sets deadlines so that each of these windows has a gap that none of the stays covers; whether
    /// that is possible, and was not so before.
    fn uncover(&mut self, stays: &[u32], windows: &[(u32, u32)]) -> bool {
        let gaps = self.stays.end as usize + 1;
        let known = stays.iter().copied().filter(|stay| !self.stays.is_open(*stay));
        let coverage = self.stays.coverage(known);
        // How many more open stays must have ended than takes had been invoked, by gap.
        let mut lacking = vec![0; gaps + 1];
        let mut needs: Vec<u32> = self.deadlines.clone();
        for &stay in stays {
            let from = self.stays.list[stay as usize].presence().start + 1;
            needs[stay as usize] = needs[stay as usize].min(from);
        }
        for stay in self.stays.all().filter(|stay| self.stays.is_open(*stay)) {
            let needed = needs[stay as usize].saturating_sub(1) as usize;
            lacking[needed.min(gaps)] += 1;
        }
        self.stays.takes.iter().for_each(|take| lacking[take.from as usize] -= 1);
        let mut next = vec![u32::MAX; gaps + 1];
        let mut sum = 0;
        let fits: Vec<bool> = (0..gaps)
            .map(|gap| {
                sum += lacking[gap];
                coverage[gap] == 0 && sum <= 0
            })
            .collect();
        for gap in (0..gaps).rev() {
            next[gap] = if fits[gap] { gap as u32 } else { next[gap + 1] };
        }
        let mut chosen: Vec<u32> = windows.iter().map(|window| next[window.0 as usize]).collect();
        if windows.iter().zip(&chosen).any(|(window, gap)| *gap >= window.1) {
            return false;
        }
        chosen.sort_unstable();
        let mut progress = windows.len() != 1;
        for &stay in stays.iter().filter(|stay| self.stays.is_open(**stay)) {
            let start = self.stays.list[stay as usize].presence().start;
            let Some(gap) = chosen.get(chosen.partition_point(|gap| *gap < start)) else {
                continue;
            };
            let deadline = &mut self.deadlines[stay as usize];
            progress |= gap + 1 < *deadline;
            *deadline = (*deadline).min(gap + 1);
        }
        progress
    }
}
