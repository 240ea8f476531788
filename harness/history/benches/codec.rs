//! A million operations: as JSON Lines of our own, written and read, and as Jepsen's EDN, read.
//!
//! `cargo bench -p wrack-history --bench codec`
//!
//! Beside it stands what the crate clojure-reader needs for the values of the same EDN alone, a line
//! at a time: no operation is made of them.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wrack_history::import::{self, Imported, Reading};
use wrack_history::{History, Moment, Operation, Outcome, Value, codec};

const OPERATIONS: u64 = 1_000_000;

/// Eight clients that read and write five keys in turn.
fn history() -> History {
    let operation = |id: u64| {
        let (round, client) = (id / 8, id % 8);
        let read = id.is_multiple_of(2);
        let value = Value::Integer(id as i64);
        let at = |half: u64| {
            let index = 2 * 8 * round + 8 * half + client;
            Moment { index, ns: index * 1_000 }
        };
        Operation {
            id,
            process: client as u32,
            session: client as u32,
            key: format!("k{}", id % 5).into(),
            function: if read { "read" } else { "write" }.into(),
            argument: if read { Value::Nil } else { value.clone() },
            result: if read { value } else { Value::Nil },
            outcome: Outcome::Ok,
            invoke: at(0),
            complete: at(1),
            details: None,
        }
    };
    History { operations: (0..OPERATIONS).map(operation).collect(), nemesis: Vec::new() }
}

fn codecs(criterion: &mut Criterion) {
    let history = history();
    let mut bytes = Vec::new();
    codec::write(&history, &mut bytes).expect("writing to memory succeeds");
    assert_eq!(codec::read(bytes.as_slice()).expect("it reads back").history, history);
    let mut group = criterion.benchmark_group("codec");
    group.sample_size(10).throughput(Throughput::Elements(OPERATIONS));
    group.bench_function("write 1,000,000 operations", |bencher| {
        bencher.iter(|| codec::write(black_box(&history), std::io::sink()));
    });
    let edn = edn(&history);
    drop(history);
    for (name, text) in [("our own", bytes.as_slice()), ("Jepsen EDN", edn.as_bytes())] {
        memory(name, text);
    }
    group.bench_function("read 1,000,000 operations", |bencher| {
        bencher.iter(|| codec::read(black_box(bytes.as_slice())).expect("it reads back"));
    });
    group.bench_function("import 1,000,000 operations of our own", |bencher| {
        bencher.iter(|| imported(black_box(bytes.as_slice())));
    });
    group.bench_function("import 1,000,000 operations of Jepsen EDN", |bencher| {
        bencher.iter(|| imported(black_box(edn.as_bytes())));
    });
    group.bench_function("clojure-reader: the same EDN, values only", |bencher| {
        let read = |line| clojure_reader::edn::read_string(line).expect("it is EDN");
        bencher.iter(|| black_box(&edn).lines().map(read).map(drop).count());
    });
    group.finish();
}

fn imported(text: &[u8]) -> Imported {
    let reading = Reading { model: "register", ..Reading::default() };
    import::read("bench", text, &reading).expect("it is a history")
}

/// Prints what reading a text takes, before other cases have left free memory behind.
fn memory(name: &str, text: &[u8]) {
    let before = memory_mb("VmRSS");
    // Linux takes the present size as the peak again.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let operations = imported(text).history.operations.len();
    println!(
        "{name}: {} MB of text; its operations are {} MB, and reading it takes {} MB at most",
        text.len() >> 20,
        (operations * size_of::<Operation>()) >> 20,
        memory_mb("VmHWM").saturating_sub(before)
    );
}

/// The same operations as Jepsen writes them.
fn edn(history: &History) -> String {
    let operations = &history.operations;
    let mut events = Vec::new();
    for operation in operations {
        events.push((operation.invoke, operation, "invoke"));
        events.push((operation.complete, operation, "ok"));
    }
    events.sort_unstable_by_key(|(at, _, _)| at.index);
    let mut text = String::new();
    for (Moment { index, ns }, operation, kind) in events {
        let Operation { process, key, function, argument, result, .. } = operation;
        let learned = kind == "ok" && argument.is_nil();
        let value = if learned { result } else { argument };
        writeln!(
            text,
            "{{:index {index}, :time {ns}, :type :{kind}, :process {process}, :f :{function}, \
             :value [:{key} {value}]}}"
        )
        .expect("writing to memory succeeds");
    }
    text
}

/// A size of this process, as Linux tells it; 0 elsewhere.
fn memory_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).map_or(0, |kb: u64| kb >> 10)
}

criterion_group!(benches, codecs);
criterion_main!(benches);
