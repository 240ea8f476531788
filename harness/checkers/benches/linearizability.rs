//! Linearizability of registers: verdicts alone, one thread.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench -p wrack-checkers --bench linearizability
//! ```
//! Histories are made by `wrack_workloads::generated`; `wrack generate-history` writes the same ones
//! to files. Those recorded by others are read as Wrack JSON Lines from the folder that
//! `WRACK_CONFORMANCE_DATA` names, if it is set.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use wrack_checkers::{Evidence, verdicts};
use wrack_history::{History, Verdict, codec};
use wrack_workloads::generated::{Kind, Shape, generate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One object, written unique values by eight clients.
const PLAIN: Shape = Shape {
    kind: Kind::Register,
    keys: 1,
    clients: 8,
    operations: 100_000,
    values: 0,
    doubtful: 0,
    mutated: false,
    seed: 1,
};

fn cases() -> Vec<(&'static str, Shape)> {
    let five = Shape { values: 5, operations: 10_000, ..PLAIN };
    let pending = Shape { doubtful: 50, operations: 1_000, mutated: true, ..five };
    vec![
        ("unique values, 8 clients, 100,000 operations", PLAIN),
        ("unique values, 64 clients, 100,000 operations", Shape { clients: 64, ..PLAIN }),
        ("5 values, 64 clients, 10,000 operations", Shape { clients: 64, ..five }),
        (
            "read write cas, 5 values, 32 clients, 10,000 operations",
            Shape { kind: Kind::CasRegister, clients: 32, ..five },
        ),
        ("50 writes that never returned, illegal, 5 values", pending),
        ("50 writes that never returned, illegal, unique values", Shape { values: 0, ..pending }),
        ("key-value, 100 keys, 100,000 operations", Shape { keys: 100, clients: 64, ..PLAIN }),
        ("key-value, 1,000 keys, 100,000 operations", Shape { keys: 1_000, clients: 64, ..PLAIN }),
        (
            "key-value, 1,000 keys, 5 values, 100,000 operations",
            Shape { keys: 1_000, clients: 64, values: 5, ..PLAIN },
        ),
        (
            "read write cas, 50 doubtful, 120,000 operations, illegal",
            Shape {
                kind: Kind::CasRegister,
                operations: 120_000,
                doubtful: 50,
                mutated: true,
                ..five
            },
        ),
    ]
}

fn generated(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("linearizability");
    group.sample_size(10);
    for (name, shape) in cases() {
        let history = generate(&shape).expect("the shape makes a history").history;
        let evidence = Evidence::of_history(&history, shape.kind.model());
        let worst = verdicts(&evidence).iter().map(|key| key.verdict).max();
        let expected = if shape.mutated { Verdict::Invalid } else { Verdict::Valid };
        assert_eq!(worst, Some(expected), "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| verdicts(black_box(&evidence)));
        });
    }
    group.finish();
}

/// All Wrack JSON Lines below a folder.
fn recorded_below(folder: &Path, into: &mut Vec<History>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            recorded_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            let bytes = std::fs::read(&path).expect("the file can be read");
            into.extend(codec::read(bytes.as_slice()).ok().map(|recorded| recorded.history));
        }
    }
}

fn recorded(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("WRACK_CONFORMANCE_DATA") else { return };
    let mut histories = Vec::new();
    recorded_below(Path::new(&folder), &mut histories);
    let evidence: Vec<_> =
        histories.iter().map(|history| Evidence::of_history(history, "cas-register")).collect();
    let name = format!("{} recorded histories, sum", evidence.len());
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| evidence.iter().map(|one| verdicts(one).len()).sum::<usize>());
    });
}

criterion_group!(benches, generated, recorded);
criterion_main!(benches);
