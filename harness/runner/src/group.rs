//! A group: one scenario and variant over many seeds, against what is expected of it.

use serde::Serialize;
use wrack_history::{Run, Verdict};
use wrack_scenario::Expectation;

/// How a run or a group stands against what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As expected.
    AsExpected,
    /// Unknown, vacuous, or not enough data.
    Unknown,
    /// Not as expected.
    NotAsExpected,
}

/// What counts of a run.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether the expected anomaly was found.
    pub found: bool,
    /// Whether nothing contradicts what the scenario expects.
    pub as_expected: bool,
    /// Whether an anomaly was found that nobody expects.
    pub foreign: bool,
}

impl From<&Run> for Outcome {
    fn from(run: &Run) -> Self {
        Self {
            verdict: run.verdict,
            found: run.found(),
            as_expected: run.as_expected,
            foreign: !run.foreign.is_empty(),
        }
    }
}

/// The outcome of a variant over many seeds.
#[derive(Clone, Debug)]
pub struct Group {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// `valid`, or the code of the expected anomaly.
    pub expected: String,
    /// Seeds whose run is as it should be: valid, or with the expected anomaly.
    pub found: u64,
    /// Seeds in all.
    pub seeds: u64,
    /// How it stands.
    pub standing: Standing,
    required_per_million: u64,
    worst: Standing,
}

impl Group {
    /// A group without runs yet.
    pub fn new(scenario: &str, variant: &Expectation) -> Self {
        let required = u64::from(variant.share_per_million);
        Self::of(scenario, &variant.variant, variant.expected(), required)
    }

    /// A group without runs yet, from what is expected of it and in how many millionths of the seeds.
    pub fn of(scenario: &str, variant: &str, expected: &str, required_per_million: u64) -> Self {
        Self {
            scenario: scenario.into(),
            variant: variant.into(),
            expected: expected.into(),
            found: 0,
            seeds: 0,
            standing: Standing::Unknown,
            required_per_million,
            worst: Standing::AsExpected,
        }
    }

    /// Takes the next run in; says how that run stands by itself.
    pub fn add(&mut self, run: impl Into<Outcome>) -> Standing {
        let run = run.into();
        let must_be_valid = self.expected == "valid";
        let found = if must_be_valid { run.verdict == Verdict::Valid } else { run.found };
        self.seeds += 1;
        self.found += u64::from(found && run.as_expected);
        let standing = match run.verdict {
            Verdict::Unknown if must_be_valid && !run.foreign => Standing::Unknown,
            _ if run.as_expected => Standing::AsExpected,
            _ => Standing::NotAsExpected,
        };
        self.worst = self.worst.max(standing);
        self.standing = self.worst.max(self.share_standing());
        standing
    }

    /// Whether the anomaly was found in enough seeds. Too few seeds to ask that of, without a
    /// find, say nothing.
    pub fn share_standing(&self) -> Standing {
        let must_be_valid = self.expected == "valid";
        let required = self.seeds * self.required_per_million;
        if must_be_valid || self.found * 1_000_000 >= required {
            Standing::AsExpected
        } else if self.found == 0 && required < 1_000_000 {
            Standing::Unknown
        } else {
            Standing::NotAsExpected
        }
    }

    /// The share of seeds that are as they should be.
    pub fn share(&self) -> f64 {
        self.found as f64 / self.seeds.max(1) as f64
    }
}

/// A group as summaries show it.
#[derive(Clone, Debug, Serialize)]
pub struct GroupSummary {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// `valid`, or the code of the expected anomaly.
    pub expected: String,
    /// Seeds whose run is as it should be.
    pub found: u64,
    /// Seeds in all.
    pub seeds: u64,
    /// The share of seeds that are as they should be.
    pub share: f64,
    /// Whether the group is as expected.
    pub as_expected: bool,
}

impl From<&Group> for GroupSummary {
    fn from(group: &Group) -> Self {
        Self {
            scenario: group.scenario.clone(),
            variant: group.variant.clone(),
            expected: group.expected.clone(),
            found: group.found,
            seeds: group.seeds,
            share: group.share(),
            as_expected: group.standing == Standing::AsExpected,
        }
    }
}
