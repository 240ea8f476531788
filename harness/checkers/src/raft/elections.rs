//! Terms, votes and leaders.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::NodeIndex;

use super::violation::Property;

/// A leader, and where its log ended when it was elected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leader {
    pub node: NodeIndex,
    pub last_index: u64,
    pub last_term: u64,
}

/// Who voted for whom, who led when, and what was committed in which term.
#[derive(Debug, Default)]
pub(super) struct Elections {
    votes: FxHashMap<(NodeIndex, u64), NodeIndex>,
    leaders: BTreeMap<u64, Leader>,
    /// Each term in which something is known to be committed, and the highest index that is.
    committed: Vec<(u64, u64)>,
}

impl Elections {
    /// How many terms had a leader.
    pub fn count(&self) -> u64 {
        self.leaders.len() as u64
    }

    /// A node votes; a violation if it voted for somebody else in that term.
    pub fn vote(&mut self, node: NodeIndex, term: u64, candidate: NodeIndex) -> Option<Property> {
        let first = *self.votes.entry((node, term)).or_insert(candidate);
        (first != candidate).then_some(Property::TwoVotes {
            node,
            term,
            candidates: [first, candidate],
        })
    }

    /// A node becomes leader with a log that ends at this index and term; a violation if another
    /// node was.
    pub fn elect(
        &mut self,
        node: NodeIndex,
        term: u64,
        (index, of): (u64, u64),
    ) -> Option<Property> {
        let leader = Leader { node, last_index: index, last_term: of };
        let first = *self.leaders.entry(term).or_insert(leader);
        (first.node != node)
            .then_some(Property::ElectionSafety { leaders: [first.node, node], term })
    }

    /// Notes that everything up to `index` is committed in `term`; whether that is news.
    pub fn commit(&mut self, term: u64, index: u64) -> bool {
        let Some((_, known)) = self.committed.iter_mut().rev().find(|(known, _)| *known == term)
        else {
            self.committed.push((term, index));
            return true;
        };
        let news = *known < index;
        *known = index.max(*known);
        news
    }

    /// The highest index committed before a term, and the term in which it was.
    pub fn committed_before(&self, term: u64) -> Option<(u64, u64)> {
        let before =
            self.committed.iter().copied().filter(|(committed_in, _)| *committed_in < term);
        before.max_by_key(|(term, index)| (*index, *term))
    }

    /// The leaders of later terms.
    pub fn leaders_after(&self, term: u64) -> impl Iterator<Item = (u64, Leader)> {
        let later = self.leaders.range(term.saturating_add(1)..);
        later.map(|(term, leader)| (*term, *leader))
    }
}
