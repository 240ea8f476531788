//! Isolation levels of transactions, one thread, histories made beforehand.
//!
//! `cargo bench -p wrack-checkers --bench judging -- transactions`
//!
//! A transaction has 1 to 8 micro-operations, 4.5 on average, on 100 keys at a time with 32 writes each:
//! 220,000 of them are a million operations. All take effect at one moment of their interval, so that
//! they are strict serializable; those of the last group read from snapshots, and the first committer
//! wins, so that some show write skew.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wrack_checkers::{Evidence, by_code};
use wrack_history::{History, Moment, Operation, Outcome, Settings, Value, Verdict};
use wrack_workloads::generated::{Kind, Shape, generate};

criterion_group!(benches, large, small);

fn made(kind: Kind, operations: u32, clients: u32) -> History {
    let shape = Shape {
        kind,
        keys: 100,
        clients,
        operations,
        values: 0,
        doubtful: 0,
        mutated: false,
        seed: 1,
    };
    generate(&shape).expect("a shape").history
}

fn large(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transactions");
    group.sample_size(10);
    for (kind, codes) in
        [(Kind::ListAppend, &["SSER"][..]), (Kind::RwRegister, &["SSER", "RCA", "RA", "CC"])]
    {
        let history = made(kind, 220_000, 50);
        let evidence = Evidence::of_history(&history, kind.model());
        for code in codes {
            let guarantee = by_code(code).expect("a level");
            let judge = || guarantee.judge(&evidence, &Settings::default());
            let name = format!("{}, 220,000 transactions, {code}", kind.model());
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let judgement = black_box(judge());
                    assert_eq!(judgement.verdict, Verdict::Valid, "{:?}", judgement.reason);
                });
            });
        }
    }
}

fn small(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transactions");
    group.sample_size(10);
    let histories: Vec<History> = (0..20).map(|seed| snapshots(seed, 2_200)).collect();
    for code in ["SER", "SI"] {
        let guarantee = by_code(code).expect("a level");
        group.bench_function(
            format!("2,200 transactions on snapshots, 20 seeds, {code}"),
            |bencher| {
                bencher.iter(|| {
                    for history in &histories {
                        let evidence = Evidence::of_history(history, "rw-register");
                        let judgement = black_box(guarantee.judge(&evidence, &Settings::default()));
                        let wrong = if code == "SI" { Verdict::Invalid } else { Verdict::Unknown };
                        assert_ne!(judgement.verdict, wrong);
                    }
                });
            },
        );
    }
}

/// A history of 20 sessions on a store with snapshot isolation.
fn snapshots(seed: u64, count: usize) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: u64| rng.next_u64() % bound;
    let mut versions: BTreeMap<i64, Vec<(usize, i64)>> = BTreeMap::new();
    let mut open: Vec<Option<(usize, usize)>> = vec![None; 20];
    let mut operations: Vec<Operation> = Vec::new();
    let (mut commits, mut index, mut next) = (0, 0, 0);
    while operations.len() < count || open.iter().any(Option::is_some) {
        let session = below(20) as usize;
        let at = Moment { index, ns: index };
        index += 1;
        let Some((place, snapshot)) = open[session].take() else {
            if operations.len() < count {
                open[session] = Some((operations.len(), commits));
                let asked = (0..1 + below(8)).map(|_| {
                    let key = below(200) as i64;
                    next += 1;
                    match below(2) {
                        0 => Value::list(["r".into(), key.into(), Value::Nil]),
                        _ => Value::list(["w".into(), key.into(), next.into()]),
                    }
                });
                let asked = Value::list(asked.collect::<Vec<_>>());
                operations.push(invoked(operations.len() as u64, session as u32, asked, at));
            }
            continue;
        };
        let operation = &mut operations[place];
        operation.complete = at;
        let (answers, own) = answer(&operation.argument, &versions, snapshot);
        let newer = |key: &i64| {
            let last = versions.get(key).and_then(|all| all.last());
            last.is_some_and(|(commit, _)| *commit > snapshot)
        };
        if own.keys().any(newer) {
            operation.outcome = Outcome::Fail;
            continue;
        }
        commits += 1;
        operation.result = answers;
        for (key, value) in own {
            versions.entry(key).or_default().push((commits, value));
        }
    }
    History { operations, nemesis: Vec::new() }
}

fn invoked(id: u64, session: u32, argument: Value, at: Moment) -> Operation {
    Operation {
        id,
        process: session,
        session,
        key: "".into(),
        function: "txn".into(),
        argument,
        result: Value::Nil,
        outcome: Outcome::Ok,
        invoke: at,
        complete: Moment::NEVER,
        details: None,
    }
}

/// What a transaction sees of its snapshot, and what it writes.
fn answer(
    asked: &Value,
    versions: &BTreeMap<i64, Vec<(usize, i64)>>,
    snapshot: usize,
) -> (Value, BTreeMap<i64, i64>) {
    let mut own = BTreeMap::new();
    let micros = asked.as_list().expect("a list").iter().map(|micro| {
        let [function, key, value] = micro.as_list().expect("a micro") else {
            panic!("three parts");
        };
        let number = key.as_integer().expect("a key");
        if let Some(value) = value.as_integer() {
            own.insert(number, value);
            return micro.clone();
        }
        let all = versions.get(&number).map_or(&[][..], Vec::as_slice);
        let seen = all.iter().rev().find(|(commit, _)| *commit <= snapshot);
        let found = own.get(&number).copied().or(seen.map(|(_, value)| *value));
        Value::list([function.clone(), key.clone(), found.map_or(Value::Nil, Value::from)])
    });
    (Value::list(micros.collect::<Vec<_>>()), own)
}
