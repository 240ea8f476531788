//! The rules, each driven by hand on one node.

use std::sync::Arc;

use wrack_history::Value;
use wrack_sim::{NodeId, Request};

use super::message::Peer;
use super::{GATEWAY, PRIMARY, Replicas};
use crate::bench::{Bench, peers, read, told, write};

const REPLICA: u16 = 2;

fn gateway(variant: &str) -> Bench<Replicas> {
    Bench::new(variant, GATEWAY.0)
}

/// Whom the gateway asks for a read, what it must have, and the boot of the gateway.
fn route(gateway: &mut Bench<Replicas>) -> (NodeId, u64, u64) {
    match &peers(gateway.ask(&read(9)))[..] {
        [(to, Peer::Ask { at_least, boot, .. })] => (*to, *at_least, *boot),
        other => panic!("{other:?}"),
    }
}

fn answer(gateway: &mut Bench<Replicas>, request: Arc<Request>, boot: u64, position: u64) {
    let value = Value::Nil;
    gateway.receive(PRIMARY.0, Peer::Answer { request, boot, value, position });
}

#[test]
fn a_session_is_served_by_who_has_got_as_far_as_it_has_seen() {
    let after = |variant, request| {
        let mut gateway = gateway(variant);
        let (first, _, boot) = route(&mut gateway);
        answer(&mut gateway, request, boot, 7);
        let (to, at_least, _) = route(&mut gateway);
        (first == PRIMARY, to != PRIMARY, at_least)
    };
    assert_eq!(after("reference", write(1)), (true, true, 7));
    assert_eq!(after("reference", read(1)), (true, true, 7));
    assert_eq!(after("forgets_what_it_read", write(1)), (true, true, 7));
    assert_eq!(after("forgets_what_it_read", read(1)), (true, true, 0));
    assert_eq!(after("random_replica", write(1)), (false, true, 0));
    assert_eq!(after("sticky_only", write(1)), (false, true, 0));
}

#[test]
fn a_token_never_goes_back() {
    let mut gateway = gateway("reference");
    let (.., boot) = route(&mut gateway);
    answer(&mut gateway, read(1), boot, 7);
    answer(&mut gateway, read(1), boot, 5);
    assert_eq!(route(&mut gateway).1, 7);
}

#[test]
fn a_gateway_that_booted_sends_everybody_to_the_primary_and_ignores_old_answers() {
    let mut gateway = gateway("reference");
    let (.., boot) = route(&mut gateway);
    answer(&mut gateway, read(1), boot, 7);
    gateway.restart();
    answer(&mut gateway, read(1), boot.wrapping_add(1), 5);
    assert_eq!(route(&mut gateway).0, PRIMARY);
}

#[test]
fn who_is_behind_says_so_and_the_primary_is_asked() {
    let mut replica = Bench::<Replicas>::new("reference", REPLICA);
    let ask = Peer::Ask { request: read(1), boot: 0, at_least: 1 };
    let sent = peers(replica.receive(GATEWAY.0, ask));
    let [(GATEWAY, Peer::Behind { .. })] = &sent[..] else { panic!("{sent:?}") };
    let mut gateway = gateway("reference");
    let (.., boot) = route(&mut gateway);
    let sent = peers(gateway.receive(REPLICA, Peer::Behind { request: read(1), boot }));
    assert!(matches!(&sent[..], [(PRIMARY, Peer::Ask { .. })]), "{sent:?}");
}

/// What a replica answers, and as of which position, after it got these writes behind these positions.
fn replicated(variant: &str, messages: &[(u64, &[u64])]) -> (Value, u64) {
    let mut replica = Bench::<Replicas>::new(variant, REPLICA);
    for (after, numbers) in messages {
        let writes = numbers.iter().map(|number| write(*number)).collect();
        replica.receive(PRIMARY.0, Peer::Replicate { after: *after, writes });
    }
    let ask = Peer::Ask { request: read(1), boot: 0, at_least: 0 };
    match &peers(replica.receive(GATEWAY.0, ask))[..] {
        [(_, Peer::Answer { value, position, .. })] => (value.clone(), *position),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replica_applies_in_order_and_waits_where_something_is_missing() {
    let check = |variant, messages: &[(u64, &[u64])], value: Value, position| {
        assert_eq!(replicated(variant, messages), (value, position), "{variant} {messages:?}");
    };
    check("reference", &[(0, &[11]), (1, &[12, 13])], 13.into(), 3);
    check("reference", &[(1, &[12])], Value::Nil, 0);
    check("reference", &[(1, &[12]), (0, &[11, 12])], 12.into(), 2);
    // An old message again changes nothing.
    check("reference", &[(0, &[11, 12]), (0, &[11])], 12.into(), 2);
    check("unordered_replication", &[(1, &[12])], 12.into(), 2);
}

#[test]
fn the_primary_hands_on_what_is_durable_and_says_again_what_was_missed() {
    let mut primary = Bench::<Replicas>::new("reference", PRIMARY.0);
    let ask = |request| Peer::Ask { request, boot: 4, at_least: 0 };
    assert!(primary.receive(GATEWAY.0, ask(write(1))).is_empty());
    let sent = peers(primary.synced());
    let words: Vec<_> = sent
        .iter()
        .map(|(to, peer)| match peer {
            Peer::Replicate { after: 0, writes } => (to.0, "replicate", writes.len() as u64),
            Peer::Answer { boot: 4, position, .. } => (to.0, "answer", *position),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(words, [(2, "replicate", 1), (3, "replicate", 1), (0, "answer", 1)]);
    primary.restart();
    let sent = peers(primary.receive(REPLICA, Peer::Pull { after: 0 }));
    assert!(matches!(&sent[..], [(NodeId(2), Peer::Replicate { after: 0, .. })]), "{sent:?}");
    assert!(primary.receive(REPLICA, Peer::Pull { after: 1 }).is_empty());
    let again = peers(primary.receive(GATEWAY.0, ask(write(1))));
    assert!(matches!(&again[..], [(GATEWAY, Peer::Answer { position: 1, .. })]), "{again:?}");
}

#[test]
fn a_client_is_told_what_was_answered() {
    let mut gateway = gateway("reference");
    let (.., boot) = route(&mut gateway);
    let value = Value::Integer(3);
    let answer = Peer::Answer { request: read(9), boot, value, position: 1 };
    assert_eq!(told(&gateway.receive(PRIMARY.0, answer)), [Value::Integer(3)]);
}
