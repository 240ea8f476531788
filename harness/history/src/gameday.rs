//! A game day as it went: plain data, which is `gameday.json`.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::alert::Alert;
use crate::run::Slo;

/// The version of `gameday.json`.
pub const GAMEDAY_FORMAT: u32 = 1;

/// Something that a run, or a person, can show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// An anomaly of this code.
    Anomaly(SmolStr),
    /// The objective of this metric is missed.
    Slo(SmolStr),
    /// An alert of this severity fires: `page` or `ticket`.
    Alert(SmolStr),
    /// A step stands like this: `not-as-expected` or `unknown`.
    Standing(SmolStr),
    /// What only people can say.
    People(String),
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anomaly(code) => write!(f, "anomaly {code}"),
            Self::Slo(metric) => write!(f, "objective {metric} missed"),
            Self::Alert(severity) => write!(f, "{severity} fires"),
            Self::Standing(standing) => f.write_str(&standing.replace('-', " ")),
            Self::People(words) => f.write_str(words),
        }
    }
}

/// How something stands against what is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As expected.
    #[default]
    AsExpected,
    /// It was not run, or people look at it.
    Open,
    /// Nothing can be said.
    Unknown,
    /// Not as expected.
    NotAsExpected,
}

/// A game day as it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GameDay {
    /// The version of this format.
    pub format: u32,
    /// The version of Wrack that ran it.
    pub wrack_version: String,
    /// What carried the nodes of its runs; empty for a day that was run before that was written down.
    #[serde(default)]
    pub engine: String,
    /// The path of the playlist, as it was given.
    pub playlist: String,
    /// A digest of the playlist and its scenarios.
    pub playlist_hash: String,
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub objective: String,
    /// Who takes part.
    pub roles: Vec<Part>,
    /// What had to hold before anything was broken.
    pub checks: Vec<CheckDone>,
    /// What was run, in order, and what was not.
    pub steps: Vec<StepDone>,
    /// When the day was to end early.
    pub stops: Vec<StopWatched>,
    /// Why it ended early, if it did.
    pub stopped: Option<Stopped>,
    /// The worst of everything.
    pub standing: Standing,
    /// The command that runs it again.
    pub replay: String,
}

/// Who takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The role.
    pub role: String,
    /// What whoever has it does.
    pub task: String,
    /// Who has it; empty if that is filled in by hand.
    pub person: String,
}

/// A check before the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckDone {
    /// What it is.
    pub title: String,
    /// How it stands; open if people look at it.
    pub standing: Standing,
    /// What was run and found, in one line.
    pub found: String,
}

/// One step of the day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    /// What it is called.
    pub title: String,
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// Whether those who took part did not know the variant.
    pub hidden: bool,
    /// What people were asked.
    pub question: String,
    /// `valid`, or the code of the anomaly that is expected.
    pub expected: String,
    /// The first seed.
    pub first_seed: u64,
    /// Seeds in all.
    pub seeds: u64,
    /// Seeds whose run is as it should be.
    pub found: u64,
    /// How the step stands; open if it was not run.
    pub standing: Standing,
    /// What should have been seen.
    pub signals: Vec<SignalSeen>,
    /// What is told of it: the run of this seed, the first with its anomaly or else the first.
    pub example_seed: Option<u64>,
    /// Where that run is kept, relative to this file.
    pub result: Option<String>,
    /// The objectives in that run, whatever is expected of the variant.
    pub slos: Vec<Slo>,
    /// The alerts in that run, whatever is expected of the variant.
    pub alerts: Vec<Alert>,
}

/// Something that should have been seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalSeen {
    /// What.
    pub sign: Sign,
    /// How soon, in nanoseconds.
    pub within_ns: Option<u64>,
    /// How it stands; open if people look at it, or if it was not run.
    pub standing: Standing,
    /// In how many seeds it was seen in time.
    pub seeds: u64,
    /// When it was first seen in the example, in virtual nanoseconds.
    pub at_ns: Option<u64>,
}

/// A condition that ends the day early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopWatched {
    /// What ends it.
    pub sign: Sign,
    /// Why.
    pub because: String,
}

/// Why the day ended early.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// After which step, from 1; 0 if a check failed before the first.
    pub after_step: usize,
    /// Why, in words.
    pub because: String,
}
