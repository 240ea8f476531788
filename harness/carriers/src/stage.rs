//! A run as it is seen between two steps, and what can be done to it then.

use wrack_sim::NodeId;

use crate::journal::Journal;

/// What is done between two steps of a run.
pub type Act<'a> = dyn FnMut(&mut Stage<'_>) + Send + 'a;

/// A run between two steps.
pub struct Stage<'a> {
    pub(crate) now_ns: u64,
    pub(crate) members: usize,
    pub(crate) journal: &'a Journal,
    pub(crate) links: &'a mut dyn Links,
}

/// The links of a carrier.
pub(crate) trait Links {
    /// Cuts a pair both ways, or mends it. What is under way on it may be lost or not.
    fn cut(&mut self, pair: (NodeId, NodeId), is_cut: bool);
}

impl Stage<'_> {
    /// Nanoseconds of virtual time since the run began.
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Who claimed a role last; of several claimants the one with the highest epoch.
    pub fn holder(&self, role: &str) -> Option<NodeId> {
        self.journal.holder(role).map(NodeId)
    }

    /// Cuts these members, together, off from all others.
    pub fn isolate(&mut self, members: &[NodeId]) {
        self.set_border(members, true);
    }

    /// Lets them talk to all others again.
    pub fn heal(&mut self, members: &[NodeId]) {
        self.set_border(members, false);
    }

    fn set_border(&mut self, inside: &[NodeId], is_cut: bool) {
        let everybody = (0..self.members as u16).map(NodeId);
        for outsider in everybody.filter(|member| !inside.contains(member)) {
            for insider in inside {
                self.links.cut((*insider, outsider), is_cut);
            }
        }
    }
}
