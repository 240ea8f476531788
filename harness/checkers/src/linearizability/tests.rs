//! Histories that are and are not linearizable, and the twin that tries every order.

mod caps;
mod objects;
mod register;

use proptest::prelude::*;
use wrack_history::{Moment, Operation, Outcome, Value, Verdict};
use wrack_sequential::{Model, Specification, Visitor, with_model};

use super::call::Answer;
use super::search::{Hints, Stage};
use super::walk::{End, NoGuide};
use super::{GUARANTEE, decide};
use crate::story::{Case, history};

#[test]
fn a_read_may_see_a_write_that_it_overlaps_or_not() {
    Case::new(
        "register",
        "p1 write k 1  10..30
         p2 read  k -  12..20 1
         p3 read  k -  22..28 1
         p4 read  k -  11..19",
    )
    .accepted_by(&GUARANTEE);
}

#[test]
fn a_read_of_what_was_overwritten_before_it_began_is_stale() {
    Case::new(
        "register",
        "p1 write k1 4  10..20
         p1 write k1 5  11..12
         p2 write k1 7  30..40
         p9 write k2 7  30..40
         p4 read  k1 -  45..50 7
         p3 read  k1 -  51..60 4",
    )
    .rejected_by(
        &GUARANTEE,
        "process 3 read 4 of k1 at 0.060 s, but write 7 by process 2 had completed at 0.040 s, \
         before that began, and write 4 by process 1 had completed at 0.020 s, before the write \
         began",
    );
}

#[test]
fn a_read_never_goes_back() {
    Case::new(
        "register",
        "p1 write k 1  10..20
         p2 write k 2  30..?
         p3 read  k -  31..35 2
         p4 read  k -  36..40 1",
    )
    .rejected_by(
        &GUARANTEE,
        "process 4 read 1 of k at 0.040 s, but process 3 had found 2 at 0.035 s, before that \
         began, and write 1 by process 1 had completed at 0.020 s, before the read began",
    );
}

#[test]
fn a_value_comes_from_somewhere_and_not_came_from_the_future() {
    Case::new("register", "p1 read k - 10..20 9")
        .rejected_by(&GUARANTEE, "process 1 read 9 of k at 0.020 s, but nobody ever wrote 9");
    Case::new(
        "register",
        "p1 write k 9 1..5 fail
         p2 read k - 10..20 9",
    )
    .rejected_by(
        &GUARANTEE,
        "process 2 read 9 of k at 0.020 s, but write 9 by process 1 had failed",
    );
    Case::new(
        "register",
        "p2 read k - 10..20 9
         p1 write k 9 21..25",
    )
    .rejected_by(
        &GUARANTEE,
        "process 2 read 9 of k at 0.020 s, but write 9 by process 1 was invoked only at 0.021 s, \
         after that",
    );
}

#[test]
fn two_cas_from_one_value_are_a_lost_update() {
    Case::new(
        "cas-register",
        "p1 write k 1     10..20
         p2 cas   k [1,2] 21..30 true
         p3 cas   k [1,3] 22..31 true",
    )
    .rejected_by(
        &GUARANTEE,
        "process 2 asked to cas 1 to 2 of k and was told true at 0.030 s, and process 3 asked to \
         cas 1 to 3 of k and was told true at 0.031 s: both replaced 1, but write 1 by process 1 \
         is the only one that left it",
    );
}

#[test]
fn a_refused_cas_found_another_value() {
    let refused = "p1 write k 1     10..20
                   p3 cas   k [1,3] 22..31 false";
    Case::new("cas-register", refused).rejected_by(
        &GUARANTEE,
        "process 3 was refused cas 1 to 3 of k at 0.031 s, but write 1 by process 1 had completed \
         at 0.020 s, and nothing that leaves another value was invoked between",
    );
    let doubtful = format!("{refused}\n p2 write k 5 21..?");
    Case::new("cas-register", &doubtful).accepted_by(&GUARANTEE);
}

#[test]
fn a_pending_write_is_absorbed_by_a_later_write_but_never_by_a_cas() {
    Case::new(
        "cas-register",
        "p1 write k 1     10..20
         p2 write k 5     11..50
         p3 cas   k [1,2] 21..30 true
         p4 read  k -     51..60 2",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "cas-register",
        "p1 write k 1     10..20
         p4 read  k -     21..22 1
         p2 write k 5     23..50
         p3 cas   k [1,2] 24..30 true
         p4 read  k -     51..60 2",
    )
    .rejected_by(
        &GUARANTEE,
        "no order of these 4 operations is legal: process 1 asked to write 1 of k and was told ok \
         (0.010 s to 0.020 s); process 2 asked to write 5 of k and was told ok (0.023 s to 0.050 s); \
         process 3 asked to cas 1 to 2 of k and was told true (0.024 s to 0.030 s); process 4 read 2 \
         of k (0.051 s to 0.060 s)",
    );
}

#[test]
fn a_set_read_finds_what_had_been_added() {
    Case::new(
        "set",
        "p1 add  k 1 10..20
         p2 add  k 2 15..?
         p3 read k - 30..40 [1]
         p3 read k - 41..42 [2,1]",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "set",
        "p1 add  k 1 10..20
         p2 add  k 2 15..16
         p3 read k - 30..40 [1]",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.040 s did not find 2, but add 2 by process 2 had \
         completed at 0.016 s, before that began",
    );
    Case::new(
        "set",
        "p1 add  k 1 10..20
         p2 read k - 30..40 [1,1]",
    )
    .rejected_by(&GUARANTEE, "the read of k by process 2 at 0.040 s found 1 twice");
    Case::new(
        "set",
        "p1 add  k 1 10..50
         p2 add  k 2 10..50
         p3 read k - 30..40 [1]
         p4 read k - 30..40 [2]",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.040 s found 1 and not 2, but the read of k by process 4 \
         at 0.040 s found 2 and not 1: whichever was added first, one of them is wrong",
    );
}

#[test]
fn an_element_is_there_until_somebody_removes_it() {
    let history = |contains: &str| {
        format!(
            "p1 add      k 1 10..20 true
             p2 add      k 2 10..20 true
             p3 remove   k 1 30..40 true
             p1 add      k 1 50..60 true
             p2 remove   k 1 62..80 true
             p3 contains k 2 90..99 true
             p4 contains k 1 {contains}"
        )
    };
    Case::new("set", &history("70..85 true")).accepted_by(&GUARANTEE);
    Case::new("set", &history("70..85 false")).accepted_by(&GUARANTEE);
    Case::new("set", &history("90..95 true")).rejected_by(
        &GUARANTEE,
        "process 4 found 1 of k at 0.095 s, but remove 1 by process 2 had completed at 0.080 s, before \
         that began, and nobody added it since",
    );
    Case::new(
        "set",
        "p1 add k 1 10..20 true
         p2 add k 1 15..25 true",
    )
    .rejected_by(
        &GUARANTEE,
        "no order of these 2 operations is legal: process 1 asked to add 1 of k and was told true (0.010 \
         s to 0.020 s); process 2 asked to add 1 of k and was told true (0.015 s to 0.025 s)",
    );
    Case::new("set", "p1 remove k 1 10..20 true").rejected_by(
        &GUARANTEE,
        "process 1 asked to remove 1 of k and was told true at 0.020 s, but 1 was not there at first, \
         and nobody added it since",
    );
}

#[test]
fn a_set_may_start_with_elements() {
    let judge = |history: &str| {
        let history = crate::story::history(history);
        let initial = Value::list([1.into(), 2.into()]);
        let evidence =
            crate::Evidence { initial: &initial, ..crate::Evidence::of_history(&history, "set") };
        GUARANTEE.judge(&evidence, &wrack_history::Settings::default()).verdict
    };
    assert_eq!(judge("p1 read k - 10..20 [1,2]"), Verdict::Valid);
    assert_eq!(judge("p1 read k - 10..20 [2]"), Verdict::Invalid);
    assert_eq!(judge("p1 add k 3 10..20\n p2 read k - 10..30 [2,1,3]"), Verdict::Valid);
    assert_eq!(judge("p1 add k 3 10..20\n p2 read k - 10..30 [3]"), Verdict::Invalid);
    assert_eq!(judge("p1 contains k 1 10..20 true\n p1 add k 2 10..30 false"), Verdict::Valid);
    assert_eq!(judge("p1 add k 2 10..30 true"), Verdict::Invalid);
    assert_eq!(judge("p1 add k 2 10..30\n p1 contains k 1 10..20 false"), Verdict::Invalid);
}

#[test]
fn a_counter_loses_no_add() {
    Case::new(
        "counter",
        "p1 add  k 1 10..20 1
         p2 add  k 2 15..30 3
         p3 add  k 5 16..?
         p4 read k - 40..50 8",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "counter",
        "p1 add  k 1 10..20 1
         p2 add  k 1 15..30 1
         p3 add  k 5 16..?",
    )
    .rejected_by(
        &GUARANTEE,
        "process 1 asked to add 1 of k and was told 1 at 0.020 s, and process 2 asked to add 1 of \
         k and was told 1 at 0.030 s: both added to 0, so one of them is lost",
    );
    Case::new(
        "counter",
        "p1 add  k 1 10..20
         p2 add  k 1 15..30
         p3 read k - 40..50 1",
    )
    .rejected_by(
        &GUARANTEE,
        "process 3 read 1 of k at 0.050 s, so the sum of k was 1 before it, but 2 increments of 2 in \
         all had completed before that began",
    );
}

#[test]
fn what_the_model_cannot_read_is_unknown() {
    Case::new("register", "p1 push k 1 10..20")
        .unknown_to(&GUARANTEE, "operation 0: the model register has no function \"push\"");
    Case::new("abacus", "p1 push k 1 10..20")
        .unknown_to(&GUARANTEE, "there is no model \"abacus\": see `wrack list models`");
    Case::new("register", "p1 cas k [1,2] 10..20 true")
        .unknown_to(&GUARANTEE, "operation 0: the model register has no function \"cas\"");
}

/// Tries every order: the definition, and nothing else.
struct EveryOrder<'a>(Specification<'a>, &'a [Operation]);

impl Visitor for EveryOrder<'_> {
    type Output = bool;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> bool {
        let mut model = self.0.started(new()).unwrap();
        let operations = self.1.iter().filter(|operation| operation.outcome != Outcome::Fail);
        let steps: Vec<(&Operation, M::Step)> =
            operations.map(|operation| (operation, model.compile(operation).unwrap())).collect();
        let state = model.initial();
        some_order(&model, &steps, &state, &mut vec![false; steps.len()])
    }
}

pub(super) fn some_order<M: Model>(
    model: &M,
    steps: &[(&Operation, M::Step)],
    state: &M::State,
    taken: &mut Vec<bool>,
) -> bool {
    let open = |taken: &[bool]| (0..steps.len()).filter(|i| !taken[*i]).collect::<Vec<_>>();
    let left = open(taken);
    if left.iter().all(|index| !steps[*index].0.is_ok()) {
        return true;
    }
    left.iter().any(|&index| {
        let (operation, step) = &steps[index];
        if left.iter().any(|other| steps[*other].0.precedes(operation)) {
            return false;
        }
        let Some(next) = model.step(state, step) else {
            return false;
        };
        taken[index] = true;
        let found = some_order(model, steps, &next, taken);
        taken[index] = false;
        found
    })
}

/// What a random operation is made of.
type Raw = (u8, u8, u8, u8, u8, u8);

/// Operations of one key with small values at random intervals. `sane` gives results that some
/// order of effects explains, so that valid histories are not rare.
fn operations(model: &str, raws: &[Raw], sane: bool) -> Vec<Operation> {
    let mut operations: Vec<Operation> =
        raws.iter().enumerate().map(|(index, raw)| operation(model, index, raw)).collect();
    order(&mut operations);
    if sane {
        explain_results(model, &mut operations, raws);
    }
    operations
}

fn operation(model: &str, index: usize, raw: &Raw) -> Operation {
    let (function, value, result, begin, length, outcome) = *raw;
    let small = |byte: u8| i64::from(byte % 3) + 1;
    let unique = index as i64 + 10;
    let (name, argument, answer): (&str, Value, Value) = match (model, function % 4) {
        ("register", 0 | 1) => ("write", small(value).into(), Value::Nil),
        ("cas-register", 0) => ("write", small(value).into(), Value::Nil),
        ("cas-register", 1) => (
            "cas",
            Value::pair(small(value).into(), small(result).into()),
            (length % 3 != 0).into(),
        ),
        ("unique", 0) => ("write", unique.into(), Value::Nil),
        ("unique", 1) => (
            "cas",
            Value::pair(i64::from(value % 8 + 10).into(), unique.into()),
            (length % 3 != 0).into(),
        ),
        ("unique", _) => ("read", Value::Nil, (i64::from(value % 8) + 10).into()),
        ("counter", 0 | 1) => {
            let delta = if value % 7 == 0 { -1 } else { small(value) };
            let learned = (result % 2 == 0).then(|| i64::from(result % 8).into());
            ("add", delta.into(), learned.unwrap_or_default())
        }
        ("counter", _) => ("read", Value::Nil, i64::from(result % 8).into()),
        ("answers" | "mixed", 0 | 1) => {
            let answer = [Value::Nil, true.into(), false.into()][usize::from(length % 3)].clone();
            (if function % 4 == 0 { "add" } else { "remove" }, small(value).into(), answer)
        }
        ("answers", _) => ("contains", small(value).into(), (result % 2 == 0).into()),
        ("mixed", 2) => ("contains", small(value).into(), (result % 2 == 0).into()),
        ("g-set", 0 | 1) => ("add", small(value).into(), Value::Nil),
        ("set", 0) => ("add", small(value).into(), Value::Nil),
        ("set", 1) => ("remove", small(value).into(), Value::Nil),
        ("set" | "g-set" | "mixed", _) => {
            let found = (1..=3).filter(|element| result & (1 << element) != 0);
            ("read", Value::Nil, Value::list(found.map(Value::from)))
        }
        (_, _) if result % 4 == 0 => ("read", Value::Nil, Value::Nil),
        (_, _) => ("read", Value::Nil, small(result).into()),
    };
    let outcome = match outcome % 8 {
        0 => Outcome::Fail,
        1 | 2 => Outcome::Info,
        _ => Outcome::Ok,
    };
    let begin = u64::from(begin % 24) * 100 + index as u64;
    let end = begin + (u64::from(length % 12) * 100) + 50;
    Operation {
        id: index as u64,
        process: index as u32,
        session: 0,
        key: "k".into(),
        function: name.into(),
        argument,
        result: if outcome == Outcome::Ok { answer } else { Value::Nil },
        outcome,
        invoke: Moment { index: begin, ns: begin },
        complete: if outcome == Outcome::Info {
            Moment::NEVER
        } else {
            Moment { index: end, ns: end }
        },
        details: None,
    }
}

fn order(operations: &mut [Operation]) {
    operations.sort_by_key(|operation| operation.invoke.index);
}

/// Positions of the operations that take effect, each at a random moment of its interval, in order of
/// those moments.
fn in_order_of_effect(operations: &[Operation], raws: &[Raw]) -> Vec<usize> {
    let mut effects: Vec<(u64, usize)> = Vec::new();
    for (position, operation) in operations.iter().enumerate() {
        let raw = raws[operation.id as usize];
        let end = operation.complete.index.min(operation.invoke.index + 1_000);
        let at = operation.invoke.index
            + (end - operation.invoke.index) * u64::from(raw.0.wrapping_mul(37) ^ raw.2) / 256;
        let happens = match operation.outcome {
            Outcome::Ok => true,
            Outcome::Info => raw.3.is_multiple_of(2),
            Outcome::Fail => false,
        };
        if happens {
            effects.push((at, position));
        }
    }
    effects.sort_unstable();
    effects.into_iter().map(|(_, position)| position).collect()
}

/// Lets each ok operation take effect at a random moment of its interval and answer accordingly.
fn explain_results(model: &str, operations: &mut [Operation], raws: &[Raw]) {
    let mut register = Value::Nil;
    let mut sum = 0;
    let mut set = std::collections::BTreeSet::<Value>::new();
    for position in in_order_of_effect(operations, raws) {
        let operation = &mut operations[position];
        let result = match (model, operation.function.as_str()) {
            (_, "write") => {
                register = operation.argument.clone();
                Value::Nil
            }
            (_, "cas") => {
                let (expected, new) = operation.argument.as_pair().unwrap();
                let found = *expected == register;
                if found {
                    register = new.clone();
                }
                found.into()
            }
            ("counter", "add") => {
                sum += operation.argument.as_integer().unwrap();
                if operation.result.is_nil() { Value::Nil } else { sum.into() }
            }
            ("counter", _) => sum.into(),
            (_, "add" | "remove") => {
                let changed = match operation.function.as_str() {
                    "add" => set.insert(operation.argument.clone()),
                    _ => set.remove(&operation.argument),
                };
                if operation.result.is_nil() { Value::Nil } else { changed.into() }
            }
            (_, "contains") => set.contains(&operation.argument).into(),
            ("set" | "g-set" | "mixed", _) => Value::list(set.iter().cloned()),
            _ => register.clone(),
        };
        if operation.is_ok() {
            operation.result = result;
        }
    }
}

/// The name of the model that judges a family of random histories.
fn judge_of(family: &str) -> &str {
    match family {
        "unique" => "cas-register",
        "g-set" | "answers" | "mixed" => "set",
        other => other,
    }
}

/// Compares every decision with the twin's; also that what is shrunk is still broken.
fn compare(
    family: &str,
    raws: &[Raw],
    sane: bool,
    damage: Option<u8>,
) -> Result<bool, TestCaseError> {
    let model = judge_of(family);
    let mut operations = operations(family, raws, sane);
    if let Some(damage) = damage {
        let found = operation(family, 0, &(3, damage, damage, 0, 0, 7)).result;
        let reads = operations.iter_mut().filter(|one| one.function == "read" && one.is_ok());
        for read in reads.skip(usize::from(damage % 3)).take(1) {
            read.result = found.clone();
        }
    }
    decide_like_the_twin(Specification::of(model), &operations)
}

/// Compares every decision on one key with the twin's; whether it is linearizable.
fn decide_like_the_twin(
    specification: Specification<'_>,
    operations: &[Operation],
) -> Result<bool, TestCaseError> {
    let model = specification.model;
    let expected = with_model(model, EveryOrder(specification, operations)).unwrap();
    let all: Vec<&Operation> = operations.iter().collect();
    let (answer, algorithm) = decide(specification, &all, 1_000_000).unwrap();
    let context = || format!("{algorithm}: {answer:?} of {operations:#?}");
    match &answer {
        Answer::Linearizable => prop_assert!(expected, "{}", context()),
        Answer::Unknown(_) => prop_assert!(false, "{}", context()),
        Answer::Contradiction(core) => {
            prop_assert!(!expected, "{}", context());
            let small = super::shrink::shrink(specification, &all, core);
            prop_assert!(
                !with_model(model, EveryOrder(small.specification, &small.operations)).unwrap(),
                "{small:#?}"
            );
            let anomaly = super::explain::explain(&all, &small);
            prop_assert!(!anomaly.operations.is_empty());
            if let Some(paper) = anomaly.counterexample {
                prop_assert!(!paper.blocked.is_empty(), "{paper:#?}");
            }
        }
    }
    prop_assert_eq!(
        is_shown(specification, &all, 1_000_000),
        Some(expected),
        "an order of {:#?}",
        operations
    );
    for (stage, end) in with_model(model, EveryWalk(specification, &all)).unwrap() {
        // Where order shows in the state, a few doubtful operations make many configurations.
        if (stage, end) == (Stage::Quick, End::Exhausted) && !FEW_STATES.contains(&model) {
            continue;
        }
        check_walk(stage, end, expected).map_err(|error| {
            TestCaseError::fail(format!("{stage:?} {error} of {operations:#?}"))
        })?;
    }
    if model == "register" || model == "cas-register" {
        for (stage, end) in super::register::every_walk(&all).unwrap_or_default() {
            check_walk(stage, end, expected).map_err(|error| {
                TestCaseError::fail(format!("reduced: {stage:?} {error} of {operations:#?}"))
            })?;
        }
    }
    Ok(expected)
}

/// Whether an order is found that shows it, and one that is found must; `None` if the bound was met before.
pub(super) fn is_shown(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Option<bool> {
    match super::witness::witness_of(specification, operations, states_max) {
        Ok(order) => with_model(specification.model, Shown(specification, operations, order)),
        Err(why) => (!why.contains("within")).then_some(false),
    }
}

/// Whether an order shows it, given by the ids of operations.
struct Shown<'a>(Specification<'a>, &'a [&'a Operation], Vec<u64>);

impl Visitor for Shown<'_> {
    type Output = bool;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> bool {
        let mut model = self.0.started(new()).unwrap();
        let calls = super::call::calls(&mut model, self.1).unwrap();
        let mut left: Vec<u32> = (0..calls.len() as u32).collect();
        let (mut state, mut latest) = (model.initial(), 0);
        for id in self.2 {
            let is_of = |call: &u32| self.1[calls[*call as usize].operation as usize].id == id;
            let place = left.iter().position(is_of).expect("each operation stands there once");
            let call = &calls[left.remove(place) as usize];
            assert!(latest < call.complete, "{call:?} comes too late");
            latest = latest.max(call.invoke);
            state = model.step(&state, &call.step).expect("a legal step");
        }
        assert!(left.iter().all(|call| !calls[*call as usize].required), "{left:?} are left out");
        true
    }
}

/// Walks in every way, without anything that is known of the model.
struct EveryWalk<'a>(Specification<'a>, &'a [&'a Operation]);

/// Models with few states, however often operations take effect.
const FEW_STATES: [&str; 6] =
    ["cas-register", "g-set", "multi-register", "mutex", "register", "set"];

impl Visitor for EveryWalk<'_> {
    type Output = Vec<(Stage, End)>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
        let mut model = self.0.started(new()).unwrap();
        let calls = super::call::calls(&mut model, self.1).unwrap();
        let few_states = FEW_STATES.contains(&self.0.model);
        let hints = Hints { guide: &NoGuide, few_states };
        super::search::ends(&model, &calls, &hints)
    }
}

/// What a walk says must be so; only the reusing one may reach the end of what is not linearizable.
fn check_walk(stage: Stage, end: End, expected: bool) -> Result<(), String> {
    let right = match (stage, end) {
        (Stage::Quick | Stage::Wide, End::Exhausted) => false,
        (_, End::Exhausted) => true,
        (Stage::Reusing, End::Reached) => true,
        (_, End::Reached) => expected,
        (_, End::Stuck(_)) => !expected,
    };
    if right { Ok(()) } else { Err(format!("ends with {end:?}")) }
}

const FAMILIES: [&str; 8] =
    ["register", "cas-register", "unique", "counter", "g-set", "set", "answers", "mixed"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6_000) })]

    #[test]
    fn every_decision_is_that_of_the_twin_that_tries_every_order(
        family in 0..FAMILIES.len(),
        raws in prop::collection::vec(any::<Raw>(), 1..8),
        sane in any::<bool>(),
        damage in prop::option::of(any::<u8>()),
    ) {
        compare(FAMILIES[family], &raws, sane, damage)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn a_busy_element_is_judged_as_by_the_search(
        raws in prop::collection::vec(any::<Raw>(), 6..16),
        doubtful in any::<bool>(),
        damage in any::<u8>(),
    ) {
        let raw = |raw: &Raw| {
            let answers = 3 * (raw.4 % 60) + 1;
            let outcome = if doubtful { raw.5 } else { raw.5 | 4 };
            (raw.0, 0, raw.2, raw.3 % 16, answers, outcome)
        };
        let raws: Vec<Raw> = raws.iter().map(raw).collect();
        let mut operations = operations("answers", &raws, true);
        let place = usize::from(damage) % (2 * operations.len());
        if let Some(Value::Bool(answer)) = operations.get_mut(place).map(|one| &mut one.result) {
            *answer = !*answer;
        }
        let all: Vec<&Operation> = operations.iter().collect();
        let mut model = wrack_sequential::set::Set::default();
        let calls = super::call::calls(&mut model, &all).unwrap();
        let expected = super::search::search(&model, &calls, &Hints::NONE, 1_000_000);
        let (answer, _) = decide(Specification::of("set"), &all, 1_000_000).unwrap();
        let legal = |answer: &Answer| *answer == Answer::Linearizable;
        prop_assert_eq!(legal(&answer), legal(&expected), "{:?} of {:#?}", answer, operations);
    }
}

#[test]
fn the_random_histories_are_valid_and_invalid_about_equally_often() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let raws = prop::collection::vec(any::<Raw>(), 1..8);
    for family in FAMILIES {
        let mut valid = 0;
        for round in 0..200 {
            let raws = raws.new_tree(&mut runner).unwrap().current();
            valid += u32::from(compare(family, &raws, round % 2 == 0, None).unwrap());
        }
        assert!((60..=195).contains(&valid), "{family}: {valid} of 200");
    }
}

#[test]
fn many_keys_are_judged_one_by_one() {
    let text =
        "p1 write a 1 10..20\n p2 write b 1 10..20\n p3 read b - 30..40\n p4 read a - 30..40 1";
    let judgement = crate::check(history(text).operations, "register");
    assert_eq!(judgement.verdict, Verdict::Invalid);
    assert_eq!(judgement.anomalies.len(), 1);
    assert_eq!(judgement.anomalies[0].key.as_deref(), Some("b"));
    assert_eq!(judgement.anomalies[0].operations, [1, 2]);
    assert_eq!((judgement.examined["keys"], judgement.examined["reads"]), (2, 2));
    assert_eq!(judgement.algorithm.as_deref(), Some("zones"));
}

#[test]
fn what_comes_out_of_a_queue_counts_as_read() {
    let text = "p1 enqueue q 1 10..20\n p2 enqueue q 2 10..30\n p1 dequeue q - 40..50 1";
    let judgement = crate::check(history(text).operations, "queue");
    assert_eq!(judgement.verdict, Verdict::Valid);
    assert_eq!(judgement.examined["reads"], 1);
}

#[test]
fn an_object_may_start_anywhere() {
    let zero = Value::from(0);
    let judge = |initial, read: &str| {
        let history = history(&format!("p1 read k - 1..2 {read}"));
        let evidence =
            crate::Evidence { initial, ..crate::Evidence::of_history(&history, "register") };
        GUARANTEE.judge(&evidence, &wrack_history::Settings::default()).verdict
    };
    assert_eq!(judge(&zero, "0"), Verdict::Valid);
    assert_eq!(judge(&zero, "-"), Verdict::Invalid);
    assert_eq!(judge(&Value::Nil, "0"), Verdict::Invalid);
}

#[test]
fn a_counterexample_says_how_far_a_legal_order_goes_and_what_stops_it() {
    let history = history(
        "p1 write k 1 1..2
         p2 write k 2 3..4
         p3 read  k - 3..9 2
         p4 read  k - 10..11 1",
    );
    let evidence = crate::Evidence::of_history(&history, "register");
    let judgement = GUARANTEE.judge(&evidence, &wrack_history::Settings::default());
    let found = judgement.anomalies[0].counterexample.as_ref().expect("it is small");
    let texts: Vec<&str> = found.operations.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "process 1 asked to write 1 of k and was told ok (0.001 s to 0.002 s)",
            "process 2 asked to write 2 of k and was told ok (0.003 s to 0.004 s)",
            "process 4 read 1 of k (0.010 s to 0.011 s)",
        ]
    );
    assert_eq!(
        (&found.legal[..], found.state.as_str(), &found.blocked[..]),
        (&[0, 1][..], "2", &[3][..])
    );
}
