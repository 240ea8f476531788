//! Linearizable histories of queues, stacks, priority queues and sets, and how long their judgement
//! takes.
//!
//! `cargo bench -p wrack-checkers --bench judging -- containers`

use std::collections::{BTreeSet, BinaryHeap};
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group};
use wrack_checkers::{Evidence, by_code};
use wrack_history::{History, Moment, Operation, Outcome, Settings, Value, Verdict};

/// What is judged.
#[derive(Clone, Copy)]
struct Case {
    model: &'static str,
    clients: usize,
    operations: usize,
    /// Of 100 operations, how many their client never hears of again.
    info: u64,
}

const CASES: [Case; 10] = [
    Case { model: "queue", clients: 8, operations: 100_000, info: 0 },
    Case { model: "queue", clients: 64, operations: 100_000, info: 0 },
    Case { model: "stack", clients: 8, operations: 100_000, info: 0 },
    Case { model: "stack", clients: 64, operations: 100_000, info: 0 },
    Case { model: "priority-queue", clients: 8, operations: 100_000, info: 0 },
    Case { model: "priority-queue", clients: 64, operations: 100_000, info: 0 },
    Case { model: "set", clients: 32, operations: 10_000, info: 0 },
    Case { model: "queue", clients: 16, operations: 10_000, info: 2 },
    Case { model: "stack", clients: 16, operations: 10_000, info: 2 },
    Case { model: "priority-queue", clients: 16, operations: 10_000, info: 2 },
];

/// The finalizer of splitmix64, counted up.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The one true object.
#[derive(Default)]
struct Object {
    inside: Vec<Value>,
    /// How many of a queue's values are gone.
    gone: usize,
    set: BTreeSet<Value>,
}

impl Object {
    fn apply(&mut self, operation: &Operation) -> Value {
        let value = &operation.argument;
        match operation.function.as_str() {
            "enqueue" | "push" => self.inside.push(value.clone()),
            "insert" => {
                let place = self.inside.partition_point(|other| other > value);
                self.inside.insert(place, value.clone());
            }
            "pop" | "delete-min" => return self.inside.pop().unwrap_or_default(),
            "dequeue" => {
                let next = self.inside.get(self.gone).cloned();
                self.gone += usize::from(next.is_some());
                return next.unwrap_or_default();
            }
            "add" => return self.set.insert(value.clone()).into(),
            "remove" => return self.set.remove(value).into(),
            _ => return self.set.contains(value).into(),
        }
        Value::Nil
    }
}

/// What a client asks next; every value goes in once, and a set has 20 elements.
fn ask(model: &str, id: i64, chance: &mut Chance) -> (&'static str, Value) {
    let inserts = chance.below(2) == 0;
    let priority = (chance.below(1 << 30) as i64) << 20 | id;
    match (model, inserts) {
        ("queue", true) => ("enqueue", id.into()),
        ("queue", false) => ("dequeue", Value::Nil),
        ("stack", true) => ("push", id.into()),
        ("stack", false) => ("pop", Value::Nil),
        ("priority-queue", true) => ("insert", priority.into()),
        ("priority-queue", false) => ("delete-min", Value::Nil),
        _ => {
            let function = ["add", "remove", "contains"][chance.below(3) as usize];
            (function, (chance.below(20) as i64).into())
        }
    }
}

/// What a client does next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Invoke,
    TakeEffect,
    Complete,
}

/// Clients that each ask, wait, and ask again; an operation takes effect while it is open.
fn history(case: Case) -> History {
    let mut chance = Chance(case.clients as u64);
    let mut object = Object::default();
    let mut operations: Vec<Operation> = Vec::with_capacity(case.operations);
    let mut open = vec![0; case.clients];
    let mut processes: Vec<u32> = (0..case.clients as u32).collect();
    let mut next_process = case.clients as u32;
    let mut index = 0;
    let mut moment = |ns| {
        index += 1;
        Moment { index, ns }
    };
    let mut agenda = BinaryHeap::new();
    for client in 0..case.clients {
        agenda.push(std::cmp::Reverse((chance.below(50), client, Stage::Invoke)));
    }
    while let Some(std::cmp::Reverse((now, client, stage))) = agenda.pop() {
        let mut then = |stage, within| {
            agenda.push(std::cmp::Reverse((now + 1 + chance.below(within), client, stage)));
        };
        match stage {
            Stage::Invoke if operations.len() == case.operations => (),
            Stage::Invoke => {
                then(Stage::TakeEffect, 100);
                let id = operations.len();
                let (function, argument) = ask(case.model, id as i64, &mut chance);
                open[client] = id;
                operations.push(Operation {
                    id: id as u64,
                    process: processes[client],
                    session: client as u32,
                    key: "k".into(),
                    function: function.into(),
                    argument,
                    result: Value::Nil,
                    outcome: Outcome::Info,
                    invoke: moment(now),
                    complete: Moment::NEVER,
                    details: None,
                });
            }
            Stage::TakeEffect => {
                then(Stage::Complete, 100);
                let operation = &mut operations[open[client]];
                let heard_of = chance.below(100) >= case.info;
                if heard_of || chance.below(2) == 0 {
                    let result = object.apply(operation);
                    if heard_of {
                        (operation.outcome, operation.result) = (Outcome::Ok, result);
                    }
                }
            }
            Stage::Complete => {
                then(Stage::Invoke, 10);
                let operation = &mut operations[open[client]];
                if operation.is_ok() {
                    operation.complete = moment(now);
                } else {
                    processes[client] = next_process;
                    next_process += 1;
                }
            }
        }
    }
    History { operations, nemesis: Vec::new() }
}

fn containers(criterion: &mut Criterion) {
    let guarantee = by_code("LIN").expect("linearizability is a guarantee");
    let mut group = criterion.benchmark_group("containers");
    group.sample_size(10);
    for case in CASES {
        let Case { model, clients, operations, info } = case;
        let history = history(case);
        let evidence = Evidence::of_history(&history, model);
        let judge = || guarantee.judge(black_box(&evidence), &Settings::default());
        assert_eq!(judge().verdict, Verdict::Valid);
        let name = format!("{clients} clients, {operations} operations, {info} % in doubt");
        group.bench_function(BenchmarkId::new(model, name), |bencher| bencher.iter(judge));
    }
    group.finish();
}

criterion_group!(benches, containers);
