//! The payment service: it takes a charge from step to step, and knows at any time how far it is.
//!
//! ```text
//! started ──── capture ───▶ captured ──── post ───▶ posted
//! { key, charge }           { result, outbox row }  { row is done with }      one record each
//! ```
//! A charge is written down, with the key of its client, before anybody is asked for money. From then
//! on every step can be repeated, by a retry of the client or by the reconciler, because the gateway
//! and the ledger know the charge by its number.
//!
//! Source: Leach, "Implementing Stripe-like Idempotency Keys in Postgres", 2017 (recovery points).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{FlowContext, Idempotency, NodeId, Reply, Request, Response, Wire};

use super::message::{Charge, Message, Peer};
use super::{GATEWAY, LEDGER, Recognise, Rules};
use crate::command::is_read;

/// The name of the queue in the facts `queued` and `taken`: what the ledger has not confirmed.
const QUEUE: SmolStr = SmolStr::new_static("ledger");

/// One record of the log; the state is a fold over them.
#[derive(Serialize, Deserialize)]
enum Record {
    /// A charge, and when it came on the wall clock.
    Started { number: u64, request: Arc<Request>, at_ns: u64 },
    /// The gateway has the money; the ledger is to be told.
    Captured { number: u64 },
    /// The ledger has been told.
    Posted { number: u64 },
    /// The key of a charge, in a record of its own (variant `key_elsewhere`).
    Key { number: u64 },
}

/// How far a charge is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Started,
    Captured,
    Posted,
}

struct Payment {
    request: Arc<Request>,
    at_ns: u64,
    step: Step,
}

/// What a retry is recognised by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Client(Idempotency),
    Content(SmolStr, Value),
}

struct Service {
    cx: FlowContext<Message>,
    rules: Rules,
    /// Every charge by its number, from 1.
    payments: BTreeMap<u64, Payment>,
    keys: BTreeMap<Key, u64>,
    /// The last number that was given to a charge.
    number: u64,
    /// What every customer has paid.
    paid: BTreeMap<SmolStr, i64>,
    /// Who waits for the end of which charge.
    waiting: BTreeMap<u64, Vec<Arc<Request>>>,
}

/// The service, as a flow: one batch after the other, and the reconciler in between.
pub async fn service(cx: FlowContext<Message>, rules: Rules) {
    let mut service = Service {
        cx,
        rules,
        payments: BTreeMap::new(),
        keys: BTreeMap::new(),
        number: 0,
        paid: BTreeMap::new(),
        waiting: BTreeMap::new(),
    };
    service.recover();
    let mut next_ns = service.cx.now() + rules.reconcile_ns;
    loop {
        let now_ns = service.cx.now();
        if now_ns >= next_ns {
            next_ns = now_ns + rules.reconcile_ns;
            service.reconcile();
        }
        let batch = service.cx.within(next_ns - now_ns, service.cx.recv_all()).await;
        service.serve(batch.unwrap_or_default()).await;
    }
}

impl Service {
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in &log.records {
            self.apply(record);
        }
    }

    /// Repeats the next step of whatever is not finished.
    fn reconcile(&self) {
        if !self.rules.reconciler {
            return;
        }
        for (number, payment) in &self.payments {
            match payment.step {
                Step::Started => self.capture(*number),
                Step::Captured => self.post(*number),
                Step::Posted => continue,
            }
            self.cx.sometimes("a charge is found unfinished by the reconciler");
        }
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let (mut records, mut reads) = (Vec::new(), Vec::new());
        for (_, message) in batch {
            match message {
                Wire::Request(request) if is_read(&request.function) => reads.push(request),
                Wire::Request(request) => records.extend(self.ask(request)),
                Wire::Peer(Peer::Captured { number }) => {
                    records.extend(self.reached(number, Step::Captured));
                }
                Wire::Peer(Peer::Posted { number }) => {
                    records.extend(self.reached(number, Step::Posted));
                }
                // Nothing was done, and somebody will ask again.
                _ => {}
            }
        }
        if !self.write(&records).await {
            return;
        }
        if self.rules.key_elsewhere {
            self.cx.failpoint("payments.captured");
            if !self.write(&keys_of(&records)).await {
                return;
            }
        }
        for record in &records {
            self.go_on(record);
        }
        for request in reads {
            let paid = self.paid.get(&request.key).copied().unwrap_or(0);
            self.respond(&request, Reply::Ok(Value::Integer(paid)));
        }
    }

    /// A client wants to pay: gives what is to be written down, if that is new.
    fn ask(&mut self, request: Arc<Request>) -> Option<Record> {
        let Some(number) = self.known(&request) else {
            self.cx.failpoint("payments.received");
            self.number += 1;
            let (number, at_ns) = (self.number, self.cx.wall());
            return Some(Record::Started { number, request, at_ns });
        };
        if self.payments[&number].step > Step::Started {
            self.respond(&request, Reply::Ok(Value::Nil));
        } else {
            self.waiting.entry(number).or_default().push(request);
            self.capture(number);
        }
        None
    }

    /// A charge got further, unless it was there before: gives what is to be written down.
    fn reached(&self, number: u64, step: Step) -> Option<Record> {
        let payment = self.payments.get(&number)?;
        match step {
            _ if payment.step >= step => None,
            Step::Captured => Some(Record::Captured { number }),
            _ => Some(Record::Posted { number }),
        }
    }

    /// Makes records durable, and then folds them in. After an error nothing of them ever was.
    async fn write(&mut self, records: &[Record]) -> bool {
        for record in records {
            self.cx.append(record);
        }
        if !records.is_empty() {
            self.cx.failpoint("payments.appended");
            if self.cx.sync().await.is_err() {
                return false;
            }
        }
        for record in records {
            self.apply(record);
        }
        true
    }

    /// Folds a record in.
    fn apply(&mut self, record: &Record) {
        match record {
            // It came twice in one batch.
            Record::Started { request, .. } if self.known(request).is_some() => {}
            Record::Started { number, request, at_ns } => {
                let (request, at_ns, step) = (Arc::clone(request), *at_ns, Step::Started);
                self.payments.insert(*number, Payment { request, at_ns, step });
                self.number = self.number.max(*number);
                if !self.rules.key_elsewhere {
                    self.remember(*number);
                }
            }
            Record::Key { number } => self.remember(*number),
            Record::Captured { number } => {
                if self.take_step(*number, Step::Captured) {
                    let charge = self.charge(*number);
                    *self.paid.entry(charge.customer).or_default() += charge.amount;
                    let operation = charge.tag.operation();
                    self.cx.note(Fact::Queued { queue: QUEUE, operation });
                }
            }
            Record::Posted { number } => {
                if self.take_step(*number, Step::Posted) {
                    let operation = self.charge(*number).tag.operation();
                    self.cx.note(Fact::Taken { queue: QUEUE, operation });
                }
            }
        }
    }

    /// Whether the charge is at this step only now.
    fn take_step(&mut self, number: u64, step: Step) -> bool {
        let payment = self.payments.get_mut(&number).expect("a charge starts first");
        let further = payment.step < step;
        payment.step = payment.step.max(step);
        further
    }

    /// What follows once a record is durable.
    fn go_on(&mut self, record: &Record) {
        match record {
            Record::Started { number, request, .. } if self.payments.contains_key(number) => {
                self.waiting.entry(*number).or_default().push(Arc::clone(request));
                self.cx.failpoint("payments.started_before_capture");
                self.capture(*number);
            }
            Record::Captured { number } => {
                if !self.rules.key_elsewhere {
                    self.cx.failpoint("payments.captured");
                }
                for request in self.waiting.remove(number).unwrap_or_default() {
                    self.respond(&request, Reply::Ok(Value::Nil));
                }
                self.cx.failpoint("payments.answered_before_post");
                self.post(*number);
            }
            _ => {}
        }
    }

    /// The charge that this request asks for, if it has been here before.
    fn known(&self, request: &Request) -> Option<u64> {
        let number = *self.keys.get(&self.key(request)?)?;
        let age_ns = self.cx.wall().saturating_sub(self.payments[&number].at_ns);
        self.rules.key_ttl_ns.is_none_or(|ttl_ns| age_ns < ttl_ns).then_some(number)
    }

    fn key(&self, request: &Request) -> Option<Key> {
        match self.rules.recognise {
            Recognise::ByClientKey => request.idempotency.map(Key::Client),
            Recognise::ByContent => {
                Some(Key::Content(request.key.clone(), request.argument.clone()))
            }
            Recognise::Nothing => None,
        }
    }

    fn remember(&mut self, number: u64) {
        if let Some(key) = self.key(&self.payments[&number].request) {
            self.keys.insert(key, number);
        }
    }

    fn charge(&self, number: u64) -> Charge {
        let Request { key, argument, tag, .. } = &*self.payments[&number].request;
        let amount = argument.as_integer().unwrap_or(0);
        Charge { number, customer: key.clone(), amount, tag: *tag }
    }

    fn capture(&self, number: u64) {
        self.cx.send(GATEWAY, Wire::Peer(Peer::Capture(self.charge(number))));
    }

    fn post(&self, number: u64) {
        self.cx.send(LEDGER, Wire::Peer(Peer::Post(self.charge(number))));
    }

    fn respond(&self, request: &Request, reply: Reply) {
        let number = request.number;
        self.cx.send(request.client, Wire::Response(Response { number, reply }));
    }
}

/// The keys of what was captured, in records of their own.
fn keys_of(records: &[Record]) -> Vec<Record> {
    let captured = records.iter().filter_map(|record| match record {
        Record::Captured { number } => Some(Record::Key { number: *number }),
        _ => None,
    });
    captured.collect()
}
