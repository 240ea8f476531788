//! The order of a stack.
//!
//! There is a legal order iff insertions and removals can be placed so that of every two stays either
//! one contains the other or they do not overlap.
//!
//! *A value without a presence is left out.* Its insertion and its removal can take effect at one and
//! the same gap, one directly after the other, which is legal whatever is inside. All other values
//! have `i1 < i2 < r1 < r2`.
//!
//! *Nothing need be inside at an uncovered gap.* Take a legal order, and let `v1`, …, `vk` be inside at
//! gap `g`, the bottom first. As `vi` does not cover `g`, its insertion can be moved behind `g`, or its
//! removal before `g`. Move each of these so: the removals directly before `g`, the top first, the
//! insertions directly behind `g`, the bottom first. These stays contain each other as before, or end
//! before others begin; any other stay that overlapped one of them was inside it, on one side of `g`, and
//! still is, or is no longer touched. Stays only become shorter, so this can be done for one gap after the
//! other.
//!
//! So the uncovered gaps cut the history into *blocks*, which are judged one by one. Within a block let
//! `L` be the first `i2` and `R` the last `r1`; all gaps between are covered.
//!
//! *A block has one bottom.* At every gap between `L` and `R` something is inside. If two values lay at
//! the bottom of the stack one after the other, nothing would be inside at the gap between. So some
//! value `b` goes in before all others of the block, and comes out after them: `i1(b) < L` and
//! `R < r2(b)`. If no value is so, there is no legal order.
//!
//! *Any such value will do.* Let `b` be so. The gaps directly before `L` and behind `R` are uncovered,
//! so if the other values of the block have a legal order, they have one in which all of them go in
//! behind the one and come out before the other. There `b` can be put in before all of them and taken out
//! after. And if the block has a legal order, so have the others: take `b` away. So `b` is taken away, and
//! the rest of the block, which may fall into several, is judged in the same way.
//!
//! *An order.* The bottom of a block goes in at the gap before it and comes out at the one behind it,
//! around all others.
//!
//! *Why a conflict is small.* A sequence of presences that covers the block from `L` to `R` has the same
//! `L` and `R`, so no bottom either.
//!
//! *Bounds.* Each value is taken away once, and each gap becomes uncovered once; two trees find them:
//! O(n w log n), where `w` is how many insertions are open at one time at most.
//!
//! Source: to take away one value after the other while the rest stays linearizable or not is the idea
//! of Lee and Mathur, arXiv 2410.04581.

mod bottoms;
mod gaps;

use std::ops::Range;

use wrack_sequential::stack::Stack;

use super::Order;
use super::stay::{AT_ONCE, Conflict, INSERTIONS, Place, REMOVALS, Remedy, Stays};
use bottoms::Bottoms;
use gaps::Gaps;

impl Order for Stack {
    const ALGORITHM: &'static str = "stack order";

    fn check(&self, stays: &Stays) -> Result<(), Conflict> {
        take_away(stays, |_, _| ())
    }

    fn places(&self, stays: &Stays) -> Vec<Place> {
        let mut places: Vec<Place> = stays.empty_places().collect();
        for stay in stays.list.iter().filter(|stay| stay.presence().is_empty()) {
            let turn = (AT_ONCE, 0);
            places.push(Place { gap: stay.remove.0, turn, call: stay.calls.0 });
            places.push(Place { gap: stay.remove.0, turn, call: stay.calls.1 });
        }
        let mut inner = 0;
        let legal = take_away(stays, |bottom, block| {
            let (insert, remove) = stays.list[bottom as usize].calls;
            let turn = (INSERTIONS, inner);
            places.push(Place { gap: block.start - 1, turn, call: insert });
            places.push(Place { gap: block.end, turn: (REMOVALS, u32::MAX - inner), call: remove });
            inner += 1;
        });
        legal.expect("the stays have a legal order");
        places
    }
}

/// Takes one bottom after the other away, each with its block, those around others first.
fn take_away(stays: &Stays, mut taken: impl FnMut(u32, Range<u32>)) -> Result<(), Conflict> {
    let coverage = stays.coverage(stays.all());
    let mut gaps = Gaps::new(&coverage);
    let mut bottoms = Bottoms::new(stays);
    let mut blocks = blocks(&coverage);
    while let Some(block) = blocks.pop() {
        let Some(bottom) = bottoms.take(block.clone()) else {
            return Err(conflict(stays, &bottoms, block));
        };
        taken(bottom, block.clone());
        gaps.uncover(stays.list[bottom as usize].presence());
        gaps.take_uncovered(block, &mut blocks);
    }
    Ok(())
}

/// The ranges of covered gaps.
fn blocks(coverage: &[i32]) -> Vec<Range<u32>> {
    let runs = coverage.chunk_by(|one, other| (*one == 0) == (*other == 0));
    let mut from = 0;
    let ranges = runs.map(|run| {
        from += run.len() as u32;
        (run[0] > 0).then(|| from - run.len() as u32..from)
    });
    ranges.flatten().collect()
}

/// The block, of which these gaps are covered, has no bottom.
fn conflict(stays: &Stays, bottoms: &Bottoms, block: Range<u32>) -> Conflict {
    let among = stays.chain(bottoms.of(block.clone()), (block.start, block.end));
    let (longest, others) = among.split_last().expect("a block has a presence");
    let below = others.iter().map(|stay| &stays.list[*stay as usize]);
    let below = below.filter(|stay| stay.insert.0 < block.start);
    let ends = below.map(|stay| stay.remove.1).max().unwrap_or(0);
    Conflict { remedy: Remedy::Ends(*longest, ends), among, empty: None }
}
