//! The order of a priority queue.
//!
//! A value may come out when nothing smaller is inside. It never keeps anything smaller from coming
//! out, so values are judged one by one, the smallest first. *The values up to `v` have a legal order
//! iff those below `v` have one, and some gap of `[r1, r2]`, where `v` comes out, is not covered by their
//! presences.* If no gap is uncovered, something smaller is inside the whole time. If one is:
//!
//! *Nothing need be inside at an uncovered gap.* Take a legal order, and let `u` be inside at gap `g`. As
//! `u` does not cover `g`, its insertion can be moved behind `g`, or its removal before `g`. Move each
//! of these so, the removals in order of their values, directly before `g`. Nothing is inside longer
//! than before, so what else comes out still may; and each that comes out directly before `g`
//! finds nothing smaller: what was inside goes in later or came out before it. What goes in behind `g`
//! comes out later still, as before. As stays only become shorter, this can be done for one gap after
//! the other.
//!
//! So with nothing below `v` inside at the gap, `v` comes out there; it goes in before that, at or after
//! `i1`, which is no later than the gap because `r1` is cut to it. Empty removals are the removals of
//! values larger than all others, and are judged by the same argument.
//!
//! *An order.* Let each value come out at the first uncovered gap, and go in as late as it can before
//! that. Then none is inside where a larger one comes out: at an uncovered gap that is not before its
//! own `r1` it has come out, and at one before its `i2` it has yet to go in.
//!
//! The gaps that are covered so far are joined, so that the next uncovered one is found in almost
//! constant time: O(n log n) for the order of values.
//!
//! Source: the largest value as the one to be taken away is that of Lee and Mathur, arXiv 2410.04581.

use wrack_sequential::contents::Container;
use wrack_sequential::priority_queue::PriorityQueue;

use super::Order;
use super::stay::{Conflict, INSERTIONS, Place, REMOVALS, Remedy, Stay, Stays};

impl Order for PriorityQueue {
    const ALGORITHM: &'static str = "priority order";

    fn check(&self, stays: &Stays) -> Result<(), Conflict> {
        take_out(self, stays, |_, _| ())
    }

    fn places(&self, stays: &Stays) -> Vec<Place> {
        let mut places: Vec<Place> = stays.empty_places().collect();
        let mut rank = 0;
        let legal = take_out(self, stays, |stay, gap| {
            let Stay { insert, calls, .. } = stays.list[stay as usize];
            let removal = Place { gap, turn: (REMOVALS, rank), call: calls.1 };
            let insertion = match insert.1 - 1 < gap {
                true => Place { gap: insert.1 - 1, turn: (INSERTIONS, rank), call: calls.0 },
                false => Place { call: calls.0, ..removal },
            };
            places.extend([insertion, removal]);
            rank += 1;
        });
        legal.expect("the stays have a legal order");
        places
    }
}

/// Takes one value after the other out, each at the first gap where it can be, the smallest first.
fn take_out(
    queue: &PriorityQueue,
    stays: &Stays,
    mut taken: impl FnMut(u32, u32),
) -> Result<(), Conflict> {
    let integer = |stay: u32| {
        let value = stays.list[stay as usize].value;
        queue.contents().value(value).as_integer()
    };
    let mut order: Vec<u32> = stays.all().collect();
    order.sort_by_cached_key(|stay| integer(*stay));
    let mut gaps = Gaps::new(stays.end as usize + 1);
    for (rank, &stay) in order.iter().enumerate() {
        let this = &stays.list[stay as usize];
        let gap = gaps.next_uncovered(this.remove.0);
        if gap >= this.remove.1 {
            let smaller = order[..rank].to_vec();
            let mut among = stays.chain(smaller.iter().copied(), this.remove);
            among.push(stay);
            let remedy = Remedy::Uncovered(smaller, this.remove);
            return Err(Conflict { among, empty: None, remedy });
        }
        taken(stay, gap);
        gaps.cover(this.presence());
    }
    Ok(())
}

/// Which gaps are covered; the last one never is.
struct Gaps {
    /// A gap that is not before the next uncovered one's, and is nearer to it; itself if uncovered.
    next: Vec<u32>,
}

impl Gaps {
    fn new(gaps: usize) -> Self {
        Self { next: (0..gaps as u32).collect() }
    }

    /// The first uncovered gap that is not before this one.
    fn next_uncovered(&mut self, mut gap: u32) -> u32 {
        while self.next[gap as usize] != gap {
            let further = self.next[self.next[gap as usize] as usize];
            self.next[gap as usize] = further;
            gap = further;
        }
        gap
    }

    fn cover(&mut self, gaps: std::ops::Range<u32>) {
        let mut gap = gaps.start;
        while gap < gaps.end {
            gap = self.next_uncovered(gap);
            if gap < gaps.end {
                self.next[gap as usize] = gap + 1;
            }
        }
    }
}
