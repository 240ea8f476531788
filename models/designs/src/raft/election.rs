//! Leader election (§5.2, §5.4.1).

use wrack_history::{Fact, SmolStr};
use wrack_sim::{Cx, NodeId, Wire};

use super::message::{Entry, RequestVote, Rpc};
use super::replication::Progress;
use super::storage::HardState;
use super::{Raft, Role, Timer};

impl Raft {
    /// §5.2: increments its term, votes for itself, and asks everybody.
    pub(super) fn stand_for_election(&mut self, cx: &mut Cx<'_, Self>) {
        let term = self.hard.term + 1;
        self.set_hard_state(HardState { term, vote: Some(self.id) }, cx);
        self.role = Role::Candidate { votes: [self.id].into() };
        cx.note(Fact::Role { role: SmolStr::new_static("candidate"), epoch: term });
        self.vote_durably(self.id, cx);
        let (last_index, last_term) = (self.log.last_index(), self.log.last_term());
        let ask = RequestVote { term, last_index, last_term };
        for peer in self.peers.clone() {
            self.send_durably(peer, Rpc::RequestVote(ask), cx);
        }
        self.draw_election_timeout(cx);
        self.await_leader(cx);
    }

    /// §5.2: one vote per term; §5.4.1: only for a log that is at least as up to date.
    pub(super) fn on_request_vote(
        &mut self,
        candidate: NodeId,
        ask: RequestVote,
        cx: &mut Cx<'_, Self>,
    ) {
        let current = ask.term == self.hard.term;
        let free = self.hard.vote.is_none_or(|vote| vote == candidate);
        let ours = (self.log.last_term(), self.log.last_index());
        let up_to_date = (ask.last_term, ask.last_index) >= ours;
        let granted = current && free && up_to_date;
        if current && free && !up_to_date {
            cx.sometimes("a vote is refused for an old log");
        }
        if granted && self.hard.vote.is_none() {
            self.set_hard_state(HardState { vote: Some(candidate), ..self.hard }, cx);
            self.vote_durably(candidate, cx);
            self.await_leader(cx);
        }
        self.send_durably(candidate, Rpc::Vote { term: self.hard.term, granted }, cx);
    }

    /// §5.2: the votes of a majority make a leader.
    pub(super) fn on_vote(
        &mut self,
        voter: NodeId,
        (term, granted): (u64, bool),
        cx: &mut Cx<'_, Self>,
    ) {
        if !granted || term != self.hard.term {
            return;
        }
        let majority = self.majority();
        let Role::Candidate { votes } = &mut self.role else {
            return;
        };
        votes.insert(voter);
        if votes.len() >= majority {
            self.become_leader(cx);
        }
    }

    /// A cluster of one is elected as soon as its vote is durable.
    pub(super) fn elected_alone(&mut self, cx: &mut Cx<'_, Self>) {
        if self.peers.is_empty() && matches!(self.role, Role::Candidate { .. }) {
            self.become_leader(cx);
        }
    }

    /// §5.2, §8: shows that it leads, with an entry of its own term, behind which everything from
    /// earlier terms becomes committed.
    fn become_leader(&mut self, cx: &mut Cx<'_, Self>) {
        let next = self.log.last_index() + 1;
        let progress = self.peers.iter().map(|peer| Progress::new(*peer, next)).collect();
        self.role = Role::Leader { progress };
        cx.note(Fact::Role { role: SmolStr::new_static("leader"), epoch: self.hard.term });
        cx.failpoint("raft.leader_elected");
        cx.disarm(Timer::Election);
        self.reads.reset();
        self.append_as_leader(Entry { term: self.hard.term, command: None }, cx);
    }

    /// Sends now: a leader's messages rest on a term that is durable already.
    pub(super) fn send_now(&self, to: NodeId, rpc: Rpc, cx: &mut Cx<'_, Self>) {
        cx.send(to, Wire::Peer(rpc));
    }
}
