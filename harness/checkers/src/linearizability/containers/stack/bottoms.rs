//! Which stays are left, and which of them can lie at the bottom of a block.

use std::ops::Range;

use super::super::stay::Stays;

/// A tree over the stays that have a presence, by when this begins.
pub(super) struct Bottoms {
    /// The stays, in order of the begin of their presence.
    stays: Vec<u32>,
    /// When the presence of each begins.
    begins: Vec<u32>,
    /// For each node, when the first insertion begins and when the last removal ends below it.
    reach: Vec<(u32, u32)>,
    /// How many leaves there are, a power of two.
    leaves: usize,
}

/// Reaches nowhere.
const TAKEN: (u32, u32) = (u32::MAX, 0);

impl Bottoms {
    pub fn new(stays: &Stays) -> Self {
        let mut at = vec![u32::MAX; stays.end as usize];
        for (stay, index) in stays.list.iter().zip(0..) {
            if !stay.presence().is_empty() {
                at[stay.presence().start as usize] = index;
            }
        }
        at.retain(|stay| *stay != u32::MAX);
        let stay = |index: &u32| &stays.list[*index as usize];
        let begins: Vec<u32> = at.iter().map(|index| stay(index).presence().start).collect();
        let leaves = at.len().next_power_of_two();
        let mut reach = vec![TAKEN; 2 * leaves];
        for (leaf, index) in reach[leaves..].iter_mut().zip(&at) {
            *leaf = (stay(index).insert.0, stay(index).remove.1);
        }
        let mut bottoms = Self { stays: at, begins, reach, leaves };
        (1..leaves).rev().for_each(|node| bottoms.update(node));
        bottoms
    }

    /// Takes a stay away that can lie at the bottom of the block with these gaps, if there is one.
    pub fn take(&mut self, block: Range<u32>) -> Option<u32> {
        let place = self.find(1, 0..self.leaves, &self.places(&block), &block)?;
        let mut node = self.leaves + place;
        self.reach[node] = TAKEN;
        while node > 1 {
            node /= 2;
            self.update(node);
        }
        Some(self.stays[place])
    }

    /// The stays that are left whose presence is in this block.
    pub fn of(&self, block: Range<u32>) -> impl Iterator<Item = u32> {
        let left = |place: &usize| self.reach[self.leaves + place] != TAKEN;
        self.places(&block).filter(left).map(|place| self.stays[place])
    }

    /// Where the stays are whose presence begins in the block.
    fn places(&self, block: &Range<u32>) -> Range<usize> {
        let place = |gap: u32| self.begins.partition_point(|begin| *begin < gap);
        place(block.start)..place(block.end)
    }

    /// The first place, of these and below this node, of a stay that begins before the block and ends
    /// after it. The depth of the recursion is that of the tree.
    fn find(
        &self,
        node: usize,
        below: Range<usize>,
        places: &Range<usize>,
        block: &Range<u32>,
    ) -> Option<usize> {
        let (first, last) = self.reach[node];
        let apart = below.end <= places.start || places.end <= below.start;
        if apart || first >= block.start || last <= block.end {
            return None;
        }
        if node >= self.leaves {
            return Some(below.start);
        }
        let middle = usize::midpoint(below.start, below.end);
        self.find(2 * node, below.start..middle, places, block)
            .or_else(|| self.find(2 * node + 1, middle..below.end, places, block))
    }

    fn update(&mut self, node: usize) {
        let (one, other) = (self.reach[2 * node], self.reach[2 * node + 1]);
        self.reach[node] = (one.0.min(other.0), one.1.max(other.1));
    }
}
