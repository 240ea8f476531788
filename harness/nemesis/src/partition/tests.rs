use std::collections::BTreeSet;

use wrack_history::{Setting, Target};

use crate::testbed::{MS, Outcome, Scheduled, Testbed, fault, run};

const N: u16 = 5;

fn partition(shape: &str) -> Scheduled {
    let partition = fault("partition").at(200).lasts(400);
    partition.with("shape", Setting::Choice(shape.into()))
}

/// Pairs `(to, from)` of nodes and clients of which the one does not hear the other.
fn deaf(result: &Outcome, from_ms: u64, to_ms: u64) -> BTreeSet<(u16, u16)> {
    let members = 0..N + 2;
    let pairs = members.flat_map(|to| (0..N + 2).map(move |from| (to, from)));
    let talks = |(to, from): &(u16, u16)| to != from && (*to < N || *from < N);
    pairs.filter(talks).filter(|(to, from)| !result.hears(*to, *from, (from_ms, to_ms))).collect()
}

/// All pairs with one member on either side, both ways.
fn between(left: &[u16], right: &[u16]) -> BTreeSet<(u16, u16)> {
    let ways = |one: u16, other: u16| [(one, other), (other, one)];
    let pairs = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
    let talks = |(one, other): &(u16, u16)| *one < N || *other < N;
    pairs.filter(talks).flat_map(|(one, other)| ways(one, other)).collect()
}

/// Nobody is deaf before and after; meanwhile they are.
fn deaf_meanwhile(result: &Outcome) -> BTreeSet<(u16, u16)> {
    assert!(deaf(result, 20, 200).is_empty());
    assert!(deaf(result, 620, 900).is_empty());
    deaf(result, 206, 600)
}

#[test]
fn an_isolated_leader_keeps_one_client_on_its_side() {
    let testbed = Testbed {
        claims: vec![(100, 3, "leader", 1), (150, 1, "leader", 2)],
        ..Testbed::default()
    };
    let isolate = partition("isolate").target(Target::Role("leader".into()));
    let result = testbed.run(&[isolate.with("clients_with_target", Setting::Integer(1))]);
    // The second server leads; the second client, whose usual entry it is, stays with it.
    assert_eq!(deaf_meanwhile(&result), between(&[1, 6], &[0, 2, 3, 4, 5]));
    assert_eq!(result.faults[0].nodes, ["n2", "client-2"]);
    assert_eq!(result.faults[0].detail, "n2 and client-2 from the others");
    let lost = result.recording.messages - result.heard.len() as u64;
    assert!((lost - 20..=lost).contains(&result.faults[0].effect), "{lost}");
    assert_eq!(result.faults[0].unit, "messages dropped or held");
}

#[test]
fn halves_split_the_nodes_and_leave_clients_with_the_larger_one() {
    let result = run(&[partition("halves")]);
    let cut = deaf_meanwhile(&result);
    let small = result.faults[0].nodes.iter().map(|name| name[1..].parse::<u16>().unwrap() - 1);
    let small = small.collect::<Vec<_>>();
    let large = (0..N + 2).filter(|node| !small.contains(node)).collect::<Vec<_>>();
    assert_eq!(small.len(), 2);
    assert_eq!(cut, between(&small, &large));
}

#[test]
fn a_bridge_reaches_both_halves() {
    let result = run(&[partition("bridge").on("n3")]);
    let cut = deaf_meanwhile(&result);
    assert!(cut.iter().all(|(to, from)| *to != 2 && *from != 2));
    let nodes_cut = cut.iter().filter(|(to, from)| *to < N && *from < N);
    assert_eq!(nodes_cut.count(), 2 * 2 * 2);
    assert!(result.faults[0].detail.ends_with(", but for n3 between them"));
}

#[test]
fn in_a_ring_everybody_hears_a_majority_and_no_two_the_same() {
    let result = run(&[partition("majorities-ring")]);
    let cut = deaf_meanwhile(&result);
    let hears = |to| (0..N).filter(|from| !cut.contains(&(to, *from))).collect::<BTreeSet<_>>();
    let majorities = (0..N).map(hears).collect::<BTreeSet<_>>();
    assert_eq!(majorities.len(), 5);
    assert!(majorities.iter().all(|majority| majority.len() == 3));
    assert!(cut.iter().all(|(to, from)| *to < N && *from < N));
    assert!(result.faults[0].detail.starts_with("each hears a majority, in the ring n"));
}

#[test]
fn groups_may_overlap_and_leave_nodes_out() {
    let node = |name: &str| Target::Node(name.into());
    let groups = vec![
        vec![node("n1"), node("client-1")],
        vec![node("n2"), node("n3")],
        vec![node("n3"), node("n4")],
    ];
    let groups = fault("partition").at(200).lasts(400).with("groups", Setting::Groups(groups));
    let result = run(&[groups]);
    let mut expected = between(&[0, 5], &[1, 2, 3, 6]);
    expected.extend(between(&[1, 6], &[3]));
    assert_eq!(deaf_meanwhile(&result), expected);
}

#[test]
fn a_one_way_partition_lets_the_other_way_through() {
    let one_way = |direction: &str| {
        let isolate = partition("isolate").on("n1");
        let result = run(&[isolate.with("direction", Setting::Choice(direction.into()))]);
        (deaf_meanwhile(&result), result.faults[0].detail.clone())
    };
    let others = [1, 2, 3, 4, 5, 6];
    // Without requests there are no responses, so clients hear nothing of n1 either way.
    let (cut, detail) = one_way("in");
    assert_eq!(
        cut,
        others
            .iter()
            .flat_map(|from| {
                let response = (*from >= N).then_some((*from, 0));
                [(0, *from)].into_iter().chain(response)
            })
            .collect()
    );
    assert_eq!(detail, "n1 from hearing the others");
    let (cut, detail) = one_way("out");
    assert_eq!(cut, others.iter().map(|to| (*to, 0)).collect());
    assert_eq!(detail, "n1 from being heard by the others");
}

#[test]
fn a_flapping_partition_is_on_and_off_in_turns_and_off_in_the_end() {
    let flap = partition("isolate").on("n1").with("flap", Setting::Duration(100 * MS));
    let result = run(&[flap]);
    let cut = |from_ms, to_ms| !deaf(&result, from_ms, to_ms).is_empty();
    assert!(!cut(20, 200) && cut(206, 300) && !cut(312, 400) && cut(406, 500));
    assert!(!cut(512, 600) && !cut(612, 800) && !cut(812, 1_000));
    assert_eq!(result.faults[0].detail, "n1 from the others, on and off every 100ms");
}

#[test]
fn held_messages_all_arrive_in_order_after_the_release() {
    let held = partition("isolate").on("n1").with("mode", Setting::Choice("hold".into()));
    let result = run(&[held]);
    assert_eq!(deaf_meanwhile(&result), between(&[0], &[1, 2, 3, 4, 5, 6]));
    let sent = result.recording.messages - result.heard.len() as u64;
    assert!(sent < 40, "{sent} messages are lost");
    let link = result.heard.iter().filter(|heard| (heard.from.0, heard.to.0) == (1, 0));
    assert!(link.map(|heard| heard.number).is_sorted());
    assert_eq!(result.faults[0].detail, "n1 from the others, messages held");
}

#[test]
fn messages_under_way_are_cut_too() {
    let result = run(&[partition("isolate").on("n1")]);
    assert!(result.heard_by(0, 200, 600).is_empty());
    assert!(!result.heard_by(0, 600, 610).is_empty());
}

#[test]
fn all_nodes_can_be_cut_off_from_the_clients() {
    let result = run(&[partition("isolate").target(Target::All)]);
    assert_eq!(deaf_meanwhile(&result), between(&[0, 1, 2, 3, 4], &[5, 6]));
}
