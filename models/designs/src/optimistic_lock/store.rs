//! The store: it compares the version and writes in one step, one message after the other.
//!
//! - *One step.* Nothing comes between the comparison and the write, the sync included: the next
//!   message is looked at when this one is done. That is the whole of the design.
//! - *The answer with the effect.* What was answered to whom is in the same record as the write, so
//!   a retried command is recognised, and is not refused because of its own first try.
//! - *Durable before visible.* Nothing is applied or answered before the disk has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{Fact, SmolStr};
use wrack_sim::{FlowContext, Request, Wire};

use super::message::{Message, Peer, Versioned, Write};
use crate::sessions::{Recall, Sessions};

struct Store {
    cx: FlowContext<Message>,
    keys: BTreeMap<SmolStr, Versioned>,
    sessions: Sessions,
}

/// The store, as a flow.
pub async fn store(cx: FlowContext<Message>) {
    let mut store = Store { cx, keys: BTreeMap::new(), sessions: Sessions::default() };
    store.recover();
    loop {
        let (from, message) = store.cx.recv().await;
        if let Wire::Peer(peer) = message
            && let Some(answer) = store.serve(peer).await
        {
            store.cx.send(from, Wire::Peer(answer));
        }
    }
}

impl Store {
    /// Folds the log. A crash may have come between a sync and the facts about it, so the effects
    /// are noted again: the same place is the same effect.
    fn recover(&mut self) {
        let log = self.cx.recover::<Arc<Write>>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        let operations = log.records.iter().map(|write| write.request.tag.operation()).collect();
        self.cx.note(Fact::Recovered { operations });
        for write in &log.records {
            self.apply(write);
        }
    }

    /// A request that was here before is answered as it was then, whatever it asks for now.
    async fn serve(&mut self, peer: Peer) -> Option<Peer> {
        let request = match &peer {
            Peer::Get(request) => request,
            Peer::Put(write) | Peer::Check(write) => &write.request,
            _ => return None,
        };
        match self.recall(request) {
            Recall::New => {}
            Recall::Superseded => return None,
            Recall::Answered(reply) => {
                self.cx.sometimes("a retried command is recognised");
                return Some(Peer::Stored(Arc::clone(request), reply.clone()));
            }
        }
        let found = self.found(&request.key);
        match peer {
            Peer::Get(request) => Some(Peer::Got(request, found)),
            Peer::Check(write) if write.base != found.version => Some(self.refuse(write, found)),
            Peer::Check(write) => Some(Peer::Unchanged(write)),
            Peer::Put(write) => self.put(write, found).await,
            _ => None,
        }
    }

    /// Compares, writes down, applies and answers; nothing else happens meanwhile.
    async fn put(&mut self, write: Arc<Write>, found: Versioned) -> Option<Peer> {
        if write.conditional && write.base != found.version {
            return Some(self.refuse(write, found));
        }
        self.cx.failpoint("store.compared");
        self.cx.append(&write);
        // What is not durable was never written: the client asks again.
        self.cx.sync().await.ok()?;
        self.cx.failpoint("store.written");
        self.note_compared(&write, found.version, true);
        self.apply(&write);
        self.cx.note(Fact::Acknowledged { operation: write.request.tag.operation() });
        Some(Peer::Stored(Arc::clone(&write.request), write.applied.reply.clone()))
    }

    fn recall(&self, request: &Request) -> Recall<'_> {
        request.idempotency.map_or(Recall::New, |identity| self.sessions.recall(identity))
    }

    fn found(&self, key: &SmolStr) -> Versioned {
        self.keys.get(key).cloned().unwrap_or_default()
    }

    fn refuse(&self, write: Arc<Write>, found: Versioned) -> Peer {
        self.cx.sometimes("a write meets a newer version");
        self.note_compared(&write, found.version, false);
        Peer::Conflict(write, found)
    }

    fn note_compared(&self, write: &Write, found: u64, accepted: bool) {
        let (operation, base) = (write.request.tag.operation(), write.base);
        self.cx.note(Fact::Compared { operation, base, found, accepted });
    }

    /// Applies a write that is durable, and notes what took effect.
    fn apply(&mut self, write: &Write) {
        let request = &write.request;
        if let Some(identity) = request.idempotency {
            self.sessions.remember(identity, &write.applied.reply);
        }
        if let Some(change) = &write.applied.change {
            let held = self.keys.entry(request.key.clone()).or_default();
            held.version += 1;
            held.cell = write.cell.clone();
            self.cx.effect(request.tag, &request.key, change, held.version);
        }
    }
}
