//! Linearizability of the objects that are no registers, one thread, histories made beforehand.
//!
//! `cargo bench -p wrack-checkers --bench judging -- objects`
//!
//! Clients in a closed loop against one true object: each operation takes effect at one moment of its
//! interval, so the histories are linearizable; a broken one has one read that is out of date.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wrack_checkers::{Evidence, by_code};
use wrack_history::{History, Moment, Operation, Outcome, Settings, SmolStr, Value, Verdict};

criterion_group!(benches, lists, texts, others);

/// What an operation asks and is told, at the moment of its effect.
struct Effect {
    function: &'static str,
    argument: Value,
    result: Value,
}

/// How many clients do how many operations on how many keys.
#[derive(Clone, Copy)]
struct Load {
    clients: u32,
    operations: u64,
    keys: u64,
}

/// A draw below a bound; the bias does not matter here.
fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    rng.next_u64() % bound
}

/// A history of objects, one a key, each of which answers from its state.
fn history<S: Default>(
    load: Load,
    mut act: impl FnMut(&mut S, &mut ChaCha8Rng) -> Effect,
) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(load.operations);
    let mut objects: Vec<S> = (0..load.keys).map(|_| S::default()).collect();
    let mut next: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
    for client in 0..load.clients {
        let invoke = below(&mut rng, 100);
        next.push(Reverse((invoke + 1 + below(&mut rng, 100), invoke, client)));
    }
    let mut operations = Vec::with_capacity(load.operations as usize);
    while let Some(Reverse((effect, invoke, client))) = next.pop() {
        let key = below(&mut rng, load.keys);
        let Effect { function, argument, result } = act(&mut objects[key as usize], &mut rng);
        let complete = effect + 1 + below(&mut rng, 100);
        let moment = |ns: u64| Moment { index: ns, ns };
        operations.push(Operation {
            id: 0,
            process: client,
            session: client,
            key: SmolStr::from(format!("k{key}")),
            function: function.into(),
            argument,
            result,
            outcome: Outcome::Ok,
            invoke: moment(invoke),
            complete: moment(complete),
            details: None,
        });
        if operations.len() as u64 + next.len() as u64 == load.operations {
            continue;
        }
        let invoke = complete + 1 + below(&mut rng, 10);
        next.push(Reverse((invoke + 1 + below(&mut rng, 100), invoke, client)));
    }
    numbered(operations)
}

/// Gives every event its own place in the order of time.
fn numbered(mut operations: Vec<Operation>) -> History {
    operations.sort_by_key(|operation| operation.invoke.ns);
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (position, operation) in operations.iter().enumerate() {
        events.push((operation.invoke.ns, false, position));
        events.push((operation.complete.ns, true, position));
    }
    events.sort_unstable();
    for (index, (_, completes, position)) in events.into_iter().enumerate() {
        let operation = &mut operations[position];
        let moment = if completes { &mut operation.complete } else { &mut operation.invoke };
        moment.index = index as u64;
    }
    operations.sort_by_key(|operation| operation.invoke.index);
    for (id, operation) in operations.iter_mut().enumerate() {
        operation.id = id as u64;
    }
    History { operations, nemesis: Vec::new() }
}

/// The history with one read in each key, half way, that finds what an earlier one found.
fn broken(mut history: History) -> History {
    let keys: BTreeSet<SmolStr> = history.operations.iter().map(|one| one.key.clone()).collect();
    for key in keys {
        let reads = history.operations.iter().enumerate();
        let reads: Vec<usize> = reads
            .filter(|(_, one)| one.key == key && one.function == "read")
            .map(|(position, _)| position)
            .collect();
        let half = &reads[reads.len() / 2..];
        let later = half.iter().copied().find(|later| {
            let (old, new) = (&history.operations[reads[0]], &history.operations[*later]);
            old.result != new.result && old.precedes(new)
        });
        let later = later.expect("something is read that is new");
        history.operations[later].result = history.operations[reads[0]].result.clone();
    }
    history
}

fn bench(criterion: &mut Criterion, model: &str, name: &str, history: &History, expected: Verdict) {
    let mut group = criterion.benchmark_group(format!("objects, {model}"));
    group.throughput(Throughput::Elements(history.operations.len() as u64));
    let initial = match model {
        "bank" => Value::list((0..5).map(|account| Value::pair(account.into(), 100.into()))),
        _ => Value::Nil,
    };
    let evidence = Evidence { initial: &initial, ..Evidence::of_history(history, model) };
    let guarantee = by_code("LIN").expect("linearizability is a guarantee");
    let judge = || guarantee.judge(&evidence, &Settings::default());
    let judgement = judge();
    assert_eq!(judgement.verdict, expected, "{model} {name}: {judgement:?}");
    group.bench_function(name, |bencher| bencher.iter(|| black_box(judge())));
    group.finish();
}

/// Appends of what is new, and reads of all.
fn append_or_read(list: &mut Vec<Value>, rng: &mut ChaCha8Rng) -> Effect {
    if rng.next_u32().is_multiple_of(2) {
        let element = Value::from(list.len() as i64);
        list.push(element.clone());
        return Effect { function: "append", argument: element, result: Value::Nil };
    }
    Effect { function: "read", argument: Value::Nil, result: Value::list(list.iter().cloned()) }
}

fn lists(criterion: &mut Criterion) {
    let load = Load { clients: 64, operations: 10_000, keys: 10 };
    let whole = history(load, append_or_read);
    bench(criterion, "list", "10,000 operations, 10 keys", &whole, Verdict::Valid);
    bench(criterion, "list", "the same, all keys broken", &broken(whole), Verdict::Invalid);
    let log = |log: &mut Vec<Value>, rng: &mut ChaCha8Rng| {
        let offset = log.len() as i64;
        match append_or_read(log, rng) {
            append @ Effect { function: "append", .. } => {
                Effect { result: offset.into(), ..append }
            }
            _ => {
                let from = below(rng, log.len() as u64 + 1) as usize;
                let found = Value::list(log[from..].iter().cloned());
                Effect { function: "read", argument: (from as i64).into(), result: found }
            }
        }
    };
    bench(criterion, "log", "10,000 operations, 10 keys", &history(load, log), Verdict::Valid);
}

fn texts(criterion: &mut Criterion) {
    let text = |(text, pieces): &mut (String, u64), rng: &mut ChaCha8Rng| {
        *pieces += 1;
        // One piece in fifty is used twice, as in the histories of the labs.
        let piece = format!("x {} y", *pieces - u64::from(below(rng, 50) == 0));
        match below(rng, 20) {
            0 => {
                let piece = format!("w {pieces} y");
                text.clone_from(&piece);
                Effect { function: "write", argument: piece.as_str().into(), result: Value::Nil }
            }
            1..10 => {
                text.push_str(&piece);
                Effect { function: "append", argument: piece.as_str().into(), result: Value::Nil }
            }
            _ => {
                let found = text.as_str().into();
                Effect { function: "read", argument: Value::Nil, result: found }
            }
        }
    };
    let small = history(Load { clients: 50, operations: 1_700, keys: 10 }, text);
    bench(criterion, "kv", "1,700 operations, 10 keys", &small, Verdict::Valid);
    bench(criterion, "kv", "the same, all keys broken", &broken(small), Verdict::Invalid);
    let great = history(Load { clients: 50, operations: 100_000, keys: 1_000 }, text);
    bench(criterion, "kv", "100,000 operations, 1,000 keys", &great, Verdict::Valid);
}

fn others(criterion: &mut Criterion) {
    let load = Load { clients: 32, operations: 10_000, keys: 1 };
    let counter = |sum: &mut i64, rng: &mut ChaCha8Rng| match below(rng, 2) {
        0 => {
            *sum += 1;
            Effect { function: "add", argument: 1.into(), result: Value::Nil }
        }
        _ => Effect { function: "read", argument: Value::Nil, result: (*sum).into() },
    };
    bench(criterion, "counter", "10,000 operations", &history(load, counter), Verdict::Valid);

    let mutex = |held: &mut bool, _: &mut ChaCha8Rng| {
        *held = !*held;
        let function = if *held { "acquire" } else { "release" };
        Effect { function, argument: Value::Nil, result: Value::Nil }
    };
    bench(criterion, "mutex", "10,000 operations", &history(load, mutex), Verdict::Valid);

    let set = |count: &mut i64, rng: &mut ChaCha8Rng| match below(rng, 10) {
        0 => {
            let found = Value::list((0..*count).map(Value::from));
            Effect { function: "read", argument: Value::Nil, result: found }
        }
        _ => {
            *count += 1;
            Effect { function: "add", argument: (*count - 1).into(), result: Value::Nil }
        }
    };
    let few = Load { operations: 1_000, ..load };
    bench(criterion, "g-set", "1,000 operations", &history(few, set), Verdict::Valid);

    let ids = |last: &mut i64, _: &mut ChaCha8Rng| {
        *last += 1;
        Effect { function: "generate", argument: Value::Nil, result: (*last).into() }
    };
    let many = Load { operations: 100_000, ..load };
    bench(criterion, "unique-ids", "100,000 operations", &history(many, ids), Verdict::Valid);

    let few = Load { clients: 5, operations: 1_000, keys: 1 };
    bench(criterion, "bank", "1,000 operations", &history(few, transfer_or_read), Verdict::Valid);
    let registers = history(few, access);
    bench(criterion, "multi-register", "1,000 operations", &registers, Verdict::Valid);
}

#[derive(Default)]
struct Bank(Vec<i64>);

fn transfer_or_read(Bank(balances): &mut Bank, rng: &mut ChaCha8Rng) -> Effect {
    balances.resize(5, 100);
    if rng.next_u32().is_multiple_of(2) {
        let pair = |(account, balance): (i64, &i64)| Value::pair(account.into(), (*balance).into());
        let found = Value::list((0..).zip(balances.iter()).map(pair));
        return Effect { function: "read", argument: Value::Nil, result: found };
    }
    let [from, to] = [below(rng, 5), below(rng, 5)];
    let amount = 1 + below(rng, 5) as i64;
    let enough = balances[from as usize] >= amount;
    if enough {
        balances[from as usize] -= amount;
        balances[to as usize] += amount;
    }
    let argument = Value::list([(from as i64).into(), (to as i64).into(), amount.into()]);
    let result = if enough { Value::Nil } else { false.into() };
    Effect { function: "transfer", argument, result }
}

/// Reads or writes two of three registers.
fn access(registers: &mut [i64; 3], rng: &mut ChaCha8Rng) -> Effect {
    let first = below(rng, 3) as usize;
    let mut done = Vec::new();
    for register in [first, (first + 1) % 3] {
        let function = if rng.next_u32().is_multiple_of(2) { "read" } else { "write" };
        if function == "write" {
            registers[register] = below(rng, 5) as i64;
        }
        let value = match registers[register] {
            0 => Value::Nil,
            value => value.into(),
        };
        done.push(Value::list([function.into(), (register as i64).into(), value]));
    }
    let done = Value::list(done);
    Effect { function: "txn", argument: done.clone(), result: done }
}
