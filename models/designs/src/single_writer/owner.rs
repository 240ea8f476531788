//! An owner, or a standby that waits to be one.
//!
//! ```text
//! standby ── Granted ──▶ loading ── Loaded ──▶ owner ── lease over, fenced, disk error ──▶ standby
//! ```
//! The rules, and why:
//!
//! - *The lease counts from when the bid was sent*, on the owner's own monotonic clock, less a guard.
//!   From when the grant came it would outlive the grant by the time on the way; on the wall clock,
//!   by whatever an administrator does to it.
//! - *Before an owner serves it loads*, under its epoch: that tells the store to refuse its
//!   predecessors, and only then is what the store has all that it will ever have from them.
//! - *One ownership is one bid is one epoch.* Whoever steps down bids under a new name, so that
//!   nothing sent before can be taken for something sent after.
//! - *The lease is for peace, the fence for safety.* The lease keeps two owners from fighting; that
//!   only one of them writes, the store alone can promise.

use std::sync::Arc;

use wrack_history::{Fact, SmolStr};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Reply, Request, Wire};

use super::journal::Journal;
use super::message::{Message, Peer};
use super::ownership::Ownership;
use super::respond;
use super::state::State;
use crate::command::is_read;

/// How often an owner looks whether the store has left something unanswered, in nanoseconds.
const RESEND_NS: u64 = 200_000_000;

/// What an owner is made with.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Who grants the lease.
    pub lease: NodeId,
    /// Who keeps the state.
    pub store: NodeId,
    /// How long a lease lasts.
    pub ttl_ns: u64,
    /// How long before its end an owner stops; at most half of it counts.
    pub guard_ns: u64,
    /// The variant `ack_early`.
    pub ack_early: bool,
}

wrack_sim::timers! {
    /// What an owner waits for.
    pub enum OwnerTimer {
        /// It is time to bid, or to renew.
        Bid,
        /// The lease is over.
        Expire,
        /// The store may have missed something.
        Resend,
    }
}

/// A lease, as its holder counts it.
#[derive(Clone, Copy, Debug)]
struct Held {
    epoch: u64,
    until_ns: u64,
}

/// An owner, or a standby.
pub struct Owner {
    rules: Rules,
    journal: Journal,
    bid: u64,
    held: Option<Held>,
    /// Present from `Loaded` on.
    ownership: Option<Ownership>,
    /// Who owned when somebody last said so.
    holder: Option<NodeId>,
}

impl Node for Owner {
    type Message = Message;
    type Timer = OwnerTimer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.journal = Journal::recover(cx);
        self.stand_by(0, cx);
        self.bid(cx);
    }

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        self.check_lease(cx);
        match message {
            Wire::Request(request) => self.on_request(request, cx),
            Wire::Peer(peer) => self.on_peer(peer, cx),
            Wire::Response(_) => {}
        }
    }

    fn on_timer(&mut self, timer: OwnerTimer, cx: &mut Cx<'_, Self>) {
        self.check_lease(cx);
        match timer {
            OwnerTimer::Bid => self.bid(cx),
            OwnerTimer::Expire => {}
            OwnerTimer::Resend => self.resend(cx),
        }
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        self.check_lease(cx);
        cx.failpoint("owner.synced");
        if result.is_err() {
            // What was computed on top of the lost records is as good as lost.
            self.step_down(cx);
        }
        self.journal.synced(tag as usize, result, cx);
        self.journal.sync(cx);
        if let Some(ownership) = &mut self.ownership {
            ownership.send_durable(self.journal.durable(), cx);
        }
    }
}

impl Owner {
    /// A node that boots.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            journal: Journal::default(),
            bid: 0,
            held: None,
            ownership: None,
            holder: None,
        }
    }

    fn on_request(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        let Some(ownership) = &mut self.ownership else {
            return self.turn_away(&request, cx);
        };
        if is_read(&request.function) {
            return ownership.read(request, cx);
        }
        if ownership.recognise(&request, cx) {
            return;
        }
        cx.failpoint("owner.received");
        let placed = self.journal.append(request, cx);
        ownership.execute(placed);
        if self.rules.ack_early {
            ownership.answer_early(cx);
        }
    }

    /// Somebody else owns. A client may be sent on, but never be told "not done" for good: the
    /// network may deliver this very command once more, when this node owns. A read does no harm
    /// then.
    fn turn_away(&self, request: &Request, cx: &mut Cx<'_, Self>) {
        let reply = match self.holder {
            None if !is_read(&request.function) => {
                Reply::Unknown(SmolStr::new_static("nobody is known to own"))
            }
            holder => Reply::Redirect(holder),
        };
        respond(request, reply, cx);
    }

    fn on_peer(&mut self, peer: Peer, cx: &mut Cx<'_, Self>) {
        match peer {
            Peer::Granted { bid, sent_ns, epoch } if bid == self.bid => {
                self.granted(epoch, sent_ns, cx);
            }
            Peer::Refused { holder } => self.holder = Some(holder),
            Peer::Loaded { epoch, state } => self.loaded(epoch, state, cx),
            Peer::Accepted { epoch, serial } => {
                if let Some(ownership) = self.ownership_of(epoch) {
                    ownership.accepted(serial, cx);
                }
            }
            Peer::Confirmed { epoch, round } => {
                if let Some(ownership) = self.ownership_of(epoch) {
                    ownership.confirmed(round, cx);
                }
            }
            Peer::Fenced { epoch } if self.holds(epoch) => {
                cx.sometimes("an owner is fenced inside its lease");
                self.step_down(cx);
            }
            _ => {}
        }
    }

    fn holds(&self, epoch: u64) -> bool {
        self.held.is_some_and(|held| held.epoch == epoch)
    }

    fn ownership_of(&mut self, epoch: u64) -> Option<&mut Ownership> {
        self.ownership.as_mut().filter(|ownership| ownership.epoch() == epoch)
    }

    /// Asks for the lease, or for more of it; soon again if nobody answers.
    fn bid(&mut self, cx: &mut Cx<'_, Self>) {
        let (bid, sent_ns) = (self.bid, cx.now());
        cx.send(self.rules.lease, Wire::Peer(Peer::Acquire { bid, sent_ns }));
        let after_ns = self.pause_ns(cx);
        cx.arm(OwnerTimer::Bid, after_ns);
    }

    /// Between two bids: a twentieth of a lease, or up to a half less, so that standbys do not bid
    /// in step.
    fn pause_ns(&self, cx: &mut Cx<'_, Self>) -> u64 {
        let longest_ns = self.rules.ttl_ns / 20;
        cx.random().between(longest_ns / 2, longest_ns)
    }

    fn granted(&mut self, epoch: u64, sent_ns: u64, cx: &mut Cx<'_, Self>) {
        let guard_ns = self.rules.guard_ns.min(self.rules.ttl_ns / 2);
        let mut until_ns = sent_ns + self.rules.ttl_ns - guard_ns;
        if until_ns <= cx.now() {
            return;
        }
        match self.held {
            Some(held) if held.epoch != epoch => return self.step_down(cx),
            Some(held) => until_ns = until_ns.max(held.until_ns),
            None => {}
        }
        let is_new = self.held.replace(Held { epoch, until_ns }).is_none();
        cx.arm(OwnerTimer::Expire, until_ns - cx.now());
        cx.arm(OwnerTimer::Bid, self.rules.ttl_ns / 3);
        if is_new {
            self.resend(cx);
        }
    }

    /// Everything that earlier epochs left is here, and nothing can be added to it: from now on this
    /// node owns. First it finishes what it had begun in its former lives.
    fn loaded(&mut self, epoch: u64, state: Arc<State>, cx: &mut Cx<'_, Self>) {
        if !self.holds(epoch) || self.ownership.is_some() {
            return;
        }
        let state = Arc::unwrap_or_clone(state);
        let mut ownership = Ownership::new(epoch, self.rules.store, state);
        for placed in self.journal.take_in_doubt() {
            if ownership.execute(placed) {
                cx.sometimes("a command is finished from the journal");
            }
        }
        note_role("owner", epoch, cx);
        ownership.send_durable(self.journal.durable(), cx);
        self.ownership = Some(ownership);
    }

    /// Looks after messages that were lost, again and again while the lease is held.
    fn resend(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(Held { epoch, .. }) = self.held else {
            return;
        };
        match &mut self.ownership {
            Some(ownership) => ownership.send_again(cx),
            None => cx.send(self.rules.store, Wire::Peer(Peer::Load { epoch })),
        }
        cx.arm(OwnerTimer::Resend, RESEND_NS);
    }

    /// The lease is looked at before anything else: after a pause its end may lie far back, and its
    /// timer behind other things that wait.
    fn check_lease(&mut self, cx: &mut Cx<'_, Self>) {
        if self.held.is_some_and(|held| held.until_ns <= cx.now()) {
            cx.sometimes("a lease runs out");
            self.step_down(cx);
        }
    }

    fn step_down(&mut self, cx: &mut Cx<'_, Self>) {
        let epoch = self.held.take().map_or(0, |held| held.epoch);
        if let Some(ownership) = self.ownership.take() {
            self.journal.doubt(ownership.end(cx));
        }
        self.stand_by(epoch, cx);
        let after_ns = self.pause_ns(cx);
        cx.arm(OwnerTimer::Bid, after_ns);
    }

    fn stand_by(&mut self, epoch: u64, cx: &mut Cx<'_, Self>) {
        note_role("standby", epoch, cx);
        self.holder = None;
        self.bid = cx.random().word();
    }
}

fn note_role(role: &'static str, epoch: u64, cx: &mut Cx<'_, Owner>) {
    let role = SmolStr::new_static(role);
    cx.note(Fact::Role { role, epoch });
}
