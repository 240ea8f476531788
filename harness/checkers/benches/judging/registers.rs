//! Linearizability of registers: verdicts alone, one thread.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench -p wrack-checkers --bench judging -- "registers|recorded"
//! ```
//! Histories are made by `wrack_workloads::generated`; `wrack generate-history` writes the same ones
//! to files. Those recorded by others are read from the folder that `WRACK_CONFORMANCE_DATA` names, if
//! it is set.

use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;
use std::path::Path;

use criterion::{Criterion, criterion_group};
use wrack_checkers::{Evidence, verdicts};
use wrack_history::{Verdict, import};
use wrack_workloads::generated::{Kind, Shape, generate};

#[path = "../../../history/tests/conformance/cases.rs"]
mod cases;

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

fn shapes() -> Vec<(&'static str, Shape)> {
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
    let mut group = criterion.benchmark_group("registers");
    group.sample_size(10);
    for (name, shape) in shapes() {
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

/// Those recorded by others, by what their paths have in common.
const RECORDED: [&str; 6] = [
    "histories/porcupine-etcd",
    "histories/porcupine-etcd/etcd_002.log",
    "histories/porcupine-etcd/etcd_007.log",
    "histories/knossos-cas/cas-register",
    "histories/porcupine-kv/c50-ok",
    "histories/porcupine-kv/c50-bad",
];

fn recorded(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("WRACK_CONFORMANCE_DATA") else { return };
    let mut group = criterion.benchmark_group("recorded");
    for part in RECORDED {
        let mut read = Vec::new();
        for case in cases::cases(Path::new(&folder)) {
            // Each etcd run is there twice; a log without operations is no history.
            if !case.name.starts_with(part)
                || (part.contains("etcd") && !case.name.ends_with(".log"))
            {
                continue;
            }
            let file = BufReader::new(File::open(&case.path).expect("it was found"));
            let imported = import::read(&case.name, file, &case.reading()).expect("it is readable");
            read.extend(
                (!imported.history.operations.is_empty()).then_some((case.model, imported)),
            );
        }
        let evidence: Vec<_> = read
            .iter()
            .map(|(model, imported)| Evidence {
                initial: &imported.initial,
                ..Evidence::of_history(&imported.history, model)
            })
            .collect();
        assert!(
            evidence.iter().flat_map(verdicts).all(|key| key.verdict != Verdict::Unknown),
            "{part}"
        );
        let name = format!("{part}, {} histories", evidence.len());
        group.bench_function(name, |bencher| {
            bencher.iter(|| evidence.iter().map(|one| verdicts(one).len()).sum::<usize>());
        });
    }
    group.finish();
}

criterion_group!(benches, generated, recorded);
