//! A projection: a copy of the base that is kept up by events, for reads alone.
//!
//! ```text
//!   applied = 7
//!   event 7, 6 …   old       already applied: ignored          without it: `unordered_apply`
//!   event 8        next      applied, and what was held with it
//!   event 10       a gap     held; "what am I missing after 7?"  without it: `no_resync`
//!   every second   nothing   "what am I missing after 7?"      nobody hears that the last was lost
//! ```
//! The last line is the reconciler. A gap shows itself by the event behind it, but the last event of
//! all has none, and a bus that is down tells nobody. So the projection compares itself with the owner
//! from time to time, and mends the difference by the rules above: what came meanwhile by the bus
//! stays.
//!
//! What was applied is on the projection's own disk, soon, so that it need not begin at 1 after a
//! restart. A read never waits for that: a projection is behind by nature.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::message::{Event, Message, Peer};
use crate::command::is_read;

/// At most so many events are held behind a gap; more of them come by the resync anyway.
const HELD_MAX: usize = 10_000;

/// What a projection is made with.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Who owns the base.
    pub owner: NodeId,
    /// How long from one comparison with the owner to the next, in nanoseconds.
    pub reconcile_ns: u64,
    /// Whether it asks for what a gap has swallowed; the variant `no_resync` does not.
    pub resyncs: bool,
    /// Whether it ignores what it has applied already; the variant `unordered_apply` does not.
    pub ignores_old: bool,
}

wrack_sim::timers! {
    /// What a projection waits for.
    pub enum ViewTimer {
        /// It is time to compare with the owner.
        Reconcile,
    }
}

/// A projection.
pub struct View {
    rules: Rules,
    values: BTreeMap<SmolStr, Value>,
    /// Everything up to here is applied.
    applied: u64,
    /// Events behind a gap.
    held: BTreeMap<u64, Event>,
    /// When the owner was last asked, unless it has answered.
    asked_ns: Option<u64>,
    /// Records on the disk that survive a crash.
    durable: usize,
    /// What was applied and is not known to be durable, in order.
    unsynced: Vec<Event>,
    syncing: bool,
}

impl Node for View {
    type Message = Message;
    type Timer = ViewTimer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.recover(cx);
        self.compare(cx);
        cx.arm(ViewTimer::Reconcile, self.rules.reconcile_ns);
    }

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) => self.on_request(request, cx),
            Wire::Peer(Peer::Event(event)) => {
                cx.failpoint("projection.received");
                self.receive(event, cx);
            }
            Wire::Peer(Peer::Missing { head, events }) => {
                self.asked_ns = None;
                for event in events.iter() {
                    self.receive(event.clone(), cx);
                }
                if self.applied < head && !events.is_empty() {
                    self.compare(cx);
                }
            }
            _ => {}
        }
        self.sync(cx);
    }

    fn on_timer(&mut self, _: ViewTimer, cx: &mut Cx<'_, Self>) {
        self.asked_ns = None;
        self.compare(cx);
        self.sync(cx);
        cx.arm(ViewTimer::Reconcile, self.rules.reconcile_ns);
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        self.syncing = false;
        if result.is_err() {
            // The disk has dropped what was not durable; the next comparison writes it down anew.
            cx.truncate(self.durable);
            return;
        }
        let synced = tag as usize - self.durable;
        self.durable = tag as usize;
        for Event { key: resource, sequence: version, .. } in self.unsynced.drain(..synced) {
            cx.note(Fact::Durable { resource, version });
        }
        self.sync(cx);
    }
}

impl View {
    /// A projection that boots.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            values: BTreeMap::new(),
            applied: 0,
            held: BTreeMap::new(),
            asked_ns: None,
            durable: 0,
            unsynced: Vec::new(),
            syncing: false,
        }
    }

    /// What the disk still holds, applied in the order in which it was applied before.
    fn recover(&mut self, cx: &mut Cx<'_, Self>) {
        let log = cx.disk().recover::<Event>();
        if log.torn {
            cx.truncate(log.records.len());
        }
        self.durable = log.records.len();
        let mut versions = BTreeMap::new();
        for event in log.records {
            versions.insert(event.key.clone(), event.sequence);
            self.apply(event, cx);
        }
        self.unsynced.clear();
        for (resource, version) in versions {
            cx.note(Fact::Durable { resource, version });
        }
    }

    fn on_request(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        if !is_read(&request.function) {
            cx.send(self.rules.owner, Wire::Peer(Peer::Command(request)));
            return;
        }
        let (number, value) = (request.number, self.values.get(&request.key).cloned());
        let reply = Reply::Ok(value.unwrap_or_default());
        cx.send(request.client, Wire::Response(Response { number, reply }));
    }

    /// An event has come, by the bus or from the owner.
    fn receive(&mut self, event: Event, cx: &mut Cx<'_, Self>) {
        if event.sequence <= self.applied && self.rules.ignores_old {
            cx.sometimes("an old event is ignored");
            return;
        }
        if event.sequence > self.applied + 1 && self.rules.resyncs {
            cx.sometimes("a gap is noticed");
            if self.held.len() < HELD_MAX {
                self.held.insert(event.sequence, event);
            }
            self.compare(cx);
            return;
        }
        self.process(event, cx);
        while let Some(next) = self.held.remove(&(self.applied + 1)) {
            self.process(next, cx);
        }
        // What came by another way while it was held.
        self.held = self.held.split_off(&(self.applied + 1));
    }

    /// Applies an event that has come, and notes how late it seems to be.
    fn process(&mut self, event: Event, cx: &mut Cx<'_, Self>) {
        let lag_ns = cx.wall().wrapping_sub(event.wall_ns) as i64;
        cx.note(Fact::Processed { operation: event.tag.operation(), lag_ns });
        self.apply(event, cx);
    }

    fn apply(&mut self, event: Event, cx: &mut Cx<'_, Self>) {
        self.applied = self.applied.max(event.sequence);
        self.values.insert(event.key.clone(), event.value.clone());
        let (offset, key, value) = (self.applied, event.key.clone(), event.value.clone());
        cx.note(Fact::Derived { offset, key, value });
        self.unsynced.push(event);
    }

    /// Asks the owner what is missing, unless it was asked a moment ago.
    fn compare(&mut self, cx: &mut Cx<'_, Self>) {
        let asked = self.asked_ns.is_some_and(|asked| cx.now() < asked + self.rules.reconcile_ns);
        if !asked {
            self.asked_ns = Some(cx.now());
            let applied = self.applied;
            cx.send(self.rules.owner, Wire::Peer(Peer::Compare { applied }));
        }
    }

    /// Writes down what was applied, unless a sync is under way; what comes meanwhile shares the
    /// next one.
    fn sync(&mut self, cx: &mut Cx<'_, Self>) {
        if self.syncing || self.unsynced.is_empty() {
            return;
        }
        self.syncing = true;
        for event in &self.unsynced {
            cx.append(event);
        }
        cx.failpoint("projection.appended");
        cx.sync((self.durable + self.unsynced.len()) as u64);
    }
}
