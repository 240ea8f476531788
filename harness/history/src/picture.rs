//! The picture of a run: what a report draws beside the history, measured where every fact and every
//! message was at hand.
//!
//! It is plain data, bounded whatever the length of the run, and stands beside a result that is kept in
//! full. A run without one is reported all the same, with less to see.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::NodeIndex;
use crate::gate::Unit;

/// What a report draws of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Picture {
    /// Numbers over time.
    pub series: Vec<Series>,
    /// Metrics that the run has and no objective is declared over.
    pub metrics: Vec<Metric>,
    /// The error budget, where the scenario has one or promises availability.
    pub budget: Option<Budget>,
    /// Messages around the anomaly that is told first.
    pub space_time: Option<SpaceTime>,
    /// How the anomalies that are told first came about.
    pub stories: Vec<Story>,
}

impl Picture {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A metric of the whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// `M1`, `latency p99 of all` …
    pub name: SmolStr,
    /// What was observed, in words.
    pub observed: String,
}

/// A number over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// What it is: one of the names in [`series`].
    pub name: SmolStr,
    /// What it counts.
    pub unit: Unit,
    /// The node that it is of; absent where it is of the whole.
    pub node: Option<NodeIndex>,
    /// Times, rising, in virtual nanoseconds since the run began, and the number from then on.
    pub points: Vec<(u64, i64)>,
}

/// Names of series.
pub mod series {
    /// A node's wall clock less true time.
    pub const CLOCK_OFFSET: &str = "clock-offset";
    /// The highest index that a node knows to be committed.
    pub const COMMIT_INDEX: &str = "commit-index";
    /// How old the oldest change is that a copy or replica has not applied.
    pub const REPLICA_LAG: &str = "replica-lag";
    /// From the cause of an event until its consumer was done with it, in true time: the longest.
    pub const EVENT_LAG: &str = "event-lag";
    /// The same as the nodes' own clocks showed it.
    pub const EVENT_LAG_AS_SEEN: &str = "event-lag-as-seen";
    /// What waits: events in queues, changes that copies have not applied.
    pub const BACKLOG: &str = "backlog";
}

/// The error budget of a run over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The share of operations that must end ok, in millionths.
    pub objective_per_million: u32,
    /// Whether the scenario declares it; else it is the objective of availability.
    pub declared: bool,
    /// What is left of the run's own budget, in millionths of it; below 0 it is overspent.
    pub remaining: Vec<(u64, i64)>,
    /// How fast each pair of windows burns it.
    pub burns: Vec<Burn>,
}

/// How fast a pair of windows burns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burn {
    /// The long and the short window: `1h/5m`.
    pub windows: SmolStr,
    /// `page` or `ticket`.
    pub severity: SmolStr,
    /// What both windows must exceed, in tenths.
    pub threshold_tenths: u32,
    /// The slower of both, in tenths.
    pub points: Vec<(u64, i64)>,
    /// When it would have fired.
    pub fired_ns: Option<u64>,
    /// From the first fault until then.
    pub detected_after_ns: Option<u64>,
    /// From then until it would not have fired any more.
    pub recovered_after_ns: Option<u64>,
}

/// Messages between nodes, and what nodes noted meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceTime {
    /// The stretches of time that are shown, in order.
    pub windows: Vec<(u64, u64)>,
    /// In order of sending.
    pub messages: Vec<Message>,
    /// In order of time.
    pub marks: Vec<Mark>,
    /// Messages of these stretches that are not kept, because there are too many.
    pub left_out: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who sent it.
    pub from: NodeIndex,
    /// To whom.
    pub to: NodeIndex,
    /// When.
    pub sent_ns: u64,
    /// When it came or was lost; absent if it did neither in time.
    pub ended_ns: Option<u64>,
    /// Whether it was lost.
    pub lost: bool,
    /// Its content.
    pub text: SmolStr,
}

/// Something that a node noted, or that was done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub ns: u64,
    /// The node.
    pub node: NodeIndex,
    /// What, in a few words.
    pub text: SmolStr,
}

/// How an anomaly came about, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Which anomaly, by its place among all of the run.
    pub anomaly: u32,
    /// In order of time.
    pub steps: Vec<Step>,
    /// Steps that were left out.
    pub left_out: u32,
}

/// One step of a story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, in virtual nanoseconds since the run began.
    pub ns: u64,
    /// What kind of step it is.
    pub kind: StepKind,
    /// A clause.
    pub text: String,
}

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The nemesis injected or healed a fault.
    Fault,
    /// A node changed: it crashed, booted, paused, took a role.
    Node,
    /// A client asked or learned.
    Client,
    /// A node did something for one of the operations.
    Effect,
}
