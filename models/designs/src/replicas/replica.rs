//! A replica: it follows the primary's writes in their order, and serves reads of what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::duration::MILLISECOND;
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{Cx, Node, NodeId, Request, Wire};

use super::message::{Message, Peer};
use crate::authority::Row;

/// So often a replica asks for what it has missed, in nanoseconds.
const PULL_NS: u64 = 200 * MILLISECOND;

wrack_sim::timers! {
    /// What a replica waits for.
    pub enum ReplicaTimer {
        /// It is time to ask what was missed.
        Pull,
    }
}

/// A replica. It keeps all in memory, and asks for everything again when it boots.
pub struct Replica {
    primary: NodeId,
    /// The variant `unordered_replication`: it applies what comes, whatever is missing before it.
    unordered: bool,
    rows: BTreeMap<SmolStr, Row>,
    /// The position of the last write that it has.
    position: u64,
}

impl Replica {
    /// An empty replica.
    pub fn new(primary: NodeId, unordered: bool) -> Self {
        Self { primary, unordered, rows: BTreeMap::new(), position: 0 }
    }

    fn follow(&mut self, after: u64, writes: &[Arc<Request>], cx: &mut Cx<'_, Self>) {
        if after > self.position {
            cx.sometimes("a write came before the one in front of it");
            if !self.unordered {
                return;
            }
        }
        for (position, write) in (after + 1..).zip(writes) {
            let row = self.rows.entry(write.key.clone()).or_default();
            if position > row.version {
                *row = Row { value: write.argument.clone(), version: position };
            }
        }
        let last = after + writes.len() as u64;
        if last > self.position {
            self.position = last;
            cx.note(Fact::Replicated { position: last });
        }
    }

    fn read(&self, key: &str) -> Value {
        self.rows.get(key).map_or(Value::Nil, |row| row.value.clone())
    }
}

impl Node for Replica {
    type Message = Message;
    type Timer = ReplicaTimer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.on_timer(ReplicaTimer::Pull, cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        let Wire::Peer(peer) = message else { return };
        match peer {
            Peer::Ask { request, boot, at_least } if self.position < at_least => {
                cx.sometimes("a replica is behind the session");
                cx.send(from, Wire::Peer(Peer::Behind { request, boot }));
            }
            Peer::Ask { request, boot, .. } => {
                let (value, position) = (self.read(&request.key), self.position);
                cx.send(from, Wire::Peer(Peer::Answer { request, boot, value, position }));
            }
            Peer::Replicate { after, writes } => self.follow(after, &writes, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: ReplicaTimer, cx: &mut Cx<'_, Self>) {
        match timer {
            ReplicaTimer::Pull => {
                cx.send(self.primary, Wire::Peer(Peer::Pull { after: self.position }));
                cx.arm(ReplicaTimer::Pull, PULL_NS);
            }
        }
    }
}
