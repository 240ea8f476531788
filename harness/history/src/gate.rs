//! A gate's decision: what many groups showed, compared with what is known and allowed.
//!
//! Plain data: the gate makes it, reports show it, and `gate.json` is this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of `gate.json`.
pub const GATE_FORMAT: u32 = 1;

/// How bad something is. Of several, the greatest holds: the order is that of the exit codes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be, or good to know.
    #[default]
    Note,
    /// Passes, but somebody should look at it.
    Warning,
    /// Nothing can be said: never a pass.
    Unknown,
    /// A metric is worse than the baseline.
    Regression,
    /// Something is wrong.
    Failure,
}

impl Level {
    /// The word of `gate.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Regression => "regression",
            Self::Failure => "failure",
        }
    }

    /// Whether the gate lets it through.
    pub fn passes(self) -> bool {
        self <= Self::Warning
    }
}

/// How a finding stands to the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Not in the baseline.
    New,
    /// In the baseline, and still there.
    Ongoing,
    /// In the baseline, and gone: so many seeds would have shown it.
    Resolved,
    /// In the baseline, and not seen; but so few seeds need not have shown it.
    Rare,
    /// The same seed gave two different runs.
    Nondeterminism,
    /// A metric that moved.
    Metric,
    /// Too little is known.
    Unknown,
    /// About the policy itself.
    Policy,
}

impl Class {
    /// The word of `gate.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Resolved => "resolved",
            Self::Rare => "rare",
            Self::Nondeterminism => "nondeterminism",
            Self::Metric => "metric",
            Self::Unknown => "unknown",
            Self::Policy => "policy",
        }
    }
}

/// One thing that a gate has to say of a group, or of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// How it stands to the baseline.
    pub class: Class,
    /// What it is about, and what tools group by: `LIN`, `missed LIN`, `slo availability`,
    /// `latency-p99`; for the other classes the class itself.
    pub name: String,
    /// What is wrong and why, in plain words.
    pub text: String,
    /// In how many seeds it was seen.
    pub seeds: u64,
    /// The first seed that shows it.
    pub first_seed: Option<u64>,
    /// The command that replays it.
    pub replay: Option<String>,
    /// Where that run is kept in full, relative to the gate's folder.
    pub result: Option<String>,
}

/// One group: a variant of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// The path of the scenario file, as it was given.
    pub path: String,
    /// The line that says what is expected of the variant, from 1.
    pub line: usize,
    /// `valid`, or the code of the anomaly that is expected.
    pub expected: String,
    /// Seeds whose run is as it should be.
    pub found: u64,
    /// Seeds in all.
    pub seeds: u64,
    /// The worst of the findings.
    pub level: Level,
    /// What there is to say, the worst first.
    pub findings: Vec<Finding>,
    /// What was measured over all seeds, by name.
    pub metrics: BTreeMap<String, Measured>,
}

/// A number that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The number, in the unit.
    pub number: u64,
    /// What the number counts.
    pub unit: Unit,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// From how many events.
    pub events: u64,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Virtual nanoseconds.
    Ns,
    /// Millionths of a whole.
    PerMillion,
    /// Things.
    Count,
}

/// All that a gate decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The version of this format.
    pub format: u32,
    /// The version of Wrack that decided.
    pub wrack_version: String,
    /// The worst of everything.
    pub level: Level,
    /// What there is to say of the whole, the worst first.
    pub findings: Vec<Finding>,
    /// Every group, in the order in which they ran.
    pub cases: Vec<Case>,
}

impl Gate {
    /// Every finding with the group that it is about, if it is about one: the worst first, then in
    /// order.
    pub fn all(&self) -> Vec<(Option<&Case>, &Finding)> {
        let whole = self.findings.iter().map(|finding| (None, finding));
        let cases = self.cases.iter();
        let of_cases =
            cases.flat_map(|case| case.findings.iter().map(move |finding| (Some(case), finding)));
        let mut all: Vec<_> = whole.chain(of_cases).collect();
        all.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.level));
        all
    }
}
