//! The order service: orders, the keys by which retries are recognised, and the outbox, on one disk.
//!
//! ```text
//! gather ─▶ check ─▶ append { order, key, outbox row } ─▶ one sync for all ─▶ apply ─▶ answer
//! ```
//! An order and the row that announces it are *one* record: a crash keeps both or neither. That is
//! the whole pattern. Everything that comes while a sync is under way shares the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{FlowContext, NodeId, Reply, Request, Response, Wire};

use super::Rules;
use super::message::{Event, Message, Peer};
use super::table::Table;
use crate::command::{self, is_read};

/// The name of the queue in the facts `queued` and `taken`.
const QUEUE: SmolStr = SmolStr::new_static("outbox");
/// So many rows are given to a relay at once.
const CLAIM_ROWS_MAX: usize = 50;

/// One record of the log; the state is a fold over them.
#[derive(Serialize, Deserialize)]
enum Record {
    /// A transaction: an order with its key and, unless somebody else announces it, its row in the
    /// outbox.
    Placed { request: Arc<Request>, placed_ns: u64, outbox: bool },
    /// These rows are done with.
    Marked { rows: Vec<u64> },
}

/// An answer that waits for the disk.
enum Answer {
    Reply(Arc<Request>),
    Claimed { to: NodeId, number: u64 },
}

struct Orders {
    cx: FlowContext<Message>,
    rules: Rules,
    orders: command::Table,
    /// The last change of each session. A client has one operation open at a time, so whatever has
    /// a lower sequence is a late copy that nobody waits for.
    sessions: BTreeMap<u64, (u64, Reply)>,
    outbox: Table,
    /// How many orders there are: the row of the last one's event.
    row: u64,
}

/// The service, as a flow: one batch after the other.
pub async fn orders(cx: FlowContext<Message>, rules: Rules) {
    let mut service = Orders {
        cx,
        rules,
        orders: command::Table::default(),
        sessions: BTreeMap::new(),
        outbox: Table::new(rules.claims),
        row: 0,
    };
    service.recover();
    loop {
        let batch = service.cx.recv_all().await;
        service.serve(batch).await;
    }
}

impl Orders {
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in log.records {
            self.apply(record);
        }
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let (mut records, mut answers) = (Vec::new(), Vec::new());
        for (from, message) in batch {
            match message {
                Wire::Request(request) => {
                    records.extend(self.place(&request));
                    answers.push(Answer::Reply(request));
                }
                Wire::Peer(Peer::Mark { rows }) => records.push(Record::Marked { rows }),
                Wire::Peer(Peer::Claim { number }) => {
                    answers.push(Answer::Claimed { to: from, number });
                }
                _ => {}
            }
        }
        for record in &records {
            self.cx.append(record);
        }
        if !records.is_empty() {
            self.cx.failpoint("outbox.order_appended");
            if self.cx.sync().await.is_err() {
                // The disk has dropped what was appended: nothing of this batch ever came.
                return;
            }
        }
        for record in records {
            self.commit(record);
        }
        for answer in answers {
            self.answer(answer);
        }
    }

    /// The transaction that a request asks for, if it is new and no read.
    fn place(&mut self, request: &Arc<Request>) -> Option<Record> {
        if is_read(&request.function) || self.is_known(request) {
            return None;
        }
        self.cx.failpoint("outbox.received");
        let (request, placed_ns) = (Arc::clone(request), self.cx.wall());
        Some(Record::Placed { request, placed_ns, outbox: self.rules.outbox })
    }

    fn is_known(&self, request: &Request) -> bool {
        request.idempotency.is_some_and(|key| {
            let last = self.sessions.get(&key.session);
            last.is_some_and(|(sequence, _)| *sequence >= key.sequence)
        })
    }

    /// What is durable becomes visible.
    fn commit(&mut self, record: Record) {
        let Some(event) = self.apply(record) else {
            return;
        };
        self.cx.failpoint("outbox.committed_before_publish");
        if !self.rules.outbox {
            // Nobody will ever ask whether it arrived.
            let (number, events) = (event.row, vec![event]);
            self.cx.send(self.rules.broker, Wire::Peer(Peer::Publish { number, events }));
        }
    }

    /// Folds a record in; gives the event of an order that was not there before.
    fn apply(&mut self, record: Record) -> Option<Event> {
        match record {
            Record::Placed { request, .. } if self.is_known(&request) => None,
            Record::Placed { request, placed_ns, outbox } => {
                let (function, key) = (&request.function, &request.key);
                let applied = self.orders.apply(function, key, &request.argument);
                if let Some(key) = request.idempotency {
                    self.sessions.insert(key.session, (key.sequence, applied.reply));
                }
                self.row += 1;
                let event = event(self.row, &request, placed_ns);
                if outbox {
                    let operation = event.tag.operation();
                    self.cx.note(Fact::Queued { queue: QUEUE, operation });
                    self.outbox.insert(event.clone());
                }
                Some(event)
            }
            Record::Marked { rows } => {
                for event in rows.into_iter().filter_map(|row| self.outbox.mark(row)) {
                    let operation = event.tag.operation();
                    self.cx.note(Fact::Taken { queue: QUEUE, operation });
                }
                None
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Claimed { to, number } => {
                let events = self.outbox.claim(self.cx.now(), CLAIM_ROWS_MAX);
                self.cx.send(to, Wire::Peer(Peer::Claimed { number, events }));
            }
            Answer::Reply(request) => {
                if let Some(reply) = self.reply(&request) {
                    let number = request.number;
                    self.cx.send(request.client, Wire::Response(Response { number, reply }));
                }
            }
        }
    }

    /// What a client is told; nothing if it has moved on.
    fn reply(&self, request: &Request) -> Option<Reply> {
        if is_read(&request.function) {
            return Some(Reply::Ok(self.orders.read(&request.key)));
        }
        let Some(key) = request.idempotency else {
            return Some(Reply::Ok(Value::Nil));
        };
        let last = self.sessions.get(&key.session);
        last.filter(|(sequence, _)| *sequence == key.sequence).map(|(_, reply)| reply.clone())
    }
}

fn event(row: u64, request: &Request, placed_ns: u64) -> Event {
    let (key, order) = (request.key.clone(), request.argument.clone());
    Event { row, key, order, placed_ns, tag: request.tag }
}
