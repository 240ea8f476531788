//! How finely a carrier cuts time for a scenario.

use std::time::Duration;

use wrack_history::load::Environment;
use wrack_history::setting::Delay;

/// turmoil rounds timers to this.
const SHORTEST_NS: u64 = 1_000_000;
/// Coarser than this, and faults act visibly late.
const LONGEST_NS: u64 = 5_000_000;

/// Half of what a message typically takes, in whole milliseconds from 1 to 5: every host runs at
/// every tick, so a finer one costs time, and a coarser one makes messages late.
pub fn for_environment(environment: &Environment) -> Duration {
    let quickest =
        typical_ns(&environment.peer_latency).min(typical_ns(&environment.client_latency));
    let tick_ns = (quickest / 2).clamp(SHORTEST_NS, LONGEST_NS);
    Duration::from_nanos(tick_ns / SHORTEST_NS * SHORTEST_NS)
}

/// About the middle of a distribution.
fn typical_ns(delay: &Delay) -> u64 {
    match delay {
        Delay::Uniform { min_ns, max_ns } => min_ns / 2 + max_ns / 2,
        Delay::Exponential { min_ns, mean_ns } => min_ns.saturating_add(*mean_ns),
        Delay::LogNormal { median_ns, .. } => *median_ns,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wrack_history::load::Environment;
    use wrack_history::setting::Delay;

    #[test]
    fn a_tick_is_half_of_what_the_quickest_message_takes_within_bounds() {
        let tick = |peer_ms: u64, client_ms: u64| {
            let delay = |ms: u64| Delay::constant(ms * 1_000_000);
            super::for_environment(&Environment {
                peer_latency: delay(peer_ms),
                client_latency: delay(client_ms),
                sync_latency: delay(1),
            })
        };
        assert_eq!(tick(1, 1), Duration::from_millis(1));
        assert_eq!(tick(7, 40), Duration::from_millis(3));
        assert_eq!(tick(200, 100), Duration::from_millis(5));
    }
}
