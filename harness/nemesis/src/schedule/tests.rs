use wrack_history::fault::ResolvedFault;
use wrack_history::{Setting, Target};

use crate::testbed::{HEAL_MS, MS, Scheduled, Testbed, fault, run};

/// Starts in milliseconds.
fn starts(faults: &[ResolvedFault]) -> Vec<Option<u64>> {
    faults.iter().map(|fault| fault.injected_ns.map(|ns| ns / MS)).collect()
}

fn pause(node: &str) -> Scheduled {
    fault("pause").at(100).lasts(20).on(node)
}

fn leader() -> Target {
    Target::Role("leader".into())
}

#[test]
fn a_fault_comes_as_often_and_lasts_as_long_as_it_says() {
    let result = run(&[pause("n1").every(150, 3)]);
    assert_eq!(starts(&result.faults), [Some(100), Some(250), Some(400)]);
    assert_eq!(result.times_of("resumed"), [120, 270, 420]);
    let events = result.recording.history.nemesis.iter();
    let events = events.map(|event| (event.at.ns / MS, event.occurrence, event.injected));
    let expected = [(100, 0, true), (120, 0, false), (250, 1, true), (270, 1, false)];
    assert!(events.take(4).eq(expected));
}

#[test]
fn jitter_moves_each_start_by_a_draw_of_its_own() {
    let result = run(&[pause("n1").at(200).every(100, 6).jitter(30)]);
    let moved = starts(&result.faults).into_iter().enumerate();
    let moved = moved.map(|(k, ms)| ms.unwrap() as i64 - 200 - 100 * k as i64);
    let moved = moved.collect::<std::collections::BTreeSet<_>>();
    assert!(moved.len() > 4 && moved.iter().all(|ms| (-30..=30).contains(ms)), "{moved:?}");
    assert!(moved.iter().any(|ms| *ms < 0) && moved.iter().any(|ms| *ms > 0));
}

#[test]
fn everything_is_healed_at_the_heal_and_nothing_comes_after_it() {
    let result =
        run(&[pause("n1").id(0).at(900).lasts(500), pause("n2").id(1).at(990).every(100, 2)]);
    let healed = result.faults.iter().map(|fault| fault.healed_ns.map(|ns| ns / MS));
    assert!(healed.eq([Some(HEAL_MS), Some(HEAL_MS), None]));
    assert_eq!(result.faults[2].injected_ns, None);
    assert_eq!(result.faults[2].detail, "its time came after the heal");
}

#[test]
fn deleting_a_fault_leaves_the_draws_of_the_others_as_they_were() {
    let drawn = |id| {
        let crash = fault("crash").id(id).at(100 * u64::from(id)).lasts(40);
        crash.target(Target::Count(2)).every(50, 3).jitter(20)
    };
    let all = run(&[drawn(1), drawn(2), drawn(3)]).faults;
    let fewer = run(&[drawn(3), drawn(1)]).faults;
    let key = |fault: &ResolvedFault| {
        (fault.id, fault.occurrence, fault.injected_ns, fault.nodes.clone())
    };
    let kept = all.iter().filter(|fault| fault.id != 2).map(key);
    assert!(kept.eq(fewer.iter().map(key)));
    let nodes = all.iter().map(|fault| fault.nodes.clone());
    assert!(nodes.collect::<std::collections::BTreeSet<_>>().len() > 3);
}

#[test]
fn a_role_that_nobody_holds_is_waited_for() {
    let testbed = Testbed { claims: vec![(150, 2, "leader", 1)], ..Testbed::default() };
    let result = testbed.run(&[pause("n1").at(120).target(leader())]);
    assert_eq!(starts(&result.faults), [Some(150)]);
    assert_eq!(result.times_of("resumed"), [170]);
    assert_eq!(result.faults[0].nodes, ["n3"]);
}

#[test]
fn a_role_that_nobody_takes_in_time_makes_a_fault_that_never_happened() {
    let testbed = Testbed { claims: vec![(350, 2, "leader", 1)], ..Testbed::default() };
    let result = testbed.run(&[pause("n1").at(120).target(leader())]);
    assert_eq!(starts(&result.faults), [None]);
    assert_eq!(result.faults[0].detail, "nobody was leader within 100ms");
    assert_eq!(result.faults[0].effect, 0);
    assert!(result.recording.history.nemesis.is_empty());
}

#[test]
fn of_two_who_claim_a_role_the_highest_epoch_counts_and_a_crash_ends_the_claim() {
    let testbed = Testbed {
        claims: vec![(50, 0, "leader", 7), (60, 4, "leader", 9), (70, 3, "leader", 8)],
        ..Testbed::default()
    };
    let crash = fault("crash").at(100).target(leader()).every(100, 3);
    let result = testbed.run(&[crash.lasts(50)]);
    let nodes = result.faults.iter().map(|fault| fault.nodes[0].as_str());
    assert!(nodes.eq(["n5", "n4", "n1"]));
}

#[test]
fn a_random_follower_is_one_of_them() {
    let followers = (1..5).map(|node| (50, node, "follower", 1));
    let testbed =
        Testbed { claims: followers.chain([(50, 0, "leader", 1)]).collect(), ..Testbed::default() };
    let drawn = pause("n1").target(Target::Random("follower".into())).every(40, 20);
    let result = testbed.run(&[drawn]);
    let nodes = result.faults.iter().map(|fault| fault.nodes[0].clone());
    let nodes = nodes.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(nodes.into_iter().collect::<Vec<_>>(), ["n2", "n3", "n4", "n5"]);
}

#[test]
fn targets_stand_for_as_many_nodes_as_they_say() {
    let count = |target| run(&[pause("n1").target(target)]).faults[0].nodes.len();
    assert_eq!(count(Target::Count(3)), 3);
    assert_eq!(count(Target::Minority), 2);
    assert_eq!(count(Target::Majority), 3);
    assert_eq!(count(Target::All), 5);
    assert_eq!(count(Target::Clients), 2);
}

#[test]
fn the_nth_fact_sets_a_fault_off_at_the_node_that_noted_it() {
    let testbed = Testbed {
        claims: vec![(100, 0, "leader", 1), (200, 3, "leader", 2), (300, 1, "leader", 3)],
        ..Testbed::default()
    };
    let second = pause("n1").on_fact("role.leader", 2, None).target(Target::Source);
    let result = testbed.run(&[second]);
    assert_eq!(starts(&result.faults), [Some(200)]);
    assert_eq!(result.faults[0].nodes, ["n4"]);
}

#[test]
fn a_fact_counts_only_if_the_right_node_notes_it() {
    let testbed = Testbed {
        claims: vec![(100, 0, "leader", 1), (200, 3, "leader", 2)],
        ..Testbed::default()
    };
    let by = |by| {
        let pause = pause("n1").on_fact("beat", 3, Some(by)).target(Target::Source);
        let result = testbed.run(&[pause]);
        (result.faults[0].nodes[0].clone(), result.faults[0].injected_ns.unwrap() / MS)
    };
    let (node, ms) = by(Target::Node("n4".into()));
    assert!(node == "n4" && (20..=30).contains(&ms));
    let (node, ms) = by(leader());
    assert!(node == "n1" && (120..=130).contains(&ms), "{node} {ms}");
}

#[test]
fn what_is_noted_at_the_first_boot_counts_and_what_comes_too_seldom_is_told() {
    let booted = pause("n1").id(0).on_fact("booted", 3, None).target(Target::Source);
    let never = pause("n1").id(1).on_fact("crashed", 1, None);
    let result = run(&[booted, never]);
    assert_eq!(result.faults[0].nodes, ["n3"]);
    assert_eq!(starts(&result.faults), [Some(0), None]);
    assert_eq!(result.faults[1].detail, "crashed was not noted so often");
}

#[test]
fn a_fault_set_off_by_a_fact_repeats_from_there() {
    let mut repeated = pause("n2").on_fact("crashed", 1, None).every(100, 3);
    if let wrack_history::When::OnFact { delay_ns, .. } = &mut repeated.0.when {
        *delay_ns = 30 * MS;
    }
    let result = run(&[repeated.id(1), fault("crash").at(300).lasts(10).on("n1")]);
    assert_eq!(starts(&result.faults), [Some(300), Some(330), Some(430), Some(530)]);
}

#[test]
fn one_seed_draws_alike_and_another_differently() {
    let drawn = |seed| {
        let testbed = Testbed { seed, ..Testbed::default() };
        let halves = fault("partition").at(100).lasts(20).every(50, 10);
        let halves = halves.with("shape", Setting::Choice("halves".into())).jitter(10);
        let result = testbed.run(&[halves]);
        let details = result.faults.into_iter().map(|fault| (fault.injected_ns, fault.detail));
        (details.collect::<Vec<_>>(), result.recording.trace_hash)
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1).0, drawn(2).0);
}
