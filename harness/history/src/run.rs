//! A run: everything that one scenario with one seed gave, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::alert::Alert;
use crate::fact::FactRecord;
use crate::fault::ResolvedFault;
use crate::gate::Measured;
use crate::history::{Counts, History};
use crate::picture::Picture;
use crate::trace::Trace;
use crate::verdict::{Anomaly, Judgement, Verdict};

/// The version of `result.json`.
pub const RESULT_FORMAT: u32 = 1;

/// One scenario with one seed, run and judged.
///
/// Shape: `result.json` is this, but for the history, which stands beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Version of this format.
    pub format: u32,
    /// The version of Wrack that ran it.
    pub wrack_version: String,
    /// The scenario's name: `raft/leader-isolated`.
    pub scenario: String,
    /// A digest of the scenario file.
    pub scenario_hash: String,
    /// The path that the scenario was read from, as it was given.
    pub scenario_path: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario's story.
    pub story: String,
    /// What the scenario expects to hold.
    pub hypothesis: String,
    /// The scenario file itself.
    pub scenario_source: String,
    /// The design's name.
    pub design: String,
    /// The variant's name.
    pub variant: String,
    /// The seed, below 2^53.
    pub seed: u64,
    /// The engine's name.
    pub engine: String,
    /// Whether the engine may give another run for the same seed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_deterministic: bool,
    /// `valid`, or the code of the anomaly that is expected.
    pub expected: String,
    /// The verdict over all judgements and guards.
    pub verdict: Verdict,
    /// Why the verdict is unknown, one line each.
    pub doubts: Vec<String>,
    /// Whether nothing in this run contradicts what the scenario expects of the variant.
    pub as_expected: bool,
    /// Codes of anomalies that neither are expected nor follow from what is.
    pub foreign: Vec<SmolStr>,
    /// What each checker said.
    pub judgements: Vec<Judgement>,
    /// The faults as they happened.
    pub faults: Vec<ResolvedFault>,
    /// The service level objectives.
    pub slos: Vec<Slo>,
    /// Whether what happened would have called somebody, where the scenario asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// How the operations ended.
    pub counts: Counts,
    /// The phases of the run.
    pub phases: Phases,
    /// Names of nodes, then of clients, in order of their index.
    pub nodes: Vec<SmolStr>,
    /// How many of them are clients: the last ones.
    pub clients: u32,
    /// Situations worth reaching, and how often they were reached.
    pub sometimes: BTreeMap<SmolStr, u64>,
    /// Facts kept for the report: roles, boots, crashes, pauses.
    pub facts: Vec<FactRecord>,
    /// Messages sent.
    pub messages: u64,
    /// Records and cells written to disks.
    #[serde(default)]
    pub writes: u64,
    /// A digest of everything that the engine did, 16 hexadecimal digits.
    pub trace_hash: String,
    /// The command that replays it.
    pub replay: String,
    /// The history, beside the result.
    #[serde(skip)]
    pub history: History,
    /// What a report draws beside the history, in a file of its own beside the result.
    #[serde(skip)]
    pub picture: Picture,
    /// The trace, if it was asked for.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

impl Run {
    /// Every anomaly of every checker.
    pub fn anomalies(&self) -> impl Iterator<Item = &Anomaly> {
        self.judgements.iter().flat_map(|judgement| &judgement.anomalies)
    }

    /// Whether the expected anomaly was found.
    pub fn found(&self) -> bool {
        self.anomalies().any(|anomaly| anomaly.code == self.expected)
    }

    /// What is judged over all seeds of a group together, if the scenario has such an objective.
    pub fn pooled(&self) -> Option<Pooled> {
        self.slos.iter().find_map(|slo| slo.pooled)
    }
}

/// Where the phases of a run end, in virtual nanoseconds since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Faults are healed, and the quiet period begins.
    pub heal_ns: u64,
    /// Clients stop asking; the final reads begin.
    pub quiet_end_ns: u64,
    /// The run ended.
    pub end_ns: u64,
}

/// A service level objective, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// The metric: `M1`, `availability`, `latency.read` …
    pub name: String,
    /// What was promised: `>= 99.9%`.
    pub objective: String,
    /// What was observed: `99.95%`, with its base: `(3,012 operations)`.
    pub observed: String,
    /// Whether it was met; `None` below the minimum of events.
    pub met: Option<bool>,
    /// What was observed as a number, where it is one, for comparing it with other runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Where one run has too few events to judge: what all seeds of a group are judged by together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Pooled>,
}

/// Duplicate effects (M5) of one run, or of many together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooled {
    /// Effects beyond the first of each operation.
    pub duplicates: u64,
    /// All effects.
    pub effects: u64,
    /// Which share of all may be duplicates.
    pub at_most_per_million: u32,
}

impl Pooled {
    /// The metric that is pooled.
    pub const METRIC: &str = "M5";
    /// Of fewer effects a share this small says nothing.
    pub const EFFECTS_MIN: u64 = 30_000;

    /// Those of other runs beside.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let duplicates = self.duplicates + other.duplicates;
        Self { duplicates, effects: self.effects + other.effects, ..self }
    }

    /// Whether the share is met; `None` below the minimum of effects.
    pub fn met(&self) -> Option<bool> {
        let allowed = u128::from(self.effects) * u128::from(self.at_most_per_million);
        let met = u128::from(self.duplicates) * 1_000_000 <= allowed;
        (self.effects >= Self::EFFECTS_MIN).then_some(met)
    }
}

impl std::fmt::Display for Pooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { duplicates, effects, at_most_per_million } = self;
        let most = f64::from(*at_most_per_million) / 10_000.0;
        write!(
            f,
            "{}: {duplicates} of {effects} effects are duplicates, at most {most}% may be",
            Self::METRIC
        )?;
        match self.met() {
            Some(_) => Ok(()),
            None => write!(f, "; below {} that says nothing", Self::EFFECTS_MIN),
        }
    }
}
