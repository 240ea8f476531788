//! What engines there are, and what each can do.

use wrack_history::catalogue::EngineInfo;
use wrack_sim::{Controller, Engine, Node, Observer};

use crate::hub::{Cargo, Delivered};
use crate::turmoil::NODES_MAX;
use crate::{sockets, turmoil};

/// Our own event loop.
pub const SIM: EngineInfo = EngineInfo {
    name: "sim",
    doc: "\
The simulator: one event loop in virtual time, the fastest by far. Everything is decided by the seed.",
    deterministic: true,
    nodes_max: None,
    faults_refused: &[],
    missing: None,
};

/// Hosts of turmoil.
pub const TURMOIL: EngineInfo = EngineInfo {
    name: "turmoil",
    doc: "\
turmoil in virtual time: every node is a host with its own tokio runtime, and all clients are one; every \
message is a UDP datagram, a crash ends the host's software and a boot starts it again with the same disk. Time is cut \
into ticks of 1 to 5 ms, half of what a message typically takes.",
    deterministic: true,
    nodes_max: Some(NODES_MAX as u32),
    faults_refused: &[],
    missing: None,
};

/// Nodes of madsim.
pub const MADSIM: EngineInfo = EngineInfo {
    name: "madsim",
    doc: "\
madsim in virtual time: every member is a node, every message goes through its endpoint, a crash kills \
the node and a boot restarts it with the same disk. A message takes 2 ms at least.",
    deterministic: true,
    nodes_max: None,
    faults_refused: &[],
    missing: if cfg!(madsim) {
        None
    } else {
        Some(
            "this program was built without it: `cargo mad run --release -p wrack -- run …` builds one that has it",
        )
    },
};

/// Real sockets.
pub const TOKIO: EngineInfo = EngineInfo {
    name: "tokio",
    doc: "\
Real UDP and TCP sockets on loopback in real time, all members on one thread: a run takes as long as \
its scenario says, and is never the same twice.",
    deterministic: false,
    nodes_max: None,
    faults_refused: &[],
    missing: None,
};

/// All of them.
pub const ALL: [&EngineInfo; 4] = [&SIM, &TURMOIL, &MADSIM, &TOKIO];

/// The engine of this name.
pub fn find(name: &str) -> Option<&'static EngineInfo> {
    ALL.into_iter().find(|info| info.name == name)
}

/// What stands on a command line for it: nothing for the simulator.
pub fn flag(engine: &EngineInfo) -> String {
    match engine.name {
        name if name == SIM.name => String::new(),
        name => format!(" --engine {name}"),
    }
}

/// Carries a cluster on an engine until `is_over` says so, on this thread.
///
/// # Panics
/// If the engine is the simulator, which needs no carrier, or one that is missing; or if something
/// panics outside of a node.
pub fn carry<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    engine: &EngineInfo,
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    match engine.name {
        "turmoil" => turmoil::run(cargo, is_over),
        "tokio" => sockets::run(cargo, is_over),
        #[cfg(madsim)]
        "madsim" => crate::madsim::run(cargo, is_over),
        name => unreachable!("nodes are not carried by {name}"),
    }
}
