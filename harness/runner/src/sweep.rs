//! Many seeds: what is kept of each run, and what they say together.
//!
//! A [`Record`] is what a sweep writes down of a run, one line of JSON. A [`Tally`] takes records in
//! any order and says the same of the same records: so an interrupted sweep goes on where it was, and
//! shards become one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wrack_history::run::Pooled;
use wrack_history::{Anomaly, Run, SmolStr, Verdict};

use crate::group::{Group, GroupSummary, Outcome, Standing};
use crate::swarm::{self, Coverage};

/// What identifies a kind of failure, so that a thousand seeds that show one bug are one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// The anomaly's code.
    pub code: SmolStr,
    /// The functions of the operations that show it, in order of invocation; runs of one are
    /// written once: `append read`.
    pub shape: SmolStr,
}

/// What a sweep keeps of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which of the sweep's groups.
    pub group: u32,
    /// The seed.
    pub seed: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether nothing contradicts what the scenario expects.
    pub as_expected: bool,
    /// Whether the expected anomaly was found.
    #[serde(default, skip_serializing_if = "is_false")]
    pub found: bool,
    /// What was found, each kind once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub signatures: BTreeSet<Signature>,
    /// Codes of anomalies that nobody expects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<SmolStr>,
    /// Why the verdict is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// What is judged over all seeds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Pooled>,
    /// Situations worth reaching that were reached.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sometimes: BTreeSet<SmolStr>,
    /// Cells of a swarm that were reached.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cells: BTreeSet<SmolStr>,
    /// The largest of what checkers measured in a run of a swarm, by name: `staleness`, in nanoseconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub largest: BTreeMap<SmolStr, u64>,
    /// Virtual nanoseconds that were simulated.
    pub simulated_ns: u64,
    /// A digest of everything that the engine did.
    pub trace_hash: String,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Record {
    /// Of a run of the group with this number; `swarm` says whether faults are drawn.
    pub fn new(group: u32, run: &Run, swarm: bool) -> Self {
        Self {
            group,
            seed: run.seed,
            verdict: run.verdict,
            as_expected: run.as_expected,
            found: run.found(),
            signatures: run.anomalies().map(|anomaly| signature(anomaly, run)).collect(),
            foreign: run.foreign.clone(),
            doubts: run.doubts.clone(),
            pooled: run.pooled(),
            sometimes: run.sometimes.keys().cloned().collect(),
            cells: if swarm { swarm::cells(run) } else { BTreeSet::new() },
            largest: if swarm { largest(run) } else { BTreeMap::new() },
            simulated_ns: run.phases.end_ns,
            trace_hash: run.trace_hash.clone(),
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            verdict: self.verdict,
            found: self.found,
            as_expected: self.as_expected,
            foreign: !self.foreign.is_empty(),
            pooled: self.pooled,
        }
    }
}

fn largest(run: &Run) -> BTreeMap<SmolStr, u64> {
    let measured = run.judgements.iter().flat_map(|judgement| &judgement.distributions);
    let of_all = measured.filter(|distribution| distribution.region.is_none());
    of_all.map(|distribution| (distribution.name.clone(), distribution.max)).collect()
}

/// More functions than this say no more.
const SHAPE_MAX: usize = 8;

fn signature(anomaly: &Anomaly, run: &Run) -> Signature {
    let by_id = |id: &u64| run.history.operations.iter().find(|operation| operation.id == *id);
    let mut functions: Vec<&str> =
        anomaly.operations.iter().filter_map(by_id).map(|one| one.function.as_str()).collect();
    functions.dedup();
    functions.truncate(SHAPE_MAX);
    Signature { code: anomaly.code.clone(), shape: functions.join(" ").into() }
}

/// What many runs of one scenario and variant say together.
#[derive(Clone, Debug, Serialize)]
pub struct GroupReport {
    /// As every group is summed up.
    #[serde(flatten)]
    pub summary: GroupSummary,
    /// Seeds whose run is not as expected, in order.
    pub failures: Vec<u64>,
    /// Seeds whose run says nothing, in order.
    pub unknown: Vec<u64>,
    /// Where no run failed, and the seeds were not chosen: the share of seeds that could still fail at most,
    /// at 95 % confidence.
    pub at_most: Option<f64>,
    /// Virtual nanoseconds that were simulated.
    pub simulated_ns: u64,
    /// Situations worth reaching, and in how many seeds they were reached.
    pub sometimes: BTreeMap<SmolStr, u64>,
    /// Cells of a swarm, and in how many seeds they were reached.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cells: BTreeMap<SmolStr, u64>,
    /// What had to be reached and was not, one line each: then the sweep says nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// One kind of failure, with every seed that shows it.
#[derive(Clone, Debug, Serialize)]
pub struct SignatureReport {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// The anomaly's code.
    pub code: SmolStr,
    /// The functions of the operations that show it.
    pub shape: SmolStr,
    /// Whether the scenario expects this anomaly of this variant, or says that it follows.
    pub expected: bool,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// Where the first of them is kept in full, relative to the sweep.
    pub example: String,
}

/// All that a sweep says.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Every scenario and variant.
    pub groups: Vec<GroupReport>,
    /// Every kind of failure, in order of groups.
    pub signatures: Vec<SignatureReport>,
    /// The worst of all groups.
    #[serde(skip)]
    pub standing: Standing,
}

/// Takes in records of one group, in any order.
#[derive(Clone, Debug)]
pub struct Tally {
    group: Group,
    expected: BTreeSet<SmolStr>,
    failures: Vec<u64>,
    unknown: Vec<u64>,
    simulated_ns: u64,
    /// In how many seeds each situation was reached, those that never were included.
    sometimes: BTreeMap<SmolStr, u64>,
    /// The same of cells.
    cells: BTreeMap<SmolStr, u64>,
    coverage: Coverage,
    /// Whether seeds were chosen by what others reached, so that their share proves nothing.
    guided: bool,
    signatures: BTreeMap<Signature, Vec<u64>>,
}

impl Tally {
    /// Nothing yet; `expected` are the codes that the scenario expects of the variant.
    pub fn new(group: Group, expected: BTreeSet<SmolStr>, coverage: Coverage) -> Self {
        let never =
            |names: &BTreeSet<SmolStr>| names.iter().map(|name| (name.clone(), 0)).collect();
        Self {
            group,
            expected,
            failures: Vec::new(),
            unknown: Vec::new(),
            simulated_ns: 0,
            sometimes: never(&coverage.situations),
            cells: never(&coverage.cells),
            coverage,
            guided: false,
            signatures: BTreeMap::new(),
        }
    }

    /// The same of seeds that were chosen by what others reached.
    pub fn guided(self, guided: bool) -> Self {
        Self { guided, ..self }
    }

    /// Takes a record in.
    pub fn add(&mut self, record: &Record) {
        match self.group.add(record.outcome()) {
            Standing::AsExpected => (),
            Standing::Unknown => self.unknown.push(record.seed),
            Standing::NotAsExpected => self.failures.push(record.seed),
        }
        self.simulated_ns += record.simulated_ns;
        for name in &record.sometimes {
            *self.sometimes.entry(name.clone()).or_default() += 1;
        }
        for cell in &record.cells {
            *self.cells.entry(cell.clone()).or_default() += 1;
        }
        for signature in &record.signatures {
            self.signatures.entry(signature.clone()).or_default().push(record.seed);
        }
    }

    /// Whether a failure of this kind was seen before.
    pub fn knows(&self, signature: &Signature) -> bool {
        self.signatures.contains_key(signature)
    }

    /// What had to be reached and was not. Of a variant that is broken nothing is asked.
    fn missing(&self) -> Vec<String> {
        if self.group.expected != "valid" {
            return Vec::new();
        }
        let required = self.coverage.situations_required.iter();
        let unreached = required.filter(|name| self.sometimes.get(*name).is_none_or(|n| *n == 0));
        let unreached = unreached.map(|name| format!("no seed reached \"{name}\""));
        let bit = |kind: &&SmolStr| {
            self.cells
                .iter()
                .any(|(cell, seeds)| *seeds > 0 && swarm::kind_of(cell) == kind.as_str())
        };
        let toothless = self.coverage.faults_required.iter().filter(|kind| !bit(kind));
        let toothless = toothless.map(|kind| format!("{kind} did nothing in any seed"));
        unreached.chain(toothless).collect()
    }

    fn standing(&self) -> Standing {
        let vacuous =
            if self.missing().is_empty() { Standing::AsExpected } else { Standing::Unknown };
        self.group.standing.max(vacuous)
    }

    /// Runs so far.
    pub fn seeds(&self) -> u64 {
        self.group.seeds
    }

    /// Runs so far that were not as expected.
    pub fn failures(&self) -> usize {
        self.failures.len()
    }
}

/// What tallies say together, in their order.
pub fn report(tallies: &[Tally]) -> Report {
    let sorted = |seeds: &[u64]| {
        let mut seeds = seeds.to_vec();
        seeds.sort_unstable();
        seeds
    };
    let groups = tallies.iter().map(|tally| {
        let group = &tally.group;
        let proves = group.expected == "valid" && group.found == group.seeds && !tally.guided;
        let summary = GroupSummary {
            as_expected: tally.standing() == Standing::AsExpected,
            ..GroupSummary::from(group)
        };
        GroupReport {
            summary,
            failures: sorted(&tally.failures),
            unknown: sorted(&tally.unknown),
            at_most: proves.then(|| at_most(group.seeds)),
            simulated_ns: tally.simulated_ns,
            sometimes: tally.sometimes.clone(),
            cells: tally.cells.clone(),
            missing: tally.missing(),
        }
    });
    let signatures = tallies.iter().flat_map(|tally| {
        tally.signatures.iter().map(|(signature, seeds)| {
            let (scenario, variant) = (tally.group.scenario.clone(), tally.group.variant.clone());
            let seeds = sorted(seeds);
            SignatureReport {
                code: signature.code.clone(),
                shape: signature.shape.clone(),
                expected: tally.expected.contains(&signature.code),
                example: format!("{scenario}/{variant}/{}", seeds[0]),
                scenario,
                variant,
                seeds,
            }
        })
    });
    Report {
        groups: groups.collect(),
        signatures: signatures.collect(),
        standing: tallies.iter().map(Tally::standing).max().unwrap_or(Standing::Unknown),
    }
}

/// The share of seeds that can fail at most, at 95 % confidence, if none of so many did: the share
/// for which none in so many has a probability of 5 %.
pub fn at_most(seeds: u64) -> f64 {
    1.0 - libm::exp(libm::log(0.05) / seeds.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seed: u64, verdict: Verdict) -> Record {
        let invalid = verdict == Verdict::Invalid;
        let signature = Signature { code: "LIN".into(), shape: "write read".into() };
        Record {
            group: 0,
            seed,
            verdict,
            as_expected: !invalid,
            found: false,
            signatures: invalid.then_some(signature).into_iter().collect(),
            foreign: if invalid { vec!["LIN".into()] } else { Vec::new() },
            doubts: Vec::new(),
            pooled: None,
            sometimes: seed.is_multiple_of(2).then_some("even".into()).into_iter().collect(),
            cells: BTreeSet::new(),
            largest: BTreeMap::new(),
            simulated_ns: 10,
            trace_hash: "0".into(),
        }
    }

    fn tally(records: &[Record]) -> Report {
        let group = Group::of("a/b", "reference", "valid", 1_000_000);
        let mut tally = Tally::new(group, BTreeSet::new(), Coverage::default());
        records.iter().for_each(|record| tally.add(record));
        report(&[tally])
    }

    #[test]
    fn the_order_of_records_does_not_matter() {
        let mut records: Vec<Record> = (0..10).map(|seed| record(seed, Verdict::Valid)).collect();
        records[3] = record(3, Verdict::Invalid);
        records[7] = record(7, Verdict::Invalid);
        records[8] = record(8, Verdict::Unknown);
        let there = tally(&records);
        records.reverse();
        let back = tally(&records);
        let json = |report: &Report| serde_json::to_string(report).unwrap();
        assert_eq!(json(&there), json(&back));
        let group = &there.groups[0];
        assert_eq!((group.summary.seeds, group.summary.found, group.at_most), (10, 7, None));
        assert_eq!((&group.failures[..], &group.unknown[..]), (&[3, 7][..], &[8][..]));
        assert_eq!(group.sometimes["even"], 5);
        assert_eq!(there.signatures[0].seeds, [3, 7]);
        assert_eq!(there.signatures[0].example, "a/b/reference/3");
        assert_eq!(there.standing, Standing::NotAsExpected);
    }

    #[test]
    fn nothing_in_so_many_seeds_says_so_much() {
        let report =
            tally(&(0..10_000).map(|seed| record(seed, Verdict::Valid)).collect::<Vec<_>>());
        let at_most = report.groups[0].at_most.unwrap();
        assert!((0.000_29..0.000_31).contains(&at_most), "{at_most}");
        assert_eq!(report.standing, Standing::AsExpected);
        assert!(tally(&[]).standing == Standing::Unknown);
    }
}
