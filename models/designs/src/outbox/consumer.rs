//! The consumer: it does what an event asks for, once, however often the event comes.
//!
//! The event's row and the effect are *one* record. With the row in a record of its own, a crash
//! between the two would lose the effect or do it twice.
//!
//! Where order counts (`order = "rows"`), a row waits in memory, unacknowledged, until the row before it
//! is done: relays and redelivery may bring them in any order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wrack_history::Fact;
use wrack_sim::{FlowContext, NodeId, Wire};

use super::message::{Event, Message, Peer};

/// At most so many rows wait for one before them; more of them are delivered again anyway.
const HELD_MAX: usize = 10_000;

/// An event that was delivered: by whom, from which place in its log.
type Delivered = (NodeId, u64, Event);

/// What a variant of the consumer does.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether it looks if a row has been here; the variants without dedupe do not.
    pub dedupe: bool,
    /// Whether it does rows in their order.
    pub in_order: bool,
}

/// One record of the log: an effect, with the row that keeps it from being done again.
#[derive(Serialize, Deserialize)]
struct Record(Event);

struct Consumer {
    cx: FlowContext<Message>,
    rules: Rules,
    /// Every row that has been here. A real one forgets rows that can no longer come.
    seen: BTreeSet<u64>,
    /// How many effects there were: the place of the last one in the order of all.
    effects: u64,
    /// Rows that wait for one before them.
    held: BTreeMap<u64, Delivered>,
}

/// The consumer, as a flow: one batch after the other.
pub async fn consumer(cx: FlowContext<Message>, rules: Rules) {
    let (seen, held) = (BTreeSet::new(), BTreeMap::new());
    let mut consumer = Consumer { cx, rules, seen, effects: 0, held };
    consumer.recover();
    loop {
        let batch = consumer.cx.recv_all().await;
        consumer.serve(batch).await;
    }
}

impl Consumer {
    /// Folds the log. A crash may have come between a sync and the facts about it, so the effects
    /// are noted again: the same place is the same effect.
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for Record(event) in log.records {
            self.apply(&event);
        }
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let mut delivered = Vec::new();
        for (from, message) in batch {
            if let Wire::Peer(Peer::Deliver { offset, event }) = message {
                delivered.push((from, offset, event));
            }
        }
        if self.rules.in_order {
            delivered = self.in_turn(delivered);
        }
        let (mut records, mut redelivered) = (Vec::new(), false);
        for (.., event) in &delivered {
            if self.has_seen(event) {
                redelivered = true;
            } else {
                records.push(Record(event.clone()));
            }
        }
        if redelivered {
            self.cx.sometimes("an event is delivered again and recognised");
        }
        self.cx.failpoint("outbox.delivered");
        for record in &records {
            self.cx.append(record);
        }
        if !records.is_empty() {
            self.cx.failpoint("outbox.effects_appended");
            if self.cx.sync().await.is_err() {
                // Nothing was done, and nothing is acknowledged: it will be delivered again.
                return;
            }
        }
        for Record(event) in &records {
            if self.apply(event) {
                self.note_lag(event);
            }
        }
        self.cx.failpoint("outbox.consumed_before_acknowledge");
        if let Some((broker, ..)) = delivered.first() {
            let offsets = delivered.iter().map(|(_, offset, _)| *offset).collect();
            self.cx.send(*broker, Wire::Peer(Peer::Acknowledge { offsets }));
        }
    }

    /// Of these and of what waits: the rows whose turn it is, in order. The others wait.
    fn in_turn(&mut self, delivered: Vec<Delivered>) -> Vec<Delivered> {
        for (from, offset, event) in delivered {
            if self.held.len() < HELD_MAX {
                self.held.insert(event.row, (from, offset, event));
            }
        }
        let mut next = self.seen.last().map_or(1, |row| row + 1);
        let mut turn = Vec::new();
        while let Some(first) = self.held.first_entry().filter(|first| *first.key() <= next) {
            next = next.max(first.key() + 1);
            turn.push(first.remove());
        }
        turn
    }

    fn has_seen(&self, event: &Event) -> bool {
        self.rules.dedupe && self.seen.contains(&event.row)
    }

    /// Does what is durable, unless the same row stands before it in the log.
    fn apply(&mut self, event: &Event) -> bool {
        let is_new = !self.has_seen(event);
        if is_new {
            self.seen.insert(event.row);
            self.effects += 1;
            self.cx.effect(event.tag, &event.key, &event.order, self.effects);
        }
        is_new
    }

    /// What a dashboard would show: two clocks, and the difference between them.
    fn note_lag(&self, event: &Event) {
        let lag_ns = self.cx.wall().wrapping_sub(event.placed_ns) as i64;
        self.cx.note(Fact::Processed { operation: event.tag.operation(), lag_ns });
    }
}
