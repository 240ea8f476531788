//! The coordinator and a shard driven by hand, and the whole on the engine.

use std::sync::Arc;

use wrack_history::Value;
use wrack_sim::{Idempotency, Reply, Tag};

use super::TwoPhaseCommit;
use super::message::{Part, Peer, Vote};
use crate::bench::{Bench, peers};

const SECOND: u64 = 1_000_000_000;

fn part(sequence: u64, change: i64) -> Arc<Part> {
    Arc::new(Part {
        tag: Tag::of(sequence),
        identity: Some(Idempotency { session: 1, sequence }),
        changes: vec![("k0/1".into(), change)],
        reads: Vec::new(),
    })
}

/// A shard that has just booted, and what it says to a message once its disk is done.
fn hear(bench: &mut Bench<TwoPhaseCommit>, peer: Peer) -> Vec<Peer> {
    let mut sent = bench.receive(0, peer);
    sent.extend(bench.synced());
    peers(sent).into_iter().map(|(_, peer)| peer).collect()
}

fn vote(sent: &[Peer]) -> Vote {
    match sent {
        [Peer::Vote(_, vote)] => vote.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_promise_outlives_a_crash_and_is_asked_about() {
    let mut shard = Bench::<TwoPhaseCommit>::new("reference", 2);
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(7, part(1, -5)))), Vote::Yes(Vec::new()));
    shard.restart();
    // Its account is still locked.
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(8, part(2, -5)))), Vote::Busy);
    shard.now_ns += SECOND;
    let asked = shard.call(|node, cx| wrack_sim::Node::on_timer(node, 0, cx));
    let asked = peers(asked);
    assert!(asked.iter().all(|(to, peer)| to.0 == 0 && matches!(peer, Peer::Inquire(7))));
    let sent = hear(&mut shard, Peer::Decision(7, true));
    assert!(matches!(sent[..], [Peer::Acknowledge(7)]), "{sent:?}");
    // A retry of the same request is done, and does nothing.
    let done = Vote::Done(Reply::Ok(Value::Nil));
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(9, part(1, -5)))), done);
    // 95 are left.
    let refused = hear(&mut shard, Peer::Prepare(10, part(3, -96)));
    assert_eq!(vote(&refused), Vote::Refused);
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(11, part(3, -96)))), Vote::Refused);
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(12, part(2, -1)))), Vote::Stale);
}

#[test]
fn a_promise_that_was_not_synced_is_gone() {
    let mut shard = Bench::<TwoPhaseCommit>::new("no_prepare_fsync", 2);
    let sent = peers(shard.receive(0, Peer::Prepare(7, part(1, -5))));
    assert!(matches!(sent[..], [(_, Peer::Vote(7, Vote::Yes(_)))]), "{sent:?}");
    shard.restart();
    let sent = hear(&mut shard, Peer::Decision(7, true));
    assert!(matches!(sent[..], [Peer::Acknowledge(7)]), "{sent:?}");
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(8, part(1, -5)))), Vote::Yes(Vec::new()));
}

#[test]
fn a_shard_whose_disk_fails_promises_nothing() {
    let mut shard = Bench::<TwoPhaseCommit>::new("reference", 2);
    assert!(shard.receive(0, Peer::Prepare(7, part(1, -5))).is_empty());
    shard.sync_fails();
    assert_eq!(vote(&hear(&mut shard, Peer::Prepare(8, part(2, -5)))), Vote::Yes(Vec::new()));
}

#[test]
fn what_a_coordinator_does_not_know_was_aborted_unless_it_forgets() {
    let answer = |variant: &str| {
        let mut coordinator = Bench::<TwoPhaseCommit>::new(variant, 0);
        coordinator.synced();
        peers(coordinator.receive(2, Peer::Inquire(1 << 50)))
    };
    assert!(matches!(answer("reference")[..], [(_, Peer::Decision(_, false))]));
    assert!(answer("volatile_coordinator").is_empty());
}
