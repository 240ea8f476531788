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
    /// Of transactions: each must come before the next, in a circle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycle: Vec<Link>,
}

/// Why one transaction of a circle comes before the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The id of the one that comes before.
    pub from: u64,
    /// The id of the next.
    pub to: u64,
    /// `ww`, `wr`, `rw`, `process` or `realtime`.
    pub kind: SmolStr,
    /// The reason in words.
    pub text: SmolStr,
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
    /// How many of the keys, sessions and regions are broken, where that was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// How large what was looked at was, for plots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<Distribution>,
}

/// How many of the keys, sessions or regions are broken, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// `keys`, `sessions` or `regions`.
    pub of: SmolStr,
    /// How many were looked at.
    pub total: u64,
    /// How many of them are broken.
    pub broken: u64,
    /// The broken ones, in order; of many the first [`Share::NAMED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<SmolStr>,
}

impl Share {
    /// More broken ones than this are counted, not named.
    pub const NAMED_MAX: usize = 100;
}

/// How large something was, each time it was looked at.
///
/// Shape: bins that rise; each counts what was greater than the bin before and at most its own
/// bound, which is less than one hundredth above what it stands for. Bins that counted nothing are
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// What was measured: `staleness`.
    pub name: SmolStr,
    /// `ns`, or what was counted: `versions`.
    pub unit: SmolStr,
    /// The region whose clients saw it; absent where it is of all clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<SmolStr>,
    /// The largest, exactly.
    pub max: u64,
    /// Upper bound and count of each bin.
    pub bins: Vec<(u64, u64)>,
}

impl Distribution {
    /// How often it was looked at.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|(_, count)| count).sum()
    }

    /// The bound of the bin that holds the quantile, in millionths: 990,000 is the 99th percentile. 0
    /// if there is nothing.
    pub fn quantile(&self, per_million: u32) -> u64 {
        let wanted = u128::from(self.count()) * u128::from(per_million);
        let mut seen = 0;
        let holds = |(_, count): &&(u64, u64)| {
            seen += u128::from(*count) * 1_000_000;
            seen >= wanted
        };
        self.bins.iter().find(holds).map_or(0, |(upto, _)| (*upto).min(self.max))
    }
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

    /// The distribution of this name over all clients.
    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|one| one.name == name && one.region.is_none())
    }

    /// Lowers a valid verdict to unknown.
    pub fn doubt(&mut self, reason: impl Into<String>) {
        self.verdict = self.verdict.max(Verdict::Unknown);
        self.reason.get_or_insert(reason.into());
    }
}

#[cfg(test)]
mod tests {
    use super::Distribution;

    #[test]
    fn a_quantile_is_the_bound_of_the_bin_that_holds_it() {
        let distribution = Distribution {
            max: 39,
            bins: vec![(1, 90), (20, 9), (40, 1)],
            ..Distribution::default()
        };
        let quantile = |per_million| distribution.quantile(per_million);
        assert_eq!(distribution.count(), 100);
        assert_eq!((quantile(900_000), quantile(900_001)), (1, 20));
        assert_eq!((quantile(0), quantile(1_000_000)), (1, 39));
        assert_eq!(Distribution::default().quantile(500_000), 0);
    }
}
