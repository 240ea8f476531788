//! Whole runs, simulated and judged, on one core.
//!
//! `cargo bench -p wrack-runner --bench runs`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wrack_history::{Run, Verdict};
use wrack_runner::{Catalogue, TraceLevel};
use wrack_scenario::Scenario;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Five simulated seconds of `raft/leader-isolated`: heartbeat 50 ms, election timeout 150–300 ms,
/// 5 clients, 250 operations, one isolation.
const SHORT: &str = r#"
title = "The leader is cut off, once"
story = "Five seconds of raft/leader-isolated."
hypothesis = "Nobody reads a value that was overwritten."
[design]
name = "raft"
nodes = 5
heartbeat = "50ms"
election_timeout = "150ms..300ms"
[variants.reference]
expect = "valid"
[workload]
name = "register"
clients = 5
keys = 5
rate = "50/s"
operations = 250
mix = { read = 2, write = 1, cas = 1 }
[[fault]]
kind = "partition"
shape = "isolate"
target = { role = "leader" }
clients_with_target = 1
at = "1s"
for = "1s"
[phases]
faults = "4s"
quiet = "1s"
[minimum]
open_in_fault = 1
"#;

/// Ten simulated minutes at a thousand operations a second.
const LONG: &str = r#"
title = "Ten minutes"
story = "A long, busy run."
hypothesis = "It is judged in seconds."
[design]
name = "raft"
[variants.reference]
expect = "valid"
[workload]
name = "register"
clients = 50
keys = 5
rate = "1000/s"
mix = { read = 2, write = 1, cas = 1 }
[[fault]]
kind = "partition"
shape = "isolate"
target = { role = "leader" }
clients_with_target = 1
at = "60s"
for = "10s"
every = "120s"
times = 4
[phases]
faults = "590s"
quiet = "10s"
"#;

struct Prepared {
    designs: Catalogue,
    scenario: Scenario,
}

impl Prepared {
    fn new(text: &str) -> Self {
        let designs = Catalogue::builtin();
        let scenario = wrack_scenario::read("bench/run.toml", text, &designs.names());
        let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Self { designs, scenario }
    }

    fn run(&self, seed: u64) -> Run {
        let design = self.designs.get(&self.scenario.design).expect("it is a reference design");
        let variant = &self.scenario.variants[0];
        wrack_runner::run(&self.scenario, design, variant, seed, TraceLevel::Hash)
    }
}

fn runs(criterion: &mut Criterion) {
    let short = Prepared::new(SHORT);
    let first = short.run(0);
    println!("{} messages, {} operations a run", first.messages, first.counts.total());
    assert!(first.messages >= 2_500, "the run is not the one that is promised");
    assert_eq!(first.verdict, Verdict::Valid, "{:?}", first.doubts);
    let mut group = criterion.benchmark_group("runs");
    group.throughput(Throughput::Elements(1));
    let mut seed = 0;
    group.bench_function("leader isolated, 5 s, judged", |bencher| {
        bencher.iter(|| {
            seed += 1;
            black_box(short.run(seed))
        });
    });
    group.sample_size(10);
    let long = Prepared::new(LONG);
    group.bench_function("10 minutes at 1,000 operations/s, judged", |bencher| {
        bencher.iter(|| {
            let run = long.run(1);
            assert_eq!(run.verdict, Verdict::Valid, "{:?}", run.doubts);
            run.counts
        });
    });
    group.finish();
    println!("peak memory {}", peak_memory());
}

/// The most memory that this process held, as the system counts it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(|| "unknown".into(), |line| line["VmHWM:".len()..].trim().to_owned())
}

criterion_group!(benches, runs);
criterion_main!(benches);
