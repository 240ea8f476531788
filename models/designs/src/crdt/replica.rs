//! A replica: it answers its clients by itself, and tells the others.
//!
//! ```text
//! gather ─▶ integrate, append ─▶ one sync for all ─▶ answer ─▶ push to peers what they may lack
//! every now and then: send one peer a digest of all that is here; it ships what is missing
//! ```
//! - *Durable before visible.* Nothing that was accepted or received is answered, read or passed on before
//!   the disk has it. So a peer never holds more of a replica's updates than the replica itself, and a
//!   number is never given twice.
//! - *No gaps.* A shipment that leaves one is dropped whole; the next digest asks for what is missing.
//!
//! Source: Demers et al.: Epidemic Algorithms for Replicated Database Maintenance, 1987; van Renesse et
//! al.: Efficient Reconciliation and Flow Control for Anti-Entropy Protocols, 2008.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{Fact, Value};
use wrack_sim::{FlowContext, NodeId, Reply, Request, Response, Wire};

use super::message::{Peer, Shipment};
use super::store::{Rules, Store};
use super::types::VersionVector;

/// A message of the design.
pub type Message = Wire<Peer>;

/// What a replica knows of another.
#[derive(Default)]
struct Neighbour {
    /// What it certainly has.
    has: VersionVector,
    /// It has all of the log before this place.
    has_until: usize,
    /// All of the log before this place was sent to it since its last digest.
    sent_until: usize,
}

struct Replica {
    cx: FlowContext<Message>,
    rules: Rules,
    store: Store,
    /// What is on the disk for certain.
    durable: Vec<Arc<Shipment>>,
    neighbours: BTreeMap<NodeId, Neighbour>,
}

/// What a batch comes to once it is durable.
#[derive(Default)]
struct Outcome {
    appended: Vec<Arc<Shipment>>,
    facts: Vec<Fact>,
    answers: Vec<(Arc<Request>, Reply)>,
    digests: Vec<NodeId>,
    accepted: bool,
}

/// A replica, as a flow: one batch after the other, and a digest at every interval.
pub async fn replica(cx: FlowContext<Message>, rules: Rules, peers: Vec<NodeId>, every_ns: u64) {
    let store = Store::new(rules, cx.id().0);
    let neighbours = peers.iter().map(|peer| (*peer, Neighbour::default())).collect();
    let mut replica = Replica { cx, rules, store, durable: Vec::new(), neighbours };
    replica.recover();
    for peer in peers.iter().cycle() {
        let wait_ns = replica.cx.random(|stream| stream.between(every_ns / 2, every_ns * 3 / 2));
        let until = replica.cx.now() + wait_ns;
        while let Some(left_ns) = until.checked_sub(replica.cx.now()).filter(|left| *left > 0) {
            let batch = replica.cx.within(left_ns, replica.cx.recv_all());
            let Some(batch) = batch.await else { break };
            replica.serve(batch).await;
        }
        let digest = Arc::new(replica.store.vector().clone());
        replica.cx.send(*peer, Wire::Peer(Peer::Digest(digest)));
    }
}

impl Replica {
    /// Integrates what the disk holds, in the order in which it came.
    fn recover(&mut self) {
        let log = self.cx.recover::<Arc<Shipment>>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        self.durable = log.records;
        for fact in self.rebuild() {
            self.cx.note(fact);
        }
        let updates = self.store.log().iter();
        let operations = updates.map(|update| update.tag.operation()).collect();
        self.cx.note(Fact::Recovered { operations });
    }

    /// Makes the store anew from what is durable.
    fn rebuild(&mut self) -> Vec<Fact> {
        self.store = Store::new(self.rules, self.cx.id().0);
        let facts =
            self.durable.iter().flat_map(|shipment| self.store.integrate(shipment)).collect();
        let updates = self.store.log().len();
        for neighbour in self.neighbours.values_mut() {
            neighbour.has_until = neighbour.has_until.min(updates);
            neighbour.sent_until = neighbour.sent_until.min(updates);
        }
        facts
    }

    async fn serve(&mut self, batch: Vec<(NodeId, Message)>) {
        let mut outcome = Outcome::default();
        for (from, message) in batch {
            match message {
                Wire::Request(request) => self.ask(request, &mut outcome),
                Wire::Peer(Peer::Shipment(shipment)) => self.take(shipment, &mut outcome),
                Wire::Peer(Peer::Digest(digest)) => {
                    self.hear(from, &digest);
                    outcome.digests.push(from);
                }
                Wire::Response(_) => {}
            }
        }
        if !outcome.appended.is_empty() {
            self.cx.failpoint("replica.appended");
            if self.cx.sync().await.is_err() {
                // The disk has dropped what was appended: nothing of this batch ever came.
                self.rebuild();
                return;
            }
            self.durable.append(&mut outcome.appended);
        }
        self.publish(outcome);
    }

    /// A client asks. A late copy of a command whose client has moved on has no answer: it may have been
    /// accepted or not.
    fn ask(&mut self, request: Arc<Request>, outcome: &mut Outcome) {
        let place =
            request.idempotency.map_or(Ordering::Greater, |identity| self.store.place(identity));
        let reply = match (request.function.as_str(), place) {
            ("read", _) => Reply::Ok(self.store.read(&request.key)),
            (_, Ordering::Less) => return,
            (_, Ordering::Equal) => Reply::Ok(Value::Nil),
            (_, Ordering::Greater) => match self.store.accept(&request, self.cx.wall()) {
                Ok(shipment) => {
                    outcome.accepted = true;
                    self.integrate(Arc::new(shipment), outcome);
                    Reply::Ok(Value::Nil)
                }
                Err(why) => Reply::Fail(why),
            },
        };
        outcome.answers.push((request, reply));
    }

    /// A peer sends updates.
    fn take(&mut self, shipment: Arc<Shipment>, outcome: &mut Outcome) {
        if !self.store.fits(&shipment) {
            self.cx.sometimes("a shipment leaves a gap");
        } else if self.store.is_news(&shipment) {
            self.integrate(shipment, outcome);
        }
    }

    fn integrate(&mut self, shipment: Arc<Shipment>, outcome: &mut Outcome) {
        self.cx.append(&shipment);
        outcome.facts.append(&mut self.store.integrate(&shipment));
        outcome.appended.push(shipment);
    }

    /// A peer says what it has.
    fn hear(&mut self, from: NodeId, digest: &VersionVector) {
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        neighbour.has.merge(digest);
        let log = &self.store.log()[neighbour.has_until..];
        neighbour.has_until +=
            log.iter().take_while(|update| neighbour.has.contains(update.stamp.dot)).count();
        neighbour.sent_until = neighbour.has_until;
    }

    /// Everything is durable: it may be seen.
    fn publish(&mut self, outcome: Outcome) {
        for fact in outcome.facts {
            self.cx.note(fact);
        }
        self.cx.failpoint("replica.durable");
        for (request, reply) in outcome.answers {
            if let Reply::Ok(Value::Nil) = reply {
                self.cx.note(Fact::Acknowledged { operation: request.tag.operation() });
            }
            let number = request.number;
            self.cx.send(request.client, Wire::Response(Response { number, reply }));
        }
        self.cx.failpoint("replica.answered");
        let everybody: Vec<NodeId> = self.neighbours.keys().copied().collect();
        let to = if outcome.accepted { everybody } else { outcome.digests };
        for peer in to {
            self.push(peer);
        }
    }

    /// Sends a peer what it may lack and was not sent yet.
    fn push(&mut self, to: NodeId) {
        let Some(neighbour) = self.neighbours.get_mut(&to) else { return };
        let shipment = self.store.ship(neighbour.sent_until, &neighbour.has);
        neighbour.sent_until = self.store.log().len();
        if let Some(shipment) = shipment {
            self.cx.send(to, Wire::Peer(Peer::Shipment(Arc::new(shipment))));
        }
    }
}
