//! Executing: a scenario's design, clients and faults on an engine, through all its phases.

use std::collections::BTreeSet;

use wrack_carriers::{Cargo, Delivered, engines};
use wrack_checkers::{Invariant, Judge};
use wrack_history::catalogue::{DesignInfo, EngineInfo};
use wrack_history::fault::ResolvedFault;
use wrack_history::load::{Pace, RetryPolicy};
use wrack_history::run::Phases;
use wrack_history::{FactRecord, SmolStr};
use wrack_nemesis::Nemesis;
use wrack_scenario::{Expectation, Scenario};
use wrack_sim::client::{Client, ClientPlan, Operations};
use wrack_sim::{
    Cluster, Design, Engine, EngineConfig, LimitError, Member, NodeId, Observer, Recording,
};

use crate::catalogue::Own;

pub use wrack_sim::TraceLevel;

/// What is to be executed.
pub struct Order<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Which of its variants.
    pub variant: &'a Expectation,
    /// With which seed.
    pub seed: u64,
    /// How much of the trace is kept.
    pub trace: TraceLevel,
    /// Codes of the guarantees that are judged fact by fact.
    pub codes: &'a [SmolStr],
    /// What the scenario may name beside what Wrack has.
    pub own: &'a Own,
    /// What carries the nodes.
    pub engine: &'static EngineInfo,
}

impl Order<'_> {
    /// The workload of the scenario.
    fn workload(&self) -> &'static wrack_workloads::Entry {
        self.own.workload(&self.scenario.workload.name).expect("the reader knows the workload")
    }
}

/// What an execution left behind, not judged yet.
pub struct Execution {
    /// What was recorded.
    pub recording: Recording,
    /// The faults as they happened.
    pub faults: Vec<ResolvedFault>,
    /// Where the phases ended.
    pub phases: Phases,
    /// Names of nodes, then of clients.
    pub names: Vec<SmolStr>,
    /// How many of them are clients.
    pub clients: u32,
    /// What was judged while the run went on.
    pub invariants: Vec<(SmolStr, Box<dyn Invariant>)>,
    /// A bound of the engine that was met.
    pub limit: Option<LimitError>,
}

/// The final reads begin so long after the quiet period, when late answers are in.
const FINAL_READS_AFTER_NS: u64 = 1_000_000_000;
/// The final reads may take so long.
const FINAL_READS_WITHIN_NS: u64 = 30_000_000_000;
/// Whether they are done is looked at so often.
const FINAL_READS_STEP_NS: u64 = 50_000_000;

/// Invariants as an observer.
#[derive(Default)]
struct Watch(Vec<(SmolStr, Box<dyn Invariant>)>);

impl Observer for Watch {
    fn facts(&mut self, records: &[FactRecord]) {
        for (_, invariant) in &mut self.0 {
            records.iter().for_each(|record| invariant.observe(record));
        }
    }
}

impl Watch {
    fn over(codes: &[SmolStr], own: &Own) -> Self {
        let guarantees = own.guarantees().into_iter();
        let by_fact = guarantees.filter_map(|guarantee| match guarantee.judge {
            Judge::Facts(make) if codes.iter().any(|code| code == guarantee.info.code) => {
                Some((SmolStr::new_static(guarantee.info.code), make()))
            }
            _ => None,
        });
        Self(by_fact.collect())
    }
}

/// Executes on the engine that is asked for.
pub fn execute<D: Design>(order: &Order<'_>) -> Execution {
    let scenario = order.scenario;
    let cluster = cluster_of(order);
    let entries = D::entries(&cluster);
    let workload = order.workload();
    let readers = match scenario.final_reads && workload.info.functions.contains(&"read") {
        true => final_readers(D::INFO, &entries),
        false => Vec::new(),
    };
    let clients = client_plans(order, &entries, &readers);
    let names = names_of(&cluster, clients.len() - readers.len(), readers.len());
    let (servers, phases) = (cluster.names.len(), &scenario.phases);
    let (heal_ns, quiet_end_ns) = (phases.faults_ns, phases.faults_ns + phases.quiet_ns);
    let config = EngineConfig {
        seed: order.seed,
        names: names.clone(),
        servers,
        environment: scenario.environment.clone(),
        trace: order.trace,
        keep_all_facts: order.trace == TraceLevel::Texts,
    };
    let client_count = clients.len() as u32;
    let operations = match &scenario.operations {
        Some(operations) => operations.len(),
        None => wrack_workloads::expected_operations(&scenario.workload, quiet_end_ns),
    };
    let boot = move |id: NodeId, _| match clients.get(id.index().wrapping_sub(servers)) {
        Some(plan) => Member::<D>::Client(Client::new(plan.clone())),
        None => Member::Server(D::boot(&cluster, id)),
    };
    let cargo = Cargo {
        config,
        boot: Box::new(boot),
        controller: Nemesis::new(&scenario.faults, order.seed, heal_ns, &scenario.stays_down),
        observer: Watch::over(order.codes, order.own),
        operations: operations + scenario.workload.keys as usize,
    };
    let from_ns = quiet_end_ns + FINAL_READS_AFTER_NS;
    let Delivered { recording, controller, observer, end_ns, limit } = match order.engine.name {
        name if name == engines::SIM.name => simulate(cargo, from_ns, servers),
        _ => {
            let deadline_ns = from_ns + FINAL_READS_WITHIN_NS;
            let is_over = |engine: &Engine<Member<D>>| {
                let now_ns = engine.now_ns();
                now_ns >= from_ns && (now_ns >= deadline_ns || finished(engine, servers))
            };
            engines::carry(order.engine, cargo, is_over)
        }
    };
    Execution {
        faults: controller.finish(&recording.effects),
        recording,
        phases: Phases { heal_ns, quiet_end_ns, end_ns },
        names,
        clients: client_count,
        invariants: observer.0,
        limit,
    }
}

/// Our own loop; from `from_ns` on it is looked now and then whether the final reads are done.
fn simulate<D: Design>(
    cargo: Cargo<Member<D>, Nemesis, Watch>,
    from_ns: u64,
    servers: usize,
) -> Delivered<Nemesis, Watch> {
    let Cargo { config, boot, mut controller, mut observer, operations } = cargo;
    let mut engine = Engine::new(config, boot, &mut observer);
    engine.expect_operations(operations);
    let mut outcome = engine.run(from_ns, &mut controller, &mut observer);
    let deadline = from_ns + FINAL_READS_WITHIN_NS;
    while outcome.is_ok() && engine.now_ns() < deadline && !finished(&engine, servers) {
        let until = engine.now_ns() + FINAL_READS_STEP_NS;
        outcome = engine.run(until, &mut controller, &mut observer);
    }
    let end_ns = engine.now_ns();
    let recording = engine.finish();
    Delivered { recording, controller, observer, end_ns, limit: outcome.err() }
}

/// Whether every client has run all its operations.
fn finished<D: Design>(engine: &Engine<Member<D>>, servers: usize) -> bool {
    let mut clients = (servers as u16..).map_while(|index| engine.member(NodeId(index)));
    engine.open_operations() == 0
        && clients.all(|member| match member {
            Member::Client(client) => client.is_done(),
            Member::Server(_) => true,
        })
}

fn cluster_of(order: &Order<'_>) -> Cluster {
    let mut settings = order.scenario.parameters.clone();
    settings.0.extend(order.variant.parameters.0.clone());
    Cluster {
        names: order.scenario.nodes.clone(),
        settings,
        variant: order.variant.variant.clone(),
    }
}

/// Whom each final reader may ask: everybody, or where all replicas are to agree each of them one.
fn final_readers(design: &DesignInfo, entries: &[NodeId]) -> Vec<Vec<NodeId>> {
    if design.guarantees.contains(&"CONV") {
        return entries.iter().map(|entry| vec![*entry]).collect();
    }
    vec![entries.to_vec()]
}

/// The clients of the workload, and those that read every key when all is quiet.
fn client_plans(order: &Order<'_>, entries: &[NodeId], readers: &[Vec<NodeId>]) -> Vec<ClientPlan> {
    let scenario = order.scenario;
    let duration_ns = scenario.phases.faults_ns + scenario.phases.quiet_ns;
    let plans = match &scenario.operations {
        Some(operations) => {
            wrack_workloads::explicit(operations, scenario.workload.clients, &scenario.nodes)
        }
        None => {
            let (entry, workload) = (order.workload(), &scenario.workload);
            wrack_workloads::plan_of(entry, workload, order.seed, duration_ns)
        }
    };
    let first_reader = plans.len() as u32;
    let clients = first_reader + readers.len() as u32;
    let plan = |client, operations: Operations, pace, policy: &RetryPolicy| ClientPlan {
        client,
        clients,
        operations,
        pace,
        policy: policy.clone(),
        stops_ns: match pace {
            Pace::Open => u64::MAX,
            Pace::Closed => duration_ns,
        },
        entries: entries.to_vec(),
    };
    let pace = scenario.workload.pace;
    let mut all: Vec<_> = (0..)
        .zip(plans)
        .map(|(client, operations)| plan(client, operations, pace, &scenario.client))
        .collect();
    let mut reads = wrack_workloads::final_reads(&keys(scenario));
    for read in &mut reads {
        read.due_ns = duration_ns + FINAL_READS_AFTER_NS;
    }
    let reads: Operations = reads.into_iter().collect();
    let policy = patient(&scenario.client);
    all.extend((first_reader..).zip(readers).map(|(client, entries)| ClientPlan {
        entries: entries.clone(),
        ..plan(client, reads.clone(), Pace::Open, &policy)
    }));
    all
}

/// Every key that is asked for.
fn keys(scenario: &Scenario) -> Vec<SmolStr> {
    match &scenario.operations {
        Some(operations) => {
            // The numbered keys of a workload in order of their number.
            let place = |key: &SmolStr| (key.len(), key.clone());
            let keys: BTreeSet<_> = operations.iter().map(|one| place(&one.key)).collect();
            keys.into_iter().map(|(_, key)| key).collect()
        }
        None => wrack_workloads::keys(&scenario.workload),
    }
}

/// A final reader does not give up: nothing is wrong any more when it asks.
fn patient(policy: &RetryPolicy) -> RetryPolicy {
    RetryPolicy {
        attempts_max: 30,
        timeout_ns: policy.timeout_ns.max(500_000_000),
        backoff_ns: policy.backoff_ns.min(100_000_000),
        backoff_max_ns: policy.backoff_max_ns.min(500_000_000),
        budget_per_million: None,
        late_duplicate_per_million: 0,
        ..policy.clone()
    }
}

fn names_of(cluster: &Cluster, clients: usize, readers: usize) -> Vec<SmolStr> {
    let client = |number| SmolStr::from(format!("client-{number}"));
    let reader = |number| match readers {
        1 => SmolStr::new_static("final-reader"),
        _ => format!("final-reader-{number}").into(),
    };
    let clients = (1..=clients).map(client).chain((1..=readers).map(reader));
    cluster.names.iter().cloned().chain(clients).collect()
}
