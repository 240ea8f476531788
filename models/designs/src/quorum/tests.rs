//! The rules, each driven by hand on one node.

use wrack_history::Value;
use wrack_sim::{NodeId, Tag};

use super::Quorum;
use super::message::{Cell, Peer, Stamp};
use crate::bench::{Bench, Sent, peers, read, told, write};

/// The node that is tested is the first one.
fn node(variant: &str) -> Bench<Quorum> {
    Bench::new(variant, 0)
}

fn cell(time: u64, node: u16) -> Cell {
    let stamp = Stamp { time, node: NodeId(node) };
    Cell { stamp, value: Value::Integer(time as i64), tag: Some(Tag::of(time)) }
}

/// The number under which a node asks the others.
fn asked(sent: Sent<Quorum>) -> u64 {
    match &peers(sent)[..] {
        [(NodeId(1), Peer::Ask { number, .. }), (NodeId(2), Peer::Ask { .. })] => *number,
        other => panic!("{other:?}"),
    }
}

/// The stamp that both others are to store.
fn storing(sent: Sent<Quorum>) -> Stamp {
    match &peers(sent)[..] {
        [(NodeId(1), Peer::Store { cell, .. }), (NodeId(2), Peer::Store { .. })] => cell.stamp,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_is_stamped_after_the_newest_of_a_majority_and_stored_at_one() {
    let mut node = node("reference");
    let number = asked(node.ask(&write(1)));
    assert!(node.receive(2, Peer::Held { number, cell: cell(7, 2) }).is_empty());
    // It is on the coordinator's own disk before anybody is told.
    assert_eq!(storing(node.synced()), Stamp { time: 8, node: NodeId(0) });
    assert_eq!(told(&node.receive(2, Peer::Stored { number })), [Value::Nil]);
    // The third answer comes to nothing.
    assert!(node.receive(1, Peer::Stored { number }).is_empty());
}

#[test]
fn the_answers_of_one_node_count_once() {
    let mut node = node("reference");
    let number = asked(node.ask(&write(1)));
    node.receive(2, Peer::Held { number, cell: Cell::default() });
    node.synced();
    let early = Peer::Held { number, cell: cell(9, 1) };
    assert!(node.receive(1, early).is_empty(), "the first phase is over");
    let mut alone = Bench::<Quorum>::new("reference", 0);
    let number = asked(alone.ask(&read(1)));
    assert!(alone.receive(0, Peer::Held { number, cell: cell(9, 1) }).is_empty());
}

#[test]
fn a_read_stores_what_it_found_before_it_answers() {
    let found = |variant| {
        let mut node = node(variant);
        let number = asked(node.ask(&read(1)));
        let sent = node.receive(1, Peer::Held { number, cell: cell(7, 1) });
        (node, number, told(&sent))
    };
    let (mut node, number, early) = found("reference");
    assert_eq!(early, []);
    assert_eq!(storing(node.synced()), Stamp { time: 7, node: NodeId(1) });
    assert_eq!(told(&node.receive(2, Peer::Stored { number })), [Value::Integer(7)]);
    assert_eq!(found("no_write_back").2, [Value::Integer(7)]);
}

#[test]
fn one_node_is_enough_for_itself_in_r1w1() {
    let mut node = node("r1w1");
    node.ask(&write(3));
    assert_eq!(told(&node.synced()), [Value::Nil]);
    assert_eq!(told(&node.ask(&read(4))), [Value::Integer(3)]);
}

#[test]
fn nothing_is_seen_before_it_is_durable_and_nothing_older_replaces_it() {
    let mut node = node("reference");
    let store = |cell| Peer::Store { number: 5, key: "k".into(), cell };
    let held = |node: &mut Bench<Quorum>| {
        let sent = peers(node.receive(1, Peer::Ask { number: 6, key: "k".into() }));
        match &sent[..] {
            [(NodeId(1), Peer::Held { cell, .. })] => cell.stamp.time,
            other => panic!("{other:?}"),
        }
    };
    assert!(node.receive(1, store(cell(3, 1))).is_empty());
    assert_eq!(held(&mut node), 0);
    node.sync_fails();
    assert_eq!(held(&mut node), 0);
    node.receive(1, store(cell(4, 1)));
    let sent = peers(node.synced());
    assert!(matches!(&sent[..], [(NodeId(1), Peer::Stored { number: 5 })]), "{sent:?}");
    // Something newer is durable: that is as good.
    let sent = peers(node.receive(2, store(cell(2, 2))));
    assert!(matches!(&sent[..], [(NodeId(2), Peer::Stored { number: 5 })]), "{sent:?}");
    node.restart();
    assert_eq!(held(&mut node), 4);
}

#[test]
fn a_coordinator_that_booted_never_stamps_as_it_did_before() {
    let mut node = node("reference");
    let number = asked(node.ask(&write(1)));
    node.receive(1, Peer::Held { number, cell: Cell::default() });
    let first = storing(node.synced());
    node.restart();
    let number = asked(node.ask(&write(2)));
    node.receive(1, Peer::Held { number, cell: Cell::default() });
    assert!(storing(node.synced()) > first);
}
