//! The event queue: what is due next, in one order for everybody.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// When something is due: by time, then by a random tie, then by sequence.
///
/// Sequence alone would explore one order of simultaneous events only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// True time in nanoseconds.
    pub ns: u64,
    /// Tie in the upper half, sequence in the lower.
    order: u64,
}

impl Due {
    /// Later than anything that happens: an empty queue.
    pub const NEVER: Self = Self { ns: u64::MAX, order: u64::MAX };

    #[inline]
    pub fn new(ns: u64, tie: u32, sequence: u32) -> Self {
        Self { ns, order: u64::from(tie) << 32 | u64::from(sequence) }
    }

    /// One number, so that comparing takes no branch.
    #[inline]
    fn key(self) -> u128 {
        u128::from(self.ns) << 64 | u128::from(self.order)
    }
}

impl PartialOrd for Due {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    #[inline]
    fn lt(&self, other: &Self) -> bool {
        self.key() < other.key()
    }
}

impl Ord for Due {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    due: Due,
    item: T,
}

impl<T> Entry<T> {
    /// The slot of time that it is due in.
    #[inline]
    fn slot(&self) -> u64 {
        self.due.ns >> SLOT_BITS
    }
}

/// The first one due is the greatest, as [`BinaryHeap`] wants it.
impl<T> Ord for Entry<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl<T> PartialOrd for Entry<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialEq for Entry<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

/// Where more than these stand in order in front, each that comes there puts the last one back.
const FRONT_MAX: usize = 24;
/// When none is left there, at least so many come forward, if there are so many.
const REFILL: usize = 8;
/// So many entries of a slot are put in order at once; more are a crowd.
const SORTED_MAX: usize = 48;
/// A slot of time lasts 65.536 us.
const SLOT_BITS: u32 = 16;
/// So many slots are at hand: 8.4 ms.
const SLOTS: u64 = 128;

/// A queue of small items: a few in order, behind them slots of time without an order within, and what is
/// due after all slots in a heap. What a message costs does not depend on how many are under way, as long
/// as few of them share a slot (a calendar queue: Brown 1988); a slot that many share becomes a heap.
///
/// Messages and timers have a queue each, because timers that are no longer wanted would slow down the
/// messages.
pub(crate) struct Queue<T> {
    /// What is due before everything behind it, the next one last; empty only if nothing is behind.
    front: Vec<Entry<T>>,
    /// Slot `n` is at `n % SLOTS`.
    slots: Vec<Vec<Entry<T>>>,
    /// Which of them hold anything, a bit each.
    held: u128,
    /// The first slot at hand. What is due before it belongs to it.
    first: u64,
    /// What is due in the first slot, where that is too much to look through again and again.
    crowd: BinaryHeap<Entry<T>>,
    /// What is due after all slots at hand.
    later: BinaryHeap<Entry<T>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            front: Vec::with_capacity(REFILL + SORTED_MAX),
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            held: 0,
            first: 0,
            crowd: BinaryHeap::new(),
            later: BinaryHeap::new(),
        }
    }
}

impl<T: Copy> Queue<T> {
    #[inline(always)]
    pub fn push(&mut self, due: Due, item: T) {
        if self.front.first().is_some_and(|latest| latest.due < due) && self.is_anything_behind() {
            self.push_behind(due, item);
            return;
        }
        self.front.push(Entry { due, item });
        // One loop, with one end that nobody can foresee, where a search and then a move would have three.
        let front = self.front.as_mut_slice();
        let mut place = front.len() - 1;
        while let Some(before) = place.checked_sub(1)
            && front[before].due < due
        {
            front[place] = front[before];
            place = before;
        }
        front[place] = Entry { due, item };
        if self.front.len() > FRONT_MAX {
            let latest = self.front.remove(0);
            self.push_behind(latest.due, latest.item);
        }
    }

    /// When the first item is due; [`Due::NEVER`] if there is none.
    #[inline]
    pub fn next_due(&self) -> Due {
        self.front.last().map_or(Due::NEVER, |entry| entry.due)
    }

    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Due, T)> {
        let Entry { due, item } = self.front.pop()?;
        if self.front.is_empty() && self.is_anything_behind() {
            self.refill();
        }
        Some((due, item))
    }

    #[inline]
    fn is_anything_behind(&self) -> bool {
        self.held != 0 || !self.crowd.is_empty() || !self.later.is_empty()
    }

    /// What it takes comes in registers: what goes through memory in other pieces than it was written in
    /// waits for that.
    #[inline(never)]
    fn push_behind(&mut self, due: Due, item: T) {
        let entry = Entry { due, item };
        let slot = entry.slot().max(self.first);
        if slot == self.first && !self.crowd.is_empty() {
            self.crowd.push(entry);
        } else if slot - self.first < SLOTS {
            self.put(slot, entry);
        } else {
            self.later.push(entry);
        }
    }

    #[inline]
    fn put(&mut self, slot: u64, entry: Entry<T>) {
        self.slots[(slot % SLOTS) as usize].push(entry);
        self.held |= 1 << (slot % SLOTS);
    }

    /// Moves what is due next to the front, which is empty.
    #[inline(never)]
    fn refill(&mut self) {
        if self.crowd.is_empty() {
            self.advance();
            self.take_slots();
        }
        for _ in 0..REFILL.saturating_sub(self.front.len()) {
            self.front.extend(self.crowd.pop());
        }
        self.front.sort_unstable();
    }

    /// Moves the first slots to the front, up to one that many share; if it is the first, it becomes a heap.
    fn take_slots(&mut self) {
        let mut slot = self.first;
        loop {
            let held = &mut self.slots[(slot % SLOTS) as usize];
            if held.len() > SORTED_MAX {
                break;
            }
            self.front.append(held);
            self.held &= !(1 << (slot % SLOTS));
            if self.held == 0 || self.front.len() >= REFILL {
                return;
            }
            slot = self.next_held(slot);
        }
        if slot == self.first {
            self.crowd.extend(self.slots[(slot % SLOTS) as usize].drain(..));
            self.held &= !(1 << (slot % SLOTS));
        }
    }

    /// Goes to the first slot that holds anything, and brings in what is at hand from there.
    fn advance(&mut self) {
        self.first = match self.later.peek() {
            Some(entry) if self.held == 0 => entry.slot(),
            _ => self.next_held(self.first),
        };
        while self.later.peek().is_some_and(|entry| entry.slot() - self.first < SLOTS) {
            let entry = self.later.pop().expect("there is a first one");
            self.put(entry.slot(), entry);
        }
    }

    /// The first slot from this one on that holds anything; one does.
    #[inline]
    fn next_held(&self, slot: u64) -> u64 {
        slot + u64::from(self.held.rotate_right((slot % SLOTS) as u32).trailing_zeros())
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, Queue};

    #[test]
    fn items_come_in_order_of_time_then_tie_then_sequence() {
        let dues = [(2, 0, 0), (1, 7, 3), (1, 7, 2), (1, 5, 9), (0, 9, 9), (u64::MAX, 0, 1)];
        let mut queue = Queue::default();
        for (ns, tie, sequence) in dues {
            queue.push(Due::new(ns, tie, sequence), (ns, tie, sequence));
        }
        let popped = std::iter::from_fn(|| queue.pop()).map(|(_, item)| item).collect::<Vec<_>>();
        let mut expected = dues.to_vec();
        expected.sort_unstable();
        assert_eq!(popped, expected);
        assert_eq!(queue.next_due(), Due::NEVER);
    }

    /// Pushes and pops at random; `ns` is when what is pushed is due, from a random word and what was popped
    /// last.
    fn agrees_with_sorting(ns: impl Fn(u64, u64) -> u64) {
        let mut word = 1;
        let mut last_ns = 0;
        let mut queue = Queue::default();
        let mut twin = Vec::new();
        for step in 0..10_000u32 {
            word = crate::chance::finish(word + 1);
            // It grows, and then it empties.
            if word % 8 < if step < 5_000 { 3 } else { 5 } {
                twin.sort_unstable_by_key(|(due, _): &(Due, u32)| std::cmp::Reverse(*due));
                let popped = queue.pop();
                assert_eq!(popped, twin.pop());
                last_ns = popped.map_or(last_ns, |(due, _)| due.ns);
            } else {
                let due = Due::new(ns(word, last_ns), (word >> 8) as u32 % 4, step);
                queue.push(due, step);
                twin.push((due, step));
            }
            let first = twin.iter().map(|(due, _)| *due).min();
            assert_eq!(queue.next_due(), first.unwrap_or(Due::NEVER));
        }
    }

    #[test]
    fn it_agrees_with_sorting_within_one_slot() {
        agrees_with_sorting(|word, _| word >> 54);
    }

    #[test]
    fn it_agrees_with_sorting_where_many_share_a_slot() {
        let crowded = |word: u64, now_ns: u64| (now_ns >> 16 << 16) + ((word % 5) << 16);
        agrees_with_sorting(crowded);
        // Some are due after all slots at hand.
        agrees_with_sorting(|word, now_ns| match word >> 8 & 7 {
            0 => now_ns + (word >> 39),
            _ => crowded(word, now_ns),
        });
    }

    #[test]
    fn it_agrees_with_sorting_whatever_came_before() {
        agrees_with_sorting(|word, _| word >> 40);
        agrees_with_sorting(|word, _| word >> 30);
    }

    #[test]
    fn it_agrees_with_sorting_as_time_goes_on() {
        // From a microsecond to a second ahead.
        agrees_with_sorting(|word, now_ns| now_ns + (word >> 34) / (1 << (word % 4 * 7)));
        agrees_with_sorting(|word, now_ns| now_ns + (word >> 42));
    }
}
