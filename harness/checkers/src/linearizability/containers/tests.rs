//! Containers against the twin that tries every order, and against the general search.

use proptest::prelude::*;
use wrack_history::{Moment, Operation, Outcome, Value, Verdict};
use wrack_sequential::Specification;
use wrack_sequential::contents::Container;
use wrack_sequential::priority_queue::PriorityQueue;
use wrack_sequential::queue::Queue;
use wrack_sequential::stack::Stack;

use super::super::GUARANTEE;
use super::super::call::{Answer, Core, calls};
use super::super::explain::explain;
use super::super::search::{Hints, search};
use super::super::shrink::shrink;
use super::super::tests::{is_shown, some_order};
use super::{Order, decide};
use crate::story::Case;

/// What a random history is made of.
#[derive(Clone, Debug)]
struct Recipe {
    operations: Vec<Raw>,
    /// Whether a value may go in twice.
    repeats: bool,
    /// How much is inside at first.
    inside_at_first: u8,
    /// Whether answers are those of some order of effects.
    sane: bool,
    /// Which answer is changed afterwards, if any.
    damage: Option<(u8, u8)>,
    /// How many of 16 operations are in doubt.
    doubtful: u8,
}

#[derive(Clone, Debug)]
struct Raw {
    inserts: bool,
    value: u8,
    begin: u8,
    length: u8,
    outcome: u8,
    moment: u8,
}

fn recipes(operations: std::ops::Range<usize>) -> impl Strategy<Value = Recipe> {
    let raw = any::<(bool, u8, u8, u8, u8, u8)>().prop_map(
        |(inserts, value, begin, length, outcome, moment)| Raw {
            inserts,
            value,
            begin,
            length,
            outcome,
            moment,
        },
    );
    let operations = prop::collection::vec(raw, operations);
    let damage = prop::option::of(any::<(u8, u8)>());
    (operations, any::<u8>(), 0u8..6, any::<bool>(), damage, 0u8..6).prop_map(
        |(operations, repeats, inside, sane, damage, doubtful)| Recipe {
            operations,
            repeats: repeats.is_multiple_of(4),
            inside_at_first: inside.saturating_sub(3),
            sane,
            damage,
            doubtful: doubtful.saturating_sub(1),
        },
    )
}

impl Recipe {
    fn initial(&self) -> Vec<i64> {
        (0..i64::from(self.inside_at_first)).map(|place| 100 - 50 * place).collect()
    }

    fn specification_initial(&self) -> Value {
        match self.inside_at_first {
            0 => Value::Nil,
            _ => Value::list(self.initial().into_iter().map(Value::from)),
        }
    }

    /// Operations whose intervals begin within so many ticks.
    fn operations<C: Container>(&self, ticks: u64) -> Vec<Operation> {
        let raws = self.operations.iter().enumerate();
        let mut operations: Vec<Operation> =
            raws.map(|(index, raw)| self.operation::<C>(index, raw, ticks)).collect();
        operations.sort_by_key(|operation| operation.invoke.index);
        if self.sane {
            self.answer::<C>(&mut operations);
        }
        if let Some((place, value)) = self.damage {
            let removals = operations.iter_mut().filter(|one| one.function == C::REMOVE);
            let mut removals: Vec<&mut Operation> = removals.filter(|one| one.is_ok()).collect();
            let count = removals.len().max(1);
            let (one, other) = (usize::from(place) % count, usize::from(value) % count);
            if one != other {
                let result = removals[one].result.clone();
                removals[one].result = std::mem::replace(&mut removals[other].result, result);
            } else if let Some(removal) = removals.get_mut(one) {
                removal.result = Value::Nil;
            }
        }
        operations
    }

    fn operation<C: Container>(&self, index: usize, raw: &Raw, ticks: u64) -> Operation {
        let value = match self.repeats {
            true => i64::from(raw.value % 3),
            false => i64::from(raw.value) * 1_000 + index as i64,
        };
        let guess = usize::from(raw.moment) % (self.operations.len() + 1);
        let found =
            self.operations.get(guess).filter(|raw| raw.inserts).map_or(Value::Nil, |raw| {
                let unique = i64::from(raw.value) * 1_000 + guess as i64;
                if self.repeats { i64::from(raw.value % 3).into() } else { unique.into() }
            });
        let begin = (u64::from(raw.begin) * ticks / 256) * 1_000 + index as u64;
        let end = begin + u64::from(raw.length % 12) * 1_000 + 500;
        let outcome = match raw.outcome % 16 {
            doubtful if doubtful < self.doubtful => Outcome::Info,
            15 => Outcome::Fail,
            _ => Outcome::Ok,
        };
        let at = |index| Moment { index, ns: index };
        Operation {
            id: index as u64,
            process: index as u32,
            session: 0,
            key: "k".into(),
            function: if raw.inserts { C::INSERT } else { C::REMOVE }.into(),
            argument: if raw.inserts { value.into() } else { Value::Nil },
            result: if raw.inserts || outcome != Outcome::Ok { Value::Nil } else { found },
            outcome,
            invoke: at(begin),
            complete: if outcome == Outcome::Info { Moment::NEVER } else { at(end) },
            details: None,
        }
    }

    /// Lets each operation take effect at a random moment of its interval and answer accordingly.
    fn answer<C: Container>(&self, operations: &mut [Operation]) {
        let mut effects: Vec<(u64, usize)> = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            let raw = &self.operations[operation.id as usize];
            let begin = operation.invoke.index;
            let end = operation.complete.index.min(begin + 20_000);
            let happens = match operation.outcome {
                Outcome::Ok => true,
                Outcome::Info => raw.value.is_multiple_of(2),
                Outcome::Fail => false,
            };
            if happens {
                effects.push((begin + (end - begin) * u64::from(raw.moment) / 256, place));
            }
        }
        effects.sort_unstable();
        let mut inside: Vec<i64> = self.initial();
        for (_, place) in effects {
            let operation = &mut operations[place];
            if let Some(value) = operation.argument.as_integer() {
                inside.push(value);
                continue;
            }
            let next = match C::REMOVE {
                "dequeue" => (!inside.is_empty()).then_some(0),
                "pop" => inside.len().checked_sub(1),
                _ => (0..inside.len()).min_by_key(|place| inside[*place]),
            };
            let found = next.map_or(Value::Nil, |next| inside.remove(next).into());
            if operation.is_ok() {
                operation.result = found;
            }
        }
    }
}

/// Whether some order is legal, by trying all.
fn every_order<O: Order + Default>(
    specification: Specification<'_>,
    operations: &[Operation],
) -> bool {
    let mut model: O = specification.start().unwrap();
    let operations = operations.iter().filter(|operation| operation.outcome != Outcome::Fail);
    let steps: Vec<_> =
        operations.map(|operation| (operation, model.compile(operation).unwrap())).collect();
    some_order(&model, &steps, &model.initial(), &mut vec![false; steps.len()])
}

const STATES_MAX: u64 = 100_000;

/// Compares the decision with what is expected, if that is known; also that what is shrunk is still
/// broken. Gives the answer, and how it was found.
fn compare<O: Order + Default>(
    recipe: &Recipe,
    ticks: u64,
    expect: fn(Specification<'_>, &[Operation]) -> Option<bool>,
) -> Result<(bool, &'static str), TestCaseError> {
    let operations = recipe.operations::<O>(ticks);
    let initial = recipe.specification_initial();
    let specification = Specification { initial: &initial, ..Specification::of(O::INFO.name) };
    let expected = expect(specification, &operations);
    let all: Vec<&Operation> = operations.iter().collect();
    let (answer, algorithm) = decide::<O>(specification, &all, STATES_MAX).unwrap();
    let context = || format!("{algorithm}: {answer:?} of {operations:#?} from {initial}");
    // What is legal by stays has an order by stays; only the walk for all others meets its bound, where there
    // is much to walk through.
    let legal = answer == Answer::Linearizable;
    let by_stays = legal && algorithm == O::ALGORITHM;
    let may_be_cut_short = !by_stays && operations.len() >= 10;
    let walked_max = if may_be_cut_short { STATES_MAX / 10 } else { STATES_MAX };
    let shown = is_shown(specification, &all, walked_max);
    let agrees = shown.map_or(may_be_cut_short, |shown| shown == legal);
    prop_assert!(agrees || matches!(answer, Answer::Unknown(_)), "an order of {}", context());
    if let Some(expected) = expected {
        let right = match answer {
            Answer::Linearizable => expected,
            Answer::Contradiction(_) => !expected,
            Answer::Unknown(_) => false,
        };
        prop_assert!(right, "{}", context());
    }
    if let Answer::Contradiction(core) = &answer {
        let small = shrink(specification, &all, core);
        let anomaly = explain(&all, &small);
        prop_assert!(!anomaly.operations.is_empty());
        let small = small.operations;
        prop_assert!(expect(specification, &small) != Some(true), "{small:#?} of {}", context());
        let whole = Core::Among((0..small.len() as u32).collect());
        let again = shrink(specification, &small.iter().collect::<Vec<_>>(), &whole);
        prop_assert_eq!(&again.operations, &small, "it can be smaller still");
    }
    Ok((legal, algorithm))
}

fn by_every_order<O: Order + Default>(recipe: &Recipe) -> Result<(bool, &str), TestCaseError> {
    compare::<O>(recipe, 24, |specification, operations| {
        Some(every_order::<O>(specification, operations))
    })
}

fn by_search<O: Order + Default>(recipe: &Recipe) -> Result<(bool, &str), TestCaseError> {
    compare::<O>(recipe, 100, |specification, operations| {
        let mut model: O = specification.start().unwrap();
        let all: Vec<&Operation> = operations.iter().collect();
        let calls = calls(&mut model, &all).unwrap();
        match search(&model, &calls, &Hints::NONE, STATES_MAX) {
            Answer::Linearizable => Some(true),
            Answer::Contradiction(_) => Some(false),
            Answer::Unknown(_) => None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn a_queue_is_judged_as_by_every_order(recipe in recipes(1..9)) {
        by_every_order::<Queue>(&recipe)?;
    }

    #[test]
    fn a_stack_is_judged_as_by_every_order(recipe in recipes(1..9)) {
        by_every_order::<Stack>(&recipe)?;
    }

    #[test]
    fn a_priority_queue_is_judged_as_by_every_order(recipe in recipes(1..9)) {
        by_every_order::<PriorityQueue>(&recipe)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn larger_containers_are_judged_as_by_the_search(recipe in recipes(10..40)) {
        by_search::<Queue>(&recipe)?;
        by_search::<Stack>(&recipe)?;
        by_search::<PriorityQueue>(&recipe)?;
    }

    #[test]
    fn a_long_history_that_is_decided_by_stays_has_an_order(recipe in recipes(100..250)) {
        let doubtful = recipe.doubtful.min(1);
        let recipe = Recipe { repeats: false, sane: true, damage: None, doubtful, ..recipe };
        compare::<Queue>(&recipe, 1_000, |_, _| None)?;
        compare::<Stack>(&recipe, 1_000, |_, _| None)?;
        compare::<PriorityQueue>(&recipe, 1_000, |_, _| None)?;
    }
}

#[test]
fn the_random_histories_are_valid_and_invalid_and_decided_in_every_way() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    type Twin = fn(&Recipe) -> Result<(bool, &str), TestCaseError>;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let twins: [Twin; 3] =
        [by_every_order::<Queue>, by_every_order::<Stack>, by_every_order::<PriorityQueue>];
    for twin in twins {
        let (mut valid, mut searched) = (0, 0);
        for _ in 0..400 {
            let recipe = recipes(3..8).new_tree(&mut runner).unwrap().current();
            let (legal, algorithm) = twin(&recipe).unwrap();
            valid += u32::from(legal);
            searched += u32::from(algorithm == "just-in-time search");
        }
        assert!((80..=320).contains(&valid), "{valid} of 400 are valid");
        assert!((10..=200).contains(&searched), "{searched} of 400 need the search");
    }
}

/// What the report of a history with this model, which is not linearizable, says.
fn check_story(model: &str, history: &str, story: &str) {
    Case::new(model, history).rejected_by(&GUARANTEE, story);
}

#[test]
fn what_comes_out_went_in_once_and_before() {
    check_story(
        "queue",
        "p1 enqueue q 1 10..20
         p2 dequeue q - 30..40 7",
        "process 2 asked to dequeue of q and was told 7 at 0.040 s, but nobody ever put 7 in",
    );
    check_story(
        "stack",
        "p1 pop  s - 10..20 7
         p2 push s 7 30..40",
        "process 1 asked to pop of s and was told 7 at 0.020 s, but push 7 by process 2 was invoked \
         only at 0.030 s, after that",
    );
    check_story(
        "priority-queue",
        "p1 insert     h 7 10..15 fail
         p2 delete-min h - 30..40 7",
        "process 2 asked to delete-min of h and was told 7 at 0.040 s, but insert 7 by process 1 had \
         failed",
    );
    check_story(
        "queue",
        "p1 enqueue q 7 10..20
         p2 dequeue q - 30..40 7
         p3 dequeue q - 30..41 7",
        "process 2 asked to dequeue of q and was told 7 at 0.040 s, and process 3 asked to dequeue \
         of q and was told 7 at 0.041 s: 7 came out twice, but enqueue 7 by process 1 is the only one \
         that put it in",
    );
}

#[test]
fn nothing_is_found_only_where_nothing_is_inside() {
    let overlapping = "p1 enqueue q 1 10..20
                       p2 enqueue q 2 30..40
                       p3 dequeue q - 45..60 1
                       p4 dequeue q - 70..80 2";
    let found_nothing = |from, to| format!("{overlapping}\n p5 dequeue q - {from}..{to}");
    Case::new("queue", &found_nothing(15, 50)).accepted_by(&GUARANTEE);
    Case::new("queue", &found_nothing(25, 44)).rejected_by(
        &GUARANTEE,
        "process 5 asked to dequeue of q and found nothing at 0.044 s, but enqueue 1 by process 1 had \
         completed at 0.020 s, before that began, and dequeue of 1 by process 3 was invoked only at \
         0.045 s, after that",
    );
    Case::new("queue", &found_nothing(25, 65)).rejected_by(
        &GUARANTEE,
        "process 5 asked to dequeue of q and found nothing at 0.065 s, but something was inside the \
         whole time: 1 from 0.020 s to 0.045 s and 2 from 0.040 s to 0.070 s",
    );
    check_story(
        "stack",
        "p1 push s 1 10..20
         p2 pop  s - 30..40",
        "process 2 asked to pop of s and found nothing at 0.040 s, but push 1 by process 1 had \
         completed at 0.020 s, before that began, and nobody had taken 1 out",
    );
}

#[test]
fn a_queue_keeps_turns() {
    let enqueued = "p1 enqueue q 1 10..20
                    p2 enqueue q 2 21..30";
    let both = |first, second| format!("{enqueued}\n{first}\n{second}");
    let (early, late) = ("p3 dequeue q - 40..50 2", "p4 dequeue q - 51..60 1");
    Case::new("queue", &both(early, "p4 dequeue q - 49..60 1")).accepted_by(&GUARANTEE);
    Case::new("queue", &both(early, late)).rejected_by(
        &GUARANTEE,
        "enqueue 1 by process 1 had completed at 0.020 s, before enqueue 2 by process 2 began, but \
         process 3 asked to dequeue of q and was told 2 at 0.050 s, before dequeue of 1 by process 4 \
         began",
    );
    Case::new("queue", &both(early, "")).rejected_by(
        &GUARANTEE,
        "enqueue 1 by process 1 had completed at 0.020 s, before enqueue 2 by process 2 began, but \
         process 3 asked to dequeue of q and was told 2 at 0.050 s, and nobody ever took 1 out",
    );
    Case::new("queue", &both(early, "p4 dequeue q - 35..?")).accepted_by(&GUARANTEE);
    let too_late = Case::new("queue", &both(early, "p4 dequeue q - 55..?")).judge(&GUARANTEE);
    assert_eq!(too_late.verdict, Verdict::Invalid);
}

#[test]
fn a_stack_gives_what_lies_on_top() {
    let pushed = "p1 push s 1 10..20
                  p2 push s 2 21..30
                  p3 pop  s - 31..40 1";
    check_story(
        "stack",
        pushed,
        "process 3 asked to pop of s and was told 1 at 0.040 s, but push 2 by process 2 had completed \
         at 0.030 s, after push 1 by process 1 and before that began, and nobody had taken 2 out: 2 \
         lay on top",
    );
    let popped = format!("{pushed}\n p4 pop s - 35..45 2");
    Case::new("stack", &popped).accepted_by(&GUARANTEE);
}

/// ```text
/// 1  |-push-|         |-------pop-------|
/// 2           |-push-|            |---------pop---------|
/// 3                      |-push-|                  |-pop-|
/// ```
#[test]
fn a_stack_without_a_gap_has_one_bottom() {
    let three = |first: &str| {
        format!(
            "p1 push s 1 10..20
             p2 push s 2 {first}..25
             p3 push s 3 28..40
             p4 pop  s - 30..50 1
             p5 pop  s - 45..65 2
             p6 pop  s - 60..70 3"
        )
    };
    Case::new("stack", &three("15")).accepted_by(&GUARANTEE);
    check_story(
        "stack",
        &three("22"),
        "something was inside all the time: 1 from 0.020 s to 0.030 s, 2 from 0.025 s to 0.045 s and 3 \
         from 0.040 s to 0.060 s; but none of these was pushed before and popped after all others, so \
         none of them can have lain at the bottom",
    );
}

#[test]
fn a_priority_queue_gives_the_smallest() {
    check_story(
        "priority-queue",
        "p1 insert     h 2 10..20
         p2 insert     h 5 10..20
         p3 delete-min h - 30..40 5
         p3 delete-min h - 41..50 2",
        "process 3 asked to delete-min of h and was told 5 at 0.040 s, but insert 2 by process 1 had \
         completed at 0.020 s, before that began, and delete-min of 2 by process 3 was invoked only at \
         0.041 s, after that",
    );
}
