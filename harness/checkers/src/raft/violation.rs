//! What can be wrong with a Raft cluster, in words.

use wrack_history::duration::seconds;
use wrack_history::{Anomaly, NodeIndex, SmolStr};

use crate::words::node;

/// A property that does not hold, with what shows it.
#[derive(Clone, Debug)]
pub(super) enum Property {
    TwoVotes {
        node: NodeIndex,
        term: u64,
        candidates: [NodeIndex; 2],
    },
    ElectionSafety {
        leaders: [NodeIndex; 2],
        term: u64,
    },
    LeaderAppendOnly {
        node: NodeIndex,
        term: u64,
        index: u64,
    },
    LogMatching {
        nodes: [NodeIndex; 2],
        index: u64,
        term: u64,
        /// Whether the entries themselves differ, not only what is before them.
        entry_itself: bool,
    },
    LeaderCompleteness {
        leader: NodeIndex,
        term: u64,
        index: u64,
        committed_in: u64,
        committer: NodeIndex,
    },
    CommittedTwice {
        nodes: [NodeIndex; 2],
        index: u64,
    },
    StateMachineSafety {
        nodes: [NodeIndex; 2],
        index: u64,
        /// Whether it is the states that differ, not the entries.
        states: bool,
    },
}

/// A property that did not hold from this time on.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub property: Property,
    pub ns: u64,
}

impl Property {
    /// Its name, and where the paper has it.
    pub fn section(&self) -> &'static str {
        match self {
            Self::TwoVotes { .. } => "one vote a term (§5.2)",
            Self::ElectionSafety { .. } => "election safety (Figure 3, §5.2)",
            Self::LeaderAppendOnly { .. } => "leader append-only (Figure 3, §5.3)",
            Self::LogMatching { .. } => "log matching (Figure 3, §5.3)",
            Self::LeaderCompleteness { .. } => "leader completeness (Figure 3, §5.4)",
            Self::CommittedTwice { .. } => "one committed entry an index (§5.4.3)",
            Self::StateMachineSafety { .. } => "state machine safety (Figure 3, §5.4.3)",
        }
    }

    fn nodes(&self) -> Vec<NodeIndex> {
        match *self {
            Self::TwoVotes { node, .. } | Self::LeaderAppendOnly { node, .. } => vec![node],
            Self::LeaderCompleteness { leader, committer, .. } => vec![leader, committer],
            Self::ElectionSafety { leaders: nodes, .. }
            | Self::LogMatching { nodes, .. }
            | Self::CommittedTwice { nodes, .. }
            | Self::StateMachineSafety { nodes, .. } => nodes.to_vec(),
        }
    }

    fn words(&self, names: &[SmolStr]) -> String {
        let name = |index: NodeIndex| node(names, index);
        match *self {
            Self::TwoVotes { node, term, candidates: [first, second] } => format!(
                "{} voted for {} and for {} in term {term}",
                name(node),
                name(first),
                name(second)
            ),
            Self::ElectionSafety { leaders: [first, second], term } => {
                format!("{} and {} were both leaders of term {term}", name(first), name(second))
            }
            Self::LeaderAppendOnly { node, term, index } => format!(
                "{}, the leader of term {term}, cut its own log at index {index}",
                name(node)
            ),
            Self::LogMatching { nodes: [first, second], index, term, entry_itself } => {
                let what = match entry_itself {
                    true => "hold different entries",
                    false => "hold the same entry but differ before it",
                };
                let (first, second) = (name(first), name(second));
                format!("{first} and {second} {what} at index {index} of term {term}")
            }
            Self::LeaderCompleteness { leader, term, index, committed_in, committer } => format!(
                "{}, the leader of term {term}, was elected without the entry at index {index} that \
                 {} knew to be committed in term {committed_in}",
                name(leader),
                name(committer),
            ),
            Self::CommittedTwice { nodes: [first, second], index } => format!(
                "{} and {} hold different entries to be committed at index {index} or before",
                name(first),
                name(second),
            ),
            Self::StateMachineSafety { nodes: [first, second], index, states } => {
                let what = match states {
                    true => "have different snapshots of the state",
                    false => "applied different entries",
                };
                format!("{} and {} {what} at index {index}", name(first), name(second))
            }
        }
    }
}

impl Violation {
    /// The anomaly, with the names of the nodes.
    pub fn anomaly(&self, names: &[SmolStr]) -> Anomaly {
        let (words, section) = (self.property.words(names), self.property.section());
        let mut nodes = self.property.nodes();
        nodes.dedup();
        Anomaly {
            explanation: format!("{words}, at {}: {section} is broken", seconds(self.ns)),
            at_ns: Some(self.ns),
            nodes,
            ..Anomaly::default()
        }
    }
}
