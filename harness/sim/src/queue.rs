//! The event queue: what is due next, in one order for everybody.

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
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }

    #[inline]
    fn lt(&self, other: &Self) -> bool {
        self.key() < other.key()
    }
}

impl Ord for Due {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    due: Due,
    item: T,
}

/// Children of an entry of the heap: four of them lie side by side in memory, and a heap of four
/// is half as deep as one of two.
const ARITY: usize = 4;

/// So many of the next entries at most stand in order, in front of the heap.
const FRONT_MAX: usize = 24;
/// When none is left there, so many come from the heap.
const REFILL: usize = 8;

/// A queue of small items: a few in order, and a heap behind them. Messages and timers have one each,
/// because timers that are no longer wanted would slow down the messages.
pub(crate) struct Queue<T> {
    /// What is due before everything in the heap, the next one last; empty only if the heap is.
    front: Vec<Entry<T>>,
    /// The entry at `i` is due before those from `4 i + 1` to `4 i + 4`. Behind the last one stand
    /// empty places, due never, so that children always come in fours.
    heap: Vec<Entry<T>>,
    len: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { front: Vec::with_capacity(FRONT_MAX + 1), heap: Vec::new(), len: 0 }
    }
}

impl<T: Copy> Queue<T> {
    #[inline]
    pub fn push(&mut self, due: Due, item: T) {
        let entry = Entry { due, item };
        if self.len > 0 && self.front.first().is_none_or(|latest| latest.due < due) {
            self.push_behind(entry);
            return;
        }
        let place = self.front.iter().rposition(|later| due < later.due);
        self.front.insert(place.map_or(0, |place| place + 1), entry);
        if self.front.len() > FRONT_MAX {
            let latest = self.front.remove(0);
            self.push_behind(latest);
        }
    }

    /// When the first item is due; [`Due::NEVER`] if there is none.
    #[inline]
    pub fn next_due(&self) -> Due {
        self.front.last().map_or(Due::NEVER, |entry| entry.due)
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(Due, T)> {
        let Entry { due, item } = self.front.pop()?;
        if self.front.is_empty() && self.len > 0 {
            self.refill();
        }
        Some((due, item))
    }

    /// Moves the first entries of the heap to the front.
    fn refill(&mut self) {
        for _ in 0..REFILL.min(self.len) {
            let entry = self.pop_behind();
            self.front.push(entry);
        }
        self.front.reverse();
    }

    /// Adds an entry to the heap.
    fn push_behind(&mut self, entry: Entry<T>) {
        if self.len == self.heap.len() {
            self.make_room(entry.item);
        }
        self.len += 1;
        self.rise(self.len - 1, entry);
    }

    /// Takes the first entry of the heap, which has one.
    #[inline]
    fn pop_behind(&mut self) -> Entry<T> {
        self.len -= 1;
        let first = self.heap[0];
        let last = self.heap[self.len];
        self.heap[self.len].due = Due::NEVER;
        if self.len > 0 {
            // The last entry belongs near the bottom: the hole sinks all the way without looking
            // at it, and it rises from there (Wegener 1993).
            let hole = self.sink_hole();
            self.rise(hole, last);
        }
        first
    }

    /// Moves the hole at the top to the bottom; gives where it ends.
    #[inline]
    fn sink_hole(&mut self) -> usize {
        let heap = self.heap.as_mut_slice();
        let mut hole = 0;
        while hole * ARITY + 1 < self.len {
            let child = first_child(heap, hole);
            heap[hole] = heap[child];
            hole = child;
        }
        hole
    }

    /// Fills a hole at the bottom: what is due later than the entry makes place for it.
    #[inline]
    fn rise(&mut self, mut hole: usize, entry: Entry<T>) {
        let heap = self.heap.as_mut_slice();
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if heap[parent].due < entry.due {
                break;
            }
            heap[hole] = heap[parent];
            hole = parent;
        }
        heap[hole] = entry;
    }

    /// Four more places, or the first.
    #[cold]
    fn make_room(&mut self, item: T) {
        let places = if self.heap.is_empty() { 1 } else { ARITY };
        self.heap.resize(self.heap.len() + places, Entry { due: Due::NEVER, item });
    }
}

/// Which child of the entry at `parent` is due first; it takes no branch.
#[inline]
fn first_child<T>(heap: &[Entry<T>], parent: usize) -> usize {
    let begin = parent * ARITY + 1;
    let [a, b, c, d] = &heap[begin..begin + ARITY] else { unreachable!("it is as long as that") };
    let (a, b, c, d) = (a.due.key(), b.due.key(), c.due.key(), d.due.key());
    let (left, left_key) = if b < a { (1, b) } else { (0, a) };
    let (right, right_key) = if d < c { (3, d) } else { (2, c) };
    begin + if right_key < left_key { right } else { left }
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

    #[test]
    fn the_heap_agrees_with_sorting() {
        let mut word = 1;
        let mut queue = Queue::default();
        let mut twin = Vec::new();
        for step in 0..10_000u32 {
            word = crate::chance::finish(word + 1);
            if word % 5 < 2 {
                twin.sort_unstable_by_key(|(due, _): &(Due, u32)| std::cmp::Reverse(*due));
                assert_eq!(queue.pop(), twin.pop());
            } else {
                let due = Due::new(word >> 54, (word >> 8) as u32 % 4, step);
                queue.push(due, step);
                twin.push((due, step));
            }
            let first = twin.iter().map(|(due, _)| *due).min();
            assert_eq!(queue.next_due(), first.unwrap_or(Due::NEVER));
        }
    }
}
