//! The broker: a log that delivers each event until it is acknowledged, at least once.
//!
//! What is published is durable before it is confirmed. An acknowledgement is written down without a
//! sync of its own: if a crash loses it, the event is delivered once more, which a consumer must be
//! ready for anyway.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_sim::{FlowContext, NodeId, Wire};

use super::message::{Event, Message, Peer};

/// What takes the broker out of service.
const OUTAGE: &str = "bus-outage";

/// One record of the log.
#[derive(Serialize, Deserialize)]
enum Record {
    /// These come next.
    Published(Vec<Event>),
    /// These were acknowledged.
    Acknowledged(Vec<u64>),
}

struct Broker {
    cx: FlowContext<Message>,
    consumer: NodeId,
    redelivery_ns: u64,
    /// Events that are not acknowledged, and when each is to be delivered again.
    waiting: BTreeMap<u64, (Event, u64)>,
    /// The place of the last event in the log, from 1.
    offset: u64,
}

/// The broker, as a flow.
pub async fn broker(cx: FlowContext<Message>, consumer: NodeId, redelivery_ns: u64) {
    let mut broker = Broker { cx, consumer, redelivery_ns, waiting: BTreeMap::new(), offset: 0 };
    broker.recover();
    let mut sweep_ns = broker.cx.now();
    loop {
        let now_ns = broker.cx.now();
        if now_ns >= sweep_ns {
            sweep_ns = now_ns + redelivery_ns / 2;
            broker.redeliver();
        }
        let batch = broker.cx.within(sweep_ns - now_ns, broker.cx.recv_all()).await;
        let batch = batch.unwrap_or_default();
        if let Some(settings) = broker.cx.control(OUTAGE) {
            broker.cx.touched(OUTAGE, batch.len() as u64);
            if let Some(retained) = settings.integer("retained") {
                broker.cut(retained as usize);
            }
        } else {
            broker.serve(batch).await;
        }
    }
}

impl Broker {
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in log.records {
            match record {
                Record::Published(events) => self.keep(events),
                Record::Acknowledged(offsets) => self.forget(&offsets),
            }
        }
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let mut published = Vec::new();
        for (from, message) in batch {
            match message {
                Wire::Peer(Peer::Publish { number, events }) => {
                    published.push((from, number, events));
                }
                Wire::Peer(Peer::Acknowledge { offsets }) => {
                    self.cx.failpoint("outbox.acknowledged_before_forget");
                    self.forget(&offsets);
                    self.cx.append(&Record::Acknowledged(offsets));
                }
                _ => {}
            }
        }
        if published.is_empty() {
            return;
        }
        for (.., events) in &published {
            self.cx.append(&Record::Published(events.clone()));
        }
        self.cx.failpoint("outbox.events_appended");
        if self.cx.sync().await.is_err() {
            // Nothing was published: the relay hears nothing, and somebody will try again.
            return;
        }
        self.cx.failpoint("outbox.kept_by_broker");
        for (from, number, events) in published {
            self.cx.send(from, Wire::Peer(Peer::Published { number }));
            self.cx.failpoint("outbox.confirmed_before_deliver");
            let first = self.offset + 1;
            self.keep(events);
            for offset in first..=self.offset {
                self.deliver(offset);
            }
        }
    }

    fn keep(&mut self, events: Vec<Event>) {
        for event in events {
            self.offset += 1;
            self.waiting.insert(self.offset, (event, 0));
        }
    }

    fn forget(&mut self, offsets: &[u64]) {
        for offset in offsets {
            self.waiting.remove(offset);
        }
    }

    /// Forgets the oldest of what waits, as if it had been acknowledged.
    fn cut(&mut self, retained: usize) {
        let excess = self.waiting.len().saturating_sub(retained);
        let oldest: Vec<u64> = self.waiting.keys().take(excess).copied().collect();
        if !oldest.is_empty() {
            self.cx.touched(OUTAGE, excess as u64);
            self.forget(&oldest);
            self.cx.append(&Record::Acknowledged(oldest));
        }
    }

    fn deliver(&mut self, offset: u64) {
        let due_ns = self.cx.now() + self.redelivery_ns;
        if let Some((event, again_ns)) = self.waiting.get_mut(&offset) {
            *again_ns = due_ns;
            let event = event.clone();
            self.cx.send(self.consumer, Wire::Peer(Peer::Deliver { offset, event }));
        }
    }

    /// Delivers again what nobody has acknowledged in time.
    fn redeliver(&mut self) {
        if self.cx.control(OUTAGE).is_some() {
            return;
        }
        let now_ns = self.cx.now();
        let due = self.waiting.iter().filter(|(_, (_, due_ns))| *due_ns <= now_ns);
        let due: Vec<u64> = due.map(|(offset, _)| *offset).collect();
        for offset in due {
            self.deliver(offset);
        }
    }
}
