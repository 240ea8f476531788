//! How many presences cover each gap, as they are taken away.

use std::ops::Range;

/// A gap that is found to be uncovered is counted as covered by so many more.
const FOUND: i32 = i32::MAX / 2;

/// A tree over the gaps: each node has the least count below it, without what was added above it.
pub(super) struct Gaps {
    least: Vec<i32>,
    added: Vec<i32>,
    /// How many leaves there are, a power of two.
    leaves: usize,
}

impl Gaps {
    /// Gaps that are covered so often; those that are not have been found.
    pub fn new(coverage: &[i32]) -> Self {
        let leaves = coverage.len().next_power_of_two();
        let mut least = vec![FOUND; 2 * leaves];
        for (leaf, count) in least[leaves..].iter_mut().zip(coverage) {
            *leaf = if *count == 0 { FOUND } else { *count };
        }
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Self { least, added: vec![0; leaves], leaves }
    }

    /// These gaps are covered once less.
    pub fn uncover(&mut self, gaps: Range<u32>) {
        let (first, last) =
            (self.leaves + gaps.start as usize, self.leaves + gaps.end as usize - 1);
        let (mut from, mut to) = (first, last + 1);
        while from < to {
            if from % 2 == 1 {
                self.add(from, -1);
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                self.add(to, -1);
            }
            (from, to) = (from / 2, to / 2);
        }
        self.update_above(first);
        self.update_above(last);
    }

    /// Finds the uncovered gaps among these that have not been found before, and adds the ranges of
    /// covered ones between to the blocks.
    pub fn take_uncovered(&mut self, gaps: Range<u32>, blocks: &mut Vec<Range<u32>>) {
        let mut from = gaps.start;
        while from < gaps.end {
            let uncovered = self.first_uncovered(from).map_or(gaps.end, |gap| gap.min(gaps.end));
            if from < uncovered {
                blocks.push(from..uncovered);
            }
            if uncovered < gaps.end {
                self.find(self.leaves + uncovered as usize);
            }
            from = uncovered + 1;
        }
    }

    /// The first gap from this one on that is uncovered and has not been found.
    fn first_uncovered(&self, from: u32) -> Option<u32> {
        let leaf = self.leaves + from as usize;
        let mut above: i32 = std::iter::successors(Some(leaf / 2), |node| Some(node / 2))
            .take_while(|node| *node > 0)
            .map(|node| self.added[node])
            .sum();
        let mut node = leaf;
        // Up, until something to the right of `from` is uncovered.
        while self.least[node] + above > 0 {
            loop {
                if node == 1 {
                    return None;
                }
                let was_left = node.is_multiple_of(2);
                node /= 2;
                above -= self.added[node];
                if was_left {
                    above += self.added[node];
                    node = 2 * node + 1;
                    break;
                }
            }
        }
        // Down, to the first of these.
        while node < self.leaves {
            above += self.added[node];
            node *= 2;
            if self.least[node] + above > 0 {
                node += 1;
            }
        }
        Some((node - self.leaves) as u32)
    }

    /// Marks a gap as found, by its leaf.
    fn find(&mut self, leaf: usize) {
        self.add(leaf, FOUND);
        let mut node = leaf / 2;
        while node > 0 && self.update(node) {
            node /= 2;
        }
    }

    fn add(&mut self, node: usize, count: i32) {
        self.least[node] += count;
        if node < self.leaves {
            self.added[node] += count;
        }
    }

    fn update_above(&mut self, leaf: usize) {
        let mut node = leaf / 2;
        while node > 0 {
            self.update(node);
            node /= 2;
        }
    }

    /// Takes over what is below a node; whether that changed it.
    fn update(&mut self, node: usize) -> bool {
        let below = self.least[2 * node].min(self.least[2 * node + 1]);
        let least = below + self.added[node];
        std::mem::replace(&mut self.least[node], least) != least
    }
}
