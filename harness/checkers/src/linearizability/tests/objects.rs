//! The objects that are no registers, counters or sets: random histories, and what anomalies say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wrack_history::{Moment, Operation, Outcome, Value};
use wrack_sequential::Specification;

use super::{Raw, decide_like_the_twin, in_order_of_effect};
use crate::linearizability::GUARANTEE;
use crate::story::Case;

/// A kind of random histories.
#[derive(Clone, Copy, Debug)]
struct Family {
    model: &'static str,
    /// Whether what is written is new each time.
    unique: bool,
    /// How many of its functions are used.
    functions: u8,
}

const FAMILIES: [Family; 13] = [
    Family { model: "list", unique: false, functions: 2 },
    Family { model: "list", unique: true, functions: 2 },
    Family { model: "log", unique: false, functions: 4 },
    Family { model: "log", unique: true, functions: 4 },
    Family { model: "kv", unique: false, functions: 5 },
    Family { model: "kv", unique: true, functions: 3 },
    Family { model: "kv", unique: false, functions: 3 },
    Family { model: "kv", unique: false, functions: 0 },
    Family { model: "mutex", unique: false, functions: 2 },
    Family { model: "unique-ids", unique: false, functions: 1 },
    Family { model: "multi-register", unique: false, functions: 1 },
    Family { model: "bank", unique: false, functions: 2 },
    Family { model: "counter", unique: false, functions: 2 },
];

impl Family {
    fn initial(self) -> Value {
        match self.model {
            "bank" => {
                let pair =
                    |(account, balance): (&str, i64)| Value::pair(account.into(), balance.into());
                Value::list([("a", 3), ("b", 1), ("c", 0)].map(pair))
            }
            _ => Value::Nil,
        }
    }

    fn operation(self, index: usize, raw: &Raw) -> Operation {
        let (function, argument) = self.invocation(index, raw);
        let (.., begin, length, outcome) = *raw;
        let outcome = match outcome % 8 {
            0 => Outcome::Fail,
            1 | 2 => Outcome::Info,
            _ => Outcome::Ok,
        };
        let begin = u64::from(begin % 24) * 100 + index as u64;
        let end = begin + (u64::from(length % 12) * 100) + 50;
        let complete =
            if outcome == Outcome::Info { Moment::NEVER } else { Moment { index: end, ns: end } };
        Operation {
            id: index as u64,
            process: index as u32,
            session: 0,
            key: "k".into(),
            function: function.into(),
            argument,
            result: Value::Nil,
            outcome,
            invoke: Moment { index: begin, ns: begin },
            complete,
            details: None,
        }
    }

    fn invocation(self, index: usize, raw: &Raw) -> (&'static str, Value) {
        let (function, value, other, ..) = *raw;
        let number = if self.unique { index as i64 } else { i64::from(value % 2) };
        let text = |byte: u8| match self.unique {
            true => format!("{index}.").as_str().into(),
            // Few texts that come apart, or some that do not.
            false if self.functions == 3 => ["a", "b"][usize::from(byte % 2)].into(),
            false => ["a", "b", "ab", ""][usize::from(byte % 4)].into(),
        };
        match (self.model, function % self.functions.max(1)) {
            ("list" | "log", 0) => ("append", number.into()),
            ("log", 2) => ("read", i64::from(other % 3).into()),
            ("log", 3) => {
                ("read", Value::pair(i64::from(other % 2).into(), i64::from(value % 3).into()))
            }
            ("kv", 0) if self.functions > 0 => ("append", text(value)),
            ("kv", 1) if self.functions == 3 && !self.unique => match other % 4 {
                0 => ("write", text(value)),
                _ => ("write", format!("w{index}.").as_str().into()),
            },
            ("kv", 1) => ("write", text(value)),
            ("kv", 3) => ("delete", Value::Nil),
            ("kv", 4) => ("cas", Value::pair(text(value), text(other))),
            ("kv", _) if self.functions == 0 && function % 2 == 0 => match value % 3 {
                0 => ("cas", Value::pair(text(other), text(value / 4))),
                1 => ("write", text(other)),
                _ => ("delete", Value::Nil),
            },
            ("mutex", 0) => ("acquire", Value::Nil),
            ("mutex", _) => ("release", Value::Nil),
            ("unique-ids", _) => ("generate", Value::Nil),
            ("multi-register", _) => ("txn", accesses(raw)),
            ("bank", 0) => {
                let account = |byte: u8| ["a", "b", "c"][usize::from(byte % 3)].into();
                let amount = i64::from(other / 3 % 3);
                ("transfer", Value::list([account(value), account(other), amount.into()]))
            }
            ("counter", 0) => ("add", 2.into()),
            _ => ("read", Value::Nil),
        }
    }

    /// What an operation answers that may be wrong.
    fn wild(self, operation: &Operation, raw: &Raw) -> Value {
        let (_, value, other, ..) = *raw;
        match (self.model, operation.function.as_str()) {
            ("log", "append") if value % 2 == 0 => i64::from(other % 3).into(),
            ("counter", "add") if value % 2 == 0 => i64::from(other % 5 * 2).into(),
            ("kv", "cas") => (other % 2 == 0).into(),
            ("list" | "log", "read") => {
                Value::list((0..other % 3).map(|bit| i64::from((value >> bit) & 1).into()))
            }
            ("kv", "read") => {
                ["a", "b", "ab", "ba", "", "aab", "0.1."][usize::from(other % 7)].into()
            }
            ("unique-ids", _) => i64::from(value % 8).into(),
            ("multi-register", _) => filled(&operation.argument, |_| i64::from(value % 3).into()),
            ("counter", "read") => i64::from(other % 5 * 2).into(),
            ("bank", "read") => Value::list([Value::pair("a".into(), i64::from(other % 4).into())]),
            _ => Value::Nil,
        }
    }
}

/// One or two reads or writes of two registers.
fn accesses(raw: &Raw) -> Value {
    let (_, value, other, ..) = *raw;
    let access = |byte: u8| {
        let register = ["x", "y"][usize::from(byte % 2)].into();
        match byte / 2 % 2 {
            0 => Value::list(["read".into(), register, Value::Nil]),
            _ => Value::list(["write".into(), register, i64::from(byte / 4 % 3).into()]),
        }
    };
    match value % 3 {
        0 => Value::list([access(other)]),
        _ => Value::list([access(other), access(value)]),
    }
}

/// The accesses with what is read filled in.
fn filled(accesses: &Value, mut read: impl FnMut(&[Value]) -> Value) -> Value {
    Value::list(accesses.as_list().unwrap().iter().map(|access| {
        let access = access.as_list().unwrap();
        let value = read(access);
        match access[0] == "read".into() {
            true => Value::list([access[0].clone(), access[1].clone(), value]),
            false => Value::List(access.into()),
        }
    }))
}

/// All objects at once, done without a model.
struct Objects {
    entries: Vec<Value>,
    text: Value,
    held: bool,
    ids: i64,
    registers: BTreeMap<Value, Value>,
    balances: BTreeMap<Value, i64>,
    sum: i64,
}

impl Objects {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            text: "".into(),
            held: false,
            ids: 0,
            registers: BTreeMap::new(),
            balances: [("a", 3), ("b", 1), ("c", 0)].map(|(a, b)| (a.into(), b)).into(),
            sum: 0,
        }
    }

    /// Does an operation, and answers; `None` if it is turned away.
    fn answer(&mut self, model: &str, operation: &Operation, tells: bool) -> Option<Value> {
        let argument = &operation.argument;
        Some(match (model, operation.function.as_str()) {
            ("list" | "log", "append") => {
                self.entries.push(argument.clone());
                let offset = self.entries.len() as i64 - 1;
                if model == "log" && tells { offset.into() } else { Value::Nil }
            }
            ("list" | "log", _) => {
                let number = |value: &Value| value.as_integer().unwrap() as usize;
                let (from, limit) = match argument {
                    Value::Nil => (0, usize::MAX),
                    Value::Integer(_) => (number(argument), usize::MAX),
                    _ => argument.as_pair().map(|(a, b)| (number(a), number(b))).unwrap(),
                };
                Value::list(self.entries.iter().skip(from).take(limit).cloned())
            }
            ("kv", "append") => {
                let text = |value: &Value| match value {
                    Value::Text(text) => text.to_string(),
                    _ => unreachable!("only texts are written"),
                };
                self.text = (text(&self.text) + &text(argument)).as_str().into();
                Value::Nil
            }
            ("kv", "write") => {
                self.text = argument.clone();
                Value::Nil
            }
            ("kv", "delete") => {
                self.text = "".into();
                Value::Nil
            }
            ("kv", "cas") => {
                let (expected, new) = argument.as_pair().unwrap();
                let found = *expected == self.text;
                if found {
                    self.text = new.clone();
                }
                found.into()
            }
            ("kv", _) if self.text == "".into() && tells => Value::Nil,
            ("kv", _) => self.text.clone(),
            ("mutex", function) => {
                let acquires = function == "acquire";
                if self.held == acquires {
                    return None;
                }
                self.held = acquires;
                Value::Nil
            }
            ("unique-ids", _) => {
                self.ids += 1;
                self.ids.into()
            }
            ("multi-register", _) => filled(argument, |access| {
                if access[0] == "write".into() {
                    self.registers.insert(access[1].clone(), access[2].clone());
                }
                self.registers.get(&access[1]).cloned().unwrap_or_default()
            }),
            ("bank", "transfer") => {
                let [from, to, amount] = argument.as_list().unwrap() else {
                    unreachable!("a transfer has three parts");
                };
                let amount = amount.as_integer().unwrap();
                if self.balances[from] < amount {
                    return tells.then_some(false.into());
                }
                *self.balances.get_mut(from).unwrap() -= amount;
                *self.balances.get_mut(to).unwrap() += amount;
                Value::Nil
            }
            ("bank", _) => {
                let pair = |(account, balance): (&Value, &i64)| {
                    Value::pair(account.clone(), (*balance).into())
                };
                Value::list(self.balances.iter().map(pair))
            }
            ("counter", "add") => {
                self.sum += argument.as_integer().unwrap();
                if tells { self.sum.into() } else { Value::Nil }
            }
            _ => self.sum.into(),
        })
    }
}

/// Lets each operation take effect at a random moment of its interval and answer accordingly.
fn explain_results(model: &str, operations: &mut [Operation], raws: &[Raw]) {
    let mut objects = Objects::new();
    for position in in_order_of_effect(operations, raws) {
        let operation = &mut operations[position];
        let tells = raws[operation.id as usize].4.is_multiple_of(2);
        match objects.answer(model, operation, tells) {
            Some(answer) if operation.is_ok() => operation.result = answer,
            None if operation.is_ok() => operation.outcome = Outcome::Fail,
            _ => (),
        }
    }
}

fn compare(
    family: Family,
    raws: &[Raw],
    sane: bool,
    damage: Option<(u8, u8)>,
) -> Result<bool, TestCaseError> {
    let mut operations: Vec<Operation> =
        raws.iter().enumerate().map(|(index, raw)| family.operation(index, raw)).collect();
    super::order(&mut operations);
    if sane {
        explain_results(family.model, &mut operations, raws);
    } else {
        for operation in operations.iter_mut().filter(|operation| operation.is_ok()) {
            operation.result = family.wild(operation, &raws[operation.id as usize]);
        }
    }
    if let Some((one, other)) = damage {
        mistake(&mut operations, usize::from(one), usize::from(other));
    }
    let initial = family.initial();
    let specification = Specification { initial: &initial, ..Specification::of(family.model) };
    decide_like_the_twin(specification, &operations)
}

/// Lets one operation answer what another one of its function did; or one that failed be ok.
fn mistake(operations: &mut [Operation], one: usize, other: usize) {
    let (one, other) = (one % operations.len(), other % operations.len());
    let same = operations[one].function == operations[other].function
        && operations[one].argument == operations[other].argument;
    match operations[one].outcome {
        Outcome::Ok if same && operations[other].is_ok() => {
            operations[one].result = operations[other].result.clone();
        }
        Outcome::Fail if operations[one].function != "cas" && operations[one].function != "txn" => {
            operations[one].outcome = Outcome::Ok;
        }
        _ => (),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6_000) })]

    #[test]
    fn every_decision_is_that_of_the_twin_that_tries_every_order(
        family in 0..FAMILIES.len(),
        raws in prop::collection::vec(any::<Raw>(), 1..8),
        sane in prop::bool::weighted(0.75),
        damage in prop::option::of(any::<(u8, u8)>()),
    ) {
        compare(FAMILIES[family], &raws, sane, damage)?;
    }
}

#[test]
fn the_random_histories_are_valid_and_invalid_often_enough() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let raws = prop::collection::vec(any::<Raw>(), 1..8);
    for family in FAMILIES {
        let mut valid = 0;
        for round in 0..200_u8 {
            let raws = raws.new_tree(&mut runner).unwrap().current();
            let damage = (round % 3 == 0).then_some((round, round / 3));
            valid += u32::from(compare(family, &raws, round % 4 != 0, damage).unwrap());
        }
        assert!((40..=195).contains(&valid), "{family:?}: {valid} of 200");
    }
}

#[test]
fn a_list_keeps_its_entries_in_their_places() {
    Case::new(
        "list",
        "p1 append k 1 10..40
         p2 append k 2 10..40
         p3 read   k - 20..30 [2]
         p3 read   k - 41..50 [2,1]",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "list",
        "p1 append k 1 10..40
         p2 append k 2 10..40
         p3 read   k - 41..50 [2,1]
         p4 read   k - 42..51 [1,2]",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s found [2, 1], but the read of k by process 4 at 0.051 s \
         found [1, 2]: neither begins with the other, and entries never move",
    );
    Case::new(
        "list",
        "p1 append k 1 10..20
         p2 append k 2 30..40
         p3 read   k - 10..50 [2,1]",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s found 2 before 1, but append 1 by process 1 had \
         completed at 0.020 s, before append 2 by process 2 began",
    );
    Case::new(
        "list",
        "p1 append k 1 10..20
         p3 read   k - 21..50",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s did not find 1, but append 1 by process 1 had completed \
         at 0.020 s, before that began",
    );
    Case::new("list", "p3 read k - 21..50 [7]").rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s found 7, which nobody ever appended",
    );
}

#[test]
fn a_log_gives_an_offset_once() {
    Case::new(
        "log",
        "p1 append k 7     10..20 1
         p2 append k 8     10..20 0
         p3 read   k 1     30..40 [7]
         p3 read   k [0,1] 41..50 [8]",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "log",
        "p1 append k 7 10..20 0
         p2 append k 8 11..21 0",
    )
    .rejected_by(
        &GUARANTEE,
        "process 1 asked to append 7 of k and was told 0 at 0.020 s, and process 2 asked to append 8 \
         of k and was told 0 at 0.021 s: two entries at one offset",
    );
}

#[test]
fn a_text_loses_no_append() {
    Case::new(
        "kv",
        "p1 append k a. 10..40
         p2 write  k w. 15..30
         p3 read   k -  16..50 w.a.
         p4 append k b. 51..?
         p3 read   k -  60..70 w.a.",
    )
    .accepted_by(&GUARANTEE);
    Case::new(
        "kv",
        "p1 append k a. 10..20
         p2 append k b. 21..30
         p3 read   k -  40..50 a.",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s did not find \"b.\", but append \"b.\" by process 2 had \
         completed at 0.030 s, before that began",
    );
    Case::new(
        "kv",
        "p1 append k a. 10..20
         p2 append k b. 30..40
         p3 read   k -  41..50 b.a.",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s found \"b.\" before \"a.\", but append \"a.\" by process \
         1 had completed at 0.020 s, before append \"b.\" by process 2 began",
    );
    Case::new(
        "kv",
        "p1 write  k w. 10..20
         p1 append k a. 21..30
         p3 read   k -  40..50 w.",
    )
    .rejected_by(
        &GUARANTEE,
        "the read of k by process 3 at 0.050 s did not find \"a.\", but append \"a.\" by process 1 had \
         completed at 0.030 s, before that began",
    );
    Case::new(
        "kv",
        "p1 write k 1 10..20
         p2 write k 2 21..30
         p3 read  k - 40..50 1",
    )
    .rejected_by(
        &GUARANTEE,
        "process 3 read 1 of k at 0.050 s, but write 2 by process 2 had completed at 0.030 s, before that \
         began, and write 1 by process 1 had completed at 0.020 s, before the write began",
    );
    Case::new("kv", "p1 append k a. 1..2 fail\n p3 read k - 40..50 a.").rejected_by(
        &GUARANTEE,
        "process 3 read \"a.\" of k at 0.050 s, but append \"a.\" by process 1 had failed",
    );
}

#[test]
fn a_mutex_is_held_once_at_a_time() {
    let quiet = "p1 acquire k - 1..2
                 p1 release k - 3..4";
    Case::new("mutex", quiet).accepted_by(&GUARANTEE);
    Case::new(
        "mutex",
        &format!(
            "{quiet}
             p1 acquire k - 10..20
             p2 acquire k - 11..30
             p1 release k - 31..40"
        ),
    )
    .rejected_by(
        &GUARANTEE,
        "from 0.010 s on, when the mutex of k was free, 2 acquires had completed by 0.030 s, but only \
         0 releases had been invoked, so it was held twice at once",
    );
}

#[test]
fn an_identifier_is_given_once() {
    Case::new("unique-ids", "p1 generate k - 1..2 7\n p2 generate k - 1..3 8")
        .accepted_by(&GUARANTEE);
    Case::new("unique-ids", "p1 generate k - 1..2 7\n p2 generate k - 1..3 7").rejected_by(
        &GUARANTEE,
        "process 1 was given 7 at 0.002 s, and process 2 was given it too, at 0.003 s",
    );
}

#[test]
fn money_is_neither_made_nor_lost() {
    let pair = |account: &str, balance: i64| Value::pair(account.into(), balance.into());
    let initial = Value::list([pair("a", 100), pair("b", 0)]);
    let mut history = crate::story::history("p1 read k - 1..2 -");
    let mut judge = |found: &[(&str, i64)]| {
        history.operations[0].result = Value::list(found.iter().map(|(a, b)| pair(a, *b)));
        let evidence =
            crate::Evidence { initial: &initial, ..crate::Evidence::of_history(&history, "bank") };
        let judgement = GUARANTEE.judge(&evidence, &wrack_history::Settings::default());
        judgement.anomalies.first().map(|anomaly| anomaly.explanation.clone()).unwrap_or_default()
    };
    assert_eq!(judge(&[("a", 100), ("b", 0)]), "");
    assert_eq!(
        judge(&[("a", 100), ("b", 1)]),
        "the read of k by process 1 at 0.002 s found 101 in all accounts together, but they held 100 at \
         first, and no transfer changes that"
    );
    assert_eq!(
        judge(&[("a", 101), ("b", -1)]),
        "the read of k by process 1 at 0.002 s found -1 in account \"b\", but no transfer takes more \
         than there is"
    );
}

#[test]
fn a_lost_transfer_is_told_from_the_read_before_it_on() {
    let accounts = |balances: [i64; 2]| {
        let [a, b] = balances.map(Value::from);
        Value::list([Value::pair("a".into(), a), Value::pair("b".into(), b)])
    };
    let transfer = |amount: i64| Value::list(["a".into(), "b".into(), amount.into()]);
    let initial = accounts([100, 0]);
    let mut history = crate::story::history(
        "p1 transfer k - 1..2 -\n p2 read k - 3..4 -\n p1 transfer k - 5..6 -\n p3 transfer k - 5..20 -\n \
         p2 read k - 7..8 -",
    );
    for (operation, amount) in [(0, 10), (2, 20), (3, 5)] {
        history.operations[operation].argument = transfer(amount);
    }
    history.operations[1].result = accounts([90, 10]);
    history.operations[4].result = accounts([85, 15]);
    let evidence =
        crate::Evidence { initial: &initial, ..crate::Evidence::of_history(&history, "bank") };
    let judgement = GUARANTEE.judge(&evidence, &wrack_history::Settings::default());
    assert_eq!(
        judgement.anomalies[0].explanation,
        "from what the read of k by process 2 at 0.004 s found, whether 1 transfer beside took effect or \
         not, no order of these 2 operations is legal: process 1 asked to transfer [\"a\", \"b\", 20] of k \
         and was told ok (0.005 s to 0.006 s); process 2 read [[\"a\", 85], [\"b\", 15]] of k (0.007 s to \
         0.008 s); it found 85 in account \"a\", where they leave 65 to 70; it found 15 in account \"b\", \
         where they leave 30 to 35"
    );
    assert_eq!(judgement.anomalies[0].operations, [1, 2, 4]);
}
