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
//! The gaps that are covered so far are joined, so that the next uncovered one is found in almost
//! constant time: O(n log n) for the order of values.
//!
//! Source: the largest value as the one to be taken away is that of Lee and Mathur, arXiv 2410.04581.

use wrack_sequential::contents::Container;
use wrack_sequential::priority_queue::PriorityQueue;

use super::Order;
use super::stay::{Conflict, Remedy, Stays};

impl Order for PriorityQueue {
    const ALGORITHM: &'static str = "priority order";

    fn check(&self, stays: &Stays) -> Result<(), Conflict> {
        let integer = |stay: u32| {
            let value = stays.list[stay as usize].value;
            self.contents().value(value).as_integer()
        };
        let mut order: Vec<u32> = (0..stays.list.len() as u32).collect();
        order.sort_by_cached_key(|stay| integer(*stay));
        let mut gaps = Gaps::new(stays.end as usize + 1);
        for (rank, &stay) in order.iter().enumerate() {
            let this = &stays.list[stay as usize];
            let (from, to) = this.remove;
            if gaps.next_uncovered(from) >= to {
                let smaller = order[..rank].to_vec();
                let mut among = stays.chain(smaller.iter().copied(), this.remove);
                among.push(stay);
                let remedy = Remedy::Uncovered(smaller, this.remove);
                return Err(Conflict { among, empty: None, remedy });
            }
            gaps.cover(this.presence());
        }
        Ok(())
    }
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
