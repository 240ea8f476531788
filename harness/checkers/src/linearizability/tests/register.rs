//! Registers: parts prove as much as the whole, counterexamples are minimal, and verdicts change
//! only as theory says.

use proptest::prelude::*;
use wrack_history::{Moment, Operation, Outcome, Value, Verdict};
use wrack_sequential::Specification;
use wrack_workloads::generated::{Kind, Shape, generate};

use super::{EveryOrder, Raw, decide, operations, with_model};
use crate::linearizability::call::Answer;
use crate::linearizability::shrink;

const CAS: &str = "cas-register";

fn is_legal(operations: &[Operation]) -> bool {
    with_model(CAS, EveryOrder(Specification::of(CAS), operations)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn a_window_without_a_legal_order_shows_that_the_whole_has_none(
        raws in prop::collection::vec(any::<Raw>(), 2..8),
        unique in any::<bool>(),
        sane in any::<bool>(),
    ) {
        let operations = operations(if unique { "unique" } else { CAS }, &raws, sane);
        let all: Vec<&Operation> = operations.iter().collect();
        let refuted = crate::linearizability::register::refuting_windows(&all);
        prop_assert!(refuted == 0 || !is_legal(&operations), "{refuted} of {operations:#?}");
    }

    #[test]
    fn a_counterexample_is_minimal(
        raws in prop::collection::vec(any::<Raw>(), 2..9),
        unique in any::<bool>(),
    ) {
        let operations = operations(if unique { "unique" } else { CAS }, &raws, false);
        let all: Vec<&Operation> = operations.iter().collect();
        let (answer, _) = decide(Specification::of(CAS), &all, 1_000_000).unwrap();
        let Answer::Contradiction(core) = answer else { return Ok(()) };
        let small = shrink::shrink(Specification::of(CAS), &all, &core).operations;
        prop_assert!(!is_legal(&small), "{small:#?}");
        for (dropped, part) in shrink::without_each(&all, &small) {
            prop_assert!(is_legal(&part), "{small:#?} without {dropped}");
        }
    }

    #[test]
    fn whatever_part_is_taken_of_a_legal_history_is_legal(
        raws in prop::collection::vec(any::<Raw>(), 2..8),
        kept in any::<u8>(),
    ) {
        let operations = operations(CAS, &raws, true);
        prop_assume!(is_legal(&operations));
        let all: Vec<&Operation> = operations.iter().collect();
        let part = shrink::part_of(&all, |place| kept & (1 << place) != 0);
        prop_assert!(is_legal(&part), "{part:#?} of {operations:#?}");
    }
}

/// Histories of a few hundred operations whose truth is known.
fn known() -> impl Strategy<Value = (Vec<Operation>, bool)> {
    let shape = (any::<bool>(), 1..4u32, 2..12u32, 0..6u32, 0..5u32, any::<bool>(), 0..1u64 << 40);
    shape.prop_map(|(cas, keys, clients, values, doubtful, mutated, seed)| {
        let kind = if cas { Kind::CasRegister } else { Kind::Register };
        let operations = 200;
        let shape = Shape { kind, keys, clients, operations, values, doubtful, mutated, seed };
        let made = generate(&shape).unwrap();
        (made.history.operations, made.truth.linearizable)
    })
}

fn verdict(operations: &[Operation]) -> Verdict {
    crate::check(operations.to_vec(), CAS).verdict
}

fn expected(linearizable: bool) -> Verdict {
    if linearizable { Verdict::Valid } else { Verdict::Invalid }
}

/// Gives every value another name.
fn renamed(value: &Value) -> Value {
    match value {
        Value::Integer(integer) => Value::from(format!("v{}", integer * 7).as_str()),
        Value::List(values) => Value::list(values.iter().map(renamed)),
        other => other.clone(),
    }
}

/// Exchanges the events at each place and the next, where one is a completion and the other an
/// invocation, if `wanted` says so of what stands first.
fn exchange(operations: &mut [Operation], places: &[u16], wanted: impl Fn(bool) -> bool) {
    let mut events: Vec<(usize, bool)> = vec![(usize::MAX, false); 2 * operations.len()];
    for (place, operation) in operations.iter().enumerate() {
        events[operation.invoke.index as usize] = (place, true);
        if operation.complete != Moment::NEVER {
            events[operation.complete.index as usize] = (place, false);
        }
    }
    for place in places {
        let first = usize::from(*place) % (events.len() - 1);
        let ((a, a_invokes), (b, b_invokes)) = (events[first], events[first + 1]);
        let both = a != usize::MAX && b != usize::MAX && a != b;
        if both && a_invokes != b_invokes && wanted(a_invokes) {
            events.swap(first, first + 1);
        }
    }
    for (index, (place, invokes)) in events.into_iter().enumerate() {
        if let Some(operation) = operations.get_mut(place) {
            let moment = if invokes { &mut operation.invoke } else { &mut operation.complete };
            moment.index = index as u64;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn a_generated_history_is_judged_as_it_was_made((operations, linearizable) in known()) {
        prop_assert_eq!(verdict(&operations), expected(linearizable));
    }

    #[test]
    fn the_names_of_values_and_processes_do_not_matter(
        (mut operations, linearizable) in known(),
        turn in 1..1_000u32,
    ) {
        for operation in &mut operations {
            operation.argument = renamed(&operation.argument);
            operation.result = renamed(&operation.result);
            operation.process = operation.process.wrapping_mul(2 * turn + 1);
        }
        prop_assert_eq!(verdict(&operations), expected(linearizable));
    }

    #[test]
    fn a_read_that_contains_an_equal_one_adds_nothing(
        (mut operations, linearizable) in known(),
        choice in any::<prop::sample::Index>(),
    ) {
        for operation in &mut operations {
            operation.invoke.index = 3 * operation.invoke.index + 1;
            operation.complete.index = operation.complete.index.saturating_mul(3).saturating_add(1);
        }
        let is_read = |one: &&Operation| one.is_ok() && one.function == "read";
        let reads: Vec<Operation> = operations.iter().filter(is_read).cloned().collect();
        let mut copy = reads[choice.index(reads.len())].clone();
        (copy.id, copy.process) = (1_000_000, 1_000_000);
        copy.invoke.index -= 1;
        copy.complete.index += 1;
        operations.push(copy);
        prop_assert_eq!(verdict(&operations), expected(linearizable));
    }

    #[test]
    fn longer_intervals_keep_a_history_valid_and_shorter_ones_keep_it_invalid(
        (mut operations, linearizable) in known(),
        places in prop::collection::vec(any::<u16>(), 1..200),
    ) {
        // A completion that stands before an invocation comes after it, or the other way round.
        exchange(&mut operations, &places, |invokes| invokes != linearizable);
        prop_assert_eq!(verdict(&operations), expected(linearizable));
    }

    #[test]
    fn what_says_less_stays_valid(
        (mut operations, linearizable) in known(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        end in 0..400u64,
    ) {
        prop_assume!(linearizable);
        for place in &places {
            let operation = &mut operations[place.index(200)];
            operation.outcome = Outcome::Info;
            operation.result = Value::Nil;
            operation.complete = Moment::NEVER;
        }
        operations.retain(|operation| operation.invoke.index < end);
        for operation in operations.iter_mut().filter(|one| one.complete.index >= end) {
            operation.outcome = Outcome::Info;
            operation.result = Value::Nil;
            operation.complete = Moment::NEVER;
        }
        prop_assert_eq!(verdict(&operations), Verdict::Valid);
    }

    #[test]
    fn a_history_of_several_keys_is_as_good_as_its_worst(
        (operations, linearizable) in known(),
    ) {
        let keys = crate::operations_by_key(&operations);
        let of_key = |all: &Vec<&Operation>| {
            let all: Vec<Operation> = all.iter().copied().cloned().collect();
            verdict(&all)
        };
        prop_assert_eq!(keys.values().map(of_key).max(), Some(expected(linearizable)));
    }
}

#[test]
fn a_window_is_enough_to_see_a_stale_read() {
    let text = "p1 write k 1 10..11\n p1 write k 2 12..13\n p1 write k 1 14..15
                p1 write k 3 16..17\n p1 write k 4 18..19\n p2 read k - 20..21 3";
    let history = crate::story::history(text);
    let all: Vec<&Operation> = history.operations.iter().collect();
    // Those that hold both the write of 4 and the read, and not only the read, which may have seen
    // whatever was written before.
    assert!(crate::linearizability::register::refuting_windows(&all) > 10);
}

#[test]
fn a_cas_in_doubt_may_have_seen_what_a_window_has_left_behind_but_not_for_long() {
    let refuting = |text: &str| {
        let history = crate::story::history(text);
        let all: Vec<&Operation> = history.operations.iter().collect();
        crate::linearizability::register::refuting_windows(&all)
    };
    let seen = "p1 write k 1     1..2
                p2 cas   k [1,2] 3..?
                p3 read  k -     5..6 2
                p1 write k 3     7..8
                p1 write k 2     9..10";
    assert_eq!(refuting(seen), 0);
    let too_late = "p1 write k 1     1..2
                    p2 cas   k [1,2] 3..?
                    p1 write k 3     5..6
                    p3 read  k -     7..8 2
                    p1 write k 2     9..10";
    assert!(refuting(too_late) > 0);
}

#[test]
fn a_cap_is_met_with_unknown_and_the_result_does_not_depend_on_threads() {
    let shape = Shape {
        kind: Kind::CasRegister,
        keys: 40,
        clients: 400,
        operations: 24_000,
        values: 6,
        doubtful: 0,
        mutated: true,
        seed: 5,
    };
    let history = generate(&shape).unwrap().history;
    let judge = |states_max, threads| {
        let evidence = crate::Evidence { states_max, ..crate::Evidence::of_history(&history, CAS) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| crate::verdicts(&evidence))
    };
    assert_eq!(judge(100_000, 1), judge(100_000, 3));
    let capped = judge(50, 2);
    assert!(capped.iter().any(|key| key.verdict == Verdict::Unknown));
    let reason = capped.iter().find_map(|key| key.reason.clone()).unwrap();
    assert_eq!(reason, "more than 50 configurations of one key");
}
