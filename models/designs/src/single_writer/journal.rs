//! The owner's journal: a write-ahead log on its own disk.
//!
//! A command is written here before anybody else hears of it. An owner that crashes between its log
//! and the store finds the command again, and finishes it under its next epoch; the store recognises
//! what it has already. One sync is under way at a time, and what is appended meanwhile shares the
//! next one (group commit).
//!
//! The journal outlives ownerships. It is never cut: a run is short, and a recovery that holds
//! everything is easy to judge.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::Fact;
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Idempotency, NodeId, Request};

use super::message::Command;
use super::owner::Owner;

/// Sessions from here on are those of owners, for commands of clients that gave no key.
const OWNERS: u64 = 1 << 63;

/// A record of the log.
#[derive(Serialize, Deserialize)]
struct Record {
    command: Command,
    /// When it was written, on the owner's wall clock: for people who read the log. Nothing is ever
    /// decided by it.
    wall_ns: u64,
}

/// A command and its place in the log, from 1.
pub type Placed = (usize, Command);

/// The write-ahead log, and what is known of it.
#[derive(Default)]
pub struct Journal {
    /// Records, durable or not.
    len: usize,
    /// Records that survive a crash.
    durable: usize,
    syncing: bool,
    /// Commands that may or may not have reached the store, in order.
    in_doubt: Vec<Placed>,
}

impl Journal {
    /// What the disk still holds. All of it is in doubt: only the store knows how far it came.
    pub fn recover(cx: &mut Cx<'_, Owner>) -> Self {
        let log = cx.disk().recover::<Record>();
        let len = log.records.len();
        if log.torn {
            cx.truncate(len);
        }
        let commands = log.records.into_iter().map(|record| record.command);
        let in_doubt: Vec<Placed> = (1..).zip(commands).collect();
        let operation = |(_, command): &Placed| command.request.tag.operation();
        let operations = in_doubt.iter().map(operation).collect();
        cx.note(Fact::Recovered { operations });
        Self { len, durable: len, syncing: false, in_doubt }
    }

    /// Writes a request down, and asks for a sync unless one is under way.
    pub fn append(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Owner>) -> Placed {
        let place = self.len + 1;
        let identity = request.idempotency.unwrap_or_else(|| own(cx.id(), place));
        let command = Command { identity, request };
        let wall_ns = cx.wall();
        let record = Record { command, wall_ns };
        cx.append(&record);
        cx.failpoint("owner.appended");
        self.len = place;
        self.sync(cx);
        (place, record.command)
    }

    /// The sync that was under way came back. On an error the disk has dropped what was not durable,
    /// and so does the journal.
    pub fn synced(&mut self, len: usize, result: Result<(), DiskError>, cx: &mut Cx<'_, Owner>) {
        self.syncing = false;
        match result {
            Ok(()) => self.durable = len,
            Err(_) => {
                // What a pause held back may have been appended since: that goes too.
                cx.truncate(self.durable);
                self.len = self.durable;
                self.in_doubt.retain(|(place, _)| *place <= self.durable);
            }
        }
    }

    /// Asks for a sync if there is something to make durable and none is under way.
    pub fn sync(&mut self, cx: &mut Cx<'_, Owner>) {
        if !self.syncing && self.durable < self.len {
            self.syncing = true;
            cx.sync(self.len as u64);
        }
    }

    /// Records that survive a crash.
    pub fn durable(&self) -> usize {
        self.durable
    }

    /// Nobody knows what became of these commands.
    pub fn doubt(&mut self, commands: impl IntoIterator<Item = Placed>) {
        self.in_doubt.extend(commands);
    }

    /// Commands that somebody should finish, in order.
    pub fn take_in_doubt(&mut self) -> Vec<Placed> {
        std::mem::take(&mut self.in_doubt)
    }
}

/// The name of a command whose client gave none: it keeps a command that is finished twice by its
/// owner from taking effect twice, and no more than that.
fn own(owner: NodeId, place: usize) -> Idempotency {
    Idempotency { session: OWNERS + u64::from(owner.0), sequence: place as u64 }
}
