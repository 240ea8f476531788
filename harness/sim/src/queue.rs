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

/// A queue of small items, as a heap. Messages and timers have one each, because timers that are no
/// longer wanted would slow down the messages.
pub(crate) struct Queue<T> {
    /// The entry at `i` is due before those from `4 i + 1` to `4 i + 4`.
    heap: Vec<Entry<T>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: Vec::new() }
    }
}

impl<T: Copy> Queue<T> {
    #[inline]
    pub fn push(&mut self, due: Due, item: T) {
        let entry = Entry { due, item };
        let mut hole = self.heap.len();
        self.heap.push(entry);
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if self.heap[parent].due < due {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = entry;
    }

    /// When the first item is due; [`Due::NEVER`] if there is none.
    #[inline]
    pub fn next_due(&self) -> Due {
        self.heap.first().map_or(Due::NEVER, |entry| entry.due)
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(Due, T)> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first_mut() else {
            return Some((last.due, last.item));
        };
        let popped = (first.due, first.item);
        self.sink(last);
        Some(popped)
    }

    /// Puts an entry in place of the first, and lets it sink to where it belongs.
    #[inline]
    fn sink(&mut self, entry: Entry<T>) {
        let heap = self.heap.as_mut_slice();
        let mut hole = 0;
        while let Some(child) = first_child(heap, hole) {
            if entry.due < heap[child].due {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = entry;
    }
}

/// Which child of the entry at `parent` is due first.
#[inline]
fn first_child<T>(heap: &[Entry<T>], parent: usize) -> Option<usize> {
    let begin = parent * ARITY + 1;
    if let Some([a, b, c, d]) = heap.get(begin..begin + ARITY) {
        let left = usize::from(b.due < a.due);
        let right = 2 + usize::from(d.due < c.due);
        let (left_due, right_due) =
            (if left == 0 { a.due } else { b.due }, if right == 2 { c.due } else { d.due });
        return Some(begin + if right_due < left_due { right } else { left });
    }
    let children = heap.get(begin..)?.iter().enumerate();
    children.min_by_key(|(_, entry)| entry.due).map(|(place, _)| begin + place)
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
                twin.sort_unstable_by(|a: &(Due, u32), b| b.0.cmp(&a.0));
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
