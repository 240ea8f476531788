//! The store: the resource that outlives every owner, and that decides what really happened.
//!
//! ```text
//! gather ─▶ check the epoch ─▶ append ─▶ one sync for all ─▶ apply ─▶ answer
//! ```
//! - *Fence.* It keeps the highest epoch that ever came to load, durably, and refuses lower ones
//!   ([`Fence`] says what becomes of it in the variants).
//! - *Order.* Of an owner in its epoch it accepts commands number by number, and ignores what leaves
//!   a gap: the owner sends it again. Doubled and reordered messages change nothing.
//! - *Durable before visible.* Nothing is applied, answered or loaded before the disk has it.
//!
//! Everything that comes while a sync is under way shares the next one (group commit).
//! Source: Kleppmann, "How to do distributed locking", 2016 (fencing tokens); DeWitt et al. 1984
//! (group commit).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{FlowContext, NodeId, Request, Wire};

use super::message::{Command, Message, Overwrite, Peer};
use super::state::State;
use crate::sessions::Recall;

/// The name of the fenced resource in the fact `accepted`.
const RESOURCE: SmolStr = SmolStr::new_static("store");

/// What the store does about epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// It keeps the highest one durably, and refuses lower ones.
    Kept,
    /// The variant `no_fencing`: it does not look at them at all.
    Absent,
    /// The variant `unchecked_token`: it compares those of whoever loads or asks, and lets writes
    /// pass.
    Unchecked,
    /// The variant `token_volatile`: it keeps the highest one in memory alone.
    Volatile,
}

/// One record of the log; the state is a fold over them.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Record {
    /// Lower epochs are over.
    Fence { epoch: u64 },
    /// The next command of this owner in this epoch.
    Write { epoch: u64, writer: NodeId, command: Command },
    /// A write without an epoch (variant `blind_writers`).
    Overwrite(Arc<Overwrite>),
}

/// How far each epoch got: what a message is checked against before it is written down.
#[derive(Clone, Debug, Default)]
struct Epochs {
    /// The highest epoch that came to load.
    fence: u64,
    /// For each epoch and its owner the number of commands that were accepted.
    accepted: BTreeMap<(u64, NodeId), u64>,
}

/// An answer that waits for the disk.
enum Answer {
    Plain(Peer),
    Load { epoch: u64 },
    Put(Arc<Overwrite>),
}

/// Records that were appended and are not durable yet.
type Appended = Vec<Record>;

struct Store {
    cx: FlowContext<Message>,
    fence: Fence,
    epochs: Epochs,
    state: State,
}

/// The store, as a flow: one batch after the other.
pub async fn store(cx: FlowContext<Message>, fence: Fence) {
    let mut store = Store { cx, fence, epochs: Epochs::default(), state: State::default() };
    store.recover();
    loop {
        let batch = store.cx.recv_all().await;
        store.serve(batch).await;
    }
}

impl Store {
    /// Folds the log. A crash may have come between a sync and the facts about it, so the effects
    /// are noted again: the same place is the same effect.
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in &log.records {
            match record {
                Record::Fence { epoch } => self.epochs.fence = *epoch,
                Record::Write { epoch, writer, .. } => {
                    *self.epochs.accepted.entry((*epoch, *writer)).or_default() += 1
                }
                Record::Overwrite(_) => {}
            }
            self.apply(record);
        }
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let before = self.epochs.clone();
        let (mut appended, mut answers) = (Appended::new(), Vec::new());
        for (from, message) in batch {
            if let Wire::Peer(peer) = message {
                let answer = self.check(from, peer, &mut appended);
                answers.extend(answer.map(|answer| (from, answer)));
            }
        }
        if !appended.is_empty() {
            if self.cx.sync().await.is_err() {
                // The disk has dropped what was appended: nothing of this batch ever came.
                self.epochs = before;
                return;
            }
            self.cx.failpoint("store.written");
        }
        for record in &appended {
            self.note_accepted(record);
            self.apply(record);
        }
        for (to, answer) in answers {
            self.cx.send(to, Wire::Peer(self.answer(answer)));
        }
    }

    /// Checks a message against the epochs, writes down what it changes, and says how to answer.
    fn check(&mut self, from: NodeId, message: Peer, appended: &mut Appended) -> Option<Answer> {
        let answer = match message {
            Peer::Load { epoch } | Peer::Write { epoch, .. } | Peer::Confirm { epoch, .. }
                if self.is_over(epoch, &message) =>
            {
                if let Peer::Write { .. } = message {
                    self.cx.sometimes("a late write is fenced");
                }
                Answer::Plain(Peer::Fenced { epoch })
            }
            Peer::Load { epoch } => {
                if epoch > self.epochs.fence {
                    self.epochs.fence = epoch;
                    if self.fence != Fence::Volatile {
                        self.append(Record::Fence { epoch }, appended);
                    }
                }
                Answer::Load { epoch }
            }
            Peer::Write { epoch, first, commands } => {
                self.cx.failpoint("store.checked");
                let serial = self.append_in_order((from, epoch), (first, &commands), appended);
                Answer::Plain(Peer::Accepted { epoch, serial })
            }
            Peer::Confirm { epoch, round } => Answer::Plain(Peer::Confirmed { epoch, round }),
            Peer::Get(request) => {
                let cell = self.state.cell(&request.key);
                Answer::Plain(Peer::Got(request, cell))
            }
            Peer::Put(write) => {
                self.append(Record::Overwrite(Arc::clone(&write)), appended);
                Answer::Put(write)
            }
            _ => return None,
        };
        Some(answer)
    }

    /// Whether somebody with a higher epoch has been here. This one comparison is the fence.
    fn is_over(&self, epoch: u64, message: &Peer) -> bool {
        let compares = match self.fence {
            Fence::Kept | Fence::Volatile => true,
            Fence::Unchecked => !matches!(message, Peer::Write { .. }),
            Fence::Absent => false,
        };
        compares && epoch < self.epochs.fence
    }

    /// Appends the commands that come next from this owner; not those that are here already, and not
    /// those behind a gap. Gives the number of the last one that is here.
    fn append_in_order(
        &mut self,
        (writer, epoch): (NodeId, u64),
        (first, commands): (u64, &[Command]),
        appended: &mut Appended,
    ) -> u64 {
        let mut accepted = self.epochs.accepted.get(&(epoch, writer)).copied().unwrap_or(0);
        for (serial, command) in (first..).zip(commands) {
            if serial == accepted + 1 {
                accepted = serial;
                let command = command.clone();
                self.append(Record::Write { epoch, writer, command }, appended);
            }
        }
        self.epochs.accepted.insert((epoch, writer), accepted);
        accepted
    }

    fn append(&self, record: Record, appended: &mut Appended) {
        self.cx.append(&record);
        appended.push(record);
    }

    fn note_accepted(&self, record: &Record) {
        if let Record::Write { epoch, writer, .. } = record {
            let (epoch, writer) = (*epoch, writer.0);
            self.cx.note(Fact::Accepted { resource: RESOURCE, epoch, writer });
        }
    }

    /// Applies a record that is durable, and notes what took effect.
    fn apply(&mut self, record: &Record) {
        let (request, change) = match record {
            Record::Fence { .. } => return,
            Record::Write { command, .. } => {
                let applied = self.state.apply(command);
                let change = applied.and_then(|applied| applied.change);
                (&command.request, change)
            }
            Record::Overwrite(write) => {
                let took_effect = self.state.overwrite(write);
                let change = write.applied.change.clone().filter(|_| took_effect);
                (&write.request, change)
            }
        };
        if let Some(change) = change {
            self.note_effect(request, &change);
        }
    }

    fn note_effect(&self, request: &Request, change: &Value) {
        let version = self.state.version();
        self.cx.effect(request.tag, &request.key, change, version);
    }

    fn answer(&self, answer: Answer) -> Peer {
        match answer {
            Answer::Plain(peer) => peer,
            Answer::Load { epoch } => {
                let state = Arc::new(self.state.clone());
                Peer::Loaded { epoch, state }
            }
            Answer::Put(write) => {
                let identity = write.request.idempotency;
                let reply = match identity.map(|identity| self.state.recall(identity)) {
                    Some(Recall::Answered(first)) => first.clone(),
                    _ => write.applied.reply.clone(),
                };
                Peer::Stored(Arc::clone(&write.request), reply)
            }
        }
    }
}
