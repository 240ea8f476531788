//! S10 on every carrier: Raft's leader is cut off together with one of the clients, again and
//! again, and what clients saw is judged by the same checker as on our own engine.

use std::sync::Arc;

use wrack_carriers::{Act, Boot, CarrierConfig, Stage};
use wrack_checkers::{Evidence, by_code};
use wrack_designs::raft::RaftDesign;
use wrack_history::catalogue::defaults;
use wrack_history::load::{Environment, KeyDistribution, Pace, RetryKey, RetryPolicy, Workload};
use wrack_history::setting::Delay;
use wrack_history::{Fact, Setting, Settings, SmolStr, Verdict};
use wrack_sim::client::{Client, ClientPlan};
use wrack_sim::{Cluster, Design, EngineConfig, LimitError, Member, NodeId, Recording, TraceLevel};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;
const SERVERS: usize = 5;
const CLIENTS: usize = 5;
/// The client that shares the leader's lot.
const MARINER: NodeId = NodeId(SERVERS as u16);

type RaftMember = Member<RaftDesign>;
/// The `run` of a carrier.
type Carry = fn(&CarrierConfig, Boot<RaftMember>, &mut Act<'_>) -> Result<Recording, LimitError>;

#[test]
fn on_turmoil_raft_is_linearizable_while_its_leader_is_cut_off() {
    check_reference(wrack_carriers::turmoil::run);
}

#[test]
fn on_turmoil_a_leader_that_reads_locally_serves_the_past() {
    check_stale_read(wrack_carriers::turmoil::run);
}

#[test]
fn on_turmoil_a_seed_gives_the_same_history_twice() {
    check_twice(wrack_carriers::turmoil::run);
}

#[cfg(madsim)]
#[test]
fn on_madsim_raft_is_linearizable_while_its_leader_is_cut_off() {
    check_reference(wrack_carriers::madsim::run);
}

#[cfg(madsim)]
#[test]
fn on_madsim_a_leader_that_reads_locally_serves_the_past() {
    check_stale_read(wrack_carriers::madsim::run);
}

#[cfg(madsim)]
#[test]
fn on_madsim_a_seed_gives_the_same_history_twice() {
    check_twice(wrack_carriers::madsim::run);
}

/// The reference keeps its promise, and the run was worth looking at.
fn check_reference(carry: Carry) {
    for seed in 0..3 {
        let recording = isolate_leader(carry, "reference", seed);
        assert_eq!(linearizable(&recording), Verdict::Valid, "seed {seed}");
        let counts = recording.history.counts();
        assert!(counts.ok >= 100, "seed {seed}: {counts:?}");
        assert!(leaders(&recording) >= 2, "seed {seed}: a second leader is elected");
    }
}

/// The broken variant is found out by one of the first seeds.
fn check_stale_read(carry: Carry) {
    let found = (0..20).find(|seed| {
        linearizable(&isolate_leader(carry, "stale_local_read", *seed)) == Verdict::Invalid
    });
    assert!(found.is_some(), "a stale read is seen with one of the seeds");
}

fn check_twice(carry: Carry) {
    let [once, again, other] = [7, 7, 8].map(|seed| isolate_leader(carry, "reference", seed));
    assert_eq!(once.history, again.history);
    assert_eq!(once.facts, again.facts);
    assert_eq!(once.trace_hash, again.trace_hash);
    assert_ne!(once.trace_hash, other.trace_hash);
}

/// Three times, leader and mariner are cut off for 10 s, and healed.
fn isolate_leader(carry: Carry, variant: &str, seed: u64) -> Recording {
    let mut isolated = Vec::new();
    let mut act = |stage: &mut Stage<'_>| {
        let since = stage.now_ns() % ROUND_NS;
        let is_cut = (2 * SECOND..12 * SECOND).contains(&since);
        if is_cut && isolated.is_empty() {
            isolated = vec![stage.holder("leader").expect("somebody leads"), MARINER];
            stage.isolate(&isolated);
        } else if !is_cut {
            stage.heal(&std::mem::take(&mut isolated));
        }
    };
    carry(&config(seed), boot(variant, seed), &mut act).expect("nobody spins")
}

/// From one cut to the next.
const ROUND_NS: u64 = 13 * SECOND;
const DURATION_NS: u64 = 40 * SECOND;

fn config(seed: u64) -> CarrierConfig {
    let latency = Delay::uniform(MILLISECOND, 5 * MILLISECOND);
    let clients = (1..=CLIENTS).map(|number| format!("client-{number}").into());
    let engine = EngineConfig {
        seed,
        names: cluster("reference").names.into_iter().chain(clients).collect(),
        servers: SERVERS,
        environment: Environment {
            peer_latency: latency.clone(),
            client_latency: latency,
            sync_latency: Delay::uniform(100_000, 2 * MILLISECOND),
        },
        trace: TraceLevel::Hash,
        keep_all_facts: false,
    };
    CarrierConfig { engine, tick_ns: 2 * MILLISECOND, duration_ns: DURATION_NS }
}

fn cluster(variant: &str) -> Cluster {
    // A leader that looks whether it is followed steps down before it can serve the past.
    let mut settings = defaults(RaftDesign::INFO.parameters);
    settings.0.insert("check_quorum".into(), Setting::Flag(false));
    Cluster { names: (RaftDesign::INFO.nodes)(&settings), settings, variant: variant.into() }
}

fn boot(variant: &str, seed: u64) -> Boot<RaftMember> {
    let cluster = cluster(variant);
    let plans = wrack_workloads::plan(&workload(), seed, DURATION_NS - 2 * SECOND);
    let entries: Vec<_> = cluster.servers().collect();
    Arc::new(move |id, _| {
        let Some(client) = id.index().checked_sub(SERVERS) else {
            return Member::Server(RaftDesign::boot(&cluster, id));
        };
        Member::Client(Client::new(ClientPlan {
            client: client as u32,
            clients: CLIENTS as u32,
            operations: plans[client].clone(),
            pace: Pace::Open,
            policy: policy(),
            stops_ns: u64::MAX,
            entries: entries.clone(),
        }))
    })
}

fn workload() -> Workload {
    let mix = ["read", "write", "cas"].map(|function| (SmolStr::new_static(function), 1));
    Workload {
        name: "register".into(),
        clients: CLIENTS as u32,
        keys: 5,
        distribution: KeyDistribution::Uniform,
        rate_per_kilosecond: 50_000,
        pace: Pace::Open,
        mix: mix.into(),
        operations_max: None,
        settings: Settings::default(),
    }
}

fn policy() -> RetryPolicy {
    RetryPolicy {
        timeout_ns: 200 * MILLISECOND,
        attempts_max: 5,
        backoff_ns: 20 * MILLISECOND,
        backoff_max_ns: 200 * MILLISECOND,
        jitter_per_million: 500_000,
        budget_per_million: None,
        key: RetryKey::Unique,
        late_duplicate_per_million: 0,
        late_duplicate_after_ns: 0,
    }
}

fn linearizable(recording: &Recording) -> Verdict {
    let guarantee = by_code("LIN").expect("there is a checker of linearizability");
    let evidence = Evidence::of_history(&recording.history, "cas-register");
    guarantee.judge(&evidence, &Settings::default()).verdict
}

/// How many terms had a leader.
fn leaders(recording: &Recording) -> usize {
    let epochs = recording.facts.iter().filter_map(|record| match &record.fact {
        Fact::Role { role, epoch } if role == "leader" => Some(*epoch),
        _ => None,
    });
    epochs.collect::<std::collections::BTreeSet<_>>().len()
}
