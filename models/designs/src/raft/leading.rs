//! What a leader owes its term: to notice that nobody follows it (check-quorum: thesis §6.2), and to
//! hand over when it is told to (leadership transfer: thesis §3.10).

use wrack_sim::Cx;

use super::message::{Ask, Rpc};
use super::{Raft, Role, Timer};

impl Raft {
    /// It was elected: from now on its timers are those of a leader.
    pub(super) fn begin_leading(&mut self, cx: &mut Cx<'_, Self>) {
        self.transferring = None;
        self.await_quorum(cx);
        if self.transfer_every_ns > 0 {
            cx.arm(Timer::Transfer, self.transfer_every_ns);
        }
        if self.reconfigure_every_ns > 0 {
            cx.arm(Timer::Reconfigure, self.reconfigure_every_ns);
        }
    }

    /// Within the longest election timeout a majority must answer.
    fn await_quorum(&mut self, cx: &mut Cx<'_, Self>) {
        if self.check_quorum || self.transfer_every_ns > 0 {
            cx.arm(Timer::Election, self.longest_election_ns);
        } else {
            cx.disarm(Timer::Election);
        }
    }

    /// Thesis §6.2: a leader that a majority no longer answers steps down, so that its clients do not
    /// wait for it. A successor that has not taken over by now never will (thesis §3.10).
    pub(super) fn check_quorum(&mut self, cx: &mut Cx<'_, Self>) {
        let others = self.majority - 1;
        let Role::Leader { progress } = &mut self.role else {
            return;
        };
        let answered =
            progress.iter().filter(|follower| follower.member && follower.answered).count();
        progress.iter_mut().for_each(|follower| follower.answered = false);
        if self.check_quorum && answered < others {
            cx.sometimes("a leader notices that nobody follows it");
            self.become_follower(None, cx);
            return;
        }
        self.transferring = None;
        self.await_quorum(cx);
    }

    /// Thesis §3.10: hands over to the follower whose log is the longest.
    pub(super) fn transfer(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Timer::Transfer, self.transfer_every_ns);
        let Role::Leader { progress } = &self.role else {
            return;
        };
        let answering = progress.iter().filter(|follower| follower.member && follower.answered);
        let successor = answering.max_by_key(|follower| follower.matched);
        self.transferring = successor.map(|follower| follower.peer);
        self.hand_over(cx);
    }

    /// The successor may stand at once if it has the whole log.
    pub(super) fn hand_over(&mut self, cx: &mut Cx<'_, Self>) {
        let (Some(successor), Role::Leader { progress }) = (self.transferring, &self.role) else {
            return;
        };
        let last = self.log.last_index();
        if progress.iter().any(|follower| follower.peer == successor && follower.matched == last) {
            cx.sometimes("a leader hands over");
            self.reads.end_lease();
            self.send_now(successor, Rpc::TimeoutNow { term: self.hard.term }, cx);
        }
    }

    /// The leader asks this node to be its successor.
    pub(super) fn on_timeout_now(&mut self, term: u64, cx: &mut Cx<'_, Self>) {
        if term == self.hard.term && matches!(self.role, Role::Follower { .. }) {
            self.stand_for_election(Ask::Transfer, cx);
        }
    }
}
