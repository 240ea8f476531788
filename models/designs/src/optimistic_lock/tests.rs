//! A service driven by hand: messages in, messages out.

use std::sync::Arc;

use wrack_history::Value;
use wrack_sim::chance::Purpose;
use wrack_sim::node::{Context, Effect, Effects, LazyStream};
use wrack_sim::{Disk, Idempotency, Node, NodeId, Reply, Request, Tag, Wire};

use super::message::{Message, Peer, Versioned, Write};
use super::service::{Caution, Service};
use crate::command::Cell;

const STORE: NodeId = NodeId(3);
const CLIENT: NodeId = NodeId(9);

fn request(function: &'static str) -> Arc<Request> {
    Arc::new(Request {
        tag: Tag::of(0),
        client: CLIENT,
        number: 0,
        idempotency: Some(Idempotency { session: 0, sequence: 0 }),
        key: "k".into(),
        function: function.into(),
        argument: Value::Integer(1),
    })
}

fn found(version: u64, sum: i64) -> Versioned {
    Versioned { version, cell: Cell::Counter(sum) }
}

/// What a service sends when it hears this.
fn hear(caution: Caution, message: Message) -> Vec<(NodeId, Message)> {
    let mut effects = Effects::default();
    let mut stream = LazyStream::new(1, Purpose::Node, 0, 0);
    let mut service = Service { store: STORE, caution, conflicts_max: 2 };
    let disk = Disk::default();
    let mut cx = Context::new(NodeId(0), (0, 0), &mut stream, &disk, &mut effects);
    service.on_message(STORE, message, &mut cx);
    let sent = effects.list.into_iter().filter_map(|effect| match effect {
        Effect::Send { to, message } => Some((to, effects.messages.take(message))),
        _ => None,
    });
    sent.collect()
}

/// The one write that it sends to the store.
fn write(sent: Vec<(NodeId, Message)>) -> Arc<Write> {
    match &sent[..] {
        [(STORE, Wire::Peer(Peer::Put(write) | Peer::Check(write)))] => Arc::clone(write),
        _ => panic!("{sent:?}"),
    }
}

#[test]
fn a_write_says_which_version_it_was_computed_from() {
    let got = || Wire::Peer(Peer::Got(request("increment"), found(7, 5)));
    let put = write(hear(Caution::Compare, got()));
    assert_eq!((put.base, put.conditional, &put.cell), (7, true, &Cell::Counter(6)));
    assert!(!write(hear(Caution::Nothing, got())).conditional);
    let sent = hear(Caution::Check, got());
    assert!(matches!(sent[..], [(STORE, Wire::Peer(Peer::Check(_)))]));
}

#[test]
fn a_conflict_is_computed_anew_from_what_is_there() {
    let first =
        write(hear(Caution::Compare, Wire::Peer(Peer::Got(request("increment"), found(7, 5)))));
    let second = write(hear(Caution::Compare, Wire::Peer(Peer::Conflict(first, found(9, 8)))));
    assert_eq!((second.base, second.conflicts, &second.cell), (9, 1, &Cell::Counter(9)));
    let tired = Arc::new(Write { conflicts: 2, ..(*second).clone() });
    let sent = hear(Caution::Compare, Wire::Peer(Peer::Conflict(tired, found(10, 9))));
    let [(CLIENT, Wire::Response(response))] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(matches!(response.reply, Reply::Unknown(_)));
}

#[test]
fn a_read_is_answered_at_once() {
    let sent = hear(Caution::Compare, Wire::Peer(Peer::Got(request("read"), found(7, 5))));
    let [(CLIENT, Wire::Response(response))] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(response.reply, Reply::Ok(5.into()));
}
