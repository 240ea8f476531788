//! Every guarantee that a recorded history can be judged by, on 100,000 operations of 16 clients.
//!
//! `cargo bench -p wrack-checkers --bench judging -- guarantees`; `-- --quick` for a first look. With the variable
//! `WRACK_BENCH_OPERATIONS` the histories are of another size.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use wrack_checkers::online::online;
use wrack_checkers::{Evidence, by_code};
use wrack_history::{
    Fact, FactRecord, History, Moment, Operation, Outcome, Setting, Settings, Value, Verdict,
};

const CLIENTS: u64 = 16;
const KEYS: u64 = 5;

/// One atomic object of each key, and what its operations do.
trait Object {
    /// Function, argument and result of the next operation on a key, which may be a read.
    fn act(&mut self, id: u64, key: usize, read: bool) -> (&'static str, Value, Value);
}

/// Written values are the ids of the writes, from 1.
struct Registers(Vec<i64>);

impl Object for Registers {
    fn act(&mut self, id: u64, key: usize, read: bool) -> (&'static str, Value, Value) {
        if read {
            let value = self.0[key];
            return ("read", Value::Nil, if value == 0 { Value::Nil } else { value.into() });
        }
        self.0[key] = id as i64 + 1;
        ("write", self.0[key].into(), Value::Nil)
    }
}

struct Counters(Vec<i64>);

impl Object for Counters {
    fn act(&mut self, _: u64, key: usize, read: bool) -> (&'static str, Value, Value) {
        if read {
            return ("read", Value::Nil, self.0[key].into());
        }
        self.0[key] += 1;
        ("add", 1.into(), Value::Nil)
    }
}

/// One read in a thousand, since each returns everything.
struct Sets(Vec<Vec<Value>>);

impl Object for Sets {
    fn act(&mut self, id: u64, key: usize, _: bool) -> (&'static str, Value, Value) {
        if id % 1_000 == 999 {
            return ("read", Value::Nil, Value::list(self.0[key].iter().cloned()));
        }
        self.0[key].push((id as i64).into());
        ("add", (id as i64).into(), Value::Nil)
    }
}

struct Banks;

impl Object for Banks {
    fn act(&mut self, id: u64, _: usize, read: bool) -> (&'static str, Value, Value) {
        if read {
            let shift = (id / CLIENTS % 7) as i64;
            let balance = |account: i64| {
                let balance =
                    if account == 0 { 10 - shift } else { 10 + i64::from(account == 1) * shift };
                Value::pair(account.into(), balance.into())
            };
            return ("read", Value::Nil, Value::list((0..8).map(balance)));
        }
        ("transfer", Value::list([0.into(), 1.into(), 1.into()]), Value::Nil)
    }
}

struct Identifiers;

impl Object for Identifiers {
    fn act(&mut self, id: u64, _: usize, _: bool) -> (&'static str, Value, Value) {
        ("generate", Value::Nil, (id as i64).into())
    }
}

/// Each client polls on from where it was.
struct Logs {
    entries: Vec<Vec<i64>>,
    polled: Vec<Vec<usize>>,
}

impl Object for Logs {
    fn act(&mut self, id: u64, key: usize, read: bool) -> (&'static str, Value, Value) {
        let log = &mut self.entries[key];
        if read {
            let polled = &mut self.polled[(id % CLIENTS) as usize][key];
            let from = std::mem::replace(polled, log.len());
            let entry = |offset: usize| Value::pair((offset as i64).into(), log[offset].into());
            return ("poll", Value::Nil, Value::list((from..log.len()).map(entry)));
        }
        log.push(id as i64);
        ("append", (id as i64).into(), (log.len() as i64 - 1).into())
    }
}

/// Rounds in which all clients invoke, take effect in turn, and complete. Half of them are reads, and the
/// last hundred rounds nothing else.
fn history(count: u64, object: &mut dyn Object) -> History {
    let operation = |id: u64| {
        let (round, client) = (id / CLIENTS, id % CLIENTS);
        let at = |half: u64| {
            let index = (2 * round + half) * CLIENTS + client;
            Moment { index, ns: index * 1_000 }
        };
        let key = (id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % KEYS;
        let read = (round + id).is_multiple_of(2) || id + 100 * CLIENTS >= count;
        let (function, argument, result) = object.act(id, key as usize, read);
        Operation {
            id,
            process: client as u32,
            session: client as u32,
            key: format!("k{key}").into(),
            function: function.into(),
            argument,
            result,
            outcome: Outcome::Ok,
            invoke: at(0),
            complete: at(1),
            details: None,
        }
    };
    History { operations: (0..count).map(operation).collect(), nemesis: Vec::new() }
}

/// That every write took effect, in order.
fn effects(history: &History) -> Vec<FactRecord> {
    let writes = history.operations.iter().filter(|one| one.function == "write");
    let effect = |write: &Operation| FactRecord {
        ns: write.invoke.ns,
        node: 0,
        fact: Fact::Effect {
            operation: write.id,
            key: write.key.clone(),
            value: write.argument.clone(),
            position: write.id,
        },
    };
    writes.map(effect).collect()
}

/// The codes that judge a model, and whether facts go with the history.
const CASES: [(&str, bool, &[&str]); 7] = [
    ("register", false, &["CAUS", "CONV", "DELTA", "MR", "MW", "PHANTOM", "RYW", "SEQ", "WFR"]),
    ("register", true, &["KST", "MR", "MW", "RYW", "STALE", "WFR"]),
    ("counter", false, &["SUM"]),
    ("set", false, &["SETFULL"]),
    ("bank", false, &["CONS"]),
    ("unique-ids", false, &["UNIQ"]),
    ("log", false, &["LOG"]),
];

fn object(model: &str) -> Box<dyn Object> {
    let keys = KEYS as usize;
    match model {
        "register" => Box::new(Registers(vec![0; keys])),
        "counter" => Box::new(Counters(vec![0; keys])),
        "set" => Box::new(Sets(vec![Vec::new(); keys])),
        "bank" => Box::new(Banks),
        "unique-ids" => Box::new(Identifiers),
        _ => Box::new(Logs {
            entries: vec![Vec::new(); keys],
            polled: vec![vec![0; keys]; CLIENTS as usize],
        }),
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark is told its size")]
fn count() -> u64 {
    let told = std::env::var("WRACK_BENCH_OPERATIONS").ok();
    told.and_then(|count| count.parse().ok()).unwrap_or(100_000)
}

fn guarantees(criterion: &mut Criterion) {
    let count = count();
    let mut group = criterion.benchmark_group("guarantees");
    group.sample_size(10).throughput(Throughput::Elements(count));
    for (model, noted, codes) in CASES {
        let history = history(count, &mut *object(model));
        let facts = if noted { effects(&history) } else { Vec::new() };
        let evidence = Evidence { facts: &facts, ..Evidence::of_history(&history, model) };
        for code in codes {
            let guarantee = by_code(code).expect("it is in the catalogue");
            let judge = || guarantee.judge(black_box(&evidence), &Settings::default());
            let judgement = judge();
            assert_ne!(judgement.verdict, Verdict::Unknown, "{code}: {:?}", judgement.reason);
            let name = if noted { "versions noted" } else { model };
            group.bench_function(BenchmarkId::new(*code, name), |bencher| bencher.iter(judge));
        }
    }
    group.finish();
}

/// The same histories, operation by operation; throughput in events.
fn online_events(criterion: &mut Criterion) {
    let count = count();
    let mut group = criterion.benchmark_group("online");
    group.sample_size(10).throughput(Throughput::Elements(2 * count));
    let immediate = Settings::default().with("immediate", Setting::Flag(true));
    for (model, codes) in [
        ("register", &["LIN", "MR", "MW", "RYW", "WFR"][..]),
        ("set", &["LIN", "SETFULL"]),
        ("log", &["LOG"]),
    ] {
        let history = history(count, &mut *object(model));
        let mut events: Vec<(u64, bool, usize)> = Vec::new();
        for (place, operation) in history.operations.iter().enumerate() {
            events.push((operation.invoke.index, false, place));
            events.push((operation.complete.index, true, place));
        }
        events.sort_unstable();
        for code in codes {
            let follow = || {
                let checker = online(code, model, &Value::Nil, &immediate);
                let mut checker = checker.expect("it has such a form");
                let found = events.iter().find_map(|(_, completes, place)| {
                    let operation = black_box(&history.operations[*place]);
                    match completes {
                        false => {
                            checker.invoke(operation);
                            None
                        }
                        true => checker.complete(operation),
                    }
                });
                (found, checker.held())
            };
            println!("online {code} of {model}: {} held at the end", follow().1);
            group.bench_function(BenchmarkId::new(*code, model), |bencher| bencher.iter(follow));
        }
    }
    group.finish();
}

criterion_group!(benches, guarantees, online_events);
