//! The entries that some node appended, by index and term.

use rustc_hash::FxHashMap;
use wrack_history::NodeIndex;

use super::log::Chain;
use super::window::Window;

/// An entry, as the first node that appended it did.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub digest: u64,
    pub chain: Option<Chain>,
    /// The term of the entry before it.
    pub previous_term: u64,
    pub node: NodeIndex,
}

/// Every entry, once. Most indices see one term only, and are seen in order.
#[derive(Default)]
pub(super) struct Entries {
    /// The first term of each index, and its entry.
    first: Window<(u64, Known)>,
    /// All others.
    others: FxHashMap<(u64, u64), Known>,
}

impl Entries {
    pub fn get(&self, index: u64, term: u64) -> Option<&Known> {
        match self.first.get(index) {
            Some((first, known)) if *first == term => Some(known),
            _ if self.others.is_empty() => None,
            _ => self.others.get(&(index, term)),
        }
    }

    /// Adds an entry that is not known yet.
    pub fn insert(&mut self, index: u64, term: u64, known: Known) {
        if index == self.first.next() {
            self.first.push((term, known));
        } else {
            self.others.insert((index, term), known);
        }
    }

    /// Forgets every entry before `index`.
    pub fn forget_before(&mut self, index: u64) {
        self.first.forget_before(index);
        self.others.retain(|(known, _), _| *known >= index);
    }
}
