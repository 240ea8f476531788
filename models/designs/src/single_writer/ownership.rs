//! One ownership: everything that an owner knows under one epoch, forgotten when it ends.
//!
//! ```text
//!              serial:   1 … accepted | … sent | … last
//!                       in the store  | asked  | waits for the journal
//! ```
//! The owner computes at once, on its own copy of the state, and answers only when the store has
//! accepted: what it computed rests on everything before it, accepted or not.
//!
//! A read is answered when two things hold. Every command that it saw is accepted, or it would show
//! what a crash may still undo. And the store confirmed, after the read came, that no higher epoch
//! has been there: an owner that was paused cannot know by itself that it still is one (ReadIndex:
//! Ongaro, thesis 2014, §6.4).

use std::collections::VecDeque;
use std::sync::Arc;

use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{Cx, Idempotency, NodeId, Reply, Request, Wire};

use super::journal::Placed;
use super::message::{Command, Peer};
use super::owner::Owner;
use super::respond;
use super::state::State;
use crate::sessions::Recall;

/// A command that the store has not accepted yet.
struct Pending {
    place: usize,
    command: Command,
    reply: Reply,
    answered: bool,
}

/// A read, with the value that it saw when it came.
struct WaitingRead {
    request: Arc<Request>,
    value: Value,
    /// The last command that it saw.
    after: u64,
    /// The first question to the store that was asked after it came.
    round: u64,
}

/// What an owner knows under one epoch.
pub struct Ownership {
    epoch: u64,
    store: NodeId,
    state: State,
    /// Commands behind `accepted`, in order.
    pending: VecDeque<Pending>,
    accepted: u64,
    sent: u64,
    reads: VecDeque<WaitingRead>,
    asked: u64,
    confirmed: u64,
    /// `accepted` and `confirmed` when somebody last looked whether there is progress.
    seen: (u64, u64),
}

impl Ownership {
    /// A new owner, with what lower epochs left in the store.
    pub fn new(epoch: u64, store: NodeId, state: State) -> Self {
        Self {
            epoch,
            store,
            state,
            pending: VecDeque::new(),
            accepted: 0,
            sent: 0,
            reads: VecDeque::new(),
            asked: 0,
            confirmed: 0,
            seen: (0, 0),
        }
    }

    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Deals with a request that was here before; `false`, and nothing, if it was not. One that is
    /// under way is answered when it is done, and one whose client has moved on needs no answer.
    pub fn recognise(&self, request: &Request, cx: &mut Cx<'_, Owner>) -> bool {
        let Some(identity) = request.idempotency else {
            return false;
        };
        match self.state.recall(identity) {
            Recall::New => return false,
            Recall::Answered(reply) if !self.is_pending(identity) => {
                respond(request, reply.clone(), cx);
            }
            Recall::Answered(_) | Recall::Superseded => {}
        }
        cx.sometimes("a retried command is recognised");
        true
    }

    fn is_pending(&self, identity: Idempotency) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|pending| pending.command.identity == identity)
    }

    /// Carries out a command on the owner's copy; `false`, and nothing, if it was here before.
    pub fn execute(&mut self, (place, command): Placed) -> bool {
        let Some(applied) = self.state.apply(&command) else {
            return false;
        };
        self.pending.push_back(Pending { place, command, reply: applied.reply, answered: false });
        true
    }

    /// The variant `ack_early`: answers the newest command while it is in memory alone.
    pub fn answer_early(&mut self, cx: &mut Cx<'_, Owner>) {
        if let Some(pending) = self.pending.back_mut() {
            pending.answer(cx);
        }
    }

    /// Takes a read in, and asks the store whether this epoch still is the one.
    pub fn read(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Owner>) {
        self.asked += 1;
        self.reads.push_back(WaitingRead {
            value: self.state.read(&request.key),
            request,
            after: self.accepted + self.pending.len() as u64,
            round: self.asked,
        });
        self.ask(cx);
    }

    /// Sends what the journal has made durable and the store has not seen.
    pub fn send_durable(&mut self, durable: usize, cx: &mut Cx<'_, Owner>) {
        let fresh = self.pending.iter().skip(self.under_way());
        let fresh = fresh.take_while(|pending| pending.place <= durable);
        let commands: Arc<[_]> = fresh.map(|pending| pending.command.clone()).collect();
        if !commands.is_empty() {
            let first = self.sent + 1;
            self.sent += commands.len() as u64;
            self.write(first, commands, cx);
        }
    }

    /// Sends again what was lost, if nothing has come back since the last call.
    pub fn send_again(&mut self, cx: &mut Cx<'_, Owner>) {
        let progress = (self.accepted, self.confirmed);
        if std::mem::replace(&mut self.seen, progress) != progress {
            return;
        }
        let lost = self.pending.iter().take(self.under_way());
        let commands: Arc<[_]> = lost.map(|pending| pending.command.clone()).collect();
        if !commands.is_empty() {
            self.write(self.accepted + 1, commands, cx);
        }
        if self.confirmed < self.asked {
            self.ask(cx);
        }
    }

    /// The store has everything up to `serial`: it is done, and may be answered.
    pub fn accepted(&mut self, serial: u64, cx: &mut Cx<'_, Owner>) {
        cx.always("the store accepts only what was sent", serial <= self.sent);
        if serial <= self.accepted {
            return;
        }
        cx.failpoint("owner.accepted");
        let done = (serial - self.accepted) as usize;
        for mut pending in self.pending.drain(..done.min(self.pending.len())) {
            pending.answer(cx);
        }
        self.accepted = serial;
        cx.failpoint("owner.acked");
        self.answer_reads(cx);
    }

    /// No higher epoch had been at the store when this question came.
    pub fn confirmed(&mut self, round: u64, cx: &mut Cx<'_, Owner>) {
        self.confirmed = self.confirmed.max(round);
        self.answer_reads(cx);
    }

    /// It is over. Commands under way may or may not reach the store; reads have done nothing.
    pub fn end(self, cx: &mut Cx<'_, Owner>) -> Vec<Placed> {
        for read in &self.reads {
            respond(&read.request, Reply::Redirect(None), cx);
        }
        for pending in self.pending.iter().filter(|pending| !pending.answered) {
            let why = SmolStr::new_static("the owner lost its ownership");
            respond(&pending.command.request, Reply::Unknown(why), cx);
        }
        let place = |pending: Pending| (pending.place, pending.command);
        self.pending.into_iter().map(place).collect()
    }

    /// How many commands were sent and not accepted.
    fn under_way(&self) -> usize {
        (self.sent - self.accepted) as usize
    }

    fn write(&self, first: u64, commands: Arc<[Command]>, cx: &mut Cx<'_, Owner>) {
        let epoch = self.epoch;
        // Between the check of the lease and this write lies the race that only a fence closes.
        cx.failpoint("owner.before_store");
        cx.send(self.store, Wire::Peer(Peer::Write { epoch, first, commands }));
    }

    fn ask(&self, cx: &mut Cx<'_, Owner>) {
        let (epoch, round) = (self.epoch, self.asked);
        cx.send(self.store, Wire::Peer(Peer::Confirm { epoch, round }));
    }

    fn answer_reads(&mut self, cx: &mut Cx<'_, Owner>) {
        let (accepted, confirmed) = (self.accepted, self.confirmed);
        let is_due = |read: &WaitingRead| read.after <= accepted && read.round <= confirmed;
        while self.reads.front().is_some_and(is_due) {
            let read = self.reads.pop_front().expect("there is a first one");
            respond(&read.request, Reply::Ok(read.value), cx);
        }
    }
}

impl Pending {
    fn answer(&mut self, cx: &mut Cx<'_, Owner>) {
        if std::mem::replace(&mut self.answered, true) {
            return;
        }
        let operation = self.command.request.tag.operation();
        respond(&self.command.request, self.reply.clone(), cx);
        cx.note(Fact::Acknowledged { operation });
    }
}
