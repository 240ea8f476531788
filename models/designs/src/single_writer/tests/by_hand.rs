//! One owner driven by hand: messages in, messages out.

use std::sync::Arc;

use wrack_history::duration::SECOND;
use wrack_history::{SmolStr, Value};
use wrack_sim::chance::Purpose;
use wrack_sim::node::{Context, Effect, Effects, LazyStream};
use wrack_sim::{Cx, Disk, Idempotency, Node, NodeId, Reply, Request, Tag, Wire};

use super::rig::{LEASE, STORE};
use crate::single_writer::message::{Message, Peer};
use crate::single_writer::owner::{Owner, OwnerTimer, Rules};

const CLIENT: NodeId = NodeId(9);
const RULES: Rules =
    Rules { lease: LEASE, store: STORE, ttl_ns: 10 * SECOND, guard_ns: SECOND, ack_early: false };

/// An owner whose clock stands where the test puts it, and whose disk keeps what it is given.
struct Bench {
    owner: Owner,
    stream: LazyStream,
    disk: Disk,
    now_ns: u64,
}

impl Bench {
    /// An owner that has booted, and its first bid.
    fn new() -> (Self, u64) {
        let mut bench = Self {
            owner: Owner::new(RULES),
            stream: LazyStream::new(1, Purpose::Node, 0, 0),
            disk: Disk::default(),
            now_ns: 0,
        };
        let sent = bench.call(|owner, cx| owner.start(cx));
        let [(LEASE, Wire::Peer(Peer::Acquire { bid, .. }))] = sent[..] else {
            panic!("{sent:?}");
        };
        (bench, bid)
    }

    /// One that owns under epoch 1, by a bid of the time 0 that was granted at `now_ns`.
    fn owning(now_ns: u64) -> Self {
        let (mut bench, bid) = Self::new();
        bench.now_ns = now_ns;
        bench.hear(Peer::Granted { bid, sent_ns: 0, epoch: 1 });
        bench.hear(Peer::Loaded { epoch: 1, state: Arc::default() });
        bench
    }

    /// A callback, and what it sent.
    fn call(&mut self, act: impl FnOnce(&mut Owner, &mut Cx<'_, Owner>)) -> Vec<(NodeId, Message)> {
        let mut effects = Effects::default();
        let now = (self.now_ns, 0);
        let stream = &mut self.stream;
        act(&mut self.owner, &mut Context::new(NodeId(0), now, stream, &self.disk, &mut effects));
        let sent = effects.list.into_iter().filter_map(|effect| match effect {
            Effect::Send { to, message } => Some((to, effects.messages.take(message))),
            _ => None,
        });
        sent.collect()
    }

    fn hear(&mut self, peer: Peer) -> Vec<(NodeId, Message)> {
        self.call(|owner, cx| owner.on_message(STORE, Wire::Peer(peer), cx))
    }

    fn ask(&mut self, function: &'static str) -> Vec<(NodeId, Message)> {
        let request = Request {
            tag: Tag::of(0),
            client: CLIENT,
            number: 0,
            idempotency: Some(Idempotency { session: 0, sequence: 0 }),
            key: "k".into(),
            function: SmolStr::new_static(function),
            argument: Value::Integer(1),
        };
        self.call(|owner, cx| owner.on_message(CLIENT, Wire::Request(Arc::new(request)), cx))
    }
}

/// What clients were told.
fn replies(sent: Vec<(NodeId, Message)>) -> Vec<Reply> {
    let replies = sent.into_iter().filter_map(|(_, message)| match message {
        Wire::Response(response) => Some(response.reply),
        _ => None,
    });
    replies.collect()
}

/// The network may deliver the command once more when this node owns: it must not say no for good.
#[test]
fn a_standby_never_plainly_refuses_a_command() {
    let (mut bench, _) = Bench::new();
    assert!(matches!(replies(bench.ask("increment"))[..], [Reply::Unknown(_)]));
    assert_eq!(replies(bench.ask("read")), [Reply::Redirect(None)]);
    bench.hear(Peer::Refused { holder: NodeId(1) });
    assert_eq!(replies(bench.ask("increment")), [Reply::Redirect(Some(NodeId(1)))]);
}

#[test]
fn a_lease_counts_from_when_it_was_asked_for() {
    let mut bench = Bench::owning(4 * SECOND);
    bench.now_ns = 9 * SECOND - 1;
    assert_eq!(replies(bench.ask("increment")), []);
    bench.now_ns = 9 * SECOND;
    let told = replies(bench.call(|owner, cx| owner.on_timer(OwnerTimer::Expire, cx)));
    assert!(matches!(told[..], [Reply::Unknown(_)]));
}

#[test]
fn a_command_is_answered_once_the_store_has_it() {
    let mut bench = Bench::owning(0);
    assert_eq!(bench.ask("increment").len(), 0);
    let sent = bench.call(|owner, cx| owner.on_synced(1, Ok(()), cx));
    assert!(matches!(sent[..], [(STORE, Wire::Peer(Peer::Write { epoch: 1, first: 1, .. }))]));
    let told = replies(bench.hear(Peer::Accepted { epoch: 1, serial: 1 }));
    assert_eq!(told, [Reply::Ok(1.into())]);
}

#[test]
fn a_read_is_answered_once_the_store_confirms_that_its_owner_still_is_one() {
    let mut bench = Bench::owning(0);
    let sent = bench.ask("read");
    assert!(matches!(sent[..], [(STORE, Wire::Peer(Peer::Confirm { epoch: 1, round: 1 }))]));
    assert_eq!(replies(bench.hear(Peer::Accepted { epoch: 1, serial: 0 })), []);
    let told = replies(bench.hear(Peer::Confirmed { epoch: 1, round: 1 }));
    assert_eq!(told, [Reply::Ok(Value::Nil)]);
}

/// Whoever steps down starts anew, under another bid and so another epoch.
#[test]
fn every_ownership_has_a_bid_of_its_own() {
    let (mut bench, first) = Bench::new();
    bench.hear(Peer::Granted { bid: first, sent_ns: 0, epoch: 1 });
    bench.hear(Peer::Fenced { epoch: 1 });
    let sent = bench.call(|owner, cx| owner.on_timer(OwnerTimer::Bid, cx));
    let [(LEASE, Wire::Peer(Peer::Acquire { bid, .. }))] = sent[..] else {
        panic!("{sent:?}");
    };
    assert_ne!(bid, first);
    assert!(bench.hear(Peer::Granted { bid: first, sent_ns: 0, epoch: 1 }).is_empty());
}
