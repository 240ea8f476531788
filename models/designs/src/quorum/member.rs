//! A node of the quorum: it holds cells for all, and coordinates what clients ask of it.
//!
//! ```text
//! read    ask a majority ─▶ the newest cell ───────────────▶ store it at a majority ─▶ answer
//! write   ask a majority ─▶ stamp it later than the newest ─▶ store it at a majority ─▶ answer
//! ```
//! A coordinator is the first to hold what it stamps, durably, so that it never stamps two writes alike,
//! whatever it forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wrack_history::{SmolStr, Value};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::message::{Cell, Message, Peer, Stamp};
use super::store::{Store, Waiter};
use crate::command::is_read;

/// The situation in which an answer is of no use any more.
const LATE: &str = "an answer comes for a phase that is over";

/// What a node is told at its boot.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The other nodes.
    pub others: Vec<NodeId>,
    /// How many nodes must have answered, this one included: a majority, or 1 in `r1w1`.
    pub quorum: usize,
    /// Whether a read stores what it found before it answers; not in `no_write_back`.
    pub writes_back: bool,
}

/// An operation that is under way.
struct Open {
    number: u64,
    request: Arc<Request>,
    /// Who has answered in this phase.
    answered: BTreeSet<NodeId>,
    /// The newest cell that was found; in the second phase, the one that is to be stored.
    cell: Cell,
    /// How many of those who answered the first phase hold it.
    holders: usize,
    is_storing: bool,
}

/// A node.
pub struct Member {
    rules: Rules,
    store: Store,
    /// By client: each has one operation open at a time, and what it gave up is forgotten.
    open: BTreeMap<NodeId, Open>,
    /// The client of each operation, by number.
    clients: BTreeMap<u64, NodeId>,
    /// The greatest time that this node has stamped under each key since it booted.
    stamped: BTreeMap<SmolStr, u64>,
    next: u64,
}

impl Member {
    /// A node that has not looked at its disk yet.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            store: Store::default(),
            open: BTreeMap::new(),
            clients: BTreeMap::new(),
            stamped: BTreeMap::new(),
            next: 0,
        }
    }

    fn tell_others(&self, peer: &Peer, cx: &mut Cx<'_, Self>) {
        for other in &self.rules.others {
            cx.send(*other, Wire::Peer(peer.clone()));
        }
    }

    fn begin(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        self.next = self.next.wrapping_add(1);
        let (number, client, key) = (self.next, request.client, request.key.clone());
        let (answered, cell) = (BTreeSet::from([cx.id()]), self.store.cell(&key));
        let open = Open { number, request, answered, cell, holders: 1, is_storing: false };
        if let Some(given_up) = self.open.insert(client, open) {
            self.clients.remove(&given_up.number);
        }
        self.clients.insert(number, client);
        self.tell_others(&Peer::Ask { number, key }, cx);
        self.advance(client, cx);
    }

    /// The operation of this number, if it is in this phase.
    fn find(&mut self, number: u64, is_storing: bool) -> Option<&mut Open> {
        let open = self.open.get_mut(self.clients.get(&number)?)?;
        (open.is_storing == is_storing).then_some(open)
    }

    fn held(&mut self, from: NodeId, (number, cell): (u64, Cell), cx: &mut Cx<'_, Self>) {
        let Some(open) = self.find(number, false) else {
            cx.sometimes(LATE);
            return;
        };
        let is_first = open.answered.insert(from);
        if cell.stamp > open.cell.stamp {
            (open.cell, open.holders) = (cell, 1);
        } else if cell.stamp == open.cell.stamp && is_first {
            open.holders += 1;
        }
        let client = open.request.client;
        self.advance(client, cx);
    }

    fn stored(&mut self, from: NodeId, number: u64, cx: &mut Cx<'_, Self>) {
        let Some(open) = self.find(number, true) else {
            cx.sometimes(LATE);
            return;
        };
        open.answered.insert(from);
        let client = open.request.client;
        self.advance(client, cx);
    }

    /// Goes on with an operation for which enough nodes have answered.
    fn advance(&mut self, client: NodeId, cx: &mut Cx<'_, Self>) {
        let open = &self.open[&client];
        if open.answered.len() < self.rules.quorum {
            return;
        }
        let is_read = is_read(&open.request.function);
        if open.is_storing || is_read && !self.rules.writes_back {
            self.finish(client, cx);
        } else {
            self.store(client, is_read, cx);
        }
    }

    /// The second phase: a read stores what it found, and a write what it writes.
    fn store(&mut self, client: NodeId, is_read: bool, cx: &mut Cx<'_, Self>) {
        let node = cx.id();
        let open = self.open.get_mut(&client).expect("the operation is open");
        (open.is_storing, open.answered) = (true, BTreeSet::new());
        if is_read && open.holders < self.rules.quorum {
            cx.sometimes("a read writes back what a minority holds");
        }
        if !is_read {
            let stamped = self.stamped.entry(open.request.key.clone()).or_default();
            *stamped = (*stamped).max(open.cell.stamp.time) + 1;
            open.cell = Cell {
                stamp: Stamp { time: *stamped, node },
                value: open.request.argument.clone(),
                tag: Some(open.request.tag),
            };
        }
        let (number, cell) = (open.number, (&open.request.key, &open.cell));
        if self.store.put(cell, Waiter::Own(number), cx) {
            self.hand_out(number, cx);
        }
    }

    /// The coordinator holds it: now the others.
    fn hand_out(&mut self, number: u64, cx: &mut Cx<'_, Self>) {
        let Some(open) = self.find(number, true) else { return };
        let (key, cell) = (open.request.key.clone(), open.cell.clone());
        cx.failpoint("coordinator.stored");
        self.tell_others(&Peer::Store { number, key, cell }, cx);
        self.stored(cx.id(), number, cx);
    }

    fn finish(&mut self, client: NodeId, cx: &mut Cx<'_, Self>) {
        let open = self.open.remove(&client).expect("the operation is open");
        self.clients.remove(&open.number);
        let value = match is_read(&open.request.function) {
            true => open.cell.value,
            false => Value::Nil,
        };
        let (number, reply) = (open.request.number, Reply::Ok(value));
        cx.send(client, Wire::Response(Response { number, reply }));
    }
}

impl Node for Member {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.store = Store::recover(cx);
        // Answers to a former boot are for numbers that this one does not use.
        self.next = cx.random().word();
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => self.begin(request, cx),
            Wire::Peer(Peer::Ask { number, key }) => {
                let cell = self.store.cell(&key);
                cx.send(from, Wire::Peer(Peer::Held { number, cell }));
            }
            Wire::Peer(Peer::Held { number, cell }) => self.held(from, (number, cell), cx),
            Wire::Peer(Peer::Store { number, key, cell }) => {
                if self.store.put((&key, &cell), Waiter::Other(from, number), cx) {
                    cx.send(from, Wire::Peer(Peer::Stored { number }));
                }
            }
            Wire::Peer(Peer::Stored { number }) => self.stored(from, number, cx),
            Wire::Response(_) => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        for waiter in self.store.on_synced(result, cx) {
            match waiter {
                Waiter::Own(number) => self.hand_out(number, cx),
                Waiter::Other(node, number) => {
                    cx.send(node, Wire::Peer(Peer::Stored { number }));
                }
            }
        }
    }
}
