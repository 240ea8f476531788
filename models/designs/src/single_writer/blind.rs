//! The variant `blind_writers`: everybody writes, and nobody owns.
//!
//! ```text
//! service 1   Get 5 ──────────── Put 6 ✓
//! service 2        Get 5 ──────────── Put 6 ✓      two increments, one of them gone
//! ```
//! Each service reads a value, computes the next one and writes it back, whatever the store holds by
//! then. It is what remains of a single-writer design once a second service "just updates that one
//! field". A retried write is still recognised, so that nothing is wrong here but the lost update.

use std::sync::Arc;

use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Request, Wire};

use super::message::{Message, Overwrite, Peer};
use super::respond;
use crate::command::{Cell, is_read};

/// A service that writes without owning. It keeps nothing: messages carry what it works on.
pub struct BlindWriter {
    /// Where everything is kept.
    pub store: NodeId,
}

impl Node for BlindWriter {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, _: &mut Cx<'_, Self>) {}

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => {
                cx.failpoint("owner.received");
                cx.send(self.store, Wire::Peer(Peer::Get(request)));
            }
            Wire::Peer(Peer::Got(request, cell)) => self.modify(request, cell, cx),
            Wire::Peer(Peer::Stored(request, reply)) => respond(&request, reply, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, _: Result<(), DiskError>, _: &mut Cx<'_, Self>) {}
}

impl BlindWriter {
    /// Computes the next value from one that may be old by now.
    fn modify(&self, request: Arc<Request>, mut cell: Cell, cx: &mut Cx<'_, Self>) {
        let applied = cell.apply(&request.function, &request.argument);
        if is_read(&request.function) {
            respond(&request, applied.reply, cx);
            return;
        }
        let write = Arc::new(Overwrite { request, cell, applied });
        cx.failpoint("owner.before_store");
        cx.send(self.store, Wire::Peer(Peer::Put(write)));
    }
}
