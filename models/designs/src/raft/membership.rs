//! Who votes: changes of the cluster, one server at a time (thesis chapter 4).
//!
//! A configuration is an entry of the log, and holds from when a node has it, committed or not. Two
//! configurations that differ by one server share a node in any two majorities, so that no two
//! leaders can be elected, as long as a leader does not begin a change before
//!
//! - the last one is committed (thesis §4.1), and
//! - an entry of its own term is committed. This rule is missing in the thesis: without it, a leader of
//!   an older term may hold another change that differs from this one by two servers.
//!   Source: Ongaro, "bug in single-server membership changes", raft-dev, 10 July 2015.
//!
//! Who asks for a change is an operator inside the leader: with `reconfigure_every` it looks so often,
//! removes a member that did not answer since it last looked, or else adds a node that is none. A
//! leader never removes itself; a new member is counted at once, without the rounds of catching up
//! of thesis §4.2.1, and a member that was removed is not told (thesis §4.2.3: nobody votes for it).

use std::sync::Arc;

use wrack_sim::{Cx, NodeId};

use super::info::Variant;
use super::message::{Content, Entry};
use super::{Raft, Role, Timer};

/// The members of a configuration, in order.
pub type Members = Arc<[NodeId]>;

/// The configurations of a log: the one that it begins with, and each that an entry changed it to.
#[derive(Debug)]
pub struct Membership {
    /// With the index of the entry, rising; never empty.
    changes: Vec<(u64, Members)>,
}

impl Membership {
    /// A log that begins behind `index` with these members.
    pub fn new(index: u64, members: Members) -> Self {
        Self { changes: vec![(index, members)] }
    }

    /// The configuration that holds: the last one, committed or not.
    pub fn current(&self) -> &Members {
        &self.changes.last().expect("a log begins with a configuration").1
    }

    /// The index of its entry.
    fn index(&self) -> u64 {
        self.changes.last().expect("a log begins with a configuration").0
    }

    /// The configuration at an index that is not before the log.
    pub fn at(&self, index: u64) -> &Members {
        let known = self.changes.partition_point(|(changed, _)| *changed <= index);
        &self.changes[known.saturating_sub(1)].1
    }

    /// An entry changes it.
    pub fn change(&mut self, index: u64, members: Members) {
        self.changes.push((index, members));
    }

    /// The log is cut at `index`.
    pub fn truncate(&mut self, index: u64) {
        while self.changes.len() > 1 && self.index() >= index {
            self.changes.pop();
        }
    }

    /// A snapshot stands for everything up to `index`.
    pub fn compact(&mut self, index: u64) {
        let known = self.changes.partition_point(|(changed, _)| *changed <= index);
        self.changes.drain(..known.saturating_sub(1));
    }
}

impl Raft {
    /// The members changed, or may have.
    pub(super) fn count_members(&mut self) {
        let members = self.membership.current();
        self.majority = members.len() / 2 + 1;
        self.is_member = members.contains(&self.id);
        if let Role::Leader { progress } = &mut self.role {
            for follower in progress {
                follower.member = members.contains(&follower.peer);
            }
        }
    }

    /// The operator looks at the cluster.
    pub(super) fn reconfigure(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Timer::Reconfigure, self.reconfigure_every_ns);
        let wanted = self.wanted_members();
        let Role::Leader { progress } = &mut self.role else {
            return;
        };
        progress.iter_mut().for_each(|follower| follower.alive = false);
        if let Some(members) = wanted
            && self.may_reconfigure()
        {
            cx.sometimes("the members change");
            let entry = Entry { term: self.hard.term, content: Content::Members(members) };
            self.append_as_leader(entry, cx);
        }
    }

    /// Whether a change may begin.
    fn may_reconfigure(&self) -> bool {
        let last_is_committed = self.membership.index() <= self.commit;
        let own_term_is_committed = self.log.term(self.commit) == Some(self.hard.term);
        last_is_committed
            && (own_term_is_committed || self.variant == Variant::ReconfigureBeforeCommit)
    }

    /// The members without the first that is silent; if none is, with the first node that is none.
    fn wanted_members(&self) -> Option<Members> {
        let Role::Leader { progress } = &self.role else {
            return None;
        };
        let members = self.membership.current();
        let silent = progress.iter().find(|follower| follower.member && !follower.alive);
        if let Some(silent) = silent {
            let rest = members.iter().copied().filter(|member| *member != silent.peer);
            return (members.len() > 2).then(|| rest.collect());
        }
        let spare = progress.iter().find(|follower| !follower.member)?;
        let mut more: Vec<NodeId> = members.to_vec();
        more.push(spare.peer);
        more.sort_unstable();
        Some(more.into())
    }
}
