//! The baseline: what groups showed when it was written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_history::gate::Measured;

use crate::observed::Observed;

/// The version of the file.
const FORMAT: u32 = 1;

/// What groups showed when it was written.
///
/// Shape: one JSON document, indented by two spaces, keys in a fixed order, a line feed at the end:
/// written again it has the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: u32,
    /// The seeds, from the first up to, but without, the second.
    pub seeds: (u64, u64),
    /// Every group, in order of names.
    pub groups: Vec<BaselineGroup>,
}

/// A group of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineGroup {
    /// The scenario's name.
    pub scenario: String,
    /// A digest of the scenario file.
    pub scenario_hash: String,
    /// The variant's name.
    pub variant: String,
    /// Seeds in all.
    pub seeds: u64,
    /// What should not be, by name, and in how many seeds it was seen.
    pub findings: BTreeMap<String, u64>,
    /// What was measured over all seeds.
    pub metrics: BTreeMap<String, Measured>,
}

/// Why a text is not a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that it should be.
    #[error("{line}:{column}: not a baseline: {message}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It is of another version.
    #[error("1:1: format {0} is not known: this version reads {FORMAT}")]
    Format(u64),
    /// A group stands there twice, or saw something in more seeds than it has.
    #[error("1:1: {0}")]
    Group(String),
}

impl From<serde_json::Error> for BaselineError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::Json { line, column, message: error.to_string() }
    }
}

impl Baseline {
    /// Of what was observed. What `before` knows and was seldom enough to stay unseen is kept.
    pub fn new(
        seeds: (u64, u64),
        observed: &[Observed],
        rare: impl Fn(&Observed, &str) -> bool,
        before: Option<&Self>,
    ) -> Self {
        let mut groups: Vec<_> = observed
            .iter()
            .map(|group| {
                let mut findings = group.findings();
                let known = before.and_then(|before| before.group(&group.scenario, &group.variant));
                for (name, count) in known.iter().flat_map(|known| &known.findings) {
                    if rare(group, name) {
                        findings.entry(name.clone()).or_insert(*count);
                    }
                }
                BaselineGroup {
                    scenario: group.scenario.clone(),
                    scenario_hash: group.scenario_hash.clone(),
                    variant: group.variant.clone(),
                    seeds: group.seeds,
                    findings,
                    metrics: group.metrics.clone(),
                }
            })
            .collect();
        groups.sort_by(|a, b| (&a.scenario, &a.variant).cmp(&(&b.scenario, &b.variant)));
        Self { format: FORMAT, seeds, groups }
    }

    /// Reads a baseline.
    ///
    /// Errors: it is of another version, or not a baseline.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        // Of another version, other fields are no mistake.
        let any: serde_json::Value = serde_json::from_str(text)?;
        if let Some(format) = any["format"].as_u64().filter(|format| *format != u64::from(FORMAT)) {
            return Err(BaselineError::Format(format));
        }
        let baseline: Self = serde_json::from_str(text)?;
        for (index, group) in baseline.groups.iter().enumerate() {
            let BaselineGroup { scenario, variant, seeds, .. } = group;
            let same = |one: &&BaselineGroup| {
                one.scenario == group.scenario && one.variant == group.variant
            };
            if baseline.groups[..index].iter().find(same).is_some() {
                return Err(BaselineError::Group(format!(
                    "{scenario} {variant} stands there twice"
                )));
            }
            if group.findings.values().any(|count| count > seeds || *count == 0) {
                let message = format!("{scenario} {variant} counts more or fewer than its seeds");
                return Err(BaselineError::Group(message));
            }
        }
        Ok(baseline)
    }

    /// Writes it.
    pub fn write(&self) -> String {
        serde_json::to_string_pretty(self).expect("a baseline is plain data") + "\n"
    }

    /// The group of this name.
    pub fn group(&self, scenario: &str, variant: &str) -> Option<&BaselineGroup> {
        self.groups.iter().find(|group| group.scenario == scenario && group.variant == variant)
    }
}

impl Observed {
    /// What should not be, by name, and in how many seeds it was seen.
    pub fn findings(&self) -> BTreeMap<String, u64> {
        let seen = self.seen.iter().map(|(name, seen)| (name.clone(), seen.seeds.len() as u64));
        let missed = (self.share == wrack_history::gate::Level::Failure)
            .then(|| (format!("missed {}", self.expected), self.seeds - self.found));
        seen.chain(missed).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wrack_history::gate::{Measured, Unit};

    use super::Baseline;
    use crate::observed::{Observed, Seen};

    fn observed(variant: &str) -> Observed {
        let seen = Seen { seeds: vec![3, 4], ..Seen::default() };
        let latency =
            Measured { number: 5, unit: Unit::Ns, higher_is_better: false, events: 1_000 };
        Observed {
            scenario: "raft/a".into(),
            scenario_hash: "0123".into(),
            variant: variant.into(),
            expected: "valid".into(),
            seeds: 20,
            found: 18,
            seen: BTreeMap::from([("LIN".into(), seen)]),
            metrics: BTreeMap::from([("latency-p99".into(), latency)]),
            ..Observed::default()
        }
    }

    #[test]
    fn what_is_read_is_written_with_the_same_bytes() {
        let groups = [observed("reference"), observed("another")];
        let text = Baseline::new((0, 20), &groups, |_, _| false, None).write();
        let read = Baseline::read(&text).unwrap();
        assert_eq!(read.write(), text);
        assert!(text.ends_with("}\n"));
        let names: Vec<_> = read.groups.iter().map(|group| group.variant.as_str()).collect();
        assert_eq!(names, ["another", "reference"]);
        assert_eq!(read.groups[0].findings["LIN"], 2);
    }

    #[test]
    fn what_is_rare_stays_in_the_baseline_and_what_is_resolved_does_not() {
        let before = Baseline::new((0, 20), &[observed("reference")], |_, _| false, None);
        let now = Observed { seen: BTreeMap::new(), found: 20, ..observed("reference") };
        for rare in [true, false] {
            let next =
                Baseline::new((0, 20), std::slice::from_ref(&now), |_, _| rare, Some(&before));
            assert_eq!(next.groups[0].findings.contains_key("LIN"), rare);
        }
    }

    #[test]
    fn other_versions_and_nonsense_are_refused() {
        let check = |text: &str, contains: &str| {
            let error = Baseline::read(text).unwrap_err().to_string();
            assert!(error.contains(contains), "{error}");
        };
        let text = Baseline::new((0, 20), &[observed("reference")], |_, _| false, None).write();
        check(&text.replace("\"format\": 1", "\"format\": 2"), "format 2 is not known");
        check("{\"format\": 2, \"what\": true}", "format 2 is not known");
        check(&text.replace("\"seeds\": 20", "\"seeds\": 1"), "counts more or fewer");
        check(&text.replace("metrics", "metric"), "unknown field `metric`");
        check("{", "1:1: not a baseline");
        check("[]", "not a baseline");
        let twice = Baseline::new(
            (0, 20),
            &[observed("reference"), observed("reference")],
            |_, _| false,
            None,
        );
        check(&twice.write(), "stands there twice");
    }
}
