//! A service: it reads, computes, and writes if nobody else has written meanwhile.
//!
//! ```text
//! Get ──▶ Got(5, version 7) ──▶ compute 6 ──▶ Put(6, if version 7) ──▶ Stored
//!                                  ▲                 │
//!                                  └── Conflict(8, version 9)
//! ```
//! It holds no lock while it computes, and keeps nothing: what it works on is in the messages. Of two
//! that started from one version the store takes one, and the other computes anew from what there is.

use std::sync::Arc;

use wrack_history::SmolStr;
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::message::{Message, Peer, Versioned, Write};
use crate::command::is_read;

/// How a service sees to it that it overwrites nothing that it has not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// The store compares and writes in one step.
    Compare,
    /// The variant `check_then_write`: it asks, and then writes.
    Check,
    /// The variant `blind_rmw`: it does not.
    Nothing,
}

/// A service.
pub struct Service {
    /// Where everything is kept.
    pub store: NodeId,
    /// How it writes.
    pub caution: Caution,
    /// How many conflicts it takes before it hands the request back.
    pub conflicts_max: u32,
}

impl Node for Service {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, _: &mut Cx<'_, Self>) {}

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => {
                cx.failpoint("service.received");
                cx.send(self.store, Wire::Peer(Peer::Get(request)));
            }
            Wire::Peer(Peer::Got(request, found)) => self.modify((request, 0), found, cx),
            Wire::Peer(Peer::Unchanged(write)) => self.put(write, cx),
            Wire::Peer(Peer::Conflict(write, found)) => {
                let request = Arc::clone(&write.request);
                self.modify((request, write.conflicts + 1), found, cx);
            }
            Wire::Peer(Peer::Stored(request, reply)) => respond(&request, reply, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, _: Result<(), DiskError>, _: &mut Cx<'_, Self>) {}
}

impl Service {
    /// Computes what the key shall hold, from what it held a moment ago.
    fn modify(
        &self,
        (request, conflicts): (Arc<Request>, u32),
        found: Versioned,
        cx: &mut Cx<'_, Self>,
    ) {
        let Versioned { version, mut cell } = found;
        let applied = cell.apply(&request.function, &request.argument);
        if is_read(&request.function) {
            return respond(&request, applied.reply, cx);
        }
        if conflicts > self.conflicts_max {
            cx.sometimes("a request met too many conflicts");
            // Not a plain refusal: the network may deliver the request once more.
            let why = SmolStr::new_static("others were faster each time");
            return respond(&request, Reply::Unknown(why), cx);
        }
        let conditional = self.caution == Caution::Compare;
        let write =
            Arc::new(Write { request, base: version, conditional, cell, applied, conflicts });
        match self.caution {
            Caution::Check => cx.send(self.store, Wire::Peer(Peer::Check(write))),
            Caution::Compare | Caution::Nothing => self.put(write, cx),
        }
    }

    fn put(&self, write: Arc<Write>, cx: &mut Cx<'_, Self>) {
        // What was read a moment ago may be old by now.
        cx.failpoint("service.before_put");
        cx.send(self.store, Wire::Peer(Peer::Put(write)));
    }
}

fn respond(request: &Request, reply: Reply, cx: &mut Cx<'_, Service>) {
    let number = request.number;
    cx.send(request.client, Wire::Response(Response { number, reply }));
}
