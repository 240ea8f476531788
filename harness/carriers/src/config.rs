//! What a run on another carrier is made for.

use std::sync::Arc;
use std::time::Duration;

use wrack_history::setting::Delay;
use wrack_sim::{EngineConfig, NodeId};

/// How a carrier makes a member that boots: its id, and how often it booted before.
pub type Boot<N> = Arc<dyn Fn(NodeId, u32) -> N + Send + Sync>;

/// What a run is made for.
#[derive(Clone, Debug)]
pub struct CarrierConfig {
    /// What our own engine would be made for. Facts and trace are kept as it says.
    pub engine: EngineConfig,
    /// How far time moves at a step, in nanoseconds: how often the run is looked at. For turmoil
    /// also how finely time is cut; at least 1 ms.
    pub tick_ns: u64,
    /// When the run ends, in nanoseconds of virtual time.
    pub duration_ns: u64,
}

impl CarrierConfig {
    /// The shortest and the longest latency of a link. Carriers draw in between as they please, so
    /// of a distribution without an end only its bulk is kept.
    pub(crate) fn latency(&self) -> (Duration, Duration) {
        let (min_ns, max_ns) = match self.engine.environment.peer_latency {
            Delay::Uniform { min_ns, max_ns } => (min_ns, max_ns),
            Delay::Exponential { min_ns, mean_ns } => (min_ns, min_ns + 3 * mean_ns),
            Delay::LogNormal { median_ns, .. } => (median_ns / 2, median_ns * 2),
        };
        (Duration::from_nanos(min_ns), Duration::from_nanos(max_ns))
    }

    pub(crate) fn tick(&self) -> Duration {
        Duration::from_nanos(self.tick_ns)
    }

    /// Every member of the cluster: servers, then clients.
    pub(crate) fn members(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.engine.names.len() as u16).map(NodeId)
    }

    pub(crate) fn name(&self, id: NodeId) -> &str {
        &self.engine.names[id.index()]
    }
}
