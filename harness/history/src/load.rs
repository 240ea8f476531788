//! The load: what clients ask, how they retry, and how links and disks behave without faults.

use smol_str::SmolStr;

use crate::setting::{Delay, Settings};
use crate::value::Value;

/// How links and disks behave without faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Latency between nodes, one way.
    pub peer_latency: Delay,
    /// Latency between a client and a node, one way.
    pub client_latency: Delay,
    /// How long a sync of a disk takes.
    pub sync_latency: Delay,
}

/// What clients ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name in the catalogue.
    pub name: SmolStr,
    /// How many clients.
    pub clients: u32,
    /// How many keys.
    pub keys: u32,
    /// How keys are chosen.
    pub distribution: KeyDistribution,
    /// Operations per 1,000 seconds, all clients together.
    pub rate_per_kilosecond: u64,
    /// Whether a client waits for its last operation before the next.
    pub pace: Pace,
    /// Weight of each function, in the order of the workload's functions.
    pub mix: Vec<(SmolStr, u32)>,
    /// At most so many operations in all, if there is a limit.
    pub operations_max: Option<u64>,
    /// Further parameters of this workload.
    pub settings: Settings,
}

/// An operation that a scenario names itself, in place of those that a workload would draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplicitOperation {
    /// Which client invokes it, from 0.
    pub client: u32,
    /// Its number among the client's operations: every draw for it is keyed by this.
    pub number: u32,
    /// When it is due, in virtual nanoseconds; never before the client's last one completed.
    pub at_ns: u64,
    /// The node that is asked first; whom the client asked last if absent.
    pub to: Option<SmolStr>,
    /// The object.
    pub key: SmolStr,
    /// What is asked.
    pub function: SmolStr,
    /// With what; a cas takes `[expected, new]`.
    pub argument: Value,
}

/// How keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDistribution {
    /// Every key alike.
    Uniform,
    /// Key of rank r with weight 1 / r^s.
    Zipf {
        /// The exponent s, in thousandths.
        exponent_milli: u32,
    },
}

/// Whether a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The next operation is due at its time, but never before the last one completed.
    Open,
    /// The next operation comes a think time after the last one completed.
    Closed,
}

/// How clients retry (X19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long an attempt waits for its answer.
    pub timeout_ns: u64,
    /// How many attempts at most, from 1.
    pub attempts_max: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub backoff_ns: u64,
    /// The wait never exceeds this.
    pub backoff_max_ns: u64,
    /// The wait is moved by up to this share, either way, in millionths.
    pub jitter_per_million: u32,
    /// At most this share of attempts may be retries, in millionths; `None` for no budget.
    pub budget_per_million: Option<u32>,
    /// What the design may use to recognise a retry.
    pub key: RetryKey,
    /// Share of attempts whose message is sent once more, late, in millionths.
    pub late_duplicate_per_million: u32,
    /// How late it comes.
    pub late_duplicate_after_ns: u64,
}

/// What the design may use to recognise a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryKey {
    /// Session and sequence, unique to the operation.
    Unique,
    /// Nothing.
    None,
    /// The same for different operations, now and then.
    Colliding,
}
