//! The event queue: what is due next, in one order for everybody.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When something is due: by time, then by a random tie, then by sequence.
///
/// Sequence alone would explore one order of simultaneous events only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    /// True time in nanoseconds.
    pub ns: u64,
    /// Tie in the upper half, sequence in the lower.
    order: u64,
}

impl Due {
    pub fn new(ns: u64, tie: u32, sequence: u32) -> Self {
        Self { ns, order: u64::from(tie) << 32 | u64::from(sequence) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    due: Due,
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// A queue of small items. Messages and timers have one each, because timers that are no longer
/// wanted would slow down the messages.
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
}

impl<T: Copy> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new() }
    }
}

impl<T: Copy> Queue<T> {
    #[inline]
    pub fn push(&mut self, due: Due, item: T) {
        self.heap.push(Reverse(Entry { due, item }));
    }

    #[inline]
    pub fn peek(&self) -> Option<Due> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(Due, T)> {
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.item))
    }
}
