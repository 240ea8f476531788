//! Verdicts: what a checker says of a history.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::NodeIndex;

/// The lattice of verdicts: of several, the greatest holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No anomaly within the bounds.
    #[default]
    Valid,
    /// A bound was met, or too little happened to say anything.
    Unknown,
    /// An anomaly was found.
    Invalid,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
        })
    }
}

/// Operations that contradict a guarantee, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// The class, as the catalogue codes it: `LIN`, `DUP` …
    pub code: SmolStr,
    /// Why these operations contradict the guarantee, in plain words, one or two sentences.
    pub explanation: String,
    /// Ids of the operations that show it, in order of invocation.
    pub operations: Vec<u64>,
    /// The key it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SmolStr>,
    /// When it became visible, in virtual nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ns: Option<u64>,
    /// The nodes it is about, for promises that clients do not see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeIndex>,
    /// The smallest part of the history that shows it, where there is such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<Counterexample>,
}

/// The smallest part of a history that was found to contradict a guarantee by itself, so that a person
/// can follow it on paper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterexample {
    /// Its operations, in order of invocation.
    pub operations: Vec<Step>,
    /// Ids of operations: an order that is legal, and than which none goes further.
    pub legal: Vec<u64>,
    /// What the object is worth after that.
    pub state: SmolStr,
    /// Ids of operations: those that would have to come next, and none of which can.
    pub blocked: Vec<u64>,
}

/// An operation of a counterexample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its id in the history.
    pub id: u64,
    /// What it did and when, in words; it may say less than in the history, where the rest does not
    /// matter.
    pub text: SmolStr,
}

/// What one checker says of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The guarantee, as the catalogue codes it.
    pub code: SmolStr,
    /// The verdict.
    pub verdict: Verdict,
    /// What contradicts it; empty unless the verdict is invalid.
    pub anomalies: Vec<Anomaly>,
    /// What was looked at: `reads`, `keys`, `facts` …; a checker that looked at nothing says so.
    pub examined: BTreeMap<SmolStr, u64>,
    /// The bound it was held to, if it has one: `5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// What was observed against the bound: `0.112 s at most`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it was decided, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// What it says of each key, by name, where keys are judged one by one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<SmolStr, Verdict>,
}

impl Judgement {
    /// A judgement without anomalies yet.
    pub fn new(code: &str) -> Self {
        Self { code: code.into(), ..Self::default() }
    }

    /// Counts something that was looked at.
    pub fn examine(&mut self, what: &'static str, count: u64) {
        *self.examined.entry(SmolStr::new_static(what)).or_default() += count;
    }

    /// Adds an anomaly of this guarantee, and makes the verdict invalid.
    pub fn contradict(&mut self, mut anomaly: Anomaly) {
        anomaly.code = self.code.clone();
        self.anomalies.push(anomaly);
        self.verdict = Verdict::Invalid;
    }

    /// What it says of each key, in order of their names.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Verdict)> {
        self.keys.iter().map(|(key, verdict)| (key.as_str(), *verdict))
    }

    /// Lowers a valid verdict to unknown.
    pub fn doubt(&mut self, reason: impl Into<String>) {
        self.verdict = self.verdict.max(Verdict::Unknown);
        self.reason.get_or_insert(reason.into());
    }
}
