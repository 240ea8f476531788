//! The order of a queue.
//!
//! Values come out in the order in which they went in, so a legal order gives one order of values.
//! `a` must stand before `b` in it if `insert(a)` ends before `insert(b)` begins, or `remove(a)`
//! before `remove(b)`. *There is a legal order iff no two values must stand before each other.*
//!
//! *No circle without a pair.* Let `a → b` say that `a` must stand before `b`. Each kind of arrow is an
//! interval order and transitive, so a shortest circle alternates between them. If it has more than two
//! arrows, it holds `a → b → c → d`, the first and the last by insertions. Then either `insert(a)` ends
//! before `insert(d)` begins, and `a → d` makes a shorter circle; or `insert(d)` begins before that,
//! so `insert(c)`, which ends before that, ends before `insert(b)` begins: `c → b → c`.
//!
//! *The order of values suffices.* Without a circle there is a total order of the values. Insert each
//! as soon as all before it are inserted and its own insertion has begun; that is before its end, since
//! none before it begins after that. Remove likewise, each after its own insertion: if
//! `remove(b)` ended before some `insert(a)` with `a` before `b` began, `insert(b)`, which is cut to
//! `remove(b)`, would end before `insert(a)` began.
//!
//! *Empty removals.* Hold one that takes effect at gap `g` to be a value that goes in and comes out at
//! `g`. It and a value `v` must stand before each other iff `insert(v)` ends before `g` and `remove(v)`
//! begins after it, that is, iff `v` covers `g`. Two of them never do. So if the gaps are uncovered,
//! the theorem above puts everything in order, and all that is before `g` in this order is gone.
//!
//! *In one pass.* `a` and `b` must stand before each other only if `insert(a)` ends before `insert(b)`
//! begins and `remove(b)` before `remove(a)`, or the other way round. Of all `a` whose insertion ended
//! before, the one whose removal begins last decides. O(n), by time.
//!
//! *An order.* Without a circle some value need not stand behind any other: it begins to go in before
//! the first insertion of all has ended, and to come out before the first removal has. Of those that
//! begin to go in so early, the one that begins to come out first is such a value. It is taken away, and
//! the next is found in the same way: O(n log n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use wrack_sequential::queue::Queue;

use super::Order;
use super::stay::{Conflict, NONE, Place, Remedy, Stay, Stays};

impl Order for Queue {
    const ALGORITHM: &'static str = "queue order";

    fn check(&self, stays: &Stays) -> Result<(), Conflict> {
        let mut latest: Option<u32> = None;
        for (stay, begins) in insertions(stays) {
            let this = &stays.list[stay as usize];
            let from = |stay: u32| stays.list[stay as usize].remove.0;
            match latest {
                Some(before) if begins && this.remove.1 < from(before) => {
                    let remedy = Remedy::Ends(before, this.remove.1);
                    return Err(Conflict { among: vec![before, stay], empty: None, remedy });
                }
                _ if begins => (),
                Some(before) if from(before) >= from(stay) => (),
                _ => latest = Some(stay),
            }
        }
        Ok(())
    }

    fn places(&self, stays: &Stays) -> Vec<Place> {
        // An empty removal is a value that goes in and comes out at its gap.
        let empties = stays.uncovered().map(|(empty, gap)| Stay {
            value: NONE,
            insert: (gap, gap + 1),
            remove: (gap, gap + 1),
            calls: (NONE, empty.call),
        });
        let mut places = Vec::new();
        let (mut inserted, mut removed) = (0, 0);
        let all: Vec<Stay> = stays.list.iter().copied().chain(empties).collect();
        for (rank, value) in (0..).zip(in_turn(&all)) {
            let Stay { insert, remove, calls, .. } = all[value as usize];
            inserted = insert.0.max(inserted);
            removed = remove.0.max(removed).max(inserted);
            places.push(Place { gap: inserted, turn: (rank, 0), call: calls.0 });
            places.push(Place { gap: removed, turn: (rank, 1), call: calls.1 });
        }
        places
    }

    /// A value comes out before any that went in after it.
    fn deadlines(&self, stays: &Stays) -> Vec<u32> {
        let mut deadlines = vec![u32::MAX; stays.list.len()];
        let mut first = stays.end;
        let insertions: Vec<(u32, bool)> = insertions(stays).collect();
        for (stay, begins) in insertions.into_iter().rev() {
            match begins {
                true => first = first.min(stays.list[stay as usize].remove.1),
                false if stays.is_open(stay) && first < stays.end => {
                    deadlines[stay as usize] = first;
                }
                false => (),
            }
        }
        deadlines
    }
}

/// The values in an order in which they can go in and come out, by their places; they have one.
fn in_turn(values: &[Stay]) -> Vec<u32> {
    let by = |time: fn(&Stay) -> u32| {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by_key(|value| time(&values[*value as usize]));
        order.into_iter().peekable()
    };
    let mut to_begin = by(|value| value.insert.0);
    let mut to_end = by(|value| value.insert.1);
    let mut is_taken = vec![false; values.len()];
    let mut begun = BinaryHeap::new();
    let mut turns = Vec::with_capacity(values.len());
    while let Some(first) = to_end.find(|value| !is_taken[*value as usize]) {
        let end = values[first as usize].insert.1;
        while !is_taken[first as usize] {
            while let Some(value) = to_begin.next_if(|value| values[*value as usize].insert.0 < end)
            {
                begun.push(Reverse((values[value as usize].remove.0, value)));
            }
            let Reverse((_, value)) = begun.pop().expect("the first to end has begun");
            is_taken[value as usize] = true;
            turns.push(value);
        }
    }
    turns
}

/// Where insertions begin and end, in order of time. One that ends only as the value comes out ends
/// nothing: whatever is inserted after that cannot come out before.
fn insertions(stays: &Stays) -> impl Iterator<Item = (u32, bool)> {
    let mut at = vec![(NONE, false); stays.end as usize];
    for (stay, index) in stays.list.iter().zip(0..) {
        at[stay.insert.0 as usize] = (index, true);
        if !stay.presence().is_empty() {
            at[stay.insert.1 as usize] = (index, false);
        }
    }
    at.into_iter().filter(|(stay, _)| *stay != NONE)
}
