//! A group: one scenario and variant over many seeds, against what is expected of it.

use serde::Serialize;
use wrack_history::run::Pooled;
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
    /// What is judged over all seeds together.
    pub pooled: Option<Pooled>,
}

impl From<&Run> for Outcome {
    fn from(run: &Run) -> Self {
        Self {
            verdict: run.verdict,
            found: run.found(),
            as_expected: run.as_expected,
            foreign: !run.foreign.is_empty(),
            pooled: run.pooled(),
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
    /// What is judged over all seeds together.
    pub pooled: Option<Pooled>,
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
            pooled: None,
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
        self.pooled = match (self.pooled, run.pooled) {
            (Some(pooled), Some(one)) => Some(pooled.and(one)),
            (pooled, one) => pooled.or(one),
        };
        self.worst = self.worst.max(standing);
        let pooled = match self.pooled.and_then(|pooled| pooled.met()) {
            Some(false) => Standing::NotAsExpected,
            _ => Standing::AsExpected,
        };
        self.standing = self.worst.max(self.share_standing()).max(pooled);
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
    /// What is judged over all seeds together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Pooled>,
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
            pooled: group.pooled,
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Verdict;
    use wrack_history::run::Pooled;

    use super::{Group, Outcome, Standing};

    #[test]
    fn duplicates_of_all_seeds_are_judged_together() {
        let mut group = Group::of("s", "reference", "valid", 0);
        let mut add = |duplicates| {
            let pooled = Pooled { duplicates, effects: 15_000, at_most_per_million: 100 };
            group.add(Outcome {
                verdict: Verdict::Valid,
                found: false,
                as_expected: true,
                foreign: false,
                pooled: Some(pooled),
            });
            (group.standing, group.pooled.and_then(|pooled| pooled.met()))
        };
        assert_eq!(add(3), (Standing::AsExpected, None), "15,000 effects say nothing");
        assert_eq!(add(0), (Standing::AsExpected, Some(true)), "3 of 30,000 may be duplicates");
        assert_eq!(add(2), (Standing::NotAsExpected, Some(false)), "4 of 45,000 may be");
        assert_eq!(add(0), (Standing::AsExpected, Some(true)), "6 of 60,000 may be");
    }
}
