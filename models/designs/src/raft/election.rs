//! Leader election (§5.2, §5.4.1), with the question before it (pre-vote: thesis §9.6).
//!
//! ```text
//!   follower ── nobody leads ──▶ would you vote for me? ── majority ──▶ candidate ── majority ──▶ leader
//!                                (no term changes)                      (term + 1)
//! ```
//! A node that was cut off asks in vain, and so comes back without a higher term that would depose a
//! good leader. Nobody votes, nor promises to, while a leader is heard (§6; thesis §4.2.3, §6.2).

use std::sync::Arc;

use wrack_history::{Fact, SmolStr};
use wrack_sim::{Cx, NodeId, Wire};

use super::message::{Ask, Ballot, Entry, RequestVote, Rpc};
use super::replication::Progress;
use super::storage::HardState;
use super::{Raft, Role};

impl Raft {
    /// Nobody has led for an election timeout.
    pub(super) fn seek_leader(&mut self, cx: &mut Cx<'_, Self>) {
        if !self.is_member {
            self.await_leader(cx);
        } else if self.pre_vote && self.majority > 1 {
            self.ask_votes(Ask::Before, self.hard.term + 1, cx);
        } else {
            self.stand_for_election(Ask::Vote, cx);
        }
    }

    /// §5.2: increments its term, votes for itself, and asks everybody.
    pub(super) fn stand_for_election(&mut self, ask: Ask, cx: &mut Cx<'_, Self>) {
        let term = self.hard.term + 1;
        self.set_hard_state(HardState { term, vote: Some(self.id) }, cx);
        cx.note(Fact::Role { role: SmolStr::new_static("candidate"), epoch: term });
        self.vote_durably(self.id, cx);
        self.ask_votes(ask, term, cx);
    }

    fn ask_votes(&mut self, ask: Ask, term: u64, cx: &mut Cx<'_, Self>) {
        self.role = Role::Candidate { votes: [self.id].into(), ask };
        let (last_index, last_term) = (self.log.last_index(), self.log.last_term());
        let request = RequestVote { ask, term, last_index, last_term };
        let (id, members) = (self.id, Arc::clone(self.membership.current()));
        for peer in members.iter().copied().filter(|member| *member != id) {
            self.send_durably(peer, Rpc::RequestVote(request), cx);
        }
        self.draw_election_timeout(cx);
        self.await_leader(cx);
    }

    /// §5.2: one vote per term; §5.4.1: only for a log that is at least as up to date.
    pub(super) fn on_request_vote(
        &mut self,
        candidate: NodeId,
        request: RequestVote,
        cx: &mut Cx<'_, Self>,
    ) {
        let ours = (self.log.last_term(), self.log.last_index());
        let up_to_date = (request.last_term, request.last_index) >= ours;
        let (ask, mut term) = (request.ask, self.hard.term);
        if ask == Ask::Before {
            let granted = request.term > term && up_to_date;
            if granted {
                term = request.term;
            }
            self.send_now(candidate, Rpc::Vote(Ballot { ask, term, granted }), cx);
            return;
        }
        let free = self.hard.vote.is_none_or(|vote| vote == candidate);
        let may = request.term == term && free;
        if may && !up_to_date {
            cx.sometimes("a vote is refused for an old log");
        }
        let granted = may && up_to_date;
        if granted && self.hard.vote.is_none() {
            self.set_hard_state(HardState { vote: Some(candidate), ..self.hard }, cx);
            self.vote_durably(candidate, cx);
            self.await_leader(cx);
        }
        self.send_durably(candidate, Rpc::Vote(Ballot { ask, term, granted }), cx);
    }

    /// Whether a request for a vote is not even looked at: a leader was heard less than the shortest
    /// election timeout ago, and does not itself ask for a successor (thesis §4.2.3).
    pub(super) fn hears_leader(&self, request: &RequestVote, cx: &Cx<'_, Self>) -> bool {
        let hears = match &self.role {
            Role::Leader { .. } => self.check_quorum,
            Role::Follower { .. } => cx.now() < self.heard_until_ns,
            Role::Candidate { .. } => false,
        };
        hears && request.ask != Ask::Transfer && request.term > self.hard.term
    }

    /// §5.2: the votes of a majority make a leader; what they would do makes a candidate.
    pub(super) fn on_vote(&mut self, voter: NodeId, ballot: Ballot, cx: &mut Cx<'_, Self>) {
        let majority = self.majority;
        if !self.membership.current().contains(&voter) {
            return;
        }
        let asked_in = self.hard.term + u64::from(ballot.ask == Ask::Before);
        let Role::Candidate { votes, ask } = &mut self.role else {
            return;
        };
        if !ballot.granted || ballot.ask != *ask || ballot.term != asked_in {
            return;
        }
        votes.insert(voter);
        if votes.len() < majority {
            return;
        }
        match ballot.ask {
            Ask::Before => self.stand_for_election(Ask::Vote, cx),
            Ask::Vote | Ask::Transfer => self.become_leader(cx),
        }
    }

    /// A cluster of one is elected as soon as its vote is durable.
    pub(super) fn elected_alone(&mut self, cx: &mut Cx<'_, Self>) {
        if self.majority == 1 && matches!(self.role, Role::Candidate { .. }) {
            self.become_leader(cx);
        }
    }

    /// §5.2, §8: shows that it leads, with an entry of its own term, behind which everything from
    /// earlier terms becomes committed.
    fn become_leader(&mut self, cx: &mut Cx<'_, Self>) {
        let next = self.log.last_index() + 1;
        let progress = self.peers.iter().map(|peer| Progress::new(*peer, next)).collect();
        self.role = Role::Leader { progress };
        self.count_members();
        cx.note(Fact::Role { role: SmolStr::new_static("leader"), epoch: self.hard.term });
        cx.failpoint("raft.leader_elected");
        self.begin_leading(cx);
        self.reads.reset();
        self.append_as_leader(Entry::empty(self.hard.term), cx);
    }

    /// Sends now: a leader's messages rest on a term that is durable already.
    pub(super) fn send_now(&self, to: NodeId, rpc: Rpc, cx: &mut Cx<'_, Self>) {
        cx.send(to, Wire::Peer(rpc));
    }
}
