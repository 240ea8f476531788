//! Executing: a scenario's design, clients and faults on an engine, through all its phases.

use std::collections::BTreeSet;

use wrack_carriers::{Cargo, Delivered, engines};
use wrack_checkers::{Invariant, Judge};
use wrack_history::catalogue::{DesignInfo, EngineInfo};
use wrack_history::fault::ResolvedFault;
use wrack_history::load::{Pace, RetryPolicy};
use wrack_history::run::Phases;
use wrack_history::{Fact, FactRecord, SmolStr};
use wrack_nemesis::Nemesis;
use wrack_scenario::{Expectation, Scenario};
use wrack_sim::client::{Client, ClientPlan, Operations, SURGE, SurgePlan};
use wrack_sim::{
    Cluster, Design, Engine, EngineConfig, LimitError, Member, NodeId, Observer, Recording,
};

use crate::catalogue::{DesignEntry, Own};
use crate::early::{Early, LOOK_EVERY_NS};

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
    /// Whether objectives and alerts are measured of a variant that must break a promise, too.
    pub observed: bool,
    /// What the scenario may name beside what Wrack has.
    pub own: &'a Own,
    /// What carries the nodes.
    pub engine: &'static EngineInfo,
    /// What is measured on the way for a picture, if one is wanted.
    pub frame: Option<&'a Frame>,
    /// Whether the run may end as soon as it shows that it is not linearizable.
    pub early: bool,
}

impl<'a> Order<'a> {
    /// An ordinary run with this seed: nothing of the trace is kept, and it goes on to its end.
    pub(crate) fn of(
        scenario: &'a Scenario,
        entry: &'a DesignEntry,
        variant: &'a Expectation,
        seed: u64,
        codes: &'a [SmolStr],
    ) -> Self {
        Self {
            scenario,
            variant,
            seed,
            trace: TraceLevel::Hash,
            codes,
            observed: false,
            own: &entry.own,
            engine: entry.engine,
            frame: None,
            early: false,
        }
    }

    /// The workload of the scenario.
    pub(crate) fn workload(&self) -> &'static wrack_workloads::Entry {
        self.own.workload(&self.scenario.workload.name).expect("the reader knows the workload")
    }

    /// Who looks whether the run may end early.
    fn early_look(&self) -> Option<Early> {
        let workload = self.early.then(|| self.workload())?;
        let initial = (workload.initial)(&self.scenario.workload.settings);
        Early::of(workload.info.model, &initial)
    }
}

/// What is measured on the way for a picture.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Where the trace is kept; with none nowhere.
    pub windows: Vec<(u64, u64)>,
    /// The time between two looks at the clocks.
    pub step_ns: u64,
}

/// What was measured on the way.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    /// By node: times, and how far its wall clock was ahead of true time.
    pub clocks: Vec<Vec<(u64, i64)>>,
    /// By node: times, and the highest index that it knew to be committed.
    pub commits: Vec<Vec<(u64, i64)>>,
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
    /// What was measured for a picture.
    pub looks: Looks,
    /// Why a valid verdict would say too much, one line each.
    pub doubts: Vec<String>,
    /// Whether it ended as soon as it showed that it is not linearizable.
    pub ended_early: bool,
}

/// The final reads begin so long after the quiet period, when late answers are in.
pub(crate) const FINAL_READS_AFTER_NS: u64 = 1_000_000_000;
/// The final reads may take so long.
pub(crate) const FINAL_READS_WITHIN_NS: u64 = 30_000_000_000;
/// Whether they are done is looked at so often.
const FINAL_READS_STEP_NS: u64 = 50_000_000;

/// Invariants as an observer.
#[derive(Default)]
pub(crate) struct Watch {
    pub invariants: Vec<(SmolStr, Box<dyn Invariant>)>,
    /// How far apart two looks are, and what was seen; absent where nobody looks.
    looks: Option<(u64, Looks)>,
}

impl Observer for Watch {
    fn facts(&mut self, records: &[FactRecord]) {
        self.invariants.iter_mut().for_each(|(_, invariant)| invariant.observe_all(records));
        if let Some((step_ns, looks)) = &mut self.looks {
            records.iter().for_each(|record| look_at_commit(record, *step_ns, &mut looks.commits));
        }
    }
}

/// Within one step the last look counts.
fn look_at_commit(record: &FactRecord, step_ns: u64, commits: &mut [Vec<(u64, i64)>]) {
    let Fact::Committed { index, .. } = record.fact else { return };
    let Some(points) = commits.get_mut(usize::from(record.node)) else { return };
    let slot = record.ns / step_ns.max(1);
    if points.last().is_some_and(|(ns, _)| ns / step_ns.max(1) == slot) {
        points.pop();
    }
    points.push((record.ns, i64::try_from(index).unwrap_or(i64::MAX)));
}

impl Watch {
    pub fn over(codes: &[SmolStr], own: &Own) -> Self {
        let guarantees = own.guarantees().into_iter();
        let by_fact = guarantees.filter_map(|guarantee| match guarantee.judge {
            Judge::Facts(make) if codes.iter().any(|code| code == guarantee.info.code) => {
                Some((SmolStr::new_static(guarantee.info.code), make()))
            }
            _ => None,
        });
        Self { invariants: by_fact.collect(), looks: None }
    }
}

/// Executes on the engine that is asked for.
pub fn execute<D: Design>(order: &Order<'_>) -> Execution {
    let scenario = order.scenario;
    let cluster = cluster_of(order);
    let entries = D::entries(&cluster);
    let workload = order.workload();
    let (last_read, _) = (workload.last_read)(&scenario.workload.settings);
    let readers = match scenario.final_reads && workload.info.functions.contains(&last_read) {
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
        keep_all_facts: order.trace == TraceLevel::Texts && order.frame.is_none(),
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
    let mut observer = Watch::over(order.codes, order.own);
    observer.looks = order.frame.map(|frame| {
        let none = vec![Vec::new(); servers];
        (frame.step_ns, Looks { clocks: none.clone(), commits: none })
    });
    let cargo = Cargo {
        config,
        boot: Box::new(boot),
        controller: Nemesis::new(&scenario.faults, order.seed, heal_ns, &scenario.stays_down),
        observer,
        operations: operations + scenario.workload.keys as usize,
    };
    let from_ns = quiet_end_ns + FINAL_READS_AFTER_NS;
    let mut early = order.early_look();
    let mut ended_early = false;
    let Delivered { recording, controller, observer, end_ns, limit } = match order.engine.name {
        name if name == engines::SIM.name => {
            let mut is_over = |engine: &Engine<Member<D>>| {
                let finds = early.as_mut().is_some_and(|early| early.finds(engine.history()));
                ended_early |= finds;
                finds
            };
            let step_ns = match order.frame {
                Some(frame) => frame.step_ns.max(1),
                None if order.early => LOOK_EVERY_NS,
                None => from_ns,
            };
            simulate(cargo, (from_ns, step_ns), servers, order.frame, &mut is_over)
        }
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
        invariants: observer.invariants,
        looks: observer.looks.map(|(_, looks)| looks).unwrap_or_default(),
        limit,
        doubts: Vec::new(),
        ended_early,
    }
}

/// Our own loop, in steps after which it may be over; from `from_ns` on it is looked now and then
/// whether the final reads are done.
fn simulate<D: Design>(
    cargo: Cargo<Member<D>, Nemesis, Watch>,
    (from_ns, step_ns): (u64, u64),
    servers: usize,
    frame: Option<&Frame>,
    is_over: &mut dyn FnMut(&Engine<Member<D>>) -> bool,
) -> Delivered<Nemesis, Watch> {
    let Cargo { config, boot, mut controller, mut observer, operations } = cargo;
    let mut engine = Engine::new(config, boot, &mut observer);
    engine.expect_operations(operations);
    if let Some(frame) = frame {
        engine.keep_trace_within(frame.windows.clone());
    }
    let mut outcome = Ok(());
    let mut over = false;
    while outcome.is_ok() && !over && engine.now_ns() < from_ns {
        let until_ns = (engine.now_ns() + step_ns).min(from_ns);
        outcome = engine.run(until_ns, &mut controller, &mut observer);
        let clocks = observer.looks.iter_mut().flat_map(|(_, looks)| &mut looks.clocks);
        for (points, node) in clocks.zip(0..) {
            points.push((engine.now_ns(), engine.clock_offset_ns(NodeId(node))));
        }
        over = is_over(&engine);
    }
    let deadline = from_ns + FINAL_READS_WITHIN_NS;
    while outcome.is_ok() && !over && engine.now_ns() < deadline && !finished(&engine, servers) {
        let until = engine.now_ns() + FINAL_READS_STEP_NS;
        outcome = engine.run(until, &mut controller, &mut observer);
        over = is_over(&engine);
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

pub(crate) fn cluster_of(order: &Order<'_>) -> Cluster {
    let mut settings = order.scenario.parameters.clone();
    settings.0.extend(order.variant.parameters.0.clone());
    Cluster {
        names: order.scenario.nodes.clone(),
        settings,
        variant: order.variant.variant.clone(),
    }
}

/// Whom each final reader may ask: everybody, or where all replicas are to agree each of them one.
pub(crate) fn final_readers(design: &DesignInfo, entries: &[NodeId]) -> Vec<Vec<NodeId>> {
    if design.guarantees.contains(&"CONV") {
        return entries.iter().map(|entry| vec![*entry]).collect();
    }
    vec![entries.to_vec()]
}

/// The clients of the workload, and those that read every key when all is quiet.
pub(crate) fn client_plans(
    order: &Order<'_>,
    entries: &[NodeId],
    readers: &[Vec<NodeId>],
) -> Vec<ClientPlan> {
    let scenario = order.scenario;
    let duration_ns = scenario.phases.faults_ns + scenario.phases.quiet_ns;
    let plans = match &scenario.operations {
        Some(operations) => {
            wrack_workloads::explicit(operations, scenario.workload.clients, &scenario.nodes)
        }
        None => {
            let (entry, workload) = (order.workload(), &scenario.workload);
            let planned_ns = duration_ns.saturating_add(surplus_ns(scenario));
            wrack_workloads::plan_of(entry, workload, order.seed, planned_ns)
        }
    };
    let surges = scenario.operations.is_none() && surplus_ns(scenario) > 0;
    let hot_key = keys(scenario).into_iter().next().filter(|_| surges);
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
        surge: hot_key.clone().map(|hot_key| SurgePlan { hot_key, ends_ns: duration_ns }),
    };
    let pace = scenario.workload.pace;
    let mut all: Vec<_> = (0..)
        .zip(plans)
        .map(|(client, operations)| plan(client, operations, pace, &scenario.client))
        .collect();
    let last_read = (order.workload().last_read)(&scenario.workload.settings);
    let mut reads = wrack_workloads::final_reads(&last_read, &keys(scenario));
    for read in &mut reads {
        read.due_ns = duration_ns + FINAL_READS_AFTER_NS;
    }
    let reads: Operations = reads.into_iter().collect();
    let policy = patient(&scenario.client);
    all.extend((first_reader..).zip(readers).map(|(client, entries)| ClientPlan {
        entries: entries.clone(),
        surge: None,
        ..plan(client, reads.clone(), Pace::Open, &policy)
    }));
    all
}

/// How much more of their plans clients come to, because they meet surges of load, in nanoseconds of it.
fn surplus_ns(scenario: &Scenario) -> u64 {
    let surges = scenario.faults.iter().filter(|entry| entry.fault.kind == SURGE);
    let each = surges.map(|entry| {
        let multiplier = entry.fault.settings.integer("multiplier").unwrap_or(1).max(1) as u64;
        let lasts_ns = entry.lasts_ns.unwrap_or(scenario.phases.faults_ns);
        lasts_ns.saturating_mul(multiplier - 1).saturating_mul(u64::from(entry.times))
    });
    each.fold(0, u64::saturating_add)
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

pub(crate) fn names_of(cluster: &Cluster, clients: usize, readers: usize) -> Vec<SmolStr> {
    let client = |number| SmolStr::from(format!("client-{number}"));
    let reader = |number| match readers {
        1 => SmolStr::new_static("final-reader"),
        _ => format!("final-reader-{number}").into(),
    };
    let clients = (1..=clients).map(client).chain((1..=readers).map(reader));
    cluster.names.iter().cloned().chain(clients).collect()
}
