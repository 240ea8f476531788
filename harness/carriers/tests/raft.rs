//! S10 on every carrier: Raft's leader is cut off together with one of the clients, again and
//! again, and what clients saw is judged by the same checker as on our own engine.

use wrack_carriers::{Cargo, Delivered, thread};
use wrack_checkers::{Evidence, by_code};
use wrack_designs::raft::RaftDesign;
use wrack_history::catalogue::defaults;
use wrack_history::load::{Environment, KeyDistribution, Pace, RetryKey, RetryPolicy, Workload};
use wrack_history::setting::Delay;
use wrack_history::{Fact, FactRecord, Setting, Settings, SmolStr, Verdict};
use wrack_sim::client::{Client, ClientPlan};
use wrack_sim::engine::Boot;
use wrack_sim::network::{LinkAction, LinkRule, Messages, NodeSet, RuleId};
use wrack_sim::{
    Cluster, Controller, Design, EngineConfig, Member, NodeId, Recording, TraceLevel, Watched,
    World,
};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;
const SERVERS: usize = 5;
const CLIENTS: usize = 5;
/// The client that shares the leader's lot.
const MARINER: NodeId = NodeId(SERVERS as u16);

type RaftMember = Member<RaftDesign>;
/// The `run` of a carrier.
type Carry = fn(Cargo<RaftMember, Isolation, ()>) -> Delivered<Isolation, ()>;

fn on_turmoil(cargo: Cargo<RaftMember, Isolation, ()>) -> Delivered<Isolation, ()> {
    wrack_carriers::turmoil::run(cargo, |engine| engine.now_ns() >= DURATION_NS)
}

#[cfg(madsim)]
fn on_madsim(cargo: Cargo<RaftMember, Isolation, ()>) -> Delivered<Isolation, ()> {
    wrack_carriers::madsim::run(cargo, |engine| engine.now_ns() >= DURATION_NS)
}

#[test]
fn on_turmoil_raft_is_linearizable_while_its_leader_is_cut_off() {
    check_reference(on_turmoil);
}

#[test]
fn on_turmoil_a_leader_that_reads_locally_serves_the_past() {
    check_stale_read(on_turmoil);
}

#[test]
fn on_turmoil_a_seed_gives_the_same_history_twice() {
    check_twice(on_turmoil);
}

#[cfg(madsim)]
#[test]
fn on_madsim_raft_is_linearizable_while_its_leader_is_cut_off() {
    check_reference(on_madsim);
}

#[cfg(madsim)]
#[test]
fn on_madsim_a_leader_that_reads_locally_serves_the_past() {
    check_stale_read(on_madsim);
}

#[cfg(madsim)]
#[test]
fn on_madsim_a_seed_gives_the_same_history_twice() {
    check_twice(on_madsim);
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
    thread::alone(|| {
        let cargo = Cargo {
            config: config(seed),
            boot: boot(variant, seed),
            controller: Isolation { next_ns: 2 * SECOND, rules: Vec::new() },
            observer: (),
            operations: 0,
        };
        let delivered = carry(cargo);
        assert_eq!(delivered.limit, None);
        delivered.recording
    })
}

/// Cuts leader and mariner off, and heals, in turn.
struct Isolation {
    next_ns: u64,
    rules: Vec<RuleId>,
}

impl Controller for Isolation {
    fn next_ns(&self) -> Option<u64> {
        Some(self.next_ns)
    }

    fn act(&mut self, world: &mut dyn World) {
        if !self.rules.is_empty() {
            self.rules.drain(..).for_each(|rule| world.remove_rule(rule));
            self.next_ns += 3 * SECOND;
            return;
        }
        self.next_ns += 10 * SECOND;
        let epoch = |node: &NodeId| world.role(*node).filter(|(role, _)| role == "leader");
        let leader = (0..SERVERS as u16).map(NodeId).max_by_key(|node| epoch(node).map(|(_, e)| e));
        let inside: NodeSet = [leader.expect("there are servers"), MARINER].into_iter().collect();
        let everybody = (0..(SERVERS + CLIENTS) as u16).map(NodeId);
        let outside: NodeSet = everybody.filter(|node| !inside.contains(*node)).collect();
        let fault = world.open_fault();
        for (id, (from, to)) in [(&inside, &outside), (&outside, &inside)].into_iter().enumerate() {
            let (from, to, messages) = (from.clone(), to.clone(), Messages::All);
            let rule = LinkRule { id: id as u64, from, to, messages, action: LinkAction::Cut };
            self.rules.push(world.add_rule(fault, rule));
        }
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}

const DURATION_NS: u64 = 40 * SECOND;

fn config(seed: u64) -> EngineConfig {
    let latency = Delay::uniform(MILLISECOND, 5 * MILLISECOND);
    let clients = (1..=CLIENTS).map(|number| format!("client-{number}").into());
    EngineConfig {
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
    }
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
    Box::new(move |id: NodeId, _| {
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
            surge: None,
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
