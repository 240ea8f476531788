//! Executing a service of somebody's own: its hosts and clients on turmoil, through all phases.

use std::sync::LazyLock;

use wrack_history::catalogue::EngineInfo;
use wrack_history::run::Phases;
use wrack_nemesis::Nemesis;
use wrack_service::{Delivered, HOSTS_MAX, Service, simulate};
use wrack_sim::Observer;

use crate::execute::{
    Execution, FINAL_READS_AFTER_NS, FINAL_READS_WITHIN_NS, Looks, Order, Watch, client_plans,
    cluster_of, final_readers, names_of,
};

/// What a fault can be that hits a service: all others are refused.
const INJECTED: [&str; 3] = ["clock-step", "crash", "partition"];

/// Hosts of turmoil that run somebody's own software.
pub fn engine() -> &'static EngineInfo {
    static ENGINE: LazyLock<EngineInfo> = LazyLock::new(|| {
        let all = wrack_nemesis::ALL.iter().map(|entry| entry.info.name);
        let refused: Vec<_> = all.filter(|name| !INJECTED.contains(name)).collect();
        EngineInfo {
            name: "turmoil",
            doc: "turmoil in virtual time, with a service's own software on its hosts.",
            deterministic: true,
            nodes_max: Some(HOSTS_MAX as u32),
            faults_refused: refused.leak(),
            missing: None,
        }
    });
    &ENGINE
}

/// Executes on turmoil, on this thread: it must be a fresh one.
pub fn on_turmoil<S: Service>(order: &Order<'_>) -> Execution {
    let scenario = order.scenario;
    let cluster = cluster_of(order);
    let entries = S::entries(&cluster);
    let asked = scenario.final_reads && order.workload().info.functions.contains(&"read");
    let readers = if asked { final_readers(S::INFO, &entries) } else { Vec::new() };
    let clients = client_plans(order, &entries, &readers);
    let count = clients.len() as u32;
    let names = names_of(&cluster, clients.len() - readers.len(), readers.len());
    let (heal_ns, quiet_ns) = (scenario.phases.faults_ns, scenario.phases.quiet_ns);
    let ends_from_ns = heal_ns + quiet_ns + FINAL_READS_AFTER_NS;
    let run = wrack_service::Order {
        seed: order.seed,
        names: names.clone(),
        cluster,
        environment: scenario.environment.clone(),
        clients,
        trace: order.trace,
        ends_ns: (ends_from_ns, ends_from_ns + FINAL_READS_WITHIN_NS),
    };
    let stays_down = &scenario.stays_down;
    let mut nemesis = Nemesis::new(&scenario.faults, order.seed, heal_ns, stays_down);
    let delivered = simulate::<S>(&run, &mut nemesis);
    let Delivered { recording, end_ns, doubts } = delivered;
    let mut watch = Watch::over(order.codes, order.own);
    watch.facts(&recording.facts);
    Execution {
        faults: nemesis.finish(&recording.effects),
        recording,
        phases: Phases { heal_ns, quiet_end_ns: heal_ns + quiet_ns, end_ns },
        names,
        clients: count,
        invariants: watch.invariants,
        looks: Looks::default(),
        limit: None,
        doubts,
        ended_early: false,
    }
}
