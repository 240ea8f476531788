//! People's own tokio services on turmoil.
//!
//! A [`Service`] says how a host starts, and turns an operation into calls on it. Its hosts run in a
//! simulation of turmoil, with turmoil's sockets and files; the clients are those of the simulator,
//! with their retry policy, and what they see is the same history. The nemesis acts through the same
//! [`World`](wrack_sim::World), as far as turmoil can: links that are cut or held, hosts that crash
//! and lose what they did not sync, wall clocks that are wrong. Anything else is a doubt: such a run
//! is unknown, never valid.
//!
//! ```text
//!   wrack_sim::Client ── Request ─▶ Service::call ── TCP of turmoil ─▶ host: Service::start
//!        │        ◀── Response ──                                        │ files of turmoil
//!        ▼                                                               ▼ clock: see `clock`
//!   one Recorder: history, facts, trace hash ◀── what turmoil tells by `tracing`: who runs, what is lost
//! ```
//! A run has a thread of its own, a fixed epoch and draws from its seed alone. What may differ from run
//! to run is the service's own doing: `HashMap`, `select!` without `biased`, other threads,
//! `std::time::Instant`.

mod client;
pub mod clock;
mod panics;
mod scene;
mod simulate;
mod watcher;
mod world;

use std::error::Error;
use std::io;
use std::sync::Arc;

use wrack_history::SmolStr;
use wrack_history::catalogue::DesignInfo;
use wrack_sim::{Cluster, NodeId, Reply, Request};

pub use simulate::{Delivered, HOSTS_MAX, Order, simulate};

/// A service of one's own.
pub trait Service: 'static {
    /// How it describes itself. It can be hit by `partition`, `crash` and `clock-step`.
    const INFO: &'static DesignInfo;

    /// The software of a host, from its boot until it crashes.
    ///
    /// It may return when it has nothing to do. An error, like a panic, is the anomaly ASSERT.
    fn start(host: Host) -> impl Future<Output = Result<(), Box<dyn Error>>> + 'static;

    /// One attempt at an operation, made by a client on its own host, at the host of this name.
    ///
    /// Errors: nobody knows what became of it, unless the connection was refused: then it certainly
    /// had no effect. [`Reply`] says more where the service does.
    fn call(
        host: SmolStr,
        request: Arc<Request>,
    ) -> impl Future<Output = io::Result<Reply>> + 'static;

    /// The role that a host has now, and its term or epoch, asked every 50 ms from outside of the
    /// cluster if [`DesignInfo::roles`] names any.
    fn role(host: SmolStr) -> impl Future<Output = Option<(SmolStr, u64)>> + 'static {
        let _ = host;
        std::future::ready(None)
    }

    /// The hosts that clients may call.
    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        cluster.servers().collect()
    }
}

/// What a host knows when it starts.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name, by which others reach it.
    pub name: SmolStr,
    /// Names of all hosts, the settings of the scenario and the variant.
    pub cluster: Arc<Cluster>,
}
