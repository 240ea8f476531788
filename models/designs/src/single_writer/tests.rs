//! Whole runs of the design: clients, a script of faults, and what must and must not come of it.

mod by_hand;
mod judge;
mod rig;

use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::setting::Delay;
use wrack_sim::network::LinkAction;
use wrack_sim::world::{DiskTrouble, FailpointAction, TailChance};
use wrack_sim::{Idempotency, NodeId};

use self::judge::Judge;
use self::rig::{LEASE, OWNERS, Rig, STORE, Script};
use super::SingleWriter;
use super::message::{Command, Peer};
use crate::bench::{Bench, peers, write};

const SEEDS: std::ops::Range<u64> = 0..20;

/// S01: fourteen services increment five hot keys.
fn conflicting_writers(variant: &'static str, seed: u64) -> Judge {
    let rig = Rig {
        function: "increment",
        clients: 14,
        keys: 5,
        think_ns: 100 * MILLISECOND,
        ..Rig::new(variant, seed)
    };
    let mut script = Script::default();
    script.cut(20 * SECOND, 5 * SECOND, &[NodeId(0), STORE], &[NodeId(1), LEASE]);
    Judge::new(rig.run(script))
}

/// S02: the disks take 50 ms to sync, and the owner crashes three times.
fn owner_crashes_before_fsync(variant: &'static str, seed: u64) -> Judge {
    let rig = Rig {
        clients: 30,
        keys: 5,
        think_ns: 150 * MILLISECOND,
        reads_per_million: 50_000,
        sync_latency: Delay::constant(50 * MILLISECOND),
        ..Rig::new(variant, seed)
    };
    let mut script = Script::default();
    for at in [10, 22, 34] {
        script.crash_owner(at * SECOND + seed * 7 * MILLISECOND, 2 * SECOND);
    }
    Judge::new(rig.run(script))
}

/// S03: the owner pauses for longer than its lease, between the check of the lease and its write.
fn lease_expires_in_a_pause(variant: &'static str, seed: u64) -> Judge {
    let rig = Rig {
        function: "increment",
        clients: 10,
        keys: 3,
        think_ns: 150 * MILLISECOND,
        ..Rig::new(variant, seed)
    };
    let pause = FailpointAction::Pause { pause_ns: 12 * SECOND, clock_stops: seed % 2 == 1 };
    let mut script = Script::default();
    script.trap(10 * SECOND, "owner.before_store", pause);
    // A fence that the store only remembers falls here.
    script.crash(21 * SECOND, 300 * MILLISECOND, STORE, TailChance::default());
    Judge::new(rig.run(script))
}

/// The owner is frozen, clocks and all, for longer than its lease; three clients reach no other.
fn owner_sleeps(seed: u64) -> Judge {
    let rig = Rig {
        function: "increment",
        clients: 10,
        think_ns: 100 * MILLISECOND,
        reads_per_million: 500_000,
        ..Rig::new("reference", seed)
    };
    let mut script = Script::default();
    script.cut_from_standby(9 * SECOND, 25 * SECOND, &[NodeId(4), NodeId(5), NodeId(6)]);
    script.pause_owner(10 * SECOND, 12 * SECOND, true);
    Judge::new(rig.run(script))
}

#[test]
fn the_reference_keeps_its_promises_in_every_story() {
    for seed in SEEDS {
        conflicting_writers("reference", seed).keeps_every_promise(2_000);
        owner_crashes_before_fsync("reference", seed).keeps_every_promise(2_000);
        lease_expires_in_a_pause("reference", seed).keeps_every_promise(1_000);
        owner_sleeps(seed).keeps_every_promise(1_000);
    }
}

#[test]
fn an_owner_that_slept_is_fenced_before_it_answers() {
    for seed in SEEDS {
        assert!(owner_sleeps(seed).reached("an owner is fenced inside its lease"), "seed {seed}");
    }
}

#[test]
fn a_late_write_is_fenced() {
    for seed in SEEDS {
        let run = lease_expires_in_a_pause("reference", seed);
        assert!(run.reached("a late write is fenced"), "seed {seed}");
        assert_eq!(run.owners(), 2, "seed {seed}");
    }
}

#[test]
fn a_command_that_a_crash_interrupted_is_finished_from_the_journal() {
    for seed in SEEDS {
        let down_ns = 500 * MILLISECOND;
        let mut script = Script::default();
        script.trap(10 * SECOND, "owner.before_store", FailpointAction::Crash { down_ns });
        let run = Judge::new(Rig::new("reference", seed).run(script));
        assert!(run.reached("a command is finished from the journal"), "seed {seed}");
        run.keeps_every_promise(1_000);
    }
}

#[test]
fn answering_before_the_fsync_loses_what_was_answered() {
    let lost = SEEDS.filter(|seed| {
        let run = owner_crashes_before_fsync("ack_early", *seed);
        run.effects_are_single();
        run.epochs_never_fall();
        let (missing, unrecovered) = (run.missing_elements(), run.unrecovered());
        missing > 0 && unrecovered > 0
    });
    assert!(lost.count() >= 19);
}

#[test]
fn blind_writers_overwrite_each_other() {
    for seed in SEEDS {
        let run = conflicting_writers("blind_writers", seed);
        run.effects_are_single();
        assert!(run.missing_increments() > 10, "seed {seed}");
    }
}

#[test]
fn without_a_fence_a_late_write_is_accepted() {
    for seed in SEEDS {
        let run = lease_expires_in_a_pause("no_fencing", seed);
        run.effects_are_single();
        assert!(run.epochs_fell(), "seed {seed}");
    }
}

/// What the store answers an owner of epoch 1 once another has loaded under epoch 2.
fn answers_a_former_owner(variant: &str) -> [bool; 3] {
    let mut store = Bench::<SingleWriter>::new(variant, STORE.0);
    store.receive(1, Peer::Load { epoch: 2 });
    store.synced();
    let request = write(1);
    let identity = request.idempotency.unwrap_or(Idempotency { session: 1, sequence: 1 });
    let command = Command { identity, request };
    let questions = [
        Peer::Write { epoch: 1, first: 1, commands: [command].into() },
        Peer::Confirm { epoch: 1, round: 1 },
        Peer::Load { epoch: 1 },
    ];
    questions.map(|question| {
        let mut sent = store.receive(0, question);
        sent.extend(store.synced());
        let answer = peers(sent).pop().expect("the store answers").1;
        !matches!(answer, Peer::Fenced { .. })
    })
}

#[test]
fn an_unchecked_token_lets_writes_pass_and_no_fence_everything() {
    assert_eq!(answers_a_former_owner("reference"), [false, false, false]);
    assert_eq!(answers_a_former_owner("unchecked_token"), [true, false, false]);
    assert_eq!(answers_a_former_owner("no_fencing"), [true, true, true]);
}

/// Crashes, pauses, traps, failing disks and a bad network, all at once, for forty seconds.
fn everything(function: &'static str, seed: u64) -> Judge {
    let rig = Rig {
        function,
        clients: 8,
        keys: 3,
        think_ns: 100 * MILLISECOND,
        reads_per_million: 400_000,
        ..Rig::new("reference", seed)
    };
    let mut script = Script::default();
    let mut chance = rig.chance();
    let mut soon = |at: u64| at * SECOND + chance.below(4 * SECOND);
    for (place, node) in [NodeId(0), STORE, NodeId(1), LEASE, NodeId(0)].into_iter().enumerate() {
        let tail = TailChance { lucky_per_million: 500_000, torn_per_million: 500_000 };
        script.crash(soon(3 + 7 * place as u64), 300 * MILLISECOND, node, tail);
    }
    for at in [5, 19, 31] {
        script.pause_owner(soon(at), 11 * SECOND, at == 19);
    }
    script.disk(soon(8), 3 * SECOND, STORE, DiskTrouble::Error, 300_000);
    script.disk(soon(11), 2 * SECOND, STORE, DiskTrouble::Full { spare_bytes: 200 }, 1_000_000);
    script.disk(soon(12), 2 * SECOND, LEASE, DiskTrouble::Error, 500_000);
    script.disk(soon(14), 3 * SECOND, NodeId(0), DiskTrouble::Error, 300_000);
    script.disk(soon(20), 3 * SECOND, NodeId(1), DiskTrouble::Error, 300_000);
    for (failpoint, at) in [
        ("owner.appended", 4),
        ("owner.synced", 9),
        ("owner.before_store", 13),
        ("store.checked", 17),
        ("store.written", 21),
        ("owner.accepted", 25),
        ("owner.acked", 28),
        ("lease.granted", 32),
    ] {
        let down_ns = 200 * MILLISECOND;
        script.trap(soon(at), failpoint, FailpointAction::Crash { down_ns });
    }
    script.everywhere(40 * SECOND, LinkAction::Lose { per_million: 20_000 });
    script.everywhere(
        40 * SECOND,
        LinkAction::Duplicate {
            per_million: 50_000,
            copies: 1,
            delay: Delay::uniform(0, 50 * MILLISECOND),
        },
    );
    script.everywhere(
        40 * SECOND,
        LinkAction::Reorder { per_million: 100_000, window_ns: 30 * MILLISECOND },
    );
    Judge::new(rig.run(script))
}

#[test]
fn the_reference_keeps_its_promises_when_everything_goes_wrong_at_once() {
    for seed in SEEDS {
        everything("add", seed).keeps_every_promise(500);
        everything("increment", seed).keeps_every_promise(500);
    }
}

#[test]
fn clients_ask_owners_alone() {
    let rig = Rig::new("reference", 0);
    assert_eq!(rig.entries(), OWNERS);
}
