//! A group: one scenario and variant over many seeds, against what is expected of it.

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
        Self {
            scenario: scenario.into(),
            variant: variant.variant.to_string(),
            expected: variant.expected().into(),
            found: 0,
            seeds: 0,
            standing: Standing::Unknown,
            required_per_million: u64::from(variant.share_per_million),
            worst: Standing::AsExpected,
        }
    }

    /// Takes the next run in; says how that run stands by itself.
    pub fn add(&mut self, run: &Run) -> Standing {
        let must_be_valid = self.expected == "valid";
        let found = if must_be_valid { run.verdict == Verdict::Valid } else { run.found() };
        self.seeds += 1;
        self.found += u64::from(found && run.as_expected);
        let standing = match run.verdict {
            Verdict::Unknown if must_be_valid && run.foreign.is_empty() => Standing::Unknown,
            _ if run.as_expected => Standing::AsExpected,
            _ => Standing::NotAsExpected,
        };
        self.worst = self.worst.max(standing);
        self.standing = self.worst.max(self.share_standing(must_be_valid));
        standing
    }

    /// Whether the anomaly was found in enough seeds. Too few seeds to ask that of, without a
    /// find, say nothing.
    fn share_standing(&self, must_be_valid: bool) -> Standing {
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
