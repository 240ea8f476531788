//! Messages per second: the engine alone, with everything recorded, in clusters that grow; and the
//! carriers on the same work, in the same run, each beside the same cluster written for it by hand.
//!
//! `cargo bench -p wrack-carriers` prints them; figures stand side by side because they only mean
//! something as a ratio.

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use criterion::{criterion_group, criterion_main, measurement::WallTime};
use wrack_carriers::{Cargo, thread, turmoil};
use wrack_history::load::Environment;
use wrack_history::setting::Delay;
use wrack_sim::{Controller, Engine, EngineConfig, NodeId, TraceLevel};

use gossip::Gossip;
use nuisance::Nuisance;
use pairs::Case;
use ping::{Ping, SERVERS, Work};

mod gossip;
mod nuisance;
mod pairs;
mod ping;
#[cfg(madsim)]
mod raw_madsim;
mod raw_turmoil;

const ALONE: Work = Work { outstanding: 1, operations: 50_000, quorum: 4, recorded: false };
const RECORDED: Work = Work { outstanding: 16, operations: 10_000, quorum: 2, recorded: true };

/// As long as a run of one virtual second lasts.
const ENDLESS: Work = Work { outstanding: 16, operations: u32::MAX, ..ALONE };
const SECOND: u64 = 1_000_000_000;

criterion_group!(benches, alone, recorded, carriers, ratios, clusters, memory);
criterion_main!(benches);

/// The loop alone: five nodes and a client, only the trace's hash is kept.
fn alone(criterion: &mut Criterion) {
    let mut group = group(criterion, "engine alone");
    for outstanding in [1, 16] {
        let work = Work { outstanding, ..ALONE };
        group.throughput(Throughput::Elements(on_sim(work, TraceLevel::Hash, ())));
        group.bench_function(format!("{outstanding} outstanding"), |bencher| {
            bencher.iter(|| on_sim(black_box(work), TraceLevel::Hash, ()));
        });
    }
}

/// A sync per copy, history and every event of the trace kept, faults on half of the links.
fn recorded(criterion: &mut Criterion) {
    let mut group = group(criterion, "disk, history, trace and faults");
    let messages = on_sim(RECORDED, TraceLevel::Events, Nuisance::default());
    group.throughput(Throughput::Elements(messages));
    group.bench_function("16 outstanding", |bencher| {
        bencher.iter(|| on_sim(black_box(RECORDED), TraceLevel::Events, Nuisance::default()));
    });
}

/// One virtual second of the same work on each engine; turmoil cuts time into milliseconds. The raw ones
/// are the same cluster written by hand, without driver, faults and recording.
fn carriers(criterion: &mut Criterion) {
    let mut group = group(criterion, "a second of 16 outstanding");
    let cases: &[(&str, Case)] = &[
        ("sim", second_on_sim),
        ("turmoil", second_on_turmoil),
        ("raw turmoil", raw_turmoil::second),
        #[cfg(madsim)]
        ("madsim", second_on_madsim),
        #[cfg(madsim)]
        ("raw madsim", raw_madsim::second),
    ];
    for (name, run) in cases {
        group.throughput(Throughput::Elements(run()));
        group.bench_function(*name, |bencher| bencher.iter(|| black_box(run())));
    }
}

/// What a carrier costs beside its simulator alone, and a message in a large cluster beside one in a small.
fn ratios(_: &mut Criterion) {
    pairs::print("turmoil beside raw turmoil", second_on_turmoil, raw_turmoil::second);
    #[cfg(madsim)]
    pairs::print("madsim beside raw madsim", second_on_madsim, raw_madsim::second);
    pairs::print("gossip of 1,000 nodes beside 5", || gossip(1_000), || gossip(5));
}

/// What a message costs as clusters grow; every node has one message under way.
fn clusters(criterion: &mut Criterion) {
    let mut group = group(criterion, "gossip");
    for nodes in [5, 50, 1_000] {
        group.throughput(Throughput::Elements(gossip(nodes)));
        group.bench_function(format!("{nodes} nodes"), |bencher| {
            bencher.iter(|| gossip(black_box(nodes)));
        });
    }
}

/// The peak of this process, which has just run a thousand nodes.
fn memory(_: &mut Criterion) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("peak memory of all the above: {}", peak.unwrap_or("unknown"));
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group
}

/// Runs it on the simulator; gives the messages that were sent.
fn on_sim(work: Work, trace: TraceLevel, mut controller: impl Controller) -> u64 {
    let config = config(SERVERS, 1, trace);
    let boot = Box::new(move |id: NodeId, _| Ping::member(id, work));
    let mut engine = Engine::new(config, boot, &mut ());
    engine.run(u64::MAX, &mut controller, &mut ()).expect("it meets no bound");
    engine.messages_sent()
}

fn second_on_sim() -> u64 {
    let boot = Box::new(|id: NodeId, _| Ping::member(id, ENDLESS));
    let mut engine = Engine::new(config(SERVERS, 1, TraceLevel::Hash), boot, &mut ());
    engine.run(SECOND, &mut (), &mut ()).expect("it meets no bound");
    engine.messages_sent()
}

fn cargo() -> Cargo<Ping, (), ()> {
    Cargo {
        config: config(SERVERS, 1, TraceLevel::Hash),
        boot: Box::new(|id, _| Ping::member(id, ENDLESS)),
        controller: (),
        observer: (),
        operations: 0,
    }
}

fn second_on_turmoil() -> u64 {
    let run = || turmoil::run(cargo(), |engine| engine.now_ns() >= SECOND).recording.messages;
    thread::alone(run)
}

#[cfg(madsim)]
fn second_on_madsim() -> u64 {
    let is_over = |engine: &Engine<Ping>| engine.now_ns() >= SECOND;
    thread::alone(|| wrack_carriers::madsim::run(cargo(), is_over).recording.messages)
}

fn gossip(nodes: u16) -> u64 {
    let hops = 1_000_000 / u32::from(nodes);
    let config = config(usize::from(nodes), 0, TraceLevel::Hash);
    let mut engine = Engine::new(config, Box::new(move |_, _| Gossip { nodes, hops }), &mut ());
    engine.run(u64::MAX, &mut (), &mut ()).expect("it meets no bound");
    engine.messages_sent()
}

fn config(servers: usize, clients: usize, trace: TraceLevel) -> EngineConfig {
    let latency = Delay::uniform(1_000_000, 5_000_000);
    EngineConfig {
        seed: 1,
        names: (0..servers + clients).map(|number| format!("n{number}").into()).collect(),
        servers,
        environment: Environment {
            peer_latency: latency.clone(),
            client_latency: latency,
            sync_latency: Delay::uniform(100_000, 300_000),
        },
        trace,
        keep_all_facts: false,
    }
}
