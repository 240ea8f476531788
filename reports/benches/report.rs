//! Reports of long runs, on one core.
//!
//! `cargo bench -p wrack-reports --bench report`

#[path = "../tests/sample/mod.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod sample;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn reports(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    for operations in [100_000, 1_000_000] {
        let run = sample::invalid(operations);
        let before = memory("VmRSS");
        let html = wrack_reports::html(&run);
        println!(
            "{operations} operations: {} KB of HTML; {} KB at most, {} KB of them the run",
            html.len() / 1_000,
            memory("VmHWM"),
            before
        );
        group.throughput(Throughput::Elements(operations));
        group.bench_function(format!("{operations} operations"), |bencher| {
            bencher.iter(|| black_box(wrack_reports::html(&run)));
        });
    }
    group.finish();
}

/// A figure of this process as the system counts it, in KB; 0 where it does not tell.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

criterion_group!(benches, reports);
criterion_main!(benches);
