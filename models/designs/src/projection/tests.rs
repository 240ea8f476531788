//! A projection driven by hand: events in, and what it holds.

use std::sync::Arc;

use wrack_history::{Fact, Value};
use wrack_sim::chance::Purpose;
use wrack_sim::disk::DiskError;
use wrack_sim::node::{Context, Effect, Effects, LazyStream};
use wrack_sim::{Cx, Disk, Node, NodeId, Request, Tag, Wire};

use super::message::{Event, Message, Peer};
use super::view::{Rules, View};

const OWNER: NodeId = NodeId(3);
const CLIENT: NodeId = NodeId(9);
const RULES: Rules = Rules { owner: OWNER, reconcile_ns: 500, resyncs: true, ignores_old: true };

/// A projection whose clock stands where the test puts it, and whose disk keeps what it is given.
struct Bench {
    view: View,
    stream: LazyStream,
    disk: Disk,
    now_ns: u64,
    facts: Vec<Fact>,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        let mut bench = Self {
            view: View::new(rules),
            stream: LazyStream::new(1, Purpose::Node, 0, 0),
            disk: Disk::default(),
            now_ns: 0,
            facts: Vec::new(),
        };
        let sent = bench.call(|view, cx| view.start(cx));
        assert!(matches!(sent[..], [(OWNER, Wire::Peer(Peer::Compare { applied: 0 }))]));
        bench.hear(Peer::Missing { head: 0, events: Arc::new([]) });
        bench
    }

    /// A callback, and what it sent.
    fn call(&mut self, act: impl FnOnce(&mut View, &mut Cx<'_, View>)) -> Vec<(NodeId, Message)> {
        let mut effects = Effects::default();
        let now = (self.now_ns, 0);
        let stream = &mut self.stream;
        act(&mut self.view, &mut Context::new(NodeId(0), now, stream, &self.disk, &mut effects));
        let mut sent = Vec::new();
        for effect in effects.list {
            match effect {
                Effect::Send { to, message } => sent.push((to, effects.messages.take(message))),
                Effect::Append(range) => {
                    self.disk.append(&effects.bytes[range.start as usize..range.end as usize]);
                }
                Effect::Truncate(records) => self.disk.truncate(records),
                _ => {}
            }
        }
        self.facts.extend(effects.facts.into_rest());
        sent
    }

    fn hear(&mut self, peer: Peer) -> Vec<(NodeId, Message)> {
        self.call(|view, cx| view.on_message(OWNER, Wire::Peer(peer), cx))
    }

    fn event(&mut self, sequence: u64) -> Vec<(NodeId, Message)> {
        self.hear(Peer::Event(event(sequence)))
    }

    /// The values that it came to hold, in order; every event is about the same key.
    fn derived(&self) -> Vec<(u64, Value)> {
        let derived = self.facts.iter().filter_map(|fact| match fact {
            Fact::Derived { offset, value, .. } => Some((*offset, value.clone())),
            _ => None,
        });
        derived.collect()
    }

    fn durable(&self) -> Vec<u64> {
        let durable = self.facts.iter().filter_map(|fact| match fact {
            Fact::Durable { version, .. } => Some(*version),
            _ => None,
        });
        durable.collect()
    }
}

/// The event of this number, which makes the key hold its number, from an owner whose clock is 7 ns ahead.
fn event(sequence: u64) -> Event {
    let value = Value::Integer(sequence as i64);
    Event { sequence, key: "k".into(), value, tag: Tag::of(sequence), wall_ns: 7 }
}

fn values(of: &[(u64, i64)]) -> Vec<(u64, Value)> {
    of.iter().map(|(offset, value)| (*offset, Value::Integer(*value))).collect()
}

#[test]
fn events_are_applied_in_order_and_once() {
    let mut bench = Bench::new(RULES);
    for sequence in [1, 2, 2, 1, 3] {
        assert!(bench.event(sequence).is_empty());
    }
    assert_eq!(bench.derived(), values(&[(1, 1), (2, 2), (3, 3)]));
}

#[test]
fn a_gap_is_asked_for_and_what_is_behind_it_waits() {
    let mut bench = Bench::new(RULES);
    bench.event(1);
    let sent = bench.event(4);
    assert!(matches!(sent[..], [(OWNER, Wire::Peer(Peer::Compare { applied: 1 }))]));
    assert!(bench.event(5).is_empty(), "it has asked already");
    assert_eq!(bench.derived(), values(&[(1, 1)]));
    bench.hear(Peer::Missing { head: 5, events: Arc::new([event(2), event(3)]) });
    assert_eq!(bench.derived(), values(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]));
}

#[test]
fn without_resync_a_gap_is_stepped_over() {
    let mut bench = Bench::new(Rules { resyncs: false, ..RULES });
    assert!(bench.event(1).is_empty() && bench.event(4).is_empty() && bench.event(3).is_empty());
    assert_eq!(bench.derived(), values(&[(1, 1), (4, 4)]));
}

#[test]
fn unordered_events_put_old_values_back() {
    let mut bench = Bench::new(Rules { ignores_old: false, ..RULES });
    for sequence in [1, 2, 1] {
        bench.event(sequence);
    }
    assert_eq!(bench.derived(), values(&[(1, 1), (2, 2), (2, 1)]));
}

#[test]
fn versions_are_noted_once_they_are_durable() {
    let mut bench = Bench::new(RULES);
    bench.event(1);
    bench.event(2);
    assert!(bench.durable().is_empty());
    bench.call(|view, cx| view.on_synced(1, Ok(()), cx));
    assert_eq!((bench.durable(), bench.disk.len()), (vec![1], 2));
    bench.call(|view, cx| view.on_synced(2, Err(DiskError::Io), cx));
    assert_eq!((bench.durable(), bench.disk.len()), (vec![1], 1));
    bench.event(3);
    assert_eq!(bench.disk.len(), 3);
    bench.call(|view, cx| view.on_synced(3, Ok(()), cx));
    assert_eq!(bench.durable(), [1, 2, 3]);
}

#[test]
fn after_a_restart_it_goes_on_from_its_disk() {
    let mut bench = Bench::new(RULES);
    bench.event(1);
    bench.call(|view, cx| view.on_synced(1, Ok(()), cx));
    bench.event(2);
    bench.view = View::new(RULES);
    bench.facts.clear();
    let sent = bench.call(|view, cx| view.start(cx));
    assert!(matches!(sent[..], [(OWNER, Wire::Peer(Peer::Compare { applied: 2 }))]));
    assert_eq!((bench.derived(), bench.durable()), (values(&[(1, 1), (2, 2)]), vec![2]));
}

#[test]
fn reads_are_answered_here_and_commands_go_to_the_owner() {
    let mut bench = Bench::new(RULES);
    let request = |function: &'static str| {
        Wire::Request(Arc::new(Request {
            tag: Tag::of(0),
            client: CLIENT,
            number: 0,
            idempotency: None,
            key: "k".into(),
            function: function.into(),
            argument: Value::Integer(1),
        }))
    };
    let sent = bench.call(|view, cx| view.on_message(CLIENT, request("read"), cx));
    assert!(matches!(sent[..], [(CLIENT, Wire::Response(_))]));
    let sent = bench.call(|view, cx| view.on_message(CLIENT, request("write"), cx));
    assert!(matches!(sent[..], [(OWNER, Wire::Peer(Peer::Command(_)))]));
}

#[test]
fn how_late_an_event_seems_is_told_once_for_each_that_is_applied() {
    let mut bench = Bench::new(RULES);
    for sequence in [2, 1, 2] {
        bench.event(sequence);
    }
    let processed = bench.facts.iter().filter_map(|fact| match fact {
        Fact::Processed { operation, lag_ns } => Some((*operation, *lag_ns)),
        _ => None,
    });
    assert_eq!(processed.collect::<Vec<_>>(), [(1, -7), (2, -7)]);
}
