//! A million operations as JSON Lines, written and read.
//!
//! `cargo bench -p wrack-history --bench codec`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
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
    drop(history);
    group.bench_function("read 1,000,000 operations", |bencher| {
        bencher.iter(|| codec::read(black_box(bytes.as_slice())).expect("it reads back"));
    });
    group.finish();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!(
        "{} MB of text; peak memory of everything above {}",
        bytes.len() >> 20,
        &peak[6..].trim()
    );
}

criterion_group!(benches, codecs);
criterion_main!(benches);
