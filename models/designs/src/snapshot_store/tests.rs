//! The store and a gateway driven by hand.

use std::sync::Arc;

use wrack_history::{SmolStr, Value};
use wrack_sim::{Idempotency, Reply, Request, Tag, Wire};

use super::SnapshotStore;
use super::message::{Attempt, Commit, Peer};
use crate::bench::{Bench, CLIENT, peers, told};

const STORE: u16 = 3;

fn micro(name: &str, object: &str, value: impl Into<Value>) -> Value {
    Value::list([name.into(), object.into(), value.into()])
}

fn attempt(sequence: u64, micros: &[Value]) -> Arc<Attempt> {
    let request = Arc::new(Request {
        tag: Tag::of(sequence),
        client: CLIENT,
        number: sequence,
        idempotency: Some(Idempotency { session: sequence, sequence }),
        key: SmolStr::default(),
        function: "txn".into(),
        argument: Value::list(micros.to_vec()),
    });
    Arc::new(Attempt { request, conflicts: 0 })
}

fn commit(sequence: u64, snapshot: u64, reads: &[&str], writes: &[&str]) -> Peer {
    Peer::Commit(Arc::new(Commit {
        attempt: attempt(sequence, &[]),
        snapshot,
        reads: reads.iter().map(|object| (*object).into()).collect(),
        writes: writes.iter().map(|object| ((*object).into(), 1.into())).collect(),
        answer: Value::Nil,
    }))
}

/// Whether a store commits each of these, one after the other.
fn check(variant: &str, commits: &[Peer], expected: &[bool]) {
    let mut store = Bench::<SnapshotStore>::new(variant, STORE);
    let committed = commits.iter().map(|peer| {
        let mut sent = store.receive(0, peer.clone());
        sent.extend(store.synced());
        match &peers(sent)[..] {
            [(_, Peer::Done(..))] => true,
            [(_, Peer::Conflict(_))] => false,
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(committed.collect::<Vec<_>>(), expected, "{variant}");
}

#[test]
fn what_was_read_or_written_must_be_as_it_was_in_the_snapshot() {
    let skew = [commit(1, 0, &["x", "y"], &["x"]), commit(2, 0, &["x", "y"], &["y"])];
    check("reference", &skew, &[true, false]);
    check("write_skew", &skew, &[true, true]);
    let lost = [commit(1, 0, &["x"], &["x"]), commit(2, 0, &["x"], &["x"])];
    check("write_skew", &lost, &[true, false]);
    check("last_writer_wins", &lost, &[true, true]);
    let apart = [commit(1, 0, &["x"], &["x"]), commit(2, 0, &["y"], &["y"])];
    check("reference", &apart, &[true, true]);
    // The same request once more is done already.
    check("reference", &[lost[0].clone(), lost[0].clone()], &[true, true]);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut store = Bench::<SnapshotStore>::new("reference", STORE);
    for (sequence, snapshot) in [(1, 0), (2, 1)] {
        store.receive(0, commit(sequence, snapshot, &[], &["x"]));
        store.synced();
    }
    store.restart();
    let mut found = |snapshot| {
        let read = Peer::Read(attempt(9, &[micro("r", "x", Value::Nil)]), snapshot);
        match &peers(store.receive(0, read))[..] {
            [(_, Peer::Found(_, _, found))] => found.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([found(0), found(1), found(2)], [0, 1, 1]);
}

#[test]
fn a_transaction_sees_its_snapshot_and_itself() {
    let mut gateway = Bench::<SnapshotStore>::new("reference", 0);
    let micros = [
        micro("r", "x", Value::Nil),
        micro("append", "x", 5),
        micro("r", "x", Value::Nil),
        micro("w", "y", 6),
        micro("r", "y", Value::Nil),
    ];
    let found = vec![("x".into(), Value::list([4.into()]))];
    let sent = peers(gateway.receive(STORE, Peer::Found(attempt(1, &micros), 7, found)));
    let [(_, Peer::Commit(commit))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(
        commit.answer.to_string(),
        r#"[["r", "x", [4]], ["append", "x", 5], ["r", "x", [4, 5]], ["w", "y", 6], ["r", "y", 6]]"#
    );
    assert_eq!((commit.reads.len(), commit.writes.len(), commit.snapshot), (2, 2, 7));
}

#[test]
fn only_reads_are_answered_at_once_and_only_the_variant_reads_an_old_snapshot() {
    let begin = |variant: &str| {
        let mut gateway = Bench::<SnapshotStore>::new(variant, 0);
        let reads = attempt(1, &[micro("r", "x", Value::Nil)]);
        gateway.receive(STORE, Peer::Began(attempt(0, &[]), 7));
        let answered = gateway.receive(STORE, Peer::Found(Arc::clone(&reads), 7, Vec::new()));
        assert_eq!(told(&answered)[0].to_string(), r#"[["r", "x", nil]]"#);
        let sent = gateway.call(|node, cx| {
            wrack_sim::Node::on_message(
                node,
                CLIENT,
                Wire::Request(Arc::clone(&reads.request)),
                cx,
            );
        });
        peers(sent).pop().unwrap().1
    };
    assert!(matches!(begin("reference"), Peer::Begin(_)));
    assert!(matches!(begin("cached_snapshot"), Peer::Read(_, 7)));
    let mut gateway = Bench::<SnapshotStore>::new("reference", 0);
    let done = Peer::Done(Arc::clone(&attempt(1, &[]).request), Reply::Ok(3.into()));
    assert_eq!(told(&gateway.receive(STORE, done)), [Value::from(3)]);
}
