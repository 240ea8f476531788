//! Linearizable reads without writing to the log (§8; thesis §6.4).
//!
//! ReadIndex: a read waits until a majority answered a round that began after the read arrived, which
//! shows that nobody else led then, and until everything is applied that was committed when it
//! arrived.
//!
//! Lease (thesis §6.4.1): whoever answers a round votes for nobody else for the shortest election
//! timeout. So for that long, counted from when the round *began* and less a guard for clocks that run
//! at different rates, nobody else can lead, and a read is answered at once.
//!
//! ```text
//!   leader    ─ round ─┬──────────────────────────── lease ──────────┤ guard
//!   follower           └─▶ answers, votes for nobody ─────────────────────────┤
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use wrack_sim::{Cx, Reply, Request};

use super::info::Variant;
use super::{Raft, Role, reply};

/// A read that waits.
#[derive(Debug)]
struct Read {
    request: Arc<Request>,
    /// What was committed when it arrived.
    index: u64,
    /// The round that must be answered.
    round: u64,
}

/// The reads of a leader.
#[derive(Debug, Default)]
pub struct Reads {
    /// The round that was begun last.
    round: u64,
    /// When it was, on the node's monotonic clock.
    begun_ns: u64,
    /// The last round that a majority answered.
    confirmed: u64,
    /// Until when nobody else can lead.
    lease_until_ns: u64,
    /// The wall clock when the lease was renewed last.
    wall_ns: u64,
    /// A successor was asked for in this term: it may be elected at any time, lease or not.
    handed_over: bool,
    waiting: VecDeque<Read>,
}

impl Reads {
    /// The current round, for the leader's messages.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// A new leader starts anew; rounds go on, so that no old answer counts.
    pub fn reset(&mut self) {
        self.round += 1;
        self.confirmed = self.round;
        self.lease_until_ns = 0;
        self.handed_over = false;
    }

    /// From now on somebody else may lead.
    pub fn end_lease(&mut self) {
        self.lease_until_ns = 0;
        self.handed_over = true;
    }

    /// How many reads wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The reads of a leader that steps down.
    pub fn give_up(&mut self) -> impl Iterator<Item = Arc<Request>> {
        std::mem::take(&mut self.waiting).into_iter().map(|read| read.request)
    }

    fn under_way(&self) -> bool {
        self.confirmed < self.round
    }
}

impl Raft {
    /// A client reads.
    pub(super) fn read(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        if self.variant == Variant::StaleLocalRead {
            let value = self.machine.read(&request.key);
            reply(&request, Reply::Ok(value), cx);
            return;
        }
        // §8: a leader knows what is committed only once it committed an entry of its own term.
        if self.log.term(self.commit) != Some(self.hard.term) {
            cx.sometimes("a read waits for the first commit of a term");
            reply(&request, Reply::Redirect(None), cx);
            return;
        }
        if self.lease.is_some() && self.holds_lease(cx) {
            let value = self.machine.read(&request.key);
            cx.failpoint("raft.lease_checked");
            reply(&request, Reply::Ok(value), cx);
            return;
        }
        let round = self.round_for_next_read(cx);
        self.reads.waiting.push_back(Read { request, index: self.commit, round });
        self.confirm_reads(cx);
    }

    /// The round under way began before the read arrived, so it waits for the one after; when none
    /// is under way it begins one.
    fn round_for_next_read(&mut self, cx: &mut Cx<'_, Self>) -> u64 {
        if self.reads.under_way() {
            return self.reads.round + 1;
        }
        self.begin_round(cx);
        self.reads.round
    }

    fn begin_round(&mut self, cx: &mut Cx<'_, Self>) {
        self.reads.round += 1;
        if self.lease.is_some() {
            self.reads.begun_ns = cx.now();
        }
        self.broadcast(cx);
    }

    /// A leader shows that it leads, and so renews its lease.
    pub(super) fn heartbeat(&mut self, cx: &mut Cx<'_, Self>) {
        if !self.leads() {
            return;
        }
        if self.lease.is_some() && !self.reads.under_way() {
            self.begin_round(cx);
        } else {
            self.broadcast(cx);
        }
    }

    /// A majority may have answered the round.
    pub(super) fn confirm_reads(&mut self, cx: &mut Cx<'_, Self>) {
        let others = self.majority - 1;
        let Role::Leader { progress } = &self.role else {
            return;
        };
        if !self.reads.under_way() {
            return;
        }
        let current = self.reads.round;
        let answered =
            progress.iter().filter(|follower| follower.member && follower.round >= current).count();
        if answered < others {
            return;
        }
        self.reads.confirmed = current;
        self.renew_lease(cx);
        self.answer_reads(cx);
        if self.reads.waiting.iter().any(|read| read.round > current) {
            self.begin_round(cx);
        }
    }

    fn renew_lease(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(guard_ns) = self.lease.filter(|_| !self.reads.handed_over) else {
            return;
        };
        let wall_ns = cx.wall();
        if wall_ns < self.reads.wall_ns {
            cx.sometimes("the wall clock goes back under a lease");
        }
        self.reads.wall_ns = wall_ns;
        let length_ns = self.shortest_election_ns;
        self.reads.lease_until_ns = match self.variant {
            Variant::LeaseNoGuard => wall_ns + length_ns,
            _ => self.reads.begun_ns + length_ns.saturating_sub(guard_ns),
        };
    }

    fn holds_lease(&self, cx: &Cx<'_, Self>) -> bool {
        let now = match self.variant {
            Variant::LeaseNoGuard => cx.wall(),
            _ => cx.now(),
        };
        now < self.reads.lease_until_ns
    }

    /// Answers the reads that are confirmed and whose index is applied.
    pub(super) fn answer_reads(&mut self, cx: &mut Cx<'_, Self>) {
        let (confirmed, applied) = (self.reads.confirmed, self.machine.applied());
        let ready = |read: &Read| read.round <= confirmed && read.index <= applied;
        while self.leads() && self.reads.waiting.front().is_some_and(ready) {
            let read = self.reads.waiting.pop_front().expect("it is there");
            let value = self.machine.read(&read.request.key);
            cx.failpoint("raft.read_confirmed");
            reply(&read.request, Reply::Ok(value), cx);
        }
    }
}
