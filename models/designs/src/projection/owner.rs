//! The owner of the base, and the bus that tells of its changes.
//!
//! The owner carries out one command after the other: it writes it down, syncs, answers, and then
//! publishes what has changed, once. It does not care whether anybody hears it. Whoever has missed
//! something asks, and gets it from the log: the log is the truth, and the bus is only fast.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr};
use wrack_sim::{FlowContext, NodeId, Reply, Request, Response, Wire};

use super::message::{Event, Message, Peer};
use crate::command::Table;
use crate::sessions::{Recall, Sessions};

/// At most so many events are sent at once to a projection that is behind.
const EVENTS_MAX: usize = 200;

/// What has a durable version here.
const LOG: SmolStr = SmolStr::new_static("log");

/// What the log keeps of a command.
#[derive(Serialize, Deserialize)]
struct Record {
    request: Arc<Request>,
    /// When it was written, on the owner's wall clock.
    wall_ns: u64,
}

struct Owner {
    cx: FlowContext<Message>,
    table: Table,
    sessions: Sessions,
    /// All changes, in order.
    events: Vec<Event>,
}

/// The owner, as a flow. It publishes to `bus`, if there is one.
pub async fn owner(cx: FlowContext<Message>, bus: Option<NodeId>) {
    let mut owner =
        Owner { cx, table: Table::default(), sessions: Sessions::default(), events: Vec::new() };
    owner.recover();
    loop {
        let (from, message) = owner.cx.recv().await;
        match message {
            Wire::Peer(Peer::Command(request)) => {
                if let Some(event) = owner.serve(&request).await
                    && let Some(bus) = bus
                {
                    owner.cx.send(bus, Wire::Peer(Peer::Publish(event)));
                }
            }
            Wire::Peer(Peer::Compare { applied }) => owner.compare(from, applied),
            _ => {}
        }
    }
}

impl Owner {
    /// Folds the log. A crash may have come between a sync and the facts about it, so the effects
    /// are noted again: the same place is the same effect.
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in &log.records {
            self.apply(record);
        }
        self.note_durable();
    }

    /// Carries out a command and answers its client; gives what has changed.
    async fn serve(&mut self, request: &Arc<Request>) -> Option<Event> {
        let known =
            request.idempotency.map_or(Recall::New, |identity| self.sessions.recall(identity));
        match known {
            Recall::New => {}
            Recall::Superseded => return None,
            Recall::Answered(reply) => {
                self.cx.sometimes("a retried command is recognised");
                self.respond(request, reply.clone());
                return None;
            }
        }
        let record = Record { request: Arc::clone(request), wall_ns: self.cx.wall() };
        self.cx.append(&record);
        self.cx.failpoint("owner.appended");
        // What is not durable was never done: the client asks again.
        self.cx.sync().await.ok()?;
        let (reply, event) = self.apply(&record);
        self.note_durable();
        self.cx.failpoint("owner.committed");
        self.respond(request, reply);
        self.cx.failpoint("owner.answered");
        event
    }

    /// Applies a command that is durable, and notes what took effect.
    fn apply(&mut self, Record { request, wall_ns }: &Record) -> (Reply, Option<Event>) {
        let Request { function, key, argument, tag, .. } = &**request;
        let applied = self.table.apply(function, key, argument);
        if let Some(identity) = request.idempotency {
            self.sessions.remember(identity, &applied.reply);
        }
        let Some(value) = applied.change else {
            return (applied.reply, None);
        };
        let sequence = self.events.len() as u64 + 1;
        self.cx.effect(*tag, key, &value, sequence);
        let event = Event { sequence, key: key.clone(), value, tag: *tag, wall_ns: *wall_ns };
        self.events.push(event.clone());
        (applied.reply, Some(event))
    }

    /// Tells a projection what it is missing.
    fn compare(&self, projection: NodeId, applied: u64) {
        let events = self.events.iter().skip(applied as usize).take(EVENTS_MAX);
        let (head, events) = (self.events.len() as u64, events.cloned().collect());
        self.cx.send(projection, Wire::Peer(Peer::Missing { head, events }));
    }

    fn respond(&self, request: &Request, reply: Reply) {
        let number = request.number;
        self.cx.send(request.client, Wire::Response(Response { number, reply }));
    }

    fn note_durable(&self) {
        let version = self.events.len() as u64;
        self.cx.note(Fact::Durable { resource: LOG, version });
    }
}

/// The bus, as a flow: it tells every projection, once, and keeps nothing.
pub async fn bus(cx: FlowContext<Message>, projections: Vec<NodeId>) {
    loop {
        let (_, message) = cx.recv().await;
        if let Wire::Peer(Peer::Publish(event)) = message {
            cx.failpoint("bus.received");
            for projection in &projections {
                cx.send(*projection, Wire::Peer(Peer::Event(event.clone())));
            }
        }
    }
}
