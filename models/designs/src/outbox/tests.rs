//! Whole runs of the design: crashes between every two steps, and what must and must not come of it;
//! and the broker by hand.

use wrack_history::duration::SECOND;
use wrack_history::{Setting, Settings};
use wrack_sim::{Control, NodeId, Tag};

use super::message::{Event, Peer};
use super::{BROKER, CONSUMER, FIRST_RELAY, INFO, Outbox};
use crate::bench::{Bench, peers};
use crate::rehearsal::{Outcome, Rehearsal};

const SEEDS: std::ops::Range<u64> = 0..5;

/// Three crashes at a failpoint, and one of a hundred messages lost.
fn crashes(variant: &'static str, failpoint: &'static str, seed: u64) -> Outcome {
    let crash_at = Some((failpoint, 3));
    let loss_per_million = 10_000;
    let rehearsal = Rehearsal { variant, function: "add", seed, crash_at, loss_per_million };
    rehearsal.run::<Outbox>()
}

#[test]
fn whatever_crashes_wherever_each_order_takes_effect_once() {
    let variants = ["reference", "unclaimed_with_dedupe"];
    for failpoint in INFO.failpoints.iter().map(|point| point.name) {
        for (variant, seed) in
            variants.into_iter().flat_map(|one| SEEDS.map(move |seed| (one, seed)))
        {
            let outcome = crashes(variant, failpoint, seed);
            let told = format!("{variant} with {failpoint}, seed {seed}");
            let expected = if failpoint == "outbox.marked_before_publish" { 0 } else { 3 };
            assert_eq!(outcome.crashes(), expected, "{told}");
            assert_eq!((outcome.doubled(), outcome.missing()), (0, 0), "{told}");
            assert!(outcome.ok() > 390, "{told}");
        }
    }
}

#[test]
fn what_a_relay_published_and_did_not_mark_comes_again_and_is_recognised() {
    for seed in SEEDS {
        let outcome = crashes("reference", "outbox.published_before_mark", seed);
        assert!(outcome.reached("an event is delivered again and recognised"), "seed {seed}");
    }
}

#[test]
fn each_variant_breaks_where_its_incident_says() {
    for seed in SEEDS {
        let missing = |variant, failpoint| crashes(variant, failpoint, seed).missing();
        let doubled = |variant, failpoint| crashes(variant, failpoint, seed).doubled();
        assert!(missing("dual_write", "outbox.committed_before_publish") > 0);
        assert!(missing("mark_before_publish", "outbox.marked_before_publish") > 0);
        assert!(missing("dead_relay", "outbox.claimed") > 0);
        assert!(doubled("claimed_without_dedupe", "outbox.published_before_mark") > 0);
        assert!(doubled("unclaimed_relays", "outbox.published_before_mark") > 0);
    }
}

#[test]
fn a_bus_with_too_little_room_keeps_the_newest_alone() {
    let event = |row| Event {
        row,
        key: "k".into(),
        order: (row as i64).into(),
        placed_ns: 0,
        tag: Tag::of(row),
    };
    let delivered = |sent| {
        let row = |(_, peer): (NodeId, Peer)| match peer {
            Peer::Deliver { event, .. } => Some(event.row),
            _ => None,
        };
        Vec::from_iter(peers(sent).into_iter().filter_map(row))
    };
    let mut broker = Bench::<Outbox>::new("reference", BROKER.0);
    let events = [1, 2, 3].map(event).to_vec();
    broker.receive(FIRST_RELAY.0, Peer::Publish { number: 1, events });
    assert_eq!(delivered(broker.synced()), [1, 2, 3]);
    let settings = Settings::default().with("retained", Setting::Integer(1));
    let mut outage = Control { name: "bus-outage", settings, is_over: false };
    broker.control(&outage);
    broker.receive(CONSUMER.0, Peer::Acknowledge { offsets: vec![3] });
    outage.is_over = true;
    broker.control(&outage);
    broker.now_ns += SECOND;
    let sent = broker.receive(CONSUMER.0, Peer::Acknowledge { offsets: Vec::new() });
    assert_eq!(delivered(sent), [3], "what is acknowledged in an outage is not heard either");
}
