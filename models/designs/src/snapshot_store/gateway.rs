//! A gateway: it carries a transaction out on a snapshot, and asks the store to let it last.
//!
//! ```text
//! Begin ──▶ Began(7) ──▶ Read at 7 ──▶ Found ──▶ carry out ──▶ Commit(7, reads, writes) ──▶ Done
//!   ▲                                                                  │
//!   └──────────────────────────── Conflict ────────────────────────────┘
//! ```
//! It holds no lock and keeps nothing: what it works on is in the messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{SmolStr, Value};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::message::{Attempt, Commit, Message, Peer};
use super::micros::{Micro, micros};

/// A gateway.
pub struct Gateway {
    /// Where everything is kept.
    pub store: NodeId,
    /// How many conflicts it takes before it hands the request back.
    pub conflicts_max: u32,
    /// The variant `cached_snapshot`: for how long it goes on reading the last snapshot that it got.
    pub cached_ns: Option<u64>,
    /// That snapshot, and when it got it.
    pub cached: Option<(u64, u64)>,
}

impl Node for Gateway {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, _: &mut Cx<'_, Self>) {}

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => {
                cx.failpoint("gateway.received");
                self.begin(Arc::new(Attempt { request, conflicts: 0 }), cx);
            }
            Wire::Peer(Peer::Began(attempt, snapshot)) => {
                self.cached = Some((snapshot, cx.now()));
                self.send(Peer::Read(attempt, snapshot), cx);
            }
            Wire::Peer(Peer::Found(attempt, snapshot, found)) => {
                self.carry_out(attempt, snapshot, found, cx);
            }
            Wire::Peer(Peer::Conflict(attempt)) => {
                let (request, conflicts) = (Arc::clone(&attempt.request), attempt.conflicts + 1);
                if conflicts > self.conflicts_max {
                    cx.sometimes("a transaction met too many conflicts");
                    // Not a plain refusal: the network may deliver the request once more.
                    let why = SmolStr::new_static("others were faster each time");
                    return respond(&request, Reply::Unknown(why), cx);
                }
                self.begin(Arc::new(Attempt { request, conflicts }), cx);
            }
            Wire::Peer(Peer::Done(request, reply)) => respond(&request, reply, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, _: Result<(), DiskError>, _: &mut Cx<'_, Self>) {}
}

impl Gateway {
    fn send(&self, peer: Peer, cx: &mut Cx<'_, Self>) {
        cx.send(self.store, Wire::Peer(peer));
    }

    fn begin(&self, attempt: Arc<Attempt>, cx: &mut Cx<'_, Self>) {
        let Some(micros) = micros(&attempt.request.argument) else {
            let why = SmolStr::new_static("a transaction is a list of reads, writes and appends");
            return respond(&attempt.request, Reply::Fail(why), cx);
        };
        let reads_only = micros.iter().all(|(_, micro)| *micro == Micro::Read);
        let fresh = self.cached.zip(self.cached_ns).filter(|((_, since_ns), cached_ns)| {
            reads_only && cx.now() < since_ns.saturating_add(*cached_ns)
        });
        match fresh {
            Some(((snapshot, _), _)) => self.send(Peer::Read(attempt, snapshot), cx),
            None => self.send(Peer::Begin(attempt), cx),
        }
    }

    fn carry_out(
        &self,
        attempt: Arc<Attempt>,
        snapshot: u64,
        found: Vec<(Value, Value)>,
        cx: &mut Cx<'_, Self>,
    ) {
        let before: BTreeMap<Value, Value> = found.into_iter().collect();
        let Some(micros) = micros(&attempt.request.argument) else { return };
        let (mut reads, mut writes) = (Vec::new(), BTreeMap::<Value, Value>::new());
        let mut answers = Vec::with_capacity(micros.len());
        for (object, micro) in micros {
            let now = writes.get(object).or(before.get(object)).cloned().unwrap_or_default();
            let (name, value) = match micro {
                Micro::Read => {
                    if !reads.contains(object) {
                        reads.push(object.clone());
                    }
                    ("r", now)
                }
                Micro::Write(value) => {
                    writes.insert(object.clone(), value.clone());
                    ("w", value.clone())
                }
                Micro::Append(value) => {
                    let list = now.as_list().unwrap_or_default().iter().chain([value]).cloned();
                    writes.insert(object.clone(), Value::list(list));
                    ("append", value.clone())
                }
            };
            answers.push(Value::list([name.into(), object.clone(), value]));
        }
        let answer = Value::list(answers);
        if writes.is_empty() {
            return respond(&attempt.request, Reply::Ok(answer), cx);
        }
        // What was read a moment ago may be old by now.
        cx.failpoint("gateway.before_commit");
        let writes = writes.into_iter().collect();
        self.send(Peer::Commit(Arc::new(Commit { attempt, snapshot, reads, writes, answer })), cx);
    }
}

fn respond(request: &Request, reply: Reply, cx: &mut Cx<'_, Gateway>) {
    let number = request.number;
    cx.send(request.client, Wire::Response(Response { number, reply }));
}
